"""How long `digest --help` takes, beside a bare `import typer`, which is its floor.

usage: python benchmarks/start.py [RUNS]

Both run in turns, so that a busy moment of the machine hits both. Prints the median of each, and how many times the
floor that is.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

#: the floor first
_COMMANDS = {
    "import typer": (sys.executable, "-c", "import typer"),
    "digest --help": (sys.executable, "-m", "digest", "--help"),
}


def seconds(command: tuple[str, ...]) -> float:
    """How long a command takes from start to end."""
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def main(runs: int = 20) -> None:
    taken: dict[str, list[float]] = {name: [] for name in _COMMANDS}
    for command in _COMMANDS.values():
        seconds(command)  # the first run also writes byte code
    for _ in range(runs):
        for name, command in _COMMANDS.items():
            taken[name].append(seconds(command))
    medians = {name: statistics.median(times) for name, times in taken.items()}
    floor = next(iter(medians.values()))
    for name, median in medians.items():
        print(f"{name:<14} {median * 1000:6.1f} ms   {median / floor:.2f} x")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
