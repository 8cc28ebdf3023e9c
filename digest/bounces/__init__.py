"""What comes back: mails in the mailbox of the envelope sender become bounces, and bounces a reason to pause a reader.

mailbox.py  what a mailbox is: unread mails in order, and marking one as done
maildir.py  a folder as mailbox          imap.py    a mailbox on a server
report.py   one mail → its bounces       entity.py  MIME as far as reports need it, within bounds
bounce.py   one thing that came back
status.py   what a status code says about the reader
answer.py   one mail → what its reader says of a paper
verp.py     an envelope sender for each reader, so that a bounce names them
policy.py   a reader's bounces → a reason to pause, or none

Everything that comes back is written by strangers. A bounce counts only for the reader whose token it came to, or whose
Message-ID it brings back: see `report.reader_of`.
"""
