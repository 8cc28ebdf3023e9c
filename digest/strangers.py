"""What others say, such as a server or a returned mail, as it may be shown: on one line that steers no terminal."""

from __future__ import annotations

#: most characters of a sentence that is not ours
MAX_TEXT = 300


def one_line(text: str, limit: int = MAX_TEXT) -> str:
    """A stranger's text as one line of at most `limit` characters without control or bidirectional characters."""
    printable = text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
    line = " ".join(printable.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
