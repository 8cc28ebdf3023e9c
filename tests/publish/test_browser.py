"""The archive in a real browser, opened from a folder: nothing is too wide, sorting, filtering and searching work."""

from __future__ import annotations

import html
import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from digest.languages.language import available, language
from digest.pipeline.archive import Archive
from digest.publish.feeds import Address
from digest.publish.names import paper_path
from digest.state.store import open_state
from tests.compose.test_browser import ALONE, CHROMIUM
from tests.makers import NOW, TODAY
from tests.publish.cases import HOSTILE, USUAL, fill

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")]
PAGES = (
    *("index.html", "2026-09/index.html", "2026/index.html", "search/index.html"),
    *(paper_path(USUAL.key), paper_path(HOSTILE.key)),
)
#: what a page loaded from elsewhere, and whether it is wider than its window; told to the page around it
MEASURE = """
onload = () => parent.postMessage({
  page: location.pathname, wanted: innerWidth, width: document.documentElement.scrollWidth,
  foreign: performance.getEntriesByType("resource").map(one => one.name).filter(name => !name.startsWith("file:")),
  styled: getComputedStyle(document.querySelector("h1")).fontFamily.includes("Georgia"),
}, "*");
"""
COLLECT = """
const found = [];
onmessage = event => { found.push(event.data); document.getElementById("found").textContent = JSON.stringify(found); };
"""
#: what a reader would do on the page of a day
USE = """
const by = id => document.getElementById(id);
const titles = () => [...document.querySelectorAll(".paper:not([hidden]) h2")].map(one => one.textContent.slice(0, 8));
const set = (id, value) => {
  by(id)[id === "code" ? "checked" : "value"] = value;
  by(id).dispatchEvent(new Event("input", { bubbles: true }));
  return titles();
};
onload = () => {
  const found = {
    first: titles(), title: set("sort", "title"), filter: set("filter", "EXPERT sleep"),
    shown: by("shown").textContent, inside: set("filter", "perts"), none: !by("none").hidden,
    all: by("all").click() || titles(),
    cjk: set("filter", "专家"), code: set("filter", "") && set("code", true),
    subject: set("code", false) && set("subject", "cs.LG"),
  };
  document.body.insertAdjacentHTML("beforeend", "<p id=found></p>");
  by("found").textContent = JSON.stringify(found);
};
"""
SEARCH = """
const by = id => document.getElementById(id);
const later = () => new Promise(resolve => setTimeout(resolve, 300));
const ask = async typed => {
  by("query").value = typed;
  by("query").dispatchEvent(new Event("input", { bubbles: true }));
  await later();
  const told = by("none").hidden ? by("shown").textContent : by("none").textContent.slice(0, 8);
  return [told, ...[...by("found").querySelectorAll("a")].map(one => one.getAttribute("href"))];
};
onload = async () => {
  const found = {};
  for (const typed of ["sleeping expert", "EXPÉRTS of mix", "睡觉", "somerville", "zebra", "the", ""])
    found[typed] = await ask(typed);
  document.body.insertAdjacentHTML("beforeend", "<p id=result></p>");
  by("result").textContent = JSON.stringify(found);
};
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    with open_state(f"sqlite:///{tmp_path / 'state.sqlite3'}", now=NOW) as state:
        fill(state)
        Archive(state, tmp_path / "site", Address("lab.example"), today=TODAY, since=None).write(lambda: None)
    return tmp_path / "site"


def in_language(folder: Path, code: str) -> Path:
    """The same archive in another language."""
    with open_state(f"sqlite:///{folder / 'state.sqlite3'}", now=NOW) as state:
        archive = Archive(
            state, folder / code, Address("lab.example"), today=TODAY, since=None, language=language(code)
        )
        archive.write(lambda: None)
    return folder / code


def with_script(site: Path, page: str, script: str) -> Path:
    """The page, with a script of the tests behind its own, where its own policy lets it be."""
    (site / "test.js").write_text(script, encoding="utf-8")
    path = site / page
    tag = f'<script src="{"../" * page.count("/")}test.js" defer></script>'
    path.write_text(path.read_text(encoding="utf-8").replace("</head>", f"{tag}</head>"), encoding="utf-8")
    return path


def dumped(page: Path, profile: Path, found: str = "found") -> Any:
    """What the page wrote into its element `found`."""
    command = [str(CHROMIUM), *ALONE, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()]
    text = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    match = re.search(rf'<p id="{found}">(.*?)</p>', text, flags=re.DOTALL)
    assert match
    return json.loads(html.unescape(match[1]))


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("code", available())
def test_no_page_is_wider_than_its_window_or_loads_anything_from_elsewhere(code: str, tmp_path: Path) -> None:
    written = in_language(tmp_path, code)
    for page in PAGES:
        with_script(written, page, MEASURE)
    frames = "".join(
        f'<iframe src="{code}/{page}" width="{width}" height="800" style="border:0"></iframe>'
        for page in PAGES
        for width in (320, 375, 800)
    )
    around = tmp_path / "around.html"
    around.write_text(f'<!DOCTYPE html><script>{COLLECT}</script><p id="found"></p>{frames}', encoding="utf-8")
    found = dumped(around, tmp_path / "profile")

    assert 3 * len(PAGES) == len(found)
    assert [] == [frame for frame in found if frame["width"] > frame["wanted"]]
    assert [] == [frame for frame in found if frame["foreign"] or not frame["styled"]]


def test_a_day_is_sorted_and_filtered_in_the_page(site: Path, tmp_path: Path) -> None:
    found = dumped(with_script(site, "2026-09-15/index.html", USE), tmp_path / "profile")

    usual, plain, world, hostile = "Experts ", "Sleeping", "混合专家 مزي", "<script>"
    assert [usual, plain] == found["first"][:2]
    assert [hostile, usual, plain, world] == found["title"]
    assert [usual, plain] == found["filter"]
    assert "2 papers" == found["shown"]
    assert ([], True) == (found["inside"], found["none"])
    assert 4 == len(found["all"])
    assert [world] == found["cjk"]
    assert [usual] == found["code"]
    assert {hostile, usual, plain} == {*found["subject"]}


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("code", "filtered", "one", "several", "none"),
    [
        ("de", "2 Artikel", "1 Artikel", "2 Artikel", "Kein Art"),
        ("zh", "2 篇论文", "1 篇论文", "2 篇论文", "没有论文包含所有"),
    ],
)
def test_scripts_speak_the_language_of_the_page(
    code: str, filtered: str, one: str, several: str, none: str, tmp_path: Path
) -> None:
    written = in_language(tmp_path, code)
    day = dumped(with_script(written, "2026-09-15/index.html", USE), tmp_path / "profile")
    found = dumped(with_script(written, "search/index.html", SEARCH), tmp_path / "profile", "result")

    assert filtered == day["shown"]
    assert [one, several] == [found[typed][0] for typed in ("sleeping expert", "EXPÉRTS of mix")]
    assert [none] == found["zebra"]


def test_a_day_reads_the_same_without_its_script(site: Path) -> None:
    page = (site / "2026-09-15" / "index.html").read_text(encoding="utf-8")

    assert 4 == page.count('<li class="paper"')
    # not by the script, which would move the papers when it comes
    style = (site / "style.css").read_text(encoding="utf-8")
    assert "@media (scripting: none) {\n  .tools { display: none; }" in style
    assert "hidden" not in re.findall(r'<div class="tools"[^>]*>', page)[0]


def test_the_page_finds_what_the_index_holds(site: Path, tmp_path: Path) -> None:
    found = dumped(with_script(site, "search/index.html", SEARCH), tmp_path / "profile", "result")
    usual = f"../{paper_path(USUAL.key)}"

    assert ["1 paper", "../paper/arxiv-2609.00002.html"] == found["sleeping expert"]
    assert ["2 papers", usual] == found["EXPÉRTS of mix"][:2]
    assert ["1 paper", "../paper/arxiv-2609.00004.html"] == found["睡觉"]
    assert ["1 paper", usual] == found["somerville"]
    assert ["No paper"] == found["zebra"]
    assert [""] == found["the"] == found[""]


def test_colours_can_be_told_apart_on_screens_and_on_paper(site: Path) -> None:
    """Contrast of at least 4.5 of every text to every ground (WCAG 2.1, 1.4.3)."""
    schemes = re.findall(r":root \{(.*?)\}", (site / "style.css").read_text(encoding="utf-8"), flags=re.DOTALL)
    for scheme in schemes:
        colours = dict(re.findall(r"--(\w+): (#\w{6})", scheme))
        for text in ("ink", "soft", "accent"):
            for ground in ("ground", "sheet", "tint"):
                light, dark = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)

                assert (light + 0.05) / (dark + 0.05) >= 4.5, f"{text} on {ground}"
    assert 3 == len(schemes)


def luminance(colour: str) -> float:
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
