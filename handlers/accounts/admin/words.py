"""What the pages about people say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from handlers.accounts.domain import PlacementReason, PupilStatus, SchoolKind
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
