"""Looking a plan over before it is published, and at what another number of places would mean; the caps of the county;
and the fees as everybody may read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from bot.clock import Clock
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, refusal, require
from handlers.accounts.domain import school_year_of
from handlers.accounts.service.places import PlaceService
from handlers.accounts.service.structure import StructureService
from handlers.after_school.domain.fees import Cap, excesses
from handlers.after_school.domain.plans import PlanState
from handlers.after_school.models import AfterSchoolFeeCap, AfterSchoolPlan
from handlers.after_school.service.leaving import PlacesInvalid
from handlers.after_school.service.offering.sheets import Sheets, cap_of
from handlers.after_school.service.offering.views import (
    Finding,
    FindingCode,
    PlacesEffect,
    PlanSheet,
    ProgrammeEffect,
    Publication,
    PublishedFee,
    Review,
)
from handlers.after_school.service.offers import OffersService
from handlers.after_school.service.plan_rows import plan_row
from handlers.calendar.service.calendars import CalendarService

_F = FindingCode


class Reviewing:
    """Reads plans for whoever is answerable for them."""

    def __init__(
        self,
        sheets: Sheets,
        offers: OffersService,
        structure: StructureService,
        calendars: CalendarService,
        *,
        places: PlaceService,
        clock: Clock,
    ) -> None:
        self._sheets = sheets
        self._offers = offers
        self._structure = structure
        self._calendars = calendars
        self._places = places
        self._clock = clock

    # ------------------------------------------------------------------------------------------------ before publishing
    async def review(self, actor: Actor, plan_id: str) -> Review:
        """What publishing would mean, and what is noticed. Raises NotFound."""
        row = await plan_row(actor, Action.SERVICE_PLAN, plan_id)
        sheet, cap = await self._sheets.of(row), await self._sheets.cap_for(row)
        lessons = await self._offers.lessons(sheet.id)
        children = await self._children(actor, sheet)
        effects = tuple(
            ProgrammeEffect(
                line,
                tuple(lessons[line.id]),
                line.fee.of_term(len(lessons[line.id])),
                sum(number for grade, number in children.items() if grade in line.grades),
            )
            for line in sheet.programmes
        )
        concerned = {grade for grade in children if sheet.for_grade(grade)}
        return Review(
            sheet,
            effects,
            (*_blocks(sheet, effects, cap), *self._doubts(sheet, effects, cap), *_idle(sheet, set(children))),
            sum(children[grade] for grade in concerned),
            cap,
            await self._closed(row, sheet),
        )

    async def _children(self, actor: Actor, sheet: PlanSheet) -> dict[int, int]:
        """How many there are today in each grade the plan could be for."""
        year = school_year_of(sheet.first_day)
        found: dict[int, int] = {}
        for room in await self._structure.classes(actor, year, school_id=sheet.school_id):
            found[room.grade] = found.get(room.grade, 0) + room.pupils
        return found

    async def _closed(self, row: AfterSchoolPlan, sheet: PlanSheet) -> tuple[tuple[date, date], ...]:
        """Days of the plan that the calendar lets fall out, though something is offered on that weekday."""
        weekdays = frozenset().union(*(line.hours.weekdays for line in sheet.programmes))
        if row.school_id:
            calendar = await self._calendars.of(str(row.school_id))
        else:
            calendar = await self._calendars.of_township(str(row.township_id))
        days = (row.first_day + timedelta(days=number) for number in range((row.last_day - row.first_day).days + 1))
        return _stretches([day for day in days if day.isoweekday() in weekdays and not calendar.is_school_day(day)])

    def _doubts(self, sheet: PlanSheet, effects: Sequence[ProgrammeEffect], cap: Cap | None) -> list[Finding]:
        """What may be meant so, and should be looked at again."""
        found = [Finding(_F.NO_LESSONS, each.line.title) for each in effects if not each.days]
        found += [Finding(_F.NO_TEACHER, each.line.title) for each in effects if each.line.teacher_id is None]
        if cap is None and any(each.line.fee.amount_fen for each in effects):
            found.append(Finding(_F.NO_CAP))
        if sheet.state is PlanState.DRAFT and sheet.window.opens_at < self._clock.now():
            found.append(Finding(_F.OPENS_IN_THE_PAST))
        if sheet.window.closes_at.date() > sheet.first_day:
            found.append(Finding(_F.CLOSES_AFTER_START))
        return found

    # ----------------------------------------------------------------------------------------------------------- places
    async def places_effect(self, actor: Actor, plan_id: str, pool_id: str, places: int | None) -> PlacesEffect:
        """What so many places would mean today. Raises NotFound, PlacesInvalid."""
        if places is not None and places < 0:
            raise PlacesInvalid
        sheet = await self._sheets.of(await plan_row(actor, Action.SERVICE_PLAN, plan_id))
        pool = next((each for each in sheet.pools if each.id == pool_id), None)
        if pool is None:
            raise NotFound
        free = pool.waiting if places is None else max(0, places - pool.taken)
        over = 0 if places is None else max(0, pool.taken - places)
        return PlacesEffect(pool, places, over, min(pool.waiting, free))

    # ------------------------------------------------------------------------------------------------------------- caps
    async def caps(self, actor: Actor, township_id: str) -> tuple[str, list[Cap]]:
        """The township's name, and what the county allows there, the latest first. Raises NotFound."""
        whose = Subject(township_id=township_id)
        require(actor, Action.SERVICE_CAPS, whose)
        try:
            town = await self._places.township(township_id)
        except NotFound as error:
            raise refusal(error, actor, Action.SERVICE_CAPS, whose) from None
        rows = AfterSchoolFeeCap.filter(township_id=UUID(township_id)).order_by("-since", "-created_at", "id")
        return town.name, [cap_of(row) for row in await rows]

    # ------------------------------------------------------------------------------------------------------ publication
    async def publication(self, plan_id: str) -> Publication:
        """The fees of a plan that was published: for everybody. Raises NotFound."""
        try:
            row = await AfterSchoolPlan.get_or_none(id=UUID(plan_id))
        except ValueError:
            row = None
        if row is None or row.state is PlanState.DRAFT:
            raise NotFound
        sheet, lessons = await self._sheets.of(row), await self._offers.lessons(plan_id)
        lines = tuple(
            PublishedFee(line, len(lessons[line.id]), line.fee.of_term(len(lessons[line.id])))
            for line in sheet.programmes
        )
        return Publication(sheet, lines, await self._sheets.cap_for(row))


def _blocks(sheet: PlanSheet, effects: Sequence[ProgrammeEffect], cap: Cap | None) -> list[Finding]:
    """What stands in the way."""
    if not effects:
        return [Finding(_F.EMPTY)]
    found = [
        Finding(_F.ABOVE_CAP, each.line.title, excess)
        for each in effects
        if cap is not None
        for excess in excesses(each.line.fee, len(each.days), cap)
    ]
    if not sheet.complaint_phone and any(each.line.is_paid_by_families for each in effects):
        found.append(Finding(_F.NO_COMPLAINT_PHONE))
    return found


def _idle(sheet: PlanSheet, grades: set[int]) -> list[Finding]:
    """Windows of grades with nothing to choose from, and grades of the school nobody thought of."""
    found = [Finding(_F.IDLE_WINDOW, str(grade)) for grade in sheet.windows if not sheet.for_grade(grade)]
    if sheet.programmes:
        without = sorted(grade for grade in grades if grade >= 1 and not sheet.for_grade(grade))
        found += [Finding(_F.GRADE_WITHOUT, str(grade)) for grade in without]
    return found


def _stretches(days: Sequence[date]) -> tuple[tuple[date, date], ...]:
    """Days in stretches; a weekend between two does not part them."""
    found: list[tuple[date, date]] = []
    for day in days:
        if found and (day - found[-1][1]).days <= 3:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return tuple(found)
