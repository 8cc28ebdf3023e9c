"""Feeds of journals, preprint servers and blogs, well-formed or not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.collect.feed import parse_feed
from digest.model import Paper, Problem, Source, SourceMemory
from tests.collect.feeds import BIORXIV, CAPTCHA, arxiv_entry, arxiv_feed
from tests.collect.net import pull
from tests.http_server import HttpServer, Reply, with_etag

if TYPE_CHECKING:
    from pathlib import Path


def rss(*items: str, head: str = "") -> bytes:
    body = "".join(f"<item>{item}</item>" for item in items)
    return f"<rss version='2.0'><channel><title>Blog</title>{head}{body}</channel></rss>".encode()


def one(data: bytes) -> Paper:
    (paper,), problems = parse_feed(data, source="blog")
    assert () == problems
    return paper


def test_a_biology_preprint_goes_by_its_doi_with_plain_text_and_first_names_first() -> None:
    expected = Paper(
        key="doi:10.1101/2023.02.03.123456",
        title="How Apis mellifera counts.",
        abstract="Bees count < 5 flowers. They stop there.",
        authors=("D. Kukla", "A. Crampton", "R. J. O'Connell"),
        url="http://biorxiv.org/cgi/content/short/2023.02.03.123456v2?rss=1",
        version=2,
        published=datetime(2023, 2, 3, tzinfo=UTC),
        categories=("Zoology",),
        sources=("bio",),
    )
    assert ((expected,), ()) == parse_feed(BIORXIV, source="bio")


@pytest.mark.parametrize(
    ("fields", "key", "aliases"),
    [
        ("<link>https://blog.example/a/?utm_source=rss</link>", "url:https://blog.example/a", ()),
        ("<link>https://arxiv.org/abs/2609.00001v2</link>", "arxiv:2609.00001", ()),
        (
            "<guid>https://huggingface.co/papers/2609.00001</guid><link>https://scraper.example/7</link>",
            "arxiv:2609.00001",
            (),
        ),
        ("<link>https://doi.org/10.1000/ABC</link><guid isPermaLink='false'>10.1000/abc</guid>", "doi:10.1000/abc", ()),
        ("<link>https://blog.example/a</link><guid>tag:blog.example,2026:7</guid>", "url:https://blog.example/a", ()),
        ("<guid isPermaLink='false'>post 7</guid>", "list:blog/post 7", ()),
        ("<link>javascript:alert(1)</link>", "list:blog/On Numbers", ()),
        ("<link>https://spa.example/#/7</link><guid isPermaLink='false'>post 7</guid>", "list:blog/post 7", ()),
        (
            "<link>https://spa.example/#/7</link><guid>https://spa.example/item/7</guid>",
            "url:https://spa.example/item/7",
            (),
        ),
        ("<guid>https://spa.example/#!7</guid>", "list:blog/https://spa.example/#!7", ()),
        ("<link>https://blog.example/a#comments</link>", "url:https://blog.example/a", ()),
        ("", "list:blog/On Numbers", ()),
    ],
)
def test_the_best_identifier_is_the_key(fields: str, key: str, aliases: tuple[str, ...]) -> None:
    found = one(rss(f"<title>On Numbers</title>{fields}"))

    assert (key, aliases) == (found.key, found.aliases)


def test_an_arxiv_id_and_a_doi_in_one_item_are_one_work() -> None:
    found = one(rss("<title>On Numbers</title><link>https://doi.org/10.1000/abc</link><guid>arXiv:2609.00001</guid>"))

    assert ("arxiv:2609.00001", ("doi:10.1000/abc",)) == (found.key, found.aliases)


@pytest.mark.parametrize(
    ("link", "version"),
    [
        ("https://arxiv.org/abs/2609.00001v9999", None),
        ("https://www.biorxiv.org/content/10.1101/2023.02.03.123456v2", 2),
    ],
)
def test_which_version_of_an_arxiv_paper_is_the_newest_only_arxiv_says(link: str, version: int | None) -> None:
    assert version == one(rss(f"<title>On Numbers</title><link>{link}</link>")).version


def test_an_address_that_items_share_identifies_none_of_them() -> None:
    home = "<link>https://journal.example/</link>"
    items = [f"<title>On {name}</title>{home}" for name in ("Numbers", "Letters")]
    items.append(f"<title>On Signs</title>{home}<guid isPermaLink='false'>7</guid>")

    papers, _ = parse_feed(rss(*items), source="blog")

    assert ["list:blog/On Numbers", "list:blog/On Letters", "list:blog/7"] == [paper.key for paper in papers]
    assert {"https://journal.example/"} == {paper.url for paper in papers}


@pytest.mark.parametrize("link", ["https://journal.example/", "http://journal.example?utm_source=rss"])
@pytest.mark.parametrize("others", [0, 1])
def test_the_address_of_the_channel_identifies_no_item_in_whatever_company(others: int, link: str) -> None:
    items = [f"<title>On {n}</title><link>{link}</link><guid isPermaLink='false'>{n}</guid>" for n in range(1 + others)]

    papers, _ = parse_feed(rss(*items, head="<link>https://journal.example/</link>"), source="blog")

    assert [f"list:blog/{n}" for n in range(1 + others)] == [paper.key for paper in papers]


@pytest.mark.parametrize("others", [0, 1])
def test_a_page_of_a_program_in_the_browser_goes_by_its_guid_in_whatever_company(others: int) -> None:
    items = [f"<title>On {n}</title><link>https://spa.example/#/{n}</link><guid>{n}</guid>" for n in range(1 + others)]

    papers, _ = parse_feed(rss(*items), source="blog")

    assert [f"list:blog/{n}" for n in range(1 + others)] == [paper.key for paper in papers]
    assert "https://spa.example/#/0" == papers[0].url


def test_names_that_differ_only_at_their_end_are_two_items() -> None:
    items = [f"<title>On Numbers</title><guid isPermaLink='false'>{'x' * 900}{n}</guid>" for n in range(2)]

    assert 2 == len({paper.key for paper in parse_feed(rss(*items), source="blog")[0]})


def test_an_address_too_long_for_a_key_stays_a_link() -> None:
    address = "https://blog.example/" + "a" * 1_500

    found = one(rss(f"<title>On Numbers</title><link>{address}</link>"))

    assert ("list:blog/On Numbers", address) == (found.key, found.url)


def test_prism_and_dublin_core_name_the_doi() -> None:
    found = one(
        b"""<rdf:RDF xmlns='http://purl.org/rss/1.0/' xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'
        xmlns:prism='http://prismstandard.org/namespaces/basic/2.0/' xmlns:dc='http://purl.org/dc/elements/1.1/'>
        <item rdf:about='https://journal.example/7'><title>On Numbers</title><link>https://journal.example/7</link>
        <dc:creator>Ada Lovelace</dc:creator><dc:creator>Noether, Emmy</dc:creator><dc:date>2026-09-10</dc:date>
        <prism:publicationName>Journal of Numbers</prism:publicationName><prism:doi>10.1000/J.7</prism:doi>
        </item></rdf:RDF>"""
    )

    assert ("doi:10.1000/j.7", ()) == (found.key, found.aliases)
    assert ("Journal of Numbers", ("Ada Lovelace", "Noether, Emmy")) == (found.journal_ref, found.authors)


def test_a_formula_is_no_tag() -> None:
    """The parser's own sanitizer takes everything from `<b` on for a tag, and it away."""
    item = (
        "<title>On Numbers</title><link>https://blog.example/a</link><description>if $a &lt;b$ and 5 > 3</description>"
    )

    assert "if $a <b$ and 5 > 3" == one(rss(item)).abstract


def test_atom_of_a_blog_gives_its_post_for_want_of_a_summary() -> None:
    found = one(
        b"""<feed xmlns='http://www.w3.org/2005/Atom'><title>Lab</title><id>x</id><updated>2026-09-15T00:00:00Z</updated>
        <entry><title type='html'>On &lt;b&gt;Numbers&lt;/b&gt;</title><id>urn:uuid:7</id>
        <link href='https://lab.example/7'/><published>2026-09-14T10:00:00+02:00</published>
        <updated>2026-09-15T00:00:00Z</updated><author><name>Ada Lovelace</name></author><category term='counting'/>
        <content type='html'>&lt;p&gt;We count.&lt;/p&gt;&lt;p&gt;We stop.&lt;/p&gt;</content></entry></feed>"""
    )

    expected = Paper(
        key="url:https://lab.example/7",
        title="On Numbers",
        abstract="We count. We stop.",
        authors=("Ada Lovelace",),
        url="https://lab.example/7",
        published=datetime(2026, 9, 14, 8, tzinfo=UTC),
        categories=("counting",),
        sources=("blog",),
    )
    assert expected == found


def test_an_arxiv_feed_read_as_any_feed_loses_the_head_of_its_abstracts() -> None:
    assert "We count." == one(arxiv_feed(arxiv_entry())).abstract


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Tue, 15 Sep 2026 06:00:00 +0200", datetime(2026, 9, 15, 4, tzinfo=UTC)),
        ("Tue, 15 Sep 2026 06:00:00 EST", datetime(2026, 9, 15, 11, tzinfo=UTC)),
        ("2026-6-30", datetime(2026, 6, 30, tzinfo=UTC)),
        ("15 Sep 2026", datetime(2026, 9, 15, tzinfo=UTC)),
        ("2026", None),
        ("2026-09", None),
        ("soon", None),
        ("", None),
    ],
)
def test_dates_as_feeds_write_them(date: str, expected: datetime | None) -> None:
    item = f"<title>On Numbers</title><link>https://blog.example/a</link><pubDate>{date}</pubDate>"

    assert expected == one(rss(item)).published


def test_an_author_without_a_name_is_no_author() -> None:
    item = "<title>On Numbers</title><link>https://blog.example/a</link>"

    assert () == one(rss(f"{item}<author>ada@example.org</author>")).authors
    assert ("Ada Lovelace",) == one(rss(f"{item}<author>ada@example.org (Ada Lovelace)</author>")).authors


@pytest.mark.parametrize("letters", ["a", "a.", "1"])
@pytest.mark.parametrize("element", ["author", "managingEditor"])
def test_an_author_without_end_costs_little(element: str, letters: str) -> None:
    """The parser, feedparser 6.0.14, looks for a mail address in time that grows with the square of the name."""
    item = f"<title>On Numbers</title><link>https://blog.example/a</link><{element}>{letters * 500_000}</{element}>"

    assert "url:https://blog.example/a" == one(rss(item)).key


def test_hostile_markup_and_links_do_not_survive() -> None:
    found = one(
        rss(
            "<title>&lt;script&gt;alert(1)&lt;/script&gt;On&#13;&#10;Numbers\x85</title>"
            "<link>https://blog.example/a</link>"
            "<description>&lt;img onerror=alert(1)&gt;&lt;a href='javascript:x'&gt;We&lt;/a&gt; count.</description>"
            "<copyright>javascript:alert(1)</copyright>"
        )
    )

    assert ("On Numbers", "We count.", "") == (found.title, found.abstract, found.licence)


@pytest.mark.parametrize(
    "reference", ["&#xD800;", "&#xDFFF;", "&#55296;", "&#57343;", "&#0;", "&#x0;", "&#8;", "&#x1B;"]
)
def test_characters_that_xml_does_not_have_cost_nothing(reference: str) -> None:
    """The parser, feedparser 6.0.14, dies of a surrogate in a feed that is not well-formed."""
    item = f"<title>On {reference}Numbers</title><link>https://blog.example/a</link><p>&nbsp;"

    papers, _ = parse_feed(rss(item), source="blog")

    assert ["On Numbers"] == [paper.title for paper in papers]


def test_an_ill_formed_feed_gives_its_items_and_says_so() -> None:
    item = "<title>On Numbers &nbsp; & Letters</title><link>https://blog.example/a</link>"

    (found,), (problem,) = parse_feed(rss(item), source="blog")

    assert "On Numbers & Letters" == found.title
    assert ("the feed", True) == (problem.where, problem.message.startswith("is not well-formed"))


def test_a_billion_laughs_are_not_told() -> None:
    entities = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))
    bomb = f"<!DOCTYPE rss [<!ENTITY l0 'ha'>{entities}]>".encode() + rss(
        "<title>Fun &l9;</title><link>http://a.example</link>"
    )

    papers, _ = parse_feed(bomb, source="blog")

    assert all(len(paper.title) < 1_000 for paper in papers)


MARKS = [f'a{number}="x"' for number in range(201)]
SPACES = [f"<n{number}:a xmlns:n{number}='urn:{number}'/>" for number in range(200)]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("<a xml:base='bbbbbbbb/'>" * 250 + "</a>" * 250, "has an xml:base of more than 2,000 characters"),
        ("<a>" * 50_000 + "</a>" * 50_000, "has more than 50,000 elements within each other"),
        (f"<a {' '.join(MARKS)}/>", "has an element with more than 200 attributes"),
        ("".join(SPACES), "has more than 200 XML namespaces"),
    ],
    ids=["addresses", "depth", "attributes", "namespaces"],
)
def test_a_feed_made_to_keep_its_reader_busy_is_not_read(item: str, reason: str) -> None:
    """Each kind took minutes or gigabytes for a megabyte, whatever the deadline of its source."""
    feed = rss("<title>On Numbers</title>", item).replace(
        b"<rss", b"<rss xml:base='http://blog.example/' xmlns:x='urn:x'"
    )

    assert ((), (Problem("the feed", f"{reason}, and was not read"),)) == parse_feed(feed, source="blog")


def test_no_file_is_read_for_an_external_entity_or_a_body_that_is_a_path(tmp_path: Path) -> None:
    """The parser takes bytes for the name of a file first, and would parse the file of that name."""
    secret = tmp_path / "secret"
    secret.write_bytes(rss("<title>Secret</title><link>https://blog.example/s</link>"))
    external = f"<!DOCTYPE rss [<!ENTITY s SYSTEM 'file://{secret}'>]>".encode() + rss("<title>Hi &s;</title>")

    assert ((), (Problem("the answer", "is not a feed"),)) == parse_feed(str(secret).encode(), source="blog")
    assert not any("Secret" in paper.title for paper in parse_feed(external, source="blog")[0])


def test_other_encodings_are_understood() -> None:
    declared = b"<?xml version='1.0' encoding='iso-8859-1'?>" + rss(
        "<title>Zürich</title><guid>7</guid>"
    ).decode().encode("latin-1")
    utf16 = rss("<title>Zürich</title><guid>7</guid>").decode().encode("utf-16")

    assert ["Zürich", "Zürich"] == [one(declared).title, one(utf16).title]


def test_an_empty_channel_is_no_failure() -> None:
    assert ((), ()) == parse_feed(rss(), source="blog")


def test_an_item_without_a_title_costs_that_item() -> None:
    papers, problems = parse_feed(rss("<guid>post-6</guid>", "<title>On Numbers</title>"), source="blog")

    assert (1, (Problem("post-6", "has no title"),)) == (len(papers), problems)


def test_a_web_page_is_no_feed() -> None:
    message = "is not a feed but a web page titled “Are you human?”"

    assert ((), (Problem("the answer", message),)) == parse_feed(CAPTCHA, source="blog")


GOOD = rss(*(f"<title>On {n}</title><link>https://blog.example/{n}</link><guid>{n}</guid>" for n in range(5)))


@pytest.mark.parametrize("end", range(0, len(GOOD), 50))
def test_a_feed_cut_anywhere_gives_whole_items_or_none(end: int) -> None:
    papers, problems = parse_feed(GOOD[:end], source="blog")

    assert problems
    assert papers == parse_feed(GOOD, source="blog")[0][: len(papers)]


@given(
    st.binary()
    | st.tuples(st.integers(0, len(BIORXIV)), st.binary(max_size=20)).map(
        lambda change: BIORXIV[: change[0]] + change[1] + BIORXIV[change[0] :]
    )
)
def test_no_bytes_raise(data: bytes) -> None:
    papers, problems = parse_feed(data, source="blog")

    assert all(paper.title and paper.key == paper.key.encode().decode() for paper in papers)
    assert not any("cannot be read" in problem.message for problem in problems)


# --- over the network


def test_a_feed_is_read_where_it_says_and_only_if_it_changed(http_server: HttpServer) -> None:
    http_server.routes["/old"] = Reply(301, headers={"Location": "/feed"})
    http_server.routes["/feed"] = with_etag(BIORXIV)
    asked = Source("feed", "bio", url=f"{http_server.url}/old")
    (first,) = pull(asked)

    (second,) = pull(asked, memories={"bio": SourceMemory("bio", validators=first.validators)})

    assert (["doi:10.1101/2023.02.03.123456"], False) == ([paper.key for paper in first.papers], first.not_modified)
    assert ((), True, "") == (second.papers, second.not_modified, second.failure)


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ("<link>/papers/1</link>", "/papers/1"),
        ("<link>1.html</link>", "/journal/1.html"),
        ("<link>?p=1</link>", "/journal/feed?p=1"),
        ("<guid>/papers/1</guid>", "/papers/1"),
        ("<link>1</link><guid>post 1</guid>", "/journal/1"),
    ],
)
def test_a_relative_link_counts_from_where_the_feed_was_found(http_server: HttpServer, item: str, path: str) -> None:
    """RFC 3986 §5.1.3: the address at the end of all redirects; without its password and token."""
    http_server.routes["/old"] = Reply(301, headers={"Location": "/journal/feed?token=secret"})
    http_server.routes["/journal/feed"] = Reply(body=rss(f"<title>On Numbers</title>{item}"))
    host = f"127.0.0.1:{http_server.port}"

    (batch,) = pull(Source("feed", "blog", url=f"http://ada:secret@{host}/old"))

    ((paper,), problems) = (batch.papers, batch.problems)
    assert (f"http://{host}{path}", f"url:https://{host}{path}", ()) == (paper.url, paper.key, problems)


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        (("", ""), "https://journal.example/x"),
        (("xml:base='https://other.example/a/'", ""), "https://other.example/x"),
        (("xml:base='/a/'", "xml:base='https://third.example/'"), "https://third.example/x"),
    ],
)
def test_relative_links_of_atom_count_from_xml_base(attributes: tuple[str, str], expected: str) -> None:
    feed = (
        "<feed xmlns='http://www.w3.org/2005/Atom' {}><title>J</title>"
        "<entry {}><title>On Numbers</title><link href='/x'/></entry></feed>"
    )

    ((paper,), _) = parse_feed(feed.format(*attributes).encode(), source="j", address="https://journal.example/feed")

    assert expected == paper.url


@pytest.mark.parametrize(
    ("item", "key"),
    [
        ("<link>10.1000/abc</link>", "doi:10.1000/abc"),
        ("<link>javascript:alert(1)</link>", "list:blog/On Numbers"),
        ("<link>file:///etc/passwd</link>", "list:blog/On Numbers"),
        ("<link>//[bad/x</link>", "list:blog/On Numbers"),
        ("<link>two words</link>", "list:blog/On Numbers"),
        ("<link>#top</link>", "list:blog/On Numbers"),
        ("<link/><guid>123</guid>", "list:blog/123"),
        ("<link>feed</link><guid>123</guid>", "list:blog/123"),
        ("<link>/</link><guid>123</guid>", "list:blog/123"),
    ],
)
def test_what_is_no_relative_link_is_not_made_one(item: str, key: str) -> None:
    data = rss(f"<title>On Numbers</title>{item}", head="<link>/</link>")

    ((paper,), _) = parse_feed(data, source="blog", address="https://blog.example/feed")

    assert key == paper.key
    assert paper.url in {"", "https://blog.example/feed", "https://blog.example/"}


def test_a_page_instead_of_the_feed_is_a_failure_with_a_hint(http_server: HttpServer) -> None:
    http_server.routes["/feed"] = Reply(body=CAPTCHA)

    (batch,) = pull(Source("feed", "blog", url=f"{http_server.url}/feed"))

    assert f"{http_server.url}/feed: the answer is not a feed but a web page titled “Are you human?”" == batch.failure
    assert "open the address" in batch.hint
