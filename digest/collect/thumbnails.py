"""Pictures of papers: addresses go in, small JPEG files come out, whatever is found there.

Nothing of what comes over the network goes further: each picture is decoded and drawn anew, within limits, without
anything that the file says beside its pixels. Needs the extra `images` (Pillow). Nothing is raised for anything that a
server does; a picture that cannot be made is one problem.
"""

from __future__ import annotations

import asyncio
import warnings
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from digest.collect.http import ClosedError, Http, PassingError, Traffic, shown
from digest.errors import FetchError
from digest.model import Problem, Thumbnail

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from PIL.Image import Image

    from digest.collect.http import HttpPolicy

#: largest size in pixels; mails show it less than half as large, so that it is sharp on dense screens
BOX = (320, 240)
#: largest file
MAX_BYTES = 12_000
#: largest answer that is read, and most pixels that are decoded (an image of 4000 × 3000, which takes 50 MB)
_MAX_DOWNLOAD, _MAX_PIXELS = 4 * 2**20, 12_000_000
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_QUALITIES = (80, 65, 50, 35, 20)
#: seconds between requests to one host: files, which are served from caches
_INTERVAL_S = 0.25
#: failures in a row after which a host is taken to be down
_PATIENCE = 3
#: bytes of name made of the file: 128 bits
_NAME = 32


async def fetch_thumbnails(
    urls: Iterable[str], policy: HttpPolicy, *, now: datetime, deadline_s: float
) -> tuple[dict[str, Thumbnail | None], tuple[Problem, ...]]:
    """Fetch and shrink pictures, in their order.

    Args:
        urls: http or https.
        policy: manners and limits on the network.
        now: aware; the present moment.
        deadline_s: after so many seconds no further one is asked for.

    Returns:
        by address, the picture, or None if none can be made of what is there; what was not tried, or may be there a
        moment later, is not in it. And one problem for each that there is none of; or for a host that is down.
    """
    made: dict[str, Thumbnail | None] = {}
    problems: list[Problem] = []
    #: by host, failures in a row
    failures: dict[str, int] = {}
    gentle = replace(policy, max_bytes=_MAX_DOWNLOAD, interval_s=_INTERVAL_S)
    async with Http(gentle, now=now) as http:
        clock = asyncio.get_running_loop().time
        deadline = clock() + deadline_s
        for url in urls:
            host = _host(url)
            if clock() >= deadline or failures.get(host, 0) >= _PATIENCE:
                continue
            try:
                made[url] = await _fetch(http, url, deadline)
                failures[host] = 0
            except FetchError as error:
                if isinstance(error, PassingError | ClosedError):
                    failures[host] = _PATIENCE if isinstance(error, ClosedError) else failures.get(host, 0) + 1
                else:
                    made[url] = None
                problems.append(Problem(shown(url), error.reason))
    return made, tuple(problems)


async def _fetch(http: Http, url: str, deadline: float) -> Thumbnail:
    accept = "image/jpeg, image/png, image/webp, image/gif"
    response = await http.get(url, deadline=deadline, traffic=Traffic(), accept=accept)
    if response.status != HTTPStatus.OK:
        raise FetchError(shown(url), f"the server answers {response.status}", status=response.status)
    try:
        return shrunk(response.body)
    except ValueError as error:
        raise FetchError(shown(url), str(error)) from error


def shrunk(file: bytes) -> Thumbnail:
    """A picture of at most `BOX` pixels and `MAX_BYTES`, of the first frame of a JPEG, PNG, WebP or GIF file.

    What is transparent becomes white, which is what figures are drawn for. The same bytes give the same picture.

    Raises:
        ValueError: it is no such file, is damaged, or has too many pixels.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # Pillow's own limit on pixels, which is higher, warns before it raises
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(file), formats=_FORMATS) as opened:
                _refuse_bomb(opened)
                # JPEG files are decoded at a fraction of their size, which is faster
                opened.draft("RGB", (2 * BOX[0], 2 * BOX[1]))
                small = _on_white(ImageOps.exif_transpose(opened))
                small.thumbnail(BOX, Image.Resampling.LANCZOS, reducing_gap=2.0)
    except UnidentifiedImageError:
        raise ValueError("what is there is no JPEG, PNG, WebP or GIF picture") from None
    except Image.DecompressionBombError:
        raise ValueError(f"a picture of more than {_MAX_PIXELS:,} pixels is not decoded") from None
    except Exception as error:  # whatever a hostile file can provoke in a decoder
        raise ValueError(f"the picture is damaged ({type(error).__name__})") from error
    data = _jpeg(small)
    name = sha256(data).hexdigest()[:_NAME]
    return Thumbnail(name, small.width, small.height, b64encode(data).decode())


def _refuse_bomb(opened: Image) -> None:
    from PIL.Image import DecompressionBombError

    if opened.width * opened.height > _MAX_PIXELS:
        raise DecompressionBombError


def _on_white(image: Image) -> Image:
    from PIL import Image

    if image.mode in {"RGB", "L"}:
        return image.convert("RGB")
    pixels = image.convert("RGBA")
    white = Image.new("RGBA", pixels.size, "white")
    return Image.alpha_composite(white, pixels).convert("RGB")


def _jpeg(image: Image) -> bytes:
    """The file, of the best quality that is small enough; of the least if none is."""
    data, image.info = b"", {}  # a comment would be written too
    for quality in _QUALITIES:
        file = BytesIO()
        image.save(file, "JPEG", quality=quality, optimize=True, progressive=False)
        data = file.getvalue()
        if len(data) <= MAX_BYTES:
            return data
    return data


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""
