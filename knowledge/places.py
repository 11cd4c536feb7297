"""Gazetteer: which plans a place name means, for the asker's own place and for names inside a question."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from knowledge.entry import Plan, PlanStatus
from knowledge.normalise import clean, normalise

_SUFFIX = re.compile(r"(?:省|市|县|区|镇|乡|街道|新区)$")


class Bond(IntEnum):
    """How a plan is bound to a place; higher is closer."""

    FOREIGN = 0
    """The plan is of another place."""
    UNPLACED = 1
    """The plan names no place."""
    WITHIN = 2
    """The plan is of a part of the place."""
    ABOVE = 3
    """The plan is of a wider place that holds this one."""
    NAMED = 4
    """The place is named in the plan as lying inside it."""
    OWN = 5
    """The plan is of just this place."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A place as the asker names it, and the bond of every plan that has one."""

    name: str
    bonds: Mapping[str, Bond]
    named: frozenset[str] = frozenset()
    """Names by which it was recognised that lie inside a plan's place (a village, a school), in matching form."""

    @property
    def known(self) -> bool:
        """Whether any plan belongs to this place."""
        return bool(self.bonds)

    def bond(self, plan: Plan) -> Bond:
        """Bond of `plan` to this place."""
        found = self.bonds.get(plan.id)
        if found is not None:
            return found
        if plan.validity.status is PlanStatus.SCOPE:
            return Bond.OWN
        return Bond.UNPLACED if plan.place.name is None else Bond.FOREIGN


class Gazetteer:
    """Names of places and schools → plans. Built once from the plans of a snapshot."""

    def __init__(self, plans: Iterable[Plan]) -> None:
        self._plans = {plan.id: plan for plan in plans}
        self._place_names = {plan.id: plan.place.name for plan in self._plans.values()}
        names: defaultdict[str, dict[str, Bond]] = defaultdict(dict)
        for plan in self._plans.values():
            for name, bond in _names(plan):
                key = normalise(name)
                if len(key) > 1:
                    names[key][plan.id] = max(bond, names[key].get(plan.id, Bond.FOREIGN))
        self._names = dict(names)
        self._by_length = sorted(self._names, key=len, reverse=True)
        self._by_first: defaultdict[str, list[str]] = defaultdict(list)
        for name in self._by_length:
            self._by_first[name[0]].append(name)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name in matching form, longest first."""
        return tuple(self._by_length)

    def locate(self, place: str) -> Whereabouts:
        """The whereabouts of an asker whose place is `place` (profile or `--place`); unknown names have no bonds."""
        key = normalise(place)
        found = [key] if key in self._names else [name for name, _ in self.mentions(key)]
        if not found:
            found = [name for part in re.split(r"\W+", clean(place)) for name, _ in self.mentions(part)]
        return Whereabouts(place, self._widened(self._best(found)), self.inner(found))

    def inner(self, names: Iterable[str]) -> frozenset[str]:
        """Those of `names` that lie inside a plan's place."""
        return frozenset(name for name in names if Bond.NAMED in self._names[name].values())

    def mentions(self, text: str) -> list[tuple[str, int]]:
        """(Name, start) of every place or school named in `text` (matching form), longest at each position."""
        found: list[tuple[str, int]] = []
        position = 0
        while position < len(text):
            name = next((n for n in self._by_first.get(text[position], ()) if text.startswith(n, position)), None)
            if name is None:
                position += 1
                continue
            found.append((name, position))
            position += len(name)
        return found

    def named_in(self, text: str) -> tuple[Whereabouts | None, str]:
        """Whereabouts a question names itself, and the question without the names of whole places.

        Names of things inside a place (a school, a road) stay in the text: they are what is asked about.
        """
        found = self.mentions(text)
        if not found:
            return None, text
        bonds = self._best([name for name, _ in found])
        rest = text
        for name, _ in found:
            if any(bond is Bond.OWN or bond is Bond.WITHIN for bond in self._names[name].values()):
                rest = rest.replace(name, "", 1)
        where = max((name for name, _ in found), key=len)
        return Whereabouts(where, self._widened(bonds), self.inner(name for name, _ in found)), rest

    def _best(self, names: Iterable[str]) -> dict[str, Bond]:
        """Plans all the names agree on, else the plans of any of them."""
        maps = [self._names[name] for name in names]
        if not maps:
            return {}
        shared = set(maps[0]).intersection(*maps[1:])
        plans = shared or set().union(*maps)
        return {plan: max(m.get(plan, Bond.FOREIGN) for m in maps) for plan in plans}

    def _widened(self, bonds: Mapping[str, Bond]) -> dict[str, Bond]:
        """`bonds` and the plans of the wider places that hold those places."""
        widened = dict(bonds)
        chains = {
            level
            for plan_id, bond in bonds.items()
            if bond is not Bond.WITHIN
            for level in self._plans[plan_id].place.levels[:-1]
        }
        for plan_id, name in self._place_names.items():
            if plan_id not in widened and name in chains:
                widened[plan_id] = Bond.ABOVE
        return widened


def _names(plan: Plan) -> Iterable[tuple[str, Bond]]:
    levels = plan.place.levels
    if not levels:
        return  # names of an unplaced plan's subject (特岗, 轮岗) are no places
    for alias in plan.aliases:
        yield alias, Bond.OWN
    for name in plan.inside:
        yield name, Bond.NAMED
    for index, level in enumerate(levels):
        bond = Bond.OWN if index == len(levels) - 1 else Bond.WITHIN
        yield level, bond
        short = _SUFFIX.sub("", level)
        if len(short) > 1:
            yield short, bond
