"""Pictures from telephones, made anew: smaller, and without what the camera wrote into them (place, time, device)."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.errors import InvalidInput

if TYPE_CHECKING:
    from PIL.Image import Image

LONGEST_EDGE: Final = 1600
"""Pixels: enough to read a sheet of A4."""
MOST_PIXELS: Final = 60_000_000
"""More than any telephone takes; a small file can claim to hold far more, to fill the memory."""
KIND: Final = "image/jpeg"
_FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
_QUALITY: Final = 80


class PictureUnreadable(InvalidInput):
    """Not a picture of a kind we read."""

    code = "picture_unreadable"
    default_message = "这张图片读不出来，请换成照片或截图（JPG、PNG）再传一次。"


class PictureTooLarge(InvalidInput):
    """More pixels than we are ready to unpack."""

    code = "picture_too_large"
    default_message = "这张图片太大，请用手机截个图，传截图就可以。"


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG of `width` × `height` pixels, turned upright."""

    content: bytes
    width: int
    height: int


def made_anew(data: bytes, *, longest: int = LONGEST_EDGE) -> Picture:
    """The picture in `data`, its longer edge at most `longest` pixels. Takes up to a second of processor: not for the
    event loop.

    Raises PictureUnreadable, PictureTooLarge.
    """
    # Imported with the first picture: many processes never see one.
    from PIL import Image as images
    from PIL import ImageOps

    try:
        with images.open(io.BytesIO(data), formats=_FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise PictureTooLarge
            # A camera's JPEG is unpacked at a fraction of its size where that is enough.
            opened.draft("RGB", (longest, longest))
            upright = ImageOps.exif_transpose(opened)
            upright.thumbnail((longest, longest))
            return _as_jpeg(upright)
    except images.DecompressionBombError as error:
        raise PictureTooLarge from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise PictureUnreadable from error


def _as_jpeg(picture: Image) -> Picture:
    from PIL import Image as images

    if picture.has_transparency_data:
        # On white, as it was seen before.
        whole = picture.convert("RGBA")
        ground = images.new("RGB", whole.size, "white")
        ground.paste(whole, mask=whole)
        picture = ground
    written = io.BytesIO()
    plain = picture.convert("RGB")
    plain.info.clear()
    plain.save(written, "JPEG", quality=_QUALITY, optimize=True)
    return Picture(written.getvalue(), plain.width, plain.height)
