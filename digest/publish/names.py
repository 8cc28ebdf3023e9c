"""What pages and files are called, and where they are. Pure.

    index.html                the latest edition
    2026-11-20/index.html     an edition; papers.bib and papers.ris beside it
    2026-11/index.html        a month
    2026/index.html           a year
    paper/NAME.html           a paper
    search/index.html         and the index that it searches
    feed.atom, feed.json, sitemap.xml
    private/NAME/…            one reader's feeds and picks
    thumbnails/NAME.jpg       pictures that mails load, see `compose.picture`

All links are relative and name `index.html`, so that they work from a folder and under any address.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

#: arXiv's ids, which are short, and differ in more than case
_ARXIV = re.compile(r"arxiv:(\d{4}\.\d{4,5}|[a-z]+(?:-[a-z]+)?/\d{7})")
_MOST_LETTERS = 60


def paper_name(key: str) -> str:
    """A paper's file name without suffix: ASCII letters, digits, dot and hyphen, at most 80; no two keys share one.

    >>> paper_name("arxiv:2401.01234"), paper_name("arxiv:hep-ex/0307015")
    ('arxiv-2401.01234', 'arxiv-hep-ex-0307015')
    >>> paper_name("url:https://example.org/../A")
    'url-https-example-org-a-df233fcc52fa'
    """
    if found := _ARXIV.fullmatch(key):
        return f"arxiv-{found[1].replace('/', '-')}"
    readable = re.sub("[^a-z0-9]+", "-", key.lower())[:_MOST_LETTERS].strip("-")
    # some file systems know no case, and the readable part is not all of the key
    return f"{readable or 'paper'}-{sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def paper_path(key: str) -> str:
    """Where a paper's page is, from the top."""
    return f"paper/{paper_name(key)}.html"


def day_path(day: date) -> str:
    """The folder of an edition."""
    return day.isoformat()


def month_path(day: date) -> str:
    """The folder of a day's month."""
    return f"{day:%Y-%m}"


def year_path(day: date) -> str:
    """The folder of a day's year."""
    return f"{day:%Y}"
