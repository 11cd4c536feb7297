"""The exact path: questions that are word for word a curated phrasing."""

from __future__ import annotations

from array import array

import numpy as np

from knowledge.index import Prepared


class ExactPaths:
    """Phrasing in matching form → numbers of the entries that have it, by hash: the texts would cost ten times more."""

    def __init__(self) -> None:
        self._seen = array("q")
        self._owners = array("i")
        self._hashes = np.zeros(0, dtype=np.int64)
        self._entries = np.zeros(0, dtype=np.int32)

    def add(self, number: int, text: Prepared) -> None:
        """The phrasings of entry `number`."""
        for phrasing in dict.fromkeys(text.phrasings):
            self._seen.append(hash(phrasing))
            self._owners.append(number)

    def finish(self) -> None:
        """Sorts what was added; `find` works from here on."""
        hashes = np.array(self._seen, dtype=np.int64)
        order = np.argsort(hashes, kind="stable")
        self._hashes, self._entries = hashes[order], np.array(self._owners, dtype=np.int32)[order]
        self._seen, self._owners = array("q"), array("i")

    def find(self, text: str) -> list[int]:
        """Numbers of the entries with the phrasing `text`."""
        first, last = np.searchsorted(self._hashes, hash(text)), np.searchsorted(self._hashes, hash(text), side="right")
        found: list[int] = self._entries[first:last].tolist()
        return found
