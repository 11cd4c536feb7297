"""The row of a plan, for whoever may see or change it."""

from __future__ import annotations

from uuid import UUID

from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, refusal, require
from handlers.after_school.domain.plans import PlanChanged
from handlers.after_school.models import AfterSchoolPlan


def whose_plan(row: AfterSchoolPlan) -> Subject:
    """Whose affair a plan is: the school's, or the township's own."""
    return Subject(school_id=str(row.school_id) if row.school_id else None, township_id=str(row.township_id))


def person_id(actor: Actor) -> UUID | None:
    """Who does it, for the row."""
    return UUID(actor.person_id) if actor.person_id else None


async def plan_row(actor: Actor, action: Action, plan_id: str, *, lock: bool = False) -> AfterSchoolPlan:
    """The plan. Raises NotFound, NotPermitted."""
    require(actor, action)
    try:
        query = AfterSchoolPlan.filter(id=UUID(plan_id))
    except ValueError:
        raise NotFound from None
    row = await (query.select_for_update() if lock else query).first()
    if row is None:
        raise refusal(NotFound(), actor, action, Subject())
    require(actor, action, whose_plan(row))
    return row


async def locked_plan(actor: Actor, action: Action, plan_id: str, version: int | None) -> AfterSchoolPlan:
    """The plan as it was read, nobody else's until the transaction ends. Raises PlanChanged, NotFound."""
    row = await plan_row(actor, action, plan_id, lock=True)
    if row.version != version:
        raise PlanChanged
    return row
