"""What contacts keep about a child: for the family's copy, for erasure, until when, and what stands in the way of
taking a roster back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from bot.capability import DueForRetention
from bot.clock import Clock, local_date
from bot.storage.files import FileStore
from handlers.accounts.service.caring import Caring
from handlers.contacts.domain.register import turns_of_age
from handlers.contacts.models import (
    ContactsCheck,
    ContactsExport,
    ContactsFact,
    ContactsFile,
    ContactsGlass,
    ContactsHeard,
    ContactsLevel,
    ContactsPair,
    ContactsPrint,
    ContactsRecord,
    ContactsReport,
    ContactsRule,
)
from handlers.contacts.service.keeping.rows import is_known, reduce, seal
from handlers.contacts.texts import keeping as texts

_SEAL: Final = "contacts_seal"
_REDUCE: Final = "contacts_reduce"
_NEXT_DAY: Final = timedelta(days=1)
# Where somebody on the staff is named.
_NAMED: Final = (
    (ContactsCheck, "checked_by"),
    (ContactsExport, "person_id"),
    (ContactsExport, "decided_by"),
    (ContactsFact, "entered_by"),
    (ContactsFile, "decided_by"),
    (ContactsGlass, "person_id"),
    (ContactsGlass, "seen_by"),
    (ContactsHeard, "noted_by"),
    (ContactsLevel, "set_by"),
    (ContactsPair, "person_id"),
    (ContactsPrint, "person_id"),
    (ContactsRecord, "author_id"),
    (ContactsReport, "opened_by"),
    (ContactsRule, "entered_by"),
)


class ContactsKeeping:
    """A `ChildRecords`, a `RetentionSource` and a `Dependents`. `kept_days`: so long after it was sealed a file is
    kept; of a child that left, the term of all its data counts too."""

    def __init__(self, caring: Caring, files: FileStore, clock: Clock, *, kept_days: int) -> None:
        self._caring = caring
        self._files = files
        self._clock = clock
        self._kept = timedelta(days=kept_days)

    # ---------------------------------------------------------------------------------------------------------- a child
    async def child_data(self, child_id: str, person_id: str) -> Mapping[str, Any]:
        """Nothing: it is the protection layer, which tells not even whether there is any. The card keeps that a parent
        said something, not which, so nothing on it is known to be this guardian's own words."""
        return {}

    async def erase_child(self, child_id: str, *, keep_duty: bool) -> None:
        """It rests on duty: nothing goes while that lasts. Without it everything is reduced to what is counted."""
        if not keep_duty:
            await reduce([UUID(child_id)], self._files, self._clock.now())

    # --------------------------------------------------------------------------------------------------------- the term
    async def due(self, today: date) -> Sequence[DueForRetention]:
        """One line for what is to be sealed and one for what is to be reduced: how many children, and no name."""
        sealed, reduced = await self._to_seal(today), await self._to_reduce(today)
        found = ((_SEAL, texts.TO_SEAL, len(sealed)), (_REDUCE, texts.TO_REDUCE, len(reduced)))
        return [
            DueForRetention(f"{kind}:{today.isoformat()}", what.format(count=count), today)
            for kind, what, count in found
            if count
        ]

    async def dispose(self, due: DueForRetention) -> None:
        """Seals or reduces what was due on that day, as it is now."""
        kind, _, day = due.subject.partition(":")
        on, now = date.fromisoformat(day), self._clock.now()
        if kind == _SEAL:
            await seal(await self._to_seal(on), self._files, now)
        else:
            await reduce(await self._to_reduce(on), self._files, now)

    async def sealing(self) -> Mapping[str, date]:
        """Children with a file that is not sealed, and in the night of which day it is: after the last day at school,
        or of age. Of whom neither is known: left out."""
        rows = await ContactsFile.filter(sealed_at__isnull=True).values_list("pupil_id", flat=True)
        children = {str(row) for row in rows}
        gone, births = await self._caring.gone(children), await self._caring.births(children)
        days = {child: turns_of_age(born) for child, born in births.items()}
        return days | {child: min(days.get(child, date.max), left + _NEXT_DAY) for child, left in gone.items()}

    async def reducing(self) -> Mapping[str, date]:
        """Children all of whose files are sealed, and in the night of which day they are reduced."""
        rows = await ContactsFile.filter(reduced_at__isnull=True).values_list("pupil_id", "sealed_at")
        lasting = {pupil for pupil, sealed in rows if sealed is None}
        days: dict[str, date] = {}
        for pupil, sealed in rows:
            if pupil not in lasting:
                days[str(pupil)] = max(days.get(str(pupil), date.min), local_date(sealed) + self._kept)
        return days

    # ------------------------------------------------------------------------------------------------------- dependents
    async def dependents(self, child_ids: Collection[str], person_ids: Collection[str]) -> Mapping[str, int]:
        """How much there is about the children, or was written by the people."""
        number = await is_known([UUID(each) for each in child_ids])
        people = [UUID(each) for each in person_ids]
        for table, column in _NAMED if people else ():
            among: dict[str, Any] = {f"{column}__in": people}
            number += await table.filter(**among).count()
        return {"contacts": number} if number else {}

    # ----------------------------------------------------------------------------------------------------------- parts
    async def _to_seal(self, day: date) -> list[UUID]:
        return sorted(UUID(child) for child, on in (await self.sealing()).items() if on <= day)

    async def _to_reduce(self, day: date) -> list[UUID]:
        return sorted(UUID(child) for child, on in (await self.reducing()).items() if on <= day)
