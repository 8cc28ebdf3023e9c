"""Is a mail small enough, does it have both bodies, and do they tell the same papers?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.compose.message import SIZE_LIMIT
from digest.compose.text import plain
from digest.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from digest.compose.lint.opened import Opened

#: letters and digits that tell a title from others; mails that would be too long shorten titles to 120 characters
_TELLING = 60


def size(mail: Opened) -> Iterator[Finding]:
    """Whether mail programs show the whole mail."""
    if mail.size >= SIZE_LIMIT:
        sentence = f"{mail.size:,} bytes, and Gmail hides the end of mails over {SIZE_LIMIT:,}"
        yield Finding("size", "wrong", sentence, "make the templates smaller, or max_papers")


def parts(mail: Opened) -> Iterator[Finding]:
    """Whether there are both bodies, the plainest first (RFC 2046 §5.1.4)."""
    for name, body in (("plain text", mail.text), ("HTML", mail.page)):
        if not body.strip():
            cure = f"let mail/digest.{'txt' if name == 'plain text' else 'html'} of your templates say something"
            yield Finding("parts", "wrong", f"there is no part in {name}, or nothing in it", cure)
    kinds = [part.get_content_type() for part in mail.parts]
    if "text/html" in kinds and "text/plain" in kinds[kinds.index("text/html") :]:
        sentence = "the HTML part stands before the one in plain text, so the plain one is shown (RFC 2046 §5.1.4)"
        yield Finding("parts", "wrong", sentence, "let plain text come first")
    if mail.page.strip() and "lang=" not in mail.page:
        yield Finding("parts", "advice", "the HTML part names no language for screen readers", '<html lang="en">')


def papers(mail: Opened, titles: Sequence[str]) -> Iterator[Finding]:
    """Whether both bodies tell the same papers, in the same order.

    Args:
        mail: with both bodies; nothing is found in one without.
        titles: of the papers chosen, as they came; those at the end may be in neither body.
    """
    if mail.tree is None or not mail.text.strip():
        return
    told = {"plain text": _letters(mail.text), "HTML": _letters(mail.tree.text_content())}
    known = {letters: plain(title) for title in titles if (letters := _letters(plain(title))[:_TELLING])}
    found = {name: [letters for letters in known if letters in body] for name, body in told.items()}
    for name, other in (("plain text", "HTML"), ("HTML", "plain text")):
        for letters in [missing for missing in found[other] if missing not in found[name]]:
            yield _unequal(f"only the {other} part has the paper {known[letters][:80]!r}")
    if known and not any(found.values()):
        yield _unequal("neither part names any of the papers")
        return
    both = [letters for letters in found["HTML"] if letters in found["plain text"]]
    # where they stand last: what leads may also be named at the top, and stands there in the HTML part only
    orders = [sorted(both, key=body.rindex) for body in told.values()]
    if orders[0] != orders[1]:
        yield _unequal("the papers stand in another order in plain text than in HTML")


def _letters(text: str) -> str:
    """What is left of a text however it is wrapped, numbered, or broken for narrow screens."""
    return "".join(character for character in text.casefold() if character.isalnum())


def _unequal(sentence: str) -> Finding:
    return Finding("papers", "wrong", sentence, "let mail/digest.txt and mail/digest.html show the same parts")
