"""Cases as rows: whose they are, what may follow, and what is kept of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, refusal, require
from bot.storage.files import Owner
from handlers.accounts.service.scope import as_id
from handlers.after_school.domain.waivers import OPEN, Hands, WaiverState, advance
from handlers.after_school.models import AfterSchoolWaiver, AfterSchoolWaiverCategory, AfterSchoolWaiverEvent

EVIDENCE: Final = "waiver"
"""The kind of owner under which the pictures of a case are kept."""


def evidence_of(waiver_id: UUID | str) -> Owner:
    """Under what the pictures of a case are kept."""
    return Owner(EVIDENCE, str(waiver_id))


def own_id(actor: Actor) -> UUID | None:
    """Who acts, as a column."""
    return UUID(actor.person_id) if actor.person_id else None


# ------------------------------------------------------------------------------------------------------------- access
def subject_of(row: AfterSchoolWaiver) -> Subject:
    """Whose affair a case is: the child's, and of the school and township it was handed in at."""
    return Subject(child_id=str(row.pupil_id), school_id=str(row.school_id), township_id=str(row.township_id))


def within(reach: Reach) -> QuerySet[AfterSchoolWaiver]:
    """The cases of places within reach."""
    if reach.is_any:
        return AfterSchoolWaiver.all()
    return AfterSchoolWaiver.filter(
        Q(pupil_id__in=[UUID(each) for each in reach.children])
        | Q(school_id__in=[UUID(each) for each in reach.schools])
        | Q(township_id__in=[UUID(each) for each in reach.townships])
    )


async def held(actor: Actor, action: Action, waiver_id: str, *, lock: bool = False) -> AfterSchoolWaiver:
    """A case the actor may do something with, locked until the transaction ends if wanted. Raises NotFound."""
    reach = require(actor, action)
    query = within(reach).filter(id=as_id(waiver_id))
    row = await (query.select_for_update().first() if lock else query.first())
    if row is None:
        raise refusal(NotFound(), actor, action, Subject())
    return row


# -------------------------------------------------------------------------------------------------------------- moves
async def move(
    row: AfterSchoolWaiver, to: WaiverState, by: UUID | None, at: datetime, columns: Mapping[str, Any] | None = None
) -> None:
    """The case goes on, and that is written down, in the caller's transaction. Raises IllegalWaiverMove."""
    before = row.state
    row.update_from_dict(
        {
            "state": advance(before, to),
            "active_key": str(row.pupil_id) if to in OPEN else None,
            "closed_at": None if to in OPEN else at,
            "updated_at": at,
            **(columns or {}),
        }
    )
    await row.save()
    await note(row.id, before, to, by, at)


async def note(waiver_id: UUID, before: WaiverState | None, to: WaiverState, by: UUID | None, at: datetime) -> None:
    """A line of the history."""
    await AfterSchoolWaiverEvent.create(
        id=uuid4(),
        waiver_id=waiver_id,
        at=at,
        from_state=before,
        to_state=to,
        by_person=by,
        created_at=at,
        updated_at=at,
    )


def hands_of(row: AfterSchoolWaiver) -> Hands:
    """Who has had to do with it."""
    return Hands(
        *(str(each) if each else None for each in (row.asked_by, row.entered_by, row.checked_by, row.decided_by))
    )


# --------------------------------------------------------------------------------------------------------- categories
async def in_force(township_id: UUID | str, day: date) -> list[AfterSchoolWaiverCategory]:
    """The rules of a township on a day, in the order of their codes: of each kind the one that began last."""
    rows = await AfterSchoolWaiverCategory.filter(
        Q(until__isnull=True) | Q(until__gte=day), township_id=UUID(str(township_id)), since__lte=day
    ).order_by("code", "since", "created_at")
    return list({row.code: row for row in rows}.values())


async def category_of(row: AfterSchoolWaiver) -> AfterSchoolWaiverCategory:
    """The rule a case rests on: that of the day on which it was asked for."""
    return await AfterSchoolWaiverCategory.get(id=UUID(row.category))


async def categories_of(rows: Collection[AfterSchoolWaiver]) -> Mapping[str, AfterSchoolWaiverCategory]:
    """The same for many, by the id of the rule."""
    ids = {UUID(row.category) for row in rows}
    return {str(each.id): each for each in await AfterSchoolWaiverCategory.filter(id__in=list(ids))} if ids else {}
