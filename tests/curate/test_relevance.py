"""The benchmark of the ranking measures what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.relevance import main, measures

_GRADES = {"a": 3, "b": 2, "c": 1, "d": 0}
#: 2^grade - 1 over log2(rank + 1), best order
_IDEAL = 7 / 1 + 3 / 1.584963 + 1 / 2


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("abcd", (1.0, 0.2, 1.0)),
        ("dcba", ((1 / 1.584963 + 3 / 2 + 7 / 2.321928) / _IDEAL, 0.2, (1 / 3 + 2 / 4) / 2)),
        ("xa", (7 / 1.584963 / _IDEAL, 0.1, (1 / 2) / 2)),
        ("xyz", (0.0, 0.0, 0.0)),
    ],
)
def test_measures_of_an_order(order: str, expected: tuple[float, float, float]) -> None:
    assert pytest.approx(expected, rel=1e-5) == measures(list(order), _GRADES)


def test_a_folder_of_judged_profiles_is_scored_beside_what_others_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    papers = [
        {"id": "p1", "title": "Robots that see", "abstract": "Sand."},
        {"id": "p2", "title": "Sand", "abstract": "A robot's vision of robots."},
    ]
    (tmp_path / "papers.jsonl").write_text("\n".join(map(json.dumps, papers)), encoding="utf-8")
    profile = {"id": "q1", "keywords": ["robots"], "exclude": ["whales"]}
    (tmp_path / "profiles.json").write_text(json.dumps([profile]), encoding="utf-8")
    (tmp_path / "qrels.json").write_text(json.dumps({"q1": {"p1": 3}}), encoding="utf-8")

    main(tmp_path)

    told = capsys.readouterr().out.splitlines()
    for name in ("digest", "substring count, title twice"):
        assert [f"{name:32}   1.0000   0.1000   1.0000"] == [line for line in told if line.startswith(f"{name} ")]
