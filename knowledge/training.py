"""Build tool: fits the ranker's weights on the content's own phrasings, each left out in turn.

A phrasing is a question whose right entry is known; asked with its own row removed it is as new to the index as a
parent's wording would be. Only phrasings that the word vectors have not been shown are asked, half of them with the
place known. `make train` writes `lexicon/ranker.json`.
"""

from __future__ import annotations

import json
import random
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.decision import EVIDENCE, FIXED_EVIDENCE, alike, evidence
from knowledge.entry import Entry
from knowledge.frame import Asker, Frame, Framer
from knowledge.loader import load, shipped_folders
from knowledge.normalise import normalise
from knowledge.places import Bond, Gazetteer
from knowledge.ranking import FEATURES, FIXED, Match, Ranker
from knowledge.words import Lexicon

TARGET = Path(__file__).parent / "lexicon" / "ranker.json"
DAY = date(2026, 11, 21)
"""Any day: the ranker does not look at it."""

PLACE_KNOWN = 0.5
"""Share of phrasings asked with the place known."""

HELD_OUT = 10
"""One phrasing in so many is never shown to the word vectors; the ranker is fitted on just these."""

RIDGE = 1e-3
STEPS = 400


@dataclass(frozen=True, slots=True)
class Example:
    """The candidates of one left-out phrasing, which row is right, and what the estimate would rest on."""

    features: NDArray[np.float64]
    right: int
    frame: Frame
    entries: tuple[Entry, ...]


def held_out(text: str) -> bool:
    """Whether the phrasing `text` (matching form) is kept from the word vectors."""
    return zlib.crc32(text.encode()) % HELD_OUT == 0


class Examiner:
    """Asks the content its own phrasings, each left out in turn."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        plans = {entry.plan.id: entry.plan for entry in entries}
        gazetteer = Gazetteer(plans.values())
        lexicon = Lexicon(gazetteer.names)
        self.entries = entries
        self.framer = Framer(lexicon, gazetteer)
        self.ranker = Ranker(entries, self.framer, {})

    def examples(self, *, seed: int = 1) -> tuple[list[Example], int]:
        """(Examples of the held-out phrasings, how many phrasings' own entry was not even on the short list)."""
        chance = random.Random(seed)  # noqa: S311 - a sample that anyone can draw again
        found: list[Example] = []
        missed = 0
        for number, entry in enumerate(self.entries):
            for position in range(1, len(entry.phrasings) + 1):
                if not held_out(normalise(entry.phrasings[position - 1])):
                    continue
                place = entry.plan.place.name if chance.random() < PLACE_KNOWN else None
                example = self._example(number, position, Asker(DAY, place))
                missed += example is None
                if example is not None:
                    found.append(example)
        return found, missed

    def _example(self, number: int, position: int, asker: Asker) -> Example | None:
        entry = self.entries[number]
        frame = self.framer.from_normalised(normalise(entry.phrasings[position - 1]), asker)
        bonds = self.ranker.traits.bonds(frame.where)
        query = self.ranker.index.query(frame.text, frame.names)
        candidates = self.ranker.short_list(query, bonds, without=(number, position))
        if number not in candidates:
            return None
        similarity = self.ranker.index.compare(query, candidates, without=(number, position))
        table = self.ranker.features(frame, candidates, similarity, bonds)
        right = int(np.flatnonzero(candidates == number)[0])
        return Example(table, right, frame, tuple(self.entries[i] for i in candidates))


def fit_confidence(data: Sequence[Example], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of the estimate that the first match is right.

    Each example counts twice: as it is, and with the right entry and its likes withdrawn, when whatever comes first is
    wrong although it is on the same subject. That is what a question the plans do not answer looks like.
    """
    rows: list[list[float]] = []
    truths: list[float] = []
    for example in data:
        scores = example.features @ weights
        order = np.argsort(-scores)
        right = example.entries[example.right]
        for withdrawn in (False, True):
            kept = [i for i in order if not (withdrawn and alike(example.entries[i], right))]
            if not kept:
                continue
            matches = [
                Match(
                    example.entries[i],
                    float(scores[i]),
                    Bond.UNPLACED,
                    dict(zip(FEATURES, example.features[i], strict=True)),
                )
                for i in kept[:8]
            ]
            rows.append(list(evidence(example.frame, matches).values()))
            truths.append(float(not withdrawn and alike(matches[0].entry, right)))
    return _logistic(np.array(rows), np.array(truths))


def _logistic(rows: NDArray[np.float64], truths: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = np.zeros(rows.shape[1])
    for _ in range(30):
        odds = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
        gradient = rows.T @ (odds - truths) + weights
        curvature = (rows * (odds * (1 - odds))[:, None]).T @ rows + np.eye(len(weights))
        weights -= np.linalg.solve(curvature, gradient)
        for name, value in FIXED_EVIDENCE.items():
            weights[EVIDENCE.index(name)] = value
    return weights


def fit(data: Sequence[Example]) -> NDArray[np.float64]:
    """Weights that make the right candidate's share of a softmax largest (full-batch Adam)."""
    width = len(FEATURES)
    tables = np.concatenate([example.features for example in data])
    sizes = np.array([len(example.features) for example in data])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    right = starts + np.array([example.right for example in data])
    group = np.repeat(np.arange(len(data)), sizes)
    weights, first, second = np.zeros(width), np.zeros(width), np.zeros(width)
    for step in range(1, STEPS + 1):
        scores = tables @ weights
        scores -= np.maximum.reduceat(scores, starts)[group]
        odds = np.exp(scores)
        odds /= np.add.reduceat(odds, starts)[group]
        gradient = (tables * odds[:, None]).sum(0) - tables[right].sum(0)
        gradient = gradient / len(data) + RIDGE * weights
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        weights -= 0.15 * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        for name, value in FIXED.items():
            weights[FEATURES.index(name)] = value
    return weights


def accuracy(data: Sequence[Example], weights: NDArray[np.float64]) -> float:
    """Share of examples whose right candidate comes first."""
    return float(np.mean([int(np.argmax(example.features @ weights)) == example.right for example in data]))


def write(weights: NDArray[np.float64], confidence: NDArray[np.float64], target: Path = TARGET) -> None:
    """Write both sets of weights, rounded so that a rerun on the same content gives the same file."""
    model = {
        "weights": _named(FEATURES, weights),
        "confidence": _named(EVIDENCE, confidence),
    }
    target.write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")


def _named(names: Sequence[str], values: NDArray[np.float64]) -> dict[str, float]:
    return {name: round(float(value), 3) for name, value in zip(names, values, strict=True)}


def main() -> None:
    """Fit both sets of weights on the shipped content and write them."""
    data, missed = Examiner(load(shipped_folders())).examples()
    weights = fit(data)
    write(weights, fit_confidence(data, weights))
    sys.stdout.write(
        f"{len(data)} phrasings, {missed} not on the short list, {accuracy(data, weights):.3f} come first\n"
    )


if __name__ == "__main__":
    main()
