"""The golden mails in a real browser: on a phone and on a desk, in light and dark, nothing is wider than the window."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[1] / "golden"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
#: how the browser is told to be alone: no sandbox for root, nothing fetched, no first-run pages
ALONE = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
    "--virtual-time-budget=10000",
)
#: measures every frame once all are loaded, and leaves the result in the page
MEASURE = """
onload = () => {
  const found = [...document.querySelectorAll("iframe")].map(frame => {
    const root = frame.contentDocument.documentElement, view = frame.contentWindow;
    const title = frame.contentDocument.querySelector("h3");
    return {
      name: frame.name, wanted: frame.clientWidth, width: root.scrollWidth,
      requests: view.performance.getEntriesByType("resource").length,
      headings: frame.contentDocument.querySelectorAll("h1,h2,h3").length,
      title_px: title ? parseFloat(view.getComputedStyle(title).fontSize) : 0,
    };
  });
  document.getElementById("found").textContent = JSON.stringify(found);
};
"""
PAGES = sorted(path.name for path in GOLDEN.glob("*.html"))


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
def test_no_mail_is_wider_than_its_window_or_fetches_anything(tmp_path: Path) -> None:
    frames = "".join(
        f'<iframe name="{name} {width}" width="{width}" height="800" style="border:0" '
        f'srcdoc="{html.escape((GOLDEN / name).read_text(encoding="utf-8"))}"></iframe>'
        for name in PAGES
        for width in (320, 375, 800)
    )
    page = tmp_path / "page.html"
    page.write_text(f'<!DOCTYPE html><script>{MEASURE}</script><p id="found"></p>{frames}', encoding="utf-8")
    command = [str(CHROMIUM), *ALONE, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()]

    dumped = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    match = re.search(r'<p id="found">(.*?)</p>', dumped, flags=re.DOTALL)
    assert match
    found = json.loads(html.unescape(match[1]))

    assert 3 * len(PAGES) == len(found)
    assert [] == [frame["name"] for frame in found if frame["width"] > frame["wanted"]]
    assert [] == [frame["name"] for frame in found if frame["requests"]]
    # a note of a quiet day and a question have no papers
    papers = [frame for frame in found if "quiet" not in frame["name"] and not frame["name"].startswith("confirmation")]
    assert [] == [frame["name"] for frame in papers if frame["headings"] < 2 or frame["title_px"] < 16]
