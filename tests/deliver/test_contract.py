"""What every way of delivery promises, tried on each of them."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.deliver.maildir import Maildir
from digest.deliver.outbox import Deliverer, deliver_one
from digest.deliver.settings import SmtpSettings
from digest.deliver.smtp import Smtp
from digest.errors import StateError
from digest.model import Mail, Receipt
from tests.deliver.box import Box
from tests.makers import HOSTILE_TITLE, NOW, mail
from tests.smtp_server import smtp_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class Place:
    """A way of delivery and its other end."""

    transport: Callable[[], AbstractAsyncContextManager[Deliverer]]
    arrived: Callable[[], list[bytes]]


@contextmanager
def a_relay() -> Iterator[Place]:
    with smtp_server(smtputf8=True) as server:
        relay = SmtpSettings("127.0.0.1", server.port, "none", timeout_s=5.0, answer_timeout_s=5.0)
        yield Place(lambda: Smtp(relay), lambda: [accepted.data for accepted in server.accepted])


@contextmanager
def a_folder() -> Iterator[Place]:
    with TemporaryDirectory() as folder:
        path = Path(folder)
        yield Place(lambda: Maildir(path), lambda: [file.read_bytes() for file in path.glob("new/*")])


PLACES = [a_relay, a_folder]


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with request.param() as place:
        yield place


def deliver(place: Place, *mails: Mail) -> list[Receipt]:
    async def work() -> list[Receipt]:
        async with place.transport() as transport:
            return [await deliver_one(transport, m, now=lambda: NOW) for m in mails]

    return asyncio.run(work())


def test_mails_arrive_byte_for_byte(place: Place) -> None:
    mails = [mail(number) for number in range(5)]

    receipts = deliver(place, *mails)

    assert [("delivered", NOW)] * 5 == [(receipt.outcome, receipt.at) for receipt in receipts]
    assert sorted(m.data for m in mails) == sorted(place.arrived())


def test_an_outbox_is_emptied(place: Place) -> None:
    box = Box([mail(n) for n in range(7)])

    async def work() -> str:
        async with place.transport() as transport:
            return await transport.deliver_all(box, now=box.now)

    assert "" == asyncio.run(work())
    assert ["delivered"] * 7 == box.outcomes()
    assert sorted(mail(n).data for n in range(7)) == sorted(place.arrived())


def test_a_receipt_that_cannot_be_kept_is_raised(place: Place) -> None:
    box = Box([mail(n) for n in range(7)])
    box.broken = (2, StateError("state.sqlite3", "the disk is full"))

    async def work() -> None:
        async with place.transport() as transport:
            await transport.deliver_all(box, now=box.now)

    with pytest.raises(StateError, match="the disk is full"):
        asyncio.run(work())
    assert 2 == len(box.receipts)


def test_a_mail_delivered_twice_is_recognised_as_one(place: Place) -> None:
    """By its Message-ID; also over two connections, as after a crash."""
    deliver(place, mail())
    deliver(place, mail())

    assert {mail().message_id} == {message_from_bytes(data)["Message-ID"] for data in place.arrived()}
    assert {mail().data} == set(place.arrived())


def test_a_hostile_mail_costs_itself_only(place: Place) -> None:
    hostile = mail(
        1, recipient=HOSTILE_TITLE, envelope_from=HOSTILE_TITLE, message_id=HOSTILE_TITLE, data=HOSTILE_TITLE.encode()
    )

    receipts = deliver(place, hostile, mail(2))

    assert "delivered" == receipts[1].outcome
    assert mail(2).data in place.arrived()


anything = st.text(max_size=80) | st.sampled_from(["a@b", "<>", "a@b>\r\nRSET", HOSTILE_TITLE])
hostile_mails = st.builds(
    Mail, anything, anything, anything, anything, st.binary(max_size=300), st.just(""), st.just("")
)


@pytest.mark.parametrize("a_place", PLACES)
def test_no_mail_whatever_raises_or_harms_the_next_one(
    a_place: Callable[[], AbstractContextManager[Place]],
) -> None:
    with a_place() as place:

        @settings(max_examples=60, deadline=None)
        @given(hostile_mails)
        def harmless(hostile: Mail) -> None:
            first, second = deliver(place, hostile, mail())

            assert first.outcome in {"delivered", "deferred", "refused"}
            assert first.text == " ".join(first.text.splitlines())
            assert "delivered" == second.outcome

        harmless()
        assert mail().data in place.arrived()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([b".", b"a", b"=", b" ", b"\t", b"--"]), max_size=6).map(b"".join), min_size=1)
)
def test_whatever_lines_a_mail_has_it_arrives_unchanged(lines: list[bytes]) -> None:
    data = b"".join(line + b"\r\n" for line in lines)
    for a_place in PLACES:
        with a_place() as place:
            deliver(place, mail(data=data))

            assert [data] == place.arrived()
