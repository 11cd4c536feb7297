"""Immutable inverted index over entries, and the exact similarities of a few candidates.

Two steps, so that the cost of a question does not grow with the number of entries: rare tokens first, within a budget
of postings, give a short list; only that list is compared phrasing by phrasing. Nothing is changed after construction,
so readers need no lock and a reload swaps the whole object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.rows import Floats, Ints, Rows, Selection, TokenIds, spread
from knowledge.tokens import WORD_MARK, tokens
from knowledge.vectors import WordVectors, sense_share
from knowledge.words import Lexicon

POSTINGS_BUDGET = 30_000
"""Postings read for the short list of one question; the commonest tokens, which tell least, are left out beyond it."""

FAINT = 0.4
"""Weight of the words of a name."""

RANK_SHARE = 2.0
"""Weight of meaning against the rank of common words when a short list is cut shorter."""

UNKNOWN = 0.8
"""Weight of a token that no entry holds, against the rarest that one does."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question in the terms of one index: token ids known to it, their weights, and the mass of all its tokens."""

    ids: Ints
    weights: Floats
    mass: float
    norm: float
    sense: Floats
    """Meaning of the whole, a unit vector."""


@dataclass(frozen=True, slots=True)
class Similarity:
    """Similarities of the candidates to a question, one value a candidate, all 0 to 1."""

    phrasing: Floats
    """Cosine to the nearest phrasing."""
    second: Floats
    """Mean cosine to the nearest three phrasings."""
    covered: Floats
    """Share of the question's mass that the entry's phrasings hold together."""
    covered_any: Floats
    """The same, answer, title and topics included."""
    near_miss: Floats
    """Cosine to the nearest near-miss, 0 without one."""
    sense: Floats
    """Cosine of meanings to the nearest phrasing."""
    sense_second: Floats
    """Mean cosine of meanings to the nearest three phrasings."""


State = dict[str, NDArray[np.generic]]
"""An index as named arrays: what a snapshot file holds."""


class Index:
    """The index of one snapshot, over the arrays that `knowledge.index_build` makes.

    `concept_share[e, c]` is the share of entry e's phrasings that speak of concept c of `concept_numbers`;
    `concept_said[e, c]` tells whether its answer does.
    """

    def __init__(self, state: Mapping[str, NDArray[Any]], lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._vectors = WordVectors.load()
        self.concept_numbers = {name: number for number, name in enumerate(lexicon.concept_names)}
        self.concept_share: NDArray[np.float16] = state["concept_share"]
        self.concept_said: NDArray[np.bool_] = state["concept_said"]
        self.size = len(self.concept_share)
        self._phrasings, self._misses, self._bodies = (
            Rows.of_state(state, name) for name in ("phrasings", "misses", "bodies")
        )
        self._tokens = TokenIds(state["token_prints"], state["token_order"])
        self._posting_entries: Ints = state["posting_entries"]
        self._posting_strengths: Floats = state["posting_strengths"]
        self._posting_pointers: NDArray[np.int64] = state["posting_pointers"]
        self._frequency: NDArray[np.int64] = np.diff(self._posting_pointers)
        self._idf: Floats = state["idf"]
        self._senses: NDArray[np.float16] = state["senses"]

    # -- asking -----------------------------------------------------------------------------------------------------

    def query(self, text: str, names: Iterable[str] = ()) -> Query:
        """`text` (matching form) in the terms of this index. Unknown tokens count in the mass as the rarest do.

        `names` in the text count faintly: a school's name tells which school, not what is asked about it.
        """
        named = self._named_tokens(text, names)
        ids = self._tokens.find(named)
        kinds = np.fromiter(named.values(), dtype=np.float32, count=len(named))
        known = ids >= 0
        rarest = float(np.log1p(self.size + 0.5)) * UNKNOWN
        unknown = kinds[~known] * rarest
        weights: Floats = self._idf[ids[known]] * kinds[known]
        norm = float(np.sqrt(np.sum(weights**2) + np.sum(unknown**2)))
        rarities = np.where(known, self._idf[ids], rarest)
        return Query(
            ids[known],
            weights,
            float(weights.sum() + unknown.sum()),
            max(norm, 1e-6),
            self._sense(named, rarities.tolist()),
        )

    def _sense(self, named: Iterable[str], rarities: Iterable[float]) -> Floats:
        weighted = []
        for token, rarity in zip(named, rarities, strict=True):
            share = sense_share(token, self._lexicon)
            if share:
                weighted.append((token.removeprefix(WORD_MARK), share * rarity))
        return self._vectors.sense(weighted)

    def _named_tokens(self, text: str, names: Iterable[str]) -> dict[str, float]:
        rest = text
        for name in names:
            rest = rest.replace(name, " ")
        weights = tokens(rest, self._lexicon)
        if rest != text:
            for token, kind in tokens(text, self._lexicon).items():
                weights.setdefault(token, kind * FAINT)
        return weights

    def scores(self, query: Query) -> NDArray[np.float64]:
        """A rough score of every entry: the mass of the question's rarer tokens that it holds."""
        if query.ids.size == 0:
            return np.zeros(self.size)
        order = np.argsort(self._frequency[query.ids], kind="stable")
        within = np.cumsum(self._frequency[query.ids][order]) <= POSTINGS_BUDGET
        within[:4] = True
        chosen = order[within]
        return self._accumulate(query.ids[chosen], query.weights[chosen])

    def best(self, scores: NDArray[np.float64], allowed: NDArray[np.bool_], limit: int) -> Ints:
        """Up to `limit` of the `allowed` entries with the highest scores above zero, best first."""
        found = np.flatnonzero(allowed & (scores > 0))
        if found.size > limit:
            found = found[np.argpartition(-scores[found], limit - 1)[:limit]]
        return found[np.argsort(-scores[found], kind="stable")].astype(np.int32)

    def nearest(self, query: Query, candidates: Ints, limit: int, *, without: tuple[int, int] | None = None) -> Ints:
        """The `limit` candidates nearest in meaning and order of the short list: the exact comparison costs most."""
        if candidates.size <= limit:
            return candidates
        own = Selection(self._phrasings, candidates)
        meanings = self._senses[own.rows].astype(np.float32) @ query.sense
        if without is not None:
            meanings[(candidates[own.local] == without[0]) & (own.offset == without[1])] = 0
        nearest = own.padded(meanings).max(axis=1)
        kept = np.argsort(np.arange(candidates.size) / candidates.size - RANK_SHARE * nearest, kind="stable")[:limit]
        return candidates[np.sort(kept)]

    def _accumulate(self, ids: Ints, weights: Floats) -> NDArray[np.float64]:
        starts, ends = self._posting_pointers[ids], self._posting_pointers[ids + 1]
        spans = [slice(a, b) for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
        entries = np.concatenate([self._posting_entries[span] for span in spans])
        strengths = np.concatenate([self._posting_strengths[span] for span in spans])
        mass = strengths * np.repeat(weights, ends - starts)
        return np.bincount(entries, weights=mass, minlength=self.size).astype(np.float64)

    def compare(self, query: Query, candidates: Ints, *, without: tuple[int, int] | None = None) -> Similarity:
        """Exact similarities of `candidates`. `without` = (entry, phrasing) leaves one phrasing of one entry out."""
        lookup = np.full(self._tokens.size, -1, dtype=np.int32)
        lookup[query.ids] = np.arange(query.ids.size)
        own = Selection(self._phrasings, candidates)
        hidden = None
        if without is not None:
            hidden = (candidates[own.local] == without[0]) & (own.offset == without[1])
        cosines, held = self._cosines(self._phrasings, own, query, lookup, hidden)
        misses, _ = self._cosines(self._misses, Selection(self._misses, candidates), query, lookup, None)
        _, body = self._cosines(self._bodies, Selection(self._bodies, candidates), query, lookup, None)
        meanings = self._senses[own.rows].astype(np.float32) @ query.sense
        if hidden is not None:
            meanings[hidden] = 0
        nearest, senses = -np.sort(-cosines, axis=1), -np.sort(-own.padded(meanings), axis=1)
        return Similarity(
            phrasing=nearest[:, 0],
            second=nearest[:, :3].mean(axis=1),
            covered=(held @ query.weights) / max(query.mass, 1e-6),
            covered_any=((held | body) @ query.weights) / max(query.mass, 1e-6),
            near_miss=misses.max(axis=1),
            sense=senses[:, 0],
            sense_second=senses[:, :3].mean(axis=1),
        )

    def _cosines(
        self, rows: Rows, chosen: Selection, query: Query, lookup: Ints, hidden: NDArray[np.bool_] | None
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """(Cosine of every chosen row, zero-padded by entry; which query tokens each entry's rows hold)."""
        held = np.zeros((chosen.shape[0], query.ids.size), dtype=bool)
        spans = rows.pointers[chosen.rows + 1] - rows.pointers[chosen.rows]
        token_row = np.repeat(np.arange(chosen.rows.size), spans)
        positions = lookup[rows.tokens[np.repeat(rows.pointers[chosen.rows], spans) + spread(spans)]]
        kept = positions >= 0
        if hidden is not None:
            kept &= ~hidden[token_row]
        token_row, positions = token_row[kept], positions[kept]
        dots = np.bincount(token_row, weights=query.weights[positions] ** 2, minlength=chosen.rows.size)
        held[chosen.local[token_row], positions] = True
        return chosen.padded(dots / (rows.norms[chosen.rows] * query.norm)), held
