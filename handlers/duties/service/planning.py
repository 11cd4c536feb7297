"""Writing tasks ahead, moving them with the calendar, and letting them grow late: statements over whole townships.

Everything here may run twice, late, and beside another replica: a task is known by rule, object and occurrence.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final, Protocol
from uuid import UUID, uuid4

from bot.clock import Clock, local_date
from bot.delivery.tables import Statement
from bot.logs import get_logger
from bot.storage.database import transaction
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.service.offices import Offices, places_query
from handlers.calendar.domain import SchoolCalendar
from handlers.duties import texts
from handlers.duties.domain import AHEAD, BEHIND, Due, Rhythm, Schedule, TaskState, dues, upcoming
from handlers.duties.models import DutyRule, DutyTask

_log = get_logger(__name__)
_KINDS: Final = {"calendar_id": "id", "occurrence": "text", "due_on": "text", "remind_on": "text", "late_on": "text",
                 "escalate_on": "text", "is_provisional": "number"}  # fmt: skip
_DAYS: Final = ("due_on", "remind_on", "late_on", "escalate_on")
SHIPPED: Final = {
    "monthly_report": (AppointmentKind.SCHOOL_LEADER, Schedule(Rhythm.MONTH_END, remind_before=3, escalate_after=2)),
    "roster_check": (AppointmentKind.HEAD_TEACHER, Schedule(Rhythm.TERM_START, remind_before=4, escalate_after=3)),
    "safety_check": (AppointmentKind.PROTECTION_LEAD, Schedule(Rhythm.MONTH_DAY, 15, remind_before=3)),
}


class Calendars(Protocol):
    """Gives the calendars of schools and townships."""

    async def of(self, school_id: str | None) -> SchoolCalendar:
        """As it is now."""
        ...

    async def of_township(self, township_id: str) -> SchoolCalendar:
        """Of what concerns no single school."""
        ...


class LiveCalendars(Calendars, Protocol):
    """Gives them as they are at one moment, too: cheaper for many."""

    async def as_of_now(self) -> Calendars:
        """All of them by the version in force."""
        ...


def schedule_of(row: DutyRule) -> Schedule:
    """When the rule comes again."""
    return Schedule(row.rhythm, row.number, row.remind_before, row.escalate_after)


class DutyPlanner:
    """Keeps the tasks as rules, charges and calendars want them."""

    def __init__(self, offices: Offices, calendars: LiveCalendars, clock: Clock) -> None:
        self._offices = offices
        self._calendars = calendars
        self._clock = clock

    async def plan(self) -> int:
        """All rules of all townships, and what has grown late; gives how many tasks are new or have moved."""
        townships = await self._offices.townships()
        await self._put_shipped(townships)
        changed, calendars = 0, await self._calendars.as_of_now()
        for rule in await DutyRule.filter(stopped_at__isnull=True).order_by("created_at", "id"):
            changed += await self._plan_rule(rule, calendars)
        await self._grow_late()
        if changed:
            _log.info("duties_planned", changed=changed)
        return changed

    async def plan_rule(self, rule: DutyRule) -> int:
        """One rule, in a transaction of its own or the caller's."""
        return await self._plan_rule(rule, await self._calendars.as_of_now())

    async def _plan_rule(self, rule: DutyRule, calendars: Calendars) -> int:
        today = self._today()
        async with transaction():
            # As it is now: somebody may have stopped or changed it since it was read.
            fresh = await DutyRule.filter(id=rule.id, stopped_at__isnull=True).select_for_update().first()
            if fresh is None:
                return 0
            first, last = max(fresh.since, today - BEHIND), today + AHEAD
            days = await self._days(fresh, (first, last), calendars)
            changed = await self._put(fresh, days, today)
            await self._remove(fresh, days, (today, last))
        return changed

    async def preview(self, township_id: str, schedule: Schedule) -> list[Due]:
        """The next times, today among them, in the calendar of a school that has nothing of its own."""
        calendar = await self._calendars.of_township(township_id)
        return upcoming(schedule, calendar, self._today() - timedelta(days=1))

    # -------------------------------------------------------------------------------------------------------- inside
    async def _put_shipped(self, townships: Sequence[str]) -> None:
        """The rules that come with the program, once for each township: one that was stopped stays stopped."""
        now, today = self._clock.now(), self._today()
        known = {(str(town), name) for town, name in await DutyRule.filter(shipped__not_isnull=True).values_list(
            "township_id", "shipped")}  # fmt: skip
        rows = [
            DutyRule(
                id=uuid4(),
                township_id=UUID(town),
                shipped=name,
                title=texts.SHIPPED[name][0],
                detail=texts.SHIPPED[name][1],
                owner=owner,
                rhythm=schedule.rhythm,
                number=schedule.number,
                remind_before=schedule.remind_before,
                escalate_after=schedule.escalate_after,
                since=today,
                created_at=now,
                updated_at=now,
            )
            for town in townships
            for name, (owner, schedule) in SHIPPED.items()
            if (town, name) not in known
        ]
        if rows:
            await DutyRule.bulk_create(rows, ignore_conflicts=True)

    async def _days(self, rule: DutyRule, span: tuple[date, date], known: Calendars) -> list[tuple[Any, ...]]:
        """The times the duty is due, once for each calendar in the township."""
        township = str(rule.township_id)
        if rule.owner is AppointmentKind.TOWNSHIP_ADMINISTRATOR:
            calendars = {township: await known.of_township(township)}
        else:
            schools = await self._offices.schools_in(township)
            calendars = {school: await known.of(school) for school in schools}
        schedule = schedule_of(rule)
        return [
            _row(calendar_id, due)
            for calendar_id, calendar in calendars.items()
            for due in dues(schedule, calendar, *span)
        ]

    async def _put(self, rule: DutyRule, days: Sequence[tuple[Any, ...]], today: date) -> int:
        statement = Statement(DutyTask._choose_db(True))
        is_postgres = statement.is_postgres
        places = self._places(statement, rule, today)
        wanted = statement.rows("d", _KINDS, days)
        own, moment = statement.add(rule.id, "id"), statement.add(self._clock.now(), "moment")
        day = _as_day(statement.add(today.isoformat()), is_postgres)
        cells = ", ".join(_as_day(f"d.{name}", is_postgres) for name in _DAYS)
        moved = " OR ".join(f"duties_task.{name} <> excluded.{name}" for name in (*_DAYS, "is_provisional"))
        changes = ", ".join(f"{name} = excluded.{name}" for name in (*_DAYS, "is_provisional", "updated_at"))
        return await statement.insert(
            f"INSERT INTO duties_task (id, created_at, updated_at, rule_id, object_id, class_id, school_id,"  # noqa: S608
            f" township_id, occurrence, {', '.join(_DAYS)}, is_provisional, state)"
            f" SELECT {statement.new_id}, {moment}, {moment}, {own}, o.object_id, {_as_id('o.class_id', is_postgres)},"
            f" {_as_id('o.school_id', is_postgres)}, o.township_id, d.occurrence, {cells},"
            f" {'d.is_provisional = 1' if is_postgres else 'd.is_provisional'}, '{TaskState.OPEN.value}'"
            f" FROM ({places}) o JOIN {wanted} ON d.calendar_id = o.calendar_id WHERE true"
            f" ON CONFLICT (rule_id, object_id, occurrence) DO UPDATE SET {changes},"
            f" state = CASE WHEN excluded.due_on >= {day} THEN 'open' ELSE duties_task.state END"
            f" WHERE duties_task.state <> '{TaskState.DONE.value}' AND ({moved})"
        )

    async def _remove(self, rule: DutyRule, days: Sequence[tuple[Any, ...]], span: tuple[date, date]) -> None:
        """What lies ahead and is not wanted any more: the rule has changed, the week is a holiday now, a school has
        closed."""
        statement = Statement(DutyTask._choose_db(True))
        is_postgres = statement.is_postgres
        places = self._places(statement, rule, span[0])
        wanted = statement.rows("d", _KINDS, days)
        own = statement.add(rule.id, "id")
        first, last = (_as_day(statement.add(day.isoformat()), is_postgres) for day in span)
        await statement.run(
            f"DELETE FROM duties_task WHERE rule_id = {own} AND state <> '{TaskState.DONE.value}'"  # noqa: S608
            f" AND due_on >= {first} AND due_on <= {last} AND NOT EXISTS (SELECT 1 FROM ({places}) o"
            f" JOIN {wanted} ON d.calendar_id = o.calendar_id"
            " WHERE o.object_id = duties_task.object_id AND d.occurrence = duties_task.occurrence)"
        )

    def _places(self, statement: Statement, rule: DutyRule, today: date) -> str:
        return places_query(
            rule.owner,
            township=statement.add(rule.township_id, "id"),
            year=statement.add(self._offices.school_year(), "number"),
            day=_as_day(statement.add(today.isoformat()), statement.is_postgres),
        )

    async def _grow_late(self) -> None:
        now, today = self._clock.now(), self._today()
        late = DutyTask.filter(state=TaskState.OPEN, due_on__lt=today)
        await late.update(state=TaskState.LATE, updated_at=now)
        topmost = DutyRule.filter(owner=AppointmentKind.TOWNSHIP_ADMINISTRATOR).values_list("id", flat=True)
        above = DutyTask.filter(state=TaskState.LATE, escalate_on__lte=today)
        await above.exclude(rule_id__in=list(await topmost)).update(state=TaskState.ESCALATED, updated_at=now)

    def _today(self) -> date:
        return local_date(self._clock.now())


def _row(calendar_id: str, due: Due) -> tuple[Any, ...]:
    days = (due.due_on, due.remind_on, due.late_on, due.escalate_on)
    return (UUID(calendar_id), due.occurrence, *(day.isoformat() for day in days), int(due.is_provisional))


def _as_day(words: str, is_postgres: bool) -> str:
    return f"({words})::date" if is_postgres else words


def _as_id(words: str, is_postgres: bool) -> str:
    """NULL has no kind of its own in a query; PostgreSQL wants one."""
    return f"({words})::uuid" if is_postgres else words
