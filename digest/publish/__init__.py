"""The room beside the mail: papers → pages, feeds, bibliographies, lists. Pure: bytes come out, nothing is written.

It shows papers as the mails do, by the cards of `compose`.
"""
