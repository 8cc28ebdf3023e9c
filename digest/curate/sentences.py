"""A text in sentences, as papers write them: with “e.g.”, “et al.”, “Fig. 3” and formulas. Pure."""

from __future__ import annotations

import re

#: what may end a sentence, with what closes it, and white space behind it; East Asian scripts need none
_END = re.compile(r"[.!?]+[\"”’')\]}]*(?=\s|$)|[。！？]+[」』”’）]*")
#: the word before it, as far as it may be an abbreviation; the B of 13B is none
_LAST_WORD = re.compile(r"(?<![A-Za-z0-9])[A-Za-z][A-Za-z.]*$")
#: after these a full stop ends nothing, whatever follows
_ABBREVIATIONS = frozenset(
    {
        *("al", "approx", "cf", "ch", "chap", "col", "def", "dept", "dr", "ed", "eds", "eq", "eqs", "est", "et", "etc"),
        *("ex", "fig", "figs", "jr", "lem", "mr", "mrs", "ms", "no", "nos", "nr", "op", "pp", "proc", "prof", "prop"),
        *("ref", "refs", "resp", "sec", "secs", "sect", "st", "suppl", "tab", "thm", "viz", "vol", "vs", "wrt"),
    }
)
#: of a text's end, characters looked at for an abbreviation
_LOOK_BACK = 12


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text, stripped; together, with a space between them, they are the text as one line.

    Nothing within a TeX formula (`$…$`) ends one, nor does a single letter with a full stop (“J. Doe”).

    >>> sentences("We follow Doe et al. (2020), cf. Fig. 3. It gains 2.5%! Done")
    ('We follow Doe et al. (2020), cf. Fig. 3.', 'It gains 2.5%!', 'Done')
    """
    text = " ".join(text.split())
    # an odd number of dollars are prices, or the text is cut
    dollars = [match.start() for match in re.finditer(r"(?<!\\)\$", text)]
    formulas = list(zip(dollars[::2], dollars[1::2], strict=True)) if len(dollars) % 2 == 0 else []
    found, start, formula = [], 0, 0
    for end in _END.finditer(text):
        while formula < len(formulas) and formulas[formula][1] < end.start():
            formula += 1
        within = formula < len(formulas) and formulas[formula][0] < end.start()
        if not within and not _goes_on(text, end):
            found.append(text[start : end.end()].strip())
            start = end.end()
    return (*found, rest) if (rest := text[start:].strip()) else tuple(found)


def _goes_on(text: str, end: re.Match[str]) -> bool:
    """True if this is an abbreviation, or what follows begins in lower case."""
    if end[0] != "." or end.end() == len(text):
        return False
    word = _LAST_WORD.search(text[max(end.start() - _LOOK_BACK, 0) : end.start()])
    if word and (len(word[0]) == 1 or "." in word[0] or word[0].lower() in _ABBREVIATIONS):
        return True
    return text[end.end() + 1 : end.end() + 2].islower()
