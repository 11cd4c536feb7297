"""Pages of the reminders of classes."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from bot.errors import Conflict, InvalidInput
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.reminders import texts
from handlers.reminders.domain import DayUnclear, spoken
from handlers.reminders.service.classes import ClassReminders, Draft

REMINDERS: Final = "/reminders"


class ReminderPages:
    """The handlers."""

    def __init__(self, classes: ClassReminders) -> None:
        self._classes = classes

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        action = Action.REMINDER_CLASS
        return (
            AdminRoute(method="GET", path=REMINDERS, action=action, handle=self.home, menu=texts.MENU),
            AdminRoute(method="POST", path=REMINDERS, action=action, handle=self.set),
            AdminRoute(method="POST", path=REMINDERS + "/{reminder_id}/cancel", action=action, handle=self.cancel),
        )

    async def home(self, call: AdminCall) -> AdminAnswer:
        """A form, what is still to come, and what was."""
        return await self._page(call)

    async def set(self, call: AdminCall) -> AdminAnswer:
        """First what it will do, then the deed."""
        try:
            day = _day(call.form.get("day", ""))
            if not call.form.get("class"):
                raise InvalidInput(texts.NO_CLASS)
            room, text = call.form_id("class"), call.form.get("text", "")
            draft = await self._classes.draft(call.actor, room, day, text)
            if not draft.count:
                raise InvalidInput(texts.PAGE_NOBODY)
            if call.form.get("sure") != "yes":
                return await self._page(call, effects=_effects(draft, self._classes.today))
            await self._classes.set(call.actor, room, day, text)
        except (InvalidInput, Conflict) as fault:
            return await self._page(call, fault=fault.message)
        return WayOn(REMINDERS, texts.PAGE_SET.format(count=draft.count))

    async def cancel(self, call: AdminCall) -> AdminAnswer:
        """Nothing more of it goes out."""
        await self._classes.cancel(call.actor, call.id("reminder_id"))
        return WayOn(REMINDERS, texts.PAGE_CANCELLED)

    async def _page(self, call: AdminCall, *, fault: str = "", effects: tuple[str, ...] = ()) -> Page:
        wants_past = call.query.get("past") == "1"
        rooms = await self._classes.rooms(call.actor)
        rows = await self._classes.list_of(call.actor, past=wants_past)
        values: dict[str, Any] = {
            "classes": [(room.id, f"{room.school}{room.name}") for room in rooms],
            "given": {name: call.form.get(name, "") for name in ("class", "day", "text")},
            "rows": [(row, spoken(row.day, self._classes.today)) for row in rows],
            "wants_past": wants_past,
            "first_day": self._classes.today.isoformat(),
            "fault": fault,
            "effects": effects,
        }
        return Page("reminders/home.html", values, 422 if fault else 200)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DayUnclear from None


def _effects(draft: Draft, today: date) -> tuple[str, ...]:
    return (
        texts.EFFECT_WHOM.format(class_name=draft.class_name, count=draft.count),
        texts.EFFECT_TEXT.format(day=spoken(draft.day, today), text=draft.text),
        texts.EFFECT_WHEN.format(when=draft.when),
    )
