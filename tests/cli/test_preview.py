"""The commands that show and change nothing: preview, rank."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from digest.cli.preview import write_preview
from digest.compose.message import compose
from digest.compose.render import Renderer
from tests.compose.cases import LETTERHEAD, USUAL, WIDE, illustrated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Said
    from tests.commands import Place


# --- preview ----------------------------------------------------------------------------------------------------


def test_a_preview_is_three_files_and_leaves_no_trace(place: Place, cli: Callable[..., Said]) -> None:
    cli("pull")

    said = cli("preview")

    files = sorted(file.name for file in (place.folder / "out").iterdir())
    assert (0, "") == (said.code, said.err)
    assert ["ada@example.org.eml", "ada@example.org.html", "ada@example.org.txt"] == files
    assert said.out.startswith("ada@example.org: 1 of 2 new papers, 1 matched\n  For you\n")
    assert "Written: out/ada@example.org.html, .txt and .eml beside it\n" in said.out
    assert "✓ ada@example.org: 1 for you" in cli("send", "--now").out


def test_pictures_of_a_preview_are_in_its_page(tmp_path: Path) -> None:
    mail = compose(illustrated(USUAL, WIDE), LETTERHEAD, Renderer())
    page = write_preview(mail, tmp_path).read_text()

    assert 5 == page.count(f'src="data:image/jpeg;base64,{WIDE.data}"')
    assert "cid:" not in page


def test_a_preview_without_papers_says_how_to_get_some(place: Place, cli: Callable[..., Said]) -> None:
    said = cli("preview")

    assert 0 == said.code
    assert said.out.startswith("ada@example.org: no new papers")
    assert said.out.endswith("Fetch papers with: digest pull\n")
    assert not (place.folder / "out").exists()


def test_an_empty_preview_says_why_it_is_empty(place: Place, cli: Callable[..., Said]) -> None:
    config = place.configure()
    config.write_text(config.read_text().replace("[digest]", "[digest]\ntrending = 0"))
    place.list_papers("Knitting Patterns")
    cli("pull")

    said = cli("preview")

    assert 0 == said.code
    assert said.out.startswith("ada@example.org: 1 new paper, none matched")
    assert 1 == len(said.out.splitlines())


def test_a_weekly_digest_and_a_note_of_a_quiet_day_can_be_looked_at(place: Place, cli: Callable[..., Said]) -> None:
    cli("pull")
    text = place.folder / "out" / "ada@example.org.txt"

    weekly = cli("preview", "--frequency", "weekly")
    of_week = text.read_text()
    note = cli("preview", "--note")

    assert (0, 0) == (weekly.code, note.code)
    assert of_week.startswith("PAPERS OF THE WEEK OF ")
    assert "THE WEEK’S BEST" in of_week
    assert "You get this note because ada@example.org" in text.read_text()
    assert "none of them matches your keywords. That happens." in " ".join(text.read_text().split())
    assert "; 2 new papers, none matched the 1 keyword\n" in note.out
    assert (2, True) == ((said := cli("preview", "--frequency", "yearly")).code, "daily, weekdays, weekly" in said.err)


def test_who_wants_a_note_of_quiet_days_sees_it_if_there_is_nothing_else(
    place: Place, cli: Callable[..., Said]
) -> None:
    config = place.configure()
    config.write_text(config.read_text().replace("[digest]", '[digest]\ntrending = 0\nquiet = "note"'))
    unread = cli("preview")
    place.list_papers("Knitting Patterns")
    cli("pull")

    said = cli("preview")

    assert "Fetch papers with: digest pull\n" in unread.out
    assert said.out.startswith("ada@example.org: a note of a quiet day planned for ")
    assert "; 1 new paper, none matched the 1 keyword\n" in said.out
    assert "none of them matches your keywords" in (place.folder / "out" / "ada@example.org.txt").read_text()


@pytest.mark.parametrize(
    ("email", "hint"),
    [("ada@exmple.org", "did you mean ada@example.org?"), ("zoe@lab.net", "see: digest subscribers list")],
)
def test_an_unknown_reader_is_told_who_may_have_been_meant(email: str, hint: str, cli: Callable[..., Said]) -> None:
    said = cli("preview", email)

    assert (1, "", f"digest: there is no subscriber {email}\n  → {hint}\n") == (said.code, said.out, said.err)


@pytest.mark.parametrize("command", ["preview", "why"])
def test_a_reader_is_named_as_an_argument_or_as_elsewhere_with_for(command: str, cli: Callable[..., Said]) -> None:
    cli("pull")
    argument, option = cli(command, "ada@example.org"), cli(command, "--for", "ada@example.org")
    two = cli(command, "ada@example.org", "--for", "bob@example.org")

    assert (0, "") == (argument.code, argument.err)
    assert argument == option
    assert (2, "") == (two.code, two.out)
    assert "ada@example.org and --for bob@example.org are two readers\n  → name one of them\n" in two.err


def test_a_preview_for_nobody_says_how_to_add_somebody(place: Place, cli: Callable[..., Said]) -> None:
    place.configure(readers=())

    said = cli("preview")

    assert 1 == said.code
    assert "digest: there are no subscribers\n  → add one: digest subscribers add " in said.err


def test_a_preview_that_cannot_be_written_says_where(cli: Callable[..., Said]) -> None:
    cli("pull")

    said = cli("preview", "--out", "papers.jsonl")

    assert 1 == said.code
    assert "digest: papers.jsonl: File exists\n  → name another folder with --out\n" == said.err


def test_a_title_steers_no_terminal(place: Place, cli: Callable[..., Said]) -> None:
    """ESC sequences move cursors, set titles and can make a terminal type; direction marks turn words around."""
    place.list_papers("\x1b]0;owned\x07 A \x1b[31mMixture of Experts\x1b[0m \u009b2J \u202eback", "Knitting")
    cli("pull")

    for said in (cli("preview"), cli("keywords", "test", "mixture of experts"), cli("why"), cli("send", "--now")):
        assert 0 == said.code
        assert set() == {"\x1b", "\x07", "\u009b", "\u202e"} & set(said.out + said.err)


def test_a_preview_can_print_the_numbers_behind_it_and_then_writes_nothing(
    place: Place, cli: Callable[..., Said]
) -> None:
    config = place.configure()
    config.write_text(config.read_text().replace("[digest]", "[digest]\nmax_papers = 1"))
    place.list_papers("Routing in a Mixture of Experts", "Experts, and a Mixture of Them", "Knitting")
    cli("pull")

    said = cli("preview", "ada@example.org", "--explain")

    assert (0, "") == (said.code, said.err)
    assert said.out.startswith("ada@example.org: 2 papers explained, floor 0.2\n\nFor you\n  1. Routing in a Mixture")
    assert "  mixture of experts  title: Mixture of Experts\n" in said.out
    assert "likeness            like Experts, and a Mixture of Them\n" in said.out
    assert "relevance           1 - e^(-sum/2), where the sum is " in said.out
    assert "interest            0.95 × relevance + 0.05 × trend 0.000\n" in said.out
    assert "\nJust missed\n  1. Experts, and a Mixture" in said.out
    assert "\n       below your 1 paper; short by 0." in said.out
    assert not (place.folder / "out").exists()
    assert "Just missed" not in cli("preview", "--explain", "--missed", "0").out


def test_numbers_behind_nothing_say_where_the_reasons_are(cli: Callable[..., Said]) -> None:
    said = cli("preview", "--explain")

    assert said.out.endswith("Nothing matches, and nothing trends. See: digest why ada@example.org\n")


# --- rank -------------------------------------------------------------------------------------------------------


def test_rank_prints_the_best_first_with_reasons(cli: Callable[..., Said]) -> None:
    said = cli("rank", "papers.jsonl", "-k", "mixture of experts")

    (score, *rest), why = (line.split() for line in said.out.splitlines())
    assert (0, "") == (said.code, said.err)
    assert 0 < float(score) <= 1
    assert "Routing in a Mixture of Experts" in " ".join(rest)
    assert "“mixture of experts” in title" == " ".join(why)


def test_rank_says_why_of_papers_that_only_resemble_the_matching_ones(place: Place, cli: Callable[..., Said]) -> None:
    place.list_papers(
        "Mixture of Experts for Whales", "Experts Without Any Mixture of Theirs or Ours for Whales", "Sand"
    )

    rows = json.loads(cli("rank", "papers.jsonl", "-k", '"mixture of experts"', "--json").out)

    assert [['"mixture of experts"'], []] == [row["keywords"] for row in rows]
    assert "no keyword as a whole, but like the papers that match" == rows[1]["why"]


def test_arithmetic_starts_no_threads_that_would_wait_in_a_busy_loop(place: Place) -> None:
    """OpenBLAS would start one for each further processor; on a machine with one it cannot be seen."""
    script = (
        "import os, sys, threading\nfrom digest.cli import main\n"
        "sys.argv = ['digest', 'rank', 'papers.jsonl', '-k', 'mixture of experts']\n"
        "try:\n    main()\nfinally:\n"
        "    print('numpy' in sys.modules, len(os.listdir('/proc/self/task')) - threading.active_count())"
    )
    outside = {name: value for name, value in place.environment().items() if name != "OPENBLAS_NUM_THREADS"}

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=place.folder, env=outside, capture_output=True, text=True, check=True
    )

    assert "True 0" == done.stdout.splitlines()[-1]


def test_rank_in_json_is_a_list_best_first(place: Place, cli: Callable[..., Said]) -> None:
    place.list_papers("Mixture of Experts", "Knitting", "A Mixture of Experts That Knits for Lions")

    said = cli("rank", "papers.jsonl", "-k", "mixture of experts", "-k", "lions", "--json")
    best = cli("rank", "papers.jsonl", "-k", "mixture of experts", "-k", "lions", "-n", "1", "--json")

    assert {"id", "score", "why", "title", "keywords"} == said.json[0].keys()
    assert ["mixture of experts", "lions"] == said.json[0]["keywords"]
    scores = [row["score"] for row in said.json]
    assert scores == sorted(scores, reverse=True)
    assert said.json[:1] == best.json


def test_rank_says_that_none_matches_and_that_is_no_failure(place: Place, cli: Callable[..., Said]) -> None:
    """As `digest similar` and `digest keywords test` do; scripts read the empty list."""
    nothing, nobody, listed = (
        cli("rank", "papers.jsonl", "-k", keyword, *more)
        for keyword, more in (("zebras", ()), ("-zebras", ()), ("zebras", ("--json",)))
    )
    (place.folder / "papers.jsonl").write_text("")
    empty = cli("rank", "papers.jsonl", "-k", "zebras")

    assert (0, "None of 2 papers matches.\n", "") == (nothing.code, nothing.out, nothing.err)
    assert (0, "None of 2 papers matches; these keywords only leave papers out.\n") == (nobody.code, nobody.out)
    assert (0, []) == (listed.code, listed.json)
    assert (1, "digest: papers.jsonl: there are no papers\n") == (empty.code, empty.err.partition("  →")[0])


def test_a_line_that_is_no_paper_costs_that_line(place: Place, cli: Callable[..., Said]) -> None:
    with (place.folder / "papers.jsonl").open("a") as file:
        file.write('{"half\n')

    said = cli("rank", "papers.jsonl", "-k", "mixture of experts", "--json")

    assert (0, 1) == (said.code, len(said.json))
    assert "digest: papers.jsonl: line 3: " in said.err


def test_rank_needs_a_keyword(cli: Callable[..., Said]) -> None:
    said = cli("rank", "papers.jsonl")

    assert (2, "") == (said.code, said.out)
    assert "  → give at least one keyword: -k 'mixture of experts'\n" in said.err


def test_a_query_that_cannot_be_read_is_told_with_its_column(cli: Callable[..., Said]) -> None:
    for command in (("rank", "papers.jsonl", "-k"), ("keywords", "test")):
        said = cli(*command, '"lora')

        assert (2, "") == (said.code, said.out)
        assert said.err.startswith("digest: '\"lora': ")
        assert "at column 1\n  → " in said.err


def test_rank_of_a_file_that_is_not_there(cli: Callable[..., Said]) -> None:
    said = cli("rank", "nope.jsonl", "-k", "lora")

    assert (1, "") == (said.code, said.out)
    assert "digest: nope.jsonl: No such file or directory\n  → name a file with one JSON object per line\n" == said.err


# --- keywords test ----------------------------------------------------------------------------------------------


def test_keywords_are_tried_on_the_papers_of_the_last_days(place: Place, cli: Callable[..., Said]) -> None:
    place.list_papers("Mixture of Experts", *(f"Knitting Pattern {number}" for number in range(9)))
    cli("pull")

    said = cli("keywords", "test", "mixture of experts")

    assert 0 == said.code
    assert said.out.startswith("'mixture of experts' matches 1 of 10 papers (10.0%).\n")
    assert "Mixture of Experts  [title: Mixture of Experts]" in said.out


def test_an_excluding_entry_is_told_by_what_it_leaves_out(place: Place, cli: Callable[..., Said]) -> None:
    place.list_papers("Mixture of Experts", "Experts on a Mixture", *(f"Knitting Pattern {n}" for n in range(8)))
    cli("pull")

    said = cli("keywords", "test", "--", "-mixture of experts")

    assert said.out.startswith("'-mixture of experts' leaves out 1 of 10 papers (10.0%).\n")


def test_a_broad_keyword_is_called_broad(place: Place, cli: Callable[..., Said]) -> None:
    place.list_papers("Red Knitting", "Blue Knitting", "Green Knitting", "Weaving")
    cli("pull")

    assert "\n! That is very broad; " in cli("keywords", "test", "knitting").out


def test_keywords_without_papers_say_how_to_get_some(cli: Callable[..., Said]) -> None:
    said = cli("keywords", "test", "lora", "--days", "1")

    assert (0, "No papers are known of the last 1 day. Fetch some with: digest pull\n") == (said.code, said.out)


def test_keywords_in_json_name_the_papers(cli: Callable[..., Said]) -> None:
    cli("pull")

    told = json.loads(cli("keywords", "test", "mixture of experts", "--json").out)

    assert {"papers", "hits", "left_out", "per_day", "near_misses", "share", "narrower"} == told.keys()
    assert 0.5 == told["share"]
    assert (2, ["Routing in a Mixture of Experts"]) == (told["papers"], [hit["title"] for hit in told["hits"]])


def test_phrases_that_would_narrow_a_keyword_are_told_with_what_they_leave(
    place: Place, cli: Callable[..., Said]
) -> None:
    place.list_papers(
        *(f"Knitting Wool Socks {n}" for n in "abc"), *(f"Knitting {n} at Home" for n in "abcd"), *"efghijklmnopqrst"
    )
    cli("pull")

    said = cli("keywords", "test", "knitting")

    assert said.out.endswith(
        "Phrases that would narrow it, and how many of these papers have them:\n     3  knitting wool sock\n"
    )


def test_keywords_can_be_tried_with_what_a_reader_leaves_out(place: Place, cli: Callable[..., Said]) -> None:
    config = place.configure()
    config.write_text(config.read_text().replace('["mixture of experts"]', '["mixture of experts", "-socks", "lace"]'))
    place.list_papers("Knitting Socks", "Knitting Hats", "Lace")
    cli("pull")

    said = cli("keywords", "test", "knitting", "--for", "ada@example.org")

    assert said.out.startswith("'knitting' matches 1 of 3 papers (33.3%).\n")
    assert "\n1 more left out by -socks.\n" in said.out
    assert 1 == cli("keywords", "test", "knitting", "--for", "zoe@example.org").code
