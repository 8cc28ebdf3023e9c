"""A real Postfix for tests, which returns what it cannot deliver: our own, private, on a free port of 127.0.0.1.

Its configuration, queue and mailbox lie in a temporary folder; the system's Postfix is not touched. It needs root, as
Postfix does; skipped with the reason otherwise.
"""

from __future__ import annotations

import os
import pwd
import shutil
import smtplib
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_DAEMONS = Path("/usr/lib/postfix/sbin")
_TIMEOUT_S = 20.0

_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.org
mydestination =
local_recipient_maps =
alias_maps =
mynetworks = 127.0.0.0/8
recipient_delimiter = +
virtual_mailbox_domains = example.org
virtual_mailbox_base = {folder}
virtual_mailbox_maps = inline:{{ {{bounces@example.org=mail/}} }}
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
transport_maps = inline:{{ {{example.net=smtp:[127.0.0.1]:{next_port}}} }}
disable_dns_lookups = yes
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
"""


@dataclass(frozen=True)
class Postfix:
    """A running Postfix, which takes mail for `example.net` and hands it to another server."""

    port: int
    #: the Maildir of bounces@example.org and its subaddresses
    maildir: Path

    def send(self, sender: str, recipient: str, message_id: str) -> None:
        text = f"From: digest@example.org\r\nTo: {recipient}\r\nMessage-ID: {message_id}\r\nSubject: x\r\n\r\nHello\r\n"
        with smtplib.SMTP("127.0.0.1", self.port, timeout=10) as client:
            client.sendmail(sender, [recipient], text)

    def wait_for(self, count: int) -> None:
        """Until so many mails have come back."""
        deadline = time.monotonic() + _TIMEOUT_S
        while len(list(self.maildir.glob("new/*"))) < count:
            assert time.monotonic() < deadline, "Postfix returns nothing"
            time.sleep(0.02)


@contextmanager
def postfix(next_port: int) -> Iterator[Postfix]:
    """A Postfix with an empty queue.

    Args:
        next_port: of the server on 127.0.0.1 that gets mail for `example.net`.
    """
    if shutil.which("postfix") is None or not _DAEMONS.is_dir():
        pytest.skip("Postfix is not installed")
    if os.geteuid() != 0:
        pytest.skip("Postfix runs as root only")
    with tempfile.TemporaryDirectory(prefix="digest-postfix-", dir="/tmp") as name:
        folder = Path(name)
        server = Postfix(_free_port(), folder / "mail")
        _configure(folder, server, next_port)
        configuration = str(folder / "conf")
        subprocess.run(["postfix", "-c", configuration, "check"], check=True)  # makes the folders of the queue
        # -s: stay in the foreground; `postfix start-fg` would be a shell between it and us
        with subprocess.Popen([_DAEMONS / "master", "-s", "-c", configuration]) as process:
            try:
                _wait(server.port, folder)
                yield server
            finally:
                process.terminate()


def _configure(folder: Path, server: Postfix, next_port: int) -> None:
    folder.chmod(0o755)
    user = pwd.getpwnam("postfix")
    for part in ("conf", "queue", "data", "mail"):
        (folder / part).mkdir()
    for part in ("new", "cur", "tmp"):
        (folder / "mail" / part).mkdir()
    for path in [folder / "data", folder / "mail", *(folder / "mail").iterdir()]:
        os.chown(path, user.pw_uid, user.pw_gid)
    main = _MAIN.format(folder=folder, daemons=_DAEMONS, uid=user.pw_uid, gid=user.pw_gid, next_port=next_port)
    (folder / "conf" / "main.cf").write_text(main)
    (folder / "conf" / "master.cf").write_text(_MASTER.format(port=server.port))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait(port: int, folder: Path) -> None:
    deadline = time.monotonic() + _TIMEOUT_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            log = folder / "log"
            assert time.monotonic() < deadline, log.read_text() if log.exists() else "Postfix does not answer"
            time.sleep(0.02)
        else:
            return
