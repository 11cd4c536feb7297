"""As what somebody acts who is both a guardian and on the staff."""

from __future__ import annotations

from bot.audit.log import Audit
from bot.clock import Clock
from bot.errors import Conflict
from bot.identity import Actor, Hat
from bot.rights import Action, Subject, require
from bot.storage.database import transaction
from handlers.accounts import texts
from handlers.accounts.models import Session, WeChatIdentity
from handlers.accounts.service.ties import Forget


class OnlyOneHat(Conflict):
    """There is nothing to switch to."""

    code = "only_one_identity"
    default_message = texts.ONLY_ONE_HAT


class SwitchService:
    """Puts on the other hat."""

    def __init__(self, clock: Clock, audit: Audit, forget: Forget) -> None:
        self._clock = clock
        self._audit = audit
        self._forget = forget

    async def switch(self, actor: Actor, hat: Hat | None = None) -> Hat:
        """The hat the actor wears from now on: the one named, else the other one; kept for the WeChat id and for the
        session. Raises OnlyOneHat."""
        require(actor, Action.IDENTITY_SWITCH)
        wanted = hat or (Hat.GUARDIAN if actor.hat is not Hat.GUARDIAN else Hat.STAFF)
        if wanted not in actor.hats or len(actor.hats) < 2:
            raise OnlyOneHat
        now = self._clock.now()
        async with transaction():
            if actor.session_id is not None:
                await Session.filter(id=actor.session_id).update(hat=wanted, updated_at=now)
            if actor.identity_id is not None:
                await WeChatIdentity.filter(id=actor.identity_id).update(hat=wanted, updated_at=now)
            await self._audit.record(
                actor,
                Action.IDENTITY_SWITCH,
                f"person:{actor.person_id}",
                whose=Subject(person_id=actor.person_id),
                fields=["hat"],
                purpose=wanted.value,
            )
        if actor.openid_index is not None:
            self._forget(actor.openid_index)
        return wanted
