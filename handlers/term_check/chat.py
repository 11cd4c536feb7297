"""The chat of head teachers: 开学清点 reports the class, 到校情况 tells who is missing and takes what was done."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from bot.dialogue.context import ChatContext
from bot.dialogue.prompts import Choice, FreeText, NotUnderstood
from bot.dialogue.router import Route, Tier, both, has_role, in_step, words
from bot.identity import Role
from bot.rights import Action
from bot.wechat.messages import Reply, TextMessage, TextReply
from handlers.term_check import texts
from handlers.term_check.domain.cases import LEAST_WORDS, MOST_WORDS, CaseEvent, KnownBy, StepKind
from handlers.term_check.service.cases import CaseService, Ending, Talk
from handlers.term_check.service.returns import Handed, Reported, ReturnService
from handlers.term_check.service.views import ClassList, Line

DIALOGUE: Final = "term_check"
_HEADS: Final = has_role(Role.HEAD_TEACHER, Role.SCHOOL_LEADER)
_REPORT: Final = ("开学清点", "清点", "报到校", "交到校情况")
_STANDING: Final = ("到校情况", "谁没到校", "没到校")
_SURE: Final = frozenset({"确认", "确定", "是", "对", "对的", "好", "好的"})
_SPLIT: Final = re.compile(r"[\s、，,;；和]+")
_LISTED: Final = 12
_WORDS: Final = FreeText(least=LEAST_WORDS, most=MOST_WORDS)
_HOW: Final = Choice(
    [
        *((words, kind) for kind, words in texts.TALKS),
        (texts.HOW_LOCATED, CaseEvent.LOCATE.value),
        (texts.HOW_BACK, CaseEvent.RETURN.value),
    ]
)
_SOURCE: Final = Choice([(words, source) for source, words in texts.SOURCES.items()])


class Step(StrEnum):
    """Where somebody is in the dialogue."""

    ROOM = "room"
    NAMES = "names"
    SURE = "sure"
    PICK = "pick"
    HOW = "how"
    WORDS = "words"
    SOURCE = "source"


class TermCheckChat:
    """The handlers, over the services."""

    def __init__(self, returns: ReturnService, cases: CaseService) -> None:
        self._returns = returns
        self._cases = cases

    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        check, case, text = Action.CHECK_CLASS, Action.CHECK_CASE, TextMessage

        def step(own: Step, action: Action) -> Route:
            handle = {
                Step.ROOM: self.room, Step.NAMES: self.names, Step.SURE: self.sure, Step.PICK: self.pick,
                Step.HOW: self.how, Step.WORDS: self.words, Step.SOURCE: self.source,
            }[own]  # fmt: skip
            return Route(
                name=f"term_check.{own.value}", tier=Tier.STEP, of=text, when=in_step(DIALOGUE, own), handle=handle,
                action=action, changes=True,
            )  # fmt: skip

        return (
            *(step(own, check) for own in (Step.ROOM, Step.NAMES, Step.SURE)),
            *(step(own, case) for own in (Step.PICK, Step.HOW, Step.WORDS, Step.SOURCE)),
            Route(
                name="term_check.report", tier=Tier.KEYWORD, of=text, when=both(_HEADS, words(*_REPORT)),
                handle=self.report, action=check, changes=True,
            ),
            Route(
                name="term_check.standing", tier=Tier.KEYWORD, of=text, when=both(_HEADS, words(*_STANDING)),
                handle=self.standing, action=check, changes=True,
            ),
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------------------- reporting
    async def report(self, context: ChatContext, message: TextMessage) -> Reply:
        """开学清点: the only class at once, else which one."""
        found = await self._returns.own_classes(context.actor)
        if not found:
            context.leave()
            return TextReply(texts.NO_CLASS)
        if len(found) == 1:
            return _asked(context, found[0])
        context.enter(DIALOGUE, Step.ROOM)
        return TextReply(_of_classes(found).ask(texts.WHICH_CLASS))

    async def room(self, context: ChatContext, message: TextMessage) -> Reply:
        """Which class."""
        found = await self._returns.own_classes(context.actor)
        return _asked(context, _of_classes(found).read(message.content))

    async def names(self, context: ChatContext, message: TextMessage) -> Reply:
        """全到, or who is not there."""
        of = await self._returns.of_class(context.actor, context.session.answers["class"])
        if context.word in texts.ALL_HERE:
            return await self._hand_in(context, of, ())
        absent = _named(of, message.content)
        context.enter(DIALOGUE, Step.SURE, {"class": of.room.id, "absent": " ".join(line.child_id for line in absent)})
        asked = [line for line in of.lines if not line.is_settled]
        said = texts.COMMA.join(line.name for line in absent)
        return TextReply(texts.SURE.format(names=said, here=len(asked) - len(absent)))

    async def sure(self, context: ChatContext, message: TextMessage) -> Reply:
        """确认, or the names once more."""
        answers = context.session.answers
        if context.word not in _SURE:
            return await self.names(context, message)
        of = await self._returns.of_class(context.actor, answers["class"])
        return await self._hand_in(context, of, answers["absent"].split())

    async def _hand_in(self, context: ChatContext, of: ClassList, absent: Sequence[str]) -> Reply:
        context.leave()
        reported = await self._returns.report(context.actor, Handed(of.room.id, frozenset(absent)))
        return TextReply(_done(reported))

    # -------------------------------------------------------------------------------------------------------- standing
    async def standing(self, context: ChatContext, message: TextMessage) -> Reply:
        """到校情况: how far every class is, and who is missing, by number."""
        found = await self._returns.own_classes(context.actor)
        missing = [line for of in found for line in of.lines if line.is_open and line.case_id]
        told = "\n".join(_state(of) for of in found) or texts.NO_CLASS
        if not missing:
            context.leave()
            return TextReply(told)
        shown = missing[:_LISTED]
        context.enter(DIALOGUE, Step.PICK, {str(number): line.case_id or "" for number, line in enumerate(shown, 1)})
        lines = [f"{number}. {line.name}" for number, line in enumerate(shown, 1)]
        if len(missing) > _LISTED:
            lines.append(texts.STANDING_MORE.format(count=len(missing) - _LISTED))
        return TextReply("\n".join([told, texts.STANDING_HEAD + "\n".join(lines), texts.STANDING_TAIL]))

    async def pick(self, context: ChatContext, message: TextMessage) -> Reply:
        """The number of one of them."""
        ids = context.session.answers
        own = ids[Choice([(number, number) for number in sorted(ids, key=int)]).read(message.content)]
        case = await self._cases.one(context.actor, own)
        context.enter(DIALOGUE, Step.HOW, {"case": own})
        return TextReply(_HOW.ask(texts.ASK_HOW.format(child=case.line.child)))

    async def how(self, context: ChatContext, message: TextMessage) -> Reply:
        """What was done."""
        how, own = _HOW.read(message.content), context.session.answers["case"]
        if how == CaseEvent.RETURN.value:
            context.leave()
            case = await self._cases.end(context.actor, own, Ending(CaseEvent.RETURN))
            return TextReply(texts.BACK_NOTED.format(child=case.line.child))
        context.enter(DIALOGUE, Step.WORDS, {"case": own, "how": how})
        return TextReply(texts.ASK_WHERE if how == CaseEvent.LOCATE.value else texts.ASK_WORDS)

    async def words(self, context: ChatContext, message: TextMessage) -> Reply:
        """One sentence."""
        answers, said = context.session.answers, _WORDS.read(message.content)
        if answers["how"] == CaseEvent.LOCATE.value:
            context.enter(DIALOGUE, Step.SOURCE, {"case": answers["case"], "where": said})
            return TextReply(_SOURCE.ask(texts.ASK_SOURCE))
        context.leave()
        await self._cases.talk(context.actor, answers["case"], Talk(StepKind(answers["how"]), said))
        return TextReply(texts.NOTED)

    async def source(self, context: ChatContext, message: TextMessage) -> Reply:
        """From whom it is known."""
        answers, known_by = context.session.answers, _SOURCE.read(message.content)
        context.leave()
        await self._cases.locate(context.actor, answers["case"], answers["where"], KnownBy(known_by))
        return TextReply(texts.NOTED)


def _asked(context: ChatContext, of: ClassList) -> Reply:
    context.enter(DIALOGUE, Step.NAMES, {"class": of.room.id})
    missing = [line.name for line in of.lines if line.is_open]
    told = texts.ASK_OPEN.format(names=texts.COMMA.join(missing)) if missing else ""
    asked = sum(not line.is_settled for line in of.lines)
    return TextReply(texts.ASK.format(school=of.room.school, room=of.room.name, listed=asked, open=told))


def _of_classes(found: Sequence[ClassList]) -> Choice[ClassList]:
    return Choice([(texts.CLASS_LINE.format(school=of.room.school, room=of.room.name), of) for of in found])


def _named(of: ClassList, text: str) -> list[Line]:
    """The children of these names. Raises NotUnderstood for one that is not on the list, and for one of several."""
    wanted = dict.fromkeys(name for name in _SPLIT.split(text.strip("。.！! \n")) if name)
    asked = [line for line in of.lines if not line.is_settled]
    count: Mapping[str, int] = Counter(line.name for line in asked)
    unknown = [name for name in wanted if name not in count]
    if unknown or not wanted:
        raise NotUnderstood(texts.UNKNOWN_NAMES.format(names=texts.COMMA.join(unknown) or text.strip()))
    same = [name for name in wanted if count[name] > 1]
    if same:
        raise NotUnderstood(texts.SAME_NAMES.format(names=texts.COMMA.join(same)))
    by_name = {line.name: line for line in asked}
    return [by_name[name] for name in wanted]


def _done(reported: Reported) -> str:
    of = reported.of
    here = of.last.counts.here if of.last else 0
    duty = texts.DUTY_DONE if reported.has_done_duty else ""
    values = {"school": of.room.school, "room": of.room.name, "here": here, "open": of.open, "duty": duty}
    return (texts.DONE_OPEN if of.open else texts.DONE_ALL).format(**values)


def _state(of: ClassList) -> str:
    here = of.last.counts.here if of.last else 0
    if of.is_full:
        state = texts.STATE_FULL.format(here=here)
    elif of.is_reported:
        state = texts.STATE_REPORTED.format(here=here, open=of.open)
    else:
        state = texts.STATE_UNREPORTED
    return texts.STANDING_NONE.format(school=of.room.school, room=of.room.name, state=state)
