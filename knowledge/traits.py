"""What the ranker knows of the entries beyond their text, as arrays with one element an entry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from knowledge.entry import Attribute, Audience, Entry, Stage
from knowledge.frame import stages_in
from knowledge.index import Index, Prepared
from knowledge.normalise import normalise
from knowledge.places import Bond, Gazetteer, Whereabouts

_BITS: dict[StrEnum, int] = {
    member: 1 << place for kind in (Attribute, Audience, Stage) for place, member in enumerate(kind)
}


def bits(members: Iterable[StrEnum]) -> int:
    """The members of one enumeration as a set of bits."""
    return sum(_BITS[member] for member in members)


class Traits:
    """Arrays over the entries of one snapshot."""

    def __init__(self, entries: Sequence[Entry], texts: Sequence[Prepared], index: Index, gazetteer: Gazetteer) -> None:
        plans = {entry.plan.id: entry.plan for entry in entries}
        self._numbers = {plan: number for number, plan in enumerate(plans)}
        self.plan = np.array([self._numbers[entry.plan.id] for entry in entries], dtype=np.int32)
        nowhere = Whereabouts("", {})
        self._strangers = np.array([int(nowhere.bond(plan)) for plan in plans.values()], dtype=np.int64)
        self.attributes = np.array([bits(entry.attributes) for entry in entries], dtype=np.int64)
        self.audience = np.array([bits(entry.audience) for entry in entries], dtype=np.int64)
        self.stages = np.array([bits(_stages(entry)) for entry in entries], dtype=np.int64)
        self.gap = np.array([entry.is_gap for entry in entries], dtype=np.float64)
        self.concepts = [
            {concept: min(1.0, 2.5 * count / (1 + len(entry.phrasings))) for concept, count in counts.items()}
            for entry, counts in zip(entries, index.concepts, strict=True)
        ]
        self.mentioned = [said.union(weights) for said, weights in zip(index.body_concepts, self.concepts, strict=True)]
        self.names, self.subjects = zip(*(_names(text, gazetteer) for text in texts), strict=True)
        self.concept_mass = np.array([sum(weights.values()) for weights in self.concepts], dtype=np.float64)

    def bonds(self, where: Whereabouts | None) -> NDArray[np.int64]:
        """Bond of every entry's plan to the place; all `UNPLACED` while no place is known."""
        if where is None:
            return np.full(self.plan.size, Bond.UNPLACED, dtype=np.int64)
        found = self._strangers.copy()
        for plan, bond in where.bonds.items():
            found[self._numbers[plan]] = bond
        return found[self.plan]


def _names(text: Prepared, gazetteer: Gazetteer) -> tuple[frozenset[str], frozenset[str]]:
    """(Inner names the entry mentions anywhere; those its own question is about)."""

    def inner(*texts: str) -> frozenset[str]:
        return gazetteer.inner(name for text in texts for name, _ in gazetteer.mentions(text))

    return inner(*text.phrasings, text.body), inner(text.phrasings[0])


def _stages(entry: Entry) -> frozenset[Stage]:
    return entry.stages or stages_in(normalise(entry.question))
