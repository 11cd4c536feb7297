"""The chat's way to consent: agreeing or not, withdrawing, and what is kept about a child."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache

from bot.dialogue.context import ChatContext
from bot.dialogue.prompts import Choice, NotUnderstood
from bot.dialogue.router import Filter, Route, Tier, both, has_role, in_step
from bot.identity import Hat, Role
from bot.rights import Action
from bot.wechat.messages import Inbound, Reply, TextMessage, TextReply
from handlers.accounts.service.people import ChildView
from handlers.consent import texts
from handlers.consent.domain.decisions import Decision, NothingToWithdraw, NoticeChanged, Standing
from handlers.consent.service.consents import ConsentService, ConsentView
from handlers.consent.service.download import DownloadService
from handlers.consent.service.erasure import effect
from handlers.consent.service.renewal import CONSENT_DUE, Renewal

DIALOGUE = "consent"
CHANNEL = "chat"


class Step(StrEnum):
    """Where somebody is in the dialogue."""

    CHILD = "child"
    DECIDE = "decide"
    CONFIRM = "confirm"


class Purpose(StrEnum):
    """What the child is chosen for."""

    CONSENT = "consent"
    WITHDRAW = "withdraw"
    DATA = "data"


# What people write for each: word for word, and with one sign wrong, missing, too many, or two in the wrong order.
_EXACT: Mapping[Purpose, tuple[str, ...]] = {
    Purpose.CONSENT: ("授权", "授权书", "同意书", "去授权"),
    Purpose.WITHDRAW: ("撤回同意", "取消同意", "撤销同意"),
    Purpose.DATA: ("孩子资料", "孩子信息", "孩子的信息", "娃的资料", "下载资料"),
}
_NEARLY: Mapping[Purpose, tuple[str, ...]] = {
    Purpose.CONSENT: (
        "儿童信息授权", "儿童个人信息授权", "孩子信息授权", "儿童授权", "孩子授权", "信息授权", "儿童信息告知",
    ),
    Purpose.WITHDRAW: ("撤回授权", "撤销授权", "取消授权", "收回授权", "不再授权", "撤回儿童信息授权"),
    Purpose.DATA: ("孩子的资料", "我孩子的资料", "我家孩子的资料", "查孩子资料", "看孩子的资料", "下载孩子资料"),
}  # fmt: skip
# One sign away from a command, and about something else.
_NOT_MEANT = frozenset({"孩子的材料", "我孩子的材料", "看孩子的材料"})
_CHOICES = {
    Purpose.CONSENT: texts.CHOOSE_CONSENT,
    Purpose.WITHDRAW: texts.CHOOSE_WITHDRAW,
    Purpose.DATA: texts.CHOOSE_DATA,
}
_LONGEST = max(len(word) for words in _NEARLY.values() for word in words) + 1

# Consent is taken from nothing but the word itself.
_YES = frozenset({"同意", "我同意", "同意授权", "我同意授权", "确认同意"})
_NO = frozenset({"不同意", "我不同意", "不授权", "拒绝", "不", "不要", "不行", "不同意授权"})
_WHOLE = frozenset({"全文", "看全文", "原文", "详细", "详情", "告知书"})
_NEXT = frozenset({"下一页", "下页", "继续", "再看"})
_SURE = frozenset({"确认", "确定", "确认撤回", "确定撤回", "是", "是的", "撤回"})
_NOT_SURE = frozenset({"不撤回", "不", "不了", "否", "先不", "不撤", "保留", "不确认"})


class ConsentChat:
    """The handlers, over the services. A `Preface`: it asks families anew when the notice has changed."""

    def __init__(self, consents: ConsentService, downloads: DownloadService, renewal: Renewal) -> None:
        self._consents = consents
        self._downloads = downloads
        self._renewal = renewal

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        guardian = has_role(Role.GUARDIAN)
        return (
            Route(
                name="consent.child", tier=Tier.STEP, of=TextMessage, when=in_step(DIALOGUE, Step.CHILD),
                handle=self.child_chosen, action=Action.CONSENT_DECIDE, changes=True,
            ),
            Route(
                name="consent.decide", tier=Tier.STEP, of=TextMessage, when=in_step(DIALOGUE, Step.DECIDE),
                handle=self.decided, action=Action.CONSENT_DECIDE, changes=True,
            ),
            Route(
                name="consent.confirm", tier=Tier.STEP, of=TextMessage, when=in_step(DIALOGUE, Step.CONFIRM),
                handle=self.confirmed, action=Action.CONSENT_DECIDE, changes=True,
            ),
            Route(
                name="consent.ask", tier=Tier.KEYWORD, of=TextMessage, when=both(guardian, asks(Purpose.CONSENT)),
                handle=self.begin, action=Action.CONSENT_DECIDE, changes=True,
            ),
            Route(
                name="consent.withdraw", tier=Tier.KEYWORD, of=TextMessage, when=both(guardian, asks(Purpose.WITHDRAW)),
                handle=self.begin, action=Action.CONSENT_DECIDE, changes=True,
            ),
            Route(
                name="consent.data", tier=Tier.KEYWORD, of=TextMessage, when=both(guardian, asks(Purpose.DATA)),
                handle=self.begin, action=Action.CHILD_VIEW, changes=True,
            ),
            Route(
                name="consent.not_a_guardian", tier=Tier.KEYWORD, of=TextMessage, when=asks(*Purpose),
                handle=not_a_guardian, action=Action.CHAT_USE, changes=False,
            ),
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------------------ asking anew
    def is_due(self, profile: Mapping[str, str]) -> bool:
        """Whether the person has to be asked anew: the notice has changed since they agreed."""
        return bool(profile.get(CONSENT_DUE))

    async def take(self, context: ChatContext) -> str | None:
        """Told once a week until they decide."""
        context.change_profile(**{CONSENT_DUE: ""})
        person_id = context.actor.person_id
        return texts.RENEW if person_id and await self._renewal.take(person_id) else None

    # --------------------------------------------------------------------------------------------------------- dialogue
    async def begin(self, context: ChatContext, message: TextMessage) -> Reply:
        """儿童信息授权, 撤回授权 or 孩子的资料: for the only child at once, else which one."""
        purpose = purpose_of(context.word)
        assert purpose is not None
        children = await self._consents.children(context.actor)
        if not children:
            return TextReply(texts.NO_CHILD)
        if len(children) == 1:
            return await self._go(context, purpose, children[0])
        context.enter(DIALOGUE, Step.CHILD, {"purpose": purpose.value})
        return TextReply(_choice(children).ask(_CHOICES[purpose]))

    async def child_chosen(self, context: ChatContext, message: TextMessage) -> Reply:
        """Which child."""
        purpose = Purpose(context.session.answers["purpose"])
        child = _choice(await self._consents.children(context.actor)).read(message.content)
        return await self._go(context, purpose, child)

    async def decided(self, context: ChatContext, message: TextMessage) -> Reply:
        """同意, 不同意, or a look at the whole text."""
        answers, word = context.session.answers, context.word
        if word in _WHOLE or word in _NEXT:
            return self._page(context, 1 if word in _WHOLE else int(answers["page"]) + 1)
        if word not in _YES and word not in _NO:
            raise NotUnderstood(texts.ASK_AGAIN)
        decision = Decision.GIVEN if word in _YES else Decision.REFUSED
        try:
            view = await self._consents.decide(context.actor, answers["child"], decision, answers["version"], CHANNEL)
        except NoticeChanged:
            child = await self._child(context, answers["child"])
            asked = await self._ask_consent(context, child)
            return TextReply(texts.CHANGED_MEANWHILE + asked)
        name = (await self._child(context, answers["child"])).name
        context.leave()
        context.change_profile(**{CONSENT_DUE: ""})
        sentence = texts.AGREED if decision is Decision.GIVEN else texts.REFUSED
        return TextReply(sentence.format(name=name, other=texts.BY_ANOTHER if view.stopped_by_another else ""))

    async def confirmed(self, context: ChatContext, message: TextMessage) -> Reply:
        """确认 or not."""
        child_id = context.session.answers["child"]
        if context.word in _NOT_SURE:
            context.leave()
            return TextReply(texts.NOT_WITHDRAWN)
        if context.word not in _SURE:
            raise NotUnderstood(texts.WITHDRAW_AGAIN)
        child = await self._child(context, child_id)
        context.leave()
        await self._consents.decide(context.actor, child_id, Decision.WITHDRAWN, None, CHANNEL)
        return TextReply(texts.WITHDRAWN.format(name=child.name))

    async def _go(self, context: ChatContext, purpose: Purpose, child: ChildView) -> Reply:
        if purpose is Purpose.CONSENT:
            return TextReply(await self._ask_consent(context, child))
        if purpose is Purpose.WITHDRAW:
            return TextReply(await self._ask_withdrawal(context, child))
        context.leave()
        return TextReply(await self._summary(context, child))

    async def _ask_consent(self, context: ChatContext, child: ChildView) -> str:
        view = await self._consents.state_of(context.actor, child.id)
        notice = self._consents.notice
        context.enter(DIALOGUE, Step.DECIDE, {"child": child.id, "version": notice.version, "page": "0"})
        now = texts.NOW.format(name=child.name, standing=_standing(view))
        return "\n".join([notice.short, now, texts.ASK])

    async def _ask_withdrawal(self, context: ChatContext, child: ChildView) -> str:
        view = await self._consents.state_of(context.actor, child.id)
        if view.standing not in (Standing.GIVEN, Standing.OUTDATED) and view.own is not Decision.GIVEN:
            context.leave()
            raise NothingToWithdraw
        context.enter(DIALOGUE, Step.CONFIRM, {"child": child.id})
        effects = effect(is_done=False)
        return texts.WITHDRAW_ASK.format(
            name=child.name, gone=texts.BETWEEN.join(effects.gone), kept=texts.BETWEEN.join(effects.kept)
        )

    async def _summary(self, context: ChatContext, child: ChildView) -> str:
        view = await self._consents.state_of(context.actor, child.id)
        sections = await self._downloads.summary(context.actor, child.id)
        return texts.SUMMARY.format(
            name=child.name,
            school=child.school,
            school_class=child.class_name,
            standing=_standing(view),
            sections=texts.COMMA.join(
                texts.SECTION_COUNT.format(title=title, count=count) for title, count in sections
            ),
            left_out=self._consents.notice.left_out,
        )

    def _page(self, context: ChatContext, page: int) -> Reply:
        pages = self._consents.notice.pages
        page = min(page, len(pages))
        context.enter(DIALOGUE, Step.DECIDE, {**context.session.answers, "page": str(page)})
        how = texts.FULL_MORE if page < len(pages) else texts.FULL_END
        return TextReply(texts.FULL_PART.format(text=pages[page - 1], page=page, pages=len(pages), how=how))

    async def _child(self, context: ChatContext, child_id: str) -> ChildView:
        children = await self._consents.children(context.actor)
        found = [child for child in children if child.id == child_id]
        if not found:
            context.leave()
            raise NotUnderstood(texts.NO_CHILD)
        return found[0]


async def not_a_guardian(context: ChatContext, message: Inbound) -> Reply:
    """The same words from somebody who is no guardian just now."""
    return TextReply(texts.OTHER_HAT if Hat.GUARDIAN in context.actor.hats else texts.NOT_A_GUARDIAN)


# --------------------------------------------------------------------------------------------------------------- words
def _shortened(word: str) -> set[str]:
    return {word[:place] + word[place + 1 :] for place in range(len(word))}


_WORDS = {word: purpose for known in (_EXACT, _NEARLY) for purpose, words in known.items() for word in words}
_FORMS = {form: purpose for purpose, words in _NEARLY.items() for word in words for form in (word, *_shortened(word))}


@lru_cache(maxsize=4096)
def purpose_of(word: str) -> Purpose | None:
    """What is asked for, slips of the finger forgiven; None when it is something else."""
    known = _WORDS.get(word)
    if known is not None or not 3 <= len(word) <= _LONGEST or word in _NOT_MEANT:
        return known
    # Two words are one slip apart when they become equal by leaving out one sign of each.
    return next((_FORMS[form] for form in (word, *_shortened(word)) if form in _FORMS), None)


def asks(*purposes: Purpose) -> Filter:
    """The text asks for one of them."""
    wanted = frozenset(purposes)

    def fits(context: ChatContext, message: TextMessage) -> bool:
        return purpose_of(context.word) in wanted

    return fits


def _choice(children: Sequence[ChildView]) -> Choice[ChildView]:
    return Choice([(_label(child), child) for child in children])


def _label(child: ChildView) -> str:
    return texts.CHILD_LABEL.format(name=child.name, school=child.school, school_class=child.class_name)


def _standing(view: ConsentView) -> str:
    said = texts.STANDINGS[view.standing]
    if view.stopped_by_another and view.own is Decision.GIVEN:
        return f"{said}（{texts.BY_ANOTHER.rstrip('。')}）"
    return said
