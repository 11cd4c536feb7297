"""The contact card as it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from handlers.accounts.service.audiences import WardMeant
from handlers.contacts.domain.card import FactKind, FactSource, Fitness, Holder
from handlers.contacts.domain.clears import About, Clear
from handlers.contacts.domain.register import Group


@dataclass(frozen=True, slots=True)
class FactView:
    """A fact in force. `age` in days since it was last said or confirmed."""

    id: str
    holder: Holder
    kind: FactKind
    value: str = field(repr=False)
    stated_on: date
    source: FactSource
    confirmed_on: date | None
    age: int
    failed_calls: int
    is_stale: bool


@dataclass(frozen=True, slots=True)
class OnRoster:
    """Somebody who looks after the child, as the school's roster has them. `phone` "" for none."""

    person_id: str
    name: str = field(repr=False)
    phone: str = field(repr=False)
    is_acting: bool


@dataclass(frozen=True, slots=True)
class CheckView:
    """How the carer was found. `written_on`: the day of the written entrustment, None: there is none."""

    age_ok: Fitness
    health_ok: Fitness
    no_barred_ground: Fitness
    written_on: date | None
    has_paper: bool
    checked_by: str
    checked_on: date


@dataclass(frozen=True, slots=True)
class CardView:
    """A child's card. `is_sealed_open`: the confidential facts and the checks are among what is shown; else they are
    left out, and nothing tells whether there are any. `helps`: the school's own help the child gets, for its head
    teacher and the lead."""

    ward: WardMeant
    facts: tuple[FactView, ...]
    roster: tuple[OnRoster, ...]
    clears: Mapping[About, Clear]
    checks: tuple[CheckView, ...]
    is_sealed_open: bool
    helps: tuple[Group, ...]

    def of(self, holder: Holder) -> tuple[FactView, ...]:
        """The facts about one of them."""
        return tuple(fact for fact in self.facts if fact.holder is holder)


@dataclass(frozen=True, slots=True)
class StalePhone:
    """A number nobody answers any more: somebody has to ask for a new one."""

    fact_id: str
    ward: WardMeant
    holder: Holder
