"""The chat of those who get notices: the list, one of them, confirming by a tap or a word, filling in a form."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from bot.clock import local_date
from bot.dialogue.context import ChatContext
from bot.dialogue.prompts import Choice, DateInput, FreeText, NotUnderstood
from bot.dialogue.router import Route, Tier, both, has_role, in_step, pattern, words
from bot.errors import NotFound
from bot.identity import Hat
from bot.rights import Action, roles_for
from bot.wechat.messages import Inbound, Reply, TextMessage, TextReply
from handlers.notices import texts
from handlers.notices.domain import LONGEST_ANSWER, Confirmation, How, Question, QuestionKind, Who
from handlers.notices.service.reading import NoticeReading
from handlers.notices.service.views import OwnNotice
from handlers.notices.service.wording import moment, shortened

DIALOGUE: Final = "notices.form"
LISTED: Final = 8
MOST_BYTES: Final = 1900
_NUMBER: Final = re.compile(r"\d{1,9}")
_READERS: Final = has_role(*roles_for(Action.NOTICE_READ))
_LIST: Final = ("我的通知", "查看通知", "看通知", "通知列表")
_CONFIRM: Final = ("收到", "已收到", "收到了", "确认收到", "确认")
_SKIP: Final = frozenset({"跳过", "不填", "没有", "无"})
_SURE: Final = frozenset({"确认", "确定", "交", "提交", "是", "对", "好", "好的"})
_AGAIN: Final = frozenset({"重填", "重新填", "不对", "改"})


class Step(StrEnum):
    """Where somebody is in the form."""

    QUESTION = "question"
    SURE = "sure"


class OwnNotices:
    """The handlers, over the service."""

    def __init__(self, reading: NoticeReading) -> None:
        self._reading = reading

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        read, text = Action.NOTICE_READ, TextMessage
        return (
            Route(
                name="notices.form.question", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, Step.QUESTION),
                handle=self.answered, action=read, changes=True,
            ),
            Route(
                name="notices.form.sure", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, Step.SURE),
                handle=self.sure, action=read, changes=True,
            ),
            Route(
                name="notices.own", tier=Tier.KEYWORD, of=text, when=both(_READERS, words(*_LIST)),
                handle=self.own, action=read, changes=False, protected=True,
            ),
            Route(
                name="notices.read", tier=Tier.KEYWORD, of=text,
                when=both(_READERS, pattern(r"(?:我的|查看|看)通知\s*\d{1,9}号?")),
                handle=self.read, action=read, changes=True,
            ),
            Route(
                name="notices.confirm", tier=Tier.KEYWORD, of=text,
                when=both(_READERS, pattern(r"(?:已|确认)?收到(?:通知)?\s*\d{1,9}号?")),
                handle=self.confirm, action=read, changes=True,
            ),
            Route(
                name="notices.confirm.only", tier=Tier.KEYWORD, of=text, when=both(_READERS, words(*_CONFIRM)),
                handle=self.confirm_only, action=read, changes=True,
            ),
            Route(
                name="notices.form", tier=Tier.KEYWORD, of=text,
                when=both(_READERS, pattern(r"(?:填)?回执\s*\d{1,9}号?")),
                handle=self.begin_form, action=read, changes=True,
            ),
            Route(
                name="notices.not_a_reader", tier=Tier.KEYWORD, of=text, when=words(*_LIST),
                handle=not_a_reader, action=Action.CHAT_USE, changes=False,
            ),
        )  # fmt: skip

    # --------------------------------------------------------------------------------------------------------- reading
    async def own(self, context: ChatContext, message: TextMessage) -> Reply:
        """我的通知."""
        notices = await self._reading.own(context.actor)
        if not notices:
            is_parent_too = Hat.GUARDIAN in context.actor.hats and context.actor.hat is not Hat.GUARDIAN
            return TextReply(texts.OTHER_HAT if is_parent_too else texts.OWN_EMPTY)
        lines = [texts.OWN_LEAD, *(_line(each) for each in notices[:LISTED])]
        waiting = [each for each in notices[:LISTED] if _waits(each)]
        lines.append(texts.OWN_TAIL if waiting else texts.OWN_TAIL_READ)
        lines += [_tap(each) for each in waiting]
        if len(notices) > LISTED:
            lines.append(texts.OWN_MORE.format(count=len(notices) - LISTED))
        return TextReply("\n".join(lines))

    async def read(self, context: ChatContext, message: TextMessage) -> Reply:
        """我的通知 12: the whole of it; it counts as opened."""
        notice_id = await self._id(context, message)
        return TextReply(_whole(await self._reading.read(context.actor, notice_id, How.CHAT)))

    # ------------------------------------------------------------------------------------------------------ confirming
    async def confirm(self, context: ChatContext, message: TextMessage) -> Reply:
        """收到 12, typed or tapped."""
        return await self._confirm(context, await self._id(context, message))

    async def confirm_only(self, context: ChatContext, message: TextMessage) -> Reply:
        """收到, when it can be told what is meant."""
        waiting = [each for each in await self._reading.own(context.actor) if _waits(each)]
        if not waiting:
            return TextReply(texts.NOTHING_WAITS)
        if len(waiting) > 1:
            return TextReply("\n".join([texts.WHICH.format(count=len(waiting)), *map(_tap, waiting[:LISTED])]))
        return await self._confirm(context, waiting[0].id)

    async def _confirm(self, context: ChatContext, notice_id: str) -> Reply:
        notice = await self._reading.read(context.actor, notice_id, How.CHAT)
        if notice.confirmation is Confirmation.FORM and notice.is_open and not notice.is_confirmed:
            return self._ask(context, notice, {})
        if notice.is_confirmed or not notice.is_open:
            return TextReply(_no_more(notice))
        return _thanks(await self._reading.confirm(context.actor, notice_id, {}, How.CHAT))

    # ------------------------------------------------------------------------------------------------------------ forms
    async def begin_form(self, context: ChatContext, message: TextMessage) -> Reply:
        """回执 12."""
        notice = await self._reading.read(context.actor, await self._id(context, message), How.CHAT)
        if notice.confirmation is not Confirmation.FORM:
            return TextReply(texts.FORM_NOT_NEEDED.format(title=notice.title, number=notice.number))
        if not notice.is_open:
            return TextReply(_no_more(notice))
        return self._ask(context, notice, {})

    async def answered(self, context: ChatContext, message: TextMessage) -> Reply:
        """The answer to the question that was asked last."""
        notice = await self._current(context)
        given = _given(context.session.answers)
        question = notice.questions[len(given)]
        said = _read(question, message.content, context)
        return self._ask(context, notice, {**given, question.key: said})

    async def sure(self, context: ChatContext, message: TextMessage) -> Reply:
        """确认 or 重填."""
        notice = await self._current(context)
        if context.word in _AGAIN:
            return self._ask(context, notice, {})
        if context.word not in _SURE:
            raise NotUnderstood(texts.FORM_AGAIN)
        given = {key: said for key, said in _given(context.session.answers).items() if said}
        context.leave()
        return _thanks(await self._reading.confirm(context.actor, notice.id, given, How.CHAT))

    def _ask(self, context: ChatContext, notice: OwnNotice, given: Mapping[str, str]) -> Reply:
        kept = {"notice": notice.id, **{f"a{at}": f"{key}={said}" for at, (key, said) in enumerate(given.items())}}
        if len(given) < len(notice.questions):
            context.enter(DIALOGUE, Step.QUESTION, kept)
            lead = [texts.FORM_FIRST.format(title=notice.title, count=len(notice.questions))] if not given else []
            return TextReply("\n".join([*lead, _question(notice.questions, len(given))]))
        context.enter(DIALOGUE, Step.SURE, kept)
        lines = [
            texts.FORM_ANSWER.format(at=at, text=each.text, answer=given[each.key] or texts.FORM_SKIPPED)
            for at, each in enumerate(notice.questions, 1)
        ]
        return TextReply(texts.FORM_SURE.format(answers="\n".join(lines)))

    async def _current(self, context: ChatContext) -> OwnNotice:
        """The notice whose form is being filled in. What was recalled meanwhile is nobody's to answer."""
        try:
            notice = await self._reading.read(context.actor, context.session.answers["notice"], How.CHAT)
        except NotFound:
            context.leave()
            raise
        if not notice.is_open:
            context.leave()
            raise NotFound(_no_more(notice))
        return notice

    async def _id(self, context: ChatContext, message: TextMessage) -> str:
        number = _NUMBER.search(message.content)
        assert number is not None
        try:
            return await self._reading.id_of(context.actor, int(number[0]))
        except NotFound as error:
            error.message = texts.NO_SUCH
            raise


async def not_a_reader(context: ChatContext, message: Inbound) -> Reply:
    """The same words from somebody nobody sends notices to."""
    return TextReply(texts.NOT_A_READER)


# ---------------------------------------------------------------------------------------------------------------- words
def _waits(notice: OwnNotice) -> bool:
    return notice.is_open and not notice.is_confirmed


def _line(notice: OwnNotice) -> str:
    state = ""
    if notice.is_recalled:
        state = texts.OWN_RECALLED
    elif _waits(notice):
        state = texts.OWN_WAITS
    elif notice.is_confirmed and notice.confirmation is not Confirmation.NONE:
        state = texts.OWN_DONE
    return texts.OWN_LINE.format(number=notice.number, title=notice.title, sender=notice.sender, state=state)


def _tap(notice: OwnNotice) -> str:
    is_form = notice.confirmation is Confirmation.FORM
    said = (texts.TAP_FORM if is_form else texts.TAP_WORDS).format(number=notice.number)
    return texts.TAP.format(words=said, id=f"notice.{notice.number}")


def _whole(notice: OwnNotice) -> str:
    head = texts.OWN_SHOWN.format(number=notice.number, sender=notice.sender, title=notice.title, text="{text}")
    names = texts.COMMA.join(each.name for each in notice.children)
    tail = [
        *notice.notes,
        *([texts.OWN_CHILDREN.format(children=names)] if names else []),
        *([texts.PUSH_DEADLINE.format(when=moment(notice.deadline))] if notice.deadline else []),
        *(texts.OWN_LINK.format(title=each.title, url=each.url) for each in notice.links),
        _tap(notice) if _waits(notice) else _end(notice),
    ]
    whole = "\n".join(tail)
    left = MOST_BYTES - len(head.encode()) - len(whole.encode())
    return f"{head.replace('{text}', shortened(notice.text, left, '……'))}\n{whole}"


def _end(notice: OwnNotice) -> str:
    is_done = notice.is_confirmed and notice.confirmation is not Confirmation.NONE
    return texts.OWN_IS_DONE if is_done else texts.NEXT_NONE


def _no_more(notice: OwnNotice) -> str:
    """Why nothing is to be confirmed (any more)."""
    if notice.is_confirmed and notice.confirmation is not Confirmation.NONE:
        return texts.OWN_IS_DONE
    return notice.notes[-1] if notice.is_recalled or notice.corrected_by else texts.NOTHING_WAITS


def _thanks(notice: OwnNotice) -> Reply:
    is_half = notice.who is Who.EACH and any(not each.is_done for each in notice.children)
    return TextReply(texts.CONFIRMED.format(title=notice.title, rest=texts.CONFIRMED_REST if is_half else ""))


# ---------------------------------------------------------------------------------------------------------------- forms
def _question(questions: Sequence[Question], at: int) -> str:
    question = questions[at]
    lead = texts.FORM_QUESTION.format(at=at + 1, count=len(questions), text=question.text)
    if question.kind is QuestionKind.CHOICE:
        lead = Choice([(each, each) for each in question.choices]).ask(lead)
    elif question.kind is QuestionKind.DATE:
        lead = f"{lead}\n{texts.FORM_DATE}"
    else:
        lead = f"{lead}\n{texts.FORM_TEXT}"
    return lead if question.is_required else f"{lead}\n{texts.FORM_OPTIONAL}"


def _read(question: Question, said: str, context: ChatContext) -> str:
    """The answer as it is kept; "" for one that was left out. Raises NotUnderstood."""
    if not question.is_required and context.word in _SKIP:
        return ""
    if question.kind is QuestionKind.CHOICE:
        return Choice([(each, each) for each in question.choices]).read(said)
    if question.kind is QuestionKind.DATE:
        return DateInput(local_date(context.now)).read(said).isoformat()
    return FreeText(most=LONGEST_ANSWER).read(said)


def _given(answers: Mapping[str, str]) -> dict[str, str]:
    """The answers so far, in the order of the questions."""
    found = (answers[f"a{at}"].partition("=") for at in range(len(answers) - 1))
    return {key: said for key, _, said in found}
