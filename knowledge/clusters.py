"""Questions that mean about the same, put together, so that a person can write one entry for many askers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from knowledge.base import KnowledgeBase

ALIKE = 0.72
"""Cosine of meanings from which a question joins a cluster."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Wordings of one matter, the most asked first; how often in all; the question nearest to it in the knowledge."""

    texts: tuple[str, ...]
    times: int
    nearest: str | None


def cluster(asked: Iterable[tuple[str, int]], base: KnowledgeBase) -> list[Cluster]:
    """Clusters of (text in matching form, times asked), the most asked first.

    Each text joins the cluster whose first wording it is most alike, else begins one; the most asked come first, so
    that the common wordings are the ones others gather round.
    """
    leaders: list[np.ndarray[tuple[int], np.dtype[np.float32]]] = []
    members: list[list[tuple[str, int]]] = []
    for text, times in sorted(asked, key=lambda item: (-item[1], item[0])):
        sense = base.ranker.index.query(text).sense
        likeness = np.array([float(leader @ sense) for leader in leaders])
        if likeness.size and likeness.max() >= ALIKE:
            members[int(likeness.argmax())].append((text, times))
        else:
            leaders.append(sense)
            members.append([(text, times)])
    clusters = [_cluster(found, base) for found in members]
    return sorted(clusters, key=lambda one: (-one.times, one.texts))


def _cluster(found: list[tuple[str, int]], base: KnowledgeBase) -> Cluster:
    nearest = base.nearest(found[0][0])
    return Cluster(
        texts=tuple(text for text, _ in found),
        times=sum(times for _, times in found),
        nearest=nearest.question if nearest is not None else None,
    )
