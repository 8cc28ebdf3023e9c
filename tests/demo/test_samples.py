"""The sample papers are read by the same parsers as the real ones, and hold what the demo wants to show."""

from __future__ import annotations

from pathlib import Path

from digest.collect.arxiv import parse_arxiv
from digest.collect.huggingface import parse_daily_papers
from digest.model import Paper

DEMO = Path(__file__).parents[2] / "digest" / "demo"


def sample(name: str) -> bytes:
    text = (DEMO / name).read_text(encoding="utf-8")
    return text.replace("{{day1}}", "2026-09-14").replace("{{day2}}", "2026-09-15").encode()


def feed(name: str) -> tuple[Paper, ...]:
    papers, problems = parse_arxiv(sample(f"atom/{name}.xml"), source="arxiv")
    assert () == problems
    return papers


def votes(name: str) -> dict[str, Paper]:
    papers, problems = parse_daily_papers(sample(f"{name}.json"), source="huggingface")
    assert () == problems
    return {paper.key: paper for paper in papers}


def feeds(day: int) -> dict[str, Paper]:
    return {paper.key: paper for name in ("cs.CL", "cs.LG") for paper in feed(f"{name}.day{day}")}


def test_two_days_of_papers_come_from_two_overlapping_sources() -> None:
    arxiv = feeds(1).keys() | feeds(2).keys()
    huggingface = votes("pull2/daily.day1").keys() | votes("pull2/daily.day2").keys()

    assert 50 == len(arxiv | huggingface)
    assert 30 < len(arxiv & huggingface) < len(huggingface) < len(arxiv)
    assert all(key.startswith("arxiv:2609.") and key > "arxiv:2609.8" for key in arxiv | huggingface)


def test_every_abstract_can_be_read_in_a_minute() -> None:
    papers = [*feeds(1).values(), *feeds(2).values(), *votes("pull2/daily.day1").values()]

    assert all(80 <= len(paper.abstract.split()) <= 180 for paper in papers)


def test_votes_move_between_the_pulls() -> None:
    before, after = votes("pull1/daily.day1"), votes("pull2/daily.day1")

    assert before.keys() == after.keys()
    assert all((before[key].signals.upvotes or 0) < (after[key].signals.upvotes or 0) for key in before)


def test_one_paper_of_the_first_day_is_replaced_on_the_second() -> None:
    before, after = feeds(1)["arxiv:2609.90017"], feeds(2)["arxiv:2609.90017"]

    assert ((1, "new"), (2, "replace")) == ((before.version, before.announce), (after.version, after.announce))
    assert ["arxiv:2609.90017"] == [key for key in feeds(1) if key in feeds(2)]


def test_the_hostile_paper_reaches_us_as_it_is_but_for_its_link() -> None:
    hostile = votes("pull2/daily.day1")["arxiv:2609.90033"]

    assert hostile.title.startswith("<script>alert('digest')</script> =?utf-8?q?Free=0D=0ABcc=3A")
    assert "" == hostile.project_url


def test_the_samples_stay_small() -> None:
    assert sum(path.stat().st_size for path in DEMO.rglob("*") if path.suffix in {".xml", ".json", ".toml"}) < 300_000
