"""The keys: every section, key, type, range and default of the configuration file, and nothing that spans two keys.

What a key means is its docstring; the JSON Schema for editors is made from the same lines. Every key has a default
here, so that the rest of a file can still be checked when one key is wrong; which keys must be given is said by
`checks`, in words.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, SecretStr, StrictBool, StrictFloat, StrictInt

from digest.config import values
from digest.config.archive import ArchiveSection
from digest.config.llm import LlmSection
from digest.config.relays import SmtpSection
from digest.config.section import (
    Address,
    Category,
    Clock,
    Days,
    File,
    Keyword,
    Language,
    Mailbox,
    MaxPapers,
    OneLine,
    Pause,
    PrivateHost,
    Proxy,
    ReaderAddress,
    Score,
    Section,
    Trending,
    WebAddress,
    Zone,
)
from digest.model import Announce, Frequency, Images, Layout, Quiet, SourceType


class StateSection(Section):
    """Where everything is remembered."""

    url: Annotated[str, AfterValidator(values.database_url)] = ""
    """`sqlite:///file` or `postgresql://user@host/database`. Default: a file in the user's state folder."""


class HttpSection(Section):
    """How sources are asked."""

    contact: Annotated[str, AfterValidator(values.contact)] = ""
    """Mail or web address by which a source can reach you; part of the User-Agent. Needed for every remote source."""
    allow_private_hosts: tuple[PrivateHost, ...] = ()
    """Names or networks (10.0.0.0/8) that may be fetched although they are not public."""
    proxy: Proxy | None = None
    """Address of a proxy through which sources and GitHub are asked; may hold user and password. Default: none."""


class MailSection(Section):
    """What the mails say about where they come from."""

    from_: Mailbox = Field(default="", alias="from")
    """Sender as readers see it: `Paper Digest <digest@example.org>`. Needed."""
    reply_to: Mailbox | None = None
    """Where answers go. Default: to the sender."""
    operator: Address | None = None
    """Who is told when a whole day brought nothing. Default: nobody."""
    base_url: Annotated[str, AfterValidator(values.public_address)] = ""
    """Public https address under which something of yours answers unsubscribe links. Default: no such links."""
    archive_url: Annotated[str, AfterValidator(values.public_address)] = ""
    """Public https address of the folder that `digest archive` writes. Default: mails do not link to it."""
    unsubscribe_mailto: Address | None = None
    """Address that takes unsubscribe mails. Default: the reply_to address, else the sender."""
    feedback: Address | None = None
    """Address that takes “more like this” and “less like this”, read as bounces are. Default: no such links."""
    inliner: Literal["premailer", "css-inline"] = "premailer"
    """What writes the styles into the tags, which some mail programs need."""
    templates: File | None = None
    """Folder with templates of your own; a file there replaces ours of the same name."""

    @property
    def address(self) -> str:
        """The bare sender address."""
        return values.bare(self.from_)

    @property
    def domain(self) -> str:
        """The domain of the sender, which names our messages and the list."""
        return self.address.rpartition("@")[2]

    @property
    def ascii_domain(self) -> str:
        """The domain of the sender as in the DNS and in the mails; there must be a sender."""
        return values.ascii_domain(self.domain)


class DkimSection(Section):
    """Signing the mails ourselves, for a relay that does not. Without this table, nothing is signed here."""

    domain: Annotated[str, AfterValidator(values.domain)] = ""
    """The signing domain, whose DNS holds the public key. Default: the domain of mail.from."""
    selector: Annotated[str, AfterValidator(values.selector)] = ""
    """Which of the domain's keys this is: the record is at SELECTOR._domainkey.DOMAIN. Needed."""
    key_file: File | None = None
    """PEM file with the private key, which only its owner can read; see `digest dkim new`. Needed."""


class BouncesSection(Section):
    """Where returned mail lies: a Maildir, or a folder of an IMAP account. Without this table, it is not read."""

    maildir: File | None = None
    """Folder with `new` and `cur` in it. Instead of host."""
    host: Annotated[str, AfterValidator(values.host)] = ""
    """Name of the IMAP server, like imap.example.org. Instead of maildir."""
    port: StrictInt = Field(default=0, ge=0, le=65535)
    """0: the usual port for `security` (993, 143)."""
    security: Literal["tls", "starttls"] = "tls"
    """tls: encrypted from the first byte; starttls: encrypted before the login."""
    username: str = ""
    """Needed with host."""
    password: SecretStr | None = None
    """Better kept in password_file or in the environment, DIGEST_BOUNCES__PASSWORD."""
    password_file: File | None = None
    """File that holds the password and nothing else."""
    folder: OneLine = "INBOX"
    """Folder that is read."""
    handled_folder: OneLine = ""
    """Folder to which mails go that are done; never letters from people. Default: they stay, marked as seen."""
    ca_file: File | None = None
    """PEM file with certificates to trust besides the system's own."""
    verp: StrictBool = False
    """Give each mail an envelope sender of its own, `bounces+TOKEN@example.org`, so that a bounce names its reader."""


class GithubSection(Section):
    """Reading the stars of papers' repositories from GitHub. Without this table, only those count that sources tell."""

    token: SecretStr | None = None
    """Better kept in token_file or in the environment, DIGEST_GITHUB__TOKEN. Default: 60 requests an hour, not 5000."""
    token_file: File | None = None
    """File that holds the token and nothing else."""
    per_run: StrictInt = Field(default=50, ge=1, le=1000)
    """Most repositories that one pull asks for, those first that were not asked for the longest."""
    base_url: WebAddress = "https://api.github.com"
    """Where GitHub's REST API is, if not at its usual address."""


class SemanticSection(Section):
    """A model that also finds papers which say the same in other words. Without this table, only words count."""

    model: File | None = None
    """Folder of a model2vec model; see `digest semantic install`. Needed."""
    extra_papers: StrictInt = Field(default=2, ge=0, le=50)
    """At most so many papers of a digest may match no keyword by its words; they are marked as related."""


class MaildirSection(Section):
    """Where mails go when there is no relay."""

    path: File | None = None
    """Default: the folder `outbox` beside the state file."""


class SourceEntry(Section):
    """Where papers come from. Which keys apply depends on the type."""

    model_config = ConfigDict(json_schema_extra={"required": ["type"]})

    type: SourceType | None = None
    """arxiv (daily announcements), arxiv-api (a search), huggingface (daily papers), feed (RSS, Atom), jsonl."""
    name: OneLine = ""
    """How it is called in reports. Default: its type."""
    categories: tuple[Category, ...] = ()
    """arxiv: categories or archives."""
    url: WebAddress = ""
    """feed, jsonl: address of the feed or list."""
    query: OneLine = ""
    """arxiv-api: the search_query, as arXiv's manual spells it."""
    path: File | None = None
    """jsonl: a local file."""
    base_url: WebAddress = ""
    """arxiv, arxiv-api, huggingface: a mirror to ask instead."""
    announce: tuple[Announce, ...] = Field(default=("new", "cross"), min_length=1)
    """arxiv: which announcements count as papers of the day."""
    days: StrictInt = Field(default=7, ge=1, le=31)
    """huggingface: how many past days are read again to see votes move."""
    max_results: StrictInt = Field(default=200, ge=1, le=30000)
    """arxiv-api: at most this many papers per pull."""
    first_run_max: StrictInt | None = Field(default=None, ge=0)
    """On the very first pull only this many of the newest may be mailed. Default: depends on the type."""
    deadline: StrictFloat = Field(default=300.0, ge=1, le=3600)
    """Seconds it may take in one pull, waiting for its turn included."""


class DigestSection(Section):
    """What a digest is like for everybody who has not chosen otherwise."""

    max_papers: MaxPapers = 10
    """Most papers in the For-you part."""
    trending: Trending = 5
    """Most papers in the Trending part; 0: no such part."""
    min_score: Score = 0.2
    """Least relevance of a For-you paper, 0 to 1. On judged profiles 1 in 200 of the papers below 0.2 was relevant."""
    followups: StrictBool = True
    """Tell news of papers sent before: withdrawn, a new version, code, a venue, a DOI, many more votes."""
    layout: Layout = "full"
    """full: with abstracts and links; compact: a dense list of titles, authors, votes and reasons."""
    images: Images = "none"
    """Pictures of papers: none; linked: in the archive at mail.archive_url; embedded: within the mail."""
    similar: StrictInt = Field(default=1, ge=0, le=2)
    """Most papers named under a pick as like it."""
    summaries: Literal["abstract", "sentence", "llm"] = "abstract"
    """What stands below a title: the abstract, the sentence or two of it that say what is new, or what [llm] wrote."""
    time: Clock = dt.time(8, 0)
    """From this local time on a digest is due."""
    frequency: Frequency = "weekdays"
    """daily: on each of `days`, by default all seven; weekdays: Monday to Friday; weekly: one for the whole week."""
    days: Days = ("mon", "tue", "wed", "thu", "fri")
    """Local days with a digest. Default: those of `frequency`; of weekly, Friday."""
    quiet: Quiet = "skip"
    """A day for which nothing is found has no mail (skip), or a short one that says so (note)."""
    timezone: Zone = "UTC"
    """IANA name, like Europe/Berlin."""
    language: Language = "en"
    """Language of the mails and of the archive, like de."""
    lookback_days: StrictInt = Field(default=8, ge=1, le=60)
    """How old a paper may be, in days since it became known, to be news."""
    trending_days: StrictInt = Field(default=7, ge=1, le=60)
    """How old a paper may be, in days since it became known, to be trending."""
    flood_factor: StrictFloat = Field(default=5.0, ge=1, le=1000)
    """A pull with this many times more new papers than ever before is refused …"""
    flood_min: StrictInt = Field(default=500, ge=1)
    """… if it is also more than this many."""


class DeliverySection(Section):
    """What happens when a mail does not go through."""

    in_doubt: Literal["resend", "hold"] = "resend"
    """A mail whose acceptance was never answered: send it again (same Message-ID), or keep it back."""
    give_up_after_hours: StrictInt = Field(default=48, ge=1, le=120)
    """A deferred mail expires after this time."""
    pause_after_refusals: StrictInt = Field(default=3, ge=1, le=100)
    """A subscriber is paused after this many refused mails in a row."""
    retry_minutes: StrictInt = Field(default=30, ge=1, le=360)
    """Wait before the second attempt; doubles with each one, up to six hours."""


class DaemonSection(Section):
    """How often `digest run` looks for new papers."""

    poll_minutes: StrictInt = Field(default=20, ge=5, le=1440)
    """arXiv: while a new batch is due and has not come."""
    huggingface_minutes: StrictInt = Field(default=120, ge=15, le=1440)
    """Hugging Face."""
    feed_minutes: StrictInt = Field(default=180, ge=15, le=10080)
    """Feeds, lists and searches."""


class SubscriberEntry(Section):
    """One reader. What is not chosen here comes from [digest]."""

    model_config = ConfigDict(json_schema_extra={"required": ["email"]})

    email: ReaderAddress = ""
    """Where the digest goes."""
    name: OneLine = ""
    """How the reader is called in the mail."""
    keywords: tuple[Keyword, ...] = ()
    """What to look for. Default: nothing, the Trending part only."""
    time: Clock | None = None
    """From this local time on a digest is due."""
    frequency: Frequency | None = None
    """daily, weekdays or weekly."""
    days: Days | None = None
    """Local days with a digest. Default: those of `frequency`, if it stands here."""
    quiet: Quiet | None = None
    """A day for which nothing is found has no mail (skip), or a short one that says so (note)."""
    timezone: Zone | None = None
    """IANA name, like Europe/Berlin."""
    max_papers: MaxPapers | None = None
    """Most papers in the For-you part."""
    trending: Trending | None = None
    """Most papers in the Trending part; 0: no such part."""
    min_score: Score | None = None
    """Least relevance of a For-you paper, 0 to 1."""
    followups: StrictBool | None = None
    """Tell news of papers sent before."""
    layout: Layout | None = None
    """full: with abstracts and links; compact: a dense list of titles, authors, votes and reasons."""
    language: Language | None = None
    """Language of the mails and of their own feed, like de."""
    images: Images | None = None
    """Pictures of papers: none; linked: in the archive at mail.archive_url; embedded: within the mail."""
    paused_until: Pause | None = None
    """No digest before this local date."""


class ConfigFile(Section):
    """The whole file."""

    state: StateSection = StateSection()
    http: HttpSection = HttpSection()
    mail: MailSection = MailSection()
    smtp: SmtpSection | None = None
    bounces: BouncesSection | None = None
    dkim: DkimSection | None = None
    github: GithubSection | None = None
    semantic: SemanticSection | None = None
    maildir: MaildirSection = MaildirSection()
    digest: DigestSection = DigestSection()
    llm: LlmSection | None = None
    archive: ArchiveSection | None = None
    delivery: DeliverySection = DeliverySection()
    daemon: DaemonSection = DaemonSection()
    sources: tuple[SourceEntry, ...] = ()
    subscribers: tuple[SubscriberEntry, ...] = ()

    @property
    def envelope_from(self) -> str:
        """The bare address to which bounces go."""
        return (self.smtp.envelope_from if self.smtp else None) or self.mail.address


#: what one table of each top-level key holds, in the order of the file
TABLES: dict[str, type[Section]] = {
    "state": StateSection,
    "http": HttpSection,
    "mail": MailSection,
    "smtp": SmtpSection,
    "bounces": BouncesSection,
    "dkim": DkimSection,
    "github": GithubSection,
    "semantic": SemanticSection,
    "maildir": MaildirSection,
    "digest": DigestSection,
    "llm": LlmSection,
    "archive": ArchiveSection,
    "delivery": DeliverySection,
    "daemon": DaemonSection,
    "sources": SourceEntry,
    "subscribers": SubscriberEntry,
}
#: the keys of a subscriber that come from [digest] where they are not chosen
INHERITED = tuple(key for key in SubscriberEntry.model_fields if key in DigestSection.model_fields)
#: the top-level keys that are lists of tables
LISTS = ("sources", "subscribers")


def keys(table: type[Section]) -> tuple[str, ...]:
    """The keys of a table as they are typed in the file, in order."""
    return tuple(field.alias or name for name, field in table.model_fields.items())
