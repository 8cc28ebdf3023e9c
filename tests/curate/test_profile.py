"""How what a reader brought and said moves the papers that match their keywords."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.curate.profile import (
    DIRECTION_VERSION,
    HALF_LIFE_DAYS,
    MOST,
    Opinion,
    Profile,
    Profiles,
    Text,
    entry,
)
from digest.curate.query import parse
from digest.curate.rank import Ranking, Standing
from digest.errors import QueryError
from digest.model import FeedbackKind, FeedbackVerb, Paper
from tests.makers import paper

WHALES = Text("Songs of humpback whales", "Whales sing in dialects; we record humpback whales at sea.")
GEARS = Text("Wear of planetary gears", "Gears of steel wear out; lubrication of gears in turbines.")
POOL = [
    paper(1, title="Learning whale songs", abstract="We model dialects of humpback whales.", authors=("Ada Lovelace",)),
    paper(2, title="Learning gear wear", abstract="We model lubrication of planetary gears.", authors=("Bo Li",)),
    paper(3, title="Learning to sort", abstract="We model lists of numbers.", authors=("Ada Lovelace", "Bo Li")),
    *(paper(n, title=f"Cooking rice {n}", abstract="Rice in water.") for n in range(4, 30)),
]
RANKING = Ranking(POOL)
PROFILES = Profiles(RANKING)
#: said so long ago that it moves nothing as far as it could
LONG_AGO = 4 * HALF_LIFE_DAYS


def standing() -> Standing:
    return RANKING.standing([parse("learning")])


def profile(profiles: Profiles, interests: Sequence[tuple[Text, float]], opinions: Sequence[Opinion] = ()) -> Profile:
    (found,) = profiles.of([(profiles.direction(interests) if interests else None, opinions)])
    return found


def applied(*opinions: Opinion, interests: Sequence[tuple[Text, float]] = ()) -> Standing:
    return PROFILES.applied(standing(), profile(PROFILES, interests, opinions))


def moved(*opinions: Opinion, interests: Sequence[tuple[Text, float]] = ()) -> list[float]:
    """What the profile adds to the evidence for papers 1, 2 and 3."""
    after = applied(*opinions, interests=interests)
    assert [0, 1, 2] == after.numbers.tolist()
    added: list[float] = (after.totals - standing().totals)[:3].tolist()
    return added


def said(verb: FeedbackVerb, what: str | Text, kind: FeedbackKind = "paper", age_days: float = 0.0) -> Opinion:
    if isinstance(what, Text):
        return Opinion(verb, kind, "arxiv:2001.00001", age_days, what)
    return Opinion(verb, kind, what, age_days)


def test_papers_like_those_brought_rise() -> None:
    whales, gears, sorting = moved(interests=[(WHALES, 1.0)])

    assert whales > 0.1
    assert whales > sorting
    assert whales > gears


def test_more_and_less_of_a_paper_move_those_like_it_both_ways() -> None:
    more, less = moved(said("more", WHALES)), moved(said("less", WHALES))

    assert more[0] > 0.05
    assert pytest.approx([-change for change in more]) == less


def test_a_second_more_says_more() -> None:
    more = said("more", WHALES, age_days=LONG_AGO)
    once, twice = moved(more), moved(more, more)

    assert once[0] < twice[0] <= MOST


def test_what_was_said_fades_by_half_in_the_half_life() -> None:
    new, old = (moved(said("more", GEARS, age_days=LONG_AGO + more)) for more in (0, HALF_LIFE_DAYS))

    assert pytest.approx(new[1] / 2, abs=1e-6) == old[1]


def test_more_of_an_author_or_word_lifts_their_papers_and_no_others() -> None:
    assert pytest.approx([0.0, MOST, MOST]) == moved(said("more", "Li, Bo", "author"))
    assert pytest.approx([-MOST, 0.0, 0.0]) == moved(said("less", "whale songs", "word"))


@pytest.mark.parametrize(
    ("muted", "left"),
    [
        (said("mute", "Ada Lovelace", "author"), [1]),
        (said("mute", "gears", "word"), [0, 2]),
        (said("mute", "arxiv:2609.00003"), [0, 1]),
        (said("mute", "arxiv:1901.00001"), [0, 1, 2]),
        (said("mute", "…", "word"), [0, 1, 2]),
    ],
)
def test_muted_papers_are_left_out_however_long_ago_it_was_said(muted: Opinion, left: list[int]) -> None:
    after = applied(Opinion(muted.verb, muted.kind, muted.what, age_days=9999.0))

    assert left == after.numbers.tolist()
    gone = {0, 1, 2} - set(left)
    assert gone == (set() if after.excluded is None else gone & set(after.excluded.nonzero()[0].tolist()))


def test_mutes_join_what_keywords_exclude() -> None:
    profiles = Profiles(RANKING)
    before = RANKING.standing([parse("learning"), parse("-gears")])

    after = profiles.applied(before, profile(profiles, [], [said("mute", "whale", "word")]))

    assert after.excluded is not None
    assert ([2], {0, 1}) == (after.numbers.tolist(), set(after.excluded.nonzero()[0].tolist()))


texts = st.sampled_from([WHALES, GEARS, Text("Rice"), Text(""), Text("zzz unheard of")])
opinions = st.builds(
    Opinion, st.sampled_from(("more", "less")), st.just("paper"), st.just("k"), st.floats(0, 1e4), texts
)


@given(st.lists(st.tuples(texts, st.floats(0.01, 100))), st.lists(opinions))
def test_the_addition_is_bounded_and_what_matches_stays_matched(
    interests: list[tuple[Text, float]], given: list[Opinion]
) -> None:
    after = applied(*given, interests=interests)

    assert standing().numbers.tolist() == after.numbers.tolist()
    assert (abs(after.totals - standing().totals) <= MOST + 1e-9).all()


def test_of_a_large_library_the_latest_count() -> None:
    old, new = [(WHALES, 1.0)] * 300, [(GEARS, 1.0)] * 200

    assert moved(interests=new) == moved(interests=[*old, *new])


def test_readers_are_told_the_same_together_as_alone() -> None:
    told = [([(WHALES, 1.0)], []), ([], [said("less", GEARS)]), ([(GEARS, 2.0), (WHALES, 0.5)], [said("more", WHALES)])]
    together = PROFILES.of((PROFILES.direction(i) if i else None, o) for i, o in told * 20)

    for (interests, opinions), found in zip(told * 20, together, strict=True):
        alone = profile(PROFILES, interests, opinions)
        assert alone.lean is not None
        assert found.lean is not None
        assert pytest.approx(alone.lean, abs=2e-6) == found.lean


def test_a_direction_means_the_same_in_another_run() -> None:
    """Whatever the papers were among which it was made."""
    others = Profiles(Ranking([paper(n, title=f"Stars {n}", abstract="Dust in galaxies at sea.") for n in range(40)]))
    interests = [(WHALES, 1.0), (GEARS, 0.5)]
    (found,) = PROFILES.of([(others.direction(interests), [])])
    here = profile(PROFILES, interests)

    assert here.lean is not None
    assert found.lean is not None
    assert pytest.approx(here.lean, abs=0.05) == found.lean


def test_a_direction_that_was_kept_suits_later_runs_until_it_was_made_of_too_few_papers_or_in_another_way() -> None:
    assert PROFILES.suits(DIRECTION_VERSION, len(POOL) // 2 + 1)
    assert not PROFILES.suits(DIRECTION_VERSION, len(POOL) // 2 - 1)
    assert not PROFILES.suits(DIRECTION_VERSION - 1, len(POOL))


def test_whoever_changes_how_directions_are_made_raises_their_version() -> None:
    """Those that states keep would be read as if they were made in the new way. If this fails, raise it."""
    text = Text("Mixture-of-Experts: routing β-VAEs in C++", "We optimise S$^2$FT; Andr\\'e's routed experts don't.")
    made = Profiles(Ranking([paper(1, title="Experts", abstract="")])).direction([(text, 1.0)])

    assert 1 == DIRECTION_VERSION
    assert "rout mixtur of beta vae in c++ expert we optimis s2ft andr dont" == " ".join(made.stems)
    assert [0.054] + [0.047] * 6 + [0.054] + [0.023] * 5 == made.amounts.round(3).tolist()


def test_nothing_said_moves_nothing() -> None:
    before, after = standing(), applied()

    assert (before.totals.tolist(), None) == (after.totals.tolist(), after.excluded)


def test_a_run_without_papers_has_profiles_too() -> None:
    empty: list[Paper] = []
    profiles = Profiles(Ranking(empty))
    lean = profile(profiles, [(WHALES, 1.0)]).lean

    assert lean is not None
    assert [] == lean.tolist()


@pytest.mark.parametrize("what", ["Ada Lovelace", 'say "it"', "C++", "a\\b", "  spaced   out "])
def test_a_name_becomes_an_entry_of_the_keyword_language(what: str) -> None:
    assert not parse(entry("author", what)).excludes
    assert entry("word", what) == parse(entry("word", what)).entry


@pytest.mark.parametrize("what", ["", "…", '""'])
def test_nothing_is_no_entry(what: str) -> None:
    with pytest.raises(QueryError):
        entry("word", what)
