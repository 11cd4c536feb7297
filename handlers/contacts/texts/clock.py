"""Every sentence about when contact is due. A message says how many there are, never who or why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from handlers.contacts.domain.register import Level

# -------------------------------------------------------------------------------------------------------------- pushes
SUBJECT: Final = "家校联系"
SENDER: Final = "乡校"
NOTE: Final = "请打开“家校联系”办理"
OWN_TODAY: Final = "您有{today}位同学的家校联系今天到期，请今天联系，打开“家校联系”登记。"
OWN_LATE: Final = "您有{late}位同学的家校联系已经过期，请今天联系，打开“家校联系”登记。"
OWN_BOTH: Final = "您有{today}位同学的家校联系今天到期、{late}位已经过期，请今天联系，打开“家校联系”登记。"
LEAD: Final = "有{count}位同学的家校联系过期没有完成（{by}），请今天问清情况，需要时换人联系。"
LEADER: Final = "有{count}位同学的家校联系过期多日没有完成，请今天过问，到“家校联系统计”看是哪些老师。"
LEADER_FEW: Final = "有同学的家校联系过期多日没有完成，请今天过问，到“家校联系统计”看是哪些老师。"
NOBODY: Final = "有学校的家校联系到期，还没有人负责，请今天给学校安排负责人。"
BY: Final = "{name}{count}位"
BY_NOBODY: Final = "没有人负责的{count}位"
BY_MORE: Final = "其他老师{count}位"
COMMA: Final = "、"

# --------------------------------------------------------------------------------------------------------------- todos
TODO_LEAD: Final = "老师过期没有完成的家校联系"
TODO_RULES: Final = "家校联系的间隔还没有定"

# --------------------------------------------------------------------------------------------------------------- rules
LEVELS: Final[Mapping[Level, str]] = {Level.GREEN: "绿", Level.YELLOW: "黄", Level.RED: "红"}
NOT_A_DATE: Final = "日期没有填好，请按“2026-09-01”的样子填写。"
NOT_A_NUMBER: Final = "天数请填数字，例如30。"
SINCE_PAST: Final = "从哪天起不能早于今天：过去的日子按当时的规定算。请改成今天或以后。"
SINCE_EARLIER: Final = "已经有从这一天或更晚的日子起的规定，请改成那之后的日子。"
RULE_SET: Final = "规定已经登记，从{day}起按新的间隔算。"
MENU_RULES: Final = "家校联系规定"
CHANGES: Final = (
    "按间隔联系的同学：{count}",
    "从那天起马上到期的：{count}",
    "下次联系提前的：{count}",
    "下次联系推后的：{count}",
)
FEW: Final = "少于{least}位"
MANY: Final = "{count}位"
NONE: Final = "没有"
