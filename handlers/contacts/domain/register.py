"""Who is on the register: the groups, the reasons, the levels, and how a file ends."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from bot.errors import Conflict, InvalidInput

LONGEST_WORDS: Final = 500
OF_AGE: Final = 16
"""From that birthday on nobody is on the register any more."""
LATEST_REVIEW: Final = timedelta(days=366)
"""A year at the most goes by before somebody looks again."""


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


class RegisterInvalid(InvalidInput):
    """What was filled in cannot be: the sentence says which field and why."""

    code = "contacts_register_invalid"
    default_message = "填写的内容不对，请改正后再试。"


class AlreadyEntered(Conflict):
    """The child has an open file for this group."""

    code = "contacts_already_entered"
    default_message = "这位同学这一类已经建过档，请打开原来的档案，在那里复核。"


class TooOld(Conflict):
    """The child is of age."""

    code = "contacts_too_old"
    default_message = f"这位同学已满{OF_AGE}周岁，不再建档。需要帮助的话请走学校的其他帮扶。"


class FileEnded(Conflict):
    """The file was ended meanwhile."""

    code = "contacts_file_ended"
    default_message = "这份档案已经结束，请刷新看最新的情况。"


def check_words(text: str, what: str, *, required: bool = True) -> str:
    """What somebody wrote, without blanks around it. Raises RegisterInvalid naming `what`."""
    said = text.strip()
    if required and not said:
        raise RegisterInvalid(f"请写上{what}，再保存。")
    if len(said) > LONGEST_WORDS:
        raise RegisterInvalid(f"{what}最多写{LONGEST_WORDS}个字，请删短一些再保存。")
    return said


def check_review(day: date, today: date) -> date:
    """When somebody looks again. Raises RegisterInvalid."""
    if not today < day <= today + LATEST_REVIEW:
        raise RegisterInvalid("下次复核的日期要在明天以后、一年以内，请改正后再保存。")
    return day


def check_since(day: date, today: date) -> date:
    """Since when a child is on the register. Raises RegisterInvalid."""
    if day > today:
        raise RegisterInvalid("建档日期不能晚于今天，请改正后再保存。")
    return day
