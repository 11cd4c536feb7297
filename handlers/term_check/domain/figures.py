"""The rates that follow from a check. Each is a share of children, with what it is a share of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from handlers.term_check.domain.cases import DROPPED, CaseState

_LAST_OF_PRIMARY: Final = 6


class Level(StrEnum):
    """A stage of compulsory schooling."""

    PRIMARY = "primary"
    JUNIOR = "junior"


class RateName(StrEnum):
    """What is counted."""

    ENROLMENT = "enrolment"
    RETENTION = "retention"
    DROP_OUT = "drop_out"


@dataclass(frozen=True, slots=True)
class Child:
    """A child of a year: the grade it was asked for in, and how its last case ended; None: it came."""

    grade: int
    is_new: bool
    state: CaseState | None


@dataclass(frozen=True, slots=True)
class Counts:
    """Children, by what became of them."""

    listed: int = 0
    here: int = 0
    open: int = 0
    transferred: int = 0
    ill: int = 0
    other: int = 0

    @property
    def due(self) -> int:
        """Those who are to be at school here."""
        return self.listed - self.transferred

    @property
    def dropped(self) -> int:
        """Those who are at no school anybody knows of."""
        return self.open + self.other

    @property
    def is_full(self) -> bool:
        """Whether every child is accounted for."""
        return not self.open

    def __add__(self, more: Counts) -> Counts:
        return Counts(*(one + other for one, other in zip(self.as_tuple(), more.as_tuple(), strict=True)))

    def as_tuple(self) -> tuple[int, int, int, int, int, int]:
        """In the order of the fields."""
        return (self.listed, self.here, self.open, self.transferred, self.ill, self.other)


@dataclass(frozen=True, slots=True)
class Rate:
    """A share. `whole` 0: there is nobody it would be a share of."""

    part: int
    whole: int

    @property
    def thousandths(self) -> float | None:
        """None for a share of nobody."""
        return self.part * 1000 / self.whole if self.whole else None

    @property
    def words(self) -> str:
        """98.25%, to two places; "—" for a share of nobody. Never rounded up to a whole or down to nothing."""
        if not self.whole:
            return "—"
        hundredths = round(self.part * 10_000 / self.whole)
        if 0 < self.part < self.whole:
            hundredths = min(max(hundredths, 1), 9_999)
        return f"{hundredths // 100}.{hundredths % 100:02}%"

    def is_below(self, limit: int) -> bool | None:
        """Whether it keeps below so many thousandths; None for a share of nobody."""
        return self.part * 1000 < limit * self.whole if self.whole else None


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one level: those on last term's list, and those who are new."""

    known: Counts = Counts()
    new: Counts = Counts()

    @property
    def all(self) -> Counts:
        """Both."""
        return self.known + self.new

    def rate(self, name: RateName) -> Rate:
        """New children who came (or are excused ill) of those due; children of last term's list who stayed of those
        due; children dropped out of all who are due."""
        match name:
            case RateName.ENROLMENT:
                return Rate(self.new.due - self.new.dropped, self.new.due)
            case RateName.RETENTION:
                return Rate(self.known.due - self.known.dropped, self.known.due)
            case RateName.DROP_OUT:
                return Rate(self.all.dropped, self.all.due)

    def __add__(self, more: Figures) -> Figures:
        return Figures(self.known + more.known, self.new + more.new)


def level_of(grade: int) -> Level:
    """Primary up to the sixth."""
    return Level.PRIMARY if grade <= _LAST_OF_PRIMARY else Level.JUNIOR


def counted(states: Iterable[CaseState | None]) -> Counts:
    """What a list comes to."""
    found = list(states)
    of = {state: found.count(state) for state in CaseState}
    return Counts(
        listed=len(found),
        here=found.count(None) + of[CaseState.RETURNED],
        open=of[CaseState.ABSENT] + of[CaseState.LOCATED],
        transferred=of[CaseState.TRANSFERRED],
        ill=of[CaseState.ILL],
        other=of[CaseState.OTHER],
    )


def figures(children: Iterable[Child]) -> Mapping[Level, Figures]:
    """By level, those of no child too."""
    found = list(children)
    return {level: _of_level([each for each in found if level_of(each.grade) is level]) for level in Level}


def _of_level(children: list[Child]) -> Figures:
    return Figures(
        counted(each.state for each in children if not each.is_new),
        counted(each.state for each in children if each.is_new),
    )


def of_year(terms: Iterable[Mapping[str, Child]]) -> dict[str, Child]:
    """The children of a year, each once: new or not as when it was first asked for in the year, and as its last term
    left it. Who was dropped in one term and is on no list of the next stays dropped, and a child that moved away with a
    paper stays moved."""
    found: dict[str, Child] = {}
    for term in terms:
        for child, now in term.items():
            first = found.get(child)
            found[child] = now if first is None else Child(now.grade, first.is_new, now.state)
    return found


def is_dropped(state: CaseState | None) -> bool:
    """Whether a child counts as dropped out."""
    return state in DROPPED
