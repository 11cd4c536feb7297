"""Every sentence of the chat in which families sign up, leave, answer an offer and opt out."""

from __future__ import annotations

COMMA = "、"
WEEKDAYS = "一二三四五六日"
WEEKDAY = "星期{days}"
EVERY_SCHOOL_DAY = "星期一到五"
HOURS = "{days}{starts_at}–{ends_at}"
MOMENT = "{month}月{day}日{hour}:{minute:02d}"
DAY = "{month}月{day}日"

NO_CHILD = "我这里没有您孩子在校的记录，还不能报名。请先回复“绑定”登记，或者找班主任。"
NOT_A_GUARDIAN = "报课后服务要先知道您是哪个孩子的家长。请回复“绑定”登记，再回复“报名”；也可以找班主任填纸质表。"
OTHER_HAT = "您现在是老师身份。给自己孩子报名请先回复“切换身份”，再回复“报名”。"
NO_CONSENT = "网上报名要先同意使用{names}的信息。请先回复“儿童信息授权”看说明；不同意也可以找班主任填纸质表。"
WHICH_CHILD = "给哪个孩子报课后服务？请回复数字："
CHILD_LABEL = "{name}（{school}{school_class}）"
TOGETHER = "{names}一起报（要么都报上，要么都候补）"

NOTHING_OFFERED = "{name}的学校现在没有公布课后服务的课。公布了再来回复“报名”，急的话请问班主任。"
NOT_YET = "{name}的课后服务还没开始报名，{at}开始。到时候回复“报名”就行。"
OVER = "{name}的课后服务报名时间已经过了。要补报请找班主任；已经报的回复“我的报名”看。"
ALL_SIGNED_UP = "{name}现在能报的课都报了。回复“我的报名”看情况，不想上了回复“退报”。"
NOT_TOGETHER = "{name}没有能一起报的课了：一起报要选同一份安排里先到先得的课。请回复“报名”，分开报。"
LIST_LEAD = "{name}可以报这些课（自愿参加，不报也可以）。要看哪门，请回复数字："
LIST_LINE = "{number}. {title}　{hours}　{places}　{fee}"
LIST_MORE = "后面还有{count}门，回复“下一页”。"
LIST_END = "不报就回复“退出”；要问政策，请先退出再问。"
LIST_LAST = "已经是最后一页。请回复前面的数字，或者回复“退出”。"
LIST_AGAIN = "请回复课程前面的数字（1到{count}）。"
GONE = "这门课现在报不了了，请在剩下的里面选。\n"
PLACES_FREE = "不限名额"
PLACES_LEFT = "还剩{count}个"
PLACES_NONE = "已满，可候补"
PLACES_DRAW = "抽签"
FEE_FREE = "不收费"
FEE_PUBLIC = "家里不用交钱"
FEE_TERM = "一学期{amount}元"
FEE_LESSON = "一次{amount}元"

READ = "请先看清楚再定。\n{courses}\n{told}\n{question}\n1. 确认报名\n2. 不报"
READ_COURSE = "【{name}：{title}】\n时间：{hours}，{first}起\n{where}老师：{teacher}\n收费：{fee}\n名额：{places}"
READ_ROOM = "教室：{room}\n"
READ_PICK_UP = "接孩子：{point}\n"
READ_CLAUSE = "{fee}（依据：{clause}）"
TEACHER_OPEN = "开课前公布"
VOLUNTARY = (
    "课后服务自愿参加，不报不影响孩子上课。报上以后随时能退，回复“退报”就行；整个不参加，回复“不参加”，可以写原因。"
)
COMPLAINT = "被要求必须报、乱收费，可以打{phone}。"
PLACES_LEFT_READ = "还剩{count}个，先到先得"
PLACES_NONE_READ = "已经满了，现在报是排候补，有人退了按顺序通知"
PLACES_DRAW_READ = "抽签决定，报得早晚一个样"
PLACES_FREE_READ = "不限，都能上"
ASK = "给{names}报名吗？请回复数字或“确认报名”："
ASK_TOGETHER = "{names}一起报，要么都报上，要么都候补。报吗？请回复数字或“确认报名”："
ASK_AGAIN = "请回复“1”确认报名，或者“2”不报。"
NOT_SIGNED_UP = "好的，没有报名。课后服务自愿参加；想好了再回复“报名”。"
REFUSED = "没有报上：{why}"

ENROLLED = "报上了：{name}，“{title}”，{hours}。"
WAITLISTED = "“{title}”名额已满，{name}排在候补第{position}位。"
SUBMITTED = "已经登记：{name}，“{title}”，等抽签{rank}。"
RANK = "（第{rank}志愿）"
NEXT_ENROLLED = "回复“我的报名”看全部；不想上了回复“退报”。"
NEXT_WAITLISTED = "有名额会通知您，到时候回复“要”或者“不要”。回复“我的报名”看排到第几。"
NEXT_SUBMITTED = "抽签结果会通知您。回复“我的报名”看，不想等了回复“退报”。"

OWN_LEAD = "您孩子的课后服务："
OWN_LINE = "{name}：“{title}”{state}"
OWN_EMPTY = "您的孩子现在没有报课后服务的课。想报回复“报名”，自愿参加。"
OWN_STATES = {
    "draft": "还没有交",
    "submitted": "等抽签{rank}",
    "enrolled": "已经报上",
    "waitlisted": "候补，现在第{position}位",
    "offered": "有名额了，为您保留到{until}",
}
OWN_OFFER = "要这个名额就回复“要”，不要就回复“不要”。"
OWN_TAIL = "想再报回复“报名”，想退回复“退报”。"

LEAVE_WHICH = "要退哪一门？请回复数字："
LEAVE_LABEL = "{name}：{title}（{state}）"
LEAVE_SURE = "退掉{name}的“{title}”吗？退了名额会给下一位，想再上要重新报。\n1. 确认退报\n2. 不退"
LEAVE_AGAIN = "请回复“1”确认退报，或者“2”不退。"
LEFT = "已经退掉{name}的“{title}”。交过的钱怎么退请问班主任；想再报回复“报名”。"
LEFT_REST = "已经退掉{name}的“{title}”，一起报的另一个孩子还在。回复“我的报名”看情况。"
KEPT = "好的，没有退。回复“我的报名”看情况。"

OFFER_NONE = "现在没有为您保留的名额。回复“我的报名”看排到第几。"
OFFER_WHICH = "有几个名额为您留着，您说的是哪一个？请回复数字："
OFFER_LABEL = "{name}：{title}，保留到{until}"
ACCEPTED = "好的，{names}报上了“{titles}”。回复“我的报名”看全部；不想上了回复“退报”。"
DECLINED = "好的，{names}的“{titles}”名额不要了，会给下一位。想再排队，回复“报名”。"

OPT_OUT_WHICH = "哪个孩子不参加课后服务？请回复数字："
OPT_OUT_REASON = "好的，参不参加由您定。能说说{name}不参加的原因吗？写一句就行，只留给学校存档；不想写就回复“跳过”。"
OPT_OUT_SURE = (
    "{name}不参加课后服务{reason}。{ends}确认吗？\n1. 确认不参加\n2. 再想想\n只想退一门课，请选2再回复“退报”。"
)
OPT_OUT_BECAUSE = "（原因：{reason}）"
OPT_OUT_ENDS = "已经报的{titles}会一起退掉。"
OPT_OUT_AGAIN = "请回复“1”确认不参加，或者“2”再想想。"
OPTED_OUT = "记下了，{name}不参加课后服务，不影响孩子上课。平常放学时间请问班主任；以后想参加，随时回复“报名”。"
NOT_OPTED_OUT = "好的，没有变。回复“我的报名”看情况。"

MENU = "我要报名"
