"""An abstract → the sentence or two that say what is new, in the paper's own words. Pure, no model.

Each sentence is scored by what it does (“we propose …”, “our method …”), by the words it shares with the title, and by
its length; the best one is the summary. A second one that tells the outcome (“outperforms”, “by 12 %”) joins it if it
comes later and there is room. Position, title words and cue phrases are Edmundson's features (New Methods in Automatic
Extracting, J. ACM 16(2), 1969, https://doi.org/10.1145/321510.321519).
"""

from __future__ import annotations

import re
from functools import lru_cache

from digest.curate.sentences import sentences
from digest.curate.words import subject_words

#: characters of a summary at most, but for a single sentence that is longer
LONGEST = 420
#: characters of an abstract that are read
_READ = 4000
#: papers whose summary is kept in memory, the latest used
_REMEMBERED = 4096

_DO = (
    r"(?:propos|introduc|present|develop|describ|design|devis|formulat|releas|construct|contribut|establish|provid|giv"
    r"|creat|build|built|deriv|offer|stud|investigat|examin|explor|analy[sz]|revisit|address|tackl|argu|cast|prov)\w*"
)
_FIND = r"(?:show|find|found|demonstrat|prov|report|achiev|observ|reveal|obtain|confirm|establish|discover)\w*"
_ADVERBS = r"(?:\w+ly\s+|also\s+|first\s+|then\s+|therefore\s+|thus\s+|here\s+)?"
#: how much a sentence that has it speaks for being what is new
_CUES = (
    (4.0, r"\b(?:in|with)\s+this\s+(?:paper|work|article|study|report|letter|survey|note|thesis)\b.{0,40}?\bwe\b"),
    (4.0, rf"\bthis\s+(?:paper|work|article|study|report|letter|survey|review|note)\s+{_ADVERBS}{_DO}"),
    (4.0, r"\b(?:here|to\s+(?:address|bridge|fill|overcome|tackle|solve|this\s+end)\b[^,]{0,80}),?\s+we\b"),
    (3.5, rf"\bwe\s+{_ADVERBS}{_DO}"),
    (3.0, r"^(?:objectives?|aims?|purpose|goals?)\s*:"),
    (2.0, rf"\bwe\s+{_ADVERBS}{_FIND}"),
    (1.5, r"\bour\s+(?:\w+\s+)?(?:method|approach|framework|model|system|key|main|contribution|algorithm|results?)\b"),
    (1.5, r"\b(?:is|are)\s+(?:proposed|introduced|presented|developed|described|studied|investigated)\b"),
    (1.0, r"\b(?:novel|new|first)\b"),
)
_CONTRIBUTION = tuple((weight, re.compile(cue, re.IGNORECASE)) for weight, cue in _CUES)
_OUTCOME = tuple(
    (weight, re.compile(cue, re.IGNORECASE))
    for weight, cue in (
        (2.0, rf"\bwe\s+{_ADVERBS}{_FIND}|\b(?:results?|experiments?|evaluations?|analys[ei]s)\b.{{0,80}}?\b{_FIND}"),
        (2.0, r"\b(?:outperform|surpass|exceed|improv|reduc|increas|achiev|match)\w*"),
        (1.5, r"\d+(?:\.\d+)?\s*(?:\\?%|percent\b|points?\b|times\b|[x×]\B|\$\\times\$)"),
        (0.5, r"\bstate[- ]of[- ]the[- ]art\b"),
    )
)
#: what is no news, or cannot stand alone
_AGAINST = tuple(
    (weight, re.compile(cue, re.IGNORECASE))
    for weight, cue in (
        (5.0, r"https?://|\b(?:code|data|models?|checkpoints?|weights|project page|demo)\b.{0,60}\bavailable\b"),
        (
            3.0,
            r"\bwe\s+(?:\w+\s+)?(?:release|publish|open-?source|make|share)\b.{0,60}\b(?:code|data|models?|scripts?)\b",
        ),
        (2.0, r"^(?:however|but|yet|while|although|despite|unlike|existing|previous|prior|recent(?:ly)?|current)\b"),
        (2.0, r"^(?:context|background|introduction|motivation)\s*:"),
        (1.5, r"^(?:these|those|they|it|such|this|that|its|their|then|second(?:ly)?|third|finally|moreover)\b"),
        (1.5, r"^(?:furthermore|in addition|additionally|also|for (?:example|instance)|as a result|hence)\b"),
    )
)
#: “This paper …” stands alone, whatever begins with “this”
_ALONE = re.compile(r"^this\s+(?:paper|work|article|study|report|letter|survey|review|note)\b", re.IGNORECASE)
#: an opening that points back to what is not shown, or says nothing: “To address this, we …”, “In this paper, we …”
_OPENING = re.compile(
    r"^(?:[^,.;:!?]{1,100}\b(?:this|these|those|such)\b[^,.;:!?]{0,80}"
    r"|here|next|first|further|furthermore|moreover|additionally|in addition|specifically|finally|thus|therefore|hence"
    r"|consequently|accordingly|in response|as a remedy)"
    r"\s*,\s+(?=(?:we|our|this\s+(?:paper|work|article|study|research|report|survey))\s)",
    re.IGNORECASE,
)
#: a sentence of fewer characters says little, of more is hard to read at a glance
_SHORT, _LONG = 50, 280


@lru_cache(maxsize=_REMEMBERED)
def extract(title: str, abstract: str) -> str:
    """One or two sentences of the abstract that tell the contribution; what is left out between them is “…”.

    They are whole but for openings that point back to what is not shown.

    Args:
        title: of the paper; sentences with its words are nearer to the point.
        abstract: as the source gave it, TeX and all.

    Returns:
        at most LONGEST characters, or one longer sentence; empty without an abstract.

    >>> extract("Small Routers", "Routers are large. We propose a small router. It is known. It reduces cost by 40%.")
    'We propose a small router. … It reduces cost by 40%.'
    """
    several = sentences(abstract[:_READ])
    if len(several) < 2:
        return "".join(several)
    wanted = subject_words(title)
    scores = [_score(sentence, wanted) for sentence in several]
    best = max(range(len(several)), key=lambda place: (scores[place], -place))
    room = LONGEST - len(several[best]) - len(" … ")
    outcomes = [
        (sum(weight for weight, cue in _OUTCOME if cue.search(several[place])) + _against(several[place]), -place)
        for place in range(best + 1, len(several))
        if len(several[place]) <= room
    ]
    outcome, place = max(outcomes, default=(0.0, 0))
    if outcome < 2:
        return _opened(several[best])
    return _opened(several[best]) + (" " if -place == best + 1 else " … ") + _opened(several[-place])


def _opened(sentence: str) -> str:
    """The sentence without an opening that points back."""
    rest = sentence[match.end() :] if (match := _OPENING.match(sentence)) else sentence
    return rest[:1].upper() + rest[1:] if match else sentence


def _score(sentence: str, wanted: frozenset[str]) -> float:
    """How much a sentence looks like what is new."""
    cue = max((weight for weight, pattern in _CONTRIBUTION if pattern.search(sentence)), default=0.0)
    shared = len(wanted & subject_words(sentence)) / len(wanted) if wanted else 0.0
    length = len(sentence)
    size = (length < _SHORT) + (length > _LONG) * (length - _LONG) / 100
    return cue + 2 * shared + _against(sentence) - size


def _against(sentence: str) -> float:
    return -sum(
        weight
        for weight, pattern in _AGAINST
        if pattern.search(sentence) and not (weight < 2 and _ALONE.match(sentence))
    )
