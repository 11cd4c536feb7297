from __future__ import annotations

import json
from pathlib import Path

import pytest

from knowledge.answer import Answer, Outcome
from knowledge.evaluation import Question, evaluate, judge, read_bank


def question(
    *, all_of: tuple[tuple[str, ...], ...] = (), none_of: tuple[str, ...] = (), abstain: bool = False
) -> Question:
    return Question("1", "问", None, None, "fact", all_of, none_of, abstain)


def test_one_alternative_of_every_list_is_needed() -> None:
    asked = question(all_of=(("300元", "三百"), ("免",)))
    assert judge(asked, "每学期300元，困难家庭免交。", Outcome.ANSWERED) is None
    assert judge(asked, "每学期300元。", Outcome.ANSWERED) is not None


def test_range_words_and_marks_do_not_matter() -> None:
    assert judge(question(all_of=(("7月15日-21日",),)), "７月15日至21日", Outcome.ANSWERED) is None


def test_a_forbidden_figure_fails_the_reply() -> None:
    assert judge(question(none_of=("150元",)), "大概150元", Outcome.ANSWERED) is not None


def test_to_abstain_is_to_decline_to_say_so_and_to_name_somebody() -> None:
    asked = question(abstain=True)
    assert judge(asked, "方案没有写，请问班主任。", Outcome.DECLINED) is None
    assert judge(asked, "方案没有写，请问班主任。", Outcome.ANSWERED) is not None
    assert judge(asked, "每学期300元，请问班主任。", Outcome.DECLINED) is not None


def test_what_wechat_would_cut_is_not_read() -> None:
    assert judge(question(all_of=(("300元",),)), "啊" * 700 + "300元", Outcome.ANSWERED) is not None


def test_rates_by_kind(tmp_path: Path) -> None:
    path = tmp_path / "bank.jsonl"
    items = [
        {"id": "a", "q": "甲", "kind": "fact", "expect": {"all_of": [["是"]]}},
        {"id": "b", "q": "乙", "kind": "fact", "expect": {"all_of": [["否"]]}},
        {"id": "c", "q": "丙", "kind": "out_of_scope", "expect": {"abstain": True}},
    ]
    path.write_text("\n".join(json.dumps(item, ensure_ascii=False) for item in items), encoding="utf-8")
    report = evaluate(
        read_bank(path), lambda item: Answer(Outcome.DECLINED, "没有写，是否请问老师" if item.id != "b" else "没有")
    )
    summary = report.summary()
    assert summary["by_kind"] == {"fact": [1, 2], "out_of_scope": [1, 1]}
    assert (summary["answerable"], summary["unanswerable"], summary["false_declines"]) == (0.5, 1.0, 0.5)


def test_a_line_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bank.jsonl"
    path.write_text('{"id": "a"}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"bank\.jsonl:1"):
        read_bank(path)
