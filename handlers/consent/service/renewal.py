"""Asking anew: which families gave their consent to a notice that has changed since."""

from __future__ import annotations

from collections.abc import Mapping

from bot.identity import IdentityProvider
from handlers.consent.service.consents import ConsentService

CONSENT_DUE = "consent_due"


class Renewal:
    """Knows whom to ask. A `ProfileSource`: the chat reads it from what it knows about a person."""

    def __init__(self, consents: ConsentService, identity: IdentityProvider) -> None:
        self._consents = consents
        self._identity = identity

    async def profile_of(self, openid_index: str) -> Mapping[str, str]:
        """`CONSENT_DUE` for somebody who has to be asked anew for any child."""
        actor = await self._identity.actor_of(openid_index)
        if actor.person_id is None or not await self._consents.to_ask(actor.person_id):
            return {}
        return {CONSENT_DUE: "1"}
