"""A name server on the loopback, over UDP, that knows TXT records and nothing else.

with dns_server({"example.org": ["v=spf1 -all"]}) as server:
    ...  # ask 127.0.0.1:server.port
"""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass
class DnsServer:
    """What it listens on, and every name that it was asked for, without a dot at the end."""

    port: int
    asked: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


@contextmanager
def dns_server(records: Mapping[str, Sequence[str]], *, rcode: int = dns.rcode.NOERROR) -> Iterator[DnsServer]:
    """Serves TXT records, of any length, by name; with an `rcode` other than NOERROR, nothing but that.

    A name without any is there all the same; other names are not.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        server = DnsServer(listening.getsockname()[1])

        def serve() -> None:
            while True:
                data, peer = listening.recvfrom(4096)
                if not data:
                    return
                listening.sendto(_answer(data, records, rcode, server.asked), peer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server
        finally:
            listening.sendto(b"", ("127.0.0.1", server.port))
            thread.join()


def _answer(data: bytes, records: Mapping[str, Sequence[str]], rcode: int, asked: list[str]) -> bytes:
    query = dns.message.from_wire(data)
    name = query.question[0].name
    asked.append(name.to_text(omit_final_dot=True))
    answer = dns.message.make_response(query, recursion_available=True)
    texts = records.get(asked[-1])
    if rcode != dns.rcode.NOERROR:
        answer.set_rcode(dns.rcode.Rcode(rcode))
    elif texts:
        strings = [" ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255)) for text in texts]
        answer.answer.append(dns.rrset.from_text_list(name, 300, "IN", "TXT", strings))
    elif texts is None:
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer.to_wire()
