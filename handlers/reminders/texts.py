"""Every sentence of the reminders."""

from __future__ import annotations

from typing import Final

# ------------------------------------------------------------------------------------------------- from the knowledge
COMES: Final = "提醒您：{what}，{day}，{distance}。"
BEGINS: Final = "提醒您：{what}，{first}开始，到{last}为止，{distance}。"
ENDS: Final = "提醒您：{what}，{day}是最后一天，{distance}。"
LINE_COMES: Final = "{day}{what}"
LINE_ENDS: Final = "{day}是{what}的最后一天"
CORRECTED: Final = "更正：{what}的日期改了，原来告诉您的是{told}，现在是{day}，请以这次为准。"
CORRECTED_PAST: Final = "更正：{what}的日期写错了，原来告诉您的是{told}，应当是{day}，已经过了。请马上问{ask}怎么补办。"
LINE_CORRECTED: Final = "更正：{what}改为{day}，不是{told}"
NOTE_REPLY: Final = "详情请在公众号里问我"
NOTE_CORRECTED: Final = "日期有更正，原为{told}"
SENDER: Final = "乡校提醒"

# ----------------------------------------------------------------------------------------------------------------- own
OWN_FACT: Final = "您让我提醒的事：{what}，{day}，{distance}。"
OWN_TEXT: Final = "您让我提醒的事：{text}，{day}，{distance}。\n不用再提醒了，回复“我的提醒”可以取消。"
NOTE_OWN: Final = "您自己记的提醒"
SET: Final = "记下了：{day}，{text}。前一个上课日和当天早上我会提醒您。\n要看或取消，回复“我的提醒”。"
SET_LETTER: Final = (
    "记下了：{day}，{text}。前一个上课日和当天早上我会在这里提醒您。\n"
    "您 48 小时没跟我说话，微信就不让我发，请自己也记着；绑定孩子后更稳妥，回复“绑定”就行。要看或取消，回复“我的提醒”。"
)
ALREADY: Final = "这一条早就记着了：{day}，{text}。要看或取消，回复“我的提醒”。"
WHICH_DATE: Final = "您要我提醒哪一个？回复数字："
NOTHING_SET: Final = "您还没有让我提醒的事。问到有日期的事，回复“提醒我”就行；也可以写：提醒我 9月4日 交材料。"
LIST: Final = "您让我提醒的事："
LIST_ROW: Final = "{number}. {day} {text}"
LIST_NEXT: Final = "取消哪一条，回复“取消提醒”加数字，比如“取消提醒1”。"
CANCELLED: Final = "取消了：{day}，{text}。还要看别的，回复“我的提醒”。"
NO_SUCH_NUMBER: Final = "没有这一条，您一共记了 {count} 条。回复“我的提醒”看看是哪一条。"
NO_ANSWER_BEFORE: Final = "您要我提醒什么事？请先问我一件有日期的事，或者这样写：提醒我 9月4日 交材料。"

# --------------------------------------------------------------------------------------------------------------- class
CLASS_TEXT: Final = "{class_name}提醒：{day}，{text}（{distance}）。\n发出的是班主任，有疑问请直接问班主任。"
CLASS_TEXT_CHILDREN: Final = "{children}的家长：{class_name}提醒，{day}，{text}（{distance}）。\n有疑问请直接问班主任。"
CLASS_LINE: Final = "{class_name}：{day}{text}"
NOTE_CLASS: Final = "班级提醒"
CLASS_PREVIEW: Final = (
    "请核对：\n给{class_name}的 {count} 位家长发提醒\n{day}：{text}\n{when}\n回复“确认”就定下来，回复“不发”就算了。"
)
WHEN_BEFORE: Final = "{at}发出，夜里不发。"
WHEN_NOW: Final = "马上就发，夜里会等到早上。"
CLASS_SET: Final = "定好了，{class_name}的 {count} 位家长会收到。要取消，回复“班级提醒”。"
CLASS_DROPPED: Final = "好的，没有发。要重写，回复“提醒三(2)班 周五 带跳绳”这样的话。"
CLASS_ASK_AGAIN: Final = "请回复“确认”发出，或回复“不发”。"
CLASS_NOT_YOURS: Final = "您不是{class_name}的班主任，不能给这个班发提醒。请核对班级，或请班主任来发。"
CLASS_SEVERAL: Final = "有几个{class_name}，您要给哪一个发？回复数字："
CLASS_NOBODY: Final = "{class_name}还没有能收到的家长，这条提醒发不出去。请先请家长绑定，或打电话告诉。"
CLASS_NONE: Final = "没有还没到的班级提醒。要发，回复“提醒三(2)班 周五 带跳绳”这样的话。"
CLASS_LIST: Final = "还没到的班级提醒："
CLASS_ROW: Final = "{number}. {class_name} {day} {text}"
CLASS_LIST_NEXT: Final = "取消哪一条，回复“取消班级提醒”加数字。"
CLASS_CANCELLED: Final = "取消了：{class_name}，{day}，{text}。还没发出的不再发；已经收到的，请再说一声。"
CLASS_HOW: Final = "请这样写：提醒三(2)班 周五 带跳绳。先写班级，再写日期，最后写什么事。"

# ------------------------------------------------------------------------------------------------------------- console
MENU: Final = "班级提醒"
PAGE_SET: Final = "提醒定好了，{count} 位家长会收到。"
PAGE_CANCELLED: Final = "已经取消，还没发出的不再发。已经收到的家长，请再说一声。"
EFFECT_WHOM: Final = "给{class_name}的 {count} 位家长发提醒。"
EFFECT_TEXT: Final = "{day}：{text}"
EFFECT_WHEN: Final = "{when}同一位家长一天收到的消息有上限，多的合并或顺延。"
NO_CLASS: Final = "请选一个班级。"
PAGE_NOBODY: Final = "这个班还没有能收到的家长，请先请家长绑定。"
