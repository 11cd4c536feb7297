"""Everything said about the days of the after-school service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from handlers.after_school.domain.days import CheckPoint, CollectBy, DutyRole, Presence

CHILD_HEADING: Final = "课后服务每天的记录"
FIELD_DAY: Final = "日期"
FIELD_PRESENCE: Final = "点名"
FIELD_LEAVE: Final = "您请假的原因"
FIELD_COLLECT: Final = "您说的接送人"
NONE: Final = "没有写"
RETENTION: Final = "课后服务的点名、请假和接送记录满{days}天，删去"
MENU: Final = "课后服务点名"
MENU_DUTY: Final = "课后服务值班"
TODO_INCIDENT: Final = "课后服务的情况还没处理"
NOT_ON_STAFF: Final = "请选本校或本镇的教职工，再排值班。"
CHOOSE_DUTY: Final = "请选好值什么班、谁来值，再交。"
DUTY_PUT: Final = "排好了，新排{count}天。"
DUTY_REMOVED: Final = "去掉了。请看看这一天还有没有人值班。"
CHECKED: Final = "当天检查记好了。"
REPORTED: Final = "情况记下了，处理完请写一句。"
INCIDENT_CLOSED: Final = "处理情况记下了。"
TODO_ROSTER: Final = "课后服务还没点名"
MISSED: Final = "课后服务“{title}”（{starts}—{ends}）点名时孩子不在，家里没有请假。"
FOUND: Final = "点名已更正：不用再找。请确认孩子在哪里，再写一句话办结。"
LEAVE_CAME: Final = "家里补了请假。请打电话确认孩子平安，再写一句话办结。"
PRESENCES: Final[Mapping[Presence, str]] = {
    Presence.HERE: "到了",
    Presence.LEFT_EARLY: "提前接走",
    Presence.LEAVE: "请假",
    Presence.MISSING: "没到，没请假",
}
COLLECT_BY: Final[Mapping[CollectBy, str]] = {
    CollectBy.GUARDIAN: "家里人接",
    CollectBy.OTHER: "别人接",
    CollectBy.ALONE: "自己回家",
}
COLLECTED: Final[Mapping[CollectBy, str]] = {
    CollectBy.GUARDIAN: "由家里的{name}接",
    CollectBy.OTHER: "由别人来接：{name}",
    CollectBy.ALONE: "自己回家",
}
TOO_EARLY: Final = "还没到这一天，现在只能看。到了那天再来点名。"
NOT_YOURS: Final = "这个班不由您点名，您可以在这里看。要更正，请找上课的老师。"
DUTY_ROLES: Final[Mapping[DutyRole, str]] = {
    DutyRole.TEACHER: "值班教师",
    DutyRole.GUIDE: "护导教师",
    DutyRole.ADMINISTRATOR: "值班行政",
}
CHECK_POINTS: Final[Mapping[CheckPoint, str]] = {
    CheckPoint.TEACHERS_THERE: "任课和护导教师都到岗",
    CheckPoint.ROSTERS_TAKEN: "每个班都点了名",
    CheckPoint.ROOMS_SAFE: "教室、场地没有安全隐患",
    CheckPoint.GATE_KEPT: "校门有人守，外人没有进来",
    CheckPoint.ALL_COLLECTED: "孩子都有人接或按约定离校",
}
TAKEN: Final = "点名记好了，改了{count}人。"
TAKEN_MISSING: Final = "点名记好了。有孩子没到，已经通知值班老师，请马上按下面的电话找。"
CALLED_OFF: Final = "已记为没有上课，不算课时。家长还不知道的，请马上通知。"
WHOSE_LEAVE: Final = "请选名单上的一个孩子，再记请假。"
LEAVE_ENTERED: Final = "{child}的请假记好了。"

# ---------------------------------------------------------------------------------------------------------------- chat
NO_CHILD: Final = "您名下没有在校的孩子。请先绑定孩子，回复“绑定”办理。"
WHICH_CHILD_LEAVE: Final = "给哪个孩子请课后服务的假？回复编号。"
WHICH_CHILD_COLLECT: Final = "哪个孩子换人接？回复编号。"
WHICH_DAY: Final = "{child}哪一天不参加课后服务？回复“今天”“明天”，或写日期，比如“9月4日”。"
CONFIRM_LEAVE: Final = "{child}{day}不参加课后服务，对吗？回复“是”就请好假，回复“不”就不请。"
LEAVE_DONE: Final = "好的，{child}{day}的课后服务请好假了，老师点名时看得到。要撤销，回复“撤销请假”。"
LEAVE_ALREADY: Final = "{child}{day}已经请过假了，不用再请。要撤销，回复“撤销请假”。"
LEAVE_DROPPED: Final = "好的，没有请假。需要时再回复“请假”。"
NO_LEAVE: Final = "现在没有请好的假。要请假，回复“请假”。"
WHICH_LEAVE: Final = "撤销哪一次？回复编号。"
LEAVE_LINE: Final = "{child}{day}"
LEAVE_WITHDRAWN: Final = "好的，{child}{day}的请假撤销了，孩子照常参加。"
WHO_COLLECTS: Final = "今天谁来接{child}？回复编号。"
SOMEBODY_ELSE: Final = "别人来接"
ALONE: Final = "自己回家"
NAME_AND_PHONE: Final = "请写来接的人的姓名和手机号，比如“王小明 13800000000”。"
COLLECT_DONE: Final = "好的，今天{who}接{child}，老师放学前看得到。再有变动，回复“换人接”。"
COLLECT_ALONE: Final = "好的，今天{child}自己回家，老师放学前看得到。再有变动，回复“换人接”。"
DAY: Final = "{month}月{day}日"
TO: Final = "至"
