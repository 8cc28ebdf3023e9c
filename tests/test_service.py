"""The systemd unit, as systemd itself reads it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[1] / "packaging" / "digest.service"


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    # systemd asks whether the program exists, which on a developer's machine it does not
    unit = UNIT.read_text().replace("/opt/digest/bin/digest", "/bin/true")
    (tmp_path / "digest.service").write_text(unit)

    result = subprocess.run(
        ["systemd-analyze", "verify", tmp_path / "digest.service"], capture_output=True, text=True, check=False
    )

    assert (0, "") == (result.returncode, result.stderr)
