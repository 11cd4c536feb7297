"""The chat of those who write notices: one sentence, a preview, a word to send it."""

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
from bot.wechat.messages import Reply, TextMessage, TextReply
from handlers.notices import texts
from handlers.notices.domain import NoticeState
from handlers.notices.service.quick import Option, QuickNotices
from handlers.notices.service.views import Preview
from handlers.notices.service.wording import moment

DIALOGUE: Final = "notices.write"
_NAMES_SHOWN: Final = 5
_LONGEST_SHOWN: Final = 300
_AUTHORS: Final = has_role(Role.HEAD_TEACHER, Role.SCHOOL_LEADER, Role.ADMINISTRATOR)
_HEAD: Final = re.compile(r"\s*(?:发|写)?通知")
_NUMBER: Final = re.compile(r"\d+")
_YES: Final = frozenset({"确认", "确定", "发送", "发出", "确认发送", "是", "是的", "好", "好的", "发"})
_ANSWERED: Final = frozenset({"确认 要回复", "确认要回复", "要回复", "确认，要回复", "确认,要回复"})
_NO: Final = frozenset({"取消", "不发", "不发了", "不", "否", "算了", "不用了", "退出"})


class Step(StrEnum):
    """Where somebody is in the dialogue."""

    PLACE = "place"
    CONFIRM = "confirm"


class NoticeWriting:
    """The handlers, over the service."""

    def __init__(self, quick: QuickNotices) -> None:
        self._quick = quick

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        write, text = Action.NOTICE_WRITE, TextMessage
        return (
            Route(
                name="notices.write.place", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, Step.PLACE),
                handle=self.place_chosen, action=write, changes=True,
            ),
            Route(
                name="notices.write.confirm", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, Step.CONFIRM),
                handle=self.confirmed, action=write, changes=True,
            ),
            Route(
                # Before the word that ends every dialogue: with it the draft would stay.
                name="notices.write.cancel", tier=Tier.GLOBAL, of=text,
                when=both(in_step(DIALOGUE, Step.CONFIRM), words(*_NO)),
                handle=self.cancelled, action=write, changes=True,
            ),
            Route(
                name="notices.write.how", tier=Tier.KEYWORD, of=text,
                when=both(_AUTHORS, words("通知", "发通知", "写通知")),
                handle=self.how, action=write, changes=False, protected=True,
            ),
            Route(
                name="notices.recall", tier=Tier.KEYWORD, of=text,
                when=both(_AUTHORS, pattern(r"撤回通知\s*\d{1,9}号?")),
                handle=self.recall, action=write, changes=True,
            ),
            Route(
                name="notices.write", tier=Tier.KEYWORD, of=text,
                when=both(
                    _AUTHORS,
                    pattern(r"(?:发|写)?通知(?:[\s:：,，]+\S.*|[^\s\d]?.{0,20}?班.*|(?:全校|全镇|全体|.年级).*)"),
                ),
                handle=self.write, action=write, changes=True,
            ),
        )  # fmt: skip

    async def how(self, context: ChatContext, message: TextMessage) -> Reply:
        """通知."""
        return TextReply(texts.WRITE_HOW)

    async def write(self, context: ChatContext, message: TextMessage) -> Reply:
        """通知 三(2)班 明天带跳绳."""
        said = _HEAD.sub("", message.content, count=1)
        quick = await self._quick.understand(context.actor, said)
        if len(quick.options) == 1:
            return await self._show(context, quick.options[0], quick.text)
        context.enter(DIALOGUE, Step.PLACE, {"said": said})
        return TextReply(_choice(quick.options).ask(texts.WRITE_SCHOOL))

    async def place_chosen(self, context: ChatContext, message: TextMessage) -> Reply:
        """Which school is meant."""
        quick = await self._quick.understand(context.actor, context.session.answers["said"])
        return await self._show(context, _choice(quick.options).read(message.content), quick.text)

    async def confirmed(self, context: ChatContext, message: TextMessage) -> Reply:
        """确认, with or without an answer wanted."""
        word, answers = context.word, context.session.answers
        if word not in _YES and word not in _ANSWERED:
            raise NotUnderstood(texts.PREVIEW_AGAIN)
        context.leave()
        view = await self._quick.send(
            context.actor, answers["notice"], int(answers["version"]), is_answered=word in _ANSWERED
        )
        sentence = texts.WAITS_FOR_SECOND if view.state is NoticeState.WAITING else texts.SENT_OFF
        return TextReply(sentence.format(number=view.number))

    async def cancelled(self, context: ChatContext, message: TextMessage) -> Reply:
        """取消."""
        notice_id = context.session.answers["notice"]
        context.leave()
        await self._quick.cancel(context.actor, notice_id)
        return TextReply(texts.CANCELLED)

    async def recall(self, context: ChatContext, message: TextMessage) -> Reply:
        """撤回通知 12."""
        number = _NUMBER.search(message.content)
        assert number is not None
        view = await self._quick.recall(context.actor, int(number[0]))
        sentence = texts.RECALLED if view.state is NoticeState.RECALLED else texts.TAKEN_BACK
        return TextReply(sentence.format(number=view.number))

    async def _show(self, context: ChatContext, option: Option, text: str) -> Reply:
        preview = await self._quick.draft(context.actor, option, text)
        notice = preview.notice
        if not preview.people and not preview.unreached:
            await self._quick.cancel(context.actor, notice.id)
            context.leave()
            return TextReply(texts.PREVIEW_NOBODY.format(audience=notice.audience))
        context.enter(DIALOGUE, Step.CONFIRM, {"notice": notice.id, "version": str(notice.version)})
        held = self._quick.held_until()
        lines = _lines(preview)
        if held is not None and not preview.needs_second:
            lines.append(texts.PREVIEW_HELD.format(when=moment(held)))
        return TextReply("\n".join([*lines, texts.PREVIEW_ASK]))


def _lines(preview: Preview) -> list[str]:
    content, notice = preview.notice.content, preview.notice
    text = content.text if len(content.text) <= _LONGEST_SHOWN else content.text[:_LONGEST_SHOWN] + "……"
    shown = "" if content.text == content.title else f"\n{text}"
    lines = [texts.PREVIEW_HEAD.format(sender=notice.sender, title=content.title, text=shown)]
    children = sum(each.is_ticked for each in preview.children)
    lines.append(texts.PREVIEW_COUNT.format(audience=notice.audience, children=children, people=preview.people))
    ways = [
        texts.PREVIEW_CHANNEL.format(name=texts.CHANNELS.get(name, name), count=count)
        for name, count in preview.by_channel.items()
    ]
    if ways:
        lines.append(texts.PREVIEW_CHANNELS.format(channels=texts.COMMA.join(ways)))
    if preview.unreached:
        names = texts.COMMA.join(each.name for each in preview.unreached[:_NAMES_SHOWN])
        more = texts.PREVIEW_MORE if len(preview.unreached) > _NAMES_SHOWN else ""
        lines.append(texts.PREVIEW_UNREACHED.format(count=len(preview.unreached), names=names, more=more))
    lines += [texts.PREVIEW_FINDING.format(message=each.message) for each in preview.findings]
    if preview.needs_second:
        lines.append(texts.PREVIEW_SECOND)
    return lines


def _choice(options: Sequence[Option]) -> Choice[Option]:
    return Choice([(each.label, each) for each in options])
