"""Sentences and words of what is taken out. No title, name of a sheet or of a file says what sort of child it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from handlers.contacts.domain.exports import ExportState, TakenFor

PURPOSES: Final[Mapping[TakenFor, str]] = {
    TakenFor.INSPECTION: "上级检查",
    TakenFor.MEETING: "研判、会议",
    TakenFor.HANDOVER: "工作交接",
    TakenFor.AUTHORITY: "公安、法院、民政调取",
    TakenFor.OTHER: "其他",
}
STATES: Final[Mapping[ExportState, str]] = {
    ExportState.WAITING: "等人批准",
    ExportState.RELEASED: "已批准，还没生成",
    ExportState.REFUSED: "没有批准",
    ExportState.MADE: "已生成",
}
TAGS: Final[Mapping[ExportState, str]] = {
    ExportState.WAITING: "plain",
    ExportState.RELEASED: "good",
    ExportState.REFUSED: "bad",
    ExportState.MADE: "good",
}
MENU: Final = "家校联系导出"
MENU_RELEASE: Final = "批准家校联系导出"
TODO_RELEASE: Final = "家校联系的导出等您批准"
TODO_MAKE: Final = "家校联系的导出已批准，可以生成"
ASKED: Final = "已经提交，等校领导或乡镇批准。批准以后，请回到这里生成文件。"
RELEASED: Final = "已经批准，申请的人现在可以生成文件了。"
REFUSED: Final = "已经退回，申请的人会看到您写的原因。"
NO_ANSWER: Final = "请选批准还是不批准，再提交。"
NO_PURPOSE: Final = "请选用途，再提交。"
BOOK: Final = "家校联系"
FILE_NAME: Final = "家校联系-{when}.xlsx"

# ------------------------------------------------------------------------------------------------------------ workbook
LIST: Final = "名单"
RECORDS: Final = "联系记录"
LIST_HEAD: Final = ("学校", "班级", "学生", "级别", "负责老师", "下次联系")
GROUP_HEAD: Final = "类别"
RECORD_HEAD: Final = ("班级", "学生", "日期", "方式", "结果", "见到", "说到", "登记人")
MARK: Final = "导出人：{exporter}　时间：{when}　用途：{purpose}　编号：{number}"
KEEP: Final = "只限上面写明的用途，不得转发、不得另存；用完请删除。"
MARK_COLUMN: Final = "水印"
COMMA: Final = "、"

# ---------------------------------------------------------------------------------------------------------------- paper
PRINT_MARK: Final = "打印人：{by}　时间：{when}　用途：{purpose}　编号：{number}"
