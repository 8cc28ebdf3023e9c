"""The keyword language: what is typed, what it asks for, what is refused and where."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

import digest.curate.query
from digest.curate.entry import LONGEST_ENTRY
from digest.curate.query import And, Boost, Not, Or, Phrase, Query, parse
from digest.curate.rank import Ranking
from digest.errors import QueryError
from tests.makers import paper


def phrase(text: str, **fields: object) -> Phrase:
    return Phrase(tuple(text.split()), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("entry", "node"),
    [
        ("Mixture of Experts", phrase("mixture of experts")),
        ("retrieval and generation", phrase("retrieval and generation")),
        ('"flow matching"', phrase("flow matching", exact=True)),
        ("“flow matching”", phrase("flow matching", exact=True)),
        (r'"say \"hi\""', phrase("say hi", exact=True)),
        ("transform*", phrase("transform", prefix=True)),
        ("vision transform*", phrase("vision transform", prefix=True)),
        ("over*", phrase("over", prefix=True)),
        ('"A* search"', phrase("a search", exact=True)),
        ("C*-algebra", phrase("c algebra")),
        ("title:mixture of experts", phrase("mixture of experts", where="title")),
        ("TITLE: agents", phrase("agents", where="title")),
        ("org:DeepMind", phrase("deepmind", where="organization")),
        ("topic:rl", phrase("rl", where="topic")),
        ('author:"Yann LeCun"', phrase("yann lecun", where="author", exact=True)),
        ("cat:cs.CL", phrase("cs.cl", where="category", exact=True)),
        ("cat:cs.*", phrase("cs.", where="category", exact=True, prefix=True)),
        ("reasoning^2", Boost(phrase("reasoning"), 2.0)),
        ("S^2FT", phrase("s2ft")),
        ("foo^abc", phrase("fooabc")),
        ("vision transform*^.5", Boost(phrase("vision transform", prefix=True), 0.5)),
        ("MoE OR experts", Or((phrase("moe"), phrase("experts")))),
        ("a1 AND b1 OR c1", Or((And((phrase("a1"), phrase("b1"))), phrase("c1")))),
        ("diffusion (image OR video)", And((phrase("diffusion"), Or((phrase("image"), phrase("video")))))),
        (
            "cat:cs.CL flow matching OR diffusion",
            And(
                (
                    phrase("cs.cl", where="category", exact=True),
                    Or((phrase("flow matching"), phrase("diffusion"))),
                )
            ),
        ),
        (
            "cat:(cs.CL OR cs.LG)",
            Or((phrase("cs.cl", where="category", exact=True), phrase("cs.lg", where="category", exact=True))),
        ),
        ("(MoE OR experts)^1.5", Boost(Or((phrase("moe"), phrase("experts"))), 1.5)),
        ("foo -bar", And((phrase("foo"), Not(phrase("bar"))))),
        ("foo AND NOT title:bar", And((phrase("foo"), Not(phrase("bar", where="title"))))),
        ("foo\tbar\nbaz", phrase("foo bar baz")),
        ("3:1 ratio", phrase("3 1 ratio")),
        ("R & D", phrase("r d")),
        ("What is all you need?", phrase("what is all you need")),
        ("IT", phrase("it")),
    ],
)
def test_an_entry_is_understood(entry: str, node: Phrase | And | Or | Not | Boost) -> None:
    assert Query(entry, node) == parse(entry)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("-AI accelerator", Query("-AI accelerator", phrase("ai accelerator"), excludes=True)),
        ("NOT survey", Query("NOT survey", phrase("survey"), excludes=True)),
        ("-(a1 OR b1)", Query("-(a1 OR b1)", Or((phrase("a1"), phrase("b1"))), excludes=True)),
        ("-a1 -b1", Query("-a1 -b1", Or((phrase("a1"), phrase("b1"))), excludes=True)),
        ("+foo bar", Query("+foo bar", phrase("foo bar"), required=True)),
        ("+foo -bar", Query("+foo -bar", And((phrase("foo"), Not(phrase("bar")))), required=True)),
        ("+C++", Query("+C++", phrase("c++"), required=True)),
    ],
)
def test_a_leading_sign_excludes_or_requires(entry: str, expected: Query) -> None:
    assert expected == parse(entry)


@pytest.mark.parametrize(
    ("entry", "column", "reason"),
    [
        ("", 1, "the entry is empty"),
        (" \t", 1, "the entry is empty"),
        ("-", 1, "nothing follows this -"),
        ("- foo", 1, "nothing follows this -"),
        ("--foo", 1, "nothing follows this -"),
        ("foo +", 5, "nothing follows this +"),
        ("*", 1, "a star cannot begin a word"),
        ("*former", 1, "a star cannot begin a word"),
        ("vis* transformer", 4, "a star can only end a phrase"),
        ("???", 1, "there is no word in '???'"),
        ('""', 1, "there is no word in ''"),
        ("of the", 1, "'of the' is in every paper"),
        ("a*", 1, "'a' is in every paper"),
        ("(foo", 1, "this parenthesis is never closed"),
        ("foo)", 4, "this parenthesis was never opened"),
        ("()", 2, "')' cannot stand here"),
        ('say "foo', 5, "this quotation mark is never closed"),
        ("foo:bar", 1, "there is no field 'foo'"),
        ("deep http://x.y", 6, "there is no field 'http'"),
        ("title:", 1, "nothing follows 'title'"),
        ("title:author:x", 7, "nothing follows the field 'title'"),
        ('cat:"cs.CL cs.LG"', 5, "'cs.CL cs.LG' is not one category"),
        ("foo^0", 4, "the weight '0' is not a number above 0 and up to 100"),
        ("foo^-1", 4, "the weight '-1' is not a number above 0 and up to 100"),
        ("foo^101", 4, "the weight '101' is not a number above 0 and up to 100"),
        ("foo^", 4, "the weight '' is not a number above 0 and up to 100"),
        ('"foo"^x', 6, "the weight 'x' is not a number above 0 and up to 100"),
        ("AND foo", 1, "'AND' cannot stand here"),
        ("foo OR", 5, "nothing follows 'OR'"),
        ("foo AND OR bar", 9, "'OR' cannot stand here"),
        ("foo OR -bar", 8, "an exclusion stands where something to search for is needed"),
        ("NOT -foo", 5, "an exclusion stands where something to search for is needed"),
        ("roust~2", 6, "there is no search for similar spellings (~)"),
        ("(" * 31, 31, "parentheses are nested too deeply"),
        ("x" * (LONGEST_ENTRY + 1), LONGEST_ENTRY + 1, f"the entry is longer than {LONGEST_ENTRY} characters"),
    ],
)
def test_a_mistake_is_named_with_its_column_and_what_to_do(entry: str, column: int, reason: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(entry)

    assert (column, reason) == (caught.value.column, caught.value.reason)
    assert caught.value.hint


_TYPED = st.text(alphabet=st.sampled_from(list("ab1 \"()*^~:+-.,#&'\\{}$_é日\x00\ud800")) | st.characters())
_WRITTEN = st.lists(
    st.sampled_from(["foo", "AND", "OR", "NOT", "(", ")", '"', "title:", "cat:cs.CL", "-", "+", "^2", "*", " "])
).map("".join)


@given(_TYPED | _WRITTEN)
def test_any_text_is_understood_or_refused_and_what_is_understood_can_be_ranked(entry: str) -> None:
    ranking = Ranking([paper(1, title="Foo and Bar"), paper(2, title="b1 — a: β", abstract="")])
    query = refused = None
    try:
        query = parse(entry)
    except QueryError as error:
        refused = error

    if query:
        assert query.entry == entry
        assert all(0 < scored.score < 1 for scored in ranking.rank([query], related=True))
        assert all(scored.matches for scored in ranking.rank([query]))
    else:
        assert refused
        assert 1 <= refused.column <= len(entry) + 1
        assert refused.hint


# --- typed entry → titles it matches and titles it does not --------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "matching", "others"),
    [
        ("mixture of experts", ["A Mixture-of-Experts", "mixtures of expert", "MIXTURE OF EXPERTS!"], ["Experts"]),
        ("robot manipulation", ["Manipulation by Robots"], ["Robot Vision", "Image Manipulation"]),
        ('"robot manipulation"', ["Robot manipulations"], ["Manipulation by Robots", "Robotic manipulation"]),
        ("fine-tuning", ["Finetuning", "fine tuning", "Fine–Tuning"], ["A fine tuna"]),
        ("finetuning", ["Fine-Tuning", "finetuning"], ["Tuning fine"]),
        ("transform*", ["Transformers", "Transformations"], ["Form"]),
        ("generati*", ["Generation", "Generative"], ["General"]),
        ("C++", ["Fast C++"], ["Fast C", "C#"]),
        ("C#", ["A C# compiler"], ["C++", "C major"]),
        (".NET", ["On .NET", "dotnet"], ["A neural net", "Net gains"]),
        ("GPT-4o", ["GPT-4o", "gpt 4o"], ["GPT-4"]),
        ("S^2FT", ["S$^{2}$FT", "S²FT"], ["SFT"]),
        ("k-NN", ["k-NN search", "$k$-NN", "kNN"], ["NN"]),
        ("Q&A", ["Q&A", "Q & A"], ["A Q"]),
        ("L_1", ["$L_1$ loss", "L1"], ["L2"]),
        ("β-VAE", [r"$\beta$-VAE", "beta-VAE"], ["VAE"]),
        ("o1", ["An o1 replication"], ["o 1 k"]),
        ("don't", ["Don’t stop", "dont"], ["Do not"]),
        ("naive bayes", ["Naïve Bayes"], ["Naive"]),
        ("retrieval and generation", ["Retrieval and Generation"], ["Generation"]),
        ("diffusion AND (image OR video)", ["Video Diffusion", "Diffusion of an image"], ["Diffusion", "Video"]),
        ("diffusion -image", ["Video diffusion"], ["Image diffusion"]),
        ("title:agents", ["Agents"], ["Agenda"]),
        ('"AND"', ["and"], ["or"]),
    ],
)
def test_what_an_entry_matches(entry: str, matching: list[str], others: list[str]) -> None:
    titles = [*matching, *others]
    ranking = Ranking([paper(n, title=title, abstract="") for n, title in enumerate(titles)])

    assert set(matching) == {scored.paper.title for scored in ranking.rank([parse(entry)])}


def test_the_examples_in_the_documentation_hold() -> None:
    assert 0 == doctest.testmod(digest.curate.query).failed
