"""What travels between the rooms: frozen values without behaviour.

    bytes → Paper → Digest → Mail → Receipt, and a Verdict about each step.

All times are aware datetimes in UTC unless a field says otherwise. Texts are exactly as the source sent them,
white space collapsed: cleaning for display is `compose`'s work.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Literal

#: how a source lists a paper, best label first (arXiv's words; other sources list everything as "new")
Announce = Literal["new", "cross", "replace", "replace-cross"]
SourceType = Literal["arxiv", "arxiv-api", "huggingface", "feed", "jsonl"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
#: how much a mail says of each paper: everything, or a few lines without abstract
Layout = Literal["full", "compact"]
#: pictures of papers in mails: none, loaded from our own archive, or within the mail
Images = Literal["none", "linked", "embedded"]
#: what one digest covers: what came since the last one (`daily`: on each of the days chosen, `weekdays`: those from
#: Monday to Friday), or a week
Frequency = Literal["daily", "weekdays", "weekly"]
#: whether a day on which nothing is found has a mail that says so
Quiet = Literal["skip", "note"]
#: where a paper stands in a digest: among what the reader's keywords found, or what everybody reads
Part = Literal["for_you", "trending"]
#: Monday first, so that `WEEKDAYS[day.weekday()]` is the name of a date's day
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


# --- collect ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Source:
    """Where papers come from: one `[[sources]]` entry of the configuration."""

    type: SourceType
    #: unique among the sources; the key of everything remembered about it
    name: str
    #: arXiv categories or archives (`cs.CL`), in the order typed; type `arxiv` only
    categories: tuple[str, ...] = ()
    #: address of the feed or list; types `feed` and `jsonl`
    url: str = ""
    #: `search_query` of the arXiv API, as its manual spells it; type `arxiv-api` only
    query: str = ""
    #: local file; type `jsonl` only
    path: str = ""
    #: replaces scheme and host (and a path prefix) of the source's usual address; empty: the usual one
    base_url: str = ""
    #: announce types that count as papers of the day; type `arxiv` only
    announce: tuple[Announce, ...] = ("new", "cross")
    #: how many past days are read again to see votes move, 1..31; type `huggingface` only
    days: int = 7
    #: at most this many papers per pull, 1..30000; type `arxiv-api` only
    max_results: int = 200
    #: on the very first pull this many of the newest papers may be mailed, the rest only become known; None: all
    first_run_max: int | None = None
    #: seconds this source may take in one pull, waiting for its turn included
    deadline_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Signals:
    """How a paper was received, by one source at one moment. None: the source does not say; never negative."""

    upvotes: int | None = None
    comments: int | None = None
    #: GitHub stars of the paper's repository
    stars: int | None = None
    #: place in the source's own list, from 1
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    """One work, whatever number of sources and versions."""

    #: canonical identifier without version: `arxiv:2401.01234`, `doi:10.…`, `openreview:…`, `url:…`, or
    #: `list:<source>/<id>` for what only its own source can name
    key: str
    #: one line; never empty
    title: str
    #: one paragraph; empty if the source has none
    abstract: str = ""
    #: display names in the order of the paper
    authors: tuple[str, ...] = ()
    #: landing page, http(s) only; empty if there is none
    url: str = ""
    #: other canonical identifiers of the same work, sorted, without `key`
    aliases: tuple[str, ...] = ()
    #: from 1; None if the source does not count versions
    version: int | None = None
    #: first public appearance as far as the source knows
    published: datetime | None = None
    #: subject codes, the primary one first
    categories: tuple[str, ...] = ()
    announce: Announce = "new"
    #: names of the sources that carried it, in the order they were merged, without repeats
    sources: tuple[str, ...] = ()
    organization: str = ""
    #: arXiv's free comment ("12 pages, accepted at …")
    comment: str = ""
    journal_ref: str = ""
    #: licence URL
    licence: str = ""
    pdf_url: str = ""
    code_url: str = ""
    project_url: str = ""
    #: page where readers discuss it (Hugging Face)
    discussion_url: str = ""
    thumbnail_url: str = ""
    #: one sentence written by a machine, to be marked as such wherever it is shown
    ai_summary: str = ""
    ai_keywords: tuple[str, ...] = ()
    signals: Signals = Signals()


@dataclass(frozen=True, slots=True)
class Problem:
    """One item that was left out, or one thing that no longer fits; costs that item only."""

    #: which item: an id, a title, or `item 17`; one line, cleaned
    where: str
    #: one sentence without a full stop
    message: str


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server gave for conditional requests (RFC 9110 §13.1): sent back verbatim, empty if absent."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one pull of one source brought. A source that failed has a `failure` and may still have papers."""

    source: str
    papers: tuple[Paper, ...] = ()
    problems: tuple[Problem, ...] = ()
    #: by URL; to be stored with the batch and sent with the next request
    validators: Mapping[str, Validators] = field(default_factory=dict)
    #: True if every request was answered "not modified"
    not_modified: bool = False
    #: why the source (or a part of it) could not be read; empty if all went well
    failure: str = ""
    #: what the operator can do about `failure`
    hint: str = ""
    #: requests sent, bytes received after decompression, seconds from start to end
    requests: int = 0
    bytes_received: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class SourceMemory:
    """What is remembered of a source between pulls."""

    name: str
    #: the first pull that brought papers; None: there was none yet
    first_pull_at: datetime | None = None
    last_pull_at: datetime | None = None
    #: the last pull in which it said something it had not said before: a paper or a version new for this source
    last_fresh_at: datetime | None = None
    #: hash of the ids (with versions) of the last non-empty batch
    fingerprint: str = ""
    validators: Mapping[str, Validators] = field(default_factory=dict)
    #: failed pulls in a row
    failures: int = 0
    #: the largest number of new papers in one pull after the first one
    most_new: int = 0


# --- curate -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StoredPaper:
    """A paper as the state knows it."""

    paper: Paper
    #: when its batch became durable
    first_seen_at: datetime
    #: the edition (UTC day) it belongs to; None: known but never to be mailed (baseline of a first pull)
    edition: date | None


@dataclass(frozen=True, slots=True)
class DaySignals:
    """What a source said about a paper on one UTC day (the last word of that day)."""

    source: str
    day: date
    signals: Signals
    #: when it said so, on that day; None: at an hour unknown
    at: datetime | None = None


#: what can become of a paper after it became known here, the gravest first
NewsKind = Literal["withdrawn", "venue", "doi", "code", "version"]


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened to a paper after it became known here."""

    #: of the paper
    key: str
    #: when it was noticed
    at: datetime
    kind: NewsKind
    #: what happened, as in `Followup.news`
    sentence: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one reader was sent lately."""

    #: when the last mail was planned that was delivered, or is still on its way: all before this is no news to them
    told_until: datetime
    #: (local date, keys of the papers) of each mail that was delivered
    mails: tuple[tuple[date, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One reader. Times are theirs: `at` and `days` are read in `timezone`."""

    #: normalised address; the identity
    email: str
    name: str = ""
    #: entries of the keyword language, in the order typed
    keywords: tuple[str, ...] = ()
    #: local wall clock from which a digest is due
    at: time = time(8, 0)
    #: local days on which a digest is due; never empty
    days: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    #: IANA name
    timezone: str = "UTC"
    #: most papers in the For-you part, 1..50
    max_papers: int = 10
    #: most papers in the Trending part, 0..50
    trending: int = 5
    #: least relevance of a For-you paper, 0..1
    min_score: float = 0.2
    #: whether news of papers sent before are wanted
    followups: bool = True
    layout: Layout = "full"
    images: Images = "none"
    #: tag (RFC 5646) of the language of their mails, one of `digest.languages`
    language: str = "en"
    #: no digest before this local date; None: not paused
    paused_until: date | None = None
    #: when they were asked whether they want mail; None: they have said so, or need not be asked
    asked_at: datetime | None = None
    #: opaque unguessable name used in unsubscribe links, given by the state; empty: no such links
    token: str = ""
    #: what a digest covers; with `weekly`, `days` is one day
    frequency: Frequency = "daily"
    #: what happens on a day for which nothing is found
    quiet: Quiet = "skip"
    #: names of the fields above that they have not chosen: their values are those of [digest] when they were read
    inherits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """One keyword entry that matched a paper."""

    #: the entry as the subscriber typed it
    keyword: str
    #: where: of `title`, `abstract`, `author`, `category`, `organization`, `topic` (AI keywords), best first
    fields: tuple[str, ...]
    #: the matching pieces of the paper's own text as written there, for marking; title pieces first
    words: tuple[str, ...] = ()
    #: what the entry says for the paper, ≥ 0, whoever asks. A pick's score is 1 - e^(-t/2), t being these added up with
    #: what the paper's likeness to the best ones says
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Trend:
    """How a paper is doing with everybody.

    Changes are against what was known at least half a day before the last reading; None: nothing was.
    """

    #: 0..1 within the batch it was computed for
    score: float = 0.0
    upvotes: int | None = None
    upvotes_change: int | None = None
    comments: int | None = None
    stars: int | None = None
    stars_change: int | None = None
    #: days from the reading that changes are counted from until now, rounded, at least 1; 1: since yesterday; None: no
    #: changes known
    change_days: int | None = None
    #: how many independent sources carry the paper (two searches of one site are one); 0: unknown
    sources: int = 0
    #: days since the paper became known here, rounded; None: unknown
    known_days: int | None = None
    #: True if it had come to rest and moves again
    rising_again: bool = False


@dataclass(frozen=True, slots=True)
class Similar:
    """A paper that is like a pick, named by title only."""

    key: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture of a paper, made here of what its source shows."""

    #: made of the file's bytes (SHA-256): the same name is the same picture; letters and digits
    name: str
    #: pixels of the file; it is shown smaller
    width: int
    height: int
    #: the JPEG file in base64 (RFC 4648 §4), in one line
    data: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Pick:
    """One paper in a digest, with the reasons; the same for all readers who see it for the same reasons."""

    paper: Paper
    part: Part
    matches: tuple[Match, ...] = ()
    trend: Trend = Trend()
    #: the reasons in words, without a full stop: "“mixture of experts” in title and abstract", and for what trends
    #: the numbers: "▲ 142 (+84 since yesterday); ★ 1.2k"
    why: str = ""
    #: a sentence or two that say what is new; empty: none is known
    summary: str = ""
    #: who wrote `summary`: `extract` for the paper's own words, else the name of a machine; empty without one
    summary_by: str = ""
    #: papers that are like it, most like it first
    similar: tuple[Similar, ...] = ()
    #: only for readers who want pictures; None: there is none
    thumbnail: Thumbnail | None = None


@dataclass(frozen=True, slots=True)
class Missed:
    """A paper that nearly made it, named by title only."""

    key: str
    title: str
    url: str
    why: str


@dataclass(frozen=True, slots=True)
class Followup:
    """News of a paper that was delivered to the subscriber before, named by title only."""

    key: str
    title: str
    url: str
    #: what happened, one sentence without a full stop: "version 2: fixed a proof", "code appeared", "withdrawn"
    news: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Days of which a source was not read, or not in full, and its papers may be missing."""

    #: as people call it
    source: str
    #: the first and the last of these days (UTC)
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Digest:
    """One subscriber's selection for one of their local days. May be empty (then nothing is mailed)."""

    subscriber: Subscriber
    #: the subscriber's local day
    local_date: date
    #: when it was selected; the mail's Date
    planned_at: datetime
    #: For you first (best first), then Trending (best first)
    picks: tuple[Pick, ...] = ()
    #: of each pick, 0..1, comparable within one part of one digest
    scores: tuple[float, ...] = ()
    missed: tuple[Missed, ...] = ()
    #: news of papers delivered before: withdrawals first, then the latest
    followups: tuple[Followup, ...] = ()
    #: papers looked at, and how many of them matched a keyword
    considered: int = 0
    matched: int = 0
    #: papers that matched but are in an earlier mail to this subscriber, sent or not
    seen_before: int = 0
    #: the papers looked at came within so many days before; 0: since the last digest that was delivered
    days: int = 0
    #: True if an earlier mail with papers has yet to be delivered, or may have been
    waiting: bool = False
    #: what was not read of the days that it covers
    unread: tuple[Gap, ...] = ()


# --- compose, deliver -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mail:
    """A rendered digest: envelope and bytes."""

    #: RFC 5321 reverse path and forward path, bare addresses
    envelope_from: str
    recipient: str
    #: with angle brackets, as in the header
    message_id: str
    subject: str
    #: the whole RFC 5322 message with CRLF line ends, not dot-stuffed
    data: bytes
    #: the two bodies as text, for previews; may be empty in mails that are only to be sent
    text: str
    html: str
    #: who made `data` vouches that each line ends with CRLF and none begins with a dot: it need not be searched again
    vouched: bool = False
    #: how many bytes of `data` are pictures, which count for no limit on what mail programs show
    pictures: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check of a mail, or of its sender's domain, found."""

    #: what was looked at, in a word or two: `size`, `links`, `SPF`
    check: str
    #: in order; may be better; wrong; nobody could or had to look
    level: Literal["good", "advice", "wrong", "unchecked"]
    #: one sentence without a full stop
    sentence: str
    #: what to do about it; empty where there is nothing to do
    cure: str = ""


#: refused: 5xx, final. deferred: 4xx or no connection, later again. in_doubt: final dot sent, no answer
Outcome = Literal["delivered", "deferred", "refused", "in_doubt"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the other side said about one mail."""

    outcome: Outcome
    #: SMTP reply code; None without one
    code: int | None
    #: reply text or reason, one line
    text: str
    at: datetime
    #: who answered: `host:port` or the Maildir's path
    relay: str
    #: True if the recipient's domain wants less mail from us for now (421 or 4.7.x, named a recipient)
    slow_down: bool = False


#: (email, local date): the identity of a mail, and the key of its row in the ledger
MailKey = tuple[str, date]
#: states of a ledger row; the first five may still change, the last three are final
LedgerState = Literal["planned", "sending", "deferred", "in_doubt", "held", "sent", "refused", "expired"]


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """The truth about one mail: one row per (email, local_date), ever."""

    email: str
    local_date: date
    state: LedgerState
    message_id: str
    planned_at: datetime
    #: times the mail was claimed for sending
    attempts: int = 0
    #: earliest next attempt; None: at once
    next_attempt_at: datetime | None = None
    #: the last answer, one line
    answer: str = ""
    updated_at: datetime | None = None


# --- what readers and servers answer ----------------------------------------------------------------------------

#: more and less: papers like this one. mute: never this
FeedbackVerb = Literal["more", "less", "mute"]
#: what that is said of
FeedbackKind = Literal["paper", "author", "word"]
#: hard: nobody reads mail at this address. soft: not this time, such as a full mailbox. complaint: reported as spam.
#: unsubscribe: asked to get no more. other: nothing that is held against the reader: a delay, a success, or a refusal
#: that concerns our server or the text
BounceKind = Literal["hard", "soft", "complaint", "unsubscribe", "other"]


# --- verdicts ---------------------------------------------------------------------------------------------------

SourceFinding = Literal["fresh", "unchanged", "empty", "stale", "failed"]
SubscriberFinding = Literal[
    "sent",
    "planned",
    "quiet",
    "all_seen",
    "not_due",
    "done",
    "paused",
    "deferred",
    "refused",
    "in_doubt",
    "expired",
    "unreadable",
]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why there is or is not something. Every run ends in one per source or subscriber it touched."""

    scope: Literal["source", "subscriber", "archive", "github"]
    #: source name or subscriber address; of the archive and of GitHub, which only counts stars, the scope again
    name: str
    finding: SourceFinding | SubscriberFinding
    #: the whole story in one plain sentence without a full stop, the name first
    sentence: str
    at: datetime
    #: numbers behind the sentence. Of a source: `papers`, `new`, `repeats`, … Of a digest: `considered`, `matched`,
    #: `seen_before`, `for_you`, `trending`. Of a reader paused for what came back: how much of each `BounceKind`
    counts: Mapping[str, int] = field(default_factory=dict)
    #: True if somebody should look at it: nothing came, and not because of a weekend, a holiday or a choice
    trouble: bool = False


@dataclass(frozen=True, slots=True)
class RunReport:
    """What one run of a command found and did."""

    #: `pull`, `send`, …
    command: str
    started_at: datetime
    finished_at: datetime
    verdicts: tuple[Verdict, ...] = ()
    #: things to know that belong to no source or subscriber; one sentence each
    notes: tuple[str, ...] = ()
    #: the same, of what somebody should see to; on record they stand among the notes
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SendReport(RunReport):
    """What a send found and did. However many readers there are, `verdicts` are a few thousand at most."""

    #: how many verdicts of each finding there were, those that are not in `verdicts` included
    tally: Mapping[str, int] = field(default_factory=dict)
    #: True if it ended before everything that is due was looked at or tried: because it was told to stop, or another
    #: one is at work that was asked for less
    unfinished: bool = False
    #: processor seconds by stage: `plan`, `compose`, `ledger`, `wire` (everything else)
    stages: Mapping[str, float] = field(default_factory=dict)
