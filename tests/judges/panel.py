"""The judges: programs of others that look at mails, each with the mark that every mail must reach.

Each judge is started once for all mails. It gets a folder with `NAME.eml` and `NAME.html` of each mail and returns,
for each name, a figure and what was found, in its own words.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

HERE = Path(__file__).parent
#: command → the Debian package that brings it
NEEDED = {
    "chromium": "chromium",
    "java": "default-jre-headless",
    "node": "nodejs",
    "npm": "npm",
    "spamassassin": "spamassassin",
}
#: the oldest Node.js that all of them run on
NODE = (20, 19)
#: bytes of a whole mail; Gmail cuts HTML that is longer than 102 KB
SIZE_LIMIT = 100_000
#: SpamAssassin's points for a whole mail, and for one of its rules; a careful newsletter has −1.0
SPAM_LIMIT, SPAM_RULE_LIMIT = -0.5, 0.5
#: features of HTML and CSS that one of the great mail programs does not know; none may be needed to read the mail
UNKNOWN_LIMIT = 5
#: WCAG 2.1, 1.4.3
CONTRAST_LIMIT = 4.5
#: how much of what is seen may move while a page comes to rest (https://web.dev/articles/cls); good is below 0.1
SHIFT_LIMIT = 0.01
#: without any of these a mail is read as well; every other feature that a program does not know is a miss
DISPENSABLE = {"<body> element", "<style> element", "@media", "height property", "role attribute"}
#: say where a picture stands beside text, and how its corners look; nobody misses them, so they do not count
ADORNING = {"border-radius", "clear", "float"}
#: seconds for one judge and all mails
_PATIENCE_S = 300


class JudgeError(Exception):
    """A judge could not be heard; nothing is known about the mails."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one judge says of one mail."""

    #: what the mark is about: points, errors, bytes or a ratio
    figure: float
    #: each fault in the words of the judge, or what stands nearest to the mark
    found: tuple[str, ...] = ()
    #: whether the mark is missed
    missed: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """One mark: how it is called and written, and what every mail got."""

    name: str
    #: the mark in words
    mark: str
    #: name of the mail → opinion
    opinions: Mapping[str, Opinion]
    #: decimals of the figures
    places: int = 0


def judged(folder: Path, names: Sequence[str]) -> list[Column]:
    """What all judges say of the mails in `folder`.

    Raises:
        JudgeError: a program is missing or failed; says what to install.
    """
    install()
    files = _files(folder, names, "html")
    judges: Sequence[Callable[[], list[Column]]] = (
        lambda: _size(folder, names),
        lambda: _spam(folder, names),
        lambda: _nu(files, names),
        lambda: _html_validate(files, names),
        lambda: _clients(folder, names),
    )
    with ThreadPoolExecutor() as pool:
        browser = pool.submit(_chromium, folder, files)
        columns = [column for heard in pool.map(lambda judge: judge(), judges) for column in heard]
        told = browser.result()
    return [*columns, *_browser(told, names), _forced_dark(told, names)]


def judged_pages(pictures: Path, pages: Sequence[Path], hashes: Mapping[str, str]) -> list[Column]:
    """What the judges of HTML and the browser say of pages of the archive, each named by its file.

    Args:
        pictures: folder for pictures of them.
        pages: whose names differ, and which lie where their links lead to something.
        hashes: name of a page → what stands behind the # in its address.

    Raises:
        JudgeError: as `judged`.
    """
    install()
    files = {page.stem: str(page) for page in pages}
    asked = [f"{file}#{hashes[name]}" if name in hashes else file for name, file in files.items()]
    told = _chromium(pictures, ["--pages", *asked])
    shifts = {name: Opinion(told[name]["shift"], missed=told[name]["shift"] > SHIFT_LIMIT) for name in files}
    return [
        *_nu([*files.values()], [*files]),
        *_html_validate([*files.values()], [*files]),
        *_browser(told, [*files]),
        Column("shift", f"≤ {SHIFT_LIMIT}", shifts, places=2),
    ]


def install() -> None:
    """Fetch the judges that npm has, at their pinned versions, unless they are there.

    Raises:
        JudgeError: a program of the system is missing or too old, or npm failed.
    """
    missing = sorted(package for command, package in NEEDED.items() if shutil.which(command) is None)
    if missing:
        raise JudgeError(
            f"missing: {', '.join(missing)}. Type: apt-get install --no-install-recommends {' '.join(missing)}"
        )
    version = _told("node", "--version").strip()
    if tuple(map(int, version.removeprefix("v").split(".")[:2])) < NODE:
        raise JudgeError(f"Node.js is {version}, and caniemail needs {'.'.join(map(str, NODE))} or newer")
    ready, wanted = HERE / "node_modules" / ".ready", (HERE / "package-lock.json").read_bytes()
    if not ready.exists() or ready.read_bytes() != wanted:
        _told("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        ready.write_bytes(wanted)


def _size(folder: Path, names: Sequence[str]) -> list[Column]:
    sizes = {name: (folder / f"{name}.eml").stat().st_size for name in names}
    opinions = {name: Opinion(size, missed=size >= SIZE_LIMIT) for name, size in sizes.items()}
    return [Column("bytes", f"< {SIZE_LIMIT:,}", opinions)]


def _spam(folder: Path, names: Sequence[str]) -> list[Column]:
    # its own headers are replaced by one: the points, and those of each rule
    header = ("clear_headers", "report_safe 0", "fold_headers 0", "add_header all Judged _SCORE_ _TESTSSCORES( )_")
    options = [f"--cf={line}" for line in header]
    told = _told("spamassassin", "--local", "--nocreate-prefs", *options, *_files(folder, names, "eml"))
    # SpamAssassin takes such lines away from the mails themselves
    lines = re.findall(r"^X-Spam-Judged: (\S+) (.*)$", told, flags=re.MULTILINE)
    if len(lines) != len(names):
        raise JudgeError(f"SpamAssassin judged {len(lines)} of {len(names)} mails")
    opinions = {}
    for name, (points, rules) in zip(names, lines, strict=True):
        high = tuple(rule for rule in rules.split() if float(rule.rpartition("=")[2]) > SPAM_RULE_LIMIT)
        opinions[name] = Opinion(float(points), high or tuple(rules.split()), float(points) > SPAM_LIMIT or bool(high))
    return [Column("SpamAssassin", f"≤ {SPAM_LIMIT}, no rule > {SPAM_RULE_LIMIT}", opinions, places=1)]


def _nu(files: Sequence[str], names: Sequence[str]) -> list[Column]:
    jar = HERE / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
    options = ("--errors-only", "--exit-zero-always", "--stdout", "--format", "json")
    found: dict[str, list[str]] = {name: [] for name in names}
    for message in json.loads(_told("java", "-jar", str(jar), *options, *files))["messages"]:
        found[_named(message["url"], names)].append(f"line {message.get('lastLine', '?')}: {message['message']}")
    return [Column("vnu", "0 errors", _faults(found))]


def _html_validate(files: Sequence[str], names: Sequence[str]) -> list[Column]:
    program = HERE / "node_modules" / ".bin" / "html-validate"
    options = ("--config", str(HERE / "html-validate.json"), "--formatter", "json")
    found: dict[str, list[str]] = {name: [] for name in names}
    # it ends with 1 if there are faults
    for page in json.loads(_told(str(program), *options, *files, codes=(0, 1))):
        found[_named(page["filePath"], names)] += [
            f"line {message['line']}: {message['ruleId']}: {message['message']}" for message in page["messages"]
        ]
    return [Column("html-validate", "0", _faults(found))]


def _clients(folder: Path, names: Sequence[str]) -> list[Column]:
    told = json.loads(_told("node", str(HERE / "clients.mjs"), *_files(folder, names, "html")))
    opinions = {}
    for name in names:
        lacking = tuple(feature for feature in told[name] if feature.partition(":")[0] not in ADORNING)
        needed = any(feature.partition(":")[0] not in DISPENSABLE for feature in lacking)
        opinions[name] = Opinion(len(lacking), lacking, needed or len(lacking) > UNKNOWN_LIMIT)
    return [Column("caniemail", f"≤ {UNKNOWN_LIMIT}, none needed", opinions)]


def _chromium(pictures: Path, files: Sequence[str]) -> dict[str, Any]:
    """What the browser found, by name."""
    chromium = shutil.which("chromium") or "chromium"
    told: dict[str, Any] = json.loads(_told("node", str(HERE / "browser.mjs"), chromium, str(pictures), *files))
    return told


def _browser(told: Mapping[str, Any], names: Sequence[str]) -> list[Column]:
    serious = {
        name: [fault for fault in told[name]["axe"] if "(serious)" in fault or "(critical)" in fault] for name in names
    }
    return [
        Column("axe", "0 serious", _faults(serious)),
        Column("window", "nothing wider, nothing fetched", _faults({name: told[name]["wide"] for name in names})),
    ]


def _forced_dark(told: Mapping[str, Any], names: Sequence[str]) -> Column:
    contrasts = {}
    for name in names:
        lowest, text = told[name]["contrast"][0]
        contrasts[name] = Opinion(lowest, (f"“{text}”",), lowest < CONTRAST_LIMIT)
    return Column("forced dark", f"contrast ≥ {CONTRAST_LIMIT}", contrasts, places=1)


def _faults(found: Mapping[str, Sequence[str]]) -> dict[str, Opinion]:
    return {name: Opinion(len(faults), tuple(faults), bool(faults)) for name, faults in found.items()}


def _files(folder: Path, names: Sequence[str], suffix: str) -> list[str]:
    return [str(folder / f"{name}.{suffix}") for name in names]


def _named(file: str, names: Sequence[str]) -> str:
    """Which mail a judge means by a path or a `file:` address."""
    stem = Path(file.replace("%20", " ")).stem
    if stem not in names:
        raise JudgeError(f"a judge speaks of {file}, which it was not asked about")
    return stem


def _told(*command: str, codes: Sequence[int] = (0,)) -> str:
    """What a program writes to standard output, run where npm put its packages."""
    # into files: html-validate exits before what it wrote to a pipe has been read
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            code = subprocess.run(
                command, cwd=HERE, stdout=out, stderr=err, check=False, timeout=_PATIENCE_S
            ).returncode
        except (OSError, subprocess.TimeoutExpired) as error:
            raise JudgeError(f"{command[0]}: {error}") from error
        told, complaint = (_whole(file) for file in (out, err))
    if code not in codes:
        raise JudgeError(f"{command[0]} ended with {code}: {(complaint or told)[-2000:]}")
    return told


def _whole(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
