"""Reading plans whole, for the services of offers: whoever asks has checked the rights."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.places import PlaceService
from handlers.after_school.domain.fees import Cap, Fee, cap_in_force
from handlers.after_school.domain.offers import Grades, Window
from handlers.after_school.models import (
    AfterSchoolDayOff,
    AfterSchoolFeeCap,
    AfterSchoolPlan,
    AfterSchoolPool,
    AfterSchoolProgramme,
    AfterSchoolWindow,
)
from handlers.after_school.service.offering.views import DayOffLine, PlanSheet, PoolLine, ProgrammeLine
from handlers.after_school.service.reading import hours_of


class Sheets:
    """Plans with everything in them."""

    def __init__(self, places: PlaceService, people: AccountsAudiences) -> None:
        self._places = places
        self._people = people

    async def of(self, row: AfterSchoolPlan) -> PlanSheet:
        """One plan."""
        rows = await AfterSchoolProgramme.filter(plan_id=row.id).order_by("title", "id")
        names = await self._people.names({str(each.teacher_id) for each in rows if each.teacher_id})
        lines: dict[UUID, list[ProgrammeLine]] = defaultdict(list)
        for each in rows:
            lines[each.pool_id].append(_line(each, names))
        pools = await AfterSchoolPool.filter(plan_id=row.id).order_by("title", "id")
        windows = await AfterSchoolWindow.filter(plan_id=row.id).order_by("grade")
        titles = {each.id: each.title for each in rows}
        days = await AfterSchoolDayOff.filter(plan_id=row.id).order_by("day", "id")
        return PlanSheet(
            id=str(row.id),
            version=row.version,
            state=row.state,
            township_id=str(row.township_id),
            school_id=str(row.school_id) if row.school_id else None,
            place=await self.place(row),
            term=row.term,
            title=row.title,
            first_day=row.first_day,
            last_day=row.last_day,
            window=Window(row.opens_at, row.closes_at),
            windows={each.grade: Window(each.opens_at, each.closes_at) for each in windows},
            complaint_phone=row.complaint_phone,
            pick_up_point=row.pick_up_point,
            offer_school_days=row.offer_school_days,
            settle_by=row.settle_by,
            published_at=row.published_at,
            closed_at=row.closed_at,
            pools=tuple(
                PoolLine(str(each.id), each.title, each.places, each.taken, each.waiting, tuple(lines[each.id]))
                for each in pools
            ),
            days_off=tuple(_day_off(each, titles) for each in days),
        )

    async def place(self, row: AfterSchoolPlan) -> str:
        """The name of the school, or of the township."""
        if row.school_id:
            return (await self._places.school(str(row.school_id))).name
        return (await self._places.township(str(row.township_id))).name

    async def cap_for(self, row: AfterSchoolPlan) -> Cap | None:
        """What the county allows for a plan; None where nothing is known."""
        caps = [cap_of(each) for each in await AfterSchoolFeeCap.filter(township_id=row.township_id)]
        kind = (await self._places.school(str(row.school_id))).kind if row.school_id else ""
        return cap_in_force(caps, kind, row.first_day)


def cap_of(row: AfterSchoolFeeCap) -> Cap:
    """As the rules take it."""
    return Cap(row.per_lesson_fen, row.per_term_fen, row.since, row.clause, row.school_kind)


def _line(row: AfterSchoolProgramme, names: Mapping[str, str]) -> ProgrammeLine:
    return ProgrammeLine(
        id=str(row.id),
        pool_id=str(row.pool_id),
        title=row.title,
        grades=Grades(row.lowest_grade, row.highest_grade),
        hours=hours_of(row),
        teacher_id=str(row.teacher_id) if row.teacher_id else None,
        teacher=names.get(str(row.teacher_id), ""),
        room=row.room,
        pick_up_point=row.pick_up_point,
        selection=row.selection,
        fee=Fee(row.fee_basis, row.fee_fen, row.fee_clause),
        fee_payer=row.fee_payer,
    )


def _day_off(row: AfterSchoolDayOff, titles: Mapping[UUID, str]) -> DayOffLine:
    programme = str(row.programme_id) if row.programme_id else None
    title = titles.get(row.programme_id, "") if row.programme_id else ""
    return DayOffLine(str(row.id), row.day, row.reason, programme, title)
