"""One run of the archive: its pages, and the feeds of readers beside them; one process at a time.

For the daemon a run ends in a verdict, which `digest why` tells. What goes wrong here costs the archive and no mail.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from digest.errors import DigestError
from digest.languages.language import language
from digest.model import RunReport, Verdict
from digest.pipeline.archive import Archive
from digest.pipeline.made import MARK
from digest.pipeline.private import spoken, staying
from digest.publish.feeds import Address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime
    from pathlib import Path

    from digest.config import Settings
    from digest.pipeline.archive import Archived
    from digest.state.store import State

#: what is done, and how many steps it takes → what to call after each of them
Progress = Callable[[str, int], AbstractContextManager[Callable[[], None]]]
_LOCK = f"{MARK}.lock"


@dataclass(frozen=True, slots=True)
class Site:
    """What was written."""

    pages: Archived
    #: files that were looked at, and those of them that are new or changed
    files: int
    written: int
    #: by address, the folder of each reader who has one, from the top; empty if feeds were not asked for
    readers: Mapping[str, str] = field(default_factory=dict)
    #: older days whose pages were left in another language than the archive has now, in their order
    in_another_language: Sequence[date] = ()


def write_site(
    settings: Settings,
    state: State,
    folder: Path,
    *,
    base_url: str,
    today: date,
    since: date | None,
    private: bool,
    progress: Progress,
) -> Site:
    """Write what changed.

    Args:
        settings: names the sender's domain, the language and the readers.
        state: what is told.
        folder: where: new, empty, or an archive.
        base_url: http(s) address of the folder with a slash at its end; empty: unknown.
        today: the UTC day.
        since: see `Archive`.
        private: also the feeds of readers; those of readers who left go in any case.
        progress: shows how far it is.

    Raises:
        DigestError: no papers are known, the folder holds something else or cannot be written, or another process is
            writing it.
    """
    if not state.papers.editions():
        raise DigestError("no papers are known", hint="fetch some with: digest pull")
    with _alone(folder):
        archive = Archive(
            state,
            folder,
            Address(settings.mail.ascii_domain, base_url),
            today=today,
            since=since,
            language=language(settings.digest.language),
        )
        feeds = None
        if private or archive.has_private:
            feeds = archive.private(staying(settings, state), partial(spoken, settings, state))
        # first, for it was promised
        if feeds:
            feeds.drop()
        with progress("writing days", archive.days) as step:
            pages = archive.write(step)
        if feeds and private:
            with progress("writing readers' feeds", feeds.readers) as step:
                feeds.write(step)
    written, files = archive.written
    return Site(pages, files, written, feeds.folders if feeds and private else {}, archive.in_another_language())


def refusal(folder: Path) -> str:
    """Why no archive can be in this folder, whose files would be written over; empty if it can."""
    try:
        if (folder / MARK).is_file() or not folder.exists():
            return ""
        return f"{folder}: it is not empty, and no archive" if {one.name for one in folder.iterdir()} - {_LOCK} else ""
    except OSError as error:
        return f"{folder}: {error.strerror}"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    if reason := refusal(folder):
        raise DigestError(reason, hint="name a new folder")
    lock = FileLock(folder / _LOCK, timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise DigestError(f"{folder}: another process is writing it", hint="wait until it is done") from error
    except OSError as error:
        raise DigestError(f"{folder}: {error.strerror}", hint="name a folder that you may write to") from error
    try:
        yield
    finally:
        lock.release()


def keep_archive(
    settings: Settings, state: State, *, clock: Callable[[], datetime], stop: Callable[[], bool] = lambda: False
) -> RunReport:
    """Write the archive of the `[archive]` section, and put down how it went.

    Args:
        settings: with an `[archive]` section.
        state: what is told, and where the report goes.
        clock: gives the present moment, aware.
        stop: asked after each day and each reader; once it is true, the rest is left to the next run.

    Returns:
        a report with a verdict, which is trouble if the archive could not be written.
    """
    archive, started = settings.archive, clock()
    if archive is None or archive.path is None:
        raise DigestError("no archive is configured", hint='add [archive] with path = "site"')

    def step() -> None:
        if stop():
            raise _StoppedError

    try:
        site = write_site(
            settings,
            state,
            archive.path,
            base_url=f"{settings.mail.archive_url.rstrip('/')}/" if settings.mail.archive_url else "",
            today=started.date(),
            since=None,
            private=archive.private,
            progress=lambda _what, _steps: nullcontext(step),
        )
        verdict = _verdict(f"{site.written:,} of {site.files:,} files changed", clock())
    except _StoppedError:
        verdict = _verdict("stopped before it was whole; the next run goes on", clock())
    except DigestError as error:
        verdict = _verdict(f"it could not be written: {error.message}", clock(), failed=True)
    report = RunReport("archive", started, clock(), (verdict,))
    state.runs.record(report)
    return report


class _StoppedError(Exception):
    """Somebody asked to stop."""


def _verdict(text: str, at: datetime, *, failed: bool = False) -> Verdict:
    return Verdict("archive", "archive", "failed" if failed else "fresh", f"archive: {text}", at, trouble=failed)
