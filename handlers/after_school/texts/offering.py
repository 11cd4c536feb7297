"""What is said of offers: in the console, on the publication page, and in the letter to parents."""

from __future__ import annotations

from typing import Any, Final

MENU: Final = "课后服务安排"
LETTERS_MENU: Final = "课后服务告家长书"
WEEKDAYS: Final = "一二三四五六日"
STATES: Final = {"draft": "草稿", "published": "已公布", "closed": "已结束"}
STATE_TAGS: Final = {"draft": "wait", "published": "good", "closed": "plain"}
SELECTIONS: Final = {"first_come": "先报先得，满了排候补", "draw": "先登记，截止后抽签"}
BASES: Final = {"free": "不收费", "per_term": "按学期收", "per_lesson": "按次收"}
PAYERS: Final = {"family": "家长交", "public": "公家出，家长不交"}
SETTLES: Final = {
    "planned": "按计划的次数结算",
    "held": "按实际开课的次数结算",
    "attended": "按孩子实际到课的次数结算",
}
KINDS: Final = {"": "各类学校都适用", "school": "完全学校", "teaching_point": "教学点", "kindergarten": "幼儿园"}
UNLIMITED: Final = "不限"

# What is written in figures.
YUAN: Final = "{yuan}元"
PER_TERM: Final = "每学期{yuan}元"
PER_LESSON: Final = "每次{yuan}元"
FREE: Final = "不收费"
PAID_BY_PUBLIC: Final = "{fee}，由公家出，家长不交"
WEEK: Final = "每周{days}"
HOURS: Final = "{start}—{end}"
ONE_GRADE: Final = "{grade}"
GRADES: Final = "{lowest}到{highest}"
SPAN: Final = "{first}至{last}"
DAY: Final = "{month}月{day}日（星期{weekday}）"
OWN_PLAN: Final = "{township}（全镇统一办）"

# After a deed.
SAVED: Final = "保存好了。"
BEGUN: Final = "草稿建好了。下一步：添加课程。"
PROGRAMME_SAVED: Final = "课程“{title}”保存好了。"
PROGRAMME_REMOVED: Final = "课程已经删掉。"
DISCARDED: Final = "草稿已经删掉。"
PUBLISHED: Final = "已经公布，家长到报名时间就能报。下一步：打印告家长书。"
CLOSED: Final = "这份安排已经结束，不能再报名。"
PLACES_SAVED: Final = "名额改好了。"
WINDOW_SAVED: Final = "报名时间保存好了。"
DAY_OFF_SAVED: Final = "停课登记好了。要告诉家长的，点“起草通知”。"
DAY_OFF_REMOVED: Final = "停课取消了。已经通知过家长的，请再发一条通知。"
CAP_SAVED: Final = "新的上限保存好了，公布安排时按它核对。"
DRAFTED: Final = "通知草稿写好了，请核对后再发。"

# What is wrong with what was filled in.
NO_SCHOOL: Final = "请选择是哪个学校的安排。"
NO_DATE: Final = "日期或时间没填对，请重新选择。"
NO_NUMBER: Final = "名额、天数要填整数，请改正。"
NO_MONEY: Final = "金额要填成元，比如3或3.50，请改正。"
NO_CHOICE: Final = "还有选项没选，请选好再保存。"
DAYS_REVERSED: Final = "停课的最后一天早于第一天，请改正。"
TOO_MANY_DAYS: Final = "一次最多登记{most}天停课。放长假的，请到校历里填写。"
NO_NOTICE_DESK: Final = "现在不能起草通知，请到“通知”里自己写一条。"

# What is noticed before publishing.
FINDINGS: Final = {
    "empty": "还没有课程，不能公布。",
    "above_cap": "“{about}”收费超过上限：{asked}，最多{allowed}（{clause}）。请改低后再公布。",
    "no_complaint_phone": "向家长收费，却没有填监督举报电话，不能公布。",
    "no_lessons": "“{about}”在起止日期里一次课也没有，请核对星期几和日期。",
    "no_cap": "还没有录入县里的收费上限，系统没法替您核对，请自己核对文件。",
    "opens_in_the_past": "报名开始的时间已经过了，一公布家长马上就能报。",
    "closes_after_start": "报名截止晚于开课日，会有孩子开课后才报上。",
    "idle_window": "给{about}单独定了报名时间，但没有给{about}的课。",
    "grade_without": "{about}没有课可报。",
    "no_teacher": "“{about}”还没有定老师，可以公布后再填。",
}
OVER_PER_LESSON: Final = "全学期共{yuan}元（按每次上限折算）"
OVER_PER_TERM: Final = "全学期共{yuan}元"

# What another number of places means.
PLACES_FROM_TO: Final = "名额从{before}改成{after}。现在有{taken}个孩子占着名额，{waiting}个在候补。"
PLACES_OVER: Final = "已经报上的孩子比新名额多{over}个：他们都不会丢名额，但有人退出时不再递补，直到人数回到名额以内。"
PLACES_OFFERED: Final = "会马上给候补的前{offered}个孩子留名额，并发消息请家长确认。"
PLACES_NOBODY: Final = "没有孩子会因为这次改动丢名额，也不会马上递补。"
PLACES_MORE: Final = "空出的名额先到先得。"

# The draft of a notice about days off.
NOTICE_TITLE: Final = "课后服务停课：{days}"
NOTICE_TEXT: Final = (
    "各位家长：\n{days}的课后服务{what}不上课，原因：{reason}。\n请按学校平时放学的时间来接孩子。"
    "停的课怎样补、费用怎样算，按收费公示办。有困难的请找班主任。"
)
NOTICE_WHAT_ALL: Final = ""
NOTICE_WHAT_ONE: Final = "“{title}”"
AUDIENCE_PLAN: Final = "课后服务“{title}”：报上任何一门课的"
AUDIENCE_ONE: Final = "课后服务“{title}”：报上“{programme}”的"
SHORT_DAY: Final = "{month}月{day}日"
SHORT_FROM: Final = "{day}起"
JOIN_DAYS: Final = "、"

# The publication page.
FEES_TITLE: Final = "课后服务收费公示"

SHOWN: Final[dict[str, Any]] = {
    "states": STATES,
    "state_tags": STATE_TAGS,
    "selections": SELECTIONS,
    "bases": BASES,
    "payers": PAYERS,
    "settles": SETTLES,
    "kinds": KINDS,
}
"""For the templates."""

SURE: Final = "确认"
DISCARD_SURE: Final = "删掉草稿“{title}”？"
DISCARD_EFFECT: Final = "里面的{number}门课和报名时间都会删掉，不能恢复。家长没有看到过这份草稿。"
CLOSE_SURE: Final = "结束“{title}”？"
CLOSE_EFFECT: Final = "家长不能再报名，候补的不再递补；已经报上的孩子不受影响。结束后不能重新打开。"
SHARED: Final = "和{names}共用（{places}个名额）"
PLACES_SURE: Final = "修改名额：{title}"
