"""Where the time of a run goes: seconds of processor time by stage."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Stages:
    """Counts from when it is made. Stages that run in several threads are counted in each."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._started = time.process_time()

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Count the processor time that this thread spends in the block for `stage`."""
        before = time.thread_time()
        try:
            yield
        finally:
            self.add(stage, time.thread_time() - before)

    def add(self, stage: str, seconds: float) -> None:
        """Count so much processor time for `stage`."""
        self._seconds[stage] = self._seconds.get(stage, 0.0) + seconds

    def seconds(self, rest: str) -> Mapping[str, float]:
        """Processor seconds by stage, rounded to milliseconds; what no stage accounts for is `rest`."""
        known = dict(self._seconds)
        known[rest] = time.process_time() - self._started - sum(known.values())
        return {stage: round(seconds, 3) for stage, seconds in known.items()}
