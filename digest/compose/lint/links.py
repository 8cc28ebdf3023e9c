"""Where do the links of a mail lead, and is the way out among them?"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from digest.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from digest.compose.lint.opened import Opened

#: hide where a link leads; spam filters count them against a mail (SpamAssassin's URI shorteners, Spamhaus DBL)
SHORTENERS = frozenset(
    [
        *("adf.ly", "bit.do", "bit.ly", "bl.ink", "buff.ly", "cutt.ly", "dlvr.it", "goo.gl", "goo.su", "is.gd", "j.mp"),
        *("lnkd.in", "ow.ly", "rb.gy", "rebrand.ly", "s.id", "short.io", "shorturl.at", "shorte.st", "snip.ly", "t.co"),
        *("t.ly", "tiny.cc", "tinyurl.com", "tr.im", "trib.al", "u.to", "v.gd", "x.co"),
    ]
)
_LEADING = ("href", "action", "formaction", "xlink:href")
_LOADING = ("src", "srcset", "background", "poster", "data")
#: what mail programs take out or warn of
_ACTIVE = frozenset(["script", "iframe", "object", "embed", "applet", "form", "input", "button", "frame", "base"])
_TEXT_LINK = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s<>\"]+", re.IGNORECASE)
#: RFC 2369 §2: each in angle brackets, between commas
_BRACKETED = re.compile(r"<([^<>\s]*)>")
_ONE_CLICK = "List-Unsubscribe=One-Click"
_EDIT = "take it out of your template, or out of the source that brought it"


def links(mail: Opened) -> Iterator[Finding]:
    """What is wrong with the links of both bodies; each address is named once."""
    found = [] if mail.tree is None else [value for _, value in _attributes(mail.tree, _LEADING)]
    for link in dict.fromkeys([*found, *_TEXT_LINK.findall(mail.text)]):
        if trouble := _trouble(link):
            yield Finding("links", "wrong", f"{link[:100]} {trouble}", _EDIT)


def content(mail: Opened) -> Iterator[Finding]:
    """What a page holds that mail programs block, take out, or warn of."""
    if mail.tree is None:
        return
    elements = [element for element in mail.tree.iter() if isinstance(element.tag, str)]
    active = {element.tag for element in elements} & _ACTIVE
    handlers = {name for element in elements for name in element.attrib if str(name).lower().startswith("on")}
    for name in sorted({f"<{tag}>" for tag in active} | {f"{name}=" for name in handlers}):
        yield Finding("content", "wrong", f"{name} does nothing in mail, and makes filters suspicious", _EDIT)
    loaded = [value for _, value in _attributes(mail.tree, _LOADING) if not value.lower().startswith(("cid:", "data:"))]
    if loaded or "url(" in mail.page or "@import" in mail.page:
        what = loaded[0][:100] if loaded else "a style sheet"
        sentence = f"{what}: what is loaded from elsewhere tells who opened the mail, and most programs block it"
        yield Finding("content", "advice", sentence, "leave pictures out, or let the mail be whole without them")


def _attributes(tree: HtmlElement, names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [
        (str(name), str(value).strip())
        for element in tree.iter()
        if isinstance(element.tag, str)
        for name, value in element.attrib.items()
        if str(name).lower() in names and str(value).strip() not in {"", "#"}
    ]


def _trouble(link: str) -> str:
    """Why a link should not be in a mail; empty if it may."""
    if link.startswith("#"):
        return ""
    try:
        parts = urlsplit(link)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return "is no address that a browser could open"
    if parts.scheme.lower() == "mailto":
        return "" if "@" in parts.path else "names nobody to write to"
    if parts.scheme.lower() not in {"http", "https"}:
        return "is neither http, https nor mailto"
    if not host:
        return "names no host"
    if parts.username is not None:
        return f"shows one name and leads to another: {host}"
    if _is_number(host):
        return "leads to a bare IP address, as only spam does"
    if any(host == name or host.endswith(f".{name}") for name in SHORTENERS):
        return "is from a link shortener, which hides where it leads"
    return ""


def _is_number(host: str) -> bool:
    """Whether a host is an IP address, in any form that browsers read as one: their last label is a number."""
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return bool(re.fullmatch(r"\d+|0x[0-9a-f]*", host.rpartition(".")[2], re.IGNORECASE))
    return True


def way_out(mail: Opened) -> Iterator[Finding]:
    """What is wrong with the way out: RFC 2369 §3.2, RFC 8058, and the same in both bodies."""
    fields, posts = mail.values("list-unsubscribe"), mail.values("list-unsubscribe-post")
    ways = [way for value in fields for way in _BRACKETED.findall(value)]
    good = [way for way in ways if way.lower().startswith(("https:", "mailto:")) and not _trouble(way)]
    if not good:
        said = f"List-Unsubscribe names no https or mailto address: {', '.join(fields)[:100]}".rstrip(": ")
        yield _no_way(said, "set mail.base_url or mail.unsubscribe_mailto in the configuration")
        return
    for way in ways:
        if way not in good:
            yield _no_way(f"List-Unsubscribe names {way[:100]}, which is no way out", "use https or mailto addresses")
    yield from _one_click(good, posts)
    for name, body in (("text", mail.text), ("HTML", _hrefs(mail))):
        if body and not any(way in body for way in good):
            cure = "let your template show letter.unsubscribe_link or letter.unsubscribe_mailto"
            yield _no_way(f"the {name} part has none of the addresses of List-Unsubscribe", cure)


def _one_click(ways: list[str], posts: tuple[str, ...]) -> Iterator[Finding]:
    page = any(way.lower().startswith("https:") for way in ways)
    if page and posts != (_ONE_CLICK,):
        yield _no_way(
            f"List-Unsubscribe-Post does not say {_ONE_CLICK} (RFC 8058 §3.1)", "let it, beside an https page"
        )
    elif posts and not page:
        yield _no_way("List-Unsubscribe-Post needs an https address in List-Unsubscribe (RFC 8058 §3.1)", "name one")
    elif not page:
        sentence = "readers can only leave by writing; Gmail and Yahoo want one click of those who send thousands a day"
        cure = "set mail.base_url once there is a web address for it"
        yield Finding("unsubscribe", "advice", sentence, cure)


def _hrefs(mail: Opened) -> str:
    if mail.tree is None:
        return ""
    return "\n".join([value for _, value in _attributes(mail.tree, ("href",))]) or "none"


def _no_way(sentence: str, cure: str) -> Finding:
    return Finding("unsubscribe", "wrong", sentence, cure)
