"""What people sent into the chat: fetched by its MediaId and looked at, before anything is locked. A PicUrl is never
opened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from typing import Final, Protocol

from bot.errors import InvalidInput, Unavailable
from bot.storage.files import MOST_UPLOADED, FileStore, FileTooLarge
from bot.storage.pictures import Picture, PictureTooLarge, PictureUnreadable
from bot.wechat.errors import InvalidCall, MediaTooLarge, WeChatError

VOICE_KIND: Final = "audio/amr"
"""What a voice note of the 服务号 is."""
MOST_SPOKEN: Final = 2 * 1024 * 1024
"""The platform's own limit: a minute of speech takes a twentieth of it."""
# What is held in memory at the same time. Unpacked, a telephone's picture takes up to a hundred megabytes and more: the
# next ones wait, and are answered later.
_FETCHED_AT_ONCE: Final = 8
_UNPACKED_AT_ONCE: Final = 2
_SPOKEN: Final = (b"#!AMR\n", b"#!AMR-WB\n")


class Fault(StrEnum):
    """Why something that was sent cannot be taken."""

    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    GONE = "gone"


class SentRefused(InvalidInput):
    """It cannot be taken as it is. Whoever asked for it says so in their own words."""

    code = "sent_refused"
    default_message = "发来的文件收不了，请换一个再发一次。"

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault = fault


class SentAway(Unavailable):
    """WeChat does not hand it out now."""

    code = "sent_away"
    default_message = "微信那边暂时没有回应，请过几分钟再发一次。"


class Sent(Protocol):
    """Where it is fetched: `bot.wechat.client.WeChatClient`."""

    async def media(self, media_id: str, most: int) -> bytes:
        """A file of at most `most` bytes."""
        ...


class SentFiles:
    """Fetches files, a few at a time. Raises SentRefused, SentAway."""

    def __init__(self, files: FileStore, sent: Callable[[], Sent]) -> None:
        """`sent` gives the client, once the application runs."""
        self._files = files
        self._sent = sent
        self._fetching = asyncio.Semaphore(_FETCHED_AT_ONCE)
        self._unpacking = asyncio.Semaphore(_UNPACKED_AT_ONCE)

    async def picture(self, media_id: str) -> Picture:
        """A picture as it would be kept."""
        async with self._fetching:
            content = await self._fetched(media_id, MOST_UPLOADED)
            try:
                async with self._unpacking:
                    return await self._files.prepared(content)
            except (FileTooLarge, PictureTooLarge) as error:
                raise SentRefused(Fault.TOO_LARGE) from error
            except PictureUnreadable as error:
                raise SentRefused(Fault.UNREADABLE) from error

    async def voice(self, media_id: str) -> bytes:
        """A voice note, `VOICE_KIND`. What is said in it nobody has heard."""
        async with self._fetching:
            content = await self._fetched(media_id, MOST_SPOKEN)
        if not content.startswith(_SPOKEN):
            raise SentRefused(Fault.UNREADABLE)
        return content

    async def _fetched(self, media_id: str, most: int) -> bytes:
        try:
            return await self._sent().media(media_id, most)
        except MediaTooLarge as error:
            raise SentRefused(Fault.TOO_LARGE) from error
        except InvalidCall as error:
            raise SentRefused(Fault.GONE) from error
        except WeChatError as error:
            raise SentAway from error
