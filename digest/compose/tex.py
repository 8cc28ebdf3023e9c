r"""TeX as it stands in titles, names and abstracts → Unicode. A text goes in, a text comes out; nothing is read.

`Andr\'e`, `$\beta$-VAE`, `$O(n\log n)$`, `\textbf{new}`, ``quoted'' become what a reader expects. Whatever is no TeX
(`$5`, `10% of R&D`, `#1`, `~`) stays, and whatever cannot be read safely (an author's own macro, unbalanced braces)
stays as typed: only single commands and `$…$` segments are handed to pylatexenc, and its answer is used only if every
letter and digit that went in came out again.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from functools import lru_cache
from typing import Any

from pylatexenc import latex2text, latexwalker, macrospec

#: longer segments are left as typed: no title holds one, and parsing time stays bounded
_LONGEST_SEGMENT = 400
#: rounds after which a text that still changes is left as typed; each round opens one level of nesting
_MOST_ROUNDS = 4

# pylatexenc logs what it cannot format; we see that in its output and keep the raw text
_LOG = logging.getLogger("pylatexenc")
_LOG.addHandler(logging.NullHandler())
_LOG.propagate = False


def unicode_of(text: str) -> str:
    r"""The text with its TeX replaced by Unicode; reading the result again changes nothing.

    >>> unicode_of(r"$\beta$-VAE by Andr\'e in $O(n^2)$ for $5")
    'β-VAE by André in O(n²) for $5'
    """
    current = text
    for _ in range(_MOST_ROUNDS):
        following = _one_level(current)
        if following == current:
            return current
        current = following
    return text


def _one_level(text: str) -> str:
    if "\\" in text or "$" in text:
        text = _commands_and_math(_DOUBLED.sub(r"\\", text))
    return _typography(_LOOSE_SCRIPT.sub(_script, text))


def _commands_and_math(text: str) -> str:
    parts, end = [], 0
    for match in _MATH.finditer(text):
        parts += [_COMMAND.sub(_command, text[end : match.start()]), _math(match)]
        end = match.end()
    return "".join([*parts, _COMMAND.sub(_command, text[end:])])


def _typography(text: str) -> str:
    if "``" in text and "''" in text:
        text = re.sub(r"``([^`']*)''", "“\\1”", text)
    if "--" in text:
        # between small letters two hyphens are meant as a dash, "effective--often"; else as in Kullback–Leibler, 3–5
        text = re.sub(r"(?<=\w)---(?=\w)|(?<=\s)---(?=\s)|(?<=[a-z])--(?=[a-z])", "—", text)
        text = re.sub(r"(?<=\w)--(?=\w)|(?<=\s)--(?=\s)", "–", text)
    return text


# --- commands between words -------------------------------------------------------------------------------------

_BRACES = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]{0,80}\}){0,80}\}){0,200}\}"
_LETTER = r"(?:\{\s?(?:\\[ij]|[^\W\d_])\s?\}|\\[ij](?![A-Za-z])|[^\W\d_])"
_SPECIAL = r"\\(?:ss|ae|AE|oe|OE|aa|AA|[lLoOij])(?![A-Za-z])(?:\{\}|\s)?"
_ACCENT = rf"\\[`'^\"~=.]\s?{_LETTER}|\\[uvHckr](?:\s+[^\W\d_]|\{{\s?(?:\\[ij]|[^\W\d_])\s?\}})|{_SPECIAL}"
_COMMAND = re.compile(
    rf"\{{(?P<braced>{_ACCENT})\}}|(?P<bare>{_ACCENT})"
    r"|\\(?P<escaped>[%&#$_{}~])|(?P<space>\\\\|\\(?=\s)|\\[,;:!]|~(?=\\))"
    rf"|\{{\\[A-Za-z]+[^{{}}]{{0,200}}\}}|\\[A-Za-z]+(?:{_BRACES}){{0,3}}"
)
#: some feeds double the backslash of an accent: `P\\'erez`
_DOUBLED = re.compile(r"\\\\(?=['`^\"~]\{?[^\W\d_])")


def _command(match: re.Match[str]) -> str:
    if match["escaped"]:
        return match["escaped"]
    if match["space"]:
        return " "
    if accent := match["braced"] or match["bare"]:
        letter = (_converted(accent) or "").strip()
        # `\"d` is a quotation mark that some program escaped, not a letter: real ones exist precomposed
        return letter if len(letter) == 1 else match[0]
    # a font command without its braces waits for the next round, when the math that splits them has been read
    converted = None if _FONTS.fullmatch(match[0]) else _converted(match[0])
    return match[0] if converted is None else converted


# --- mathematics ------------------------------------------------------------------------------------------------

# Pandoc's rule for dollars: no space just inside them. It keeps "$5 to $10" apart; `_is_math` knows the other prices.
_MATH = re.compile(
    rf"(?<![\\$])\$\$?(?P<dollar>[^\s$](?:[^$]{{0,{_LONGEST_SEGMENT}}}[^\s$\\])?)\$\$?(?!\$)"
    rf"|\\\((?P<paren>[^$]{{1,{_LONGEST_SEGMENT}}}?)\\\)"
)


def _math(match: re.Match[str]) -> str:
    content = (match["dollar"] or match["paren"]).strip()
    converted = _converted(content, math=True) if match["paren"] or _is_math(content, match) else None
    return match[0] if converted is None else converted


def _is_math(content: str, match: re.Match[str]) -> bool:
    """Is it mathematics, not the text between two prices?"""
    before, after = match.string[: match.start()][-1:], match.string[match.end() :][:1]
    if content[0].isdigit() and (after.isdigit() or before.isalpha()):  # $5-$10, US$5 or A$
        return False
    if re.search(r"[\\^_{]", content):
        return True
    if re.search(r"\s", content):
        return bool(re.search(r"[=<>+*/|≤≥∈→×-]", content)) and not re.search(r"[^\W\d_]{3}", content)
    return not after.isdigit()


_SUPER = dict(
    zip(
        "0123456789+-−=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVW∘⊤′'*†",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂ°ᵀ′′*†",
        strict=True,
    )
)
_SUB = dict(zip("0123456789+-−=()aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ", strict=True))
_SHORT_SCRIPT = re.compile(r"([\^_])\s?(\\[A-Za-z]+(?!\s*\{)|[^\s{}\\$])")
_BRACED_SCRIPT = re.compile(r"([\^_])\s?\{([^{}]*)\}")
#: outside of `$…$` scripts count only in braces: `10^{-3}`, not `S^2FT` or `file_name`
_LOOSE_SCRIPT = re.compile(r"(?<=[\w)\]])([\^_])\{([^{}\\$]{1,20})\}")


def _script(match: re.Match[str]) -> str:
    """`^2` as ²; as typed but without braces if one character has no such form: `e^(-βE)`, `d_model`."""
    content = match[2].strip()
    if "\\" in content:
        content = _converted(content, math=True) or content
    table = _SUPER if match[1] == "^" else _SUB
    if content and all(character in table for character in content):
        return "".join(table[character] for character in content)
    if "\\" in content or not content:
        return match[0]
    return match[1] + (content if content.isalnum() else f"({content})")


def _scripts(source: str) -> str:
    """All scripts of a segment, innermost first; braces of arguments stay."""
    source = _SHORT_SCRIPT.sub(_script, source)
    for _ in range(3):
        source = _BRACED_SCRIPT.sub(_script, source)
    return source


_OPERATOR = re.compile(r"(\s*)([=<>≤≥≈≡∈∉⊂⊆→←↦×⋅∼≪≫±∪∩])(\s*)")


def _even(match: re.Match[str]) -> str:
    """An operator with a space on one side only gets one on both, or none at the edge of the segment."""
    before, operator, after = match.groups()
    if match.start() == 0 or match.end() == len(match.string) or not (before or after):
        return operator
    return f" {operator} "


# --- pylatexenc, kept on a short lead ---------------------------------------------------------------------------

# Commands that only choose a font or a size: what they act on is text. `\mathbb` is not here: ℝ is worth having.
_FONTS = re.compile(
    r"\\(?:text(?:bf|it|tt|sc|sf|rm|md|up|normal|sl)?|math(?:bf|rm|it|sf|tt|cal|scr|frak|bin|rel|op|ord)|emph|mbox|hbox"
    r"|operatorname\*?|boldsymbol|bm|pmb|underline|ensuremath|bfseries|itshape|scshape|ttfamily|em|bf|it|tt|sc|sf|rm|sl"
    r"|left|right|[bB]igg?[lr]?|middle|displaystyle|textstyle|limits|nolimits|xspace)(?![A-Za-z])\s*"
)
_FRACTIONS = re.compile(r"\\[dtc]frac(?![A-Za-z])")
#: functions are set apart from letters beside them: `n\log n` is "n log n", `\log(n)` is "log(n)"
_FUNCTIONS = re.compile(
    r"((?<=[\w)\]}])\s*)?\\(log|ln|exp|min|max|sin|cos|tan|arg|det|dim|gcd|inf|sup|lim|Pr)(?![A-Za-z])(\s*(?=[\w\\]))?"
)
_NAMES = {
    # abbreviations that the style files of computer vision define
    "ie": "i.e.",
    "eg": "e.g.",
    "etal": "et al.",
    "wrt": "w.r.t.",
    **{name: name for name in ("argmax", "argmin", "LaTeX", "TeX", "mod", "bmod", "Re", "Im")},
    **dict(zip(("|", "colon", "iff", "implies", "land", "lor", "neg", "coloneqq"), "‖:⇔⇒∧∨¬≔", strict=True)),
    **dict(zip(("models", "ddagger", "checkmark", "S", "copyright", "triangle"), "⊨‡✓§©△", strict=True)),
}
#: they read the clock or files, keep state, or stand for something that is not there
_REFUSED = ("today", "title", "author", "date", "maketitle", "input", "include", "item", "footnote", "url", "href")


class _UnreadableError(Exception):
    """A command whose meaning is not known."""


def _refuse(node: Any) -> str:
    raise _UnreadableError(node)


def _quotient(node: Any, l2tobj: Any) -> str:
    return "/".join(_term(l2tobj.node_arg_to_text(node, place)) for place in (0, 1))


def _root(node: Any, l2tobj: Any) -> str:
    return "√" + _term(l2tobj.node_arg_to_text(node, 1))


def _term(text: str) -> str:
    return text if re.fullmatch(r"\w+|\(.*\)", text) else f"({text})"


def _apart(match: re.Match[str]) -> str:
    return f"{' ' * (match[1] is not None)}{match[2]}{' ' * (match[3] is not None)}"


def _text_context() -> macrospec.LatexContextDb:
    macro = latex2text.MacroTextSpec
    context = latex2text.get_default_latex_context_db().filter_context(
        exclude_categories=["latex-placeholders", "latex-ethuebung", "nonstandard-qit"]
    )
    macros = [macro(name, simplify_repl=text) for name, text in _NAMES.items()]
    macros += [macro(name, simplify_repl=_refuse) for name in _REFUSED]
    macros += [macro("frac", simplify_repl=_quotient), macro("sqrt", simplify_repl=_root)]
    context.add_context_category("digest", macros=macros, prepend=True)
    context.set_unknown_macro_spec(macro("", simplify_repl=_refuse))
    context.set_unknown_environment_spec(latex2text.EnvironmentTextSpec("", simplify_repl=_refuse))
    return context


_READER = latexwalker.get_default_latex_context_db()
_WRITER = latex2text.LatexNodes2Text(latex_context=_text_context())


@lru_cache(maxsize=4096)
def _converted(source: str, *, math: bool = False) -> str | None:
    """One command or segment in Unicode; None if it must stay as typed."""
    prepared = _FONTS.sub("", _FRACTIONS.sub(r"\\frac", source))
    if math:
        prepared = _scripts(_FUNCTIONS.sub(_apart, prepared))
    prepared = re.sub(r"(?<!\\)[%#&~$]", r"\\\g<0>", prepared)
    try:
        walker = latexwalker.LatexWalker(prepared, latex_context=_READER, tolerant_parsing=False)
        result = _WRITER.nodelist_to_text(walker.get_latex_nodes()[0])
    except (_UnreadableError, latexwalker.LatexWalkerError, LookupError, ValueError, TypeError, RecursionError):
        return None
    result = unicodedata.normalize("NFC", " ".join(result.split()) if math else result)
    if "%s" in result or "%(" in result or not _kept(source, result):
        return None
    return _OPERATOR.sub(_even, result) if math else result


def _kept(source: str, result: str) -> bool:
    """Did every letter and digit outside of command names arrive, in order? Also as ², é or ℝ."""
    remaining = iter(_alphanumerics(result))
    return all(character in remaining for character in _alphanumerics(re.sub(r"\\[A-Za-z]+", " ", source)))


def _alphanumerics(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text)))
