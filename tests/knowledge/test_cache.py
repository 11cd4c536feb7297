from __future__ import annotations

from datetime import date
from pathlib import Path

from knowledge.base import KnowledgeBase
from knowledge.cache import AnswerCache
from knowledge.frame import Asker
from tests.knowledge import content
from tests.knowledge.content import small_base

TODAY = date(2026, 11, 21)


def test_the_same_question_in_another_form_is_a_hit() -> None:
    cache = AnswerCache(small_base())
    first = cache.answer("晚托多少钱？", Asker(TODAY))
    assert cache.answer("晚託 多少錢", Asker(TODAY)) is first
    assert (cache.hits, cache.misses) == (1, 1)


def test_place_and_day_part_answers() -> None:
    cache = AnswerCache(small_base())
    here = cache.answer("一个班最多多少人", Asker(TODAY, "柳溪镇"))
    there = cache.answer("一个班最多多少人", Asker(TODAY, "鹤山镇"))
    assert here.text != there.text
    cache.answer("一个班最多多少人", Asker(date(2026, 11, 22), "鹤山镇"))
    assert cache.hits == 0


def test_a_follow_up_is_never_remembered() -> None:
    cache = AnswerCache(small_base())
    cache.answer("那初中呢", Asker(TODAY, "柳溪镇"), last_question="小学报名是几号")
    assert len(cache) == 0


def test_the_oldest_answer_goes_when_the_cache_is_full() -> None:
    cache = AnswerCache(small_base(), capacity=2)
    for question in ("晚托多少钱", "晚托到几点", "一年级有作业吗"):
        cache.answer(question, Asker(TODAY))
    assert len(cache) == 2
    cache.answer("晚托多少钱", Asker(TODAY))
    assert cache.hits == 0


def test_new_knowledge_empties_the_cache(tmp_path: Path) -> None:
    cache = AnswerCache(small_base())
    cache.answer("晚托多少钱", Asker(TODAY))
    changed = content.CARE.replace("300元", "320元")
    cache.replace(KnowledgeBase.load([content.write(tmp_path, {"care.yaml": changed})]))
    assert "320元" in cache.answer("晚托多少钱", Asker(TODAY)).text
