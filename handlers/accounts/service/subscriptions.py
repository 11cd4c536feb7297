"""What somebody lets the mini-program send them: what to ask for next, and taking down what they chose.

WeChat keeps these consents and tells nobody; the ledger of deliveries is fed with what the phone reports.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.delivery.credits import Consent, Credits
from bot.delivery.planner import Template
from bot.delivery.pushes import ChannelName, Purpose
from bot.errors import NotAuthenticated
from bot.identity import Actor, Role
from bot.rights import Action, require
from bot.storage.database import transaction
from handlers.accounts.models import WeChatIdentity

MOST_AT_ONCE: Final = 3
"""So many templates one dialog of WeChat asks for."""
_NOTHING: Final = Consent(0, is_long_term=False, is_refused=False)
_FOR_FAMILIES: Final = (Purpose.RESULT, Purpose.NOTICE, Purpose.REMINDER)
_FOR_STAFF: Final = (Purpose.TASK, Purpose.ALARM, Purpose.NOTICE)


class Choice(StrEnum):
    """What `wx.requestSubscribeMessage` says of one template."""

    ACCEPT = "accept"
    REJECT = "reject"
    BAN = "ban"
    """The platform has withdrawn the template: nobody's choice."""
    FILTER = "filter"
    """Not asked for: another one has the same title."""
    ACCEPT_WITH_AUDIO = "acceptWithAudio"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One template. `left`: how many messages may still be sent on what was accepted, None: any number."""

    template_id: str
    purposes: Sequence[Purpose]
    left: int | None
    is_refused: bool


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """All templates for the one who asks; `ask`: those to ask for with the next tap."""

    ask: Sequence[str]
    items: Sequence[Subscription]


class SubscriptionService:
    """The use cases of the actor with their own phone."""

    def __init__(self, credits: Credits, templates: Sequence[Template]) -> None:
        self._credits = credits
        self._purposes: dict[str, list[Purpose]] = {}
        for template in templates:
            if template.channel is ChannelName.MINI_PROGRAM:
                self._purposes.setdefault(template.id, []).append(template.purpose)

    async def subscriptions(self, actor: Actor) -> Subscriptions:
        """How the actor stands. Raises NotAuthenticated for one without a phone of their own."""
        require(actor, Action.PROFILE_VIEW)
        return await self._of(actor, await self._recipient(actor))

    async def report(self, actor: Actor, choices: Mapping[str, Choice]) -> Subscriptions:
        """Takes down what the actor chose in the dialog. Templates that are none of ours (any more) are passed over.
        Raises NotAuthenticated."""
        require(actor, Action.PROFILE_CHANGE)
        async with transaction():
            recipient = await self._recipient(actor)
            for template_id, choice in sorted(choices.items()):
                if template_id not in self._purposes:
                    continue
                if choice in {Choice.ACCEPT, Choice.ACCEPT_WITH_AUDIO}:
                    await self._credits.accepted(recipient, template_id)
                elif choice is Choice.REJECT:
                    await self._credits.rejected(recipient, template_id)
            return await self._of(actor, recipient)

    async def _of(self, actor: Actor, recipient: str) -> Subscriptions:
        known = await self._credits.consents([recipient])
        wanted = _FOR_FAMILIES if actor.roles <= {Role.GUARDIAN, Role.VISITOR} else _FOR_STAFF
        items: list[Subscription] = []
        for purpose in wanted:
            for template_id, purposes in self._purposes.items():
                if purpose in purposes and template_id not in {item.template_id for item in items}:
                    items.append(_subscription(template_id, purposes, known.get((recipient, template_id), _NOTHING)))
        asked = [item for item in items if item.left is not None]
        # Whoever refused is asked after all others, and may think again.
        asked.sort(key=lambda item: (item.is_refused, item.left))
        return Subscriptions([item.template_id for item in asked[:MOST_AT_ONCE]], items)

    async def _recipient(self, actor: Actor) -> str:
        row = await WeChatIdentity.get_or_none(id=actor.identity_id) if actor.identity_id else None
        if row is None:
            raise NotAuthenticated
        return row.openid_index


def _subscription(template_id: str, purposes: Sequence[Purpose], consent: Consent) -> Subscription:
    left = None if consent.is_long_term else consent.free
    return Subscription(template_id, tuple(purposes), left, consent.is_refused)
