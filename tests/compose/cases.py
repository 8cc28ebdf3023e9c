"""The mails kept as golden files: one name, one digest, one letterhead each. All papers are invented."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from itertools import cycle
from typing import TYPE_CHECKING, Any

from digest.answer import line
from digest.compose.invitation import Way
from digest.compose.letter import Letterhead
from digest.curate.reasons import why
from digest.languages.language import language
from digest.model import Digest, Followup, Match, Missed, Similar, Thumbnail, Trend
from tests.makers import HOSTILE_TITLE, NOW, digest, paper, pick, subscriber

if TYPE_CHECKING:
    from digest.compose.styles import Inliner
    from digest.model import Images, Pick

LETTERHEAD = Letterhead(
    from_address="Paper digest <digest@papers.example.org>",
    reply_to="librarian@example.org",
    envelope_from="bounces@papers.example.org",
    base_url="https://papers.example.org",
    unsubscribe_mailto="leave@papers.example.org",
    user_agent="digest/1.0",
    credits=(("arXiv", "https://arxiv.org/"), ("Hugging Face", "https://huggingface.co/papers")),
    operator="librarian@example.org",
)
TOKEN = "p4Zq9sLr2VxT7mKd"
READER = subscriber(token=TOKEN, keywords=("mixture of experts", "sparse attention", "title:routing"))


@dataclass(frozen=True)
class Case:
    digest: Digest
    letterhead: Letterhead = LETTERHEAD
    inliner: Inliner = "premailer"


SIMILAR = (
    Similar(
        "arxiv:2609.00041", "Hashing Tokens to Experts, and Why It Works at All", "https://arxiv.org/abs/2609.00041"
    ),
    Similar("arxiv:2608.00042", "Kernels for $O(n \\log n)$ Attention over Very Long Documents of Many Authors", ""),
    Similar("list:x/1", "Attention on a Timetable", ""),
)


def matched(number: int, keyword: str, words: tuple[str, ...], /, why: str = "", **fields: Any) -> Pick:
    trend, similar = fields.pop("trend", Trend()), fields.pop("similar", ())
    match = Match(keyword, ("title", "abstract"), words=words, score=1.0)
    return pick(number, paper=paper(number, **fields), matches=(match,), trend=trend, why=why, similar=similar)


def trending(number: int, /, **fields: Any) -> Pick:
    trend = fields.pop("trend")
    return pick(number, paper=paper(number, **fields), part="trending", trend=trend, why=f"▲ {trend.upvotes}")


def usual() -> tuple[Pick, ...]:
    routing = matched(
        1,
        "mixture of experts",
        ("Mixture-of-Experts", "mixtures of experts", "experts"),
        why="“mixture of experts” in title and abstract; ▲ 142 (+84 since yesterday)",
        title="Quiet Routers: Why Most Tokens in a Mixture-of-Experts Layer Do Not Care Where They Go",
        abstract="Routing is widely held to be what makes sparse models work. We replace the learned router of "
        "mixtures of experts between 1 and 40 billion parameters by a fixed hash for 80% of all tokens and lose less "
        "than 0.3 points on eleven benchmarks. The remaining tokens, mostly rare verbs, numerals and brackets, "
        "explain nearly all of the gain that learned routing brings. A router that only looks at these is four times "
        "smaller and balances its load without an auxiliary loss. We release checkpoints, routing traces of two "
        "trillion tokens, and a small tool that shows which tokens care. Further experiments with vision models "
        "suggest that the finding is not limited to text.",
        authors=("Ines Castellanos", "Tomasz Wróbel", "Adaeze Nwosu", "Kenji Morita", "Lena Vogt", "Olu Bello"),
        organization="University of Lagos",
        version=1,
        categories=("cs.LG", "cs.CL"),
        sources=("arxiv", "huggingface"),
        ai_summary="A fixed hash can replace most of a learned expert router with almost no loss in quality.",
        code_url="https://github.com/example/quiet-routers",
        project_url="https://quiet-routers.example.org/",
        pdf_url="https://arxiv.org/pdf/2609.00001",
        discussion_url="https://huggingface.co/papers/2609.00001",
        trend=Trend(0.9, 142, 84, 12, 1234, 310, change_days=1),
        similar=SIMILAR[:1],
    )
    attention = matched(
        2,
        "sparse attention",
        ("Sparse Attention", "sparse attention"),
        why="“sparse attention” in title and abstract",
        title="Sparse Attention Is a Scheduling Problem",
        abstract="We cast block-sparse attention as interval scheduling and show that the greedy algorithm known since "
        "the sixties is optimal for causal masks. A kernel of 200 lines reaches 91% of the memory bandwidth. On "
        "documents of a million tokens, sparse attention scheduled this way is 2.7 times faster than the best "
        "hand-written mask, and it needs no tuning when the hardware changes.",
        authors=("Mirela Popescu", "Jón Sigurðsson"),
        categories=("cs.DC", "cs.LG"),
        pdf_url="https://arxiv.org/pdf/2609.00002",
        similar=SIMILAR[1:],
    )
    update = matched(
        3,
        "title:routing",
        ("Routing",),
        why="“title:routing” in title",
        title="Routing Bicycles through a City that Changes Its Mind",
        abstract="Short papers have short abstracts.",
        authors=("Amélie Dubois",),
        version=3,
        announce="replace",
        categories=("cs.RO",),
    )
    others = (
        trending(
            4,
            title="A Field Guide to Benchmarks Nobody Finished Reading",
            abstract="We read the appendices of 412 benchmark papers. In 61 of them the test set is described there "
            "for the first time. We describe seven species of omission, and how to recognise each in the wild.",
            authors=("Priya Raman", "Sean O'Leary", "王小明"),
            sources=("huggingface",),
            categories=(),
            discussion_url="https://huggingface.co/papers/2609.00004",
            trend=Trend(1.0, 311, 120, 44, None, None, change_days=3),
        ),
        trending(
            5,
            title="Teaching Small Models to Say “I Am Not Sure”",
            abstract="Models of 100 million parameters can learn to abstain. We show how, and when they should.",
            authors=("Fatima Zahra El Idrissi", "Marek Novák"),
            sources=("huggingface", "arxiv"),
            code_url="https://github.com/example/not-sure",
            trend=Trend(0.7, 57, None, 0, 86_199, None),
        ),
    )
    return (routing, attention, update, *others)


MISSED = (
    Missed("arxiv:2609.00021", "Experts in the Loop", "https://arxiv.org/abs/2609.00021", "below your 10 papers"),
    Missed(
        "arxiv:2609.00022",
        "Hash Layers for Speech with $k$-Means Codebooks",
        "https://arxiv.org/abs/2609.00022",
        "score 0.12 under your floor 0.2",
    ),
)

FOLLOWUPS = (
    Followup(
        "arxiv:2608.00031",
        "A Proof that Was Too Short",
        "https://arxiv.org/abs/2608.00031",
        "withdrawn due to a gap in the proof of Lemma 2",
    ),
    Followup(
        "arxiv:2608.00032",
        "Experts on a Budget of $10^3$ Tokens",
        "https://arxiv.org/abs/2608.00032",
        "accepted at NeurIPS 2026; code appeared: github.com/example/budget; version 2: adds ablations",
    ),
    Followup("arxiv:2608.00033", "Slow Attention", "", "200 more votes since it was sent: ▲ 311"),
)

USUAL = digest(*usual(), subscriber=READER, missed=MISSED, followups=FOLLOWUPS, considered=312, matched=14)

_WEEKLY = replace(READER, frequency="weekly", days=("tue",))
#: the longest that there can be in a weekly mail
WEEKLY_MISSED = (
    *MISSED,
    *(
        Missed(
            f"arxiv:2609.000{number}",
            f"What Everybody Reads, Part {number}",
            f"https://arxiv.org/abs/2609.000{number}",
            f"everybody reads it: ▲ {number} (+{number - 20} in 6 days); first seen 6 days ago",
        )
        for number in range(60, 52, -1)
    ),
)
WEEKLY = replace(USUAL, subscriber=_WEEKLY, missed=WEEKLY_MISSED, considered=1204, matched=31)
QUIET = digest(subscriber=READER, missed=MISSED[1:], considered=312, matched=14, seen_before=9)

HOSTILE = digest(
    matched(
        1,
        HOSTILE_TITLE,
        ("<b>Bold</b>", "long", ""),
        why=HOSTILE_TITLE,
        title=HOSTILE_TITLE,
        abstract=HOSTILE_TITLE * 3,
        authors=(HOSTILE_TITLE, "\r\nBcc: victim@example.org", "\x00", "Robert'); DROP TABLE paper;--", "{{ 7 * 7 }}"),
        organization=HOSTILE_TITLE,
        url='javascript:alert("landing")',
        code_url='https://example.org/"><script>alert(1)</script>?a=1&b=2',
        project_url="data:text/html,<script>alert(1)</script>",
        pdf_url="https://arxiv.org@evil.example/pdf",
        ai_summary=HOSTILE_TITLE,
        similar=(Similar("url:z", HOSTILE_TITLE, "javascript:alert(1)"),),
        sources=(HOSTILE_TITLE, "arxiv"),
        categories=(HOSTILE_TITLE,),
    ),
    pick(2, paper=paper(2, title="\u202e\u200b\x00", abstract="{% raw %}{{ letter.reader }} --=_digest", authors=())),
    subscriber=subscriber(name=HOSTILE_TITLE, keywords=(HOSTILE_TITLE, "<i>"), token=TOKEN),
    missed=(Missed("url:x", HOSTILE_TITLE, "javascript:alert(1)", HOSTILE_TITLE),),
    followups=(Followup("url:y", HOSTILE_TITLE, "javascript:alert(1)", HOSTILE_TITLE),),
)

LATEX = digest(
    matched(
        1,
        "beta-VAE",
        (r"$\beta$-VAE",),
        title=r"A $\beta$-VAE that Learns $k$ Factors in $O(n\log n)$ Time for $5 per Run",
        abstract=r"We gain 10\% (not 5% & not #1) over S^2FT with $\mathcal{L}_{\text{KL}} \leq 10^{-3}$ when "
        r"$x\in\mathbb{R}^d$. Our \textbf{simple} method, \ours, costs $20 to $30 and uses ``free'' data -- all of it.",
        authors=(r"Andr\'e Lima", r"G{\"u}nther Wei{\ss}", r"Micha{\l} \'Sliwa"),
    ),
    subscriber=READER,
)

WORLD = digest(
    matched(
        1,
        "专家混合",
        ("专家混合",),
        title="专家混合 模型的稀疏路由：一种新的负载均衡方法",
        abstract="本文提出一种新的路由方法。实验表明，该方法在多个数据集上优于现有方法。" * 12,
        authors=("王小明", "李华", "鈴木一郎", "김민준", "Nguyễn Thị Minh Khai"),
        organization="清华大学",
    ),
    pick(
        2,
        paper=paper(
            2,
            title="نموذج لغوي صغير للغة العربية (Small Arabic LM)",
            abstract="נציג שיטה חדשה. می‌خواهم مدل‌های کوچک بسازم.",
            authors=("محمد الأمين", "רחל כהן", "زهرا میرزایی"),
        ),
    ),
    subscriber=subscriber("zoë@example.org", name="زهرا میرزایی 王小明", token=TOKEN),
)

FIFTY = digest(
    *(
        matched(
            number,
            "number",
            ("Number",),
            why="“number” in the title",
            title=f"On the Number {number}, and on Everything that Can Be Said about It",
            abstract=f"We study the number {number} and find it to be a number among numbers. " * 12,
            code_url=f"https://github.com/example/number-{number}",
            trend=Trend(0.1, number, 1, number, number, 1, change_days=1),
        )
        for number in range(1, 51)
    ),
    subscriber=READER,
    considered=1204,
    matched=77,
)

ONLY_TRENDING = digest(
    *(pick for pick in usual() if pick.part == "trending"),
    subscriber=subscriber(keywords=(), token=TOKEN),
    considered=312,
    matched=0,
)

COMPACT = replace(USUAL, subscriber=replace(READER, layout="compact"))

ASKED_AT = NOW
#: who is asked whether they want mail, by the name of that mail
INVITED = {
    "confirmation": subscriber(
        token=TOKEN,
        keywords=("mixture of experts", 'title:lora^2 AND ("low rank" OR adapters)', 'author:"Yann LeCun"', "-medical"),
        at=time(7, 30),
        timezone="Europe/Berlin",
        asked_at=ASKED_AT,
    ),
    "confirmation-world": subscriber(
        "zoë@example.org", name="زهرا میرزایی 王小明", keywords=("专家混合", "نموذج"), token=TOKEN
    ),
    "confirmation-german": subscriber(
        token=TOKEN, keywords=("mixture of experts",), days=("mon", "thu"), language="de", asked_at=ASKED_AT
    ),
    "confirmation-hostile": subscriber(
        name=HOSTILE_TITLE, keywords=(HOSTILE_TITLE, "<i>", "{{ 7 * 7 }}", "x" * 300), trending=0, token=TOKEN
    ),
}
#: how they say yes
WAY = Way(
    "feedback@example.org",
    line("confirm", "20260915T060000Z", TOKEN, secret="a secret of the tests"),
    days=14,
)
#: four grey pixels, said to be more
GREY = (
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqm"
    "x5moq6T/wAALCAACAAIBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAABv/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AQv/Z"
)
WIDE, TALL = Thumbnail("a7c1e5f0", 320, 172, GREY), Thumbnail("b8d2f6a1", 151, 240, GREY)


def illustrated(digest: Digest, *thumbnails: Thumbnail | None, images: Images = "embedded") -> Digest:
    """The digest with these pictures, in turn, for a reader who wants them so."""
    picks = zip(digest.picks, cycle(thumbnails))
    return replace(
        digest,
        subscriber=replace(digest.subscriber, images=images),
        picks=tuple(replace(pick, thumbnail=thumbnail) for pick, thumbnail in picks),
    )


def spoken(digest: Digest, code: str, missed: tuple[str, ...], news: tuple[str, ...] = ()) -> Digest:
    """The digest as it is planned for a reader of a language, who is told why these were missed and what is new."""
    reader = replace(digest.subscriber, language=code)
    picks = [
        replace(pick, why=why(pick.matches, pick.trend if pick.part == "trending" else Trend(), language(code)))
        for pick in digest.picks
    ]
    return replace(
        digest,
        subscriber=reader,
        picks=tuple(picks),
        missed=tuple(replace(one, why=text) for one, text in zip(digest.missed, missed, strict=False)),
        followups=tuple(replace(one, news=text) for one, text in zip(digest.followups, news, strict=False)),
    )


GERMAN_MISSED = ("hinter den besten 10 Artikeln", "Wert 0,12 unter der Schwelle 0,2", "alle lesen es: ▲ 60")
GERMAN_NEWS = (
    "zurückgezogen: due to a gap in the proof of Lemma 2",
    "accepted at NeurIPS 2026; Code ist da: github.com/example/budget; Version 2: adds ablations",
    "200 Stimmen mehr seit der Mail: ▲ 311",
)
CHINESE_MISSED = ("排在前 10 篇之后", "得分 0.12，低于下限 0.2")
CHINESE_NEWS = (
    "已撤稿：due to a gap in the proof of Lemma 2",
    "accepted at NeurIPS 2026；代码已发布：github.com/example/budget；第 2 版：adds ablations",
    "发送后新增 200 票：▲ 311",
)

CASES = {
    "usual": Case(USUAL),
    "usual-css-inline": Case(USUAL, inliner="css-inline"),
    "hostile": Case(HOSTILE),
    "latex": Case(LATEX),
    "world": Case(WORLD),
    "fifty": Case(FIFTY),
    "only-trending": Case(ONLY_TRENDING),
    "compact": Case(COMPACT),
    "embedded": Case(illustrated(USUAL, WIDE, TALL, None)),
    "weekly": Case(WEEKLY),
    "quiet": Case(QUIET),
    "quiet-all-seen": Case(replace(QUIET, missed=(), matched=9)),
    "quiet-no-match": Case(replace(QUIET, missed=(), matched=0, seen_before=0, days=7, subscriber=_WEEKLY)),
    "quiet-no-papers": Case(
        digest(subscriber=subscriber(keywords=(), token=TOKEN, frequency="weekdays"), considered=0, matched=0, days=8)
    ),
    "archive": Case(USUAL, replace(LETTERHEAD, archive_url="https://papers.example.org/archive", has_feeds=True)),
    "german": Case(spoken(USUAL, "de", GERMAN_MISSED, GERMAN_NEWS)),
    "german-quiet": Case(spoken(replace(QUIET, days=8, waiting=True), "de", GERMAN_MISSED[1:])),
    "german-weekly": Case(spoken(WEEKLY, "de", GERMAN_MISSED)),
    "chinese": Case(spoken(USUAL, "zh", CHINESE_MISSED, CHINESE_NEWS)),
    "chinese-quiet": Case(spoken(replace(QUIET, days=8, waiting=True), "zh", CHINESE_MISSED[1:])),
    "answers": Case(USUAL, replace(LETTERHEAD, feedback="feedback@example.org", secret="a secret of the tests")),
    "no-web-pages": Case(USUAL, replace(LETTERHEAD, base_url="", unsubscribe_mailto="", reply_to="", operator="")),
}

#: when the operator's mail of the tests is written
NOTICE_AT = datetime(2026, 9, 15, 18, 30, tzinfo=UTC)
