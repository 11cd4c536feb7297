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
    Reason.OTHER: "其他",
}
REASON_CHOICES: Final[Mapping[Reason, str]] = {**REASONS, Reason.OTHER: "其他（请写说明）"}
LEVELS: Final[Mapping[Level, str]] = {Level.GREEN: "绿", Level.YELLOW: "黄", Level.RED: "红"}
LEVEL_CHOICES: Final[Mapping[Level, str]] = {
    Level.GREEN: "绿：平常联系",
    Level.YELLOW: "黄：多联系",
    Level.RED: "红：勤联系，重点看护",
}
LEVEL_TAGS: Final[Mapping[Level, str]] = {Level.GREEN: "good", Level.YELLOW: "plain", Level.RED: "bad"}
SHOWN: Final = (("all", "全部"), ("review", "两周内要复核"), ("orphaned", "还没有老师负责"))
ENTERED: Final = "已经建档。请在下面安排一位老师负责联系。"
LEVEL_SET: Final = "级别已经改好，下次联系的日期会跟着重算。"
REVIEWED: Final = "复核已经记下，到下次的日期会再提醒您。"
ENDED: Final = "这份档案已经结束，原来的记录还在，可以随时查看。"
SIGNS: Final[Mapping[Sign, str]] = {
    Sign.OPEN_REPORT: "有一件还没有办结的报告",
    Sign.CARER_UNFIT: "最近一次核实，照看人有一项不合适",
    Sign.NO_CARER: "联系卡上还没有照看人",
    Sign.NOBODY_REACHED: "最近连着几次都没有联系上",
    Sign.NOBODY_PAIRED: "还没有老师负责联系",
    Sign.LONG_OVERDUE: "联系到期很久了，还没有登记",
    Sign.CALM: "最近几次联系都很顺利",
}
