"""Build tool: bends `lexicon/vectors.npz` towards this content, so that phrasings of one entry lie close.

Words near in general speech are not always near here (留校 is after-school care). Pairs of phrasings of the same entry
are drawn together and those of others, neighbours of the same plan above all, pushed apart; words may drop out, and
every vector is held near where it was, so that words the content never uses keep their meaning. Phrasings in
`knowledge.training.held_out` are never shown, so that the ranker is fitted on what these vectors have not seen.

    pip install torch && python -m knowledge.build_vectors && python -m knowledge.train_vectors
"""

from __future__ import annotations

import random
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from knowledge.entry import Entry
from knowledge.frame import Framer
from knowledge.loader import load, shipped_folders
from knowledge.places import Gazetteer
from knowledge.ranking import prepared
from knowledge.tokens import WORD_MARK, tokens
from knowledge.training import held_out
from knowledge.vectors import TABLE, WordVectors, sense_share, write_table
from knowledge.words import Lexicon

STEPS = 600
RATE, GATE_RATE, MIX_RATE = 3e-3, 1e-2, 1e-3
DROPPED = 0.2
"""Share of words hidden from each phrasing at each step."""

HELD = 0.05
"""How strongly a vector is held where it was."""

WARMTH = 0.08
"""Temperature of the softmax over the batch."""

NEIGHBOURS, STRANGERS = 64, 128


@dataclass(frozen=True, slots=True)
class Phrase:
    """One phrasing as (rows of the table, weights), and whose it is."""

    entry: int
    rows: list[int]
    weights: list[float]
    held: bool


class Bender:
    """The table as parameters: a vector and a gate for each word, and one mixing matrix for all."""

    def __init__(self, vectors: WordVectors) -> None:
        self.first = torch.tensor(vectors.table())
        self.vectors = torch.nn.Parameter(self.first.clone())
        self.gates = torch.nn.Parameter(torch.zeros(len(self.first)))
        self.mix = torch.nn.Parameter(torch.eye(self.first.shape[1]))

    def encode(self, phrases: Sequence[Phrase], dropped: float = 0.0) -> torch.Tensor:
        """Unit vectors of the phrases."""
        rows = torch.tensor([row for phrase in phrases for row in phrase.rows])
        weights = torch.tensor([weight for phrase in phrases for weight in phrase.weights])
        starts = torch.tensor(np.cumsum([0] + [len(phrase.rows) for phrase in phrases[:-1]]))
        if dropped:
            weights = weights * (torch.rand(len(weights)) > dropped)
        sums = torch.nn.functional.embedding_bag(
            rows, self.vectors, starts, mode="sum", per_sample_weights=weights * torch.exp(self.gates[rows])
        )
        return torch.nn.functional.normalize(sums @ self.mix, dim=1)

    def loss(self, ones: Sequence[Phrase], others: Sequence[Phrase]) -> torch.Tensor:
        """How far phrase i of `ones` is from preferring phrase i of `others`, and how far the table has moved."""
        likeness = self.encode(ones, DROPPED) @ self.encode(others, DROPPED).T / WARMTH
        right = torch.arange(len(ones))
        both = torch.nn.functional.cross_entropy(likeness, right) + torch.nn.functional.cross_entropy(likeness.T, right)
        used = torch.unique(torch.tensor([row for phrase in (*ones, *others) for row in phrase.rows]))
        moved = ((self.vectors[used] - self.first[used]) ** 2).sum(1).mean()
        return both / 2 + HELD * moved

    def table(self) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        """The vectors with gates and mixing folded in."""
        with torch.no_grad():
            folded: torch.Tensor = (self.vectors * torch.exp(self.gates)[:, None]) @ self.mix
        return np.asarray(folded.numpy(), dtype=np.float32)


def phrases_of(entries: Sequence[Entry], lexicon: Lexicon, vectors: WordVectors) -> list[Phrase]:
    """Every phrasing with a known word, weighted as the index weighs it."""
    texts = [(number, text) for number, entry in enumerate(entries) for text in prepared(entry).phrasings]
    cut = [[token for token in tokens(text, lexicon, sounds=False) if sense_share(token, lexicon)] for _, text in texts]
    holders: defaultdict[str, set[int]] = defaultdict(set)
    for (number, _), found in zip(texts, cut, strict=True):
        for token in found:
            holders[token].add(number)
    size = len(entries)
    idf = {token: float(np.log1p((size - len(who) + 0.5) / (len(who) + 0.5))) for token, who in holders.items()}
    result = []
    for (number, text), found in zip(texts, cut, strict=True):
        known = [
            (vectors.row(token.removeprefix(WORD_MARK)), idf[token] * sense_share(token, lexicon)) for token in found
        ]
        rows = [(row, weight) for row, weight in known if row is not None]
        if rows:
            result.append(Phrase(number, [row for row, _ in rows], [weight for _, weight in rows], held_out(text)))
    return result


def train(entries: Sequence[Entry], phrases: Sequence[Phrase], bender: Bender) -> None:
    """Bend the table."""
    chance = random.Random(0)  # noqa: S311 - the same batches every time
    torch.manual_seed(0)
    shown: defaultdict[int, list[Phrase]] = defaultdict(list)
    for phrase in phrases:
        if not phrase.held:
            shown[phrase.entry].append(phrase)
    askable = [number for number, found in shown.items() if len(found) > 1]
    by_plan: defaultdict[str, list[int]] = defaultdict(list)
    for number in askable:
        by_plan[entries[number].plan.id].append(number)
    plans = list(by_plan.values())
    rates = [(bender.vectors, RATE), (bender.gates, GATE_RATE), (bender.mix, MIX_RATE)]
    steps = torch.optim.Adam([{"params": [parameter], "lr": rate} for parameter, rate in rates])
    for step in range(1, STEPS + 1):
        plan = chance.choices(plans, weights=[len(plan) for plan in plans])[0]
        batch = chance.sample(plan, min(NEIGHBOURS, len(plan))) + chance.sample(askable, STRANGERS)
        pairs = [chance.sample(shown[number], 2) for number in dict.fromkeys(batch)]
        loss = bender.loss([one for one, _ in pairs], [other for _, other in pairs])
        steps.zero_grad()
        loss.backward()
        steps.step()
        if step % 100 == 0:
            sys.stdout.write(f"step {step}: loss {float(loss.detach()):.3f}\n")


def main() -> None:
    """Bend the shipped table and write it back."""
    entries = load(shipped_folders())
    gazetteer = Gazetteer({entry.plan.id: entry.plan for entry in entries}.values())
    framer = Framer(Lexicon(gazetteer.names), gazetteer)
    vectors = WordVectors.load()
    bender = Bender(vectors)
    train(entries, phrases_of(entries, framer.lexicon, vectors), bender)
    write_table(TABLE, vectors.words, bender.table())


if __name__ == "__main__":
    main()
