"""Immutable inverted index over entries, and the exact similarities of a few candidates.

Two steps, so that the cost of a question does not grow with the number of entries: rare tokens first, within a budget of
postings, give a short list; only that list is compared phrasing by phrasing. Arrays are numpy CSR; nothing is changed
after construction, so readers need no lock and a reload swaps the whole object.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.entry import Entry
from knowledge.normalise import normalise
from knowledge.tokenizer import grams
from knowledge.vectors import CHARACTER_SHARE, WordVectors
from knowledge.words import Lexicon

POSTINGS_BUDGET = 30_000
"""Postings read for the short list of one question; the commonest tokens, which tell least, are left out beyond it."""

WORD, BIGRAM, CHARACTER, SOUND, CONCEPT = 1.0, 0.55, 0.22, 0.22, 1.3
"""Weight of a token by its kind, times its idf."""

FAINT = 0.4
"""Weight of the words of a name."""

BODY = 0.45
"""Weight of a token found only in the answer, title or topics against one found in a phrasing."""

_MARKED = frozenset("=_~#")
"""First characters of the tokens that are not plain characters."""

_Ints = NDArray[np.int32]
_Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Distinct tokens of a text and the weight of their kind."""

    weights: dict[str, float]


def tokens(text: str, lexicon: Lexicon) -> Tokens:
    """Words, bigrams, characters, sound bigrams and concepts of `text` (matching form)."""
    weights: dict[str, float] = {}
    bigrams, characters = grams(text)
    for character in characters:
        weights[character] = CHARACTER * (0.3 if character in lexicon.stop_characters else 1.0)
    for bigram in bigrams:
        weights["~" + " ".join(lexicon.sound(bigram))] = SOUND
        weights["_" + bigram] = BIGRAM
    for word in lexicon.tokenizer.words(text):
        weights["=" + word] = WORD
    for concept in lexicon.concepts_in(text):
        weights["#" + concept] = CONCEPT
    return Tokens(weights)


@dataclass(frozen=True, slots=True)
class Query:
    """A question in the terms of one index: token ids known to it, their weights, and the mass of all its tokens."""

    ids: _Ints
    weights: _Floats
    mass: float
    norm: float
    sense: _Floats
    """Meaning of the whole, a unit vector."""


@dataclass(frozen=True, slots=True)
class Similarity:
    """Similarities of the candidates to a question, one value a candidate, all 0 to 1."""

    phrasing: _Floats
    """Cosine to the nearest phrasing."""
    second: _Floats
    """Mean cosine to the nearest three phrasings."""
    covered: _Floats
    """Share of the question's mass that the entry's phrasings hold together."""
    covered_any: _Floats
    """The same, answer, title and topics included."""
    near_miss: _Floats
    """Cosine to the nearest near-miss, 0 without one."""
    sense: _Floats
    """Cosine of meanings to the nearest phrasing."""
    sense_second: _Floats
    """Mean cosine of meanings to the nearest three phrasings."""


class _Rows:
    """CSR rows of token ids, grouped by entry."""

    def __init__(self, rows: Sequence[Iterable[int]], owners: Sequence[int], entries: int, masses: _Floats) -> None:
        lengths = np.array([len(list(row)) for row in rows], dtype=np.int64)
        self.pointers = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        self.ids: _Ints = np.fromiter((i for row in rows for i in row), dtype=np.int32, count=int(lengths.sum()))
        self.norms = masses
        counts = (
            np.bincount(np.asarray(owners, dtype=np.int64), minlength=entries) if len(owners) else np.zeros(entries)
        )
        self.of_entry = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


class Index:
    """The index of one snapshot."""

    def __init__(self, entries: Sequence[Entry], lexicon: Lexicon) -> None:
        self.size = len(entries)
        self._lexicon = lexicon
        self._vectors = WordVectors.load()
        self._vocabulary: dict[str, int] = {}
        self._kinds: list[float] = []
        phrasing_rows, phrasing_owners = self._rows([(e.question, *e.phrasings) for e in entries])
        miss_rows, miss_owners = self._rows([e.near_misses for e in entries])
        body_rows, body_owners = self._rows([(_body(e),) for e in entries])
        self._idf = self._idfs(phrasing_rows, phrasing_owners, body_rows)
        self._value: _Floats = self._idf * np.asarray(self._kinds, dtype=np.float32)
        self._phrasings = self._pack(phrasing_rows, phrasing_owners)
        self._misses = self._pack(miss_rows, miss_owners)
        self._bodies = self._pack(body_rows, body_owners)
        self._build_postings(phrasing_rows, phrasing_owners, body_rows)
        self._senses = self._sense_rows([(e.question, *e.phrasings) for e in entries])

    # -- building ---------------------------------------------------------------------------------------------------

    def _rows(self, groups: Iterable[Iterable[str]]) -> tuple[list[list[int]], list[int]]:
        rows: list[list[int]] = []
        owners: list[int] = []
        for owner, texts in enumerate(groups):
            for text in texts:
                rows.append([self._token_id(*item) for item in tokens(normalise(text), self._lexicon).weights.items()])
                owners.append(owner)
        return rows, owners

    def _sense_rows(self, groups: Iterable[Iterable[str]]) -> NDArray[np.float16]:
        senses = [self._sense(tokens(normalise(text), self._lexicon).weights) for texts in groups for text in texts]
        return np.asarray(senses, dtype=np.float16)

    def _sense(self, weights: Mapping[str, float]) -> _Floats:
        return self._vectors.sense(
            (token.removeprefix("="), self._rarity(token) * (1.0 if token[0] == "=" else CHARACTER_SHARE))
            for token in weights
            if token[0] == "=" or (token[0] not in _MARKED and token not in self._lexicon.stop_characters)
        )

    def _rarity(self, token: str) -> float:
        found = self._vocabulary.get(token)
        return float(self._idf[found]) if found is not None else float(np.log1p(self.size)) * 0.8

    def _token_id(self, token: str, kind: float) -> int:
        found = self._vocabulary.setdefault(token, len(self._kinds))
        if found == len(self._kinds):
            self._kinds.append(kind)
        return found

    def _idfs(self, rows: Sequence[list[int]], owners: Sequence[int], bodies: Sequence[list[int]]) -> _Floats:
        frequency = np.zeros(len(self._kinds), dtype=np.float32)
        seen: list[set[int]] = [set(body) for body in bodies]
        for row, owner in zip(rows, owners, strict=True):
            seen[owner].update(row)
        for ids in seen:
            frequency[list(ids)] += 1
        return np.log1p((self.size - frequency + 0.5) / (frequency + 0.5)).astype(np.float32)

    def _pack(self, rows: Sequence[list[int]], owners: Sequence[int]) -> _Rows:
        norms = np.array([np.sqrt(np.sum(self._value[row] ** 2)) if row else 1.0 for row in rows], dtype=np.float32)
        return _Rows(rows, owners, self.size, np.maximum(norms, 1e-6))

    def _build_postings(self, rows: Sequence[list[int]], owners: Sequence[int], bodies: Sequence[list[int]]) -> None:
        counts: list[Counter[int]] = [Counter() for _ in range(self.size)]
        for row, owner in zip(rows, owners, strict=True):
            counts[owner].update(row)
        token_ids: list[int] = []
        entry_ids: list[int] = []
        strengths: list[float] = []
        for entry, (counter, body) in enumerate(zip(counts, bodies, strict=True)):
            for token in set(body) - counter.keys():
                counter[token] = 0
            for token, count in counter.items():
                token_ids.append(token)
                entry_ids.append(entry)
                strengths.append(BODY if count == 0 else 1.0 + 0.35 * float(np.log(count)))
        order = np.argsort(np.asarray(token_ids, dtype=np.int64), kind="stable")
        self._posting_entries: _Ints = np.asarray(entry_ids, dtype=np.int32)[order]
        self._posting_strengths: _Floats = np.asarray(strengths, dtype=np.float32)[order]
        frequency = np.bincount(np.asarray(token_ids, dtype=np.int64), minlength=len(self._kinds))
        self._posting_pointers = np.concatenate([[0], np.cumsum(frequency)]).astype(np.int64)
        self._frequency = frequency.astype(np.int64)

    # -- asking -----------------------------------------------------------------------------------------------------

    def query(self, text: str, names: Iterable[str] = ()) -> Query:
        """`text` (matching form) in the terms of this index. Unknown tokens count in the mass as the rarest do.

        `names` in the text count faintly: a school's name tells which school, not what is asked about it.
        """
        ids: list[int] = []
        kinds: list[float] = []
        unknown = 0.0
        unknown_square = 0.0
        rarest = float(np.log1p(self.size + 0.5)) * 0.8
        named = self._named_tokens(text, names)
        for token, kind in named.items():
            found = self._vocabulary.get(token)
            if found is None or self._frequency[found] == 0:
                unknown += kind * rarest
                unknown_square += (kind * rarest) ** 2
            else:
                ids.append(found)
                kinds.append(kind)
        array: _Ints = np.asarray(ids, dtype=np.int32)
        weights: _Floats = self._idf[array] * np.asarray(kinds, dtype=np.float32)
        norm = float(np.sqrt(np.sum(weights**2) + unknown_square))
        return Query(array, weights, float(weights.sum()) + unknown, max(norm, 1e-6), self._sense(named))

    def _named_tokens(self, text: str, names: Iterable[str]) -> dict[str, float]:
        rest = text
        for name in names:
            rest = rest.replace(name, " ")
        weights = tokens(rest, self._lexicon).weights
        if rest != text:
            for token, kind in tokens(text, self._lexicon).weights.items():
                weights.setdefault(token, kind * FAINT)
        return weights

    def candidates(self, query: Query, allowed: NDArray[np.bool_] | None, limit: int) -> _Ints:
        """Up to `limit` entries most worth comparing, best first; `allowed` masks entries out before the cut."""
        if query.ids.size == 0:
            return np.zeros(0, dtype=np.int32)
        order = np.argsort(self._frequency[query.ids], kind="stable")
        within = np.cumsum(self._frequency[query.ids][order]) <= POSTINGS_BUDGET
        within[:4] = True
        chosen = order[within]
        scores = self._accumulate(query.ids[chosen], query.weights[chosen])
        if allowed is not None:
            scores = np.where(allowed, scores, 0)
        best = (
            np.argpartition(-scores, min(limit, self.size) - 1)[:limit] if self.size > limit else np.arange(self.size)
        )
        best = best[scores[best] > 0]
        return best[np.argsort(-scores[best], kind="stable")].astype(np.int32)

    def _accumulate(self, ids: _Ints, weights: _Floats) -> NDArray[np.float64]:
        starts, ends = self._posting_pointers[ids], self._posting_pointers[ids + 1]
        spans = [slice(a, b) for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
        entries = np.concatenate([self._posting_entries[span] for span in spans])
        strengths = np.concatenate([self._posting_strengths[span] for span in spans])
        mass = strengths * np.repeat(weights, ends - starts)
        return np.bincount(entries, weights=mass, minlength=self.size).astype(np.float64)

    def compare(self, query: Query, candidates: _Ints, *, without: tuple[int, int] | None = None) -> Similarity:
        """Exact similarities of `candidates`. `without` = (entry, phrasing) leaves one phrasing of one entry out."""
        lookup = np.full(len(self._kinds), -1, dtype=np.int32)
        lookup[query.ids] = np.arange(query.ids.size)
        cosines, held = self._cosines(self._phrasings, query, candidates, lookup, without)
        misses, _ = self._cosines(self._misses, query, candidates, lookup, None)
        _, body = self._cosines(self._bodies, query, candidates, lookup, None)
        ordered = -np.sort(-cosines, axis=1)
        meanings = -np.sort(-self._meanings(query, candidates, without), axis=1)
        return Similarity(
            phrasing=ordered[:, 0],
            second=ordered[:, :3].mean(axis=1),
            covered=(held @ query.weights) / max(query.mass, 1e-6),
            covered_any=((held | body) @ query.weights) / max(query.mass, 1e-6),
            near_miss=misses.max(axis=1),
            sense=meanings[:, 0],
            sense_second=meanings[:, :3].mean(axis=1),
        )

    def _meanings(self, query: Query, candidates: _Ints, without: tuple[int, int] | None) -> _Floats:
        """Cosine of meanings to every phrasing of every candidate, padded with zeros."""
        first, last = self._phrasings.of_entry[candidates], self._phrasings.of_entry[candidates + 1]
        widths = last - first
        offsets = np.arange(int(widths.sum())) - np.repeat(np.cumsum(widths) - widths, widths)
        local = np.repeat(np.arange(candidates.size), widths)
        found = self._senses[np.repeat(first, widths) + offsets].astype(np.float32) @ query.sense
        if without is not None:
            found[(candidates[local] == without[0]) & (offsets == without[1])] = 0
        padded = np.zeros((candidates.size, max(3, int(widths.max(initial=0)))), dtype=np.float32)
        padded[local, offsets] = found
        return padded

    def _cosines(
        self, rows: _Rows, query: Query, candidates: _Ints, lookup: _Ints, without: tuple[int, int] | None
    ) -> tuple[_Floats, NDArray[np.bool_]]:
        """(Cosine of every row of every candidate, zero-padded; which query tokens each candidate's rows hold)."""
        first, last = rows.of_entry[candidates], rows.of_entry[candidates + 1]
        widths = last - first
        local = np.repeat(np.arange(candidates.size), widths)
        offsets = np.arange(int(widths.sum())) - np.repeat(np.cumsum(widths) - widths, widths)
        row_ids = np.repeat(first, widths) + offsets
        cosines = np.zeros((candidates.size, max(3, int(widths.max(initial=0)))), dtype=np.float32)
        held = np.zeros((candidates.size, query.ids.size), dtype=bool)
        if row_ids.size == 0:
            return cosines, held
        spans = rows.pointers[row_ids + 1] - rows.pointers[row_ids]
        token_row = np.repeat(np.arange(row_ids.size), spans)
        inner = np.arange(int(spans.sum())) - np.repeat(np.cumsum(spans) - spans, spans)
        positions = lookup[rows.ids[np.repeat(rows.pointers[row_ids], spans) + inner]]
        keep = positions >= 0
        if without is not None:
            dropped = np.flatnonzero((candidates[local] == without[0]) & (offsets == without[1]))
            keep &= ~np.isin(token_row, dropped)
        token_row, positions = token_row[keep], positions[keep]
        dots = np.bincount(token_row, weights=query.weights[positions] ** 2, minlength=row_ids.size)
        cosines[local, offsets] = dots / (rows.norms[row_ids] * query.norm)
        held[local[token_row], positions] = True
        return cosines, held


def _body(entry: Entry) -> str:
    facts = " ".join(f"{fact.label} {fact.value}" for fact in entry.facts)
    return f"{entry.answer} {' '.join(entry.topics)} {facts} {entry.plan.short_title}"
