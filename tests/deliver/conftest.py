"""What the tests of delivery share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deliver.dialogue import PASSWORD
from tests.smtp_server import Authority, SmtpServer, smtp_server


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    """No encryption, no login, room for large mails."""
    with smtp_server(max_size=50_000_000) as server:
        yield server


@pytest.fixture
def secure(authority: Authority) -> Iterator[SmtpServer]:
    """STARTTLS and a login."""
    with smtp_server(starttls=authority.context("127.0.0.1", "localhost"), users={"ada": PASSWORD}) as server:
        yield server
