"""What is shown of the figures. No child, and no number that tells of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from handlers.contacts.domain.suppression import Shown


@dataclass(frozen=True, slots=True)
class Line:
    """A school, or several that are counted together, or all of a township, month by month."""

    names: tuple[str, ...]
    months: Sequence[Shown | None]


@dataclass(frozen=True, slots=True)
class TownFigures:
    """A township: its total, and its schools."""

    name: str
    total: Line
    schools: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What was brought before the reader today, without a number: the names of the teachers whose contacts are long
    overdue, whether some have no teacher, and the schools at which nobody answers for it."""

    teachers: tuple[str, ...] = ()
    has_nobodys: bool = False
    schools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FigureSheet:
    """All of it. `months` are first days, the earliest first."""

    months: Sequence[date]
    schools: Sequence[Line]
    towns: Sequence[TownFigures]
    waiting: Waiting
