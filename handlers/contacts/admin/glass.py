"""Pages of looking past what is one's own, and of watching over it."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

from bot.clock import Clock
from bot.errors import AppError
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Download, Page, WayOn
from handlers.accounts.service.people import PeopleService, PupilFilter
from handlers.contacts.admin.whole import whole_words
from handlers.contacts.domain.glass import LEAST_REASON, LONGEST_REASON, Ground, ReasonMissing
from handlers.contacts.service.glass.opening import PAGE, GlassService
from handlers.contacts.service.glass.telling import PATH
from handlers.contacts.service.glass.watching import GlassWatching
from handlers.contacts.texts import glass as texts

_CHILD: Final = PAGE + "/children/{child}"
_GLASS: Final = PAGE + "/{glass}"
_ONE: Final = PATH + "/{opened}"
_NAME: Final = "照片.jpg"
_VOICE_NAME: Final = "语音.amr"


class GlassPages:
    """The handlers of whoever looks."""

    def __init__(self, glass: GlassService, people: PeopleService, clock: Clock) -> None:
        self._glass = glass
        self._people = people
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        own = Action.CONTACTS_GLASS
        return (
            AdminRoute(method="GET", path=PAGE, action=own, handle=self.find, menu=texts.MENU),
            AdminRoute(method="GET", path=_CHILD, action=own, handle=self.form),
            AdminRoute(method="POST", path=_CHILD, action=own, handle=self.open),
            AdminRoute(method="GET", path=_GLASS, action=own, handle=self.file),
            AdminRoute(method="GET", path=_GLASS + "/pictures/{seen_file}", action=own, handle=self.picture),
        )

    async def find(self, call: AdminCall) -> AdminAnswer:
        """What is open, and the child to be looked at, by name."""
        name = call.query.get("name", "").strip()
        mine = await self._glass.mine(call.actor)
        found = await self._people.pupils(call.actor, PupilFilter(name=name)) if name else None
        return Page("contacts/glass_find.html", {"mine": mine, "name": name, "found": found.items if found else None})

    async def form(self, call: AdminCall) -> AdminAnswer:
        """Why."""
        return await self._form(call)

    async def open(self, call: AdminCall) -> AdminAnswer:
        """It is open."""
        await self._glass.candidate(call.actor, call.id("child"))  # whose it is comes before what was filled in
        ground = next((each for each in Ground if each.value == call.form.get("ground")), None)
        try:
            if ground is None:
                raise ReasonMissing
            reason, key = call.form.get("reason", ""), call.form.get("key", "")
            own = await self._glass.open(call.actor, call.id("child"), ground, reason, key=key)
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._form(call, fault)
        return WayOn(f"{PAGE}/{own}", texts.OPENED_NOW)

    async def file(self, call: AdminCall) -> AdminAnswer:
        """What it opens."""
        opened, whole = await self._glass.file(call.actor, call.id("glass"))
        minutes = -(-(opened.until - self._clock.now()).total_seconds() // 60)
        pictures = f"{PAGE}/{opened.id}/pictures/"
        values = {"opened": opened, "whole": whole, "minutes": int(minutes), "pictures": pictures, **whole_words()}
        return Page("contacts/glass_file.html", values)

    async def picture(self, call: AdminCall) -> AdminAnswer:
        """A picture or a voice note in it."""
        found = await self._glass.picture(call.actor, call.id("glass"), call.id("seen_file"))
        name = _NAME if found.media_type.startswith("image/") else _VOICE_NAME
        return Download(name, found.content, found.media_type)

    async def _form(self, call: AdminCall, fault: AppError | None = None) -> Page:
        values: dict[str, Any] = {
            "ward": await self._glass.candidate(call.actor, call.id("child")),
            "grounds": list(texts.GROUNDS.items()),
            "given": call.form,
            "key": call.form.get("key") or uuid4().hex,
            "least": LEAST_REASON,
            "longest": LONGEST_REASON,
            "fault": fault.message if fault else "",
        }
        return Page("contacts/glass_new.html", values, 422 if fault else 200)


class GlassWatchPages:
    """The handlers of whoever watches."""

    def __init__(self, watching: GlassWatching) -> None:
        self._watching = watching

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        own = Action.CONTACTS_WATCH
        return (
            AdminRoute(method="GET", path=PATH, action=own, handle=self.lines, menu=texts.MENU_WATCH),
            AdminRoute(method="GET", path=_ONE, action=own, handle=self.one),
            AdminRoute(method="POST", path=_ONE + "/seen", action=own, handle=self.seen),
        )

    async def lines(self, call: AdminCall) -> AdminAnswer:
        """Those within reach."""
        rows = await self._watching.lines(call.actor)
        return Page("contacts/glasses.html", {"rows": rows, "grounds": texts.GROUNDS})

    async def one(self, call: AdminCall) -> AdminAnswer:
        """One of them, with what was read."""
        sheet = await self._watching.one(call.actor, call.id("opened"))
        looks = [(look.at, texts.look_in_words(look.fields)) for look in sheet.looks]
        return Page(
            "contacts/glass_one.html", {"sheet": sheet, "line": sheet.line, "looks": looks, "grounds": texts.GROUNDS}
        )

    async def seen(self, call: AdminCall) -> AdminAnswer:
        """Somebody has seen it."""
        await self._watching.seen(call.actor, call.id("opened"))
        return WayOn(PATH, texts.SEEN)
