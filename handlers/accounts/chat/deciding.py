"""The chat of those who decide whether somebody is who they say they are."""

from __future__ import annotations

import re
from typing import Final

from bot.dialogue.context import ChatContext
from bot.dialogue.router import Filter, Route, Tier, both, has_role, pattern, words
from bot.errors import InvalidInput
from bot.identity import Role
from bot.rights import Action, roles_for
from bot.wechat.messages import Reply, TextMessage, TextReply
from handlers.accounts import texts
from handlers.accounts.domain import RELATION_WORDS
from handlers.accounts.service.decisions import DecisionService, Waiting

LISTED: Final = 8
_DECIDES: Final = has_role(*roles_for(Action.BINDING_DECIDE))
_NUMBER: Final = re.compile(r"(?<!\d)\d{4}(?!\d)")
_WIDE: Final = str.maketrans("０１２３４５６７８９", "0123456789")


class DecidingChat:
    """The handlers, over the service. Their words mean something to those who may decide only."""

    def __init__(self, decisions: DecisionService) -> None:
        self._decisions = decisions

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        return (
            Route(
                name="accounts.requests", tier=Tier.KEYWORD, of=TextMessage,
                when=both(_DECIDES, words("绑定申请", "绑定申请列表", "待核对")),
                handle=self.show, action=Action.BINDING_DECIDE, changes=False, protected=True,
            ),
            Route(
                name="accounts.requests.todo", tier=Tier.KEYWORD, of=TextMessage,
                when=both(_DECIDES, _off_duty, words("待办")),
                handle=self.show, action=Action.BINDING_DECIDE, changes=False, protected=True,
            ),
            Route(
                name="accounts.requests.approve", tier=Tier.KEYWORD, of=TextMessage, when=_verb("同意", "批准", "通过"),
                handle=self.approve, action=Action.BINDING_DECIDE, changes=True,
            ),
            Route(
                name="accounts.requests.reject", tier=Tier.KEYWORD, of=TextMessage,
                when=_verb("拒绝", "不同意", "驳回", "不通过"),
                handle=self.reject, action=Action.BINDING_DECIDE, changes=True,
            ),
        )  # fmt: skip

    async def show(self, context: ChatContext, message: TextMessage) -> Reply:
        """绑定申请."""
        waiting = await self._decisions.waiting(context.actor)
        if not waiting:
            return TextReply(texts.REQUESTS_NONE)
        lines = [texts.REQUESTS.format(count=len(waiting)), *map(_line, waiting[:LISTED])]
        if len(waiting) > LISTED:
            lines.append(texts.REQUESTS_MORE.format(count=len(waiting) - LISTED))
        return TextReply("\n".join([*lines, texts.REQUESTS_TAIL.format(number=waiting[0].number)]))

    async def approve(self, context: ChatContext, message: TextMessage) -> Reply:
        """同意 1234."""
        return await self._decide(context, message, approve=True)

    async def reject(self, context: ChatContext, message: TextMessage) -> Reply:
        """拒绝 1234."""
        return await self._decide(context, message, approve=False)

    async def _decide(self, context: ChatContext, message: TextMessage, *, approve: bool) -> Reply:
        found = _NUMBER.search(message.content.translate(_WIDE))
        if found is None:
            raise InvalidInput(texts.NUMBER_HOW)
        request_id = await self._decisions.by_number(context.actor, found[0])
        await self._decisions.decide(context.actor, request_id, approve=approve)
        return TextReply((texts.APPROVED if approve else texts.REJECTED).format(number=found[0]))


def _verb(*verbs: str) -> Filter:
    """One of the verbs with a number, from somebody who decides."""
    return both(_DECIDES, pattern(rf"(?:{'|'.join(verbs)})\D{{0,6}}\d{{1,9}}\D{{0,3}}"))


def _off_duty(context: ChatContext, message: TextMessage) -> bool:
    """Those on duty have another list under the same word."""
    return not context.actor.has(Role.DUTY)


def _line(waiting: Waiting) -> str:
    if waiting.is_same_person:
        return texts.REQUEST_SAME.format(number=waiting.number, asker=waiting.asker)
    note = texts.ON_ROSTER if waiting.is_on_roster else texts.NOT_ON_ROSTER
    return texts.REQUEST_LINE.format(
        number=waiting.number,
        asker=waiting.asker,
        where=waiting.where,
        child=waiting.child,
        relation=RELATION_WORDS[waiting.relation],
        note=note if waiting.is_known else texts.CHILD_NOT_FOUND,
    )
