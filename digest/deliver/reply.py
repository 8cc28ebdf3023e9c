"""What an SMTP server said, and what it means for one mail. Pure: bytes and codes in, values out.

`Replies` cuts the server's bytes into `Reply` values; `outcome` says whether a reply to one step of one mail means
delivered, deferred, refused or in doubt. The rules are RFC 5321 §4.2 and §4.3.2 (codes), RFC 3463 (enhanced codes),
RFC 4954 §6 (authentication) and RFC 7504 (521).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from digest.strangers import one_line

if TYPE_CHECKING:
    from digest.model import Outcome

#: the step that was answered: `data` is the command and the body, `dot` the final dot after it
Stage = Literal["connect", "tls", "ehlo", "login", "mail", "rcpt", "data", "dot"]

#: RFC 5321 §4.5.3.1.5 allows 512; real servers exceed it a little, none by this much
MAX_LINE = 8192
#: lines of one reply; real EHLO answers have about fifteen
MAX_LINES = 128
#: replies that are remembered of a connection
_KNOWN = 16

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
_GREYLISTED = re.compile(r"gr[ae]y-?list", re.IGNORECASE)
_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Reply:
    """One complete reply."""

    #: 200..599
    code: int
    #: one line, cleaned, as `strangers.one_line` gives it; begins with the enhanced code if there is one
    text: str

    @property
    def enhanced(self) -> str:
        """The enhanced status code (RFC 2034), `5.1.1`; empty without one."""
        found = _ENHANCED.match(self.text)
        return found.group() if found else ""


class Replies:
    """Cuts a stream of bytes into replies (RFC 5321 §4.2.1), however the network has split it."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[bytes] = []
        #: the first replies of one line
        self._known: dict[bytes, Reply] = {}

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that `data` completes, in order.

        Raises:
            ValueError: the bytes are no SMTP reply, or go on beyond all reason; nothing after them can be trusted.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MAX_LINE:
            raise ValueError("the answer has a line without end")
        return [reply for line in lines if (reply := self._add(line.rstrip(b"\r"))) is not None]

    def _add(self, line: bytes) -> Reply | None:
        if not self._lines and (known := self._known.get(line)) is not None:
            return known  # three of the four answers to a mail are always the same
        found = _LINE.fullmatch(line)
        if found is None or len(line) > MAX_LINE or len(self._lines) >= MAX_LINES:
            raise ValueError(f"the answer is not SMTP: {one_line(line.decode('utf-8', 'replace'), limit=60)}")
        code, mark, text = found.groups(default=b"")
        self._lines.append(text)
        if mark == b"-":
            return None
        alone = len(self._lines) == 1
        words = one_line(b" ".join(self._lines).decode("utf-8", "replace"))
        self._lines = []
        reply = Reply(int(code), words)
        if alone and len(self._known) < _KNOWN:
            self._known[line] = reply
        return reply


#: stages × `code enhanced` → outcome; the first row that matches decides. *Refused* is held against the reader, so it
#: is for what concerns this reader or this text; what the operator can mend is *deferred*, even if the code is 5xx
_RULES: tuple[tuple[str, str, Outcome], ...] = (
    # §4.2.1: not now, the same mail may be taken later; 421 closes the connection and means the same for the mail
    (".*", r"4", "deferred"),
    # no reader has been named yet: the server objects to our address, our login, our sender, or the size of our mail
    ("connect|tls|ehlo|login|mail", r"5", "deferred"),
    # RFC 4954 §6: we must log in first, or better (530, 534, 535, 538)
    (".*", r"53[0458] ", "deferred"),
    # RFC 7504 §3: the host takes no mail at all
    (".*", r"521 ", "deferred"),
    # §4.2.4: a command not known or out of order is a fault of the conversation
    (".*", r"50[0234] ", "deferred"),
    # RFC 3463 §3.2: our sender address; Postfix says so only after RCPT (smtpd_delay_reject)
    (".*", r"5\d\d 5\.1\.[78]$", "deferred"),
    # RFC 3463 §3.8: policy (relaying denied, address on a blocklist, SPF, DKIM) is about us, not about the reader
    (".*", r"5\d\d 5\.7\.", "deferred"),
    # RFC 3463 §3.4: trouble of the mail system as a whole, such as a mail too big for it (5.3.4)
    (".*", r"5\d\d 5\.3\.", "deferred"),
    # RFC 3463 §3.2, §3.3: no such address, mailbox closed or full; with any basic code
    (".*", r"5\d\d 5\.[12]\.", "refused"),
    # §4.3.2 knows no 554 to RCPT: without an address code it is "no service for you", not "no such reader"
    ("rcpt", r"554 ", "deferred"),
    # §4.2.1: permanent, for this reader or this mail
    (".*", r"5", "refused"),
    # 1xx, 3xx: we no longer know what the server is answering to, and after the dot not whether it took the mail
    ("dot", r"", "in_doubt"),
    (".*", r"", "deferred"),
)
_COMPILED = tuple((re.compile(stages), re.compile(reply), result) for stages, reply, result in _RULES)


def outcome(stage: Stage, code: int | None, enhanced: str = "") -> Outcome:
    """What the answer to one step means for the mail.

    Args:
        stage: the step that was answered.
        code: the reply code; None: no answer (connection lost, time is up). Without an answer the mail is in doubt
            once the final dot is out, and certainly not taken before.
        enhanced: enhanced status code, empty without one.

    >>> outcome("rcpt", 550, "5.1.1"), outcome("mail", 550, "5.7.1"), outcome("dot", None)
    ('refused', 'deferred', 'in_doubt')
    """
    if code is None:
        return "in_doubt" if stage == "dot" else "deferred"
    if stage == "dot" and code // 100 == 2:
        return "delivered"  # §4.2.5: the server has taken responsibility
    answer = f"{code} {enhanced}"
    return next(result for stages, reply, result in _COMPILED if stages.fullmatch(stage) and reply.match(answer))


@dataclass(frozen=True, slots=True)
class Answer:
    """How one attempt to hand over a mail ended."""

    outcome: Outcome
    #: reply code of the server; None without one
    code: int | None
    #: one line
    text: str
    #: the last step done; None: the mail was not offered to the server
    stage: Stage | None = None
    #: whether any of the message itself went out
    begun: bool = False
    #: see `Receipt.slow_down`
    slow_down: bool = False

    @property
    def sent_away(self) -> bool:
        """True if the server said nothing about the mail: no answer, 421, or a reply out of step."""
        if self.stage is None or self.outcome == "delivered":
            return False
        return self.code is None or self.code == 421 or self.code < 400


def slow_down(stage: Stage, reply: Reply) -> bool:
    """Whether the recipient's domain wants less mail for now: it named a recipient and said 421 or 4.7.x (RFC 3463).

    Not a relay that shuts down or is short of something (4.3.x), which says nothing about a domain, and not greylisting
    (RFC 6647), which asks each recipient to be tried once more and would make the domain look ever more reluctant.

    >>> slow_down("rcpt", Reply(451, "4.7.500 server busy")), slow_down("dot", Reply(421, "4.3.2 shutting down"))
    (True, False)
    """
    if stage not in {"rcpt", "dot"} or reply.code // 100 != 4 or _GREYLISTED.search(reply.text):
        return False
    return reply.enhanced.startswith("4.7.") or (reply.code == 421 and not reply.enhanced.startswith("4.3."))
