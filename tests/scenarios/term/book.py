"""What somebody with paper and pencil would have written down of a term, and what they would reckon from it.

Nothing of the product is used here, and nothing but whole numbers: every figure is worked out a second time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

# Days off of the autumn of 2026 and the New Year that fall on a weekday, from the notice that hangs on the wall.
HOLIDAYS = {date(2026, 9, 25), *(date(2026, 10, day) for day in (1, 2, 5, 6, 7)), date(2027, 1, 1)}

HERE, EARLY, LEAVE, MISSING = "here", "left_early", "leave", "missing"


@dataclass(frozen=True)
class Course:
    """`a_lesson`: the fee is for each lesson, else for the term. `by_class`: each class has its own group. `places`
    None: as many as come."""

    title: str
    weekdays: tuple[int, ...]
    fee: int = 0
    a_lesson: bool = False
    by_class: bool = False
    places: int | None = None


@dataclass(frozen=True)
class Bill:
    """Of one child and one course, in fen."""

    planned: int
    held: int
    attended: int
    gross: int
    waived: int
    paid: int

    @property
    def due(self) -> int:
        """To be paid."""
        return self.gross - self.waived

    @property
    def back(self) -> int:
        """To go back."""
        return max(self.paid - self.due, 0)

    @property
    def open(self) -> int:
        """Still to come."""
        return max(self.due - self.paid, 0)


@dataclass
class Book:
    """Of one plan: children by number, courses by title, classes by number."""

    first: date
    last: date
    term_end: date
    courses: dict[str, Course]
    room_of: dict[int, int] = field(default_factory=dict)
    # From when until when (None: to the end) a child had its place.
    seats: dict[tuple[int, str], list[tuple[date, date | None]]] = field(default_factory=dict)
    lines: dict[str, list[int]] = field(default_factory=dict)
    wishes: dict[int, str] = field(default_factory=dict)
    unsure: set[int] = field(default_factory=set)
    # Who was how at a lesson: by course, class (None: all), day.
    lessons: dict[tuple[str, int | None, date], dict[int, str]] = field(default_factory=dict)
    givers: dict[tuple[str, int | None, date], str] = field(default_factory=dict)
    away: set[tuple[int, date]] = field(default_factory=set)
    money: Counter[tuple[int, str]] = field(default_factory=Counter)
    waived: dict[int, int] = field(default_factory=dict)
    told: Counter[tuple[int, str]] = field(default_factory=Counter)

    # ------------------------------------------------------------------------------------------------------------- days
    def school_days(self, last: date | None = None) -> Iterator[date]:
        """Of the plan, or until another day."""
        day = self.first
        while day <= (last or self.last):
            if day.isoweekday() < 6 and day not in HOLIDAYS:
                yield day
            day += timedelta(days=1)

    def before_end(self, number: int) -> date:
        """So many school days before the term's last."""
        return list(self.school_days(self.term_end))[-1 - number]

    def days(self, title: str) -> list[date]:
        """On which a course is planned."""
        return [day for day in self.school_days() if day.isoweekday() in self.courses[title].weekdays]

    # ------------------------------------------------------------------------------------------------------------ seats
    def sign_up(self, child: int, title: str, day: date) -> str:
        """A place, or a place in the line; gives which."""
        self.wishes[child] = "join"
        places = self.courses[title].places
        if places is not None and len(self.seated(title, day)) >= places:
            self.lines.setdefault(title, []).append(child)
            return "waitlisted"
        self.seats.setdefault((child, title), []).append((day, None))
        return "enrolled"

    def take(self, child: int, title: str, day: date) -> None:
        """Somebody in the line gets a place."""
        self.lines[title].remove(child)
        self.seats.setdefault((child, title), []).append((day, None))

    def leave_line(self, child: int, title: str) -> None:
        """Somebody gives up waiting."""
        self.lines[title].remove(child)

    def give_up(self, child: int, title: str, day: date) -> None:
        """A place is free again."""
        spans = self.seats[child, title]
        spans[-1] = (spans[-1][0], day)

    def has(self, child: int, title: str, day: date) -> bool:
        """Whether the child had its place on a day."""
        spans = self.seats.get((child, title), ())
        return any(since <= day and (until is None or day < until) for since, until in spans)

    def seated(self, title: str, day: date) -> set[int]:
        """Everybody with a place on a day."""
        return {child for child, own in self.seats if own == title and self.has(child, title, day)}

    def groups(self, day: date) -> list[tuple[str, int | None, set[int]]]:
        """Who is expected where."""
        found: list[tuple[str, int | None, set[int]]] = []
        for title, course in self.courses.items():
            if day not in self.days(title):
                continue
            there = self.seated(title, day)
            if not course.by_class:
                found.append((title, None, there))
                continue
            rooms = sorted({self.room_of[child] for child in there})
            found += [(title, room, {each for each in there if self.room_of[each] == room}) for room in rooms]
        return [group for group in found if group[2]]

    # ---------------------------------------------------------------------------------------------------------- figures
    def tally(self, room: int, day: date) -> Counter[str]:
        """How a class stands."""
        return Counter(self._standing(child, day) for child, own in self.room_of.items() if own == room)

    def _standing(self, child: int, day: date) -> str:
        if child in self.unsure:
            return "disagreeing"
        if any(self.has(child, title, day) for title in self.courses):
            return "signed_up"
        if any(child in line for line in self.lines.values()):
            return "waiting"
        return {"join": "wants", "not_join": "not_joining"}.get(self.wishes.get(child, ""), "unanswered")

    def given(self, month: str) -> Counter[str]:
        """Lessons of a month by who gave them."""
        return Counter(giver for (_, _, day), giver in self.givers.items() if day.isoformat().startswith(month))

    def bill(self, child: int, title: str) -> Bill:
        """By lessons attended, to the fen; what a waiver takes off is rounded up."""
        course, planned = self.courses[title], self.days(title)
        room = self.room_of[child] if course.by_class else None
        lessons = {day: who for (own, where, day), who in self.lessons.items() if (own, where) == (title, room)}
        came = {day for day, who in lessons.items() if who.get(child) in (HERE, EARLY)}
        held = {day for day in lessons if self.has(child, title, day) or day in came}
        counted = min(len(came), len(held))
        gross = course.fee * counted if course.a_lesson else course.fee * min(counted, len(planned)) // len(planned)
        waived = (gross * self.waived.get(child, 0) + 99) // 100
        return Bill(len(planned), len(held), len(came), gross, waived, self.money[child, title])

    def bills(self) -> dict[tuple[int, str], Bill]:
        """Of everybody who had a place in a course that costs something."""
        return {own: self.bill(*own) for own in self.seats if self.courses[own[1]].fee}
