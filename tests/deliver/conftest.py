"""What the tests of delivery share."""

from __future__ import annotations

import pytest

from tests.smtp_server import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))
