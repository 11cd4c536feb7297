"""Pages of mandatory reports: who is to be called now, who was called, how it ended."""

from __future__ import annotations

from typing import Final

from bot.clock import Clock, to_local
from bot.errors import AppError
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.contacts.admin.recording import OWN
from handlers.contacts.domain.records import ReportState
from handlers.contacts.domain.reports import Call, Called, CallInvalid, moment_of
from handlers.contacts.domain.triggers import Trigger
from handlers.contacts.service.recording.recording import RecordingService
from handlers.contacts.service.recording.reporting import PAGE, ReportService
from handlers.contacts.texts import reports as texts

_NEW: Final = OWN + "/report"
_ONE: Final = PAGE + "/{report}"
_FIELDS: Final = ("called", "at", "by", "reference", "sentence")


class ReportPages:
    """The handlers."""

    def __init__(self, reports: ReportService, recording: RecordingService, clock: Clock) -> None:
        self._reports = reports
        self._recording = recording
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        own, report = Action.CONTACTS_OWN, Action.CONTACTS_REPORT
        return (
            AdminRoute(method="GET", path=PAGE, action=report, handle=self.lines, menu=texts.MENU),
            AdminRoute(method="GET", path=_ONE, action=report, handle=self.sheet),
            AdminRoute(method="POST", path=_ONE + "/called", action=report, handle=self.called),
            AdminRoute(method="POST", path=_ONE + "/close", action=report, handle=self.close),
            AdminRoute(method="GET", path=_NEW, action=own, handle=self.form),
            AdminRoute(method="POST", path=_NEW, action=own, handle=self.open),
        )

    async def lines(self, call: AdminCall) -> AdminAnswer:
        """Those within reach; the closed ones when asked for."""
        with_closed = call.query.get("show") == "all"
        rows = await self._reports.lines(call.actor, with_closed=with_closed)
        values = {"rows": rows, "with_closed": with_closed, "states": texts.STATES, "tags": texts.TAGS}
        return Page("contacts/reports.html", values)

    async def sheet(self, call: AdminCall) -> AdminAnswer:
        """One of them."""
        return await self._sheet(call)

    async def called(self, call: AdminCall) -> AdminAnswer:
        """Somebody was called."""
        own, now = call.id("report"), self._clock.now()
        called = next((each for each in Called if each.value == call.form.get("called")), None)
        at = moment_of(call.form.get("at", ""), now)
        try:
            if called is None or at is None:
                await self._reports.sheet(call.actor, own)  # whose it is comes before what was filled in
                raise CallInvalid
            made = Call(called, at, call.form.get("by", ""), call.form.get("reference", ""))
            state = await self._reports.called(call.actor, own, made)
        except AppError as fault:
            return await self._faulty(call, fault)
        # Whoever wrote the report sees it until it is complete; then the way is back to the work.
        if state is ReportState.OPEN:
            return WayOn(f"{PAGE}/{own}", texts.CALL_ADDED_OPEN)
        return WayOn(PAGE, texts.CALLS_DONE)

    async def close(self, call: AdminCall) -> AdminAnswer:
        """It is over."""
        try:
            await self._reports.close(call.actor, call.id("report"), call.form.get("sentence", ""))
        except AppError as fault:
            return await self._faulty(call, fault)
        return WayOn(PAGE, texts.CLOSED)

    async def form(self, call: AdminCall) -> AdminAnswer:
        """Reporting without a record."""
        return await self._form(call)

    async def open(self, call: AdminCall) -> AdminAnswer:
        """It is reported."""
        child = call.id("ward")
        triggers = {each for each in Trigger if each.value in call.lists.get("trigger", ())}
        if not triggers:
            return await self._form(call, texts.TICK)
        report = await self._recording.report(call.actor, child, triggers, call.form.get("words", "").strip())
        return WayOn(f"{PAGE}/{report}", texts.OPENED)

    # ----------------------------------------------------------------------------------------------------------- parts
    async def _form(self, call: AdminCall, fault: str = "") -> Page:
        ward = await self._recording.begun(call.actor, call.id("ward"))
        values = {"ward": ward, "triggers": texts.TRIGGERS, "words": call.form.get("words", ""), "fault": fault}
        return Page("contacts/report_new.html", values, 422 if fault else 200)

    async def _faulty(self, call: AdminCall, fault: AppError) -> Page:
        if fault.denial is not None:
            raise fault
        return await self._sheet(call, fault)

    async def _sheet(self, call: AdminCall, fault: AppError | None = None) -> Page:
        sheet = await self._reports.sheet(call.actor, call.id("report"))
        values = {
            "sheet": sheet,
            "line": sheet.line,
            "triggers": [words for trigger, words in texts.TRIGGERS.items() if trigger in sheet.triggers],
            "called": texts.CALLED,
            "state": (texts.STATES[sheet.line.state], texts.TAGS[sheet.line.state]),
            "given": {name: call.form.get(name, "") for name in _FIELDS},
            "now": f"{to_local(self._clock.now()):%H:%M}",
            "gone": texts.GONE,
            "fault": fault.message if fault else "",
        }
        return Page("contacts/report.html", values, 422 if fault else 200)
