"""Pages of asking anew what the cards know: one's own list, and for those who begin it how far it has come."""

from __future__ import annotations

from datetime import date
from typing import Final

from bot.clock import Clock, local_date
from bot.errors import AppError
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.contacts.domain.refreshing import LONGEST, OLDEST_ASKED, RefreshInvalid
from handlers.contacts.service.refreshing.campaigns import Campaigns
from handlers.contacts.service.refreshing.telling import PAGE
from handlers.contacts.texts import cards as card_texts
from handlers.contacts.texts import refreshing as texts

DESK: Final = "/contacts/refreshing"
_FIELDS: Final = ("ends_on", "older_than", "days_before", "rule_older_than")
_MOST_DIGITS: Final = 3


class RefreshPages:
    """The handlers."""

    def __init__(self, campaigns: Campaigns, clock: Clock) -> None:
        self._campaigns = campaigns
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        own, desk = Action.CONTACTS_OWN, Action.CONTACTS_REFRESH
        return (
            AdminRoute(method="GET", path=PAGE, action=own, handle=self.own),
            AdminRoute(method="GET", path=DESK, action=desk, handle=self.look, menu=texts.MENU),
            AdminRoute(method="POST", path=DESK, action=desk, handle=self.begin),
            AdminRoute(method="POST", path=DESK + "/rule", action=desk, handle=self.enact),
            AdminRoute(method="POST", path=DESK + "/{campaign}/end", action=desk, handle=self.end),
        )

    async def own(self, call: AdminCall) -> AdminAnswer:
        """What the caller still has to ask."""
        values = {
            "rows": await self._campaigns.own(call.actor),
            "holders": card_texts.HOLDERS,
            "kinds": card_texts.KINDS,
            "today": local_date(self._clock.now()),
        }
        return Page("contacts/refresh.html", values)

    async def look(self, call: AdminCall) -> AdminAnswer:
        """What goes on."""
        return await self._page(call)

    async def begin(self, call: AdminCall) -> AdminAnswer:
        """It begins."""
        try:
            await self._campaigns.begin(call.actor, _day(call.form.get("ends_on", "")), _number(call, "older_than"))
        except AppError as fault:
            return await self._faulty(call, fault)
        return WayOn(DESK, texts.BEGUN)

    async def enact(self, call: AdminCall) -> AdminAnswer:
        """How it begins by itself."""
        is_off = not call.form.get("days_before", "").strip()
        try:
            before, age = (None, 0) if is_off else (_number(call, "days_before"), _number(call, "rule_older_than"))
            await self._campaigns.enact(call.actor, before, age)
        except AppError as fault:
            return await self._faulty(call, fault)
        return WayOn(DESK, texts.RULE_OFF if is_off else texts.RULE_SET)

    async def end(self, call: AdminCall) -> AdminAnswer:
        """It is over."""
        await self._campaigns.end(call.actor, call.id("campaign"))
        return WayOn(DESK, texts.ENDED)

    async def _faulty(self, call: AdminCall, fault: AppError) -> Page:
        if fault.denial is not None:
            raise fault
        return await self._page(call, fault)

    async def _page(self, call: AdminCall, fault: AppError | None = None) -> Page:
        today = local_date(self._clock.now())
        values = {
            "rows": await self._campaigns.lines(call.actor),
            "rule": await self._campaigns.rule(call.actor),
            "given": {name: call.form.get(name, "") for name in _FIELDS},
            "today": today,
            "last": today + LONGEST,
            "most": OLDEST_ASKED,
            "fault": fault.message if fault else "",
        }
        return Page("contacts/refreshing.html", values, 422 if fault else 200)


def _number(call: AdminCall, name: str) -> int:
    text = call.form.get(name, "").strip()
    if not text.isdecimal() or len(text) > _MOST_DIGITS:
        raise RefreshInvalid(texts.NOT_A_NUMBER)
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise RefreshInvalid(texts.NOT_A_DATE) from None
