"""arXiv's daily announcements."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.collect.arxiv import behind, parse_arxiv
from digest.model import Paper, Problem, Source, SourceMemory, Validators
from tests.collect.feeds import CAPTCHA, arxiv_entry, arxiv_error, arxiv_feed
from tests.collect.net import pull
from tests.http_server import HttpServer, Reply, with_etag

PAPER = Paper(
    key="arxiv:2609.00001",
    title="On Numbers",
    abstract="We count.",
    authors=("Ada Lovelace", "Emmy Noether"),
    url="https://arxiv.org/abs/2609.00001",
    version=1,
    published=datetime(2026, 9, 15, 4, 0, tzinfo=UTC),
    categories=("cs.CL",),
    sources=("arxiv",),
    licence="http://creativecommons.org/licenses/by/4.0/",
    pdf_url="https://arxiv.org/pdf/2609.00001",
)


def source(server: HttpServer, *categories: str, **fields: Any) -> Source:
    return replace(Source("arxiv", "arxiv", categories=categories, base_url=server.url), **fields)


def test_an_entry_becomes_a_paper() -> None:
    assert ((PAPER,), ()) == parse_arxiv(arxiv_feed(arxiv_entry()), source="arxiv")


def test_everything_arxiv_says_is_kept_as_it_was_written() -> None:
    entry = arxiv_entry(
        "math/0309136",
        version=3,
        title="$\\beta$-VAE for $a<b$ and\n  x<y>z &amp; <script>",
        announce="replace-cross",
        categories=("math.GT", "cs.LG"),
        creator="Paulo Andr\\'e Lima (A, B (C), D), Very Real Sr.",
        abstract="If $a <b$ and 10% of AT&T.\nSecond line.",
        more="<arxiv:DOI>10.1000/ABC 10.1000/def</arxiv:DOI><arxiv:journal_reference>J. Num. 1 (2026)"
        "</arxiv:journal_reference>",
    )

    expected = Paper(
        key="arxiv:math/0309136",
        title="$\\beta$-VAE for $a<b$ and x<y>z &amp; <script>",
        abstract="If $a <b$ and 10% of AT&T. Second line.",
        authors=("Paulo Andr\\'e Lima", "Very Real Sr."),
        url="https://arxiv.org/abs/math/0309136",
        aliases=("doi:10.1000/abc", "doi:10.1000/def"),
        version=3,
        published=None,
        categories=("math.GT", "cs.LG"),
        announce="replace-cross",
        sources=("arxiv",),
        journal_ref="J. Num. 1 (2026)",
        licence="http://creativecommons.org/licenses/by/4.0/",
        pdf_url="https://arxiv.org/pdf/math/0309136",
    )
    assert ((expected,), ()) == parse_arxiv(arxiv_feed(entry), source="arxiv")


def test_a_sunday_is_quiet_and_no_failure() -> None:
    assert ((), ()) == parse_arxiv(arxiv_feed(), source="arxiv")


def test_a_bad_entry_costs_that_entry() -> None:
    bad = [
        arxiv_entry("1234.5646"),
        arxiv_entry("2609.00002", title=" "),
        arxiv_entry("2609.00003", announce="absonly"),
    ]

    papers, problems = parse_arxiv(arxiv_feed(*bad, arxiv_entry()), source="arxiv")

    assert (PAPER,) == papers
    assert (
        Problem("oai:arXiv.org:1234.5646v1", "has no arXiv identifier"),
        Problem("oai:arXiv.org:2609.00002v1", "has no title"),
        Problem("oai:arXiv.org:2609.00003v1", "has an unknown announce type: absonly"),
    ) == problems


@pytest.mark.parametrize(
    ("data", "where", "message"),
    [
        (arxiv_error(), "arXiv", "says: Bad subject class 'NOPE'"),
        (CAPTCHA, "the answer", "is not a feed but a web page titled “Are you human?”"),
        (b"<html><body>", "the answer", "is not a feed but a web page"),
        (b"", "the answer", "is not a feed"),
        (b'{"error": 1}', "the answer", "is not a feed"),
    ],
)
def test_what_is_no_feed_is_said_in_words(data: bytes, where: str, message: str) -> None:
    assert ((), (Problem(where, message),)) == parse_arxiv(data, source="arxiv")


def test_a_feed_that_breaks_off_loses_its_last_entry_only() -> None:
    whole = arxiv_feed(arxiv_entry(), arxiv_entry("2609.00002", abstract="x" * 500))
    cut = whole[: whole.index(b"xxx") + 100]

    assert ((PAPER,), (Problem("the feed", "breaks off; its last item was left out"),)) == parse_arxiv(
        cut, source="arxiv"
    )


def test_a_feed_as_long_as_arxiv_lets_them_be_is_cut_off_and_says_so() -> None:
    """The feed of a whole archive ends at 2,000 items, and new papers are the ones that are left out."""
    feed = arxiv_feed(*(arxiv_entry(f"2609.{number:05}", announce="replace") for number in range(1, 2_001)))

    papers, problems = parse_arxiv(feed, source="arxiv")

    assert 2_000 == len(papers)
    assert ["is cut off after 2000 items, new papers first; name its categories instead"] == [
        p.message for p in problems
    ]


GOOD = arxiv_feed(*(arxiv_entry(f"2609.{number:05}") for number in range(1, 6)))


@pytest.mark.parametrize("end", range(0, len(GOOD), 100))
def test_a_feed_cut_anywhere_gives_whole_papers_or_none(end: int) -> None:
    papers, problems = parse_arxiv(GOOD[:end], source="arxiv")

    assert problems
    assert papers == parse_arxiv(GOOD, source="arxiv")[0][: len(papers)]


@given(
    st.binary()
    | st.tuples(st.integers(0, len(GOOD)), st.binary(max_size=20)).map(
        lambda change: GOOD[: change[0]] + change[1] + GOOD[change[0] :]
    )
)
def test_no_bytes_raise(data: bytes) -> None:
    papers, problems = parse_arxiv(data, source="arxiv")

    assert all(paper.key.startswith("arxiv:") and paper.title for paper in papers)
    assert all(problem.message for problem in problems)


# --- over the network


def test_one_request_per_category_and_each_paper_once_with_its_best_label(http_server: HttpServer) -> None:
    """The label is relative to the feed: a paper of cs.LG is "cross" in the feed of cs.CL."""
    shared: dict[str, Any] = {"number": "2609.00002", "categories": ("cs.LG", "cs.CL")}
    http_server.routes["/atom/cs.CL"] = Reply(body=arxiv_feed(arxiv_entry(), arxiv_entry(**shared, announce="cross")))
    http_server.routes["/atom/cs.LG"] = Reply(body=arxiv_feed(arxiv_entry(**shared, announce="new")))

    (batch,) = pull(source(http_server, "cs.CL", "cs.LG"))

    assert [("arxiv:2609.00001", "new"), ("arxiv:2609.00002", "new")] == [(p.key, p.announce) for p in batch.papers]
    assert ("", (), 2) == (batch.failure, batch.problems, batch.requests)


def test_the_filter_comes_after_the_merge(http_server: HttpServer) -> None:
    http_server.routes["/atom/cs.CL"] = Reply(body=arxiv_feed(arxiv_entry("2609.00002", announce="cross")))
    http_server.routes["/atom/cs.LG"] = Reply(
        body=arxiv_feed(arxiv_entry("2609.00002", announce="new"), arxiv_entry("2609.00003", announce="replace"))
    )

    (batch,) = pull(source(http_server, "cs.CL", "cs.LG", announce=("new",)))

    assert ["arxiv:2609.00002"] == [paper.key for paper in batch.papers]


def test_one_bad_category_leaves_the_others(http_server: HttpServer) -> None:
    http_server.routes["/atom/cs.CL"] = Reply(body=arxiv_feed(arxiv_entry()))
    http_server.routes["/atom/cs.NOPE"] = Reply(400, arxiv_error())
    http_server.routes["/atom/cs.LG"] = Reply(body=CAPTCHA, headers={"ETag": '"captcha"'})

    (batch,) = pull(source(http_server, "cs.CL", "cs.NOPE", "cs.LG"))

    assert ((PAPER,), ()) == (batch.papers, batch.problems)
    assert (
        "cs.NOPE: the server answers 400: arXiv says: Bad subject class 'NOPE'; "
        "cs.LG: the answer is not a feed but a web page titled “Are you human?”"
    ) == batch.failure
    assert "cs.NOPE" in batch.hint
    assert {} == batch.validators  # or the web page would be "not modified" tomorrow


def test_a_feed_that_did_not_change_is_not_read_again(http_server: HttpServer) -> None:
    http_server.routes["/atom/cs.CL"] = with_etag(arxiv_feed(arxiv_entry()))
    asked = source(http_server, "cs.CL")
    (first,) = pull(asked)
    memory = SourceMemory("arxiv", validators=first.validators)

    (second,) = pull(asked, memories={"arxiv": memory})

    url = f"{http_server.url}/atom/cs.CL"
    assert (False, {url: Validators('"1"')}) == (first.not_modified, first.validators)
    assert (True, (), {url: Validators('"1"')}) == (second.not_modified, second.papers, second.validators)


def test_a_batch_is_unmodified_only_if_every_category_is(http_server: HttpServer) -> None:
    http_server.routes["/atom/cs.CL"] = with_etag(arxiv_feed(arxiv_entry()))
    http_server.routes["/atom/cs.LG"] = Reply(body=arxiv_feed(arxiv_entry("2609.00002")))
    asked = source(http_server, "cs.CL", "cs.LG")
    memory = SourceMemory("arxiv", validators=pull(asked)[0].validators)

    (batch,) = pull(asked, memories={"arxiv": memory})

    assert not batch.not_modified
    assert ["arxiv:2609.00002"] == [paper.key for paper in batch.papers]


def test_problems_say_in_which_category(http_server: HttpServer) -> None:
    http_server.routes["/atom/cs.CL"] = Reply(body=arxiv_feed(arxiv_entry(), arxiv_entry("1234.5646")))

    (batch,) = pull(source(http_server, "cs.CL"))

    assert (Problem("cs.CL, oai:arXiv.org:1234.5646v1", "has no arXiv identifier"),) == batch.problems


def day(*numbers: int, announce: str = "new", categories: tuple[str, ...] = ("cs.CL", "cs.AI")) -> bytes:
    """A feed with these papers."""
    return arxiv_feed(
        *(arxiv_entry(f"2609.{number:05}", announce=announce, categories=categories) for number in numbers)
    )


def test_a_category_that_is_a_day_behind_the_others_is_a_failure_and_its_papers_are_kept(
    http_server: HttpServer,
) -> None:
    """Dates and build time are today's in both feeds: only the papers say that cs.AI is that of yesterday."""
    http_server.routes["/atom/cs.AI"] = Reply(body=day(7, 8, 9, categories=("cs.AI", "cs.CL")))
    http_server.routes["/atom/cs.CL"] = Reply(body=day(11, 12, 13))

    (batch,) = pull(source(http_server, "cs.AI", "cs.CL"))

    assert "cs.AI: its feed lacks 3 papers that are listed under it and newer than all it has" == batch.failure
    assert "next pull asks again" in batch.hint
    assert [7, 8, 9, 11, 12, 13] == [int(paper.key[-2:]) for paper in batch.papers]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(day(11, 12, 13, 14, announce="cross"), id="the same day"),
        pytest.param(day(5, 14, announce="cross"), id="some are missing, but not the newest"),
        pytest.param(arxiv_feed(), id="nothing, as on a day without papers"),
    ],
)
def test_a_category_that_is_not_behind_is_not_blamed(http_server: HttpServer, other: bytes) -> None:
    http_server.routes["/atom/cs.AI"] = Reply(body=other)
    http_server.routes["/atom/cs.CL"] = Reply(body=day(11, 12, 13))

    (batch,) = pull(source(http_server, "cs.AI", "cs.CL"))

    assert "" == batch.failure


@pytest.mark.parametrize(
    ("fresh", "expected"),
    [
        pytest.param(day(11, 12), {}, id="two prove nothing"),
        pytest.param(day(11, 12, 13, categories=("cs.CL",)), {}, id="papers of one category only"),
        pytest.param(day(11, 12, 13, categories=("cs.CL", "cs.AIX")), {}, id="a name that begins alike"),
        pytest.param(day(11, 12, 13, announce="replace"), {}, id="new versions go where they like"),
        pytest.param(day(11, 12, 13), {"cs.ai": 3}, id="whatever the case"),
    ],
)
def test_only_new_papers_of_the_category_count(fresh: bytes, expected: dict[str, int]) -> None:
    stale = arxiv_feed(arxiv_entry(), arxiv_entry("math/0309136", announce="cross"))
    feeds = {"cs.ai": stale, "cs.CL": fresh}

    assert expected == behind({category: parse_arxiv(feed, source="a")[0] for category, feed in feeds.items()})


def test_an_archive_is_behind_its_categories() -> None:
    feeds = {"cs": day(1), "cs.CL": day(11, 12, 13, categories=("cs.CL",))}

    assert {"cs": 3} == behind({category: parse_arxiv(feed, source="a")[0] for category, feed in feeds.items()})
