"""What a run finds out about its readers, one verdict each: counted, told, and kept where `digest why` looks."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from digest.story import REPEAT_AFTER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from digest.model import Verdict
    from digest.state.runs import Recording, Runs

#: verdicts that a report holds: of those that are trouble, and of the others
SHOWN = 1_000
#: verdicts that wait to be written down together
_CHUNK = 500
#: findings that follow from the schedule or the ledger at any time, and so are not worth a row per run
_DERIVABLE = {"not_due", "done"}


class Tally:
    """The verdicts of one run. However many readers there are, only some of their verdicts are in memory.

    Args:
        runs: past verdicts: a send every few minutes would otherwise write "quiet" for everybody every few minutes.
        recording: where the verdicts of this run go.
        started: when the run began, aware.
        everything: keep each verdict; otherwise those that say something new.
        on_verdict: called with each verdict on a mail that was to be sent, for progress.
    """

    def __init__(
        self,
        runs: Runs,
        recording: Recording,
        *,
        started: datetime,
        everything: bool,
        on_verdict: Callable[[Verdict], None],
    ) -> None:
        self._runs = runs
        self._recording = recording
        self._started = started
        self._everything = everything
        self._on_verdict = on_verdict
        self._trouble: list[Verdict] = []
        self._calm: list[Verdict] = []
        self._unwritten: list[Verdict] = []
        #: how many verdicts of each finding
        self.counts: Counter[str] = Counter()

    def add(self, verdict: Verdict, *, attempted: bool = True) -> None:
        """Count a verdict; `attempted` if it is on a mail that was to be sent."""
        self.counts[verdict.finding] += 1
        shown = self._trouble if verdict.trouble else self._calm
        if len(shown) < SHOWN:
            shown.append(verdict)
        if self._everything or verdict.finding not in _DERIVABLE:
            self._unwritten.append(verdict)
        if attempted:
            self._on_verdict(verdict)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """By address; those on one reader in the order in which they were found."""
        return tuple(sorted(self._trouble + self._calm, key=lambda verdict: verdict.name))

    @property
    def unlisted(self) -> int:
        """How many verdicts are counted, but not in `verdicts`."""
        return self.counts.total() - len(self._trouble) - len(self._calm)

    def unwritten(self, at_least: int = _CHUNK) -> Sequence[Verdict]:
        """Verdicts for `write`, handed out once; none as long as there are fewer than `at_least`."""
        if len(self._unwritten) < max(at_least, 1):
            return ()
        waiting, self._unwritten = self._unwritten, []
        return waiting

    def write(self, verdicts: Sequence[Verdict]) -> None:
        """Write verdicts down.

        Raises:
            StateError: they cannot be written.
        """
        if not self._everything:
            # what was sent is always news
            told_before = {verdict.name for verdict in verdicts if verdict.finding != "sent"}
            said = self._runs.said(told_before, since=self._started - REPEAT_AFTER, until=self._started)
            verdicts = [verdict for verdict in verdicts if (verdict.name, verdict.sentence) not in said]
        self._recording.add(verdicts)
