"""Every spelling of an identifier gives one key; everything else gives none."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

import digest.identity
from digest.identity import Identifier, best_key, identify, is_address, own_key, version_of


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(digest.identity).failed == 0


@pytest.mark.parametrize(
    "text",
    [
        "2401.01234v2",
        " arXiv:2401.01234v2 ",
        "ARXIV:2401.01234v2",
        "oai:arXiv.org:2401.01234v2",
        "10.48550/arXiv.2401.01234v2",
        "doi:10.48550/ARXIV.2401.01234v2",
        "https://doi.org/10.48550/arXiv.2401.01234v2",
        "http://arxiv.org/abs/2401.01234v2",
        "https://www.arxiv.org/pdf/2401.01234v2.pdf",
        "https://arxiv.org/pdf/2401.01234v2#page=3",
        "https://export.arxiv.org/abs/2401.01234v2?context=cs",
        "https://ar5iv.labs.arxiv.org/html/2401.01234v2/",
        "https://arxiv.org/src/2401.01234v2",
        "https://huggingface.co/papers/2401.01234v2?utm_source=digest",
        "https://hf.co/papers/2401.01234v2",
        "https://www.alphaxiv.org/abs/2401.01234v2",
        "https://alphaxiv.org/en/overview/2401.01234v2",
    ],
)
def test_all_spellings_of_an_arxiv_id_agree(text: str) -> None:
    assert Identifier("arxiv:2401.01234", 2) == identify(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hep-ex/0307015", Identifier("arxiv:hep-ex/0307015")),
        ("http://arxiv.org/abs/hep-ex/0307015v1", Identifier("arxiv:hep-ex/0307015", 1)),
        ("math.GT/0309136", Identifier("arxiv:math/0309136")),
        ("https://arxiv.org/pdf/math.GT/0309136v3.pdf", Identifier("arxiv:math/0309136", 3)),
        ("cond-mat.mes-hall/0703001", Identifier("arxiv:cond-mat/0703001")),
        ("0704.0001", Identifier("arxiv:0704.0001")),
        ("1412.9999", Identifier("arxiv:1412.9999")),
        ("1501.00001", Identifier("arxiv:1501.00001")),
    ],
)
def test_old_and_early_arxiv_ids(text: str, expected: Identifier) -> None:
    assert expected == identify(text)


@pytest.mark.parametrize(
    "text",
    [
        "10.1000/xyz.7",
        "10.1000/XYZ.7",
        "doi:10.1000/xyz.7",
        "DOI: 10.1000/xyz.7.",
        "10.1000/xyz.7),",
        "10.1000%2Fxyz.7",
        "https://doi.org/10.1000/xyz.7",
        "http://dx.doi.org/10.1000/XYZ.7?utm_source=feed",
        "https://doi.org/10.1000%252Fxyz.7",
        "info:doi/10.1000/xyz.7",
    ],
)
def test_all_spellings_of_a_doi_agree(text: str) -> None:
    assert Identifier("doi:10.1000/xyz.7") == identify(text)


@pytest.mark.parametrize(
    "doi",
    [
        "10.1016/s0140-6736(20)30183-5",
        "10.1002/(sici)1097-4571(199806)49:8<693::aid-asi4>3.0.co;2-o",
        "10.1000.10/123",
    ],
)
def test_brackets_that_belong_to_a_doi_stay(doi: str) -> None:
    assert Identifier(f"doi:{doi}") == identify(doi)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "https://www.biorxiv.org/content/10.1101/2023.12.16.571984v1",
            Identifier("doi:10.1101/2023.12.16.571984", 1),
        ),
        (
            "https://www.biorxiv.org/content/10.1101/2023.12.16.571984v2.full.pdf+html",
            Identifier("doi:10.1101/2023.12.16.571984", 2),
        ),
        (
            "http://biorxiv.org/cgi/content/short/2023.12.16.571984v1?rss=1",
            Identifier("doi:10.1101/2023.12.16.571984", 1),
        ),
        ("http://biorxiv.org/cgi/content/short/857789v1?rss=1", Identifier("doi:10.1101/857789", 1)),
        (
            "https://www.medrxiv.org/content/short/2020.10.29.20222208v3",
            Identifier("doi:10.1101/2020.10.29.20222208", 3),
        ),
        ("10.1101/2023.12.16.571984v4", Identifier("doi:10.1101/2023.12.16.571984", 4)),
        (
            "https://www.biorxiv.org/content/10.64898/2026.05.29.728868v1",
            Identifier("doi:10.64898/2026.05.29.728868", 1),
        ),
    ],
)
def test_preprints_of_biology_and_medicine_go_by_their_doi(text: str, expected: Identifier) -> None:
    assert expected == identify(text)


def test_a_short_preprint_address_after_the_change_of_prefix_stays_an_address() -> None:
    """Since December 2025 new preprints are 10.64898/…, older ones stay 10.1101/…: the address does not say which."""
    address = "https://www.biorxiv.org/content/short/2026.05.29.728868v1"

    assert Identifier(f"url:{address}") == identify(address)


@pytest.mark.parametrize(
    "text",
    [
        "https://openreview.net/forum?id=aVh9KRZdRk",
        "https://openreview.net/pdf?id=aVh9KRZdRk&name=pdf",
        "https://openreview.net/forum?noteId=Zz&id=aVh9KRZdRk#discussion",
        "openreview:aVh9KRZdRk",
    ],
)
def test_openreview_ids_keep_their_case(text: str) -> None:
    assert Identifier("openreview:aVh9KRZdRk") == identify(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/a/Page",
        "http://EXAMPLE.org:80/a/Page/",
        "https://user:secret@example.org:443/a/Page#top",
        "https://example.org/a/Page?utm_source=x&utm_medium=rss&rss=1&source=feed",
    ],
)
def test_addresses_that_differ_only_in_dressing_agree(text: str) -> None:
    assert Identifier("url:https://example.org/a/Page") == identify(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("https://example.org:8443/?p=1&rss=1&q=2", "url:https://example.org:8443?p=1&q=2"),
        ("https://[2001:DB8::1]/x", "url:https://[2001:db8::1]/x"),
        ("https://arxiv.org/list/cs.CL/new", "url:https://arxiv.org/list/cs.CL/new"),
        ("https://notarxiv.org/abs/2401.01234", "url:https://notarxiv.org/abs/2401.01234"),
        ("https://arxiv.org.example.com/abs/2401.01234", "url:https://arxiv.org.example.com/abs/2401.01234"),
    ],
)
def test_other_addresses_keep_what_says_which_page(text: str, key: str) -> None:
    assert Identifier(key) == identify(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "see the appendix",
        "1234.5646",  # month 34
        "0703.0001",  # before the new scheme
        "1412.12345",  # five digits came with 1501
        "1501.0001",
        "2401.01234v0",
        "2401.01234 and 2401.01235",
        "foo/0307015",  # no such archive
        "hep-ex/0713015",  # month 13
        "math/0805001",  # after the old scheme
        "10.1000",
        "10.1000/",
        "10.1000/a b",
        "example.org/page",
        "javascript:alert(1)",
        "ftp://example.org/x",
        "file:///etc/passwd",
        "http://",
        "http://[::1",
        "http://example.org:99999/",
        "http://exa mple.org/",
        "https://example.org/a\nb",
        "https://example.org/#/paper/1",  # a page of a program
        "https://example.org/app#!paper/1",
        "openreview:",
        "https://" + "a" * 3000 + ".org/",
        "10.1000/\ud800",
    ],
)
def test_junk_identifies_nothing(text: str) -> None:
    assert identify(text) is None


ARXIV_IDS = st.one_of(
    st.tuples(st.integers(15, 89), st.integers(1, 12), st.integers(1, 99_999)).map(
        lambda t: f"{t[0]:02}{t[1]:02}.{t[2]:05}"
    ),
    st.tuples(st.sampled_from(["hep-ex", "math", "cs", "cond-mat"]), st.integers(1, 12), st.integers(1, 999)).map(
        lambda t: f"{t[0]}/99{t[1]:02}{t[2]:03}"
    ),
)
SPELLINGS = st.sampled_from(
    ["{}", "arXiv:{}", "oai:arXiv.org:{}", "https://arxiv.org/abs/{}", "http://arxiv.org/pdf/{}.pdf"]
)


@given(ARXIV_IDS, st.none() | st.integers(1, 99), SPELLINGS)
def test_any_spelling_of_any_arxiv_id_gives_its_key(number: str, version: int | None, spelling: str) -> None:
    text = spelling.format(number + (f"v{version}" if version else ""))

    assert Identifier(f"arxiv:{number}", version) == identify(text)


HOSTILE = """http:// https:// url: doi: arXiv: 10.1000/ 10.48550/arXiv. 10.1101/ 2401.01234 v2 %2F %25 % ? # & = / . :
    // @ [ ] ( ) utm_a rss=1 arxiv.org doi.org biorxiv.org content/ openreview.net forum?id= example.org é İ"""
PIECES = st.sampled_from(HOSTILE.split())


@given(st.text() | st.lists(PIECES | st.text(max_size=2), max_size=12).map("".join))
def test_a_key_is_its_own_canonical_form_and_nothing_raises(text: str) -> None:
    found = identify(text)

    assert found is None or Identifier(found.key) == identify(found.key)


@given(st.text() | st.lists(PIECES, max_size=12).map("".join))
def test_a_key_can_be_stored_and_printed_on_one_line(text: str) -> None:
    found = identify(text)

    assert found is None or [found.key] == found.key.encode().decode().split()


def test_a_work_goes_by_arxiv_then_doi_then_openreview_then_address() -> None:
    keys = [own_key("list", "7"), "url:https://example.org", "openreview:aVh9KRZdRk", "doi:10.1/x", "arxiv:2401.01234"]

    assert keys[::-1] == [best_key(keys[: end + 1]) for end in reversed(range(5))]
    assert "doi:10.1/b" == best_key(["url:https://example.org", "doi:10.1/b", "doi:10.1/a"])


def test_no_key_cannot_be_the_best_one() -> None:
    with pytest.raises(ValueError, match="empty"):
        best_key([])


def test_the_version_may_be_named_by_any_spelling_of_the_key() -> None:
    found = [Identifier("doi:10.1/x", 7), Identifier("arxiv:2401.01234"), Identifier("arxiv:2401.01234", 2)]

    assert (2, None) == (version_of("arxiv:2401.01234", found), version_of("openreview:aVh9KRZdRk", found))


@pytest.mark.parametrize("other", [("two", "b/7"), ("one/b", "7"), ("one%2Fb", "7")])
def test_names_given_by_two_sources_never_meet(other: tuple[str, str]) -> None:
    assert own_key("one", "b/7") != own_key(*other)


@pytest.mark.parametrize("long", ["https://example.org/" + "漢" * 900, "10.1000/" + "x" * 1_500])
def test_what_is_too_long_for_a_key_identifies_nothing(long: str) -> None:
    """PostgreSQL refuses to index it, and the papers of all sources with it."""
    assert identify(long) is None


def test_a_name_too_long_for_a_key_goes_by_its_digest() -> None:
    one, other = own_key("mine", "漢" * 900 + "1"), own_key("mine", "漢" * 900 + "2")

    assert one != other
    assert len("list:mine/") + 64 == len(one) == len(other)


def test_an_address_is_one_whatever_its_length() -> None:
    long = "https://example.org/" + "a" * 1_900

    assert (True, False, False) == (is_address(long), is_address("example.org"), is_address(f"see {long}"))
