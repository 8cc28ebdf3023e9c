"""The templates of pages and feeds, in a language; reads template files and nothing else."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import jinja2

from digest.compose.render import breakable, packaged
from digest.compose.translation import Translating, speak

if TYPE_CHECKING:
    from digest.languages.language import Language

#: names of the sites that most links lead to
_SITES = {"arxiv.org": "arXiv", "doi.org": "DOI", "openreview.net": "OpenReview", "huggingface.co": "Hugging Face"}
#: numbers kept with their nouns
_COUNTED = 4096


def environment(language: Language) -> jinja2.Environment:
    """The templates. They escape all they print, and fail on names that do not exist."""
    made = Translating(
        loader=jinja2.FileSystemLoader(packaged()),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    speak(made, language)
    made.filters |= {"breakable": breakable, "counted": lru_cache(maxsize=_COUNTED)(language.counted), "site": _site}
    made.globals["language"] = language
    return made


def _site(link: str) -> str:
    """What a link leads to."""
    host = (urlsplit(link).hostname or "").removeprefix("www.")
    return _SITES.get(host) or host
