"""What people install: the built wheel in a fresh environment, used from another folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command: str | Path, cwd: Path) -> str:
    # a variable of the caller's own installation must not reach the fresh one
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DIGEST_", "PYTHON"))}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environ,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def files(folder: Path) -> dict[Path, bytes]:
    """What is in a folder, but for the byte code that Python keeps wherever it may."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"}


@pytest.mark.slow
def test_the_wheel_brings_templates_samples_and_the_example_config(tmp_path: Path) -> None:
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, ROOT, cwd=tmp_path)
    (wheel,) = tmp_path.glob("paper_digest-*.whl")
    run(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", wheel, cwd=tmp_path)
    digest = tmp_path / "venv" / "bin" / "digest"
    installed = files(tmp_path / "venv")

    told = run(digest, "demo", "--out", tmp_path / "demo", cwd=tmp_path)
    run(digest, "init", tmp_path / "config.toml", cwd=tmp_path)

    assert "mira@example.org" in told
    assert len(list((tmp_path / "demo" / "previews").glob("*.html"))) == 3
    assert len(list((tmp_path / "demo" / "outbox" / "new").glob("*.eml"))) == 6
    assert (tmp_path / "demo" / "archive" / "index.html").is_file()
    assert (ROOT / "config.example.toml").read_text() == (tmp_path / "config.toml").read_text()
    # who may not write there would be told so at every start
    assert [] == sorted({path for path, _ in files(tmp_path / "venv").items() ^ installed.items()})
