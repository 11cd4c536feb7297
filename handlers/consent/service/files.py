"""Files whose term has ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.capability import DueForRetention
from bot.clock import local_date
from bot.storage.files import FileStore, Owner
from handlers.consent import texts

_SUBJECT = "files"


class FileTerm:
    """A `RetentionSource`: what a record's rule said is to be deleted from a day on."""

    def __init__(self, files: FileStore) -> None:
        self._files = files

    async def due(self, today: date) -> Sequence[DueForRetention]:
        """One line for each record with such files."""
        return [
            DueForRetention(f"{_SUBJECT}:{owner.kind}:{owner.id}", texts.RETENTION_FILES, local_date(since))
            for owner, since in await self._files.overdue()
        ]

    async def dispose(self, due: DueForRetention) -> None:
        """They are removed; what was kept longer meanwhile stays."""
        _, kind, own = due.subject.split(":")
        await self._files.remove_overdue(Owner(kind, own))
