"""Remembering: papers, readers and what was mailed to whom, in one SQLite file or one PostgreSQL database.

store.py         open_state(url) → State, the door to everything below
papers.py        papers, their identifiers, their signals, what is remembered of sources
news.py          what became of papers after they became known
ledger.py        the truth about mail: plan → claim → settle
history.py       what the ledger tells: rows, and what became of papers
subscribers.py   readers who joined at run time, pauses, unsubscribe tokens
bounces.py       what came back, by reader
feedback.py      what readers said of papers, authors and words
interests.py     papers that readers brought
summaries.py     what machines wrote of papers, and what they were asked
thumbnails.py    small pictures of papers
runs.py          reports and verdicts of past runs
retention.py     forgetting what is no longer needed
transfer.py      export and import, also between the two kinds of database

schema.py        the tables                     database.py   connections and transactions
migrate.py       creating and upgrading         failures.py   driver errors → StateError
codec.py         the model's values ↔ JSON      snapshots.py  digests ↔ JSON, their papers stored once
sending.py       one sender, one daemon         bulk.py       one statement for many rows
"""
