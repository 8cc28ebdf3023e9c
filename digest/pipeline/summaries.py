"""A sentence or two for each pick, where the configuration wants that instead of abstracts.

The source's own AI summary comes first, then what the configured language model wrote, then the paper's own sentences;
for readers of another language than English, what the model wrote in theirs comes before all. The model is asked at
most once about a text in a language, within the limits of the day and of the run; whatever happens to it, the digest
goes out, with the paper's own sentences.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING

import structlog

from digest.curate.prompt import ANSWER_TOKENS, is_english, messages, usable
from digest.curate.summary import extract
from digest.errors import DigestError
from digest.once import Once
from digest.state.codec import to_text
from digest.state.summaries import StoredSummary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from digest.collect.llm import Asked
    from digest.config import Settings
    from digest.config.llm import LlmSection
    from digest.model import Digest, Paper, Pick
    from digest.state.store import State

_log = structlog.get_logger(__name__)

#: picks kept in memory, which many readers share
_PICKS = 16_000


class Summaries:
    """The summaries of one run; each paper is summarised once in a language, for all its readers.

    Args:
        settings: what stands below titles, and which model may be asked.
        state: what the model wrote before, and how much it was asked today.
        now: the moment of the run, aware; its UTC day is the one that is counted.
        ask: False: no model is asked, what it wrote before is used.
    """

    def __init__(self, settings: Settings, state: State, *, now: datetime, ask: bool = True) -> None:
        kind, llm = settings.digest.summaries, settings.llm
        self._wanted = kind != "abstract"
        self._model = _Model(llm, state, now=now, may_ask=ask) if llm and kind == "llm" else None
        #: by key and language: the text and who wrote it
        self._known: dict[tuple[str, str], tuple[str, str]] = {}
        #: by language, what puts them into picks
        self._put_into: dict[str, Once[Pick, Pick]] = {}

    def put_into(self, digests: Iterable[Digest]) -> tuple[Digest, ...]:
        """The digests with a summary in each pick that can have one; as they are if abstracts are wanted.

        Models are asked in the language of most of these readers first, in each about what most of its readers get.
        """
        digests = tuple(digests)
        if not self._wanted:
            return digests
        picked: dict[str, list[Paper]] = {}
        readers = Counter[str]()
        for one in digests:
            language = self._language(one)
            picked.setdefault(language, []).extend(pick.paper for pick in one.picks)
            readers[language] += bool(one.picks)
        for language, _ in readers.most_common():
            self._summarise(picked[language], language)
        return tuple([self._summarised(one) for one in digests])

    def _language(self, digest: Digest) -> str:
        """In which its summaries are to be; only models can write in more than one."""
        return self._model.language(digest.subscriber.language) if self._model else ""

    def _summarise(self, picked: Sequence[Paper], language: str) -> None:
        papers = {paper.key: paper for paper in picked if (paper.key, language) not in self._known}
        written: Mapping[str, str] = {}
        if self._model:
            picks = Counter(paper.key for paper in picked)
            # sources write theirs in English
            needy = [one for one in papers.values() if one.abstract and not (one.ai_summary and is_english(language))]
            # what most readers get comes first
            needy.sort(key=lambda paper: -picks[paper.key])
            written = self._model.written(needy, language)
        for key, paper in papers.items():
            text = written.get(key)
            self._known[key, language] = (text, self._model.name) if text and self._model else _summary(paper)

    def _summarised(self, digest: Digest) -> Digest:
        language = self._language(digest)
        if language not in self._put_into:
            self._put_into[language] = Once(partial(self._with_summary, language), most=_PICKS)
        return replace(digest, picks=tuple(map(self._put_into[language], digest.picks)))

    def _with_summary(self, language: str, pick: Pick) -> Pick:
        text, by = self._known[pick.paper.key, language]
        return replace(pick, summary=text, summary_by=by) if text else pick


class _Model:
    """The language model in one run. Once it is in trouble or at a limit, it is left alone."""

    def __init__(self, llm: LlmSection, state: State, *, now: datetime, may_ask: bool) -> None:
        self._llm, self._state, self._now = llm, state, now
        self._may_ask = may_ask
        #: seconds that may still be spent on asking
        self._left_s = llm.deadline
        self.name = llm.model

    def language(self, reader: str) -> str:
        """In which it writes for readers of a language: in theirs, unless one is set for all."""
        return self._llm.language or reader

    def written(self, papers: Sequence[Paper], language: str) -> dict[str, str]:
        """What it wrote, or writes now, of the papers, by key; what was of no use is empty or not there."""
        llm = self._llm
        questions = {one.key: messages(one.title, one.abstract, language=language) for one in papers}
        hashes = {key: sha256(to_text(question).encode()).hexdigest() for key, question in questions.items()}
        found = self._state.summaries.get(hashes, language=language, model=llm.model)
        new = {one.key: one for one in papers if one.key not in found}
        if new and self._may_ask:
            for key, answer in self._answers({key: questions[key] for key in new}).items():
                text = usable(answer, new[key].title, new[key].abstract, language=language)
                found[key] = StoredSummary(key, hashes[key], language, llm.model, text, self._now)
            self._state.summaries.put(found[key] for key in new if key in found)
        return {key: one.text for key, one in found.items()}

    def _answers(self, questions: Mapping[str, list[dict[str, str]]]) -> Mapping[str, str]:
        """The answers that there are within the limits, by key."""
        llm, today = self._llm, self._now.date()
        spent = self._state.summaries.spent(today, llm.model)
        calls, tokens = llm.calls_per_day - spent.calls, llm.tokens_per_day - spent.tokens
        if calls <= 0 or tokens <= 0:
            self._stop(f"{llm.model} was asked as much as it may be on one day")
            return {}
        asked = self._ask(dict(islice(questions.items(), calls)), tokens)
        self._state.summaries.spend(today, llm.model, calls=asked.calls, tokens=asked.tokens)
        self._left_s -= asked.seconds
        if asked.trouble or self._left_s <= 0:
            self._stop(asked.trouble or f"{llm.model} was asked for {llm.deadline:g} seconds, which is the limit")
        return asked.answers

    def _ask(self, questions: dict[str, list[dict[str, str]]], tokens: int) -> Asked:
        """In a thread of its own, for there may be an event loop in this one."""
        asking = partial(_ask, self._llm, questions, tokens=tokens, deadline_s=self._left_s)
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asking).result()

    def _stop(self, reason: str) -> None:
        self._may_ask = False
        _log.warning("papers show sentences of their abstracts", reason=reason)


def try_out(llm: LlmSection) -> float:
    """Ask the model about a paper that does not exist; returns how many seconds it took.

    Raises:
        DigestError: it does not answer, or not with a summary.
    """
    title, abstract = "Counting Bees by Ear", "We count bees by ear. Our small counter hears more bees than people see."
    language = llm.language or "en"
    question = messages(title, abstract, language=language)
    asked = _ask(llm, {"sample": question}, tokens=llm.tokens_per_day, deadline_s=llm.timeout)
    if asked.trouble:
        raise DigestError(asked.trouble, hint="correct [llm]; until it answers, abstracts speak for themselves")
    if not usable(asked.answers["sample"], title, abstract, language=language):
        raise DigestError(f"the answer of {llm.model} is no summary of the sample", hint="name another model in [llm]")
    return asked.seconds


def _ask(llm: LlmSection, questions: Mapping[str, list[dict[str, str]]], *, tokens: int, deadline_s: float) -> Asked:
    from digest.collect.llm import Machine, ask

    key, proxy = (secret.get_secret_value() if secret else "" for secret in (llm.api_key, llm.proxy))
    machine = Machine(llm.base_url, llm.model, key, proxy, timeout_s=llm.timeout, connections=llm.connections)
    return ask(machine, questions, answer_tokens=ANSWER_TOKENS, most_tokens=tokens, deadline_s=deadline_s)


def _summary(paper: Paper) -> tuple[str, str]:
    """Without a model: the source's own, if it has one, which is shown as a machine's; else the paper's sentences."""
    return (paper.ai_summary, "AI") if paper.ai_summary else (extract(paper.title, paper.abstract), "extract")
