"""Files that people sent into the chat, for as long as the platform keeps them."""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.clock import Clock
from bot.emulator.faults import ApiRefusal

KEPT_FOR: Final = timedelta(days=3)
A_PICTURE: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mP4DwABAQEAHLCMmQAAAABJRU5ErkJggg=="
)
"""The smallest there is: one white pixel."""
A_VOICE: Final = b"#!AMR\n" + bytes.fromhex("3c48f51f96b31ac0000000000000000000000000000000000000000000000000")
"""A fiftieth of a second, as telephones speak."""
_ENDING: Final = {"image/jpeg": "jpg", "audio/amr": "amr"}


@dataclass(frozen=True, slots=True)
class File:
    """An answer of the API that is no JSON."""

    content: bytes
    name: str
    media_type: str = "image/jpeg"


class Media:
    """The files of one account."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._files: dict[str, tuple[bytes, str, datetime]] = {}

    def keep(self, content: bytes, media_type: str = "image/jpeg") -> str:
        """The id a file has from now on."""
        media_id = new_media_id()
        self._files[media_id] = content, media_type, self._clock.now()
        return media_id

    def file(self, media_id: str) -> File:
        """One of them. Raises ApiRefusal 40007 for an id nobody was given, or whose time is over."""
        found = self._files.get(media_id)
        if found is None or self._clock.now() - found[2] >= KEPT_FOR:
            raise ApiRefusal(40007)
        content, media_type, _ = found
        return File(content, f"{media_id}.{_ENDING[media_type]}", media_type)


def new_media_id() -> str:
    """An id in the platform's form."""
    return secrets.token_urlsafe(48)
