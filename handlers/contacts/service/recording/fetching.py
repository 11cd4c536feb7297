"""Pictures and voice notes that teachers sent into the dialogue of a record, before anything is locked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bot.errors import InvalidInput, Unavailable
from bot.storage.pictures import Picture
from bot.wechat.sent import VOICE_KIND, Fault, SentAway, SentFiles, SentRefused
from handlers.contacts.service.records.files import Voice
from handlers.contacts.texts import recording as texts

_OF_PICTURES: Final[Mapping[Fault, str]] = {
    Fault.TOO_LARGE: texts.PICTURE_TOO_LARGE,
    Fault.UNREADABLE: texts.PICTURE_UNREADABLE,
    Fault.GONE: texts.MEDIA_GONE,
}
_OF_VOICES: Final[Mapping[Fault, str]] = {
    Fault.TOO_LARGE: texts.VOICE_TOO_LONG,
    Fault.UNREADABLE: texts.VOICE_UNREADABLE,
    Fault.GONE: texts.MEDIA_GONE,
}


class MediaRefused(InvalidInput):
    """It cannot be taken as it is; the sentence says why."""

    code = "contacts_media_refused"


class MediaAway(Unavailable):
    """WeChat does not hand it out now."""

    code = "contacts_media_away"
    default_message = texts.MEDIA_AWAY


@dataclass(frozen=True, slots=True)
class Fetched:
    """A picture or a voice note as it would be kept."""

    media: Picture | Voice = field(repr=False)


class MediaFetching:
    """Fetches them. Raises MediaRefused, MediaAway."""

    def __init__(self, sent: SentFiles) -> None:
        self._sent = sent

    async def picture(self, media_id: str) -> Fetched:
        """As it would be kept."""
        try:
            return Fetched(await self._sent.picture(media_id))
        except SentRefused as error:
            raise MediaRefused(_OF_PICTURES[error.fault]) from error
        except SentAway as error:
            raise MediaAway from error

    async def voice(self, media_id: str) -> Fetched:
        """As it was spoken."""
        try:
            return Fetched(Voice(VOICE_KIND, await self._sent.voice(media_id)))
        except SentRefused as error:
            raise MediaRefused(_OF_VOICES[error.fault]) from error
        except SentAway as error:
            raise MediaAway from error
