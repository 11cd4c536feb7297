"""Plans within somebody's reach, and their lessons, read once for everything that counts them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from tortoise.expressions import Q

from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Reach, refusal, require
from handlers.after_school.domain.plans import PlanState
from handlers.after_school.models import AfterSchoolPlan, AfterSchoolProgramme, AfterSchoolSession
from handlers.after_school.service.days.reading import place_of
from handlers.after_school.service.months.views import PlanChoice


async def plans_of(actor: Actor, action: Action) -> list[PlanChoice]:
    """The published plans of places within reach, and those in which the actor gives lessons; the latest first."""
    reach = require(actor, action)
    rows = AfterSchoolPlan.filter(await _within(reach)).exclude(state=PlanState.DRAFT).order_by("-first_day", "title")
    return [
        PlanChoice(str(row.id), row.title, row.term, row.first_day, row.last_day, row.settle_by) for row in await rows
    ]


async def plan_of(actor: Actor, action: Action, plan_id: str) -> AfterSchoolPlan:
    """One of them. Raises NotFound."""
    reach = require(actor, action)
    row = await AfterSchoolPlan.filter(id=plan_id).exclude(state=PlanState.DRAFT).first()
    if row is None or not (reach.covers(place_of(row)) or await gives_in(reach.person_id, row.id)):
        raise refusal(NotFound(), actor, action, None)
    return row


async def gives_in(person_id: str | None, plan_id: UUID) -> bool:
    """Whether somebody gives, or has given, lessons of a plan."""
    if person_id is None:
        return False
    own = UUID(person_id)
    return await AfterSchoolProgramme.exists(plan_id=plan_id, teacher_id=own) or await AfterSchoolSession.exists(
        plan_id=plan_id, teacher_id=own
    )


async def held_sessions(plan_id: UUID, first: date, last: date) -> Sequence[AfterSchoolSession]:
    """The lessons of a span that took place."""
    rows = AfterSchoolSession.filter(plan_id=plan_id, is_held=True, day__gte=first, day__lte=last)
    return await rows.order_by("day", "programme_id", "group_key")


async def _within(reach: Reach) -> Q:
    if reach.is_any:
        return Q()
    conditions: list[dict[str, Any]] = [
        {"school_id__in": [UUID(each) for each in reach.schools]},
        {"township_id__in": [UUID(each) for each in reach.townships]},
    ]
    if reach.person_id is not None:
        own = UUID(reach.person_id)
        planned = await AfterSchoolProgramme.filter(teacher_id=own).values_list("plan_id", flat=True)
        given = await AfterSchoolSession.filter(teacher_id=own).distinct().values_list("plan_id", flat=True)
        conditions.append({"id__in": [*planned, *given]})
    return Q(*(Q(**each) for each in conditions), join_type=Q.OR)
