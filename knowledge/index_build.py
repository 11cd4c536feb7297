"""Builds the arrays of an index from the texts of the entries: the slow part of a load, done once for each version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.rows import Floats, RowBuilder, Rows, Vocabulary, token_state
from knowledge.tokens import CONCEPT_MARK, WORD_MARK, tokens
from knowledge.vectors import WordVectors, sense_share
from knowledge.words import Lexicon

BODY = 0.45
"""Weight of a token found only in the answer, title or topics against one found in a phrasing."""

SENSE_CHUNK = 2_000
"""Rows whose meanings are added up at a time; bounds the memory a build needs."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The texts of one entry in matching form: how it is asked, what must not hit it, and everything else it says."""

    phrasings: tuple[str, ...]
    near_misses: tuple[str, ...]
    body: str


class IndexBuilder:
    """Takes the texts entry by entry; `state` gives the arrays by name."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._vectors = WordVectors.load()
        self._vocabulary = Vocabulary()
        self._concepts = {name: number for number, name in enumerate(lexicon.concept_names)}
        self._shares: list[NDArray[np.float16]] = []
        self._said: list[NDArray[np.bool_]] = []
        self._phrasings, self._misses, self._bodies = RowBuilder(), RowBuilder(), RowBuilder()

    def add(self, item: Prepared) -> None:
        """The texts of the next entry."""
        asked: Counter[str] = Counter()
        answered: Counter[str] = Counter()
        self._phrasings.add([self._row(text, asked) for text in item.phrasings])
        self._misses.add([self._row(text, Counter()) for text in item.near_misses])
        self._bodies.add([self._row(item.body, answered, sounds=False)])
        self._shares.append((self._concept_row(asked) / len(item.phrasings)).astype(np.float16))
        self._said.append(self._concept_row(answered) > 0)

    def state(self) -> dict[str, NDArray[Any]]:
        """The arrays of the index over everything added."""
        size, width = len(self._shares), len(self._concepts)
        phrasings, misses, bodies = self._phrasings.build(), self._misses.build(), self._bodies.build()
        postings = _postings(phrasings, bodies, len(self._vocabulary))
        frequency = np.diff(postings["posting_pointers"])
        idf: Floats = np.log1p((size - frequency + 0.5) / (frequency + 0.5)).astype(np.float32)
        values = idf * np.frombuffer(self._vocabulary.kinds, dtype=np.float32)
        for rows in (phrasings, misses, bodies):
            rows.weigh(values)
        return {
            "concept_share": np.array(self._shares, dtype=np.float16).reshape(size, width),
            "concept_said": np.array(self._said, dtype=np.bool_).reshape(size, width),
            **phrasings.state("phrasings"),
            **misses.state("misses"),
            **bodies.state("bodies"),
            **token_state(self._vocabulary),
            **postings,
            "idf": idf,
            "senses": self._senses(phrasings, idf),
        }

    def _row(self, text: str, concepts: Counter[str], *, sounds: bool = True) -> list[int]:
        weights = tokens(text, self._lexicon, sounds=sounds)
        concepts.update(token[1:] for token in weights if token[0] == CONCEPT_MARK)
        return self._vocabulary.row(weights)

    def _concept_row(self, counts: Counter[str]) -> NDArray[np.float64]:
        row = np.zeros(len(self._concepts))
        for name, count in counts.items():
            row[self._concepts[name]] = count
        return row

    def _senses(self, rows: Rows, idf: Floats) -> NDArray[np.float16]:
        vectors, shares = self._vocabulary_vectors()
        weights = idf * shares
        result = np.zeros((rows.count, self._vectors.dimensions), dtype=np.float16)
        for start in range(0, rows.count, SENSE_CHUNK):
            end = min(rows.count, start + SENSE_CHUNK)
            ids = rows.tokens[rows.pointers[start] : rows.pointers[end]]
            owners = np.repeat(np.arange(end - start), np.diff(rows.pointers[start : end + 1]))
            kept = weights[ids] > 0
            ids, owners = ids[kept], owners[kept]
            sums = np.zeros((end - start, self._vectors.dimensions), dtype=np.float32)
            np.add.at(sums, owners, vectors[ids] * weights[ids][:, None])
            result[start:end] = sums / (np.linalg.norm(sums, axis=1, keepdims=True) + 1e-9)
        return result

    def _vocabulary_vectors(self) -> tuple[Floats, Floats]:
        """(Vector of every token, zero without one; its share in a text's meaning)."""
        vectors = np.zeros((len(self._vocabulary), self._vectors.dimensions), dtype=np.float32)
        shares = np.zeros(len(self._vocabulary), dtype=np.float32)
        for token, number in self._vocabulary.ids.items():
            share = sense_share(token, self._lexicon)
            vector = self._vectors.vector(token.removeprefix(WORD_MARK)) if share else None
            if vector is not None:
                vectors[number], shares[number] = vector, share
        return vectors, shares


def build_index(prepared: Iterable[Prepared], lexicon: Lexicon) -> dict[str, NDArray[Any]]:
    """The arrays of an index over `prepared`."""
    builder = IndexBuilder(lexicon)
    for item in prepared:
        builder.add(item)
    return builder.state()


def _postings(phrasings: Rows, bodies: Rows, width: int) -> dict[str, NDArray[Any]]:
    asked, counts = phrasings.pairs(width)
    said, _ = bodies.pairs(width)
    only_said = np.setdiff1d(said, asked, assume_unique=True)
    pairs = np.concatenate([asked, only_said])
    strengths = np.concatenate([1.0 + 0.35 * np.log(counts), np.full(only_said.size, BODY)])
    tokens_of = pairs % width
    order = np.argsort(tokens_of, kind="stable")
    frequency = np.bincount(tokens_of, minlength=width)
    return {
        "posting_entries": (pairs // width)[order].astype(np.int32),
        "posting_strengths": strengths[order].astype(np.float32),
        "posting_pointers": np.concatenate([[0], np.cumsum(frequency)]).astype(np.int64),
    }
