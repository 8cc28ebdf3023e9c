"""`[bounces]`: where returned mail lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from digest.config import load
from tests.config.test_mistakes import RIGHT, one

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from digest.config.schema import BouncesSection

LOGIN = 'host = "imap.lab.example"\nusername = "u"\npassword = "geheim"\n'


def loaded(tmp_path: Path, keys: str, env: Mapping[str, str]) -> BouncesSection:
    path = tmp_path / "config.toml"
    path.write_text(f"{RIGHT}[bounces]\n{keys}", encoding="utf-8")
    found = load(path, env).bounces
    assert found is not None
    return found


def test_a_maildir_is_named_from_the_folder_of_the_configuration(tmp_path: Path) -> None:
    assert tmp_path / "returned" == loaded(tmp_path, 'maildir = "returned"', {}).maildir


def test_an_account_has_its_password_from_wherever_it_is_kept(tmp_path: Path) -> None:
    """Environment, systemd credential, file, the configuration itself."""
    for name in ("mine", "bounces_password"):
        (tmp_path / name).write_text(f"from {name}\n", encoding="utf-8")
    named = LOGIN.replace("password = ", "password_file = ").replace("geheim", "mine")
    systemd = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    layers = [(named, systemd | {"DIGEST_BOUNCES__PASSWORD": "typed"}), (LOGIN, systemd), (named, {}), (LOGIN, {})]

    sections = [loaded(tmp_path, keys, env) for keys, env in layers]

    assert ["typed", "from bounces_password", "from mine", "geheim"] == [
        section.password.get_secret_value() for section in sections if section.password
    ]
    assert "geheim" not in repr(sections)


def test_a_password_that_everybody_can_read_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f"{RIGHT}[bounces]\n{LOGIN}", encoding="utf-8")
    path.chmod(0o644)

    (warning,) = load(path, {}).warnings

    assert "holds bounces.password and everybody on this machine can read it" in warning


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        pytest.param(
            "",
            (
                9,
                "bounces.maildir",
                None,
                "it is not said where returned mail lies",
                'add maildir = "/var/mail/bounces", or host, username and password_file of an IMAP account',
            ),
            id="nothing",
        ),
        pytest.param(
            f'{LOGIN}maildir = "x"',
            (13, "bounces.maildir", None, "there is a maildir and a host, and only one can be right"),
            id="both",
        ),
        pytest.param(
            'maildir = "x"\nfolder = "INBOX"',
            (11, "bounces.folder", None, "a maildir takes no folder", "remove it; it belongs to host"),
            id="a key of the other kind",
        ),
        pytest.param(
            'host = "imap.lab.example"\npassword = "geheim"',
            (9, "bounces.username", None, "imap.lab.example needs a user name"),
            id="no user name",
        ),
        pytest.param(
            'host = "imap.lab.example"\nusername = "u"',
            (9, "bounces.password", None, "imap.lab.example needs a password"),
            id="no password",
        ),
        pytest.param(
            f'{LOGIN}password_file = "x"',
            (13, "bounces.password_file", None, "password and password_file are both there, and only one can be right"),
            id="two passwords",
        ),
        pytest.param(
            LOGIN.replace("password = ", "password_file = ").replace("geheim", "missing"),
            (12, "bounces.password_file"),
            id="password file that is missing",
        ),
        pytest.param(
            f'{LOGIN}security = "starttls"\nport = 993',
            (
                13,
                "bounces.security",
                "starttls",
                "port 993 is encrypted from the first byte, which starttls is not",
                'write security = "tls", or port = 143',
            ),
            id="starttls on 993",
        ),
        pytest.param(
            f"{LOGIN}port = 143",
            (
                9,
                "bounces.security",
                "tls",
                "port 143 begins unencrypted, which tls does not",
                'write security = "starttls", or port = 993',
            ),
            id="tls on 143",
        ),
        pytest.param(
            f'{LOGIN}security = "none"',
            (13, "bounces.security", "none", "must be one of: tls, starttls"),
            id="no encryption",
        ),
        pytest.param(f'{LOGIN}ca_file = "missing.pem"', (13, "bounces.ca_file"), id="certificates that are missing"),
    ],
)
def test_mistakes(tmp_path: Path, keys: str, expected: tuple[object, ...]) -> None:
    found = one(tmp_path, f"{RIGHT}[bounces]\n{keys}")

    assert expected == found[: len(expected)]
    assert "geheim" not in repr(found)


@pytest.mark.parametrize("address", ["digest+papers@lab.example", f"{'x' * 42}@lab.example"])
def test_an_envelope_sender_without_room_for_a_token_is_a_mistake(tmp_path: Path, address: str) -> None:
    """Every mail would silently go out without one."""
    text = RIGHT.replace("digest@lab.example", address)

    assert (
        11,
        "bounces.verp",
        "true",
        f"{address} has a + already, or no room for one and a token",
        "give smtp.envelope_from an address with at most 41 characters, none of them a +, before the @",
    ) == one(tmp_path, f'{text}[bounces]\nmaildir = "x"\nverp = true')


def test_answers_of_readers_need_a_mailbox_that_is_read(tmp_path: Path) -> None:
    text = RIGHT.replace("[[sources]]", 'feedback = "feedback@lab.example"\n[[sources]]')
    hint = "add a [bounces] table that names its mailbox, or remove the key"

    assert (5, "mail.feedback", "feedback@lab.example", "nothing reads what arrives there", hint) == one(tmp_path, text)


def test_an_envelope_sender_of_its_own_may_have_room_where_the_sender_has_none(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    smtp = f'[smtp]\nhost = "m.example"\nenvelope_from = "{"x" * 41}@lab.example"\n'
    text = RIGHT.replace("digest@", "digest+papers@")
    path.write_text(f'{text}{smtp}[bounces]\nmaildir = "x"\nverp = true', encoding="utf-8")

    assert f"{'x' * 41}@lab.example" == load(path, {}).envelope_from
