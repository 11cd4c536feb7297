"""The chat's way to reminders: one's own, after an answer or in one's own words, and those of a class."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from typing import Final

from bot.dialogue.context import ChatContext
from bot.dialogue.prompts import Choice, NotUnderstood
from bot.dialogue.router import Route, Tier, both, has_role, in_step, pattern, words
from bot.errors import NotFound
from bot.identity import Role
from bot.rights import Action
from bot.wechat.messages import Inbound, Reply, TextMessage, TextReply
from handlers.accounts.domain import ClassName, ClassNameInvalid, parse_class_name
from handlers.reminders import texts
from handlers.reminders.domain import Said, begins_with_day, read_said, spoken
from handlers.reminders.service.classes import ClassReminders, Draft
from handlers.reminders.service.own import Asker, OwnReminders, OwnView

DIALOGUE: Final = "reminders"
ArticleOf = Callable[[str | None], str | None]
"""The entry that what the chat noted last is about; None: about none."""

_ASK: Final = r"(?:请|麻烦)?(?:到时候?|记得|别忘了)?提醒(?:一下)?我(?:一下|一声)?"
_OWN: Final = re.compile(_ASK + r"[\s，,：:]*(?P<said>\S.*)", re.S)
_CLASS: Final = re.compile(
    r"(?:请)?提醒[\s，,：:]*(?P<room>[^\s，,：:我]{1,12}?班)(?:的?(?:全体)?家长)?[\s，,：:]+(?P<said>\S.*)", re.S
)
_CANCEL: Final = re.compile(r"(?:取消|删除|不要)提醒\s*(?P<number>\d{1,2})")
_CANCEL_CLASS: Final = re.compile(r"取消班级提醒\s*(?P<number>\d{1,3})")
_ASKS_BACK: Final = re.compile(r"[?？]$|吗$|什么$|怎么|多少|几点$")
_YES: Final = frozenset({"确认", "确定", "发", "发出", "是", "对", "好", "好的", "可以"})
_NO: Final = frozenset({"不发", "取消", "算了", "不", "不要", "否"})
_STAFF: Final = (Role.HEAD_TEACHER, Role.SCHOOL_LEADER, Role.ADMINISTRATOR)


class Step(StrEnum):
    """Where somebody is in the dialogue."""

    DATE = "date"
    ROOM = "room"
    CONFIRM = "confirm"


class RemindersChat:
    """The handlers, over the services."""

    def __init__(self, own: OwnReminders, classes: ClassReminders, article_of: ArticleOf) -> None:
        self._own = own
        self._classes = classes
        self._article_of = article_of

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        return (*self._own_routes(), *self._class_routes())

    def _own_routes(self) -> tuple[Route, ...]:
        text, mine = TextMessage, Action.REMINDER_OWN
        return (
            Route(
                name="reminders.date", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, Step.DATE),
                handle=self.date_chosen, action=mine, changes=True,
            ),
            Route(
                name="reminders.after_answer", tier=Tier.KEYWORD, of=text, when=pattern(_ASK),
                handle=self.after_answer, action=mine, changes=True,
            ),
            Route(
                name="reminders.words", tier=Tier.KEYWORD, of=text, when=says_what,
                handle=self.in_own_words, action=mine, changes=True,
            ),
            Route(
                name="reminders.list", tier=Tier.KEYWORD, of=text, when=words("我的提醒", "提醒列表", "看提醒"),
                handle=self.list_own, action=mine, changes=False, protected=True,
            ),
            Route(
                name="reminders.cancel", tier=Tier.KEYWORD, of=text, when=pattern(_CANCEL.pattern),
                handle=self.cancel_own, action=mine, changes=True,
            ),
        )  # fmt: skip

    def _class_routes(self) -> tuple[Route, ...]:
        text, action, staff = TextMessage, Action.REMINDER_CLASS, has_role(*_STAFF)
        return (
            Route(
                name="reminders.class.room", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, Step.ROOM),
                handle=self.room_chosen, action=action, changes=True,
            ),
            Route(
                name="reminders.class.confirm", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, Step.CONFIRM),
                handle=self.confirmed, action=action, changes=True,
            ),
            Route(
                name="reminders.class", tier=Tier.KEYWORD, of=text, when=both(staff, names_class),
                handle=self.for_class, action=action, changes=True,
            ),
            Route(
                name="reminders.class.how", tier=Tier.KEYWORD, of=text,
                when=both(staff, words("提醒班级", "发提醒", "班级提醒怎么发")),
                handle=how, action=action, changes=False,
            ),
            Route(
                name="reminders.class.list", tier=Tier.KEYWORD, of=text, when=both(staff, words("班级提醒")),
                handle=self.list_classes, action=action, changes=False, protected=True,
            ),
            Route(
                name="reminders.class.cancel", tier=Tier.KEYWORD, of=text,
                when=both(staff, pattern(_CANCEL_CLASS.pattern)),
                handle=self.cancel_class, action=action, changes=True,
            ),
        )  # fmt: skip

    # -------------------------------------------------------------------------------------------------------------- own
    async def after_answer(self, context: ChatContext, message: TextMessage) -> Reply:
        """提醒我, after an answer with a date."""
        article = self._article_of(context.recent)
        if article is None:
            return TextReply(texts.NO_ANSWER_BEFORE)
        dates = self._own.dates_of(article)
        if len(dates) > 1:
            context.enter(DIALOGUE, Step.DATE, {"article": article})
            return TextReply(_dates(self._own, article).ask(texts.WHICH_DATE))
        return self._kept(await self._own.set_for_article(_asker(context), article))

    async def date_chosen(self, context: ChatContext, message: TextMessage) -> Reply:
        """Which of the dates of the answer."""
        article = context.session.answers["article"]
        number = _dates(self._own, article).read(message.content)
        context.leave()
        return self._kept(await self._own.set_for_article(_asker(context), article, number))

    async def in_own_words(self, context: ChatContext, message: TextMessage) -> Reply:
        """提醒我 9月4日 交材料."""
        match = _OWN.fullmatch(message.content.strip())
        assert match is not None
        said = read_said(match["said"], self._own.today)
        return self._kept(await self._own.set_words(_asker(context), said.day, said.text))

    def _kept(self, view: OwnView) -> Reply:
        sentence = texts.ALREADY if not view.is_new else texts.SET_LETTER if view.by_letter else texts.SET
        return TextReply(sentence.format(day=spoken(view.day, self._own.today), text=view.text))

    async def list_own(self, context: ChatContext, message: Inbound) -> Reply:
        """我的提醒."""
        rows = await self._own.list_of(context.actor)
        if not rows:
            return TextReply(texts.NOTHING_SET)
        lines = [
            texts.LIST_ROW.format(number=number, day=spoken(row.day, self._own.today), text=row.text)
            for number, row in enumerate(rows, 1)
        ]
        return TextReply("\n".join([texts.LIST, *lines, texts.LIST_NEXT]))

    async def cancel_own(self, context: ChatContext, message: TextMessage) -> Reply:
        """取消提醒1."""
        rows = await self._own.list_of(context.actor)
        number = _number(_CANCEL, message.content)
        if not 1 <= number <= len(rows):
            return TextReply(texts.NO_SUCH_NUMBER.format(count=len(rows)))
        view = await self._own.cancel(context.actor, rows[number - 1].id)
        return TextReply(texts.CANCELLED.format(day=spoken(view.day, self._own.today), text=view.text))

    # ------------------------------------------------------------------------------------------------------------ class
    async def for_class(self, context: ChatContext, message: TextMessage) -> Reply:
        """提醒三(2)班 周五 带跳绳: shows what will be sent to whom."""
        match = _CLASS.fullmatch(message.content.strip())
        assert match is not None
        room, said = parse_class_name(match["room"]), read_said(match["said"], self._classes.today)
        rooms = await self._classes.rooms(context.actor, room)
        if not rooms:
            return TextReply(texts.CLASS_NOT_YOURS.format(class_name=str(room)))
        if len(rooms) > 1:
            answers = {"grade": str(room.grade), "number": str(room.number)} | _answers(said)
            context.enter(DIALOGUE, Step.ROOM, answers)
            choice = Choice([(f"{each.school}{each.name}", each.id) for each in rooms])
            return TextReply(choice.ask(texts.CLASS_SEVERAL.format(class_name=str(room))))
        return await self._preview(context, rooms[0].id, said)

    async def room_chosen(self, context: ChatContext, message: TextMessage) -> Reply:
        """Which of the classes of that name."""
        answers = context.session.answers
        name = ClassName(int(answers["grade"]), int(answers["number"]))
        rooms = await self._classes.rooms(context.actor, name)
        room = Choice([(f"{each.school}{each.name}", each.id) for each in rooms]).read(message.content)
        return await self._preview(context, room, _said(answers))

    async def _preview(self, context: ChatContext, room: str, said: Said) -> Reply:
        draft = await self._classes.draft(context.actor, room, said.day, said.text)
        if not draft.count:
            context.leave()
            return TextReply(texts.CLASS_NOBODY.format(class_name=draft.class_name))
        context.enter(DIALOGUE, Step.CONFIRM, {"room": room} | _answers(said))
        return TextReply(_shown(texts.CLASS_PREVIEW, draft, self._classes.today))

    async def confirmed(self, context: ChatContext, message: TextMessage) -> Reply:
        """确认 or 不发."""
        if context.word in _NO:
            context.leave()
            return TextReply(texts.CLASS_DROPPED)
        if context.word not in _YES:
            raise NotUnderstood(texts.CLASS_ASK_AGAIN)
        answers = context.session.answers
        said = _said(answers)
        context.leave()
        draft = await self._classes.set(context.actor, answers["room"], said.day, said.text)
        return TextReply(_shown(texts.CLASS_SET, draft, self._classes.today))

    async def list_classes(self, context: ChatContext, message: Inbound) -> Reply:
        """班级提醒."""
        rows = await self._classes.list_of(context.actor)
        if not rows:
            return TextReply(texts.CLASS_NONE)
        lines = [
            texts.CLASS_ROW.format(
                number=number, class_name=row.class_name, day=spoken(row.day, self._classes.today), text=row.text
            )
            for number, row in enumerate(rows[:_MOST_SHOWN], 1)
        ]
        return TextReply("\n".join([texts.CLASS_LIST, *lines, texts.CLASS_LIST_NEXT]))

    async def cancel_class(self, context: ChatContext, message: TextMessage) -> Reply:
        """取消班级提醒1."""
        rows = await self._classes.list_of(context.actor)
        number = _number(_CANCEL_CLASS, message.content)
        if not 1 <= number <= len(rows):
            return TextReply(texts.NO_SUCH_NUMBER.format(count=len(rows)))
        row = await self._classes.cancel(context.actor, rows[number - 1].id)
        day = spoken(row.day, self._classes.today)
        return TextReply(texts.CLASS_CANCELLED.format(class_name=row.class_name, day=day, text=row.text))


_MOST_SHOWN: Final = 10


async def how(context: ChatContext, message: Inbound) -> Reply:
    """How a class is reminded."""
    return TextReply(texts.CLASS_HOW)


def says_what(context: ChatContext, message: TextMessage) -> bool:
    """Whether the text asks to be reminded of something on a day it names; a question does not."""
    match = _OWN.fullmatch(message.content.strip())
    return match is not None and begins_with_day(match["said"]) and not _ASKS_BACK.search(match["said"])


def names_class(context: ChatContext, message: TextMessage) -> bool:
    """Whether the text asks to remind a class of something."""
    match = _CLASS.fullmatch(message.content.strip())
    if match is None:
        return False
    try:
        parse_class_name(match["room"])
    except ClassNameInvalid:
        return False
    return True


def _asker(context: ChatContext) -> Asker:
    return Asker(context.actor, context.openid)


def _dates(own: OwnReminders, article: str) -> Choice[int]:
    return Choice([(f"{each.what}（{spoken(each.first, own.today)}）", each.number) for each in own.dates_of(article)])


def _number(form: re.Pattern[str], text: str) -> int:
    found = form.search(text)
    if found is None:
        raise NotFound
    return int(found["number"])


def _answers(said: Said) -> dict[str, str]:
    return {"day": said.day.isoformat(), "text": said.text}


def _said(answers: Mapping[str, str]) -> Said:
    return Said(date.fromisoformat(answers["day"]), answers["text"])


def _shown(sentence: str, draft: Draft, today: date) -> str:
    return sentence.format(
        class_name=draft.class_name,
        count=draft.count,
        day=spoken(draft.day, today),
        text=draft.text,
        when=draft.when,
    )
