"""A model in a folder changes what readers are mailed; what is wrong with it is said in one sentence."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from digest.errors import DigestError
from digest.pipeline.plan import preview
from digest.pipeline.semantic import install, load_encoder
from tests.installation import ADA, item, reader
from tests.makers import NOW
from tests.word_vectors import write_model

if TYPE_CHECKING:
    from pathlib import Path

    from tests.installation import Installation


def mailed(home: Installation, section: str = "") -> list[tuple[str, str]]:
    """What the reader would be mailed for them: the topic of each paper, and the reason."""
    home.readers = (reader(ADA, "whales"),)
    home.sections |= {"semantic": section} if section else {}
    settings = home.settings()
    (who,) = settings.subscribers
    with home.state() as state:
        picks = preview(settings, state, who, now=NOW).picks
    return [(pick.paper.title.split(":")[0], pick.why) for pick in picks if pick.part == "for_you"]


def published(home: Installation) -> None:
    home.publish(
        item(1, "Whales in winter"),
        item(2, "Orcas and other cetaceans"),
        *(item(n, f"Desert dunes {n}") for n in range(10, 20)),
    )
    home.pull()


def test_a_paper_in_other_words_is_added_and_marked_as_related(home: Installation, tmp_path: Path) -> None:
    published(home)
    model = write_model(tmp_path / "model")

    assert ["Whales in winter"] == [title for title, _ in mailed(home)]
    assert [
        ("Whales in winter", "“whales” in title"),
        ("Orcas and other cetaceans", "related to your keywords"),
    ] == mailed(home, f'model = "{model}"')


def test_none_is_added_if_none_is_wanted(home: Installation, tmp_path: Path) -> None:
    published(home)
    model = write_model(tmp_path / "model")

    assert ["Whales in winter"] == [title for title, _ in mailed(home, f'model = "{model}"\nextra_papers = 0')]


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(DigestError, match="holds no model2vec model that can be read") as caught:
        load_encoder(tmp_path)

    assert f"fetch one anew with: digest semantic install {tmp_path}" == caught.value.hint


def test_a_broken_file_is_one_sentence(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model")
    (model / "model.safetensors").write_bytes(b"\x00" * 20)

    with pytest.raises(DigestError, match="holds no model2vec model that can be read"):
        load_encoder(model)


def test_what_is_no_folder_is_never_looked_for_on_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DigestError, match="is no folder"):
        load_encoder(tmp_path / "minishlab")


def test_without_the_package_the_command_to_install_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "model2vec", None)

    with pytest.raises(DigestError, match="which is not installed") as caught:
        install("minishlab/potion-base-2M", tmp_path / "model")

    assert "install it: pip install 'paper-digest[semantic]'" == caught.value.hint
    assert not (tmp_path / "model").exists()


def test_installing_replaces_nothing_and_leaves_nothing_half_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    # as without a network
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))

    with pytest.raises(DigestError, match="exists already"):
        install("minishlab/potion-base-2M", tmp_path / "there")
    with pytest.raises(DigestError, match=r"minishlab/no-such-model could not be downloaded from the Hugging Face hub"):
        install("minishlab/no-such-model", tmp_path / "model")

    assert ["there"] == [path.name for path in tmp_path.iterdir() if path.name != "cache"]


def test_a_model_on_disk_may_be_copied(tmp_path: Path) -> None:
    given = write_model(tmp_path / "given")

    install(str(given), tmp_path / "models" / "mine")

    known, unknown = load_encoder(tmp_path / "models" / "mine")(["whales and dunes", "quartz"])
    assert known.any()
    assert not unknown.any()
