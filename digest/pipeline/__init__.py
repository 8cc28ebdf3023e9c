"""The story: pull what is new, plan who gets what, send it. Decides nothing itself.

    pull.py         collect → curate.intake → state      one transaction: a batch is durable or was never pulled
    plan.py         state → curate.offer → ledger        one row per subscriber and local day
    send.py         ledger → compose → deliver → ledger  claimed before the first byte, settled before the next mail
    sign.py         a mail → the same mail, signed       if the configuration says so, and always with the same bytes
    site.py         state → publish → a folder           the archive, made by one process at a time
    similar.py      paper, state → the papers like it    of all that are known, or that a reader was sent
    returns.py      returned mail → readers paused       a bounce is durable before its mail counts as read
    consent.py      one mail that asks → a reader        a question is on record before it leaves
    enrol.py        a list → readers                     one by one as `add` takes them, some hundred in a transaction
    tell.py         verdicts → one short mail to the operator after a day of nothing, or days of failures
    lint.py         a mail as it would be sent → what is wrong with it

What these are made of:

    stars.py        stars of repositories, at the pull   thumbnails.py  pictures of papers, at the pull
    readers.py      everybody who may get mail           profiles.py    what readers brought and said
    semantic.py     a model of words, from a folder      summaries.py   a sentence or two for each pick
    news.py         what became of papers sent before    silence.py     whether it is known that there was nothing
    outbox.py       the mails of a run on their way      clerk.py       what is written down meanwhile
    receipts.py     answers that are kept together       letterhead.py  what all mails have in common
    tally.py        one verdict for each reader          stages.py      where the time of a run goes
    garbage.py      how often Python looks for garbage   folder.py      files are the old ones or the new ones
    archive.py      pages, feeds and an index to search  private.py     what each reader was sent
    records.py      the papers that are published        alike.py       the papers most like one of them
    made.py         what did not change is not made     shelf.py        what all readers share of the papers
    failing.py      which sources fail, and since when   gaps.py         what was not read, and is missing
    backlog.py      mail that waits, since when and why

A crash between any two steps loses nothing: the next run finds the stored batch, the planned rows and the claims.
Every step ends in verdicts; time comes from the `clock` that the caller gives.
"""
