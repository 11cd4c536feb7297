"""The chat of families: whether they want the month's word, and calls with the teacher. For every guardian alike: what
is offered tells nothing of a child."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from bot.clock import Clock, local_date
from bot.dialogue.context import ChatContext
from bot.dialogue.prompts import Choice, Confirm, NotUnderstood
from bot.dialogue.router import Route, Tier, both, has_role, in_step, pattern, words
from bot.identity import Role
from bot.rights import Action
from bot.wechat.messages import Reply, TextMessage, TextReply
from handlers.accounts.service.people import ChildView, PeopleService
from handlers.contacts.domain.family import moment_in
from handlers.contacts.service.family.call_pushes import moment_words
from handlers.contacts.service.family.calls import Calls, CallView
from handlers.contacts.service.family.wishes import Wishes
from handlers.contacts.texts import family as texts

DIALOGUE: Final = "contacts.family"
_FAMILY: Final = has_role(Role.GUARDIAN)
_WANT: Final = ("每月一句", "要每月一句", "老师的话", "每月一句话")
_STOP: Final = ("不要每月一句", "不要每月一句话", "取消每月一句", "退订每月一句")
_ASK: Final = ("约通话", "约老师通话", "想约通话", "和老师通话")
_AGREE: Final = ("同意通话", "通话同意")
_CANCEL: Final = ("取消通话", "通话取消", "不通话了")
_MOVE: Final = r"(?:通话改|改通话)(?:到|成|时间)?.*"


class Step(StrEnum):
    """Where somebody is in the dialogue."""

    WISH = "wish"
    CHILD = "child"
    WHEN = "when"


class FamilyChat:
    """The handlers, over the services."""

    def __init__(self, wishes: Wishes, calls: Calls, people: PeopleService, clock: Clock) -> None:
        self._wishes = wishes
        self._calls = calls
        self._people = people
        self._clock = clock

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        own, text = Action.CONTACTS_FAMILY, TextMessage
        steps = {Step.WISH: self.wish_said, Step.CHILD: self.child_chosen, Step.WHEN: self.when_said}
        begun = {
            "want": (words(*_WANT), self.want), "stop": (words(*_STOP), self.stop), "ask": (words(*_ASK), self.ask),
            "agree": (words(*_AGREE), self.agree), "cancel": (words(*_CANCEL), self.cancel),
            "move": (pattern(_MOVE), self.move),
        }  # fmt: skip
        return (
            *(
                Route(
                    name=f"contacts.family.{step}", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, step),
                    handle=handle, action=own, changes=True,
                )
                for step, handle in steps.items()
            ),
            *(
                Route(
                    name=f"contacts.family.{name}", tier=Tier.KEYWORD, of=text, when=both(_FAMILY, asked),
                    handle=handle, action=own, changes=True,
                )
                for name, (asked, handle) in begun.items()
            ),
        )  # fmt: skip

    # ---------------------------------------------------------------------------------------------------------- wishes
    async def want(self, context: ChatContext, message: TextMessage) -> Reply:
        """每月一句: what it is first."""
        if not await self._children(context):
            return TextReply(texts.NO_CHILD)
        context.enter(DIALOGUE, Step.WISH)
        return TextReply(texts.WISH_ASK)

    async def wish_said(self, context: ChatContext, message: TextMessage) -> Reply:
        """1 or 2, for all children."""
        try:
            is_wanted = Confirm().read(message.content)
        except NotUnderstood:
            raise NotUnderstood(texts.WISH_AGAIN) from None
        context.leave()
        return await self._say(context, is_wanted=is_wanted)

    async def stop(self, context: ChatContext, message: TextMessage) -> Reply:
        """不要每月一句: at once, without a question."""
        return await self._say(context, is_wanted=False)

    async def _say(self, context: ChatContext, *, is_wanted: bool) -> Reply:
        children = await self._children(context)
        stands = [await self._wishes.say(context.actor, each.id, is_wanted=is_wanted) for each in children]
        if not is_wanted:
            return TextReply(texts.NOT_WANTED)
        return TextReply(texts.WANTED if any(stands) else texts.WANTED_NO_CONSENT)

    # ----------------------------------------------------------------------------------------------------------- calls
    async def ask(self, context: ChatContext, message: TextMessage) -> Reply:
        """约通话: about which child, and when."""
        children = await self._children(context)
        if not children:
            return TextReply(texts.NO_CHILD)
        if len(children) > 1:
            context.enter(DIALOGUE, Step.CHILD)
            return TextReply(_of(children).ask(texts.WHICH_CHILD))
        return self._when(context, children[0])

    async def child_chosen(self, context: ChatContext, message: TextMessage) -> Reply:
        """Which child."""
        return self._when(context, _of(await self._children(context)).read(message.content))

    async def when_said(self, context: ChatContext, message: TextMessage) -> Reply:
        """9月20日19:30."""
        at = moment_in(message.content, local_date(self._clock.now()))
        if at is None:
            raise NotUnderstood(texts.WHEN_AGAIN)
        await self._calls.ask(context.actor, context.session.answers["child"], at)
        context.leave()
        return TextReply(texts.ASKED.format(when=moment_words(at)))

    async def agree(self, context: ChatContext, message: TextMessage) -> Reply:
        """同意通话: what the teacher proposed."""
        call = next((each for each in await self._open(context) if not each.is_agreed and not each.is_mine), None)
        if call is None:
            return TextReply(texts.NO_CALL)
        return TextReply(texts.CALL_AGREED.format(when=moment_words(await self._calls.agree(context.actor, call.id))))

    async def cancel(self, context: ChatContext, message: TextMessage) -> Reply:
        """取消通话: the next one."""
        call = next(iter(await self._open(context)), None)
        if call is None:
            return TextReply(texts.NO_CALL)
        await self._calls.cancel(context.actor, call.id)
        return TextReply(texts.CALL_CANCELLED.format(when=moment_words(call.at)))

    async def move(self, context: ChatContext, message: TextMessage) -> Reply:
        """通话改9月21日19点: the next one, to another hour."""
        call = next(iter(await self._open(context)), None)
        if call is None:
            return TextReply(texts.NO_CALL)
        at = moment_in(message.content, local_date(self._clock.now()))
        if at is None:
            raise NotUnderstood(texts.WHEN_AGAIN)
        await self._calls.move(context.actor, call.id, at)
        return TextReply(texts.CALL_MOVED.format(when=moment_words(at)))

    # ----------------------------------------------------------------------------------------------------------- parts
    def _when(self, context: ChatContext, child: ChildView) -> Reply:
        context.enter(DIALOGUE, Step.WHEN, {"child": child.id})
        return TextReply(texts.WHEN)

    async def _children(self, context: ChatContext) -> list[ChildView]:
        return [each for each in await self._people.children_of(context.actor) if each.is_enrolled]

    async def _open(self, context: ChatContext) -> list[CallView]:
        return [each for each in await self._calls.of_guardian(context.actor) if not each.is_over]


def _of(children: list[ChildView]) -> Choice[ChildView]:
    return Choice([(f"{each.name}（{each.school}{each.class_name}）", each) for each in children])
