"""The chat of families: asking for a waiver, looking how far it is, appealing, withdrawing. The pictures of papers are
taken by `waiver_papers`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from bot.dialogue.context import ChatContext
from bot.dialogue.prompts import Choice, NotUnderstood
from bot.dialogue.router import Route, Tier, both, has_role, in_step, pattern, words
from bot.identity import Role
from bot.rights import Action
from bot.wechat.messages import Inbound, Reply, TextMessage, TextReply
from handlers.accounts.service.people import ChildView, PeopleService
from handlers.after_school.chat.waiver_papers import DIALOGUE, PAPER, asked_for
from handlers.after_school.domain.waivers import WaiverInvalid, WaiverOpen, WaiverState
from handlers.after_school.service.waivers.asking import Asked, WaiverAsking
from handlers.after_school.service.waivers.views import Option, OwnWaiver
from handlers.after_school.texts import waivers as texts

_FAMILY: Final = has_role(Role.GUARDIAN)
_ASK: Final = ("减免", "申请减免", "减免申请", "费用减免", "申请费用减免", "我要减免")
_OWN: Final = ("办理结果", "我的办理", "减免结果", "减免进度")
_WITHDRAW: Final = ("撤回申请", "撤回减免", "撤回减免申请")
_SURE: Final = frozenset({"确认", "确定", "是", "对", "好", "好的", "申请"})
_APPEAL: Final = re.compile(r"申诉[\s，,：:]*(.*)", re.DOTALL)


class Step(StrEnum):
    """Where somebody is in the dialogue."""

    CHILD = "child"
    KIND = "kind"
    SURE = "sure"


class WaiverChat:
    """The handlers, over the service."""

    def __init__(self, asking: WaiverAsking, people: PeopleService, evidence_days: int) -> None:
        self._asking = asking
        self._people = people
        self._days = evidence_days

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        own, text = Action.WAIVER_OWN, TextMessage
        return (
            Route(
                name="after_school.waiver.child", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, Step.CHILD),
                handle=self.child_chosen, action=own, changes=True,
            ),
            Route(
                name="after_school.waiver.kind", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, Step.KIND),
                handle=self.kind_chosen, action=own, changes=True,
            ),
            Route(
                name="after_school.waiver.sure", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, Step.SURE),
                handle=self.sure, action=own, changes=True,
            ),
            Route(
                name="after_school.waiver.ask", tier=Tier.KEYWORD, of=text, when=both(_FAMILY, words(*_ASK)),
                handle=self.begin, action=own, changes=True,
            ),
            Route(
                name="after_school.waiver.own", tier=Tier.KEYWORD, of=text, when=both(_FAMILY, words(*_OWN)),
                handle=self.own, action=own, changes=False, protected=True,
            ),
            Route(
                name="after_school.waiver.appeal", tier=Tier.KEYWORD, of=text,
                when=both(_FAMILY, pattern(r"申诉(?:[\s，,：:].*)?")), handle=self.appeal, action=own, changes=True,
            ),
            Route(
                name="after_school.waiver.withdraw", tier=Tier.KEYWORD, of=text,
                when=both(_FAMILY, words(*_WITHDRAW)), handle=self.withdraw, action=own, changes=True,
            ),
            Route(
                name="after_school.waiver.not_a_guardian", tier=Tier.KEYWORD, of=text, when=words(*_ASK[1:], *_OWN),
                handle=not_a_guardian, action=Action.CHAT_USE, changes=False,
            ),
        )  # fmt: skip

    # ---------------------------------------------------------------------------------------------------------- asking
    async def begin(self, context: ChatContext, message: TextMessage) -> Reply:
        """申请减免: for the only child at once, else which one."""
        children = await self._children(context)
        if not children:
            return TextReply(texts.NO_CHILD)
        if len(children) == 1:
            return await self._kinds(context, children[0])
        context.enter(DIALOGUE, Step.CHILD)
        return TextReply(_of_children(children).ask(texts.WHICH_CHILD))

    async def child_chosen(self, context: ChatContext, message: TextMessage) -> Reply:
        """Which child."""
        child = _of_children(await self._children(context)).read(message.content)
        return await self._kinds(context, child)

    async def kind_chosen(self, context: ChatContext, message: TextMessage) -> Reply:
        """Which of the township's kinds of hardship."""
        child = await self._child(context)
        option = _of_options(await self._asking.options(context.actor, child.id)).read(message.content)
        context.enter(DIALOGUE, Step.SURE, {"child": child.id, "kind": option.id})
        paper = texts.SURE_PAPER.format(evidence=option.evidence, days=self._days)
        return TextReply(
            texts.SURE.format(
                child=child.name, title=option.title, percent=option.percent, clause=option.clause,
                how=texts.SURE_LISTED if option.is_listed else paper,
            )
        )  # fmt: skip

    async def sure(self, context: ChatContext, message: TextMessage) -> Reply:
        """确认: it goes to the school, or waits for a paper."""
        if context.word not in _SURE:
            raise NotUnderstood(texts.SURE_AGAIN)
        answers = context.session.answers
        context.leave()
        try:
            own = await self._asking.ask(context.actor, Asked(answers["child"], answers["kind"]))
        except (WaiverOpen, WaiverInvalid) as error:  # said again it would be refused again: the dialogue is over
            return TextReply(error.message)
        if own.state is WaiverState.SUBMITTED:
            return TextReply(texts.HANDED_IN)
        context.enter(DIALOGUE, PAPER, {"waiver": own.id})
        return TextReply(asked_for())

    async def _kinds(self, context: ChatContext, child: ChildView) -> Reply:
        options = await self._asking.options(context.actor, child.id)
        if not options:
            context.leave()
            return TextReply(texts.NOTHING_WAIVED)
        context.enter(DIALOGUE, Step.KIND, {"child": child.id})
        return TextReply(_of_options(options).ask(texts.WHICH_KIND))

    # ----------------------------------------------------------------------------------------------------------- later
    async def own(self, context: ChatContext, message: TextMessage) -> Reply:
        """办理结果."""
        views = await self._asking.own(context.actor)
        return TextReply("\n".join([texts.OWN_LEAD, *map(_line, views)]) if views else texts.OWN_NONE)

    async def appeal(self, context: ChatContext, message: TextMessage) -> Reply:
        """申诉 and why."""
        found = [each for each in await self._asking.own(context.actor) if each.can_appeal]
        said = _APPEAL.match(message.content.strip())
        if len(found) != 1:
            return TextReply(texts.APPEAL_SEVERAL if found else texts.APPEAL_NOTHING)
        if said is None or not said[1].strip():
            return TextReply(texts.OWN_APPEAL)
        await self._asking.appeal(context.actor, found[0].id, said[1])
        return TextReply(texts.APPEALED)

    async def withdraw(self, context: ChatContext, message: TextMessage) -> Reply:
        """撤回申请: what is still open."""
        found = [
            each
            for each in await self._asking.own(context.actor)
            if each.can_withdraw and each.state is not WaiverState.GRANTED
        ]
        if len(found) != 1:
            return TextReply(texts.WITHDRAW_SEVERAL if found else texts.WITHDRAW_NOTHING)
        await self._asking.withdraw(context.actor, found[0].id)
        return TextReply(texts.WITHDRAWN)

    # ----------------------------------------------------------------------------------------------------------- parts
    async def _children(self, context: ChatContext) -> list[ChildView]:
        return [each for each in await self._people.children_of(context.actor) if each.is_enrolled]

    async def _child(self, context: ChatContext) -> ChildView:
        own = context.session.answers["child"]
        found = next((each for each in await self._children(context) if each.id == own), None)
        if found is None:
            context.leave()
            raise NotUnderstood(texts.NO_CHILD)
        return found


async def not_a_guardian(context: ChatContext, message: Inbound) -> Reply:
    """The same words from somebody who is no guardian just now."""
    return TextReply(texts.NOT_A_GUARDIAN)


def _of_children(children: Sequence[ChildView]) -> Choice[ChildView]:
    return Choice([(f"{each.name}（{each.school}{each.class_name}）", each) for each in children])


def _of_options(options: Sequence[Option]) -> Choice[Option]:
    return Choice(
        [
            ((texts.KIND_LISTED if each.is_listed else texts.KIND).format(title=each.title, percent=each.percent), each)
            for each in options
        ]
    )


def _line(own: OwnWaiver) -> str:
    terms = ""
    if own.percent is not None and own.lapses_on is not None:
        named = texts.COMMA.join(own.terms)
        terms = texts.OWN_TERMS.format(percent=own.percent, terms=named, day=own.lapses_on.isoformat())
    return texts.OWN_LINE.format(
        child=own.child,
        title=own.title,
        state=texts.FAMILY_STATES[own.state],
        terms=terms,
        reason=texts.OWN_REASON.format(reason=own.reason.rstrip("。")) if own.reason else "",
        next=_next(own),
    )


def _next(own: OwnWaiver) -> str:
    if own.can_appeal:
        return texts.OWN_APPEAL
    return texts.OWN_PAPER if own.state is WaiverState.DRAFT else texts.next_step(own.state, can_appeal=False)
