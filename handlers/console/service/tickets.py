"""Logging in by scanning: a short-lived ticket in Redis, between a browser and somebody's WeChat."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Final
from uuid import UUID

from bot.errors import NotPermitted
from bot.identity import Actor, Hat
from bot.rights import Action, may
from bot.storage import redis_keys
from bot.storage.redis import RedisStore
from bot.wechat.client import WeChatClient
from handlers.console.domain import SCENE, TICKET_LIFE, Ticket, TicketOver, TicketState, TicketTaken

_ID_BYTES: Final = 12
_LONGEST_ID: Final = 32
_BEGUN: Final = "begun"
_SEEN: Final = "seen"
_ANSWER: Final = "answer"


class NotStaff(NotPermitted):
    """The console is for the staff."""

    code = "not_staff"
    default_message = "后台只给教职工用。您如果是老师，请先绑定教职工身份，再来扫码；还有不清楚的，回复“人工”找老师。"


class TicketService:
    """Tickets. One belongs to the browser it began in and to the first person who scanned it."""

    def __init__(self, store: Callable[[], RedisStore], wechat: Callable[[], WeChatClient]) -> None:
        self._store = store
        self._wechat = wechat

    async def begin(self, browser: str) -> str:
        """A new ticket for this browser; gives its id. Raises ExternalError when WeChat gives no QR code."""
        ticket_id = secrets.token_urlsafe(_ID_BYTES)
        image = await self._wechat().create_qr_code(SCENE + ticket_id, TICKET_LIFE)
        begun = {"browser": browser, "number": f"{secrets.randbelow(90) + 10}", "image": image.url}
        await self._store().set(redis_keys.login_ticket(ticket_id, _BEGUN), json.dumps(begun).encode(), TICKET_LIFE)
        return ticket_id

    async def of_browser(self, ticket_id: str, browser: str) -> Ticket:
        """The ticket as it is now. Raises TicketOver, also for another browser's."""
        ticket, _ = await self._read(ticket_id)
        if not secrets.compare_digest(ticket.browser, browser):
            raise TicketOver
        return ticket

    async def scan(self, actor: Actor, ticket_id: str) -> Ticket:
        """Somebody has scanned it; they must be asked. Raises NotStaff, TicketOver, TicketTaken."""
        _require_staff(actor)
        ticket, _ = await self._read(ticket_id)
        own = actor.openid_index or ""
        if ticket.state is TicketState.NEW:
            await self._store().set(
                redis_keys.login_ticket(ticket_id, _SEEN), own.encode(), TICKET_LIFE, if_absent=True
            )
            ticket, _ = await self._read(ticket_id)
        if ticket.scanned_by != own or ticket.state is not TicketState.SEEN:
            raise TicketTaken
        return ticket

    async def answer(self, actor: Actor, ticket_id: str, *, is_yes: bool) -> None:
        """The one who scanned says yes or no. Raises NotStaff, TicketOver, TicketTaken."""
        _require_staff(actor)
        ticket, _ = await self._read(ticket_id)
        if ticket.scanned_by != actor.openid_index:
            raise TicketTaken
        said = {"person_id": actor.person_id or "", "identity_id": actor.identity_id or ""} if is_yes else {}
        key = redis_keys.login_ticket(ticket_id, _ANSWER)
        if not await self._store().set(key, json.dumps(said).encode(), TICKET_LIFE, if_absent=True):
            raise TicketTaken

    async def redeem(self, ticket_id: str, browser: str) -> tuple[UUID, UUID | None] | None:
        """Whose log-in it is (person, WeChat identity), once and in its own browser; None while nobody confirmed."""
        ticket, answer = await self._read(ticket_id)
        if not secrets.compare_digest(ticket.browser, browser):
            raise TicketOver
        if ticket.state is not TicketState.CONFIRMED or answer is None:
            return None
        if not await self._store().delete_if(redis_keys.login_ticket(ticket_id, _ANSWER), answer):
            raise TicketOver
        await self._store().delete(redis_keys.login_ticket(ticket_id, _BEGUN))
        return UUID(ticket.person_id), UUID(ticket.identity_id) if ticket.identity_id else None

    async def _read(self, ticket_id: str) -> tuple[Ticket, bytes | None]:
        """The ticket, and its answer as it is kept. Each part is written once, so nobody sees half a change."""
        if not ticket_id.isascii() or not 0 < len(ticket_id) <= _LONGEST_ID:
            raise TicketOver
        keys = [redis_keys.login_ticket(ticket_id, part) for part in (_BEGUN, _SEEN, _ANSWER)]
        begun, seen, answer = await self._store().read_many(keys)
        if begun is None:
            raise TicketOver
        said = json.loads(answer) if answer is not None else {}
        state = TicketState.NEW if seen is None else TicketState.SEEN
        if answer is not None:
            state = TicketState.CONFIRMED if said else TicketState.REFUSED
        return Ticket(id=ticket_id, state=state, scanned_by=(seen or b"").decode(), **json.loads(begun), **said), answer


def _require_staff(actor: Actor) -> None:
    if actor.person_id is None or not (Hat.STAFF in actor.hats or may(actor, Action.CONSOLE_ENTER)):
        raise NotStaff
