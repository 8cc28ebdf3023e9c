"""Several connections, several relays, their pace; and what ends a delivery before the outbox is empty."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from digest.deliver.throttle import Rate
from digest.errors import DeliveryError, StateError
from tests.deliver.box import Box, deliver, reader, until
from tests.deliver.pipelining_server import PipeliningServer, known_mail
from tests.makers import NOW
from tests.smtp_server import DROP, SILENCE

# --- several connections, several relays ---


def test_connections_are_opened_only_for_mails() -> None:
    async def work() -> None:
        async with PipeliningServer() as server:
            await deliver(Box([known_mail(1)]), server.settings(connections=4))

            assert 1 == server.connects

    asyncio.run(work())


def test_a_relay_that_allows_fewer_connections_gets_fewer() -> None:
    async def work() -> None:
        async with PipeliningServer(most_connections=2) as server:
            box = Box(map(known_mail, range(40)), turns=2)

            assert "" == await deliver(box, server.settings(connections=5))
            assert ["delivered"] * 40 == box.outcomes()
            assert 40 == len(server.accepted)

    asyncio.run(work())


def test_the_fallback_takes_over_what_the_first_relay_cannot() -> None:
    """Also the mail in hand, since it was certainly not accepted."""

    async def work() -> None:
        faults = {reader(n): ("rcpt", "421 4.3.2 bye") for n in range(3, 20)}
        async with PipeliningServer(faults) as first, PipeliningServer() as second:
            box = Box(map(known_mail, range(10)))

            assert "" == await deliver(box, second.settings(priority=10), first.settings())
            assert ["delivered"] * 3 + ["deferred"] * 2 + ["delivered"] * 5 == box.outcomes()
            relays = [box.receipts[reader(n)].relay for n in range(10)]
            assert [first.settings().relay] * 5 + [second.settings().relay] * 5 == relays

    asyncio.run(work())


def test_a_mail_in_doubt_is_not_handed_on() -> None:
    async def work() -> None:
        faults = {reader(n): ("dot", DROP) for n in range(5)}
        async with PipeliningServer(faults) as first, PipeliningServer() as second:
            box = Box(map(known_mail, range(5)))

            await deliver(box, first.settings(), second.settings(priority=10))

            assert ["in_doubt"] * 3 + ["delivered"] * 2 == box.outcomes()
            assert [reader(3), reader(4)] == [recipient for recipient, _ in second.accepted]

    asyncio.run(work())


def test_relays_of_one_priority_share_the_mails() -> None:
    async def work() -> None:
        async with PipeliningServer() as first, PipeliningServer() as second:
            box = Box(map(known_mail, range(30)))

            await deliver(box, first.settings(), second.settings())

            assert 30 == len(first.accepted) + len(second.accepted)
            assert first.accepted
            assert second.accepted

    asyncio.run(work())


def test_when_all_relays_are_given_up_the_rest_stays_in_the_outbox() -> None:
    async def work() -> None:
        faults = {reader(n): ("mail", DROP) for n in range(20)}
        async with PipeliningServer(faults) as first, PipeliningServer(faults) as second:
            box = Box(map(known_mail, range(20)))

            reason = await deliver(box, first.settings(), second.settings(priority=10))

            closed = "failed 3 times in a row, the last time: the server closed the connection (at MAIL FROM)"
            assert f"{first.settings().relay} {closed}; {second.settings().relay} {closed}" == reason
            assert set(box.taken) == set(box.receipts)
            assert {"deferred"} == set(box.outcomes())
            assert 15 == len(box.waiting)

    asyncio.run(work())


def test_entering_needs_one_relay_only() -> None:
    async def work() -> None:
        async with PipeliningServer() as gone:
            pass
        async with PipeliningServer() as second:
            box = Box(map(known_mail, range(2)))

            assert "" == await deliver(box, gone.settings(), second.settings(priority=10))
            assert ["delivered"] * 2 == box.outcomes()
        with pytest.raises(DeliveryError, match="nothing listens there"):
            await deliver(Box([]), gone.settings(), second.settings(priority=10))

    asyncio.run(work())


# --- receipts that cannot be kept, and being told to stop ---


@pytest.mark.parametrize("connections", [1, 3])
def test_a_receipt_that_cannot_be_kept_ends_everything(connections: int) -> None:
    async def work() -> None:
        box = Box(map(known_mail, range(30)), turns=3)
        box.broken = (5, StateError("state.sqlite3", "the disk is full"))
        dots_after: list[str] = []

        def at_dot(_before: list[str], recipient: str) -> None:
            dots_after.append(recipient)

        async with PipeliningServer(at_dot=at_dot) as server:
            with pytest.raises(StateError, match="the disk is full"):
                await deliver(box, server.settings(connections=connections))
            await asyncio.sleep(0.01)

        # one dot per connection at most whose receipt is not kept
        assert len(set(dots_after) - set(box.receipts)) <= connections
        assert 5 == len(box.receipts)

    asyncio.run(work())


def test_cut_short_a_mail_without_an_answer_is_not_settled() -> None:
    async def work() -> None:
        async with PipeliningServer({reader(2): ("dot", SILENCE)}) as server:
            box = Box(map(known_mail, range(5)), turns=3)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await deliver(box, server.settings())

            assert {reader(0), reader(1)} == set(box.receipts)
            await until(lambda: server.connections == 0)
            assert {reader(0), reader(1), reader(2)} == {recipient for recipient, _ in server.accepted}

    asyncio.run(work())


def test_cut_short_a_receipt_that_is_being_kept_is_kept() -> None:
    async def work() -> None:
        box = Box([known_mail(0), known_mail(1)])
        async with PipeliningServer() as server:
            box.may_keep.clear()
            sending = asyncio.create_task(deliver(box, server.settings()))
            await until(lambda: box.keeping == 1)
            sending.cancel()
            asyncio.get_running_loop().call_later(0.01, box.may_keep.set)
            with pytest.raises(asyncio.CancelledError):
                await sending

            assert {reader(0): "delivered"} == {to: receipt.outcome for to, receipt in box.receipts.items()}

    asyncio.run(work())


def test_connections_that_fail_together_are_one_failure() -> None:
    """As when a relay is restarted: it need not be given up, however many connections there were."""

    async def work() -> None:
        async with PipeliningServer({reader(n): ("dot", SILENCE) for n in range(4)}) as server:
            box = Box(map(known_mail, range(12)))

            assert "" == await deliver(box, server.settings(connections=4, answer_timeout_s=0.5))
            assert Counter(in_doubt=4, delivered=8) == Counter(box.outcomes())

    asyncio.run(work())


@pytest.mark.parametrize("turns", [0, 100])
def test_mails_are_evenly_spaced_whatever_the_number_of_connections(turns: int) -> None:
    """Also when a connection is ready for another mail while the one before it in the queue is just waking up."""

    async def work() -> None:
        async with PipeliningServer() as server:
            box = Box(map(known_mail, range(7)), turns=turns)
            await deliver(box, server.settings(connections=3, rate=Rate(600, timedelta(minutes=1))))

            assert [NOW + n * timedelta(seconds=0.1) for n in range(7)] == list(box.taken.values())
            assert 7 == len(server.accepted)

    asyncio.run(work())


def test_told_to_stop_no_other_mail_is_taken() -> None:
    async def work() -> None:
        async with PipeliningServer() as server:
            box = Box(map(known_mail, range(7)))
            box.stop_at = NOW + timedelta(seconds=0.25)
            await deliver(box, server.settings(connections=2, rate=Rate(10, timedelta(seconds=1))))

            assert (3, 3, 4) == (len(box.taken), len(box.receipts), len(box.waiting))

    asyncio.run(work())
