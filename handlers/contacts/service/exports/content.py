"""What stands in an export. Whoever asks has the right to it and has written it down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.contacts.domain.records import Met, Topic
from handlers.contacts.domain.register import Group, Reason
from handlers.contacts.models import ContactsDue, ContactsFile, ContactsRecord
from handlers.contacts.service.exports.book import Part
from handlers.contacts.service.reach import Reaching
from handlers.contacts.service.register.levels import levels_of
from handlers.contacts.texts import exports as texts
from handlers.contacts.texts import recording, register

RECORDS_OF: Final = timedelta(days=366)
"""Records of a year at the most."""


class ExportContent:
    """Reads it."""

    def __init__(self, reaching: Reaching, audiences: AccountsAudiences) -> None:
        self._reaching = reaching
        self._audiences = audiences

    async def parts(
        self, wards: Mapping[str, WardMeant], today: date, *, has_groups: bool, has_records: bool
    ) -> list[Part]:
        """The sheets: the list, and if wanted the contacts of a year without what was found."""
        parts = [await self._list(wards, has_groups)]
        return [*parts, await self._records(wards, today)] if has_records else parts

    async def _list(self, wards: Mapping[str, WardMeant], has_groups: bool) -> Part:
        levels = await levels_of([UUID(each) for each in wards])
        keepers = await self._reaching.keepers(wards)
        names = await self._audiences.names({person for persons in keepers.values() for person in persons})
        due = {str(row.pupil_id): row.due_on for row in await ContactsDue.filter(pupil_id__in=list(wards))}
        groups = await _groups(wards) if has_groups else {}
        rows = []
        for child, ward in wards.items():
            level, day = levels.get(child), due.get(child)
            kept = texts.COMMA.join(names[person] for person in keepers.get(child, ()) if person in names)
            row = [ward.school, ward.class_name, ward.name, register.LEVELS[level] if level else "", kept]
            row.append(day.isoformat() if day else "")
            rows.append([*row, groups.get(child, "")] if has_groups else row)
        head = [*texts.LIST_HEAD, texts.GROUP_HEAD] if has_groups else texts.LIST_HEAD
        return Part(texts.LIST, head, rows)

    async def _records(self, wards: Mapping[str, WardMeant], today: date) -> Part:
        found = await ContactsRecord.filter(
            pupil_id__in=list(wards), happened_on__gt=today - RECORDS_OF, superseded_by__isnull=True
        ).order_by("happened_on", "entered_at", "id")
        names = await self._audiences.names({str(row.author_id) for row in found})
        rows = [_record(row, wards[str(row.pupil_id)], names) for row in found]
        return Part(texts.RECORDS, texts.RECORD_HEAD, rows)


async def _groups(wards: Mapping[str, WardMeant]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    rows = ContactsFile.filter(pupil_id__in=list(wards), ended_on__isnull=True).order_by("since", "id")
    for row in await rows:
        words = f"{register.GROUPS[Group(row.care_group)]}（{register.REASONS[Reason(row.reason)]}）"
        found.setdefault(str(row.pupil_id), []).append(words)
    return {child: texts.COMMA.join(each) for child, each in found.items()}


def _record(row: ContactsRecord, ward: WardMeant, names: Mapping[str, str]) -> Sequence[str]:
    return (
        ward.class_name,
        ward.name,
        row.happened_on.isoformat(),
        recording.WAYS[row.way],
        recording.OUTCOMES[row.outcome],
        texts.COMMA.join(recording.MET[Met(each)] for each in row.met),
        texts.COMMA.join(recording.TOPICS[Topic(each)] for each in row.topics),
        names.get(str(row.author_id), ""),
    )
