"""Meanings of words as numbers: a lookup table made offline (`knowledge.build_vectors`); no model runs here."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources

import numpy as np
from numpy.typing import NDArray

CHARACTER_SHARE = 0.4
"""Weight of a character against a word: characters carry what the dictionary does not know."""


class WordVectors:
    """Word → unit vector of 64 numbers."""

    def __init__(self, words: Iterable[str], vectors: NDArray[np.int8]) -> None:
        self._rows = {word: row for row, word in enumerate(words)}
        self._vectors = vectors
        self.dimensions = int(vectors.shape[1])

    @classmethod
    def load(cls) -> WordVectors:
        """The shipped table."""
        with (resources.files("knowledge") / "lexicon" / "vectors.npz").open("rb") as file, np.load(file) as table:
            return cls(table["words"].tobytes().decode().split("\n"), table["vectors"])

    def vector(self, word: str) -> NDArray[np.float32] | None:
        """The vector of one word (length 127), `None` if it is not in the table."""
        row = self._rows.get(word)
        return None if row is None else self._vectors[row].astype(np.float32)

    def sense(self, weighted: Iterable[tuple[str, float]]) -> NDArray[np.float32]:
        """Unit vector of a text given as (word, weight); zero where no word is known."""
        known = [(self._rows[word], weight) for word, weight in weighted if word in self._rows]
        if not known:
            return np.zeros(self.dimensions, dtype=np.float32)
        rows = self._vectors[[row for row, _ in known]].astype(np.float32)
        total = np.asarray([weight for _, weight in known], dtype=np.float32) @ rows
        return (total / (float(np.linalg.norm(total)) + 1e-9)).astype(np.float32)
