"""The decision of one pull: what becomes known, what is news, what is remembered and said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.curate.freshness import fingerprint
from digest.curate.intake import Intake, SourceRule, decide
from digest.curate.merge import identifiers
from digest.model import Batch, DaySignals, Paper, SourceMemory, StoredPaper, Validators, Verdict
from tests.makers import NOW, TODAY, paper, signals

YESTERDAY = NOW - timedelta(days=1)
#: a Tuesday's noon, when Tuesday's batch of arXiv is overdue
NOON = datetime(2026, 9, 15, 12, 0, tzinfo=UTC)
RULES = {
    "arxiv": SourceRule(first_run_max=None, calendar="arxiv", display="arxiv"),
    "huggingface": SourceRule(first_run_max=2, calendar="weekdays", display="huggingface"),
    "journal": SourceRule(first_run_max=2, calendar=None, display="journal"),
}


def batch(*papers: Paper, source: str = "arxiv", **fields: Any) -> Batch:
    return Batch(source, papers, **fields)


def hf(number: int, **fields: Any) -> Paper:
    """The same work as `paper(number)`, as Hugging Face lists it."""
    values: dict[str, Any] = {"sources": ("huggingface",), "version": None, "categories": ()}
    return paper(number, **(values | fields))


def stored(one: Paper, *, at: datetime = YESTERDAY, edition: date | None = date(2026, 9, 14)) -> StoredPaper:
    return StoredPaper(one, at, edition)


def memory(source: str = "arxiv", **fields: Any) -> SourceMemory:
    """A source pulled yesterday, with success and something new."""
    values: dict[str, Any] = {"first_pull_at": YESTERDAY, "last_pull_at": YESTERDAY, "last_fresh_at": YESTERDAY}
    return SourceMemory(source, **(values | fields))


def shelf(papers: Iterable[StoredPaper]) -> dict[str, StoredPaper]:
    return {name: one for one in papers for name in identifiers(one.paper)}


def pull(
    *batches: Batch,
    known: Iterable[StoredPaper] = (),
    memories: Iterable[SourceMemory] = (),
    sources: Mapping[str, SourceRule] = RULES,
    now: datetime = NOW,
    allow_flood: bool = False,
) -> Intake:
    return decide(
        batches,
        shelf(known),
        {one.name: one for one in memories},
        sources,
        now=now,
        flood_factor=3.0,
        flood_min=4,
        allow_flood=allow_flood,
    )


def counts(**numbers: int) -> dict[str, int]:
    return {"papers": 0, "new": 0, "noted": 0, "elsewhere": 0, "updated": 0, "repeats": 0} | numbers


def test_a_first_pull_stores_the_batch_and_remembers_it() -> None:
    validators = {"https://rss.arxiv.org/atom/cs.LG": Validators(etag='"1"')}

    expected = Intake(
        stored=(stored(paper(1), at=NOW, edition=TODAY), stored(paper(2), at=NOW, edition=TODAY)),
        memories=(
            SourceMemory(
                "arxiv",
                first_pull_at=NOW,
                last_pull_at=NOW,
                last_fresh_at=NOW,
                fingerprint=fingerprint([paper(1), paper(2)]),
                validators=validators,
            ),
        ),
        verdicts=(
            Verdict("source", "arxiv", "fresh", "arxiv: first pull: 2 papers, 2 new", NOW, counts(papers=2, new=2)),
        ),
    )
    assert expected == pull(batch(paper(1), paper(2), validators=validators))


def test_two_sources_with_the_same_paper_store_one_work_and_what_each_said() -> None:
    found = pull(
        batch(paper(1), paper(2)),
        batch(hf(2, signals=signals(upvotes=7)), hf(3), source="huggingface"),
        memories=[memory(), memory("huggingface")],
    )

    both = paper(2, sources=("arxiv", "huggingface"), signals=signals(upvotes=7))
    assert tuple(stored(one, at=NOW, edition=TODAY) for one in (paper(1), both, hf(3))) == found.stored
    assert ((both.key, DaySignals("huggingface", TODAY, signals(upvotes=7), NOW)),) == found.signals
    assert [
        "arxiv: 2 papers, 2 new",
        "huggingface: 2 papers, 1 new, 1 known from other sources",
    ] == [verdict.sentence for verdict in found.verdicts]


def test_the_same_batch_an_hour_later_changes_only_the_time_of_the_last_pull() -> None:
    first = pull(batch(paper(1), paper(2)), memories=[memory()])
    later = NOW + timedelta(hours=1)

    again = pull(batch(paper(1), paper(2)), known=first.stored, memories=first.memories, now=later)

    sentence = "arxiv: the same 2 papers as last time; the next batch is due Wed 16 Sep 04:00 UTC"
    assert again == Intake(
        memories=(replace(first.memories[0], last_pull_at=later),),
        verdicts=(Verdict("source", "arxiv", "unchanged", sentence, later, counts(papers=2, repeats=2)),),
    )


def test_a_feed_that_repeats_yesterday_with_fresh_dates_is_stale() -> None:
    yesterdays = (paper(1), paper(2))
    redated = [replace(one, published=NOON) for one in yesterdays]

    found = pull(batch(*redated), known=[stored(one) for one in yesterdays], memories=[memory(most_new=2)], now=NOON)

    sentence = "arxiv: 2 papers, all seen before, though a batch was due since Tue 15 Sep 04:00 UTC"
    assert () == found.stored
    assert (
        Verdict("source", "arxiv", "stale", sentence, NOON, counts(papers=2, repeats=2), trouble=True),
    ) == found.verdicts


def test_an_empty_feed_on_a_sunday_is_no_trouble_and_leaves_the_fingerprint() -> None:
    sunday = datetime(2026, 9, 20, 12, 0, tzinfo=UTC)
    before = memory(fingerprint="f", last_fresh_at=datetime(2026, 9, 18, 6, 0, tzinfo=UTC))

    found = pull(batch(), memories=[before], now=sunday)

    sentence = "arxiv: an empty list, as always on a weekend; the next batch is due Mon 21 Sep 04:00 UTC"
    assert found == Intake(
        memories=(replace(before, last_pull_at=sunday),),
        verdicts=(Verdict("source", "arxiv", "empty", sentence, sunday, counts()),),
    )


def test_a_list_of_papers_known_from_elsewhere_is_fresh() -> None:
    """Every paper on Hugging Face's list was on arXiv before; the list is today's all the same."""
    found = pull(batch(hf(1), source="huggingface"), known=[stored(paper(1))], memories=[memory("huggingface")])

    assert ("fresh", 0) == (found.verdicts[0].finding, found.verdicts[0].counts["new"])
    assert NOW == found.memories[0].last_fresh_at
    assert (stored(paper(1, sources=("arxiv", "huggingface"))),) == found.stored


def test_a_new_version_of_a_known_paper_is_stored_and_no_news() -> None:
    second = paper(1, title="Better", version=2, announce="replace")

    found = pull(batch(second), known=[stored(paper(1))], memories=[memory()])

    assert (stored(paper(1, title="Better", version=2)),) == found.stored
    assert "arxiv: 1 paper, 0 new, 1 in a newer version" == found.verdicts[0].sentence


@pytest.mark.parametrize(
    ("mail_replacements", "edition", "sentence"),
    [
        (False, None, "arxiv: 2 papers, 1 new, 1 older in a new version and only noted"),
        (True, TODAY, "arxiv: 2 papers, 2 new"),
    ],
)
def test_a_replacement_of_a_paper_never_seen_is_mailed_only_if_asked_for(
    mail_replacements: bool, edition: date | None, sentence: str
) -> None:
    rule = replace(RULES["arxiv"], mail_replacements=mail_replacements)
    revised = paper(1, version=3, announce="replace-cross")

    found = pull(batch(revised, paper(2)), memories=[memory()], sources={"arxiv": rule})

    assert (stored(revised, at=NOW, edition=edition), stored(paper(2), at=NOW, edition=TODAY)) == found.stored
    assert sentence == found.verdicts[0].sentence


def test_of_a_first_pull_only_the_newest_may_be_mailed() -> None:
    """Newest by date; of equals the one listed first; undated ones last."""
    undated = paper(1, published=None, sources=("journal",))
    old = paper(2, published=YESTERDAY, sources=("journal",))
    new, as_new = (paper(n, published=NOW, sources=("journal",)) for n in (3, 4))
    third = paper(5, published=NOW, sources=("journal",))

    found = pull(batch(undated, old, new, as_new, third, source="journal"))

    assert [(undated, None), (old, None), (new, TODAY), (as_new, TODAY), (third, None)] == [
        (one.paper, one.edition) for one in found.stored
    ]
    assert "journal: first pull: 2 newest of 5 may be mailed, 3 only noted" == found.verdicts[0].sentence


def test_an_empty_first_answer_does_not_use_up_the_first_pull() -> None:
    found = pull(batch(source="journal"))

    (after,) = found.memories
    assert (None, NOW) == (after.first_pull_at, after.last_pull_at)


def test_what_one_source_only_notes_is_mailed_if_another_brings_it_as_new_at_once() -> None:
    backlog = [hf(n, published=YESTERDAY + timedelta(minutes=n)) for n in (1, 2, 3)]

    found = pull(batch(*backlog, source="huggingface"), batch(paper(1)), memories=[memory()])

    assert {one.key: TODAY for one in backlog} == {one.paper.key: one.edition for one in found.stored}
    assert [
        "huggingface: first pull: 2 newest of 3 may be mailed, 1 only noted",
        "arxiv: 1 paper, 0 new, 1 known from other sources",
    ] == [verdict.sentence for verdict in found.verdicts]


def test_a_paper_only_noted_stays_so_when_another_source_lists_it_later() -> None:
    found = pull(
        batch(hf(1, signals=signals(upvotes=90)), source="huggingface"),
        known=[stored(paper(1), edition=None)],
        memories=[memory("huggingface")],
    )

    richer = paper(1, sources=("arxiv", "huggingface"), signals=signals(upvotes=90))
    assert (stored(richer, edition=None),) == found.stored


def test_a_flood_is_refused_as_a_whole_and_other_sources_go_on() -> None:
    flood = [paper(n, signals=signals(upvotes=1)) for n in range(1, 8)]
    before = memory(most_new=2, validators={"u": Validators("old")}, failures=1)

    found = pull(
        batch(*flood, validators={"u": Validators("new")}),
        batch(hf(7), source="huggingface"),
        memories=[before, memory("huggingface")],
    )

    assert (stored(hf(7), at=NOW, edition=TODAY),) == found.stored
    assert () == found.signals
    assert replace(before, failures=2) == found.memories[0]
    assert found.verdicts[0] == Verdict(
        "source",
        "arxiv",
        "failed",
        "arxiv: 7 new papers at once, far more than ever before (2); nothing was stored. "
        "If this is right, run `digest pull --allow-flood`",
        NOW,
        counts(papers=7, new=7),
        trouble=True,
    )
    assert "huggingface: 1 paper, 1 new" == found.verdicts[1].sentence


@pytest.mark.parametrize(
    ("number", "most_new", "allow_flood", "refused"),
    [
        pytest.param(6, 2, False, False, id="three times as many as ever"),
        pytest.param(7, 2, False, True, id="more than that"),
        pytest.param(7, 2, True, False, id="allowed"),
        pytest.param(4, 1, False, False, id="not more than flood_min"),
        pytest.param(5, 1, False, True, id="more than flood_min"),
        pytest.param(9, 0, False, False, id="nothing to compare with"),
    ],
)
def test_a_flood_is_more_than_both_limits(number: int, most_new: int, allow_flood: bool, refused: bool) -> None:
    papers = [paper(n) for n in range(number)]

    found = pull(batch(*papers), memories=[memory(most_new=most_new)], allow_flood=allow_flood)

    assert ("failed" if refused else "fresh") == found.verdicts[0].finding
    assert (0 if refused else number) == len(found.stored)
    assert (most_new if refused else max(most_new, number)) == found.memories[0].most_new


def test_a_first_pull_sets_no_measure_for_floods() -> None:
    assert 0 == pull(batch(*(paper(n) for n in range(9)))).memories[0].most_new


def test_a_failed_pull_is_counted_and_nothing_else_is_remembered() -> None:
    before = memory(validators={"u": Validators("old")})

    found = pull(batch(failure="HTTP 503", validators={"u": Validators("new")}), memories=[before])

    assert found == Intake(
        memories=(replace(before, failures=1),),
        verdicts=(Verdict("source", "arxiv", "failed", "arxiv: HTTP 503", NOW, counts(), trouble=True),),
    )


def test_a_pull_that_failed_in_part_stores_the_rest_and_asks_again_for_everything() -> None:
    before = memory(validators={"u": Validators("old")})

    found = pull(batch(paper(1), failure="cs.AI: HTTP 503", validators={"u": Validators("new")}), memories=[before])

    assert (stored(paper(1), at=NOW, edition=TODAY),) == found.stored
    assert (
        replace(
            before,
            last_pull_at=NOW,
            last_fresh_at=NOW,
            fingerprint=fingerprint([paper(1)]),
            failures=1,
            most_new=1,
        ),
    ) == found.memories


def test_not_modified_changes_the_time_of_the_last_pull_and_ends_a_row_of_failures() -> None:
    before = memory(fingerprint="f", validators={"u": Validators("old")}, failures=2)

    found = pull(batch(not_modified=True), memories=[before])

    assert (replace(before, last_pull_at=NOW, failures=0),) == found.memories


def test_two_known_works_that_turn_out_to_be_one_keep_the_older_dates() -> None:
    preprint = stored(paper(1), at=YESTERDAY)
    article = stored(
        paper(2, key="doi:10.5555/1", title="On the Number 1", abstract="", version=None, sources=("journal",)),
        at=YESTERDAY - timedelta(days=30),
        edition=None,
    )
    bridge = paper(1, aliases=("doi:10.5555/1",))

    found = pull(batch(bridge), known=[preprint, article], memories=[memory()])

    assert {"doi:10.5555/1": "arxiv:2609.00001"} == found.absorbed
    (one,) = found.stored
    assert ("arxiv:2609.00001", ("doi:10.5555/1",)) == (one.paper.key, one.paper.aliases)
    assert (article.first_seen_at, preprint.edition) == (one.first_seen_at, one.edition)


def test_two_known_works_of_two_editions_stay_in_the_earlier_one() -> None:
    earlier = stored(paper(2, key="doi:10.5555/1"), at=YESTERDAY - timedelta(days=2), edition=date(2026, 9, 12))

    found = pull(batch(paper(1, aliases=("doi:10.5555/1",))), known=[stored(paper(1)), earlier], memories=[memory()])

    assert [(earlier.first_seen_at, earlier.edition)] == [(one.first_seen_at, one.edition) for one in found.stored]


def test_a_work_known_by_its_doi_moves_to_its_arxiv_key() -> None:
    article = stored(paper(1, key="doi:10.5555/1", version=None, sources=("journal",)))

    found = pull(batch(paper(1, aliases=("doi:10.5555/1",))), known=[article], memories=[memory()])

    assert {"doi:10.5555/1": "arxiv:2609.00001"} == found.absorbed
    assert ["arxiv:2609.00001"] == [one.paper.key for one in found.stored]
    assert "arxiv: 1 paper, 0 new, 1 known from other sources" == found.verdicts[0].sentence


def test_a_work_known_only_through_another_sources_alias_is_not_new() -> None:
    """The journal names a DOI that nobody stored; arXiv, in the same pull, says which known paper that is."""
    article = paper(1, key="doi:10.5555/1", version=None, sources=("journal",), signals=signals(comments=2))
    preprint = paper(1, aliases=("doi:10.5555/1",))

    found = pull(
        batch(article, source="journal"),
        batch(preprint),
        known=[stored(paper(1))],
        memories=[memory(), memory("journal")],
    )

    assert [("arxiv:2609.00001", YESTERDAY)] == [(one.paper.key, one.first_seen_at) for one in found.stored]
    assert (("arxiv:2609.00001", DaySignals("journal", TODAY, signals(comments=2), NOW)),) == found.signals
    assert "journal: 1 paper, 0 new, 1 known from other sources" == found.verdicts[0].sentence


def test_the_source_is_credited_even_if_its_papers_do_not_name_it() -> None:
    found = pull(batch(paper(1, sources=())))

    assert ("arxiv",) == found.stored[0].paper.sources


NAMES = st.sampled_from([f"{kind}{n}" for kind in ("arxiv:2609.0000", "doi:10.5555/") for n in range(4)])


@st.composite
def reports(draw: st.DrawFn) -> Paper:
    key, *aliases = draw(st.lists(NAMES, min_size=1, max_size=2, unique=True).map(sorted))
    return Paper(
        key=key,
        aliases=tuple(aliases),
        title=draw(st.sampled_from(["On One", "On Two"])),
        version=draw(st.none() | st.integers(1, 2)),
        announce=draw(st.sampled_from(["new", "replace"])),
        signals=signals(upvotes=draw(st.integers(0, 2))),
    )


@given(st.lists(reports(), max_size=5), st.lists(reports(), max_size=5), st.lists(reports(), max_size=5))
def test_a_pull_repeated_after_it_was_stored_finds_nothing_to_store(
    before: list[Paper], one: list[Paper], two: list[Paper]
) -> None:
    """Whatever was known: works stay apart, keep the day they were seen first, and are new once."""
    known = pull(batch(*before)).stored
    batches = (batch(*one), batch(*two, source="journal"))
    first = pull(*batches, known=known, now=NOON)
    moved = {old.paper.key: old for old in known if old.paper.key not in first.absorbed}
    now_known = (moved | {new.paper.key: new for new in first.stored}).values()

    again = pull(*batches, known=now_known, memories=first.memories, now=NOON)

    names = [name for kept in now_known for name in identifiers(kept.paper)]
    known_names = {name for old in known for name in identifiers(old.paper)}
    assert len(set(names)) == len(names)
    assert known_names <= set(names)
    assert all((kept.first_seen_at == NOON) == known_names.isdisjoint(identifiers(kept.paper)) for kept in first.stored)
    assert ((), {}) == (again.stored, again.absorbed)
    assert first.signals == again.signals
