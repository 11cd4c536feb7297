"""The numbers of a child's card, for whoever has called one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from handlers.accounts.service.offices import Caller, Offices
from handlers.contacts.domain.card import FactKind, Holder
from handlers.contacts.domain.numbers import is_among, number_called
from handlers.contacts.domain.records import Contact
from handlers.contacts.service.cards.facts import in_force

_PHONE: Final = FactKind.PHONE


@dataclass(frozen=True, slots=True)
class CardNumber:
    """A number that stands on the card."""

    holder: Holder
    number: str = field(repr=False)
    is_stale: bool


@dataclass(frozen=True, slots=True)
class Numbers:
    """Those of a child: on the card, and in the school's roster."""

    on_card: Sequence[CardNumber]
    callers: Sequence[Caller]
    acting: str | None

    def holder_of(self, number: str) -> Holder | None:
        """Whose number on the card it is; None: it does not stand there."""
        return next((each.holder for each in self.on_card if is_among(number, [each.number])), None)

    @property
    def only_on_card(self) -> list[CardNumber]:
        """Those the roster does not have."""
        known = [each.phone for each in self.callers if each.phone]
        return [each for each in self.on_card if not is_among(each.number, known)]

    @property
    def has_others(self) -> bool:
        """Whether the roster has a number that does not stand on the card."""
        return any(each.phone and self.holder_of(each.phone) is None for each in self.callers)


async def numbers_of(child_id: str, offices: Offices) -> Numbers:
    """Whoever asks has the right to, and writes down what was shown."""
    rows = await in_force([child_id], _PHONE)
    callers, acting = await offices.guardians(child_id)
    return Numbers([CardNumber(row.holder, row.value, row.is_stale) for row in rows], callers, acting)


async def with_number(contact: Contact, child_id: str, offices: Offices) -> Contact:
    """The contact with the number that was called, as far as it is known. Raises NumberAsked."""
    numbers = await numbers_of(child_id, offices)
    holders = [each.holder for each in numbers.on_card]
    return replace(contact, called=number_called(contact, holders, has_others=numbers.has_others))
