"""What a rehearsal says: by which rule a message goes out, whom it is for, and which way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

REASONS: Final[Mapping[str, str]] = {
    "reminder:knowledge": "政策里的日期",
    "reminder:own": "本人设的提醒",
    "reminder:class": "老师设的班级提醒",
    "reminder_letter": "本人设的提醒",
    "duties:before": "到期前提醒",
    "duties:late": "超期提醒",
    "duties:escalated": "超期未办，报上一级",
    "contacts:due": "家校联系到期",
    "contacts_glass:opened": "家校联系紧急查看",
}
"""By the reason of the message."""
RULES: Final[Mapping[str, str]] = {
    "notice.first": "通知",
    "notice.again": "通知：再发给没确认的人",
    "notice.escalation": "通知：请班主任打电话",
    "notice.correction": "通知更正",
    "accounts.asked": "有人申请绑定孩子",
    "own": "乡镇自定的规定",
}
"""By its rule, where that says more."""
LEADS: Final[Mapping[str, str]] = {
    "0": "当天",
    "eve": "前一天，假期后",
    "correction": "日期更正",
}
LEAD: Final = "提前{number}个上课日"
DUTY: Final = "{title}（{occasion}）"
WITH_LEAD: Final = "{reason}（{lead}）"
STATUSES: Final[Mapping[str, str]] = {
    "sent": "会送到",
    "unreachable": "送不到，要打电话或发纸条",
    "expired": "过了时间，没有发",
    "failed": "发不出去",
    "unknown": "不知道到没到",
}
CHANNELS: Final[Mapping[str, str]] = {
    "template": "模板消息",
    "subscription_notice": "订阅通知",
    "mini_program": "小程序订阅消息",
    "customer_service": "对话消息",
    "mass": "群发",
    "by_hand": "电话和纸条",
    "": "没有发",
}
JOINT: Final = "、"
TOGETHER: Final = "合成一条：{rules}"
GUARDIAN: Final = "{name}（{place}{children}的{role}）"
STAFF: Final = "{name}（{role}）"
FOLLOWER: Final = "公众号里的关注者"
MOMENT: Final = "{month}月{day}日（周{weekday}）{at}"
GROUP: Final = "  {rules}：{counts}"
COUNT: Final = "{way} {count} 人"
EXAMPLE: Final = "    例如“{text}”"
UNREACHED: Final = "    {status}：{people}"
AND_MORE: Final = "{people} 等 {count} 人"
NOTHING: Final = "这段日子没有要发的消息。"
SUMMARY: Final = "共 {total} 条：{parts}。什么也没有发出，什么也没有改。"
UNREACHED_PEOPLE: Final = "送不到的共 {count} 人，要请班主任打电话或发纸条。加 --each 可以逐条看。"
