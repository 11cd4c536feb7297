from __future__ import annotations

from knowledge.clusters import cluster
from knowledge.normalise import normalise
from tests.knowledge.content import small_base


def test_wordings_of_one_matter_come_together_and_the_most_asked_first() -> None:
    asked = [("校车几点到村口", 2), ("校车几点来村口", 1), ("食堂一顿饭多少钱", 4), ("校车几点到我们村", 1)]
    clusters = cluster([(normalise(text), times) for text, times in asked], small_base())
    assert [(one.times, len(one.texts)) for one in clusters] == [(4, 3), (4, 1)]
    assert clusters[0].texts[0] == normalise("校车几点到村口")


def test_no_question_no_cluster() -> None:
    assert cluster([], small_base()) == []
