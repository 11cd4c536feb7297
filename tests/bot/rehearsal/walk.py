"""What must go out on which day, found by walking from day to day and from row to row.

Nothing of the calendar, the planners or the audiences is used here: the days off are typed from the notices of the
State Council, the terms from the made-up township, and everything is counted by looking at one day after another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Appointment, Bar, Guardianship, Pupil, School, SchoolClass, WeChatIdentity
from handlers.consent.models import ConsentEvent

ONE = timedelta(days=1)


def days(first: date, last: date) -> Iterator[date]:
    """Both included."""
    while first <= last:
        yield first
        first += ONE


OFF = {
    # 国办发明电〔2024〕12号
    *days(date(2025, 1, 1), date(2025, 1, 1)), *days(date(2025, 1, 28), date(2025, 2, 4)),
    *days(date(2025, 4, 4), date(2025, 4, 6)), *days(date(2025, 5, 1), date(2025, 5, 5)),
    *days(date(2025, 5, 31), date(2025, 6, 2)), *days(date(2025, 10, 1), date(2025, 10, 8)),
    # 国办发明电〔2025〕7号
    *days(date(2026, 1, 1), date(2026, 1, 3)), *days(date(2026, 2, 15), date(2026, 2, 23)),
    *days(date(2026, 4, 4), date(2026, 4, 6)), *days(date(2026, 5, 1), date(2026, 5, 5)),
    *days(date(2026, 6, 19), date(2026, 6, 21)), *days(date(2026, 9, 25), date(2026, 9, 27)),
    *days(date(2026, 10, 1), date(2026, 10, 7)),
    # Without a table: what the law fixes by its date.
    date(2027, 1, 1), date(2027, 5, 1), date(2027, 5, 2), *days(date(2027, 10, 1), date(2027, 10, 3)),
}  # fmt: skip
WORKED = {
    date(2025, 1, 26), date(2025, 2, 8), date(2025, 4, 27), date(2025, 9, 28), date(2025, 10, 11),
    date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28), date(2026, 5, 9), date(2026, 9, 20), date(2026, 10, 10),
}  # fmt: skip
# Of the made-up township: from the first of September to the last Friday of January, from the first Monday of March to
# the second Friday of July; the harvest, and the great market at the teaching point.
TERMS = (
    (date(2025, 9, 1), date(2026, 1, 30)),
    (date(2026, 3, 2), date(2026, 7, 10)),
    (date(2026, 9, 1), date(2027, 1, 29)),
    (date(2027, 3, 1), date(2027, 7, 9)),
    (date(2027, 9, 1), date(2028, 1, 28)),
)
HARVEST = {date(2025, 10, 16), date(2025, 10, 17), date(2026, 10, 15), date(2026, 10, 16)}
MARKET = {date(2025, 12, 12), date(2026, 12, 11)}


def is_school_day(day: date, *, at_point: bool = False) -> bool:
    """Whether there are lessons."""
    if day in HARVEST or (at_point and day in MARKET) or not any(first <= day <= last for first, last in TERMS):
        return False
    return day in WORKED or (day not in OFF and day.isoweekday() <= 5)


def school_days_off(day: date, number: int, *, at_point: bool = False) -> date | None:
    """So many school days after the day, or before it for a negative number; None: no stated term has so many."""
    step, left = (ONE, number) if number > 0 else (-ONE, -number)
    while left and TERMS[0][0] <= day <= TERMS[-1][1] + ONE:
        day += step
        left -= is_school_day(day, at_point=at_point)
    return None if left else day


def lead_days(day: date, leads: Collection[int], *, at_point: bool = False, eve: bool = True) -> dict[str, date]:
    """On which day each lead of a reminder goes out."""
    found = {}
    for lead in leads:
        on = school_days_off(day, -lead, at_point=at_point) if lead else day
        found[str(lead)] = on or day - lead * ONE
    before = [on for on in found.values() if on < day]
    if eve and before and (day - max(before)).days > 7:
        found["eve"] = day - ONE
    return found


# --------------------------------------------------------------------------------------------------------------- duties
def due_days(rhythm: str, first: date, last: date, *, at_point: bool) -> list[date]:
    """When a duty is due: for each period the wanted day, else the school day before it, else the one after it."""
    spans: set[tuple[date, date, date]] = set()
    for day in days(first - 40 * ONE, last + 40 * ONE):
        month = [
            each for each in days(day - 31 * ONE, day + 31 * ONE) if (each.year, each.month) == (day.year, day.month)
        ]
        monday = day - (day.isoweekday() - 1) * ONE
        if rhythm == "month_end":
            spans.add((month[0], month[-1], month[-1]))
        elif rhythm == "month_day":
            spans.add((month[0], month[-1], month[14]))
        elif rhythm == "weekly":
            spans.add((monday, monday + 6 * ONE, monday + 4 * ONE))
    if rhythm == "term_start":
        for begins, ends in TERMS:
            begins = next(day for day in days(begins, ends) if is_school_day(day, at_point=at_point))
            spans.add((begins, begins + 6 * ONE, begins + 6 * ONE))
    found = [_nearest(*span, at_point=at_point) for span in spans]
    return sorted(day for day in found if day is not None and first <= day <= last)


def _nearest(first: date, last: date, wanted: date, *, at_point: bool) -> date | None:
    before = [day for day in days(first, wanted) if is_school_day(day, at_point=at_point)]
    after = [day for day in days(wanted, last) if is_school_day(day, at_point=at_point)]
    return before[-1] if before else after[0] if after else None


# --------------------------------------------------------------------------------------------------------------- people
@dataclass
class People:
    """Everybody, row by row. By id: the children of a class and of a school, whom each child's messages go to, the
    children whose families declined, who is charged with what where."""

    points: set[str] = field(default_factory=set)
    parents: dict[str, str] = field(default_factory=dict)
    rooms: dict[str, str] = field(default_factory=dict)
    schools: list[str] = field(default_factory=list)
    pupils: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    told: dict[str, list[str]] = field(default_factory=dict)
    declined: set[str] = field(default_factory=set)
    charges: dict[tuple[AppointmentKind, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    households: dict[str, str] = field(default_factory=dict)

    def families(self, *, school: str | None = None, room: str | None = None, by_consent: bool) -> set[str]:
        """The guardians of the children of a school or a class."""
        return {
            person
            for child, (own, seat) in self.pupils.items()
            if school in (None, own) and room in (None, seat) and not (by_consent and child in self.declined)
            for person in self.told[child]
        }

    def share(self, persons: Collection[str]) -> None:
        """They share a child, so all of theirs are one household."""
        known = {self.households.get(person, person) for person in persons}
        for person in {*persons, *(each for each, of in self.households.items() if of in known)}:
            self.households[person] = min(known)

    def household(self, person: str) -> str:
        """Everybody who shares children with somebody, by one of them."""
        return self.households.get(person, person)

    def holders(self, kind: AppointmentKind, place: str) -> list[str]:
        """Whom a charge at a place, or at the school of a teaching point, is with."""
        return self.charges[kind, place] or self.charges[kind, self.parents.get(place, "")]


async def people_of_township(school_year: int) -> People:
    """As they stand in the tables."""
    found = People()
    for school in await School.filter(closed_on=None):
        found.schools.append(str(school.id))
        if school.parent_id:
            found.points.add(str(school.id))
            found.parents[str(school.id)] = str(school.parent_id)
    for room in await SchoolClass.filter(school_year=school_year):
        found.rooms[str(room.id)] = str(room.school_id)
    bars = {(bar.pupil_id, bar.person_id) for bar in await Bar.all()}
    followers = {row.person_id for row in await WeChatIdentity.all()}
    ties: dict[UUID, list[Guardianship]] = defaultdict(list)
    for tie in await Guardianship.filter(ended_on=None):
        if (tie.pupil_id, tie.person_id) not in bars:
            ties[tie.pupil_id].append(tie)
    for child in await Pupil.filter(status="enrolled"):
        seat = str(child.school_class_id) if child.school_class_id else None
        found.pupils[str(child.id)] = (str(child.school_id), seat)
        own = ties[child.id]
        proved = [tie for tie in own if tie.bound_at is not None]
        free = [tie for tie in own if tie.person_id not in followers]
        free.sort(key=lambda tie: (not tie.is_acting, tie.created_at, str(tie.id)))
        found.told[str(child.id)] = [str(tie.person_id) for tie in proved or free[:1]]
        found.share([str(tie.person_id) for tie in own])
        said = await ConsentEvent.filter(pupil_id=child.id).order_by("created_at")
        last = {event.person_id: event.decision for event in said}
        if any(last.get(tie.person_id, "given") != "given" for tie in own):
            found.declined.add(str(child.id))
    for row in await Appointment.filter(until=None).order_by("since", "id"):
        place = row.school_class_id or row.school_id or row.township_id
        found.charges[row.kind, str(place)].append(str(row.person_id))
    return found
