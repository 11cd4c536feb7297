"""Every sentence the console's own pages and its chat say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.rights import Action, Scope
from handlers.accounts.domain import SessionKind

# ---------------------------------------------------------------------------------------------------------------- chat
ASK_LOGIN: Final = (
    "要登录后台吗？\n请看电脑上的数字：{number}\n是您自己打开的网页，数字也一样，回复“确认”；不是，回复“取消”。"
    "二维码是别人发来的，千万不要确认。"
)
CONFIRMED: Final = "好了，网页马上会自己进入后台。不是您本人在登录的话，请到后台“我的账号”里退出这次登录。"
REFUSED: Final = "已经取消，网页不会登录。需要时再扫码就行。"
TICKET_OVER: Final = "二维码已经失效，请在网页上换一个再扫。"
TICKET_TAKEN: Final = "这个二维码已经用过，请在网页上换一个再扫。"

# --------------------------------------------------------------------------------------------------------------- pages
LOGGED_OUT: Final = "已经退出。"
SESSION_CLOSED: Final = "那次登录已经退出。"
LOGIN_SET: Final = "登录名和密码已经设好。下次用密码登录时，会请您用手机上的验证器扫码。"
TYPED_DIFFERENTLY: Final = "两次输入的密码不一样，请重新输入。"
NO_QR: Final = "微信暂时出不了二维码，请用密码登录，或者过一会儿再试。"
TICKET_GONE: Final = "二维码已经失效，请重新点“用微信扫码登录”。"
TICKET_REFUSED: Final = "手机上选了取消。要登录的话，请重新点“用微信扫码登录”。"
SESSION_KINDS: Final[Mapping[SessionKind, str]] = {SessionKind.CONSOLE: "后台", SessionKind.API: "小程序"}

# --------------------------------------------------------------------------------------------------------------- audit
BAD_FILTER: Final = "查询条件看不懂，日期请写成2026-09-01这样，再查一次。"
SYSTEM: Final = "系统"
STRANGER: Final = "没有登录的人"
OUT_OF_REACH: Final = "其他人员"
AUDIT_HEAD: Final = ("时间", "谁", "身份", "做了什么", "关于谁", "涉及内容", "从哪里", "结果", "编号")
OUTCOMES: Final[Mapping[str, str]] = {"done": "已办", "denied": "被拒绝"}
DOORS: Final[Mapping[str, str]] = {"chat": "微信对话", "api": "小程序", "console": "后台", "system": "系统"}
SUBJECTS: Final[Mapping[str, str]] = {
    "child": "孩子",
    "pupil": "孩子",
    "person": "人员",
    "class": "班级",
    "school": "学校",
    "session": "登录",
    "table": "列表",
    "search": "按姓名查",
    "class_hand_over": "班级移交",
    "invitation": "邀请码",
    "request": "绑定申请",
    "appointment": "任职",
    "bar": "禁止令",
    "guardianship": "监护关系",
    "import": "导入",
    "township": "乡镇",
    "delivery": "消息",
    "handlist": "电话和纸条名单",
    "duty": "定期工作",
    "duty_rule": "定期工作的规定",
    "alarm": "紧急事项",
    "notice": "通知",
    "contacts": "家校联系",
    "contacts_check": "家校联系",
    "contacts_fact": "家校联系",
    "contacts_file": "家校联系",
    "contacts_export": "家校联系",
    "contacts_glass": "家校联系",
    "contacts_pair": "家校联系",
    "contacts_print": "家校联系",
    "contacts_record": "家校联系",
    "contacts_report": "家校联系",
    "term_check": "没到校的学生",
}
CARD: Final = "联系卡"
"""Of a field of the card, named by whom it is about and what: `carer.phone`."""
FIELDS: Final[Mapping[str, str]] = {
    "phone": "电话",
    "id_number": "身份证号",
    "birth_date": "出生日期",
    "roster_number": "学籍号",
    "name": "姓名",
    "login": "登录名",
    "password": "密码",
    "reason": "依据",
    "bar": "禁止令",
    "until": "到哪天",
    "since": "从哪天",
    "said": "申请内容",
    "state": "状态",
    "revoked_at": "作废",
    "school_class_id": "班级",
    "status": "状态",
    "left_on": "离校日期",
    "closed_on": "关闭日期",
    "kind": "类别",
    "place": "所在地",
    "grade": "年级",
    "number": "班号",
    "actor": "按人查",
    "child": "按孩子查",
    "action": "按事情查",
    "outcome": "按结果查",
    "term": "学期",
    "local_days": "本地安排",
    "weekdays": "每周上课日",
    "year_table": "放假安排表",
    "first": "起始日期",
    "last": "截止日期",
    "facts": "联系卡",
    "roster": "名单上的家人",
    "fitness": "照看人核实",
    "entrustment": "委托书",
    "group": "类别",
    "level": "级别",
    "end_reason": "结束的原因",
    "pairs": "谁负责联系",
    "due": "到期的日子",
    "record": "联系登记",
    "records": "联系登记",
    "follow_up": "约好的事",
    "file": "照片、录音",
    "triggers": "报告的情况",
    "words": "报告的内容",
    "calls": "打过的电话",
    "absent": "没到的学生",
    "where_to": "去向",
    "known_by": "听谁说的",
    "steps": "经过",
}
ACTIONS: Final[Mapping[Action, str]] = {
    Action.QUESTION_ASK: "提问",
    Action.CHAT_USE: "使用对话",
    Action.SESSION_OPEN: "登录",
    Action.SESSION_MANAGE: "管理登录",
    Action.PROFILE_VIEW: "看自己的资料",
    Action.PROFILE_CHANGE: "改自己的资料",
    Action.BINDING_REQUEST: "申请绑定",
    Action.BINDING_UNDO: "解除绑定",
    Action.IDENTITY_SWITCH: "切换身份",
    Action.HANDOVER_ANSWER: "答复转人工",
    Action.CHILDREN_LIST: "列出自己的孩子",
    Action.CHILD_VIEW: "看自己的孩子",
    Action.CONSENT_DECIDE: "同意或撤回",
    Action.CHILD_DOWNLOAD: "下载孩子的资料",
    Action.CHILD_ERASE: "删除孩子的资料",
    Action.CONSOLE_ENTER: "进入后台",
    Action.CLASS_VIEW: "看班级",
    Action.PUPIL_VIEW: "看学生",
    Action.PUPIL_SEARCH: "按姓名查学生",
    Action.CONTACT_REVEAL: "看完整号码",
    Action.CONSENT_VIEW: "看同意情况",
    Action.CONSENT_RECORD: "登记纸质授权表",
    Action.REACH_VIEW: "看联系不上的学生",
    Action.INVITATION_ISSUE: "发邀请码",
    Action.BINDING_DECIDE: "审批绑定",
    Action.BINDING_BAR: "设禁止接触",
    Action.PUPIL_EDIT: "改学生资料",
    Action.CLASS_EDIT: "改班级",
    Action.CLASS_HANDOVER: "移交班级",
    Action.CLASS_PROMOTE: "升级",
    Action.STAFF_VIEW: "看教职工",
    Action.STAFF_EDIT: "任免教职工",
    Action.LEADER_APPOINT: "任免学校负责人",
    Action.SCHOOL_EDIT: "改学校",
    Action.ROSTER_IMPORT: "导入名单",
    Action.ROSTER_EXPORT: "导出名单",
    Action.AUDIT_SEARCH: "查阅记录",
    Action.RETENTION_VIEW: "看保存期限",
    Action.RETENTION_RUN: "到期清理资料",
    Action.DELIVERIES_VIEW: "看消息发送情况",
    Action.DELIVERIES_DECIDE: "判定消息有没有送到",
    Action.HANDLIST_VIEW: "看电话和纸条名单",
    Action.HANDLIST_TICK: "登记电话和纸条已告知",
    Action.DUTY_VIEW: "看定期工作",
    Action.DUTY_DO: "办定期工作",
    Action.DUTY_RULES: "定定期工作",
    Action.ALARM_VIEW: "看紧急事项",
    Action.ALARM_RAISE: "上报紧急事项",
    Action.ALARM_ANSWER: "处理紧急事项",
    Action.REMINDER_OWN: "记自己的提醒",
    Action.REMINDER_CLASS: "给班级发提醒",
    Action.NOTICE_OPEN: "凭自己的链接看通知",
    Action.NOTICE_READ: "看发给自己的通知",
    Action.NOTICE_WRITE: "写通知",
    Action.NOTICE_APPROVE: "审批通知",
    Action.NOTICE_REPORT: "看通知的统计",
    Action.WAIVER_OWN: "课后服务：自己家的申请",
    Action.WAIVER_FILE: "课后服务：替家长交申请",
    Action.WAIVER_VIEW: "课后服务：看申请",
    Action.WAIVER_DECIDE: "课后服务：核对、审批申请",
    Action.WAIVER_LISTS: "课后服务：登记规定和名单",
    Action.TALLY_VIEW: "看课后服务统计",
    Action.TALLY_ENTER: "课后服务统计：登记、提醒、导入",
    Action.TALLY_SIGN: "课后服务统计：签名、重新打开",
    Action.TALLY_REASONS: "看家长不参加课后服务的原因",
    Action.SERVICE_SIGN_UP: "课后服务：替孩子报名、退出",
    Action.SERVICE_ENTER: "课后服务：替家长登记",
    Action.SERVICE_LOOK: "课后服务：看收费公示",
    Action.SERVICE_PLAN: "课后服务：编排课程和名额",
    Action.SERVICE_CAPS: "课后服务：录入县里的收费上限",
    Action.SERVICE_PUBLISH: "课后服务：公布、结束安排",
    Action.SERVICE_ROSTER: "看课后服务点名表",
    Action.SERVICE_ATTEND: "课后服务点名、代记请假",
    Action.SERVICE_LEAVE: "给孩子请课后服务的假、说明谁来接",
    Action.SERVICE_DUTY: "排课后服务的值班",
    Action.SERVICE_CHECK: "记课后服务的当天检查和情况",
    Action.SERVICE_MONTH: "看自己的课后服务课时、提异议",
    Action.SERVICE_FILE: "公示、备案课后服务课时",
    Action.SERVICE_BILL: "看自己孩子课后服务的账",
    Action.SERVICE_SETTLE: "结算课后服务费用",
    Action.SERVICE_ANSWER: "填课后服务满意度",
    Action.SERVICE_APPRAISE: "办满意度调查、看考核数据",
    Action.CONTACTS_OWN: "家校联系：联系自己负责的学生",
    Action.CONTACTS_CLASS: "家校联系：看班级、学校的联系情况",
    Action.CONTACTS_REGISTER: "家校联系：安排谁联系谁",
    Action.CONTACTS_SEALED: "家校联系：看保密内容",
    Action.CONTACTS_GLASS: "家校联系：紧急查看",
    Action.CONTACTS_REPORT: "家校联系：强制报告",
    Action.CONTACTS_COUNTS: "家校联系：看统计",
    Action.CONTACTS_RULES: "家校联系：定联系的间隔",
    Action.CONTACTS_EXPORT: "家校联系：导出、打印",
    Action.CONTACTS_RELEASE: "家校联系：批准导出",
    Action.CONTACTS_WATCH: "家校联系：确认紧急查看",
    Action.CONTACTS_REFRESH: "家校联系：开始联系卡更新",
    Action.CONTACTS_WORD: "家校联系：每月一句、约通话",
    Action.CONTACTS_CALL: "家校联系：自己约好的通话",
    Action.CONTACTS_FAMILY: "家长收每月一句、约通话",
    Action.CHECK_CLASS: "开学清点到校的学生",
    Action.CHECK_CASE: "看、办没到校的学生",
    Action.CHECK_FIGURES: "看到校的总数和比例",
    Action.CHECK_RULES: "定开学清点的规定",
    Action.CALENDAR_VIEW: "看校历",
    Action.CALENDAR_EDIT: "改学校的校历",
    Action.CALENDAR_TOWN: "改全镇的校历",
    Action.KNOWLEDGE_EDIT: "编辑知识",
    Action.KNOWLEDGE_APPROVE: "审核知识",
}

# -------------------------------------------------------------------------------------------------------------- rights
RIGHTS_TITLE: Final = "谁能做什么"
EVERYBODY: Final = "所有人"
NOBODY_BUT_SYSTEM: Final = "只有系统自己按时办理"
SCOPES: Final[Mapping[Scope, str]] = {
    Scope.ANY: "不限范围",
    Scope.SELF: "只限自己的",
    Scope.CHILD: "只限自己的孩子",
    Scope.CLASS: "自己的班",
    Scope.SCHOOL: "本校",
    Scope.TOWN: "全镇",
}
