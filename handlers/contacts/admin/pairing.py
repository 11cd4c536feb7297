"""Pages of who keeps contact with whom: what the lead arranges, and what somebody was given."""

from __future__ import annotations

from typing import Final

from bot.errors import AppError, NotFound
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.contacts.service.building import CoreParts
from handlers.contacts.service.pairing.pairing import RECEIVE
from handlers.contacts.service.register.entering import PAGE
from handlers.contacts.texts import pairing as texts

_PAIR: Final = "/contacts/pairs/{pair}"


class PairingPages:
    """The handlers."""

    def __init__(self, core: CoreParts) -> None:
        self._pairing = core.pairing
        self._register = core.register

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        lead, own = Action.CONTACTS_REGISTER, Action.CONTACTS_OWN
        return (
            AdminRoute(method="POST", path=PAGE + "/{child}/pair", action=lead, handle=self.pair),
            AdminRoute(method="POST", path=_PAIR + "/end", action=lead, handle=self.end),
            AdminRoute(method="POST", path=_PAIR + "/hand-over", action=lead, handle=self.hand_over),
            AdminRoute(method="GET", path=RECEIVE, action=own, handle=self.received),
            AdminRoute(method="POST", path=_PAIR + "/receive", action=own, handle=self.receive),
        )

    async def pair(self, call: AdminCall) -> AdminAnswer:
        """Somebody keeps contact with the child."""
        own = call.id("child")
        await self._register.candidate(call.actor, own)
        try:
            await self._pairing.pair(call.actor, own, call.form.get("person", ""))
        except AppError as fault:
            return _said(own, fault)
        return WayOn(f"{PAGE}/{own}", texts.PAIRED)

    async def end(self, call: AdminCall) -> AdminAnswer:
        """Not any more."""
        own = await self._pairing.child_of(call.actor, call.id("pair"))
        try:
            await self._pairing.end(call.actor, call.id("pair"))
        except AppError as fault:
            return _said(own, fault)
        return WayOn(f"{PAGE}/{own}", texts.ENDED)

    async def hand_over(self, call: AdminCall) -> AdminAnswer:
        """To somebody else."""
        own = await self._pairing.child_of(call.actor, call.id("pair"))
        try:
            await self._pairing.hand_over(call.actor, call.id("pair"), call.form.get("person", ""))
        except AppError as fault:
            return _said(own, fault)
        return WayOn(f"{PAGE}/{own}", texts.HANDED_OVER)

    async def received(self, call: AdminCall) -> AdminAnswer:
        """What waits for a signature."""
        return Page("contacts/received.html", {"rows": await self._pairing.received(call.actor)})

    async def receive(self, call: AdminCall) -> AdminAnswer:
        """Signed."""
        await self._pairing.receive(call.actor, call.id("pair"))
        return WayOn(RECEIVE, texts.RECEIVED)


def _said(child: str, fault: AppError) -> AdminAnswer:
    """Back to the child with what stood in the way; a refusal stays one."""
    if fault.denial is not None:
        raise fault
    # What is no id of anybody was not chosen from the list.
    return WayOn(f"{PAGE}/{child}", texts.NO_COLLEAGUE if isinstance(fault, NotFound) else fault.message)
