"""Pages of one child's file on paper, and of what is going to be sealed."""

from __future__ import annotations

from typing import Final

from bot.clock import to_local
from bot.errors import AppError
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.contacts.admin.forms import chosen
from handlers.contacts.admin.whole import whole_words
from handlers.contacts.domain.exports import LEAST_PURPOSE, LONGEST_PURPOSE, TakenFor
from handlers.contacts.service.exports.printing import PAGE, PrintService
from handlers.contacts.service.keeping.planning import KeepingPlan, Step
from handlers.contacts.texts import exports as texts

_ASK: Final = "/contacts/kept/{kept}/print"
_ONE: Final = PAGE + "/{print}"
_KEEPING: Final = "/contacts/keeping"


class PrintPages:
    """The handlers."""

    def __init__(self, prints: PrintService) -> None:
        self._prints = prints

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        own = Action.CONTACTS_EXPORT
        return (
            AdminRoute(method="GET", path=_ASK, action=own, handle=self.form),
            AdminRoute(method="POST", path=_ASK, action=own, handle=self.ask),
            AdminRoute(method="GET", path=_ONE, action=own, handle=self.sheet),
        )

    async def form(self, call: AdminCall) -> AdminAnswer:
        """For what."""
        return await self._form(call)

    async def ask(self, call: AdminCall) -> AdminAnswer:
        """It is open."""
        own, form = call.id("kept"), call.form
        await self._prints.candidate(call.actor, own)  # whose it is comes before what was filled in
        try:
            taken_for = chosen(TakenFor, form.get("taken_for", ""), "用途")
            opened = await self._prints.ask(call.actor, own, taken_for, form.get("purpose", ""))
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._form(call, fault)
        return WayOn(f"{PAGE}/{opened}")

    async def sheet(self, call: AdminCall) -> AdminAnswer:
        """What goes on paper."""
        printed = await self._prints.sheet(call.actor, call.id("print"))
        mark = texts.PRINT_MARK.format(
            by=printed.by, when=f"{to_local(printed.at):%Y-%m-%d %H:%M}", number=printed.number,
            purpose=f"{texts.PURPOSES[printed.taken_for]}，{printed.purpose}",
        )  # fmt: skip
        values = {"whole": printed.whole, "mark": mark, "keep": texts.KEEP, "pictures": "", **whole_words()}
        return Page("contacts/print_file.html", values)

    async def _form(self, call: AdminCall, fault: AppError | None = None) -> Page:
        values = {
            "ward": await self._prints.begun(call.actor, call.id("kept")),
            "purposes": texts.PURPOSES,
            "given": call.form,
            "least": LEAST_PURPOSE,
            "longest": LONGEST_PURPOSE,
            "fault": fault.message if fault else "",
        }
        return Page("contacts/print_new.html", values, 422 if fault else 200)


class KeepingPages:
    """The handler."""

    def __init__(self, plan: KeepingPlan) -> None:
        self._plan = plan

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        return (AdminRoute(method="GET", path=_KEEPING, action=Action.CONTACTS_REGISTER, handle=self.planned),)

    async def planned(self, call: AdminCall) -> AdminAnswer:
        """What the nights to come will do, before they do."""
        rows = await self._plan.planned(call.actor)
        return Page("contacts/keeping.html", {"rows": rows, "seal": Step.SEAL})
