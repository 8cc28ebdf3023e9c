"""Environment, systemd's credentials and password files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from digest.config import load
from digest.errors import ConfigError, ConfigProblem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RELAY = """
[mail]
from = "digest@lab.example"
[[sources]]
type = "jsonl"
path = "p.jsonl"
[smtp]
host = "mail.lab.example"
username = "digest"
"""


def password(tmp_path: Path, text: str, env: Mapping[str, str]) -> str:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    smtp = load(path, env).smtp
    assert smtp is not None
    assert smtp.password is not None
    return smtp.password.get_secret_value()


def problems(tmp_path: Path, text: str, env: Mapping[str, str]) -> tuple[ConfigProblem, ...]:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path, env)
    return caught.value.problems


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(RELAY, encoding="utf-8")

    ours = load(
        path,
        {
            "DIGEST_MAIL__FROM": "other@lab.example",
            "DIGEST_DIGEST__MAX_PAPERS": "3",
            "DIGEST_DIGEST__DAYS": '["fri"]',
            "DIGEST_DELIVERY__IN_DOUBT": "hold",
            "DIGEST_SUBSCRIBERS": '[{"email": "ada@lab.example"}]',
            "DIGEST_SMTP__USERNAME": "",
            "DIGEST_SMTP__PASSWORD": "geheim",
        },
    )

    assert ("other@lab.example", 3, ("fri",), "hold", ["ada@lab.example"]) == (
        ours.mail.from_,
        ours.digest.max_papers,
        ours.digest.days,
        ours.delivery.in_doubt,
        [subscriber.email for subscriber in ours.subscribers],
    )


def test_the_password_stays_out_of_every_representation(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(RELAY, encoding="utf-8")

    assert "geheim" not in repr(load(path, {"DIGEST_SMTP__PASSWORD": "geheim"}))


def test_the_password_comes_from_the_nearest_of_five_places(tmp_path: Path) -> None:
    """Environment, file named by the environment, systemd credential, file named by the file, the file itself."""
    for name in ("mine", "env", "smtp_password"):
        (tmp_path / name).write_text(f" from {name} \r\n", encoding="utf-8")
    with_file, with_text = f'{RELAY}password_file = "mine"', f'{RELAY}password = "here"'
    systemd = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    named = systemd | {"DIGEST_SMTP__PASSWORD_FILE": str(tmp_path / "env")}

    assert ["typed", " from env ", " from smtp_password ", " from smtp_password ", " from mine ", "here"] == [
        password(tmp_path, with_file, systemd | {"DIGEST_SMTP__PASSWORD": "typed"}),
        password(tmp_path, with_text, named),
        password(tmp_path, with_file, systemd),
        password(tmp_path, with_text, systemd),
        password(tmp_path, with_file, {}),
        password(tmp_path, with_text, {}),
    ]


def test_a_credential_without_a_relay_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "smtp_password").write_text("x", encoding="utf-8")
    path = tmp_path / "config.toml"
    path.write_text(RELAY.partition("[smtp]")[0], encoding="utf-8")

    assert load(path, {"CREDENTIALS_DIRECTORY": str(tmp_path)}).smtp is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "the file cannot be read (no such file or directory)"),
        (b"", "the file is empty"),
        (b"\n", "the file is empty"),
        (b"\xff\xfe", "the file cannot be read (it is not utf-8 text)"),
    ],
)
def test_a_password_file_without_a_password_is_a_mistake(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "mine").write_bytes(content)

    assert (
        ConfigProblem(
            key="smtp.password_file",
            message=message,
            hint="put the password, and nothing else, into it; this program must be able to read it",
            value=str(tmp_path / "mine"),
            origin=str(tmp_path / "config.toml"),
            line=10,
        ),
    ) == problems(tmp_path, f'{RELAY}password_file = "mine"', {})


@pytest.mark.parametrize(
    ("added", "env"),
    [
        ('password = "a"\npassword_file = "b"', {}),
        ("", {"DIGEST_SMTP__PASSWORD": "a", "DIGEST_SMTP__PASSWORD_FILE": "b"}),
    ],
)
def test_two_passwords_in_one_place_are_a_mistake(tmp_path: Path, added: str, env: dict[str, str]) -> None:
    assert ["password and password_file are both there, and only one can be right"] == [
        problem.message for problem in problems(tmp_path, RELAY + added, env)
    ]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("DIGEST_SMTP_PASSWORD", "did you mean DIGEST_SMTP__PASSWORD?"),
        ("DIGEST_SMTP__PASWORD", "did you mean DIGEST_SMTP__PASSWORD?"),
        ("DIGEST_0123456789", "see config.example.toml for the keys, or unset it"),
    ],
)
def test_a_variable_that_names_no_key_is_a_mistake(tmp_path: Path, name: str, hint: str) -> None:
    assert (
        ConfigProblem(
            key="", message="this variable names no key of the configuration", hint=hint, origin=f"environment {name}"
        ),
    ) == tuple(p for p in problems(tmp_path, RELAY, {name: "x"}) if p.origin.startswith("environment"))


def test_our_own_variables_and_empty_ones_are_no_mistakes(tmp_path: Path) -> None:
    env = {"DIGEST_CONFIG": "x", "DIGEST_GOLDEN": "write", "DIGEST_NONSENSE": "", "OTHER": "x"}

    assert "x" == password(tmp_path, f'{RELAY}password = "x"', env)


def test_a_bad_value_is_told_with_its_variable(tmp_path: Path) -> None:
    env = {"DIGEST_DELIVERY__RETRY_MINUTES": "soon", "DIGEST_DIGEST__DAYS": "mon,tue", "DIGEST_SMTP__PASSWORD": "x"}

    assert (
        ConfigProblem(
            key="digest.days",
            message="a list in a variable must be JSON",
            hint="""write it like '["mon", "thu"]'""",
            origin="environment DIGEST_DIGEST__DAYS",
        ),
        ConfigProblem(
            key="delivery.retry_minutes",
            message="must be a whole number, not text",
            hint="write it without quotes",
            value="soon",
            origin="environment DIGEST_DELIVERY__RETRY_MINUTES",
        ),
    ) == problems(tmp_path, RELAY, env)
