"""Who has what to ask anew, as it is now. Whoever asks has the right to, and writes down what was shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from bot.rights import Reach
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.service.audiences import WardMeant
from handlers.accounts.service.caring import Caring
from handlers.accounts.service.offices import Offices
from handlers.contacts.domain.refreshing import Said, Span, Work, work_of
from handlers.contacts.models import ContactsFact, ContactsRefresh
from handlers.contacts.service.cards.facts import asked_on
from handlers.contacts.service.reach import Reaching


@dataclass(frozen=True, slots=True)
class Asked:
    """A child and what is to be asked anew about it, by whom: whoever keeps contact, where nobody does the head
    teacher, where there is none the protection lead."""

    ward: WardMeant
    work: Work
    people: tuple[str, ...]


class RefreshWork:
    """Over the register, the cards and the charges of today."""

    def __init__(self, reaching: Reaching, caring: Caring, offices: Offices) -> None:
        self._reaching = reaching
        self._caring = caring
        self._offices = offices

    async def of(self, row: ContactsRefresh) -> list[Asked]:
        """Everything a campaign asks, done or not, class by class."""
        near = await self._caring.children_within(await self._reach(row))
        wards = await self._reaching.registered({ward.id: ward for ward in near})
        versions = await _versions(wards)
        work = {child: work_of(versions[child], span_of(row)) for child in wards}
        asked = {child: ward for child, ward in wards.items() if work[child].waiting or work[child].done}
        people = await self._people(asked)
        return [Asked(ward, work[child], people[child]) for child, ward in asked.items()]

    async def _reach(self, row: ContactsRefresh) -> Reach:
        if row.school_id is None:
            return Reach(townships=frozenset({str(row.township_id)}))
        school = str(row.school_id)
        return Reach(schools=frozenset({school}) | await self._offices.points_of([school]))

    async def _people(self, wards: Mapping[str, WardMeant]) -> Mapping[str, tuple[str, ...]]:
        keepers = await self._reaching.keepers(wards) if wards else {}
        alone = [ward for child, ward in wards.items() if not keepers.get(child)]
        heads = await self._held(AppointmentKind.HEAD_TEACHER, {ward.class_id for ward in alone if ward.class_id})
        leads = await self._held(AppointmentKind.PROTECTION_LEAD, {ward.school_id for ward in alone})
        return {
            child: keepers.get(child) or heads.get(ward.class_id or "") or leads.get(ward.school_id, ())
            for child, ward in wards.items()
        }

    async def _held(self, kind: AppointmentKind, ids: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        held = await self._offices.holders_of(kind, ids) if ids else {}
        return {place: tuple(each.person_id for each in holders) for place, holders in held.items()}


def span_of(row: ContactsRefresh) -> Span:
    """A campaign as it is counted."""
    return Span(row.created_at, row.begun_on, row.ends_on, row.older_than)


async def running(today: date, **among: Any) -> list[ContactsRefresh]:
    """The campaigns that go on, the earlier first."""
    return await ContactsRefresh.filter(ended_at__isnull=True, ends_on__gte=today, **among).order_by("created_at", "id")


def waiting_for(asked: Iterable[Asked]) -> Mapping[str, Sequence[Asked]]:
    """By person, what they still have to ask."""
    found: dict[str, list[Asked]] = defaultdict(list)
    for each in asked:
        for person in each.people if each.work.waiting else ():
            found[person].append(each)
    return found


async def _versions(child_ids: Collection[str]) -> Mapping[str, list[Said]]:
    found: dict[str, list[Said]] = defaultdict(list)
    if not child_ids:
        return found
    rows = ContactsFact.filter(pupil_id__in=[UUID(child) for child in child_ids])
    for row in await rows.order_by("entered_at", "created_at", "id"):
        said = Said(str(row.id), row.holder, row.kind, row.value, asked_on(row), row.entered_at)
        found[str(row.pupil_id)].append(said)
    return found
