"""Which dates of the knowledge may be reminded of, and whom they concern.

Everybody is reminded of a date only when the plan is in force and names its place, the year is certain, and the people
it is for can be told from the roster; whoever asks is reminded of any date to come whose year is certain.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from bot.clock import Clock, local_date
from bot.delivery.reminding import LONGEST_OCCURRENCE
from bot.library import Library
from handlers.accounts.service.places import SchoolPlace
from knowledge.entry import Audience as Asked
from knowledge.entry import DatedEvent, Entry, PlanStatus, Stage, Validity
from knowledge.places import Bond

if TYPE_CHECKING:
    from knowledge.base import KnowledgeBase

LAST: Final = "last"
# A span this long has an end that is forgotten again.
_LONG_DAYS: Final = 3
_WHO: Final = r"(?:全体|各位|所有|广大)?(?:在校)?(?:中小学|小学|初中|幼儿园|幼儿|一年级|七年级)?"


class Group(StrEnum):
    """Whom a date is for."""

    GUARDIANS = "guardians"
    NEWCOMERS = "newcomers"
    """The families of those who come to the stage next: now in the last grade before it."""
    TEACHERS = "teachers"
    HEADS = "heads"
    LEADERS = "leaders"


_GROUPS: Final = (
    (re.compile(rf"{_WHO}新生(?:和|及|的)?(?:学生|孩子)?(?:家长|监护人)?"), Group.NEWCOMERS),
    (re.compile(rf"{_WHO}(?:学生|孩子)?(?:和|及|的)?(?:家长|监护人)(?:和学生)?"), Group.GUARDIANS),
    (re.compile(rf"{_WHO}班主任"), Group.HEADS),
    (re.compile(rf"{_WHO}(?:学校|各校)?(?:教师|老师|教职工|教职员工)"), Group.TEACHERS),
    (re.compile(r"(?:各)?(?:中小学校?|学校|小学|初中|幼儿园|校长|学校负责人)(?:(?:和|、)中心校)?"), Group.LEADERS),
)
_OF_ASKED: Final[Mapping[Asked, Group]] = {
    Asked.PARENT: Group.GUARDIANS,
    Asked.TEACHER: Group.TEACHERS,
    Asked.HEAD: Group.HEADS,
    Asked.ADMIN: Group.LEADERS,
}
_GRADES: Final[Mapping[Stage, tuple[int, int]]] = {
    Stage.KINDERGARTEN: (-2, 0),
    Stage.PRIMARY: (1, 6),
    Stage.JUNIOR: (7, 9),
}
_GRADES_BEFORE: Final[Mapping[Stage, tuple[int, int]]] = {Stage.PRIMARY: (0, 0), Stage.JUNIOR: (6, 6)}


@dataclass(frozen=True, slots=True)
class Dated:
    """A date of an entry, as days: the `number`-th of the entry."""

    entry: Entry
    number: int
    what: str
    first: date
    last: date

    @property
    def is_span(self) -> bool:
        """More than one day."""
        return self.first != self.last


@dataclass(frozen=True, slots=True)
class Announced:
    """Something everybody concerned is reminded of: its `day` is the first, or the last, of a date."""

    id: str
    dated: Dated
    day: date
    is_last: bool
    groups: frozenset[Group]


@dataclass(frozen=True, slots=True)
class Concerned:
    """Whom it is for at the schools: a group, and the grades of the children (None: any)."""

    group: Group
    grades: tuple[int, int] | None


class DatedFacts:
    """The dates of the knowledge in use."""

    def __init__(self, library: Library[KnowledgeBase], clock: Clock) -> None:
        self._library = library
        self._clock = clock
        self._announced: Mapping[str, Announced] = {}
        self._bonds: dict[tuple[str, str, tuple[str, ...]], bool] = {}
        self._of: tuple[int, date] = (0, date.min)

    @property
    def announced(self) -> Mapping[str, Announced]:
        """What everybody concerned is reminded of, by id. Raises KnowledgeLoading."""
        base, today = self._library.current, local_date(self._clock.now())
        if self._of != (self._library.version, today):
            self._announced = {each.id: each for entry in base.entries for each in announced(entry, today)}
            self._bonds.clear()
            self._of = (self._library.version, today)
        return self._announced

    def concerns(self, dated: Dated, school: SchoolPlace) -> bool:
        """Whether the plan holds at a school. Raises KnowledgeLoading."""
        plan = dated.entry.plan
        key = (plan.id, school.name, school.places)
        if key not in self._bonds:
            named = plan.place.school is not None and plan.place.school == school.name
            # The narrowest place the knowledge knows: a plan of another town of the county is not this school's.
            found = (self._library.current.locate(place) for place in school.places)
            where = next((each for each in found if each.known), None)
            self._bonds[key] = named or (where is not None and where.bond(plan) >= Bond.ABOVE)
        return self._bonds[key]

    def upcoming(self, article: str) -> Sequence[Dated]:
        """The dates of an entry that are not over. Raises KnowledgeLoading."""
        entry, today = self._library.current.entry(article), local_date(self._clock.now())
        if entry is None or entry.plan.validity.on(today) not in (PlanStatus.IN_FORCE, PlanStatus.UNDATED):
            return ()
        return tuple(each for each in dated_of(entry) if each.last >= today)

    def find(self, article: str, event: str) -> tuple[Dated, date] | None:
        """A date somebody asked to be reminded of, and its day now; None when it is not there any more, or the plan
        has ended. `event` is its number, for the last day of a span with `.last`. Raises KnowledgeLoading."""
        number, _, end = event.partition(".")
        found = next((each for each in self.upcoming(article) if str(each.number) == number), None)
        return None if found is None else (found, found.last if end else found.first)


def announced(entry: Entry, today: date) -> Iterable[Announced]:
    """What an entry announces to everybody concerned, past days too."""
    plan = entry.plan
    if entry.is_gap or plan.validity.on(today) is not PlanStatus.IN_FORCE or plan.place.name is None:
        return
    for dated in dated_of(entry):
        groups = groups_of(entry, entry.dates[dated.number])
        if not groups:
            continue
        year = plan.validity.year or dated.first.year
        yield Announced(_id(entry, year, dated.number, ""), dated, dated.first, False, groups)
        if (dated.last - dated.first).days >= _LONG_DAYS:
            yield Announced(_id(entry, year, dated.number, LAST), dated, dated.last, True, groups)


def _id(entry: Entry, year: int, number: int, end: str) -> str:
    tail = f"@{year}#{number}{'.' if end else ''}{end}"
    whole = entry.key + tail
    if len(whole) <= LONGEST_OCCURRENCE:
        return whole
    return hashlib.sha256(entry.key.encode()).hexdigest()[:40] + tail


def dated_of(entry: Entry) -> Iterable[Dated]:
    """The dates of an entry whose year is certain."""
    for number, event in enumerate(entry.dates):
        first = day_of(event.start, entry.plan.validity)
        last = first if event.end is None else day_of(event.end, entry.plan.validity)
        if first is not None and last is not None and first <= last:
            yield Dated(entry, number, event.what or entry.question.rstrip("？?"), first, last)


def day_of(text: str, validity: Validity) -> date | None:
    """The day; one without a year is of the time the plan is for, else of its year. None: the year is not certain."""
    try:
        if len(text) > len("07-24"):
            return date.fromisoformat(text)
        month, day = int(text[:2]), int(text[3:])
        if validity.valid_from is not None and validity.valid_to is not None:
            years = range(validity.valid_from.year, validity.valid_to.year + 1)
            within = [
                each for year in years if validity.valid_from <= (each := date(year, month, day)) <= validity.valid_to
            ]
            if len(within) == 1:
                return within[0]
        return None if validity.year is None else date(validity.year, month, day)
    except ValueError:
        return None


def groups_of(entry: Entry, event: DatedEvent) -> frozenset[Group]:
    """Whom a date is for, as far as the roster can tell; empty for anything else: who moves here, who drew a lot, and
    what is nobody's business, like the day a plan was signed."""
    if event.whom:
        words = re.sub(r"\s", "", event.whom)
        return frozenset(next(([group] for form, group in _GROUPS if form.fullmatch(words)), []))
    return frozenset(_OF_ASKED[asked] for asked in entry.audience)


def concerned(each: Announced) -> list[Concerned]:
    """Whom to look for on the roster: each group with the grades of the entry's stages."""
    stages = [stage for stage in Stage if stage in each.dated.entry.stages]
    found: list[Concerned] = []
    for group in sorted(each.groups):
        table = _GRADES_BEFORE if group is Group.NEWCOMERS else _GRADES
        spans = [table[stage] for stage in stages if stage in table]
        if group is Group.NEWCOMERS and len(spans) != 1:
            continue
        if group is Group.LEADERS or not stages:
            found.append(Concerned(group, None))
        elif spans:
            found.append(Concerned(group, (min(first for first, _ in spans), max(last for _, last in spans))))
    return found
