"""Every sentence the calendar says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MENU: Final = "校历"

# --------------------------------------------------------------------------------------------------------------- todos
TODO_YEAR: Final = "{year}年的放假安排还没有填，校历是临时的"
TODO_TERM: Final = "下一个学期的起止日期还没有填"

# --------------------------------------------------------------------------------------------------------------- words
WEEKDAYS: Final = ("一", "二", "三", "四", "五", "六", "日")
DAY_WORDS: Final[Mapping[str, str]] = {
    "lessons": "上课",
    "make_up": "调休上课",
    "local_on": "上课",
    "local_off": "不上课",
    "holiday": "放假",
    "weekend": "休息",
    "vacation": "假期",
}
LOCAL_KINDS: Final[Mapping[str, str]] = {
    "market": "赶集",
    "harvest": "农忙",
    "exam": "考试",
    "weather": "天气停课",
    "event": "学校活动",
    "other": "其他",
}
EFFECTS: Final[Mapping[str, str]] = {"off": "不上课", "on": "上课"}
HOLIDAYS: Final = ("元旦", "春节", "清明节", "劳动节", "端午节", "中秋节", "国庆节", "", "")

# -------------------------------------------------------------------------------------------------------------- notices
SAVED: Final = "校历已经改好，按它安排的提醒会跟着重新安排。"
NO_DATES: Final = "请把日期填完整，写成2026-09-01这样，再试一次。"
HALF_HOLIDAY: Final = "有的节日只填了一半，请把名称和两个日期都填上，或者都清空。"
NO_CHOICE: Final = "请选择种类，以及这几天上不上课，再试一次。"
ARITHMETIC: Final = "请再对一遍：放假的工作日减去补班的日子是{found}天，全年法定节假日应当是{wanted}天。"

# -------------------------------------------------------------------------------------------------------------- effects
NOTHING: Final = "上课的日子都不变。"
GAINED: Final = "多上课{count}天：{days}。"
LOST: Final = "少上课{count}天：{days}。"
FOR_SCHOOLS: Final = "{schools}——"
MORE_SCHOOLS: Final = "{schools}等{count}所学校——"
MOVED: Final = "还没有发出的消息，有{count}条会改到别的时间，或者不再发。"
MOVED_NONE: Final = "还没有发出的消息都不变。"
MORE_MOVED: Final = "还有{count}项定期工作也会改日子，改好后到“定期工作”里看。"
WRITTEN: Final = "这次修改会写进查阅记录。"
MANY_DAYS: Final = "{first}至{last}之间"

# --------------------------------------------------------------------------------------------------------------- today
TODAY: Final = "今天是{day}，{words}。"
TODAY_IN_TERM: Final = "今天是{day}，{term}第{week}周，{words}。"

# -------------------------------------------------------------------------------------------------------------- titles
TERM_TITLE: Final = "填写学期"
TERM_SURE: Final = "{name}：{first}至{last}"
TERM_REMOVE: Final = "删除学期“{name}”"
DAYS_TITLE: Final = "填写本地安排"
DAY_SURE: Final = "{name}（{effect}）：{first}"
DAYS_SURE: Final = "{name}（{effect}）：{first}至{last}"
DAYS_REMOVE: Final = "删除本地安排“{name}”"
WEEK_TITLE: Final = "每周哪几天上课"
WEEK_SURE: Final = "每周上课日：星期{days}"
WEEK_BACK: Final = "每周上课日和全镇一样"
WEEK_USUAL: Final = "每周上课日：星期一至星期五"
YEAR_TITLE: Final = "{year}年放假安排"
YEAR_SURE: Final = "{year}年放假安排：{holidays}个节日，补班{make_up}天"
YEAR_BACK: Final = "{year}年改用随程序发布的放假安排"
YEAR_NONE: Final = "删掉{year}年的放假安排，改回临时校历"
