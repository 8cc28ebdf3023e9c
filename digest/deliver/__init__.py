"""Handing over: a mail becomes a receipt.

outbox.py       where mails come from and receipts go          smtp.py        the relays: who takes over from whom
lane.py         one connection at a time that mends itself     transaction.py mails over an open connection
letter.py       a mail made ready for one server               reply.py       what the server's words mean
relay.py        opening a connection: TLS, EHLO, login         diagnosis.py   why that failed, in words
connection.py   commands out, replies in                       settings.py    how to reach a relay
throttle.py     rates, and pauses a domain asks for            maildir.py     a folder instead of a relay
dkim.py         a signature in front of a mail                 dkim_key.py    the keys that sign
sender_dns.py   what the DNS says of a sender's domain
"""
