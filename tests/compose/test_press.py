from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.compose.message import compose
from digest.compose.press import Press
from digest.compose.render import Renderer
from digest.errors import DigestError, TemplateError
from digest.languages.language import available
from digest.model import WEEKDAYS, Digest, Followup, Mail, Match, Missed, Pick, Similar, Trend
from tests.compose.cases import CASES, FIFTY, LETTERHEAD, READER, TALL, USUAL, WIDE
from tests.makers import HOSTILE_TITLE, TODAY, digest, paper, pick, subscriber

if TYPE_CHECKING:
    from pathlib import Path

    from digest.compose.letter import Letterhead
    from digest.compose.styles import Inliner

ANSWERED = replace(LETTERHEAD, feedback="feedback+x@example.org", secret="s")
ARCHIVED = replace(LETTERHEAD, archive_url="https://papers.example.org/x", has_feeds=True)
BOTH = replace(ANSWERED, archive_url=ARCHIVED.archive_url, has_feeds=True)
OTHER_LETTERHEAD = replace(
    LETTERHEAD,
    base_url="",
    archive_url="https://papers.example/a&b",
    reply_to="",
    credits=(),
    user_agent="digest/2.0 <&>",
)

POOL = (
    *(pick.paper for case in ("usual", "hostile", "latex", "world") for pick in CASES[case].digest.picks),
    paper(20, abstract=""),
    paper(21, title="", authors=(), categories=(), sources=(), url="", key="list:x/1"),
    paper(22, title="word " * 100, abstract="A sentence of the abstract. " * 100),
    paper(22, title="The same key, another day", abstract="Other words."),
    paper(23, title="專" * 400, abstract="專。" * 900, ai_summary="= " * 200 + "." * 80),
    paper(24, abstract="." * 200 + " .\n. \x85 " + "=" * 100, ai_summary="=?utf-8?q?x?= . .. \u2028 \u3000"),
)
WORDS = (
    "experts",
    "Sparse Attention",
    "number",
    "",
    "<b>Bold</b>",
    "long",
    r"$\beta$-VAE",
    "专家混合",
    "the",
    "abstract",
)

texts = st.sampled_from(
    ["", "Ada", HOSTILE_TITLE, "王小明", "a" * 100, "=?utf-8?q?x?=", "words " * 30, ".", "{{ 7 * 7 }}"]
)
counts = st.none() | st.integers(0, 5000)
picks = st.builds(
    Pick,
    paper=st.sampled_from(POOL),
    part=st.sampled_from(["for_you", "trending"]),
    matches=st.lists(
        st.builds(
            Match,
            keyword=texts,
            fields=st.just(("title",)),
            words=st.lists(st.sampled_from(WORDS), max_size=3).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
    trend=st.builds(
        Trend, upvotes=counts, upvotes_change=counts, stars=counts, change_days=st.sampled_from([None, 1, 3])
    ),
    why=texts,
    summary=st.sampled_from(["", "We study it.", HOSTILE_TITLE, "= . " * 200]),
    summary_by=st.sampled_from(["extract", "AI"]),
    similar=st.lists(st.builds(Similar, st.sampled_from(["doi:10.1/x", "list:x/1"]), texts, texts), max_size=2).map(
        tuple
    ),
    thumbnail=st.sampled_from([None, WIDE, TALL, replace(WIDE, name="c0", data=WIDE.data * 800)]),
)
digests = st.builds(
    Digest,
    subscriber=st.builds(
        subscriber,
        st.sampled_from(["ada@example.org", "zoë@bücher.de", "b+c@example.org"]),
        name=texts,
        keywords=st.lists(texts, max_size=15).map(tuple),
        layout=st.sampled_from(["full", "compact"]),
        language=st.sampled_from(available()),
        images=st.sampled_from(["none", "linked", "embedded"]),
        token=st.sampled_from(["", "t0", "a/b?c=d", "x" * 64, "Zm9yIHRoZSByZWFkZXI_-w"]),
        frequency=st.sampled_from(["daily", "weekdays", "weekly"]),
        days=st.sampled_from([WEEKDAYS, WEEKDAYS[:3]]),
        min_score=st.sampled_from([0.2, 0.05]),
    ),
    local_date=st.sampled_from([TODAY, TODAY.replace(day=16)]),
    planned_at=st.just(USUAL.planned_at),
    # fifty that are like some of them: what is given up for size is given up in every layout and language
    picks=st.lists(picks, max_size=12).flatmap(
        lambda some: st.sampled_from([*[tuple(some)] * 9, tuple(some * 50)[:50]])
    ),
    missed=st.lists(st.builds(Missed, key=st.just("url:x"), title=texts, url=st.just(""), why=texts), max_size=2).map(
        tuple
    ),
    followups=st.lists(st.builds(Followup, st.just("doi:10.1/x"), texts, texts, texts), max_size=2).map(tuple),
    considered=st.integers(0, 3000),
    matched=st.integers(5, 3000) | st.just(0),
    seen_before=st.sampled_from([0, 5]),
)


@cache
def renderer(inliner: Inliner) -> Renderer:
    return Renderer(inliner=inliner)


@cache
def press(letterhead: Letterhead, inliner: Inliner) -> Press:
    """One for all examples of a test, so that what is kept of one mail meets the next."""
    return Press(letterhead, renderer(inliner))


def whole(digest: Digest, letterhead: Letterhead = LETTERHEAD, inliner: Inliner = "premailer") -> Mail:
    return replace(compose(digest, letterhead, renderer(inliner)), text="", html="")


@given(
    digest=digests,
    letterhead=st.sampled_from([LETTERHEAD, OTHER_LETTERHEAD, ANSWERED, ARCHIVED, BOTH]),
    inliner=st.sampled_from(["premailer", "css-inline"]),
)
@settings(max_examples=120, deadline=None)
def test_a_mail_joined_from_pieces_is_the_mail_rendered_whole(
    digest: Digest, letterhead: Letterhead, inliner: Inliner
) -> None:
    assert "" == press(letterhead, inliner).hindrance
    assert whole(digest, letterhead, inliner) == press(letterhead, inliner).compose(digest)


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_kept_mail_is_printed_to_the_byte(name: str) -> None:
    case = CASES[name]
    first, second = (press(case.letterhead, case.inliner).compose(case.digest) for _ in range(2))

    assert first == second == whole(case.digest, case.letterhead, case.inliner)


def test_a_mail_that_is_too_large_loses_the_same_details() -> None:
    long = [replace(pick, paper=replace(pick.paper, abstract="We count. " * 200)) for pick in FIFTY.picks]
    crowd = replace(FIFTY, picks=(*long, *FIFTY.picks[:30]))

    assert whole(crowd) == press(LETTERHEAD, "premailer").compose(crowd)


def test_a_piece_is_printed_once_for_all_readers() -> None:
    fresh = Press(LETTERHEAD, renderer("css-inline"))
    fresh.compose(USUAL)
    printed = fresh.printed
    fresh.compose(replace(USUAL, subscriber=subscriber("emmy@example.org", name="Emmy", keywords=("other",))))

    assert printed == fresh.printed


def test_however_many_papers_there_are_those_shown_to_many_are_printed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digest.compose.press._NUMBERED", 60)
    monkeypatch.setattr("digest.compose.press._SHOWN", 8)
    fresh = Press(LETTERHEAD, renderer("css-inline"))
    popular, prints = paper(1), []
    for number in range(2, 30):
        before = fresh.printed
        fresh.compose(digest(pick(1, paper=popular), pick(number)))
        prints.append(fresh.printed - before)

    # title, body and reasons of the other paper
    assert {3} == set(prints[1:])


def marked(mail: Mail, text: str) -> bool:
    """True if this text is marked in the HTML; only for texts that quoted-printable leaves alone."""
    return f">{text}</b>".encode() in mail.data.replace(b"=\r\n", b"")


def test_one_readers_marks_are_not_another_readers() -> None:
    fresh = Press(LETTERHEAD, renderer("css-inline"))
    number, study = (
        fresh.compose(digest(pick(1, matches=(Match(word, ("abstract",), words=(word,)),)), subscriber=READER))
        for word in ("number", "study")
    )

    assert (True, False) == (marked(number, "number"), marked(number, "study"))
    assert (False, True) == (marked(study, "number"), marked(study, "study"))


def test_a_paper_that_changed_is_printed_anew() -> None:
    fresh = Press(LETTERHEAD, renderer("css-inline"))
    for abstract in ("First words.", "Second words.", "First words."):
        mail = fresh.compose(digest(pick(1, paper=paper(1, abstract=abstract))))

        assert abstract.encode() in mail.data


def test_only_the_bytes_of_a_printed_mail_are_made() -> None:
    mail = press(LETTERHEAD, "css-inline").compose(USUAL)

    assert ("", "") == (mail.text, mail.html)


# --- templates of one's own -------------------------------------------------------------------------------------


def own(folder: Path, **templates: str) -> Renderer:
    """A renderer with a user's folder; `paper_html="…"` is the file `mail/paper.html`."""
    (folder / "mail").mkdir(exist_ok=True)
    for name, source in templates.items():
        (folder / "mail" / name.replace("_", ".")).write_text(source, encoding="utf-8")
    return Renderer(folder, inliner="css-inline")


def test_a_piece_of_ones_own_is_printed_once_too(tmp_path: Path) -> None:
    renderer = own(
        tmp_path, paper_html='<p class="mine">{{ card.authors }}</p>\n', paper_txt="By {{ card.authors }}\n\n\n"
    )
    printer = Press(LETTERHEAD, renderer)

    assert "" == printer.hindrance
    assert b"By Ines Castellanos" in printer.compose(USUAL).data
    assert replace(compose(USUAL, LETTERHEAD, renderer), text="", html="") == printer.compose(USUAL)


def test_comments_of_ones_own_are_no_gaps(tmp_path: Path) -> None:
    renderer = own(tmp_path, digest_html=WHOLE.format(style="", body="<!--part 1-->\n<!-- x -->\n" + CARDS))

    assert "" == Press(LETTERHEAD, renderer).hindrance
    assert b"<!--part 1-->" in Press(LETTERHEAD, renderer).compose(USUAL).data


WHOLE = "<!DOCTYPE html>\n<html>\n<head>{style}</head>\n<body>\n{body}</body>\n</html>\n"
CARDS = (
    "{% for card in letter.for_you + letter.trending %}\n<div>\n"
    '{% include "mail/title.html" %}\n{% include "mail/paper.html" %}\n</div>\n{% endfor %}\n'
)


@pytest.mark.parametrize(
    ("templates", "reason"),
    [
        ({"digest_html": WHOLE.format(style="", body="<p>{{ letter.reader }}</p>")}, "the page itself shows 'reader'"),
        ({"digest_txt": "{{ letter.keywords | default('none') }}"}, "the page itself shows 'keywords'"),
        (
            {"digest_txt": "{% for card in letter.for_you %}{{ card.title }}{% endfor %}"},
            "the page itself shows 'title'",
        ),
        (
            {"digest_html": WHOLE.format(style="<style>div + div { color: red }</style>", body=CARDS)},
            "selectors that look",
        ),
        ({"digest_html": WHOLE.format(style="", body=CARDS.replace("<div>\n", "<div>"))}, "does not end with its line"),
        ({"digest_html": WHOLE.format(style="", body='{% include "mail/head.html" %}' * 2)}, "included twice"),
        ({"title_html": "{{ card.title }}"}, "does not end with its line"),
        ({"title_html": "<b>{{ card.title }}\n"}, "opens <b> and does not close it"),
        ({"title_html": "</td>{{ card.title }}\n"}, "closes <td> and did not open it"),
        ({"title_html": "{{ card.title }} {{ card.why }}\n"}, "has no attribute 'why'"),
        ({"title_txt": "{{ card.title }} {{ card.why is defined }}\n"}, "is not the sample rendered whole"),
        ({"title_txt": "{{ card.title }}"}, "does not end with its line"),
    ],
)
def test_templates_that_cannot_be_taken_apart_are_rendered_whole(
    tmp_path: Path, templates: dict[str, str], reason: str
) -> None:
    renderer = own(tmp_path, **templates)
    printer = Press(LETTERHEAD, renderer)

    assert reason in printer.hindrance
    assert compose(USUAL, LETTERHEAD, renderer) == printer.compose(USUAL)


def test_templates_that_are_wrong_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="has no attribute 'titel'"):
        Press(LETTERHEAD, own(tmp_path, title_html="{{ card.titel }}\n"))


def test_a_piece_that_fails_for_one_reader_costs_that_mail_only(tmp_path: Path) -> None:
    renderer = own(tmp_path, reader_txt="{{ 1 / (letter.reader | length - 15) }}\n")
    printer = Press(LETTERHEAD, renderer)

    assert "" == printer.hindrance
    with pytest.raises(TemplateError, match="division by zero"):
        printer.compose(digest(pick(1), subscriber=subscriber("ada@example.org")))
    assert printer.compose(digest(pick(1), subscriber=subscriber("emmy@example.org"))).data


def test_what_only_shows_in_a_later_mail_is_rendered_whole(tmp_path: Path) -> None:
    """The samples have a short title each, so the trial cannot see that a long one leaves its line open."""
    renderer = own(tmp_path, title_html="{{ card.title }}{% if card.title | length < 200 %}\n\n{% endif %}")
    printer = Press(LETTERHEAD, renderer)
    long = digest(pick(1, paper=paper(1, title="word " * 50)))

    assert "" == printer.hindrance
    assert compose(long, LETTERHEAD, renderer) == printer.compose(long)


def test_an_address_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(DigestError, match="is not a mail address"):
        press(LETTERHEAD, "css-inline").compose(digest(pick(1), subscriber=subscriber("a@b.org,c@d.org")))
