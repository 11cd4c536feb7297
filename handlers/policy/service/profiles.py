"""Where a person says they are."""

from __future__ import annotations

from collections.abc import Mapping

from bot.clock import Clock
from bot.errors import NotPermitted
from bot.identity import Actor
from handlers.policy.models import ChatProfile

PLACE = "place"


class ProfileService:
    """Keeps the place of each person; answers are given for it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def set_place(self, actor: Actor, place: str) -> None:
        """The actor's place from now on."""
        now = self._clock.now()
        row = ChatProfile(openid_index=_own(actor), place=place, created_at=now, updated_at=now)
        await ChatProfile.bulk_create([row], on_conflict=["openid_index"], update_fields=["place", "updated_at"])

    async def clear_place(self, actor: Actor) -> None:
        """Forgets the actor's place."""
        await ChatProfile.filter(openid_index=_own(actor)).delete()

    async def profile_of(self, openid_index: str) -> Mapping[str, str]:
        """The place under its name, {} when none is known."""
        row = await ChatProfile.get_or_none(openid_index=openid_index)
        return {} if row is None else {PLACE: row.place}

    async def erase(self, openid_index: str) -> None:
        """Forgets a person, in the caller's transaction."""
        await ChatProfile.filter(openid_index=openid_index).delete()


def _own(actor: Actor) -> str:
    if actor.openid_index is None:
        raise NotPermitted
    return actor.openid_index
