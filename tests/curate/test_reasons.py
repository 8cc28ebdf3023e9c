"""Why a paper is in the digest, in words."""

from __future__ import annotations

import pytest

from digest.curate.reasons import why
from digest.languages.language import language
from digest.model import Match, Trend


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (Match("MoE", ("title",), ("MoE",)), "“MoE” in title"),
        (Match("mixture of experts^2", ("title", "abstract"), ("X",)), None),
        (
            Match("mixture of experts^2", ("title", "abstract"), ("Mixtures-of-Experts",)),
            "“mixture of experts” in title and abstract",
        ),
        (Match("+title:agents", ("title",), ("Agents",)), "“agents” in title"),
        (
            Match("MoE", ("abstract",), ("mixture of experts",)),
            "“MoE”, written “mixture of experts”, in abstract",
        ),
        (Match("robot manipulation", ("abstract",), ("Robotic", "manipulating")), "“robot manipulation” in abstract"),
        (
            Match("accelerator", ("title",), ("Acceleration", "accelerates")),
            "“accelerator”, written “Acceleration”, in title",
        ),
        (
            Match("accelerator", ("title", "abstract"), ("Acceleration", "accelerators")),
            "“accelerator” in title and abstract",
        ),
        (Match("FPGA", ("title",), ("FPGAs",)), "“FPGA” in title"),
        (Match("fine tuning", ("title",), ("Finetuning",)), "“fine tuning” in title"),
        (
            Match("rl", ("title", "abstract", "topic"), ("RL",)),
            "“rl” in title, abstract and topics",
        ),
        (Match('author:"Y. LeCun"', ("author",), ("Yann LeCun",)), "by Yann LeCun"),
        (Match("author:li", ("author",), ("Fei Li", "Li Wei", "Ann Li")), "by Fei Li, Li Wei and Ann Li"),
        (Match("cat:cs.*", ("category",), ("cs.CL", "cs.LG")), "in cs.CL and cs.LG"),
        (Match("org:deepmind", ("organization",), ("Google DeepMind",)), "from Google DeepMind"),
        (Match("a1 AND (b1 OR c1)", ("title",), ("a1",)), "“a1 AND (b1 OR c1)” in title"),
    ],
)
def test_a_match_in_words(match: Match, expected: str | None) -> None:
    assert (expected or "“mixture of experts”, written “X”, in title and abstract") == why([match], Trend())


@pytest.mark.parametrize(
    ("trend", "expected"),
    [
        (Trend(), ""),
        (Trend(upvotes=142, upvotes_change=84, change_days=1), "▲ 142 (+84 since yesterday)"),
        (Trend(upvotes=142, upvotes_change=84, change_days=3), "▲ 142 (+84 in 3 days)"),
        (Trend(upvotes=142, upvotes_change=-3, change_days=1), "▲ 142"),
        (Trend(upvotes=0, comments=1), "1 comment"),
        (Trend(comments=12, stars=1_234), "12 comments; ★ 1.2k"),
        (Trend(stars=999), "★ 999"),
        (Trend(stars=2_000), "★ 2k"),
        (Trend(stars=86_100), "★ 86k"),
        (Trend(upvotes=9, rising_again=True, known_days=6), "▲ 9; rising again; first seen 6 days ago"),
        (Trend(comments=2, sources=3, known_days=3), "2 comments; in 3 sources; first seen 3 days ago"),
        (Trend(upvotes=9, sources=1, known_days=1), "▲ 9"),
        (Trend(sources=2, known_days=0), "in 2 sources"),
        (Trend(stars=1_250_000, stars_change=1_500, change_days=1), "★ 1.2M (+1.5k since yesterday)"),
    ],
)
def test_a_trend_in_words(trend: Trend, expected: str) -> None:
    assert expected == why((), trend)


def test_reasons_are_joined_by_semicolons() -> None:
    matches = [Match("MoE", ("title",), ("MoE",)), Match("author:li", ("author",), ("Fei Li",))]

    assert "“MoE” in title; by Fei Li; ▲ 3" == why(matches, Trend(upvotes=3))


@pytest.mark.parametrize(
    ("match", "german", "chinese"),
    [
        (
            Match("MoE", ("abstract",), ("mixture of experts",)),
            "„MoE“, geschrieben „mixture of experts“, in Abstract",
            "摘要中有“MoE”（写作“mixture of experts”）",
        ),
        (
            Match("rl", ("title", "abstract", "topic"), ("RL",)),
            "„rl“ in Titel, Abstract und Themen",
            "标题、摘要和主题中有“rl”",
        ),
        (Match("author:li", ("author",), ("Fei Li", "Li Wei")), "von Fei Li und Li Wei", "作者：Fei Li和Li Wei"),
    ],
)
def test_a_match_in_the_readers_language(match: Match, german: str, chinese: str) -> None:
    told = [why([match], Trend(upvotes=1234, upvotes_change=84, change_days=1), language(one)) for one in ("de", "zh")]

    assert [f"{german}; ▲ 1.234 (+84 seit gestern)", f"{chinese}；▲ 1,234（较昨天 +84）"] == told
