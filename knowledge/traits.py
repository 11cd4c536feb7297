"""What the ranker knows of the entries beyond their text, as arrays with one element an entry."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.entry import Attribute, Audience, Entry, Stage
from knowledge.frame import stages_in
from knowledge.index import Index
from knowledge.index_build import Prepared
from knowledge.normalise import normalise
from knowledge.places import Bond, Gazetteer, Whereabouts

CONCEPT_WEIGHT = 2.5
"""An entry is wholly about a concept when this share, inverted, of its phrasings speak of it."""

_BITS: dict[StrEnum, int] = {
    member: 1 << place for kind in (Attribute, Audience, Stage) for place, member in enumerate(kind)
}


def bits(members: Iterable[StrEnum]) -> int:
    """The members of one enumeration as a set of bits."""
    return sum(_BITS[member] for member in members)


class Traits:
    """Arrays over the entries of one snapshot."""

    def __init__(self, entries: Sequence[Entry], index: Index, names: Sequence[Naming]) -> None:
        plans = {entry.plan.id: entry.plan for entry in entries}
        self._numbers = {plan: number for number, plan in enumerate(plans)}
        self.plan = np.array([self._numbers[entry.plan.id] for entry in entries], dtype=np.int32)
        nowhere = Whereabouts("", {})
        self._strangers = np.array([int(nowhere.bond(plan)) for plan in plans.values()], dtype=np.int64)
        self.attributes = np.array([bits(entry.attributes) for entry in entries], dtype=np.int64)
        self.audience = np.array([bits(entry.audience) for entry in entries], dtype=np.int64)
        self.stages = np.array([bits(_stages(entry)) for entry in entries], dtype=np.int64)
        self.gap = np.array([entry.is_gap for entry in entries], dtype=np.float64)
        self._concept_numbers = index.concept_numbers
        self.concepts = np.minimum(1.0, CONCEPT_WEIGHT * index.concept_share.astype(np.float32)).astype(np.float16)
        self.concept_mass = self.concepts.sum(axis=1, dtype=np.float64)
        self.mentioned = index.concept_said | (self.concepts > 0)
        self.names = [naming.anywhere for naming in names]
        self.subjects = [naming.subject for naming in names]

    def columns(self, concepts: Iterable[str]) -> NDArray[np.int64]:
        """Columns of `concepts` in the concept tables."""
        return np.array([self._concept_numbers[concept] for concept in concepts], dtype=np.int64)

    def bonds(self, where: Whereabouts | None) -> NDArray[np.int64]:
        """Bond of every entry's plan to the place; all `UNPLACED` while no place is known."""
        if where is None:
            return np.full(self.plan.size, Bond.UNPLACED, dtype=np.int64)
        found = self._strangers.copy()
        for plan, bond in where.bonds.items():
            found[self._numbers[plan]] = bond
        return found[self.plan]


@dataclass(frozen=True, slots=True)
class Naming:
    """Names of schools, villages and roads that an entry mentions `anywhere`, and those its question is about."""

    anywhere: frozenset[str]
    subject: frozenset[str]

    @classmethod
    def of(cls, text: Prepared, gazetteer: Gazetteer) -> Naming:
        """The names in the texts of one entry."""

        def inner(*texts: str) -> frozenset[str]:
            return gazetteer.inner(name for text in texts for name, _ in gazetteer.mentions(text))

        return cls(inner(*text.phrasings, text.body), inner(text.phrasings[0]))

    @staticmethod
    def to_state(names: Sequence[Naming]) -> dict[str, NDArray[Any]]:
        """The names of all entries as one array of JSON."""
        rows = [[sorted(naming.anywhere), sorted(naming.subject)] for naming in names]
        return {"names": np.frombuffer(json.dumps(rows, ensure_ascii=False).encode(), dtype=np.uint8)}

    @classmethod
    def of_state(cls, state: Mapping[str, NDArray[Any]]) -> list[Naming]:
        """The names that `to_state` gave."""
        rows = json.loads(state["names"].tobytes())
        return [cls(frozenset(anywhere), frozenset(subject)) for anywhere, subject in rows]


def _stages(entry: Entry) -> frozenset[Stage]:
    return entry.stages or stages_in(normalise(entry.question))
