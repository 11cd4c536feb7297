"""Pages of fees: what the county allows, and the publication page that everybody may read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.errors import AppError
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from bot.web.public import PublicAnswer, PublicCall, PublicRoute
from handlers.after_school.admin.offering_forms import read_cap
from handlers.after_school.admin.plans import CAPS
from handlers.after_school.admin.wording import WORDS
from handlers.after_school.service.offering.reviewing import Reviewing
from handlers.after_school.service.offers import OffersService
from handlers.after_school.texts import offering as texts

FEES: Final = "/p/after-school/{plan}/fees"


class FeePages:
    """The handlers."""

    def __init__(self, offers: OffersService, reviewing: Reviewing) -> None:
        self._offers = offers
        self._reviewing = reviewing

    def routes(self) -> tuple[AdminRoute, ...]:
        """Of the console."""
        caps = Action.SERVICE_CAPS
        return (
            AdminRoute(method="GET", path=CAPS, action=caps, handle=self.caps),
            AdminRoute(method="POST", path=CAPS, action=caps, handle=self.put_cap),
        )

    def public(self) -> tuple[PublicRoute, ...]:
        """For everybody."""
        return (PublicRoute(method="GET", path=FEES, action=Action.SERVICE_LOOK, handle=self.published),)

    async def caps(self, call: AdminCall) -> AdminAnswer:
        """What the county allows."""
        return await self._page(call, {})

    async def put_cap(self, call: AdminCall) -> AdminAnswer:
        """A new one; the earlier stay."""
        try:
            await self._offers.set_cap(call.actor, call.id("township"), read_cap(call))
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._page(call, call.form, fault.message)
        return WayOn(CAPS.format(township=call.id("township")), texts.CAP_SAVED)

    async def _page(self, call: AdminCall, given: Mapping[str, Any], fault: str = "") -> Page:
        own = call.id("township")
        name, rows = await self._reviewing.caps(call.actor, own)
        empty = {"kind": "", "lesson": "", "term": "", "since": "", "clause": ""}
        values = {
            "name": name,
            "path": CAPS.format(township=own),
            "rows": rows,
            "kinds": list(texts.KINDS.items()),
            "given": {**empty, **given},
            "fault": fault,
            "words": WORDS,
        }
        return Page("after_school/offering_caps.html", values, 422 if fault else 200)

    async def published(self, call: PublicCall) -> PublicAnswer:
        """The fees of a plan, with what allows them and where to complain."""
        found = await self._reviewing.publication(call.path["plan"])
        values = {"found": found, "sheet": found.sheet, "title": texts.FEES_TITLE, "words": WORDS}
        return Page("after_school/offering_fees.html", values)
