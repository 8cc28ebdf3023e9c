"""Files that others read while they are written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from digest.errors import DigestError
from digest.pipeline.folder import Folder

#: writes in a process of its own, whose files may not grow beyond 4 kB
FULL = """
import resource, signal, sys
from pathlib import Path
from digest.pipeline.folder import Folder
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
Folder(Path(sys.argv[1])).put("page.html", b"new" * 10_000)
"""


def test_a_file_that_is_the_same_is_left_alone(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.put("a/page.html", b"one")
    os.utime(tmp_path / "a" / "page.html", (1, 1))
    folder.put("a/page.html", b"one")

    assert 1 == (tmp_path / "a" / "page.html").stat().st_mtime
    assert (1, 2) == (folder.written, folder.files)


def test_a_file_that_changed_is_another_file_under_the_same_name(tmp_path: Path) -> None:
    """Who has the old one open reads it to its end."""
    folder = Folder(tmp_path)
    folder.put("page.html", b"old")
    with (tmp_path / "page.html").open("rb") as reader:
        folder.put("page.html", b"new")

        assert (b"old", b"new") == (reader.read(), (tmp_path / "page.html").read_bytes())


def test_what_could_not_be_written_whole_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=False)

    assert "page.html: File too large" in done.stderr
    assert {"page.html": b"old"} == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_only_what_a_pattern_names_and_nobody_keeps_is_removed(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for name in ("words-a.js", "words-b.js", "page.html"):
        folder.put(name, b"")
    folder.drop_others("words-*.js", {"words-a.js"})

    assert ["page.html", "words-a.js"] == sorted(path.name for path in tmp_path.iterdir())


def test_a_folder_in_the_way_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "page.html").mkdir()

    with pytest.raises(DigestError, match=r"page\.html: Is a directory"):
        Folder(tmp_path).put("page.html", b"new")
