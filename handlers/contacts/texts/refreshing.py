"""Sentences of asking anew what the cards know. A message says how many things there are, never of whom."""

from __future__ import annotations

from typing import Final

MENU: Final = "联系卡更新"
TODO_ASK: Final = "联系卡上要重新问一遍的"
SUBJECT: Final = "联系卡更新"
SENDER: Final = "乡校"
PUSH: Final = "联系卡上有{count}项要重新问一遍，请在{day}前问完。请打开“家校联系”，没变的点一下就行。"
NOTE: Final = "请打开“家校联系”办理"
BEGUN: Final = "已经开始，今天或下一个上课日会告诉负责联系的老师。"
ENDED: Final = "已经结束，不再提醒老师。"
RULE_SET: Final = "已经保存，寒假前会照这样自动开始。"
RULE_OFF: Final = "已经保存，寒假前不会自动开始，需要时请在上面开始。"
KEPT: Final = "记下了，没有变。请接着问下一项。"
NOT_A_NUMBER: Final = "天数请填数字，例如90，再保存。"
NOT_A_DATE: Final = "请选哪天结束，再开始。"
NOBODY: Final = "还没有人负责的"
