"""The chat of a mandatory report: whom to call now, and who called whom when, one after the other."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from bot.clock import Clock
from bot.dialogue.context import ChatContext
from bot.dialogue.prompts import NotUnderstood
from bot.dialogue.router import Route, Tier, alarm, both, has_role, in_step, words
from bot.errors import AppError
from bot.rights import Action, roles_for
from bot.wechat.messages import Inbound, Reply, TextMessage, TextReply
from handlers.contacts.domain.records import ReportState
from handlers.contacts.domain.reports import Call, Called, moment_of
from handlers.contacts.service.recording.reporting import ReportService, ReportSheet
from handlers.contacts.texts import reports as texts
from knowledge.safety import DANGER

DIALOGUE: Final = "contacts.report"
_REPORT: Final = "report"
_STAFF: Final = has_role(*roles_for(Action.CONTACTS_REPORT))
_BETWEEN: Final = re.compile(r"[\s，,、；;]+")
_PARTS: Final = 3
_MOST_NUMBERS: Final = 3


class Step(StrEnum):
    """The one step: it says by itself who is still to be called."""

    CALL = "call"


class ReportChat:
    """The handlers, over the service."""

    def __init__(self, reports: ReportService, clock: Clock) -> None:
        self._reports = reports
        self._clock = clock

    def routes(self) -> tuple[Route, ...]:
        """All of them. A line about a call is one, whatever words it holds."""
        step, own = in_step(DIALOGUE, Step.CALL), Action.CONTACTS_REPORT
        return (
            Route(
                name="contacts.danger.call", tier=Tier.CRISIS, of=TextMessage, when=both(step, alarm(*DANGER)),
                handle=self.called_in_danger, fallback=calm, action=own, changes=True,
            ),
            Route(
                name="contacts.report.call", tier=Tier.STEP, of=TextMessage, when=step, handle=self.called,
                action=own, changes=True,
            ),
            Route(
                name="contacts.report.begin", tier=Tier.KEYWORD, of=TextMessage,
                when=both(_STAFF, words("强制报告", "补写报告", "报告电话")), handle=self.begin, action=own,
                changes=True,
            ),
        )  # fmt: skip

    async def begin(self, context: ChatContext, message: TextMessage) -> Reply:
        """强制报告: the oldest that still lacks a call."""
        waiting = [line for line in await self._reports.lines(context.actor) if line.state is ReportState.OPEN]
        return await self.guide(context, waiting[-1].id) if waiting else TextReply(texts.NONE_OPEN)

    async def first(self, context: ChatContext, child_id: str, name: str) -> Reply | None:
        """The report of a child that has to be finished before anything else; None when there is none."""
        report = await self._reports.open_of(context.actor, child_id)
        return await self.guide(context, report, texts.FIRST.format(name=name)) if report else None

    async def guide(self, context: ChatContext, report_id: str, lead: str = "") -> Reply:
        """Whom to call now."""
        sheet = await self._reports.sheet(context.actor, report_id)
        if not sheet.missing:
            context.leave()
            return TextReply(texts.CALLS_DONE)
        context.enter(DIALOGUE, Step.CALL, {_REPORT: report_id})
        return TextReply(f"{lead}{_ask(sheet)}")

    async def called(self, context: ChatContext, message: TextMessage) -> Reply:
        """14:20 王老师 编号0123."""
        report = context.session.answers[_REPORT]
        sheet = await self._reports.sheet(context.actor, report)
        if not sheet.missing:
            context.leave()
            return TextReply(texts.CALLS_DONE)
        called, now = sheet.missing[0], self._clock.now()
        parts = _BETWEEN.split(message.content.strip(), _PARTS - 1)
        at = moment_of(parts[0], now)
        if at is None or len(parts) < _PARTS:
            raise NotUnderstood(
                texts.CALL_UNCLEAR.format(what=texts.WHAT[called], example=texts.EXAMPLE[called]).rstrip("。")
            )
        state = await self._reports.called(context.actor, report, Call(called, at, parts[1], parts[2]))
        if state is not ReportState.OPEN:
            context.leave()
            return TextReply(texts.CALLS_DONE)
        return await self.guide(context, report)

    async def called_in_danger(self, context: ChatContext, message: TextMessage) -> Reply:
        """The same where the words alone would set an alarm: it is raised already."""
        try:
            return await self.called(context, message)
        except AppError as again:
            return TextReply(again.message)


def calm(context: ChatContext, message: Inbound) -> Reply:
    """What is said even when nothing can be written down."""
    return TextReply(texts.CALM)


def _ask(sheet: ReportSheet) -> str:
    called = sheet.missing[0]
    known = [texts.NUMBER.format(role=each.role, name=each.name, phone=each.phone) for each in sheet.numbers]
    numbers = texts.NUMBERS.format(numbers="；".join(known[:_MOST_NUMBERS])) if known else ""
    return (texts.POLICE if called is Called.POLICE else texts.TOWNSHIP).format(numbers=numbers)
