"""Every sentence of the pages about what goes out and of the list of calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from handlers.deliveries.domain import Way

DELIVERIES_MENU: Final = "消息发送"
HANDLIST_MENU: Final = "电话和纸条名单"
TODO_CALLS: Final = "家庭要打电话或带纸条告知"
TODO_UNKNOWN: Final = "条消息不知道有没有送到"
TOLD_HEADING: Final = "学校电话、纸条或当面告知"

AGO: Final = "{waited}前"
NOT_YET: Final = "还没有"

WAYS: Final[Mapping[Way, str]] = {Way.PHONE: "电话", Way.PAPER: "纸条", Way.IN_PERSON: "当面"}
TICKED: Final = "已登记：{way}告知了。点错了可以在下面撤销。"
UNTICKED: Final = "已撤销，这一家又回到还没告知的名单里，请记得联系。"
DECIDED: Final[Mapping[str, str]] = {
    "arrived": "已登记：送到了。",
    "lost": "已登记：没送到，不再发；家里没有人收到的，已转到电话和纸条名单。",
    "call": "已转到电话和纸条名单，请尽快联系家长。",
}
NO_PHONE: Final = "没有登记电话"
OTHERS: Final = "教职工和没有分班的孩子"

STATUSES: Final[Mapping[str, str]] = {
    "planned": "等着发",
    "held": "夜间暂缓",
    "sending": "正在发",
    "sent": "已送出",
    "failed": "没送到",
    "not_needed": "不用发了",
    "unreachable": "微信联系不上",
    "expired": "过时没发",
    "unknown": "不知道有没有送到",
}
CHANNELS: Final[Mapping[str, str]] = {
    "template": "服务号模板消息",
    "subscription_notice": "服务号订阅通知",
    "mini_program": "小程序订阅消息",
    "customer_service": "聊天窗口里的消息",
    "mass": "群发",
    "by_hand": "电话和纸条名单",
}
SOURCES: Final[Mapping[str, str]] = {
    "notice": "通知",
    "reminder": "提醒",
    "duty": "定期工作",
    "alarm": "紧急事项",
    "binding": "绑定",
    "tally": "课后服务意向提醒",
}
ANOTHER_SOURCE: Final = "消息"
TO_CHAT: Final = "只知道微信号的人"

# Why something failed, by the first words of the reason. What is not here is told as it is.
_REASONS: Final[Mapping[str, str]] = {
    "wechat_outcome_unknown": "发出去以后微信没有回话",
    "timeout": "发出去以后微信没有回话",
    "worker_lost": "发送中途停机，不知道有没有送到",
    "unexpected": "发送时程序出错，不知道有没有送到",
    "decided_by_hand": "工作人员查明没有送到",
    "wechat_content": "微信不收这段内容，要改写",
    "wechat_recipient": "对方收不到微信消息",
    "wechat_template": "消息模板不能用，请管理员检查模板",
    "wechat_account": "服务号被微信限制，请管理员处理",
    "wechat_not_granted": "服务号没有这项权限，请管理员处理",
    "wechat_quota": "今天的发送次数用完了",
    "wechat_allowance": "对方的接收次数用完了",
    "wechat_window": "对方太久没有说话，聊天窗口已关闭",
    "wechat_invalid_call": "消息内容不合微信的格式，要改写",
    "wechat_unreachable": "连不上微信",
    "unfit": "消息内容不合模板的格式，要改写",
    "not_delivered": "微信报告没有送到",
    "mass_": "群发没有成功",
    "no_channel": "没有能用的发送途径",
    "no_credit": "没有订阅，也没有聊天窗口",
    "not_bound": "没有绑定微信",
    "refused": "各种途径都没有收",
    "no_guardian": "名单上没有监护人",
    "no_address_book": "系统里没有联系方式",
    "user_block": "对方拒收消息",
    "expired": "过了时间还没发出去",
    "quiet": "夜间不打扰，过了时间",
    "cap": "这家当天的消息已经够多，过了时间",
    "paused": "发送暂停，过了时间",
    "failed": "微信没有收",
    "unknown": "不知道有没有送到",
}
_OTHER_REASON: Final = "其他原因（{error}）"
_NO_REASON: Final = "原因不明"


def reason_of(error: str | None) -> str:
    """Why, in words."""
    if not error:
        return _NO_REASON
    found = max((start for start in _REASONS if error.startswith(start)), key=len, default=None)
    return _REASONS[found] if found else _OTHER_REASON.format(error=error)


def source_of(reason: str) -> str:
    """What sort of message it is, in a word."""
    return SOURCES.get(reason.partition(":")[0].partition("_")[0], ANOTHER_SOURCE)


def waited(seconds: float) -> str:
    """How long something waits, roughly."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return "不到1分钟"
    if minutes < 60:
        return f"{minutes}分钟"
    return f"{minutes // 60}小时" if minutes < 48 * 60 else f"{minutes // 1440}天"
