"""Every benchmark runs, here at the smallest size that means something; what it measures is not judged."""

from __future__ import annotations

import json
import os
import re
import smtplib
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.delay import delayed, round_trip_s
from benchmarks.installation import Installation, address
from benchmarks.measured import BenchmarkError, program, run
from benchmarks.sink import sink

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _needs_postfix() -> None:
    try:
        program("smtp-sink")
    except BenchmarkError as error:
        pytest.skip(str(error))


def printed(name: str, *arguments: object) -> str:
    """What a benchmark prints, on both of its channels."""
    command = [sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)]
    # what the environment says is meant for another installation
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DIGEST_")}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert 0 == done.returncode, done.stdout
    return done.stdout


@pytest.mark.slow
def test_the_whole_send_beside_its_rivals() -> None:
    told = printed("send", 12, "--papers", 60, "--rounds", 1, "--few", 2)

    assert re.search(r"^digest send, 1 connection +12 ", told, flags=re.MULTILINE)
    assert re.search(r"^usual bot +2 .* 1\.0 ", told, flags=re.MULTILINE)
    assert "Everybody got exactly one mail" in told
    assert max(map(len, told.splitlines()[1:])) <= 100


@pytest.mark.slow
def test_round_trips() -> None:
    told = printed("round_trips", 4, 5)

    assert re.search(r"^digest send, 1 connection +4 ", told, flags=re.MULTILINE)
    assert re.search(r"^smtplib, one connection +1 ", told, flags=re.MULTILINE)


@pytest.mark.slow
def test_composing() -> None:
    assert "papers 30, subscribers 3" in printed("compose", 3, 30)


@pytest.mark.slow
def test_a_day() -> None:
    assert "papers 30, " in printed("day", 30, 3)


@pytest.mark.slow
def test_planning() -> None:
    assert re.search(r"^digest +30 +3 ", printed("plan", 30, 3), flags=re.MULTILINE)


@pytest.mark.slow
def test_starting() -> None:
    assert "digest --help" in printed("start", 1)


def test_relevance(tmp_path: Path) -> None:
    papers = [{"id": name, "title": name, "abstract": f"All about {name}."} for name in ("tactile skin", "beetles")]
    (tmp_path / "papers.jsonl").write_text("\n".join(map(json.dumps, papers)))
    (tmp_path / "profiles.json").write_text(json.dumps([{"id": "p", "keywords": ["tactile skin"], "exclude": []}]))
    (tmp_path / "qrels.json").write_text(json.dumps({"p": {"tactile skin": 3}}))

    assert "2 papers indexed and 1 profiles ranked" in printed("relevance", tmp_path)


def test_similar_papers() -> None:
    assert "31 papers, 12 of them asked about" in printed("similar", "tests/curate/similar")


@pytest.mark.parametrize("reached", [(0,), (0, 0), (0, 1, 1)], ids=["lost", "mistaken", "twice"])
def test_mails_that_did_not_arrive_exactly_once_are_noticed(reached: tuple[int, ...], tmp_path: Path) -> None:
    with sink(keep=True) as taking, smtplib.SMTP("127.0.0.1", taking.port, local_hostname="localhost") as relay:
        for number in reached:
            relay.sendmail("digest@example.org", address(number), f"Message-ID: <{number}@example.org>\r\n\r\nHi\r\n")

    with pytest.raises(BenchmarkError, match="2 readers"):
        Installation(tmp_path, subscribers=2).check_each(taking)


def test_one_message_id_for_two_mails_is_noticed(tmp_path: Path) -> None:
    with sink(keep=True) as taking, smtplib.SMTP("127.0.0.1", taking.port, local_hostname="localhost") as relay:
        for number in (0, 1):
            relay.sendmail("digest@example.org", address(number), "Message-ID: <same@example.org>\r\n\r\nHi\r\n")

    with pytest.raises(BenchmarkError, match="2 mails with 1 Message-IDs"):
        Installation(tmp_path, subscribers=2).check_each(taking)


def test_a_long_road_loses_nothing_and_is_as_long_as_it_says() -> None:
    lines = "".join(f"{number:060}\r\n" for number in range(20_000))
    with sink(keep=True) as taking, delayed(taking.port, 30) as port:
        taken_s = round_trip_s(port)
        with smtplib.SMTP("127.0.0.1", port, local_hostname="localhost") as relay:
            relay.sendmail("digest@example.org", address(0), f"Subject: long\r\n\r\n{lines}")

    assert taken_s >= 0.03
    assert lines.replace("\r\n", "\n") in taking.dump.decode().replace("\r\n", "\n")


def test_the_memory_of_a_command_is_its_own() -> None:
    ours = bytearray(300_000_000)

    assert run(sys.executable, "-c", "pass").peak_mb < 100 < len(ours) / 2**20


def test_a_command_that_fails_is_told_with_what_it_said() -> None:
    with pytest.raises(BenchmarkError, match="no such thing"):
        run(sys.executable, "-c", "raise SystemExit('no such thing')")
