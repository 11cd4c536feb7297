"""Pictures of papers that families sent into the chat, before anything is locked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bot.errors import InvalidInput, Unavailable
from bot.storage.pictures import Picture
from bot.wechat.sent import Fault, SentAway, SentFiles, SentRefused
from handlers.after_school.texts import waivers as texts

_SAID: Final[Mapping[Fault, str]] = {
    Fault.TOO_LARGE: texts.PAPER_TOO_LARGE,
    Fault.UNREADABLE: texts.PAPER_UNREADABLE,
    Fault.GONE: texts.PAPER_GONE,
}


class PictureAway(Unavailable):
    """WeChat does not hand the picture out now."""

    code = "waiver_picture_away"
    default_message = texts.PAPER_AWAY


class PictureRefused(InvalidInput):
    """The picture cannot be taken as it is; the sentence says why."""

    code = "waiver_picture_refused"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A picture as it would be kept."""

    picture: Picture = field(repr=False)


class PictureFetching:
    """Fetches them."""

    def __init__(self, sent: SentFiles) -> None:
        self._sent = sent

    async def fetch(self, media_id: str) -> Fetched:
        """One of them. Raises PictureAway, PictureRefused."""
        try:
            return Fetched(await self._sent.picture(media_id))
        except SentRefused as error:
            raise PictureRefused(_SAID[error.fault]) from error
        except SentAway as error:
            raise PictureAway from error
