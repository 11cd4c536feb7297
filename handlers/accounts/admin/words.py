"""What the pages about people say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from handlers.accounts.domain import PlacementReason, PupilStatus, SchoolKind
from handlers.accounts.service.closing import Touched
from handlers.accounts.service.invitations import InvitationState

STATUSES: Final[Mapping[PupilStatus, str]] = {
    PupilStatus.ENROLLED: "在校",
    PupilStatus.LEFT: "已离校",
    PupilStatus.GRADUATED: "已毕业",
}
SEXES: Final[Mapping[str, str]] = {"m": "男", "f": "女", "男": "男", "女": "女", "": "未填写"}
REASONS: Final[Mapping[PlacementReason, str]] = {
    PlacementReason.ENROLLED: "入学",
    PlacementReason.PROMOTED: "升级",
    PlacementReason.MOVED: "调班",
    PlacementReason.TRANSFERRED: "转学",
}
KINDS: Final[Mapping[SchoolKind, str]] = {
    SchoolKind.SCHOOL: "学校",
    SchoolKind.TEACHING_POINT: "教学点",
    SchoolKind.KINDERGARTEN: "幼儿园",
}
INVITATION_STATES: Final[Mapping[InvitationState, tuple[str, str]]] = {
    InvitationState.OPEN: ("没有用", "wait"),
    InvitationState.USED: ("已绑定", "good"),
    InvitationState.EXPIRED: ("过期了", "plain"),
    InvitationState.REVOKED: ("已作废", "plain"),
    InvitationState.LOCKED: ("试错太多，停用", "bad"),
}
FIELDS: Final[Mapping[str, str]] = {
    "phone": "电话",
    "id_number": "身份证号",
    "birth_date": "出生日期",
    "roster_number": "学籍号",
}
NOT_FILLED: Final = "没有填写"
PUPIL_HEAD: Final = ("姓名", "学校", "班级", "学籍号", "状态", "监护人", "已绑定")
STAFF_HEAD: Final = ("姓名", "职务", "学校", "班级", "学科", "电话", "从", "到")
UNREACHABLE_HEAD: Final = ("姓名", "学校", "班级", "名单上的监护人")
CLASS_HEAD: Final = ("学校", "班级", "班主任", "学生")

DECIDED_YES: Final = "已经同意，家长马上能看到孩子的事了。"
DECIDED_NO: Final = "已经拒绝，申请人会收到通知。"
REVOKED: Final = "那张邀请码已经作废。"
BARRED: Final = "已经记下，从现在起这个人看不到孩子的任何事。"
LIFTED: Final = "已经解除。这个人要重新绑定才能看到孩子。"
APPOINTED: Final = "任命好了，权限当天生效。"
ENDED: Final = "任职已经结束，权限到那天为止。"
HANDED_OVER: Final = "班级已经移交，等接手的老师确认收到。"
ACCEPTED: Final = "已经确认收到，以后这个班由您负责。"
PROMOTED: Final = "升级办好了。"
MOVED: Final = "已经调到新的班级。"
NOT_LISTED: Final = "选的人不在这个孩子的监护人名单上了，请重新选，或者填写姓名。"
BAD_DAY: Final = "日期看不懂，请写成2026-09-01这样，再试一次。"
NOBODY_CHOSEN: Final = "还没有选学生，请勾选要发邀请码的孩子。"
NO_KIND: Final = "还没有选职务，请选一项。"
NO_NAME: Final = "还没有写任命谁，请写姓名。"
NO_PLACE: Final[Mapping[str, str]] = {
    "class": "这项职务要选班级，请选一个班。",
    "school": "这项职务要选学校，请选一所学校。",
}
TODO_RECEIPT: Final = "等您签收的班级"
TODO_UNREACHABLE: Final = "联系不上的学生"

# ------------------------------------------------------------------------------------------------- schools and classes
SCHOOL_MADE: Final = "学校建好了，接着可以建班级。"
SCHOOL_KEPT: Final = "学校资料已经改好。"
SCHOOL_CLOSED: Final = "学校已经关闭，任职到那天为止。"
NO_SCHOOL_NAME: Final = "还没有写学校名称，请写全称。"
NO_SCHOOL_KIND: Final = "还没有选是学校、教学点还是幼儿园，请选一项。"
NO_PARENT: Final = "教学点要写明属于哪所学校，请选一所。"
NO_TOWNSHIP: Final = "还没有选乡镇，请选一个。"
NO_TOWN_NAME: Final = "还没有写乡镇名称，请写全称。"
TOWN_KEPT: Final = "乡镇名称已经改好。"
CLASS_MADE: Final = "班级建好了，接着可以登记学生、任命班主任。"
CLASS_KEPT: Final = "班级名称已经改好。"
CLASS_CLOSED: Final = "班级已经关闭。"
CLASS_THERE: Final = "这所学校这一学年已经有这个班，请换一个班号，或到班级列表里找。"
NO_GRADE: Final = "还没有选年级，请选一个。"
NO_NUMBER: Final = "班号要写1到99的数字，请改正。"
NO_YEAR: Final = "只能建本学年或下一学年的班，请重新选。"
CLOSE_TITLE: Final = "关闭{name}"
CLOSE_SCHOOL: Final = "{name}不再出现在学校列表里，家长也选不到它；以前的记录都保留。"
CLOSE_CHARGES: Final = "还在任的{count}项任职到最后一天结束，这些老师从第二天起看不到相关学生。"
CLOSE_POINTS: Final = "它下面的{count}个教学点不会一起关闭，请另外办理。"
CLOSE_PUPILS: Final = "还有{count}名在读学生，关不了。请先给他们办理调班或离校。"
CLOSE_FRESH: Final = "这个班从来没有学生和老师，关闭以后就没有了。"
CLOSE_HISTORY: Final = "学生读过这个班的记录都保留。"
_MADE: Final = ("新建{name}，属于{year}—{next}学年。", "新班还没有学生和班主任，建好以后再登记和任命。")
_RENAMED: Final = (
    "“{old}”从现在起叫“{new}”。",
    "班里的{pupils}名学生和{charges}项任职不变，家长看到的班名跟着变。",
)

# -------------------------------------------------------------------------------------------------- pupils and families
SEX_CHOICES: Final = (("男", "男"), ("女", "女"))
ENROLLED: Final = "学生登记好了，接着请登记监护人。"
PUPIL_KEPT: Final = "学生资料已经改好。"
LEFT: Final = "已经办理离校。"
NO_PUPIL_NAME: Final = "还没有写学生姓名，请按户口本写。"
BIRTH_AHEAD: Final = "出生日期不能晚于今天，请改正。"
CHANGED_MEANWHILE: Final = (
    "刚才有人先改了这份资料，您写的还没有保存。下面是现在登记的和您刚才写的，请核对，需要改就再保存一次。"
)
LEAVE_TITLE: Final = "给{name}办理离校"
LEAVE_EFFECTS: Final = (
    "{name}从最后一天的第二天起不在{where}，班里的名单上没有这个孩子。",
    "班里的老师看不到这个孩子；监护人还看得到学校保留的资料。",
    "以后回来上学，再办一次调班就行。",
)
NO_GUARDIAN_NAME: Final = "还没有写监护人姓名，请写真实姓名。"
NO_RELATION: Final = "还没有选是孩子的什么人，请选一项。"
GUARDIAN_ADDED: Final = "监护人登记好了。还没有绑定微信，可以发邀请码。"
GUARDIAN_ENDED: Final = "已经改好，这个人看不到孩子的事了。"
ACTING_SET: Final = "日常照看孩子的人已经改好。"
ACTING_CHANGED: Final = "刚才有人先改了日常照看的人，您选的还没有保存。请看下面的变化，需要改就再确认一次。"
PERSON_KEPT: Final = "资料已经改好。"
END_TITLE: Final = "{name}不再是{child}的监护人"
END_EFFECTS: Final = (
    "{name}马上看不到{child}的任何事，也收不到消息。",
    "以前的记录都保留。以后又是监护人，重新登记就行。",
)
ACTING_TITLE: Final = "由{name}日常照看{child}"
ACTING_EFFECTS: Final = (
    "{child}平时由{name}照看，有急事老师先联系这个人。",
    "原来登记的是{before}，还是监护人，不受影响。",
)
PICK_AGAIN: Final = "姓名没有填对，请再写一次孩子的姓名。"


def class_made(name: str, year: int) -> tuple[str, ...]:
    """What making a class does."""
    return tuple(each.format(name=name, year=year, next=year + 1) for each in _MADE)


def class_renamed(old: str, new: str, touched: Touched) -> tuple[str, ...]:
    """What another name for a class does."""
    said = {"old": old, "new": new, "pupils": touched.pupils, "charges": touched.charges}
    return tuple(each.format(**said) for each in _RENAMED)
