"""Checked values of single keys: what a person types goes in, the value the rooms use comes out, or a `mistake`.

Each function here is the validator of one kind of value and raises `PydanticCustomError` with a plain sentence and a
hint. Nothing here knows which key it is checking, and nothing is fetched or looked up in DNS.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
import unicodedata
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from email_validator import EmailNotValidError, validate_email
from pydantic import SecretStr
from pydantic_core import PydanticCustomError

from digest.errors import QueryError
from digest.languages.language import available
from digest.model import WEEKDAYS, Weekday

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import ValidationInfo

    from digest.deliver.throttle import Rate

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MAILBOX = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>")
#: RFC 5322 §3.2.3: a display name with one of these is written in quotes
_SPECIALS = frozenset('()<>[]:;@\\,."')
#: arXiv's grammar of archives and subject classes: `cs.CL`, `hep-ph`, `cond-mat.str-el`; the server ignores case
_CATEGORY = re.compile(r"[a-z]+(-[a-z]+)*(\.[a-z]{2,}(-[a-z]+)*)?", re.IGNORECASE)
#: RFC 6761, RFC 6762: names that mean this machine, this network, a test
_INTRANET = re.compile(r"@([^@]+\.)?(localhost|local|test)$", re.IGNORECASE)
_LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1", re.IGNORECASE)
#: a pause beyond this day is none that anybody will see the end of
_LAST_PAUSE = dt.date(2099, 12, 31)


def mistake(message: str, hint: str = "") -> PydanticCustomError:
    """An error with our own words; `message` has no full stop, `hint` says what to write instead."""
    return PydanticCustomError("mistake", "{message}", {"message": message, "hint": hint})


def closest(word: str, words: Iterable[str]) -> str:
    """The one of `words` that was probably meant, whatever its case; empty if none is close."""
    by_folded = {known.casefold(): known for known in words}
    close = get_close_matches(word.casefold(), by_folded, n=1)
    return by_folded[close[0]] if close else ""


def did_you_mean(word: str, words: Iterable[str], *, otherwise: str) -> str:
    """A hint that names the closest of `words`, or `otherwise`."""
    close = closest(word, words)
    return f"did you mean {close}?" if close else otherwise


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own."""
    return _LOOPBACK.fullmatch(host.strip("[]")) is not None


def one_line(text: str) -> str:
    """Text without line breaks, controls and invisible direction marks (Unicode categories Cc, Cf, Zl, Zp)."""
    if any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in text):
        raise mistake("it holds a line break or an invisible character", "type it again on one line")
    return text.strip()


def address(text: str) -> str:
    """A bare mail address, normalised as email-validator does: domain in lower case, NFC. No DNS is asked.

    Names of this machine and of intranets are allowed (`ada@localhost`, `ada@mail.local`); any other domain needs a
    dot, since `ada@gmail` is a typing mistake far more often than a mail server.
    """
    # email-validator refuses special-use names outright; below a public name their syntax is checked all the same
    suffix = ".example.org" if _INTRANET.search(text) else ""
    try:
        checked = validate_email(text + suffix, check_deliverability=False)
    except EmailNotValidError as error:
        reason = str(error).rstrip(".")
        raise mistake(
            f"this is not a mail address ({reason[:1].lower()}{reason[1:]})", "write it like ada@example.org"
        ) from None
    return checked.normalized.removesuffix(suffix)


def domain(text: str) -> str:
    """A domain that mail can be signed for: as in the DNS, with a dot."""
    try:
        found = ascii_domain(text)
    except EmailNotValidError:
        found = ""
    if "." not in found:
        raise mistake("this is not a domain", "write it like example.org")
    return found


def ascii_domain(text: str) -> str:
    """A domain as it stands in the DNS: in lower case, other scripts as xn--….

    Raises:
        EmailNotValidError: never for the domain of a checked address.
    """
    # below a public name also those of this machine and of intranets are taken
    checked = validate_email(f"x@{text}.example.org", check_deliverability=False)
    return checked.ascii_domain.removesuffix(".example.org").lower()


def selector(text: str) -> str:
    """The name of a DKIM key below its domain."""
    from digest.deliver.dkim import SELECTOR

    if not SELECTOR.fullmatch(text):
        raise mistake("this is not a DKIM selector", "use letters, digits and hyphens, like digest2026")
    return text


def mailbox(text: str) -> str:
    """An address with or without a display name: `Paper Digest <digest@example.org>`."""
    match = _MAILBOX.fullmatch(text.strip(" "))
    if match is None:
        return address(text)
    name = one_line(match["name"]).removeprefix('"').removesuffix('"')
    bare = address(match["address"])
    if not name:
        return bare
    if _SPECIALS.isdisjoint(name):
        return f"{name} <{bare}>"
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{bare}>'


def bare(mailbox: str) -> str:
    """The address of a checked mailbox, without the display name."""
    return mailbox.rpartition("<")[2].removesuffix(">")


def web_address(text: str) -> str:
    """An absolute http or https address with a host."""
    return _whole_address(text, "write it with https:// in front, like https://example.org/papers")


def _whole_address(text: str, hint: str) -> str:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port  # the port is read for its check
    except ValueError:
        raise mistake("this is not a web address", hint) from None
    if parts.scheme not in {"http", "https"} or not host or re.search(r"[\s\x00-\x1f\x7f]", text):
        raise mistake("this is not a web address", hint)
    return text


def public_address(text: str) -> str:
    """The https address of our own web pages, without a slash at the end; plain http on this machine only."""
    parts = urlsplit(web_address(text))
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise mistake("links in mails must be https", "write https:// in front instead of http://")
    if parts.query or parts.fragment:
        raise mistake("it may not hold a ? or #", "write the address up to the path only")
    return text.rstrip("/")


def proxy(address: SecretStr) -> SecretStr:
    """The address of an HTTP proxy. It may hold a password."""
    hint = "write host and port: http://proxy.lab.internal:3128"
    parts = urlsplit(_whole_address(address.get_secret_value(), hint))
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise mistake("this is not the address of a proxy", hint)
    return address


def contact(text: str) -> str:
    """How the people behind a source can reach the operator: a mail or web address."""
    return web_address(text) if text.startswith(("http:", "https:")) else address(text)


def host(text: str) -> str:
    """A host name or address as such, without scheme or port."""
    if not re.fullmatch(r"[A-Za-z0-9._-]+|\[?[0-9A-Fa-f:.]+(%\w+)?\]?", text):
        raise mistake(
            "this is not a host name", "write the bare name, like mail.example.org; the port is a key of its own"
        )
    return text.strip("[]")


def private_host(text: str) -> str:
    """A host name or address, or a network like 10.0.0.0/8."""
    if "/" not in text:
        return host(text)
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise mistake(
            "this is neither a host nor a network", "write it like feeds.lab.internal or 10.0.0.0/8"
        ) from None
    return text


def path(value: object, info: ValidationInfo) -> Path:
    """A local path; a relative one is read from the folder in the validation's context, `~` is the home folder."""
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value or "\0" in value:
        raise mistake("this is not a path", "write the path in quotes")
    return (info.context["folder"] / _expanded(value)).resolve() if info.context else _expanded(value)


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise mistake("whose home folder ~ means is not known", "write the whole path") from None


def database_url(text: str, info: ValidationInfo) -> str:
    """The URL of the state: `sqlite:///file`, made absolute as `path` does, or `postgresql://user@host/database`."""
    file = text.removeprefix("sqlite:///")
    if file not in {text, ""}:
        return f"sqlite:///{path(file, info)}"
    if not re.fullmatch(r"postgresql(\+psycopg)?://\S+", text):
        raise mistake(
            "this is not the address of a state database",
            "write sqlite:///path/to/state.sqlite3 or postgresql://user@host/database",
        )
    return text


def category(text: str) -> str:
    """An arXiv category or archive by its shape; whether it exists only arXiv can say."""
    if not _CATEGORY.fullmatch(text):
        raise mistake(
            "this is not an arXiv category", "write it like cs.CL, stat.ML or hep-ph; one string per category"
        )
    return text


def zone(text: str) -> str:
    """An IANA time zone name."""
    try:
        ZoneInfo(text)
    except (LookupError, ValueError, OSError):  # unknown; `../x`; a folder such as `Europe`
        raise mistake("there is no such time zone", _zones_like(text)) from None
    return text


# a list of readers may hold one misspelling ten thousand times: 5 ms
@lru_cache(maxsize=64)
def _zones_like(text: str) -> str:
    return did_you_mean(text, available_timezones(), otherwise="write it like Europe/Berlin, Asia/Tokyo or UTC")


def language(text: str) -> str:
    """The tag of a language that mails can be written in, whatever the case and whether with - or _."""
    known = available()
    typed = text.strip().replace("_", "-").casefold()
    found = next((code for code in known if code.casefold() == typed), None)
    if found is None:
        otherwise = f"write one of: {', '.join(known)}"
        raise mistake(
            "mails cannot be written in this language",
            did_you_mean(typed.partition("-")[0], known, otherwise=otherwise),
        )
    return found


def clock(value: object) -> dt.time:
    """A wall clock time: `08:00` in quotes, or TOML's own `08:00:00` with whole minutes."""
    if isinstance(value, dt.time) and value == value.replace(second=0, microsecond=0, tzinfo=None):
        return value
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise mistake("this is not a time of day", 'write hours and minutes from "00:00" to "23:59"')
    return dt.time(int(match[1]), int(match[2]))


def weekday(text: str) -> Weekday:
    """A day by its English name or the name's first three letters, whatever the case."""
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    for short, name in zip(WEEKDAYS, names, strict=True):
        if text.strip().lower() in {short, name}:
            return short
    # "tues" is meant for "tuesday", not "tue": both are asked
    close = closest(text, (*names, *WEEKDAYS))[:3]
    raise mistake("there is no such day", f"did you mean {close}?" if close else f"write {', '.join(WEEKDAYS)}")


def week(days: tuple[Weekday, ...]) -> tuple[Weekday, ...]:
    """At least one day; Monday first, each day once."""
    if not days:
        raise mistake(
            "no day is chosen, so nothing would ever be sent",
            'name the days, like ["mon", "thu"]; to stop for a while use paused_until',
        )
    return tuple(day for day in WEEKDAYS if day in days)


def pause(value: object) -> dt.date:
    """The local date of the first digest after a pause: TOML's own `2027-01-15`, or the same in quotes."""
    try:
        day = dt.date.fromisoformat(value) if isinstance(value, str) and _ISO_DATE.fullmatch(value) else value
    except ValueError:
        day = None
    if not isinstance(day, dt.date) or isinstance(day, dt.datetime):
        raise mistake("this is not a date", "write year, month and day, like 2027-01-15")
    if day > _LAST_PAUSE:
        raise mistake(
            "this pause never ends, so nothing would ever be sent",
            "name a nearer day, or take the subscriber out of the list",
        )
    return day


def rate(value: object) -> Rate:
    """So many mails in so much time: `600/minute`."""
    from digest.deliver.throttle import Rate

    if isinstance(value, Rate):
        return value
    try:
        return Rate.parse(value if isinstance(value, str) else "")
    except ValueError:
        raise mistake(
            "this is no rate", 'write a number and second, minute, hour or day, like "600/minute" or "20000/hour"'
        ) from None


def domain_rates(value: object) -> dict[str, Rate]:
    """One rate for every domain, or a table of domains and rates, with `*` for those that are not named."""
    if not isinstance(value, dict):
        return {"*": rate(value)}
    return {name if name == "*" else domain(str(name)): _named_rate(name, each) for name, each in value.items()}


def _named_rate(name: object, value: object) -> Rate:
    try:
        return rate(value)
    except PydanticCustomError as error:
        facts = error.context or {}
        raise mistake(f"{name} has no rate that can be read", facts.get("hint", "")) from None


def keyword(text: str) -> str:
    """An entry that the keyword language can read."""
    from digest.curate.query import parse

    try:
        parse(text)
    except QueryError as error:
        raise mistake(f"{error.reason} at column {error.column}", error.hint) from None
    return text
