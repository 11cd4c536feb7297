"""Every sentence of the check at the beginning of a term."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from handlers.term_check.domain.cases import CaseEvent, CaseState, KnownBy, Stage, StepKind
from handlers.term_check.domain.figures import Level, RateName

# --------------------------------------------------------------------------------------------------------------- words
STATES: Final[Mapping[CaseState, str]] = {
    CaseState.ABSENT: "没到，去向还不清楚",
    CaseState.LOCATED: "没到，去向已查清",
    CaseState.RETURNED: "已经到校",
    CaseState.TRANSFERRED: "已转学，有凭证",
    CaseState.ILL: "因病请假",
    CaseState.OTHER: "其他情况",
}
STATE_TAGS: Final[Mapping[CaseState, str]] = {
    CaseState.ABSENT: "bad",
    CaseState.LOCATED: "bad",
    CaseState.RETURNED: "good",
    CaseState.TRANSFERRED: "good",
    CaseState.ILL: "plain",
    CaseState.OTHER: "plain",
}
STAGES: Final[Mapping[Stage, str]] = {
    Stage.CLASS: "班主任在办",
    Stage.SCHOOL: "已报校长",
    Stage.CENTRE: "已报中心学校",
    Stage.TOWNSHIP: "已报乡镇",
}
STEPS: Final[Mapping[StepKind, str]] = {
    StepKind.MISSED: "清点时没到",
    StepKind.CALL: "打电话",
    StepKind.VISIT: "家访",
    StepKind.PERSUASION: "劝返",
    StepKind.LOCATED: "查清去向",
    StepKind.CLOSED: "办结",
    StepKind.REOPENED: "重新算作没到",
    StepKind.CLIMBED: "往上报",
}
TALKS: Final = [(kind.value, STEPS[kind]) for kind in (StepKind.CALL, StepKind.VISIT, StepKind.PERSUASION)]
SOURCES: Final[Mapping[KnownBy, str]] = {
    KnownBy.GUARDIAN: "家长",
    KnownBy.RELATIVE: "亲戚、邻居",
    KnownBy.VILLAGE: "村里",
    KnownBy.CLASSMATE: "同学",
    KnownBy.OTHER_SCHOOL: "别的学校",
    KnownBy.ELSE: "其他人",
}
ENDINGS: Final = [
    (CaseEvent.RETURN.value, "已经到校"),
    (CaseEvent.TRANSFER.value, "转学（要拍凭证）"),
    (CaseEvent.EXCUSE.value, "因病请假（要写哪天返校）"),
    (CaseEvent.OTHERWISE.value, "其他情况（算作辍学）"),
]
LEVELS: Final[Mapping[Level, str]] = {Level.PRIMARY: "小学", Level.JUNIOR: "初中"}
RATES: Final[Mapping[RateName, str]] = {
    RateName.ENROLMENT: "新生入学率",
    RateName.RETENTION: "巩固率",
    RateName.DROP_OUT: "辍学率",
}
DEFINITIONS: Final[Mapping[RateName, str]] = {
    RateName.ENROLMENT: "本学年新上名单的学生里，已到校或因病请假的，占新上名单的学生（不算有凭证转走的）的比例。"
    "只按学校名单算，没有上名单的适龄儿童不在里面，请另外和户籍核对。",
    RateName.RETENTION: "本学年第一次清点时上学期名单上的学生里，到最近一次清点还在校或因病请假的，"
    "占这些学生（不算有凭证转走的）的比例。是一年的巩固率，不是六年、三年的。",
    RateName.DROP_OUT: "本学年名单上的全部学生里，到最近一次清点还没到校的，加上写成“其他情况”的，"
    "占全部学生（不算有凭证转走的）的比例。",
}
SHOWN: Final[Mapping[str, tuple[CaseState, ...]]] = {
    "open": (CaseState.ABSENT, CaseState.LOCATED),
    "away": (CaseState.ILL, CaseState.OTHER, CaseState.TRANSFERRED),
    "back": (CaseState.RETURNED,),
}
SHOWN_WORDS: Final = [("open", "还没到的"), ("away", "请假、转学和其他"), ("back", "已经到校的")]

# --------------------------------------------------------------------------------------------------------------- pages
MENU: Final = "开学清点"
MENU_BOARD: Final = "到校总表"
MENU_CASES: Final = "没到校的学生"
TODO_RETURN: Final = "今天还没交到校情况的班"
TODO_CASES: Final = "还没到校、要找的学生"
BEGUN: Final = "清点开始了，请各班今天交到校情况。"
REPORTED_ALL: Final = "已经交好：{here}人到校，都有着落了，明天起不用再交。"
REPORTED: Final = "已经交好：{here}人到校，还有{open}人没到。请尽快联系，明天上课再交一次。"
DUTY_DONE: Final = "“开学核对班级名单”也一起记好了。"
NOT_OF_CLASS: Final = "名单刚有变动，请刷新后再点一遍。"
TALKED: Final = "已经记下。还要联系的话，随时再记一条。"
LOCATED: Final = "去向已经记下。孩子到校以前，清点还会继续问。"
ENDED: Final = "已经办结。"
REOPENED: Final = "已经改回没到校，请继续联系。"
NO_TALK: Final = "请选打电话、家访或劝返，再交一次。"
NO_SOURCE: Final = "请选是听谁说的，再交一次。"
NO_ENDING: Final = "请选一个结果，再交一次。"
OPEN_ALREADY: Final = "这位同学已经有一件还没办结的，请在那一件里办。"
BAD_DAY: Final = "哪天联系的没有填对：要在最近60天里，不能晚于今天。请改一下再交。"
BAD_DATE: Final = "日期看不懂，请写成2026-09-01这样，再交一次。"
RULE_PAST: Final = "从哪天起不能早于今天，请改一下再交。"
RULE_LATER: Final = "已经登记过从这天或以后起的规定，请选更晚的一天。"
RULE_SCHOOL: Final = "中心学校要从本乡镇的学校里选，请重新选一次。"
RULE_SET: Final = "规定已经登记，从{day}起按它办。"
SHEET: Final = "到校情况"
SHEET_YEAR: Final = "{year}—{next}学年"
SHEET_LIMIT: Final = "辍学率控制：小学低于{primary}，初中低于{junior}（依据：{clause}）"
SHEET_NO_LIMIT: Final = "乡镇还没有登记辍学率的控制数"
SHEET_DEFINITION: Final = "{name}：{words}"
SHEET_HEAD: Final = (
    "学校", "学段", "名单人数", "到校", "没到", "因病请假", "转学有凭证", "其他", *RATES.values(), "没有交过的班",
)  # fmt: skip
TOTAL: Final = "合计"

# -------------------------------------------------------------------------------------------------------------- pushes
SENDER: Final = "乡校"
PUSH_SUBJECT: Final = "开学清点"
PUSH_NOTE: Final = "请打开“开学清点”办理"
PUSHES: Final[Mapping[str, tuple[str, str]]] = {
    "return": (
        "【开学清点】{place}今天的到校情况还没有交。请回复“开学清点”，或到后台“开学清点”里交，一分钟就好。",
        "{place}今天的到校情况还没有交",
    ),
    "late": (
        "【开学清点】{place}有{count}个班上一个上课日没有交到校情况。请到后台“到校总表”看是哪几个班，提醒班主任今天交。",
        "{place}有{count}个班没有交到校情况",
    ),
    "school": (
        "【开学清点】{place}有{count}名学生没有到校，已到该由学校过问的时候。请到后台“没到校的学生”里看，安排家访。",
        "{place}有{count}名学生没有到校，请过问",
    ),
    "centre": (
        "【开学清点】{place}有{count}名学生一直没有到校，已到该由中心学校过问的时候。请到后台“到校总表”看是哪几所学校。",
        "{place}有{count}名学生一直没有到校，请过问",
    ),
    "township": (
        "【开学清点】{place}有{count}名学生一直没有到校，已到该由乡镇过问的时候。请到后台“没到校的学生”里看，"
        "会同村里劝返。",
        "{place}有{count}名学生一直没有到校，请过问",
    ),
}

# ---------------------------------------------------------------------------------------------------------------- chat
NO_CLASS: Final = "现在没有要您清点的班。开学以后会自动开始；需要帮忙请回复“帮助”。"
WHICH_CLASS: Final = "清点哪个班？请回复编号："
CLASS_LINE: Final = "{school}{room}"
ASK: Final = (
    "{school}{room}应到{listed}人。{open}都到了就回复“全到”；有人没到，写出没到的姓名，几个人用顿号隔开。"
    "不清点就回复“退出”。"
)
ASK_OPEN: Final = "上次没到的有：{names}。"
SURE: Final = "没到的是{names}，其他{here}人都到了，对吗？回复“确认”就交；不对就重新写姓名。"
UNKNOWN_NAMES: Final = "名单上没有{names}。请对照花名册写全名，几个人用顿号隔开；都到了就回复“全到”。"
SAME_NAMES: Final = "名单上有几位{names}，聊天里分不清。请到后台“开学清点”里交，或回复“退出”。"
NOT_IN_CHAT: Final = "名单太长，请到后台“开学清点”里交。"
DONE_ALL: Final = "已经交好：{school}{room}{here}人到校，都有着落了，明天起不用再交。{duty}"
DONE_OPEN: Final = (
    "已经交好：{school}{room}{here}人到校，还没到的{open}人。联系过以后回复“到校情况”记一下，明天上课再交一次。"
)
ALL_HERE: Final = ("全到", "都到了", "全到了", "全部到了", "到齐", "到齐了", "都到", "全部到齐", "全齐")
STANDING_NONE: Final = "{school}{room}：{state}。"
STATE_UNREPORTED: Final = "今天还没有交到校情况，回复“开学清点”来交"
STATE_FULL: Final = "{here}人到校，都有着落了"
STATE_REPORTED: Final = "今天已交，{here}人到校，{open}人没到"
STANDING_HEAD: Final = "还没到校的：\n"
STANDING_TAIL: Final = "联系过哪一位，回复前面的编号记一下；不记就回复“退出”。"
STANDING_MORE: Final = "还有{count}位，请到后台“没到校的学生”里看。"
ASK_HOW: Final = "{child}：怎么联系的？请回复编号："
HOW_BACK: Final = "已经到校"
HOW_LOCATED: Final = "查清了去向"
ASK_WORDS: Final = "写一句：见了谁、怎么说的、下一步怎么办。"
ASK_WHERE: Final = "写一句：现在在哪里，哪天能来。"
ASK_SOURCE: Final = "是听谁说的？请回复编号："
NOTED: Final = "记好了。回复“到校情况”看其他同学。"
BACK_NOTED: Final = "记好了，{child}已经到校。回复“到校情况”看其他同学。"

# ------------------------------------------------------------------------------------------------------------- records
CHILD_HEADING: Final = "开学清点"
FIELD_SINCE: Final = "哪天记为没到"
FIELD_STATE: Final = "结果"
FIELD_UNTIL: Final = "哪天办结"
NONE: Final = "还没有"
RETENTION: Final = "删去办结满{years}年的开学清点里写的话和凭证，人数和日期留作统计"
COMMA: Final = "、"
