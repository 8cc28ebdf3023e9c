"""By what name a reader's own files lie in the archive. Pure."""

from __future__ import annotations

from hashlib import sha256


def private_name(token: str) -> str:
    """The folder of one reader's own files, which nobody guesses: from the token, which it does not give away.

    The token itself is in unsubscribe links; a service that reads the feed has no business with these.
    """
    return sha256(f"feed {token}".encode()).hexdigest()[:32]
