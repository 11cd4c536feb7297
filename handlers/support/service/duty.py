"""Who is on duty: the roster of the configuration, as owners and as an identity."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from bot.config import DutyOwner
from bot.identity import Actor, Role
from bot.storage.base import blind_index
from handlers.support.domain import Owner


class DutyRoster:
    """The owners of `[support] duty`. An IdentityProvider: whoever is on it plays the part of duty."""

    def __init__(self, entries: Sequence[DutyOwner]) -> None:
        self._entries = tuple(entries)

    @property
    def is_staffed(self) -> bool:
        """Whether anybody is on duty."""
        return bool(self._entries)

    @cached_property
    def owners(self) -> tuple[Owner, ...]:
        """In the order of the configuration. Needs the database context, whose keys make the indexes."""
        return tuple(
            Owner(blind_index("openid", entry.id), entry.id, entry.name, tuple(entry.places)) for entry in self._entries
        )

    @cached_property
    def _actors(self) -> dict[str, Actor]:
        return {owner.index: Actor(owner.index, frozenset({Role.DUTY}), name=owner.name) for owner in self.owners}

    async def actor_of(self, openid_index: str, *, is_known: bool | None = None) -> Actor:
        """The owner as an actor; anybody else is a visitor."""
        return self._actors.get(openid_index) or Actor(openid_index=openid_index)

    def owner(self, openid_index: str | None) -> Owner | None:
        """The owner of that index, None when they are not (any more) on duty."""
        return next((owner for owner in self.owners if owner.index == openid_index), None)
