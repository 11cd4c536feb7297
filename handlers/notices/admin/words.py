"""The words of the pages about notices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from bot.delivery.pushes import ChannelName
from bot.web.admin_pages import moment
from handlers.accounts.domain import HIGHEST_GRADE, LOWEST_GRADE, grade_name
from handlers.accounts.service.audience import AudienceRole
from handlers.notices import texts
from handlers.notices.domain import Confirmation, How, NoticeState, QuestionKind, Who
from handlers.notices.service import wording
from handlers.notices.service.views import NoticeView, Report

Now: TypeAlias = Callable[[], datetime]

MENU: Final = "通知"
GRADES: Final = [(str(grade), grade_name(grade)) for grade in range(LOWEST_GRADE, HIGHEST_GRADE + 1)]

STATE_TAGS: Final[Mapping[NoticeState, str]] = {
    NoticeState.DRAFT: "plain",
    NoticeState.WAITING: "wait",
    NoticeState.SCHEDULED: "wait",
    NoticeState.SENDING: "good",
    NoticeState.SENT: "good",
    NoticeState.CLOSED: "plain",
    NoticeState.RECALLED: "bad",
}
ROLES: Final[Mapping[AudienceRole, str]] = {
    AudienceRole.GUARDIANS: "家长（孩子的每位监护人）",
    AudienceRole.ACTING_GUARDIANS: "平时照看孩子的人",
    AudienceRole.HEAD_TEACHERS: "班主任",
    AudienceRole.SUBJECT_TEACHERS: "任课教师",
    AudienceRole.SCHOOL_LEADERS: "学校负责人",
}
CONFIRMATIONS: Final[Mapping[Confirmation, str]] = {
    Confirmation.NONE: "不用回应",
    Confirmation.OPENED: "打开看过就行",
    Confirmation.BUTTON: "要点“我知道了”",
    Confirmation.FORM: "要填写回执",
}
WHO: Final[Mapping[Who, str]] = {
    Who.ANY: "孩子的任何一位监护人",
    Who.ACTING: "平时照看孩子的人",
    Who.EACH: "孩子的每位监护人",
}
QUESTION_KINDS: Final[Mapping[QuestionKind, str]] = {
    QuestionKind.CHOICE: "从选项里选一个",
    QuestionKind.TEXT: "写一句话",
    QuestionKind.DATE: "填一个日期",
}
WAYS: Final[Mapping[How, str]] = {
    How.LINK: "在手机上点的",
    How.CHAT: "在微信里回复的",
    How.API: "在小程序里点的",
    How.PHONE: "电话",
    How.PAPER: "纸条",
    How.IN_PERSON: "当面",
}
BY_HAND: Final = [(each.value, WAYS[each]) for each in (How.PHONE, How.PAPER, How.IN_PERSON)]

# A sign and a word: nobody has to tell colours apart.
CHANNELS: Final[Mapping[str, tuple[str, str]]] = {
    ChannelName.TEMPLATE.value: ("✓", "微信模板消息"),
    ChannelName.SUBSCRIPTION_NOTICE.value: ("✓", "微信订阅通知"),
    ChannelName.MINI_PROGRAM.value: ("✓", "小程序消息"),
    ChannelName.CUSTOMER_SERVICE.value: ("✓", "微信聊天消息"),
    ChannelName.MASS.value: ("✓", "微信群发"),
    ChannelName.BY_HAND.value: ("✗", "收不到微信"),
}
WHY: Final[Mapping[str, str]] = {
    "not_bound": "没有绑定微信",
    "no_credit": "微信的次数用完了",
    "refused": "微信拒收了",
    "no_address_book": "查不到微信",
}
STATUSES: Final[Mapping[str, tuple[str, str, str]]] = {
    "": ("…", "还没安排", "plain"),
    "planned": ("…", "等着发", "wait"),
    "held": ("…", "等到早上再发", "wait"),
    "sending": ("…", "正在发", "wait"),
    "sent": ("✓", "已发到", "good"),
    "failed": ("✗", "没发成", "bad"),
    "not_needed": ("—", "不用发了", "plain"),
    "unreachable": ("✗", "微信发不到", "bad"),
    "expired": ("✗", "过了时间没发", "bad"),
    "unknown": ("?", "不知道发到没有", "bad"),
}

NO_CONFIRMATION: Final = "请选家长要怎样回应。"
NO_WHO: Final = "请选由谁来回应。"
NO_ROLE: Final = "请选发给谁。"
NO_SOURCE: Final = "“只发给这些孩子”选得不对，请重新选。"
NO_QUESTION_KIND: Final = "请给每个问题选好怎样回答。"
BAD_DEADLINE: Final = "截止时间没有填对，请填年月日和几点几分，例如2026-09-08 18:00。"
BAD_SEND_AT: Final = "发送时间没有填对，请填年月日和几点几分；不填就是办好马上发。"
BAD_REMIND: Final = "再次提醒的次数和间隔要填数字，请改正。"
BAD_GRADES: Final = "年级的起止选得不对，前一个要低于或等于后一个。"

TITLE_NEW: Final = "写通知"
TITLE_EDIT: Final = "改通知"
TITLE_CORRECT: Final = "更正通知"
SENDER: Final = "（署名由系统按范围写上）"
MY_CLASSES: Final = "我的班"
SAVED: Final = "草稿存好了。请看下面谁会收到，没问题再发。"
DISCARDED: Final = "草稿已经删掉。"
PICTURE_ADDED: Final = "图片放好了。看一看右边家长看到的样子，没问题再发。"
PICTURE_REMOVED: Final = "图片已经去掉。"
PICTURE_MISSING: Final = "还没有选图片，请先点“选一张图片”。"

_REMIND_HOURS: Final = (("4", "4小时"), ("12", "12小时"), ("24", "1天"), ("48", "2天"), ("72", "3天"))

SHEET: Final = "通知{number}的回应"
SHEET_FILTER: Final = "通知：{title}"
NO_HOW: Final = "请选是怎样告诉的：电话、纸条，还是当面。"
NO_CHILD_TICKED: Final = "还没有勾上哪一家，请在名单前面打勾。"
NO_PERSON: Final = "请选是家里哪一位答复的。"
ENTERED: Final = "{name}家的答复登记好了。"
TOLD: Final = "记下来了：{count}家，{how}告诉的。点错了，在“全部”里可以撤销。"
REMINDED: Final = "已经安排再提醒{count}人，晚上的等到早上发。"
ONLY_ASKED: Final = [("waiting", "还没回应的"), ("untold", "还没通知到的"), ("all", "全部")]
ONLY_TOLD: Final = [("untold", "还没通知到的"), ("all", "全部")]
READ_DONE: Final[Mapping[Confirmation, str]] = {
    Confirmation.NONE: "",
    Confirmation.OPENED: "",
    Confirmation.BUTTON: "您已经确认了，老师看得到，谢谢！",
    Confirmation.FORM: "您的回执交上去了，老师看得到，谢谢！",
}
READ_BUTTON: Final[Mapping[Confirmation, str]] = {
    Confirmation.BUTTON: "确认：我知道了",
    Confirmation.FORM: "交回执",
}
READ_SETTLED: Final = "家里已经有人确认过了，您看过就行。"
READ_FOOT: Final = "有不明白的，请打电话给班主任。这一页是给您一家看的，请不要转发。"
UNTICKED: Final = "已撤销，这一家又算没有通知到，请记得联系。"
TICKED: Final = "收件人记下来了。"
DONE: Final[Mapping[NoticeState, str]] = {
    NoticeState.DRAFT: "通知回到草稿了，改好后可以再发。",
    NoticeState.WAITING: "已经交上去，等第二个人审批。同意后自动发出。",
    NoticeState.SCHEDULED: "已经安排好，到时间自动发出，不用守着。",
    NoticeState.SENDING: "正在发送。",
    NoticeState.SENT: "已经发完。",
    NoticeState.CLOSED: "已经结束，不再收回应，也不再提醒。",
    NoticeState.RECALLED: "已经撤回：没发出的不会再发，收到过的人打开会看到“已撤回”。",
}

SHOWN: Final[Mapping[str, Any]] = {
    "states": texts.STATES,
    "state_tags": STATE_TAGS,
    "confirmations": CONFIRMATIONS,
    "who": WHO,
    "ways": WAYS,
    "channels": CHANNELS,
    "why": WHY,
    "statuses": STATUSES,
    "said": wording.moment,
}
"""What the templates say."""

FORM_CHOICES: Final[Mapping[str, Any]] = {
    "roles": [(each.value, text) for each, text in ROLES.items()],
    "grades": GRADES,
    "confirmations": [(each.value, text) for each, text in CONFIRMATIONS.items()],
    "whos": [(each.value, text) for each, text in WHO.items()],
    "question_kinds": [(each.value, text) for each, text in QUESTION_KINDS.items()],
    "remind_times": [("0", "不再提醒"), ("1", "1次"), ("2", "2次"), ("3", "3次")],
    "materials": [("yes", "要紧：请家长重新回应"), ("no", "不要紧：回应过的不用再回应")],
}
"""What there is to choose from in the form."""


def remind_hours(chosen: str) -> list[tuple[str, str]]:
    """The usual intervals, and the one that was chosen elsewhere."""
    usual = list(_REMIND_HOURS)
    if chosen.isascii() and chosen.isdigit() and chosen not in dict(usual):
        usual.append((chosen, f"{chosen}小时"))
    return usual


@dataclass(frozen=True, slots=True)
class DeedShown:
    """Something that may be done: a button that posts, or a link to a page that asks first (`is_page`)."""

    words: str
    hint: str
    path: str
    is_page: bool = False
    is_main: bool = False
    is_grave: bool = False


_DEEDS: Final[Mapping[str, DeedShown]] = {
    "approve": DeedShown("看一看，同意或退回", "要您来审批。", "approve", is_page=True, is_main=True),
    "edit": DeedShown("改内容", "改字句、改范围、改要求。", "edit", is_page=True),
    "take_back": DeedShown("收回来改", "回到草稿，先不发。", "take-back"),
    "remind": DeedShown("再提醒没回应的", "只提醒还没回应的人。", "remind", is_page=True),
    "correct": DeedShown("更正", "发一份更正给收到原通知的人。", "correct"),
    "close": DeedShown("结束", "不再收回应，也不再提醒。", "close"),
    "recall": DeedShown("撤回", "没发出的不再发。先看会怎样。", "recall", is_page=True),
    "discard": DeedShown("删掉草稿", "删了找不回来。", "discard", is_grave=True),
}


def deeds_of(notice: NoticeView, *, needs_second: bool) -> list[DeedShown]:
    """What may be done with a notice just now, the next step first."""
    found = [deed for name, deed in _DEEDS.items() if name in notice.may]
    if "submit" in notice.may:
        if needs_second:
            first = DeedShown("交给第二个人审批", "人多或紧急的，要另一位同事看过才发。", "submit", is_main=True)
        else:
            hint = f"定在{moment(notice.content.send_at)}发。" if notice.content.send_at else "马上发，晚上等到早上。"
            first = DeedShown("发出去", hint, "submit", is_main=True)
        found.insert(0, first)
    return found


def recalled(report: Report) -> list[str]:
    """What recalling does."""
    open_ = sum(report.by_status.get(each, 0) for each in ("", "planned", "held", "sending"))
    told = report.by_status.get("sent", 0)
    return [
        f"还没发出的{open_}人，不会再发",
        f"已经收到的{told}人，打开时会看到“已撤回”，不会另外再发消息",
        "撤回后不能再恢复；写错了要改，请用“更正”",
    ]


def reminded(notice: NoticeView, waiting: int) -> list[str]:
    """What another send does."""
    return [
        f"还有{waiting}个孩子家里没有回应，只提醒还没回应的人",
        f"这是第{notice.reminded + 1}次再提醒；晚上的等到早上发，每家每天收到的消息有上限",
        "提醒几次还没回应的，请打电话或带纸条",
    ]
