"""The model of the `[semantic]` section: a folder on disk → what `curate.semantic` takes. Nothing is downloaded here.

Static vectors of model2vec (https://github.com/MinishLab/model2vec), which need no torch: a text is the mean of its
words' vectors. Installed with `digest semantic install`.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digest.curate.semantic import Semantics
from digest.errors import DigestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from digest.config import Settings
    from digest.curate.semantic import Encode

NEEDED = "pip install 'paper-digest[semantic]'"
#: the name of a model on huggingface.co that is made for finding texts by short questions; 130 MB
USUAL_MODEL = "minishlab/potion-retrieval-32M"


def open_semantics(settings: Settings) -> Semantics | None:
    """What knows other words for the same, by the `[semantic]` section; None without it.

    Raises:
        DigestError: the package is missing, or the folder holds no model that can be read.
    """
    section = settings.semantic
    if section is None or section.model is None:
        return None
    return Semantics(load_encoder(section.model), section.extra_papers)


def load_encoder(folder: Path) -> Encode:
    """The model in a folder, as a function.

    Raises:
        DigestError: the package is missing, or the folder holds no model that can be read.
    """
    need_model2vec()
    # model2vec takes what is no folder for a name on the hub, and asks the network
    if not folder.is_dir():
        raise DigestError(f"{folder} is no folder", hint=f"fetch a model with: digest semantic install {folder}")
    from model2vec import StaticModel

    try:
        model = StaticModel.from_pretrained(folder, force_download=False)
    # whatever is wrong with a file in there, each library below has errors of its own for
    except Exception as error:
        message = f"{folder} holds no model2vec model that can be read: {error}"
        raise DigestError(message, hint=f"fetch one anew with: digest semantic install {folder}") from error

    def encode(texts: Sequence[str]) -> npt.NDArray[np.floating[Any]]:
        rows: npt.NDArray[np.floating[Any]] = model.encode(list(texts), use_multiprocessing=False)
        return rows

    return encode


def need_model2vec() -> None:
    """Make sure that the extra is installed.

    Raises:
        DigestError: it is not.
    """
    if find_spec("model2vec") is None:
        message = "word vectors need the package model2vec, which is not installed"
        raise DigestError(message, hint=f"install it: {NEEDED}")


def install(name: str, folder: Path) -> None:
    """Download a model from the Hugging Face hub into a folder that does not exist yet; all of it or nothing.

    Args:
        name: on the hub, `owner/model`.
        folder: to be made.

    Raises:
        DigestError: the package is missing, the folder exists, or the hub does not give the model.
    """
    need_model2vec()
    if folder.exists():
        raise DigestError(f"{folder} exists already", hint="name another folder; models are never replaced")
    import shutil
    import tempfile

    from model2vec import StaticModel

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent)
    except OSError as error:
        raise DigestError(f"{folder}: {error.strerror}", hint="name a folder where you may write") from error
    try:
        StaticModel.from_pretrained(name).save_pretrained(made)
        Path(made).chmod(0o755)  # whoever runs the daemon reads it
        shutil.move(made, folder)
    # the hub's client, its network and the file formats each have errors of their own
    except Exception as error:
        message = f"{name} could not be downloaded from the Hugging Face hub: {_first_line(error)}"
        hint = "check the name and the network, or copy the folder of a model from elsewhere"
        raise DigestError(message, hint=hint) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__).rstrip(".")
