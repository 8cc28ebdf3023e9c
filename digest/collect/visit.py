"""One source's dealings with the world in one pull: addresses and parsers go in, answers come out.

A `Visit` asks again when that may help, asks conditionally, counts, and keeps what servers said for next time.
What it cannot get becomes an `Answer` with a failure; the other answers of the source stand.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

import stamina
import structlog

from digest.collect.http import PassingError, Response, Traffic, shown
from digest.collect.items import Answer, failure_of
from digest.errors import FetchError
from digest.model import SourceMemory, Validators

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from digest.collect.http import Http
    from digest.collect.items import Parsed

#: longest pause before another attempt, in seconds, unless the server names one
_MAX_BACKOFF_S = 30.0
_log = structlog.get_logger(__name__)
# its own line about an attempt names a Python object and no source; `Visit` says it in words
stamina.instrumentation.set_on_retry_hooks(())


def is_blank(body: bytes) -> bool:
    """True of an answer without any content: busy servers send them with status 200."""
    return not body.strip()


class Visit:
    """One source, one pull.

    Args:
        source: its name, for log lines.
        http: shared with the other sources.
        memory: of the source; holds the validators of earlier pulls.
        now: the present moment, aware.
        deadline: loop time at which the source has to be done.
    """

    def __init__(self, source: str, http: Http, memory: SourceMemory | None, *, now: datetime, deadline: float) -> None:
        self.now = now
        self.traffic = Traffic()
        #: by address, of the answers that could be read in full; the others must be sent again, changed or not
        self.validators: dict[str, Validators] = {}
        #: requests that were answered "not modified"
        self.unchanged = 0
        self._source = source
        self._http = http
        #: at one address
        self._attempts = http.policy.attempts
        self._known = memory.validators if memory else {}
        self._deadline = deadline

    async def read(
        self,
        url: str,
        parse: Callable[[Response], Parsed],
        *,
        part: str = "",
        accept: str = "",
        hint: str = "",
        conditional: bool = True,
        is_incomplete: Callable[[bytes], bool] = is_blank,
    ) -> Answer:
        """Fetch an address and parse what it answers, in a thread (a feed of 2,000 items takes a second).

        Args:
            url: what to ask for.
            parse: never raises; no papers but problems means that the answer is not what was asked for.
            part: name of this part of the source, for messages.
            accept: value of the `Accept` header.
            hint: what the operator can do if the answer is not what was asked for.
            conditional: ask only for what changed since the last pull.
            is_incomplete: tells an answer that the server should have known better than to give; it is asked again.
        """
        known = self._known.get(url) if conditional else None
        try:
            response = await self._get(url, known, accept, is_incomplete)
        except FetchError as error:
            return Answer(part, failure=error.reason if part else str(error), hint=error.hint)
        if response.not_modified:
            self.unchanged += 1
            self.validators[url] = _newer(response.validators, known)
            return Answer(part)
        papers, problems = parsed = await asyncio.to_thread(parse, response)
        if failure := _failure(response, parsed):
            return Answer(part, papers, problems, failure if part else f"{shown(url)}: {failure}", hint)
        if not problems and response.validators != Validators():
            self.validators[url] = response.validators
        return Answer(part, papers, problems)

    async def _get(
        self, url: str, known: Validators | None, accept: str, is_incomplete: Callable[[bytes], bool]
    ) -> Response:
        policy, attempts = self._http.policy, self._attempts
        # a wait that the server asked for comes on top, in `Http`, where all who would ask that server keep it
        async for attempt in stamina.retry_context(
            on=PassingError,
            attempts=attempts,
            timeout=None,
            wait_initial=policy.backoff_s,
            wait_jitter=policy.backoff_s,
            wait_max=_MAX_BACKOFF_S,
        ):
            with attempt:
                try:
                    response = await self._ask(url, known, accept, is_incomplete)
                except PassingError as error:
                    if attempt.num < attempts:
                        _log.info(f"{self._source}: {error.message}; it is asked again")
                    elif error.status is None:
                        self._attempts = 1  # a server that is not there is not there for the other parts either
                    raise
                self._attempts = policy.attempts
                return response
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _ask(
        self, url: str, known: Validators | None, accept: str, is_incomplete: Callable[[bytes], bool]
    ) -> Response:
        response = await self._http.get(
            url, deadline=self._deadline, traffic=self.traffic, validators=known, accept=accept
        )
        if response.status == HTTPStatus.OK and is_incomplete(response.body):
            reason, again = "the answer is empty", "the next pull asks again"
            raise PassingError(shown(url), reason, status=response.status, hint=again)
        return response


def _newer(validators: Validators, known: Validators | None) -> Validators:
    """A 304 need not repeat the validators it confirms."""
    return validators if validators != Validators() else known or validators


def _failure(response: Response, parsed: Parsed) -> str:
    refusal = "" if response.status == HTTPStatus.OK else f"the server answers {response.status}"
    return ": ".join(filter(None, [refusal, failure_of(parsed)]))
