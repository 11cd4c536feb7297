"""Every sentence about recurring duties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from handlers.accounts.domain import APPOINTMENT_WORDS
from handlers.duties.domain import OWNERS, Rhythm, TaskState

# ------------------------------------------------------------------------------------------------- what comes with it
SHIPPED: Final[Mapping[str, tuple[str, str]]] = {
    "monthly_report": (
        "给中心学校的每月书面报告",
        "写明本月学生在校、安全和家校联系情况，有没有需要中心学校帮忙的事，签字后交中心学校。",
    ),
    "roster_check": (
        "开学核对班级名单",
        "对照到校的学生核对名单：谁没来、谁转走了、监护人和电话有没有变，改好后再记。",
    ),
    "safety_check": (
        "每月安全检查",
        "查校舍、消防、食堂、校门和上下学路段，发现的问题写明谁来改、哪天改好。",
    ),
}

# --------------------------------------------------------------------------------------------------------------- words
STATES: Final[Mapping[TaskState, str]] = {
    TaskState.OPEN: "待办",
    TaskState.LATE: "超期",
    TaskState.ESCALATED: "超期，已报上一级",
    TaskState.DONE: "已办好",
}
TAGS: Final[Mapping[TaskState, str]] = {
    TaskState.OPEN: "plain",
    TaskState.LATE: "bad",
    TaskState.ESCALATED: "bad",
    TaskState.DONE: "good",
}
RHYTHMS: Final[Mapping[Rhythm, str]] = {
    Rhythm.MONTH_END: "每月最后一个上课日",
    Rhythm.TERM_START: "每学期第一周",
    Rhythm.WEEKLY: "每周的一天",
    Rhythm.MONTH_DAY: "每月的一天",
}
OWNER_WORDS: Final = [(kind.value, APPOINTMENT_WORDS[kind]) for kind in OWNERS]
RHYTHM_WORDS: Final = [(rhythm.value, words) for rhythm, words in RHYTHMS.items()]
_WEEKDAYS: Final = "一二三四五六日"
PROVISIONAL: Final = "暂定"
OWNER: Final = "{kind}{names}"
STAND_IN: Final = "{kind}没有人任职，由{stand_in}{names}负责"
STAND_IN_NOBODY: Final = "{kind}没有人任职，请先任命"


def rhythm_in_words(rhythm: Rhythm, number: int) -> str:
    """每周五, 每月15号, 每月最后一个上课日."""
    if rhythm is Rhythm.WEEKLY:
        return f"每周{_WEEKDAYS[number - 1]}"
    return f"每月{number}号" if rhythm is Rhythm.MONTH_DAY else RHYTHMS[rhythm]


# --------------------------------------------------------------------------------------------------------------- pages
MENU: Final = "定期工作"
TODO_OPEN: Final = "要办的定期工作"
TODO_LATE: Final = "超期没办的定期工作"
DONE: Final = "已经记下：{title}办好了。"
RULE_ADDED: Final = "规定已经加上，到时候会提醒负责的人。"
RULE_CHANGED: Final = "规定已经改好，还没办的按新规定来。"
RULE_STOPPED: Final = "这条规定已经停用，还没办的不用再办。"
BAD_FILTER: Final = "查询条件看不懂，请重新选择后再查。"
WHEN: Final = "{year}年{month}月{day}日"

# -------------------------------------------------------------------------------------------------------------- pushes
_TAIL: Final = "办好后回复“我的任务”记一下，或到后台“定期工作”里记。"
PUSH_BEFORE: Final = "【定期工作】{title}（{place}），最迟{day}办好{provisional}。" + _TAIL
PUSH_LATE: Final = "【定期工作超期】{title}（{place}），应在{day}办好，还没有记录。请尽快办。" + _TAIL
PUSH_ESCALATED: Final = (
    "【定期工作超期】{title}（{place}），应在{day}办好，负责的人还没有记录。请您过问；办好后到后台“定期工作”里记。"
)
LINE_BEFORE: Final = "{title}（{place}），最迟{day}办好"
LINE_LATE: Final = "{title}（{place}）超期，请尽快办"
LINE_ESCALATED: Final = "{title}（{place}）超期，请您过问"
IS_PROVISIONAL: Final = "（校历未定，日期可能变）"
SENDER: Final = "乡校"
# What a change of the calendar would do.
WOULD_MOVE: Final = "定期工作“{title}”（{where}）：原来最迟{before}，改为最迟{after}。"
WOULD_GO: Final = "定期工作“{title}”（{where}）：原来最迟{before}，这一次不用办了。"
PLACES: Final = "{count}处"
NOTE: Final = "回复“我的任务”办理"
DAY: Final = "{month}月{day}日"

# ---------------------------------------------------------------------------------------------------------------- chat
NOTHING: Final = "您现在没有要办的定期工作。到时候会提醒您，也可以随时回复“我的任务”看。"
LISTED: Final = "您要办的有{count}件："
LISTED_LINE: Final = "{number}. {title}（{place}），{state}"
LINE_IS_OPEN: Final = "最迟{day}"
LINE_IS_LATE: Final = "应在{day}办好，已超期"
LISTED_MORE: Final = "还有{count}件，请到后台“定期工作”里看。"
LISTED_TAIL: Final = "哪一件办好了，回复它前面的编号。不办就回复“退出”。"
ASK_NOTE: Final = "{title}（{place}）办好了？回复“好了”记下；要写一句说明，就直接写。不记就回复“退出”。"
CHAT_DONE: Final = "已经记下：{title}（{place}）办好了。回复“我的任务”看还有没有别的。"
DONE_WORDS: Final = ("好了", "办好了", "好", "好的", "做好了", "完成", "完成了", "是", "确认", "1")
WEEKDAY_WORDS: Final = [(str(number), f"星期{sign}") for number, sign in enumerate(_WEEKDAYS, 1)]
SHOWN_WORDS: Final = [("late", "只看超期的"), ("done", "已办好的")]
CHOOSE_TOWNSHIP: Final = "请选是哪个乡镇的规定，再继续。"
