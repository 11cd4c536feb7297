"""Files that belong to a record: encrypted in the database, so that a backup holds them and an erasure reaches them.

Whoever may see the record is the record's service to say: this store only asks that owner and file belong together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from tortoise.queryset import QuerySet

from bot.clock import Clock
from bot.errors import InvalidInput, NotFound
from bot.storage.fields import Plain
from bot.storage.models import StoredFile
from bot.storage.pictures import KIND, Picture, made_anew

MOST_BYTES: Final = 5 * 1024 * 1024
MOST_UPLOADED: Final = 12 * 1024 * 1024
"""What a telephone's camera makes, before it is made smaller."""


class FileTooLarge(InvalidInput):
    """More bytes than are kept."""

    code = "file_too_large"
    default_message = "文件太大，图片请不要超过12兆，可以截图后再传。"


class FileNotFound(NotFound):
    """The record has no such file, or it was deleted by rule."""

    code = "file_not_found"
    default_message = "这个文件已经不在了，请返回上一页。"


@dataclass(frozen=True, slots=True)
class Owner:
    """The record a file belongs to: its kind, such as `notice`, and its id."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class FileView:
    """A file without its content; `media_type` such as `image/jpeg`, `size` in bytes."""

    id: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class FileContent:
    """A file."""

    media_type: str
    content: bytes


class FileStore:
    """All files. Methods that write belong into the caller's transaction."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def keep_picture(self, owner: Owner, data: bytes, *, delete_after: datetime | None = None) -> FileView:
        """Keeps a picture, made anew in a thread: smaller, and without what the camera wrote into it.

        Raises FileTooLarge, PictureUnreadable, PictureTooLarge.
        """
        return await self.keep_prepared(owner, await self.prepared(data), delete_after=delete_after)

    async def prepared(self, data: bytes) -> Picture:
        """The picture as it would be kept: what takes long, to be done before a transaction. Raises as
        `keep_picture`."""
        if len(data) > MOST_UPLOADED:
            raise FileTooLarge
        return await asyncio.to_thread(made_anew, data)

    async def keep_prepared(self, owner: Owner, picture: Picture, *, delete_after: datetime | None = None) -> FileView:
        """Keeps a prepared picture."""
        return await self.keep(owner, picture.content, KIND, delete_after=delete_after)

    async def keep(
        self, owner: Owner, content: bytes, media_type: str, *, delete_after: datetime | None = None
    ) -> FileView:
        """Keeps a file until its owner discards it, or `delete_after`. Raises FileTooLarge."""
        if len(content) > MOST_BYTES:
            raise FileTooLarge
        now = self._clock.now()
        row = await StoredFile.create(
            id=uuid4(), owner_kind=owner.kind, owner_id=UUID(owner.id), media_type=media_type, size=len(content),
            content=Plain(content), delete_after=delete_after, created_at=now, updated_at=now,
        )  # fmt: skip
        return FileView(str(row.id), media_type, len(content))

    async def of(self, owner: Owner) -> Sequence[FileView]:
        """The files of a record, in the order in which they came."""
        rows = _of(owner).order_by("created_at", "id").values_list("id", "media_type", "size")
        return [FileView(str(own), media_type, size) for own, media_type, size in await rows]

    async def read(self, owner: Owner, file_id: str) -> FileContent:
        """One of them. Raises FileNotFound, Undecipherable."""
        row = await _of(owner).get_or_none(id=_uuid(file_id))
        if row is None or (row.delete_after is not None and row.delete_after <= self._clock.now()):
            raise FileNotFound
        return FileContent(row.media_type, bytes(row.content))

    async def discard(self, owner: Owner, file_id: str) -> None:
        """One of them goes. Raises FileNotFound."""
        if not await _of(owner).filter(id=_uuid(file_id)).delete():
            raise FileNotFound

    async def discard_all(self, owner: Owner) -> int:
        """They go with their record; gives how many there were."""
        return await _of(owner).delete()

    async def copy(self, owner: Owner, to: Owner) -> None:
        """The files of a record also for another one, which may discard its own."""
        for view in await self.of(owner):
            content = await self.read(owner, view.id)
            await self.keep(to, content.content, content.media_type)

    async def delete_from(self, owner: Owner, moment: datetime) -> None:
        """From the moment on they may not be read, and the next night they are removed."""
        await _of(owner).update(delete_after=moment, updated_at=self._clock.now())

    # --------------------------------------------------------------------------------------------------------- the term
    async def overdue(self) -> Sequence[tuple[Owner, datetime]]:
        """The records with files whose term has ended, and since when."""
        now = self._clock.now()
        rows = await (
            StoredFile.filter(delete_after__lte=now)
            .order_by("delete_after")
            .values_list("owner_kind", "owner_id", "delete_after")
        )
        found: dict[Owner, datetime] = {}
        for kind, own, moment in rows:
            found.setdefault(Owner(kind, str(own)), moment)
        return list(found.items())

    async def remove_overdue(self, owner: Owner) -> int:
        """Removes what has ended of a record's files; gives how many."""
        return await _of(owner).filter(delete_after__lte=self._clock.now()).delete()


def _of(owner: Owner) -> QuerySet[StoredFile]:
    return StoredFile.filter(owner_kind=owner.kind, owner_id=UUID(owner.id))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise FileNotFound from error
