"""Whatever a server shows as a picture, a small JPEG file of ours comes out, or one sentence."""

from __future__ import annotations

import asyncio
import struct
import zlib
from base64 import b64decode
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from digest.collect.http import HttpPolicy
from digest.collect.thumbnails import BOX, MAX_BYTES, fetch_thumbnails, shrunk
from tests.http_server import Reply
from tests.makers import NOW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digest.model import Problem, Thumbnail
    from tests.http_server import HttpServer


def picture(size: tuple[int, int] = (1200, 648), colour: Any = (200, 30, 30), *, mode: str = "RGB") -> Image.Image:
    return Image.new(mode, size, colour)


def file(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    written = BytesIO()
    image.save(written, form, **options)
    return written.getvalue()


def opened(thumbnail: Thumbnail) -> Image.Image:
    return Image.open(BytesIO(b64decode(thumbnail.data)))


def noise(width: int, height: int) -> Image.Image:
    return Image.effect_noise((width, height), 100).convert("RGB")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_becomes_a_small_jpeg_file(form: str) -> None:
    small = shrunk(file(picture(), form))

    assert ("JPEG", "RGB", (320, 173)) == (opened(small).format, opened(small).mode, (small.width, small.height))
    assert (small.width, small.height) == opened(small).size
    assert small == shrunk(file(picture(), form))


@pytest.mark.parametrize("size", [(1, 1), (10, 5000), (5000, 10), (200, 100), (3000, 3000)])
def test_no_picture_is_larger_than_its_box_and_none_is_blown_up(size: tuple[int, int]) -> None:
    small = shrunk(file(noise(*size)))

    assert (small.width, small.height) <= (min(size[0], BOX[0]), min(size[1], BOX[1]))
    assert len(b64decode(small.data)) <= MAX_BYTES


def test_what_is_transparent_becomes_white_like_paper() -> None:
    assert (255, 255, 255) == opened(shrunk(file(picture((64, 64), (0, 0, 0, 0), mode="RGBA")))).getpixel((32, 32))


def test_of_a_moving_picture_the_first_frame_is_taken() -> None:
    moving = file(picture((64, 64), "white"), "GIF", save_all=True, append_images=[picture((64, 64), "black")])

    assert (255, 255, 255) == opened(shrunk(moving)).getpixel((32, 32))


def test_nothing_but_the_pixels_goes_further() -> None:
    exif = Image.Exif()
    exif[0x010E] = "where it was taken"
    told = file(picture(), "JPEG", exif=exif, comment=b"who took it", icc_profile=b"profile" * 9)
    small = b64decode(shrunk(told).data)

    assert b"where it was taken" in told
    assert b"who took it" in told
    assert [] == [word for word in (b"taken", b"took", b"profile", b"Exif") if word in small]


def bomb(width: int, height: int) -> bytes:
    """A PNG file of a few bytes that says it has so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is no JPEG, PNG, WebP or GIF picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is no JPEG, PNG, WebP or GIF picture"),
        (file(picture((9, 9)), "BMP"), "is no JPEG, PNG, WebP or GIF picture"),
        (file(noise(300, 300))[:9000], "is damaged"),
        (bomb(100, 100), "is damaged"),
        (bomb(4001, 3001), "more than 12,000,000 pixels"),
        (bomb(65_000, 65_000), "more than 12,000,000 pixels"),
    ],
)
def test_what_cannot_be_shown_is_told_in_a_sentence(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        shrunk(data)


@given(st.sampled_from(["JPEG", "PNG", "WEBP", "GIF"]), st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255))))
@settings(max_examples=60, deadline=None)
def test_no_broken_file_breaks_more_than_itself(form: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(file(noise(40, 30), form))
    for place, value in changes:
        data[place % len(data)] = value
    try:
        small = shrunk(bytes(data))
    except ValueError:
        return
    assert max(small.width, small.height) <= max(BOX)


# --- over the network -------------------------------------------------------------------------------------------


def fetch(
    server: HttpServer, *paths: str, deadline_s: float = 10.0
) -> tuple[dict[str, Thumbnail | None], Sequence[Problem]]:
    policy = HttpPolicy("admin@example.org", allow_private_hosts=("127.0.0.1",), intervals={"127.0.0.1": 0.0})
    urls = [server.url + path if path.startswith("/") else path for path in paths]
    made, problems = asyncio.run(fetch_thumbnails(urls, policy, now=NOW, deadline_s=deadline_s))
    return {url.removeprefix(server.url): one for url, one in made.items()}, problems


def test_a_picture_that_cannot_be_had_costs_itself_only(http_server: HttpServer) -> None:
    http_server.routes["/page"] = Reply(body=b"<html>")
    http_server.routes["/good"] = Reply(body=file(picture()))
    http_server.routes["/large"] = Reply(body=b"x" * (4 * 2**20 + 1))

    made, problems = fetch(http_server, "/page", "/gone?secret", "/large", "javascript:x", "/good")

    assert {"/page": None, "/gone?secret": None, "/large": None, "javascript:x": None} == {
        url: one for url, one in made.items() if url != "/good"
    }
    assert shrunk(file(picture())) == made["/good"]
    assert [
        (f"{http_server.url}/page", "what is there is no JPEG, PNG, WebP or GIF picture"),
        (f"{http_server.url}/gone", "the server answers 404 Not Found"),
        (f"{http_server.url}/large", "the answer is larger than 4 MiB and was not read further"),
        ("javascript:x", "the address is neither http nor https"),
    ] == [(problem.where, problem.message) for problem in problems]


def test_a_picture_whose_host_can_be_no_name_costs_itself_only(http_server: HttpServer) -> None:
    """RFC 5891 §4.2.3.1: no hyphen at the end; the library tells that late, and in its own words."""
    url = "http://n-.xn--a/figure.png"
    http_server.routes["/good"] = Reply(body=file(picture()))

    made, problems = fetch(http_server, url, "/good")

    assert {url: None, "/good": shrunk(file(picture()))} == made
    assert [(url, "not a usable address")] == [(problem.where, problem.message) for problem in problems]


def test_a_host_that_is_down_is_asked_three_times_and_may_be_asked_another_day(http_server: HttpServer) -> None:
    for number in range(5):
        http_server.routes[f"/{number}"] = Reply(503)

    made, problems = fetch(http_server, *(f"/{number}" for number in range(5)))

    assert ({}, 3, 3) == (made, len(problems), len(http_server.requests))


def test_private_addresses_are_not_asked(http_server: HttpServer) -> None:
    """A source could name any address of the operator's own network."""
    policy = HttpPolicy("admin@example.org")
    url = f"{http_server.url}/internal"

    made, problems = asyncio.run(fetch_thumbnails([url], policy, now=NOW, deadline_s=10.0))

    assert ({url: None}, 1, []) == (made, len(problems), http_server.requests)
    assert "not a public address" in problems[0].message


def test_when_the_time_is_over_the_rest_is_left_for_the_next_pull(http_server: HttpServer) -> None:
    assert ({}, ()) == fetch(http_server, "/good", deadline_s=0)
