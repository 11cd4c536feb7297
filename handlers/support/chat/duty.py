"""The chat of those on duty: what is to be done, and doing it by number."""

from __future__ import annotations

import re
from datetime import timedelta

from bot.dialogue.context import ChatContext
from bot.dialogue.prompts import FreeText
from bot.dialogue.router import Filter, Route, Tier, both, has_role, pattern, words
from bot.errors import InvalidInput
from bot.identity import Role
from bot.rights import Action
from bot.wechat.messages import Inbound, Reply, TextMessage, TextReply
from handlers.support import texts
from handlers.support.chat.asking import when
from handlers.support.domain import MAX_ANSWER, HandOver, HandOverClosed, age, page_of, shortened
from handlers.support.service.hand_overs import LISTED, HandOverService

_ON_DUTY = has_role(Role.DUTY)
_COMMAND = re.compile(
    r"\s*(?P<verb>待办|查看|受理|回复|答复|关闭|办结)[\s:：]*(?P<number>\d{1,9})?号?[\s:：,，]*(?P<text>.*)", re.S
)
_ANSWER_TEXT = FreeText(least=1, most=MAX_ANSWER)
_LISTED_TEXT = 30


def commands(*verbs: str) -> Filter:
    """One of the verbs, alone or with a number and what follows it, from somebody on duty."""
    return both(_ON_DUTY, pattern(rf"(?:{'|'.join(verbs)})\W*(?:\d.*)?"))


class Duty:
    """The handlers, over the service. Their words mean something to those on duty only."""

    def __init__(self, matters: HandOverService) -> None:
        self._matters = matters

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        return (
            Route(
                name="support.duty.todo", tier=Tier.KEYWORD, of=TextMessage, when=both(_ON_DUTY, words("待办")),
                handle=self.todo, action=Action.HANDOVER_ANSWER, changes=False, protected=True,
            ),
            Route(
                name="support.duty.look", tier=Tier.KEYWORD, of=TextMessage,
                when=commands("查看"), handle=self.look, action=Action.HANDOVER_ANSWER, changes=False, protected=True,
            ),
            Route(
                name="support.duty.claim", tier=Tier.KEYWORD, of=TextMessage,
                when=commands("受理"), handle=self.claim, action=Action.HANDOVER_ANSWER, changes=True,
            ),
            Route(
                name="support.duty.answer", tier=Tier.KEYWORD, of=TextMessage,
                when=commands("回复", "答复"), handle=self.answer, action=Action.HANDOVER_ANSWER, changes=True,
            ),
            Route(
                name="support.duty.close", tier=Tier.KEYWORD, of=TextMessage,
                when=commands("关闭", "办结"), handle=self.close, action=Action.HANDOVER_ANSWER, changes=True,
            ),
        )  # fmt: skip

    async def todo(self, context: ChatContext, message: TextMessage) -> Reply:
        """待办."""
        matters = await self._matters.todo(context.actor)
        if not matters:
            return TextReply(texts.TODO_EMPTY)
        lines = [texts.TODO_LEAD.format(count=len(matters))]
        lines += [_line(matter, context) for matter in matters[:LISTED]]
        if len(matters) > LISTED:
            lines.append(texts.TODO_MORE.format(count=len(matters) - LISTED))
        return TextReply("\n".join([*lines, texts.TODO_TAIL]))

    async def look(self, context: ChatContext, message: TextMessage) -> Reply:
        """查看 12."""
        matter = await self._matters.look_at(context.actor, _number(message))
        page = int(_rest(message)) if _rest(message).isdecimal() else 1
        whole = matter.text + "".join(texts.SHOWN_REPLY.format(text=reply.text) for reply in matter.replies)
        part, is_more = page_of(whole, max(1, page))
        shown = texts.SHOWN.format(
            number=matter.number,
            mark=_mark(matter),
            asker=_asker(matter),
            place=matter.place or texts.PLACE_UNKNOWN,
            when=when(matter.created_at),
            state=texts.STATES[matter.state],
            text=part,
            more=texts.SHOWN_MORE.format(number=matter.number, page=page + 1) if is_more else "",
        )
        return TextReply(shown)

    async def claim(self, context: ChatContext, message: TextMessage) -> Reply:
        """受理 12."""
        number = _number(message)
        try:
            await self._matters.claim(context.actor, number)
        except HandOverClosed:
            return _closed_already(number)
        return TextReply(texts.CLAIMED.format(number=number))

    async def answer(self, context: ChatContext, message: TextMessage) -> Reply:
        """回复 12 and what to say."""
        number, text = _number(message, texts.REPLY_HOW), _rest(message)
        if not text:
            raise InvalidInput(texts.REPLY_HOW)
        try:
            answered = await self._matters.answer(context.actor, number, _ANSWER_TEXT.read(text))
        except HandOverClosed:
            return _closed_already(number)
        if answered.asker_index is None:
            return TextReply(texts.REPLIED_NOBODY.format(number=number))
        context.refresh_profile_of(answered.asker_index)
        return TextReply(texts.REPLIED.format(number=number))

    async def close(self, context: ChatContext, message: TextMessage) -> Reply:
        """关闭 12."""
        number = _number(message)
        try:
            await self._matters.close(context.actor, number)
        except HandOverClosed:
            return _closed_already(number)
        return TextReply(texts.CLOSED.format(number=number))


def _closed_already(number: int) -> Reply:
    return TextReply(texts.ALREADY_CLOSED.format(number=number))


def _number(message: TextMessage, otherwise: str = texts.NUMBER_HOW) -> int:
    found = _COMMAND.match(message.content)
    if found is None or not found["number"]:
        raise InvalidInput(otherwise)
    return int(found["number"])


def _rest(message: Inbound) -> str:
    found = _COMMAND.match(message.content) if isinstance(message, TextMessage) else None
    return found["text"].strip() if found else ""


def _line(matter: HandOver, context: ChatContext) -> str:
    return texts.TODO_LINE.format(
        number=matter.number,
        mark=_mark(matter),
        age=_spoken(age(matter.created_at, context.now)),
        asker=_asker(matter),
        state=texts.STATES[matter.state],
        text=shortened(matter.text, _LISTED_TEXT),
    )


def _mark(matter: HandOver) -> str:
    return texts.URGENT_MARK if matter.is_urgent else ""


def _asker(matter: HandOver) -> str:
    return texts.ASKER.format(tag=matter.asker_tag) if matter.asker_tag else texts.ASKER_GONE


def _spoken(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    if minutes < 1:
        return texts.AGE_NOW
    if minutes < 60:
        return texts.AGE_MINUTES.format(count=minutes)
    if minutes < 48 * 60:
        return texts.AGE_HOURS.format(count=minutes // 60)
    return texts.AGE_DAYS.format(count=minutes // (24 * 60))
