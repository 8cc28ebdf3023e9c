"""The operator's mail: after a whole day that brought nothing although it should have, and of a source that fails."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

import pytest

from digest import __version__
from tests.collect.feeds import arxiv_entry, arxiv_feed
from tests.http_server import Reply
from tests.installation import ADA, BOB, item, jsonl, reader
from tests.makers import NOW
from tests.smtp_server import free_port

if TYPE_CHECKING:
    from email.message import EmailMessage

    from tests.installation import Installation
    from tests.smtp_server import SmtpServer

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
OPERATOR = "root@example.org"
#: a journal with one article, ever
QUIET = (
    b'<rss version="2.0"><channel><title>J</title>'
    b"<item><title>Old</title><link>https://journal.example/1</link></item></channel></rss>"
)


@pytest.fixture
def watched(home: Installation, relay: SmtpServer) -> Installation:
    """An installation with an operator and two sources, whose mail goes to the relay."""
    home.sections["mail"] = f'operator = "{OPERATOR}"\n'
    home.sources += f'[[sources]]\ntype = "feed"\nname = "journal"\nurl = "{home.server.url}/journal"\n'
    home.server.routes["/list"] = Reply(404)
    home.server.routes["/journal"] = Reply(403)
    assert relay.port
    return home


def notices(relay: SmtpServer) -> list[EmailMessage]:
    return [message_from_bytes(m.data, policy=policy.default) for m in relay.accepted if m.recipient == OPERATOR]


def text(notice: EmailMessage) -> str:
    return str(notice.get_content()).replace("\r\n", "\n")


def test_after_a_whole_day_of_failures_the_operator_gets_one_mail(watched: Installation, relay: SmtpServer) -> None:
    told = []
    for hours in (0, 6, 12, 18, 24, 30, 36, 42):
        watched.pull(NOW + hours * HOUR)
        told.append(watched.tell(NOW + hours * HOUR) is not None)

    (notice,) = notices(relay)
    assert [hours == 24 for hours in (0, 6, 12, 18, 24, 30, 36, 42)] == told
    assert "text/plain" == notice.get_content_type()
    assert ("digest: a whole day brought nothing", OPERATOR, "Wed, 16 Sep 2026 06:00:00 +0000") == (
        notice["Subject"],
        notice["To"],
        notice["Date"],
    )
    url = watched.server.url
    assert f"""\
No source brought a new paper for a whole day:
- list: {url}/list: the server answers 404 Not Found;
  check the address of the source: nothing is there any more; 5 failed
  pulls in a row
- journal: {url}/journal: the server answers 403
  Forbidden; the server wants a login or refuses programs: try the
  address in a browser where you are not logged in; 5 failed pulls in a
  row

`digest why` tells the whole story; `digest check` tries every source
and the mail server.

Sent by digest/{__version__}
""" == text(notice)


def test_after_another_day_the_operator_is_told_again(watched: Installation, relay: SmtpServer) -> None:
    for day in range(4):
        watched.pull(NOW + day * DAY)
        watched.tell(NOW + day * DAY)

    assert 3 == len(notices(relay))


def test_a_notice_of_a_clock_that_was_ahead_neither_silences_the_next_nor_repeats_it(
    watched: Installation, relay: SmtpServer
) -> None:
    for hours in (0, 24 * 39, 24 * 40, 24, 25, 26):
        watched.pull(NOW + hours * HOUR)
        watched.tell(NOW + hours * HOUR)

    days = [notice["Date"].datetime for notice in notices(relay)]
    assert [NOW + 39 * DAY, NOW + 40 * DAY, NOW + DAY] == days


def test_a_weekend_is_no_reason_to_write(watched: Installation, relay: SmtpServer) -> None:
    watched.sources = f'[[sources]]\ntype = "arxiv"\ncategories = ["cs.CL"]\nbase_url = "{watched.server.url}"\n'
    friday = datetime(2026, 9, 18, 6, 0, tzinfo=UTC)
    watched.server.routes["/atom/cs.CL"] = Reply(body=arxiv_feed(arxiv_entry()))
    watched.pull(friday)
    watched.server.routes["/atom/cs.CL"] = Reply(body=arxiv_feed())

    for hours in range(6, 72, 6):
        watched.pull(friday + hours * HOUR)
        assert watched.tell(friday + hours * HOUR) is None

    assert [] == notices(relay)


def test_a_source_that_brought_something_that_day_is_enough(watched: Installation, relay: SmtpServer) -> None:
    watched.pull()
    watched.publish(item(1))
    watched.pull(NOW + 12 * HOUR)

    assert watched.tell(NOW + DAY) is None
    assert [] == notices(relay)


def test_nobody_is_told_where_nobody_is_named(watched: Installation, relay: SmtpServer) -> None:
    del watched.sections["mail"]
    watched.pull()
    watched.pull(NOW + DAY)

    assert watched.tell(NOW + DAY) is None
    assert [] == relay.accepted


@pytest.mark.parametrize("trouble", ["no relay", "put off"])
def test_a_notice_that_was_not_delivered_is_tried_by_the_next_run(
    watched: Installation, relay: SmtpServer, trouble: str
) -> None:
    watched.pull()
    watched.pull(NOW + DAY)
    if trouble == "no relay":
        watched.use_relay(free_port())
    else:
        relay.script["rcpt"] = "450 4.2.1 not now"

    watched.tell(NOW + DAY)
    watched.use_relay(relay)
    relay.script.clear()
    watched.tell(NOW + DAY + HOUR)
    watched.tell(NOW + DAY + 2 * HOUR)

    assert 1 == len(notices(relay))


def test_readers_who_cannot_be_reached_for_a_day_are_reported(watched: Installation, relay: SmtpServer) -> None:
    watched.readers = (reader(ADA), reader(BOB))
    watched.publish(item(1))
    watched.pull()
    for email in (ADA, BOB):
        relay.script["rcpt", email] = "450 4.2.1 not now"

    for hours in (0, 12, 24):
        watched.publish(*map(item, range(1, hours + 2)))
        watched.pull(NOW + hours * HOUR)
        watched.send(NOW + hours * HOUR)
        watched.tell(NOW + hours * HOUR)

    (notice,) = notices(relay)
    assert text(notice).startswith(
        "Digests were due and none could be delivered for a whole day:\n"
        "- ada@example.org: not delivered yet; next attempt 2026-09-16 06:30 UTC\n"
    )


@pytest.mark.parametrize("ahead", [False, True], ids=["after a weekend", "after a clock that was ahead"])
def test_a_mail_put_off_for_the_first_time_is_no_reason_to_write(
    watched: Installation, relay: SmtpServer, ahead: bool
) -> None:
    """A day later it is, whatever a clock that was ahead has written down."""
    watched.publish(item(1))
    watched.pull()
    watched.send(NOW + 40 * DAY if ahead else NOW)
    watched.publish(item(1), item(2))
    watched.pull(NOW + 3 * DAY)
    relay.script["rcpt", ADA] = "450 4.2.0 greylisted"

    told = []
    for hours in (0, 12, 24):
        watched.send(NOW + 3 * DAY + hours * HOUR)
        watched.tell(NOW + 3 * DAY + hours * HOUR)
        told.append(len(notices(relay)))

    assert [0, 0, 1] == told


@pytest.fixture
def half(watched: Installation) -> Installation:
    """An installation of which one source fails and the other has something new every day."""
    watched.server.routes["/list"] = lambda _request: Reply(body=jsonl(item(next(papers))))
    papers = itertools.count(1)
    return watched


def run(home: Installation, relay: SmtpServer, *days: float) -> list[int]:
    """Pull and tell at these days from NOW on; how many notices there have been after each."""
    counts = []
    for day in days:
        home.pull(NOW + day * DAY)
        home.tell(NOW + day * DAY)
        counts.append(len(notices(relay)))
    return counts


def test_a_source_that_fails_for_three_days_beside_others_that_work_is_told_once(
    half: Installation, relay: SmtpServer
) -> None:
    assert [0, 0, 0, 0, 1, 1, 1, 1] == run(half, relay, 0, 1, 2, 2.5, 3, 3.1, 4, 5)

    (notice,) = notices(relay)
    assert "digest: journal has failed for days" == notice["Subject"]
    assert f"""\
Sources that have failed for three days or longer:
- journal: {half.server.url}/journal: the server answers 403
  Forbidden; the server wants a login or refuses programs: try the
  address in a browser where you are not logged in; 5 failed pulls in a
  row; since Tue 15 Sep 06:00 UTC
""" in text(notice)


def test_while_a_source_goes_on_failing_that_is_told_once_a_week(half: Installation, relay: SmtpServer) -> None:
    assert [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2] == run(half, relay, *range(13))


def test_beside_others_that_seldom_have_news_it_is_told_once_a_week_too(
    watched: Installation, relay: SmtpServer
) -> None:
    """Until it has failed for three days nobody knows that it is no whim, and every day without news is told."""
    watched.server.routes["/list"] = Reply(body=jsonl(item(1)))

    assert [0, 1, 2, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4] == run(watched, relay, *range(13))


def test_while_all_sources_fail_that_is_told_every_day(watched: Installation, relay: SmtpServer) -> None:
    assert [0, 1, 2, 3, 4, 5, 6] == run(watched, relay, *range(7))


def test_a_source_that_worked_in_between_has_failed_since_then(half: Installation, relay: SmtpServer) -> None:
    run(half, relay, *range(4))
    half.server.routes["/journal"] = Reply(body=QUIET)
    run(half, relay, 4)
    half.server.routes["/journal"] = Reply(403)

    assert [1, 1, 1, 2] == run(half, relay, 5, 6, 7, 8)
    assert "since Sun 20 Sep 06:00 UTC" in " ".join(text(notices(relay)[1]).split())


def test_a_second_source_that_fails_does_not_wait_for_the_week_of_the_first(
    half: Installation, relay: SmtpServer
) -> None:
    half.sources += f'[[sources]]\ntype = "feed"\nname = "blog"\nurl = "{half.server.url}/blog"\n'
    half.server.routes["/blog"] = Reply(body=QUIET)
    run(half, relay, 0, 1)
    half.server.routes["/blog"] = Reply(404)

    assert [0, 1, 1, 2] == run(half, relay, 2, 3, 4, 5)
    assert ["journal has failed", "blog has failed"] == [n["Subject"][8:-9] for n in notices(relay)]


def test_a_source_that_has_nothing_new_for_days_does_not_fail(half: Installation, relay: SmtpServer) -> None:
    half.server.routes["/journal"] = Reply(body=QUIET)

    assert [0] * 8 == run(half, relay, *range(8))


def test_a_part_that_fails_for_days_is_told_though_the_rest_has_news(half: Installation, relay: SmtpServer) -> None:
    days = itertools.count(1)
    half.sources += f'[[sources]]\ntype = "arxiv"\ncategories = ["cs.CL", "cs.XY"]\nbase_url = "{half.server.url}"\n'
    half.server.routes["/journal"] = Reply(body=QUIET)
    half.server.routes["/atom/cs.CL"] = lambda _request: Reply(
        body=arxiv_feed(arxiv_entry(number=f"2609.2{next(days):04d}"))
    )

    assert [0, 0, 0, 1] == run(half, relay, 0, 1, 2, 3)
    assert "cs.XY: the server answers 404 Not Found" in " ".join(text(notices(relay)[0]).split())


def test_a_source_that_was_taken_out_of_the_configuration_is_not_told(half: Installation, relay: SmtpServer) -> None:
    run(half, relay, 0, 1, 2)
    half.sources = half.sources[: half.sources.index("[[sources]]", 1)]

    assert [0, 0] == run(half, relay, 3, 4)


def test_a_source_that_nobody_asked_for_days_has_not_failed_for_days(half: Installation, relay: SmtpServer) -> None:
    run(half, relay, 0)

    half.tell(NOW + 4 * DAY)

    assert [] == notices(relay)
    assert [0, 1] == run(half, relay, 4, 5)


def test_a_notice_of_a_source_that_was_not_delivered_is_tried_by_the_next_run(
    half: Installation, relay: SmtpServer
) -> None:
    run(half, relay, 0, 1, 2)
    relay.script["rcpt"] = "450 4.2.1 not now"
    assert [0] == run(half, relay, 3)
    relay.script.clear()

    assert [1, 1] == run(half, relay, 3.1, 3.2)
