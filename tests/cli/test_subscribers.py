"""`digest subscribers`."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from digest.clock import utc_now
from digest.config.schema import INHERITED, SubscriberEntry, keys
from digest.state.store import open_state
from tests.commands import DIGEST
from tests.makers import subscriber
from tests.pipeline.test_consent import yes
from tests.pipeline.test_returns import answer, make_maildir, put
from tests.smtp_server import smtp_server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Said
    from tests.commands import Place

BOB, EVE = "bob@example.org", "eve@example.org"


def test_who_is_added_gets_mail_and_who_is_removed_does_not(place: Place, cli: Callable[..., Said]) -> None:
    added = cli("subscribers", "add", BOB, "-k", "knitting", "-k", "-lions", "--time", "0:00", "--days", "mon, sun")

    assert (0, "") == (added.code, added.err)
    assert "bob@example.org gets a digest at 00:00 UTC on mon, sun.\n" in added.out
    cli("send", "--pull", "--now")
    assert [BOB] == [recipient for recipient, _ in place.mails() if recipient == BOB]
    assert "bob@example.org gets no more mail.\n" == cli("subscribers", "remove", BOB).out
    assert BOB not in cli("subscribers", "list").out


@pytest.mark.usefixtures("mailbox")
def test_whose_keywords_only_exclude_is_told_that_nothing_is_found_by_them(cli: Callable[..., Said]) -> None:
    warning = (
        f"digest: {BOB}: no keyword asks for something (-lions only leaves papers out), so there is no For-you part; "
        "add one like mixture of experts\n"
    )

    invited = cli("subscribers", "invite", BOB, "-k", "-lions")
    added = cli("subscribers", "add", BOB, "-k", "-lions", "-k", "-bees")
    mended = cli("subscribers", "add", BOB, "-k", "-lions", "-k", "bees")
    none = cli("subscribers", "add", "cat@example.org")

    assert [warning, warning, "", ""] == [said.err for said in (invited, added, mended, none)]
    assert [0, 0, 0, 0] == [said.code for said in (invited, added, mended, none)]


def test_what_is_not_given_of_a_known_subscriber_stays_and_what_changes_is_said(cli: Callable[..., Said]) -> None:
    cli(
        "subscribers",
        "add",
        BOB,
        "-k",
        "knitting",
        "-k",
        "-lions",
        "--time",
        "7:05",
        "--days",
        "mon,sun",
        "--name",
        "B",
    )

    changed = cli("subscribers", "add", "bob@EXAMPLE.org", "-k", "moe", "--time", "9:00")
    again = cli("subscribers", "add", BOB)

    assert "Changed: keywords knitting, -lions → moe; time 07:05 → 09:00. All else is as before.\n" in changed.out
    assert "Nothing was changed.\n" in again.out
    [row] = (row for row in cli("subscribers", "list", "--json").json if row["email"] == BOB)
    assert ("B", ["moe"], "09:00", ["mon", "sun"]) == (row["name"], row["keywords"], row["time"], row["days"])


def test_what_a_reader_did_not_choose_follows_the_configuration(place: Place, cli: Callable[..., Said]) -> None:
    cli("subscribers", "add", BOB, "-k", "knitting")
    cli("subscribers", "add", EVE, "-k", "knitting", "--time", "7:00")

    place.configure(time="21:00")

    rows = {row["email"]: row for row in cli("subscribers", "list", "--json").json}
    assert ("21:00", "07:00") == (rows[BOB]["time"], rows[EVE]["time"])
    assert [True, False] == ["time" in rows[email]["inherits"] for email in (BOB, EVE)]
    assert ["T21:00:00", "T07:00:00"] == [rows[email]["next_due"][10:19] for email in (BOB, EVE)]


def test_what_a_reader_chose_can_be_given_back_to_the_configuration(cli: Callable[..., Said]) -> None:
    cli("subscribers", "add", BOB, "-k", "knitting", "--time", "7:00", "--max-papers", "3", "--no-followups")

    one = cli("subscribers", "add", BOB, "--inherit", "max-papers").out
    same = cli("subscribers", "add", BOB, "--max-papers", "10").out
    everything = cli("subscribers", "add", BOB, "--inherit", "all", "--time", "9:00").out

    assert "Changed: max_papers 3 → 10, as in [digest]. All else is as before.\n" in one
    assert "Changed: max_papers 10 also if [digest] changes. All else is as before.\n" in same
    assert (
        "Changed: time 07:00 → 09:00; max_papers 10, as in [digest]; followups no → yes, as in [digest]. " in everything
    )


def test_what_cannot_be_given_back_is_told(cli: Callable[..., Said]) -> None:
    unknown = cli("subscribers", "add", BOB, "--inherit", "keywords")
    both = cli("subscribers", "add", BOB, "--inherit", "time", "--time", "9:00")

    assert [2, 2] == [unknown.code, both.code]
    assert "digest: --inherit keywords: [digest] says nothing of that\n  → name one of: time, " in unknown.err
    assert "digest: --inherit time and --time contradict each other\n" in both.err
    assert "bob" not in cli("subscribers", "list").out


def test_the_list_tells_where_everybody_is_kept(cli: Callable[..., Said]) -> None:
    cli("subscribers", "add", BOB, "--timezone", "Europe/Berlin")

    rows = {row["email"]: row for row in cli("subscribers", "list", "--json").json}
    assert {"ada@example.org": "configuration", BOB: "state"} == {email: r["kept_in"] for email, r in rows.items()}
    assert "Europe/Berlin" == rows[BOB]["timezone"]
    assert "00:00 Europe/Berlin" in cli("subscribers", "list").out


def test_the_layout_is_chosen_for_each(cli: Callable[..., Said]) -> None:
    wrong = cli("subscribers", "add", BOB, "--layout", "dense")
    cli("subscribers", "add", BOB, "-k", "knitting", "--layout", "compact")

    rows = {row["email"]: row["layout"] for row in cli("subscribers", "list", "--json").json}
    assert (2, True) == (wrong.code, wrong.err.startswith("digest: --layout"))
    assert {"ada@example.org": "full", BOB: "compact"} == rows


def test_who_wants_a_weekly_digest_hears_when_it_comes(cli: Callable[..., Said]) -> None:
    added = cli("subscribers", "add", BOB, "--frequency", "weekly", "--days", "mon", "--time", "7:30")

    assert "bob@example.org gets a digest of the week on Monday 07:30 UTC.\n" in added.out
    assert "weekly, mon" in cli("subscribers", "list").out
    assert "weekly, on Monday 07:30 UTC" in cli("status").out


def test_what_contradicts_itself_is_told_of_the_option(cli: Callable[..., Said]) -> None:
    said = cli("subscribers", "add", BOB, "--frequency", "weekly", "--days", "mon,wed", "--quiet-days", "never")

    assert 2 == said.code
    assert "digest: --days: a weekly digest has one day and not 2\n" in said.err
    assert "→ name one day, like fri; for a digest on each of these choose the frequency daily\n" in said.err
    assert "digest: --quiet-days = never: must be one of: skip, note" in said.err


def test_quiet_days_are_not_called_like_what_makes_commands_silent(cli: Callable[..., Said]) -> None:
    """`--quiet` of `digest send` takes no value."""
    chosen, old = (cli("subscribers", "add", BOB, option, "note") for option in ("--quiet-days", "--quiet"))
    given_back = cli("subscribers", "add", BOB, "--inherit", "quiet-days")

    assert (0, 2, 0) == (chosen.code, old.code, given_back.code)
    assert "--quiet-days" in old.err
    assert "Changed: quiet note → skip, as in [digest]." in given_back.out


def test_json_calls_what_is_chosen_as_the_configuration_does(cli: Callable[..., Said]) -> None:
    cli("subscribers", "add", BOB, "--time", "7:05")

    row = cli("subscribers", "list", "--json").json[1]

    assert [] == [key for key in keys(SubscriberEntry) if key not in row]
    assert ("07:05", "at" in row, "token" in row) == (row["time"], False, False)
    assert [*INHERITED[1:]] == [key for key in INHERITED if key in row["inherits"]]


def test_linked_pictures_need_an_archive_for_those_who_join_later_too(cli: Callable[..., Said]) -> None:
    wrong = cli("subscribers", "add", BOB, "--images", "linked")
    right = cli("subscribers", "add", BOB, "--images", "embedded")

    assert (2, True) == (wrong.code, wrong.err.startswith("digest: --images"))
    assert "mail.archive_url does not say where that is" in wrong.err
    assert 0 == right.code


def test_a_list_of_nobody_says_how_to_add_somebody(place: Place, cli: Callable[..., Said]) -> None:
    place.configure(readers=())

    assert "Add one: digest subscribers add " in cli("subscribers", "list").out


def test_all_mistakes_are_told_of_the_options_they_were_made_in(cli: Callable[..., Said]) -> None:
    """The sentences are those of the configuration, so that there is one wording for one mistake."""
    said = cli(
        "subscribers", "add", BOB, "-k", "lora OR", "--time", "25:00", "--days", "mon,foo", "--timezone",
        "Europe/Berln", "--max-papers", "0",
    )  # fmt: skip

    beginnings = [line.partition(":")[2].split(" = ")[0].strip() for line in said.err.splitlines()[::2]]
    assert (2, "") == (said.code, said.out)
    assert ["--keyword", "--time", "--days", "--timezone", "--max-papers"] == beginnings
    assert "  → did you mean Europe/Berlin?\n" in said.err
    assert BOB not in cli("subscribers", "list").out


@pytest.mark.parametrize("email", ["bob", "bob@example", "bob@example.org\r\nBcc: eve@example.org"])
def test_what_is_no_address_is_not_added(email: str, cli: Callable[..., Said]) -> None:
    said = cli("subscribers", "add", email)

    assert (2, "") == (said.code, said.out)
    assert said.err.startswith("digest: EMAIL = bob")
    assert "\r" not in said.err


def test_who_is_kept_in_the_configuration_is_changed_there(cli: Callable[..., Said]) -> None:
    added, removed = cli("subscribers", "add", "ada@example.org"), cli("subscribers", "remove", "ada@example.org")

    assert (1, 1) == (added.code, removed.code)
    assert "digest: ada@example.org is kept in the configuration\n  → change the entry there\n" == added.err
    assert "digest subscribers pause ada@example.org" in removed.err


def test_a_pause_holds_until_it_is_ended(place: Place, cli: Callable[..., Said]) -> None:
    paused = cli("subscribers", "pause", "ada@example.org", "--reason", "holiday")
    during = cli("send", "--pull")

    assert "ada@example.org is paused until resumed.\n" == paused.out
    assert "· ada@example.org: paused: holiday\n" in during.out
    assert [] == place.mails()
    assert "ada@example.org gets mail again.\n" == cli("subscribers", "resume", "ada@example.org").out
    assert "ada@example.org was not paused.\n" == cli("subscribers", "resume", "ada@example.org").out
    assert 0 == cli("send").code
    assert 1 == len(place.mails())


def test_a_pause_with_an_end_is_shown_with_it(cli: Callable[..., Said]) -> None:
    cli("subscribers", "pause", "ada@example.org", "--until", "2999-01-01")

    assert "paused until 2999-01-01: by the operator" in cli("subscribers", "list").out


@pytest.mark.parametrize("day", ["2020-01-01", "tomorrow"])
def test_a_pause_ends_on_a_day_to_come(day: str, cli: Callable[..., Said]) -> None:
    said = cli("subscribers", "pause", "ada@example.org", "--until", day)

    assert (2, "") == (said.code, said.out)
    assert "--until" in said.err


def test_a_pause_in_the_configuration_is_not_ended_by_a_command(place: Place, cli: Callable[..., Said]) -> None:
    """Neither do `list`, `status` and `check` forget it over a pause that ends earlier."""
    place.configure(readers=())
    with (place.folder / "config.toml").open("a") as config:
        config.write('[[subscribers]]\nemail = "ada@example.org"\ntimezone = "UTC"\npaused_until = 2099-01-01\n')
    cli("subscribers", "pause", "ada@example.org", "--until", "2098-01-01")
    listed, known = cli("subscribers", "list", "--json").json[0], cli("status", "--json").json
    ended, again = (cli("subscribers", "resume", "ada@example.org") for _ in range(2))

    until = "paused until Thu 1 Jan 2099\nTo end that: take paused_until out of their entry in the configuration\n"
    assert f"ada@example.org gets no digest yet, though their pause is ended: {until}" == ended.out
    assert f"ada@example.org gets no digest yet: {until}" == again.out
    assert ("paused until Thu 1 Jan 2099", "2099-01-01T00:00:00+00:00") == (listed["paused"], listed["next_due"])
    assert (1, {"ada@example.org": "2099-01-01T00:00:00+00:00"}) == (known["counts"]["paused"], known["next_due"])
    assert "next digest: Thursday 1 January 00:00 UTC" in cli("check", "--offline").out


def test_a_pause_with_an_end_does_not_bring_back_who_unsubscribed(cli: Callable[..., Said]) -> None:
    cli("subscribers", "add", BOB)
    cli("subscribers", "pause", BOB, "--reason", "unsubscribed by mail")

    said = cli("subscribers", "pause", BOB, "--until", "2999-01-01", "--reason", "holiday")

    assert (1, "") == (said.code, said.out)
    assert "unsubscribed by mail\n  → with an end, this pause would end that too; if it should: digest" in said.err
    assert "paused: unsubscribed by mail" in cli("subscribers", "list").out


@pytest.mark.usefixtures("mailbox")
def test_who_has_not_confirmed_is_not_said_to_get_mail_again(cli: Callable[..., Said]) -> None:
    cli("subscribers", "invite", BOB)
    cli("subscribers", "pause", BOB)
    paused, not_paused = (cli("subscribers", "resume", BOB) for _ in range(2))
    cli("subscribers", "pause", BOB, "--until", "2999-01-01")
    confirmed, again = (cli("subscribers", "confirm", BOB) for _ in range(2))

    why = f"not confirmed yet; asked on {utc_now():%Y-%m-%d}\n"
    hint = "To end that: if they told you that they want it: digest subscribers confirm bob@example.org\n"
    assert f"{BOB} gets no digest yet, though their pause is ended: {why}{hint}" == paused.out
    assert f"{BOB} gets no digest yet: {why}{hint}" == not_paused.out
    assert confirmed.out.endswith(", sun, but not yet: paused until 2999-01-01: by the operator.\n")
    assert f"{BOB} need not confirm, but gets no digest: paused until 2999-01-01: by the operator.\n" == again.out


def test_who_is_paused_until_resumed_has_no_next_digest(cli: Callable[..., Said]) -> None:
    cli("subscribers", "pause", "ada@example.org")

    assert [None] == [row["next_due"] for row in cli("subscribers", "list", "--json").json]
    assert "next digest: none, as nobody has confirmed and is not paused; see: " in cli("check", "--offline").out


def test_who_is_added_while_paused_gets_nothing_and_the_operator_is_told_what_to_type(
    cli: Callable[..., Said],
) -> None:
    cli("subscribers", "add", BOB, "-k", "knitting")
    cli("subscribers", "pause", BOB, "--reason", "unsubscribed by mail")

    paused = cli("subscribers", "add", BOB, "-k", "lions")
    cli("subscribers", "resume", BOB)
    resumed = cli("subscribers", "add", BOB, "-k", "lions")

    assert paused.out.startswith(
        "bob@example.org gets no digest now: paused: unsubscribed by mail\n"
        "To end that: digest subscribers resume bob@example.org. Then they get one at 00:00 UTC on mon, "
    )
    assert "Changed: keywords knitting → lions." in paused.out
    assert resumed.out.startswith("bob@example.org gets a digest at 00:00 UTC on mon, ")


def test_the_token_of_an_unsubscribe_link_names_its_reader(place: Place, cli: Callable[..., Said]) -> None:
    """A reader who asks to leave can only quote the link."""
    cli("subscribers", "add", BOB)
    with open_state(f"sqlite:///{place.folder}/state.sqlite3", now=utc_now()) as state:
        token = state.subscribers.tokens([BOB])[BOB]

    assert "bob@example.org gets no more mail.\n" == cli("subscribers", "remove", token).out


@pytest.mark.parametrize("cure", ["remove", "add"])
def test_who_cannot_be_read_is_left_out_and_can_be_removed_or_added_anew(
    cure: str, place: Place, cli: Callable[..., Said]
) -> None:
    with open_state(f"sqlite:///{place.folder}/state.sqlite3", now=utc_now()) as state:
        state.subscribers.put(subscriber(BOB, timezone="Mars/Olympus"), now=utc_now())

    before, cured, after = cli("subscribers", "list"), cli("subscribers", cure, BOB), cli("subscribers", "list")

    assert (0, False, 1) == (before.code, BOB in before.out, before.err.count("there is no 'Mars/Olympus'"))
    assert 0 == cured.code
    assert (0, cure == "add", "") == (after.code, BOB in after.out, after.err)


@pytest.mark.usefixtures("mailbox")
def test_nothing_is_lost_in_silence_of_who_cannot_be_read(place: Place, cli: Callable[..., Said]) -> None:
    """What else they chose, nobody knows: it can be given anew, but not be kept."""
    asked_at = utc_now()
    with open_state(f"sqlite:///{place.folder}/state.sqlite3", now=asked_at) as state:
        state.subscribers.put(subscriber(BOB, timezone="Mars/Olympus", asked_at=asked_at), now=asked_at)
    (place.folder / "lab.csv").write_text(f"email,time\n{BOB},08:00\n", encoding="utf-8")

    kept = [
        cli("subscribers", "add", BOB, "--inherit", "time"),
        cli("subscribers", "invite", BOB, "--again"),
        cli("subscribers", "import", "lab.csv"),
        cli("subscribers", "pause", BOB),
    ]
    with open_state(f"sqlite:///{place.folder}/state.sqlite3", now=asked_at) as state:
        still: list[str] = []
        assert () == state.subscribers.find([BOB], unreadable=lambda email, _: still.append(email))
    anew = cli("subscribers", "add", BOB, "-k", "knitting")

    reason = f"{BOB} is there, but cannot be read: timezone: there is no 'Mars/Olympus'"
    assert [1, 1, 1, 1] == [said.code for said in kept]
    assert all(
        reason in said.err and f"anew, with all that they want: digest subscribers add {BOB}" in said.err
        for said in kept
    )
    assert [BOB] == still
    assert (0, True) == (anew.code, ", once they say yes.\n" in anew.out)
    assert anew.err.startswith(
        f"digest: {BOB} was there, but could not be read: timezone: there is no 'Mars/Olympus'\n"
    )


@pytest.fixture
def mailbox(place: Place) -> Path:
    """Where answers come to."""
    place.configure(more='[bounces]\nmaildir = "returned"', mail='unsubscribe_mailto = "leave@lab.example"')
    return make_maildir(place.folder / "returned")


def test_who_is_invited_is_listed_as_not_confirmed_until_they_say_yes(
    place: Place, mailbox: Path, cli: Callable[..., Said]
) -> None:
    invited = cli("subscribers", "invite", BOB, "-k", "knitting", "--time", "0:00", "--days", "mon,sun")
    today = f"{utc_now():%Y-%m-%d}"

    assert (0, "") == (invited.code, invited.err)
    assert (
        "bob@example.org was asked by mail. Once they say yes, they get a digest at 00:00 UTC on mon, sun.\n"
        in invited.out
    )
    assert [(BOB, "Please confirm: do you want papers by mail?")] == place.mails()
    for command in ("subscribers list", "why bob@example.org", "status"):
        assert f"not confirmed yet; asked on {today}" in cli(*command.split()).out
    assert f"· {BOB}: not confirmed yet; asked on {today}\n" in cli("send", "--pull", "--now").out
    [row] = (row for row in cli("subscribers", "list", "--json").json if row["email"] == BOB)
    assert (["knitting"], None) == (row["keywords"], row["next_due"])
    assert 1 == cli("status", "--json").json["counts"]["unconfirmed"]
    assert "at 00:00 UTC on mon, sun, once they say yes.\n" in cli("subscribers", "add", BOB).out

    [question] = (
        path.read_bytes() for path in (place.folder / "outbox" / "new").iterdir() if b"confirm" in path.read_bytes()
    )
    put(mailbox, answer(yes(question, "leave@lab.example")), utc_now())
    assert "1 mail read: 1 confirmed\n" == cli("bounces").out
    assert "not confirmed" not in cli("subscribers", "list").out
    assert f"✓ {BOB}: 1 for you" in cli("send", "--now").out


@pytest.mark.usefixtures("mailbox")
def test_the_operator_can_take_down_the_answer(cli: Callable[..., Said]) -> None:
    cli("subscribers", "invite", BOB)

    confirmed, again = (cli("subscribers", "confirm", BOB) for _ in range(2))

    assert (0, "bob@example.org gets a digest at 00:00 UTC on mon, tue, wed, thu, fri, sat, sun.\n") == (
        confirmed.code,
        confirmed.out,
    )
    assert (0, "bob@example.org need not confirm.\n") == (again.code, again.out)


@pytest.mark.usefixtures("mailbox")
def test_a_second_invitation_needs_to_be_insisted_on(cli: Callable[..., Said]) -> None:
    cli("subscribers", "invite", BOB)
    second = cli("subscribers", "invite", BOB)
    third = cli("subscribers", "invite", BOB, "--again")

    assert (1, "") == (second.code, second.out)
    assert "nothing was sent or changed\n  → wait for the answer, or send another mail with --again\n" in second.err
    assert (0, "") == (third.code, third.err)


@pytest.mark.usefixtures("mailbox")
@pytest.mark.parametrize("removed", [False, True], ids=["still listed", "removed"])
def test_who_left_is_invited_with_a_plain_warning(removed: bool, cli: Callable[..., Said]) -> None:
    cli("subscribers", "add", BOB)
    cli("subscribers", "pause", BOB, "--reason", "unsubscribed by mail")
    if removed:
        cli("subscribers", "remove", BOB)
    refused, insisted = cli("subscribers", "invite", BOB), cli("subscribers", "invite", BOB, "--again")

    assert 1 == refused.code
    assert "unsubscribed by mail\n  → if they have changed their mind, ask them with --again\n" in refused.err
    assert 0 == insisted.code
    assert insisted.err.startswith("digest: bob@example.org was asked although they get no mail since ")


@pytest.mark.parametrize(
    ("rcpt", "code", "told"),
    [
        ("550 5.1.1 nobody", 1, "digest: bob@example.org was not asked, the mail was refused: "),
        ("450 4.2.1 later", 75, "digest: bob@example.org was not asked, the mail was not taken: "),
    ],
)
def test_a_mail_that_did_not_leave_is_told_as_send_tells_it(
    rcpt: str, code: int, told: str, place: Place, cli: Callable[..., Said]
) -> None:
    make_maildir(place.folder / "returned")
    with smtp_server() as relay:
        relay.script["rcpt"] = rcpt
        place.configure(
            smtp_port=relay.port,
            more='[bounces]\nmaildir = "returned"',
            mail='unsubscribe_mailto = "leave@lab.example"',
        )
        said = cli("subscribers", "invite", BOB)

    assert (code, "") == (said.code, said.out)
    assert told in said.err
    assert "  → " in said.err
    assert BOB not in cli("subscribers", "list").out


def test_a_process_that_dies_while_it_asks_is_not_followed_by_a_second_question(place: Place) -> None:
    make_maildir(place.folder / "returned")
    with smtp_server() as relay:
        place.configure(
            smtp_port=relay.port,
            more='[bounces]\nmaildir = "returned"',
            mail='unsubscribe_mailto = "leave@lab.example"',
        )
        command = [*DIGEST, "subscribers", "invite", BOB]
        dying = subprocess.Popen(command, cwd=place.folder, env=place.environment())
        relay.on["dot"] = lambda _: dying.kill()
        dying.wait(timeout=60)
        relay.on.clear()
        again = place.digest("subscribers", "invite", BOB)

    assert -signal.SIGKILL == dying.returncode
    assert 1 == again.returncode
    assert "bob@example.org was asked on " in again.stderr
    assert len(relay.accepted) <= 1


def test_without_a_mailbox_nobody_is_invited(place: Place, cli: Callable[..., Said]) -> None:
    said = cli("subscribers", "invite", BOB)

    assert (1, "", []) == (said.code, said.out, place.mails())
    assert "digest: nobody would read the answer: no mailbox is configured\n  → add a [bounces] table" in said.err


@pytest.mark.parametrize("command", ["remove", "pause", "resume", "confirm"])
def test_strangers_cannot_be_removed_or_paused(command: str, cli: Callable[..., Said]) -> None:
    said = cli("subscribers", command, "zoe@lab.net")

    assert (1, "") == (said.code, said.out)
    assert "digest: there is no subscriber zoe@lab.net\n  → see: digest subscribers list\n" == said.err
