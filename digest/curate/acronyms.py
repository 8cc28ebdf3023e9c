"""Texts → what their acronyms stand for, where they say so themselves: “mixture-of-experts (MoE)”. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from digest.curate.words import STOP_WORDS, singular, words

Words = tuple[str, ...]

#: two to ten letters or digits, at least two of them capitals, perhaps a small plural s: “LLMs”
_ACRONYM = re.compile(r"\(((?=[^\s()]{0,9}[A-Z][^\s()]{0,9}[A-Z])[A-Za-z][A-Za-z0-9-]{1,9}?)s?\)")
#: the long form stands in the last so many characters before the parenthesis
_REACH = 160


def acronyms(texts: Iterable[str]) -> Mapping[Words, frozenset[Words]]:
    """Short form → long forms and long form → short forms, all folded and in the singular.

    >>> sorted(acronyms(["We train a Mixture-of-Experts (MoE)."])[("moe",)])
    [('mixture', 'of', 'expert')]
    """
    found: defaultdict[Words, set[Words]] = defaultdict(set)
    for text in texts:
        for acronym in _ACRONYM.finditer(text):
            before = words(text[max(0, acronym.start() - _REACH) : acronym.start()])
            short = tuple(map(singular, words(acronym[1])))
            long = tuple(map(singular, _long_form("".join(short), before)))
            if long:
                found[short].add(long)
                found[long].add(short)
    return {form: frozenset(others) for form, others in found.items()}


def _long_form(letters: str, before: list[str]) -> list[str]:
    """The fewest words at the end whose first letters spell the acronym, with or without the small words."""
    for start in range(len(before) - 1, max(-1, len(before) - 2 * len(letters) - 2), -1):
        form = before[start:]
        initials = "".join(word[0] for word in form)
        weighty = "".join(word[0] for word in form if word not in STOP_WORDS)
        if form[0] not in STOP_WORDS and letters in {initials, weighty}:
            return form
    return []
