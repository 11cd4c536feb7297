"""Pictures are made anew: smaller, upright, and silent about where and when they were taken."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bot.storage.pictures import PictureTooLarge, PictureUnreadable, made_anew

ORIENTATION, GPS, MAKER = 0x0112, 0x8825, 0x010F


def photo(
    size: tuple[int, int] = (2400, 1200), *, kind: str = "JPEG", mode: str = "RGB", turned: bool = False
) -> bytes:
    """As a telephone makes one: with its name, the place, and how it was held."""
    picture = Image.new(mode, size, "red")
    exif = Image.Exif()
    exif[MAKER] = "A telephone"
    exif[ORIENTATION] = 6 if turned else 1
    exif.get_ifd(GPS)[1] = "N"
    written = io.BytesIO()
    picture.save(written, kind, exif=exif) if kind == "JPEG" else picture.save(written, kind)
    return written.getvalue()


def read(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content), formats=["JPEG"])


def test_a_photo_becomes_smaller_and_loses_what_the_camera_wrote() -> None:
    data = photo()
    assert read(data).getexif()[MAKER] == "A telephone"
    made = made_anew(data)
    assert (made.width, made.height) == (1600, 800) == read(made.content).size
    assert not read(made.content).getexif()
    assert b"A telephone" not in made.content


def test_a_photo_taken_upright_stands_upright() -> None:
    made = made_anew(photo((400, 200), turned=True))
    assert (made.width, made.height) == (200, 400)


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("WEBP", "RGB"), ("GIF", "P"), ("BMP", "RGB")]
)
def test_screenshots_of_all_kinds_are_read(kind: str, mode: str) -> None:
    assert read(made_anew(photo((30, 20), kind=kind, mode=mode)).content).size == (30, 20)


def test_what_shines_through_becomes_white() -> None:
    written = io.BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(written, "PNG")
    assert read(made_anew(written.getvalue()).content).getpixel((4, 4)) == (255, 255, 255)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"<svg/>", b"\x89PNG\r\n\x1a\n", photo()[:400], b"%PDF-1.7"])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(PictureUnreadable):
        made_anew(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_picture_or_refused(data: bytes) -> None:
    with pytest.raises((PictureUnreadable, PictureTooLarge)):
        made_anew(b"\xff\xd8\xff\xe0" + data)


def test_a_small_file_that_would_fill_the_memory_is_refused() -> None:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    with pytest.raises(PictureTooLarge):
        made_anew(bomb)
