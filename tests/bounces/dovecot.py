"""A real IMAP server for tests: our own Dovecot with a private configuration, on free ports of 127.0.0.1.

Nothing of the system's Dovecot is read, written or started. Skipped with the reason where it is missing.
"""

from __future__ import annotations

import getpass
import grp
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from base64 import b64encode
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "bounces@example.org"
#: with what quoting could get wrong
PASSWORD = 'pass "word\\ é'
#: seconds for the server to answer for the first time
_TIMEOUT_S = 20.0

# what Dovecot 2.4 renamed (https://doc.dovecot.org/2.4.0/installation/upgrade/2.3-to-2.4.html)
_BEFORE_2_4 = """
mail_location = maildir:{folder}/mail
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.pem
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail
}}
"""
#: begins with the versions, as it must
_SINCE_2_4 = """dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
mail_driver = maildir
mail_path = {folder}/mail
# no keyword of its own on mails without attachments, as newer ones of 2.4 set it
mail_attachment_detection_options =
ssl_server_cert_file = {folder}/server.pem
ssl_server_key_file = {folder}/server.pem
passdb passwd-file {{
  passwd_file_path = {folder}/users
}}
userdb static {{
  fields {{
    uid = {user}
    gid = {group}
    home = {folder}/mail
  }}
}}
"""


@dataclass(frozen=True)
class Dovecot:
    """A running server with one account."""

    tls_port: int
    starttls_port: int
    ca_file: str
    #: the account's Maildir; mail put into its `new` has arrived
    maildir: Path
    process: subprocess.Popen[bytes]

    def drop_connections(self) -> None:
        """End the processes that talk to clients, as a crash or a restart would."""
        for process in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            # some are done with their work just now
            with suppress(FileNotFoundError, ProcessLookupError):
                if Path(f"/proc/{process}/comm").read_text().startswith("imap"):
                    os.kill(int(process), signal.SIGKILL)


@contextmanager
def dovecot() -> Iterator[Dovecot]:
    """A server with an empty mailbox."""
    program = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("Dovecot is not installed (Debian packages dovecot-core and dovecot-imapd)")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    with tempfile.TemporaryDirectory(prefix="digest-imap-", dir="/tmp") as name:  # its sockets need a short path
        folder = Path(name)
        folder.chmod(0o755)
        tls_port, starttls_port = _free_port(), _free_port()
        _configure(folder, tls_port, starttls_port, _BEFORE_2_4 if version.startswith("2.3.") else _SINCE_2_4)
        command = [program, "-F", "-c", str(folder / "dovecot.conf")]
        with (folder / "out").open("wb") as out, subprocess.Popen(command, stderr=out) as process:
            server = Dovecot(tls_port, starttls_port, str(folder / "ca.pem"), folder / "mail", process)
            try:
                _wait(server, folder)
                yield server
            finally:
                process.terminate()


def _configure(folder: Path, tls_port: int, starttls_port: int, dialect: str) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    for part in ("new", "cur", "tmp"):
        (folder / "mail" / part).mkdir(parents=True)
    if os.geteuid() == 0:  # Dovecot gives up root before it touches a mailbox
        user, login, chroot = "nobody", "dovenull", ""
        for path in [folder / "mail", *(folder / "mail").iterdir()]:
            shutil.chown(path, user, "nogroup")
        group = "nogroup"
    else:
        user = login = getpass.getuser()
        group, chroot = grp.getgrgid(os.getgid()).gr_name, "chroot ="
    encoded = b64encode(PASSWORD.encode()).decode()
    (folder / "users").write_text(f"{USER}:{{PLAIN.B64}}{encoded}\n")
    configuration = f"""{dialect.format(folder=folder, user=user, group=group)}
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = 1
ssl = required
auth_mechanisms = plain
auth_failure_delay = 0
service imap-login {{
  {chroot}
  inet_listener imap {{
    port = {starttls_port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  {chroot}
  # no seconds of waiting after a wrong password
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  {chroot}
}}
"""
    (folder / "dovecot.conf").write_text(configuration)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait(server: Dovecot, folder: Path) -> None:
    deadline = time.monotonic() + _TIMEOUT_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", server.tls_port), timeout=1).close()
        except OSError:
            assert server.process.poll() is None, (folder / "out").read_text()
            assert time.monotonic() < deadline, "Dovecot does not answer"
            time.sleep(0.02)
        else:
            return
