"""Which phrases of a reader's papers make good keywords."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from digest.curate.profile import Opinion, Text, Told
from digest.curate.query import parse
from digest.curate.suggest import phrases
from tests.makers import HOSTILE_TITLE, paper

ARCHIVE = [paper(n, title=f"Large rice fields {n}", abstract="We study rice and water.") for n in range(60)]
OWN = [
    Text("Graph neural networks for rice", "We train graph neural networks. Message passing is slow."),
    Text("Fast message passing", "Message passing in graph neural networks (GNNs) is made fast."),
    Text("Rice by graph neural networks", "The graph neural network sees rice, rice and rice."),
    Text("Proofs", "A paper. We propose a novel method of message passing."),
]


def proposed(
    *opinions: Opinion, texts: list[Text] | None = None, known: tuple[str, ...] = (), most: int = 10
) -> list[str]:
    told = Told([(text, 1.0) for text in (OWN if texts is None else texts)], opinions)
    return [phrase.text for phrase in phrases(told, ARCHIVE, known=known, most=most)]


def test_what_a_readers_papers_share_and_others_have_not_is_proposed_whole() -> None:
    assert ["graph neural networks", "message passing"] == proposed(most=2)


def test_what_everybody_writes_is_not_proposed() -> None:
    assert not {"rice", "method", "novel", "paper", "propose"} & set(proposed())


def test_keywords_that_the_reader_has_are_not_proposed_again() -> None:
    assert "graph neural networks" not in proposed(known=("Graph Neural Network",))


def test_what_known_keywords_find_anyway_is_not_proposed() -> None:
    texts = [Text("A mixture of experts"), Text("Mixtures of experts at sea"), Text("Whales at sea"), Text("Gears")]

    assert "mixture of experts" in proposed(texts=texts)
    assert not {"mixture", "experts"} & set(proposed(texts=texts, known=("Mixture of Experts^2",)))


def test_papers_they_want_less_of_count_against() -> None:
    less = [Opinion("less", "paper", "k", text=OWN[1]), Opinion("less", "paper", "k", text=OWN[3])]

    assert "message passing" not in proposed(*less, Opinion("less", "paper", "k", text=OWN[0]))


def test_words_that_they_want_more_of_come_first() -> None:
    more = [Opinion("more", "word", "State-Space Models"), Opinion("more", "word", "message passing")]

    assert ["state space models", "message passing", "graph neural networks"] == proposed(*more, most=3)
    assert ["state space models"] == proposed(*more, texts=[], known=("message passing",))
    assert [] == proposed(Opinion("more", "word", "of the"), texts=[])


def test_what_has_words_that_they_want_less_of_or_none_is_not_proposed() -> None:
    for said in (Opinion("mute", "word", "Neural Network"), Opinion("less", "word", "networks")):
        assert not any("network" in phrase for phrase in proposed(said, most=50))
        assert "message passing" in proposed(said, most=50)


def test_of_a_few_papers_a_phrase_of_one_is_enough() -> None:
    assert "message passing" in proposed(texts=OWN[3:])


def test_phrases_do_not_reach_over_the_end_of_a_sentence() -> None:
    assert not any("networks message" in phrase for phrase in proposed(texts=OWN[:1], most=50))


def test_nothing_brought_proposes_nothing() -> None:
    assert [] == proposed(texts=[])


@given(st.lists(st.builds(Text, st.text(max_size=40) | st.just(HOSTILE_TITLE), st.text(max_size=60)), max_size=5))
def test_whatever_is_proposed_can_be_typed_as_a_keyword(texts: list[Text]) -> None:
    for phrase in proposed(texts=texts):
        assert not parse(phrase).excludes
