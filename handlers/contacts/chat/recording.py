"""The chat of teachers: a contact written down in a few short messages or in one, a failed attempt in two.

What was answered is a draft on the server from the first answer on: a line that breaks or a dialogue left alone loses
nothing, and the page of the console goes on where the chat stopped.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import Final
from uuid import uuid4

from bot.clock import Clock, local_date
from bot.dialogue.context import ChatContext
from bot.dialogue.prompts import Choice, Confirm, FreeText, NotUnderstood
from bot.dialogue.router import Route, Tier, alarm, both, has_role, in_step, pattern, words
from bot.errors import AppError
from bot.rights import Action, roles_for
from bot.wechat.messages import Reply, TextMessage, TextReply
from handlers.contacts.chat.answers import (
    CHILD,
    NAME,
    Step,
    child_line,
    child_meant,
    child_of,
    chosen,
    follow_fields,
    how_fields,
    is_yes,
    names_of,
    open_question,
    whose_number,
)
from handlers.contacts.chat.media import DIALOGUE, RecordMedia
from handlers.contacts.chat.reporting import ReportChat, calm
from handlers.contacts.chat.wording import saved_words, summary_words
from handlers.contacts.domain.forms import KEY, contact_of, joined, parted
from handlers.contacts.domain.notes import How, day_before, follow_up_of, how_of, note_of, topics_of
from handlers.contacts.domain.numbers import NumberAsked
from handlers.contacts.domain.records import LONGEST_FINDING, ContactOutcome, ReportOpen, Way
from handlers.contacts.domain.reports import TriggerAsked
from handlers.contacts.domain.triggers import Trigger
from handlers.contacts.service.recording.fetching import MediaFetching
from handlers.contacts.service.recording.recording import Asked, RecordingService
from handlers.contacts.service.recording.today import TodayService
from handlers.contacts.service.records.drafts import DraftService
from handlers.contacts.texts import recording as texts
from handlers.contacts.texts import reports as report_texts
from knowledge.safety import DANGER

_STAFF: Final = has_role(*roles_for(Action.CONTACTS_OWN))
_TICKED, _SAID, _IS_NOTE, _WHOSE = "ticked", "said", "is_note", "whose"
_NOT_KEPT: Final = frozenset({CHILD, NAME, _TICKED, _SAID, _IS_NOTE, _WHOSE})
_LISTED: Final = 12
_VISIT: Final = ("家访", "家访了", "登记家访", "家访登记", "走访", "上门家访", "家访记录", "记家访", "刚家访")
_ANY: Final = ("家校联系", "联系登记", "登记联系", "登记家校联系", "联系记录", "今天联系", "我的学生")
_CALL: Final = ("打电话了", "打了电话", "电话联系", "电话联系了", "打过电话", "打过电话了", "电话家访", "登记电话")
_VIDEO: Final = ("视频了", "视频联系", "视频联系了", "视频家访")
_FAILED_CALL: Final = (
    "打了没接", "没接", "电话没接", "打了没人接", "没人接", "没打通", "打不通", "电话打不通", "没联系上", "联系不上",
)  # fmt: skip
_FAILED_VISIT: Final = ("家访没人", "家里没人", "去了没人", "家访没见到人", "扑空", "扑空了", "没见到人")
_WAY_OF: Final[Mapping[str, Way]] = {
    **dict.fromkeys(_VISIT + _FAILED_VISIT, Way.VISIT),
    **dict.fromkeys(_CALL + _FAILED_CALL, Way.CALL),
    **dict.fromkeys(_VIDEO, Way.VIDEO),
}
_BEGINNINGS: Final = sorted((*_WAY_OF, *_ANY), key=len, reverse=True)
_NOTE: Final = rf"(?:{'|'.join(_BEGINNINGS)})(?:了|：|:)?[\s，,：:].+|家访[一-鿿·]{{2,4}}[\s，,].+"
_FINDING: Final = FreeText(least=2, most=LONGEST_FINDING)

Handle = Callable[[ChatContext, TextMessage], Awaitable[Reply]]


class RecordChat:
    """The handlers, over the services."""

    def __init__(
        self, recording: RecordingService, today: TodayService, drafts: DraftService, reports: ReportChat,
        fetching: MediaFetching, clock: Clock,
    ) -> None:  # fmt: skip
        self._recording = recording
        self._today = today
        self._drafts = drafts
        self._reports = reports
        self._media = RecordMedia(recording, fetching, clock)
        self._clock = clock

    def routes(self) -> tuple[Route, ...]:
        """All of them. Words of danger inside a record are the teller's report of a child, asked after here."""
        own, text = Action.CONTACTS_OWN, TextMessage
        steps: dict[Step, Handle] = {
            Step.RESUME: self.resumed, Step.CHILD: self.child_chosen, Step.HOW: self.how_said,
            Step.FINDING: self.finding_said, Step.FOLLOW: self.follow_said, Step.SURE: self.sure,
            Step.NUMBER: self.number_said, Step.ASKED: self.answered,
        }  # fmt: skip
        return (
            *(
                Route(
                    name=f"contacts.danger.{step}", tier=Tier.CRISIS, of=text,
                    when=both(in_step(DIALOGUE, step), alarm(*DANGER)), handle=_said(handle), fallback=calm,
                    action=own, changes=True,
                )
                for step, handle in steps.items()
            ),
            Route(
                name="contacts.danger.note", tier=Tier.CRISIS, of=text,
                when=both(_STAFF, pattern(_NOTE), alarm(*DANGER)), handle=_said(self.note), fallback=calm,
                action=own, changes=True,
            ),
            *(
                Route(
                    name=f"contacts.record.{step}", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, step),
                    handle=handle, action=own, changes=True,
                )
                for step, handle in steps.items()
            ),
            *self._media.routes(),
            Route(
                name="contacts.record.begin", tier=Tier.KEYWORD, of=text,
                when=both(_STAFF, words(*_VISIT, *_ANY, *_CALL, *_VIDEO, *_FAILED_CALL, *_FAILED_VISIT)),
                handle=self.begin, action=own, changes=True,
            ),
            Route(
                name="contacts.record.note", tier=Tier.KEYWORD, of=text, when=both(_STAFF, pattern(_NOTE)),
                handle=self.note, action=own, changes=True,
            ),
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------------------- beginning
    async def begin(self, context: ChatContext, message: TextMessage) -> Reply:
        """家访: what was left unfinished first, then which child."""
        way = _WAY_OF.get(context.word)
        filled = {"way": way.value} if way else {}
        if context.word in _FAILED_CALL + _FAILED_VISIT:
            filled["outcome"] = ContactOutcome.FAILED.value
            return await self._which(context, filled)
        begun = next((each for each in await self._drafts.of(context.actor) if each.body.get(KEY)), None)
        if begun is None:
            return await self._which(context, filled)
        known = {name: str(value) for name, value in begun.body.items()}
        context.enter(DIALOGUE, Step.RESUME, {**known, CHILD: begun.ward.id, NAME: begun.ward.name})
        written = texts.RESUME_WHAT.format(what=known["finding"][:40]) if known.get("finding") else ""
        return TextReply(texts.RESUME.format(name=begun.ward.name, what=written))

    async def resumed(self, context: ChatContext, message: TextMessage) -> Reply:
        """1: goes on where it stopped; 2: the draft goes."""
        filled = dict(context.session.answers)
        if is_yes(message.content, texts.RESUME_AGAIN):
            return await self._go(context, filled)
        await self._drafts.drop(context.actor, filled[CHILD])
        return await self._which(context, {})

    async def note(self, context: ChatContext, message: TextMessage) -> Reply:
        """All in one message: shown back before it counts."""
        content = message.content.strip()
        word = next((each for each in _BEGINNINGS if content.startswith(each)), "")
        children = await self._today.children(context.actor)
        if not children:
            return TextReply(texts.NO_CHILD)
        said = note_of(content[len(word) :], names_of(children), self._day(), _WAY_OF.get(word))
        outcome = ContactOutcome.FAILED if word in _FAILED_CALL + _FAILED_VISIT else said.how.outcome
        filled = {
            **how_fields(How(said.how.way, said.how.met, outcome)),
            **follow_fields(said.follow_up),
            "day": (said.happened_on or self._day()).isoformat(),
            "finding": said.finding,
            _IS_NOTE: "1",
        }
        if said.child_id is None:
            return await self._which(context, filled)
        return await self._go(context, {**filled, **chosen(child_of(children, said.child_id))})

    # ----------------------------------------------------------------------------------------------------------- steps
    async def child_chosen(self, context: ChatContext, message: TextMessage) -> Reply:
        """Which child, by number or name."""
        children = await self._today.children(context.actor)
        child = child_meant(children, message.content)
        return await self._go(context, {**context.session.answers, **chosen(child)})

    async def how_said(self, context: ChatContext, message: TextMessage) -> Reply:
        """One line: the way, who was met, and when if it was not today."""
        filled, day = dict(context.session.answers), None
        parts = message.content.replace("，", " ").replace(",", " ").split()
        if len(parts) > 1:
            day = next((found for part in parts if (found := day_before(part, self._day()))), None)
            parts = [part for part in parts if day_before(part, self._day()) is None]
        known = Way(filled["way"]) if filled.get("way") else None
        how = how_of(" ".join(parts), known)
        if how.way is None:
            raise NotUnderstood(texts.HOW_WAY)
        if how.outcome is None:
            raise NotUnderstood(texts.HOW_MET)
        if day is not None:
            filled["day"] = day.isoformat()
        return await self._go(context, {**filled, **how_fields(how)})

    async def finding_said(self, context: ChatContext, message: TextMessage) -> Reply:
        """One sentence."""
        finding = _FINDING.read(message.content)
        return await self._go(context, {**context.session.answers, "finding": finding})

    async def follow_said(self, context: ChatContext, message: TextMessage) -> Reply:
        """What is to be done and when, or nothing."""
        found = follow_up_of(message.content, self._day())
        if found is None:
            raise NotUnderstood(texts.FOLLOW_DAY)
        return await self._go(context, {**context.session.answers, **follow_fields(found)})

    async def sure(self, context: ChatContext, message: TextMessage) -> Reply:
        """1: it is saved; 2: once more from the first question on."""
        filled = dict(context.session.answers)
        if Confirm().read(message.content):
            return await self._save(context, filled)
        again = {name: filled[name] for name in (CHILD, NAME)}
        return await self._go(context, again, lead=texts.AGAIN.format(name=filled[NAME]))

    async def answered(self, context: ChatContext, message: TextMessage) -> Reply:
        """1: it has to be reported; 2: it is nothing of the kind."""
        is_so = is_yes(message.content, report_texts.ASK_AGAIN)
        return await self._save(context, {**context.session.answers, _SAID: "1" if is_so else "2"})

    async def number_said(self, context: ChatContext, message: TextMessage) -> Reply:
        """Whose number nobody answered."""
        filled = dict(context.session.answers)
        return await self._save(context, {**filled, "called": whose_number(filled[_WHOSE]).read(message.content)})

    # ----------------------------------------------------------------------------------------------------------- parts
    async def _which(self, context: ChatContext, filled: Mapping[str, str]) -> Reply:
        children = await self._today.children(context.actor)
        if not children:
            context.leave()
            return TextReply(texts.NO_CHILD)
        if len(children) == 1:
            return await self._go(context, {**filled, **chosen(children[0])})
        context.enter(DIALOGUE, Step.CHILD, filled)
        more = "\n" + texts.MORE.format(count=len(children) - _LISTED) if len(children) > _LISTED else ""
        listed = [(child_line(each, self._day()), each) for each in children[:_LISTED]]
        return TextReply(Choice(listed).ask(texts.WHICH_CHILD) + more)

    async def _go(self, context: ChatContext, filled: Mapping[str, str], lead: str = "") -> Reply:
        """To the first question that is still open; without any it is saved."""
        child, name = filled[CHILD], filled[NAME]
        if (report := await self._reports.first(context, child, name)) is not None:
            return report
        filled = {KEY: uuid4().hex, "day": self._day().isoformat(), **filled}
        step, question = open_question(filled, name)
        if step is None and filled.get(_IS_NOTE):
            step, question = Step.SURE, texts.SURE.format(summary=summary_words(name, filled, self._day()))
        if step is None:
            return await self._save(context, filled)
        await self._keep(context, filled)
        context.enter(DIALOGUE, step, filled)
        return TextReply(f"{lead}\n{question}".strip())

    async def _keep(self, context: ChatContext, filled: Mapping[str, str], *, is_asked: bool = False) -> None:
        body = {name: value for name, value in filled.items() if name not in _NOT_KEPT}
        await self._recording.keep(context.actor, filled[CHILD], body, is_asked=is_asked)

    async def _save(self, context: ChatContext, filled: Mapping[str, str]) -> Reply:
        topics = joined(topics_of(filled.get("finding", "")))
        contact = contact_of({**filled, "topics": topics})
        try:
            written = await self._recording.write(context.actor, filled[CHILD], contact, _asked(filled))
        except TriggerAsked as question:
            await self._keep(context, filled, is_asked=True)
            context.enter(DIALOGUE, Step.ASKED, {**filled, _TICKED: joined(question.triggers)})
            return TextReply(report_texts.ASK.format(what=report_texts.joined(question.triggers)))
        except NumberAsked as question:
            await self._keep(context, filled)
            whose = joined(question.holders)
            context.enter(DIALOGUE, Step.NUMBER, {**filled, _WHOSE: whose})
            return TextReply(whose_number(whose).ask(texts.WHOSE_NUMBER))
        except ReportOpen as error:  # of somebody else: the draft stays
            await self._keep(context, filled)
            context.leave()
            return TextReply(error.message)
        if written.report_id is not None:
            return await self._reports.guide(context, written.report_id, report_texts.SAVED)
        context.leave()
        return TextReply(saved_words(filled[NAME], written.record, self._day()))

    def _day(self) -> date:
        return local_date(self._clock.now())


def _asked(filled: Mapping[str, str]) -> Asked:
    """What was answered to the question of danger, so far."""
    if not filled.get(_SAID):
        return Asked()
    is_so = filled[_SAID] == "1"
    return Asked(frozenset(map(Trigger, parted(filled[_TICKED])))) if is_so else Asked(is_denied=True)


def _said(handle: Handle) -> Handle:
    """In a crisis nothing is tried again by itself: a question that was not understood is asked at once, with whom to
    call."""

    async def said(context: ChatContext, message: TextMessage) -> Reply:
        try:
            return await handle(context, message)
        except AppError as error:
            return TextReply(f"{error.message}\n{report_texts.CALM}")

    return said


__all__ = ["DIALOGUE", "RecordChat", "Step"]
