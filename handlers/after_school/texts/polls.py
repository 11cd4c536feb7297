"""Everything said about the poll at term's end and the figures for the yearly appraisal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

QUESTIONS: Final[Mapping[str, str]] = {
    "safety": "孩子在课后服务里安全吗，您放心吗？",
    "homework": "孩子在校做作业的情况，您满意吗？",
    "courses": "开的课和活动，孩子喜欢吗？",
    "teachers": "老师照看孩子，您满意吗？",
    "pick_up": "放学接送的安排，您满意吗？",
}
CHOICES: Final[Mapping[int, str]] = {1: "很满意", 2: "满意", 3: "一般", 4: "不满意"}
FEW: Final = "少于5，不显示"
OPENED: Final = "调查开始了，{day}截止。会通知家长，在服务号回复“满意度”或在小程序里填，不记名。"
PUSH_SUBJECT: Final = "课后服务满意度"
PUSH_NOTE: Final = "回复“满意度”填，不记名"
PUSH_TEXT: Final = (
    "【{title}】想听听您的意见：五个问题，点数字就行，不记名，{day}截止。\n"
    "回复“满意度”开始，也可以在小程序里填。不填也没关系。"
)
PUSH_LINE: Final = "“{title}”请您填满意度，{day}截止，回复“满意度”"
CHAT_LEAD: Final = "“{title}”满意度，{count}个问题，不记名。不想填了回复“退出”。"
CHAT_QUESTION: Final = "第{number}题（共{count}题）：{question}回复数字："
CHAT_DONE: Final = "收到了，谢谢。您选了什么只记数，不记是谁选的。有具体的事要学校办，回复“人工”。"
CHAT_NOTHING: Final = "现在没有要您填的满意度调查，或者您已经填过了。有意见可以回复“人工”说。"
_DAY: Final = "{month}月{day}日"
LESSONS: Final = "上课"
LESSONS_VALUE: Final = "计划{planned}次，上了{held}次"
LESSONS_MEANS: Final = "计划：校历上课日中每个班该上的课次；上了：点过名、没有记“没有上课”的课次。"
ATTENDED: Final = "到课率"
ATTENDED_MEANS: Final = "上了的课里，点名“到了”和“提前接走”的人次，占点名总人次的百分比，去掉小数。"
PERCENT: Final = "{percent}%"
MISSED: Final = "没到又没请假"
MISSED_VALUE: Final = "{times}人次"
MISSED_MEANS: Final = "现在记为“没到，没请假”的人次。更正过的按更正后的算。"
CHECKED: Final = "当天检查"
CHECKED_VALUE: Final = "有课{days}天，检查了{checked}天"
CHECKED_MEANS: Final = "有课：至少点过一个班名的日子；检查了：值班人员记过当天检查的日子。只算学校自己的安排。"
SATISFIED: Final = "满意度：{question}"
SATISFIED_MEANS: Final = "选“很满意”“满意”的占填答的百分比，去掉小数。填答太少或一边太少时不显示。"


def last_day(closes_at: datetime) -> str:
    """The last day on which one can answer, of the local midnight at which it ends."""
    last = closes_at - timedelta(seconds=1)
    return _DAY.format(month=last.month, day=last.day)
