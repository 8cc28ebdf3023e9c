"""The judges are heard: a mail with every fault misses every mark, and one of ours beside it reaches them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.judges.__main__ import misses, table
from tests.judges.mails import composed
from tests.judges.pages import HASHES, written
from tests.judges.panel import HERE, NEEDED, judged, judged_pages

if TYPE_CHECKING:
    from pathlib import Path

#: SpamAssassin's own test line gives 1,000 points
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
#: grey on grey in every scheme, wider than any window, fetched from elsewhere, and no HTML to speak of
BAD = """<html><body style="background: #888888">
<p style="color: #777777; width: 900px; display: grid">Nobody reads this</p>
<img src="http://127.0.0.1:9/pixel.gif"><blink>now</blink><video></video></body></html>"""


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (HERE / "node_modules" / ".ready").exists(), reason="`make judge` has not fetched the judges yet"
    ),
    pytest.mark.skipif(any(shutil.which(command) is None for command in NEEDED), reason="a judge is not installed"),
]


def test_a_bad_mail_misses_every_mark_and_a_good_one_none(tmp_path: Path) -> None:
    good = composed()["latex"]
    (tmp_path / "a good one.eml").write_bytes(good.data)
    (tmp_path / "a good one.html").write_text(good.html, encoding="utf-8")
    bad = f"From: a@example.org\r\nSubject: Win\r\n\r\n{GTUBE}\r\n" + "Win!\r\n" * 20_000
    (tmp_path / "bad.eml").write_bytes(bad.encode())
    (tmp_path / "bad.html").write_text(BAD, encoding="ascii")

    columns = judged(tmp_path, ["a good one", "bad"])
    told = list(misses(columns))

    assert {column.name for column in columns} == {column.name for column in columns if column.opinions["bad"].missed}
    assert len(columns) == len(told)
    assert all(line.startswith("bad: ") for line in told)
    assert any("GTUBE" in line for line in told)
    assert any("px wide in a window of 375 px" in line for line in told)
    assert any("fetches http://127.0.0.1:9/pixel.gif" in line for line in told)
    assert table(columns, ["a good one", "bad"]).count("!") == len(columns)


def test_a_bad_page_misses_every_mark_and_those_of_the_archive_none(tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    moving = "<script>setTimeout(() => document.body.prepend(document.createElement('hr'), 'late'), 50)</script>"
    bad.write_text(f"<!DOCTYPE html>{BAD}{moving}", encoding="ascii")
    pages = [page for page in written(tmp_path / "site") if page.stem in {"edition", "search"}]
    columns = judged_pages(tmp_path, [*pages, bad], HASHES)
    told = list(misses(columns))

    assert [f"bad: {column.name}" for column in columns] == [":".join(line.split(":")[:2]) for line in told]
