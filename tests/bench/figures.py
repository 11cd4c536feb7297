"""What was measured, beside what it should be: one table, one file."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import pytest


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound a figure has to keep."""

    bound: float
    at_least: bool

    def is_met(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"


def at_least(bound: float) -> Goal:
    """The more the better."""
    return Goal(bound, at_least=True)


def at_most(bound: float) -> Goal:
    """The less the better."""
    return Goal(bound, at_least=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. Without a goal it is there to be known; `runs` are the values `value` is the median of."""

    name: str
    value: float
    unit: str = ""
    goal: Goal | None = None
    note: str = ""
    runs: tuple[float, ...] = ()

    @property
    def is_met(self) -> bool | None:
        """None for a figure without a goal."""
        return None if self.goal is None else self.goal.is_met(self.value)

    def as_json(self) -> dict[str, Any]:
        """As kept in the file."""
        return {
            "name": self.name,
            "value": round(self.value, 4),
            "unit": self.unit,
            "goal": None if self.goal is None else str(self.goal),
            "met": self.is_met,
            "note": self.note,
            "runs": [round(run, 4) for run in self.runs],
        }


@dataclass
class Board:
    """All figures of one run, in the order in which they were measured."""

    figures: list[Figure] = field(default_factory=list)

    def add(self, name: str, value: float, unit: str = "", *, goal: Goal | None = None, note: str = "") -> Figure:
        """One value."""
        return self._keep(Figure(name, value, unit, goal, note))

    def add_median(
        self, name: str, runs: list[float], unit: str = "", *, goal: Goal | None = None, note: str = ""
    ) -> Figure:
        """The median of several runs; the span they cover is said beside it."""
        span = f"{_number(min(runs))}–{_number(max(runs))}"
        return self._keep(Figure(name, median(runs), unit, goal, f"{span} {note}".strip(), tuple(runs)))

    def add_scaled(self, name: str, value: float, unit: str, *, goal: Goal, slowness: float, note: str = "") -> Figure:
        """A time, as it would be on the machine the goal was set on; what it was here is said beside it."""
        here = f"{_number(value)} {unit} here, {slowness:.1f} times slower" if slowness > 1 else ""
        return self.add(name, value / slowness, unit, goal=goal, note=", ".join(part for part in (here, note) if part))

    def _keep(self, figure: Figure) -> Figure:
        self.figures.append(figure)
        return figure

    def with_goal(self) -> list[Figure]:
        """Those that are judged."""
        return [figure for figure in self.figures if figure.goal is not None]

    def missed(self) -> list[Figure]:
        """Those whose goal is not met."""
        return [figure for figure in self.figures if figure.is_met is False]

    def table(self) -> str:
        """All figures: name, value, goal, met or not, what else there is to know."""
        verdicts = {True: "met", False: "MISSED", None: ""}
        rows = [("figure", "value", "goal", "", "")]
        rows += [
            (
                figure.name,
                f"{_number(figure.value)} {figure.unit}".rstrip(),
                "" if figure.goal is None else str(figure.goal),
                verdicts[figure.is_met],
                figure.note,
            )
            for figure in self.figures
        ]
        widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )

    def write(self, path: Path) -> None:
        """The same as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        figures = [figure.as_json() for figure in self.figures]
        path.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", "utf-8")


def require(*figures: Figure) -> None:
    """Fails the test if one of the goals is missed; the table says by how much."""
    missed = [f"{figure.name} ({figure.goal})" for figure in figures if figure.is_met is False]
    if missed:
        pytest.fail(f"goals missed: {', '.join(missed)}", pytrace=False)


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _number(value: float) -> str:
    size = abs(value)
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
