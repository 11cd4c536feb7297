"""Rosters of people who do not exist: the same seed, the same people."""

from __future__ import annotations

import io
import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import xlsxwriter

from handlers.accounts.domain import RELATION_WORDS, Relation, id_check_digit
from handlers.rosters.domain import RosterKind
from handlers.rosters.service.columns import COLUMNS
from tests.factories import invented_name

TODAY = date(2026, 9, 1)
PARENTS = (Relation.MOTHER, Relation.FATHER, Relation.PATERNAL_GRANDMOTHER)


def id_number(birth: date, order: int, *, region: str = "341302") -> str:
    """A number that passes every check and belongs to nobody."""
    first = f"{region}{birth:%Y%m%d}{order % 1000:03d}"
    return first + id_check_digit(first)


def class_words(chance: random.Random, grade: int, number: int) -> str:
    """One of the ways a school writes a class."""
    digits = "零一二三四五六"
    ways = (f"{digits[grade]}年级{number}班", f"{digits[grade]}({number})班", f"{grade:02d}{number:02d}")
    return chance.choice(ways)


def pupils(count: int, seed: int, *, schools: Sequence[str] = ("",), offset: int = 0) -> list[dict[str, str]]:
    """Rows by column, with brothers and sisters, without numbers, with one to three guardians."""
    chance = random.Random(seed)
    rows: list[dict[str, str]] = []
    mother: tuple[str, str] | None = None
    for number in range(offset, offset + count):
        birth = date(2014, 9, 1) + timedelta(days=chance.randrange(2000))
        row = {
            "school": schools[number % len(schools)],
            "class": class_words(chance, 1 + number // 40 % 6, 1 + number // 240 % 4),
            "name": _name(seed * 100_003 + number),
            "sex": "男",
            "birth_date": birth.isoformat(),
        }
        if chance.random() < 0.9:
            row["id_number"] = _own_id_number(birth, number)
            row["sex"] = "男" if int(row["id_number"][16]) % 2 else "女"
        if chance.random() < 0.9:
            row["roster_number"] = f"G{341302000000000000 + number:018d}"
        for place in range(1, chance.choice((2, 3, 3, 4))):
            person = (_name(seed * 7 + number * 3 + place), f"13{seed % 10}{number * 3 + place:08d}")
            if place == 1 and mother and chance.random() < 0.15:
                person = mother
            mother = person if place == 1 else mother
            row |= {
                f"name{place}": person[0],
                f"relation{place}": RELATION_WORDS[PARENTS[place - 1]],
                f"phone{place}": person[1],
                f"acting{place}": "是" if place == 1 else "否",
            }
        rows.append(row)
    return rows


def _name(number: int) -> str:
    """Of so many that two children seldom share one and the day they were born."""
    return invented_name(number) + "甲乙丙丁戊己庚辛壬癸"[number // 4096 % 10]


def _own_id_number(birth: date, number: int) -> str:
    """Different for every number: what does not fit into the last digits goes into the region."""
    return id_number(birth, number, region=f"34{number // 1000 % 90 + 10:02d}02")


def workbook(
    rows: Sequence[Mapping[str, Any]],
    *,
    kind: RosterKind = RosterKind.PUPILS,
    heads: Mapping[str, str] | None = None,
    extra: Sequence[str] = (),
    title: str | None = None,
) -> bytes:
    """A workbook as a school makes it: numbers and days stay what they are. `heads` are other words for columns."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("名单")
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    used = {key for row in rows for key in row}
    columns = [column for column in COLUMNS[kind] if column.key in used or column.is_needed]
    keys = [*(column.key for column in columns), *extra]
    line = 0
    if title:
        sheet.write_string(0, 0, title)
        line = 2
    for place, key in enumerate(keys):
        own = next((column.head for column in columns if column.key == key), key)
        sheet.write_string(line, place, (heads or {}).get(key, own))
    for row in rows:
        line += 1
        for place, key in enumerate(keys):
            value = row.get(key)
            if isinstance(value, date):
                sheet.write_datetime(line, place, value, day)
            elif isinstance(value, float):
                sheet.write_number(line, place, value)
            elif value:
                sheet.write_string(line, place, value)
    book.close()
    return buffer.getvalue()
