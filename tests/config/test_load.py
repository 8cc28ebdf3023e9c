"""What a whole, valid configuration becomes."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from digest.config import Settings, load
from digest.model import Source, Subscriber

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SMALL = """
[http]
contact = "admin@lab.example"
[mail]
from = "Paper Digest <Digest@Lab.EXAMPLE>"
[[sources]]
type = "arxiv"
categories = ["cs.CL"]
"""

#: what a reader who has chosen nothing takes from [digest]
ALL = (
    *("at", "days", "followups", "frequency", "images", "language", "layout", "max_papers", "min_score", "quiet"),
    *("timezone", "trending"),
)


def settings(tmp_path: Path, text: str, env: Mapping[str, str] | None = None) -> Settings:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return load(path, env or {})


def test_a_source_has_the_type_as_its_name_and_the_defaults_of_the_model(tmp_path: Path) -> None:
    assert (Source(type="arxiv", name="arxiv", categories=("cs.CL",)),) == settings(tmp_path, SMALL).sources


def test_every_key_of_a_source_reaches_the_rooms(tmp_path: Path) -> None:
    text = f"""{SMALL}
base_url = "https://mirror.example/"
announce = ["new", "replace"]
name = "language"
first_run_max = 5
deadline = 60
[[sources]]
type = "huggingface"
days = 3
[[sources]]
type = "arxiv-api"
query = "cat:cs.RO"
max_results = 50
[[sources]]
type = "feed"
url = "https://journal.example/rss"
[[sources]]
type = "jsonl"
path = "papers.jsonl"
"""

    assert (
        Source(
            type="arxiv",
            name="language",
            categories=("cs.CL",),
            base_url="https://mirror.example",
            announce=("new", "replace"),
            first_run_max=5,
            deadline_s=60.0,
        ),
        Source(type="huggingface", name="huggingface", days=3),
        Source(type="arxiv-api", name="arxiv-api", query="cat:cs.RO", max_results=50),
        Source(type="feed", name="feed", url="https://journal.example/rss"),
        Source(type="jsonl", name="jsonl", path=str(tmp_path / "papers.jsonl")),
    ) == settings(tmp_path, text).sources


def test_a_subscriber_takes_from_the_digest_table_what_they_do_not_choose(tmp_path: Path) -> None:
    text = f"""{SMALL}
[digest]
time = "06:30"
days = ["sun", "Monday", "mon"]
timezone = "Asia/Tokyo"
max_papers = 7
trending = 2
min_score = 0.25
layout = "compact"
[[subscribers]]
email = "ada@lab.example"
[[subscribers]]
email = "Emmy@LAB.example"
name = "Emmy"
keywords = ["rings"]
time = 18:00:00
days = ["thu"]
timezone = "Europe/Berlin"
max_papers = 20
trending = 0
min_score = 0.5
layout = "full"
paused_until = 2027-01-15
"""

    assert (
        Subscriber(
            email="ada@lab.example",
            at=dt.time(6, 30),
            days=("mon", "sun"),
            timezone="Asia/Tokyo",
            max_papers=7,
            trending=2,
            min_score=0.25,
            layout="compact",
            inherits=ALL,
        ),
        Subscriber(
            email="emmy@lab.example",
            name="Emmy",
            keywords=("rings",),
            at=dt.time(18, 0),
            days=("thu",),
            timezone="Europe/Berlin",
            max_papers=20,
            trending=0,
            min_score=0.5,
            paused_until=dt.date(2027, 1, 15),
            inherits=("followups", "images", "language", "quiet"),
        ),
    ) == settings(tmp_path, text).subscribers


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("ada@localhost", "ada@localhost"),
        ("root@Mail.LOCAL", "root@mail.local"),
        ("jörg@bücher.example", "jörg@bücher.example"),
        ("ada@XN--BCHER-KVA.example", "ada@bücher.example"),
    ],
)
def test_addresses_are_normalised_and_intranets_are_allowed(tmp_path: Path, typed: str, expected: str) -> None:
    text = f'{SMALL}\n[[subscribers]]\nemail = "{typed}"'

    assert [expected] == [subscriber.email for subscriber in settings(tmp_path, text).subscribers]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("digest@lab.example", "digest@lab.example"),
        ("Digest <digest@LAB.example>", "Digest <digest@lab.example>"),
        ("Papers, daily <digest@lab.example>", '"Papers, daily" <digest@lab.example>'),
        ("<digest@lab.example>", "digest@lab.example"),
        ("Günther’s Papers <digest@lab.example>", "Günther’s Papers <digest@lab.example>"),
    ],
)
def test_the_sender_may_have_a_name(tmp_path: Path, typed: str, expected: str) -> None:
    mail = settings(tmp_path, SMALL.replace("Paper Digest <Digest@Lab.EXAMPLE>", typed)).mail

    assert (expected, "digest@lab.example", "lab.example") == (mail.from_, mail.address, mail.domain)


def test_without_a_relay_mail_goes_to_a_maildir_beside_the_state(tmp_path: Path) -> None:
    ours = settings(tmp_path, SMALL, {"STATE_DIRECTORY": "/var/lib/digest:/var/lib/other"})

    assert (None, "/var/lib/digest/outbox", "sqlite:////var/lib/digest/state.sqlite3", "Digest@lab.example") == (
        ours.smtp,
        str(ours.maildir_path),
        ours.state_url,
        ours.envelope_from,
    )


def test_relative_paths_start_at_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    text = SMALL.replace("[mail]", '[mail]\ntemplates = "mine"') + (
        '[state]\nurl = "sqlite:///data/state.sqlite3"\n[maildir]\npath = "../mail"'
    )

    ours = settings(tmp_path, text)

    assert (tmp_path / "mine", f"sqlite:///{tmp_path}/data/state.sqlite3", tmp_path.parent / "mail") == (
        ours.mail.templates,
        ours.state_url,
        ours.maildir_path,
    )


def test_bounces_and_unsubscribe_mails_go_where_they_are_sent(tmp_path: Path) -> None:
    text = SMALL.replace("[mail]", '[mail]\nreply_to = "Lab <lab@lab.example>"\noperator = "root@lab.example"') + (
        '[smtp]\nhost = "mail.lab.example"\nenvelope_from = "bounces@lab.example"'
    )

    ours = settings(tmp_path, text)

    assert ("bounces@lab.example", "lab@lab.example") == (ours.envelope_from, ours.unsubscribe_mailto)


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    assert "Digest@lab.example" == settings(tmp_path, "\ufeff" + SMALL.replace("\n", "\r\n")).mail.address


def test_a_password_that_everybody_can_read_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(SMALL + '[smtp]\nhost = "mail.lab.example"\nusername = "u"\npassword = "geheim"', encoding="utf-8")
    path.chmod(0o644)

    assert (f"{path} holds smtp.password and everybody on this machine can read it; type: chmod o-rwx {path}",) == load(
        path, {}
    ).warnings
    path.chmod(0o640)
    assert () == load(path, {}).warnings


def test_a_database_password_stays_out_of_every_representation(tmp_path: Path) -> None:
    text = SMALL + '[state]\nurl = "postgresql://digest:geheim@db.lab.example/digest"'

    assert "geheim" not in repr(settings(tmp_path, text))


def test_a_database_password_that_everybody_can_read_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(SMALL + '[state]\nurl = "postgresql://digest:geheim@db.lab.example/digest"', encoding="utf-8")
    path.chmod(0o644)

    warning = f"{path} holds the password in state.url and everybody on this machine can read it"
    assert [warning] == [text.partition(";")[0] for text in load(path, {}).warnings]


def test_the_examples_addresses_are_warned_of(tmp_path: Path) -> None:
    text = SMALL.replace("admin@lab.example", "you@example.org").replace("Lab.EXAMPLE", "example.org")
    path = tmp_path / "config.toml"

    assert (
        f"http.contact in {path} is still the example's; put your own address there",
        f"mail.from in {path} is still the example's; relays refuse mail from example.org",
    ) == settings(tmp_path, text + '[smtp]\nhost = "mail.lab.example"').warnings
