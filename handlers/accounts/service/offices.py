"""Who holds which charge where today, and the places a charge is for: for those who plan work and raise alarms.

Nobody on a screen asks this directly: whoever does has the right to, and writes down what it read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from tortoise.expressions import Q

from bot.clock import Clock, local_date
from bot.identity import Actor
from bot.rights import Action, Subject, may, reach_of
from handlers.accounts.domain import (
    PLACE_OF_APPOINTMENT,
    Account,
    AppointmentKind,
    NameInvalid,
    PlaceKind,
    PupilStatus,
    normalise_name,
    school_year_of,
)
from handlers.accounts.models import (
    Appointment,
    Guardianship,
    Person,
    Pupil,
    School,
    SchoolClass,
    Township,
    WeChatIdentity,
)
from handlers.accounts.service.child_records import Custody
from handlers.accounts.service.scope import subject_of_class, subject_of_pupil, subject_of_school, visible_pupils
from handlers.accounts.service.views import name_of

MOST_NAMESAKES: Final = 20
_COLUMNS: Final[Mapping[PlaceKind, str]] = {
    PlaceKind.CLASS: "school_class_id",
    PlaceKind.SCHOOL: "school_id",
    PlaceKind.TOWNSHIP: "township_id",
}
# The places a kind of charge is for, those in use today: `object_id` and what lies above it. `calendar_id` is the
# school whose calendar counts there, the township's own id where no school's does.
_PLACES: Final[Mapping[PlaceKind, str]] = {
    PlaceKind.CLASS: """
SELECT c.id AS object_id, c.id AS class_id, s.id AS school_id, s.township_id AS township_id, s.id AS calendar_id
  FROM accounts_class c JOIN accounts_school s ON s.id = c.school_id
 WHERE s.township_id = {township} AND c.school_year = {year} AND (s.closed_on IS NULL OR s.closed_on >= {day})
""",
    PlaceKind.SCHOOL: """
SELECT s.id AS object_id, NULL AS class_id, s.id AS school_id, s.township_id AS township_id, s.id AS calendar_id
  FROM accounts_school s
 WHERE s.township_id = {township} AND {year} > 0 AND (s.closed_on IS NULL OR s.closed_on >= {day})
""",
    PlaceKind.TOWNSHIP: """
SELECT t.id AS object_id, NULL AS class_id, NULL AS school_id, t.id AS township_id, t.id AS calendar_id
  FROM accounts_township t
 WHERE t.id = {township} AND {year} > 0 AND {day} IS NOT NULL
""",
}


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who holds a charge. `phone` in clear, "" for none: to be shown only to whoever must call."""

    person_id: str
    name: str = field(repr=False)
    kind: AppointmentKind
    phone: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Namesake:
    """A child of a name that was asked for, and where it is."""

    id: str
    name: str = field(repr=False)
    school: str
    class_name: str


@dataclass(frozen=True, slots=True)
class Caller:
    """How somebody is reached by phone: a guardian, or somebody on the staff."""

    person_id: str
    name: str = field(repr=False)
    phone: str = field(repr=False)


def places_query(kind: AppointmentKind, *, township: str, year: str, day: str) -> str:
    """A query of the places a charge is for: `object_id`, `class_id`, `school_id`, `township_id`, `calendar_id`. What
    is given are the marks of the statement it becomes a part of; all three are used."""
    return _PLACES[PLACE_OF_APPOINTMENT[kind]].format(township=township, year=year, day=day)


class Offices:
    """Charges as they are today."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._custody = Custody(clock)

    # ------------------------------------------------------------------------------------------------------- holders
    async def holders(self, kind: AppointmentKind, whose: Subject) -> list[Holder]:
        """Those who hold the charge for a place. For a teaching point that has nobody: those of its school."""
        ids = {
            PlaceKind.CLASS: whose.class_id,
            PlaceKind.SCHOOL: whose.school_id,
            PlaceKind.TOWNSHIP: whose.township_id,
        }
        wanted = ids[PLACE_OF_APPOINTMENT[kind]]
        return (await self.holders_of(kind, [wanted])).get(wanted, []) if wanted else []

    async def holders_of(self, kind: AppointmentKind, ids: Collection[str]) -> Mapping[str, list[Holder]]:
        """The same for many places, by the id of the class, school or township; those without anybody left out."""
        place = PLACE_OF_APPOINTMENT[kind]
        wanted = {each: each for each in ids}
        if place is PlaceKind.SCHOOL:
            points = School.filter(id__in=list(wanted), parent_id__not_isnull=True)
            parents = {str(own): str(parent) for own, parent in await points.values_list("id", "parent_id")}
        else:
            parents = {}
        found = await self._appointed(kind, _COLUMNS[place], {*wanted, *parents.values()})
        near = {each: found.get(each) or found.get(parents.get(each, ""), []) for each in wanted}
        return {each: holders for each, holders in near.items() if holders}

    async def _appointed(self, kind: AppointmentKind, column: str, ids: Collection[str]) -> dict[str, list[Holder]]:
        today = local_date(self._clock.now())
        lasting = Q(Q(until__isnull=True) | Q(until__gte=today), since__lte=today)
        among: dict[str, Any] = {f"{column}__in": list(ids)}
        rows = Appointment.filter(lasting, kind=kind, person__is_erased=False, **among).select_related("person")
        found: dict[str, list[Holder]] = defaultdict(list)
        for row in await rows.order_by("since", "id"):
            own = found[str(getattr(row, column))]
            if all(each.person_id != str(row.person_id) for each in own):
                own.append(Holder(str(row.person_id), row.person.name, kind, row.person.phone or ""))
        return found

    # -------------------------------------------------------------------------------------------------------- places
    async def townships(self) -> list[str]:
        """All of them, by id."""
        return [str(row) for row in await Township.all().order_by("name").values_list("id", flat=True)]

    async def schools_in(self, township_id: str) -> list[str]:
        """The schools of a township, closed ones too, by id."""
        return [str(row) for row in await School.filter(township_id=township_id).values_list("id", flat=True)]

    async def points_of(self, school_ids: Collection[str]) -> frozenset[str]:
        """The teaching points under the schools, by id."""
        rows = School.filter(parent_id__in=list(school_ids)).values_list("id", flat=True)
        return frozenset(str(row) for row in await rows) if school_ids else frozenset()

    async def names(self, ids: Iterable[str]) -> Mapping[str, str]:
        """What classes, schools and townships are called, by id: 柳河镇中心小学三年级1班."""
        wanted = list(ids)
        found = {str(row.id): row.name for row in await Township.filter(id__in=wanted)}
        found |= {str(row.id): row.name for row in await School.filter(id__in=wanted)}
        classes = await SchoolClass.filter(id__in=wanted).select_related("school")
        return found | {str(row.id): f"{row.school.name}{name_of(row)}" for row in classes}

    async def school_named(self, place: str) -> Subject:
        """The school a place is the place of, when it is the only one; else the township, when all schools there are
        of one; else nothing is known."""
        schools = await School.filter(Q(place=place) | Q(name=place), closed_on__isnull=True) if place else []
        towns = {str(each.township_id) for each in schools}
        if len(schools) == 1:
            return Subject(school_id=str(schools[0].id), township_id=towns.pop())
        if towns:
            return Subject(township_id=towns.pop()) if len(towns) == 1 else Subject()
        known = await Township.filter(Q(name=place)) if place else []
        return Subject(township_id=str(known[0].id)) if len(known) == 1 else Subject()

    async def place_of(self, actor: Actor) -> Subject:
        """Where somebody belongs, as far as it is one place only: by the classes and schools of their charges, or the
        schools of their children."""
        children = {each for grant in actor.grants for each in grant.children}
        schools = {each for grant in actor.grants for each in grant.schools}
        classes = {each for grant in actor.grants for each in grant.classes}
        towns = {each for grant in actor.grants for each in grant.townships}
        rooms = SchoolClass.filter(id__in=list(classes)).values_list("school_id", flat=True)
        pupils = Pupil.filter(id__in=list(children)).values_list("school_id", flat=True)
        schools |= {str(each) for each in [*await rooms, *await pupils]}
        rows = await School.filter(id__in=list(schools))
        towns |= {str(row.township_id) for row in rows}
        return Subject(
            school_id=str(rows[0].id) if len(rows) == 1 else None,
            township_id=towns.pop() if len(towns) == 1 else None,
        )

    async def subject(self, *, class_id: str | None = None, school_id: str | None = None) -> Subject:
        """Whose affair a class or a school is. Raises NotFound."""
        if class_id is not None:
            return await subject_of_class(UUID(class_id))
        return await subject_of_school(UUID(school_id)) if school_id is not None else Subject()

    # -------------------------------------------------------------------------------------------------------- people
    async def children_named(self, actor: Actor, name: str) -> list[Namesake]:
        """The children of exactly this name among the pupils the actor may see at all; [] for no name."""
        try:
            wanted = normalise_name(name)
        except NameInvalid:
            return []
        if not may(actor, Action.PUPIL_VIEW):
            return []
        rows = visible_pupils(reach_of(actor, Action.PUPIL_VIEW)).filter(name=wanted, status=PupilStatus.ENROLLED)
        found = await rows.select_related("school", "school_class").order_by("id").limit(MOST_NAMESAKES)
        return [Namesake(str(row.id), row.name, row.school.name, name_of(row.school_class)) for row in found]

    async def child(self, child_id: str) -> tuple[Namesake, Subject]:
        """A child, and whose affair it is. Raises DoesNotExist for one that was removed."""
        row = await Pupil.get(id=child_id).select_related("school", "school_class")
        return Namesake(str(row.id), row.name, row.school.name, name_of(row.school_class)), subject_of_pupil(row)

    async def guardians(self, child_id: str) -> tuple[list[Caller], str | None]:
        """Those who may be called about a child, and which of them is the acting one. Who must be kept away is not
        among them."""
        allowed = (await self._custody.of([child_id])).get(child_id, frozenset())
        rows = Guardianship.filter(pupil_id=child_id, ended_on__isnull=True, person_id__in=list(allowed))
        found = await rows.select_related("person").order_by("-is_acting", "created_at", "id")
        callers = [Caller(str(row.person_id), row.person.name, row.person.phone or "") for row in found]
        return callers, next((str(row.person_id) for row in found if row.is_acting), None)

    async def wards(self, person_id: str) -> list[Namesake]:
        """The children somebody looks after who are at school."""
        children = await self._custody.children_of(person_id)
        rows = Pupil.filter(id__in=children, status=PupilStatus.ENROLLED).select_related("school", "school_class")
        found = await rows.order_by("name", "id")
        return [Namesake(str(row.id), row.name, row.school.name, name_of(row.school_class)) for row in found]

    async def people(self, person_ids: Collection[str]) -> Mapping[str, Caller]:
        """Names and phones, by id."""
        rows = await Person.filter(id__in=list(person_ids), is_erased=False)
        return {str(row.id): Caller(str(row.id), row.name, row.phone or "") for row in rows}

    async def persons_behind(self, openid_indexes: Collection[str]) -> Mapping[str, str]:
        """The persons on the staff today who are bound to ids at the 服务号, by the blind index of the id."""
        today = local_date(self._clock.now())
        rows = WeChatIdentity.filter(
            openid_index__in=list(openid_indexes), account=Account.SERVICE, person__is_erased=False
        )
        bound = {str(index): str(own) for index, own in await rows.values_list("openid_index", "person_id")}
        lasting = Q(Q(until__isnull=True) | Q(until__gte=today), since__lte=today)
        held = Appointment.filter(lasting, person_id__in=list(bound.values())).values_list("person_id", flat=True)
        staff = {str(person) for person in await held}
        return {index: person for index, person in bound.items() if person in staff}

    def school_year(self) -> int:
        """The one that goes on."""
        return school_year_of(local_date(self._clock.now()))
