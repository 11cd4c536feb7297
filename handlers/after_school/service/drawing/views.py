"""What the services of draws give."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from handlers.after_school.domain.draw import ChoiceEnd


@dataclass(frozen=True, slots=True)
class HeldDraw:
    """A draw that was held. `children`: how many took part; `lucky`: how many of them got a place."""

    held_at: datetime
    seed: str
    rule_version: int
    children: int
    lucky: int


@dataclass(frozen=True, slots=True)
class DrawLine:
    """A course that is drawn for. `wishes`: how many wait for the draw; `places_left` None: as many as come."""

    title: str
    wishes: int
    places_left: int | None


@dataclass(frozen=True, slots=True)
class DrawStanding:
    """How a plan stands with its draws. `closes_at`: when the last family may sign up."""

    lines: tuple[DrawLine, ...]
    children: int
    closes_at: datetime
    may_hold: bool
    held: tuple[HeldDraw, ...]


@dataclass(frozen=True, slots=True)
class ChoiceTold:
    """What became of one choice. `rank`: 1 the dearest; `last_turn`: who took the last place, by turn."""

    rank: int
    programme: str
    end: ChoiceEnd
    last_turn: int | None = None


@dataclass(frozen=True, slots=True)
class DrawTold:
    """Why it came so for one child: never who the others are. `number` follows from `seed` and `key`."""

    held_at: datetime
    rule_version: int
    turn: int
    missed_before: bool
    choices: tuple[ChoiceTold, ...]
    seed: str
    key: str
    number: str

    @property
    def has_place(self) -> bool:
        """Whether the draw gave one."""
        return any(choice.end is ChoiceEnd.GOT for choice in self.choices)
