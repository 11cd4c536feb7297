"""What a capability brings, and what it is given: the joint between `handlers` and the machinery."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from bot.clock import Clock
from bot.config import Settings
from bot.delivery.outbox import Outbox
from bot.delivery.worker import DeliveryCheck
from bot.dialogue.ports import Preface, ProfileSource
from bot.dialogue.router import Route
from bot.identity import Actor, IdentityProvider, Role
from bot.library import Library
from bot.metrics import Metrics
from bot.scheduler.jobs import Job
from bot.web.api import ApiRoute

if TYPE_CHECKING:
    from knowledge.base import KnowledgeBase


class Eraser(Protocol):
    """Takes a person out of one place where something about them is kept."""

    async def erase(self, openid_index: str) -> None:
        """In the caller's transaction. What the school holds by duty stays, without the WeChat identity."""
        ...


class Erasure:
    """All places where something about a person is kept, for the day they leave."""

    def __init__(self) -> None:
        self._erasers: list[Eraser] = []

    def add(self, *erasers: Eraser) -> None:
        """Further places."""
        self._erasers.extend(erasers)

    async def erase(self, openid_index: str) -> None:
        """Everywhere, in the caller's transaction."""
        for eraser in self._erasers:
            await eraser.erase(openid_index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machinery:
    """What services are built from. `library` may not hold knowledge yet when they are built."""

    settings: Settings
    clock: Clock
    metrics: Metrics
    library: Library[KnowledgeBase]
    outbox: Outbox
    erasure: Erasure


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A button of the 服务号's menu: under which of the three, its words, and the key of a tap."""

    under: str
    name: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPoints:
    """What a built capability answers to. `checks` by the reason of a message to be sent."""

    routes: Sequence[Route] = ()
    api: Sequence[ApiRoute] = ()
    jobs: Sequence[Job] = ()
    prefaces: Sequence[Preface] = ()
    profiles: Sequence[ProfileSource] = ()
    erasers: Sequence[Eraser] = ()
    checks: Mapping[str, DeliveryCheck] = field(default_factory=dict)
    identity: IdentityProvider | None = None
    background: Sequence[AbstractAsyncContextManager[object]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """One thing the system does. `build` is called once for each application, when its machinery stands."""

    name: str
    build: Callable[[Machinery], EntryPoints]
    menu: Sequence[MenuItem] = ()


class CombinedIdentity:
    """An IdentityProvider over several: a person plays all the roles any of them knows."""

    def __init__(self, providers: Sequence[IdentityProvider]) -> None:
        self._providers = tuple(providers)

    async def actor_of(self, openid_index: str) -> Actor:
        """The actor; a visitor when nobody knows the id."""
        if len(self._providers) == 1:
            return await self._providers[0].actor_of(openid_index)
        actors = [await provider.actor_of(openid_index) for provider in self._providers]
        known = [actor for actor in actors if actor.roles != {Role.VISITOR}]
        if len(known) < 2:
            return known[0] if known else Actor(openid_index=openid_index)
        return Actor(
            openid_index=openid_index,
            roles=frozenset().union(*(actor.roles for actor in known)),
            name=next((actor.name for actor in known if actor.name), None),
            person_id=next((actor.person_id for actor in known if actor.person_id), None),
        )
