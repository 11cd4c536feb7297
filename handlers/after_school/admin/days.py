"""Pages of every day: the groups of a day, and a roster to be taken with three taps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final
from urllib.parse import urlencode

from bot.clock import Clock, local_date
from bot.errors import AppError, Conflict, InvalidInput, NotFound
from bot.rights import Action, may
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.after_school.domain.days import LeaveInvalid, Presence
from handlers.after_school.service.days.leave import LeaveService, NewLeave
from handlers.after_school.service.days.rosters import PAGE, RosterService
from handlers.after_school.service.days.taking import AttendanceService, Handed
from handlers.after_school.service.days.views import GroupLine, Roster, RosterLine
from handlers.after_school.texts import days as texts
from handlers.alarms.service.sheets import PAGE as ALARMS

ROSTER: Final = "/after-school/rosters/{programme}"
_MARK: Final = "p-"
_PRESENCE_OF: Final[Mapping[str, Presence]] = {each.value: each for each in Presence}
_CHOICES: Final = [(each.value, texts.PRESENCES[each]) for each in Presence]


class DayPages:
    """The handlers."""

    def __init__(
        self, rosters: RosterService, attendance: AttendanceService, leave: LeaveService, clock: Clock
    ) -> None:
        self._rosters = rosters
        self._attendance = attendance
        self._leave = leave
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        see, take = Action.SERVICE_ROSTER, Action.SERVICE_ATTEND
        return (
            AdminRoute(method="GET", path=PAGE, action=see, handle=self.groups, menu=texts.MENU),
            AdminRoute(method="GET", path=ROSTER, action=see, handle=self.roster),
            AdminRoute(method="POST", path=ROSTER, action=take, handle=self.take),
            AdminRoute(method="POST", path=ROSTER + "/call-off", action=take, handle=self.call_off),
            AdminRoute(method="POST", path=ROSTER + "/leave", action=take, handle=self.enter_leave),
        )

    async def groups(self, call: AdminCall) -> AdminAnswer:
        """The groups of a day, today's unless another was chosen."""
        day = self._day(call.query)
        groups = await self._rosters.groups(call.actor, day)
        values = {
            "day": day.isoformat(),
            "groups": [(each, _address(each.programme_id, day, each.class_id)) for each in groups],
            "may_check": may(call.actor, Action.SERVICE_CHECK),
        }
        return Page("after_school/days_groups.html", values)

    async def roster(self, call: AdminCall) -> AdminAnswer:
        """One group's list."""
        return await self._page(call, call.query)

    async def take(self, call: AdminCall) -> AdminAnswer:
        """Who was there. A missing child leads to the numbers to call."""
        handed = self._handed(call)
        try:
            taken = await self._attendance.take(call.actor, handed)
        except (InvalidInput, Conflict) as fault:
            return await self._page(call, call.form, fault)
        if taken.missing:
            return WayOn(f"{ALARMS}/{taken.missing[0].alarm_key}", texts.TAKEN_MISSING)
        return WayOn(f"{PAGE}?day={handed.day}", texts.TAKEN.format(count=taken.changed))

    async def call_off(self, call: AdminCall) -> AdminAnswer:
        """It did not take place."""
        handed = self._handed(call)
        try:
            await self._attendance.call_off(call.actor, handed, call.form.get("why", ""))
        except (InvalidInput, Conflict) as fault:
            return await self._page(call, call.form, fault)
        return WayOn(f"{PAGE}?day={handed.day}", texts.CALLED_OFF)

    async def enter_leave(self, call: AdminCall) -> AdminAnswer:
        """The family has called."""
        programme, day, room = call.id("programme"), self._day(call.form), call.form.get("class") or None
        # Whose roster it is decides first what there is to be entered.
        await self._rosters.roster(call.actor, programme, day, room)
        try:
            new = NewLeave(child_id=call.form_id("child"), first_day=day, last_day=day)
            view = await self._leave.enter(call.actor, new)
        except NotFound:
            return await self._page(call, call.form, LeaveInvalid(texts.WHOSE_LEAVE))
        except (InvalidInput, Conflict) as fault:
            return await self._page(call, call.form, fault)
        return WayOn(_address(programme, day, room), texts.LEAVE_ENTERED.format(child=view.child))

    # -------------------------------------------------------------------------------------------------------- inside
    def _handed(self, call: AdminCall) -> Handed:
        said = {
            name.removeprefix(_MARK): _PRESENCE_OF[value]
            for name, value in call.form.items()
            if name.startswith(_MARK) and value in _PRESENCE_OF
        }
        return Handed(
            programme_id=call.id("programme"),
            day=self._day(call.form),
            class_id=call.form.get("class") or None,
            presences=said,
            i_gave=call.form.get("i_gave") == "yes",
        )

    async def _page(self, call: AdminCall, source: Mapping[str, str], fault: AppError | None = None) -> Page:
        day, room = self._day(source), source.get("class") or None
        roster = await self._rosters.roster(call.actor, call.id("programme"), day, room)
        is_ahead = day > local_date(self._clock.now())
        values = {
            "day": day.isoformat(),
            "group": roster.group,
            "lines": [(line, _chosen(line, call.form), _collector(line)) for line in roster.lines],
            "choices": _CHOICES,
            "mark": _MARK,
            "children": [(line.child_id, line.name) for line in roster.lines if not line.on_leave],
            "presences": texts.PRESENCES,
            "may_take": roster.may_take and not is_ahead,
            "why_not": texts.TOO_EARLY if is_ahead else texts.NOT_YOURS,
            "address": ROSTER.format(programme=call.id("programme")),
            "title": _title(roster),
            "fault": fault.message if fault else "",
        }
        return Page("after_school/days_roster.html", values, 422 if fault else 200)

    def _day(self, source: Mapping[str, str]) -> date:
        try:
            return date.fromisoformat(source.get("day", ""))
        except ValueError:
            return local_date(self._clock.now())


def _address(programme_id: str, day: date, class_id: str | None) -> str:
    query = {"day": day.isoformat()} | ({"class": class_id} if class_id else {})
    return f"{ROSTER.format(programme=programme_id)}?{urlencode(query)}"


def _title(roster: Roster) -> str:
    return _name(roster.group)


def _name(group: GroupLine) -> str:
    return f"{group.title} {group.class_name}".strip()


def _chosen(line: RosterLine, form: Mapping[str, str]) -> str:
    """What stands in the field: what was typed, what is known, else that the child is there or has leave."""
    usual = Presence.LEAVE if line.on_leave else Presence.HERE
    return form.get(_MARK + line.child_id) or (line.presence or usual).value


def _collector(line: RosterLine) -> str:
    if line.how is None:
        return ""
    return texts.COLLECTED[line.how].format(name=line.collector)
