"""Rules of alarms: their kinds and states, the ladder, and what counts as a sentence. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from bot.errors import Conflict, InvalidInput
from handlers.accounts.domain import AppointmentKind

LONGEST_SAID: Final = 4000
LONGEST_WORDS: Final = 300
LEAST_SENTENCE: Final = 4
LONGEST_NAME: Final = 64


class AlarmKind(StrEnum):
    """What it is about."""

    CRISIS = "crisis"
    """A life is in danger."""
    MISSING_CHILD = "missing_child"
    MANDATORY_REPORT = "mandatory_report"
    """What the law wants to be reported to the police."""
    OTHER = "other"


class AlarmState(StrEnum):
    """How far it has come."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class AlarmSource(StrEnum):
    """Where it was raised."""

    CHAT = "chat"
    CONSOLE = "console"
    SERVICE = "service"


class Mark(StrEnum):
    """What happened, as the timeline keeps it."""

    RAISED = "raised"
    STEP = "step"
    TOLD = "told"
    LETTER = "letter"
    """Somebody on duty who is bound to no person was written to in the chat."""
    FAMILY = "family"
    NOBODY = "nobody"
    UNREACHED = "unreached"
    ACKNOWLEDGED = "acknowledged"
    ADDED = "added"
    EXHAUSTED = "exhausted"
    CLOSED = "closed"


class AlarmEvent(StrEnum):
    """What somebody does with one."""

    ACKNOWLEDGE = "acknowledge"
    CLOSE = "close"


_S, _E = AlarmState, AlarmEvent
MOVES: Final[Mapping[tuple[AlarmState, AlarmEvent], AlarmState]] = {
    (_S.OPEN, _E.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.ACKNOWLEDGED, _E.ACKNOWLEDGE): _S.ACKNOWLEDGED,
    (_S.OPEN, _E.CLOSE): _S.CLOSED,
    (_S.ACKNOWLEDGED, _E.CLOSE): _S.CLOSED,
}
LIVE: Final = (AlarmState.OPEN, AlarmState.ACKNOWLEDGED)

LADDER: Final[tuple[AppointmentKind, ...]] = (
    AppointmentKind.DUTY,
    AppointmentKind.PROTECTION_LEAD,
    AppointmentKind.SCHOOL_LEADER,
    AppointmentKind.TOWNSHIP_ADMINISTRATOR,
)
"""Who is told, one step after another."""
LADDERS: Final[Mapping[AlarmKind, tuple[AppointmentKind, ...]]] = {
    AlarmKind.MISSING_CHILD: (LADDER[0], AppointmentKind.HEAD_TEACHER, *LADDER[1:]),
}
"""Where it is another: who knows the child and its family is asked before those who lead."""


class AlarmClosed(Conflict):
    """Nothing moves it any more."""

    code = "alarm_closed"
    default_message = "这件事已经办结，不用再处理。有新情况请重新上报。"


class SentenceMissing(InvalidInput):
    """An alarm is not closed without saying what was done."""

    code = "alarm_sentence_missing"
    default_message = "请写一句话说明孩子现在怎么样、已经做了什么（4到300字），再办结。"


class WordsTooLong(InvalidInput):
    """More than fits."""

    code = "alarm_words_too_long"
    default_message = "写得太长了，请每一栏不超过300字，先说最要紧的，再上报。"


def ladder_of(kind: AlarmKind) -> tuple[AppointmentKind, ...]:
    """The steps of a kind of alarm."""
    return LADDERS.get(kind, LADDER)


def advance(current: AlarmState, event: AlarmEvent) -> AlarmState:
    """The state after an event. Raises AlarmClosed, the only one that takes none."""
    try:
        return MOVES[current, event]
    except KeyError:
        raise AlarmClosed from None


def checked_sentence(text: str) -> str:
    """What an alarm is closed with, in one line. Raises SentenceMissing."""
    sentence = " ".join(text.split())
    if not LEAST_SENTENCE <= len(sentence) <= LONGEST_WORDS:
        raise SentenceMissing
    return sentence


def checked_words(text: str, longest: int = LONGEST_WORDS) -> str:
    """A field of the form, without space around it. Raises WordsTooLong."""
    words = text.strip()
    if len(words) > longest:
        raise WordsTooLong
    return words


def mark_of(what: Mark, about: str | int = "") -> str:
    """What an entry of the timeline is known by within its alarm: the same twice is one."""
    return f"{what.value}:{about}" if about != "" else what.value


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAlarm:
    """What is known when it is raised. `reference` (at most 64 characters) names what it comes from: the same twice is
    one alarm. `on_duty`: persons on duty besides those appointed, `letters` how many more were written to otherwise.

    Of the place as much as is known: the child brings its own.
    """

    kind: AlarmKind
    source: AlarmSource
    reference: str
    child_id: str | None = None
    school_id: str | None = None
    township_id: str | None = None
    said: str = field(default="", repr=False)
    where: str = field(default="", repr=False)
    hand_over: int | None = None
    raiser_index: str | None = None
    on_duty: tuple[str, ...] = ()
    letters: int = 0


@dataclass(frozen=True, slots=True)
class Raised:
    """What became of it. `told`: the persons who were told at once; `is_new` False: it had been raised before."""

    key: str
    number: int
    told: frozenset[str]
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the timeline. `who`: a name, "" for the system or somebody unknown."""

    at: datetime
    what: Mark
    who: str = field(default="", repr=False)
    level: int | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """Somebody to be called. `role` in words."""

    role: str
    name: str = field(repr=False)
    phone: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """An alarm in a list: nothing in it tells who the child is."""

    key: str
    number: int
    kind: AlarmKind
    state: AlarmState
    raised_at: datetime
    place: str
    level: int
    acknowledged_by: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmSheet:
    """Everything its page shows. `child` and `family` are empty when it is not known whom it is about; `wards`: the
    children of the one who wrote, one of whom it may be. `may_answer`: for whoever looks."""

    line: AlarmLine
    source: AlarmSource
    child: str = field(default="", repr=False)
    said: str = field(default="", repr=False)
    where: str = field(default="", repr=False)
    raised_by: str = field(default="", repr=False)
    hand_over: int | None = None
    closing: str = field(default="", repr=False)
    numbers: Sequence[Number] = ()
    family: Sequence[Number] = ()
    wards: Sequence[str] = field(default=(), repr=False)
    timeline: Sequence[Entry] = ()
    may_answer: bool = False
