"""Planning: who gets what on which of their days, and nobody anything twice."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from digest.due import due
from digest.model import StoredPaper
from digest.pipeline.plan import preview
from tests.installation import ADA, BOB, CAT, findings, item, message_id, picked, reader, sentences
from tests.makers import NOW, TODAY, paper
from tests.smtp_server import DROP

if TYPE_CHECKING:
    from digest.model import RunReport
    from tests.installation import Installation
    from tests.smtp_server import SmtpServer

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FRIDAY = datetime(2026, 9, 18, 6, 0, tzinfo=UTC)
LATER = "450 4.2.1 not now"
NO_SUCH_USER = "550 5.1.1 no such user"


# --- what is in it ----------------------------------------------------------------------------------------------


def test_what_matches_is_for_you_and_what_moves_is_trending(any_home: Installation) -> None:
    any_home.publish(item(1), item(2, "Bees", upvotes=40), item(3, "Bees"), item(4, upvotes=3))
    any_home.pull()

    report = any_home.send()

    assert [("ada@example.org", "sent")] == findings(report)
    assert {ADA: [[4, 1, 2]]} == any_home.mailed()
    assert {"considered": 4, "matched": 2, "seen_before": 0, "for_you": 2, "trending": 1} == report.verdicts[0].counts


def test_a_preview_is_what_would_be_mailed_and_changes_nothing(home: Installation) -> None:
    home.publish(item(1), item(2, "Bees", upvotes=40))
    home.pull()
    settings = home.settings()

    with home.state() as state:
        digest = preview(settings, state, settings.subscribers[0], now=NOW - 5 * HOUR)

    assert ["arxiv:2609.00001", "arxiv:2609.00002"] == [pick.paper.key for pick in digest.picks]
    assert () == home.rows()


def test_a_quiet_day_leaves_no_row_so_that_what_comes_later_is_mailed(home: Installation) -> None:
    home.publish(item(1, "Bees"))
    home.pull()
    quiet = home.send()
    rows = home.rows()
    home.publish(item(1, "Bees"), item(2))
    home.pull(NOW + HOUR)

    report = home.send(NOW + 2 * HOUR)

    assert [("ada@example.org", "quiet"), ("ada@example.org", "sent")] == findings(quiet) + findings(report)
    assert () == rows
    assert {ADA: [[2]]} == home.mailed()


def test_a_paper_that_rises_later_is_not_mailed_again(home: Installation) -> None:
    home.publish(item(1, "Mixture of experts and bees", upvotes=9))
    home.pull()
    home.send()
    home.publish(item(1, "Mixture of experts and bees", upvotes=900))
    home.pull(NOW + DAY)

    report = home.send(NOW + DAY)

    assert ["ada@example.org: no new papers since the last digest, so no mail"] == sentences(report)
    assert {ADA: [[1]]} == home.mailed()


def test_a_weekend_is_caught_up_on_monday(home: Installation) -> None:
    """Friday's digest took what came before it; what came after it is news on Monday, once."""
    home.publish(item(1))
    home.pull(FRIDAY - HOUR)
    home.send(FRIDAY)
    home.publish(item(1), item(2))
    home.pull(FRIDAY + 5 * HOUR)
    weekend = home.send(FRIDAY + DAY)
    home.publish(item(1), item(2), item(3))
    home.pull(FRIDAY + 2 * DAY)

    home.send(FRIDAY + 3 * DAY)

    assert ["ada@example.org: Saturday is not one of the days chosen (mon, tue, wed, thu, fri)"] == sentences(weekend)
    assert {ADA: [[1], [2, 3]]} == home.mailed()


def test_papers_on_their_way_are_not_planned_again(home: Installation, relay: SmtpServer) -> None:
    relay.script["rcpt"] = LATER
    home.publish(item(1))
    home.pull()
    home.send()
    home.publish(item(1), item(2))
    home.pull(NOW + DAY)

    home.send(NOW + DAY)
    del relay.script["rcpt"]
    home.send(NOW + DAY + 6 * HOUR)

    assert [[1], [2]] == [picked(mail.data) for mail in relay.accepted]


def test_a_reader_whose_only_papers_are_on_their_way_has_seen_all(home: Installation, relay: SmtpServer) -> None:
    relay.script["rcpt"] = LATER
    home.publish(item(1))
    home.pull()
    home.send()

    report = home.send(NOW + DAY)

    assert [(ADA, "deferred"), (ADA, "all_seen")] == findings(report)
    assert f"{ADA}: 1 new paper; what matched (1) is in an earlier mail, so no mail" == sentences(report)[1]


def test_papers_of_a_mail_that_was_given_up_come_again(home: Installation, relay: SmtpServer) -> None:
    relay.script["rcpt"] = LATER
    home.publish(item(1))
    home.pull()
    home.send()
    del relay.script["rcpt"]
    home.publish(item(1), item(2))
    home.pull(NOW + 2 * DAY)

    home.send(NOW + 2 * DAY)

    assert [("expired", TODAY), ("sent", TODAY + 2 * DAY)] == [(row.state, row.local_date) for row in home.rows()]
    assert [[1, 2]] == [picked(mail.data) for mail in relay.accepted]


def test_papers_of_a_mail_that_was_given_up_come_again_though_a_later_mail_arrived(
    home: Installation, relay: SmtpServer
) -> None:
    relay.script["rcpt"] = LATER
    home.publish(item(1))
    home.pull()
    home.send()
    relay.on["rset"] = lambda _recipient: relay.script.clear()
    home.publish(item(1), item(2))
    home.pull(NOW + DAY)
    home.send(NOW + DAY)
    home.publish(item(1), item(2), item(3))
    home.pull(NOW + 2 * DAY)

    home.send(NOW + 2 * DAY)

    assert ["expired", "sent", "sent"] == [row.state for row in home.rows()]
    assert [[2], [1, 3]] == [sorted(picked(mail.data)) for mail in relay.accepted]


def test_papers_that_a_running_pull_is_about_to_store_are_not_overlooked(any_home: Installation) -> None:
    """Cron may start `digest pull` and `digest send` in the same second.

    The pull has called its papers known since 06:00:00 and is still storing them; the digest is planned at 06:00:01.
    A plan that does not wait for them would have them count as older than the digest, and so never as news.
    """
    any_home.publish(item(1))
    any_home.pull(NOW - HOUR)
    sender = threading.Thread(target=any_home.send, args=[NOW + timedelta(seconds=1)])

    with any_home.state() as state, state.transaction():
        title = str(item(2)["title"])
        state.papers.store([StoredPaper(paper(2, title=title), first_seen_at=NOW, edition=TODAY)])
        sender.start()
        sender.join(0.5)
    sender.join()
    any_home.send(NOW + DAY)

    assert {1, 2} == {number for mail in any_home.mailed()[ADA] for number in mail}


# --- when -------------------------------------------------------------------------------------------------------


def run_hourly(home: Installation, first: datetime, last: datetime) -> None:
    """A pull with a new paper and a send, every half hour, both ends included."""
    moment, items = first, list[dict[str, Any]]()
    while moment <= last:
        items.append(item(len(items) + 1))
        home.publish(*items)
        home.pull(moment - timedelta(minutes=1))
        home.send(moment)
        moment += HOUR / 2


@pytest.mark.parametrize(
    ("first", "hours", "expected"),
    [
        (
            datetime(2026, 3, 28, 22, 30, tzinfo=UTC),
            4,
            [(date(2026, 3, 28), "22:30"), (date(2026, 3, 29), "01:00")],
        ),
        (
            datetime(2026, 10, 24, 21, 30, tzinfo=UTC),
            6,
            [(date(2026, 10, 24), "21:30"), (date(2026, 10, 25), "00:30")],
        ),
    ],
    ids=["02:30 does not happen", "02:30 happens twice"],
)
def test_the_night_the_clocks_change_has_one_digest(
    home: Installation, first: datetime, hours: int, expected: list[tuple[date, str]]
) -> None:
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    home.readers = (reader(time="02:30", timezone="Europe/Berlin", days=days),)

    run_hourly(home, first, first + hours * HOUR)

    assert expected == [(row.local_date, f"{row.planned_at:%H:%M}") for row in home.rows()]


@pytest.mark.parametrize("back", [HOUR, DAY], ids=["an hour", "a day"])
def test_a_clock_that_jumps_back_brings_no_second_digest(home: Installation, back: timedelta) -> None:
    for number, moment in enumerate([NOW, NOW + DAY, NOW + DAY - back, NOW + DAY, NOW + 2 * DAY], start=1):
        home.publish(*map(item, range(1, number + 1)))
        home.pull(moment - timedelta(minutes=1))
        home.send(moment)

    assert [TODAY, TODAY + DAY, TODAY + 2 * DAY] == [row.local_date for row in home.rows()]
    assert 3 == len(home.mailed()[ADA])


def test_what_was_mailed_while_the_clock_was_set_back_does_not_come_again(any_home: Installation) -> None:
    any_home.publish(item(1))
    any_home.pull()
    any_home.send()
    any_home.publish(item(1), item(2))
    any_home.pull(NOW - 2 * DAY)
    any_home.send(NOW - 2 * DAY, any_hour=True)

    # the second paper counts as known since the first digest: it is news still, and its mail is dated nine days ago
    any_home.send(NOW + 8 * DAY - HOUR, any_hour=True)

    assert {ADA: [[2], [1]]} == any_home.mailed()


def test_what_was_refused_while_the_clock_was_set_back_comes_again(home: Installation, relay: SmtpServer) -> None:
    home.readers = (reader(max_papers=1),)
    home.publish(item(1))
    home.pull()
    home.send()
    home.publish(item(1), item(2))
    home.pull(NOW - 20 * DAY)
    relay.script["rcpt"] = NO_SUCH_USER
    home.send(NOW - 20 * DAY, any_hour=True)
    del relay.script["rcpt"]
    home.publish(item(1), item(2), item(3, upvotes=90))
    home.pull(NOW + DAY)
    home.send(NOW + DAY)

    home.send(NOW + 2 * DAY)

    assert [[1], [3], [2]] == [picked(mail.data) for mail in relay.accepted]


@pytest.mark.parametrize("back", [85, 500, 20_000])
def test_however_far_the_clock_was_set_back_what_was_mailed_stays_mailed(home: Installation, back: int) -> None:
    home.publish(item(1))
    home.pull()
    home.send(NOW - back * DAY, any_hour=True)
    home.pull(NOW + 7 * DAY)

    home.send(NOW + 7 * DAY + HOUR)

    assert {ADA: [[1]]} == home.mailed()


def test_one_pull_with_the_clock_ahead_forgets_no_mail(home: Installation) -> None:
    home.publish(item(1))
    home.pull()
    home.send()
    home.pull(NOW + 500 * DAY)

    home.send(NOW + DAY)

    assert {ADA: [[1]]} == home.mailed()


def test_a_digest_sent_with_the_clock_ahead_makes_no_paper_old(home: Installation) -> None:
    home.publish(item(1))
    home.pull()
    home.publish(item(2))
    home.pull(NOW + 30 * DAY)
    home.send(NOW + 30 * DAY, any_hour=True)

    home.send(NOW + DAY)

    assert [[1], [2]] == sorted(home.mailed()[ADA])


def test_mail_put_off_while_the_clock_was_ahead_goes_out_with_the_next_run(
    home: Installation, relay: SmtpServer
) -> None:
    relay.script["rcpt"] = LATER
    home.publish(item(1))
    home.pull(NOW + 365 * DAY)
    home.send(NOW + 365 * DAY, any_hour=True)
    del relay.script["rcpt"]

    home.send(NOW)

    assert [[1]] == [picked(mail.data) for mail in relay.accepted]


def test_a_paper_that_gets_a_better_key_is_no_new_one(home: Installation) -> None:
    """Its DOI was known first; that its mail is older than the window of news must not matter."""
    home.publish(item(1, id="10.1234/abc"))
    home.pull()
    home.send()
    home.publish(item(1, id="10.1234/abc"), item(2))
    home.pull(NOW + 20 * DAY)
    home.send(NOW + 20 * DAY)
    home.publish(item(1, id="10.1234/abc", url="https://arxiv.org/abs/2609.00001"), item(2))
    home.pull(NOW + 21 * DAY)

    home.send(NOW + 21 * DAY)

    assert 2 == len(home.letters())


def test_a_reader_who_travels_has_one_digest_per_local_day(home: Installation) -> None:
    """From Auckland to Honolulu it is yesterday again, and back."""
    moment = datetime(2026, 9, 15, 19, 0, tzinfo=UTC)
    for number, zone in enumerate(["Pacific/Auckland", "Pacific/Honolulu", "Pacific/Auckland", "Pacific/Honolulu"], 1):
        home.readers = (reader(timezone=zone),)
        home.publish(*map(item, range(1, number + 1)))
        home.pull(moment)
        home.send(moment + HOUR / 2)
        moment += HOUR

    assert [date(2026, 9, 15), date(2026, 9, 16)] == [row.local_date for row in home.rows()]
    assert {ADA: [[2], [1]]} == home.mailed()


def test_readers_who_join_at_run_time_are_planned_too_and_the_configuration_wins(home: Installation) -> None:
    home.publish(item(1), item(2, "Bees"))
    home.pull()
    joined = home.settings().subscribers[0]
    with home.state() as state:
        state.subscribers.put(replace(joined, email=BOB, keywords=("bees",)), now=NOW)
        state.subscribers.put(replace(joined, keywords=("bees",)), now=NOW)

    home.send()

    assert {ADA: [[1]], BOB: [[2]]} == home.mailed()


# --- over many days ---------------------------------------------------------------------------------------------

DAN = "dan@example.org"
TOPICS = {ADA: "mixture of experts", BOB: "bees", CAT: "quantum"}
READERS = (
    reader(ADA, TOPICS[ADA], max_papers=50),
    reader(BOB, TOPICS[BOB], max_papers=50, days=["mon", "wed", "fri"], timezone="America/New_York", time="07:30"),
    reader(CAT, TOPICS[CAT], max_papers=50, days=["tue", "thu", "sat", "sun"], timezone="Asia/Tokyo", time="23:30"),
    reader(DAN, keywords=[]),
)
#: UTC hours at which everything runs
HOURS = (5.0, 14.75, 22.5)


class Fortnight:
    """Two weeks in which papers come, votes move, and the relay has its moods; then a calm one."""

    def __init__(self, home: Installation, relay: SmtpServer, random: Random) -> None:
        self.home = home
        self.relay = relay
        self.random = random
        #: topic of each item, from number 1 on
        self.topics: list[str] = []
        #: who is about to be sent mail whose answer gets lost
        self.lost: set[str] = set()

    def live(self) -> None:
        for day in range(18):
            calm = day >= 14
            if (NOW + day * DAY).weekday() < 5 and not calm:
                self.topics += self.random.choices(["Bees", "Quantum", "Mixture of experts", "Soup"], k=4)
            midnight = NOW.replace(hour=0) + day * DAY
            self.publish()
            self.home.pull(midnight)
            for hour in HOURS:
                self.set_mood(calm=calm)
                self.check(self.home.send(midnight + hour * HOUR), midnight + hour * HOUR)

    def publish(self) -> None:
        votes = {"upvotes": self.random.randrange(100)}
        self.home.publish(*(item(number, topic, **votes) for number, topic in enumerate(self.topics, 1)))

    def set_mood(self, *, calm: bool) -> None:
        """After an answer that was lost the next one is kind: had it been another, nobody could know what arrived."""
        self.relay.script.clear()
        lost, self.lost = self.lost, set()
        for email in () if calm else sorted({ADA, BOB, CAT, DAN} - lost):
            mood = self.random.random()
            if mood < 0.3:
                self.relay.script["rcpt", email] = LATER
            elif mood < 0.4:
                self.relay.script["rcpt", email] = NO_SUCH_USER
            elif mood < 0.5:
                self.relay.script["dot", email] = DROP
                self.lost.add(email)

    def check(self, report: RunReport, moment: datetime) -> None:
        """Every reader has a verdict, and who is due has a row or no papers."""
        rows = {(row.email, row.local_date) for row in self.home.rows()}
        empty = {verdict.name for verdict in report.verdicts if verdict.finding in {"quiet", "all_seen"}}
        readers = self.home.settings().subscribers
        assert {one.email for one in readers} == {verdict.name for verdict in report.verdicts}
        for one in readers:
            answer = due(one, moment)
            assert answer.not_yet or (one.email, answer.local_date) in rows or one.email in empty

    def mails(self, email: str) -> dict[str, list[int]]:
        """What the relay took for a reader: the items of each mail, which is always the same mail."""
        found: dict[str, bytes] = {}
        for mail in self.relay.accepted:
            if mail.recipient == email:
                assert mail.data == found.setdefault(message_id(mail.data), mail.data)
        return {identity: picked(data) for identity, data in found.items()}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_for_weeks_nobody_gets_a_paper_twice_and_nobody_misses_one(
    home: Installation, relay: SmtpServer, seed: int
) -> None:
    home.readers = READERS
    home.sections["delivery"] = "pause_after_refusals = 100"
    life = Fortnight(home, relay, Random(seed))

    life.live()

    for email in (ADA, BOB, CAT, DAN):
        items = [number for mail in life.mails(email).values() for number in mail]
        assert len(set(items)) == len(items), email
    for email, topic in TOPICS.items():
        wanted = {number for number, other in enumerate(life.topics, 1) if other.lower() == topic}
        assert wanted <= {number for mail in life.mails(email).values() for number in mail}, email
    days = [(row.email, row.local_date) for row in home.rows()]
    assert len(set(days)) == len(days)
    assert all(row.planned_at.astimezone(ZoneInfo(zone_of(row.email))).date() == row.local_date for row in home.rows())


def zone_of(email: str) -> str:
    return {BOB: "America/New_York", CAT: "Asia/Tokyo"}.get(email, "UTC")


def test_what_was_said_before_is_not_written_down_again(home: Installation) -> None:
    """A send every few minutes would fill the state with quiet readers."""
    home.publish(item(1, "Something else"))
    home.pull()

    for minutes in (0, 5, 10, 13 * 60):
        home.send(NOW + timedelta(minutes=minutes))

    with home.state() as state:
        kept = state.runs.verdicts(scope="subscriber", finding="quiet")
    assert [NOW + timedelta(hours=13), NOW] == [verdict.at for verdict in kept]
