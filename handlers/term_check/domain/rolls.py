"""Whose coming is asked for: last term's list, and whoever is new, each in the class where it is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from handlers.calendar.domain import SchoolCalendar, Term

COMPULSORY: Final = range(1, 10)
"""The grades of compulsory schooling; a kindergarten is asked nothing."""
FIRST_OF_LEVEL: Final = (1, 7)
"""Grades in which children are new as a rule."""
_SUMMER: Final = 7


@dataclass(frozen=True, slots=True)
class Sat:
    """Where a child sat on a day."""

    class_id: str
    school_id: str
    grade: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A child on the list of a class. `is_new`: on no list last term."""

    class_id: str
    grade: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of one school: `rooms` its classes of the year with their grades; `now` and `before` where children
    sit today and sat on the last day of last term, anywhere; `heirs` which class a class of last year became;
    `graduated` who left as they should."""

    rooms: Mapping[str, int]
    now: Mapping[str, Sat]
    before: Mapping[str, Sat]
    heirs: Mapping[str, str]
    graduated: Collection[str]


def listed(school_id: str, found: Found, *, has_promoted: bool) -> dict[str, Entry]:
    """By child. Who sat here last term and sits nowhere today is asked for all the same: taken off a roster is not
    come. `has_promoted`: a year has begun since, so that everybody is a grade higher."""
    if not found.rooms:
        return {}
    has_list = any(sat.school_id == school_id and sat.grade in COMPULSORY for sat in found.before.values())
    entries = {}
    for child, sat in found.now.items():
        if sat.class_id in found.rooms:
            grade = found.rooms[sat.class_id]
            # A school that came to this service since has no list of last term: then the grade tells who is new.
            is_new = not _was_at_school(found.before.get(child)) if has_list else grade in FIRST_OF_LEVEL
            entries[child] = Entry(sat.class_id, grade, is_new)
    for child, sat in found.before.items():
        is_here = sat.school_id == school_id and sat.grade in COMPULSORY
        if not is_here or child in found.now or child in found.graduated:
            continue
        room = _room(sat, found, has_promoted)
        entries[child] = Entry(room, found.rooms[room], is_new=False)
    return entries


def _was_at_school(sat: Sat | None) -> bool:
    return sat is not None and sat.grade in COMPULSORY


def _room(sat: Sat, found: Found, has_promoted: bool) -> str:
    """The class it was, or what that class became; without either one of the same grade, else of the nearest."""
    for own in (sat.class_id, found.heirs.get(sat.class_id, "")):
        if own in found.rooms:
            return own
    grade = sat.grade + has_promoted
    return min(found.rooms, key=lambda room: (abs(found.rooms[room] - grade), room))


def year_of(term: Term) -> int:
    """The year in which the school year of the term began: some terms begin in the last days of August."""
    return term.first_day.year if term.first_day.month >= _SUMMER else term.first_day.year - 1


def key_of(term: Term) -> str:
    """Names a term, also when it is moved by some days: 2026-autumn."""
    return f"{term.first_day.year}-{'autumn' if term.first_day.month >= _SUMMER else 'spring'}"


def list_day(calendar: SchoolCalendar, term: Term) -> date:
    """The day whose lists count: the last school day of the term before, else the day before the term."""
    earlier = [each for each in calendar.terms if each.last_day < term.first_day]
    last = calendar.last_school_day(earlier[-1]) if earlier else None
    return last or term.first_day - timedelta(days=1)
