"""Messages as they go out: the words of one push, or of several to the same person in one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Final

from bot.clock import SHANGHAI, to_utc
from bot.delivery import texts
from bot.delivery.claims import Claimed
from bot.delivery.planner import Template, Way
from bot.delivery.pushes import Address, ChannelName, Composed, Push, PushClass, Slot
from bot.wechat.template_values import fit

_KNOWN_VALUES: Final = 2048

SlotValue = str | date | datetime


@dataclass(slots=True, eq=False)
class Parcel:
    """One message to one person, for one push or more. `way` is set when it is planned; `is_counted`: it is counted
    against the day of the family."""

    parts: list[tuple[Claimed, Composed]]
    address: Address
    way: Way | None = None
    is_counted: bool = False

    @property
    def rows(self) -> list[Claimed]:
        """Its pushes."""
        return [row for row, _ in self.parts]

    @property
    def first(self) -> Push:
        """The push that stands for all: they have one class."""
        return self.parts[0][0].push

    @property
    def words(self) -> Composed:
        """What it says."""
        return self.parts[0][1] if len(self.parts) == 1 else digest([words for _, words in self.parts])

    @property
    def waits(self) -> bool:
        """Whether it may wait for another day: the usual class."""
        return self.first.push_class is PushClass.NORMAL

    def keep(self, ids: Collection[str]) -> None:
        """Leaves out the pushes that were taken back."""
        self.parts = [part for part in self.parts if part[0].push.id in ids]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a channel sends: words to the recipients of all the ways, more than one only in a mass message. `key` is
    the same whenever the same message is sent (32 characters)."""

    key: str
    words: Composed
    ways: Sequence[Way]

    @property
    def way(self) -> Way:
        """That of the only recipient."""
        return self.ways[0]


def parcels_of(composed: Sequence[tuple[Claimed, Composed, Address]]) -> list[Parcel]:
    """What belongs to one person and may travel together does; the rest travels alone."""
    shared: dict[tuple[str, frozenset[ChannelName]], Parcel] = {}
    parcels = []
    for row, words, address in composed:
        # What a channel has refused goes its own way.
        together = (row.push.person_id, row.tried)
        known = shared.get(together) if row.push.push_class is PushClass.NORMAL else None
        if known is not None:
            known.parts.append((row, words))
            continue
        parcel = Parcel([(row, words)], address)
        parcels.append(parcel)
        if parcel.waits:
            shared[together] = parcel
    return parcels


def digest(words: Sequence[Composed]) -> Composed:
    """Several messages as one: a line for each, the page of the first."""
    lines = [texts.DIGEST_LINE.format(number=number, line=each.line) for number, each in enumerate(words, 1)]
    subject = texts.DIGEST_SUBJECT.format(count=len(words))
    senders = {str(each.slots[Slot.SENDER]) for each in words if each.slots.get(Slot.SENDER)}
    slots: dict[Slot, SlotValue] = {
        Slot.SUBJECT: subject,
        Slot.SENDER: senders.pop() if len(senders) == 1 else texts.SENDER,
        Slot.NOTE: texts.DIGEST_JOINT.join(each.line for each in words),
    }
    moments = [when for each in words if isinstance(when := each.slots.get(Slot.WHEN), date)]
    if moments:
        slots[Slot.WHEN] = min(moments, key=_as_moment)
    text = "\n".join([f"{subject}：", *lines, texts.DIGEST_END])
    return Composed(text=text, line=subject, slots=slots, path=next((each.path for each in words if each.path), ""))


def values_of(template: Template, words: Composed, now: datetime) -> dict[str, str]:
    """The values of a template's keys, made to fit. Raises UnfitValue."""
    said = words.slots
    return {key: _fitted(key, said.get(slot) or _instead(slot, words, now)) for slot, key in template.slots.items()}


def _instead(slot: Slot, words: Composed, now: datetime) -> SlotValue:
    """What stands in a place about which nothing is said."""
    instead: dict[Slot, SlotValue] = {
        Slot.SUBJECT: words.line,
        Slot.WHEN: now,
        Slot.SENDER: texts.SENDER,
        Slot.NOTE: texts.SEE_PAGE,
    }
    return instead[slot]


# A broadcast says the same to many.
_fitted = lru_cache(_KNOWN_VALUES)(fit)


def _as_moment(day: date | datetime) -> datetime:
    if isinstance(day, datetime):
        return to_utc(day)
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)
