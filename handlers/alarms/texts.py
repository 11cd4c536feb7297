"""Every sentence about alarms. What goes to a telephone names no child and says nothing of what happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from handlers.accounts.domain import APPOINTMENT_WORDS
from handlers.alarms.domain import AlarmKind, AlarmSource, AlarmState, Mark, ladder_of

# --------------------------------------------------------------------------------------------------------------- words
KINDS: Final[Mapping[AlarmKind, str]] = {
    AlarmKind.CRISIS: "有生命危险",
    AlarmKind.MISSING_CHILD: "孩子走失",
    AlarmKind.MANDATORY_REPORT: "应当报警的事",
    AlarmKind.OTHER: "其他急事",
}
KIND_WORDS: Final = [
    (kind.value, KINDS[kind])
    for kind in (AlarmKind.MISSING_CHILD, AlarmKind.CRISIS, AlarmKind.MANDATORY_REPORT, AlarmKind.OTHER)
]
STATES: Final[Mapping[AlarmState, str]] = {
    AlarmState.OPEN: "等人接手",
    AlarmState.ACKNOWLEDGED: "有人在办",
    AlarmState.CLOSED: "已办结",
}
TAGS: Final[Mapping[AlarmState, str]] = {
    AlarmState.OPEN: "bad",
    AlarmState.ACKNOWLEDGED: "plain",
    AlarmState.CLOSED: "good",
}
SOURCES: Final[Mapping[AlarmSource, str]] = {
    AlarmSource.CHAT: "有人在服务号里说的",
    AlarmSource.CONSOLE: "教职工在后台上报的",
    AlarmSource.SERVICE: "系统里的记录引起的",
}
STEPS: Final[Mapping[AlarmKind, tuple[str, ...]]] = {
    kind: tuple(APPOINTMENT_WORDS[step] for step in ladder_of(kind)) for kind in AlarmKind
}
RAISER: Final = "上报的人"
ON_DUTY: Final = "值班老师"
GUARDIAN: Final = "监护人"
ACTING: Final = "日常照看的人"
PLACE_UNKNOWN: Final = "不知道在哪所学校"
WARD: Final = "{name}（{where}）"
MARKS: Final[Mapping[Mark, str]] = {
    Mark.RAISED: "上报",
    Mark.STEP: "开始通知{step}",
    Mark.TOLD: "通知{who}",
    Mark.LETTER: "在服务号里通知值班老师",
    Mark.FAMILY: "通知日常照看孩子的人",
    Mark.NOBODY: "没有{step}可以通知",
    Mark.UNREACHED: "微信找不到{who}，请打电话",
    Mark.ACKNOWLEDGED: "{who}接手",
    Mark.ADDED: "又说了一些情况",
    Mark.EXHAUSTED: "该通知的都通知了，还没有人接手，请打电话",
    Mark.CLOSED: "{who}办结",
}
SOMEBODY: Final = "值班老师"
WORDS_GO: Final = "抹去已办结紧急事项里的文字"

# --------------------------------------------------------------------------------------------------------------- pages
MENU: Final = "紧急事项"
TODO_OPEN: Final = "紧急事项等人接手"
TODO_LIVE: Final = "紧急事项还没办结"
RAISED: Final = "已经上报，{number}号。正在通知有关的人，请同时按下面的电话打过去。"
RAISED_BEFORE: Final = "这件事已经上报过，是{number}号，没有重复通知。请按下面的电话打过去。"
ACKNOWLEDGED: Final = "好的，{number}号由您跟进。请马上打电话，办完写一句话办结。"
CLOSED: Final = "{number}号已经办结。"
NAMESAKE: Final = "{name}（{school}{class_name}）"
NOT_ONE_OF_THEM: Final = "都不是，或者不确定"
SAID_NAME: Final = "孩子：{name}\n"
KIND_MISSING: Final = "请选是什么事，再上报。急的话先打110。"

# -------------------------------------------------------------------------------------------------------------- pushes
PUSH: Final = (
    "【紧急】请马上打开后台“紧急事项”，看{number}号要做什么、给谁打电话。由您处理请回复“接手 {number}”。"
    "打不开就马上给学校负责人打电话。"
)
PUSH_FAMILY: Final = "【紧急】请马上给学校打电话：{name} {phone}。打不通就打110。"
PUSH_FAMILY_NO_PHONE: Final = "【紧急】请马上给孩子的班主任或学校打电话，打不通就打110。"
LINE: Final = "请马上打开“紧急事项”{number}号"
LINE_FAMILY: Final = "请马上给学校打电话"
SUBJECT: Final = "请马上打开"
SENDER: Final = "乡校"
NOTE: Final = "由您处理请回复“接手 {number}”"
NOTE_FAMILY: Final = "请马上给学校打电话"

# ---------------------------------------------------------------------------------------------------------------- chat
CHAT_ACKNOWLEDGED: Final = (
    "好的，{number}号由您跟进，不再往上催。请马上打开后台“紧急事项”看情况和电话。"
    "有生命危险先打110、120。办完在那里写一句话办结。"
)
CHAT_CLOSED: Final = "{number}号已经办结，不用再处理。回复“紧急事项”看别的。"
NOT_THERE: Final = "没有这个编号，或不归您管。回复“紧急事项”看编号。"
NONE_OPEN: Final = "现在没有没办结的紧急事项。孩子有危险，先打110、120。"
LISTED: Final = "没办结的紧急事项："
LISTED_LINE: Final = "{number}号（{when}，{state}）"
LISTED_TAIL: Final = "由您来办就回复“接手 编号”，再打开后台“紧急事项”看情况和电话。"
WHEN: Final = "{month}月{day}日{time}"
