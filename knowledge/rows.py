"""Rows of token ids, grouped by entry, as flat arrays (CSR): how an index keeps thousands of short texts."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

PAIR_CHUNK = 64
"""Entries whose tokens are counted at a time."""

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]


class Vocabulary:
    """Token → id, in order of first sight, with the weight of the token's kind."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}
        self.kinds = array("f")

    def __len__(self) -> int:
        return len(self.kinds)

    def row(self, weights: dict[str, float]) -> list[int]:
        """Ids of the tokens, new ones added."""
        ids, kinds = self.ids, self.kinds
        row = []
        for token, kind in weights.items():
            found = ids.get(token)
            if found is None:
                found = ids[token] = len(kinds)
                kinds.append(kind)
            row.append(found)
        return row


def fingerprints(texts: Iterable[str]) -> NDArray[np.int64]:
    """64 bits for each text, the same in every process: what stands for a text where texts would cost too much."""
    return np.frombuffer(b"".join(blake2b(text.encode(), digest_size=8).digest() for text in texts), dtype=np.int64)


def token_state(vocabulary: Vocabulary) -> dict[str, NDArray[Any]]:
    """The arrays of `TokenIds` for a finished vocabulary."""
    prints = fingerprints(vocabulary.ids)
    order = np.argsort(prints, kind="stable").astype(np.int32)
    return {"token_prints": prints[order], "token_order": order}


class TokenIds:
    """Token → id by a sorted array of fingerprints, a tenth of a dictionary's memory."""

    def __init__(self, prints: NDArray[np.int64], order: Ints) -> None:
        self._prints = prints
        self._order = order
        self.size = len(order)

    def find(self, tokens: Iterable[str]) -> Ints:
        """The id of every token, -1 for one that no entry holds."""
        wanted = fingerprints(tokens)
        if not wanted.size or not self.size:
            return np.full(wanted.size, -1, dtype=np.int32)
        places = np.minimum(np.searchsorted(self._prints, wanted), self.size - 1)
        return np.where(self._prints[places] == wanted, self._order[places], np.int32(-1)).astype(np.int32)


class RowBuilder:
    """Collects rows entry by entry."""

    def __init__(self) -> None:
        self._tokens = array("i")
        self._lengths = array("i")
        self._counts = array("i")

    def add(self, rows: Iterable[list[int]]) -> None:
        """The rows of the next entry."""
        count = 0
        for row in rows:
            self._tokens.extend(row)
            self._lengths.append(len(row))
            count += 1
        self._counts.append(count)

    def build(self) -> Rows:
        """The rows as arrays."""
        return Rows(
            np.frombuffer(self._tokens, dtype=np.int32) if self._tokens else np.zeros(0, dtype=np.int32),
            _pointers(self._lengths),
            _pointers(self._counts),
        )


def _pointers(lengths: array[int]) -> NDArray[np.int64]:
    sizes = np.frombuffer(lengths, dtype=np.int32) if lengths else np.zeros(0, dtype=np.int32)
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)


class Rows:
    """`tokens[pointers[r]:pointers[r + 1]]` is row r; rows `of_entry[e]` to `of_entry[e + 1]` are entry e's."""

    def __init__(self, tokens: Ints, pointers: NDArray[np.int64], of_entry: NDArray[np.int64]) -> None:
        self.tokens = tokens
        self.pointers = pointers
        self.of_entry = of_entry
        self.norms: Floats = np.ones(self.count, dtype=np.float32)

    @classmethod
    def of_state(cls, state: Mapping[str, NDArray[Any]], name: str) -> Rows:
        """The rows that `state(name)` gave."""
        rows = cls(*(state[f"{name}_{part}"] for part in ("tokens", "pointers", "of_entry")))
        rows.norms = state[f"{name}_norms"]
        return rows

    def state(self, name: str) -> dict[str, NDArray[Any]]:
        """The rows as arrays named after `name`."""
        return {
            f"{name}_tokens": self.tokens,
            f"{name}_pointers": self.pointers,
            f"{name}_of_entry": self.of_entry,
            f"{name}_norms": self.norms,
        }

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.pointers) - 1

    def weigh(self, values: Floats) -> None:
        """Sets each row's norm: the root of the sum of its tokens' squared `values`."""
        sums = np.concatenate([[0.0], np.cumsum(values[self.tokens] ** 2, dtype=np.float64)])
        squares = sums[self.pointers[1:]] - sums[self.pointers[:-1]]
        self.norms = np.sqrt(np.maximum(squares, 1e-12)).astype(np.float32)

    def pairs(self, width: int) -> tuple[NDArray[np.int64], Floats]:
        """(Distinct entry * `width` + token in order, in how many of the entry's rows each stands).

        Some entries at a time: the sort of all at once would need several times the memory of the rows themselves.
        """
        found, counts = [], []
        entries = len(self.of_entry) - 1
        for first in range(0, entries, PAIR_CHUNK):
            last = min(entries, first + PAIR_CHUNK)
            bounds = self.pointers[self.of_entry[first : last + 1]]
            owners = np.repeat(np.arange(first, last, dtype=np.int64), np.diff(bounds))
            distinct, count = np.unique(owners * width + self.tokens[bounds[0] : bounds[-1]], return_counts=True)
            found.append(distinct)
            counts.append(count.astype(np.float32))
        return np.concatenate(found), np.concatenate(counts)


class Selection:
    """The rows of a few entries, side by side: `local` entry, `offset` within it, and `rows` ids, one a row."""

    def __init__(self, rows: Rows, entries: Ints) -> None:
        first, last = rows.of_entry[entries], rows.of_entry[entries + 1]
        widths = last - first
        self.local = np.repeat(np.arange(entries.size), widths)
        self.offset = spread(widths)
        self.rows = np.repeat(first, widths) + self.offset
        self.shape = (entries.size, max(3, int(widths.max(initial=0))))

    def padded(self, values: NDArray[np.float32] | NDArray[np.float64]) -> Floats:
        """One value a row as a table, entry by row, padded with zeros."""
        table = np.zeros(self.shape, dtype=np.float32)
        table[self.local, self.offset] = values
        return table


def spread(widths: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1, … width-1 for every width, one after another."""
    return np.arange(int(widths.sum())) - np.repeat(np.cumsum(widths) - widths, widths)
