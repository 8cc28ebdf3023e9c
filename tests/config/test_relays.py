"""Several relays, rates per relay and per domain: what the rooms get, and what is said about mistakes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from digest.config import load
from digest.config.relays import SmtpSection
from digest.deliver.settings import SmtpSettings
from digest.deliver.throttle import Rate
from digest.errors import ConfigError

#: eight lines; a mistake is put behind them, so that it begins in line 9
RIGHT = """[http]
contact = "admin@lab.example"
[mail]
from = "digest@lab.example"
[[sources]]
type = "huggingface"
[smtp]
host = "mx1.lab.example"
"""


def smtp(tmp_path: Path, added: str, **env: str) -> SmtpSection:
    (tmp_path / "config.toml").write_text(RIGHT + added, encoding="utf-8")
    section = load(tmp_path / "config.toml", env).smtp
    assert section is not None
    return section


def test_relays_are_what_deliver_takes(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\n", encoding="utf-8")

    section = smtp(
        tmp_path,
        'connections = 4\nmessages_per_connection = 0\nrate = "600/minute"\n'
        '[[smtp.fallback]]\nhost = "mx2.lab.example"\nusername = "digest"\npassword_file = "secret"\n'
        '[[smtp.fallback]]\nhost = "mx3.lab.example"\nsecurity = "tls"\npriority = 0\n',
    )

    assert (
        SmtpSettings(
            "mx1.lab.example",
            connections=4,
            messages_per_connection=0,
            rate=Rate(600, timedelta(minutes=1)),
            priority=0,
        ),
        SmtpSettings("mx2.lab.example", username="digest", password="hush", priority=10),
        SmtpSettings("mx3.lab.example", security="tls", priority=0),
    ) == section.relays


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        ("", {}),
        ('per_domain_rate = "500/hour"', {"*": Rate(500, timedelta(hours=1))}),
        (
            'per_domain_rate = { "Gmail.com" = "20/hour", "bücher.example" = "1 / second", "*" = "9/day" }',
            {
                "gmail.com": Rate(20, timedelta(hours=1)),
                "xn--bcher-kva.example": Rate(1, timedelta(seconds=1)),
                "*": Rate(9, timedelta(days=1)),
            },
        ),
    ],
)
def test_rates_per_domain(tmp_path: Path, added: str, expected: dict[str, Rate]) -> None:
    assert expected == smtp(tmp_path, added).per_domain_rate


def test_rates_from_the_environment(tmp_path: Path) -> None:
    section = smtp(
        tmp_path,
        "",
        DIGEST_SMTP__RATE="5/second",
        DIGEST_SMTP__PER_DOMAIN_RATE='{"*": "500/hour"}',
        DIGEST_SMTP__FALLBACK='[{"host": "mx2.lab.example"}]',
    )

    assert Rate(5, timedelta(seconds=1)) == section.rate
    assert {"*": Rate(500, timedelta(hours=1))} == section.per_domain_rate
    assert ["mx1.lab.example", "mx2.lab.example"] == [relay.host for relay in section.relays]


HOW = 'write a number and second, minute, hour or day, like "600/minute" or "20000/hour"'


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        ('rate = "fast"', (9, "smtp.rate", "fast", "this is no rate", HOW)),
        ("rate = 600", (9, "smtp.rate", "600", "this is no rate", HOW)),
        ('rate = "0/hour"', (9, "smtp.rate", "0/hour", "this is no rate", HOW)),
        (
            'per_domain_rate = { "gmail.com" = "5/fortnight" }',
            (9, "smtp.per_domain_rate", None, "gmail.com has no rate that can be read", HOW),
        ),
        (
            'per_domain_rate = { gmail = "5/hour" }',
            (9, "smtp.per_domain_rate", None, "this is not a domain", "write it like example.org"),
        ),
        ("connections = 0", (9, "smtp.connections", "0", "must be at least 1", "write 1 or more")),
        (
            "[[smtp.fallback]]\npriority = 3",
            (10, "smtp.fallback.0.host", None, "the relay's name is missing", 'add host = "mail2.example.org"'),
        ),
        (
            '[[smtp.fallback]]\nhost = "mx2"\nprioritty = 3',
            (11, "smtp.fallback.0.prioritty", None, "there is no such key", "did you mean priority?"),
        ),
        (
            '[[smtp.fallback]]\nhost = "mx2"\nusername = "ada"',
            (
                10,
                "smtp.fallback.0.password",
                None,
                "there is a username but no password",
                "add password_file, or remove username",
            ),
        ),
        (
            '[[smtp.fallback]]\nhost = "mx2"\nusername = "ada"\npassword_file = "missing"',
            (
                12,
                "smtp.fallback.0.password_file",
                "{folder}/missing",
                "the file cannot be read (no such file or directory)",
                "put the password, and nothing else, into it; this program must be able to read it",
            ),
        ),
        (
            '[[smtp.fallback]]\nhost = "mx2"\nport = 465',
            (
                10,
                "smtp.fallback.0.security",
                "starttls",
                "port 465 is encrypted from the first byte, which starttls is not",
                'write security = "tls", or port = 587',
            ),
        ),
        (
            'fallback = ["mx2"]',
            (
                9,
                "smtp.fallback.0",
                None,
                "must be a table of keys, not text",
                "write [[smtp.fallback]] with two brackets, and its keys below",
            ),
        ),
    ],
)
def test_mistakes(tmp_path: Path, added: str, expected: tuple[object, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        smtp(tmp_path, added)

    (problem,) = caught.value.problems
    wanted = tuple(part.format(folder=tmp_path) if isinstance(part, str) else part for part in expected)
    assert wanted == (problem.line, problem.key, problem.value, problem.message, problem.hint)


def test_the_password_of_a_fallback_is_a_secret_too(tmp_path: Path) -> None:
    added = '[[smtp.fallback]]\nhost = "mx2"\nusername = "ada"\npassword = "hush"\n'

    assert "hush" not in repr(smtp(tmp_path, added))
    (tmp_path / "config.toml").chmod(0o644)
    [warning] = load(tmp_path / "config.toml", {}).warnings
    assert "holds smtp.fallback.0.password and everybody on this machine can read it" in warning
