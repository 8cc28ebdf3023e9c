"""What became of papers is remembered for those who were sent them."""

from __future__ import annotations

from datetime import timedelta

from digest.model import DaySignals, Delivered, News, Receipt, Signals, StoredPaper
from digest.state.store import State
from tests.makers import NOW, TODAY, digest, paper, pick, subscriber
from tests.state.shortcuts import claim_one, settle_one

ADA, BOB = "ada@example.org", "bob@example.org"
DAY = timedelta(days=1)
ONE = News(paper(1).key, NOW, "code", "code appeared: github.com/a/b")
DOI = "doi:10.1/x"


def store(state: State, *numbers: int) -> None:
    state.papers.store([StoredPaper(paper(number), NOW, TODAY) for number in numbers])


def mail(state: State, email: str, days: int, *numbers: int, outcome: str = "sent") -> None:
    """Plan a mail so many days after today, and say what became of it."""
    at, day = NOW + days * DAY, TODAY + days * DAY
    planned = digest(*map(pick, numbers), subscriber=subscriber(email), local_date=day, planned_at=at)
    state.ledger.plan([(planned, f"<{days}.{email}>")], now=at)
    if outcome != "planned":
        claim_one(state, email, day, owner="host:1", now=at)
        settle_one(state, email, day, Receipt("delivered", 250, "ok", at, "x"), outcome)  # type: ignore[arg-type]  # a state


def test_news_are_kept_oldest_first_and_a_second_time_is_the_same(state: State) -> None:
    store(state, 1, 2)
    later, other = News(ONE.key, NOW + DAY, "version", "version 2"), News(paper(2).key, NOW, "withdrawn", "withdrawn")
    state.news.record([later, ONE, other])
    state.news.record([ONE])
    state.news.record([])

    assert (ONE, other, later) == state.news.since(NOW)
    assert (later,) == state.news.since(NOW + timedelta(microseconds=1))


def test_news_follow_a_paper_to_its_new_key(state: State) -> None:
    old = paper(1, key=DOI)
    state.papers.store([StoredPaper(old, NOW, TODAY)])
    state.news.record([News(DOI, NOW, "code", "code appeared")])
    state.papers.store([StoredPaper(paper(1, aliases=(DOI,)), NOW, TODAY)], absorbed={DOI: paper(1).key})

    assert [paper(1).key] == [one.key for one in state.news.since(NOW)]
    assert {DOI: paper(1).key, paper(1).key: paper(1).key} == state.news.names([paper(1).key])


def test_papers_with_enough_votes_lately_are_found(state: State) -> None:
    said = [
        (paper(number).key, DaySignals(source, TODAY + days * DAY, Signals(upvotes=upvotes)))
        for number, source, days, upvotes in (
            (1, "hf", 0, 100),
            (1, "hf", 1, 130),
            (2, "hf", 1, 99),
            (3, "hf", -1, 500),
            (4, "hf", 0, None),
            (1, "other", 1, 300),
        )
    ]
    state.papers.store([StoredPaper(paper(number), NOW, TODAY) for number in (1, 2, 3, 4)], signals=said)

    assert (paper(1).key,) == state.news.voted(least=100, since=TODAY)


def test_what_was_delivered_is_told_by_day_and_what_is_on_its_way_only_by_its_moment(state: State) -> None:
    store(state, 1, 2, 3, 4)
    mail(state, ADA, -3, 4)
    mail(state, ADA, 0, 1, 2)
    mail(state, ADA, 1, 3)
    mail(state, ADA, 2, 1, outcome="planned")
    mail(state, ADA, 3, 1, outcome="refused")
    mail(state, BOB, 0, 1, outcome="refused")

    found = state.ledger.delivered([ADA, BOB, "eve@example.org"], since=TODAY)

    (one,) = found.values()
    assert {ADA} == found.keys()
    assert NOW + 2 * DAY == one.told_until
    keys = {TODAY: (paper(1).key, paper(2).key), TODAY + DAY: (paper(3).key,)}
    assert keys == dict(one.mails)


def test_a_reader_whose_first_mail_is_on_its_way_was_sent_nothing(state: State) -> None:
    store(state, 1)
    mail(state, ADA, 0, 1, outcome="planned")

    assert {ADA: Delivered(NOW)} == state.ledger.delivered([ADA], since=TODAY)


def test_news_are_forgotten_after_sixty_days(state: State) -> None:
    store(state, 1)
    old, new = (News(ONE.key, NOW - timedelta(days=days), "code", "code appeared") for days in (61, 59))
    state.news.record([old, new])

    assert {"news": 1}.items() <= state.prune(now=NOW).items()
    assert (new,) == state.news.since(NOW - timedelta(days=100))
