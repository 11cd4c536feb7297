"""The asker's side of handing a matter to people, and the words for somebody in need."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.clock import to_local
from bot.dialogue.context import ChatContext
from bot.dialogue.prompts import FreeText
from bot.dialogue.router import Route, Tier, alarm, either, in_step, menu_key, words
from bot.rights import Action
from bot.wechat.messages import Event, Inbound, Reply, TextMessage, TextReply
from handlers.support import texts
from handlers.support.domain import MAX_ANSWER, MAX_ASKED, HandOver, shortened
from handlers.support.service.hand_overs import WAITING, HandOverService
from knowledge.safety import DANGER, Alarm
from knowledge.texts import ALARMS

DIALOGUE = "support.hand_over"
TOPIC = "topic"
FIRST = "first"
MINE, PERSON = "support.mine", "support.person"

_TOPIC_TEXT = FreeText(least=2, most=MAX_ASKED)
_PLACE = "place"
_LISTED_TEXT = 30
_OLDER_REPLY = 20
_MAX_FIRST = 200
_PERSON_WORDS = ("人工", "转人工", "找人工", "人工服务", "人工客服", "客服", "找老师", "找值班老师", "真人")
_MINE_WORDS = ("我的提问", "我的问题", "提问进展")


class Asking:
    """The handlers, over the service. `is_staffed`: whether anybody is on duty."""

    def __init__(self, matters: HandOverService, *, is_staffed: bool) -> None:
        self._matters = matters
        self._is_staffed = is_staffed

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        return (
            Route(
                name="support.crisis", tier=Tier.CRISIS, of=TextMessage, when=alarm(*DANGER),
                handle=self.crisis, fallback=calm_words, action=Action.CHAT_USE, changes=True,
            ),
            Route(
                name="support.person", tier=Tier.GLOBAL, of=TextMessage,
                when=either(words(*_PERSON_WORDS), alarm(Alarm.PERSON)),
                handle=self.ask_topic, action=Action.CHAT_USE, changes=True,
            ),
            Route(
                name="support.person.tapped", tier=Tier.MENU, of=Event, when=menu_key(PERSON),
                handle=self.ask_topic, action=Action.CHAT_USE, changes=True,
            ),
            Route(
                name="support.topic", tier=Tier.STEP, of=TextMessage, when=in_step(DIALOGUE, TOPIC),
                handle=self.hand_over, action=Action.CHAT_USE, changes=True,
            ),
            Route(
                name="support.complaint", tier=Tier.KEYWORD, of=TextMessage, when=alarm(Alarm.COMPLAINT),
                handle=self.complain, action=Action.CHAT_USE, changes=True,
            ),
            Route(
                name="support.mine", tier=Tier.KEYWORD, of=TextMessage, when=words(*_MINE_WORDS),
                handle=self.show_mine, action=Action.CHAT_USE, changes=False, protected=True,
            ),
            Route(
                name="support.mine.tapped", tier=Tier.MENU, of=Event, when=menu_key(MINE),
                handle=self.show_mine, action=Action.CHAT_USE, changes=False, protected=True,
            ),
        )  # fmt: skip

    async def crisis(self, context: ChatContext, message: TextMessage) -> Reply:
        """A child may be in danger: the calm words, and a record for whoever is on duty. The dialogue is kept."""
        matter = await self._matters.hand_over(
            context.actor, context.openid, message.content, place=_place(context), alarm=context.alarm
        )
        told = texts.URGENT_TOLD.format(number=matter.number) if self._is_staffed else ""
        return TextReply(_calm_words(context) + told)

    async def ask_topic(self, context: ChatContext, message: Inbound) -> Reply:
        """人工."""
        told = context.session.answers if context.session.dialogue == DIALOGUE else {}
        context.enter(DIALOGUE, TOPIC, told)
        return TextReply(texts.ASK_TOPIC if self._is_staffed else texts.ASK_TOPIC_NOBODY)

    async def complain(self, context: ChatContext, message: TextMessage) -> Reply:
        """A complaint: what was said is kept until the rest is told."""
        context.enter(DIALOGUE, TOPIC, {FIRST: message.content[:_MAX_FIRST]})
        advice, _, _ = ALARMS[Alarm.COMPLAINT].rpartition("\n")
        return TextReply(f"{advice}\n{texts.ASK_MORE}")

    async def hand_over(self, context: ChatContext, message: TextMessage) -> Reply:
        """What it is about: registered."""
        told = _TOPIC_TEXT.read(message.content)
        first = context.session.answers.get(FIRST)
        text = f"{first}\n{told}" if first else told
        matter = await self._matters.hand_over(context.actor, context.openid, text, place=_place(context))
        context.leave()
        if not self._is_staffed:
            return TextReply(texts.REGISTERED_NOBODY.format(number=matter.number))
        owner = texts.OWNER.format(name=matter.owner_name) if matter.owner_name else texts.SOMEBODY
        return TextReply(texts.REGISTERED.format(number=matter.number, owner=owner))

    async def show_mine(self, context: ChatContext, message: Inbound) -> Reply:
        """我的提问."""
        matters = await self._matters.own_matters(context.actor)
        if not matters:
            return TextReply(texts.MINE_EMPTY)
        newest, *older = matters
        lines = [_mine(newest, MAX_ANSWER), *(_mine(matter, _OLDER_REPLY) for matter in older), texts.MINE_TAIL]
        return TextReply("\n".join(lines))

    # ---------------------------------------------------------------------------------------------------- as a preface
    def is_due(self, profile: Mapping[str, str]) -> bool:
        """Whether an answer may wait for the person."""
        return bool(profile.get(WAITING))

    async def take(self, context: ChatContext) -> str | None:
        """The answers that wait, to stand before the reply to whatever the person has said."""
        waiting, is_more_coming = await self._matters.waiting_replies(context.actor)
        if not is_more_coming:
            context.change_profile(**{WAITING: ""})
        if not waiting:
            return None
        return "\n".join(texts.REPLY_ARRIVED.format(number=number, text=text) for number, text in waiting)


def calm_words(context: ChatContext, message: Inbound) -> Reply:
    """What is said to somebody in need even when nothing can be recorded."""
    return TextReply(_calm_words(context))


def when(moment: datetime) -> str:
    """A moment as people write it."""
    local = to_local(moment)
    return f"{local.month}月{local.day}日{local:%H:%M}"


def _calm_words(context: ChatContext) -> str:
    return ALARMS[Alarm(context.alarm or Alarm.NEGLECT)]


def _place(context: ChatContext) -> str | None:
    return context.profile.get(_PLACE) or None


def _mine(matter: HandOver, longest_reply: int) -> str:
    line = texts.MINE_LINE.format(
        number=matter.number,
        when=when(matter.created_at),
        state=texts.STATES[matter.state],
        text=shortened(matter.text, _LISTED_TEXT),
    )
    last = matter.replies[-1:]
    return "\n".join([line, *(texts.MINE_REPLY.format(text=shortened(reply.text, longest_reply)) for reply in last)])
