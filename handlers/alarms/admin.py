"""Pages about alarms: raising one, seeing whom to call, taking it on, closing it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID, uuid4

from bot.errors import AppError, Conflict, InvalidInput
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from bot.web.tables import TableView
from handlers.accounts.service.offices import Namesake, Offices
from handlers.alarms import texts
from handlers.alarms.domain import (
    LIVE,
    LONGEST_NAME,
    AlarmKind,
    AlarmSource,
    AlarmState,
    Entry,
    Mark,
    NewAlarm,
    checked_words,
)
from handlers.alarms.service.alarms import AlarmService
from handlers.alarms.service.sheets import PAGE, SheetService

_FIELDS: Final = ("kind", "name", "where", "said")
_NONE: Final = "none"


class AlarmPages:
    """The handlers."""

    def __init__(self, alarms: AlarmService, sheets: SheetService, offices: Offices) -> None:
        self._alarms = alarms
        self._sheets = sheets
        self._offices = offices

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        view, answer, one = Action.ALARM_VIEW, Action.ALARM_ANSWER, PAGE + "/{alarm}"
        return (
            AdminRoute(method="GET", path=PAGE, action=view, handle=self.lines, menu=texts.MENU),
            AdminRoute(method="GET", path=PAGE + "/new", action=Action.ALARM_RAISE, handle=self.form),
            AdminRoute(method="POST", path=PAGE + "/new", action=Action.ALARM_RAISE, handle=self.raise_one),
            AdminRoute(method="GET", path=one, action=view, handle=self.sheet),
            AdminRoute(method="POST", path=one + "/acknowledge", action=answer, handle=self.acknowledge),
            AdminRoute(method="POST", path=one + "/close", action=answer, handle=self.close),
        )

    async def lines(self, call: AdminCall) -> AdminAnswer:
        """What is not closed; what is, when asked for."""
        view = TableView.of(call, PAGE, filters=("state",), sorts=("raised",))
        states = (AlarmState.CLOSED,) if view.filters.get("state") == AlarmState.CLOSED.value else LIVE
        rows, total = await self._sheets.lines(call.actor, states, offset=view.offset, limit=view.size)
        values = {
            "view": view,
            "rows": rows,
            "total": total,
            "kinds": texts.KINDS,
            "states": texts.STATES,
            "tags": texts.TAGS,
            "shown": [(AlarmState.CLOSED.value, texts.STATES[AlarmState.CLOSED])],
        }
        return Page("alarms/lines.html", values)

    # ------------------------------------------------------------------------------------------------------- raising
    async def form(self, call: AdminCall) -> AdminAnswer:
        """The one form: what it is, who, where."""
        return self._form(call, filled={"kind": AlarmKind.MISSING_CHILD.value}, reference=uuid4().hex)

    async def raise_one(self, call: AdminCall) -> AdminAnswer:
        """Raises it; asks which child only when several have the name. A child nobody finds holds nothing up."""
        reference, chosen = _reference(call.form.get("reference", "")), call.form.get("child", "")
        filled = {name: call.form.get(name, "") for name in _FIELDS}
        try:
            kind, name = _kind(filled["kind"]), checked_words(filled["name"], LONGEST_NAME)
            where, said = checked_words(filled["where"]), checked_words(filled["said"])
            namesakes = await self._offices.children_named(call.actor, name)
            if len(namesakes) > 1 and not chosen:
                return self._form(call, filled=filled, reference=reference, namesakes=namesakes)
        except InvalidInput as fault:
            return self._form(call, filled=filled, reference=reference, fault=fault)
        child = _chosen(namesakes, chosen)
        new = NewAlarm(
            kind=kind,
            source=AlarmSource.CONSOLE,
            reference=f"console:{reference}",
            child_id=child.id if child else None,
            said=said if child or not name else texts.SAID_NAME.format(name=name) + said,
            where=where,
        )
        raised = await self._alarms.raise_alarm(call.actor, new)
        notice = texts.RAISED if raised.is_new else texts.RAISED_BEFORE
        return WayOn(f"{PAGE}/{raised.key}", notice.format(number=raised.number))

    def _form(
        self,
        call: AdminCall,
        *,
        filled: dict[str, str],
        reference: str,
        namesakes: Sequence[Namesake] = (),
        fault: AppError | None = None,
    ) -> Page:
        children = [
            (one.id, texts.NAMESAKE.format(name=one.name, school=one.school, class_name=one.class_name))
            for one in namesakes
        ]
        values = {
            "filled": dict.fromkeys(_FIELDS, "") | filled,
            "reference": reference,
            "kinds": texts.KIND_WORDS,
            "children": [*children, (_NONE, texts.NOT_ONE_OF_THEM)] if children else [],
            "fault": fault.message if fault else "",
        }
        return Page("alarms/new.html", values, 422 if fault else 200)

    # ------------------------------------------------------------------------------------------------------ one alarm
    async def sheet(self, call: AdminCall) -> AdminAnswer:
        """Whom to call, what is known, what happened so far."""
        return await self._sheet(call)

    async def _sheet(self, call: AdminCall, fault: AppError | None = None) -> Page:
        sheet = await self._sheets.sheet(call.actor, call.id("alarm"))
        values = {
            "sheet": sheet,
            "line": sheet.line,
            "kind": texts.KINDS[sheet.line.kind],
            "source": texts.SOURCES[sheet.source],
            "state": (texts.STATES[sheet.line.state], texts.TAGS[sheet.line.state]),
            "timeline": [(entry.at, _in_words(entry, sheet.line.kind)) for entry in sheet.timeline],
            "sentence": call.form.get("sentence", ""),
            "fault": fault.message if fault else "",
        }
        return Page("alarms/sheet.html", values, 422 if fault else 200)

    async def acknowledge(self, call: AdminCall) -> AdminAnswer:
        """由我跟进."""
        try:
            number = await self._alarms.acknowledge(call.actor, call.id("alarm"))
        except Conflict as fault:
            return await self._sheet(call, fault)
        return WayOn(f"{PAGE}/{call.id('alarm')}", texts.ACKNOWLEDGED.format(number=number))

    async def close(self, call: AdminCall) -> AdminAnswer:
        """办结, with a sentence."""
        key = call.id("alarm")
        try:
            number = await self._alarms.close(call.actor, key, call.form.get("sentence", ""))
        except (InvalidInput, Conflict) as fault:
            return await self._sheet(call, fault)
        return WayOn(PAGE, texts.CLOSED.format(number=number))


def _kind(text: str) -> AlarmKind:
    """Raises InvalidInput."""
    try:
        return AlarmKind(text)
    except ValueError:
        raise InvalidInput(texts.KIND_MISSING) from None


def _reference(text: str) -> str:
    """Names one filling in of the form, so that sending it twice raises one alarm."""
    try:
        return UUID(text).hex
    except ValueError:
        return uuid4().hex


def _chosen(namesakes: Sequence[Namesake], chosen: str) -> Namesake | None:
    """The only one, or the one that was chosen among several."""
    if len(namesakes) == 1:
        return namesakes[0]
    return next((one for one in namesakes if one.id == chosen), None)


def _in_words(entry: Entry, kind: AlarmKind) -> str:
    step = texts.STEPS[kind][entry.level] if entry.level is not None else ""
    words = texts.MARKS[entry.what].format(who=entry.who or texts.SOMEBODY, step=step)
    return f"{entry.who}{words}" if entry.what is Mark.RAISED else words
