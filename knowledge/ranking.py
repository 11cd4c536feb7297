"""Candidates → scored matches. Every feature is named, so that `ask --explain` can show why one entry won."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from knowledge.entry import Attribute, Audience, Entry, Stage
from knowledge.frame import Frame, Framer, stages_in
from knowledge.index import Index, Prepared, Query, Similarity
from knowledge.normalise import normalise
from knowledge.places import Bond, Gazetteer, Whereabouts

SHORT_LIST = 56
"""Entries compared exactly for one question while no place is known."""

OWN_LIST, UNPLACED_LIST = 36, 20
"""Entries compared exactly when the place is known: of its own plans, and of plans that name no place."""

KEPT = 24
"""Matches given back, the best ones."""

FEATURES = (
    "phrasing",
    "phrasing_squared",
    "second",
    "covered",
    "covered_any",
    "near_miss",
    "concepts",
    "foreign_concepts",
    "attribute",
    "attribute_conflict",
    "stage",
    "stage_conflict",
    "bond",
    "audience",
    "gap",
    "named",
    "other_named",
    "sense",
    "sense_second",
    "off_concept",
)

FIXED = {"near_miss": -4.0, "bond": 3.0}
"""Weights that are set, not fitted, because phrasings cannot tell: none resembles its own entry's near-misses, and none
that is asked with a place known is ever answered by a plan without one."""


@dataclass(frozen=True, slots=True)
class Match:
    """One entry and how well it fits a question. `score` orders; the named `features` explain it."""

    entry: Entry
    score: float
    bond: Bond
    features: Mapping[str, float]


class Traits:
    """What the ranker knows of the entries beyond their text, as arrays with one element an entry."""

    def __init__(self, entries: Sequence[Entry], index: Index, gazetteer: Gazetteer) -> None:
        plans = {entry.plan.id: number for number, entry in enumerate(entries)}
        numbers = {plan: number for number, plan in enumerate(plans)}
        self.plans = tuple(entries[first].plan for first in plans.values())
        self.plan = np.array([numbers[entry.plan.id] for entry in entries], dtype=np.int32)
        self.unplaced = np.array([plan.place.name is None for plan in self.plans], dtype=np.bool_)
        self.attributes = np.array([_bits(Attribute, entry.attributes) for entry in entries], dtype=np.int64)
        self.audience = np.array([_bits(Audience, entry.audience) for entry in entries], dtype=np.int64)
        self.stages = np.array([_bits(Stage, _stages(entry)) for entry in entries], dtype=np.int64)
        self.gap = np.array([entry.is_gap for entry in entries], dtype=np.float64)
        self.concepts = [
            {concept: min(1.0, 2.5 * count / (1 + len(entry.phrasings))) for concept, count in counts.items()}
            for entry, counts in zip(entries, index.concepts, strict=True)
        ]
        self.mentioned = [said.union(weights) for said, weights in zip(index.body_concepts, self.concepts, strict=True)]
        self.names, self.subjects = zip(*(_names(entry, gazetteer) for entry in entries), strict=True)
        self.concept_mass = np.array([sum(weights.values()) for weights in self.concepts], dtype=np.float64)

    def bonds(self, where: Whereabouts | None) -> NDArray[np.int64]:
        """Bond of every plan to the place; all `UNPLACED` while no place is known."""
        if where is None:
            return np.full(len(self.plans), Bond.UNPLACED, dtype=np.int64)
        found = np.where(self.unplaced, int(Bond.UNPLACED), int(Bond.FOREIGN))
        for number, plan in enumerate(self.plans):
            bond = where.bonds.get(plan.id)
            if bond is not None:
                found[number] = bond
        return found


def _names(entry: Entry, gazetteer: Gazetteer) -> tuple[frozenset[str], frozenset[str]]:
    """(Inner names the entry mentions anywhere; those its own question is about)."""

    def inner(*texts: str) -> frozenset[str]:
        return gazetteer.inner(name for text in texts for name, _ in gazetteer.mentions(normalise(text)))

    return inner(entry.question, entry.answer, *entry.phrasings), inner(entry.question)


def _bits(kind: type[StrEnum], members: Iterable[StrEnum]) -> int:
    order = list(kind)
    return sum(1 << order.index(member) for member in members)


def _stages(entry: Entry) -> frozenset[Stage]:
    return entry.stages or stages_in(normalise(entry.question))


def prepared(entry: Entry) -> Prepared:
    """The texts of `entry` in matching form, the canonical question first among the phrasings."""
    facts = " ".join(f"{fact.label} {fact.value}" for fact in entry.facts)
    said = (*entry.answer.split("。"), " ".join(entry.topics), facts, entry.plan.short_title)
    return Prepared(
        tuple(normalise(text) for text in (entry.question, *entry.phrasings)),
        tuple(normalise(text) for text in entry.near_misses),
        " ".join(map(normalise, said)),
    )


class Ranker:
    """Scores entries of one snapshot. Weights come from `lexicon/ranker.json`, made by `make train`."""

    def __init__(self, entries: Sequence[Entry], framer: Framer, weights: Mapping[str, float]) -> None:
        self.entries = entries
        texts = [prepared(entry) for entry in entries]
        self.index = Index(texts, framer.lexicon)
        self.traits = Traits(entries, self.index, framer.gazetteer)
        self.weights = np.array([weights.get(name, 0.0) for name in FEATURES], dtype=np.float64)

    def match(self, frame: Frame) -> list[Match]:
        """The best entries for `frame`, best first. With a place known: of its plans, and of plans without a place."""
        by_plan = self.traits.bonds(frame.where)
        query = self.index.query(frame.text, frame.names)
        candidates = self.short_list(frame, query)
        if candidates.size == 0:
            return []
        table = self.features(frame, candidates, self.index.compare(query, candidates))
        scores = table @ self.weights
        return [
            Match(
                self.entries[candidates[row]],
                float(scores[row]),
                Bond(int(by_plan[self.traits.plan[candidates[row]]])),
                dict(zip(FEATURES, table[row].tolist(), strict=True)),
            )
            for row in np.argsort(-scores, kind="stable")[:KEPT].tolist()
        ]

    def short_list(self, frame: Frame, query: Query) -> NDArray[np.int32]:
        """Entries worth comparing exactly; never one of a foreign place when the asker's place is known."""
        if frame.where is None:
            return self.index.candidates(query, None, SHORT_LIST)
        bonds = self.traits.bonds(frame.where)[self.traits.plan]
        own = self.index.candidates(query, bonds >= Bond.WITHIN, OWN_LIST)
        unplaced = self.index.candidates(query, bonds == Bond.UNPLACED, UNPLACED_LIST)
        return np.concatenate([own, unplaced])

    def features(self, frame: Frame, candidates: NDArray[np.int32], similarity: Similarity) -> NDArray[np.float64]:
        """One row a candidate, columns as `FEATURES`."""
        traits = self.traits
        asked, stages = _bits(Attribute, frame.attributes), _bits(Stage, frame.stages)
        agrees = (traits.attributes[candidates] & asked) != 0
        own_stages = traits.stages[candidates]
        held = np.array(
            [sum(traits.concepts[c].get(concept, 0.0) for concept in frame.concepts) for c in candidates.tolist()]
        )
        strange = np.clip(traits.concept_mass[candidates] - held, 0, 3) / 3
        columns = (
            similarity.phrasing,
            similarity.phrasing**2,
            similarity.second,
            similarity.covered,
            similarity.covered_any,
            np.maximum(0, similarity.near_miss - similarity.phrasing),
            held / max(1, len(frame.concepts)),
            strange,
            agrees,
            ~agrees & (asked != 0),
            (own_stages & stages) != 0,
            (own_stages != 0) & (stages != 0) & ((own_stages & stages) == 0),
            traits.bonds(frame.where)[traits.plan[candidates]] / int(Bond.OWN),
            self._audience(frame, candidates),
            traits.gap[candidates],
            *self._naming(frame, candidates),
            similarity.sense,
            similarity.sense_second,
            self._off_concept(frame, candidates),
        )
        return np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)

    def _naming(self, frame: Frame, candidates: NDArray[np.int32]) -> tuple[list[float], list[float]]:
        """(Mentions a school or village the asker named; is about another one instead)."""
        if not frame.names:
            return [0.0] * candidates.size, [0.0] * candidates.size
        rows = candidates.tolist()
        named = [1.0 if self.traits.names[row] & frame.names else 0.0 for row in rows]
        other = [
            1.0 if self.traits.subjects[row] and not self.traits.subjects[row] & frame.names else 0.0 for row in rows
        ]
        return named, other

    def _off_concept(self, frame: Frame, candidates: NDArray[np.int32]) -> list[float]:
        """Speaks of none of the things the question speaks of."""
        if not frame.concepts:
            return [0.0] * candidates.size
        return [0.0 if self.traits.mentioned[row] & frame.concepts else 1.0 for row in candidates.tolist()]

    def _audience(self, frame: Frame, candidates: NDArray[np.int32]) -> NDArray[np.float64]:
        if frame.role is None:
            return np.zeros(candidates.size)
        meant = self.traits.audience[candidates]
        fits = (meant & _bits(Audience, (frame.role,))) != 0
        return np.where(meant == 0, 0.0, np.where(fits, 1.0, -1.0))


@dataclass(frozen=True, slots=True)
class Model:
    """Fitted weights: of the ranker's features, and of the estimate that the first match is right."""

    weights: Mapping[str, float]
    confidence: Mapping[str, float]


def shipped_model() -> Model:
    """The weights that come with the package."""
    text = (resources.files("knowledge") / "lexicon" / "ranker.json").read_text(encoding="utf-8")
    fields = json.loads(text)
    return Model(fields["weights"], fields["confidence"])
