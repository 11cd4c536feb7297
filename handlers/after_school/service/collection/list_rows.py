"""What a list says, row by row: read, compared with what is known, and told. Pure."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from handlers.accounts.domain import ClassName, ClassNameInvalid, NameInvalid, normalise_name, parse_class_name
from handlers.accounts.service.rolls import Room, Seat
from handlers.after_school.domain.ledger import LONGEST_REASON, Channel, Heard
from handlers.after_school.domain.statements import ConsentHow, Wish
from handlers.after_school.service.collection.ledger import NOTHING
from handlers.after_school.service.collection.views import PlanAt
from handlers.after_school.texts import collection as texts
from handlers.rosters.domain import Cell, Counts, Remark, RowReport, RowState, Sheet
from handlers.rosters.service.columns import Column, places_of
from handlers.rosters.service.workbooks import Form, shown

_NEEDED: Final = frozenset({"class", "name", "wish", "how"})
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {"wish": tuple(texts.LIST_WISHES), "how": tuple(texts.LIST_HOWS)}
COLUMNS: Final = tuple(
    Column(
        key,
        head,
        36 if key == "reason" else 16,
        texts.LIST_NOTES[key],
        choices=_CHOICES.get(key, ()),
        is_needed=key in _NEEDED,
    )
    for key, head in texts.LIST_HEADS.items()
)
FORM: Final = Form(texts.LIST_SHEET, COLUMNS, texts.LIST_LINES)


@dataclass(frozen=True, slots=True)
class Said:
    """What one row enters."""

    child_id: str
    class_id: str
    wish: Wish
    how: ConsentHow
    said_on: date
    programme_id: str | None = None
    reason: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ListPlan:
    """Everything a list would enter, and what is to be said of each row."""

    reports: Sequence[RowReport]
    said: Sequence[Said]
    class_ids: Sequence[str]
    digest: str

    @property
    def counts(self) -> Counts:
        """How many rows of each."""
        found = Counter(report.state.value for report in self.reports)
        return Counts(dict(found), sum(bool(report.warnings) for report in self.reports))


@dataclass(frozen=True, slots=True)
class Ground:
    """What a list is compared with."""

    plan: PlanAt
    rooms: Sequence[Room]
    seats: Mapping[str, Sequence[Seat]]
    known: Mapping[str, Heard]
    closed: frozenset[str]
    today: date


class _Problem(Exception):
    """A row that cannot be entered. Never leaves this module."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.remark = Remark(texts.LIST_HEADS[key], text)


def planned(sheet: Sheet, ground: Ground) -> ListPlan:
    """Of all rows. The same sheet on the same ground gives the same digest."""
    return _Planner(sheet, ground).run()


class _Planner:
    def __init__(self, sheet: Sheet, ground: Ground) -> None:
        self._sheet = sheet
        self._ground = ground
        self._places = places_of(COLUMNS, sheet.head)
        self._rooms: dict[ClassName, list[Room]] = defaultdict(list)
        for room in ground.rooms:
            self._rooms[ClassName(room.grade, room.number)].append(room)
        self._seen: set[str] = set()
        self._classes: dict[str, None] = {}

    def run(self) -> ListPlan:
        reports, said = [], []
        for number, cells in self._sheet.rows:
            values = {key: self._text(cells, place) for key, place in self._places.items()}
            report, found = self._row(number, values)
            reports.append(report)
            if found is not None:
                said.append(found)
        plain = [[str(each) for each in vars_of(row)] for row in said]
        states = [[report.row, report.state.value, [each.text for each in report.faults]] for report in reports]
        digest = hashlib.sha256(json.dumps([plain, states], ensure_ascii=False).encode()).hexdigest()
        return ListPlan(reports, said, list(self._classes), digest)

    @staticmethod
    def _text(cells: Sequence[Cell], place: int) -> str:
        return shown(cells[place]).strip() if place < len(cells) else ""

    def _row(self, number: int, values: Mapping[str, str]) -> tuple[RowReport, Said | None]:
        name, place = values["name"], values["class"]
        try:
            room = self._room(values)
            seat = self._seat(room, values)
            if not values["wish"]:
                remark = Remark("", texts.LIST_BLANK)
                return RowReport(number, RowState.UNCHANGED, name, room.name, warnings=(remark,)), None
            said = self._said(room, seat, values)
        except _Problem as problem:
            return RowReport(number, RowState.FAULTY, name, place, faults=(problem.remark,)), None
        heard = self._ground.known.get(seat.child_id, NOTHING)
        if _is_known(said, heard):
            remark = Remark("", texts.LIST_SAME)
            return RowReport(number, RowState.UNCHANGED, name, room.name, warnings=(remark,)), None
        return RowReport(number, RowState.NEW, name, room.name, warnings=_against(said, heard)), said

    def _room(self, values: Mapping[str, str]) -> Room:
        try:
            found = self._rooms.get(parse_class_name(values["class"]), [])
        except ClassNameInvalid as error:
            raise _Problem("class", error.message) from None
        school = "".join(values.get("school", "").split())
        found = [room for room in found if not school or room.school == school]
        if len(found) != 1:
            raise _Problem("class", texts.LIST_SEVERAL_SCHOOLS if found else texts.LIST_CLASS_UNKNOWN)
        self._classes[found[0].id] = None
        if found[0].id in self._ground.closed:
            raise _Problem("class", texts.LIST_CLASS_CLOSED)
        return found[0]

    def _seat(self, room: Room, values: Mapping[str, str]) -> Seat:
        try:
            name = normalise_name(values["name"])
        except NameInvalid as error:
            raise _Problem("name", error.message) from None
        number = values.get("roster_number", "").upper()
        found = [seat for seat in self._ground.seats.get(room.id, ()) if seat.name == name]
        found = [seat for seat in found if not number or seat.roster_number.upper() == number]
        if len(found) != 1:
            raise _Problem("name", texts.LIST_NAMESAKES if found else texts.LIST_CHILD_UNKNOWN)
        if found[0].child_id in self._seen:
            raise _Problem("name", texts.LIST_TWICE)
        self._seen.add(found[0].child_id)
        return found[0]

    def _said(self, room: Room, seat: Seat, values: Mapping[str, str]) -> Said:
        wish, how = texts.LIST_WISHES.get(values["wish"]), texts.LIST_HOWS.get(values["how"])
        if wish is None:
            raise _Problem("wish", texts.LIST_WISH_WRONG)
        if how is None:
            raise _Problem("how", texts.LIST_HOW_WRONG)
        joins = wish == Wish.JOIN
        course = self._course(room, values.get("course", ""), joins=joins)
        reason = " ".join(values.get("reason", "").split()) if not joins else ""
        if len(reason) > LONGEST_REASON:
            raise _Problem("reason", texts.LIST_REASON_LONG)
        return Said(
            child_id=seat.child_id,
            class_id=room.id,
            wish=Wish.COURSE if course else Wish(wish),
            how=ConsentHow(how),
            said_on=self._day(values.get("said_on", "")),
            programme_id=course,
            reason=reason,
        )

    def _course(self, room: Room, title: str, *, joins: bool) -> str | None:
        if not title:
            return None
        if not joins:
            raise _Problem("course", texts.LIST_COURSE_NOT)
        found = [course for course in self._ground.plan.courses_for(room.grade) if course.title == title]
        if len(found) != 1:
            raise _Problem("course", texts.LIST_COURSE_UNKNOWN)
        return found[0].id

    def _day(self, text: str) -> date:
        try:
            day = date.fromisoformat(text.replace("/", "-")) if text else self._ground.today
        except ValueError:
            raise _Problem("said_on", texts.LIST_DAY_WRONG) from None
        if day > self._ground.today:
            raise _Problem("said_on", texts.LIST_DAY_LATER)
        return day


def vars_of(said: Said) -> tuple[object, ...]:
    """Its values, in order."""
    return (said.child_id, said.wish, said.how, said.said_on, said.programme_id, said.reason)


def _is_known(said: Said, heard: Heard) -> bool:
    """Whether a list has said the same before, and that still counts."""
    last = heard.latest.get(Channel.LIST)
    return last is not None and (last.wish, last.programme_id) == (said.wish, said.programme_id)


def _against(said: Said, heard: Heard) -> tuple[Remark, ...]:
    joins = said.wish is not Wish.NOT_JOIN
    return tuple(
        Remark("", texts.LIST_DISAGREES.format(source=texts.SOURCES[voice.source], wish=texts.WISHES[voice.wish]))
        for channel, voice in heard.latest.items()
        if channel is not Channel.LIST and voice.joins != joins
    )
