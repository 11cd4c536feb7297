"""Pages of the classes: which owe a report, and one class with everybody in it, to be signed with three taps."""

from __future__ import annotations

from typing import Final

from bot.errors import AppError
from bot.rights import Action, may
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.term_check import texts
from handlers.term_check.service.returns import PAGE, Handed, ReturnService

ROOM: Final = PAGE + "/rooms/{room}"


class ClassPages:
    """The handlers."""

    def __init__(self, returns: ReturnService) -> None:
        self._returns = returns

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        own = Action.CHECK_CLASS
        return (
            AdminRoute(method="GET", path=PAGE, action=own, handle=self.classes, menu=texts.MENU),
            AdminRoute(method="POST", path=PAGE + "/begin", action=own, handle=self.begin),
            AdminRoute(method="GET", path=ROOM, action=own, handle=self.room),
            AdminRoute(method="POST", path=ROOM, action=own, handle=self.report),
        )

    async def classes(self, call: AdminCall) -> AdminAnswer:
        """The actor's classes."""
        return await self._classes(call)

    async def begin(self, call: AdminCall) -> AdminAnswer:
        """A school begins by hand."""
        school = call.form_id("school")
        try:
            await self._returns.begin(call.actor, school)
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._classes(call, fault)
        return WayOn(PAGE, texts.BEGUN)

    async def room(self, call: AdminCall) -> AdminAnswer:
        """One class."""
        return await self._room(call)

    async def report(self, call: AdminCall) -> AdminAnswer:
        """Who is not there."""
        handed = Handed(
            class_id=call.id("room"),
            absent=frozenset(call.form_ids("absent")),
            has_checked_contacts=call.form.get("contacts") == "yes",
        )
        try:
            done = await self._returns.report(call.actor, handed)
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._room(call, fault)
        here, words = (
            done.of.last.counts.here if done.of.last else 0,
            texts.REPORTED if done.of.open else texts.REPORTED_ALL,
        )
        duty = texts.DUTY_DONE if done.has_done_duty else ""
        return WayOn(ROOM.format(room=handed.class_id), words.format(here=here, open=done.of.open) + duty)

    # ---------------------------------------------------------------------------------------------------------- inside
    async def _classes(self, call: AdminCall, fault: AppError | None = None) -> Page:
        values = {
            "classes": await self._returns.own_classes(call.actor),
            "without": await self._returns.schools_without(call.actor),
            "may_board": may(call.actor, Action.CHECK_FIGURES),
            "fault": fault.message if fault else "",
        }
        return Page("term_check/classes.html", values, 422 if fault else 200)

    async def _room(self, call: AdminCall, fault: AppError | None = None) -> Page:
        of = await self._returns.of_class(call.actor, call.id("room"))
        values = {
            "of": of,
            "asked": [line for line in of.lines if not line.is_settled],
            "settled": [line for line in of.lines if line.is_settled],
            "states": texts.STATES,
            "tags": texts.STATE_TAGS,
            "fault": fault.message if fault else "",
        }
        return Page("term_check/room.html", values, 422 if fault else 200)
