"""The twelve mails that outside judges look at, composed as they would be sent. All papers are invented."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle, islice
from typing import TYPE_CHECKING

from digest.compose.message import compose, compose_invitation
from digest.compose.render import Renderer
from tests.compose.cases import ASKED_AT, CASES, INVITED, LETTERHEAD, READER, WAY, Case, usual
from tests.makers import digest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from digest.model import Digest, Mail


def long_digest(papers: int) -> Digest:
    """So many papers, of all the kinds that there are; the longest have abstracts of 700 characters."""
    picks = (
        replace(pick, paper=replace(pick.paper, key=f"arxiv:2609.{number:05d}"))
        for number, pick in enumerate(islice(cycle(usual()), papers), start=1)
    )
    # as the ranking hands them over: first what keywords found
    return digest(*sorted(picks, key=lambda pick: pick.part), subscriber=READER, considered=1204, matched=papers)


#: the name of each mail → what is in it
LOOKED_AT: Mapping[str, Case] = {
    "1 paper": Case(long_digest(1)),
    # with links for answers
    "10 papers": Case(long_digest(10), CASES["answers"].letterhead),
    "25 papers": Case(long_digest(25)),
    "50 papers": Case(long_digest(50)),
    "cjk": CASES["world"],
    "latex": CASES["latex"],
    "hostile": CASES["hostile"],
    "quiet": CASES["quiet"],
    "weekly": CASES["weekly"],
    "compact": CASES["compact"],
    "pictures": CASES["embedded"],
}
#: the question whether somebody wants mail
CONFIRMATION = "confirmation"


def composed() -> dict[str, Mail]:
    """The name of each mail → the mail."""
    renderer = Renderer()
    mails = {name: compose(case.digest, case.letterhead, renderer) for name, case in LOOKED_AT.items()}
    question = compose_invitation(INVITED[CONFIRMATION], WAY, LETTERHEAD, renderer, at=ASKED_AT)
    return mails | {CONFIRMATION: question}
