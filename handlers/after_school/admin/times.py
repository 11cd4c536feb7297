"""Pages of when: windows of grades to sign up in, and days on which lessons fall out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.errors import AppError
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.after_school.admin.offering_forms import (
    GRADE_CHOICES,
    read_days_off,
    read_grade,
    read_version,
    read_window,
    shown_moment,
    text_of,
)
from handlers.after_school.admin.plans import PLAN, PLANS
from handlers.after_school.admin.wording import WORDS
from handlers.after_school.domain.plans import PlanState
from handlers.after_school.service.offering.drafting import Drafting
from handlers.after_school.service.offering.telling import DayOffNotices
from handlers.after_school.service.offering.views import DayOffLine, PlanSheet
from handlers.after_school.texts import offering as texts

_WINDOWS: Final = PLAN + "/windows"
_DAYS: Final = PLAN + "/days-off"


class TimePages:
    """The handlers."""

    def __init__(self, drafting: Drafting, notices: DayOffNotices) -> None:
        self._drafting = drafting
        self._notices = notices

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        plan = Action.SERVICE_PLAN
        return (
            AdminRoute(method="GET", path=_WINDOWS, action=plan, handle=self.windows),
            AdminRoute(method="POST", path=_WINDOWS, action=plan, handle=self.put_window),
            AdminRoute(method="POST", path=_WINDOWS + "/remove", action=plan, handle=self.remove_window),
            AdminRoute(method="GET", path=_DAYS, action=plan, handle=self.days_off),
            AdminRoute(method="POST", path=_DAYS, action=plan, handle=self.put_days_off),
            AdminRoute(method="POST", path=_DAYS + "/remove", action=plan, handle=self.remove_day_off),
            AdminRoute(method="POST", path=_DAYS + "/notice", action=plan, handle=self.notice),
        )

    # ---------------------------------------------------------------------------------------------------------- windows
    async def windows(self, call: AdminCall) -> AdminAnswer:
        """Which grade signs up when."""
        sheet = await self._sheet(call)
        opens, closes = shown_moment(sheet.window.opens_at), shown_moment(sheet.window.closes_at)
        return _windows_page(sheet, {"grade": call.query.get("grade", ""), "opens": opens, "closes": closes})

    async def put_window(self, call: AdminCall) -> AdminAnswer:
        """A grade's own."""
        sheet = await self._sheet(call)
        try:
            grade, window = read_grade(call.form.get("grade", "")), read_window(call)
            await self._drafting.put_window(call.actor, sheet.id, read_version(call), grade, window)
        except AppError as fault:
            if fault.denial is not None:
                raise
            return _windows_page(sheet, call.form, fault.message)
        return WayOn(f"{PLANS}/{sheet.id}/windows", texts.WINDOW_SAVED)

    async def remove_window(self, call: AdminCall) -> AdminAnswer:
        """The grade signs up when all do."""
        sheet = await self._sheet(call)
        grade = read_grade(call.form.get("grade", ""))
        await self._drafting.remove_window(call.actor, sheet.id, read_version(call), grade)
        return WayOn(f"{PLANS}/{sheet.id}/windows", texts.WINDOW_SAVED)

    # --------------------------------------------------------------------------------------------------------- days off
    async def days_off(self, call: AdminCall) -> AdminAnswer:
        """What falls out, and why."""
        return _days_page(await self._sheet(call), {})

    async def put_days_off(self, call: AdminCall) -> AdminAnswer:
        """Further days."""
        sheet = await self._sheet(call)
        try:
            days, reason = read_days_off(call), text_of(call, "reason")
            programme = call.form_id("programme") if call.form.get("programme") else None
            await self._drafting.put_day_off(call.actor, sheet.id, read_version(call), days, reason, programme)
        except AppError as fault:
            if fault.denial is not None:
                raise
            return _days_page(sheet, call.form, fault.message)
        return WayOn(f"{PLANS}/{sheet.id}/days-off", texts.DAY_OFF_SAVED)

    async def remove_day_off(self, call: AdminCall) -> AdminAnswer:
        """The lesson is held after all."""
        sheet = await self._sheet(call)
        await self._drafting.remove_day_off(call.actor, sheet.id, read_version(call), call.form_id("day"))
        return WayOn(f"{PLANS}/{sheet.id}/days-off", texts.DAY_OFF_REMOVED)

    async def notice(self, call: AdminCall) -> AdminAnswer:
        """A notice to the families concerned, begun."""
        sheet = await self._sheet(call)
        try:
            path = await self._notices.begin(call.actor, sheet.id, call.form_ids("day"))
        except AppError as fault:
            if fault.denial is not None:
                raise
            return _days_page(sheet, {}, fault.message)
        return WayOn(path, texts.DRAFTED)

    async def _sheet(self, call: AdminCall) -> PlanSheet:
        return await self._drafting.sheet(call.actor, call.id("plan"))


def _windows_page(sheet: PlanSheet, given: Mapping[str, Any], fault: str = "") -> Page:
    rows = [(grade, window) for grade, window in sorted(sheet.windows.items())]
    values = {
        "sheet": sheet,
        "rows": rows,
        "given": {"grade": "", "opens": "", "closes": "", **given},
        "grades": GRADE_CHOICES,
        "is_draft": sheet.state is PlanState.DRAFT,
        "is_over": sheet.state is PlanState.CLOSED,
        "words": WORDS,
        "fault": fault,
    }
    return Page("after_school/offering_windows.html", values, 422 if fault else 200)


def _days_page(sheet: PlanSheet, given: Mapping[str, Any], fault: str = "") -> Page:
    groups: dict[tuple[str | None, str], list[DayOffLine]] = {}
    for each in sheet.days_off:
        groups.setdefault((each.programme_id, each.reason), []).append(each)
    values = {
        "sheet": sheet,
        "groups": list(groups.values()),
        "given": {"first": "", "last": "", "reason": "", "programme": "", **given},
        "programmes": [(each.id, each.title) for each in sheet.programmes],
        "can_notify": sheet.state is PlanState.PUBLISHED,
        "is_over": sheet.state is PlanState.CLOSED,
        "words": WORDS,
        "fault": fault,
    }
    return Page("after_school/offering_days.html", values, 422 if fault else 200)
