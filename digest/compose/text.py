r"""Text from outside → text that may be shown or put into a header. Pure.

`plain` for anything a reader sees, `one_line` for headers and titles, `http_link` for addresses. None of them escapes
markup: that is the templates' work, and they escape everything.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import quote, urlsplit

import idna

from digest.compose.tex import unicode_of

# C0, C1 and surrogates; white space among them separates words, so all become spaces
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufff0-\ufffb]")
# soft hyphen, bidi controls (UAX 9), zero-width and filler characters, tags: nothing a reader could see
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff"
    "\uffa0\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Joiners shape Persian and Indic words and emoji; next to ASCII, or beside each other, they can only deceive
_LOOSE_JOINER = re.compile(
    "(?<![^\x00-\x7f\u200c\u200d])[\u200c\u200d]+|[\u200c\u200d]{2,}|[\u200c\u200d]+(?![^\x00-\x7f\u200c\u200d])"
)
#: any of these; nearly all texts have none
_ODD = re.compile(f"[\u200c\u200d{_CONTROLS.pattern[1:-1]}{_INVISIBLE.pattern[1:-1]}]")
#: longest link written into a mail; longer ones are trackers or mistakes
_LONGEST_LINK = 500


# A paper is in many digests: its texts are read once per run
@lru_cache(maxsize=8192)
def plain(text: str) -> str:
    r"""The text as a reader expects it: TeX as Unicode, one paragraph, no invisible or control characters.

    No word outside of TeX commands is lost, prices and percentages stay, and `plain(plain(x)) == plain(x)`.

    >>> plain("We gain 10% with\n  $\\alpha$-\u202eMoE & spend $5")
    'We gain 10% with α-MoE & spend $5'
    """
    tidied = tidy(text)
    read = unicode_of(tidied)
    if read == tidied and read.isascii():
        return read  # nearly always, and tidying it again would change nothing
    result = tidy(read)
    if result == tidied:
        return result
    # What TeX wrote out as visible characters may, rarely, read as TeX again
    return result if tidy(unicode_of(result)) == result else tidied


def tidy(text: str) -> str:
    """White space collapsed, Unicode composed (NFC), and without characters that control or hide."""
    if text.isascii() and text.isprintable():
        tidied = " ".join(text.split())  # nearly always, and five times as fast
        return text if tidied == text else tidied  # a text that is kept anyway takes no more memory
    if _ODD.search(text):
        text = _INVISIBLE.sub("", _CONTROLS.sub(" ", text))
        text = _LOOSE_JOINER.sub("", text)
    return " ".join(unicodedata.normalize("NFC", text).split())


@lru_cache(maxsize=8192)
def one_line(text: str, limit: int = 300) -> str:
    """One line that is safe in a header: at most `limit` characters, cut at a word with “…”.

    Nothing in it reads as an encoded word of RFC 2047 (`=?…?=`), which some parsers decode inside plain text
    (CVE-2024-6923).
    """
    return cut_at_word(tidy(text).replace("=?", "= ?").replace("?=", "? ="), limit)


def cut_at_word(text: str, limit: int) -> str:
    """The text if it has at most `limit` characters, else its beginning up to a word's end, and “…”.

    A first word longer than half the limit is cut in the middle.
    """
    if len(text) <= limit:
        return text
    kept = text[: limit - 1]
    if not text[limit - 1].isspace():
        kept = kept[: kept.rfind(" ")] if " " in kept[limit // 2 :] else kept
    return kept.rstrip(" ,;:–—-(") + "…"


# A full stop, perhaps in a quotation; not after a single letter or one of the usual abbreviations
_SENTENCE_END = re.compile(
    r"(?<!\b[A-Za-z])(?<!\be\.g)(?<!\bi\.e)(?<!\bal)(?<!\bvs)(?<!\bcf)(?<!\bFig)(?<!\bEq)(?<!\bresp)(?<!\betc)"
    r"[.!?][\"”’)]?(?=\s)|[。！？]"
)


@lru_cache(maxsize=8192)
def cut_at_sentence(text: str, limit: int) -> str:
    """At most `limit` characters: whole sentences and “ …”; if the first one is longer, cut at a word.

    >>> cut_at_sentence("One. Two is e.g. longer. Three.", 28)
    'One. Two is e.g. longer. …'
    """
    if len(text) <= limit:
        return text
    ends = [match.end() for match in _SENTENCE_END.finditer(text, 0, limit - 1)]
    if not ends or ends[-1] < limit // 3:
        return cut_at_word(text, limit)
    return text[: ends[-1]] + " …"


def _ascii_host(host: str) -> str:
    """As in the DNS. Python's own codec is of IDNA 2003: it would turn straße.de into strasse.de, another's site.

    Raises:
        UnicodeError: if it is no host name.
    """
    # of what is ASCII the codec checks only lengths; IDNA 2008 would refuse the underscore of a host that is there
    return (host.encode("idna") if host.isascii() else idna.encode(host, uts46=True)).decode("ascii")


@lru_cache(maxsize=8192)
def http_link(url: str) -> str:
    """The address in ASCII if it is a plausible http(s) one, else an empty string.

    User info (`https://arxiv.org@evil.example`), backslashes and white space are refused: they disguise the host.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        host = _ascii_host(parts.hostname or "")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:  # also UnicodeError: bad port, bracket or host name
        return ""
    if parts.scheme not in {"http", "https"} or not re.fullmatch(r"[\w.-]*\w|[0-9a-f:]*:[0-9a-f:.]*", host):
        return ""
    if "@" in parts.netloc or "\\" in url or url != tidy(url) or " " in url:
        return ""
    netloc = f"[{host}]{port}" if ":" in host else host + port
    # what is percent-encoded stays; all else that is not URL syntax becomes so
    rest = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", url.partition("://")[2].removeprefix(parts.netloc))
    rest = quote(rest, safe="!#$%&'()*+,/:;=?@~")
    link = f"{parts.scheme}://{netloc}{rest}"
    return link if len(link) <= _LONGEST_LINK else ""
