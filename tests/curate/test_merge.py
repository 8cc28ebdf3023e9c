"""Same work, several reports: what is kept, and that nothing is lost or doubled."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.curate.merge import fold, identifiers, merge, merge_signals
from digest.identity import best_key
from digest.model import Announce, Paper, Signals
from tests.makers import paper, signals

#: text fields of which a filled one must survive any merge
TEXT_BADGES = (
    "abstract",
    "url",
    "organization",
    "comment",
    "journal_ref",
    "licence",
    "pdf_url",
    "code_url",
    "project_url",
    "discussion_url",
    "thumbnail_url",
    "ai_summary",
)
BADGES = (*TEXT_BADGES, "authors", "version", "published", "categories", "ai_keywords")
#: few names, so that papers of one list often share one
NAMES = st.sampled_from(
    [f"{kind}{n}" for kind in ("arxiv:2609.0000", "doi:10.5555/", "openreview:note0", "url:https://x/") for n in "123"]
)
TEXTS = st.sampled_from(["", "a", "b", "longer", "$β$"])
SOME = st.lists(st.sampled_from("abc"), max_size=3, unique=True).map(tuple)
COUNTS = st.none() | st.integers(0, 3)


@st.composite
def papers(draw: st.DrawFn) -> Paper:
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    key = best_key(sorted(names))
    texts = {name: draw(TEXTS) for name in TEXT_BADGES}
    return Paper(
        key=key,
        aliases=tuple(sorted(set(names) - {key})),
        title=draw(TEXTS) or "t",
        authors=draw(SOME),
        version=draw(st.none() | st.integers(1, 3)),
        published=draw(st.none() | st.datetimes(timezones=st.just(UTC))),
        categories=draw(SOME),
        announce=draw(st.sampled_from(["new", "cross", "replace", "replace-cross"])),
        sources=draw(SOME),
        ai_keywords=draw(SOME),
        signals=Signals(draw(COUNTS), draw(COUNTS), draw(COUNTS), draw(COUNTS)),
        **texts,
    )


def test_the_richest_of_both_reports_is_kept() -> None:
    """Hugging Face's report of a paper meets arXiv's second version of it."""
    huggingface = Paper(
        key="arxiv:2609.00001",
        title="β-Widgets at Scale",
        abstract="We count widgets.",
        authors=("A. Lovelace", "E. Noether"),
        url="https://arxiv.org/abs/2609.00001",
        published=datetime(2026, 9, 12, 10, tzinfo=UTC),
        sources=("huggingface",),
        organization="Widget Lab",
        code_url="https://github.com/widgets/widgets",
        discussion_url="https://huggingface.co/papers/2609.00001",
        ai_summary="Counts widgets.",
        ai_keywords=("widgets",),
        signals=signals(upvotes=12, comments=3, position=4),
    )
    arxiv = Paper(
        key="arxiv:2609.00001",
        aliases=("doi:10.5555/widgets",),
        title="$β$-Widgets at Scale",
        abstract="We count $n$ widgets.",
        authors=("Ada Lovelace", "Emmy Noether"),
        url="https://arxiv.org/abs/2609.00001",
        version=2,
        published=datetime(2026, 9, 15, 4, tzinfo=UTC),
        categories=("cs.LG", "stat.ML"),
        announce="replace",
        sources=("arxiv",),
        comment="12 pages",
        licence="http://creativecommons.org/licenses/by/4.0/",
    )

    expected = Paper(
        key="arxiv:2609.00001",
        aliases=("doi:10.5555/widgets",),
        title="$β$-Widgets at Scale",
        abstract="We count $n$ widgets.",
        authors=("Ada Lovelace", "Emmy Noether"),
        url="https://arxiv.org/abs/2609.00001",
        version=2,
        published=datetime(2026, 9, 12, 10, tzinfo=UTC),
        categories=("cs.LG", "stat.ML"),
        announce="new",
        sources=("huggingface", "arxiv"),
        organization="Widget Lab",
        comment="12 pages",
        licence="http://creativecommons.org/licenses/by/4.0/",
        code_url="https://github.com/widgets/widgets",
        discussion_url="https://huggingface.co/papers/2609.00001",
        ai_summary="Counts widgets.",
        ai_keywords=("widgets",),
        signals=signals(upvotes=12, comments=3, position=4),
    )
    assert expected == merge(huggingface, arxiv)


def test_the_best_identifier_leads_and_the_others_become_aliases() -> None:
    journal = paper(key="doi:10.5555/1", aliases=("url:https://example.org/1",))
    preprint = paper(key="arxiv:2609.00001", aliases=("doi:10.5555/1", "openreview:abcdef"))

    merged = merge(journal, preprint)

    assert "arxiv:2609.00001" == merged.key
    assert ("doi:10.5555/1", "openreview:abcdef", "url:https://example.org/1") == merged.aliases


def test_an_older_version_met_later_changes_no_text() -> None:
    second = paper(title="Short", abstract="Short.", version=2)
    first = paper(title="A much longer title", abstract="A much longer abstract.", version=1)

    assert second == merge(second, first)


def test_a_newest_version_without_abstract_keeps_the_older_one() -> None:
    assert "We count." == merge(paper(abstract="", version=2), paper(abstract="We count.", version=1)).abstract


def test_the_primary_category_of_the_newest_version_stays_first() -> None:
    merged = merge(paper(categories=("cs.AI", "cs.LG"), version=1), paper(categories=("cs.LG", "cs.CL"), version=2))

    assert ("cs.LG", "cs.CL", "cs.AI") == merged.categories


@pytest.mark.parametrize(
    ("first", "second", "best"),
    [
        ("cross", "new", "new"),
        ("new", "cross", "new"),
        ("replace", "cross", "cross"),
        ("replace-cross", "replace", "replace"),
    ],
)
def test_the_best_announce_label_wins(first: Announce, second: Announce, best: Announce) -> None:
    """The same item is "cross" in one category's feed and "new" in another's."""
    assert best == merge(paper(announce=first), paper(announce=second)).announce


def test_signals_keep_the_highest_counts_and_the_place_nearest_the_top() -> None:
    assert signals(upvotes=7, comments=0, stars=5, position=2) == merge_signals(
        signals(upvotes=7, stars=1, position=9), signals(upvotes=4, comments=0, stars=5, position=2)
    )


def test_equal_titles_do_not_make_papers_one() -> None:
    surveys = (paper(1, title="A Survey"), paper(2, title="A Survey"))

    assert surveys == fold(surveys)


def test_papers_joined_only_through_a_third_are_one_work_in_the_place_of_the_first() -> None:
    preprint = paper(1, key="arxiv:2609.00001")
    other = paper(2)
    journal = paper(3, key="doi:10.5555/1", title="On the Number 1", abstract="")
    bridge = paper(1, key="arxiv:2609.00001", aliases=("doi:10.5555/1",))

    one, two = fold([preprint, other, journal, bridge])

    assert ("arxiv:2609.00001", ("doi:10.5555/1",)) == (one.key, one.aliases)
    assert other == two


@pytest.mark.parametrize("bad_first", [True, False])
def test_an_item_that_names_two_arxiv_papers_does_not_make_them_one(bad_first: bool) -> None:
    one, two = paper(1, key="arxiv:2609.00001"), paper(2, key="arxiv:2609.00002")
    bad = paper(key="arxiv:2609.00001", aliases=("arxiv:2609.00002",), title="Pills", abstract="")

    assert (one, two) == fold([bad, one, two] if bad_first else [one, two, bad])


def test_a_doi_that_two_arxiv_papers_claim_stays_with_the_first() -> None:
    one = paper(1, key="arxiv:2609.00001", aliases=("doi:10.5555/1",))
    two = paper(2, key="arxiv:2609.00002", aliases=("doi:10.5555/1", "url:https://example.org/2"))
    journal = paper(1, key="doi:10.5555/1")

    assert (one, replace(two, aliases=("url:https://example.org/2",))) == fold([one, two, journal])


def test_a_long_chain_of_aliases_is_folded_in_no_time() -> None:
    """Each paper names the next one as its alias: a hostile list must not cost quadratic time."""
    chain = [paper(n, key=f"doi:10.5555/{n}", aliases=(f"doi:10.5555/{n + 1}",)) for n in range(10_000)]

    (work,) = fold(chain)

    assert 10_001 == len(identifiers(work))


@given(papers())
def test_a_paper_merged_with_itself_is_itself(one: Paper) -> None:
    assert one == merge(one, one)


@given(papers(), papers())
def test_identifiers_do_not_depend_on_the_order(one: Paper, two: Paper) -> None:
    there, back = merge(one, two), merge(two, one)

    assert (there.key, there.aliases) == (back.key, back.aliases)
    assert (there.title, there.abstract, there.authors) == (back.title, back.abstract, back.authors)
    assert set(identifiers(there)) == {*identifiers(one), *identifiers(two)}


@given(papers(), papers(), papers())
def test_identifiers_do_not_depend_on_the_grouping(one: Paper, two: Paper, three: Paper) -> None:
    left, right = merge(merge(one, two), three), merge(one, merge(two, three))

    assert (left.key, left.aliases) == (right.key, right.aliases)


@given(st.lists(papers(), min_size=1, max_size=4))
def test_what_was_merged_already_changes_nothing(reports: list[Paper]) -> None:
    """Pulling the same batches again must not rewrite a stored paper."""
    merged = reduce(merge, reports)

    assert [merged] * len(reports) == [merge(merged, report) for report in reports]


@given(st.lists(papers(), min_size=1, max_size=4))
def test_no_badge_is_ever_lost(reports: list[Paper]) -> None:
    merged = reduce(merge, reports)

    filled = {name for name in BADGES if any(getattr(report, name) for report in reports)}
    assert filled == {name for name in BADGES if getattr(merged, name)}
    assert {name for report in reports for name in report.sources} == set(merged.sources)


@given(st.lists(papers(), max_size=8))
def test_folding_twice_changes_nothing_and_no_identifier_is_in_two_works(reports: list[Paper]) -> None:
    works = fold(reports)

    names = [name for work in works for name in identifiers(work)]
    assert works == fold(works)
    assert len(set(names)) == len(names)
    assert all(sum(name.startswith("arxiv:") for name in identifiers(work)) <= 1 for work in works)
    everything = {name for report in reports for name in identifiers(report)}
    lost = everything.difference(names)
    assert all(name.startswith("arxiv:") for name in lost)
    assert lost.isdisjoint(report.key for report in reports)
