"""What is let in, and what a row says."""

from __future__ import annotations

import io
import struct
import zipfile
from datetime import date
from typing import Any

import pytest

from bot.errors import AppError
from handlers.accounts.domain import AppointmentKind, ClassName, Relation
from handlers.rosters.domain import FileTooLarge, NoRows, NoSuchColumns, NoWorkbook, RosterKind
from handlers.rosters.service.columns import places
from handlers.rosters.service.parsing import Parsed, PupilEntry, StaffEntry, parse
from handlers.rosters.service.reading import LARGEST_FILE, inspect, read
from tests.handlers.rosters.made_up import TODAY, id_number, pupils, workbook

GOOD = {"class": "三年级2班", "name": "林远"}


def parsed(row: dict[str, Any], kind: RosterKind = RosterKind.PUPILS) -> Parsed:
    """One row after its way through a workbook."""
    sheet = read(workbook([row], kind=kind), kind)
    return parse(kind, sheet.rows[0], places(kind, sheet.head), TODAY)


def pupil(**cells: Any) -> PupilEntry:
    """What a good row says."""
    row = parsed(GOOD | cells)
    assert isinstance(row.entry, PupilEntry), row.faults
    return row.entry


def faults(**cells: Any) -> list[str]:
    """What is said of a bad one."""
    row = parsed(GOOD | cells)
    assert row.entry is None
    return [f"{fault.column}：{fault.text}" for fault in row.faults]


# ------------------------------------------------------------------------------------------------------------- the file
def rezipped(content: bytes, changes: dict[str, bytes]) -> bytes:
    """The workbook with parts replaced."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, changes.get(entry.filename, old.read(entry)))
    return buffer.getvalue()


def sheet_with(cells: bytes) -> bytes:
    head = b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    sheet = head + b"<sheetData>" + cells + b"</sheetData></worksheet>"
    return rezipped(workbook([GOOD]), {"xl/worksheets/sheet1.xml": sheet})


def test_a_large_file_is_refused_unopened() -> None:
    with pytest.raises(FileTooLarge):
        inspect(b"PK\x03\x04" + bytes(LARGEST_FILE))


@pytest.mark.parametrize(
    "content",
    [b"", b"\xd0\xcf\x11\xe0old excel", b"PK\x03\x04 but nothing else", workbook([GOOD])[:-200], b"a,b,c"],
    ids=["empty", "old format", "no zip", "cut off", "csv"],
)
def test_what_is_no_workbook_is_refused(content: bytes) -> None:
    with pytest.raises(NoWorkbook):
        read(content, RosterKind.PUPILS)


def test_a_bomb_is_refused_by_its_directory() -> None:
    with pytest.raises(FileTooLarge):
        inspect(rezipped(workbook([GOOD]), {"xl/worksheets/sheet1.xml": b"<x>" + b" " * 60_000_000}))


def test_a_bomb_that_lies_about_its_size_is_found() -> None:
    bomb = rezipped(workbook([GOOD]), {"xl/theme/theme1.xml": b"<x>" + b" " * 50_000_000})
    lie = struct.pack("<I", 1000)
    size = struct.pack("<I", 50_000_003)
    with pytest.raises(AppError) as caught:
        inspect(bomb.replace(size, lie))
    assert isinstance(caught.value, NoWorkbook)


@pytest.mark.parametrize(
    "cells",
    [
        b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        b"<row r='900000'><c><v>1</v></c></row>",
        b'<row r="1"><c s="1"  r = "ZZZ1"><v>1</v></c></row>',
        b"<row></row>" * 30_100,
    ],
    ids=["far corner", "far row", "far column", "many rows"],
)
def test_a_sheet_that_reaches_too_far_is_refused_before_it_is_parsed(cells: bytes) -> None:
    with pytest.raises(FileTooLarge):
        inspect(sheet_with(cells))


def test_a_sheet_in_another_encoding_is_refused() -> None:
    content = rezipped(workbook([GOOD]), {"xl/worksheets/sheet1.xml": "<worksheet/>".encode("utf-16")})
    with pytest.raises(NoWorkbook):
        inspect(content)


def test_columns_that_lack_are_named() -> None:
    with pytest.raises(NoSuchColumns, match="班级"):
        read(workbook([{"name": "林远"}], heads={"class": "备注"}), RosterKind.PUPILS)


def test_a_head_without_rows_is_said() -> None:
    with pytest.raises(NoRows):
        read(workbook([]), RosterKind.PUPILS)


def test_a_schools_own_sheet_is_understood() -> None:
    heads = {"name": "学生姓名*", "class": "年级 班级（必填）", "id_number": "身份证号码"}
    content = workbook(pupils(3, seed=1), heads=heads, extra=("备注",), title="某某小学学生花名册")
    sheet = read(content, RosterKind.PUPILS)
    assert [number for number, _ in sheet.rows] == [4, 5, 6], "rows are numbered as the program shows them"
    assert "备注" in sheet.head
    assert {"name", "class", "id_number"} <= places(RosterKind.PUPILS, sheet.head).keys()


# ------------------------------------------------------------------------------------------------------------- the rows
@pytest.mark.parametrize(
    "said", ["三(2)班", "三年级2班", "三年级（2）班", "302", "0302", "３０２班", 302.0, "三年级二班"]
)
def test_classes_are_one_however_they_are_written(said: object) -> None:
    assert pupil(**{"class": said}).school_class == ClassName(3, 2)


def test_zeros_in_front_and_the_last_x_stay() -> None:
    number = next(each for order in range(99) if (each := id_number(date(2017, 5, 6), order)).endswith("X"))
    entry = pupil(
        id_number=number.lower(), roster_number="000123456789", phone1="0557-3012345", name1="王安", relation1="妈妈"
    )
    assert entry.id_number == number
    assert entry.roster_number == "000123456789"
    assert entry.guardians[0].phone == "05573012345"


def test_the_identity_number_tells_birth_and_sex() -> None:
    number = id_number(date(2017, 5, 6), 123)
    entry = pupil(id_number=number)
    assert (entry.birth_date, entry.sex) == (date(2017, 5, 6), "男")
    assert "出生日期" in faults(id_number=number, birth_date="2017-05-07")[0]
    assert "性别" in faults(id_number=number, sex="女")[0]


@pytest.mark.parametrize("said", [3.41302201705060e17, "3.41302E+17", "341302201705060000"])
def test_a_number_excel_has_damaged_is_named_as_that(said: object) -> None:
    (told,) = faults(id_number=said)
    assert "Excel" in told
    assert "文本" in told


def test_a_phone_kept_as_a_number_is_whole() -> None:
    assert pupil(name1="王安", relation1="妈妈", phone1=13800001111.0).guardians[0].phone == "13800001111"


def test_a_roster_number_kept_as_a_number_is_doubted() -> None:
    row = parsed(GOOD | {"roster_number": 123456789.0})
    assert "开头的0" in row.warnings[0].text


def test_a_wrong_check_digit_is_found() -> None:
    number = id_number(date(2017, 5, 6), 11)
    wrong = number[:17] + ("1" if number[17] != "1" else "2")
    assert "身份证号" in faults(id_number=wrong)[0]


@pytest.mark.parametrize(
    "said", ["2017-05-06", "2017/5/6", "2017.5.6", "2017年5月6日", "20170506", date(2017, 5, 6), 42861.0, 20170506.0]
)
def test_days_are_read_however_they_are_written(said: object) -> None:
    assert pupil(birth_date=said).birth_date == date(2017, 5, 6)


@pytest.mark.parametrize("said", ["2017-13-01", "昨天", "2017", "2030-01-01"])
def test_a_day_that_is_none_is_a_fault(said: str) -> None:
    assert "出生日期" in faults(birth_date=said)[0]


def test_guardians_are_read_with_their_gaps() -> None:
    entry = pupil(name2="王安", relation2="外祖母", acting2="是", acting3="否")
    (only,) = entry.guardians
    assert (only.place, only.relation, only.is_acting, only.phone) == (2, Relation.MATERNAL_GRANDMOTHER, True, None)


def test_what_is_wrong_with_guardians_is_said_at_their_cells() -> None:
    told = faults(phone1="13800001111", name2="王安", relation2="邻居", acting2="也许", phone3="123", name3="李安")
    assert [each.split("：")[0] for each in told] == ["监护人1姓名", "监护人2关系", "监护人2实际照看", "监护人3电话"]
    both = {"name1": "王安", "acting1": "是", "name2": "李安", "acting2": "是"}
    assert "只能有一位" in faults(**both)[0]


def test_a_charge_is_read() -> None:
    row = parsed({"name": "王老实", "kind": "班主任", "class": "三(2)班", "since": "2026-9-1"}, RosterKind.STAFF)
    assert isinstance(row.entry, StaffEntry)
    assert (row.entry.kind, row.entry.school_class) == (AppointmentKind.HEAD_TEACHER, ClassName(3, 2))
    for cells in ({"kind": "班主任"}, {"kind": "门卫"}, {"kind": "乡镇管理员"}, {"kind": ""}):
        assert parsed({"name": "王老实", **cells}, RosterKind.STAFF).entry is None
