"""What those need who plan who keeps contact with which child: children within a reach, when they were born, and who is
on the staff of their school today.

Nobody on a screen asks this directly: whoever does has the right to, and writes down what it read. A school and its
teaching points are one house: whoever is charged with something in one of them is a colleague in all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from bot.clock import Clock, local_date
from bot.rights import Reach
from handlers.accounts.domain import APPOINTMENT_WORDS, AppointmentKind, PupilStatus
from handlers.accounts.models import Appointment, Pupil, School
from handlers.accounts.service.audiences import WardMeant
from handlers.accounts.service.scope import visible_pupils
from handlers.accounts.service.views import name_of


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody on the staff of a house, and as what, in words (班主任、任课教师)."""

    person_id: str
    name: str = field(repr=False)
    title: str


class Caring:
    """Children and staff as they are today."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    # ------------------------------------------------------------------------------------------------------ children
    async def children_within(self, reach: Reach) -> list[WardMeant]:
        """The children at school within reach, school by school and class by class."""
        rows = visible_pupils(reach).filter(status=PupilStatus.ENROLLED).select_related("school", "school_class")
        order = ("school__name", "school_class__grade", "school_class__number", "name", "id")
        return [_ward(row) for row in await rows.order_by(*order)]

    async def former(self, child_ids: Collection[str]) -> dict[str, WardMeant]:
        """Those of the children who have left and of whom it is still kept who they were, as they were then."""
        rows = Pupil.filter(id__in=list(child_ids), reduced_at__isnull=True).exclude(status=PupilStatus.ENROLLED)
        found = await rows.select_related("school", "school_class") if child_ids else []
        return {str(row.id): _ward(row) for row in found}

    async def births(self, child_ids: Collection[str]) -> Mapping[str, date]:
        """When the children were born; those of whom nobody knows are left out."""
        if not child_ids:
            return {}
        rows = await Pupil.filter(id__in=list(child_ids)).values_list("id", "birth_date")
        return {str(own): date.fromisoformat(born) for own, born in rows if born}

    async def gone(self, child_ids: Collection[str]) -> Mapping[str, date]:
        """Those of the children who have left, with their last day."""
        if not child_ids:
            return {}
        rows = Pupil.filter(id__in=list(child_ids)).exclude(status=PupilStatus.ENROLLED)
        return {str(own): left for own, left in await rows.values_list("id", "left_on") if left is not None}

    # --------------------------------------------------------------------------------------------------------- staff
    async def houses(self, school_ids: Collection[str]) -> Mapping[str, str]:
        """The house of each school: the one a teaching point belongs to, for any other itself."""
        if not school_ids:
            return {}
        rows = await School.filter(id__in=list(school_ids)).values_list("id", "parent_id")
        return {str(own): str(parent or own) for own, parent in rows}

    async def houses_of(self, person_ids: Collection[str]) -> Mapping[str, frozenset[str]]:
        """The houses in which each of the people is charged with something today; without any: left out."""
        if not person_ids:
            return {}
        rows = self._lasting().filter(person_id__in=list(person_ids), school_id__not_isnull=True)
        held = [(str(person), str(school)) for person, school in await rows.values_list("person_id", "school_id")]
        houses = await self.houses({school for _, school in held})
        found: dict[str, set[str]] = defaultdict(set)
        for person, school in held:
            found[person].add(houses[school])
        return {person: frozenset(own) for person, own in found.items()}

    async def staff_of(self, school_id: str) -> list[Colleague]:
        """Who is on the staff of the school's house, by name."""
        house = (await self.houses([school_id])).get(school_id)
        if house is None:
            return []
        schools = await School.filter(Q(id=house) | Q(parent_id=house)).values_list("id", flat=True)
        rows = self._lasting().filter(school_id__in=list(schools), person__is_erased=False).select_related("person")
        titles: dict[tuple[str, str], list[str]] = defaultdict(list)
        for row in await rows.order_by("person__name", "person_id", "kind"):
            own, word = titles[str(row.person_id), row.person.name], APPOINTMENT_WORDS[AppointmentKind(row.kind)]
            if word not in own:
                own.append(word)
        return [Colleague(person, name, "、".join(words)) for (person, name), words in titles.items()]

    async def heads_ever(self, class_id: str) -> frozenset[str]:
        """Everybody who is or was head teacher of the class."""
        rows = Appointment.filter(kind=AppointmentKind.HEAD_TEACHER, school_class_id=UUID(class_id))
        return frozenset(str(person) for person in await rows.values_list("person_id", flat=True))

    def _lasting(self) -> QuerySet[Appointment]:
        today = local_date(self._clock.now())
        return Appointment.filter(Q(until__isnull=True) | Q(until__gte=today), since__lte=today)


def _ward(row: Pupil) -> WardMeant:
    return WardMeant(
        str(row.id),
        row.name,
        str(row.school_id),
        row.school.name,
        str(row.school.township_id),
        str(row.school_class_id) if row.school_class_id else None,
        name_of(row.school_class),
    )
