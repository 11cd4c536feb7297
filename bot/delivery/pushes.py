"""What capabilities and delivery agree on about messages to people: a promise, its words, and where people are reached.

A promise names a person, never a phone: which of their phones it goes to, through which channel and with which words is
decided when it is sent. So a message is always the latest truth, and no text lies in a table.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple, Protocol


class PushClass(StrEnum):
    """How a message stands to quiet hours, the cap of a family and the digest."""

    ALARM = "alarm"
    """Somebody is in danger: at once, at any hour, alone; to named people only."""
    URGENT = "urgent"
    """Signed by two, or to whoever watches over protected data: at once, at any hour, not counted."""
    NORMAL = "normal"
    """Waits for the morning, is counted, and joins others of the day in one message."""


class Purpose(StrEnum):
    """What a message is for; each has its own template at the platform."""

    NOTICE = "notice"
    REMINDER = "reminder"
    RESULT = "result"
    TASK = "task"
    ALARM = "alarm"


class Slot(StrEnum):
    """A place in a template, by meaning. Which key it has there (`thing1`, `time2`) is set for each template."""

    SUBJECT = "subject"
    WHEN = "when"
    SENDER = "sender"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPush:
    """A promise: `reason` (at most 64 characters; its source is registered under the part before the first colon),
    `occurrence` (at most 128) and person name it, the same three twice are one. `rule`: which rule made it, in a word.

    Not sent before `not_before`, not after `expires_at`. `child_ids`: whom it concerns.
    """

    reason: str
    occurrence: str
    person_id: str
    rule: str
    purpose: Purpose
    not_before: datetime
    expires_at: datetime
    push_class: PushClass = PushClass.NORMAL
    child_ids: tuple[str, ...] = ()


class Push(NamedTuple):
    """A promise that is about to be kept. `id` is the row's. A tuple, because thousands a second are made."""

    id: str
    reason: str
    occurrence: str
    person_id: str
    rule: str
    purpose: Purpose
    push_class: PushClass
    child_ids: tuple[str, ...]
    not_before: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """The words of a push, as of now. `text`: the whole, for the chat, at most 2,048 bytes; `line`: one sentence, for a
    digest; `slots`: for templates, shortened there to what the platform takes; `path`: the page it leads to, as a path
    below the public address, with a ticket in it where the reading is to be known.

    No word about a waiver, a family's means, a child's being left behind, or illness, in any of them.
    """

    text: str = field(repr=False)
    line: str = field(repr=False)
    slots: Mapping[Slot, str | date | datetime] = field(repr=False)
    path: str = ""


@dataclass(frozen=True, slots=True)
class NotNeeded:
    """Nothing is to be said any more; `why` in a word, for those who look at the deliveries (`signed_up`)."""

    why: str


@dataclass(frozen=True, slots=True)
class NotYet:
    """To be asked again then: what it is about has moved."""

    not_before: datetime


class PushSource(Protocol):
    """A capability's last word before its messages go out."""

    async def compose(self, pushes: Sequence[Push], now: datetime) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """By the id of the push. One that is left out is not needed."""
        ...


class UnreachableListener(Protocol):
    """Wants to know who was told nothing, so that somebody can call them."""

    async def could_not_reach(self, pushes: Sequence[Push], why: str) -> None:
        """In the transaction that settles them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a person is reached: ids at the 服务号 and the mini-program, None where there is none. `family` is the same
    for all guardians of the same children."""

    person_id: str
    family: str
    openid: str | None = field(default=None, repr=False)
    openid_index: str | None = None
    mini_program_openid: str | None = field(default=None, repr=False)
    mini_program_openid_index: str | None = None


class AddressBook(Protocol):
    """Knows where people are reached. One who is barred, erased or not there any more is left out."""

    async def addresses(self, person_ids: Collection[str]) -> Mapping[str, Address]:
        """By person. Whoever has no phone known to us has an address without ids."""
        ...


class ChannelName(StrEnum):
    """Ways to a phone, and the two that are none."""

    TEMPLATE = "template"
    SUBSCRIPTION_NOTICE = "subscription_notice"
    MINI_PROGRAM = "mini_program"
    CUSTOMER_SERVICE = "customer_service"
    MASS = "mass"
    BY_HAND = "by_hand"
    """Nobody's phone is reached: the head teacher's list of calls and slips of paper."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How a person would be told now. `why`: what stands in the way when it is BY_HAND (`not_bound`, `no_credit`)."""

    channel: ChannelName
    why: str = ""
