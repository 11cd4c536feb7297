"""The protection lead's page of everything that waits, each line with the way to where it is dealt with."""

from __future__ import annotations

from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page
from handlers.contacts.service.overview.overview import PAGE, OverviewService
from handlers.contacts.texts import overview as texts
from handlers.contacts.texts import reports as report_texts


class OverviewPages:
    """The handlers."""

    def __init__(self, overview: OverviewService) -> None:
        self._overview = overview

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        own = Action.CONTACTS_REGISTER
        return (AdminRoute(method="GET", path=PAGE, action=own, handle=self.look, menu=texts.MENU),)

    async def look(self, call: AdminCall) -> AdminAnswer:
        """What waits."""
        values = {
            "found": await self._overview.overview(call.actor),
            "states": report_texts.STATES,
            "tags": report_texts.TAGS,
            "child_gone": report_texts.GONE,
            "nobody": texts.NOBODY,
            "gone": texts.GONE,
        }
        return Page("contacts/overview.html", values)
