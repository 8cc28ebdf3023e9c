"""The story: pull what is new, plan who gets what, send it. Decides nothing itself.

    pull.py   collect → curate.intake → state      one transaction: a batch is durable or was never pulled
    plan.py   state → curate.offer → ledger        one row per subscriber and local day
    send.py   ledger → compose → deliver → ledger  claimed before the first byte, settled before the next mail
    sign.py   a mail → the same mail, signed       if the configuration says so, and always with the same bytes
    returns.py  returned mail → readers paused     a bounce is durable before its mail counts as read
    tell.py   verdicts → one short mail to the operator when a whole day brought nothing

A crash between any two steps loses nothing: the next run finds the stored batch, the planned rows and the claims.
Every step ends in verdicts; time comes from the `clock` that the caller gives.
"""
