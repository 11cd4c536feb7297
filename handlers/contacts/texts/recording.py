"""Sentences of writing down a contact, in the chat and on the pages. None says why a child is kept in contact with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from handlers.contacts.domain.records import ContactOutcome, DayPart, Met, Topic, Way

# --------------------------------------------------------------------------------------------------------------- words
WAYS: Final[Mapping[Way, str]] = {
    Way.VISIT: "家访",
    Way.CALL: "电话",
    Way.VIDEO: "视频",
    Way.SCHOOL: "到校面谈",
}
MET: Final[Mapping[Met, str]] = {Met.CHILD: "孩子", Met.CARER: "照看人", Met.PARENT: "父母"}
TOPICS: Final[Mapping[Topic, str]] = {
    Topic.LIFE: "生活",
    Topic.STUDY: "学习",
    Topic.MIND: "心理",
    Topic.SAFETY: "安全",
}
PARTS: Final[Mapping[DayPart, str]] = {
    DayPart.MORNING: "上午",
    DayPart.AFTERNOON: "下午",
    DayPart.EVENING: "晚上",
}
OUTCOMES: Final[Mapping[ContactOutcome, str]] = {
    ContactOutcome.REACHED: "联系上了",
    ContactOutcome.FAILED: "没有联系上",
}
COMMA: Final = "、"
NOTHING: Final = "没有"

# --------------------------------------------------------------------------------------------------------------- pages
MENU: Final = "家校联系"
TODO_LATE: Final = "家校联系过期没有登记"
TODO_UNANSWERED: Final = "家校联系登记里问的危险情况还没有回答"
TODO_DUE: Final = "家校联系今天到期"
SAVED: Final = "登记保存好了。"
SAVED_NEXT: Final = "登记保存好了，{day}要做的事到时会提醒您。"
CORRECTED: Final = "已经更正，原来写的仍然保留。"
FAILED_SAVED: Final = "记下了：没有联系上。请换个时间再联系一次。"
DONE: Final = "后续的事记为已办。"
KEPT: Final = "草稿存好了，还没有登记。请写完后保存。"
DROPPED: Final = "草稿删掉了。要登记请重新填写。"
RANG: Final = "记下了。打完电话，请在这里登记。"
BACKDATED: Final = "补登，{day}写的"

# ---------------------------------------------------------------------------------------------------------------- chat
NO_CHILD: Final = "现在没有安排您联系的学生。安排由学校负责，有疑问请问学校的负责人。"
WHICH_CHILD: Final = "要登记哪位同学？请回复编号或姓名。"
CHILD_LINE: Final = "{name}（{class_name}）{due}"
DUE_LATE: Final = " 已到期"
DUE_TODAY: Final = " 今天到期"
DUE_ON: Final = " {month}月{day}日前联系"
MORE: Final = "还有{count}位没有列出，可以直接回复姓名。"
WHICH_AGAIN: Final = "没有找到这位同学。请回复上面的编号，或写全姓名"
SEVERAL: Final = "有几位同学都对得上，请回复编号，或写全姓名"
HOW: Final = (
    "{name}：怎么联系的、见到（说上话）的是谁？请在一行里回复数字：\n"
    "1家访 2电话 3视频 4到校\n5孩子 6照看人 7父母\n没联系上写0。例如家访见到孩子和照看人，就回复 156。"
)
HOW_WAY: Final = "请写上怎么联系的：1家访 2电话 3视频 4到校，再加上见到谁，例如 16"
HOW_MET: Final = "请写上见到（说上话）的是谁：5孩子 6照看人 7父母；没联系上就回复 0"
FINDING: Final = "请用一句话写下情况，例如：作业没人管，奶奶腰疼。用手机键盘上的话筒说也行。"
FOLLOW: Final = "接下来做什么、哪天做？例如：下周三再去。不用就回复“没有”。"
FOLLOW_DAY: Final = "请写上哪天，例如：下周三再去、9月20日打电话；不用就回复“没有”"
SURE: Final = "{summary}\n对吗？回复1保存，回复2重新说。"
SUMMARY: Final = "{name} {day}{way}，{outcome}\n情况：{finding}\n后续：{follow_up}"
REACHED: Final = "见到{met}"
FAILED: Final = "没有联系上"
AGAIN: Final = "好的，{name}这次重新说。"
CHAT_SAVED: Final = (
    "登记好了：{name} {day}{way}，{outcome}{topics}。{backdated}{follow_up}写错了，请到后台“家校联系”更正。"
)
CHAT_TOPICS: Final = "，说到{topics}"
CHAT_FOLLOW: Final = "后续：{words}（{day}）。"
CHAT_BACKDATED: Final = "这是补登，会写明是今天登记的。"
CHAT_FAILED: Final = "记下了：{name} {day}{way}没有联系上。没联系上不算完成，请换个时间再试，联系上了再回复“家访”登记。"
RESUME: Final = "上次{name}的登记没有写完{what}。\n1. 接着写\n2. 不要了，重新登记\n请回复数字。"
RESUME_WHAT: Final = "，已写：{what}"
RESUME_AGAIN: Final = "请回复1（接着写）或2（重新登记）"
WHOSE_NUMBER: Final = "没有接的是谁的电话？请回复编号。同一个号码两次没有接，会请您重新问号码。"
OTHER_NUMBER: Final = "联系卡上没有的号码"
VOICE_KEPT: Final = "语音加密存下了，会和这次登记放在一起。系统听不懂语音，请再用文字答一句。"
PICTURE_KEPT: Final = "照片加密存下了，会和这次登记放在一起。"
CHILD_FIRST: Final = "请先回答是哪位同学，再发照片或语音。"
MEDIA_AWAY: Final = "没有取到，微信那边暂时没有回应。前面答的都还在，请过几分钟再发一次。"
MEDIA_GONE: Final = "这个文件在微信那边取不到了，请重新发一次。"
MEDIA_AGAIN: Final = "没有存下，请再发一次。"
PICTURE_TOO_LARGE: Final = "这张照片太大，收不了。请在手机上截个图，把截图发来。"
PICTURE_UNREADABLE: Final = "这个图片打不开。请换成照片或截图，再发一次。"
VOICE_TOO_LONG: Final = "这段语音太长，收不了。请说短一些，分几次登记。"
VOICE_UNREADABLE: Final = "这段语音读不出来，请重新说一次。"
UNANSWERED: Final = "您有一条家校联系登记，里面问的一个问题还没有回答。孩子有危险先打110，再打开“家校联系”接着写完。"
UNANSWERED_NOTE: Final = "有个问题请马上回答"
SENDER: Final = "乡校"
TODAY: Final = "今天"
YESTERDAY: Final = "昨天"
DAY: Final = "{month}月{day}日"
