"""Authors that a feed puts into one string: the string goes in, display names come out. Pure."""

from __future__ import annotations

import re

#: `Kukla, D.,` or `Plaumann, P.-L.,`: a family name, then initials
_INITIALS = re.compile(r",\s+(?:\w\.[-\s]?)+(?:,|$)")
_AFFILIATION = re.compile(r"\([^()]*\)")
#: parentheses within parentheses that are looked into; each level costs a pass over the whole text
_MAX_NESTING = 10
_LIST = re.compile(r"\s*(?:[,;]|\s(?:and|&)\s)\s*")


def split_commas(text: str) -> tuple[str, ...]:
    """Names joined by commas, as arXiv's feeds do; affiliations in parentheses are dropped.

    >>> split_commas("Ada Lovelace (Analytical Engines (London), UK), Emmy Noether")
    ('Ada Lovelace', 'Emmy Noether')
    """
    for _ in range(_MAX_NESTING):
        text = _AFFILIATION.sub("", text)
    return tuple(name for part in text.split(",") if (name := " ".join(part.split())))


def split_byline(text: str) -> tuple[str, ...]:
    """Names in one of the ways journals and blogs write them.

    >>> split_byline("Kukla, D., O'Connell, R. J., Plaumann, P.-L.")
    ('D. Kukla', "R. J. O'Connell", 'P.-L. Plaumann')
    >>> split_byline("Ada Lovelace, Emmy Noether and Mary Somerville")
    ('Ada Lovelace', 'Emmy Noether', 'Mary Somerville')
    >>> split_byline("Noether, Emmy; Lovelace, Ada")
    ('Emmy Noether', 'Ada Lovelace')
    """
    if ";" in text:
        people = text.split(";")
    elif _INITIALS.search(text):
        people = re.split(r"(?<=\.),\s+", text)
    else:
        people = _people(text)
    return tuple(name for person in people if (name := _first_name_first(person)))


def _people(text: str) -> list[str]:
    """`Noether, Emmy` is one person, `Emmy Noether, Ada Lovelace` are two."""
    parts = _LIST.split(text)
    is_one_person = len(parts) == 2 and "," in text and " " not in parts[0].strip()
    return [text] if is_one_person else parts


def _first_name_first(person: str) -> str:
    family, comma, given = person.strip(" ,").partition(",")
    return " ".join(f"{given} {family}".split()) if comma else family.strip()
