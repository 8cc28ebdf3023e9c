"""Handing over: a mail becomes a receipt.

smtp.py         one connection to the relay that mends itself      maildir.py   a folder instead of a relay
transaction.py  one mail over an open connection                   reply.py     what the server's words mean
relay.py        opening a connection: TLS, EHLO, login             diagnosis.py why that failed, in words
connection.py   commands out, replies in                           settings.py  how to reach the relay
dkim.py         a signature in front of a mail                     dkim_key.py  the keys that sign
"""
