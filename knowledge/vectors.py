"""Meanings of words as numbers: a lookup table made offline (`knowledge.build_vectors`); no model runs here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.tokens import WORD_MARK, is_character
from knowledge.words import Lexicon

TABLE = Path(__file__).parent / "lexicon" / "vectors.npz"

CHARACTER_SHARE = 0.4
"""Weight of a character against a word: characters carry what the dictionary does not know."""

Floats = NDArray[np.float32]


def write_table(path: Path, words: Sequence[str], vectors: Floats) -> None:
    """Write `vectors`, one row a word, as directions of 8 bits and a length each."""
    lengths = np.linalg.norm(vectors, axis=1) + 1e-9
    directions = np.round(vectors / lengths[:, None] * 127).astype(np.int8)
    np.savez_compressed(
        path,
        words=np.frombuffer("\n".join(words).encode(), dtype=np.uint8),
        directions=directions,
        lengths=lengths.astype(np.float16),
    )


class WordVectors:
    """Word → vector of 64 numbers; its length is the word's weight in a text."""

    def __init__(self, words: Sequence[str], directions: NDArray[np.int8], lengths: NDArray[np.float16]) -> None:
        self._rows = {word: row for row, word in enumerate(words)}
        self._directions = directions
        self._lengths = lengths.astype(np.float32) / 127
        self.dimensions = int(directions.shape[1])

    @classmethod
    def load(cls, path: Path = TABLE) -> WordVectors:
        """The table in `path`, by default the shipped one."""
        with np.load(path) as table:
            return cls(table["words"].tobytes().decode().split("\n"), table["directions"], table["lengths"])

    @property
    def words(self) -> list[str]:
        """The words, in the order of the rows."""
        return list(self._rows)

    def table(self) -> Floats:
        """All vectors, one row a word."""
        return self._scaled(np.arange(len(self._rows)))

    def row(self, word: str) -> int | None:
        """The row of `word`, `None` if it is not in the table."""
        return self._rows.get(word)

    def vector(self, word: str) -> Floats | None:
        """The vector of one word, `None` if it is not in the table."""
        row = self._rows.get(word)
        return None if row is None else self._scaled(np.array([row]))[0]

    def sense(self, weighted: Iterable[tuple[str, float]]) -> Floats:
        """Unit vector of a text given as (word, weight); zero where no word is known."""
        known = [(self._rows[word], weight) for word, weight in weighted if word in self._rows]
        if not known:
            return np.zeros(self.dimensions, dtype=np.float32)
        vectors = self._scaled(np.array([row for row, _ in known]))
        total = np.asarray([weight for _, weight in known], dtype=np.float32) @ vectors
        return (total / (float(np.linalg.norm(total)) + 1e-9)).astype(np.float32)

    def _scaled(self, rows: NDArray[np.int64]) -> Floats:
        return (self._directions[rows] * self._lengths[rows][:, None]).astype(np.float32)


def sense_share(token: str, lexicon: Lexicon) -> float:
    """Weight of a token in a text's meaning: 1 for a word, less for a character, 0 for anything else."""
    if token[0] == WORD_MARK:
        return 1.0
    return CHARACTER_SHARE if is_character(token) and token not in lexicon.stop_characters else 0.0
