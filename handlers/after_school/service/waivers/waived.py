"""What falls away for whom: all that the settlement of fees is told, and nothing of why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID, uuid4

from tortoise.expressions import Q

from bot.clock import local_date
from handlers.after_school.domain.plans import PlanState
from handlers.after_school.domain.waivers import Span
from handlers.after_school.models import AfterSchoolPlan, AfterSchoolWaived, AfterSchoolWaiver


class Waived:
    """Over the table. Whoever asks has the right to the fees."""

    async def percent_of(self, pupil_ids: Collection[str], first_day: date, last_day: date) -> Mapping[str, int]:
        """How much of a child's fee for the days of a plan falls away, in whole percent: by the terms that share days
        with it, since names of terms come back every year. Children for whom nothing does are left out; of several
        grants the highest counts."""
        if not pupil_ids:
            return {}
        rows = AfterSchoolWaived.filter(
            pupil_id__in=[UUID(each) for each in pupil_ids], first_day__lte=last_day, last_day__gte=first_day,
            ended_on__isnull=True,
        ).order_by("percent")  # fmt: skip
        return {str(pupil): int(percent) for pupil, percent in await rows.values_list("pupil_id", "percent")}


async def put_waived(row: AfterSchoolWaiver, percent: int, spans: Sequence[Span], now: datetime) -> None:
    """A grant takes effect for its terms, in the caller's transaction. Where the sign-up of a term has closed, its fee
    has been asked for: what was paid is to be given back."""
    for span in spans:
        closed = AfterSchoolPlan.filter(
            Q(school_id=row.school_id) | Q(school_id__isnull=True),
            township_id=row.township_id, first_day__lte=span.last_day, last_day__gte=span.first_day,
            state__in=[PlanState.PUBLISHED, PlanState.CLOSED],
            closes_at__lte=now,
        )  # fmt: skip
        await AfterSchoolWaived.create(
            id=uuid4(), pupil_id=row.pupil_id, term=span.name, first_day=span.first_day,
            last_day=span.last_day, percent=percent, waiver_id=row.id,
            is_refund_due=await closed.exists(), created_at=now, updated_at=now,
        )  # fmt: skip


async def refunds_of(waiver_id: UUID) -> Mapping[str, bool]:
    """The terms of a case for which something is to be given back: whether it has been."""
    rows = AfterSchoolWaived.filter(waiver_id=waiver_id, is_refund_due=True).order_by("term")
    return {str(term): at is not None for term, at in await rows.values_list("term", "refunded_at")}


async def refund(waiver_id: UUID, term: str, by: UUID | None, now: datetime) -> bool:
    """It was given back, in the caller's transaction; False when nothing was due. Once more is once."""
    due = AfterSchoolWaived.filter(waiver_id=waiver_id, term=term, is_refund_due=True)
    if await due.filter(refunded_at__isnull=True).update(refunded_at=now, refunded_by=by, updated_at=now):
        return True
    return await due.exists()


async def end_of_case(waiver_id: UUID, now: datetime) -> None:
    """The family gave it up: from today nothing falls away any more."""
    going_on = AfterSchoolWaived.filter(waiver_id=waiver_id, ended_on__isnull=True)
    await going_on.update(ended_on=local_date(now), updated_at=now)
