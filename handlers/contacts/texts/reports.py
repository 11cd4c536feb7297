"""Sentences of mandatory reports. What goes to anybody's telephone names no child and says nothing of what happened."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from handlers.contacts.domain.records import ReportState
from handlers.contacts.domain.reports import Called
from handlers.contacts.domain.triggers import Trigger

TRIGGERS: Final[Mapping[Trigger, str]] = {
    Trigger.ALONE: "孩子独自在家、没有大人照看",
    Trigger.MISSING: "孩子失踪、下落不明",
    Trigger.UNFIT: "监护人没有能力照看，或不该由他照看",
    Trigger.VIOLENCE: "孩子被打、身上有伤",
    Trigger.ABUSE: "虐待、遗弃、性侵害",
    Trigger.SELF_HARM: "孩子有轻生、自伤的话或举动",
}
CALLED: Final[Mapping[Called, str]] = {
    Called.POLICE: "110",
    Called.TOWNSHIP: "乡镇",
    Called.OTHER: "其他",
}
STATES: Final[Mapping[ReportState, str]] = {
    ReportState.OPEN: "电话还没有写全",
    ReportState.COMPLETE: "已报告，还没办结",
    ReportState.CLOSED: "已办结",
}
TAGS: Final[Mapping[ReportState, str]] = {
    ReportState.OPEN: "bad",
    ReportState.COMPLETE: "plain",
    ReportState.CLOSED: "good",
}
MENU: Final = "强制报告"
TODO_OPEN: Final = "强制报告还没有写全电话"
TODO_COMPLETE: Final = "强制报告还没有办结"
ALARM_SAID: Final = "老师联系家庭时发现了应当报告的情况。写的内容在“强制报告”里，请学校的保护负责人打开。"
DENIED: Final = "系统问过是不是“{what}”，登记的老师答：不是。"
GONE: Final = "已离校的学生"
CALL_ADDED_OPEN: Final = "记下了。还有电话没有打，请接着打，打完写在下面。"
CALLS_DONE: Final = "110和乡镇的电话都记下了，保护负责人会接着跟进。现在可以继续登记家校联系了。"
CLOSED: Final = "已经办结。请继续按时联系这个家庭。"
OPENED: Final = "已经报告并通知了学校负责人。请现在就打110，再打乡镇的电话，打完写在下面。"
TICK: Final = "请选是哪一种情况，再报告。孩子有危险，先打110。"

# ---------------------------------------------------------------------------------------------------------------- chat
ASK: Final = (
    "您写的可能是：{what}。\n孩子有危险，请马上打110，再回来登记。\n"
    "1. 是，要报告\n2. 不是这种情况，继续保存\n请回复数字。写的内容已存成草稿。"
)
ASK_AGAIN: Final = "请回复1（是，要报告）或2（不是这种情况）。孩子有危险，马上打110。"
SAVED: Final = "登记已保存，学校的负责人已接到通知。"
POLICE: Final = (
    "现在请马上打110说明情况。{numbers}\n"
    "打完请回复：几点 谁打的 接警编号，例如：14:20 王老师 编号0123。没给编号就写“没给”。"
)
TOWNSHIP: Final = (
    "110记下了。请再打乡镇的电话。{numbers}\n打完请回复：几点 谁打的 接电话的人，例如：14:35 王老师 李主任。"
)
NUMBER: Final = "{role}{name} {phone}"
NUMBERS: Final = "\n电话：{numbers}。"
CALL_UNCLEAR: Final = "没有看懂。请按“几点 谁打的 {what}”回复，例如：14:20 王老师 {example}。"
WHAT: Final[Mapping[Called, str]] = {Called.POLICE: "接警编号", Called.TOWNSHIP: "接电话的人"}
EXAMPLE: Final[Mapping[Called, str]] = {Called.POLICE: "编号0123", Called.TOWNSHIP: "李主任"}
NONE_OPEN: Final = "没有要您补写的报告。发现新的情况，孩子有危险先打110，再回复“家访”登记。"
FIRST: Final = "{name}有一件强制报告还没有写全，先办这件。\n"
CALM: Final = "孩子有危险，请马上打110，要救护车打120，再给学校负责人打电话。刚才写的请过一会儿再发一次。"


def joined(triggers: Collection[Trigger]) -> str:
    """Several in one line, always in the same order."""
    return "；".join(words for trigger, words in TRIGGERS.items() if trigger in triggers)
