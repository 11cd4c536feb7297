"""报名 in the chat: child, course, what is told before, and a yes that is a word or a number, never a default."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Final

from bot.dialogue.context import ChatContext
from bot.dialogue.prompts import Choice, NotUnderstood
from bot.dialogue.router import Filter, Route, Tier, both, has_role, in_step, menu_key
from bot.dialogue.sentences import sentence_for
from bot.errors import Conflict, InvalidInput
from bot.identity import Hat
from bot.rights import Action, roles_for
from bot.wechat.messages import Event, Inbound, Reply, TextMessage, TextReply
from handlers.accounts.service.views import ChildView
from handlers.after_school.domain.offers import ProgrammeStatus
from handlers.after_school.domain.plans import Selection
from handlers.after_school.domain.statements import Source
from handlers.after_school.domain.states import EnrolmentState
from handlers.after_school.domain.words import Wanted as Wish
from handlers.after_school.domain.words import wanted_by
from handlers.after_school.service import wording
from handlers.after_school.service.family import FamilyService
from handlers.after_school.service.sign_up import SignUp, SignUpService, Wanted
from handlers.after_school.service.views import EnrolmentView, ProgrammeView
from handlers.after_school.texts import sign_up as texts

DIALOGUE: Final = "after_school.sign_up"
TAPPED: Final = "after_school.sign_up"
FAMILIES: Final = has_role(*roles_for(Action.SERVICE_SIGN_UP))
_SURE: Final = frozenset({"1", "确认报名", "确认", "确定", "确定报名", "报名", "报", "我要报"})
_NOT_SURE: Final = frozenset({"2", "不报", "不报了", "不确认", "先不报", "不", "不了", "不要"})
_NEXT: Final = frozenset({"下一页", "下页", "更多", "还有呢", "继续"})
_TOGETHER: Final = frozenset({"一起", "一起报", "两个一起", "两个孩子一起", "两个都报", "都报", "两个娃一起"})
# Between what is kept of a dialogue: ids hold neither.
_AND: Final = ","
_FOR: Final = ":"


class Step(StrEnum):
    """Where somebody is in the dialogue."""

    CHILD = "child"
    COURSE = "course"
    CONFIRM = "confirm"


def asks(*wishes: Wish) -> Filter:
    """The text wants one of them done."""
    known = frozenset(wishes)

    def fits(context: ChatContext, message: TextMessage) -> bool:
        return wanted_by(message.content) in known

    return fits


class SignUpChat:
    """The handlers, over the services."""

    def __init__(self, family: FamilyService, signing: SignUpService) -> None:
        self._family = family
        self._signing = signing

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        own, text = Action.SERVICE_SIGN_UP, TextMessage
        return (
            Route(
                name="after_school.sign_up.child", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, Step.CHILD),
                handle=self.child_chosen, action=own, changes=True,
            ),
            Route(
                name="after_school.sign_up.course", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, Step.COURSE),
                handle=self.course_chosen, action=own, changes=True,
            ),
            Route(
                name="after_school.sign_up.confirm", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, Step.CONFIRM),
                handle=self.confirmed, action=own, changes=True,
            ),
            Route(
                name="after_school.sign_up", tier=Tier.KEYWORD, of=text, when=both(FAMILIES, asks(Wish.SIGN_UP)),
                handle=self.begin, action=own, changes=True,
            ),
            Route(
                name="after_school.sign_up.tapped", tier=Tier.MENU, of=Event, when=both(FAMILIES, menu_key(TAPPED)),
                handle=self.begin, action=own, changes=True,
            ),
            Route(
                name="after_school.sign_up.tapped.not_a_guardian", tier=Tier.MENU, of=Event, when=menu_key(TAPPED),
                handle=not_a_guardian, action=Action.CHAT_USE, changes=False,
            ),
        )  # fmt: skip

    # ---------------------------------------------------------------------------------------------------------- child
    async def begin(self, context: ChatContext, message: Inbound) -> Reply:
        """报名: for the only child at once, else which one."""
        children = await self._family.children(context.actor)
        if not children:
            return TextReply(texts.NO_CHILD)
        if len(children) == 1:
            return await self._go(context, children)
        context.enter(DIALOGUE, Step.CHILD)
        return TextReply(_children(children).ask(texts.WHICH_CHILD))

    async def child_chosen(self, context: ChatContext, message: TextMessage) -> Reply:
        """Which child, or all of them together."""
        children = await self._family.children(context.actor)
        if len(children) > 1 and context.word in _TOGETHER:
            return await self._go(context, children)
        return await self._go(context, _children(children).read(message.content))

    async def _go(self, context: ChatContext, children: Sequence[ChildView]) -> Reply:
        context.leave()
        if missing := await self._family.without_consent(children):
            return TextReply(texts.NO_CONSENT.format(names=wording.names([child.name for child in missing])))
        return await self._ask_course(context, children, {})

    # --------------------------------------------------------------------------------------------------------- course
    async def _ask_course(
        self,
        context: ChatContext,
        children: Sequence[ChildView],
        picked: Mapping[str, str],
        start: int = 0,
        lead: str = "",
    ) -> Reply:
        """The list for the first child that has no course yet."""
        child = next(child for child in children if child.id not in picked)
        shown = await self._family.open_to(context.actor, child.id)
        if len(children) > 1:
            shown = await self._that_go_together(context, children, picked, shown)
        if not shown:
            context.leave()
            if len(children) > 1:
                return TextReply(texts.NOT_TOGETHER.format(name=child.name))
            return TextReply(await self._why_none(context, child))
        courses = await self._family.courses(shown)
        start = start if start < len(courses) else 0
        page, count = wording.page_of(child.name, courses, start)
        ids = [course.view.id for course in courses[start : start + count]]
        following = start + count if start + count < len(courses) else -1
        context.enter(
            DIALOGUE,
            Step.COURSE,
            {**_kept(children, picked), "shown": _AND.join(ids), "next": str(following)},
        )
        return TextReply(lead + page)

    async def _that_go_together(
        self,
        context: ChatContext,
        children: Sequence[ChildView],
        picked: Mapping[str, str],
        shown: Sequence[ProgrammeView],
    ) -> list[ProgrammeView]:
        """Of one plan, and not by draw."""
        plan = None
        for child in children:
            if child.id in picked:
                own = await self._family.open_to(context.actor, child.id)
                plan = next((each.plan_id for each in own if each.id == picked[child.id]), None)
        return [each for each in shown if each.selection is Selection.FIRST_COME and plan in (None, each.plan_id)]

    async def _why_none(self, context: ChatContext, child: ChildView) -> str:
        shown = await self._family.programmes(context.actor, child.id)
        if not shown:
            return texts.NOTHING_OFFERED.format(name=child.name)
        if any(each.status is ProgrammeStatus.OPEN for each in shown):
            return texts.ALL_SIGNED_UP.format(name=child.name)
        coming = [each.opens_at for each in shown if each.status is ProgrammeStatus.UPCOMING]
        if coming:
            return texts.NOT_YET.format(name=child.name, at=wording.moment(min(coming)))
        return texts.OVER.format(name=child.name)

    async def course_chosen(self, context: ChatContext, message: TextMessage) -> Reply:
        """A number of the page that was shown, or the next page."""
        answers = context.session.answers
        children, picked = await self._going(context)
        if context.word in _NEXT:
            following = int(answers["next"])
            if following < 0:
                raise NotUnderstood(texts.LIST_LAST)
            return await self._ask_course(context, children, picked, following)
        shown = answers["shown"].split(_AND)
        chosen = await self._chosen(context, children, picked, message.content, shown)
        if chosen is None:
            return await self._ask_course(context, children, picked, lead=texts.GONE)
        child = next(child for child in children if child.id not in picked)
        picked = {**picked, child.id: chosen}
        if len(picked) < len(children):
            return await self._ask_course(context, children, picked)
        return await self._ask_sure(context, children, picked)

    async def _chosen(
        self,
        context: ChatContext,
        children: Sequence[ChildView],
        picked: Mapping[str, str],
        said: str,
        shown: Sequence[str],
    ) -> str | None:
        """The programme meant by a number or its title; None when one cannot sign up for it any more. What a number
        means is what stood beside it, not what stands there now."""
        child = next(child for child in children if child.id not in picked)
        now = {each.id: each.title for each in await self._family.open_to(context.actor, child.id)}
        chosen = Choice([(now.get(own, own), own) for own in shown]).read(said)
        return chosen if chosen in now else None

    # -------------------------------------------------------------------------------------------------------- confirm
    async def _ask_sure(self, context: ChatContext, children: Sequence[ChildView], picked: Mapping[str, str]) -> Reply:
        told = []
        for child in children:
            views = [
                each for each in await self._family.open_to(context.actor, child.id) if each.id == picked[child.id]
            ]
            courses = await self._family.courses(views)
            if not courses:
                return await self._ask_course(context, children, {}, lead=texts.GONE)
            told.append((child.name, courses[0]))
        first_day = await self._family.first_day_of(told[0][1].view.plan_id)
        context.enter(DIALOGUE, Step.CONFIRM, _kept(children, picked))
        return TextReply(wording.read(told, first_day))

    async def confirmed(self, context: ChatContext, message: TextMessage) -> Reply:
        """1 or 2, or the words."""
        if context.word in _NOT_SURE:
            context.leave()
            return TextReply(texts.NOT_SIGNED_UP)
        if context.word not in _SURE:
            raise NotUnderstood(texts.ASK_AGAIN)
        children, picked = await self._going(context)
        context.leave()
        wanted = tuple(Wanted(child.id, picked[child.id]) for child in children)
        shown = [await self._seen(context, one) for one in wanted]
        try:
            views = await self._signing.sign_up(
                SignUp(
                    actor=context.actor,
                    wanted=wanted,
                    source=Source.CHAT,
                    rank=await self._rank(context, wanted[0], shown[0]),
                )
            )
        except (Conflict, InvalidInput) as error:
            return TextReply(texts.REFUSED.format(why=sentence_for(error)))
        named = {child.id: child.name for child in children}
        return TextReply(_outcome(views, named, shown))

    async def _seen(self, context: ChatContext, one: Wanted) -> ProgrammeView | None:
        shown = await self._family.programmes(context.actor, one.child_id)
        return next((each for each in shown if each.id == one.programme_id), None)

    async def _rank(self, context: ChatContext, one: Wanted, seen: ProgrammeView | None) -> int | None:
        """Courses given out by draw are wanted in the order in which they were asked for."""
        if seen is None or seen.selection is not Selection.DRAW:
            return None
        own = [line.enrolment for line in await self._family.own(context.actor)]
        waiting = [each for each in own if each.state is EnrolmentState.SUBMITTED and each.child_id == one.child_id]
        return 1 + len(waiting)

    async def _going(self, context: ChatContext) -> tuple[list[ChildView], dict[str, str]]:
        """The children the dialogue is about, and what was picked for them. Raises NotUnderstood when one of them is
        the person's no more."""
        answers = context.session.answers
        known = {child.id: child for child in await self._family.children(context.actor)}
        wanted = answers["children"].split(_AND)
        if not known.keys() >= set(wanted):
            raise NotUnderstood(texts.NO_CHILD)
        picked = dict(pair.split(_FOR) for pair in answers["picked"].split(_AND) if pair)
        return [known[own] for own in wanted], picked


async def not_a_guardian(context: ChatContext, message: Inbound) -> Reply:
    """The same from somebody who is no guardian just now."""
    return TextReply(texts.OTHER_HAT if Hat.GUARDIAN in context.actor.hats else texts.NOT_A_GUARDIAN)


def _children(children: Sequence[ChildView]) -> Choice[Sequence[ChildView]]:
    options: list[tuple[str, Sequence[ChildView]]] = [(wording.label(child), [child]) for child in children]
    together = texts.TOGETHER.format(names=wording.names([child.name for child in children]))
    return Choice([*options, (together, children)])


def _kept(children: Collection[ChildView], picked: Mapping[str, str]) -> dict[str, str]:
    return {
        "children": _AND.join(child.id for child in children),
        "picked": _AND.join(f"{child}{_FOR}{programme}" for child, programme in picked.items()),
    }


def _outcome(views: Sequence[EnrolmentView], named: Mapping[str, str], shown: Sequence[ProgrammeView | None]) -> str:
    hours = {each.id: wording.hours(each) for each in shown if each is not None}
    lines = [
        {
            EnrolmentState.ENROLLED: texts.ENROLLED,
            EnrolmentState.WAITLISTED: texts.WAITLISTED,
            EnrolmentState.SUBMITTED: texts.SUBMITTED,
        }[view.state].format(
            name=named[view.child_id],
            title=view.programme,
            hours=hours.get(view.programme_id, ""),
            position=view.position,
            rank=texts.RANK.format(rank=view.rank) if view.rank else "",
        )
        for view in views
    ]
    following = {
        EnrolmentState.ENROLLED: texts.NEXT_ENROLLED,
        EnrolmentState.WAITLISTED: texts.NEXT_WAITLISTED,
        EnrolmentState.SUBMITTED: texts.NEXT_SUBMITTED,
    }[views[0].state]
    return "\n".join([*lines, following])
