"""Scoped queries: what an actor's reach lets them see, and whose affair a thing is. What is out of reach is not there.

Every query of the services of people begins with one of these.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from bot.errors import AppError, NotFound
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, refusal, require
from handlers.accounts.domain import PupilStatus
from handlers.accounts.models import Appointment, Guardianship, Pupil, School, SchoolClass, Township
from handlers.accounts.service.rows import ChangedMeanwhile


def as_id(text: str | UUID) -> UUID:
    """An id from outside. Raises NotFound for what is none: nothing is there under it."""
    try:
        return UUID(str(text))
    except ValueError:
        raise NotFound from None


def missing(actor: Actor, action: Action, subject: Subject | None = None) -> AppError:
    """The answer for what is not there and for what is not the actor's alike, noted for the audit."""
    return refusal(NotFound(), actor, action, subject or Subject())


def within(reach: Reach, **columns: str) -> Q:
    """The condition of a reach. `columns` say which column holds what: `children="id"`, `classes="class_id"`."""
    if reach.is_any:
        return Q()
    conditions: list[Q] = []
    for kind, column in columns.items():
        reached: dict[str, Any] = {f"{column}__in": [UUID(each) for each in getattr(reach, kind)]}
        conditions.append(Q(**reached))
    return Q(*conditions, join_type=Q.OR)


def visible_pupils(reach: Reach) -> QuerySet[Pupil]:
    """The pupils within reach, whatever their status; those who left long ago are sealed, and there for nobody."""
    columns = {"children": "id", "classes": "school_class_id", "schools": "school_id"}
    is_open = Q(sealed_at__isnull=True) | Q(status=PupilStatus.ENROLLED)
    return Pupil.filter(within(reach, **columns, townships="school__township_id"), is_open)


def visible_classes(reach: Reach) -> QuerySet[SchoolClass]:
    """The classes within reach, of all years."""
    return SchoolClass.filter(within(reach, classes="id", schools="school_id", townships="school__township_id"))


def visible_schools(reach: Reach) -> QuerySet[School]:
    """The schools within reach: for whoever reaches only classes, none."""
    return School.filter(within(reach, schools="id", townships="township_id"))


def visible_townships(reach: Reach) -> QuerySet[Township]:
    """The townships within reach."""
    return Township.filter(within(reach, townships="id"))


def visible_appointments(reach: Reach) -> QuerySet[Appointment]:
    """The charges within reach, past and coming ones too. Those for a whole township only for who reaches it."""
    return Appointment.filter(within(reach, classes="school_class_id", schools="school_id", townships="township_id"))


def visible_guardianships(reach: Reach) -> QuerySet[Guardianship]:
    """Who looks after the pupils within reach."""
    columns = {"children": "pupil_id", "classes": "pupil__school_class_id", "schools": "pupil__school_id"}
    return Guardianship.filter(within(reach, **columns, townships="pupil__school__township_id"), ended_on__isnull=True)


async def editable_pupil(actor: Actor, pupil_id: str | UUID, version: int | None = None) -> Pupil:
    """A pupil the actor may edit, with the school, locked until the transaction ends. Raises NotFound,
    ChangedMeanwhile when it is not the `version` that was looked at."""
    query = visible_pupils(require(actor, Action.PUPIL_EDIT)).filter(id=as_id(pupil_id))
    # Locked first and read then: a lock cannot be had on a row that is joined to others.
    await Pupil.filter(id=as_id(pupil_id)).select_for_update().first()
    row = await query.select_related("school").first()
    if row is None:
        raise missing(actor, Action.PUPIL_EDIT)
    if version is not None and version != row.version:
        raise ChangedMeanwhile
    return row


async def subject_of_school(school_id: UUID) -> Subject:
    """Whose affair a school is. Raises NotFound."""
    school = await School.get_or_none(id=school_id)
    if school is None:
        raise NotFound
    return Subject(school_id=str(school.id), township_id=str(school.township_id))


async def subject_of_class(class_id: UUID) -> Subject:
    """Whose affair a class is. Raises NotFound."""
    row = await SchoolClass.get_or_none(id=class_id).select_related("school")
    if row is None:
        raise NotFound
    return Subject(class_id=str(row.id), school_id=str(row.school_id), township_id=str(row.school.township_id))


def subject_of_pupil(row: Pupil) -> Subject:
    """Whose affair a child is, of a row that came with its school."""
    return Subject(
        child_id=str(row.id),
        class_id=str(row.school_class_id) if row.school_class_id else None,
        school_id=str(row.school_id),
        township_id=str(row.school.township_id),
    )
