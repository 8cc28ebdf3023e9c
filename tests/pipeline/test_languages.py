"""Every reader's mail in their own language, from one send."""

from __future__ import annotations

from datetime import timedelta
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

from tests.installation import ADA, BOB, CAT, item, reader, recipient
from tests.makers import NOW

if TYPE_CHECKING:
    from email.message import EmailMessage

    from tests.installation import Installation

DAY = timedelta(days=1)


def mails(home: Installation, first: int = 0) -> dict[str, EmailMessage]:
    """The mails but for the first, by reader."""
    return {recipient(data): message_from_bytes(data, policy=policy.default) for data in home.letters()[first:]}


def text(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return " ".join(part.get_content().split())


def test_readers_get_their_mails_of_one_send_each_in_their_language(home: Installation) -> None:
    home.sections["digest"] += '\nlanguage = "zh"'
    home.readers = (reader(ADA, language="de"), reader(BOB, language="en"), reader(CAT))
    home.publish(item(1, title="Mixtures of Experts"))
    home.pull()
    home.send()

    sent = mails(home)
    assert {ADA: "de", BOB: "en", CAT: "zh-Hans"} == {who: mail["Content-Language"] for who, mail in sent.items()}
    assert "15. Sept.: Mixtures of Experts" == sent[ADA]["Subject"]
    assert "15 Sep: Mixtures of Experts" == sent[BOB]["Subject"]
    assert "9月15日：Mixtures of Experts" == sent[CAT]["Subject"]
    for who, why in {ADA: "Warum: „", BOB: "Why: “", CAT: "推荐理由：标题中有“"}.items():
        assert why in text(sent[who])
        assert why in text(sent[who], "html")
    for who, code in {ADA: "de", BOB: "en", CAT: "zh-Hans"}.items():
        assert f'<html lang="{code}">' in text(sent[who], "html")


def test_news_of_papers_are_told_to_each_in_their_language(home: Installation) -> None:
    home.readers = (reader(ADA, language="de"), reader(BOB))
    home.publish(item(1))
    home.pull()
    home.send()
    home.publish(item(1, code="https://github.com/ada/numbers"), item(2))
    home.pull(NOW + DAY)
    home.send(NOW + DAY)

    sent = mails(home, first=2)
    assert "Code ist da: github.com/ada/numbers" in text(sent[ADA])
    assert "code appeared: github.com/ada/numbers" in text(sent[BOB])
