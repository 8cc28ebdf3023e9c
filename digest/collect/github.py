"""GitHub's stars: names of repositories go in, how many stars each has comes out.

`GET /repos/{owner}/{repo}` (https://docs.github.com/en/rest/repos/repos#get-a-repository) of one after the other, as
GitHub asks for, and conditionally: what did not change costs nothing of what a token is granted. Once GitHub says that
nothing is left (`X-RateLimit-Remaining`, `Retry-After`), or refuses, no more is asked. Nothing is raised for anything
it does. A repository that was renamed is followed; the token goes nowhere else.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from digest.collect.http import ClosedError, Http, PassingError, Traffic, shown
from digest.collect.text import count
from digest.errors import FetchError
from digest.model import Problem, Validators

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from digest.collect.http import HttpPolicy, Response

#: failures in a row after which GitHub is taken to be down, or to refuse everything
_PATIENCE = 3
_HOSTS = frozenset({"github.com", "www.github.com"})
_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS})
_BAD_TOKEN = "the token is not accepted"  # noqa: S105 - no secret
_NEW_TOKEN = "make a new one and put it where github.token_file says"  # noqa: S105 - no secret
_UNKNOWN = Validators()


@dataclass(frozen=True, slots=True)
class Reading:
    """What GitHub said of one repository."""

    #: `owner/name` in lower case
    repository: str
    #: None: as many as when the validators came that were sent
    stars: int | None
    #: for the next reading
    validators: Validators


@dataclass(frozen=True, slots=True)
class BadToken(Problem):
    """GitHub does not accept the token: nothing is read until there is another one."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may be asked."""

    #: requests an hour
    limit: int
    #: what is left of them
    remaining: int


def repository(url: str) -> str:
    """The repository that an address leads into, as `owner/name` in lower case; empty if it is none of GitHub's.

    >>> repository("https://github.com/Ada/Numbers.git")
    'ada/numbers'
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return ""
    owner, _, rest = parts.path.removeprefix("/").partition("/")
    name = rest.partition("/")[0].removesuffix(".git")
    if host not in _HOSTS or not _OWNER.fullmatch(owner) or not _NAME.fullmatch(name) or not name.strip("."):
        return ""
    return f"{owner}/{name}".lower()


async def read_stars(
    repositories: Mapping[str, Validators],
    policy: HttpPolicy,
    *,
    token: str,
    base_url: str,
    now: datetime,
    deadline_s: float = 120.0,
) -> tuple[tuple[Reading, ...], tuple[Problem, ...]]:
    """Ask for repositories, in their order.

    Args:
        repositories: `owner/name` → what came with the last count; empty: ask unconditionally.
        policy: manners and limits on the network.
        token: empty: none.
        base_url: where the API is.
        now: aware; the present moment.
        deadline_s: after so many seconds no further one is asked for.

    Returns:
        what was read, and one problem for each repository that could not be; the last one may be of GitHub itself,
        a `BadToken` or one that passes, and then the rest was not asked for.
    """
    readings: list[Reading] = []
    problems: list[Problem] = []
    end = ""
    kind = Problem
    failures = 0
    #: whether the last answer was 403, which GitHub says when nothing is left, and of a repository that it has blocked
    forbidden = False
    async with Http(policy, now=now) as http:
        clock = asyncio.get_running_loop().time
        deadline = clock() + deadline_s
        for name, known in repositories.items():
            if clock() >= deadline:
                end = f"not done within {deadline_s:g} seconds"
                break
            try:
                readings.append(await _read(http, name, known, token=token, base_url=base_url, deadline=deadline))
                failures = 0
                forbidden = False
            except FetchError as error:
                if isinstance(error, ClosedError) and forbidden:
                    problems.pop()  # so it was the limit that spoke, not the repository
                forbidden = error.status == HTTPStatus.FORBIDDEN
                failures = failures + 1 if forbidden or isinstance(error, PassingError) else 0
                if isinstance(error, ClosedError) or error.status in _REFUSALS or failures == _PATIENCE:
                    end = error.reason
                    if error.status == HTTPStatus.UNAUTHORIZED:
                        end, kind = f"{_BAD_TOKEN}; {_NEW_TOKEN}", BadToken
                    break
                problems.append(Problem(name, error.reason))
    if end:
        problems.append(kind("GitHub", f"{end}; {len(readings)} of {len(repositories)} repositories were read"))
    return tuple(readings), tuple(problems)


async def read_allowance(
    policy: HttpPolicy, *, token: str, base_url: str, now: datetime, deadline_s: float = 30.0
) -> Allowance | None:
    """What GitHub grants to this token, or to this machine without one. To ask for it counts for nothing.

    https://docs.github.com/en/rest/rate-limit

    Args:
        policy: manners and limits on the network.
        token: empty: none.
        base_url: where the API is.
        now: aware; the present moment.
        deadline_s: seconds until it is taken to be down.

    Returns:
        None from a GitHub Enterprise Server that counts nothing.

    Raises:
        FetchError: it does not answer, or does not accept the token.
    """
    url = f"{base_url.rstrip('/')}/rate_limit"
    async with Http(policy, now=now) as http:
        try:
            response = await _ask(http, url, token=token, deadline=asyncio.get_running_loop().time() + deadline_s)
        except FetchError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            if error.status == HTTPStatus.UNAUTHORIZED:
                raise FetchError(shown(url), _BAD_TOKEN, hint=_NEW_TOKEN) from None
            raise
    granted: Any = _parsed(response.body)
    for name in ("resources", "core"):
        granted = granted.get(name) if isinstance(granted, dict) else None
    core = granted if isinstance(granted, dict) else {}
    limit, remaining = count(core.get("limit")), count(core.get("remaining"))
    if limit is None or remaining is None:
        raise FetchError(shown(url), "the answer tells no limit", hint="check github.base_url")
    return Allowance(limit, remaining)


async def _read(http: Http, name: str, known: Validators, *, token: str, base_url: str, deadline: float) -> Reading:
    url = f"{base_url.rstrip('/')}/repos/{name}"
    response = await _ask(http, url, token=token, deadline=deadline, known=known)
    if response.not_modified:
        return Reading(name, None, response.validators if response.validators != Validators() else known)
    answer = _parsed(response.body)
    stars = count(answer.get("stargazers_count")) if isinstance(answer, dict) else None
    if stars is None:
        raise FetchError(shown(url), "the answer tells no number of stars")
    return Reading(name, stars, response.validators)


async def _ask(http: Http, url: str, *, token: str, deadline: float, known: Validators = _UNKNOWN) -> Response:
    return await http.get(
        url,
        deadline=deadline,
        traffic=Traffic(),
        validators=known,
        accept="application/vnd.github+json",
        authorization=f"Bearer {token}" if token else "",
    )


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
