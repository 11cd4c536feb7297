"""Who is told that contact with a child is overdue, one after another, and in how many messages. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from handlers.contacts.domain.clock import ClockRule, ContactDays
from handlers.contacts.domain.register import Stage

REPEATED_AFTER: Final = 5
"""School days after which whoever was told of something overdue is told again."""
STAGES: Final = (Stage.NONE, Stage.TEACHER, Stage.LEAD, Stage.LEADER)
"""Who is told, one after another."""


def is_below(stage: Stage, other: Stage) -> bool:
    """Whether it comes before the other one."""
    return STAGES.index(stage) < STAGES.index(other)


def stage_on(rule: ClockRule, due_on: date, days: ContactDays, today: date) -> Stage:
    """Who is to have been told by a day, by the days that have passed."""
    if today < due_on:
        return Stage.NONE
    passed = days.open_since(due_on, today)
    steps = (
        (rule.leader_after, Stage.LEADER),
        (rule.lead_after, Stage.LEAD),
        (rule.teacher_grace, Stage.TEACHER),
    )
    return next((stage for after, stage in steps if passed >= after), Stage.NONE)


@dataclass(frozen=True, slots=True)
class Told:
    """How far telling has come. `on` None with a stage above NONE: those on it could not be reached."""

    stage: Stage = Stage.NONE
    on: date | None = None

    @property
    def is_lost(self) -> bool:
        """Whether nobody on the stage heard of it."""
        return self.on is None and self.stage is not Stage.NONE


def next_stage(told: Told, wanted: Stage, today: date) -> Stage:
    """The stage to be told today: one further at most, and none is left out however late somebody looks. A stage on
    which nobody could be reached is not waited for."""
    if wanted is Stage.NONE and not told.is_lost:
        return told.stage
    is_behind = is_below(told.stage, wanted) and (told.on is None or told.on < today)
    if not is_behind and not told.is_lost:
        return told.stage
    return STAGES[min(STAGES.index(told.stage) + 1, len(STAGES) - 1)]


def kept_stage(told: Told, before: date | None, after: date, wanted: Stage) -> Told:
    """What is left of telling when the due day has moved: whoever was told of what was due then need not hear of what
    is due later. `before` None: nothing was."""
    if before is not None and after <= before:
        return told
    return Told() if wanted is Stage.NONE else Told(min(told.stage, wanted, key=STAGES.index), told.on)


def is_repeated(told_on: date, today: date, days: ContactDays) -> bool:
    """Whether whoever was told on a day is to hear of it once more."""
    passed = days.open_since(told_on, today)
    return passed > 0 and passed % REPEATED_AFTER == 0


# --------------------------------------------------------------------------------------------------------------- parts
class Part(StrEnum):
    """In which part somebody is told. The graver first."""

    NOBODY = "nobody"
    """Nobody at the school answers for it."""
    LEADER = "leader"
    LEAD = "lead"
    OWN = "own"


def messages_of(parts: set[Part], daily_cap: int) -> list[tuple[Part, ...]]:
    """What somebody in these parts gets in a day, the graver first: each part by itself as far as the cap reaches, the
    rest in one."""
    ordered = [part for part in Part if part in parts]
    alone = min(len(ordered), daily_cap) - 1
    return [(part,) for part in ordered[:alone]] + [tuple(ordered[alone:])] if ordered else []


@dataclass(frozen=True, slots=True)
class Answerable:
    """Who answers for contact with a child, by person: who keeps it (where nobody does, the head teacher), the
    protection lead, the school leader, the township's administrators."""

    keepers: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()
    leaders: tuple[str, ...] = ()
    administrators: tuple[str, ...] = ()

    def heard_by(self, stage: Stage) -> tuple[Part, tuple[str, ...]]:
        """Who is told on a stage, and in which part: where nobody holds it whoever stands above, and above the school
        leader the lead once more. The last ones hear only that nobody is there."""
        above = {
            Stage.TEACHER: (Part.OWN, Part.LEAD, Part.LEADER),
            Stage.LEAD: (Part.LEAD, Part.LEADER),
            Stage.LEADER: (Part.LEADER, Part.LEAD),
        }
        holding = {Part.OWN: self.keepers, Part.LEAD: self.leads, Part.LEADER: self.leaders}
        found = next(((part, holding[part]) for part in above.get(stage, ()) if holding[part]), None)
        return found or (Part.NOBODY, self.administrators)

    def parts(self, stage: Stage) -> list[tuple[Part, tuple[str, ...]]]:
        """Everybody for whom a child is among those they are told of, once its stage is reached."""
        heard = [self.heard_by(each) for each in STAGES[1 : STAGES.index(stage) + 1]]
        return list(dict.fromkeys(heard))
