"""Feeds hold what their formats ask for, whatever papers are called."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree as ET

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.publish.feeds import Address, Entry, Feed, atom, json_feed, sitemaps

ATOM = "{http://www.w3.org/2005/Atom}"
DAY = date(2026, 9, 15)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def feed(*titles: str, base_url: str = "https://papers.example.org/x/", folder: str = "") -> Feed:
    entries = [
        Entry(
            day=DAY - timedelta(days=number),
            title=title,
            updated=datetime(2026, 9, 15, 5, tzinfo=UTC) - timedelta(days=number),
            content=f"<p>{title}</p>",
            path="" if folder else f"2026-09-{15 - number}/index.html",
        )
        for number, title in enumerate(titles)
    ]
    return Feed("Paper digest", Address("lab.example", base_url), "editions", folder, entries, "en")


@pytest.mark.parametrize("base_url", ["https://papers.example.org/x/", ""])
@pytest.mark.parametrize("folder", ["", "private/0123/"])
@given(titles=st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=4))
def test_atom_has_what_rfc_4287_asks_for(base_url: str, folder: str, titles: list[str]) -> None:
    """§4.1.1, §4.1.2: id, title and updated once in the feed and in each entry, an author, a link or content."""
    written = atom(feed(*titles, base_url=base_url, folder=folder))
    root = ET.fromstring(written)
    entries = root.findall(f"{ATOM}entry")

    assert not feedparser.parse(written).bozo
    assert len(titles) == len(entries)
    for element in (root, *entries):
        assert [1, 1, 1] == [len(element.findall(f"{ATOM}{name}")) for name in ("id", "title", "updated")]
        assert MOMENT.fullmatch(element.findtext(f"{ATOM}updated") or "")
    assert root.findtext(f"{ATOM}author/{ATOM}name")
    assert len(titles) == len({entry.findtext(f"{ATOM}id") for entry in entries})
    # §4.2.7: a feed names itself, and no two alternates are of one type
    assert ([f"{base_url}{folder}feed.atom"] if base_url else []) == [
        link.get("href") for link in root.findall(f"{ATOM}link") if link.get("rel") == "self"
    ]
    assert ["html"] * len(titles) == [str(entry.find(f"{ATOM}content").get("type")) for entry in entries]  # type: ignore[union-attr]


@pytest.mark.parametrize("base_url", ["https://papers.example.org/x/", ""])
@given(titles=st.lists(st.text(max_size=30), max_size=4))
def test_json_feed_has_what_version_1_1_asks_for(base_url: str, titles: list[str]) -> None:
    told = json.loads(json_feed(feed(*titles, base_url=base_url)))

    assert ("https://jsonfeed.org/version/1.1", "Paper digest") == (told["version"], told["title"])
    assert titles == [item["title"] for item in told["items"]]
    assert len(titles) == len({item["id"] for item in told["items"]})
    assert all(isinstance(item["id"], str) and "content_html" in item for item in told["items"])
    assert all(MOMENT.fullmatch(item["date_modified"]) for item in told["items"])
    assert bool(base_url) == ("feed_url" in told) == ("home_page_url" in told)


def test_an_empty_feed_is_a_feed() -> None:
    parsed = feedparser.parse(atom(feed()))

    assert (False, "atom10", []) == (bool(parsed.bozo), parsed.version, parsed.entries)
    assert [] == json.loads(json_feed(feed()))["items"]


def test_a_long_sitemap_is_in_parts() -> None:
    """At most 50,000 addresses a file (https://www.sitemaps.org/protocol.html)."""
    files = dict(sitemaps("https://papers.example.org/", [f"paper/{number}.html" for number in range(50_001)]))

    assert ["sitemap-1.xml", "sitemap-2.xml", "sitemap.xml"] == sorted(files)
    assert [50_000, 1, 2] == [files[name].count(b"<loc>") for name in sorted(files)]
    assert b"<loc>https://papers.example.org/sitemap-2.xml</loc>" in files["sitemap.xml"]
