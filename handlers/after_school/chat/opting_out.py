"""不参加 in the chat: as easy as signing up, with a reason for the school's file, which nobody has to give."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from bot.dialogue.context import ChatContext
from bot.dialogue.prompts import Choice, FreeText, NotUnderstood
from bot.dialogue.router import Route, Tier, both, in_step
from bot.rights import Action
from bot.wechat.messages import Reply, TextMessage, TextReply
from handlers.accounts.service.views import ChildView
from handlers.after_school.chat.sign_up import FAMILIES, asks
from handlers.after_school.domain.statements import Source
from handlers.after_school.domain.words import Wanted, reason_in
from handlers.after_school.service import wording
from handlers.after_school.service.family import FamilyService
from handlers.after_school.service.leaving import LONGEST_REASON, LeavingService, OptOut
from handlers.after_school.texts import sign_up as texts

DIALOGUE: Final = "after_school.opt_out"
_SURE: Final = frozenset({"1", "确认不参加", "确认", "确定", "不参加", "是", "是的"})
_NOT_SURE: Final = frozenset({"2", "再想想", "不", "不了", "先不", "参加"})
_SKIP: Final = frozenset({"跳过", "不写", "不想写", "不想说", "没有", "无", "没原因", "不说"})


class Step(StrEnum):
    """Where somebody is in the dialogue."""

    CHILD = "child"
    REASON = "reason"
    SURE = "sure"


class OptingOutChat:
    """The handlers, over the services."""

    def __init__(self, family: FamilyService, leaving: LeavingService) -> None:
        self._family = family
        self._leaving = leaving

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        own, text = Action.SERVICE_SIGN_UP, TextMessage
        return (
            Route(
                name="after_school.opt_out.child", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, Step.CHILD),
                handle=self.child_chosen, action=own, changes=True,
            ),
            Route(
                name="after_school.opt_out.reason", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, Step.REASON),
                handle=self.reason_given, action=own, changes=True,
            ),
            Route(
                name="after_school.opt_out.sure", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, Step.SURE),
                handle=self.sure, action=own, changes=True,
            ),
            Route(
                name="after_school.opt_out", tier=Tier.KEYWORD, of=text, when=both(FAMILIES, asks(Wanted.OPT_OUT)),
                handle=self.begin, action=own, changes=True,
            ),
        )  # fmt: skip

    async def begin(self, context: ChatContext, message: TextMessage) -> Reply:
        """不参加, with or without a reason."""
        reason = reason_in(message.content) or ""
        children = await self._family.children(context.actor)
        if not children:
            return TextReply(texts.NO_CHILD)
        if len(children) == 1:
            return await self._go(context, children[0], reason)
        context.enter(DIALOGUE, Step.CHILD, {"reason": reason})
        return TextReply(_choice(children).ask(texts.OPT_OUT_WHICH))

    async def child_chosen(self, context: ChatContext, message: TextMessage) -> Reply:
        """Which child."""
        child = _choice(await self._family.children(context.actor)).read(message.content)
        return await self._go(context, child, context.session.answers["reason"])

    async def _go(self, context: ChatContext, child: ChildView, reason: str) -> Reply:
        if reason:
            return await self._ask_sure(context, child, reason)
        context.enter(DIALOGUE, Step.REASON, {"child": child.id})
        return TextReply(texts.OPT_OUT_REASON.format(name=child.name))

    async def reason_given(self, context: ChatContext, message: TextMessage) -> Reply:
        """One sentence, or none."""
        reason = "" if context.word in _SKIP else FreeText(most=LONGEST_REASON).read(message.content)
        return await self._ask_sure(context, await self._child(context), reason)

    async def _ask_sure(self, context: ChatContext, child: ChildView, reason: str) -> Reply:
        context.enter(DIALOGUE, Step.SURE, {"child": child.id, "reason": reason})
        own = [line.enrolment for line in await self._family.own(context.actor) if line.enrolment.child_id == child.id]
        ends = texts.OPT_OUT_ENDS.format(titles=wording.names([each.programme for each in own])) if own else ""
        because = texts.OPT_OUT_BECAUSE.format(reason=reason) if reason else ""
        return TextReply(texts.OPT_OUT_SURE.format(name=child.name, reason=because, ends=ends))

    async def sure(self, context: ChatContext, message: TextMessage) -> Reply:
        """1 or 2, or the words."""
        if context.word in _NOT_SURE:
            context.leave()
            return TextReply(texts.NOT_OPTED_OUT)
        if context.word not in _SURE:
            raise NotUnderstood(texts.OPT_OUT_AGAIN)
        child, reason = await self._child(context), context.session.answers["reason"]
        context.leave()
        await self._leaving.opt_out(context.actor, OptOut(child_id=child.id, source=Source.CHAT, reason=reason))
        return TextReply(texts.OPTED_OUT.format(name=child.name))

    async def _child(self, context: ChatContext) -> ChildView:
        """The child the dialogue is about. Raises NotUnderstood when it is the person's no more."""
        wanted = context.session.answers["child"]
        found = [child for child in await self._family.children(context.actor) if child.id == wanted]
        if not found:
            raise NotUnderstood(texts.NO_CHILD)
        return found[0]


def _choice(children: Sequence[ChildView]) -> Choice[ChildView]:
    return Choice([(wording.label(child), child) for child in children])
