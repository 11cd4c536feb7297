"""Scanning the code of a log-in page: the staff are asked, with the number both sides show."""

from __future__ import annotations

from typing import Final

from bot.dialogue.context import ChatContext
from bot.dialogue.prompts import Confirm
from bot.dialogue.router import Route, Tier, in_step
from bot.errors import Conflict, NotFound
from bot.rights import Action
from bot.wechat.messages import Event, Reply, TextMessage, TextReply
from handlers.console import texts
from handlers.console.domain import SCENE
from handlers.console.service.tickets import TicketService

DIALOGUE: Final = "console.login"
_CONFIRM: Final = "confirm"


class LoginChat:
    """The handlers, over the tickets."""

    def __init__(self, tickets: TicketService) -> None:
        self._tickets = tickets

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        return (
            Route(
                name="console.login.scan", tier=Tier.MENU, of=Event, when=_is_login,
                handle=self.scan, action=Action.SESSION_OPEN, changes=True,
            ),
            Route(
                name="console.login.answer", tier=Tier.STEP, of=TextMessage, when=in_step(DIALOGUE, _CONFIRM),
                handle=self.answer, action=Action.SESSION_OPEN, changes=True,
            ),
        )  # fmt: skip

    async def scan(self, context: ChatContext, message: Event) -> Reply:
        """Somebody scanned the code of a log-in page."""
        ticket_id = (message.scene or "").removeprefix(SCENE)
        try:
            ticket = await self._tickets.scan(context.actor, ticket_id)
        except NotFound:
            return TextReply(texts.TICKET_OVER)
        except Conflict:
            return TextReply(texts.TICKET_TAKEN)
        context.enter(DIALOGUE, _CONFIRM, {"ticket": ticket.id})
        return TextReply(texts.ASK_LOGIN.format(number=ticket.number))

    async def answer(self, context: ChatContext, message: TextMessage) -> Reply:
        """确认 or 取消."""
        is_yes = Confirm().read(message.content)
        ticket_id = context.session.answers["ticket"]
        context.leave()
        try:
            await self._tickets.answer(context.actor, ticket_id, is_yes=is_yes)
        except NotFound:
            return TextReply(texts.TICKET_OVER)
        except Conflict:
            return TextReply(texts.TICKET_TAKEN)
        return TextReply(texts.CONFIRMED if is_yes else texts.REFUSED)


def _is_login(context: ChatContext, message: Event) -> bool:
    return (message.scene or "").startswith(SCENE)
