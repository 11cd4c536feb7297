"""The protection lead's pages: the register, finding a child, one child's file, and what is done with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from bot.clock import Clock, local_date
from bot.errors import AppError, NotFound
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.accounts.service.people import PeopleService, PupilFilter
from handlers.contacts.admin.forms import chosen, day_of
from handlers.contacts.domain.register import LONGEST_WORDS, Group, Level, Reason
from handlers.contacts.service.building import CoreParts
from handlers.contacts.service.register.entering import PAGE, Entry, Shown
from handlers.contacts.service.register.levels import NewLevel
from handlers.contacts.texts import cards as card_texts
from handlers.contacts.texts import register as texts

FIND: Final = "/contacts/find"
CHILD: Final = PAGE + "/{child}"
_FILE: Final = "/contacts/files/{care_file}"
_HALF_A_YEAR: Final = timedelta(days=180)


class RegisterPages:
    """The handlers."""

    def __init__(self, core: CoreParts, people: PeopleService, clock: Clock) -> None:
        self._core = core
        self._people = people
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        own = Action.CONTACTS_REGISTER
        return (
            AdminRoute(method="GET", path=PAGE, action=own, handle=self.lines, menu=texts.MENU),
            AdminRoute(method="GET", path=FIND, action=own, handle=self.find),
            AdminRoute(method="GET", path=CHILD, action=own, handle=self.child),
            AdminRoute(method="GET", path=CHILD + "/enter", action=own, handle=self.form),
            AdminRoute(method="POST", path=CHILD + "/enter", action=own, handle=self.enter),
            AdminRoute(method="POST", path=CHILD + "/level", action=own, handle=self.level),
            AdminRoute(method="POST", path=_FILE + "/review", action=own, handle=self.review),
            AdminRoute(method="POST", path=_FILE + "/end", action=own, handle=self.end),
        )

    # --------------------------------------------------------------------------------------------------------- looking
    async def lines(self, call: AdminCall) -> AdminAnswer:
        """Who is on the register."""
        shown = next((each for each in Shown if each.value == call.query.get("show")), Shown.ALL)
        level = next((each for each in Level if each.value == call.query.get("level")), None)
        rows = await self._core.register.lines(call.actor, shown, level)
        values = {
            "rows": rows,
            "shown": texts.SHOWN,
            "show": shown.value,
            "level": level.value if level else "",
            "levels": texts.LEVELS,
            "tags": texts.LEVEL_TAGS,
            "groups": texts.GROUPS,
            "today": self._today(),
        }
        return Page("contacts/register_list.html", values)

    async def find(self, call: AdminCall) -> AdminAnswer:
        """A child to be entered, by name."""
        name = call.query.get("name", "").strip()
        found = await self._people.pupils(call.actor, PupilFilter(name=name)) if name else None
        return Page("contacts/register_find.html", {"name": name, "found": found.items if found else None})

    async def child(self, call: AdminCall) -> AdminAnswer:
        """One child's file."""
        return await self._child(call)

    async def _child(self, call: AdminCall, fault: AppError | None = None) -> Page:
        own = call.id("child")
        file = await self._core.register.child(call.actor, own)
        is_on = bool(file.open_files)
        values = {
            "file": file,
            "pairs": await self._core.pairing.pairs(call.actor, own),
            "colleagues": await self._core.pairing.colleagues(call.actor, own) if is_on else [],
            "card": await self._core.cards.card(call.actor, own) if is_on else None,
            "groups": texts.GROUPS,
            "reasons": texts.REASONS,
            "levels": texts.LEVELS,
            "tags": texts.LEVEL_TAGS,
            "signs": texts.SIGNS,
            "clears": card_texts.CLEARS,
            "unclear": card_texts.UNCLEAR,
            "holders": card_texts.HOLDERS,
            "kinds": card_texts.KINDS,
            "fitness": card_texts.FITNESS,
            "given": call.form,
            "fault": fault.message if fault else "",
            "next": self._today() + _HALF_A_YEAR,
            "today": self._today(),
            "longest": LONGEST_WORDS,
        }
        return Page("contacts/register_child.html", values, 422 if fault else 200)

    # ----------------------------------------------------------------------------------------------------------- deeds
    async def form(self, call: AdminCall) -> AdminAnswer:
        """To enter a child."""
        return await self._form(call)

    async def enter(self, call: AdminCall) -> AdminAnswer:
        """It is on the register."""
        own, form = call.id("child"), call.form
        await self._core.register.candidate(call.actor, own)  # whose it is comes before what was filled in
        try:
            entry = Entry(
                child_id=own,
                group=chosen(Group, form.get("group", ""), "类别"),
                reason=chosen(Reason, form.get("reason", ""), "原因"),
                words=form.get("words", ""),
                since=day_of(form, "since", "建档日期"),
                review_on=day_of(form, "review_on", "下次复核的日期"),
                level=self._level(call) if "level" in form else None,
            )
            await self._core.register.enter(call.actor, entry)
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._form(call, fault)
        return WayOn(f"{PAGE}/{own}", texts.ENTERED)

    async def level(self, call: AdminCall) -> AdminAnswer:
        """How closely contact is kept from now on."""
        own = call.id("child")
        await self._core.register.candidate(call.actor, own)
        return await self._done(
            call, lambda: self._core.levels.set(call.actor, own, self._level(call)), own, texts.LEVEL_SET
        )

    async def review(self, call: AdminCall) -> AdminAnswer:
        """It goes on."""
        file_id = call.id("care_file")
        own = await self._core.register.child_of(call.actor, file_id)

        async def deed() -> None:
            next_on = day_of(call.form, "review_on", "下次复核的日期")
            await self._core.register.review(call.actor, file_id, next_on)

        return await self._done(call, deed, own, texts.REVIEWED)

    async def end(self, call: AdminCall) -> AdminAnswer:
        """The reason has gone."""
        file_id = call.id("care_file")
        own = await self._core.register.child_of(call.actor, file_id)
        return await self._done(
            call, lambda: self._core.register.end(call.actor, file_id, call.form.get("reason", "")), own, texts.ENDED
        )

    # ----------------------------------------------------------------------------------------------------------- parts
    def _level(self, call: AdminCall) -> NewLevel:
        return NewLevel(
            level=chosen(Level, call.form.get("level", ""), "级别"),
            reason=call.form.get("level_reason", ""),
            review_on=day_of(call.form, "level_review_on", "级别复核的日期"),
        )

    async def _form(self, call: AdminCall, fault: AppError | None = None) -> Page:
        ward, level = await self._core.register.candidate(call.actor, call.id("child"))
        values = {
            "ward": ward,
            "needs_level": level is None,
            "groups": list(texts.GROUPS.items()),
            "reasons": list(texts.REASON_CHOICES.items()),
            "levels": list(texts.LEVEL_CHOICES.items()),
            "given": call.form,
            "today": self._today(),
            "next": self._today() + _HALF_A_YEAR,
            "fault": fault.message if fault else "",
        }
        return Page("contacts/register_enter.html", values, 422 if fault else 200)

    async def _done(self, call: AdminCall, deed: Callable[[], Awaitable[None]], child: str, said: str) -> AdminAnswer:
        """The deed, and back to the child; what was filled in wrongly is said there."""
        try:
            await deed()
        except AppError as fault:
            if fault.denial is not None or isinstance(fault, NotFound):
                raise
            return await self._child(_of_child(call, child), fault)
        return WayOn(f"{PAGE}/{child}", said)

    def _today(self) -> date:
        return local_date(self._clock.now())


def _of_child(call: AdminCall, child: str) -> AdminCall:
    """The same call, as one about the child."""
    return replace(call, path={**call.path, "child": child})
