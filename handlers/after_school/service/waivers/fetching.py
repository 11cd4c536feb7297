"""Pictures that families sent into the chat: fetched from WeChat by their MediaId and made anew, before anything is
locked. Their PicUrl is never opened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from bot.errors import InvalidInput, Unavailable
from bot.storage.files import MOST_UPLOADED, FileStore, FileTooLarge
from bot.storage.pictures import Picture, PictureTooLarge, PictureUnreadable
from bot.wechat.errors import InvalidCall, MediaTooLarge, WeChatError
from handlers.after_school.texts import waivers as texts

# What is held in memory at the same time. Unpacked, a telephone's picture takes up to a hundred megabytes and more: the
# next ones wait, and are answered later.
_FETCHED_AT_ONCE: Final = 8
_UNPACKED_AT_ONCE: Final = 2


class PictureAway(Unavailable):
    """WeChat does not hand the picture out now."""

    code = "waiver_picture_away"
    default_message = texts.PAPER_AWAY


class PictureRefused(InvalidInput):
    """The picture cannot be taken as it is; the sentence says why."""

    code = "waiver_picture_refused"


class Sent(Protocol):
    """Where what people sent into the chat is fetched: `bot.wechat.client.WeChatClient`."""

    async def media(self, media_id: str, most: int) -> bytes:
        """A file of at most `most` bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """A picture as it would be kept."""

    picture: Picture = field(repr=False)


class PictureFetching:
    """Fetches them, a few at a time."""

    def __init__(self, files: FileStore, sent: Callable[[], Sent]) -> None:
        """`sent` gives the client, once the application runs."""
        self._files = files
        self._sent = sent
        self._fetching = asyncio.Semaphore(_FETCHED_AT_ONCE)
        self._unpacking = asyncio.Semaphore(_UNPACKED_AT_ONCE)

    async def fetch(self, media_id: str) -> Fetched:
        """One of them. Raises PictureAway, PictureRefused."""
        async with self._fetching:
            try:
                content = await self._sent().media(media_id, MOST_UPLOADED)
                async with self._unpacking:
                    return Fetched(await self._files.prepared(content))
            except (MediaTooLarge, FileTooLarge, PictureTooLarge) as error:
                raise PictureRefused(texts.PAPER_TOO_LARGE) from error
            except PictureUnreadable as error:
                raise PictureRefused(texts.PAPER_UNREADABLE) from error
            except InvalidCall as error:
                raise PictureRefused(texts.PAPER_GONE) from error
            except WeChatError as error:
                raise PictureAway from error
