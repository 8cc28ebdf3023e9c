"""Pulling: what a source says today, against everything that was known before."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from digest.errors import DigestError
from tests.collect.feeds import CAPTCHA, arxiv_entry, arxiv_feed
from tests.http_server import HttpServer, Reply, with_etag
from tests.installation import findings, item, jsonl, sentences
from tests.makers import NOW, TODAY
from tests.pipeline import children

if TYPE_CHECKING:
    from pathlib import Path

    from tests.installation import Installation

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
ARXIV = '[[sources]]\ntype = "arxiv"\ncategories = ["cs.CL"]\nbase_url = "{url}"\n'
HUGGINGFACE = '[[sources]]\ntype = "huggingface"\ndays = 1\nbase_url = "{url}"\n'
FEED = '[[sources]]\ntype = "feed"\nname = "journal"\nurl = "{url}/journal"\n'
SATURDAY = datetime(2026, 9, 19, 6, 0, tzinfo=UTC)


def use(home: Installation, *sources: str) -> None:
    home.sources = "\n".join(source.format(url=home.server.url) for source in sources)


def announce(home: Installation, *entries: str) -> None:
    """What arXiv's feed holds from now on."""
    home.server.routes["/atom/cs.CL"] = Reply(body=arxiv_feed(*entries))


def votes(home: Installation, *numbers: int, upvotes: int = 10) -> None:
    """What Hugging Face lists from now on."""
    items = [
        {
            "paper": {
                "id": f"2609.{number:05d}",
                "title": f"On Numbers {number}",
                "publishedAt": "2026-09-14T17:00:00.000Z",
                "upvotes": upvotes,
                "githubRepo": "https://github.com/ada/numbers",
            },
            "numComments": 2,
        }
        for number in numbers
    ]
    home.server.routes["/api/daily_papers"] = lambda request: Reply(
        body=json.dumps(items if request.query.get("p", "0") == "0" else []).encode()
    )


def journal(count: int) -> bytes:
    """A feed of so many items, one per day, the newest first."""
    items = "".join(
        f"<item><title>Issue {number}</title><link>https://journal.example.org/{number}</link>"
        f"<pubDate>{NOW - number * DAY:%a, %d %b %Y %H:%M:%S} GMT</pubDate></item>"
        for number in range(1, count + 1)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>J</title>{items}</channel></rss>'.encode()


def editions(home: Installation, day: date = TODAY) -> list[str]:
    with home.state() as state:
        return sorted(stored.paper.key for stored in state.papers.edition(day))


def test_what_was_pulled_before_is_not_new_again(any_home: Installation) -> None:
    any_home.publish(item(1), item(2))

    first, second = any_home.pull(), any_home.pull(NOW + MINUTE)

    assert ["list: first pull: 2 papers, 2 new"] == sentences(first)
    assert [("list", "unchanged")] == findings(second)
    assert ["list: the same 2 papers as last time"] == sentences(second)
    assert ["arxiv:2609.00001", "arxiv:2609.00002"] == editions(any_home)


def test_a_list_that_did_not_change_is_not_sent_again(home: Installation) -> None:
    home.server.routes["/list"] = with_etag(jsonl(item(1)))
    home.pull()

    report = home.pull(NOW + MINUTE)

    assert ["list: not modified since the last pull"] == sentences(report)


@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [
        (Reply(404), "journal: {url}/journal: the server answers 404"),
        ("hang", "journal: not done within 1 seconds"),
        (Reply(body=CAPTCHA), "journal: {url}/journal: "),
        (Reply(body=b"\x00\xff garbage"), "journal: {url}/journal: "),
    ],
    ids=["fails", "hangs", "a page for people", "garbage"],
)
def test_a_source_in_trouble_costs_only_itself(home: Installation, trouble: Reply | str, sentence: str) -> None:
    use(home, home.sources, FEED + "deadline = 1\n")
    home.publish(item(1))
    home.server.routes["/journal"] = trouble if isinstance(trouble, Reply) else home.server.hang

    report = home.pull()

    assert [("list", "fresh"), ("journal", "failed")] == findings(report)
    assert [False, True] == [verdict.trouble for verdict in report.verdicts]
    assert sentences(report)[1].startswith(sentence.format(url=home.server.url))
    assert ["arxiv:2609.00001"] == editions(home)


def test_a_server_that_wants_to_be_left_alone_costs_no_other_on_the_same_machine(home: Installation) -> None:
    """The wait counts for an origin: scheme, host and port (RFC 6454 §4)."""
    home.server.routes["/journal"] = Reply(429, headers={"Retry-After": "3600"})
    use(
        home,
        FEED,
        FEED.replace('"journal"', '"second"'),
        '[[sources]]\ntype = "feed"\nname = "other"\nurl = "URL/feed"\n',
    )
    with HttpServer() as other:
        other.routes["/feed"] = Reply(body=journal(1))
        home.sources = home.sources.replace("URL", other.url)

        told = home.pull()

    assert ["failed", "failed", "fresh"] == [finding for _, finding in findings(told)]
    assert all("not to be asked again before 07:00 UTC" in sentence for sentence in sentences(told)[:2])
    assert ["/journal"] == [request.path for request in home.server.requests]


def test_a_bad_item_costs_one_item_and_is_told(home: Installation) -> None:
    home.server.routes["/list"] = Reply(body=jsonl(item(1)) + b"{not json\n" + jsonl(item(2)))

    report = home.pull()

    assert ["list: first pull: 2 papers, 2 new"] == sentences(report)
    (note,) = report.notes
    assert note.startswith("list: line 2")


def test_yesterdays_feed_under_todays_date_is_stale(home: Installation) -> None:
    """As arXiv's feed had it once: validators and dates are those of today, the papers are not."""
    use(home, ARXIV)
    announce(home, arxiv_entry("2609.00001"), arxiv_entry("2609.00002"))
    home.pull()

    today = arxiv_entry("2609.00001").replace("2026-09-15", "2026-09-16")
    announce(home, today, arxiv_entry("2609.00002").replace("2026-09-15", "2026-09-16"))
    early, late = home.pull(NOW + DAY), home.pull(NOW + DAY + timedelta(hours=2))

    assert [("arxiv", "unchanged"), ("arxiv", "stale")] == findings(early) + findings(late)
    assert late.verdicts[0].trouble
    assert [
        "arxiv (cs.CL): the same 2 papers as last time; the batch due Wed 16 Sep 04:00 UTC is not there yet",
        "arxiv (cs.CL): the same 2 papers as last time, though a batch was due since Wed 16 Sep 04:00 UTC",
    ] == sentences(early) + sentences(late)


def test_an_empty_weekend_is_no_trouble(home: Installation) -> None:
    use(home, ARXIV)
    announce(home, arxiv_entry("2609.00001"))
    home.pull(SATURDAY - DAY)
    announce(home)

    report = home.pull(SATURDAY)

    assert [("arxiv", "empty")] == findings(report)
    assert not report.verdicts[0].trouble
    assert ["arxiv (cs.CL): an empty list, as always on a weekend; the next batch is due Mon 21 Sep 04:00 UTC"] == (
        sentences(report)
    )


def test_of_a_long_feed_only_the_newest_may_be_mailed_at_first(home: Installation) -> None:
    use(home, FEED)
    home.server.routes["/journal"] = Reply(body=journal(205))

    report = home.pull()

    assert ["journal: first pull: 20 newest of 205 may be mailed, 185 only noted"] == sentences(report)
    assert sorted(f"url:https://journal.example.org/{number}" for number in range(1, 21)) == editions(home)
    assert ["journal: the same 205 papers as last time"] == sentences(home.pull(NOW + DAY))


def test_a_flood_is_refused_until_it_is_allowed(home: Installation) -> None:
    home.sections["digest"] = "flood_factor = 2\nflood_min = 5"
    home.publish(item(1))
    home.pull()
    home.publish(item(1), item(2))
    home.pull(NOW + DAY)
    home.publish(*map(item, range(1, 10)))

    refused = home.pull(NOW + 2 * DAY)

    assert [("list", "failed")] == findings(refused)
    words = "7 new papers at once, far more than ever before (1); nothing was stored"
    assert [f"list: {words}. If this is right, run `digest pull --allow-flood`"] == sentences(refused)
    assert [] == editions(home, TODAY + 2 * DAY)
    assert ["list: 9 papers, 7 new, 2 seen before"] == sentences(home.pull(NOW + 2 * DAY, allow_flood=True))
    assert 7 == len(editions(home, TODAY + 2 * DAY))


def test_a_new_version_is_not_a_new_paper(home: Installation) -> None:
    use(home, ARXIV)
    announce(home, arxiv_entry("2609.00001", title="On Numbers"))
    home.pull()
    announce(home, arxiv_entry("2609.00001", version=2, title="On All Numbers", announce="replace-cross"))
    home.pull(NOW + DAY)
    announce(home, arxiv_entry("2609.00001", version=2, title="On All Numbers"))

    report = home.pull(NOW + DAY + MINUTE)

    assert ["arxiv (cs.CL): 1 paper, 0 new, 1 in a newer version"] == sentences(report)
    assert (["arxiv:2609.00001"], []) == (editions(home), editions(home, TODAY + DAY))


def test_one_paper_from_two_sources_is_one_paper_with_all_its_badges(any_home: Installation) -> None:
    use(any_home, ARXIV, HUGGINGFACE)
    announce(any_home, arxiv_entry("2609.00001"), arxiv_entry("2609.00002"))
    votes(any_home, 2, 3)

    report = any_home.pull()

    assert [
        "arxiv (cs.CL): first pull: 2 papers, 2 new",
        "huggingface: first pull: 2 papers, 1 new, 1 known from other sources",
    ] == sentences(report)
    with any_home.state() as state:
        both = state.papers.get("arxiv:2609.00002")
        history = state.papers.signals(["arxiv:2609.00002"], TODAY)
    assert both is not None
    assert ("arxiv", "huggingface") == both.paper.sources
    assert ("cs.CL",) == both.paper.categories
    assert (10, 2, "https://github.com/ada/numbers") == (
        both.paper.signals.upvotes,
        both.paper.signals.comments,
        both.paper.code_url,
    )
    assert [(day.source, day.day, day.signals.upvotes) for day in history["arxiv:2609.00002"]] == [
        ("huggingface", TODAY, 10)
    ]


def test_a_source_that_joins_on_another_day_enriches_what_is_known(home: Installation) -> None:
    use(home, ARXIV)
    announce(home, arxiv_entry("2609.00001"))
    home.pull()
    use(home, ARXIV, HUGGINGFACE)
    votes(home, 1)

    report = home.pull(NOW + DAY)

    assert "huggingface: first pull: 1 paper, 0 new, 1 known from other sources" == sentences(report)[1]
    assert [] == editions(home, TODAY + DAY)


def test_only_what_was_asked_for_is_pulled(home: Installation) -> None:
    use(home, home.sources, FEED)
    home.publish(item(1))

    assert [("list", "fresh")] == findings(home.pull(only=["list"]))


@pytest.mark.parametrize("more", [{}, {"id": 7, "url": "https://lab.example/7"}, {"id": "x" * 1_500}])
def test_a_source_that_gets_another_name_brings_nothing_twice(any_home: Installation, more: dict[str, Any]) -> None:
    """Weeks later, when what readers had is no longer compared by its words."""
    numbered = [item(number) | {"id": f"paper {number}"} for number in (1, 2)]
    any_home.publish(*numbered, item(3) | more)
    any_home.pull()
    any_home.send()
    any_home.sources = any_home.sources.replace('"list"', '"reading group"')

    told = any_home.pull(NOW + 40 * DAY)
    any_home.publish(*numbered, item(3) | more, item(4) | {"id": "paper 4"})
    again = any_home.pull(NOW + 41 * DAY)

    assert ["reading group: first pull: 3 papers, 0 new, 3 known from other sources"] == sentences(told)
    assert ["reading group: 4 papers, 1 new, 3 seen before"] == sentences(again)
    assert sentences(any_home.send(NOW + 41 * DAY))[0].startswith("ada@example.org: 1 for you sent; 1 new paper,")


def test_a_source_that_gets_its_old_name_back_brings_nothing_twice(any_home: Installation) -> None:
    numbered = [item(number) | {"id": f"paper {number}"} for number in range(1, 5)]
    old, new = any_home.sources, any_home.sources.replace('"list"', '"reading group"')
    told = []
    for day, (sources, count) in enumerate([(old, 1), (new, 2), (old, 3), (new, 4)]):
        any_home.sources = sources
        any_home.publish(*numbered[:count])
        told += sentences(any_home.pull(NOW + 40 * day * DAY))

    assert [
        "list: first pull: 1 paper, 1 new",
        "reading group: first pull: 2 papers, 1 new, 1 known from other sources",
        "list: 3 papers, 1 new, 1 known from other sources, 1 seen before",
        "reading group: 4 papers, 1 new, 1 known from other sources, 2 seen before",
    ] == told


def test_two_sources_that_get_other_names_at_once_bring_nothing_twice(any_home: Installation) -> None:
    any_home.publish(item(1) | {"id": "1"})
    any_home.server.routes["/other"] = Reply(body=jsonl(item(2) | {"id": "1"}))
    first = any_home.sources
    second = first.replace("list", "other")
    any_home.sources = first + second
    any_home.pull()
    any_home.sources = first.replace('"list"', '"one"') + second.replace('"other"', '"two"')

    told = sentences(any_home.pull(NOW + 40 * DAY))

    assert [
        "one: first pull: 1 paper, 0 new, 1 known from other sources",
        "two: first pull: 1 paper, 0 new, 1 known from other sources",
    ] == told


def test_a_source_that_takes_the_name_of_one_that_has_gone_brings_nothing_twice(home: Installation) -> None:
    home.publish(item(1) | {"id": "1"})
    home.server.routes["/other"] = Reply(body=jsonl(item(2) | {"id": "2"}))
    home.sources += home.sources.replace("list", "other")
    home.pull()
    home.sources = home.sources[home.sources.rindex("[[") :].replace('"other"', '"list"')

    told = sentences(home.pull(NOW + 40 * DAY))

    assert ["list: 1 paper, 0 new, 1 known from other sources"] == told


def test_sources_that_exchange_their_names_bring_nothing_twice(any_home: Installation) -> None:
    """The third one gives its name away and gets a new one."""
    paths = ("list", "other", "third")
    for number, path in enumerate(paths):
        papers = jsonl(*(item(10 * number + more) | {"id": f"{path} {more}"} for more in (1, 2)))
        any_home.server.routes[f"/{path}"] = Reply(body=papers)
    any_home.sources = "".join(any_home.sources.replace("list", path) for path in paths)
    any_home.pull()
    for path, name in zip(paths, ("third", "list", "fourth"), strict=True):
        any_home.sources = re.sub(rf'"{path}"(\nurl = ".*/{path}")', rf'"{name}"\1', any_home.sources)

    told = sentences(any_home.pull(NOW + 40 * DAY))

    assert [
        "third: 2 papers, 0 new, 2 known from other sources",
        "list: 2 papers, 0 new, 2 known from other sources",
        "fourth: first pull: 2 papers, 0 new, 2 known from other sources",
    ] == told


def test_another_list_that_counts_from_one_again_is_another_list(home: Installation) -> None:
    home.publish(item(1) | {"id": "1"})
    home.pull()
    home.sources = home.sources.replace('"list"', '"next year"')
    home.publish(item(2) | {"id": "1"})

    assert ["next year: first pull: 1 paper, 1 new"] == sentences(home.pull(NOW + DAY))


def test_a_list_beside_another_one_has_its_own_names(home: Installation) -> None:
    home.publish(item(1) | {"id": "1"})
    home.pull()
    home.sources += home.sources.replace('"list"', '"second"')

    assert "second: first pull: 1 paper, 1 new" == sentences(home.pull(NOW + DAY))[1]


_PULL_WITH_LITTLE_SPACE = """
import resource
from digest.errors import StateError
empty = home.folder / "empty.sqlite3"
home.url = f"sqlite:///{empty}"
with home.state():
    pass
for number, limit in enumerate(range(40_000, 3_000_000, 20_000)):
    copy = home.folder / f"{number}.sqlite3"
    copy.write_bytes(empty.read_bytes())
    home.url = f"sqlite:///{copy}"
    settings = home.settings()
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        home.pull()
        failed = False
    except StateError:
        failed = True
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    with home.state() as state:
        counts = state.counts()
    again = home.pull(NOW + timedelta(minutes=1))
    print(failed, counts["papers"], counts["runs"], again.verdicts[0].finding)
    if not failed:
        break
"""


def test_a_full_disk_leaves_nothing_half_and_the_next_pull_does_it(home: Installation) -> None:
    """Wherever the space ends, papers and verdict are there together or not at all: what is stored was called new."""
    home.publish(*map(item, range(1, 200)))

    status, output = children.run(_PULL_WITH_LITTLE_SPACE, home)

    lines = output.splitlines()
    assert 0 == status
    assert len(lines) > 5
    assert {"True 0 0 fresh"} == set(lines[:-1])
    assert "False 199 1 unchanged" == lines[-1]


_DIE_BEFORE_STORING = """
import os, signal
home.pull(on_batch=lambda batch: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_a_crash_between_fetching_and_storing_costs_nothing(home: Installation) -> None:
    home.server.routes["/list"] = with_etag(jsonl(item(1)))

    status, _ = children.run(_DIE_BEFORE_STORING, home)

    assert -9 == status
    assert ["list: first pull: 1 paper, 1 new"] == sentences(home.pull(NOW + MINUTE))


def test_a_state_that_cannot_be_written_is_told_and_nothing_is_lost(home: Installation, tmp_path: Path) -> None:
    home.url = f"sqlite:///{tmp_path / 'no' / 'state.sqlite3'}"
    (tmp_path / "no").write_text("a file, no folder")
    home.publish(item(1))

    with pytest.raises(DigestError) as caught:
        home.pull()

    assert caught.value.hint
    (tmp_path / "no").unlink()
    assert [("list", "fresh")] == findings(home.pull())
