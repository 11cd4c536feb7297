"""Pictures and voice notes beside what is written: first with the draft, then with the record. Encrypted by the store,
and never instead of words. In the caller's transaction, which holds the child."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from bot.storage.files import FileStore, Owner
from bot.storage.pictures import KIND, Picture
from handlers.contacts.models import ContactsDraft, ContactsRecord

FILES: Final = "contacts_record"
"""The kind of owner under which a picture and a voice note of a record are kept."""
DRAFT_FILES: Final = "contacts_draft"
"""Of a draft."""
DRAFT_FILES_KEPT: Final = timedelta(days=30)
"""What nobody makes a record of goes by itself."""


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice note: it never replaces what is written down."""

    media_type: str
    content: bytes = field(repr=False)


async def keep_with_draft(files: FileStore, draft: UUID, media: Picture | Voice, now: datetime) -> None:
    """The last picture and the last voice note count."""
    owner = Owner(DRAFT_FILES, str(draft))
    kind = media.media_type if isinstance(media, Voice) else KIND
    for view in await files.of(owner):
        if view.media_type == kind:
            await files.discard(owner, view.id)
    await files.keep(owner, media.content, kind, delete_after=now + DRAFT_FILES_KEPT)


async def keep_with_record(files: FileStore, row: ContactsRecord, media: Picture | Voice) -> None:
    """As the record's own."""
    owner = Owner(FILES, str(row.id))
    if isinstance(media, Voice):
        row.voice_id = UUID((await files.keep(owner, media.content, media.media_type)).id)
    else:
        row.photo_id = UUID((await files.keep_prepared(owner, media)).id)
    await row.save(update_fields=["photo_id", "voice_id"])


async def adopt(files: FileStore, row: ContactsRecord, drafts: Collection[ContactsDraft]) -> None:
    """What lay with the drafts lies with the record now, unless the record brought its own."""
    owner = Owner(FILES, str(row.id))
    for draft in drafts:
        source = Owner(DRAFT_FILES, str(draft.id))
        for view in await files.of(source):
            is_picture = view.media_type == KIND
            if (row.photo_id if is_picture else row.voice_id) is not None:
                continue
            found = await files.read(source, view.id)
            kept = UUID((await files.keep(owner, found.content, found.media_type)).id)
            row.photo_id, row.voice_id = (kept, row.voice_id) if is_picture else (row.photo_id, kept)
    if row.photo_id or row.voice_id:
        await row.save(update_fields=["photo_id", "voice_id"])


async def drop_drafts(files: FileStore, drafts: Collection[ContactsDraft]) -> None:
    """They go, with what lay with them."""
    for draft in drafts:
        await files.discard_all(Owner(DRAFT_FILES, str(draft.id)))
        await draft.delete()
