"""Every sentence about notices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from handlers.notices.domain import How, NoticeState

STATES: Final[Mapping[NoticeState, str]] = {
    NoticeState.DRAFT: "草稿",
    NoticeState.WAITING: "等待审批",
    NoticeState.SCHEDULED: "待发送",
    NoticeState.SENDING: "正在发送",
    NoticeState.SENT: "已发送",
    NoticeState.CLOSED: "已结束",
    NoticeState.RECALLED: "已撤回",
}
HOW: Final[Mapping[How, str]] = {
    How.LINK: "网页",
    How.CHAT: "服务号",
    How.API: "小程序",
    How.PHONE: "电话告知",
    How.PAPER: "纸质告知",
    How.IN_PERSON: "当面告知",
}
COMMA: Final = "、"
WEEKDAYS: Final = "一二三四五六日"
DAY: Final = "{day.month}月{day.day}日（星期{weekday}）"
MOMENT: Final = "{day}{part}{hour}点{minute}"
MINUTE: Final = "{minute}分"
# From which hour on a part of the day is called so, and what is taken off the hour.
PARTS_OF_DAY: Final = (
    (19, "晚上", 12),
    (13, "下午", 12),
    (12, "中午", 0),
    (9, "上午", 0),
    (5, "早上", 0),
    (0, "凌晨", 0),
)

# ------------------------------------------------------------------------------------------------------------- content
# What a push must never say of anybody, why, and how to say it. A pattern, what it is called, a way to put it.
_ALL: Final = "改成写给所有家庭的话，例如“符合条件的家庭可以申请，请私下联系班主任”"
_PRIVATE: Final = "这件事请班主任单独打电话说，不要写进通知"
LABELS: Final[tuple[tuple[str, str, str], ...]] = (
    (r"贫困|困难(?:家庭|学生|户|生)|建档立卡|脱贫(?:户|家庭|不稳定)|边缘易致贫|突发严重困难", "家庭经济状况", _ALL),
    (r"低保|特困|救助对象|五保", "社会救助身份", _ALL),
    (
        r"减免|免(?:交|除|收|缴)(?:费|学费|餐费|对象|名单|资格)|免费(?:名单|对象|资格)|资助(?:名单|对象)|受助",
        "减免和资助身份",
        _ALL,
    ),
    (r"留守", "家庭照看情况", "改成写给所有家庭的话，例如“平时由祖辈照看的家庭”也不要写，直接写要办的事"),
    (r"残疾|残障|智障|自闭|弱智|残联", "身体和健康状况", _PRIVATE),
    (r"孤儿|单亲|离异|父母双亡|事实无人抚养|弃婴|非婚生", "家庭关系", _PRIVATE),
    (r"患(?:有|了)|传染病(?:人|患者|学生)|艾滋|乙肝|肺结核|精神病|抑郁症", "健康状况", _PRIVATE),
    (r"差生|学困生|后进生|问题学生|不良(?:学生|行为)|倒数第", "对孩子的评价", _PRIVATE),
    (r"服刑|吸毒|戒毒|家暴|性侵|被拐", "保护类情况", _PRIVATE),
    (r"[1-9]\d{16}[\dXx]", "身份证号", "不要写证件号码，让家长到班主任处核对"),
)
LABEL_FOUND: Final = "文中的“{word}”说的是{what}，会让个别家庭难堪，不能这样发。请{how}。"
NO_SUCH_DAY: Final = "文中的“{said}”没有这一天，请核对日期。"
WRONG_WEEKDAY: Final = "文中写“{said}”，但{day.month}月{day.day}日是星期{weekday}，请核对。"
DAY_IS_PAST: Final = "文中的{day.month}月{day.day}日已经过去，请核对日期。"
NO_LESSONS: Final = "文中说{day.month}月{day.day}日到校上课，但校历上这天不上课，请核对。"
HAS_LESSONS: Final = "文中说{day.month}月{day.day}日放假，但校历上这天要上课，请核对。"
PROVISIONAL: Final = "{day.year}年的放假安排还没有公布，{day.month}月{day.day}日是否上课还说不定。"
OTHER_DATE: Final = "通知{number}《{title}》也说到“{matter}”，写的是{theirs}，这里写的是{ours}。请核对哪个对。"
OTHER_FEE: Final = "通知{number}《{title}》也说到“{matter}”，金额是{theirs}，这里是{ours}。请核对哪个对。"
AND: Final = "和"

# -------------------------------------------------------------------------------------------------------------- staff
AUDIENCE_TOWN: Final = "{town}全镇"
AUDIENCE_PICKED: Final = "点选的{count}人"
AUDIENCE_PUPILS: Final = "点选的{count}个孩子"
AUDIENCE_GRADES: Final = "{first}到{last}"
AUDIENCE_WHOLE: Final = "{places}的{roles}"
TODO_WAITING: Final = "等您审批的通知"
APPROVE_LINE: Final = "{sender}写了通知《{title}》，等您审批"
APPROVE_TEXT: Final = "{sender}写了一份通知《{title}》，{why}，要另一位同事审批。请登录后台，打开“通知”查看并办理。"
WHY_MISSING: Final = "请写一句为什么退回，让写通知的人知道怎么改。"
WHY_URGENT: Final = "标为紧急"
WHY_MANY: Final = "收到的人多"
ESCALATED_LINE: Final = "通知《{title}》还有{count}户没有回应，请打电话"
ESCALATED_TEXT: Final = (
    "通知{number}《{title}》还有{count}户没有回应，再提醒的次数已经用完。请登录后台，打开这份通知的“要打电话的名单”，"
    "逐户电话或当面告知，办一户勾一户。"
)

# ----------------------------------------------------------------------------------------------------------- families
PUSH_HEAD: Final = "【{sender}】{title}"
PUSH_AGAIN: Final = "【再次提醒】{sender}：{title}"
PUSH_CORRECTION: Final = "【更正】{sender}：{title}\n前面发给您的通知{number}以这份为准。"
PUSH_CHILDREN: Final = "关于：{children}"
PUSH_YOURS: Final = "您的孩子"
PUSH_DEADLINE: Final = "截止：{when}"
PUSH_LINKS: Final = "附：{titles}，打开网页可以看"
PUSH_CUT: Final = "……（全文请打开网页，或回复“我的通知 {number}”）"
PUSH_PAGE: Final = "看全文：{address}"
NEXT_NONE: Final = "有疑问请联系班主任；以后再看，回复“我的通知”。"
NEXT_OPENED: Final = "看过后请回复“收到 {number}”，或打开网页看一眼。"
NEXT_BUTTON: Final = "请回复“收到 {number}”确认，或打开网页点“确认”。"
NEXT_FORM: Final = "请填回执：回复“回执 {number}”，或打开网页填写。"
LINE: Final = "{sender}：{title}{deadline}"
LINE_DEADLINE: Final = "（{when}前回复）"
RELATIVE: Final = "文中的“{said}”是{day}。"
NOTE_RECALLED: Final = "这份通知已经撤回，请不用照办。有疑问请联系班主任。"
NOTE_CORRECTED: Final = "这份通知已经更正，请看更正后的通知{number}。"
NOTE_CLOSED: Final = "这份通知已经结束，不用再确认。"

OWN_EMPTY: Final = "您现在没有收到通知。学校发了通知，会在这里看到；也可以随时回复“我的通知”再看。"
OWN_LEAD: Final = "您的通知（新的在前）："
OWN_LINE: Final = "{number}. {title}（{sender}{state}）"
OWN_WAITS: Final = "，等您确认"
OWN_DONE: Final = "，已确认"
OWN_RECALLED: Final = "，已撤回"
OWN_TAIL: Final = "看全文，回复“我的通知 编号”；确认，点下面一条，或回复“收到 编号”。"
OWN_TAIL_READ: Final = "看全文，回复“我的通知 编号”。"
OWN_MORE: Final = "还有{count}条更早的，请到小程序里看。"
OWN_SHOWN: Final = "{number}. 【{sender}】{title}\n{text}"
OWN_LINK: Final = "附：{title} {url}"
OWN_CHILDREN: Final = "关于：{children}"
OWN_IS_DONE: Final = "您已经确认过了。要看别的通知，回复“我的通知”。"
TAP: Final = '<a href="weixin://bizmsgmenu?msgmenucontent={words}&msgmenuid={id}">{words}</a>'
TAP_WORDS: Final = "收到 {number}"
TAP_FORM: Final = "回执 {number}"
NO_SUCH: Final = "没有找到这份通知。请回复“我的通知”，看看编号再办。"
WHICH: Final = "有{count}份通知等您确认，请说明是哪一份：回复“收到 编号”，或先回复“我的通知”。"
NOTHING_WAITS: Final = "现在没有等您确认的通知。要看以前的，回复“我的通知”。"
CONFIRMED: Final = "收到，已记下您看过并确认了《{title}》。{rest}谢谢；要看别的通知，回复“我的通知”。"
CONFIRMED_REST: Final = "这份通知要每位监护人都确认，请家里另外的人也确认一下。"
FORM_FIRST: Final = "《{title}》要填回执，一共{count}题。"
FORM_QUESTION: Final = "第{at}题，共{count}题：{text}"
FORM_TEXT: Final = "请直接回复。"
FORM_OPTIONAL: Final = "可以不填，跳过请回复“跳过”。"
FORM_DATE: Final = "请回复日期，例如9月8日。"
FORM_SURE: Final = "您的回执：\n{answers}\n对的话回复“确认”交上去；要重填回复“重填”；不填了回复“退出”。"
FORM_ANSWER: Final = "{at}. {text}：{answer}"
FORM_SKIPPED: Final = "（没有填）"
FORM_AGAIN: Final = "请回复“确认”交上去，或回复“重填”。"
FORM_NOT_NEEDED: Final = "《{title}》不用填回执，直接回复“收到 {number}”就行。"
OTHER_HAT: Final = "您现在用的是教职工身份，这里没有发给您的通知。要看发给家长的，请先回复“切换身份”。"
NOT_A_READER: Final = "要看学校发给您的通知，请先回复“绑定”，按提示绑定孩子。"

# ------------------------------------------------------------------------------------------------------ chat of staff
WRITE_HOW: Final = (
    "请这样写：通知 三(2)班 明天带跳绳。班级可以写班名、年级、“全校”，前面可以加学校名；写好后先给您看，您确认了才发。"
)
WRITE_NO_CLASS: Final = "没有认出“{said}”是哪个班，或者它不归您管。请写成“通知 三年级2班 要说的话”，再发一次。"
WRITE_NO_TEXT: Final = "还没有写要通知的话。请写成“通知 三(2)班 明天带跳绳”，再发一次。"
WRITE_SCHOOL: Final = "有几所学校都有这个班，是哪一所？请回复序号。"
PREVIEW_HEAD: Final = "请核对（还没有发出）：\n【{sender}】{title}{text}"
PREVIEW_COUNT: Final = "发给{audience}：{children}个孩子，{people}人。"
PREVIEW_CHANNELS: Final = "方式：{channels}。"
PREVIEW_CHANNEL: Final = "{name}{count}人"
PREVIEW_UNREACHED: Final = "微信联系不上{count}个孩子的家里：{names}{more}，要打电话或带纸条。"
PREVIEW_MORE: Final = "等"
PREVIEW_FINDING: Final = "注意：{message}"
PREVIEW_HELD: Final = "现在是休息时间，{when}以后发出。"
PREVIEW_NOBODY: Final = "{audience}现在没有可以通知的人，没有发出。请核对班级，再发一次。"
TAKEN_BACK: Final = "通知{number}还没有发出，已经收回成草稿。要改要删，请到后台“通知”。"
PREVIEW_SECOND: Final = "人数较多，确认后要等另一位同事审批才发出。"
PREVIEW_ASK: Final = "要发出回复“确认”；要家长回复“收到”请回复“确认 要回复”；不发回复“取消”。"
PREVIEW_AGAIN: Final = "请回复“确认”发出，或回复“取消”不发。"
SENT_OFF: Final = "好的，通知{number}已经安排发出。看进展请到后台“通知”；要撤回没发出的，回复“撤回通知 {number}”。"
WAITS_FOR_SECOND: Final = "好的，通知{number}已交给另一位同事审批，同意后就发出。想看进展，请到后台“通知”。"
CANCELLED: Final = "好的，没有发出，草稿也删掉了。要重写，再发“通知 班级 要说的话”。"
RECALLED: Final = "通知{number}已撤回：没发出的不再发，已收到的人打开会看到“已撤回”。"
CHANNELS: Final[Mapping[str, str]] = {
    "template": "模板消息",
    "subscription_notice": "订阅通知",
    "mini_program": "小程序消息",
    "customer_service": "服务号消息",
    "mass": "群发",
    "by_hand": "打电话或纸条",
}

# ------------------------------------------------------------------------------------------------------------ records
STEP_WRITTEN: Final = "写好草稿"
STEP_APPROVED: Final = "审批同意"
STEP_BEGUN: Final = "开始发送"
STEP_SENT: Final = "发送完毕"
STEP_REMINDED: Final = "再次提醒没回应的家庭，已{count}次"
STEP_ESCALATED: Final = "交给班主任打电话"
HOW_MISSING: Final = "请选好是电话、纸质还是当面告诉的，再登记。"
CHILD_HEADING: Final = "学校发的通知"
FIELD_TITLE: Final = "通知"
FIELD_AT: Final = "时间"
FIELD_OPENED: Final = "您打开的时间"
FIELD_CONFIRMED: Final = "您确认的时间"
FIELD_HOW: Final = "确认方式"
FIELD_ANSWERS: Final = "您填的回执"
PICTURE: Final = "图片{number}"
NONE: Final = "没有"
RETENTION: Final = "删除结束满{days}天的通知和它的回执"
SHEET_HEAD: Final = (
    "学校", "班级", "孩子", "是否告知", "告知方式", "是否看过", "是否确认", "确认人", "确认方式", "确认时间",
    "老师代办",
)  # fmt: skip
YES: Final = "是"
NO: Final = "否"
