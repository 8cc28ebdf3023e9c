"""A package's docstring that is a map of its modules."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

DIGEST = Path(__file__).parents[1] / "digest"
#: `plan.py`, and what it does; there may be two of them in a line
_ENTRY = re.compile(r"(?:^ *|  )(\w+)\.py +\S", re.MULTILINE)


def named(package: Path) -> list[str]:
    """The modules that the docstring of a package has entries for."""
    return _ENTRY.findall(ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or "")


MAPPED = [file.parent for file in sorted(DIGEST.rglob("__init__.py")) if named(file.parent)]


def test_there_are_maps() -> None:
    assert {"bounces", "deliver", "pipeline", "state"} <= {package.name for package in MAPPED}


@pytest.mark.parametrize("package", MAPPED, ids=lambda package: package.name)
def test_a_map_names_every_module_once(package: Path) -> None:
    assert sorted(file.stem for file in package.glob("*.py") if file.stem != "__init__") == sorted(named(package))
