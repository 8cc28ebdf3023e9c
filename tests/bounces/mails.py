"""Mails that come back, invented, in the shapes of the programs that send them."""

from __future__ import annotations

TOKEN = "Zm9yIHRoZSByZWFkZXI_-w"
MESSAGE_ID = "<2026-09-15.8ec0c3b1fe52edaafc5b@example.org>"
RETURNED = (
    f"Return-Path: <bounces+{TOKEN}@example.org>\n"
    "From: Paper digest <digest@example.org>\n"
    "To: gone@example.net\n"
    f"Message-ID: {MESSAGE_ID}\n"
    "Subject: 15 Sep: A Title\n"
)


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def notification(report: str, *, returned: str = RETURNED, to: str = "bounces@example.org", more: str = "") -> bytes:
    """A delivery status notification (RFC 3464) around the blocks of `report`."""
    return crlf(
        f"From: MAILER-DAEMON@mx.example.net\nTo: {to}\nSubject: Undelivered Mail Returned to Sender\n{more}"
        "Auto-Submitted: auto-replied\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status;\n\tboundary="=_b/1.example"\n\n'
        "This is a MIME-encapsulated message.\n\n"
        "--=_b/1.example\nContent-Type: text/plain; charset=utf-8\n\nSorry.\n\n"
        f"--=_b/1.example\nContent-Type: message/delivery-status\n\n{report}\n"
        f"--=_b/1.example\nContent-Type: text/rfc822-headers\n\n{returned}\n"
        "--=_b/1.example--\n"
    )


EXIM = crlf(
    f"""\
Return-path: <>
Envelope-to: bounces+{TOKEN}@example.org
X-Failed-Recipients: gone@example.net
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.example.com>
To: bounces+{TOKEN}@example.org
Content-Type: multipart/report; report-type=delivery-status; boundary=1789452000-eximdsn-7
MIME-Version: 1.0
Subject: Mail delivery failed: returning message to sender

--1789452000-eximdsn-7
Content-type: text/plain; charset=us-ascii

This message was created automatically by mail delivery software.

  gone@example.net
    host mx.example.net [192.0.2.25]
    SMTP error from remote mail server after RCPT TO:<gone@example.net>:
    550 5.1.1 User unknown

--1789452000-eximdsn-7
Content-type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Action: failed
Final-Recipient: rfc822;gone@example.net
Status: 5.0.0
Remote-MTA: dns; mx.example.net
Diagnostic-Code: smtp; 550 5.1.1 User unknown

--1789452000-eximdsn-7
Content-type: message/rfc822

{RETURNED}
Hello

--1789452000-eximdsn-7--
"""
)

OLD_EXIM = crlf(
    f"""\
Return-path: <>
X-Failed-Recipients: gone@example.net
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.example.com>
To: bounces@example.org
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  gone@example.net
    SMTP error from remote mail server after RCPT TO:<gone@example.net>:
    host mx.example.net [192.0.2.25]: 550 5.1.1
    <gone@example.net>: no such user

------ This is a copy of the message, including all the headers. ------

{RETURNED}
Hello
"""
)

GMAIL = crlf(
    f"""\
Delivered-To: bounces@example.org
Return-Path: <>
Content-Type: multipart/report; boundary="000000000000aaaa"; report-type=delivery-status
To: bounces@example.org
From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>
Auto-Submitted: auto-replied
Subject: Delivery Status Notification (Failure)
References: {MESSAGE_ID}
In-Reply-To: {MESSAGE_ID}
X-Failed-Recipients: gone@gmail.example
Message-ID: <5f60.mailer-daemon@google.example>

--000000000000aaaa
Content-Type: multipart/related; boundary="000000000000bbbb"

--000000000000bbbb
Content-Type: multipart/alternative; boundary="000000000000cccc"

--000000000000cccc
Content-Type: text/plain; charset="UTF-8"

** Address not found **

--000000000000cccc--

--000000000000bbbb--

--000000000000aaaa
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.com
Received-From-MTA: dns; digest@example.org
Arrival-Date: Mon, 14 Sep 2026 23:00:01 -0700 (PDT)
X-Original-Message-ID: {MESSAGE_ID}

Final-Recipient: rfc822; gone@gmail.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; gmail-smtp-in.l.google.example. (192.0.2.26, the server for
 the domain gmail.example.)
Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try
 550-5.1.1 double-checking the recipient's email address for typos or
 550 5.1.1 unnecessary spaces. - gsmtp
Last-Attempt-Date: Mon, 14 Sep 2026 23:00:02 -0700 (PDT)

--000000000000aaaa
Content-Type: message/rfc822

{RETURNED}
----- Message truncated -----

--000000000000aaaa--
"""
)

EXCHANGE = crlf(
    f"""\
From: <postmaster@contoso.example>
To: <bounces@example.org>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="c0ffee00-0000-4000-8000-000000000000"
Content-Language: en-US
In-Reply-To: {MESSAGE_ID}
Subject: Undeliverable: 15 Sep: A Title
Auto-Submitted: auto-replied

--c0ffee00-0000-4000-8000-000000000000
Content-Type: multipart/alternative; differences=Content-Type;
\tboundary="deadbeef-0000-4000-8000-000000000000"

--deadbeef-0000-4000-8000-000000000000
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

Your message to gone@contoso.example couldn't be delivered.

--deadbeef-0000-4000-8000-000000000000--

--c0ffee00-0000-4000-8000-000000000000
Content-Type: message/delivery-status

Reporting-MTA: dns;AM0PR01MB0000.prod.example
Received-From-MTA: dns;mail.example.org
Arrival-Date: Tue, 15 Sep 2026 06:00:01 +0000

Final-Recipient: rfc822;gone@contoso.example
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound;
 Recipient gone@contoso.example not found by SMTP address lookup

--c0ffee00-0000-4000-8000-000000000000
Content-Type: message/rfc822

{RETURNED}
Hello

--c0ffee00-0000-4000-8000-000000000000--
"""
)


def feedback(kind: str = "abuse", more: str = f"Original-Mail-From: <bounces+{TOKEN}@example.org>\n") -> bytes:
    """A complaint (RFC 5965)."""
    return crlf(
        "From: feedback@mail.example.net\nTo: abuse@example.org\nSubject: FW: 15 Sep: A Title\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="arf"\n\n'
        "--arf\nContent-Type: text/plain\n\nThis is an email abuse report.\n\n"
        "--arf\nContent-Type: message/feedback-report\n\n"
        f"Feedback-Type: {kind}\nUser-Agent: SomeGenerator/1.0\nVersion: 1\n{more}"
        "Original-Rcpt-To: <gone@example.net>\nArrival-Date: Tue, 15 Sep 2026 06:00:01 +0000\n\n"
        f"--arf\nContent-Type: message/rfc822\n\n{RETURNED}\nHello\n\n"
        "--arf--\n"
    )


VACATION = crlf(
    f"""\
From: Ada <gone@example.net>
To: bounces+{TOKEN}@example.org
Subject: Out of office: 550 5.1.1 unsubscribe {TOKEN}
Auto-Submitted: auto-replied
In-Reply-To: {MESSAGE_ID}
Precedence: bulk

I am away until 550 5.1.1 October.
"""
)


LETTER = crlf("From: Ada <ada@example.net>\nTo: bounces@example.org\nSubject: Re: 15 Sep\n\nPlease, one a week!\n")


def unsubscribe(subject: str, more: str = "") -> bytes:
    return crlf(f"From: Ada <ada@example.net>\nTo: people@example.org\n{more}Subject: {subject}\n\nSent by my phone\n")
