"""Questions to a language model behind an address that speaks as OpenAI's chat completions do, and its answers.

That is what Ollama, vLLM, llama.cpp and most hosted models speak (https://platform.openai.com/docs/api-reference/chat).
The address is the operator's own choice, so it may be on this machine or in this network. Nothing else is trusted: an
answer ends at a size, all answers at a time, and redirects, which could carry the key elsewhere, are not followed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import httpx2

from digest.collect.http import shown
from digest.collect.trust import distrust, trusted
from digest.errors import DigestError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping, Sequence

#: largest answer, in bytes
_MAX_BYTES = 2**20
_OK = 200
#: tokens that one answer is believed to have cost; a limit of a day is at most 1000 times as much
_MOST_TOKENS = 1_000_000
#: characters that are about one token, for servers that do not count
_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Machine:
    """Which model to ask, and where."""

    #: up to and without `/chat/completions`: `http://localhost:11434/v1`
    base_url: str
    model: str
    #: sent as a bearer token; empty: none is sent
    api_key: str = field(default="", repr=False)
    #: URL of an HTTP proxy on the way; may hold a password; empty: there is none
    proxy: str = field(default="", repr=False)
    #: seconds for one answer
    timeout_s: float = 20.0
    #: questions at a time
    connections: int = 4


@dataclass(slots=True)
class Asked:
    """What came of some questions."""

    #: by the names of the questions
    answers: dict[str, str] = field(default_factory=dict)
    #: questions that were asked, those without an answer included
    calls: int = 0
    #: what they cost, questions and answers together; of answers that are no use, what these say of it themselves
    tokens: int = 0
    seconds: float = 0.0
    #: why not all were asked or answered, one sentence without a full stop; empty if all were
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of one question."""

    text: str = ""
    tokens: int = 0
    #: why there is no text, with the address; empty if there is
    trouble: str = ""


def ask(
    machine: Machine,
    questions: Mapping[str, Sequence[Mapping[str, str]]],
    *,
    answer_tokens: int,
    most_tokens: int,
    deadline_s: float,
) -> Asked:
    """Ask, and stop at the first sign of trouble; what was answered until then counts. Never raises for it.

    Args:
        machine: whom.
        questions: messages of a chat, by any name; asked in this order.
        answer_tokens: how long an answer may be.
        most_tokens: no further question once so many were used.
        deadline_s: seconds for all together.
    """
    try:
        context = trusted()
    except DigestError as error:
        return Asked(trouble=error.told)
    return asyncio.run(_ask(machine, questions, context, answer_tokens, most_tokens, deadline_s))


async def _ask(
    machine: Machine,
    questions: Mapping[str, Sequence[Mapping[str, str]]],
    context: ssl.SSLContext,
    answer_tokens: int,
    most_tokens: int,
    deadline_s: float,
) -> Asked:
    asked, left, clock = Asked(), iter(questions.items()), asyncio.get_running_loop().time
    started = clock()
    headers = {"Authorization": f"Bearer {machine.api_key}"} if machine.api_key else {}
    transport = httpx2.AsyncHTTPTransport(verify=context, proxy=machine.proxy or None)
    async with httpx2.AsyncClient(headers=headers, timeout=None, trust_env=False, transport=transport) as client:

        async def work() -> None:
            for name, messages in _until(left, asked, most_tokens):
                asked.calls += 1
                body = {"model": machine.model, "messages": messages, "max_completion_tokens": answer_tokens}
                answer = await _answer(client, machine, body)
                asked.tokens += answer.tokens
                if answer.trouble:
                    asked.trouble = asked.trouble or answer.trouble
                else:
                    asked.answers[name] = answer.text

        try:
            async with asyncio.timeout(deadline_s):
                await asyncio.gather(*(work() for _ in range(machine.connections)))
        except TimeoutError:
            asked.trouble = f"{shown(machine.base_url)}: not all was answered within {deadline_s:g} seconds"
    asked.seconds = clock() - started
    return asked


def _until(
    left: Iterator[tuple[str, Sequence[Mapping[str, str]]]], asked: Asked, most_tokens: int
) -> Iterator[tuple[str, Sequence[Mapping[str, str]]]]:
    while not asked.trouble and asked.tokens < most_tokens and (question := next(left, None)):
        yield question


async def _answer(client: httpx2.AsyncClient, machine: Machine, body: dict[str, Any]) -> _Answer:
    url = f"{machine.base_url.rstrip('/')}/chat/completions"
    place = shown(url)
    try:
        async with asyncio.timeout(machine.timeout_s), client.stream("POST", url, json=body) as answer:
            data = await _data(answer)
    except TimeoutError:
        trouble = f"no complete answer within {machine.timeout_s:g} seconds"
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
        reason, hint = distrust(error)
        trouble = f"{reason}; {hint}"
        if not reason:
            # a header that cannot be sent holds the key, so only the kind of error is told
            way = f" through the proxy {shown(machine.proxy)}" if machine.proxy else ""
            trouble = f"no connection{way}, or it broke off ({type(error).__name__})"
    else:
        told = _read(data, body)
        if answer.status_code != _OK:
            trouble = f"the server answers {answer.status_code}"
        elif len(data) > _MAX_BYTES:
            trouble = "the answer is larger than 1 MiB and was not read further"
        else:
            trouble = told.trouble
        return replace(told, trouble=trouble and f"{place}: {trouble}")
    return _Answer(trouble=f"{place}: {trouble}")


async def _data(answer: httpx2.Response) -> bytes:
    """All of it, or more than may be."""
    data = bytearray()
    async for chunk in answer.aiter_bytes():
        data += chunk
        if len(data) > _MAX_BYTES:
            break
    return bytes(data)


def _read(data: bytes, body: dict[str, Any]) -> _Answer:
    """What stands in an answer: tokens also where it has no text, if it counts them."""
    tree: Any = None
    with contextlib.suppress(ValueError, RecursionError):
        tree = json.loads(data)
    used = tree.get("usage") if isinstance(tree, dict) else None
    counted = used.get("total_tokens") if isinstance(used, dict) else None
    tokens = min(counted, _MOST_TOKENS) if isinstance(counted, int) and counted > 0 else 0
    try:
        text = tree["choices"][0]["message"]["content"]
    except (LookupError, TypeError):
        return _Answer(tokens=tokens, trouble="the answer is not one of chat completions")
    text = text if isinstance(text, str) else ""
    return _Answer(text, tokens or (len(json.dumps(body)) + len(text)) // _PER_TOKEN)
