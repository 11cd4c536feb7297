"""Everything the after-school service says."""

from __future__ import annotations

CHILD_HEADING = "课后服务"
FIELD_PROGRAMME = "课程"
FIELD_STATE = "情况"
FIELD_AT = "时间"
FIELD_WISH = "家长的意见"
FIELD_REASON = "原因"
NONE = "无"
STATES = {
    "draft": "草稿",
    "submitted": "等待抽签",
    "enrolled": "已报上",
    "waitlisted": "候补中",
    "offered": "有名额，等家长确认",
    "declined": "没有接受",
    "withdrawn": "已退出",
    "opted_out": "不参加课后服务",
    "ended": "已结束",
}
WISHES = {"join": "参加", "not_join": "不参加", "course": "报名课程"}
RETENTION = "课后服务结束满 {days} 天，报名记录到期删除"

COMMA = "、"
OFFER_SUBJECT = "课后服务有名额了"
OFFER_TEXT = (
    "{names}候补的课后服务“{programme}”有名额了，为您保留到{until}。请在这之前打开“我的报名”，选择接受或者不要。"
)
OFFER_LINE = "{names}的“{programme}”有名额了，请在{until}前确认。"
OFFER_NOTE = "请在保留时间内确认"
LAPSED_SUBJECT = "课后服务名额已过保留时间"
LAPSED_TEXT = (
    "{names}的课后服务“{programme}”没有在保留时间内确认，名额已经让给下一位。还想参加的，请重新报名或者找班主任。"
)
LAPSED_LINE = "{names}的“{programme}”名额已过保留时间，想参加请重新报名。"
LAPSED_NOTE = "想参加请重新报名"
SENDER = "学校"
MOMENT = "{month}月{day}日{hour}:{minute:02d}"
