"""The figures that may not fall.

`python -m tests.knowledge.gate` prints them beside their floors; `--write` records them as the new floors.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np

from knowledge.answer import Answer
from knowledge.base import KnowledgeBase
from knowledge.entry import ROLE_CODES, Entry
from knowledge.evaluation import Question, Report, evaluate, read_bank
from knowledge.frame import Asker
from knowledge.loader import load, shipped_folders
from knowledge.normalise import normalise
from knowledge.places import Bond
from knowledge.snapshot import default_folder
from tests.knowledge.noise import NOISES

BANKS = Path(__file__).parent.parent / "banks"
FLOORS = Path(__file__).parent / "floors.json"
DAY = date(2026, 11, 21)
SAMPLE = 12
"""One phrasing in so many is asked, always the same ones."""


@cache
def base() -> KnowledgeBase:
    """The shipped knowledge."""
    return KnowledgeBase.load(snapshots=default_folder())


@cache
def wordings() -> tuple[Entry, ...]:
    """The entries with their phrasings and near-misses, in the order of the base, which keeps them only indexed."""
    return load(shipped_folders())


def answer(question: Question) -> Answer:
    """The answer to a bank question, as `ask --batch` gives it."""
    return base().answer(question.text, Asker(DAY, question.place, ROLE_CODES.get(question.role or "")))


@cache
def report(bank: str) -> Report:
    """The bank's questions, judged."""
    return evaluate(read_bank(BANKS / f"{bank}.jsonl"), answer)


def bank_figures(bank: str) -> dict[str, float]:
    """Pass rates of a bank: in all, and by kind."""
    summary = report(bank).summary()
    figures = {f"{bank}.{name}": summary[name] for name in ("answerable", "unanswerable")}
    figures |= {f"{bank}.{kind}": good / total for kind, (good, total) in summary["by_kind"].items()}
    return figures


def noise_figures() -> dict[str, float]:
    """Of the dev questions that pass as they are, the share that still passes with each kind of noise."""
    failed = {question.id for question, _, _ in report("dev").failures}
    passing = [question for question in read_bank(BANKS / "dev.jsonl") if question.id not in failed]
    figures = {}
    for name, noise in NOISES.items():
        noisy = [replace(question, text=noise(question.text, base().lexicon)) for question in passing]
        figures[f"noise.{name}"] = float(evaluate(noisy, answer).summary()["passed"])
    return figures


def _sampled() -> Iterator[tuple[int, int]]:
    for number, entry in enumerate(wordings()):
        for position, phrasing in enumerate(entry.phrasings, 1):
            if zlib.crc32(phrasing.encode()) % SAMPLE == 0:
                yield number, position


def own_phrasing_figures() -> dict[str, float]:
    """Sampled phrasings, each left out of the index: how often their entry comes first, and among the first three."""
    knowledge = base()
    first, third, asked = 0, 0, 0
    for number, position in _sampled():
        entry = wordings()[number]
        frame = knowledge.framer.from_normalised(
            normalise(entry.phrasings[position - 1]), Asker(DAY, entry.plan.place.name)
        )
        bonds = knowledge.ranker.traits.bonds(frame.where)
        query = knowledge.ranker.index.query(frame.text, frame.names)
        candidates = knowledge.ranker.short_list(query, bonds, without=(number, position))
        if entry.plan.place.name is None:
            candidates = np.array(
                [c for c in candidates if knowledge.entries[c].plan.id == entry.plan.id], dtype=np.int32
            )
        asked += 1
        if number not in candidates:
            continue
        similarity = knowledge.ranker.index.compare(query, candidates, without=(number, position))
        scores = knowledge.ranker.features(frame, candidates, similarity, bonds) @ knowledge.ranker.weights
        rank = int(np.flatnonzero(candidates[np.argsort(-scores, kind="stable")] == number)[0])
        first += rank == 0
        third += rank < 3
    return {"own_phrasing.first": first / asked, "own_phrasing.among_three": third / asked}


def near_miss_figures() -> dict[str, float]:
    """Share of the near-misses that are not answered by the entry that lists them."""
    knowledge = base()
    kept = asked = 0
    for entry in wordings():
        for text in entry.near_misses:
            if zlib.crc32(text.encode()) % 3:
                continue
            given = knowledge.answer(text, Asker(DAY, entry.plan.place.name))
            asked += 1
            kept += given.article != entry.key
    return {"near_miss.kept_apart": kept / asked}


def place_figures() -> dict[str, float]:
    """Share of sampled phrasings that, asked from another place, get no answer out of the first place's plan."""
    knowledge = base()
    places = sorted({entry.plan.place.name for entry in knowledge.entries if entry.plan.place.name})
    kept = asked = 0
    for number, position in _sampled():
        entry = wordings()[number]
        text = entry.phrasings[position - 1]
        if entry.plan.place.name is None or knowledge.gazetteer.mentions(normalise(text)):
            continue
        elsewhere = places[zlib.crc32(text.encode()) % len(places)]
        if knowledge.locate(elsewhere).bond(entry.plan) is not Bond.FOREIGN:
            continue
        given = knowledge.answer(text, Asker(DAY, elsewhere))
        asked += 1
        kept += given.article is None or not given.article.startswith(f"{entry.plan.id}/")
    return {"place.kept_apart": kept / asked}


GROUPS = {
    "dev": lambda: bank_figures("dev"),
    "second": lambda: bank_figures("second"),
    "noise": noise_figures,
    "own_phrasing": own_phrasing_figures,
    "near_miss": near_miss_figures,
    "place": place_figures,
}


def main() -> None:
    """Print every figure beside its floor."""
    floors: dict[str, float] = json.loads(FLOORS.read_text(encoding="utf-8")) if FLOORS.exists() else {}
    figures = {name: value for group in GROUPS.values() for name, value in group().items()}
    for name, value in figures.items():
        sys.stdout.write(f"{name:28s} {value:.4f}   floor {floors.get(name, 0):.4f}\n")
    if "--write" in sys.argv:
        rounded = {name: int(value * 10_000) / 10_000 for name, value in figures.items()}
        FLOORS.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
