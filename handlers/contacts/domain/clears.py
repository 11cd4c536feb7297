"""Three clears (三清): the child, its parents, whoever looks after it. Pure: over what is known and how old it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from handlers.contacts.domain.card import FactKind, Holder

OLD_AFTER: Final = 180
"""Days after which a fact that may have changed is asked for again: about once a term. No plan names a number."""
_H, _K = Holder, FactKind
AGEING: Final = frozenset({_K.PHONE, _K.ADDRESS, _K.WORKPLACE, _K.EMPLOYER, _K.LAST_HOME, _K.HEALTH})
"""What changes without anybody telling the school."""


class About(StrEnum):
    """Whom it has to be clear about."""

    CHILD = "child"
    PARENTS = "parents"
    CARER = "carer"


WANTED: Final[Mapping[Holder, tuple[FactKind, ...]]] = {
    _H.CHILD: (_K.ADDRESS,),
    _H.PARENT_1: (_K.NAME, _K.PHONE, _K.WORKPLACE, _K.LAST_HOME),
    _H.PARENT_2: (_K.NAME, _K.PHONE, _K.WORKPLACE, _K.LAST_HOME),
    _H.CARER: (_K.NAME, _K.RELATION, _K.PHONE, _K.ADDRESS, _K.ENTRUSTMENT),
}
_OF: Final[Mapping[About, tuple[Holder, ...]]] = {
    About.CHILD: (_H.CHILD,),
    About.PARENTS: (_H.PARENT_1, _H.PARENT_2),
    About.CARER: (_H.CARER,),
}


@dataclass(frozen=True, slots=True)
class Known:
    """A fact in force: when it was last said or confirmed. `is_stale`: a phone number nobody answers any more."""

    holder: Holder
    kind: FactKind
    asked_on: date
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class Clear:
    """How far something is clear. `lacking`: what is not known, or holds no more; `oldest` in days, None: nothing is
    known."""

    lacking: tuple[tuple[Holder, FactKind], ...]
    oldest: int | None

    @property
    def is_clear(self) -> bool:
        """Nothing is lacking."""
        return not self.lacking


def age(known: Known, today: date) -> int:
    """In days; what was said tomorrow is new."""
    return max((today - known.asked_on).days, 0)


def is_old(known: Known, today: date) -> bool:
    """Whether it has to be asked for again because of its age."""
    return known.kind in AGEING and age(known, today) > OLD_AFTER


def clears(facts: Collection[Known], today: date, *, is_parent_2_there: bool = False) -> dict[About, Clear]:
    """How far each of the three is clear. The second parent is asked for only where somebody noted that there is one:
    once anything is known of them, or `is_parent_2_there`."""
    known = {(fact.holder, fact.kind): fact for fact in facts}
    has_second = is_parent_2_there or any(fact.holder is Holder.PARENT_2 for fact in facts)
    found = {}
    for about, holders in _OF.items():
        asked = [
            (holder, kind)
            for holder in holders
            if holder is not Holder.PARENT_2 or has_second
            for kind in WANTED[holder]
        ]
        ages = [age(known[each], today) for each in asked if each in known]
        lacking = tuple(each for each in asked if each not in known or known[each].is_stale)
        found[about] = Clear(lacking, max(ages) if ages else None)
    return found
