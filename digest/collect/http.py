"""Polite fetching: one address goes in, one answer or one `FetchError` comes out. Tries once; `visit` tries again.

Every request waits for its turn: one connection at a time to each site, a pause after each request (arXiv asks for
three seconds over all its hosts, https://info.arxiv.org/help/api/tou.html), and no request at all while the site has
asked to be left alone. Nothing is believed: each hop of a redirect is checked again (see `addresses`), a body ends at
`max_bytes` after decompression, and the whole exchange at `timeout_s` even if a byte arrives every second.

User names, passwords and queries in addresses never reach a message. `HTTP_PROXY` and its kin are not read: a proxy
is used only if the policy names one, and then refusing private addresses is that proxy's work.
"""

from __future__ import annotations

import asyncio
import re
import string
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, urlsplit

import httpx2

from digest import __version__
from digest.collect.addresses import ForbiddenAddressError, PinnedTransport
from digest.collect.patience import wait_asked, wait_spent
from digest.collect.trust import distrust, trusted
from digest.errors import DigestError, FetchError
from digest.model import Validators

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from datetime import datetime
    from types import TracebackType

#: seconds to wait for one address of a host before the next one is tried
_CONNECT_S = 5.0
#: a site that asks for a longer pause is not waited for: the next pull will do
_MAX_WAIT_S = 120.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: answers that may be different a moment later
_PASSING = frozenset({429, 500, 502, 503, 504})
_MISSING = frozenset({404, 410})
_CLOSED = frozenset({401, 403})
_MAX_PORT = 65_535


@dataclass(frozen=True, slots=True)
class HttpPolicy:
    """How this installation behaves on the network."""

    #: address of a person or a page, sent along with every request so that a site can complain
    contact: str
    #: host names, addresses and networks (`10.0.0.0/8`) that may be asked although they are not public
    allow_private_hosts: tuple[str, ...] = ()
    #: seconds for one answer, redirects and body included, waiting for its turn not
    timeout_s: float = 20.0
    #: largest body after decompression
    max_bytes: int = 15 * 2**20
    max_redirects: int = 5
    #: requests for one address until it is given up, at least 1
    attempts: int = 4
    #: seconds before the second attempt; doubles each time, with jitter
    backoff_s: float = 1.0
    #: seconds between the end of a request and the next one to the same origin
    interval_s: float = 1.0
    #: other intervals, by domain; all hosts of a domain share one turn, unless its interval is 0
    intervals: Mapping[str, float] = field(default_factory=lambda: {"arxiv.org": 3.0})
    #: URL of an HTTP proxy; may hold a password
    proxy: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """A complete answer."""

    status: int
    body: bytes
    #: for the next request to the address that was asked for
    validators: Validators
    #: True if the server confirmed the validators that were sent; `body` is empty then
    not_modified: bool = False
    #: what gave it, after all redirects: no user, no password, no query
    address: str = ""


@dataclass(slots=True)
class Traffic:
    """What went over the wire on somebody's behalf; the client adds to it."""

    requests: int = 0
    #: bytes of bodies, after decompression
    bytes_received: int = 0


class PassingError(FetchError):
    """A failure that may be over a moment later: a busy server, a lost connection."""


class ClosedError(FetchError):
    """The site asked to be left alone for longer than anybody wants to wait; nothing was sent."""


@dataclass(slots=True)
class _Site:
    """Whose turn it is at one site. Times are the event loop's."""

    interval_s: float
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    #: earliest start of the next request
    next_start: float = 0.0
    #: until when the site asked to be left alone
    closed_until: float = 0.0


class Http:
    """The network, shared by all sources of one pull. An asynchronous context manager.

    Args:
        policy: limits and manners.
        now: the present moment; later ones are counted from it.
    """

    def __init__(self, policy: HttpPolicy, *, now: datetime) -> None:
        self.policy = policy
        self._sites: dict[str, _Site] = {}
        self._now = now
        self._started = 0.0

    @cached_property
    def _client(self) -> httpx2.AsyncClient:
        """Made for the first request: what hinders it is no concern of sources that are files."""
        return httpx2.AsyncClient(
            transport=_transport(self.policy),
            headers={
                "User-Agent": f"paper-digest/{__version__} (+{quote(self.policy.contact, safe=string.punctuation)})",
                "Cache-Control": "no-cache",
                "Accept-Encoding": "gzip, deflate",
            },
            timeout=httpx2.Timeout(None, connect=_CONNECT_S),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        self._started = _clock()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if "_client" in vars(self):
            await self._client.aclose()

    async def get(
        self,
        url: str,
        *,
        deadline: float,
        traffic: Traffic,
        validators: Validators | None = None,
        accept: str = "",
        authorization: str = "",
    ) -> Response:
        """Fetch one address, following redirects.

        Args:
            url: http or https.
            deadline: loop time at which the caller loses interest; no wait that a site asked for goes beyond it.
            traffic: is added to, also if the request fails.
            validators: of an earlier answer; the server may then say "not modified" (RFC 9110 §13.1).
            accept: value of the `Accept` header.
            authorization: value of the `Authorization` header; never goes to another host, port or scheme.

        Returns:
            the answer, if its status is 200, 304 (with validators only) or 400 (whose body may say what was wrong).

        Raises:
            PassingError: if another attempt could succeed.
            ClosedError: if the site asked to be left alone until after the deadline, or for more than two minutes.
            FetchError: otherwise.
        """
        conditions = _conditions(validators)
        headers = {"Accept": accept or "*/*"} | conditions
        left_s = self.policy.timeout_s
        target = asked = _url(url)
        for _ in range(self.policy.max_redirects + 1):
            async with self._turn(target, deadline) as site:
                start = _clock()
                traffic.requests += 1
                secret = {"Authorization": authorization} if authorization and _same_origin(target, asked) else {}
                answer = await self._one(target, headers | secret, left_s, site, traffic)
                left_s -= _clock() - start
            if isinstance(answer, Response):
                if answer.not_modified and not conditions:
                    raise FetchError(shown(url), "the server answers “not modified” to a first request", status=304)
                return answer
            target = answer
        raise FetchError(shown(url), f"more than {self.policy.max_redirects} redirects, now at {shown(str(target))}")

    @asynccontextmanager
    async def _turn(self, url: httpx2.URL, deadline: float) -> AsyncIterator[_Site]:
        """Wait until the site may be asked again."""
        site = self._site(url)
        async with site.turn:
            if site.closed_until > min(deadline, _clock() + _MAX_WAIT_S):
                raise self._closed(url, site)
            await asyncio.sleep(max(site.next_start, site.closed_until) - _clock())
            try:
                yield site
            finally:
                # counted from the end, because a request that was slow to arrive must not crowd the next one
                site.next_start = _clock() + site.interval_s

    def _site(self, url: httpx2.URL) -> _Site:
        """All hosts of a domain with an interval of its own are one site, else an origin is: scheme, host and port."""
        host = url.host
        domains = (domain for domain in self.policy.intervals if host == domain or host.endswith("." + domain))
        domain = max(domains, key=len, default="")
        interval_s = self.policy.intervals.get(domain, self.policy.interval_s)
        # where no pause is kept there is nothing to share: two servers on one machine are two (RFC 6454 §4)
        name = domain if domain and interval_s else f"{url.scheme}://{url.netloc.decode('ascii')}"
        return self._sites.setdefault(name, _Site(interval_s))

    def _closed(self, url: httpx2.URL, site: _Site) -> ClosedError:
        until = self._now + timedelta(seconds=site.closed_until - self._started)
        return ClosedError(
            shown(str(url)),
            f"the server asks not to be asked again before {until:%H:%M} UTC on {until:%-d %B}",
            hint="the next pull after that will ask again; if this happens often, pull less often",
        )

    async def _one(
        self, url: httpx2.URL, headers: dict[str, str], left_s: float, site: _Site, traffic: Traffic
    ) -> Response | httpx2.URL:
        """One exchange: the answer, or where it redirects to."""
        try:
            async with asyncio.timeout(left_s):
                request = self._client.build_request("GET", url, headers=headers)
                answer = await self._client.send(request, stream=True)
                try:
                    return await self._judged(answer, site, traffic)
                finally:
                    await answer.aclose()
        except FetchError:
            raise
        except DigestError as error:
            raise FetchError(shown(str(url)), error.message, hint=error.hint) from error
        except TimeoutError:
            reason = f"no complete answer within {self.policy.timeout_s:g} seconds"
            raise PassingError(shown(str(url)), reason, hint="is the server slow, or the network?") from None
        except httpx2.ProtocolError as error:
            # not even as the cause: the library quotes what was sent, and a server may repeat a whole request
            raise _explained(error, shown(str(url)), proxy=self.policy.proxy) from None
        except (httpx2.HTTPError, OSError, ValueError) as error:  # ValueError: a cookie that cannot be sent back
            raise _explained(error, shown(str(url)), proxy=self.policy.proxy) from error

    async def _judged(self, answer: httpx2.Response, site: _Site, traffic: Traffic) -> Response | httpx2.URL:
        status, place = answer.status_code, shown(str(answer.url))
        if status in _REDIRECTS and "Location" in answer.headers:
            return _url(answer.headers["Location"], base=answer.url)
        self._note_wish(answer, site)
        if status in _PASSING:
            raise PassingError(place, _said(status), status=status, hint="the next pull asks again")
        if status not in {200, 304, 400}:
            raise FetchError(place, _said(status), status=status, hint=_status_hint(status))
        body = b"" if status == HTTPStatus.NOT_MODIFIED else await self._body(answer, traffic)
        address = str(answer.url.copy_with(username="", password="", query=None, fragment=None))
        return Response(status, body, _validators(answer.headers), status == HTTPStatus.NOT_MODIFIED, address)

    def _note_wish(self, answer: httpx2.Response, site: _Site) -> None:
        """Remember for how long the site wants to be left alone, for all who would ask it.

        A site may say so with its last answer, too; GitHub says it with 403
        (https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api).
        """
        moment = _clock()
        now = self._now + timedelta(seconds=moment - self._started)
        refused = answer.status_code in _PASSING | {HTTPStatus.FORBIDDEN}
        if wait_s := (wait_asked if refused else wait_spent)(answer.headers, now):
            site.closed_until = max(site.closed_until, moment + wait_s)

    async def _body(self, answer: httpx2.Response, traffic: Traffic) -> bytes:
        """The whole body; stops early at the limit, so that a small bomb stays small."""
        body = bytearray()
        async for chunk in answer.aiter_bytes():
            body += chunk
            traffic.bytes_received += len(chunk)
            if len(body) > self.policy.max_bytes:
                limit = f"{self.policy.max_bytes / 2**20:.3g} MiB"
                raise FetchError(shown(str(answer.url)), f"the answer is larger than {limit} and was not read further")
        return bytes(body)


def _clock() -> float:
    """Seconds that only ever grow; for durations and waits, never for dates."""
    return asyncio.get_running_loop().time()


def _transport(policy: HttpPolicy) -> httpx2.AsyncHTTPTransport:
    if policy.proxy:
        return httpx2.AsyncHTTPTransport(verify=trusted(), proxy=policy.proxy)
    return PinnedTransport(policy.allow_private_hosts, trusted())


def shown(url: str) -> str:
    """An address as it may be shown: no user, no password, no query, not too long."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # read for its check: what follows a bad one may be a password
    except ValueError:
        return "an unreadable address"
    host = parts.netloc.rpartition("@")[2]
    place = f"{parts.scheme}://{host}{parts.path}" if host else f"{parts.scheme}:{parts.path}"
    return re.sub(r"[^\x21-\x7e]", "?", place)[:200]


def _url(text: str, *, base: httpx2.URL | None = None) -> httpx2.URL:
    try:
        url = base.join(text) if base else httpx2.URL(text)
        _ = url.host  # read for its check: `xn--` may stand before what no name becomes (RFC 5891 §4.2.3)
    except (httpx2.InvalidURL, ValueError) as error:
        raise FetchError(shown(text), "not a usable address") from error
    if url.scheme not in {"http", "https"} or not url.host:
        whence = f"{shown(str(base))} redirects to an address that is" if base else "the address is"
        raise FetchError(shown(str(url)), f"{whence} neither http nor https")
    if (url.port or 0) > _MAX_PORT:
        raise FetchError(shown(str(url)), "not a usable address")
    return url


def _same_origin(one: httpx2.URL, other: httpx2.URL) -> bool:
    """RFC 6454 §5."""
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)


def _conditions(validators: Validators | None) -> dict[str, str]:
    if not validators:
        return {}
    headers = {"If-None-Match": validators.etag, "If-Modified-Since": validators.last_modified}
    return {name: value for name, value in headers.items() if value}


def _validators(headers: Mapping[str, str]) -> Validators:
    """What to send back next time; values that could not be sent are forgotten."""
    return Validators(_header_safe(headers.get("ETag", "")), _header_safe(headers.get("Last-Modified", "")))


def _header_safe(value: str) -> str:
    return value if value.isascii() and value.isprintable() and len(value) <= 500 else ""


def _said(status: int) -> str:
    try:
        return f"the server answers {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"the server answers {status}"


def _status_hint(status: int) -> str:
    if status in _MISSING:
        return "check the address of the source: nothing is there any more"
    if status in _CLOSED:
        return "the server wants a login or refuses programs: try the address in a browser where you are not logged in"
    return ""


def _explained(error: Exception, place: str, *, proxy: str) -> FetchError:
    """What went wrong on the way, in words. `proxy`: its address, if there is one on the way."""
    cause = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, ForbiddenAddressError):
        return FetchError(place, cause, hint="if this host is yours and meant, add it to allow_private_hosts in [http]")
    if isinstance(error, httpx2.DecodingError):
        return FetchError(place, f"the answer cannot be decompressed ({cause})")
    reason, hint = distrust(error)
    if reason:
        return FetchError(place, reason, hint=hint)
    if isinstance(error, httpx2.TransportError | OSError):
        way = f" through the proxy {shown(proxy)}" if proxy else ""
        hint = "is the network up, and the address right?" if not proxy else "is the proxy up, and http.proxy right?"
        if isinstance(error, httpx2.RemoteProtocolError):
            return PassingError(place, f"the answer{way} broke off, or it is not HTTP", hint=hint)
        if isinstance(error, httpx2.LocalProtocolError):
            return PassingError(place, "the request cannot be sent: HTTP does not allow one of its headers")
        return PassingError(place, f"no connection{way}, or it broke off ({cause})", hint=hint)
    return FetchError(place, f"the answer is not proper HTTP ({cause})")
