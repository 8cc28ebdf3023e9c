"""`digest subscribers import`: whole lists, good, bad and hostile."""

from __future__ import annotations

import codecs
import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.postgresql import postgresql_server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.cli.conftest import Said
    from tests.commands import Place
    from tests.postgresql import Server

__all__ = ["postgresql_server"]
BOB, CAT, DAN = "bob@example.org", "cat@example.org", "dan@example.org"


def sheet(*rows: Sequence[str], delimiter: str = ",") -> bytes:
    """As spreadsheets write it: with CRLF, and quotation marks where they are needed."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode()


def bring(place: Place, cli: Callable[..., Said], data: bytes, *options: str) -> Said:
    (place.folder / "lab.csv").write_bytes(data)
    return cli("subscribers", "import", "lab.csv", *options)


def listed(cli: Callable[..., Said]) -> dict[str, dict[str, Any]]:
    rows = {row["email"]: row for row in cli("subscribers", "list", "--json").json}
    del rows["ada@example.org"]
    return rows


@pytest.fixture(params=["sqlite", "postgresql"])
def any_state(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state is in a file, or on a server."""
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgresql_server")
        monkeypatch.setenv("DIGEST_STATE__URL", server.new_database())


@pytest.mark.usefixtures("any_state")
def test_a_list_of_readers_is_taken_and_they_get_mail(place: Place, cli: Callable[..., Said]) -> None:
    said = bring(
        place,
        cli,
        sheet(
            ["email", "name", "keywords", "time", "timezone", "frequency", "days", "language", "max_papers"],
            [BOB, "Bob", "knitting; -lions", "07:30", "Europe/Berlin", "weekly", "mon", "de", "12"],
            [CAT, "", "knitting", "0:00", "", "", "mon, tue;wed thu,fri,sat,sun", "", ""],
        ),
    )
    sent = cli("send", "--pull")

    assert (0, "lab.csv: 2 new, 0 changed, 0 as before.\n", "") == (said.code, said.out, said.err)
    bob, cat = listed(cli).values()
    assert ("Bob", ["knitting", "-lions"], "07:30", "Europe/Berlin") == (
        *(bob["name"], bob["keywords"], bob["time"], bob["timezone"]),
    )
    assert ("weekly", ["mon"], "de", 12) == (bob["frequency"], bob["days"], bob["language"], bob["max_papers"])
    assert ("", "UTC", "daily", 10) == (cat["name"], cat["timezone"], cat["frequency"], cat["max_papers"])
    assert f"✓ {CAT}: 1 for you" in sent.out


def test_numbers_and_switches_of_a_cell_are_read_from_its_text(place: Place, cli: Callable[..., Said]) -> None:
    head = ["email", "max_papers", "min_score", "followups"]

    said = bring(place, cli, sheet(head, [BOB, "12", "0.3", "false"], [CAT, "1.5", "high", "maybe"]))

    bob = listed(cli)[BOB]
    assert (12, 0.3, False) == (bob["max_papers"], bob["min_score"], bob["followups"])
    assert "line 3: max_papers = 1.5: must be a whole number, not text; min_score = high: must be a number" in said.err


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("bom", [b"", codecs.BOM_UTF8], ids=["plain", "BOM"])
def test_whatever_a_spreadsheet_writes_is_read(
    delimiter: str, bom: bytes, place: Place, cli: Callable[..., Said]
) -> None:
    rows = [["Email", " KEYWORDS ", ""], [" BOB@example.org ", "knitting\nlions, tigers;\r\n-bears", "", ""], ["", ""]]

    said = bring(place, cli, bom + sheet(*rows, delimiter=delimiter))

    assert (0, "") == (said.code, said.err)
    assert {BOB: ["knitting", "lions, tigers", "-bears"]} == {e: row["keywords"] for e, row in listed(cli).items()}


def test_json_lines_are_read_from_standard_input(place: Place) -> None:
    lines = [{"email": BOB, "keywords": ["a; b"], "trending": 0, "followups": False}, {"email": CAT, "name": None}]

    said = place.digest("subscribers", "import", "-", stdin="\r\n".join(map(json.dumps, lines)))
    rows = json.loads(place.digest("subscribers", "list", "--json").stdout)

    assert (0, "-: 2 new, 0 changed, 0 as before.\n", "") == (said.returncode, said.stdout, said.stderr)
    assert [["a; b"], [], 0, 5] == [*(row["keywords"] for row in rows[1:]), *(row["trending"] for row in rows[1:])]


def test_who_is_known_is_changed_as_add_does_and_what_is_empty_stays(place: Place, cli: Callable[..., Said]) -> None:
    cli("subscribers", "add", BOB, "-k", "knitting", "--name", "Bob")
    cli("subscribers", "add", CAT, "-k", "knitting")

    said = bring(place, cli, sheet(["email", "name", "time"], [BOB, "", "7:30"], [CAT, "", ""]))

    assert f"  {BOB}: time 00:00 → 07:30\nlab.csv: 0 new, 1 changed, 1 as before.\n" == said.out
    bob = listed(cli)[BOB]
    assert ("Bob", ["knitting"], "07:30") == (bob["name"], bob["keywords"], bob["time"])


@pytest.mark.usefixtures("any_state")
def test_nobody_is_woken_by_a_list(place: Place, cli: Callable[..., Said]) -> None:
    """Who unsubscribed did so by address: also if they were removed since."""
    place.configure(more='[bounces]\nmaildir = "returned"', mail='unsubscribe_mailto = "leave@lab.example"')
    for email in (BOB, CAT):
        cli("subscribers", "add", email)
        cli("subscribers", "pause", email, "--reason", "unsubscribed by mail")
    cli("subscribers", "remove", CAT)
    cli("subscribers", "invite", DAN)

    said = bring(place, cli, sheet(["email", "keywords"], *([one, "knitting"] for one in (BOB, CAT, DAN))))
    sent = cli("send", "--pull", "--now")

    assert (0, "lab.csv: 1 new, 2 changed, 0 as before.") == (said.code, said.out.splitlines()[-1])
    for email in (BOB, CAT):
        assert f"  {email} gets no digest now: paused: unsubscribed by mail\n" in said.out
        assert f"{email}: paused: unsubscribed by mail\n" in sent.out
    assert f"  {DAN} gets no digest now: not confirmed yet; " in said.out
    assert {"ada@example.org"} == {to for to, subject in place.mails() if not subject.startswith("Please confirm")}


BAD = [
    ("ada@example.org", "", "", "", "ada@example.org is kept in the configuration; change the entry there"),
    ("BOB@EXAMPLE.ORG", "", "", "", "bob@example.org is on line 2 already"),
    ("", "knitting", "", "", "email: a subscriber needs an address"),
    ("x@y", "", "", "", "email = x@y: this is not a mail address "),
    (CAT, "lora OR", "", "", "keywords = lora OR: nothing follows 'OR' at column 6"),
    (CAT, "", "25:00", "", "time = 25:00: this is not a time of day"),
    (CAT, "", "", "Berlin", "timezone = Berlin: there is no such time zone, did you mean Europe/Berlin?"),
    (CAT, "", "", "../../etc/passwd", "timezone = ../../etc/passwd: there is no such time zone"),
    (CAT, "", "99:99", "\0", "time = 99:99: this is not a time of day, "),
    (f"{'x' * 100_000}@example.org", "", "", "", "email = xxxxxxxxxxxx"),
    ("x\r\nBcc: eve@example.org", "", "", "", "email = x\\r\\nBcc: eve@example.org: this is not a mail address"),
    ("\0@example.org", "", "", "", "email = \\x00@example.org: this is not a mail address"),
    (CAT, "x" * 2**20, "", "", "this is not CSV (field larger than field limit (131072)); "),
]


@pytest.mark.parametrize(("row", "reason"), [(row[:4], row[4]) for row in BAD])
def test_a_bad_row_costs_itself_and_is_named(
    row: Sequence[str], reason: str, place: Place, cli: Callable[..., Said]
) -> None:
    good = [BOB, "knitting", "", ""], [DAN, "lions", "", ""]

    said = bring(place, cli, sheet(["email", "keywords", "time", "timezone"], good[0], row, good[1]))

    assert (1, "lab.csv: 2 new, 0 changed, 0 as before; 1 line not taken.\n") == (said.code, said.out)
    assert said.err.startswith(f"digest: lab.csv, line 3: {reason}")
    assert 1 == said.err.count("\n")
    assert [BOB, DAN] == [*listed(cli)]


@pytest.mark.usefixtures("any_state")
@pytest.mark.parametrize("odd", ["\0", "\ud800"], ids=["NUL", "half a pair"])
def test_an_address_that_no_database_holds_costs_itself(odd: str, place: Place, cli: Callable[..., Said]) -> None:
    """Whose text PostgreSQL would end the statement for, which asks for all of a list at once."""
    cli("subscribers", "add", DAN)  # nothing is looked for in an empty table
    emails = (BOB, f"{odd}@example.org", CAT)

    said = bring(place, cli, "\n".join(json.dumps({"email": email}) for email in emails).encode())

    assert (1, "lab.csv: 2 new, 0 changed, 0 as before; 1 line not taken.\n") == (said.code, said.out)
    assert said.err.startswith("digest: lab.csv, line 2: email = ")
    assert [BOB, CAT, DAN] == [*listed(cli)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "this is not JSON; "),
        (b"[" * 100_000, "this is not JSON; "),
        (b'["cat@example.org"]', "this is not a JSON object; "),
        (b'{"email": ["cat@example.org"]}', "email: must be text in quotes, not a list"),
        (b'{"email": "cat@example.org", "max_paper": 3}', "max_paper: there is no such key, did you mean max_papers?"),
        (b'{"email": "cat@example.org", "token": "x"}', "token: there is no such key"),
        (b'{"email": "cat@example.org", "max_papers": 99}', "max_papers = 99: must be at most 50"),
        (b'{"email": "cat@example.org", "min_score": NaN}', "min_score = nan: must be "),
        (b'{"email": "cat@example.org", "images": "linked"}', "images = linked: linked pictures lie in the archive"),
        (b'{"email": "cat@example.org", "name": "\\ud800"}', "name = \\ud800: must be text"),
        (b'{"email": "cat@example.org", "name": "\xff"}', "this is not UTF-8 text; save the list as UTF-8"),
        (b'{"email": "cat@example.org", "keywords": ["\xfc"]}', "this is not UTF-8 text; save the list as UTF-8"),
        (b'{"email": "cat@example.org", "paused_until": "2027-01-01"}', "paused_until is for the configuration; "),
        (b'{"name": "' + b"x" * 2**20 + b'"}', "this line is longer than 131,072 characters"),
        (
            b'{"email": "cat@example.org", "frequency": "weekly", "days": ["mon", "tue"], "time": "9"}',
            "time = 9: this is not a time of day, ",
        ),
    ],
)
def test_a_bad_line_of_json_costs_itself_and_is_named(
    line: bytes, reason: str, place: Place, cli: Callable[..., Said]
) -> None:
    said = bring(place, cli, b'{"email": "bob@example.org"}\n\n' + line + b'\n{"email": "dan@example.org"}')

    assert (1, "lab.csv: 2 new, 0 changed, 0 as before; 1 line not taken.\n") == (said.code, said.out)
    assert said.err.startswith(f"digest: lab.csv, line 3: {reason}")
    assert 1 == said.err.count("\n")


def test_a_row_in_another_encoding_costs_itself(place: Place, cli: Callable[..., Said]) -> None:
    said = bring(place, cli, "email,name\nbob@example.org,Bo\ncat@example.org,Müller\n".encode("cp1252"))

    assert (1, [BOB]) == (said.code, [*listed(cli)])
    assert said.err.startswith("digest: lab.csv, line 3: this is not UTF-8 text; save the list as UTF-8 (spread")


def test_what_looks_like_a_formula_is_a_name(place: Place, cli: Callable[..., Said]) -> None:
    bring(place, cli, sheet(["email", "name"], [BOB, '=HYPERLINK("https://x.example";"Bob")']))

    assert '=HYPERLINK("https://x.example";"Bob")' == listed(cli)[BOB]["name"]


def test_a_missing_quotation_mark_is_told_with_the_lines_it_swallowed(place: Place, cli: Callable[..., Said]) -> None:
    said = bring(place, cli, b'email,name\nbob@example.org,Bob\ncat@example.org,"Cat\ndan@example.org,Dan\n')

    assert (1, "lab.csv: 1 new, 0 changed, 0 as before; 1 line not taken.\n") == (said.code, said.out)
    assert "line 3: this is not CSV (unexpected end of data), and lines 3 to 4 were taken for one row; is a" in said.err


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "nothing is in it"),
        (b"\xef\xbb\xbf \r\n", "nothing is in it"),
        ("email\nbob@example.org".encode("utf-16"), "this is not UTF-8 text\n  → save the list as UTF-8"),
        (
            b"bob@example.org\ncat@example.org\n",
            "line 1: there is no column 'bob@example.org'\n  → the first row names",
        ),
        (b"email,keyword\n", "line 1: there is no column 'keyword'\n  → did you mean keywords?"),
        (b"email,paused_until\n", "line 1: there is no column 'paused_until'"),
        (b"name,keywords\n", "line 1: there is no column 'email'\n  → "),
        (b"email,name,Email\n", "line 1: there are two columns 'email'"),
        (b'"email\n', "line 1: this is not CSV"),
    ],
)
def test_what_is_no_list_of_readers_changes_nothing(
    data: bytes, reason: str, place: Place, cli: Callable[..., Said]
) -> None:
    said = bring(place, cli, data)

    assert (1, "") == (said.code, said.out)
    assert said.err.startswith(f"digest: lab.csv: {reason}")
    assert {} == listed(cli)


def test_a_list_needs_a_file(cli: Callable[..., Said]) -> None:
    said = cli("subscribers", "import", "nope.csv")

    assert (1, "") == (said.code, said.out)
    assert "digest: nope.csv: No such file or directory\n  → name a list of readers, CSV or JSON lines\n" == said.err


def test_a_dry_run_says_the_same_and_changes_nothing(place: Place, cli: Callable[..., Said]) -> None:
    data = sheet(["email", "time"], [BOB, "25:00"], [CAT, "7:00"], [CAT, "8:00"])

    dry = bring(place, cli, data, "--dry-run")
    after = listed(cli)
    wet = bring(place, cli, data)

    assert ({}, [CAT]) == (after, [*listed(cli)])
    assert dry.err == wet.err
    assert dry.out == wet.out.replace("\n", " Nothing was changed: a dry run.\n")


def test_many_are_taken_at_once_and_a_second_time_changes_nothing(place: Place, cli: Callable[..., Said]) -> None:
    """Some hundred at a time: more than one transaction."""
    data = sheet(["email"], *([f"reader{number}@example.org"] for number in range(1203)))

    first, second = (bring(place, cli, data) for _ in range(2))

    assert "lab.csv: 1,203 new, 0 changed, 0 as before.\n" == first.out
    assert "lab.csv: 0 new, 0 changed, 1,203 as before.\n" == second.out
    assert 1203 == len(listed(cli))
