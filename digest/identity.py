"""Same paper? Any spelling of an identifier goes in, its one canonical key comes out. Pure; never raises on text.

    arxiv:2401.01234   arxiv:hep-ex/0307015   doi:10.1101/857789   openreview:aVh9KRZdRk   url:https://example.org/x

Versions are not part of a key. A key is its own canonical form: `identify(identify(x).key).key == identify(x).key`.

Sources: arXiv's identifier scheme (https://info.arxiv.org/help/arxiv_identifier.html), the DOI handbook §2 (DOIs
compare without regard to case), RFC 3986 §6.2.2 for addresses.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

#: longer than any identifier seen; what is longer is not looked at
_MAX_LENGTH = 2_000
#: bytes in UTF-8; PostgreSQL refuses to index more than 2,704, and with the whole pull
_MAX_KEY = 1_000
#: kinds of keys, the preferred one first: the order in which a work with several chooses its name
_KINDS = ("arxiv", "doi", "openreview", "url", "list")

#: archives that gave out identifiers before April 2007; no other word before a slash and seven digits is one
_OLD_ARCHIVES = (
    "acc-phys|adap-org|alg-geom|ao-sci|astro-ph|atom-ph|bayes-an|chao-dyn|chem-ph|cmp-lg|comp-gas|cond-mat|cs|dg-ga|"
    "funct-an|gr-qc|hep-ex|hep-lat|hep-ph|hep-th|math-ph|math|mtrl-th|nlin|nucl-ex|nucl-th|patt-sol|physics|plasm-ph|"
    "q-alg|q-bio|quant-ph|solv-int|supr-con"
)
_VERSION = r"(?:v(?P<version>[1-9]\d{0,3}))?"
_ARXIV_NEW = re.compile(rf"(?P<number>(?P<month>\d\d(?:0[1-9]|1[0-2]))\.(?P<serial>\d{{4,5}})){_VERSION}", re.ASCII)
#: the subject class (`.GT`) is not part of the preferred form
_ARXIV_OLD = re.compile(
    rf"(?P<archive>{_OLD_ARCHIVES})(?:\.[a-z-]{{2,}})?/"
    rf"(?P<number>(?:9[1-9]|0[0-7])(?:0[1-9]|1[0-2])\d{{3}}){_VERSION}",
    re.ASCII | re.IGNORECASE,
)
_ARXIV_PREFIX = re.compile(r"(?:oai:arxiv\.org:|arxiv:|(?:doi:)?10\.48550/arxiv\.)", re.IGNORECASE)
_ARXIV_PATH = re.compile(r"/(?:abs|pdf|html|src|format|ps|e-print)/(?P<id>.+)")
_ALPHAXIV_PATH = re.compile(r"/(?:[a-z]{2}/)?(?:abs|pdf|overview|html)/(?P<id>.+)")
_HUGGINGFACE_PATH = re.compile(r"/papers/(?P<id>.+)")

_DOI = re.compile(r"10\.[0-9]{4,9}(?:\.[0-9]+)*/[^\s\x00-\x20\x7f-\x9f\ud800-\udfff]+")
_DOI_PREFIX = re.compile(r"(?:doi:\s*|info:doi/|urn:doi:)", re.IGNORECASE)
#: Cold Spring Harbor's prefix and, since December 2025, openRxiv's: the only ones whose last `v2` is a version
_PREPRINT_DOI = re.compile(
    r"(?P<doi>10\.(?:1101|64898)/(?:(?:19|20)\d\d\.\d\d\.\d\d\.)?\d{5,9})(?:v(?P<version>[1-9]\d{0,3}))?"
)
_PREPRINT_PATH = re.compile(
    r"/(?:cgi/)?content/(?:(?P<prefix>10\.\d{4,9})/|(?:short|early/\d{4}/\d\d/\d\d|abstract)/)"
    r"(?P<id>(?:(?P<month>\d{4}\.\d\d)\.\d\d\.)?\d{5,9})(?:v(?P<version>[1-9]\d{0,3}))?(?:[./].*)?",
    re.ASCII,
)
#: short addresses of later months could belong to either prefix
_LAST_MONTH_OF_OLD_PREFIX = "2025.11"

_OPENREVIEW_ID = re.compile(r"[A-Za-z0-9_-]{6,24}", re.ASCII)
_HOST = re.compile(r"[0-9a-f:.]*:[0-9a-f:.]*|[\w-]+(?:\.[\w-]+)*\.?")
#: query parameters that say where a reader came from, not what they read
_TRACKING = re.compile(r"(?:utm_[^=]*|rss|source|fbclid|gclid|mc_[ce]id)(?:=.*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Identifier:
    """What a text identifies."""

    #: canonical key without version
    key: str
    #: from 1; None if the text names no version
    version: int | None = None


def identify(text: str) -> Identifier | None:
    """Read an identifier of a paper in any of its spellings.

    Args:
        text: arXiv id (old or new style, any prefix, with or without version), DOI, an address at arXiv, Hugging Face
            papers, alphaXiv, doi.org, bioRxiv, medRxiv or OpenReview, any other http(s) address, or a key.

    Returns:
        the identifier, or None if the text is none of these, too long for a key, or the address of a page within a
        program (`https://example.org/#/7`). Blanks around it do not matter.

    >>> identify("https://arxiv.org/pdf/math.GT/0309136v2.pdf")
    Identifier(key='arxiv:math/0309136', version=2)
    >>> identify("https://doi.org/10.1000%2FXYZ.")
    Identifier(key='doi:10.1000/xyz', version=None)
    >>> identify("see the appendix") is None
    True
    """
    text = text.strip()
    if not text or len(text) > _MAX_LENGTH:
        return None
    address = _address(text.removeprefix("url:"))
    found = _of_address(address) if address else _of_name(text)
    return found if found and _fits(found.key) else None


def is_address(text: str) -> bool:
    """Whether a text is an http(s) address, of any length, and nothing else."""
    return _address(text) is not None


def best_key(keys: Iterable[str]) -> str:
    """The key by which a work goes: arXiv before DOI, OpenReview, address and own name; the first of several alike.

    Raises:
        ValueError: if there are no keys.
    """
    return min(keys, key=lambda key: _KINDS.index(kind) if (kind := key.partition(":")[0]) in _KINDS else len(_KINDS))


def own_key(source: str, name: str) -> str:
    """The key of an item that only its own source can name: `list:<source>/<name>`. Never equal between sources.

    A name that is too long for a key goes by its SHA-256 (hex).

    >>> own_key("blogs/labs", "post 7")
    'list:blogs%2Flabs/post 7'
    """
    prefix = f"list:{source.replace('%', '%25').replace('/', '%2F')}/"
    if _fits(prefix + name):
        return prefix + name
    return prefix + hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()


def version_of(key: str, found: Iterable[Identifier]) -> int | None:
    """The version that the first of several spellings of `key` names; None if none does."""
    return next((identifier.version for identifier in found if identifier.key == key and identifier.version), None)


def _fits(key: str) -> bool:
    return len(key.encode(errors="surrogatepass")) <= _MAX_KEY


def _of_name(text: str) -> Identifier | None:
    """An identifier that is not an address."""
    openreview = text.removeprefix("openreview:")
    if openreview != text:
        return _openreview(openreview)
    prefix = _ARXIV_PREFIX.match(text)
    return _arxiv(text[prefix.end() :] if prefix else text) or _doi(_DOI_PREFIX.sub("", text, count=1))


def _of_address(address: SplitResult) -> Identifier | None:
    host = address.hostname or ""
    path = _decoded(address.path).rstrip("/")
    return _of_known_site(host, path, address.query) or _url(address)


def _of_known_site(host: str, path: str, query: str) -> Identifier | None:
    if _is_at(host, "arxiv.org"):
        return _arxiv_at(_ARXIV_PATH, path)
    if _is_at(host, "huggingface.co", "hf.co"):
        return _arxiv_at(_HUGGINGFACE_PATH, path)
    if _is_at(host, "alphaxiv.org"):
        return _arxiv_at(_ALPHAXIV_PATH, path)
    if _is_at(host, "doi.org"):
        return _of_name(path.removeprefix("/"))
    if _is_at(host, "biorxiv.org", "medrxiv.org"):
        return _preprint(path)
    if _is_at(host, "openreview.net"):
        note = re.search(r"(?:^|&)id=([^&]*)", query)
        return _openreview(note[1]) if note else None
    return None


def _is_at(host: str, *sites: str) -> bool:
    return any(host == site or host.endswith("." + site) for site in sites)


def _arxiv_at(pattern: re.Pattern[str], path: str) -> Identifier | None:
    match = pattern.fullmatch(path)
    return _arxiv(match["id"]) if match else None


def _arxiv(text: str) -> Identifier | None:
    """An arXiv id without prefix: strictly the grammar, but for a tail such as `.pdf`, `?query` or `#fragment`."""
    text = re.sub(r"[?#].*", "", text).rstrip("/")
    text = re.sub(r"\.pdf$", "", text, flags=re.IGNORECASE)
    if match := _ARXIV_NEW.fullmatch(text):
        # 0704 to 1412 count to 9999 a month, 1501 and later to 99999; 91 to 99 are years of the old style
        month, digits = match["month"], len(match["serial"])
        if not "0704" <= month < "9100" or digits != (4 if month < "1500" else 5):
            return None
        return Identifier(f"arxiv:{match['number']}", _number(match["version"]))
    if match := _ARXIV_OLD.fullmatch(text):
        return Identifier(f"arxiv:{match['archive'].lower()}/{match['number']}", _number(match["version"]))
    return None


def _doi(text: str) -> Identifier | None:
    doi = _without_trailing_punctuation(_decoded(text).lower())
    if not _DOI.fullmatch(doi):
        return None
    if prefix := _ARXIV_PREFIX.match(doi):
        return _arxiv(doi[prefix.end() :])
    if preprint := _PREPRINT_DOI.fullmatch(doi):
        return Identifier(f"doi:{preprint['doi']}", _number(preprint["version"]))
    return Identifier(f"doi:{doi}")


def _without_trailing_punctuation(text: str) -> str:
    """Sentences end after a DOI, and brackets close around it; brackets that were opened inside belong to it."""
    while text and (text[-1] in ".,;:!?'\"/" or (text[-1] in ")]}>" and not _is_balanced(text))):
        text = text[:-1]
    return text


def _is_balanced(text: str) -> bool:
    opening = {")": "(", "]": "[", "}": "{", ">": "<"}[text[-1]]
    return text.count(text[-1]) <= text.count(opening)


def _preprint(path: str) -> Identifier | None:
    match = _PREPRINT_PATH.fullmatch(path)
    if not match or (not match["prefix"] and (match["month"] or "") > _LAST_MONTH_OF_OLD_PREFIX):
        return None
    return Identifier(f"doi:{match['prefix'] or '10.1101'}/{match['id']}", _number(match["version"]))


def _openreview(text: str) -> Identifier | None:
    return Identifier(f"openreview:{text}") if _OPENREVIEW_ID.fullmatch(text) else None


def _address(text: str) -> SplitResult | None:
    """An http(s) address with a plausible host, or None."""
    if not re.match(r"https?://", text, re.IGNORECASE) or re.search(r"[\s\x00-\x20\x7f-\x9f\ud800-\udfff]", text):
        return None
    try:
        address = urlsplit(text)
        host, _ = address.hostname, address.port  # the port is read for its check
    except ValueError:
        return None
    return address if host and _HOST.fullmatch(host) else None


def _url(address: SplitResult) -> Identifier | None:
    """An address without what does not say which page: scheme, user, default port, tracking, fragment, last slash.

    None if the fragment does say it: a program in the browser tells its pages apart by `#/…` or `#!…`.
    """
    if address.fragment.startswith(("/", "!")):
        return None
    host = address.hostname or ""
    host = f"[{host}]" if ":" in host else host
    port = f":{address.port}" if address.port not in {None, 80, 443} else ""
    query = "&".join(part for part in address.query.split("&") if part and not _TRACKING.fullmatch(part))
    key = f"url:https://{host}{port}{address.path.rstrip('/')}{'?' + query if query else ''}"
    return Identifier(key)


def _decoded(text: str) -> str:
    """Percent-decoded until nothing changes (addresses are sometimes quoted twice), so that decoding again is safe."""
    while (decoded := unquote(text)) != text:
        text = decoded
    return text


def _number(version: str | None) -> int | None:
    return int(version) if version else None
