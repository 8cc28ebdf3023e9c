"""A mail as this installation would send it, and the domain that it is sent from → what is wrong with them."""

from __future__ import annotations

from dataclasses import replace
from email.utils import parseaddr
from typing import TYPE_CHECKING

from digest.compose.lint import lint
from digest.compose.message import compose
from digest.compose.mime import mailbox
from digest.compose.sample import digests
from digest.errors import DigestError, TemplateError
from digest.model import Finding
from digest.pipeline.letterhead import letterhead, open_renderer
from digest.pipeline.plan import preview
from digest.pipeline.sign import open_signer, signed

if TYPE_CHECKING:
    from datetime import datetime

    from digest.config import Settings
    from digest.deliver.sender_dns import AskTxt
    from digest.model import Digest, Subscriber
    from digest.state.store import State


def chosen(settings: Settings, state: State, reader: Subscriber | None, *, now: datetime) -> tuple[Digest, bool]:
    """What a reader would get now, and whether it is the sample instead: for nobody, or where there is nothing new."""
    if reader is not None and (digest := preview(settings, state, reader, now=now)).picks:
        return digest, False
    sample = digests()[0]
    named = sample.subscriber if reader is None else replace(reader, token=reader.token or sample.subscriber.token)
    return replace(sample, subscriber=named), True


def lint_mail(settings: Settings, state: State, digest: Digest) -> tuple[Finding, ...]:
    """What is wrong with the templates, and with the mail that they make of a digest, signed as it would be.

    Raises:
        DigestError: it cannot be signed.
    """
    renderer, head, signer = open_renderer(settings), letterhead(settings, state), open_signer(settings)
    try:
        renderer.check()
        mail = compose(digest, head, renderer)
    except TemplateError as error:
        return (Finding("templates", "wrong", error.message, error.hint),)
    except DigestError as error:
        return (Finding("mail", "wrong", error.message, error.hint),)
    whose = settings.mail.templates or "those of the package"
    data = signed(mail, signer, at=digest.planned_at).data
    titles = [pick.paper.title for pick in digest.picks]
    return (Finding("templates", "good", f"{whose}, every block tried"), *lint(data, titles))


def lint_sender(settings: Settings, ask: AskTxt) -> tuple[Finding, ...]:
    """What the DNS says of the domains that mail is sent from.

    Raises:
        DigestError: the key that signs cannot be used.
    """
    from digest.deliver.sender_dns import Sender, look_up

    signer = open_signer(settings)
    sender = Sender(
        _domain(parseaddr(settings.mail.from_)[1]),
        _domain(settings.envelope_from),
        dkim_name=signer.dns_name if signer else "",
        dkim_value=signer.dns_value if signer else "",
        dkim_domain=settings.dkim.domain if signer and settings.dkim else "",
    )
    return look_up(sender, ask)


def _domain(address: str) -> str:
    return mailbox(address).rpartition("@")[2].lower().rstrip(".")
