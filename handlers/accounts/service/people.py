"""Reading people: children for their guardians, pupils and staff for those who are charged with them.

Lists carry masked numbers; `reveal` shows one, and writes that down in the same transaction.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal
from uuid import UUID

from tortoise.expressions import Q, RawSQL, Subquery
from tortoise.queryset import QuerySet

from bot.audit.log import Audit
from bot.capability import DutySource
from bot.clock import Clock, local_date
from bot.errors import InvalidInput, NotFound
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, require
from bot.storage.base import blind_index
from bot.storage.combined import Combined
from bot.storage.database import transaction
from handlers.accounts.domain import AppointmentKind, PupilStatus, class_name, mask_number, normalise_name
from handlers.accounts.models import Guardianship, Person, Placement, Pupil
from handlers.accounts.service.scope import (
    as_id,
    missing,
    subject_of_class,
    subject_of_pupil,
    visible_appointments,
    visible_guardianships,
    visible_pupils,
)
from handlers.accounts.service.views import (
    ChildView,
    GuardianView,
    PageOf,
    PlacementView,
    PupilCard,
    PupilView,
    StaffView,
    UnreachableView,
    guardian_view,
    name_of,
    pupil_view,
    staff_view,
)

__all__ = ["ChildView", "PageOf", "PeopleService", "PupilFilter", "StaffFilter"]

PAGE: Final = 50
LARGEST_PAGE: Final = 500
REVEALED: Final[Mapping[str, frozenset[str]]] = {
    "pupil": frozenset({"birth_date", "roster_number", "id_number"}),
    "person": frozenset({"phone", "id_number"}),
}
_ON_ROSTER: Final = (
    "(SELECT COUNT(*) FROM accounts_guardianship g WHERE g.pupil_id = accounts_pupil.id AND g.ended_on IS NULL)"
)
_ORDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "class": ("school__name", "school_class__grade", "school_class__number", "name", "id"),
    "name": ("name", "id"),
    "guardians": ("known", "name", "id"),
}
_STAFF_ORDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "school": ("school__name", "kind", "person__name", "id"),
    "name": ("person__name", "kind", "id"),
    "kind": ("kind", "school__name", "person__name", "id"),
    "since": ("since", "person__name", "id"),
}
# What a guardian looks at most: one statement over the children their parts reach.
_CHILDREN: Final = """
SELECT CAST(p.id AS TEXT) AS id, p.name, CAST(s.id AS TEXT) AS school_id, s.name AS school, p.status,
       CAST(s.township_id AS TEXT) AS township_id,
       CAST(c.id AS TEXT) AS class_id, c.grade, c.number
  FROM accounts_pupil p JOIN accounts_school s ON s.id = p.school_id
       LEFT JOIN accounts_class c ON c.id = p.school_class_id
 WHERE p.id {among}
"""
_CHILDREN_SQLITE: Final = _CHILDREN.format(among="IN (SELECT value FROM json_each(?))")
_CHILDREN_POSTGRES: Final = _CHILDREN.format(among="= ANY($1::uuid[])")


class FieldUnknown(InvalidInput):
    """There is no such field to be shown."""

    code = "field_unknown"
    default_message = "没有这一项资料，请刷新页面后再试。"


class CursorInvalid(InvalidInput):
    """A cursor that was never given out."""

    code = "cursor_invalid"
    default_message = "翻页的位置不对，请从第一页重新看。"


@dataclass(frozen=True, slots=True, kw_only=True)
class PupilFilter:
    """Which pupils. `name`: a part of it, which is a search and is written down. `status` None: whatever it is."""

    name: str = ""
    school_id: str | None = None
    class_id: str | None = None
    status: PupilStatus | None = PupilStatus.ENROLLED
    order: Literal["class", "name"] = "class"
    is_descending: bool = False
    cursor: str | None = None
    limit: int = PAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffFilter:
    """Which charges. `on`: that last on the day, None: today; `name` as for pupils."""

    name: str = ""
    school_id: str | None = None
    kind: AppointmentKind | None = None
    on: date | None = None
    order: Literal["school", "name", "kind", "since"] = "school"
    is_descending: bool = False
    cursor: str | None = None
    limit: int = PAGE


class PeopleService:
    """Who there is."""

    def __init__(self, clock: Clock, audit: Audit, duties: Callable[[], Sequence[DutySource]] = tuple) -> None:
        """`duties` gives the sources of open duties once the application runs."""
        self._clock = clock
        self._audit = audit
        self._duties = duties
        self._children = Combined(self._children_among)

    # ------------------------------------------------------------------------------------------------------ children
    async def children_of(self, actor: Actor) -> list[ChildView]:
        """The children of a guardian, in order of their names, those who left their school too. One statement, shared
        with others who ask at the same moment."""
        children = require(actor, Action.CHILDREN_LIST).children
        found = await self._children.find(children)
        return sorted((found[child] for child in children if child in found), key=lambda each: (each.name, each.id))

    async def children_known(self, child_ids: Collection[str]) -> Mapping[str, ChildView]:
        """Those of the children who are there, by id, for services: whoever asks checks whose affair each is."""
        return await self._children.find(child_ids)

    async def _children_among(self, ids: Collection[str]) -> Mapping[str, ChildView]:
        connection = Pupil._meta.db
        if connection.capabilities.dialect == "postgres":
            _, rows = await connection.execute_query(_CHILDREN_POSTGRES, [list(ids)])
        else:
            _, rows = await connection.execute_query(_CHILDREN_SQLITE, [json.dumps(list(ids))])
        return {row["id"]: _child_view(row) for row in rows}

    async def subject_of_child(self, child_id: str | UUID) -> Subject:
        """Whose affair a child is. Raises NotFound."""
        row = await Pupil.get_or_none(id=as_id(child_id)).select_related("school")
        if row is None:
            raise NotFound
        return subject_of_pupil(row)

    async def guardians_of(self, child_id: str | UUID) -> list[GuardianView]:
        """Who looks after the child, the acting one first. Whoever asks has the right to; phones are masked."""
        rows = Guardianship.filter(pupil_id=as_id(child_id), ended_on__isnull=True).select_related("person")
        return [guardian_view(row) for row in await rows.order_by("-is_acting", "created_at", "id")]

    # -------------------------------------------------------------------------------------------------------- pupils
    async def pupils(self, actor: Actor, wanted: PupilFilter) -> PageOf[PupilView]:
        """The pupils within reach. A search by name needs its own right and is written down, without the name."""
        action = Action.PUPIL_SEARCH if wanted.name else Action.PUPIL_VIEW
        reach = require(actor, action)
        query = visible_pupils(reach)
        if wanted.school_id:
            query = query.filter(school_id=as_id(wanted.school_id))
        if wanted.class_id:
            query = query.filter(school_class_id=as_id(wanted.class_id))
        if wanted.status:
            query = query.filter(status=wanted.status)
        async with transaction():
            if wanted.name:
                name = normalise_name(wanted.name)
                query = query.filter(name__icontains=name)
                await self._note_search(actor, action, name, place_of(reach, wanted.school_id, wanted.class_id))
            order = _ordered(_ORDERS[wanted.order], wanted.is_descending)
            query = query.order_by(*order).select_related("school", "school_class")
            rows, total, cursor = await _paged(query, wanted.cursor, wanted.limit)
            counts = await _guardian_counts([row.id for row in rows])
        return PageOf([pupil_view(row, *counts(row.id)) for row in rows], total, cursor)

    async def pupil(self, actor: Actor, pupil_id: str | UUID) -> PupilCard:
        """One pupil, with guardians and the classes they were in. Raises NotFound."""
        reach = require(actor, Action.PUPIL_VIEW)
        row = await visible_pupils(reach).filter(id=as_id(pupil_id)).select_related("school", "school_class").first()
        if row is None:
            raise missing(actor, Action.PUPIL_VIEW)
        guardians = await self.guardians_of(row.id)
        places = Placement.filter(pupil_id=row.id).select_related("school_class__school").order_by("since")
        return PupilCard(
            pupil=pupil_view(row, len(guardians), sum(each.is_bound for each in guardians)),
            sex=row.sex,
            birth_year=date.fromisoformat(row.birth_date).year if row.birth_date else None,
            id_number=mask_number(row.id_number),
            left_on=row.left_on,
            version=row.version,
            guardians=guardians,
            places=[_placement_view(place) for place in await places],
        )

    async def unreachable(
        self,
        actor: Actor,
        *,
        school_id: str | None = None,
        order: Literal["class", "name", "guardians"] = "class",
        is_descending: bool = False,
        cursor: str | None = None,
        limit: int = PAGE,
    ) -> PageOf[UnreachableView]:
        """The children at school none of whose guardians is bound, by class."""
        query = visible_pupils(require(actor, Action.REACH_VIEW)).filter(status=PupilStatus.ENROLLED)
        if school_id:
            query = query.filter(school_id=as_id(school_id))
        bound = Guardianship.filter(bound_at__isnull=False, ended_on__isnull=True).values("pupil_id")
        query = query.filter(id__not_in=Subquery(bound))
        if order == "guardians":
            # A count by join would group by every column of school and class too, which PostgreSQL insists on.
            query = query.annotate(known=RawSQL(_ON_ROSTER))
        query = query.order_by(*_ordered(_ORDERS[order], is_descending))
        rows, total, following = await _paged(query.select_related("school", "school_class"), cursor, limit)
        counts = await _guardian_counts([row.id for row in rows])
        return PageOf([_unreachable_view(row, counts(row.id)[0]) for row in rows], total, following)

    # --------------------------------------------------------------------------------------------------------- staff
    async def staff(self, actor: Actor, wanted: StaffFilter) -> PageOf[StaffView]:
        """The charges within reach that last on a day, by school."""
        reach = require(actor, Action.STAFF_VIEW)
        query = visible_appointments(reach).filter(_lasting(wanted.on or self._today()))
        if wanted.school_id:
            query = query.filter(school_id=as_id(wanted.school_id))
        if wanted.kind:
            query = query.filter(kind=wanted.kind)
        async with transaction():
            if wanted.name:
                name = normalise_name(wanted.name)
                query = query.filter(person__name__icontains=name)
                await self._note_search(actor, Action.STAFF_VIEW, name, place_of(reach, wanted.school_id, None))
            query = query.select_related("person", "school", "school_class")
            query = query.order_by(*_ordered(_STAFF_ORDERS[wanted.order], wanted.is_descending))
            rows, total, cursor = await _paged(query, wanted.cursor, wanted.limit)
        return PageOf([staff_view(row) for row in rows], total, cursor)

    async def staff_of_class(self, class_id: str | UUID) -> list[StaffView]:
        """Head teacher and teachers of a class today. Whoever asks has the right to."""
        query = visible_appointments(Reach(classes=frozenset({str(as_id(class_id))}))).filter(_lasting(self._today()))
        rows = await query.select_related("person", "school", "school_class").order_by("kind", "person__name", "id")
        return [staff_view(row) for row in rows]

    async def open_duties(self, actor: Actor, class_id: str | UUID) -> dict[str, int]:
        """What would pass with the class, by kind in words. Raises NotFound."""
        require(actor, Action.CLASS_HANDOVER)
        subject = await subject_of_class(as_id(class_id))
        require(actor, Action.CLASS_HANDOVER, subject)
        return await count_duties(self._duties(), str(class_id))

    # ------------------------------------------------------------------------------------------------------ in clear
    async def reveal(self, actor: Actor, kind: Literal["pupil", "person"], row_id: str | UUID, field: str) -> str:
        """One number or date in clear, "" for none; written down in the same transaction. Raises NotFound,
        FieldUnknown."""
        reach = require(actor, Action.CONTACT_REVEAL)
        if field not in REVEALED.get(kind, ()):
            raise FieldUnknown
        async with transaction():
            row, whose = await (_pupil_of(reach, as_id(row_id)) if kind == "pupil" else self._person_of(reach, row_id))
            if row is None:
                raise missing(actor, Action.CONTACT_REVEAL)
            await self._audit.record(actor, Action.CONTACT_REVEAL, f"{kind}:{row.id}", whose=whose, fields=[field])
            return getattr(row, field) or ""

    async def _person_of(self, reach: Reach, person_id: str | UUID) -> tuple[Person | None, Subject]:
        """A guardian of a pupil within reach, or somebody on the staff of a school within reach."""
        query = visible_guardianships(reach).filter(person_id=as_id(person_id), person__is_erased=False)
        ward = await query.select_related("person", "pupil__school").order_by("id").first()
        if ward is not None:
            return ward.person, subject_of_pupil(ward.pupil)
        places = Reach(is_any=reach.is_any, schools=reach.schools, townships=reach.townships)
        held = visible_appointments(places).filter(person_id=as_id(person_id), person__is_erased=False)
        charge = await held.filter(_lasting(self._today())).select_related("person").order_by("id").first()
        if charge is None:
            return None, Subject()
        school_id = str(charge.school_id) if charge.school_id else None
        return charge.person, Subject(school_id=school_id, township_id=str(charge.township_id))

    async def _note_search(self, actor: Actor, action: Action, name: str, place: Subject) -> None:
        await self._audit.record(actor, action, f"search:{blind_index('search', name)}", whose=place, purpose="search")

    def _today(self) -> date:
        return local_date(self._clock.now())


async def count_duties(sources: Sequence[DutySource], class_id: str) -> dict[str, int]:
    """The open duties of a class from all sources, by kind in words."""
    counts: Counter[str] = Counter()
    for source in sources:
        counts.update(await source.open_duties(class_id))
    return dict(counts)


async def _pupil_of(reach: Reach, pupil_id: UUID) -> tuple[Pupil | None, Subject]:
    row = await visible_pupils(reach).filter(id=pupil_id).select_related("school").first()
    return row, subject_of_pupil(row) if row else Subject()


async def _paged(query: QuerySet[Any], cursor: str | None, limit: int) -> tuple[list[Any], int, str | None]:
    start = int(cursor) if cursor and cursor.isascii() and cursor.isdigit() and len(cursor) < 10 else 0
    if cursor and not start:
        raise CursorInvalid
    size = max(1, min(limit, LARGEST_PAGE))
    total = await query.count()
    rows = await query.offset(start).limit(size)
    following = start + len(rows)
    return list(rows), total, str(following) if rows and following < total else None


async def _guardian_counts(pupils: Sequence[UUID]) -> Callable[[UUID], tuple[int, int]]:
    """How many guardians of each are on the roster, and how many of them are bound."""
    rows = await Guardianship.filter(pupil_id__in=list(pupils), ended_on__isnull=True).values_list(
        "pupil_id", "bound_at"
    )
    known = Counter(row[0] for row in rows)
    bound = Counter(row[0] for row in rows if row[1] is not None)
    return lambda pupil_id: (known[pupil_id], bound[pupil_id])


def _ordered(columns: Sequence[str], is_descending: bool) -> list[str]:
    return [f"-{column}" if is_descending else column for column in columns]


def _lasting(day: date) -> Q:
    return Q(Q(until__isnull=True) | Q(until__gte=day), since__lte=day)


def place_of(reach: Reach, school_id: str | None, class_id: str | None) -> Subject:
    """Where somebody searched, or took a list: what they named, else the only place they reach."""

    def only(ids: frozenset[str]) -> str | None:
        return next(iter(ids)) if len(ids) == 1 else None

    return Subject(
        class_id=class_id or only(reach.classes),
        school_id=school_id or only(reach.schools),
        township_id=only(reach.townships),
    )


def _child_view(row: Mapping[str, Any]) -> ChildView:
    return ChildView(
        id=row["id"],
        name=row["name"],
        school_id=row["school_id"],
        school=row["school"],
        class_id=row["class_id"],
        class_name="" if row["grade"] is None else class_name(row["grade"], row["number"]),
        grade=row["grade"],
        is_enrolled=row["status"] == PupilStatus.ENROLLED,
        township_id=row["township_id"],
    )


def _placement_view(row: Placement) -> PlacementView:
    return PlacementView(
        school=row.school_class.school.name,
        class_name=name_of(row.school_class),
        school_year=row.school_class.school_year,
        since=row.since,
        until=row.until,
        reason=row.reason,
    )


def _unreachable_view(row: Pupil, guardians: int) -> UnreachableView:
    return UnreachableView(
        id=str(row.id),
        name=row.name,
        school=row.school.name,
        class_id=str(row.school_class_id) if row.school_class_id else None,
        class_name=name_of(row.school_class),
        guardians=guardians,
    )
