"""What is known of a child's after-school service from everything that was said and signed up for. Pure.

Nothing said is ever overwritten: where the family itself, the teacher's paper and an imported list disagree, that is
what is known, until the family was asked and the answer entered as the end of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from bot.errors import Conflict, InvalidInput, LimitReached
from handlers.after_school.domain.statements import ConsentHow, Source, TallyMove, Wish
from handlers.after_school.domain.states import ACTIVE, EnrolmentState

LONGEST_REASON: Final = 200


class Channel(StrEnum):
    """Who told us."""

    FAMILY = "family"
    TEACHER = "teacher"
    LIST = "list"


CHANNELS: Final[Mapping[Source, Channel]] = {
    Source.CHAT: Channel.FAMILY,
    Source.MINIPROGRAM: Channel.FAMILY,
    Source.PAPER: Channel.TEACHER,
    Source.PHONE: Channel.TEACHER,
    Source.IMPORT: Channel.LIST,
}
"""Of the ways on which somebody speaks; a moment that passes says nothing."""
BY_HAND: Final[Mapping[Source, frozenset[ConsentHow]]] = {
    Source.PAPER: frozenset({ConsentHow.SIGNED_PAPER}),
    Source.PHONE: frozenset({ConsentHow.BY_PHONE, ConsentHow.IN_PERSON}),
}
"""The ways on which a teacher enters something, and how the family may have agreed on each."""


class Standing(StrEnum):
    """How far a child is, for the class's list."""

    DISAGREEING = "disagreeing"
    UNANSWERED = "unanswered"
    WANTS = "wants"
    """Wants it, and is signed up for nothing."""
    WAITING = "waiting"
    SIGNED_UP = "signed_up"
    NOT_JOINING = "not_joining"


class TallyClosed(Conflict):
    """The class's list is signed."""

    code = "tally_closed"
    default_message = "这个班的统计已经签名。要再登记，请先写明原因重新打开。"


class TallyNotReady(Conflict):
    """Somebody has not answered, or sources disagree."""

    code = "tally_not_ready"
    default_message = "还有孩子说法不一，请先打电话问清家长、登记最后的决定，再签名。"


class TallyMoved(Conflict):
    """The list is not what whoever signs has looked at."""

    code = "tally_moved"
    default_message = "刚才又有家庭答复了，名单有变化。请看过最新的名单再签名。"


class IllegalTallyMove(Conflict):
    """Closed what is closed, or opened what is open."""

    code = "tally_state_conflict"
    default_message = "这个班的统计刚才已经有人办过了，请刷新看最新的情况。"


class RemindedToday(LimitReached):
    """Families are told once a day at most."""

    code = "reminded_today"
    default_message = "今天已经提醒过了，明天可以再提醒。着急的请按名单打电话。"


class NobodyToRemind(Conflict):
    """Everybody has answered."""

    code = "nobody_to_remind"
    default_message = "都答复了，不用再提醒。请核对后签名。"


class ReasonMissing(InvalidInput):
    """A deed that wants a reason."""

    code = "reason_required"
    default_message = "请写明原因（200字以内），再提交。"


class WishInvalid(InvalidInput):
    """Nobody said what, or how it is known."""

    code = "wish_invalid"
    default_message = "请选家长的答复（参加或不参加），再选家长是怎样告诉的。"


class SaidLater(InvalidInput):
    """The family is to have said it on a day that has not come."""

    code = "said_later"
    default_message = "家长答复的日期不能晚于今天，请改正后再试。"


class NotYours(Conflict):
    """Only what a teacher entered can be taken back here."""

    code = "not_by_hand"
    default_message = "这一条不是老师登记的，不能在这里撤回。"


@dataclass(frozen=True, slots=True)
class Voice:
    """One thing said: `said_at` by the family, `known_at` entered here. `id` None: it is a sign-up that speaks."""

    wish: Wish
    source: Source
    said_at: datetime
    known_at: datetime
    settles: bool = False
    programme_id: str | None = None
    entered_by: str | None = None
    consent_how: ConsentHow | None = None
    id: str | None = None

    @property
    def joins(self) -> bool:
        """Whether it says yes."""
        return self.wish is not Wish.NOT_JOIN


@dataclass(frozen=True, slots=True)
class SignUp:
    """A sign-up as it stood: since when in that state, and on which way it came there."""

    programme_id: str
    state: EnrolmentState
    source: Source
    begun_at: datetime
    moved_at: datetime
    moved_via: Source
    entered_by: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether anything can still come of it."""
        return self.state in ACTIVE


@dataclass(frozen=True, slots=True)
class Heard:
    """Everything known of one child, the newest first; `latest`: what counts of it, by who told us."""

    standing: Standing
    voices: tuple[Voice, ...] = ()
    sign_ups: tuple[SignUp, ...] = ()
    latest: Mapping[Channel, Voice] = field(default_factory=dict)

    @property
    def wanted(self) -> tuple[str, ...]:
        """Programmes the family named and is not signed up for."""
        active = {each.programme_id for each in self.sign_ups if each.is_active}
        named = {voice.programme_id for voice in self.latest.values() if voice.wish is Wish.COURSE}
        return tuple(sorted(each for each in named - active if each))

    @property
    def must_leave(self) -> bool:
        """Whether the family does not want it, and a sign-up still stands."""
        return self.standing is Standing.NOT_JOINING and any(each.is_active for each in self.sign_ups)


def heard(statements: Iterable[Voice], sign_ups: Sequence[SignUp]) -> Heard:
    """Puts it together."""
    voices = _together(statements, _voices_of(sign_ups))
    voices.sort(key=lambda each: (each.said_at, each.known_at, each.settles), reverse=True)
    latest = _latest(voices)
    answers = {voice.joins for voice in latest.values()}
    return Heard(_standing(answers, sign_ups), tuple(voices), tuple(sign_ups), latest)


def _together(statements: Iterable[Voice], deeds: Sequence[Voice]) -> list[Voice]:
    """Whoever signs up or leaves says so in the same moment: that is one voice, as final as the deed."""
    left = {(each.joins, each.programme_id if each.joins else None, each.source, each.said_at): each for each in deeds}
    found = []
    for voice in statements:
        deed = left.pop((voice.joins, voice.programme_id, voice.source, voice.said_at), None)
        found.append(replace(voice, settles=voice.settles or deed.settles) if deed else voice)
    return [*found, *left.values()]


def _latest(voices: Sequence[Voice]) -> dict[Channel, Voice]:
    """The last word of each, of what was said since the family was asked."""
    found: dict[Channel, Voice] = {}
    for voice in voices:
        if voice.source in CHANNELS:
            found.setdefault(CHANNELS[voice.source], voice)
        if voice.settles:
            break
    return found


def _standing(answers: set[bool], sign_ups: Sequence[SignUp]) -> Standing:
    if len(answers) > 1:
        return Standing.DISAGREEING
    if answers == {False}:
        return Standing.NOT_JOINING
    states = {each.state for each in sign_ups if each.is_active}
    if EnrolmentState.ENROLLED in states:
        return Standing.SIGNED_UP
    if states:
        return Standing.WAITING
    return Standing.WANTS if answers else Standing.UNANSWERED


def _voices_of(sign_ups: Sequence[SignUp]) -> list[Voice]:
    """Signing up says yes to a course. Leaving the last one says no, and is the end of it: a deed, not a word."""
    voices = [
        Voice(
            Wish.COURSE,
            each.source,
            each.begun_at,
            each.begun_at,
            programme_id=each.programme_id,
            entered_by=each.entered_by,
        )
        for each in sign_ups
        if each.source in CHANNELS
    ]
    left = [each for each in sign_ups if each.state in _LEFT and each.moved_via in CHANNELS]
    if left and not any(each.is_active for each in sign_ups):
        last = max(left, key=lambda each: each.moved_at)
        voices.append(Voice(Wish.NOT_JOIN, last.moved_via, last.moved_at, last.moved_at, settles=True))
    return voices


_LEFT: Final = frozenset({EnrolmentState.WITHDRAWN, EnrolmentState.OPTED_OUT})


def counted(standings: Iterable[Standing]) -> dict[str, int]:
    """How many there are of each, all of them named."""
    found = Counter(standings)
    return {standing.value: found[standing] for standing in Standing}


def checked_reason(text: str) -> str:
    """A reason that somebody has to give. Raises ReasonMissing."""
    reason = " ".join(text.split())
    if not reason or len(reason) > LONGEST_REASON:
        raise ReasonMissing
    return reason


def checked_entry(wish: Wish, source: Source, how: ConsentHow | None, reason: str) -> str:
    """The reason of something a teacher enters, "" for none; it is of those who do not join. Raises WishInvalid,
    ReasonMissing."""
    if how not in BY_HAND.get(source, frozenset()):
        raise WishInvalid
    kept = " ".join(reason.split()) if wish is Wish.NOT_JOIN else ""
    if len(kept) > LONGEST_REASON:
        raise ReasonMissing
    return kept


TALLY_MOVES: Final[Mapping[TallyMove | None, TallyMove]] = {
    None: TallyMove.CLOSED,
    TallyMove.CLOSED: TallyMove.REOPENED,
    TallyMove.REOPENED: TallyMove.CLOSED,
}
"""What may follow on the last move of a list; None: nobody has signed it yet."""


def next_move(last: TallyMove | None, wanted: TallyMove) -> TallyMove:
    """`wanted`, if it may follow. Raises IllegalTallyMove."""
    if TALLY_MOVES[last] is not wanted:
        raise IllegalTallyMove
    return wanted
