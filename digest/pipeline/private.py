"""What each reader was sent, as feeds and lists for reference managers, in a folder of the archive that nobody guesses.

Made are the files of readers who got mail since the last time. Those of readers who left go at every run, whether or
not feeds are asked for: who unsubscribed is not told of any longer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from html import escape
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from digest.compose.text import cut_at_word
from digest.languages.language import Language, language
from digest.pipeline.made import print_of
from digest.pipeline.readers import found
from digest.pipeline.records import records
from digest.private import private_name
from digest.publish.bibliography import bibtex, ris
from digest.publish.entries import Entries
from digest.publish.feeds import Entry, Feed, atom, json_feed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from digest.config import Settings
    from digest.pipeline.folder import Folder
    from digest.pipeline.made import Made
    from digest.publish.feeds import Address
    from digest.publish.record import Record
    from digest.state.store import State

#: addresses → the language of each reader
Spoken: TypeAlias = Callable[[Sequence[str]], Mapping[str, Language]]
#: the folder, and the name by which it is remembered until when mails are told in it
PRIVATE = "private"
_FILES = ("feed.atom", "feed.json", "picks.bib", "picks.ris")
#: days of a reader's own mails that are told again; the ledger forgets them after 400
_DAYS = 400
_FEED_DAYS = 30
_TITLE = 100
#: readers at a time
_SHARD = 500
#: papers kept in memory
_KEPT = 20_000
#: a receipt may become durable so much later than it says, and clocks of several machines differ
_LATE = timedelta(minutes=5)
#: a mail is given up days before it is so old
_ON_ITS_WAY = timedelta(days=8)
_EVER = datetime(2, 1, 1, tzinfo=UTC)


def staying(settings: Settings, state: State) -> dict[str, str]:
    """Token → address of everybody who gets mail, or will again.

    Who is paused without an end has left, and who has not said yet that they want mail is not there.
    """
    # addresses alone: of 100,000 readers everything else would take seconds
    everybody = state.subscribers.addresses() | {reader.email: "" for reader in settings.subscribers}
    gone = {email for email, pause in state.subscribers.pauses().items() if pause.until is None}
    tokens = {email: token for email, token in everybody.items() if token and email not in gone}
    tokens |= state.subscribers.tokens([email for email in everybody if email not in tokens and email not in gone])
    return {token: email for email, token in tokens.items()}


def spoken(settings: Settings, state: State, emails: Sequence[str]) -> dict[str, Language]:
    """In which language readers read; without those who cannot be read, of whom every send tells."""
    readers = found(settings, state, emails, unreadable=lambda _email, _reason: None)
    return {email: language(reader.language) for email, reader in readers.items()}


class PrivateFeeds:
    """The files of readers in one archive.

    Args:
        state: what they were sent.
        folder: the archive.
        made: what it remembers.
        address: by what the archive goes.
        readers: token → address of all who stay.
        latest: the archive's last day.
        language: of the archive.
        spoken: tells those of some readers, which their feeds are in; who is not there has the archive's. Who takes
            another one has it in the feed with the next mail.
    """

    def __init__(
        self,
        state: State,
        folder: Folder,
        made: Made,
        address: Address,
        readers: Mapping[str, str],
        *,
        latest: date,
        language: Language,
        spoken: Spoken,
    ) -> None:
        self._state, self._folder, self._made = state, folder, made
        self._address, self._latest = address, latest
        self._language, self._spoken = language, spoken
        self._entries = lru_cache(maxsize=None)(Entries)
        self._readers = {private_name(token): email for token, email in readers.items()}
        self._there = folder.names(PRIVATE) - {"index.html"}
        #: by the keys that they had when they were sent; the same objects for all readers, as much is kept of each
        self._known: dict[str, Record] = {}

    @property
    def readers(self) -> int:
        """How many there are."""
        return len(self._readers)

    @property
    def folders(self) -> dict[str, str]:
        """By address, the folder of each who has one, from the top."""
        return {self._readers[name]: f"{PRIVATE}/{name}/" for name in self._readers if name in self._there}

    def drop(self) -> None:
        """Remove the files of readers who left."""
        for name in self._there - self._readers.keys():
            self._folder.drop(f"{PRIVATE}/{name}", _FILES)
        self._there &= self._readers.keys()

    def write(self, step: Callable[[], None]) -> None:
        """Write the files of all who got mail since the last time; `step` is called for each reader."""
        # shows a visitor nothing where a server would list the folder
        self._folder.put(f"{PRIVATE}/index.html", _nothing(self._language))
        anew, remembered = self._anew()
        # if this run dies, the next one begins with everybody
        self._made.remember(PRIVATE, None)
        self._made.save()
        for _ in range(len(self._readers) - len(anew)):
            self._folder.files += len(_FILES)  # who has none is among the others
            step()
        for shard in _shards(anew):
            self._write_shard(shard)
            for _ in shard:
                step()
        self._made.remember(PRIVATE, remembered)
        self._made.save()

    def _anew(self) -> tuple[Sequence[tuple[str, str]], object]:
        """Name and address of each reader whose files are to be made, and what to remember once they are."""
        known = self._made.recall(PRIVATE)
        until = datetime.fromisoformat(known["until"]) if known else _EVER
        first = (until if known else datetime.combine(self._latest, time(0), UTC)).date() - _ON_ITS_WAY
        sent = self._state.ledger.sent_after(until - _LATE, since=first)
        newest = max(sent.values(), default=until)
        remembered = {"until": newest.isoformat(), "last": _last(sent, newest)}
        if known and known["last"] == _last(sent, until):
            sent = {email: at for email, at in sent.items() if at > until}
        wanted = [one for one in self._readers.items() if not known or one[1] in sent or one[0] not in self._there]
        return wanted, remembered

    def _write_shard(self, shard: Sequence[tuple[str, str]]) -> None:
        since = self._latest - timedelta(days=_DAYS)
        delivered = self._state.ledger.delivered([email for _, email in shard], since=since)
        self._look_up({key for told in delivered.values() for _, keys in told.mails for key in keys})
        languages = self._spoken([email for _, email in shard])
        for name, email in shard:
            if email in delivered and delivered[email].mails:
                own = languages.get(email, self._language)
                self._write_reader(name, sorted(delivered[email].mails, reverse=True), own)
                self._there.add(name)

    def _look_up(self, keys: set[str]) -> None:
        if len(self._known) > _KEPT:
            self._known = {}
        stored = self._state.papers.known(keys - self._known.keys())
        papers = {one.paper.key: one for one in stored.values()}
        present = {one.paper.key: one for one in records(self._state, list(papers.values()))}
        self._known |= {key: present[one.paper.key] for key, one in stored.items()}

    def _write_reader(self, name: str, mails: Sequence[tuple[date, tuple[str, ...]]], language: Language) -> None:
        folder, known = f"{PRIVATE}/{name}/", self._known
        days = [
            (day, list({known[key].paper.key: known[key] for key in keys if key in known}.values()))
            for day, keys in mails
        ]
        entries = [
            Entry(
                day=day,
                title=language.say(
                    "%(day)s: %(lead)s",
                    day=language.long_day(day),
                    lead=cut_at_word(picks[0].title_in(language), _TITLE),
                ),
                # when in that day is not told to a file that services may read
                updated=datetime.combine(day, time(0)),
                content=self._entries(language).content(picks),
            )
            for day, picks in days[:_FEED_DAYS]
            if picks
        ]
        title = language.say("Paper digest: yours")
        feed = Feed(title, self._address, name, folder, entries, language.tag)
        picked = list({one.paper.key: one for _, picks in days for one in picks}.values())
        self._folder.put(f"{folder}feed.atom", atom(feed))
        self._folder.put(f"{folder}feed.json", json_feed(feed))
        self._folder.put(f"{folder}picks.bib", bibtex(picked).encode())
        self._folder.put(f"{folder}picks.ris", ris(picked).encode())


def _nothing(language: Language) -> bytes:
    """A page that says nothing."""
    title = escape(language.say("Private"))
    page = f'<!DOCTYPE html>\n<html lang="{language.tag}">\n<meta charset="utf-8">\n<title>{title}</title>\n'
    return page.encode()


def _last(sent: Mapping[str, datetime], until: datetime) -> str:
    """A hash of the deliveries of the last minutes until then: another if one of them became known late."""
    return print_of(sorted((email, at) for email, at in sent.items() if until - _LATE <= at <= until))


def _shards(readers: Sequence[tuple[str, str]]) -> Iterator[Sequence[tuple[str, str]]]:
    rest = iter(readers)
    while shard := tuple(islice(rest, _SHARD)):
        yield shard
