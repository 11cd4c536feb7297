"""Telling families that a lesson falls out: whose child is in a course, and a notice about it, begun."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from bot.capability import AudienceChoice, DraftedNotice, NoticeDrafts
from bot.clock import Clock, local_date
from bot.errors import InvalidInput
from bot.identity import Actor
from bot.rights import Action, may, require
from handlers.after_school.domain.plans import PlanNotOpenToChange, PlanState
from handlers.after_school.domain.states import OCCUPYING
from handlers.after_school.models import AfterSchoolEnrolment, AfterSchoolPlan, AfterSchoolProgramme
from handlers.after_school.service.offering.sheets import Sheets
from handlers.after_school.service.offering.views import DayOffLine
from handlers.after_school.service.plan_rows import plan_row, whose_plan
from handlers.after_school.texts import offering as texts

SOURCE: Final = "after_school_course"
_PLAN, _ONE = "plan", "programme"


class CourseAudiences:
    """An `AudienceSource`: children who have a place, by plan and by course."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @property
    def name(self) -> str:
        """As the protocol says."""
        return SOURCE

    async def choices(self, actor: Actor) -> Sequence[AudienceChoice]:
        """What is not over yet, plan by plan."""
        if not may(actor, Action.SERVICE_PLAN):
            return ()
        reach = require(actor, Action.SERVICE_PLAN)
        rows = AfterSchoolPlan.filter(last_day__gte=local_date(self._clock.now())).exclude(state=PlanState.DRAFT)
        plans = {row.id: row for row in await rows.order_by("title", "id") if reach.covers(whose_plan(row))}
        found = [
            AudienceChoice(f"{_PLAN}:{own}", texts.AUDIENCE_PLAN.format(title=row.title)) for own, row in plans.items()
        ]
        for each in await AfterSchoolProgramme.filter(plan_id__in=list(plans)).order_by("title", "id"):
            words = texts.AUDIENCE_ONE.format(title=plans[each.plan_id].title, programme=each.title)
            found.append(AudienceChoice(f"{_ONE}:{each.id}", words))
        return found

    async def child_ids(self, key: str, day: date) -> Collection[str]:
        """Who has a place now: a message goes to whom it concerns when it goes out."""
        kind, _, own = key.partition(":")
        try:
            wanted = {"plan_id" if kind == _PLAN else "programme_id": UUID(own)}
        except ValueError:
            return ()
        rows = AfterSchoolEnrolment.filter(**wanted, state__in=list(OCCUPYING))
        return {str(each) for each in await rows.values_list("pupil_id", flat=True)}


class DayOffNotices:
    """Begins a notice about days off."""

    def __init__(self, sheets: Sheets, drafts: Callable[[], NoticeDrafts | None]) -> None:
        self._sheets = sheets
        self._drafts = drafts

    async def begin(self, actor: Actor, plan_id: str, day_off_ids: Collection[str]) -> str:
        """To the families of the course, or of all courses; gives the page on which the author goes on. Raises
        PlanNotOpenToChange where families know of nothing, InvalidInput, NotPermitted, NotFound."""
        row = await plan_row(actor, Action.SERVICE_PLAN, plan_id)
        sheet = await self._sheets.of(row)
        chosen = [each for each in sheet.days_off if each.id in day_off_ids]
        if row.state is not PlanState.PUBLISHED:
            raise PlanNotOpenToChange
        if len({each.programme_id for each in chosen}) != 1:
            raise InvalidInput(texts.NO_CHOICE)
        desk = self._drafts()
        if desk is None:
            raise InvalidInput(texts.NO_NOTICE_DESK)
        programme = chosen[0].programme_id
        return await desk.begin(
            actor,
            DraftedNotice(
                title=_title(chosen),
                text=_text(chosen),
                township_id=sheet.township_id,
                school_id=sheet.school_id,
                source=SOURCE,
                choice=f"{_ONE}:{programme}" if programme else f"{_PLAN}:{sheet.id}",
            ),
        )


def _title(chosen: Sequence[DayOffLine]) -> str:
    first = min(each.day for each in chosen)
    days = texts.SHORT_DAY.format(month=first.month, day=first.day)
    return texts.NOTICE_TITLE.format(days=days if len(chosen) == 1 else texts.SHORT_FROM.format(day=days))


def _text(chosen: Sequence[DayOffLine]) -> str:
    days = texts.JOIN_DAYS.join(
        texts.DAY.format(month=day.month, day=day.day, weekday=texts.WEEKDAYS[day.isoweekday() - 1])
        for day in sorted(each.day for each in chosen)
    )
    title = chosen[0].programme
    what = texts.NOTICE_WHAT_ONE.format(title=title) if title else texts.NOTICE_WHAT_ALL
    return texts.NOTICE_TEXT.format(days=days, what=what, reason=texts.JOIN_DAYS.join(_reasons(chosen)))


def _reasons(chosen: Sequence[DayOffLine]) -> list[str]:
    return list(dict.fromkeys(each.reason for each in chosen))
