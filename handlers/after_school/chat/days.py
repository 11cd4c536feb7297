"""The chat's way to the days of the after-school service: leave, and who collects the child today."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Final

from bot.clock import Clock, local_date
from bot.dialogue.context import ChatContext
from bot.dialogue.prompts import Choice, Confirm, DateInput, NotUnderstood
from bot.dialogue.router import Route, Tier, both, has_role, in_step, words
from bot.identity import Role
from bot.rights import Action
from bot.wechat.messages import Reply, TextMessage, TextReply
from handlers.accounts.service.audiences import WardMeant
from handlers.accounts.service.offices import Caller
from handlers.after_school.domain.days import CollectBy
from handlers.after_school.domain.statements import Source
from handlers.after_school.service.days.collecting import CollectionService, NewCollection
from handlers.after_school.service.days.leave import LeaveService, NewLeave
from handlers.after_school.service.days.views import LeaveView
from handlers.after_school.texts import days as texts

DIALOGUE: Final = "after_school_days"
_NAMED: Final = re.compile(r"(?P<name>\D+?)[\s，,：:]*(?P<phone>[\d\-\s]{7,20})")
_OTHER, _ALONE = "other", "alone"


class Step(StrEnum):
    """Where somebody is in the dialogue."""

    CHILD = "child"
    DAY = "day"
    SURE = "sure"
    WITHDRAW = "withdraw"
    COLLECT_CHILD = "collect_child"
    COLLECTOR = "collector"
    NAMED = "named"


class DaysChat:
    """The handlers, over the services."""

    def __init__(self, leave: LeaveService, collecting: CollectionService, clock: Clock) -> None:
        self._leave = leave
        self._collecting = collecting
        self._clock = clock

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        guardian, action = has_role(Role.GUARDIAN), Action.SERVICE_LEAVE
        steps = {
            Step.CHILD: self.child_chosen,
            Step.DAY: self.day_said,
            Step.SURE: self.confirmed,
            Step.WITHDRAW: self.leave_chosen,
            Step.COLLECT_CHILD: self.collected_chosen,
            Step.COLLECTOR: self.collector_chosen,
            Step.NAMED: self.collector_named,
        }
        asked = {
            "leave": (self.begin, ("请假", "我要请假", "给孩子请假", "课后服务请假", "请个假")),
            "back": (self.begin_withdrawal, ("撤销请假", "取消请假", "销假")),
            "collect": (self.begin_collection, ("换人接", "换人接孩子", "今天换人接", "改接送人")),
        }
        return (
            *(
                Route(
                    name=f"after_school.days.{step}", tier=Tier.STEP, of=TextMessage, when=in_step(DIALOGUE, step),
                    handle=handle, action=action, changes=True,
                )
                for step, handle in steps.items()
            ),
            *(
                Route(
                    name=f"after_school.days.{name}", tier=Tier.KEYWORD, of=TextMessage,
                    when=both(guardian, words(*said)), handle=handle, action=action, changes=True,
                )
                for name, (handle, said) in asked.items()
            ),
        )  # fmt: skip

    # ----------------------------------------------------------------------------------------------------------- leave
    async def begin(self, context: ChatContext, message: TextMessage) -> Reply:
        """请假: which child, unless there is only one."""
        wards = await self._leave.wards(context.actor)
        if not wards:
            return TextReply(texts.NO_CHILD)
        if len(wards) > 1:
            context.enter(DIALOGUE, Step.CHILD, {})
            return TextReply(_wards(wards).ask(texts.WHICH_CHILD_LEAVE))
        return _ask_day(context, wards[0])

    async def child_chosen(self, context: ChatContext, message: TextMessage) -> Reply:
        """Which child."""
        return _ask_day(context, _wards(await self._leave.wards(context.actor)).read(message.content))

    async def day_said(self, context: ChatContext, message: TextMessage) -> Reply:
        """Which day; read back before it counts."""
        today = self._today()
        day = DateInput(today, first=today).read(message.content)
        answers = context.session.answers
        context.enter(DIALOGUE, Step.SURE, {**answers, "day": day.isoformat()})
        return TextReply(texts.CONFIRM_LEAVE.format(child=answers["name"], day=_spoken(day)))

    async def confirmed(self, context: ChatContext, message: TextMessage) -> Reply:
        """是 or 不."""
        answers, is_sure = context.session.answers, Confirm().read(message.content)
        context.leave()
        if not is_sure:
            return TextReply(texts.LEAVE_DROPPED)
        day = date.fromisoformat(answers["day"])
        new = NewLeave(child_id=answers["child"], first_day=day, last_day=day)
        view = await self._leave.ask(context.actor, new, Source.CHAT)
        sentence = texts.LEAVE_DONE if view.is_new else texts.LEAVE_ALREADY
        return TextReply(sentence.format(child=view.child, day=_spoken(day)))

    async def begin_withdrawal(self, context: ChatContext, message: TextMessage) -> Reply:
        """撤销请假: which one, unless there is only one."""
        views = await self._leave.own(context.actor)
        if not views:
            return TextReply(texts.NO_LEAVE)
        if len(views) > 1:
            context.enter(DIALOGUE, Step.WITHDRAW, {})
            return TextReply(_leaves(views).ask(texts.WHICH_LEAVE))
        return await self._withdrawn(context, views[0])

    async def leave_chosen(self, context: ChatContext, message: TextMessage) -> Reply:
        """Which one."""
        view = _leaves(await self._leave.own(context.actor)).read(message.content)
        context.leave()
        return await self._withdrawn(context, view)

    async def _withdrawn(self, context: ChatContext, view: LeaveView) -> Reply:
        await self._leave.withdraw(context.actor, view.id)
        return TextReply(texts.LEAVE_WITHDRAWN.format(child=view.child, day=_span(view)))

    # ---------------------------------------------------------------------------------------------------- who collects
    async def begin_collection(self, context: ChatContext, message: TextMessage) -> Reply:
        """换人接: which child, unless there is only one."""
        wards = await self._leave.wards(context.actor)
        if not wards:
            return TextReply(texts.NO_CHILD)
        if len(wards) > 1:
            context.enter(DIALOGUE, Step.COLLECT_CHILD, {})
            return TextReply(_wards(wards).ask(texts.WHICH_CHILD_COLLECT))
        return await self._ask_collector(context, wards[0])

    async def collected_chosen(self, context: ChatContext, message: TextMessage) -> Reply:
        """Which child."""
        ward = _wards(await self._leave.wards(context.actor)).read(message.content)
        return await self._ask_collector(context, ward)

    async def _ask_collector(self, context: ChatContext, ward: WardMeant) -> Reply:
        callers = await self._collecting.guardians(context.actor, ward.id)
        context.enter(DIALOGUE, Step.COLLECTOR, {"child": ward.id, "name": ward.name})
        return TextReply(_collectors(callers).ask(texts.WHO_COLLECTS.format(child=ward.name)))

    async def collector_chosen(self, context: ChatContext, message: TextMessage) -> Reply:
        """A guardian, somebody else, or nobody."""
        answers = context.session.answers
        callers = await self._collecting.guardians(context.actor, answers["child"])
        chosen = _collectors(callers).read(message.content)
        if chosen == _OTHER:
            context.enter(DIALOGUE, Step.NAMED, dict(answers))
            return TextReply(texts.NAME_AND_PHONE)
        how = CollectBy.ALONE if chosen == _ALONE else CollectBy.GUARDIAN
        person = chosen if how is CollectBy.GUARDIAN else None
        return await self._said(context, how, person=person)

    async def collector_named(self, context: ChatContext, message: TextMessage) -> Reply:
        """王小明 13800000000."""
        match = _NAMED.fullmatch(message.content.strip())
        if match is None:
            raise NotUnderstood(texts.NAME_AND_PHONE)
        return await self._said(context, CollectBy.OTHER, name=match["name"], phone=match["phone"])

    async def _said(
        self, context: ChatContext, how: CollectBy, *, person: str | None = None, name: str = "", phone: str = ""
    ) -> Reply:
        child, day = context.session.answers["child"], self._today()
        new = NewCollection(child_id=child, day=day, how=how, person_id=person, name=name, phone=phone)
        view = await self._collecting.say(context.actor, new, Source.CHAT)
        context.leave()
        if how is CollectBy.ALONE:
            return TextReply(texts.COLLECT_ALONE.format(child=view.child))
        return TextReply(texts.COLLECT_DONE.format(child=view.child, who=view.name))

    def _today(self) -> date:
        return local_date(self._clock.now())


def _ask_day(context: ChatContext, ward: WardMeant) -> Reply:
    context.enter(DIALOGUE, Step.DAY, {"child": ward.id, "name": ward.name})
    return TextReply(texts.WHICH_DAY.format(child=ward.name))


def _wards(wards: Sequence[WardMeant]) -> Choice[WardMeant]:
    return Choice([(f"{ward.name}（{ward.class_name}）", ward) for ward in wards])


def _leaves(views: Sequence[LeaveView]) -> Choice[LeaveView]:
    return Choice([(texts.LEAVE_LINE.format(child=view.child, day=_span(view)), view) for view in views])


def _collectors(callers: Sequence[Caller]) -> Choice[str]:
    named = [(caller.name, caller.person_id) for caller in callers]
    return Choice([*named, (texts.SOMEBODY_ELSE, _OTHER), (texts.ALONE, _ALONE)])


def _span(view: LeaveView) -> str:
    first, last = _spoken(view.first_day), _spoken(view.last_day)
    return first if first == last else f"{first}{texts.TO}{last}"


def _spoken(day: date) -> str:
    return texts.DAY.format(month=day.month, day=day.day)
