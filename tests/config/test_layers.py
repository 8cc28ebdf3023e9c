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
        (
            "DIGEST_SOMETHING",
            "variables are called DIGEST_TABLE__KEY, like DIGEST_SMTP__PASSWORD; or type: unset DIGEST_SOMETHING",
        ),
        (
            "DIGEST_0123456789",
            "variables are called DIGEST_TABLE__KEY, like DIGEST_SMTP__PASSWORD; or type: unset DIGEST_0123456789",
        ),
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


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "DIGEST_DELIVERY__RETRY_MINUTES",
            "soon",
            ("delivery.retry_minutes", "soon", "must be a whole number", "DIGEST_DELIVERY__RETRY_MINUTES=5"),
        ),
        (
            "DIGEST_DIGEST__MIN_SCORE",
            "half",
            ("digest.min_score", "half", "must be a number", "DIGEST_DIGEST__MIN_SCORE=0.5"),
        ),
        (
            "DIGEST_DIGEST__FOLLOWUPS",
            "maybe",
            ("digest.followups", "maybe", "must be true or false", "DIGEST_DIGEST__FOLLOWUPS=true"),
        ),
        (
            "DIGEST_DIGEST__DAYS",
            "mon,tue",
            ("digest.days", None, "must be a list in JSON", """DIGEST_DIGEST__DAYS='["mon", "thu"]'"""),
        ),
        (
            "DIGEST_SUBSCRIBERS",
            '{"email": "ada@lab.example"}',
            ("subscribers", None, "must be a list of tables in JSON", """DIGEST_SUBSCRIBERS='[{"…": "…"}]'"""),
        ),
        (
            "DIGEST_SMTP__FALLBACK",
            '["mail2.lab.example"]',
            ("smtp.fallback", None, "must be a list of tables in JSON", """DIGEST_SMTP__FALLBACK='[{"…": "…"}]'"""),
        ),
    ],
)
def test_a_bad_value_is_told_with_its_variable_and_how_to_write_it(
    tmp_path: Path, name: str, text: str, expected: tuple[str, str | None, str, str]
) -> None:
    key, value, message, example = expected

    assert (ConfigProblem(key, message, f"write it like {example}", value, f"environment {name}"),) == problems(
        tmp_path, RELAY, {name: text, "DIGEST_SMTP__PASSWORD": "x"}
    )


def test_numbers_and_switches_of_the_environment_are_read_from_text(tmp_path: Path) -> None:
    """A file spells them without quotes; a variable has nothing but text."""
    path = tmp_path / "config.toml"
    path.write_text(f'{RELAY}password = "x"', encoding="utf-8")

    ours = load(
        path,
        {
            "DIGEST_DIGEST__TRENDING": "0",
            "DIGEST_DIGEST__MIN_SCORE": "0.25",
            "DIGEST_DIGEST__FOLLOWUPS": "false",
            "DIGEST_SMTP__PORT": "2525",
            "DIGEST_SMTP__PER_DOMAIN_RATE": "20/hour",
        },
    )

    assert (0, 0.25, False) == (ours.digest.trending, ours.digest.min_score, ours.digest.followups)
    assert ours.smtp is not None
    assert (2525, ["*"]) == (ours.smtp.port, [*ours.smtp.per_domain_rate])
