"""Sentences of looking past what is one's own. What goes to a telephone names no child and no reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from handlers.contacts.domain.glass import Ground

GROUNDS: Final[Mapping[Ground, str]] = {
    Ground.DANGER: "孩子可能正有危险",
    Ground.MISSING: "孩子找不到、没到校",
    Ground.FAMILY: "家里突然出了事",
    Ground.AUTHORITY: "公安、法院或乡镇来问，负责人不在",
    Ground.OTHER: "其他",
}
MENU: Final = "紧急查看"
MENU_WATCH: Final = "紧急查看情况"
TODO_SEEN: Final = "有人紧急查看，请看理由并确认"
OPENED_NOW: Final = "已经打开，学校的保护负责人马上会知道。两小时后自动关闭，看过什么都有记录。"
SEEN: Final = "已经确认看过。有疑问，请当面问清打开的人。"

# -------------------------------------------------------------------------------------------------------------- pushes
SUBJECT: Final = "紧急查看"
SENDER: Final = "乡校"
NOTE: Final = "请打开“紧急查看情况”确认"
OPENED: Final = "{when}有人紧急查看了一份家校联系资料，请打开“紧急查看情况”，看理由并确认。"

# ---------------------------------------------------------------------------------------------------------------- looks
PICTURE: Final = "看了一张照片或听了一段语音"
WHOLE: Final = "看了全部内容"


def look_in_words(fields: Sequence[str]) -> str:
    """What was read, by the names of its fields."""
    return PICTURE if list(fields) == ["file"] else WHOLE
