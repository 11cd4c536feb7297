"""School days: what makes a day one, and counting in them. Pure: no clock, nothing looked up."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from bot.errors import InvalidInput

MONDAY_TO_FRIDAY: Final = frozenset({1, 2, 3, 4, 5})
# The days off the law fixes by a date of the solar calendar. The others follow the moon or the sun's course
# (Qingming too: the 4th or the 5th of April), and only a published table says when they are kept.
FIXED_HOLIDAYS: Final = frozenset({(1, 1), (5, 1), (5, 2), (10, 1), (10, 2), (10, 3)})
# Days off by law in a year, from 2025 on: what the arithmetic of a table comes to.
STATUTORY_DAYS: Final = 13
_SATURDAY: Final = 6
_DAY: Final = timedelta(days=1)
LONGEST_TERM: Final = timedelta(days=240)
LONGEST_LOCAL: Final = timedelta(days=40)
_YEARS: Final = range(2000, 2100)
# A table may change the last days of the year before it: the New Year's holiday begins there at times.
_REACHES_BACK: Final = timedelta(days=7)


class LocalKind(StrEnum):
    """Why a school or a township keeps a day otherwise than the country."""

    MARKET = "market"
    HARVEST = "harvest"
    EXAM = "exam"
    WEATHER = "weather"
    EVENT = "event"
    OTHER = "other"


class Effect(StrEnum):
    """What a local day does."""

    OFF = "off"
    ON = "on"


class DayKind(StrEnum):
    """Why a day is a school day or not. The first three are."""

    LESSONS = "lessons"
    MAKE_UP = "make_up"
    LOCAL_ON = "local_on"
    LOCAL_OFF = "local_off"
    HOLIDAY = "holiday"
    WEEKEND = "weekend"
    VACATION = "vacation"


class TermsOverlap(InvalidInput):
    """Two terms of one school share days."""

    code = "terms_overlap"
    default_message = "这个学期和已有的学期日期重叠，请核对起止日期。"


class TermInvalid(InvalidInput):
    """A term ends before it begins, or is longer than any term."""

    code = "term_invalid"
    default_message = "学期要有名称，最后一天要在第一天之后，并且不超过八个月，请改正后再试。"


class LocalDayInvalid(InvalidInput):
    """A local day ends before it begins, is too long, or says the opposite of another one."""

    code = "local_day_invalid"
    default_message = "本地安排要有名称，最后一天不能早于第一天，最长四十天，请改正后再试。"


class LocalDaysContradict(InvalidInput):
    """One entry says there are lessons, another there are none."""

    code = "local_days_contradict"
    default_message = "这几天已经有相反的安排（一个上课，一个不上课），请先删掉原来的那条。"


class WeekInvalid(InvalidInput):
    """A week without a day of lessons."""

    code = "week_invalid"
    default_message = "一周里至少要有一天上课，请勾选后再试。"


class TableInvalid(InvalidInput):
    """A year's table breaks a rule."""

    code = "table_invalid"
    default_message = "放假安排填得不对，请改正后再试。"


class TableWithoutSource(TableInvalid):
    """It is not said which notice the table comes from."""

    code = "table_without_source"
    default_message = "请写上放假通知的名称和文号，例如“国务院办公厅关于…的通知（国办发明电〔…〕…号）”。"


class TableOutside(TableInvalid):
    """A day of another year, or a holiday that ends before it begins or has no name; `details` names the day."""

    code = "table_outside"
    default_message = "有的节日没有名称，或者日期不在这一年，或者最后一天早于第一天，请核对。"


class MakeUpInvalid(TableInvalid):
    """A make-up day is no weekend day, or a day off at the same time; `details` names the day."""

    code = "make_up_invalid"
    default_message = "补班的日子应当是放假以外的星期六或星期日，请核对。"


class FixedHolidayMissing(TableInvalid):
    """A day the law fixes by its date is not off; `details` names the day."""

    code = "fixed_holiday_missing"
    default_message = "1月1日、5月1日至2日、10月1日至3日是法定节假日，表里不能没有，请补上。"


@dataclass(frozen=True, slots=True, order=True)
class Term:
    """A term, both days included."""

    first_day: date
    last_day: date
    name: str

    def __contains__(self, day: date) -> bool:
        """Whether the day lies in the term, school day or not."""
        return self.first_day <= day <= self.last_day


@dataclass(frozen=True, slots=True)
class LocalDay:
    """A day, or several in a row, that a township or a school keeps otherwise."""

    first_day: date
    last_day: date
    kind: LocalKind
    effect: Effect
    name: str

    def __contains__(self, day: date) -> bool:
        """Whether it is about the day."""
        return self.first_day <= day <= self.last_day


@dataclass(frozen=True, slots=True, order=True)
class Holiday:
    """A public holiday with the days off around it, both days included."""

    first_day: date
    last_day: date
    name: str

    def __contains__(self, day: date) -> bool:
        """Whether the day is off for it."""
        return self.first_day <= day <= self.last_day


@dataclass(frozen=True, slots=True)
class YearTable:
    """What the State Council's notice says of one year: days off, and the weekend days worked for them. `source`: the
    notice by name and number. `revision`: of a shipped table, raised with every change of it."""

    year: int
    source: str
    holidays: tuple[Holiday, ...]
    make_up_days: tuple[date, ...]
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a calendar is made of. `local_days`: those of the school, `town_days` those of its township."""

    terms: tuple[Term, ...] = ()
    weekdays: frozenset[int] = MONDAY_TO_FRIDAY
    years: Mapping[int, YearTable] = field(default_factory=dict)
    local_days: tuple[LocalDay, ...] = ()
    town_days: tuple[LocalDay, ...] = ()


@dataclass(frozen=True, slots=True)
class DayView:
    """One day for the eye. `name`: of the holiday or the local day, else ""."""

    day: date
    kind: DayKind
    name: str
    is_school_day: bool
    is_provisional: bool


class SchoolCalendar:
    """The calendar of one school. School days lie in terms only. `version` rises with every change of any calendar, so
    whoever planned with another version plans again."""

    def __init__(self, facts: Facts, version: int = 0) -> None:
        self.version = version
        self.terms: tuple[Term, ...] = tuple(sorted(facts.terms))
        self._facts = facts
        self._holidays = {day: one.name for table in facts.years.values() for one in table.holidays for day in _of(one)}
        self._make_up = {day: table.source for table in facts.years.values() for day in table.make_up_days}
        self._local = {day: one for days in (facts.town_days, facts.local_days) for one in days for day in _of(one)}
        found = {day for term in self.terms for day in _of(term) if self._kind(day) in _SCHOOL_DAYS}
        self._days: list[date] = sorted(found)

    # ---------------------------------------------------------------------------------------------------------- a day
    def is_school_day(self, day: date) -> bool:
        """Whether there are lessons."""
        place = bisect_left(self._days, day)
        return place < len(self._days) and self._days[place] == day

    def is_provisional(self, day: date, until: date | None = None) -> bool:
        """Whether a year without a table is touched, by the day or on the way from it to `until`."""
        last = day if until is None else until
        first, last = min(day, last), max(day, last)
        return any(year not in self._facts.years for year in range(first.year, last.year + 1))

    def view(self, day: date) -> DayView:
        """The day, and why it is what it is."""
        kind = self._kind(day) if self.term_of(day) else self._outside(day)
        local = self._local.get(day)
        name = local.name if local and kind in (DayKind.LOCAL_ON, DayKind.LOCAL_OFF) else ""
        if kind is DayKind.HOLIDAY:
            name = self._holidays.get(day, "")
        return DayView(day, kind, name, self.is_school_day(day), self.is_provisional(day))

    def _kind(self, day: date) -> DayKind:
        """Of a day in a term: the nearest to the school decides."""
        if local := self._local.get(day):
            return DayKind.LOCAL_ON if local.effect is Effect.ON else DayKind.LOCAL_OFF
        if day in self._make_up:
            return DayKind.MAKE_UP
        if self._is_holiday(day):
            return DayKind.HOLIDAY
        return DayKind.LESSONS if day.isoweekday() in self._facts.weekdays else DayKind.WEEKEND

    def _outside(self, day: date) -> DayKind:
        return DayKind.HOLIDAY if self._is_holiday(day) else DayKind.VACATION

    def _is_holiday(self, day: date) -> bool:
        return day in self._holidays or (day.year not in self._facts.years and (day.month, day.day) in FIXED_HOLIDAYS)

    # ------------------------------------------------------------------------------------------------------- counting
    def nth_school_day(self, day: date, n: int) -> date | None:
        """The n-th school day after the day (before it for a negative n); the day itself is not counted. None: the
        stated terms do not reach so far. Raises ValueError for 0."""
        if n == 0:
            raise ValueError("the 0th school day is none")
        place = bisect_right(self._days, day) + n - 1 if n > 0 else bisect_left(self._days, day) + n
        return self._days[place] if 0 <= place < len(self._days) else None

    def school_day_on_or_before(self, day: date) -> date | None:
        """The day itself or the last school day before it."""
        return day if self.is_school_day(day) else self.nth_school_day(day, -1)

    def school_day_on_or_after(self, day: date) -> date | None:
        """The day itself or the first school day after it."""
        return day if self.is_school_day(day) else self.nth_school_day(day, 1)

    def school_days(self, first: date, last: date) -> Sequence[date]:
        """The school days of a span, both ends included."""
        return self._days[bisect_left(self._days, first) : bisect_right(self._days, last)]

    def count(self, first: date, last: date) -> int:
        """How many school days a span has, both ends included."""
        return max(0, bisect_right(self._days, last) - bisect_left(self._days, first))

    # --------------------------------------------------------------------------------------------------- terms, months
    def term_of(self, day: date) -> Term | None:
        """The term the day lies in, school day or not."""
        return next((term for term in self.terms if day in term), None)

    def first_school_day(self, term: Term) -> date | None:
        """None: the term has no school day."""
        days = self.school_days(term.first_day, term.last_day)
        return days[0] if days else None

    def last_school_day(self, term: Term) -> date | None:
        """None: the term has no school day."""
        days = self.school_days(term.first_day, term.last_day)
        return days[-1] if days else None

    def last_school_day_of_month(self, year: int, month: int) -> date | None:
        """None: the month has no school day."""
        days = self.school_days(*month_of(year, month))
        return days[-1] if days else None

    def week_of_term(self, day: date) -> int | None:
        """1 for the week, Monday to Sunday, in which the term's first school day lies. None outside the terms."""
        term = self.term_of(day)
        if term is None:
            return None
        begins = _monday(self.first_school_day(term) or term.first_day)
        return max(1, (_monday(day) - begins).days // 7 + 1)


_SCHOOL_DAYS: Final = frozenset({DayKind.LESSONS, DayKind.MAKE_UP, DayKind.LOCAL_ON})


def month_of(year: int, month: int) -> tuple[date, date]:
    """Its first and its last day."""
    return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1) - _DAY


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _of(span: Term | LocalDay | Holiday) -> Iterator[date]:
    return (span.first_day + timedelta(days=n) for n in range((span.last_day - span.first_day).days + 1))


# ---------------------------------------------------------------------------------------------------------------- rules
def check_term(term: Term, others: Sequence[Term]) -> None:
    """Whether the term may stand beside the other ones of its owner. Raises TermInvalid, TermsOverlap."""
    span = term.last_day - term.first_day
    if not term.name or not timedelta() < span <= LONGEST_TERM or not _is_near(term.first_day, term.last_day):
        raise TermInvalid
    if any(term.first_day <= other.last_day and other.first_day <= term.last_day for other in others):
        raise TermsOverlap


def check_local_day(local: LocalDay, others: Sequence[LocalDay]) -> None:
    """Whether it may stand beside the other ones of its owner. Raises LocalDayInvalid, LocalDaysContradict."""
    span = local.last_day - local.first_day
    if not local.name or not timedelta() <= span <= LONGEST_LOCAL or not _is_near(local.first_day, local.last_day):
        raise LocalDayInvalid
    meeting = [other for other in others if other.first_day <= local.last_day and local.first_day <= other.last_day]
    if any(other.effect is not local.effect for other in meeting):
        raise LocalDaysContradict


def check_week(weekdays: frozenset[int]) -> None:
    """Raises WeekInvalid."""
    if not weekdays or not weekdays <= set(range(1, 8)):
        raise WeekInvalid


def check_table(table: YearTable) -> None:
    """Raises a TableInvalid that says what is wrong."""
    if not table.source.strip():
        raise TableWithoutSource
    first, last = date(table.year, 1, 1) - _REACHES_BACK, date(table.year, 12, 31)
    for holiday in table.holidays:
        if not holiday.name or not first <= holiday.first_day <= holiday.last_day <= last:
            raise TableOutside(details={"day": holiday.first_day.isoformat()})
    off = {day for holiday in table.holidays for day in _of(holiday)}
    for day in table.make_up_days:
        if not first <= day <= last:
            raise TableOutside(details={"day": day.isoformat()})
        if day in off or day.isoweekday() < _SATURDAY:
            raise MakeUpInvalid(details={"day": day.isoformat()})
    for month, number in sorted(FIXED_HOLIDAYS):
        if date(table.year, month, number) not in off:
            raise FixedHolidayMissing(details={"day": date(table.year, month, number).isoformat()})


def working_days_off(table: YearTable) -> int:
    """How many more days from Monday to Friday are off than weekend days are worked: the days off by law, when the
    table is right (`STATUTORY_DAYS`)."""
    off = {day for holiday in table.holidays for day in _of(holiday)}
    return sum(day.isoweekday() < _SATURDAY for day in off) - len(set(table.make_up_days))


def _is_near(*days: date) -> bool:
    return all(day.year in _YEARS for day in days)
