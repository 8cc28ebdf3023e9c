"""Notes of quiet days: who asked for them hears once that there is nothing, and only if that is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

import pytest

from digest import story
from tests.http_server import Reply
from tests.installation import ADA, BOB, findings, item, message_id, reader, sentences
from tests.makers import NOW, TODAY
from tests.smtp_server import DROP

if TYPE_CHECKING:
    from tests.installation import Installation
    from tests.smtp_server import SmtpServer

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEES = item(1, "Bees")


def noted(email: str = ADA, *keywords: str, **keys: Any) -> str:
    return reader(email, *keywords, quiet="note", **({"trending": 0} | keys))


def text(data: bytes) -> str:
    part = message_from_bytes(data, policy=policy.default).get_body(("plain",))
    assert part is not None
    return " ".join(part.get_content().split())


def subject(data: bytes) -> str:
    return str(message_from_bytes(data, policy=policy.default)["Subject"])


def test_a_quiet_day_has_one_note_for_who_wants_it_and_no_mail_for_others(any_home: Installation) -> None:
    any_home.readers = (noted(), reader(BOB, trending=0))
    any_home.publish(BEES)
    any_home.pull()

    first, second = any_home.send(), any_home.send(NOW + HOUR)

    assert [(ADA, "sent"), (BOB, "quiet")] == findings(first)
    assert [(ADA, "done"), (BOB, "quiet")] == findings(second)
    assert sentences(first)[0].startswith(
        f"{ADA}: a note of a quiet day sent; 1 new paper, none matched the 1 keyword (stored as"
    )
    assert [(ADA, TODAY, "sent")] == [(row.email, row.local_date, row.state) for row in any_home.rows()]
    (note,) = any_home.letters()
    assert "15 Sep: nothing for you in 1 paper" == subject(note)
    assert "1 paper has come within 8 days, and none of them matches your keywords." in text(note)


def test_a_note_says_what_there_was_and_what_came_closest(home: Installation) -> None:
    home.readers = (noted(min_score=0.99),)
    home.publish(item(1), item(2), BEES | {"id": "2609.00003"})
    home.pull()

    home.send()

    (note,) = home.letters()
    said = text(note)
    assert "3 papers have come within 8 days, 2 match your keywords: 2 score below your floor of 0.99." in said
    assert said.index("To find more, make entries shorter") < said.index("CLOSEST TO YOUR KEYWORDS")
    assert "https://arxiv.org/abs/2609.00001 score 0." in said
    assert "under your floor 0.99" in said


def test_a_note_tells_that_all_was_sent_before(home: Installation, relay: SmtpServer) -> None:
    home.readers = (noted(),)
    relay.script["rcpt"] = "450 4.2.1 not now"
    home.publish(item(1))
    home.pull()
    home.send()
    relay.script.clear()

    report = home.send(NOW + DAY)

    assert [(ADA, "sent"), (ADA, "sent")] == findings(report)
    assert "1 matches your keywords, and all of that is in an earlier mail" in text(relay.accepted[-1].data)


def test_a_day_without_any_paper_has_a_note_as_well(home: Installation) -> None:
    home.readers = (noted(),)
    home.publish(item(1))
    home.pull()
    home.send()
    home.pull(NOW + DAY)

    home.send(NOW + DAY)

    assert "16 Sep: no new papers" == subject(home.letters()[-1])
    assert "No new papers have come since your last mail with papers" in text(home.letters()[-1])


def test_notes_in_a_row_say_since_when_papers_came(home: Installation) -> None:
    """What came before yesterday's note is looked at again, and is not called new."""
    home.readers = (noted(),)
    home.publish(item(1))
    home.pull()
    home.send()
    home.publish(item(1), BEES | {"id": "2609.00002"})
    home.pull(NOW + DAY)
    home.send(NOW + DAY)
    home.pull(NOW + 2 * DAY)
    home.send(NOW + 2 * DAY)

    notes = [text(letter) for letter in home.letters()[1:]]
    assert 2 == len(notes)
    assert all("1 paper has come since your last mail with papers, and none of them" in note for note in notes)


def test_a_paper_whose_mail_was_given_up_did_not_come_since_the_last_one(home: Installation, relay: SmtpServer) -> None:
    home.readers = (noted(),)
    home.publish(item(1))
    home.pull()
    relay.script["rcpt"] = "550 5.1.1 nobody"
    home.send()
    relay.script.clear()
    home.readers = (noted(ADA, "bees"),)
    home.publish(item(1), BEES | {"id": "2609.00002"})
    home.pull(NOW + DAY)
    home.send(NOW + DAY)
    home.readers = (noted(ADA, "zebras"),)
    home.pull(NOW + 2 * DAY)
    home.send(NOW + 2 * DAY)

    [_, note] = relay.accepted
    assert "1 paper has come within 8 days, and none of them matches your keywords." in text(note.data)


def test_a_note_does_not_say_that_the_reader_has_what_still_waits(home: Installation, relay: SmtpServer) -> None:
    """A mail that is held back may have arrived or not, and may go out later or not."""
    home.readers = (noted(),)
    home.sections["delivery"] = 'in_doubt = "hold"'
    home.publish(item(1))
    home.pull()
    relay.script["dot"] = DROP
    home.send()
    relay.script.clear()
    home.pull(NOW + DAY)
    home.send(NOW + DAY)

    said = text(relay.accepted[-1].data)
    assert "1 paper has come within 8 days, 1 matches your keywords, and all of that is in an earlier mail." in said
    assert "in an earlier mail. An earlier mail may still be on its way to you. To find more" in said
    assert "Nothing escaped you" not in said


# --- not while it is not known ------------------------------------------------------------------------------------


def test_there_is_no_note_while_a_source_is_in_trouble_and_why_says_so(home: Installation) -> None:
    home.readers = (noted(),)
    home.publish(BEES)
    home.pull()
    home.server.routes["/list"] = Reply(503)
    home.pull(NOW + HOUR)

    troubled = home.send(NOW + HOUR)
    home.publish(BEES)
    home.pull(NOW + 2 * HOUR)
    mended = home.send(NOW + 2 * HOUR)

    assert [(ADA, "quiet"), (ADA, "sent")] == findings(troubled) + findings(mended)
    sentence = f"{ADA}: 1 new paper, none matched the 1 keyword, so no mail, nor a note, for list could not be read"
    assert [sentence] == sentences(troubled)
    assert 1 == len(home.letters())


@pytest.mark.parametrize("body", [b"", b"an error page\n"])
def test_there_is_no_note_while_a_source_has_nothing_in_it_at_all(home: Installation, body: bytes) -> None:
    """Whoever writes the list may be broken; that it was there, and read, says nothing of papers."""
    home.readers = (noted(),)
    home.publish(BEES)
    home.pull()
    home.server.routes["/list"] = Reply(body=body)
    home.pull(NOW + HOUR)

    report = home.send(NOW + HOUR)

    assert [(ADA, "quiet")] == findings(report)
    assert ", nor a note, for list " in sentences(report)[0]
    assert [] == home.letters()


def test_there_is_no_note_before_anything_was_read(home: Installation) -> None:
    home.readers = (noted(),)

    report = home.send()

    assert [f"{ADA}: nothing was ever pulled, so no mail; type: digest pull"] == sentences(report)
    assert () == home.rows()


def test_there_is_no_note_when_nothing_was_read_for_days(home: Installation) -> None:
    home.readers = (noted(),)
    home.publish(BEES)
    home.pull()

    report = home.send(NOW + 2 * DAY)

    assert [(ADA, "quiet")] == findings(report)
    assert sentences(report)[0].endswith("nor a note, for list was last read Tue 15 Sep 06:00 UTC")


# --- nothing of it counts as seen ---------------------------------------------------------------------------------


def test_what_a_note_looked_at_is_mailed_once_the_reader_asks_for_more(home: Installation) -> None:
    home.readers = (noted(min_score=0.99),)
    home.publish(item(1))
    home.pull()
    home.send()
    home.readers = (noted(),)
    home.pull(NOW + DAY)

    home.send(NOW + DAY)

    assert {ADA: [[], [1]]} == home.mailed()


def test_what_comes_after_a_note_is_in_the_next_digest(home: Installation) -> None:
    home.readers = (noted(),)
    home.publish(BEES)
    home.pull()
    home.send()
    home.publish(BEES, item(2))
    home.pull(NOW + HOUR)
    home.send(NOW + 2 * HOUR)

    home.send(NOW + DAY)

    assert {ADA: [[], [2]]} == home.mailed()


def test_a_note_uses_up_no_news_of_older_papers(home: Installation) -> None:
    home.readers = (noted(),)
    home.publish(item(1))
    home.pull()
    home.send()
    home.publish(item(1, code="https://github.com/ada/numbers"))
    home.pull(NOW + DAY)
    home.send(NOW + DAY)
    home.publish(item(1, code="https://github.com/ada/numbers"), item(2))
    home.pull(NOW + 2 * DAY)

    home.send(NOW + 2 * DAY)

    assert {ADA: [[1], [], [2]]} == home.mailed()
    assert [False, False, True] == ["code appeared" in text(data) for data in home.letters()]


def test_there_is_a_note_for_a_week_too(home: Installation) -> None:
    friday = datetime(2026, 9, 18, 6, 0, tzinfo=UTC)
    home.readers = (noted(frequency="weekly"),)
    home.publish(BEES)
    home.pull(friday - HOUR)

    reports = [home.send(friday + day * DAY) for day in range(-1, 2)]

    assert ["not_due", "sent", "not_due"] == [finding for report in reports for _, finding in findings(report)]
    (note,) = home.letters()
    assert "Week of 12–18 Sep: nothing for you in 1 paper" == subject(note)
    assert "1 paper has come within 7 days, and none of them matches your keywords." in text(note)


# --- a mail of the ledger like any other --------------------------------------------------------------------------


def test_a_note_in_doubt_is_sent_again_byte_for_byte(home: Installation, relay: SmtpServer) -> None:
    home.readers = (noted(min_score=0.99),)
    home.publish(item(1))
    home.pull()
    relay.script["dot"] = DROP
    first = home.send()
    relay.script.clear()
    home.publish(item(1, title="Rewritten"), item(2))
    home.pull(NOW + HOUR)

    second = home.send(NOW + HOUR)

    assert [(ADA, "in_doubt"), (ADA, "sent")] == findings(first) + findings(second)
    before, after = (mail.data for mail in relay.accepted)
    assert before == after
    (row,) = home.rows()
    assert ("sent", 2, message_id(after)) == (row.state, row.attempts, row.message_id)


@pytest.mark.parametrize("hours", [1, 25])
def test_a_note_that_is_put_off_goes_out_later_and_is_no_hindrance(
    home: Installation, relay: SmtpServer, hours: int
) -> None:
    home.readers = (noted(),)
    home.publish(BEES)
    home.pull()
    relay.script["rcpt"] = "450 4.2.1 not now"
    home.send()
    relay.script.clear()
    home.publish(BEES, item(2))
    home.pull(NOW + hours * HOUR)

    home.send(NOW + hours * HOUR)

    assert ["sent"] * len(relay.accepted) == [row.state for row in home.rows()]
    assert [1, 2][hours > 24] == len(relay.accepted)


def test_the_story_of_a_quiet_day_tells_its_note(home: Installation) -> None:
    home.readers = (noted(),)
    home.publish(BEES)
    home.pull()
    home.send()

    with home.state() as state:
        (day,) = story.tell(
            state.runs.verdicts(since=NOW - DAY), now=NOW + HOUR, days=1, reader=home.settings().subscribers[0]
        )

    assert any(line.startswith(f"{ADA}: a note of a quiet day sent; 1 new paper, none matched") for line in day.lines)


@pytest.mark.parametrize("evening", [NOW + 14 * HOUR, NOW + 40 * DAY], ids=["eleven hours ago", "by a clock ahead"])
def test_the_story_knows_of_a_send_that_found_what_was_found_before(home: Installation, evening: datetime) -> None:
    home.readers = (reader(trending=0),)
    home.publish(BEES)
    home.pull()
    home.send(evening)
    home.send(NOW + DAY + HOUR)

    noon = NOW + DAY + 6 * HOUR
    with home.state() as state:
        (day,) = story.tell(
            state.runs.verdicts(since=NOW - DAY),
            now=noon,
            days=1,
            reader=home.settings().subscribers[0],
            sends=state.runs.starts("send", since=NOW - DAY, until=noon),
        )

    assert day.lines[-1].startswith(f"{ADA}: ")
    assert "none matched" in day.lines[-1]
