"""Which papers match, in which order, and why."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.curate.query import parse
from digest.curate.rank import Ranking, Scored
from digest.model import Match, Paper
from tests.makers import paper

#: what `min_score` a careful subscriber would set
FLOOR = 0.2


def numbered(*titles: str) -> list[Paper]:
    return [paper(number, title=title, abstract="") for number, title in enumerate(titles, 1)]


def ranked(papers: Sequence[Paper], *entries: str, related: bool = False) -> tuple[Scored, ...]:
    return Ranking(papers).rank([parse(entry) for entry in entries], related=related)


def titles(papers: Sequence[Paper], *entries: str, related: bool = False) -> list[str]:
    return [scored.paper.title for scored in ranked(papers, *entries, related=related)]


#: an invented day
CORPUS = [
    paper(1, title="Sparse Mixture of Experts for Speech", abstract="We route tokens to experts with a learned gate."),
    paper(2, title="Balanced Routing", abstract="A mixture-of-experts (MoE) layer routes each token to few experts."),
    paper(3, title="MoE on Phones", abstract="Gated layers route tokens on small devices."),
    paper(4, title="Human Experts Disagree", abstract="We ask a mixture of annotators, among them many experts."),
    paper(5, title="Gates and Tokens", abstract="A gate routes tokens to layers; load is balanced by a learned gate."),
    paper(6, title="Optimal Transport of Sand", abstract="A dune moves."),
    paper(7, title="An Optimizer for Dunes", abstract="Sand is moved."),
    paper(8, title="Whales Sing", abstract="Songs of whales."),
]


def test_a_title_comes_before_an_abstract_and_a_phrase_before_its_words() -> None:
    first, second, *others = titles(CORPUS, "mixture of experts")

    assert ["Sparse Mixture of Experts for Speech", "Balanced Routing"] == [first, second]
    assert {"MoE on Phones", "Human Experts Disagree"} == set(others)


def test_an_acronym_is_known_by_what_a_paper_of_the_batch_says_it_means() -> None:
    assert "Sparse Mixture of Experts for Speech" in titles(CORPUS, "MoE")
    assert ["MoE on Phones", "Balanced Routing"] == titles(CORPUS, '"MoE"')


def test_the_word_as_typed_comes_before_another_word_of_the_same_stem() -> None:
    assert ["An Optimizer for Dunes", "Optimal Transport of Sand"] == titles(CORPUS, "optimizer")


def test_a_paper_like_those_that_match_is_related_but_does_not_match() -> None:
    related = [scored for scored in ranked(CORPUS, "MoE", related=True) if not scored.matches]

    assert "Gates and Tokens" == related[0].paper.title
    assert "Gates and Tokens" not in titles(CORPUS, "MoE")


def test_listing_related_papers_leaves_the_order_of_the_matching_ones_as_it_is() -> None:
    everything = ranked(CORPUS, "mixture of experts", "sand", related=True)

    assert titles(CORPUS, "mixture of experts", "sand") == [s.paper.title for s in everything if s.matches]


def test_a_paper_of_more_keywords_comes_first() -> None:
    papers = numbered("Whales in Fjords", "Whales", "Fjords", "Sand")

    assert "Whales in Fjords" == titles(papers, "whales", "fjords")[0]


def test_a_weight_decides_between_equal_papers() -> None:
    papers = numbered("Whales", "Fjords")

    assert ["Whales", "Fjords"] == titles(papers, "whales^2", "fjords")
    assert ["Fjords", "Whales"] == titles(papers, "whales", "fjords^2")


def test_equal_papers_are_in_the_order_of_their_keys_whatever_the_order_of_the_batch() -> None:
    papers = [paper(number, title="Whales", abstract="") for number in range(20)]
    shuffled = random.Random(4).sample(papers, len(papers))

    assert [one.key for one in papers] == [scored.paper.key for scored in ranked(shuffled, "whales")]


def test_a_paper_that_an_entry_excludes_is_gone() -> None:
    papers = numbered("An AI Accelerator", "The Beam of an Accelerator", "Accelerators for AI")

    assert {papers[1].title, papers[2].title} == set(titles(papers, "accelerator", "-AI accelerator"))


def test_an_exclusion_takes_only_the_words_as_typed() -> None:
    """Porter's stemmer makes one word of general and generation; nobody would see what was taken away."""
    papers = numbered("Image Generation", "General Relativity")

    assert ["Image Generation"] == titles(papers, "generation", "-general")


def test_a_required_entry_is_a_condition_and_no_reason_of_its_own() -> None:
    papers = [
        paper(1, title="Whales", categories=("q-bio.PE",)),
        paper(2, title="Whales", categories=("cs.SD",)),
        paper(3, title="Sand", categories=("cs.SD",)),
    ]

    assert [papers[1].key] == [scored.paper.key for scored in ranked(papers, "+cat:cs.*", "whales")]
    assert {papers[1].key, papers[2].key} == {scored.paper.key for scored in ranked(papers, "+cat:cs.SD")}


def test_without_an_entry_that_looks_for_something_nothing_matches() -> None:
    assert () == ranked(CORPUS)
    assert () == ranked(CORPUS, "-whales")
    assert () == ranked([], "whales", related=True)


@pytest.mark.parametrize(
    ("entry", "matches"),
    [
        ('author:"Yann LeCun"', ("Yann LeCun", "Y. LeCun", "LeCun, Yann", "Yann A. LeCun")),
        ("author:lecun", ("Yann LeCun", "Y. LeCun", "LeCun, Yann", "Yann A. LeCun")),
        ('author:"Y. LeCun"', ("Yann LeCun", "Y. LeCun", "LeCun, Yann", "Yann A. LeCun")),
        ('author:"Yann Martel"', ()),
        ("author:muller", ("Zoë Müller",)),
        ("author:Mart*", ("Jean Martin",)),
        ("author:Y", ()),
    ],
)
def test_an_author_is_found_by_the_parts_of_the_name(entry: str, matches: tuple[str, ...]) -> None:
    names = ("Yann LeCun", "Y. LeCun", "LeCun, Yann", "Yann A. LeCun", "Yann Li", "Zoë Müller", "Jean Martin")
    papers = [paper(number, authors=("Ada Lovelace", name)) for number, name in enumerate(names)]

    found = {name for scored in ranked(papers, entry) for match in scored.matches for name in match.words}
    assert set(matches) == found


def test_two_authors_do_not_make_up_one() -> None:
    assert () == ranked([paper(1, authors=("Yann Martel", "Marie LeCun"))], 'author:"Yann LeCun"')


def test_a_category_holds_those_below_it() -> None:
    papers = [
        paper(number, categories=codes)
        for number, codes in enumerate([("cs.CL", "cs.LG"), ("cs.CLX",), ("hep-th",), ("CS.cl",)])
    ]

    def keys(entry: str) -> set[str]:
        return {scored.paper.key for scored in ranked(papers, entry)}

    assert {papers[0].key, papers[3].key} == keys("cat:cs.CL")
    assert {papers[0].key, papers[1].key, papers[3].key} == keys("cat:cs") == keys("cat:cs.*")
    assert {papers[2].key} == keys("cat:hep*")


def test_topics_count_as_text_and_organizations_only_when_asked_for() -> None:
    papers = [
        paper(1, title="A", abstract="", ai_keywords=("flow matching", "sampling")),
        paper(2, title="B", abstract="", organization="Flow Matching Institute"),
    ]

    assert [papers[0].key] == [scored.paper.key for scored in ranked(papers, "flow matching")]
    assert [papers[0].key] == [scored.paper.key for scored in ranked(papers, "topic:flow*")]
    assert [papers[1].key] == [scored.paper.key for scored in ranked(papers, "org:flow matching institute")]


def test_what_says_most_is_told_first_in_whatever_order_entries_are_typed() -> None:
    papers = [paper(1, title="Whales Sing", abstract="Whales in cold fjords, and other songs.")]
    entries = ["cold fjords", "whales^3", "songs^0.1", "author:Lovelace"]

    (there,), (back,) = ranked(papers, *entries), ranked(papers, *entries[::-1])

    assert there.matches == back.matches
    assert "whales^3" == there.matches[0].keyword
    assert sorted((match.score for match in there.matches), reverse=True) == [match.score for match in there.matches]


def test_every_match_says_where_and_in_which_words_of_the_paper() -> None:
    papers = [
        paper(
            1,
            title=r"S$^{2}$FT: a $\beta$-VAE of Mixture-of-Experts",
            abstract="Mixtures of Experts (MoE) route; MoE again.",
            authors=("Yann LeCun",),
            categories=("cs.LG", "cs.CL"),
        )
    ]
    entries = ["mixture of experts", "S^2FT", "-survey", "title:β-VAE", "author:LeCun", "cat:cs.CL", "whales"]

    (scored,) = ranked(papers, *entries)
    assert {
        Match("mixture of experts", ("title", "abstract"), ("Mixture-of-Experts", "Mixtures of Experts", "MoE")),
        Match("S^2FT", ("title",), ("S$^{2}$FT",)),
        Match("title:β-VAE", ("title",), (r"\beta$-VAE",)),
        Match("author:LeCun", ("author",), ("Yann LeCun",)),
        Match("cat:cs.CL", ("category",), ("cs.CL",)),
    } == {Match(match.keyword, match.fields, match.words) for match in scored.matches}
    assert all(match.score > 0 for match in scored.matches)
    # what else speaks for a paper is its likeness to the best ones
    assert 1 - math.exp(-sum(match.score for match in scored.matches) / 2) <= scored.score


def test_a_marked_piece_takes_the_tex_braces_with_it_that_it_opens() -> None:
    (scored,) = ranked([paper(1, title=r"On $L_{1}$ and Andr{\'e}")], "L1", "andre")

    assert ["L_{1}", r"Andr{\'e}"] == [word for match in scored.matches for word in match.words]


# --- the scale ----------------------------------------------------------------------------------------------------


@given(st.integers(1, 400), st.integers(0, 100))
@settings(max_examples=15, deadline=None)
def test_one_clean_title_match_passes_the_floor_however_large_the_batch(others: int, share: int) -> None:
    """Unless the word is in more than a third of the papers, where it says nothing."""
    common = others * share // 300
    papers = [
        paper(number, title="Whales and other animals", abstract="Nothing of note is said about them here.")
        if number < common
        else paper(number, title="Sand and other rocks", abstract="Nothing of note is said about them here.")
        for number in range(others)
    ]

    (scored, *_) = ranked([*papers, paper(9999, title="Whales and other animals")], "whales")
    assert FLOOR < scored.score < 1


def test_words_apart_from_each_other_in_a_long_text_do_not_match() -> None:
    far = "robot " + "filler " * 20 + "manipulation"

    assert () == ranked([paper(1, title="A", abstract=far), *CORPUS], "robot manipulation")


def test_the_heaviest_weights_leave_a_score_below_one() -> None:
    (first, *_) = ranked(CORPUS, *(f"{word}^100" for word in ("mixture of experts", "speech", "sparse", "gate")))

    assert 0.99 < first.score < 1
    assert first.matches


@pytest.mark.parametrize("entry", ["whales^0.000000000001", f"((whales^0.{'0' * 200}1)^0.{'0' * 200}1)"])
def test_a_weight_next_to_nothing_leaves_a_match(entry: str) -> None:
    (scored,) = ranked(numbered("Whales"), entry)

    (match,) = scored.matches
    assert (entry, ("title",), ("Whales",)) == (match.keyword, match.fields, match.words)
    assert 0 < match.score < 1e-9


def test_more_and_heavier_entries_than_anybody_has_stop_nothing() -> None:
    ranking, heavy = Ranking(numbered("Whales", "Sand")), parse("((whales^100)^100)^100")

    assert ["Whales"] == [scored.paper.title for scored in ranking.rank([heavy] * 16_000)]
    assert len(ranking.rank([heavy] * 16_384)) <= 1


_WORDS = st.sampled_from(["whale", "song", "sand", "dune", "gate", "token", "expert", "mixture", "route", "moves"])
_TITLES = st.lists(_WORDS, min_size=1, max_size=6).map(" ".join)


@given(st.lists(_TITLES, min_size=1, max_size=12), st.lists(_WORDS, min_size=1, max_size=4), _WORDS)
@settings(max_examples=60, deadline=None)
def test_another_keyword_never_loses_a_paper(texts: list[str], keywords: list[str], another: str) -> None:
    papers = numbered(*texts)

    before = {scored.paper.key for scored in ranked(papers, *keywords)}
    assert before <= {scored.paper.key for scored in ranked(papers, *keywords, another)}


@given(st.lists(_TITLES, min_size=1, max_size=12), st.lists(_WORDS, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_the_order_of_papers_and_entries_makes_no_difference(texts: list[str], keywords: list[str]) -> None:
    papers = numbered(*texts)
    forth = ranked(papers, *keywords)
    back = ranked(papers[::-1], *keywords[::-1])

    assert [scored.paper for scored in forth] == [scored.paper for scored in back]
    assert [scored.score for scored in forth] == pytest.approx([scored.score for scored in back])


# --- trying an entry ------------------------------------------------------------------------------------------------


def test_matching_shows_what_an_excluding_entry_would_leave_out() -> None:
    assert ["Whales Sing"] == [scored.paper.title for scored in Ranking(CORPUS).matching(parse("-whales"))]


@pytest.mark.parametrize("entry", ["experts", "mixture of experts", "general", "title:experts", "experts OR general"])
def test_what_an_excluding_entry_is_said_to_leave_out_is_what_it_leaves_out(entry: str) -> None:
    papers = numbered(
        "Mixture of Experts", "Experts in a Mixture", "An Expert on Generation", "Generations", "A General"
    )
    everything = "mixture OR expert* OR gener*"
    kept = {scored.paper.title for scored in Ranking(papers).rank([parse(everything), parse(f"-({entry})")])}

    said = {scored.paper.title for scored in Ranking(papers).matching(parse(f"-({entry})"))}

    assert said == {one.title for one in papers} - kept


def test_near_misses_have_most_of_the_words_but_do_not_match() -> None:
    papers = numbered("Robot Vision", "Vision Language Action", "Action without a Name of Vision", "Sand")

    assert ["Action without a Name of Vision"] == [
        scored.paper.title for scored in Ranking(papers).near_misses(parse('"vision language action"'), 5)
    ]
    assert () == Ranking(papers).near_misses(parse('"vision language action"'), 0)
    assert () == Ranking(papers).near_misses(parse("sand"), 5)
