"""Signing what goes out, where the configuration says so: a mail goes in, the same mail with a signature comes out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from digest.config import Settings
    from digest.deliver.dkim import Signer
    from digest.model import Mail


def open_signer(settings: Settings) -> Signer | None:
    """Who signs, by the `[dkim]` section; None without it.

    Raises:
        DigestError: the key cannot be used (any more), or the package that signs is missing.
    """
    dkim = settings.dkim
    if dkim is None or dkim.key_file is None:
        return None
    from digest.deliver.dkim import Signer
    from digest.deliver.dkim_key import load_key

    return Signer(dkim.domain, dkim.selector, load_key(dkim.key_file))


def signed(mail: Mail, signer: Signer | None, *, at: datetime) -> Mail:
    """The mail as it leaves; the same `at` (aware) and key give the same bytes, whenever it is sent.

    Raises:
        DigestError: the mail cannot be signed as it is.
    """
    return mail if signer is None else replace(mail, data=signer.sign(mail.data, at=at))
