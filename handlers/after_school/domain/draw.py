"""Ranked choices and a draw: a published rule, a seed that is kept, and for each family why it came so.

The rule: who came away with nothing in the last draw goes first; within that, each family's number is a fingerprint of
the seed and the family, the smaller first. In this order each takes the first of its choices that still has room for
all its children. Nobody gains by naming other choices than the wanted ones, and anybody who has the seed comes to the
same result.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from bot.errors import Conflict

SEED_BYTES: Final = 16
RULE_VERSION: Final = 1
"""Of what stands above: a draw that was held names the rule it was held by."""


class DrawTooEarly(Conflict):
    """Families may still sign up."""

    code = "draw_too_early"
    default_message = "还有年级没到报名截止时间，截止以后才能抽签。请到时间再来。"


class ChoiceEnd(StrEnum):
    """What became of one choice, as its family is told."""

    GOT = "got"
    NO_ROOM = "no_room"
    NOT_NEEDED = "not_needed"
    CLASH = "clash"
    """Took no part: the child has a place at the same hours by now."""
    GONE = "gone"
    """Took no part: the child is at the school no more."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """A family in the draw. Each of `choices` says which programme each of its children would go to, the dearest
    first: one child has one programme a choice, siblings who stay together have one each."""

    key: str
    choices: tuple[tuple[str, ...], ...]
    missed_before: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A choice that had no room when the family's turn came. `last_turn`: the turn of the family that took the last
    place of the fullest of its programmes, None when there were never enough."""

    choice: int
    programme: str
    last_turn: int | None


@dataclass(frozen=True, slots=True)
class Drawn:
    """What came of it for one family: its turn, from 1; which choice it got, from 1, None for nothing; and why not the
    ones before."""

    key: str
    turn: int
    choice: int | None
    programmes: tuple[str, ...] = ()
    refused: tuple[Refused, ...] = field(default=())


def order_of(entrants: Sequence[Entrant], seed: bytes) -> list[Entrant]:
    """In which order they choose."""
    return sorted(entrants, key=lambda each: (not each.missed_before, number_of(each.key, seed), each.key))


def number_of(key: str, seed: bytes) -> str:
    """A family's number in a draw, in hexadecimal digits."""
    return hmac.new(seed, key.encode(), hashlib.sha256).hexdigest()


def draw(entrants: Sequence[Entrant], places: Mapping[str, int], seed: bytes) -> list[Drawn]:
    """The result, in the order of the turns; the same for the same entrants (in any order), places and seed."""
    free = Counter(places)
    last: dict[str, int] = {}
    results = []
    for turn, entrant in enumerate(order_of(entrants, seed), 1):
        refused: list[Refused] = []
        got: int | None = None
        for position, programmes in enumerate(entrant.choices, 1):
            full = next((name for name, number in Counter(programmes).items() if free[name] < number), None)
            if full is not None:
                refused.append(Refused(position, full, last.get(full)))
                continue
            free.subtract(programmes)
            last.update(dict.fromkeys(programmes, turn))
            got = position
            break
        own = entrant.choices[got - 1] if got else ()
        results.append(Drawn(entrant.key, turn, got, own, tuple(refused)))
    return results
