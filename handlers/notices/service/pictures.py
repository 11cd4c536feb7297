"""Pictures of a notice: put to a draft, seen by those who may see the notice, gone with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from bot.clock import Clock
from bot.errors import LimitReached
from bot.identity import Actor
from bot.storage.database import transaction
from bot.storage.files import FileContent, FileStore, FileView, Owner
from handlers.notices import texts
from handlers.notices.domain import Link
from handlers.notices.models import Notice
from handlers.notices.service.desk import NoticeDesk
from handlers.notices.service.reading import PAGE, NoticeReading
from handlers.notices.service.rows import ALBUM, reported
from handlers.notices.service.tickets import tickets_for
from handlers.notices.service.views import OwnNotice

MOST: Final = 6


class TooManyPictures(LimitReached):
    """The notice has as many as it may have."""

    code = "too_many_pictures"
    default_message = f"一份通知最多放{MOST}张图片。请先去掉一张，再加新的。"


def album_of(notice_id: UUID | str) -> Owner:
    """Under what the pictures of a notice are kept."""
    return Owner(ALBUM, str(notice_id))


class NoticePictures:
    """The pictures of all notices."""

    def __init__(self, files: FileStore, desk: NoticeDesk, reading: NoticeReading, *, url: str, clock: Clock) -> None:
        """`url`: where families find the service, "" for nowhere."""
        self._url = url.rstrip("/")
        self._clock = clock
        self._files = files
        self._desk = desk
        self._reading = reading

    async def of(self, notice_id: str) -> Sequence[FileView]:
        """For who may see the notice, which the caller has asked."""
        return await self._files.of(album_of(notice_id))

    async def add(self, actor: Actor, notice_id: str, data: bytes) -> None:
        """Puts a picture to a draft. Raises IllegalNoticeMove, TooManyPictures, PictureUnreadable, PictureTooLarge,
        FileTooLarge."""
        # Whose notice it is comes before what was sent; and unpacking takes long, so it holds no lock.
        await self._desk.get(actor, notice_id)
        picture = await self._files.prepared(data)
        async with transaction():
            row = await self._desk.touched(actor, notice_id, "picture")
            album = album_of(row.id)
            if len(await self._files.of(album)) >= MOST:
                raise TooManyPictures
            await self._files.keep_prepared(album, picture)

    async def remove(self, actor: Actor, notice_id: str, picture_id: str) -> None:
        """Takes one off a draft. Raises IllegalNoticeMove, FileNotFound."""
        async with transaction():
            row = await self._desk.touched(actor, notice_id, "picture")
            await self._files.discard(album_of(row.id), picture_id)

    async def shown(self, actor: Actor, notice_id: str, picture_id: str) -> FileContent:
        """For the staff. Raises NotFound."""
        row, _ = await reported(actor, notice_id)
        return await self._files.read(album_of(row.id), picture_id)

    async def by_ticket(self, ticket: str, picture_id: str) -> FileContent:
        """For who holds the link to the notice. Raises TicketUnknown, FileNotFound."""
        notice = await self._reading.by_ticket(ticket)
        return await self._files.read(album_of(notice.album), picture_id)

    async def links(self, actor: Actor, notice: OwnNotice) -> list[Link]:
        """The pictures of a notice its reader has before them, each under their own link."""
        if not self._url or not notice.pictures or actor.person_id is None:
            return []
        async with transaction():
            tickets = await tickets_for(await Notice.get(id=notice.id), [actor.person_id], self._clock.now())
        address = f"{self._url}{PAGE}/{tickets[actor.person_id]}/pictures"
        return [
            Link(texts.PICTURE.format(number=number), f"{address}/{own}")
            for number, own in enumerate(notice.pictures, 1)
        ]
