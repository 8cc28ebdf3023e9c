"""The systemd unit, as systemd itself reads it, and what it takes for granted about the program."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from digest.config.secret import SECRETS

UNIT = Path(__file__).parents[1] / "packaging" / "digest.service"


def value(key: str) -> str:
    """What the unit says for a key that it has once."""
    [line] = [line for line in UNIT.read_text().splitlines() if line.startswith(f"{key}=")]
    return line.partition("=")[2]


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


def test_the_credential_has_the_name_that_the_configuration_looks_for() -> None:
    assert f"smtp_{SECRETS['smtp']}" == value("LoadCredential").partition(":")[0]


def test_a_configuration_with_mistakes_ends_the_program_as_the_unit_expects(tmp_path: Path) -> None:
    """Otherwise systemd would start it again every half minute, for ever."""
    program, *arguments = value("ExecStart").replace("/etc/digest", str(tmp_path)).split()
    (tmp_path / "config.toml").write_text("colour = 'blue'\n")

    result = subprocess.run(
        [sys.executable, "-m", "digest", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"STATE_DIRECTORY": str(tmp_path)},
    )

    assert "/opt/digest/bin/digest" == program
    assert value("RestartPreventExitStatus") == str(result.returncode), result.stderr
    assert "colour" in result.stderr
