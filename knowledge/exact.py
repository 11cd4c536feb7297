"""The exact path: questions that are word for word a curated phrasing."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.index_build import Prepared
from knowledge.rows import fingerprints


class ExactBuilder:
    """Collects the phrasings of the entries."""

    def __init__(self) -> None:
        self._prints: list[NDArray[np.int64]] = []
        self._owners = array("i")

    def add(self, number: int, text: Prepared) -> None:
        """The phrasings of entry `number`."""
        distinct = dict.fromkeys(text.phrasings)
        self._prints.append(fingerprints(distinct))
        self._owners.extend([number] * len(distinct))

    def state(self) -> dict[str, NDArray[Any]]:
        """The arrays of `ExactPaths`."""
        prints = np.concatenate(self._prints) if self._prints else np.zeros(0, dtype=np.int64)
        order = np.argsort(prints, kind="stable")
        return {"exact_prints": prints[order], "exact_entries": np.array(self._owners, dtype=np.int32)[order]}


class ExactPaths:
    """Phrasing in matching form → numbers of the entries that have it."""

    def __init__(self, state: Mapping[str, NDArray[Any]]) -> None:
        self._prints: NDArray[np.int64] = state["exact_prints"]
        self._entries: NDArray[np.int32] = state["exact_entries"]

    def find(self, text: str) -> list[int]:
        """Numbers of the entries with the phrasing `text`."""
        wanted = fingerprints([text])[0]
        first, last = np.searchsorted(self._prints, wanted), np.searchsorted(self._prints, wanted, side="right")
        found: list[int] = self._entries[first:last].tolist()
        return found
