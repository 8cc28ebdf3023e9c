"""What the files of a folder were made of, remembered beside them: what did not change is not made again.

The memory is one file of the folder itself. If it is lost, or written by another version, everything is made again,
and nothing is written that is there already. It holds hashes, names of public pages and moments, and no more: whoever
may read the pages may read it.
"""

from __future__ import annotations

import json
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digest.compose.render import packaged

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from digest.pipeline.folder import Folder

#: says that a folder is an archive, and may be written into
MARK = ".paper-digest"


class Made:
    """The memory of one folder.

    Args:
        folder: where.
        by: what makes the files besides what they are made of; nothing is known of what something else made.
        kept: groups of files, and names of notes, that the next run will ask for; others are forgotten.
        anew: make everything again, whatever is remembered.
    """

    def __init__(self, folder: Folder, by: str, *, kept: Collection[str], anew: bool = False) -> None:
        self._folder, self._by, self._kept = folder, by, kept
        known = {} if anew else _parsed(folder.read(MARK), by)
        #: by group and name, what a file was made of
        self._files: dict[str, dict[str, str]] = known.get("files", {})
        self._notes: dict[str, Any] = known.get("notes", {})

    def put(self, group: str, name: str, of: str, make: Callable[[], bytes]) -> None:
        """Make and write a file, unless it is there and was made of the same.

        Args:
            group: what is kept or forgotten together.
            name: a path from the folder.
            of: a hash of all that goes into it.
            make: gives the contents.
        """
        if self.is_stale(group, name, of):
            self._folder.put(name, make())
            self._files.setdefault(group, {})[name] = of
        else:
            self._folder.files += 1

    def is_stale(self, group: str, name: str, of: str) -> bool:
        """Whether `put` would make the file."""
        return self._files.get(group, {}).get(name) != of or not self._folder.has(name)

    def put_all(self, group: str, of: str, make: Callable[[], Collection[tuple[str, bytes]]]) -> set[str] | None:
        """Make and write the files of a group that are made of the same, and together.

        Returns:
            their names; None if all are there already.
        """
        known = self._files.get(group, {})
        if known and not any(self.is_stale(group, name, of) for name in known):
            self._folder.files += len(known)
            return None
        made = make()
        for name, content in made:
            self._folder.put(name, content)
        self._files[group] = {name: of for name, _ in made}
        return {*self._files[group]}

    def recall(self, name: str) -> Any:
        """The JSON value that was remembered under this name; None if there is none."""
        return self._notes.get(name)

    def remember(self, name: str, value: Any) -> None:
        """Remember a JSON value; None: forget it."""
        self._notes[name] = value

    def save(self) -> None:
        """Write it down for the next time."""
        files = {group: files for group, files in self._files.items() if group in self._kept}
        notes = {name: value for name, value in self._notes.items() if name in self._kept and value is not None}
        told = {"by": self._by, "files": files, "notes": notes}
        self._folder.write(MARK, json.dumps(told, separators=(",", ":"), sort_keys=True).encode("ascii"))


def _parsed(content: bytes, by: str) -> dict[str, Any]:
    """What is in a memory; nothing if it is not one, or something else made the files."""
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and found.get("by") == by else {}


def print_of(*parts: object) -> str:
    """A hash of values of which `repr` says everything: texts, numbers, dates, and lists and dataclasses of them."""
    return blake2b(repr(parts).encode(), digest_size=12).hexdigest()


@lru_cache(maxsize=1)
def program() -> str:
    """A hash of this program, its templates and translations: what another version made is made again."""
    package = Path(__file__).parents[1]
    files = {
        *package.rglob("*.py"),
        *package.rglob("*.po"),
        *(path for path in packaged().rglob("*") if path.is_file()),
    }
    return print_of([(path.name, path.read_bytes()) for path in sorted(files)])
