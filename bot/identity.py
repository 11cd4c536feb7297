"""Who acts, and how far their parts reach. Roles are granted by a capability through `IdentityProvider`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.errors import NotPermitted


class Role(StrEnum):
    """A part a person plays; one person may play several. What each may do is one table, `bot.rights`."""

    VISITOR = "visitor"
    GUARDIAN = "guardian"
    TEACHER = "teacher"
    HEAD_TEACHER = "head_teacher"
    DUTY = "duty"
    PROTECTION_LEAD = "protection_lead"
    SCHOOL_LEADER = "school_leader"
    ADMINISTRATOR = "administrator"
    EDITOR = "editor"
    REVIEWER = "reviewer"
    SYSTEM = "system"


class Hat(StrEnum):
    """As what somebody acts just now, who is both a guardian and on the staff: never as both at once."""

    GUARDIAN = "guardian"
    STAFF = "staff"


class Door(StrEnum):
    """Which way somebody came in."""

    CHAT = "chat"
    API = "api"
    CONSOLE = "console"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Grant:
    """One role and whose affairs it reaches, as ids: the class of a head teacher, the children of a guardian."""

    role: Role
    children: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    schools: frozenset[str] = frozenset()
    townships: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Actor:
    """The one on whose behalf something is done.

    `openid_index` is the blind index of the WeChat id (never the id itself), None for jobs and the command line.
    `name` is how staff see the person, None while unknown. `person_id` is None until the person is bound. `grants` say
    how far each role reaches; a role without one reaches nothing but what is for everybody. `hat` is None for somebody
    who has only one; `hats` are those they may put on.
    """

    openid_index: str | None = None
    roles: frozenset[Role] = frozenset({Role.VISITOR})
    name: str | None = None
    person_id: str | None = None
    grants: tuple[Grant, ...] = ()
    hat: Hat | None = None
    hats: frozenset[Hat] = frozenset()
    door: Door = Door.CHAT
    # The WeChat identity or the session the actor came with: what an idempotency key or a log-out belongs to.
    identity_id: str | None = None
    session_id: str | None = None
    # To the privacy notice in force: asked for at the API before anything personal.
    has_agreed: bool = False

    def has(self, *wanted: Role) -> bool:
        """True when the actor plays at least one of the roles."""
        return not self.roles.isdisjoint(wanted)


VISITOR = Actor()
SYSTEM = Actor(roles=frozenset({Role.SYSTEM}), name="系统", door=Door.SYSTEM)


class IdentityProvider(Protocol):
    """Tells who stands behind a WeChat id. Implemented by the capability that keeps people."""

    async def actor_of(self, openid_index: str, *, is_known: bool | None = None) -> Actor:
        """The actor; an unknown id gives a visitor carrying the same index, never an error.

        `is_known`: what a cache says about whether anybody stands behind the id, which saves looking; None asks anew,
        past every cache, because something is about to be changed or shown.
        """
        ...


def require_role(actor: Actor, *allowed: Role) -> None:
    """Raises NotPermitted unless the actor plays one of the roles."""
    if not actor.has(*allowed):
        raise NotPermitted
