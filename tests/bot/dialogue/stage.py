"""Dispatchers over real stores, with routes whose effects can be counted."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from bot.clock import Clock
from bot.delivery.models import OutboxMessage
from bot.dialogue.context import ChatContext
from bot.dialogue.dispatcher import Dispatcher, Surroundings
from bot.dialogue.inbox import Act, Effect, Inbox
from bot.dialogue.ports import Preface
from bot.dialogue.router import Route, Router, Tier, always
from bot.dialogue.store import ChatStore
from bot.identity import Actor, Role
from bot.metrics import Metrics
from bot.rights import Action
from bot.storage.base import blind_index
from bot.storage.database import transaction
from bot.storage.redis import RedisStore
from bot.wechat.messages import Event, Inbound, Reply, TextMessage, TextReply
from bot.wechat.window import WindowLedger

OPENID = "oEMU0000000000000000000000A1"
ACCOUNT = "gh_emulator0001"
DANGER = "danger"
NOW = datetime.fromisoformat("2026-09-01T08:00:00+08:00")

_ids = itertools.count(24_000_000_000_000_001)


def text(content: str, *, openid: str = OPENID, id: int | None = None, authenticated: bool = True) -> TextMessage:
    """A text message; without `id` a new one each time."""
    message_id = str(id or next(_ids))
    return TextMessage(
        openid=openid,
        account=ACCOUNT,
        created_at=NOW,
        message_id=message_id,
        dedupe_key=hashlib.blake2b(f"{message_id}\n{openid}".encode(), digest_size=16).hexdigest(),
        authenticated=authenticated,
        content=content,
        menu_item_id=None,
    )


def event(name: str, *, openid: str = OPENID, fields: Mapping[str, str] | None = None, key: str = "") -> Event:
    """An event, a new one each time."""
    return Event(
        openid=openid,
        account=ACCOUNT,
        created_at=NOW,
        message_id=None,
        dedupe_key=hashlib.blake2b(f"{openid}{name}{next(_ids)}".encode(), digest_size=16).hexdigest(),
        authenticated=True,
        name=name,
        key=key,
        scene=None,
        ticket=None,
        fields=dict(fields or {}),
    )


def said(reply: Reply) -> str:
    """The words of a reply."""
    assert isinstance(reply, TextReply)
    return reply.text


class Visitors:
    """An identity provider to whom everybody is a visitor, but for those named."""

    def __init__(self, roles: Mapping[str, Role] | None = None) -> None:
        self._roles = roles or {}

    async def actor_of(self, openid_index: str, *, is_known: bool | None = None) -> Actor:
        role = self._roles.get(openid_index, Role.VISITOR)
        return Actor(openid_index=openid_index, roles=frozenset({role}))


class UnclaimedInbox(Inbox):
    """What the product would be without claims: the control that shows a test would see it."""

    async def once(self, message_index: str, openid_index: str, act: Act) -> Effect:
        async with transaction():
            return await act()


def guard(content: str) -> str | None:
    """A guard that knows one word."""
    return DANGER if "救命" in content else None


@dataclass
class Stage:
    """Makes dispatchers that share a database, each with its own store unless one is given."""

    clock: Clock
    metrics: Metrics
    stores: list[RedisStore] = field(default_factory=list)
    later: list[tuple[Inbound, TextReply]] = field(default_factory=list)

    def dispatcher(
        self,
        routes: Iterable[Route],
        store: RedisStore,
        *,
        inbox: Inbox | None = None,
        prefaces: Sequence[Preface] = (),
        roles: Mapping[str, Role] | None = None,
        per_minute: int = 1000,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> Dispatcher:
        """One replica."""

        async def send_later(inbound: Inbound, reply: TextReply) -> None:
            self.later.append((inbound, reply))

        parts = Surroundings(
            store=ChatStore(store),
            inbox=inbox or Inbox(self.clock),
            ledger=WindowLedger(store),
            identity=Visitors(roles),
            alarm=guard,
            send_later=send_later,
            prefaces=prefaces,
            messages_per_minute=per_minute,
            clock=self.clock,
            metrics=self.metrics,
            pause=pause,
        )
        return Dispatcher(Router(routes), parts)


def route(
    handle: Callable[[ChatContext, TextMessage], Awaitable[Reply]],
    *,
    name: str = "test.last",
    tier: Tier = Tier.LAST,
    changes: bool = True,
    **more: object,
) -> Route:
    """A route for any text."""
    settings: dict[str, object] = {"when": always, "action": Action.CHAT_USE, "of": TextMessage, **more}
    return Route(name=name, tier=tier, handle=handle, changes=changes, **settings)  # type: ignore[arg-type]


async def leave_mark(context: ChatContext, message: Inbound) -> Reply:
    """An effect that can be counted: a row, a new one each time it happens."""
    mark = uuid4().hex
    now = context.now
    await OutboxMessage.create(
        kind="mark",
        reason="mark",
        occurrence=mark,
        recipient=context.openid,
        openid_index=context.openid_index,
        payload="{}",
        not_before=now,
        expires_at=now + timedelta(days=1),
        created_at=now,
        updated_at=now,
    )
    return TextReply(f"做了{mark}")


async def marks(openid: str = OPENID) -> int:
    """How often the effect has happened for somebody."""
    return await OutboxMessage.filter(reason="mark", openid_index=blind_index("openid", openid)).count()
