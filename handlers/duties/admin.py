"""Pages about recurring duties: what is to be done, and the rules that say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.errors import AppError, Conflict, InvalidInput
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from bot.web.tables import TableView
from handlers.accounts.domain import APPOINTMENT_WORDS, AppointmentKind
from handlers.duties import texts
from handlers.duties.domain import (
    UNFINISHED,
    Due,
    Holders,
    Rhythm,
    Rule,
    RuleInvalid,
    Schedule,
    TaskState,
    in_words,
)
from handlers.duties.service.rules import RuleService
from handlers.duties.service.tasks import PAGE, TaskService
from handlers.duties.service.views import RuleView, TaskView

RULES: Final = "/duty-rules"
_SHOWN: Final[Mapping[str, tuple[TaskState, ...]]] = {
    "": UNFINISHED,
    "late": (TaskState.LATE, TaskState.ESCALATED),
    "done": (TaskState.DONE,),
}
_FIELDS: Final = ("township", "title", "detail", "owner", "rhythm", "weekday", "day", "remind_before", "escalate_after")
_EMPTY: Final = {"remind_before": "3", "escalate_after": "2"}


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task and whose it is, in words."""

    task: TaskView
    owner: str


class DutyPages:
    """The handlers."""

    def __init__(self, tasks: TaskService, rules: RuleService) -> None:
        self._tasks = tasks
        self._rules = rules

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        view, do, rules, one = Action.DUTY_VIEW, Action.DUTY_DO, Action.DUTY_RULES, RULES + "/{rule}"
        return (
            AdminRoute(method="GET", path=PAGE, action=view, handle=self.tasks, menu=texts.MENU),
            AdminRoute(method="GET", path=PAGE + "/{task}", action=view, handle=self.task),
            AdminRoute(method="POST", path=PAGE + "/{task}", action=do, handle=self.do),
            AdminRoute(method="GET", path=RULES, action=rules, handle=self.rules),
            AdminRoute(method="GET", path=RULES + "/new", action=rules, handle=self.new),
            AdminRoute(method="POST", path=RULES + "/new", action=rules, handle=self.add),
            AdminRoute(method="GET", path=one, action=rules, handle=self.rule),
            AdminRoute(method="POST", path=one, action=rules, handle=self.change),
            AdminRoute(method="POST", path=one + "/stop", action=rules, handle=self.stop),
        )

    # --------------------------------------------------------------------------------------------------------- tasks
    async def tasks(self, call: AdminCall) -> AdminAnswer:
        """What is to be done within reach; with `mine` only one's own."""
        view = TableView.of(call, PAGE, filters=("state", "mine"), sorts=("due",))
        state = view.filters.get("state", "")
        if view.filters.get("mine"):
            tasks, total = await self._tasks.own(call.actor, view.size)
        else:
            found = await self._tasks.page(
                call.actor, _SHOWN.get(state, UNFINISHED), offset=view.offset, limit=view.size
            )
            tasks, total = found.tasks, found.total
        values = {
            "view": view,
            "rows": [_line(task) for task in tasks],
            "total": total,
            "states": texts.STATES,
            "tags": texts.TAGS,
            "shown": texts.SHOWN_WORDS,
        }
        return Page("duties/tasks.html", values)

    async def task(self, call: AdminCall) -> AdminAnswer:
        """One task, and where it is ticked off."""
        return await self._task(call)

    async def _task(self, call: AdminCall, fault: AppError | None = None) -> Page:
        task = await self._tasks.one(call.actor, call.id("task"))
        values = {
            "line": _line(task),
            "states": texts.STATES,
            "tags": texts.TAGS,
            "note": call.form.get("note", ""),
            "fault": fault.message if fault else "",
        }
        return Page("duties/task.html", values, 422 if fault else 200)

    async def do(self, call: AdminCall) -> AdminAnswer:
        """做好了."""
        try:
            task = await self._tasks.do(call.actor, call.id("task"), call.form.get("note", ""))
        except (InvalidInput, Conflict) as fault:
            return await self._task(call, fault)
        return WayOn(PAGE, texts.DONE.format(title=task.title))

    # --------------------------------------------------------------------------------------------------------- rules
    async def rules(self, call: AdminCall) -> AdminAnswer:
        """The rules of the township."""
        rules = [(rule, _rhythm(rule), APPOINTMENT_WORDS[rule.owner]) for rule in await self._rules.rules(call.actor)]
        has_several = len({rule.township_id for rule, _, _ in rules}) > 1
        return Page("duties/rules.html", {"rules": rules, "has_several": has_several})

    async def new(self, call: AdminCall) -> AdminAnswer:
        """An empty form."""
        return await self._form(call, dict(_EMPTY))

    async def add(self, call: AdminCall) -> AdminAnswer:
        """Shows the next days first; makes the rule when that was confirmed."""
        townships = await self._rules.townships(call.actor)
        township = call.form.get("township") or (townships[0][0] if len(townships) == 1 else "")
        try:
            rule = _rule(call.form)
            if township not in {each for each, _ in townships}:
                raise RuleInvalid(texts.CHOOSE_TOWNSHIP)
            if not call.form.get("sure"):
                days = await self._rules.preview(call.actor, township, rule)
                return await self._form(call, _given(call), days=days)
            await self._rules.add(call.actor, township, rule)
        except InvalidInput as fault:
            return await self._form(call, _given(call), fault=fault)
        return WayOn(RULES, texts.RULE_ADDED)

    async def rule(self, call: AdminCall) -> AdminAnswer:
        """One rule, to be changed or stopped."""
        rule = await self._rules.rule(call.actor, call.id("rule"))
        return await self._form(call, _values(rule), rule=rule)

    async def change(self, call: AdminCall) -> AdminAnswer:
        """As for a new one; what is not done yet follows it."""
        old = await self._rules.rule(call.actor, call.id("rule"))
        version = call.form.get("version", "")
        try:
            rule = _rule(call.form)
            if not call.form.get("sure"):
                days = await self._rules.preview(call.actor, old.township_id, rule)
                return await self._form(call, _given(call), days=days, rule=old)
            await self._rules.change(call.actor, old.id, rule, int(version) if version.isdecimal() else 0)
        except (InvalidInput, Conflict) as fault:
            return await self._form(call, _given(call), fault=fault, rule=old)
        return WayOn(RULES, texts.RULE_CHANGED)

    async def stop(self, call: AdminCall) -> AdminAnswer:
        """Nothing more falls due."""
        await self._rules.stop(call.actor, call.id("rule"))
        return WayOn(RULES, texts.RULE_STOPPED)

    async def _form(
        self,
        call: AdminCall,
        filled: Mapping[str, str],
        *,
        days: list[Due] | None = None,
        fault: AppError | None = None,
        rule: RuleView | None = None,
    ) -> Page:
        values: dict[str, Any] = {
            "filled": dict.fromkeys(_FIELDS, "") | dict(filled),
            "rule": rule,
            "days": None if days is None else [(_day(due), due.is_provisional) for due in days],
            "townships": await self._rules.townships(call.actor),
            "owners": texts.OWNER_WORDS,
            "rhythms": texts.RHYTHM_WORDS,
            "weekdays": texts.WEEKDAY_WORDS,
            "fault": fault.message if fault else "",
        }
        return Page("duties/rule.html", values, 422 if fault else 200)


def _line(task: TaskView) -> TaskLine:
    return TaskLine(task, _owner(task.owner, task.holders))


def _owner(owner: AppointmentKind, holders: Holders) -> str:
    kind, names = APPOINTMENT_WORDS[owner], in_words(holders.names)
    if not names:
        return texts.STAND_IN_NOBODY.format(kind=kind)
    if holders.kind is owner:
        return texts.OWNER.format(kind=kind, names=names)
    return texts.STAND_IN.format(kind=kind, stand_in=APPOINTMENT_WORDS[holders.kind], names=names)


def _day(due: Due) -> str:
    day = due.due_on
    return texts.WHEN.format(year=day.year, month=day.month, day=day.day)


def _rhythm(rule: RuleView) -> str:
    return texts.rhythm_in_words(rule.schedule.rhythm, rule.schedule.number)


def _given(call: AdminCall) -> dict[str, str]:
    return {name: call.form.get(name, "") for name in _FIELDS}


def _values(rule: RuleView) -> dict[str, str]:
    schedule = rule.schedule
    return {
        "township": rule.township_id,
        "title": rule.title,
        "detail": rule.detail,
        "owner": rule.owner.value,
        "rhythm": schedule.rhythm.value,
        "weekday": str(schedule.number) if schedule.rhythm is Rhythm.WEEKLY else "",
        "day": str(schedule.number) if schedule.rhythm is Rhythm.MONTH_DAY else "",
        "remind_before": str(schedule.remind_before),
        "escalate_after": str(schedule.escalate_after),
    }


def _rule(form: Mapping[str, str]) -> Rule:
    """What was entered. Raises RuleInvalid."""
    try:
        rhythm, owner = Rhythm(form.get("rhythm", "")), AppointmentKind(form.get("owner", ""))
        number = {Rhythm.WEEKLY: "weekday", Rhythm.MONTH_DAY: "day"}.get(rhythm)
        schedule = Schedule(
            rhythm,
            int(form.get(number, "")) if number else 0,
            int(form.get("remind_before", "")),
            int(form.get("escalate_after", "")),
        )
    except ValueError:
        raise RuleInvalid from None
    return Rule(form.get("title", "").strip(), form.get("detail", "").strip(), owner, schedule)
