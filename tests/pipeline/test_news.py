"""News of papers that were sent before: noticed by pulls, told in the next mail, each of it once."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

from digest.pipeline.plan import preview
from tests.installation import ADA, BOB, item, reader, recipient
from tests.makers import NOW

if TYPE_CHECKING:
    from tests.installation import Installation
    from tests.smtp_server import SmtpServer

DAY = timedelta(days=1)
LATER = "450 4.2.1 not now"


def told(data: bytes) -> str:
    """What a mail's text tells below the heading, white space collapsed; empty without one."""
    part = message_from_bytes(data, policy=policy.default).get_body(("plain",))
    assert part is not None
    news = part.get_content().partition("NEWS OF PAPERS YOU WERE SENT")[2].partition("-" * 72)[2]
    return " ".join(news.replace("\r\n", "\n").partition("\n" + "-" * 72)[0].split())


def all_told(home: Installation, email: str = ADA) -> list[bool]:
    """Of each mail to a reader, by day, whether it tells news."""
    return [bool(told(data)) for data in home.letters() if recipient(data) == email]


def code(number: int, **fields: str) -> dict[str, object]:
    return item(number, code="https://github.com/ada/numbers", **fields)


def test_what_became_of_a_paper_is_told_once_in_the_next_mail(any_home: Installation) -> None:
    any_home.publish(item(1))
    any_home.pull()
    any_home.send()
    any_home.publish(code(1) | {"id": "2609.00001v2"}, item(2))
    any_home.pull(NOW + DAY)
    any_home.send(NOW + DAY)
    any_home.publish(code(1) | {"id": "2609.00001v2"}, item(3))
    any_home.pull(NOW + 2 * DAY)
    any_home.send(NOW + 2 * DAY)

    assert {ADA: [[1], [2], [3]]} == any_home.mailed()
    assert [False, True, False] == all_told(any_home)
    assert "code appeared: github.com/ada/numbers" in told(any_home.letters()[1])
    assert "On" not in told(any_home.letters()[0])


def test_news_alone_make_no_mail_and_wait_for_the_next(home: Installation) -> None:
    home.publish(item(1))
    home.pull()
    home.send()
    home.publish(code(1))
    home.pull(NOW + DAY)
    report = home.send(NOW + DAY)
    home.publish(code(1), item(2))
    home.pull(NOW + 2 * DAY)

    home.send(NOW + 2 * DAY)

    assert ["quiet"] != [verdict.finding for verdict in report.verdicts if verdict.finding == "sent"]
    assert [False, True] == all_told(home)


def test_only_those_who_were_sent_a_paper_and_want_news_are_told(home: Installation) -> None:
    other = "cat@example.org"
    home.readers = (reader(), reader(BOB, followups=False), reader(other, "bees"))
    home.publish(item(1), item(2, "Bees"))
    home.pull()
    home.send()
    home.publish(code(1), item(2, "Bees"), item(3), item(4, "Bees"))
    home.pull(NOW + DAY)

    home.send(NOW + DAY)

    assert [[False, True], [False, False], [False, False]] == [all_told(home, who) for who in (ADA, BOB, other)]


def test_a_hundred_more_votes_are_told_the_day_after(home: Installation) -> None:
    home.publish(item(1, upvotes=5))
    home.pull()
    home.send()
    home.publish(item(1, upvotes=140), item(2))
    home.pull(NOW + DAY)
    home.send(NOW + DAY)
    home.publish(item(1, upvotes=150), item(3))
    home.pull(NOW + 2 * DAY)

    home.send(NOW + 2 * DAY)

    assert "100 more votes since it was sent: ▲ 140" in told(home.letters()[2])
    assert [False, False, True] == all_told(home)


def test_a_reader_is_not_told_of_a_paper_that_never_came(home: Installation, relay: SmtpServer) -> None:
    relay.script["rcpt"] = LATER
    home.publish(item(1))
    home.pull()
    home.send()
    home.publish(code(1), item(2))
    home.pull(NOW + DAY)
    home.send(NOW + DAY)
    del relay.script["rcpt"]

    home.send(NOW + DAY + 6 * timedelta(hours=1))

    assert [""] * len(relay.accepted) == [told(mail.data) for mail in relay.accepted]
    assert relay.accepted


def test_two_names_of_one_paper_are_one_paper(home: Installation) -> None:
    """A paper that was mailed by its DOI, and is found to be on arXiv a day later."""
    doi = {"doi": "10.1000/x"}
    home.publish(item(1) | {"id": "own-name"} | doi)
    home.pull()
    home.send()
    home.publish(code(1) | doi, item(2))
    home.pull(NOW + DAY)

    home.send(NOW + DAY)

    assert [False, True] == all_told(home)


def test_a_preview_tells_them_and_they_are_told_all_the_same(home: Installation) -> None:
    home.publish(item(1))
    home.pull()
    home.send()
    home.publish(code(1), item(2))
    home.pull(NOW + DAY)
    settings = home.settings()

    with home.state() as state:
        seen = [preview(settings, state, settings.subscribers[0], now=NOW + DAY).followups for _ in range(2)]

    assert seen[0] == seen[1]
    assert ["code appeared: github.com/ada/numbers"] == [one.news for one in seen[0]]
    home.send(NOW + DAY)
    assert [False, True] == all_told(home)
