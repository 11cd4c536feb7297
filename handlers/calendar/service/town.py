"""All that the calendars of one township are made of, and what changes of it come to. Nothing here touches a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import UUID, uuid4

from bot.errors import NotFound
from handlers.calendar.domain import (
    MONDAY_TO_FRIDAY,
    Facts,
    LocalDay,
    SchoolCalendar,
    Term,
    YearTable,
    check_local_day,
    check_table,
    check_term,
    check_week,
)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose something is: the township's, or one school's when `school_id` is given."""

    township_id: str
    school_id: str | None = None

    @property
    def id(self) -> str:
        """The school's, else the township's."""
        return self.school_id or self.township_id


@dataclass(frozen=True, slots=True)
class OwnedTerm:
    """A term and whose it is; `id` of its row."""

    id: str
    school_id: str | None
    term: Term


@dataclass(frozen=True, slots=True)
class OwnedDays:
    """Local days and whose they are; `id` of their row."""

    id: str
    school_id: str | None
    local: LocalDay


@dataclass(frozen=True, slots=True)
class Town:
    """One township as it stands. `changes`: how often it was changed; `weeks` by the id of a school or of the township;
    `years`: what was entered there, which outweighs what is shipped."""

    id: str
    changes: int = 0
    terms: Mapping[str, OwnedTerm] = field(default_factory=dict)
    days: Mapping[str, OwnedDays] = field(default_factory=dict)
    weeks: Mapping[str, frozenset[int]] = field(default_factory=dict)
    years: Mapping[int, YearTable] = field(default_factory=dict)

    def calendar(self, school_id: str | None, shipped: Mapping[int, YearTable], version: int = 0) -> SchoolCalendar:
        """Of a school; None: of a school that has nothing of its own."""
        return SchoolCalendar(
            Facts(
                terms=self.terms_of(school_id),
                weekdays=self.week_of(school_id),
                years={**shipped, **self.years},
                local_days=tuple(one.local for one in self.days.values() if school_id and one.school_id == school_id),
                town_days=tuple(one.local for one in self.days.values() if one.school_id is None),
            ),
            version,
        )

    def terms_of(self, school_id: str | None) -> tuple[Term, ...]:
        """The school's own, and those of the township that share no day with them."""
        own = [one.term for one in self.terms.values() if school_id and one.school_id == school_id]
        common = [one.term for one in self.terms.values() if one.school_id is None]
        kept = [
            term
            for term in common
            if not any(term.first_day <= each.last_day and each.first_day <= term.last_day for each in own)
        ]
        return tuple(sorted([*own, *kept]))

    def week_of(self, school_id: str | None) -> frozenset[int]:
        """The days of the week with lessons."""
        common = self.weeks.get(self.id, MONDAY_TO_FRIDAY)
        return self.weeks.get(school_id, common) if school_id else common


class Change(Protocol):
    """Something that may be done to the calendars of a township."""

    @property
    def owner(self) -> Owner:
        """Whose calendar it is done to."""
        ...

    @property
    def fields(self) -> tuple[str, ...]:
        """What is changed, for the audit."""
        ...

    def apply(self, town: Town) -> Town:
        """The township afterwards. Raises InvalidInput, NotFound."""
        ...


@dataclass(frozen=True, slots=True)
class PutTerm:
    """A new term, or another name or other days for one that is there."""

    owner: Owner
    term: Term
    id: str | None = None
    fields: tuple[str, ...] = ("term",)

    def apply(self, town: Town) -> Town:
        """See Change."""
        own = {key: one.term for key, one in town.terms.items() if one.school_id == self.owner.school_id}
        if self.id is not None and self.id not in own:
            raise NotFound
        check_term(self.term, [term for key, term in own.items() if key != self.id])
        kept = OwnedTerm(self.id or str(uuid4()), self.owner.school_id, self.term)
        return replace(town, terms={**town.terms, kept.id: kept})


@dataclass(frozen=True, slots=True)
class RemoveTerm:
    """A term that is not kept after all."""

    owner: Owner
    id: str
    fields: tuple[str, ...] = ("term",)

    def apply(self, town: Town) -> Town:
        """See Change."""
        found = town.terms.get(self.id)
        if found is None or found.school_id != self.owner.school_id:
            raise NotFound
        return replace(town, terms={key: one for key, one in town.terms.items() if key != self.id})


@dataclass(frozen=True, slots=True)
class PutDays:
    """New local days, or other ones in the place of some that are there."""

    owner: Owner
    local: LocalDay
    id: str | None = None
    fields: tuple[str, ...] = ("local_days",)

    def apply(self, town: Town) -> Town:
        """See Change."""
        own = {key: one.local for key, one in town.days.items() if one.school_id == self.owner.school_id}
        if self.id is not None and self.id not in own:
            raise NotFound
        check_local_day(self.local, [local for key, local in own.items() if key != self.id])
        kept = OwnedDays(self.id or str(uuid4()), self.owner.school_id, self.local)
        return replace(town, days={**town.days, kept.id: kept})


@dataclass(frozen=True, slots=True)
class RemoveDays:
    """Local days that are like all others after all."""

    owner: Owner
    id: str
    fields: tuple[str, ...] = ("local_days",)

    def apply(self, town: Town) -> Town:
        """See Change."""
        found = town.days.get(self.id)
        if found is None or found.school_id != self.owner.school_id:
            raise NotFound
        return replace(town, days={key: one for key, one in town.days.items() if key != self.id})


@dataclass(frozen=True, slots=True)
class PutWeek:
    """Other days of the week with lessons; None: those of the township, or Monday to Friday, again."""

    owner: Owner
    weekdays: frozenset[int] | None
    fields: tuple[str, ...] = ("weekdays",)

    def apply(self, town: Town) -> Town:
        """See Change."""
        kept = {key: days for key, days in town.weeks.items() if key != self.owner.id}
        if self.weekdays is not None:
            check_week(self.weekdays)
            kept[self.owner.id] = self.weekdays
        return replace(town, weeks=kept)


@dataclass(frozen=True, slots=True)
class PutYear:
    """The table of a year; None: the shipped one again, or none when none is shipped. The township's only."""

    owner: Owner
    year: int
    table: YearTable | None
    fields: tuple[str, ...] = ("year_table",)

    def apply(self, town: Town) -> Town:
        """See Change."""
        kept = {year: table for year, table in town.years.items() if year != self.year}
        if self.table is not None:
            check_table(self.table)
            kept[self.year] = self.table
        elif self.year not in town.years:
            raise NotFound
        return replace(town, years=kept)


def same_id(text: str) -> str:
    """The usual form of an id. Raises NotFound for what is none."""
    try:
        return str(UUID(text))
    except ValueError:
        raise NotFound from None
