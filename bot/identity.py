"""Who acts, and what they may do. Roles are granted by a capability through `IdentityProvider`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.errors import NotPermitted


class Role(StrEnum):
    """A part a person plays; one person may play several."""

    VISITOR = "visitor"
    GUARDIAN = "guardian"
    TEACHER = "teacher"
    HEAD_TEACHER = "head_teacher"
    ADMINISTRATOR = "administrator"
    DUTY = "duty"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """The one on whose behalf something is done.

    `openid_index` is the blind index of the WeChat id (never the id itself), None for jobs and the command line.
    `name` is how staff see the person, None while unknown. `person_id` is None until the person is bound.
    """

    openid_index: str | None = None
    roles: frozenset[Role] = frozenset({Role.VISITOR})
    name: str | None = None
    person_id: str | None = None

    def has(self, *wanted: Role) -> bool:
        """True when the actor plays at least one of the roles."""
        return not self.roles.isdisjoint(wanted)


VISITOR = Actor()
SYSTEM = Actor(roles=frozenset({Role.SYSTEM}), name="系统")


class IdentityProvider(Protocol):
    """Tells who stands behind a WeChat id. Implemented by the capability that keeps people."""

    async def actor_of(self, openid_index: str) -> Actor:
        """The actor; an unknown id gives a visitor carrying the same index, never an error."""
        ...


def require_role(actor: Actor, *allowed: Role) -> None:
    """Raises NotPermitted unless the actor plays one of the roles."""
    if not actor.has(*allowed):
        raise NotPermitted
