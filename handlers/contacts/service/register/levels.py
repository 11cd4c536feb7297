"""How closely contact with a child is kept: set by the protection lead with a reason, reviewed, never by the program.

What speaks for another level is shown beside it, with its reason, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.identity import Actor
from bot.rights import Action
from bot.storage.database import transaction
from handlers.contacts.domain.card import Fitness, Holder
from handlers.contacts.domain.records import ContactOutcome, ReportState
from handlers.contacts.domain.register import FileEnded, Level, Stage, check_review, check_words
from handlers.contacts.domain.suggestions import CALM_IN_A_ROW, Seen, Suggestion, suggestions
from handlers.contacts.models import (
    ContactsCheck,
    ContactsDue,
    ContactsFact,
    ContactsLevel,
    ContactsRecord,
    ContactsReport,
)
from handlers.contacts.service.reach import Reaching, own_id, whose
from handlers.contacts.service.recounting import Recount, hold, no_clock

_LATE: Final = frozenset({Stage.LEAD, Stage.LEADER})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLevel:
    """A level, why, and when somebody looks again."""

    level: Level
    reason: str = field(repr=False)
    review_on: date


class LevelService:
    """The use cases."""

    def __init__(self, reaching: Reaching, audit: Audit, clock: Clock, recount: Recount = no_clock) -> None:
        self._reaching = reaching
        self._audit = audit
        self._clock = clock
        self._recount = recount

    async def set(self, actor: Actor, child_id: str, new: NewLevel) -> None:
        """The level from now on; the same again is a review of it. Raises NotFound, RegisterInvalid, FileEnded for a
        child on no register any more."""
        ward = await self._reaching.ward_for(actor, Action.CONTACTS_REGISTER, child_id)
        now, pupil = self._clock.now(), UUID(ward.id)
        async with transaction():
            await hold([pupil])
            if await self._reaching.on_register(ward.id) is None:
                raise FileEnded
            await put_level(pupil, new, own_id(actor), now)
            await self._audit.record(
                actor, Action.CONTACTS_REGISTER, f"child:{ward.id}", whose=whose(ward), fields=["level", "reason"],
                purpose="level",
            )  # fmt: skip
            await self._recount([pupil])

    async def suggested(self, child_id: UUID, level: Level | None, *, is_paired: bool) -> tuple[Suggestion, ...]:
        """What speaks for another level of a child. Whoever asks has the right to."""
        return suggestions(level, await _seen(child_id, is_paired))


async def put_level(pupil: UUID, new: NewLevel, by: UUID | None, now: datetime) -> None:
    """Another level follows, in the caller's transaction. Raises RegisterInvalid."""
    assert by is not None
    await ContactsLevel.create(
        id=uuid4(), pupil_id=pupil, level=new.level, reason=check_words(new.reason, "定这个级别的理由"), set_by=by,
        set_at=now, review_on=check_review(new.review_on, local_date(now)), created_at=now, updated_at=now,
    )  # fmt: skip


async def levels_of(child_ids: Collection[UUID]) -> Mapping[str, Level]:
    """The level in force of each child; without one: left out."""
    return {child: row.level for child, row in (await newest_of(child_ids)).items()}


async def newest_of(child_ids: Collection[UUID]) -> Mapping[str, ContactsLevel]:
    """The same as rows."""
    if not child_ids:
        return {}
    rows = ContactsLevel.filter(pupil_id__in=list(child_ids)).order_by("set_at", "created_at", "id")
    return {str(row.pupil_id): row for row in await rows}


async def _seen(child_id: UUID, is_paired: bool) -> Seen:
    rows = ContactsRecord.filter(pupil_id=child_id, superseded_by__isnull=True).order_by("-happened_on", "-entered_at")
    outcomes = list(await rows.limit(max(CALM_IN_A_ROW, 10)).values_list("outcome", flat=True))
    check = await ContactsCheck.filter(pupil_id=child_id).order_by("-checked_on", "-created_at").first()
    due = await ContactsDue.get_or_none(pupil_id=child_id)
    return Seen(
        has_open_report=await ContactsReport.filter(pupil_id=child_id).exclude(state=ReportState.CLOSED).exists(),
        is_carer_unfit=check is not None and Fitness.NO in (check.age_ok, check.health_ok, check.no_barred_ground),
        is_carer_known=await ContactsFact.filter(pupil_id=child_id, holder=Holder.CARER).exists(),
        is_paired=is_paired,
        is_long_overdue=due is not None and due.stage in _LATE,
        failed=_run(outcomes, ContactOutcome.FAILED),
        reached=_run(outcomes, ContactOutcome.REACHED),
    )


def _run(outcomes: Collection[object], wanted: ContactOutcome) -> int:
    """How many of the newest are alike."""
    count = 0
    for each in outcomes:
        if each != wanted:
            break
        count += 1
    return count
