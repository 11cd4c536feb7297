"""Sealing and reducing the files of children, in the caller's transaction.

Sealed: the file is closed for good, and nobody looks at it any more but for an inspection. Reduced: what was said,
found, written and photographed goes; what stays is counted (school, group, since, until), and says nothing of why.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from tortoise.models import Model

from bot.clock import local_date
from bot.storage.files import FileStore, Owner
from handlers.contacts.domain.register import Reason
from handlers.contacts.models import (
    ContactsCheck,
    ContactsDraft,
    ContactsDue,
    ContactsFact,
    ContactsFile,
    ContactsGlass,
    ContactsHeard,
    ContactsLevel,
    ContactsPair,
    ContactsPrint,
    ContactsRecord,
    ContactsReport,
)
from handlers.contacts.service.cards.fitness import PAPER
from handlers.contacts.service.records.files import FILES, drop_drafts
from handlers.contacts.service.recounting import hold
from handlers.contacts.texts import keeping as texts

# The file comes last: it says that what rests on it may go.
_OF_A_CHILD: Final[tuple[type[Model], ...]] = (
    ContactsCheck, ContactsDraft, ContactsDue, ContactsFact, ContactsGlass, ContactsHeard, ContactsLevel,
    ContactsPair, ContactsPrint, ContactsRecord, ContactsReport,
)  # fmt: skip


async def seal(pupils: Collection[UUID], files: FileStore, now: datetime) -> None:
    """Open files end, pairs end, drafts go; everything else is kept as it is. Twice is once."""
    await hold(pupils)
    own = {"pupil_id__in": list(pupils)}
    for row in await ContactsFile.filter(**own, sealed_at__isnull=True):
        if row.ended_on is None:
            row.ended_on, row.end_reason, row.active_key = local_date(now), texts.SEALED, None
        row.sealed_at = row.updated_at = now
        await row.save(update_fields=["ended_on", "end_reason", "active_key", "sealed_at", "updated_at"])
    await ContactsPair.filter(**own, until__isnull=True).update(until=local_date(now), active_key=None, updated_at=now)
    await drop_drafts(files, await ContactsDraft.filter(**own))


async def reduce(pupils: Collection[UUID], files: FileStore, now: datetime) -> None:
    """What tells anything about a child or a family goes. Twice is once."""
    if not pupils:
        return
    await hold(pupils)
    own = {"pupil_id__in": list(pupils)}
    await seal(pupils, files, now)
    owners = [Owner(FILES, str(each)) for each in await ContactsRecord.filter(**own).values_list("id", flat=True)]
    owners += [Owner(PAPER, str(each)) for each in await ContactsCheck.filter(**own).values_list("id", flat=True)]
    for owner in owners:
        await files.discard_all(owner)
    # First the mark: without it the database keeps what was written.
    await ContactsFile.filter(**own).update(
        reason=Reason.OTHER.value, reason_words=None, end_reason=None, reduced_at=now, updated_at=now
    )
    await ContactsGlass.filter(**own).update(reduced_at=now, updated_at=now)
    for table in _OF_A_CHILD:
        await table.filter(**own).delete()


async def is_known(pupils: Collection[UUID]) -> int:
    """How much there is about any of the children."""
    if not pupils:
        return 0
    tables: list[type[Model]] = [ContactsFile, *_OF_A_CHILD]
    return sum([await table.filter(pupil_id__in=list(pupils)).count() for table in tables])
