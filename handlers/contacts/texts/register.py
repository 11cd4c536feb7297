"""Sentences of the register, for the protection lead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from handlers.contacts.domain.register import Group, Level, Reason
from handlers.contacts.domain.suggestions import Sign

MENU: Final = "家校联系安排"
LEVEL: Final = "联系的级别和理由"
TODO_REVIEW: Final = "到期要复核的家校联系"
TODO_ORPHANED: Final = "家校联系还没有老师负责的学生"
GROUPS: Final[Mapping[Group, str]] = {
    Group.LEFT_BEHIND: "留守",
    Group.SINGLE_PARENT: "单亲家庭",
    Group.MIGRANT: "随迁",
    Group.HARDSHIP: "家庭困难",
    Group.LEARNING: "学习帮扶",
    Group.BEHAVIOUR: "行为帮扶",
}
HELPS: Final[Mapping[Group, str]] = {Group.LEARNING: "学习帮扶", Group.BEHAVIOUR: "行为帮扶"}
REASONS: Final[Mapping[Reason, str]] = {
    Reason.BOTH_AWAY: "父母都在外",
    Reason.ONE_AWAY_OTHER_UNABLE: "一方在外，另一方照看不了",
    Reason.OTHER: "其他（请写说明）",
}
LEVELS: Final[Mapping[Level, str]] = {Level.GREEN: "绿", Level.YELLOW: "黄", Level.RED: "红"}
SIGNS: Final[Mapping[Sign, str]] = {
    Sign.OPEN_REPORT: "有一件还没有办结的报告",
    Sign.CARER_UNFIT: "最近一次核实，照看人有一项不合适",
    Sign.NO_CARER: "联系卡上还没有照看人",
    Sign.NOBODY_REACHED: "最近连着几次都没有联系上",
    Sign.NOBODY_PAIRED: "还没有老师负责联系",
    Sign.LONG_OVERDUE: "联系到期很久了，还没有登记",
    Sign.CALM: "最近几次联系都很顺利",
}
