"""Pages of what is taken out: asked for, released by another, made with a password that is shown once, downloaded."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

from bot.clock import Clock, to_local
from bot.errors import AppError
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Download, Page, WayOn
from handlers.contacts.admin.forms import chosen
from handlers.contacts.domain.exports import LEAST_PURPOSE, LONGEST_PURPOSE, TakenFor
from handlers.contacts.domain.register import RegisterInvalid
from handlers.contacts.service.exports.exporting import PAGE, RELEASES, ExportService, Wanted
from handlers.contacts.texts import exports as texts

_ONE: Final = PAGE + "/{export}"
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_RELEASE: Final = RELEASES + "/{release}"


class ExportPages:
    """The handlers of whoever asks."""

    def __init__(self, exports: ExportService, clock: Clock) -> None:
        self._exports = exports
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        own = Action.CONTACTS_EXPORT
        return (
            AdminRoute(method="GET", path=PAGE, action=own, handle=self.lines, menu=texts.MENU),
            AdminRoute(method="POST", path=PAGE, action=own, handle=self.ask),
            AdminRoute(method="GET", path=_ONE, action=own, handle=self.one),
            AdminRoute(method="POST", path=_ONE + "/make", action=own, handle=self.make),
            AdminRoute(method="GET", path=_ONE + "/file", action=own, handle=self.take),
        )

    async def lines(self, call: AdminCall) -> AdminAnswer:
        """The form, and one's own."""
        return await self._lines(call)

    async def ask(self, call: AdminCall) -> AdminAnswer:
        """It waits for a second person."""
        form = call.form
        try:
            wanted = Wanted(
                place=form.get("place", ""),
                taken_for=chosen(TakenFor, form.get("taken_for", ""), "用途"),
                purpose=form.get("purpose", ""),
                has_groups=form.get("has_groups") == "yes",
                has_records=form.get("has_records") == "yes",
            )
            own = await self._exports.ask(call.actor, wanted, key=form.get("key", ""))
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._lines(call, fault)
        return WayOn(f"{PAGE}/{own}", texts.ASKED)

    async def one(self, call: AdminCall) -> AdminAnswer:
        """One of one's own, and what can be done with it."""
        line = await self._exports.own(call.actor, call.id("export"))
        return Page("contacts/export_one.html", {"line": line, "password": "", **_words()})

    async def make(self, call: AdminCall) -> AdminAnswer:
        """The file is there, and its password is on this page only."""
        made = await self._exports.make(call.actor, call.id("export"))
        return Page("contacts/export_one.html", {"line": made.line, "password": made.password, **_words()})

    async def take(self, call: AdminCall) -> AdminAnswer:
        """The file."""
        _, found = await self._exports.take(call.actor, call.id("export"))
        name = texts.FILE_NAME.format(when=f"{to_local(self._clock.now()):%Y%m%d-%H%M}")
        return Download(name, found.content, _XLSX)

    async def _lines(self, call: AdminCall, fault: AppError | None = None) -> Page:
        values = {
            "rows": await self._exports.lines(call.actor),
            "places": await self._exports.places(call.actor),
            "given": call.form,
            "key": call.form.get("key") or uuid4().hex,
            "fault": fault.message if fault else "",
            **_words(),
        }
        return Page("contacts/exports.html", values, 422 if fault else 200)


class ReleasePages:
    """The handlers of whoever releases."""

    def __init__(self, exports: ExportService) -> None:
        self._exports = exports

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        own = Action.CONTACTS_RELEASE
        return (
            AdminRoute(method="GET", path=RELEASES, action=own, handle=self.lines, menu=texts.MENU_RELEASE),
            AdminRoute(method="GET", path=_RELEASE, action=own, handle=self.one),
            AdminRoute(method="POST", path=_RELEASE, action=own, handle=self.decide),
        )

    async def lines(self, call: AdminCall) -> AdminAnswer:
        """Those within reach."""
        return Page("contacts/releases.html", {"rows": await self._exports.waiting(call.actor), **_words()})

    async def one(self, call: AdminCall) -> AdminAnswer:
        """One of them."""
        return await self._one(call)

    async def decide(self, call: AdminCall) -> AdminAnswer:
        """Yes or no."""
        answer, own = call.form.get("answer", ""), call.id("release")
        await self._exports.to_release(call.actor, own)  # whose it is comes before what was filled in
        try:
            if answer not in {"yes", "no"}:
                raise RegisterInvalid(texts.NO_ANSWER)
            await self._exports.decide(call.actor, own, is_yes=answer == "yes", why=call.form.get("why", ""))
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._one(call, fault)
        return WayOn(RELEASES, texts.RELEASED if answer == "yes" else texts.REFUSED)

    async def _one(self, call: AdminCall, fault: AppError | None = None) -> Page:
        line = await self._exports.to_release(call.actor, call.id("release"))
        values = {"line": line, "given": call.form, "fault": fault.message if fault else "", **_words()}
        return Page("contacts/release_one.html", values, 422 if fault else 200)


def _words() -> dict[str, Any]:
    return {
        "purposes": texts.PURPOSES,
        "states": texts.STATES,
        "tags": texts.TAGS,
        "least": LEAST_PURPOSE,
        "longest": LONGEST_PURPOSE,
    }
