"""Who answers for what is overdue: the pile of everybody who is told, as of now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from tortoise.expressions import Q

from handlers.accounts.domain import AppointmentKind
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.accounts.service.offices import Offices
from handlers.contacts.domain.clock import ClockRule
from handlers.contacts.domain.register import Stage
from handlers.contacts.domain.stages import Answerable, Part
from handlers.contacts.models import ContactsDue, ContactsPair
from handlers.contacts.service.clock.counting import first_due
from handlers.contacts.service.clock.reading import ClockReading


class Keepers(Protocol):
    """Knows who keeps contact with a child."""

    async def keepers(self, child_ids: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """Those on the staff of each child's school, the first paired first."""
        ...


@dataclass(frozen=True, slots=True)
class Overdue:
    """A child whose day has come, with its row, by which rule, and who answers for it. `paired_on`: since when each of
    those who keep it does."""

    row: ContactsDue
    ward: WardMeant
    rule: ClockRule
    answerable: Answerable
    paired_on: Mapping[str, date] = field(default_factory=dict)

    @property
    def due_on(self) -> date:
        """Contact or visit, whichever was due first."""
        first = first_due(self.row)
        assert first is not None
        return first


@dataclass(slots=True)
class Pile:
    """What somebody is told of: the children of each part, and how many messages they get a day at most."""

    daily_cap: int = 1
    parts: dict[Part, list[Overdue]] = field(default_factory=lambda: defaultdict(list))


class Piles:
    """Over the rows of the clock and the charges of today."""

    def __init__(self, reading: ClockReading, audiences: AccountsAudiences, keepers: Keepers, offices: Offices) -> None:
        self._reading = reading
        self._audiences = audiences
        self._keepers = keepers
        self._offices = offices

    async def overdue(self, today: date, township_id: str | None = None, *, lock: bool = False) -> list[Overdue]:
        """The children at school whose day has come, in the order of their ids; of one township when it is named.
        `lock`: in the caller's transaction, until it ends."""
        due = Q(due_on__lte=today) | Q(visit_due_on__lte=today)
        query = ContactsDue.filter(due, rule_id__not_isnull=True).order_by("pupil_id")
        if township_id is not None:
            query = query.filter(school_id__in=await self._offices.schools_in(township_id))
        rows = await (query.select_for_update() if lock else query)
        wards = await self._audiences.children([str(row.pupil_id) for row in rows])
        rules = await self._reading.rules({ward.township_id for ward in wards.values()})
        by_id = {rule.id: rule for each in rules.values() for rule in each}
        answerable, paired_on = await self._answerable(wards), await _paired_on(list(wards))
        return [
            Overdue(row, wards[child], by_id[str(row.rule_id)], answerable[child], paired_on.get(child, {}))
            for row in rows
            if (child := str(row.pupil_id)) in wards
        ]

    async def names(self, overdue: Sequence[Overdue]) -> Mapping[str, str]:
        """What those who keep contact are called, by person."""
        return await self._audiences.names({person for each in overdue for person in each.answerable.keepers})

    async def _answerable(self, wards: Mapping[str, WardMeant]) -> dict[str, Answerable]:
        keepers = await self._keepers.keepers(list(wards)) if wards else {}
        alone = {ward.class_id for child, ward in wards.items() if not keepers.get(child) and ward.class_id}
        schools = {ward.school_id for ward in wards.values()}
        heads = await self._held(AppointmentKind.HEAD_TEACHER, alone)
        leads = await self._held(AppointmentKind.PROTECTION_LEAD, schools)
        leaders = await self._held(AppointmentKind.SCHOOL_LEADER, schools)
        towns = {ward.township_id for ward in wards.values()}
        administrators = await self._held(AppointmentKind.TOWNSHIP_ADMINISTRATOR, towns)
        return {
            child: Answerable(
                keepers=keepers.get(child) or heads.get(ward.class_id or "", ()),
                leads=leads.get(ward.school_id, ()),
                leaders=leaders.get(ward.school_id, ()),
                administrators=administrators.get(ward.township_id, ()),
            )
            for child, ward in wards.items()
        }

    async def _held(self, kind: AppointmentKind, ids: Collection[str]) -> dict[str, tuple[str, ...]]:
        held = await self._offices.holders_of(kind, ids) if ids else {}
        return {place: tuple(each.person_id for each in holders) for place, holders in held.items()}


def piles_of(overdue: Sequence[Overdue], stages: Mapping[str, Stage] | None = None) -> dict[str, Pile]:
    """By person. `stages`: those the rows are about to come to, by child; where none is given the row says it."""
    found: dict[str, Pile] = defaultdict(Pile)
    for each in overdue:
        stage = (stages or {}).get(each.ward.id, each.row.stage)
        for part, people in each.answerable.parts(stage):
            for person in people:
                pile = found[person]
                pile.parts[part].append(each)
                pile.daily_cap = max(pile.daily_cap, each.rule.daily_cap)
    return found


async def _paired_on(pupil_ids: Sequence[str]) -> dict[str, dict[str, date]]:
    rows = ContactsPair.filter(pupil_id__in=list(pupil_ids), until__isnull=True).order_by("since")
    found: dict[str, dict[str, date]] = defaultdict(dict)
    for row in await rows:
        found[str(row.pupil_id)][str(row.person_id)] = row.since
    return found
