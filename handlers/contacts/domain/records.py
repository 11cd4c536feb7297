"""What a contact record says."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from bot.errors import Conflict, InvalidInput
from handlers.contacts.domain.card import Holder

LONGEST_FINDING: Final = 1000
LONGEST_KEY: Final = 64
OLDEST: Final = timedelta(days=60)
"""What is longer ago is not written down as a contact any more."""
LATEST_NEXT: Final = timedelta(days=366)


class Way(StrEnum):
    """How contact was made."""

    VISIT = "visit"
    CALL = "call"
    VIDEO = "video"
    SCHOOL = "school"


class DayPart(StrEnum):
    """When on its day."""

    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


class Met(StrEnum):
    """Who was met or spoken to."""

    CHILD = "child"
    CARER = "carer"
    PARENT = "parent"


class ContactOutcome(StrEnum):
    """Whether somebody was reached: an attempt is written down too, and resets no clock."""

    REACHED = "reached"
    FAILED = "failed"


class Topic(StrEnum):
    """What was spoken of."""

    LIFE = "life"
    STUDY = "study"
    MIND = "mind"
    SAFETY = "safety"


class ReportState(StrEnum):
    """How far a mandatory report has come: it blocks until it is complete, and is closed with words only."""

    OPEN = "open"
    COMPLETE = "complete"
    CLOSED = "closed"


class RecordInvalid(InvalidInput):
    """What was filled in cannot be: the sentence says which field and why."""

    code = "contacts_record_invalid"
    default_message = "登记的内容不对，请改正后再试。"


class RecordCorrected(Conflict):
    """Another version has taken its place."""

    code = "contacts_record_corrected"
    default_message = "这条登记已经更正过，请打开更正后的那一条。"


class KeyReused(Conflict):
    """The same key came with another child: the form is an old one."""

    code = "contacts_key_reused"
    default_message = "这张登记表已经用过，请重新打开登记页再填。"


class ReportOpen(Conflict):
    """A mandatory report of the child is open: it comes first."""

    code = "contacts_report_open"
    default_message = "这位同学有一件强制报告还没有填完，请先填好报告，再登记。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A contact with a family as somebody writes it down. `client_key` is made once by whoever fills in the form, and
    the same however often it is sent. `follow_up` with its day, or neither; `sealed_part` is for the protection lead
    alone. `called`: whose number on the card was called, as far as it is known; `is_other_number`: one that does not
    stand there."""

    client_key: str
    happened_on: date
    way: Way
    outcome: ContactOutcome
    day_part: DayPart | None = None
    met: frozenset[Met] = frozenset()
    topics: frozenset[Topic] = frozenset()
    finding: str = field(default="", repr=False)
    sealed_part: str = field(default="", repr=False)
    follow_up: str = field(default="", repr=False)
    follow_up_on: date | None = None
    next_on: date | None = None
    called: Holder | None = None
    is_other_number: bool = False


def check(contact: Contact, today: date) -> None:
    """Raises RecordInvalid naming what is wrong."""
    faults = {
        "登记表不完整，请重新打开再填。": not 0 < len(contact.client_key) <= LONGEST_KEY,
        "联系的日期不能晚于今天，请改正后再保存。": contact.happened_on > today,
        f"{OLDEST.days}天以前的联系不能再补登，请告诉保护负责人。": contact.happened_on < today - OLDEST,
        "联系上了，请选见到（联系到）了谁。": contact.outcome is ContactOutcome.REACHED and not contact.met,
        "没有联系上，就不用选见到了谁，请改正后再保存。": contact.outcome is ContactOutcome.FAILED
        and bool(contact.met),
        f"情况最多写{LONGEST_FINDING}个字，请删短一些再保存。": _is_long(contact.finding, contact.sealed_part),
        f"后续要做的事最多写{LONGEST_FINDING}个字，请删短一些再保存。": _is_long(contact.follow_up),
        "后续要做的事，请同时写上做什么、哪天做。": bool(contact.follow_up.strip())
        is not (contact.follow_up_on is not None),
        "后续和下次联系的日期要在联系当天以后、一年以内，请改正后再保存。": any(
            not contact.happened_on <= day <= today + LATEST_NEXT
            for day in (contact.follow_up_on, contact.next_on)
            if day is not None
        ),
    }
    for sentence, is_wrong in faults.items():
        if is_wrong:
            raise RecordInvalid(sentence)


def _is_long(*texts: str) -> bool:
    return any(len(text.strip()) > LONGEST_FINDING for text in texts)


def sorted_words(words: Collection[StrEnum]) -> list[str]:
    """As a column keeps them."""
    return sorted(word.value for word in words)
