"""A mandatory report: whom somebody called, and when it is known enough to go on. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.clock import to_local
from bot.errors import Conflict, InvalidInput
from handlers.contacts.domain.triggers import Trigger

LONGEST_WORD: Final = 100
LEAST_SENTENCE: Final = 4
LONGEST_SENTENCE: Final = 500
_AHEAD: Final = timedelta(minutes=5)
"""A clock on a wall may be a little fast."""
_OLDEST: Final = timedelta(days=7)


class Called(StrEnum):
    """Who was called."""

    POLICE = "police"
    TOWNSHIP = "township"
    OTHER = "other"


NEEDED: Final = (Called.POLICE, Called.TOWNSHIP)
"""Without a word of both nothing goes on."""


class TriggerAsked(Conflict):
    """What is written may have to be reported: whoever wrote it is asked before it is kept."""

    code = "contacts_trigger_asked"
    default_message = "写的内容里可能有应当报告的情况。请先选是不是，再保存；孩子有危险，马上打110。"

    def __init__(self, triggers: frozenset[Trigger]) -> None:
        super().__init__()
        self.triggers = triggers


class CallInvalid(InvalidInput):
    """It is not said who was called, when, by whom or what came of it."""

    code = "contacts_call_invalid"
    default_message = "请写清打给谁、几点打的、谁打的、对方怎么说（接警编号或接电话的人），再保存。"


class CallMissing(Conflict):
    """The report is closed once the calls are known."""

    code = "contacts_call_missing"
    default_message = "还没有写清110和乡镇的电话是谁打的、几点打的。请先补上，再办结。"


class ReportClosed(Conflict):
    """It is over."""

    code = "contacts_report_closed"
    default_message = "这件报告已经办结。有新情况，请重新报告。"


class SentenceMissing(InvalidInput):
    """A report is not closed without a word on the child."""

    code = "contacts_sentence_missing"
    default_message = (
        f"请写清孩子现在怎么样、由谁照看、后面怎么跟（{LEAST_SENTENCE}到{LONGEST_SENTENCE}个字），再办结。"
    )


@dataclass(frozen=True, slots=True)
class Call:
    """One call: to whom, when, by whom, and what is known it by (a number, a name)."""

    called: Called
    at: datetime
    by: str = field(repr=False)
    reference: str = field(repr=False)


def checked_call(call: Call, now: datetime) -> Call:
    """The call, in one line each. Raises CallInvalid."""
    by, reference = " ".join(call.by.split()), " ".join(call.reference.split())
    is_known = all(0 < len(word) <= LONGEST_WORD for word in (by, reference))
    if not is_known or not now - _OLDEST <= call.at <= now + _AHEAD:
        raise CallInvalid
    return Call(call.called, call.at, by, reference)


def is_complete(calls: Iterable[Call]) -> bool:
    """Whether everybody who must be called was."""
    return set(NEEDED) <= {call.called for call in calls}


def missing(calls: Iterable[Call]) -> list[Called]:
    """Who is still to be called, in order."""
    known = {call.called for call in calls}
    return [each for each in NEEDED if each not in known]


def checked_sentence(text: str) -> str:
    """What a report is closed with. Raises SentenceMissing."""
    sentence = " ".join(text.split())
    if not LEAST_SENTENCE <= len(sentence) <= LONGEST_SENTENCE:
        raise SentenceMissing
    return sentence


def moment_of(clock_time: str, now: datetime) -> datetime | None:
    """The moment of a time of day that has been, as people type it (14:20, 14点20, 14点): today, or late last night.
    None for what is none."""
    plain = clock_time.strip().translate(_MARKS).rstrip("分")
    hours, _, minutes = plain.partition(":")
    if not hours.isdigit() or not (minutes.isdigit() or not minutes) or len(hours) > 2 or len(minutes) > 2:
        return None
    hour, minute = int(hours), int(minutes or 0)
    if hour > 23 or minute > 59:
        return None
    moment = to_local(now).replace(hour=hour, minute=minute, second=0, microsecond=0)
    return moment if moment <= now + _AHEAD else moment - timedelta(days=1)


_WIDE: Final = dict(zip("０１２３４５６７８９", "0123456789", strict=True))
_MARKS: Final = str.maketrans({"：": ":", "点": ":", "时": ":", ".": ":", **_WIDE})


# ------------------------------------------------------------------------------------------------------------- columns
def stored_calls(calls: Sequence[Call]) -> str:
    """As the column keeps them."""
    return json.dumps(
        [[call.called.value, call.at.isoformat(), call.by, call.reference] for call in calls], ensure_ascii=False
    )


def read_calls(stored: str | None) -> tuple[Call, ...]:
    """From the column."""
    rows = json.loads(stored) if stored else []
    return tuple(Call(Called(called), datetime.fromisoformat(at), by, reference) for called, at, by, reference in rows)


def stored_triggers(triggers: Iterable[Trigger]) -> str:
    """As the column keeps them."""
    return json.dumps(sorted(trigger.value for trigger in triggers))


def read_triggers(stored: str) -> frozenset[Trigger]:
    """From the column."""
    return frozenset(map(Trigger, json.loads(stored)))
