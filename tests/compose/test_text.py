from __future__ import annotations

import doctest
import re
import time
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.compose import card, marking, message, tex, text, words
from digest.compose.text import cut_at_sentence, cut_at_word, http_link, one_line, plain
from tests.makers import HOSTILE_TITLE


@pytest.mark.parametrize("module", [card, marking, message, tex, text, words], ids=lambda module: module.__name__)
def test_examples_in_docstrings_hold(module: object) -> None:
    assert 0 == doctest.testmod(module).failed  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        # accents and letters, as arXiv writes names
        (r"Andr\'e Lima, Erd\H{o}s, G{\"u}nther Wei{\ss}", "André Lima, Erdős, Günther Weiß"),
        (r"Sk\l odowska, S\o ren, \'{\i}, \c{c}, \v Sek", "Skłodowska, Søren, í, ç, Šek"),
        (r"P\\'erez", "Pérez"),
        # commands around words
        (r"A \textbf{new} \emph{kind} of {\em model}, PanGu-{\Sigma}", "A new kind of model, PanGu-Σ"),
        (r"\emph{a $y^2$ b}", "a y² b"),
        (r"50~\% of R\&D, e.g.\ this, \ie that", "50 % of R&D, e.g. this, i.e. that"),
        # mathematics
        (r"$\beta$-VAE, $β$-OPSD, $k$-means", "β-VAE, β-OPSD, k-means"),
        (r"$O(n\log n)$ and $\mathcal{O}(\log\log n)$", "O(n log n) and O(log log n)"),
        (r"$x\in\mathbb{R}^{d}$, $p < 0.05$, $n\geq 3$, 6.01$\times$", "x∈ℝᵈ, p < 0.05, n≥3, 6.01×"),
        (r"$10^{-3}$, $x_{t+1}$, $d_{model}$, $e^{-\beta E}$, $A^\top$", "10⁻³, xₜ₊₁, d_model, e^(-βE), Aᵀ"),
        (r"$\frac{a+b}{c}$, $\sqrt{n}$, $\tilde{O}(n)$, $\|x\|$", "(a+b)/c, √n, Õ(n), ‖x‖"),
        (r"10^{-3} without dollars", "10⁻³ without dollars"),
        # no TeX at all
        ("We gain 10% over SOTA & cost $5", "We gain 10% over SOTA & cost $5"),
        ("$5 to $10, $20,000 and $30,000, $5-$10", "$5 to $10, $20,000 and $30,000, $5-$10"),
        ("US$5 or A$7, C#, #1, ~50, S^2FT, L_1, train_test", "US$5 or A$7, C#, #1, ~50, S^2FT, L_1, train_test"),
        ("``quoted'' -- really --- 1--2 or--not --flag", "“quoted” – really — 1–2 or—not --flag"),
        # what cannot be read stays
        (r"we propose \ours, an \foo{bar}", r"we propose \ours, an \foo{bar}"),
        (r"\today \input{secret} \cite{x}", r"\today \input{secret} \cite{x}"),
        (r"$\begin{matrix}1\end{matrix}$ $\unclosed{", r"$\begin{matrix}1\end{matrix}$ $\unclosed{"),
        (r"(\"decision\")", r"(\"decision\")"),
        # characters that control or hide
        ("a\x00b \u202eabc\u202c d\u200be\ufeff\u00adf\ud800", "a b abc def"),
        ("می‌خواهم 👩‍🔬 a\u200db", "می‌خواهم 👩‍🔬 ab"),
        ("  many\n\n  lines\u2028here\u00a0too ", "many lines here too"),
    ],
)
def test_a_text_reads_as_it_was_meant(raw: str, shown: str) -> None:
    assert shown == plain(raw)


#: texts in which the characters that matter are frequent
TEXTS = st.text(
    st.sampled_from(r"\\\${}^_%&#~'\"`-ab e1=?[]<>.αé专" + "\n\x00\u200b\u200d\u202e\ud800\u0301") | st.characters(),
    max_size=80,
)
#: words that are in no way TeX
WORDS = st.lists(st.text("abcdefgh0123456789éßα专", min_size=1, max_size=8), min_size=1, max_size=8)


@given(TEXTS)
@example(r"$\$x^2\$$")
@example(r"\textbackslash alpha")
@settings(max_examples=300)
def test_cleaning_a_clean_text_changes_nothing(raw: str) -> None:
    assert plain(plain(raw)) == plain(raw)
    assert one_line(one_line(raw)) == one_line(raw)


@given(TEXTS)
@settings(max_examples=300)
def test_nothing_that_controls_or_hides_is_left(raw: str) -> None:
    for cleaned in (plain(raw), one_line(raw)):
        assert not {"Cc", "Cs", "Zl", "Zp"} & {unicodedata.category(character) for character in cleaned}
        assert not re.search("[\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]", cleaned)
        assert "  " not in cleaned


@given(
    WORDS,
    st.lists(
        st.sampled_from([" $", "$ ", " % ", " \\", r" \alpha ", "{", "} ", " & ", "#", "~", " $x^2$ ", "^{", "_"])
    ),
)
@settings(max_examples=300)
def test_no_word_outside_of_commands_is_lost(typed: list[str], noise: list[str]) -> None:
    raw = "".join(f" {word} {noise[place % len(noise)] if noise else ''}" for place, word in enumerate(typed))
    commands = set(re.findall(r"\\([a-z]+)", raw))

    letters = unicodedata.normalize("NFKD", plain(raw))
    assert [] == [word for word in typed if word not in commands and unicodedata.normalize("NFKD", word) not in letters]


@given(TEXTS)
def test_nothing_in_a_header_reads_as_an_encoded_word(raw: str) -> None:
    assert not re.search(r"=\?.*\?=", one_line(raw + "=?utf-8?q?a=0D=0Ab?=" + raw))
    assert len(one_line(raw * 20, 50)) <= 50


@pytest.mark.parametrize(
    "piece",
    ["$", r"\a{", r"{\a ", r"$\a ", "``", "--", "\\\\", r"\'", "x_{", r"{{\a}", "$a", r"\(", "\u200d", "a. ", r"\frac"],
)
def test_hostile_repetition_takes_no_time(piece: str) -> None:
    """Measured at 1–15 ms; a regular expression that backtracks takes minutes."""
    start = time.perf_counter()
    cut_at_sentence(one_line(plain(piece * (6000 // len(piece)))), 600)

    assert time.perf_counter() - start < 1


def test_a_long_line_is_cut_at_a_word() -> None:
    assert "one two…" == cut_at_word("one two three", 9)
    assert "one two three" == cut_at_word("one two three", 13)
    assert "abcdefgh…" == cut_at_word("abcdefghijklmnop", 9)


def test_an_abstract_is_cut_behind_a_sentence() -> None:
    abstract = "We like cats, e.g. Tom et al. did. We also like dogs. We dislike the rest of them."

    assert "We like cats, e.g. Tom et al. did. We also like dogs. …" == cut_at_sentence(abstract, 60)
    assert "We like cats, e.g.…" == cut_at_sentence(abstract, 20)
    assert abstract == cut_at_sentence(abstract, 500)
    assert "我们喜欢猫。 …" == cut_at_sentence("我们喜欢猫。我们也喜欢狗，还有其他动物。", 12)


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://arxiv.org/abs/2609.00001", "https://arxiv.org/abs/2609.00001"),
        (" HTTP://Example.ORG:8080/a?b=1&c=2#d ", "http://example.org:8080/a?b=1&c=2#d"),
        ("https://exämple.org/ä b"[:-2], "https://xn--exmple-cua.org/%C3%A4"),
        ("https://Straße.example/", "https://xn--strae-oqa.example/"),
        ("https://my_lab.example.org/", "https://my_lab.example.org/"),
        ("https://" + "ä" * 80 + ".example/", ""),
        ('https://example.org/"><script>', "https://example.org/%22%3E%3Cscript%3E"),
        ("https://example.org/%20%zz[1]", "https://example.org/%20%25zz%5B1%5D"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//example.org/x", ""),
        ("https:///x", ""),
        ("https://arxiv.org@evil.example/", ""),
        (r"https://evil.example\@arxiv.org/", ""),
        ("https://exa mple.org/", ""),
        ("https://example.org/\r\nBcc: x", ""),
        ("https://example.org/\u202e", ""),
        ("https://example.org:99999/", ""),
        ("https://example.org/" + "x" * 1000, ""),
        ("", ""),
    ],
)
def test_only_plain_web_addresses_become_links(url: str, link: str) -> None:
    assert link == http_link(url)


@given(st.text() | st.builds("https://{}".format, st.text()))
@example(HOSTILE_TITLE)
@example("HTTP://P")
def test_a_link_is_ascii_without_quotes_or_spaces_and_stays_itself(url: str) -> None:
    link = http_link(url)

    assert re.fullmatch(r"(https?://[!#-;=?-~]+)?", link)
    assert link == http_link(link)
