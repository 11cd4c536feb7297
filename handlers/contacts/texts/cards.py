"""Sentences and words of the contact card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from handlers.contacts.domain.card import FactKind, FactSource, Fitness, Holder
from handlers.contacts.domain.clears import About

TODO_STALE: Final = "打不通、要重新问的电话"
NO_PHONE: Final = "这一项不是电话，不能登记打通没打通，请重新选择。"
NO_PAPER_DAY: Final = "交了委托书的照片，请写上委托书的日期，再保存。"
HOLDERS: Final[Mapping[Holder, str]] = {
    Holder.CHILD: "学生",
    Holder.PARENT_1: "父母（一）",
    Holder.PARENT_2: "父母（二）",
    Holder.CARER: "照看人",
    Holder.VILLAGE: "村里联系人",
}
KINDS: Final[Mapping[FactKind, str]] = {
    FactKind.NAME: "姓名",
    FactKind.RELATION: "和学生的关系",
    FactKind.PHONE: "电话",
    FactKind.ADDRESS: "住址",
    FactKind.WORKPLACE: "在外地点",
    FactKind.EMPLOYER: "工作单位",
    FactKind.LAST_HOME: "最近回家",
    FactKind.AGE: "年龄",
    FactKind.HEALTH: "身体情况",
    FactKind.ENTRUSTMENT: "书面委托的日期",
    FactKind.BARRED: "不宜照看的情形",
}
SOURCES: Final[Mapping[FactSource, str]] = {
    FactSource.CHILD: "学生说的",
    FactSource.PARENT: "父母说的",
    FactSource.CARER: "照看人说的",
    FactSource.VILLAGE: "村里说的",
    FactSource.SCHOOL: "学校了解的",
}
FITNESS: Final[Mapping[Fitness, str]] = {Fitness.YES: "是", Fitness.NO: "否", Fitness.UNKNOWN: "不清楚"}
CLEARS: Final[Mapping[About, str]] = {
    About.CHILD: "学生清楚",
    About.PARENTS: "父母清楚",
    About.CARER: "照看人清楚",
}
UNCLEAR: Final[Mapping[About, str]] = {
    About.CHILD: "学生还不清楚",
    About.PARENTS: "父母还不清楚",
    About.CARER: "照看人还不清楚",
}
AGE_OK: Final = "年龄是不是合适"
HEALTH_OK: Final = "身体能不能照看"
NO_BARRED_GROUND: Final = "有没有不宜照看的情形"
STATED: Final = "已经记到联系卡上，可以接着记下一项。"
CONFIRMED: Final = "已经记下：又问过一次，没有变。"
ANSWERED: Final = "已经记下：电话打通了。"
MISSED: Final = "已经记下：没有打通。两次没打通，请想办法问到新号码。"
CHECKED: Final = "核实的结果已经记下，以后可以再核实一次。"
