"""Pages of who is on duty: the roster of duty, the day's check, and what happened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from bot.clock import Clock, local_date
from bot.errors import AppError, InvalidInput
from bot.rights import Action, may
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.accounts.service.people import PeopleService, StaffFilter
from handlers.after_school.domain.days import DutyRole
from handlers.after_school.service.days.duty import DUTY_PAGE, DutyService
from handlers.after_school.texts import days as texts

_ONE: Final = DUTY_PAGE + "/schools/{duty_school}"
_WEEKS: Final = 26


class DutyPages:
    """The handlers."""

    def __init__(self, duty: DutyService, people: PeopleService, clock: Clock) -> None:
        self._duty = duty
        self._people = people
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        plan, check = Action.SERVICE_DUTY, Action.SERVICE_CHECK
        return (
            AdminRoute(method="GET", path=DUTY_PAGE, action=check, handle=self.schools, menu=texts.MENU_DUTY),
            AdminRoute(method="GET", path=_ONE, action=check, handle=self.day),
            AdminRoute(method="POST", path=_ONE + "/put", action=plan, handle=self.put),
            AdminRoute(method="POST", path=_ONE + "/remove", action=plan, handle=self.remove),
            AdminRoute(method="POST", path=_ONE + "/check", action=check, handle=self.check),
            AdminRoute(method="POST", path=_ONE + "/report", action=check, handle=self.report),
            AdminRoute(method="POST", path=_ONE + "/close", action=check, handle=self.close),
        )

    async def schools(self, call: AdminCall) -> AdminAnswer:
        """Which school, unless there is only one."""
        schools = await self._duty.schools(call.actor)
        if len(schools) == 1:
            return WayOn(f"{_ONE.format(duty_school=schools[0][0])}?day={self._day(call.query)}")
        return Page("after_school/duty_schools.html", {"schools": schools, "day": self._day(call.query).isoformat()})

    async def day(self, call: AdminCall) -> AdminAnswer:
        """A school's day."""
        return await self._page(call, call.query)

    async def put(self, call: AdminCall) -> AdminAnswer:
        """Somebody is on duty: on a day, or every week on this weekday."""
        day, school = self._day(call.form), call.id("duty_school")
        try:
            role = next((each for each in DutyRole if each.value == call.form.get("role")), None)
            if role is None or not call.form.get("person"):
                raise InvalidInput(texts.CHOOSE_DUTY)
            weeks = _WEEKS if call.form.get("weekly") == "yes" else 1
            days = [day + timedelta(weeks=week) for week in range(weeks)]
            new = await self._duty.put(call.actor, school, days, role, call.form_id("person"))
        except InvalidInput as fault:
            return await self._page(call, call.form, fault)
        return self._back(call, texts.DUTY_PUT.format(count=new))

    async def remove(self, call: AdminCall) -> AdminAnswer:
        """Not on duty then."""
        await self._duty.remove(call.actor, call.id("duty_school"), call.form_id("slot"))
        return self._back(call, texts.DUTY_REMOVED)

    async def check(self, call: AdminCall) -> AdminAnswer:
        """The day's check."""
        day, points = self._day(call.form), call.lists.get("point", ())
        try:
            await self._duty.check(call.actor, call.id("duty_school"), day, points, call.form.get("note", ""))
        except InvalidInput as fault:
            return await self._page(call, call.form, fault)
        return self._back(call, texts.CHECKED)

    async def report(self, call: AdminCall) -> AdminAnswer:
        """Something happened."""
        day = self._day(call.form)
        try:
            await self._duty.report(call.actor, call.id("duty_school"), day, call.form.get("text", ""))
        except InvalidInput as fault:
            return await self._page(call, call.form, fault)
        return self._back(call, texts.REPORTED)

    async def close(self, call: AdminCall) -> AdminAnswer:
        """What was done about it."""
        try:
            incident, done = call.form_id("incident"), call.form.get("done", "")
            await self._duty.close(call.actor, call.id("duty_school"), incident, done)
        except InvalidInput as fault:
            return await self._page(call, call.form, fault)
        return self._back(call, texts.INCIDENT_CLOSED)

    async def _page(self, call: AdminCall, source: Mapping[str, str], fault: AppError | None = None) -> Page:
        day, school = self._day(source), call.id("duty_school")
        seen = await self._duty.day(call.actor, school, day)
        may_plan, staff = may(call.actor, Action.SERVICE_DUTY), []
        if may_plan:
            listed = await self._people.staff(call.actor, StaffFilter(school_id=school, limit=200))
            staff = [(person.person_id, person.name) for person in listed.items]
        values = {
            "seen": seen,
            "day": day.isoformat(),
            "address": _ONE.format(duty_school=school),
            "roles": texts.DUTY_ROLES,
            "role_words": [(role.value, words) for role, words in texts.DUTY_ROLES.items()],
            "points": [(point.value, words) for point, words in texts.CHECK_POINTS.items()],
            "staff": staff,
            "may_plan": may_plan,
            # What was typed is not lost because something was missing.
            "given": call.form if fault else {},
            "ticked": call.lists.get("point", ()) if fault and "note" in call.form else seen.points or (),
            "fault": fault.message if fault else "",
        }
        return Page("after_school/duty_day.html", values, 422 if fault else 200)

    def _back(self, call: AdminCall, notice: str) -> WayOn:
        return WayOn(f"{_ONE.format(duty_school=call.id('duty_school'))}?day={self._day(call.form)}", notice)

    def _day(self, source: Mapping[str, str]) -> date:
        try:
            return date.fromisoformat(source.get("day", ""))
        except ValueError:
            return local_date(self._clock.now())
