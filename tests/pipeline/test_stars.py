"""Stars from GitHub, read with the papers for those that may trend."""

from __future__ import annotations

import json
from datetime import timedelta
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

from digest.pipeline.failing import told_today
from tests.http_server import Reply, Request
from tests.installation import item
from tests.makers import NOW, TODAY

if TYPE_CHECKING:
    from tests.installation import Installation

DAY = timedelta(days=1)


def publish(home: Installation, *numbers: int) -> None:
    home.publish(*(item(number, code=f"https://github.com/ada/n{number}") for number in numbers))


def counts(home: Installation, number: int, stars: int) -> None:
    """How many stars a repository has from now on; it says so again only if that has changed."""

    def answer(request: Request) -> Reply:
        tag = f'"{stars}"'
        if request.headers.get("if-none-match") == tag:
            return Reply(304)
        return Reply(body=json.dumps({"stargazers_count": stars}).encode(), headers={"ETag": tag})

    home.server.routes[f"/repos/ada/n{number}"] = answer


def use_github(home: Installation, more: str = "") -> None:
    home.sections["github"] = f'base_url = "{home.server.url}"\n{more}'


def asked(home: Installation) -> list[str]:
    """Since the last time."""
    paths = [request.path.rpartition("/")[2] for request in home.server.requests if request.path.startswith("/repos/")]
    home.server.requests.clear()
    return paths


def stars(home: Installation, number: int) -> list[int | None]:
    """Day by day."""
    key = f"arxiv:2609.{number:05d}"
    with home.state() as state:
        return [said.signals.stars for said in state.papers.signals([key], TODAY)[key]]


def test_stars_are_one_more_signal_of_each_day_whether_they_changed_or_not(home: Installation) -> None:
    use_github(home)
    publish(home, 1, 2)
    counts(home, 1, 10)
    counts(home, 2, 20)
    home.pull()
    counts(home, 2, 25)

    home.pull(at=NOW + DAY)

    assert ([10, 10], [20, 25]) == (stars(home, 1), stars(home, 2))


def test_a_paper_trends_by_its_stars(home: Installation) -> None:
    use_github(home)
    home.readers = ('[[subscribers]]\nemail = "ada@example.org"\n',)
    publish(home, 1, 2)
    counts(home, 1, 10)
    counts(home, 2, 20)
    home.pull(at=NOW - DAY)
    counts(home, 1, 90)
    home.pull()

    home.send()

    assert {"ada@example.org": [[1, 2]]} == home.mailed()
    text = message_from_bytes(home.letters()[0], policy=policy.default).get_body(("plain",))
    assert text is not None
    assert "★ 90 (+80 since yesterday)" in text.get_content()


def test_those_not_asked_for_the_longest_come_first_and_those_that_fail_last(home: Installation) -> None:
    use_github(home, "per_run = 2\n")
    publish(home, 1, 2, 3)
    counts(home, 2, 20)
    counts(home, 3, 30)

    runs = []
    for days in range(4):
        home.pull(at=NOW + days * DAY)
        runs.append(sorted(asked(home)))

    assert {"n1", "n2", "n3"} == {*runs[0], *runs[1]}
    assert [["n2", "n3"]] * 2 == runs[2:]


def test_what_could_not_be_read_is_said_and_costs_no_paper(home: Installation) -> None:
    use_github(home)
    publish(home, 1, 2)
    counts(home, 2, 20)

    report = home.pull()

    assert ("github: ada/n1: the server answers 404 Not Found",) == report.notes
    assert ([], [20]) == (stars(home, 1), stars(home, 2))


def test_a_repository_that_github_has_blocked_keeps_no_other_from_being_read(home: Installation) -> None:
    use_github(home, "per_run = 1\n")
    publish(home, 1, 2)
    home.server.routes["/repos/ada/n2"] = Reply(403)
    counts(home, 1, 10)

    for days in range(2):
        home.pull(at=NOW + days * DAY)

    assert [10] == stars(home, 1)


def test_without_its_table_github_is_not_asked(home: Installation) -> None:
    publish(home, 1)
    home.pull()
    assert [] == asked(home)


def test_github_is_asked_once_an_hour_whichever_sources_are_pulled_as_the_daemon_does(home: Installation) -> None:
    use_github(home)
    publish(home, 1)
    counts(home, 1, 10)
    home.pull(NOW, only=["list"])
    home.pull(NOW + timedelta(minutes=59), only=["list"])
    assert ["n1"] == asked(home)
    home.pull(NOW + timedelta(hours=1), only=["list"])
    assert ["n1"] == asked(home)


def test_a_clock_that_was_ahead_does_not_keep_github_from_being_asked(home: Installation) -> None:
    use_github(home)
    publish(home, 1)
    counts(home, 1, 10)
    home.pull(NOW + timedelta(days=1))
    assert ["n1"] == asked(home)
    home.pull(NOW)
    assert ["n1"] == asked(home)


def test_a_token_that_is_refused_is_trouble_told_once_a_day(home: Installation) -> None:
    """It does not get well by itself; a GitHub that is down does."""
    use_github(home, 'token = "geheim"\n')
    publish(home, 1)
    told = []
    for reply, at in (
        (Reply(503), NOW - timedelta(hours=1)),
        *((Reply(401), NOW + hours * timedelta(hours=1)) for hours in (0, 1, 24)),
    ):
        home.server.routes["/repos/ada/n1"] = reply
        report = home.pull(at)
        with home.state() as state:
            before = told_today(state, report)
        told.append([one.sentence for one in report.verdicts if one.trouble and one.sentence not in before])

    refused = "github: the token is not accepted; make a new one and put it where github.token_file says"
    assert [[], [f"{refused}; 0 of 1 repositories were read"], [], *told[1:2]] == told
