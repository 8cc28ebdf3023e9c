"""Older states are upgraded after a backup, newer ones refused."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, create_engine, insert, select, text

from digest.errors import StateError
from digest.state import migrate
from digest.state.database import connect
from digest.state.migrate import NEWEST, Upgrade
from digest.state.schema import metadata, schema_version, source, token
from digest.state.store import open_state
from tests.makers import NOW


def build(engine: Engine, version: str) -> None:
    """A state as a program of that version would have left it, with a token in it."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)
        connection.execute(insert(token).values(email="ada@example.org", token="t"))


@pytest.fixture
def older(url: str) -> str:
    database = connect(url, create=True, busy_timeout_s=1)
    build(database.engine, "0001")
    database.close()
    return url


def version(path: Path) -> str:
    connection = sqlite3.connect(path)
    (found,) = connection.execute("SELECT version_num FROM schema_version").fetchone()
    connection.close()
    return str(found)


def test_an_older_state_is_upgraded_and_keeps_what_it_holds(older: str) -> None:
    with open_state(older, now=NOW) as state:
        assert state.upgrade is not None
        assert ("0001", NEWEST) == (state.upgrade.before, state.upgrade.after)
        assert {"ada@example.org": "t"} == state.subscribers.tokens(["ada@example.org"])

    with open_state(older, now=NOW) as state:
        assert state.upgrade is None


def test_a_file_is_copied_before_it_is_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "state 100%.sqlite3"
    engine = create_engine(f"sqlite:///{path}")
    build(engine, "0001")
    engine.dispose()

    with open_state(f"sqlite:///{path}", now=NOW) as state:
        backup = tmp_path / "state 100%.sqlite3.0001-20260915T060000Z.backup"
        assert Upgrade("0001", NEWEST, backup) == state.upgrade

    assert ("0001", NEWEST) == (version(backup), version(path))
    assert 0o600 == backup.stat().st_mode & 0o777
    with open_state(f"sqlite:///{backup}", now=NOW) as restored:
        assert {"ada@example.org": "t"} == restored.subscribers.tokens(["ada@example.org"])


def test_without_a_backup_nothing_is_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    engine = create_engine(f"sqlite:///{path}")
    build(engine, "0001")
    engine.dispose()
    in_the_way = tmp_path / "state.sqlite3.0001-20260915T060000Z.backup"
    in_the_way.write_text("precious")

    with pytest.raises(StateError, match="no backup could be made before upgrading it: File exists"):
        open_state(f"sqlite:///{path}", now=NOW)

    assert ("0001", "precious") == (version(path), in_the_way.read_text())


def test_a_newer_state_is_refused(url: str) -> None:
    with open_state(url, now=NOW):
        pass
    database = connect(url, create=False, busy_timeout_s=1)
    with database.writing() as connection:
        connection.execute(schema_version.update().values(version_num="9999"))
    database.close()

    with pytest.raises(StateError, match="it has version 9999, this program knows versions up to") as caught:
        open_state(url, now=NOW)

    assert "upgrade paper-digest" in caught.value.hint


@pytest.mark.parametrize("start", ["nothing", "0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009"])
def test_new_and_upgraded_states_have_the_tables_of_the_schema(url: str, start: str) -> None:
    """The scripts and `schema` tell the same story; the newest script is the version of the program."""
    database = connect(url, create=True, busy_timeout_s=1)
    if start != "nothing":
        build(database.engine, start)
    migrate.prepare(database, now=NOW, create=True)
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "schema_version"})
        assert [] == compare_metadata(context, metadata)
        assert "0010" == NEWEST == connection.scalar(select(schema_version.c.version_num))
        index = {
            "sqlite": "sqlite_master WHERE name",
            "postgresql": "pg_indexes WHERE schemaname = current_schema() AND indexname",
        }[database.engine.dialect.name]
        assert 2 == connection.scalar(text(f"SELECT count(*) FROM {index} LIKE 'ix_ledger_open%'"))
    database.close()


def test_a_failing_upgrade_leaves_the_old_state_whole(older: str) -> None:
    """A table in the way of a script's index."""
    database = connect(older, create=False, busy_timeout_s=1)
    with database.writing() as connection:
        connection.execute(text("CREATE TABLE ix_ledger_open (id INTEGER)"))
        connection.execute(insert(source).values(name="arxiv", memory="{}"))

    with pytest.raises(Exception, match=r"ix_ledger_open|a table of another program"):
        open_state(older, now=NOW)

    with database.reading() as connection:
        assert "0001" == connection.scalar(select(schema_version.c.version_num))
        assert "arxiv" == connection.scalar(select(source.c.name))
    database.close()


def test_opening_a_state_of_this_version_does_not_load_alembic(tmp_path: Path) -> None:
    """It takes a second to import."""
    code = (
        "import sys; from tests.makers import NOW; from digest.state.store import open_state; "
        f"open_state('sqlite:///{tmp_path}/s', now=NOW).close(); print('alembic' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, check=True, text=True
    )

    assert "False\n" == done.stdout
