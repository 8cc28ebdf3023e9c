"""`digest dkim`: from no key to mails that anybody can verify, with what the commands print and nothing else."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dkim as dkimpy  # type: ignore[import-untyped]
import pytest

from tests.smtp_server import smtp_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Said
    from tests.commands import Place


def entry(said: Said) -> tuple[str, str]:
    """Name and value of the TXT record that a command printed for a form on the web."""
    (name,), (value,) = (re.findall(rf"^  {field} +(.+)$", said.out, flags=re.MULTILINE) for field in ("name", "value"))
    return name, value


def use_key(place: Place, said: Said, *, smtp_port: int | None = None) -> None:
    """Put into the configuration what `digest dkim new` says."""
    (table,) = re.findall(r"^  \[dkim\]\n(?:  .+\n)+", said.out, flags=re.MULTILINE)
    place.configure(smtp_port=smtp_port, more=table)


@pytest.mark.parametrize("option", [(), ("--ed25519",)], ids=["rsa", "ed25519"])
def test_what_the_commands_say_is_all_that_it_takes_to_sign(
    place: Place, cli: Callable[..., Said], option: tuple[str, ...]
) -> None:
    made = cli("dkim", "new", "dkim.pem", *option)
    with smtp_server() as server:
        use_key(place, made, smtp_port=server.port)
        checked, sent, shown = cli("check"), cli("send", "--now", "--pull"), cli("dkim", "show")

    assert [0, 0, 0, 0] == [made.code, checked.code, sent.code, shown.code]
    (mail,) = server.accepted
    name, value = entry(shown)
    assert dkimpy.verify(mail.data, dnsfunc=lambda asked, **_: value.encode() if asked == f"{name}.".encode() else b"")
    assert f"✓ signatures: mails are signed; the key in the DNS is {name} (see digest dkim show)\n" in checked.out
    year = datetime.now(UTC).year
    assert (f"digest{year}._domainkey", f"digest{year}._domainkey.lab.example") == (entry(made)[0], name)
    assert entry(made)[1] == value


def test_a_record_is_also_shown_as_a_line_of_a_zone_file_in_strings_of_255_bytes(
    place: Place, cli: Callable[..., Said]
) -> None:
    use_key(place, cli("dkim", "new", "dkim.pem"))

    shown = cli("dkim", "show")

    name, value = entry(shown)
    (strings,) = re.findall(rf"^  {re.escape(name)}\. IN TXT \( (.*) \)$", shown.out, flags=re.MULTILINE)
    assert [value[:255], value[255:]] == re.findall(r'"([^"]*)"', strings)


def test_a_new_key_is_its_owner_s_alone_and_is_never_printed(place: Place, cli: Callable[..., Said]) -> None:
    said = cli("dkim", "new", "dkim.pem")

    path = place.folder / "dkim.pem"
    assert 0o600 == path.stat().st_mode & 0o777
    assert path.read_text().splitlines()[1] not in said.out + said.err
    assert "PRIVATE KEY" not in said.out + said.err


def test_a_key_is_never_replaced(place: Place, cli: Callable[..., Said]) -> None:
    cli("dkim", "new", "dkim.pem")
    before = (place.folder / "dkim.pem").read_bytes()

    said = cli("dkim", "new", "dkim.pem")

    assert (1, "", "digest: dkim.pem exists already\n  → name another file; keys are never replaced\n") == (
        said.code,
        said.out,
        said.err,
    )
    assert before == (place.folder / "dkim.pem").read_bytes()


def test_where_no_key_can_be_written_the_command_says_so(cli: Callable[..., Said]) -> None:
    said = cli("dkim", "new", "papers.jsonl/dkim.pem")

    assert (1, "") == (said.code, said.out)
    assert "digest: papers.jsonl/dkim.pem: Not a directory\n  → name a file in a folder that you may write to\n" == (
        said.err
    )


def test_without_the_section_there_is_nothing_to_show_and_the_relay_is_left_to_sign(
    place: Place, cli: Callable[..., Said]
) -> None:
    shown, checked = cli("dkim", "show"), cli("check", "--offline")

    assert (1, "") == (shown.code, shown.out)
    assert (
        f"digest: there is no [dkim] section in {place.folder}/config.toml, so nothing is signed here\n"
        "  → make a key, if your relay does not sign: digest dkim new dkim.pem\n"
    ) == shown.err
    assert "✓ signatures: left to the relay, as there is no [dkim] section\n" in checked.out


def test_a_key_that_cannot_be_used_stops_the_run_before_anything_is_sent(
    place: Place, cli: Callable[..., Said]
) -> None:
    use_key(place, cli("dkim", "new", "dkim.pem"))
    (place.folder / "dkim.pem").chmod(0o640)

    said = cli("send", "--now", "--pull")

    assert (2, "") == (said.code, said.out)
    assert f"others can reach the DKIM key {place.folder}/dkim.pem (mode 0640)\n" in said.err
    assert f"  → type: chmod 600 {place.folder}/dkim.pem\n" in said.err
    assert [] == place.mails()
