"""Which number of the card was called: what one number never answered is known of that number only. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from bot.errors import Conflict
from handlers.contacts.domain.card import Holder
from handlers.contacts.domain.records import Contact, ContactOutcome, Met, Way

OTHER: Final = "other"
"""In a form: a number that does not stand on the card."""
_MET_BY: Final[Mapping[Holder, Met]] = {
    Holder.CHILD: Met.CHILD,
    Holder.CARER: Met.CARER,
    Holder.PARENT_1: Met.PARENT,
    Holder.PARENT_2: Met.PARENT,
}


class NumberAsked(Conflict):
    """Nobody answered, and it was not said which of several numbers was called."""

    code = "contacts_number_asked"
    default_message = "请选打的是谁的电话，再保存。"

    def __init__(self, holders: Sequence[Holder]) -> None:
        super().__init__()
        self.holders = tuple(holders)


def number_called(contact: Contact, holders: Sequence[Holder], *, has_others: bool) -> Holder | None:
    """Whose number was called, of those who have one on the card; None: no call, or another number. `has_others`: the
    roster has numbers besides. Raises NumberAsked where only whoever called can say."""
    if contact.way is not Way.CALL or contact.is_other_number or not holders:
        return None
    if contact.called is not None:
        return contact.called if contact.called in holders else None
    if contact.outcome is ContactOutcome.REACHED:
        answering = [holder for holder in holders if _MET_BY.get(holder) in contact.met]
        return answering[0] if len(answering) == 1 else None
    if len(holders) == 1 and not has_others:
        return holders[0]
    raise NumberAsked(holders)


def is_among(number: str, numbers: Collection[str]) -> bool:
    """Whether it is one of them, however they are written."""
    return _digits(number) in {_digits(each) for each in numbers}


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number)
