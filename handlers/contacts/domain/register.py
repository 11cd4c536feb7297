"""Who is on the register: the groups, the reasons, the levels, and how a file ends."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Final

LONGEST_WORDS: Final = 500
OF_AGE: Final = 16
"""From that birthday on nobody is on the register any more."""


class Group(StrEnum):
    """Why a child needs more contact. Two of them are the school's own affair, the others the protection lead's."""

    LEFT_BEHIND = "left_behind"
    SINGLE_PARENT = "single_parent"
    MIGRANT = "migrant"
    HARDSHIP = "hardship"
    LEARNING = "learning"
    BEHAVIOUR = "behaviour"


class Reason(StrEnum):
    """On what ground a child was entered."""

    BOTH_AWAY = "both_away"
    ONE_AWAY_OTHER_UNABLE = "one_away_other_unable"
    OTHER = "other"


class Level(StrEnum):
    """How closely contact is kept. Set by a person, never by the program."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class Stage(StrEnum):
    """Who was told last that contact is overdue."""

    NONE = "none"
    TEACHER = "teacher"
    LEAD = "lead"
    LEADER = "leader"


OPEN_TO_TEACHERS: Final = frozenset({Group.LEARNING, Group.BEHAVIOUR})
"""Groups a head teacher may know of; whoever is in any other is known to the protection lead alone."""


def turns_of_age(born: date) -> date:
    """The day on which a child is too old for the register."""
    try:
        return born.replace(year=born.year + OF_AGE)
    except ValueError:  # 29 February
        return date(born.year + OF_AGE, 3, 1)
