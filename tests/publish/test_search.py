"""The index that pages search."""

from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from digest.languages.language import ENGLISH
from digest.model import StoredPaper
from digest.private import private_name
from digest.publish.names import paper_name
from digest.publish.record import record
from digest.publish.search import SearchIndex, words
from tests.makers import NOW, TODAY, paper


def filled(*titles: str) -> SearchIndex:
    index = SearchIndex(ENGLISH)
    for number, title in enumerate(titles, 1):
        index.add(record(StoredPaper(paper(number, title=title, abstract=""), NOW, TODAY)))
    return index


def loaded(index: SearchIndex) -> dict[str, object]:
    """By name, what each file hands over."""
    found = {}
    for name, content in index.files():
        match = re.fullmatch(r'digestIndex\("([^"]+)",(.*)\);\n', content.decode("ascii"))
        assert match
        assert f"{match[1]}.js" == name
        found[match[1]] = json.loads(match[2])
    return found


def test_words_lead_to_papers_by_their_first_letter() -> None:
    files = loaded(filled("Sleeping Experts", "An Expert on </script> 混合"))

    assert [0, 5, 1, 5] == files["words-e"]["expert"]  # type: ignore[index]
    assert {"混", "合"} <= {*files["words-u6d"], *files["words-u54"]}  # type: ignore[misc]
    assert ["arxiv-2609.00001", "Sleeping Experts", "Ada Lovelace, Emmy Noether", "Tuesday, 15 September 2026"] == (
        files["papers-0"][0]  # type: ignore[index]
    )


def test_no_file_ends_the_script_it_is_in() -> None:
    assert all(b"<" not in content for _, content in filled("</script><script>alert(1)").files())


def test_many_papers_are_in_files_of_two_letters() -> None:
    index = SearchIndex(ENGLISH)
    one = record(StoredPaper(paper(1), NOW, TODAY))
    for _ in range(3000):
        index.add(one)
    names = {name for name, _ in index.files()}

    assert {"papers-0.js", "papers-2.js", "words-lo.js"} <= names
    assert "words-l.js" not in names


@given(st.text(max_size=60))
def test_words_of_words_are_the_same_but_for_plurals(text: str) -> None:
    for word in words(text):
        assert word
        assert not re.search(r"\s", word)


@given(st.lists(st.text(max_size=80), unique=True, max_size=20))
def test_every_key_has_a_file_name_of_its_own_that_leads_nowhere_else(names: list[str]) -> None:
    keys = [f"url:https://example.org/{name}" for name in names] + ["arxiv:2401.01234", "arxiv:2401.01234v2"]
    files = [paper_name(key) for key in keys]

    assert len(keys) == len({file.lower() for file in files})
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,79}", file) and ".." not in file for file in files)


def test_a_private_name_does_not_give_the_token_away() -> None:
    assert re.fullmatch("[0-9a-f]{32}", private_name("token"))
    assert private_name("token") != private_name("Token")
