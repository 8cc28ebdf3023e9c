"""What became of papers that were sent: what a pull notices, and which reader is told what, once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.curate.followups import MOST, FollowUps, happened
from digest.languages.language import language
from digest.model import DaySignals, Delivered, Followup, News, Signals
from tests.makers import HOSTILE_TITLE, NOW, TODAY, paper

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from digest.model import NewsKind, Paper

DAY = timedelta(days=1)


def told(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """The sentences about a paper with some fields before, and some others after."""
    return [news.sentence for news in happened(paper(**before), paper(**before | after), at=NOW)]


# --- what happened ----------------------------------------------------------------------------------------------


def test_nothing_happened_to_a_paper_that_only_gathers_votes_and_names() -> None:
    assert [] == told({}, {"signals": Signals(upvotes=7), "sources": ("arxiv", "huggingface"), "aliases": ("url:x",)})


def test_all_that_happened_at_once_is_told_the_gravest_first() -> None:
    before, after = (
        paper(version=1),
        paper(
            version=2,
            journal_ref="Nature 1 (2026)",
            aliases=("doi:10.1/x",),
            code_url="https://github.com/ada/numbers",
        ),
    )

    assert (
        News(before.key, NOW, "venue", "published: Nature 1 (2026)"),
        News(before.key, NOW, "doi", "DOI 10.1/x"),
        News(before.key, NOW, "code", "code appeared: github.com/ada/numbers"),
        News(before.key, NOW, "version", "version 2"),
    ) == happened(before, after, at=NOW)


@pytest.mark.parametrize(
    ("comment", "sentence"),
    [
        (
            "This paper has been withdrawn by the authors due to an error in Lemma 2.",
            "withdrawn due to an error in Lemma 2",
        ),
        ("Withdrawn", "withdrawn"),
        ("12 pages; withdrawn because J. Doe was right. Sorry", "withdrawn because J. Doe was right"),
        ("arXiv admin note: submission has been withdrawn by arXiv administrators", "withdrawn"),
        ("Withdrawn from arXiv for lack of a licence", "withdrawn for lack of a licence"),
    ],
)
def test_a_withdrawal_is_the_only_news_and_gives_its_reason(comment: str, sentence: str) -> None:
    assert [sentence] == told({}, {"comment": comment, "version": 2, "code_url": "https://github.com/a/b"})


def test_a_withdrawal_may_be_told_by_the_abstract_alone() -> None:
    assert ["withdrawn due to a wrong sign"] == told({}, {"abstract": "This paper was withdrawn due to a wrong sign."})


@pytest.mark.parametrize(
    "fields",
    [
        {"comment": "Withdrawn from the workshop"},
        {"comment": "A data set of retracted papers"},
        {"abstract": "Retracted papers are cited. Many are withdrawn by their authors."},
    ],
)
def test_a_paper_about_withdrawals_is_not_withdrawn(fields: dict[str, Any]) -> None:
    assert [] == told({}, fields)


def test_a_withdrawal_is_told_once() -> None:
    assert [] == told({"comment": "Withdrawn"}, {"version": 3, "comment": "Withdrawn by the author"})


@pytest.mark.parametrize(
    ("comment", "sentence"),
    [
        ("Accepted at NeurIPS 2026 (oral). 12 pages", "accepted at NeurIPS 2026"),
        ("20 pages, to appear in Proc. of XYZ. Long", "to appear in Proc. of XYZ"),
        ("Accepted for publication in Physical Review D; 3 figures", "accepted for publication in Physical Review D"),
        ("To appear in Phys. Rev. Lett. Code: github.com/a/b", "to appear in Phys. Rev. Lett"),
        ("Accepted in Proc. Natl. Acad. Sci. USA, 3 figures", "accepted in Proc. Natl. Acad. Sci. USA, 3 figures"),
        ("Accepted by Mon. Not. R. Astron. Soc.; 8 pages", "accepted by Mon. Not. R. Astron. Soc"),
    ],
)
def test_a_venue_may_be_told_by_the_comment(comment: str, sentence: str) -> None:
    assert [sentence] == told({"comment": "12 pages"}, {"comment": comment})


def test_where_it_was_published_is_told_with_the_journal_in_full() -> None:
    assert ["published: Phys. Rev. D 12 (2026) 1"] == told({}, {"journal_ref": "Phys. Rev. D 12 (2026) 1"})


def test_an_address_of_code_is_no_venue() -> None:
    assert ["code appeared: github.com/a/b"] == told({}, {"comment": "Code published at https://github.com/a/b ."})


@pytest.mark.parametrize(
    ("comment", "sentence"),
    [
        ("9 pages; v2: fixes Eq. 3.2, adds 2.5 pages; v1: old", "version 2: fixes Eq. 3.2, adds 2.5 pages"),
        ("Version 2 adds an experiment at 2.5 GHz", "version 2: adds an experiment at 2.5 GHz"),
        ("12 pages, 3 figures, typos corrected", "version 2: typos corrected"),
        ("12 pages, 4 figures", "version 2"),
        ("12 pages", "version 2"),
    ],
)
def test_a_new_version_tells_what_changed_if_the_comment_says_so(comment: str, sentence: str) -> None:
    assert [sentence] == told({"comment": "12 pages"}, {"version": 2, "comment": comment})


def test_a_version_is_no_news_if_no_source_counted_before() -> None:
    assert [] == told({"version": None}, {"version": 2})


def test_words_of_a_source_stay_one_short_line() -> None:
    (sentence,) = told({}, {"version": 2, "comment": "v2: " + HOSTILE_TITLE.replace(".", "") + "\r\nBcc: eve"})

    assert sentence == " ".join(sentence.split())
    assert len(sentence) <= 140
    assert sentence.endswith("…")


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_whatever_sources_say_nothing_breaks_and_nothing_new_is_no_news(one: str, two: str, three: str) -> None:
    before, after = paper(comment=one), paper(comment=two, abstract=three, version=2)

    assert all(news.sentence for news in happened(before, after, at=NOW))
    assert () == happened(after, after, at=NOW)


# --- who is told ------------------------------------------------------------------------------------------------


def news(number: int, at: datetime, kind: NewsKind = "code", sentence: str = "code appeared") -> News:
    return News(paper(number).key, at, kind, sentence)


def votes(*upvotes: int | None, since: date = TODAY) -> tuple[DaySignals, ...]:
    """What was said on so many days, from `since` on."""
    return tuple(DaySignals("hf", since + n * DAY, Signals(upvotes=count)) for n, count in enumerate(upvotes))


def followups(
    *found: News,
    votes: Mapping[str, Sequence[DaySignals]] | None = None,
    now: datetime = NOW + 3 * DAY,
    more: Mapping[str, str] | None = None,
) -> FollowUps:
    votes = votes or {}
    papers: dict[str, Paper] = {p.key: p for p in map(paper, range(1, 20))}
    papers = {key: papers[key] for key in {one.key for one in found} | votes.keys()}
    return FollowUps(papers, {key: key for key in papers} | dict(more or {}), found, votes, now=now)


def sent(*numbers: int, on: date = TODAY, told_until: datetime = NOW) -> Delivered:
    return Delivered(told_until, ((on, tuple(paper(number).key for number in numbers)),))


def test_news_after_the_last_mail_are_told_and_those_before_it_are_not() -> None:
    found = followups(news(1, NOW + DAY), news(2, NOW), news(3, NOW + DAY))
    one = paper(1)

    assert (Followup(one.key, one.title, one.url, "code appeared"),) == found.for_reader(sent(1, 2))


def test_nobody_is_told_of_papers_they_were_not_sent_and_nothing_of_later_than_now() -> None:
    assert () == followups(news(1, NOW + 4 * DAY), news(2, NOW + DAY)).for_reader(sent(1))


def test_a_paper_is_told_of_once_with_all_its_news_and_of_each_kind_the_latest() -> None:
    found = followups(
        news(1, NOW + DAY, "version", "version 2"),
        news(1, NOW + 2 * DAY, "version", "version 3"),
        news(1, NOW + DAY, "doi", "DOI 10.1/x"),
    )

    assert ["DOI 10.1/x; version 3"] == [one.news for one in found.for_reader(sent(1))]


def test_a_paper_that_was_sent_under_another_name_is_the_same_paper() -> None:
    delivered = Delivered(NOW, ((TODAY, ("doi:10.1/old",)),))
    found = followups(news(1, NOW + DAY), more={"doi:10.1/old": paper(1).key})

    assert [paper(1).key] == [one.key for one in found.for_reader(delivered)]


def test_withdrawals_come_first_then_the_latest_and_of_many_only_some() -> None:
    several = [news(number, NOW + timedelta(hours=number)) for number in range(1, 10)]
    found = followups(*several, news(1, NOW + timedelta(hours=1), "withdrawn", "withdrawn"))

    told = found.for_reader(sent(*range(1, 10)))

    assert [paper(number).key for number in (1, 9, 8, 7, 6)] == [one.key for one in told]
    assert MOST == len(told)


def test_readers_who_are_told_the_same_share_it() -> None:
    found = followups(news(1, NOW + DAY))

    assert found.for_reader(sent(1))[0] is found.for_reader(sent(1, 2))[0]


def test_a_hundred_more_votes_than_on_the_evening_of_the_mail_are_told() -> None:
    found = followups(votes={paper(1).key: votes(80, 179, 181, 500)}, now=NOW + 3 * DAY)

    assert ["100 more votes since it was sent: ▲ 181"] == [one.news for one in found.for_reader(sent(1))]
    assert () == followups(votes={paper(1).key: votes(80, 179, 181)}, now=NOW + 2 * DAY).for_reader(sent(1))


@pytest.mark.parametrize(
    ("kind", "sentence", "german"),
    [
        ("withdrawn", "withdrawn", "zurückgezogen"),
        ("withdrawn", "withdrawn due to a gap: see v2", "zurückgezogen: due to a gap: see v2"),
        ("venue", "published: Nature 1", "erschienen: Nature 1"),
        ("venue", "accepted at published: things", "accepted at published: things"),
        ("doi", "DOI 10.1/x", "DOI 10.1/x"),
        ("code", "code appeared: github.com/a/b", "Code ist da: github.com/a/b"),
        ("version", "version 2", "Version 2"),
        ("version", "version 12: fixes version 2: 100%", "Version 12: fixes version 2: 100%"),
        ("version", "as an older digest said it", "as an older digest said it"),
    ],
)
def test_news_are_told_in_the_readers_language_and_a_sources_words_stay(
    kind: NewsKind, sentence: str, german: str
) -> None:
    found = followups(news(1, NOW + DAY, kind, sentence), votes={paper(1).key: votes(80, 1300)})

    both = [found.for_reader(sent(1), language(code))[0].news for code in ("en", "de")]
    assert [
        f"{sentence}; 1,200 more votes since it was sent: ▲ 1,300",
        f"{german}; 1.200 Stimmen mehr seit der Mail: ▲ 1.300",
    ] == both


def test_what_one_mail_told_of_votes_the_next_tells_only_when_a_hundred_more_have_come() -> None:
    key = paper(1).key
    later = sent(1, told_until=NOW + 2 * DAY)

    assert () == followups(votes={key: votes(0, 150, 190)}, now=NOW + 3 * DAY).for_reader(later)
    more = followups(votes={key: votes(0, 150, 210)}, now=NOW + 3 * DAY).for_reader(later)
    assert ["200 more votes since it was sent: ▲ 210"] == [one.news for one in more]


@given(st.lists(st.none() | st.integers(0, 700), min_size=1, max_size=10))
def test_over_days_of_mail_every_hundred_votes_are_told_exactly_once(counts: list[int | None]) -> None:
    """A mail each day, each told what the one before did not tell: never a step twice, never a step left out."""
    history = {paper(1).key: votes(*counts)}
    said: list[int] = []
    for day in range(1, len(counts) + 1):
        delivered = sent(1, told_until=NOW + (day - 1) * DAY)
        told = followups(votes=history, now=NOW + day * DAY).for_reader(delivered)
        said += [int(one.news.partition(" ")[0]) for one in told]

    gained = max((count or 0 for count in counts), default=0) - (counts[0] or 0)
    assert said == sorted(set(said))
    assert [gained // 100 * 100] * (gained >= 100) == said[-1:]


def test_there_is_nothing_to_look_for_if_nothing_happened() -> None:
    assert not followups()
    assert followups(news(1, NOW + DAY))
