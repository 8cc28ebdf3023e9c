"""Commands in one write, the next envelope behind the dot: nothing is lost, doubled or taken for another."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.deliver.box import Box, deliver, reader
from tests.deliver.pipelining_server import PipeliningServer, known_mail
from tests.smtp_server import DROP, SILENCE, Authority


def envelope(number: int) -> list[str]:
    size = len(known_mail(number).data)
    return [f"MAIL FROM:<bounces+{reader(number)}> SIZE={size}", f"RCPT TO:<{reader(number)}>", "DATA"]


# --- what is said when ---


def test_the_next_envelope_goes_out_with_the_dot() -> None:
    """One round trip a mail."""

    async def work() -> None:
        async with PipeliningServer() as server:
            box = Box(map(known_mail, range(3)))

            assert "" == await deliver(box, server.settings())
            said = [chunk for chunk in server.chunks if chunk[0][:4] not in {"EHLO", "QUIT"}]
            assert [envelope(0), [".", *envelope(1)], [".", *envelope(2)], ["."]] == said
            assert [(reader(n), known_mail(n).data) for n in range(3)] == server.accepted
            assert ["delivered"] * 3 == box.outcomes()

    asyncio.run(work())


def test_a_dot_waits_for_no_mail() -> None:
    async def work() -> None:
        async with PipeliningServer() as server:
            await deliver(Box(map(known_mail, range(2)), never_ready=True), server.settings())

            assert [envelope(0), ["."], envelope(1), ["."]] == server.chunks[1:-1]

    asyncio.run(work())


def test_without_pipelining_each_command_waits_for_its_reply() -> None:
    async def work() -> None:
        async with PipeliningServer(pipelining=False) as server:
            await deliver(Box(map(known_mail, range(2))), server.settings())

            said = [[line.partition(" ")[0] for line in chunk] for chunk in server.chunks[1:-1]]
            assert [["MAIL"], ["RCPT"], ["DATA"], ["."]] * 2 == said

    asyncio.run(work())


@pytest.mark.parametrize("turns", [0, 1, 20])
def test_a_receipt_is_kept_before_the_next_dot_on_that_connection(turns: int) -> None:
    async def work() -> None:
        box = Box(map(known_mail, range(20)), turns=turns)

        def at_dot(before: list[str], _recipient: str) -> None:
            assert set(before) <= set(box.receipts)

        async with PipeliningServer(at_dot=at_dot) as server:
            await deliver(box, server.settings(connections=3))

            assert 20 == len(server.accepted) == len(box.receipts)

    asyncio.run(work())


@pytest.mark.parametrize("encrypted", [False, True])
def test_mails_larger_than_any_buffer_are_pipelined(authority: Authority, encrypted: bool) -> None:
    """The write buffer behaves otherwise under TLS."""

    async def work() -> None:
        tls = authority.context("127.0.0.1") if encrypted else None
        mails = [replace(m, data=m.data + (b".x" * 38 + b"\r\n") * 50_000) for m in map(known_mail, range(4))]
        async with PipeliningServer(tls=tls) as server:
            box = Box(mails)
            await deliver(box, server.settings(ca_file=authority.ca_file, connections=2))

            assert ["delivered"] * 4 == box.outcomes()
            assert [(m.recipient, m.data) for m in mails] == sorted(server.accepted)

    asyncio.run(work())


# --- a mail fails, its neighbours do not ---


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize(
    ("step", "action", "outcome"),
    [
        ("mail", "451 4.3.0 later", "deferred"),
        ("mail", "421 4.3.2 bye", "deferred"),
        ("mail", DROP, "deferred"),
        ("rcpt", "550 5.1.1 no such user", "refused"),
        ("rcpt", "450 4.2.1 later", "deferred"),
        ("rcpt", "421 4.7.28 slower", "deferred"),
        ("rcpt", DROP, "deferred"),
        ("rcpt", "250 ok\r\n250 ok", "deferred"),
        ("rcpt", f"550 5.1.1 no such user|{DROP}", "refused"),
        ("data", "451 4.3.0 later", "deferred"),
        ("data", "250 yes?", "deferred"),
        ("data", "421 4.3.2 bye", "deferred"),
        ("data", DROP, "deferred"),
        ("body", "451 4.3.0 enough", "deferred"),
        ("dot", "554 5.6.0 no", "refused"),
        ("dot", "452 4.3.1 full", "deferred"),
        ("dot", "421 4.3.2 bye", "deferred"),
        ("dot", "354 what?", "in_doubt"),
        ("dot", DROP, "in_doubt"),
    ],
)
@pytest.mark.parametrize("slow_replies", [False, True])
def test_a_mail_that_fails_costs_itself_only(
    step: str, action: str, outcome: str, eager: bool, slow_replies: bool
) -> None:
    async def work() -> None:
        faults = {reader(2): (step, action)}
        async with PipeliningServer(faults, eager=eager, slow_replies=slow_replies) as server:
            box = Box(map(known_mail, range(6)))

            assert "" == await deliver(box, server.settings())
            assert ["delivered"] * 2 + [outcome] + ["delivered"] * 3 == box.outcomes()
            arrived = Counter(recipient for recipient, _ in server.accepted)
            assert {reader(n) for n in (0, 1, 3, 4, 5)} <= set(arrived)
            assert {1} == set(arrived.values())
            assert (outcome == "in_doubt" and action == DROP) == (reader(2) in arrived)

    asyncio.run(work())


@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "dot"])
def test_silence_costs_one_mail(step: str) -> None:
    async def work() -> None:
        async with PipeliningServer({reader(2): (step, SILENCE)}) as server:
            box = Box(map(known_mail, range(5)))

            await deliver(box, server.settings(timeout_s=0.5, answer_timeout_s=0.5))

            failed = "in_doubt" if step == "dot" else "deferred"
            assert ["delivered", "delivered", failed, "delivered", "delivered"] == box.outcomes()
            assert {1} == set(Counter(server.accepted).values())

    asyncio.run(work())


def test_many_refusals_in_a_row_keep_one_connection() -> None:
    """Each leaves its transaction open, which RSET ends in the same write as the next envelope."""

    async def work() -> None:
        faults = {reader(n): ("rcpt", "550 5.1.1 no such user") for n in range(1, 9)}
        async with PipeliningServer(faults) as server:
            box = Box(map(known_mail, range(10)))
            await deliver(box, server.settings())

            assert ["delivered", *["refused"] * 8, "delivered"] == box.outcomes()
            assert 1 == server.connects
            assert ["RSET", *envelope(2)] in server.chunks

    asyncio.run(work())


def test_a_message_for_nobody_ends_with_a_lone_dot() -> None:
    """RFC 2920 §3.1; the 250 to it delivers nothing."""

    async def work() -> None:
        async with PipeliningServer({reader(1): ("rcpt", "550 5.1.1 no such user")}, eager=True) as server:
            box = Box(map(known_mail, range(3)))
            await deliver(box, server.settings())

            assert ["delivered", "refused", "delivered"] == box.outcomes()
            assert [["."], ["RSET", *envelope(2)], ["."]] == server.chunks[-4:-1]
            assert 1 == server.connects

    asyncio.run(work())


@pytest.mark.parametrize("rset", ["500 what?", "421 4.3.0 bye"])
def test_a_server_that_does_not_reset_is_left(rset: str) -> None:
    async def work() -> None:
        async with PipeliningServer({reader(1): ("rcpt", "550 5.1.1 no such user")}, rset=rset) as server:
            box = Box(map(known_mail, range(4)))
            await deliver(box, server.settings())

            assert ["delivered", "refused", "delivered", "delivered"] == box.outcomes()
            assert 2 == server.connects

    asyncio.run(work())


@pytest.mark.parametrize(("limit", "connects"), [(0, 1), (1, 5), (2, 3), (5, 1)])
def test_a_connection_is_replaced_after_so_many_mails(limit: int, connects: int) -> None:
    async def work() -> None:
        async with PipeliningServer() as server:
            await deliver(Box(map(known_mail, range(5))), server.settings(messages_per_connection=limit))

            assert (5, connects) == (len(server.accepted), server.connects)

    asyncio.run(work())


NO = ["550 5.1.1 no", "451 4.3.0 later", "421 4.3.2 bye", "421 4.7.0 slow", DROP]
#: a 250 in the middle of a message may cross with the dot, and is then a lie that nobody can see through
faults = st.tuples(st.sampled_from(["mail", "rcpt", "data", "dot"]), st.sampled_from([*NO, "250 what", "354 what"])) | (
    st.tuples(st.just("body"), st.sampled_from(NO))
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.none() | st.none() | faults, max_size=14),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.integers(1, 3),
    st.integers(0, 4),
    st.integers(0, 3),
)
def test_whatever_the_server_does_receipts_say_what_it_has(
    script: list[tuple[str, str] | None],
    pipelining: bool,
    eager: bool,
    slow_replies: bool,
    connections: int,
    limit: int,
    turns: int,
) -> None:
    """Never lost, doubled or mislabelled, and every receipt is kept before the next dot."""

    async def work() -> None:
        box = Box(map(known_mail, range(len(script))), turns=turns)

        def at_dot(before: list[str], _recipient: str) -> None:
            assert set(before) <= set(box.receipts)

        scripted = {reader(n): fault for n, fault in enumerate(script) if fault}
        async with PipeliningServer(
            scripted, pipelining=pipelining, eager=eager, slow_replies=slow_replies, at_dot=at_dot
        ) as server:
            reason = await deliver(box, server.settings(connections=connections, messages_per_connection=limit))

        arrived = Counter(recipient for recipient, _ in server.accepted)
        assert set(box.taken) == set(box.receipts), "what was taken is settled"
        assert bool(box.waiting) <= bool(reason)
        for recipient, receipt in box.receipts.items():
            if receipt.outcome == "delivered":
                assert 1 == arrived[recipient]
            elif receipt.outcome == "in_doubt":
                # a dot may be on its way already when the server ends the message
                assert scripted[recipient][0] in {"dot", "body"}
            else:
                assert 0 == arrived[recipient]
            if recipient not in scripted and not reason:
                assert "delivered" == receipt.outcome
        assert all(times == 1 for times in arrived.values())
        assert all(data == known_mail(int(to[6 : to.index("@")])).data for to, data in server.accepted)

    asyncio.run(work())
