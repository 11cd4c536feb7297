"""What collecting says: to families, to head teachers in the chat, on pages and in workbooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

COMMA: Final = "、"
MENU: Final = "课后服务统计"
STANDINGS: Final[Mapping[str, str]] = {
    "disagreeing": "说法不一",
    "unanswered": "没答复",
    "wants": "想参加，还没报上",
    "waiting": "排队等名额",
    "signed_up": "已报上",
    "not_joining": "不参加",
}
STANDING_TAGS: Final[Mapping[str, str]] = {
    "disagreeing": "bad",
    "unanswered": "bad",
    "wants": "plain",
    "waiting": "plain",
    "signed_up": "good",
    "not_joining": "plain",
}
NEXT_STEPS: Final[Mapping[str, str]] = {
    "disagreeing": "请打电话问清家长，再在这里登记最后的决定。",
    "unanswered": "请提醒家长，或按名单打电话。参加、不参加都可以，答复了就好。",
    "wants": "请家长在服务号回复“报名”选课；不用手机的家庭，请点姓名替家长报名。",
    "waiting": "有名额空出来会按顺序通知家长，现在不用做什么。",
    "signed_up": "",
    "not_joining": "",
}
MUST_LEAVE: Final = "家长不参加，可报名还在。请家长在服务号退出报名，或登记“最后的决定”。"
SOURCES: Final[Mapping[str, str]] = {
    "chat": "家长在服务号上说的",
    "miniprogram": "家长在小程序上说的",
    "paper": "老师凭纸质表登记",
    "phone": "老师问过家长后登记",
    "import": "表格导入",
    "system": "系统",
}
SHORT_SOURCES: Final[Mapping[str, str]] = {
    "chat": "服务号",
    "miniprogram": "小程序",
    "paper": "纸质表",
    "phone": "老师问询",
    "import": "表格",
    "system": "系统",
}
HOWS: Final[Mapping[str, str]] = {
    "signed_paper": "纸上签了字",
    "by_phone": "电话里说的",
    "in_person": "当面说的",
}
WISHES: Final[Mapping[str, str]] = {"join": "参加", "not_join": "不参加", "course": "参加"}
SIGN_UP_STATES: Final[Mapping[str, str]] = {
    "draft": "没交",
    "submitted": "等抽签",
    "enrolled": "已报上",
    "waitlisted": "排队等名额",
    "offered": "有名额，等家长答复",
    "declined": "没要名额",
    "withdrawn": "已退出",
    "opted_out": "不参加了",
    "ended": "已结束",
}
WEEKDAYS: Final = "一二三四五六日"

# ---------------------------------------------------------------------------------------------------------------- pages
SAID: Final = "登记好了。"
SETTLED: Final = "最后的决定登记好了。"
SIGNED_UP: Final = "替家长报好了：{state}。"
HOW_MISSING: Final = "请选家长是怎样说的，再报名。"
TAKEN_BACK: Final = "这一条撤回了。"
CLOSED: Final = "签名好了。要改的话，可以写明原因重新打开。"
REOPENED: Final = "已经重新打开，可以接着登记。改完请再签名。"
REMINDED: Final = "会提醒{count}位家长（夜里不打扰）。联系不上的在电话和纸条名单里。"
NO_PHONE: Final = "没有登记电话"
TODO_SIGN: Final = "课后服务统计：请核对后签名"
DUTY: Final = "没签名的课后服务统计"
DAY_WRONG: Final = "日期写得不对，请重新选。"

# ------------------------------------------------------------------------------------------------------------- workbook
SHEET: Final = "课后服务报名统计表"
SHEET_HEAD: Final = (
    "序号", "学校", "班级", "姓名", "参加情况", "课程", "上课时间", "答复方式", "答复日期", "班主任签名情况",
)  # fmt: skip
SHEET_PLAN: Final = "安排：{term} {title}"
SHEET_DAY: Final = "截至{day}"
SHEET_SIGNED: Final = "{by} {at}签名"
SHEET_NOT_SIGNED: Final = "未签名"
COURSE_TIME: Final = "周{days} {starts}—{ends}"

# ---------------------------------------------------------------------------------------------------------- to families
PUSH_TEXT: Final = (
    "【{title}】还没有收到{names}的课后服务答复。参加不参加由您自己定，不参加也没关系。\n"
    "参加，请回复“报名”；不参加，请回复“不参加课后服务”。不方便用手机的，告诉班主任就行。"
)
PUSH_LINE: Final = "{names}的课后服务还没有答复，参加不参加都请告诉班主任一声"
PUSH_SUBJECT: Final = "课后服务请答复"
PUSH_YOURS: Final = "您的孩子"

# ---------------------------------------------------------------------------------------------------------- in the chat
CHAT_NO_CLASS: Final = "现在没有要您统计的课后服务。学校公布安排后再回复“统计”就能看到。"
CHAT_HEAD: Final = "{school}{room} {title}，共{children}人："
CHAT_COUNT: Final = "{words}{count}人"
CHAT_CLOSED: Final = "{day}已签名。"
CHAT_MOVED: Final = "签名以后又有变化，请核对。"
CHAT_OPEN: Final = "还没签名。"
CHAT_NEXT_RING: Final = "回复“未报名”看要打电话的名单；登记和签名请到管理台“课后服务统计”。"
CHAT_NEXT_SIGN: Final = "都答复了，请到管理台“课后服务统计”核对后签名。"
CHAT_NEXT_DONE: Final = "不用再做什么。"
CHAT_RING_HEAD: Final = "{school}{room} {title}，要问的{count}家："
CHAT_RING_LINE: Final = "{name}（{why}）：{whom}"
CHAT_RING_WHOM: Final = "{relation}{name} {phone}"
CHAT_RING_NOBODY: Final = "名单上没有监护人，请上门或请村里转告"
CHAT_RING_MORE: Final = "还有{count}家，请到管理台“课后服务统计”看全部。"
CHAT_RING_NEXT: Final = "问清后请到管理台“课后服务统计”登记：参加、不参加都行。看过的电话会记下来。"
CHAT_RING_NONE: Final = "{school}{room} {title}：都答复了，不用打电话。请到管理台核对后签名。"

# -------------------------------------------------------------------------------------------------------------- records
RETENTION_SHEET: Final = "上传的课后服务意向表，满{days}天"

# ------------------------------------------------------------------------------------------------------------- audience
AUDIENCE: Final = "{title}：{words}的孩子"

# ------------------------------------------------------------------------------------------------- lists as a workbook
LIST_SHEET: Final = "课后服务意向表"
LIST_LINES: Final = (
    "一行一个孩子。“家长答复”填“参加”或“不参加”；家长还没答复的空着，不会登记。",
    "“家长怎样说的”填“签字”“电话”或“当面”：没有家长同意的不能登记。",
    "同一个班有同名的孩子，请填学籍号。不要改表头，不要合并单元格。",
    "“课程”只记下想上的课，不占名额。“不参加的原因”家长不愿说的不用填。",
    "和家长自己说的不一样也能登记，会显示“说法不一”，请再问家长。",
)
LIST_HEADS: Final[Mapping[str, str]] = {
    "school": "学校",
    "class": "班级",
    "name": "姓名",
    "roster_number": "学籍号",
    "wish": "家长答复",
    "how": "家长怎样说的",
    "said_on": "答复日期",
    "course": "课程",
    "reason": "不参加的原因",
}
LIST_NOTES: Final[Mapping[str, str]] = {
    "school": "只有一所学校时可以不填",
    "class": "如：三年级2班",
    "name": "孩子的姓名",
    "roster_number": "有同名的孩子时要填",
    "wish": "参加、不参加；没答复的空着",
    "how": "签字、电话、当面",
    "said_on": "如：2026-09-03；不填算今天",
    "course": "想上的课，写课程名；可以不填",
    "reason": "可以不填",
}
LIST_WISHES: Final[Mapping[str, str]] = {"参加": "join", "不参加": "not_join"}
LIST_HOWS: Final[Mapping[str, str]] = {"签字": "signed_paper", "电话": "by_phone", "当面": "in_person"}
LIST_FILE: Final = "课后服务意向表-{place}.xlsx"
LIST_FAULTS: Final = "课后服务意向表-请改正.xlsx"
LIST_ALL: Final = "各班"
LIST_STATES: Final[Mapping[str, str]] = {
    "read": "正在核对",
    "ready": "核对好了，等您登记",
    "faulty": "有错，没有登记",
    "applied": "登记好了",
    "undone": "已撤销",
    "discarded": "已放弃",
}
LIST_ROWS: Final[Mapping[str, str]] = {"new": "会登记", "unchanged": "跳过", "faulty": "要改"}
LIST_CLASS_UNKNOWN: Final = "没有找到这个班，或者这个班不归您管"
LIST_CLASS_CLOSED: Final = "这个班已经签名，要先重新打开"
LIST_SEVERAL_SCHOOLS: Final = "几所学校都有这个班，请填学校"
LIST_CHILD_UNKNOWN: Final = "这个班没有叫这个名字的孩子"
LIST_NAMESAKES: Final = "这个班有同名的孩子，请填学籍号"
LIST_TWICE: Final = "这个孩子在表里有两行，请只留一行"
LIST_WISH_WRONG: Final = "请填“参加”或“不参加”，没答复的空着"
LIST_HOW_WRONG: Final = "请填“签字”“电话”或“当面”"
LIST_DAY_WRONG: Final = "日期看不懂，请写成2026-09-03这样"
LIST_DAY_LATER: Final = "日期比今天还晚"
LIST_COURSE_UNKNOWN: Final = "这份安排里没有这个年级能上的这门课"
LIST_COURSE_NOT: Final = "不参加的，不要填课程"
LIST_REASON_LONG: Final = "原因太长，请写在200字以内"
LIST_BLANK: Final = "没有填答复，跳过"
LIST_SAME: Final = "已经登记过一样的"
LIST_DISAGREES: Final = "{source}是“{wish}”，登记后会显示“说法不一”，请再问家长"
LIST_UPLOADED: Final = "核对好了，请看过再登记。"
LIST_APPLIED: Final = "登记好了，共{count}个孩子。"
LIST_UNDONE: Final = "已经撤销，这张表登记的都收回了。"
LIST_DISCARDED: Final = "已经放弃，什么都没有登记。"
LIST_IN_THE_WAY: Final = "撤不了：{what}。请先处理这些，再撤销。"
LIST_DEPENDENTS: Final[Mapping[str, str]] = {
    "tallies": "有{count}个班后来签了名",
    "settled": "有{count}个孩子后来登记了最后的决定",
}
