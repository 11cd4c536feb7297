"""Candidates → scored matches. Every feature is named, so that `ask --explain` can show why one entry won."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.entry import Entry
from knowledge.exact import ExactBuilder, ExactPaths
from knowledge.frame import Frame, Framer
from knowledge.index import Index, Query, Similarity
from knowledge.index_build import Prepared, build_index
from knowledge.normalise import normalise
from knowledge.places import Bond
from knowledge.traits import Naming, Traits, bits

SHORT_LIST = 56
"""Entries compared exactly for one question while no place is known."""

OWN_LIST, UNPLACED_LIST = 36, 20
"""Entries compared exactly when the place is known: of its own plans, and of plans that name no place."""

COMPARED = 20
"""Entries of the short lists that are compared phrasing by phrasing."""

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


def prepared(entry: Entry) -> Prepared:
    """The texts of `entry` in matching form, the canonical question first among the phrasings."""
    facts = " ".join(f"{fact.label} {fact.value}" for fact in entry.facts)
    said = (*entry.answer.split("。"), " ".join(entry.topics), facts, entry.plan.short_title)
    return Prepared(
        tuple(normalise(text) for text in (entry.question, *entry.phrasings)),
        tuple(normalise(text) for text in entry.near_misses),
        " ".join(map(normalise, said)),
    )


def build_state(entries: Sequence[Entry], framer: Framer) -> dict[str, NDArray[Any]]:
    """Everything about the entries that takes long to make, as named arrays."""
    exact = ExactBuilder()
    names: list[Naming] = []

    def texts() -> Iterator[Prepared]:
        for number, entry in enumerate(entries):
            text = prepared(entry)
            exact.add(number, text)
            names.append(Naming.of(text, framer.gazetteer))
            yield text

    return build_index(texts(), framer.lexicon) | exact.state() | Naming.to_state(names)


class Ranker:
    """Scores entries of one snapshot. Weights come from `lexicon/ranker.json`, made by `make train`."""

    def __init__(
        self,
        entries: Sequence[Entry],
        framer: Framer,
        weights: Mapping[str, float],
        state: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        """`state` is what `build_state` gave for these entries, if it was built before."""
        state = build_state(entries, framer) if state is None else state
        # the wordings live on in the index only; kept as texts they would cost as much memory as the answers
        self.entries = tuple(replace(entry, phrasings=(), near_misses=()) for entry in entries)
        self.exact = ExactPaths(state)
        self.index = Index(state, framer.lexicon)
        self.traits = Traits(self.entries, self.index, Naming.of_state(state))
        self.weights = np.array([weights.get(name, 0.0) for name in FEATURES], dtype=np.float64)

    def match(self, frame: Frame) -> list[Match]:
        """The best entries for `frame`, best first. With a place known: of its plans, and of plans without a place."""
        bonds = self.traits.bonds(frame.where)
        query = self.index.query(frame.text, frame.names)
        candidates = self.short_list(query, bonds)
        if candidates.size == 0:
            return []
        table = self.features(frame, candidates, self.index.compare(query, candidates), bonds)
        scores = table @ self.weights
        return [
            Match(
                self.entries[candidates[row]],
                float(scores[row]),
                Bond(int(bonds[candidates[row]])),
                dict(zip(FEATURES, table[row].tolist(), strict=True)),
            )
            for row in np.argsort(-scores, kind="stable")[:KEPT].tolist()
        ]

    def short_list(
        self, query: Query, bonds: NDArray[np.int64], *, without: tuple[int, int] | None = None
    ) -> NDArray[np.int32]:
        """Entries worth comparing exactly; never one of a foreign place when the asker's place is known."""
        scores = self.index.scores(query)
        own = self.index.best(scores, bonds >= Bond.WITHIN, OWN_LIST)
        unplaced = self.index.best(scores, bonds == Bond.UNPLACED, UNPLACED_LIST if own.size else SHORT_LIST)
        kept = COMPARED - COMPARED // 3 if own.size else 0
        return np.concatenate(
            [
                self.index.nearest(query, own, kept, without=without),
                self.index.nearest(query, unplaced, COMPARED - kept, without=without),
            ]
        )

    def features(
        self, frame: Frame, candidates: NDArray[np.int32], similarity: Similarity, bonds: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """One row a candidate, columns as `FEATURES`."""
        traits = self.traits
        asked, stages = bits(frame.attributes), bits(frame.stages)
        agrees = (traits.attributes[candidates] & asked) != 0
        own_stages = traits.stages[candidates]
        about = traits.columns(frame.concepts)
        held = traits.concepts[candidates][:, about].sum(axis=1, dtype=np.float64)
        off_concept = ~traits.mentioned[candidates][:, about].any(axis=1) & (about.size > 0)
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
            bonds[candidates] / int(Bond.OWN),
            self._audience(frame, candidates),
            traits.gap[candidates],
            *self._naming(frame, candidates),
            similarity.sense,
            similarity.sense_second,
            off_concept,
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

    def _audience(self, frame: Frame, candidates: NDArray[np.int32]) -> NDArray[np.float64]:
        if frame.role is None:
            return np.zeros(candidates.size)
        meant = self.traits.audience[candidates]
        fits = (meant & bits((frame.role,))) != 0
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
