"""Sentences of what is kept up with parents who live apart from their child. To a family nothing says more than that
the school speaks to it: any family may want that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from handlers.contacts.domain.family import CallState, HeardWay, WishHow

# -------------------------------------------------------------------------------------------------------------- pushes
WORD_SUBJECT: Final = "老师的话"
WORD: Final = "{school}{teacher}老师说{child}：{words}"
WORD_STOP: Final = "每月一次。不想再收，回复“不要每月一句”；想和老师通话，回复“约通话”。"
CALL_SUBJECT: Final = "约好的通话"
CALL_NOTES: Final[Mapping[str, str]] = {
    "proposed": "请答复行不行",
    "agreed": "约好了，请准时",
    "cancelled": "这次取消了",
    "soon": "快到约好的时间了",
}
TO_FAMILY: Final[Mapping[str, str]] = {
    "proposed": "{school}{teacher}老师想在{when}和您通电话，说说{child}。行，回复“同意通话”；"
    "换时间，回复“通话改”加新的时间；不方便，回复“取消通话”。",
    "agreed": "{school}{teacher}老师同意了，{when}通电话，说说{child}。到时请接电话，不方便请回复“取消通话”。",
    "cancelled": "{school}{teacher}老师取消了{when}的通话。要另约，请回复“约通话”。",
    "soon": "{when}您和{school}{teacher}老师约好了通电话，说说{child}。请留意来电，不方便请回复“取消通话”。",
}
TO_TEACHER: Final[Mapping[str, str]] = {
    "proposed": "有位家长想在{when}和您通电话。请打开“家校联系”里的“约好的通话”答复。",
    "agreed": "家长同意了，{when}通电话。请准时打过去，打完在“家校联系”里登记。",
    "cancelled": "家长取消了{when}的通话。要另约，请打开“家校联系”。",
    "soon": "{when}您和一位家长约好了通电话。号码在“家校联系”里，打完请登记。",
}

# --------------------------------------------------------------------------------------------------------------- pages
MENU_WORDS: Final = "每月一句"
TODO_ASKED: Final = "家长约通话，等您答复"
TODO_OVER: Final = "约好的通话打了没有，还没有登记"
HOWS: Final[Mapping[WishHow, str]] = {
    WishHow.BY_PHONE: "电话里说的",
    WishHow.IN_PERSON: "当面说的",
    WishHow.SIGNED_PAPER: "签了字的纸",
}
WISHES: Final[Mapping[bool, str]] = {True: "愿意收每月一句、约通话", False: "不再收"}
CALL_STATES: Final[Mapping[CallState, str]] = {
    CallState.PROPOSED: "等对方答复",
    CallState.AGREED: "约好了",
    CallState.CANCELLED: "取消了",
    CallState.DONE: "打过了",
    CallState.MISSED: "没有打成",
}
HEARD_WAYS: Final[Mapping[HeardWay, str]] = {
    HeardWay.CALL: "打电话",
    HeardWay.VIDEO: "视频",
    HeardWay.HOME: "回家看孩子",
}
PICKS: Final = (
    "这个月每天都按时到校，请放心。",
    "这个月作业按时交，字写得比以前工整。",
    "这个月爱跟同学一起玩，饭也吃得好。",
    "这个月课堂上举手多了，老师都看在眼里。",
    "天气凉了，打电话时请提醒孩子多穿衣服。",
    "快放假了，放假的日子和安全的事，请和孩子说一说。",
)
"""To be taken as they are, or changed."""
WORD_KEPT: Final = "已经存好，到那天傍晚发给愿意收的家长。发出去以前都可以改。"
WISH_KEPT: Final = "已经登记。家长随时可以改主意，回复“不要每月一句”就不再发。"
PROPOSED: Final = "已经发给家长，等家长答复。"
AGREED: Final = "已经约好，到时会提醒您和家长。"
MOVED: Final = "新的时间已经发给家长，等家长答复。"
CANCELLED: Final = "已经取消，会告诉家长。"
MISSED: Final = "记下了：没有打成。要另约，请打开那位同学的“家长”。"
TOOK_PLACE: Final = "记下了：打过了。"
HEARD_KEPT: Final = "记下了。这是父母自己和孩子的联系，学校的联系照常到期。"
PICK_PERSON: Final = "请选一位家长，再约。"
PICK_WHEN: Final = "请选哪天、几点，再约。"
NOT_A_DATE: Final = "请选哪天发，再保存。"

# ---------------------------------------------------------------------------------------------------------------- chat
NO_CHILD: Final = "您还没有绑定孩子。请先回复“绑定”，绑定以后再来。"
WISH_ASK: Final = (
    "老师每月可以用微信给您说一句孩子在校的情况，也可以和您约时间通电话。不收钱，随时可以不要。\n"
    "1. 愿意\n2. 不要\n请回复数字。"
)
WISH_AGAIN: Final = "请回复1（愿意）或2（不要）"
WANTED: Final = "好的，老师写了就发给您。想约通话，回复“约通话”；不想再收，回复“不要每月一句”。"
WANTED_NO_CONSENT: Final = "记下了。还要您同意儿童信息的告知书才能发，请回复“儿童信息授权”。"
NOT_WANTED: Final = "好的，不再发了，约的通话也取消了。想要时再回复“每月一句”。"
NOT_AGREED: Final = "要先愿意收老师的话，才能约通话。请回复“每月一句”。"
NO_TEACHER: Final = "现在没有老师可以约，请给学校打电话。"
WHICH_CHILD: Final = "和老师说说哪个孩子？请回复编号。"
WHEN: Final = "想什么时候通话？请写日期和几点，例如：9月20日19:30、后天晚上7点半。"
WHEN_AGAIN: Final = "请写清日期和几点，例如：9月20日19:30"
ASKED: Final = "好的，已经告诉老师：{when}。老师答复了会通知您。"
NO_CALL: Final = "现在没有要答复的通话。想约，请回复“约通话”。"
CALL_AGREED: Final = "好的，{when}通电话，到时会提醒您。不方便请回复“取消通话”。"
CALL_CANCELLED: Final = "好的，{when}的通话取消了，会告诉老师。要另约，请回复“约通话”。"
CALL_MOVED: Final = "好的，已经告诉老师改成{when}，等老师答复。"

# ---------------------------------------------------------------------------------------------------------------- copy
DATA_WISHES: Final = "您说过要不要老师每月的话"
DATA_WORDS: Final = "老师每月的话"
DATA_CALLS: Final = "约的通话"
DATA_DAY: Final = "日期"
DATA_WHAT: Final = "内容"
