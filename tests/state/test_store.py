"""Opening the state, and what is said when that is not possible."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from digest.errors import StateError
from digest.model import StoredPaper
from digest.state.store import open_state
from tests.makers import NOW, TODAY, digest, paper, pick
from tests.postgresql import Server
from tests.state import children
from tests.state.shortcuts import claim_one, rows_of


def refusal(url: str, *, create: bool = True, busy_timeout_s: float = 0.05) -> StateError:
    with pytest.raises(StateError) as caught:
        open_state(url, now=NOW, create=create, busy_timeout_s=busy_timeout_s).close()
    assert caught.value.hint
    return caught.value


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "digest.sqlite3"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that an unprivileged child process can reach; pytest's own belong to us alone."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def test_a_new_state_is_for_our_eyes_only(file: Path) -> None:
    """It holds addresses and unsubscribe tokens."""
    with open_state(f"sqlite:///{file}", now=NOW) as state:
        state.subscribers.tokens(["ada@example.org"])
        with state.sender_lock():
            modes = {path.name.removeprefix(file.name): mode(path) for path in file.parent.iterdir()}

    assert {"": 0o600, "-wal": 0o600, "-shm": 0o600, ".sending": 0o600} == modes
    assert 0o700 == mode(file.parent)


def test_a_state_that_others_could_read_is_closed_to_them(file: Path) -> None:
    """As after restoring a backup with a usual umask."""
    open_state(f"sqlite:///{file}", now=NOW).close()
    file.chmod(0o644)

    open_state(f"sqlite:///{file}", now=NOW).close()

    assert 0o600 == mode(file)


def test_an_opened_state_is_there_for_the_next_one(url: str) -> None:
    one = StoredPaper(paper(), NOW, TODAY)
    with open_state(url, now=NOW) as state:
        state.papers.store([one])

    with open_state(url, now=NOW, create=False) as state:
        assert one == state.papers.get(one.paper.key)
        assert {"papers": 1, "subscribers": 0, "unconfirmed": 0, "runs": 0} == state.counts()
        assert state.upgrade is None


def test_a_command_that_only_looks_creates_nothing(url: str, tmp_path: Path) -> None:
    error = refusal(url, create=False)

    assert "there is no state yet" == error.reason
    assert [] == list(tmp_path.iterdir())


def test_an_empty_file_becomes_a_state(file: Path) -> None:
    file.parent.mkdir()
    file.touch()

    with open_state(f"sqlite:///{file}", now=NOW) as state:
        assert state.counts()["papers"] == 0


@pytest.mark.parametrize(
    "content", [b"not a database, but a letter to my aunt. " * 200, b"SQLite format 3\x00" + b"\xff" * 8000]
)
def test_a_file_that_is_no_state_is_left_untouched(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)

    error = refusal(f"sqlite:///{file}")

    assert str(file) == error.place
    assert error.reason in {"it is not a state file", "it is damaged"}
    assert "restore a backup" in error.hint
    assert content == file.read_bytes()
    assert [file] == list(file.parent.iterdir())


def test_damage_inside_is_told_when_it_is_met(file: Path) -> None:
    with open_state(f"sqlite:///{file}", now=NOW) as state:
        state.papers.store([StoredPaper(paper(number), NOW, TODAY) for number in range(1, 300)])
    pages = bytearray(file.read_bytes())
    pages[len(pages) // 2 :] = b"\xff" * (len(pages) - len(pages) // 2)
    file.write_bytes(pages)

    def read() -> None:
        with open_state(f"sqlite:///{file}", now=NOW) as state:
            state.papers.since(NOW)

    with pytest.raises(StateError) as caught:
        read()

    assert "it is damaged" == caught.value.reason
    assert bytes(pages) == file.read_bytes()


def test_a_stored_value_that_cannot_be_read_is_named(file: Path) -> None:
    with open_state(f"sqlite:///{file}", now=NOW) as state:
        state.papers.store([StoredPaper(paper(), NOW, TODAY)])
        with sqlite3.connect(file) as other:
            other.execute("UPDATE paper SET body = '{}'")
        other.close()

        with pytest.raises(StateError, match="a stored value cannot be read: Paper without key, title"):
            state.papers.since(NOW)


def test_a_database_of_another_program_is_left_alone(file: Path) -> None:
    file.parent.mkdir()
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE recipes (id INTEGER)")
    other.close()

    assert "it is a database of another program" == refusal(f"sqlite:///{file}").reason


def test_a_folder_is_no_state(tmp_path: Path) -> None:
    assert "it is a folder" == refusal(f"sqlite:///{tmp_path}").reason


def test_a_path_through_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    error = refusal(f"sqlite:///{tmp_path}/file/state.sqlite3")

    assert f"{tmp_path}/file cannot be opened or created: File exists" == error.reason


def test_a_state_that_another_program_keeps_locked_is_told(file: Path) -> None:
    with open_state(f"sqlite:///{file}", now=NOW, busy_timeout_s=0.05) as state:
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")

        with pytest.raises(StateError, match="another program keeps it locked") as caught:
            state.subscribers.tokens(["ada@example.org"])
        other.close()

        assert "ada@example.org" not in f"{caught.value} {caught.value.__cause__}"

        assert state.subscribers.tokens(["ada@example.org"])


def test_a_postgresql_state_that_another_program_keeps_locked_is_told(postgresql_server: Server) -> None:
    url = postgresql_server.new_database()
    with open_state(url, now=NOW) as state, open_state(url, now=NOW, busy_timeout_s=0.05) as other:  # noqa: SIM117
        with state.transaction(), pytest.raises(StateError, match="another program keeps it locked"):
            other.papers.store([])


@pytest.mark.parametrize(
    "url", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://u:s3cret@h/d", "postgresql://u:s3cret@h:port/d"]
)
def test_a_url_that_cannot_be_used_is_never_quoted(url: str) -> None:
    """It may hold a password."""
    error = refusal(url)

    assert "s3cret" not in f"{error} {error.__cause__} {error.hint}"
    assert "state.url" == error.place


def test_a_server_that_does_not_answer_is_named_without_the_password() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens here
        port = taken.getsockname()[1]
        error = refusal(f"postgresql://digest:s3cret@127.0.0.1:{port}/papers?sslmode=disable")

    assert f"postgresql://digest@127.0.0.1:{port}/papers" == error.place
    assert "Connection refused" in error.reason
    assert "s3cret" not in f"{error} {error.__cause__}"


@pytest.mark.parametrize("option", ["bogus=1", "connect_timeout=soon", "sslmode=nonsense"])
def test_a_mistyped_option_in_the_url_is_told_without_the_password(option: str) -> None:
    error = refusal(f"postgresql://digest:s3cret@127.0.0.1:1/papers?{option}")

    name, _, value = option.partition("=")
    assert name in error.reason or value in error.reason
    assert "look at state.url" in error.hint
    assert "s3cret" not in f"{error} {error.__cause__}"


def test_a_missing_postgresql_database_is_told(postgresql_server: Server) -> None:
    error = refusal(postgresql_server.url.replace("/postgres", "/missing"))

    assert 'database "missing" does not exist' in error.reason


_UNPRIVILEGED = """
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    open_state(url, now=NOW)
except StateError as error:
    print(error.reason)
"""


@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o500, 0o600), (0o700, 0o400)])
def test_a_state_that_cannot_be_written_is_told_at_once(open_folder: Path, folder_mode: int, file_mode: int) -> None:
    file = open_folder / "state.sqlite3"
    open_state(f"sqlite:///{file}", now=NOW).close()
    for path, bits in ((file, file_mode), (open_folder, folder_mode)):
        if os.geteuid() == 0:
            os.chown(path, 65534, 65534)
        path.chmod(bits)

    status, output = children.run(_UNPRIVILEGED, f"sqlite:///{file}")

    open_folder.chmod(0o700)
    assert (0, f"{open_folder if file_mode == 0o600 else file} cannot be written\n") == (status, output)


_FILL = """
state = open_state(url, now=NOW)
for number in range(1000):
    try:
        day = TODAY + timedelta(days=number)
        state.ledger.plan([(digest(pick(number), local_date=day), f"<{number}>")], now=NOW)
    except StateError as error:
        print(number, error.reason, error.hint, sep="\\n")
        break
"""


def check_nothing_was_lost(url: str, output: str) -> str:
    """All that was planned before the disk was full is there. Returns the reason told."""
    number, reason, hint = output.splitlines()
    with open_state(url, now=NOW) as state:
        assert int(number) == len(rows_of(state))
        assert digest(pick(0)) == claim_one(state, "ada@example.org", TODAY, now=NOW)
    assert hint
    return reason


def test_a_file_size_limit_loses_nothing(file: Path) -> None:
    url = f"sqlite:///{file}"
    open_state(url, now=NOW).close()

    _, output = children.run("resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))\n" + _FILL, url)

    assert check_nothing_was_lost(url, output) == "reading or writing it failed"


def test_a_full_disk_loses_nothing_and_is_called_so(file: Path) -> None:
    """Strace makes every write from the 60th on fail as on a full disk."""
    strace = shutil.which("strace")
    inject = ("-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", "inject=pwrite64:error=ENOSPC:when=60+")
    url = f"sqlite:///{file}"
    open_state(url, now=NOW).close()
    if strace is None or children.run("", url, strace, *inject)[0] != 0:
        pytest.skip("strace is missing or may not trace here")

    _, output = children.run(_FILL, url, strace, *inject)

    assert check_nothing_was_lost(url, output) == "no space left on the disk"


_WITHOUT_ADAPTERS = """
import sqlite3
sqlite3.adapters.clear()
with open_state(url, now=NOW) as state:
    state.ledger.plan([(digest(pick()), "<1@x>")], now=NOW)
    ((email, day),) = state.ledger.due(NOW)
    claim_one(state, email, day, now=NOW)
    settle_one(state, email, day, Receipt("delivered", 250, "ok", NOW, ""), "sent")
    state.ledger.expire(NOW, timedelta(days=4))
    state.subscribers.pause(email, until=TODAY, reason="", now=NOW)
    state.papers.signals(["a:1"], TODAY), state.papers.since(NOW), state.papers.edition(TODAY)
    found = state.ledger.last_sent([email], since=TODAY, until=NOW), state.ledger.seen([email], since=TODAY)
    state.prune(now=NOW)
    print(state.ledger.refused_days(email), len(state.ledger.entered([(email, day)])))
"""


def test_dates_are_written_without_the_adapters_that_python_takes_away(file: Path) -> None:
    """sqlite3's own are deprecated since Python 3.12, and a warning on every run would be mailed by every cron."""
    assert (0, "0 1\n") == children.run(_WITHOUT_ADAPTERS, f"sqlite:///{file}")
