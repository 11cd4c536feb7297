"""What a rehearsal looks like on paper."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.rehearsal.lines import Line, Part
from bot.rehearsal.sheet import each_in_words, moment_on_paper, rule_in_words, summary

TOLD = Line(
    "2026-09-14T18:00:00+08:00",
    "knowledge.3",
    "reminder:knowledge",
    "p",
    None,
    "plan/one@2026#0|3",
    "template",
    "sent",
    "字" * 60,
    (Part("knowledge.3", "reminder:knowledge", "plan/one@2026#0|3"),),
    "王芳（中心小学三年级1班王子涵的妈妈）",
)
CALLED = replace(TOLD, recipient="q", channel="by_hand", status="unreachable", whom="李秀英（中心小学李明的奶奶）")


@pytest.mark.parametrize(
    ("rule", "reason", "words"),
    [
        ("knowledge.3", "reminder:knowledge", "政策里的日期（提前3个上课日）"),
        ("knowledge.eve", "reminder:knowledge", "政策里的日期（前一天，假期后）"),
        ("knowledge.correction", "reminder:knowledge", "政策里的日期（日期更正）"),
        ("own.0", "reminder:own", "本人设的提醒（当天）"),
        ("class.1", "reminder:class", "老师设的班级提醒（提前1个上课日）"),
        ("monthly_report", "duties:late", "给中心学校的每月书面报告（超期提醒）"),
        ("own", "duties:escalated", "乡镇自定的规定（超期未办，报上一级）"),
        ("notice.again", "notice:0b1c", "通知：再发给没确认的人"),
        ("reminder_letter", "reminder_letter", "本人设的提醒"),
        # Of a capability that has no words here: what it calls itself.
        ("visit.2", "reminder:visit", "reminder:visit（提前2个上课日）"),
        ("new", "new", "new"),
    ],
)
def test_rules_are_told_in_words(rule: str, reason: str, words: str) -> None:
    assert rule_in_words(Part(rule, reason, "o")) == words


def test_a_moment_tells_how_many_which_way_and_by_name_who_is_not_reached() -> None:
    said = list(moment_on_paper([TOLD, replace(TOLD, recipient="r"), CALLED]))
    assert said == [
        "9月14日（周一）18:00",
        "  政策里的日期（提前3个上课日）：模板消息 2 人、送不到，要打电话或发纸条 1 人",
        f"    例如“{'字' * 48}…”",
        "    送不到，要打电话或发纸条：李秀英（中心小学李明的奶奶）",
    ]


def test_many_who_are_not_reached_are_counted_after_the_first_ten() -> None:
    many = [replace(CALLED, recipient=str(number), whom=f"家长{number}") for number in range(12)]
    said = list(moment_on_paper(many))[-1]
    assert said.endswith("家长9 等 12 人")
    assert "家长10" not in said


def test_what_travels_together_names_every_rule() -> None:
    both = replace(TOLD, parts=(*TOLD.parts, *TOLD.parts, Part("class.1", "reminder:class", "c|1")))
    assert (
        "合成一条：政策里的日期（提前3个上课日）、老师设的班级提醒（提前1个上课日）："
        in list(moment_on_paper([both]))[1]
    )


def test_one_message_on_one_line() -> None:
    said = each_in_words(CALLED)
    for must in ("9月14日（周一）18:00", "李秀英", "送不到，要打电话", "…"):
        assert must in said
    assert "公众号里的关注者" in each_in_words(replace(TOLD, whom=""))


def test_the_end_says_how_many_and_that_nothing_was_sent() -> None:
    assert "没有要发的" in summary({})
    said = summary({"sent": 3, "unreachable": 1}, 1)
    for must in ("共 4 条", "会送到 3 条", "1 条", "什么也没有改", "送不到的共 1 人", "--each"):
        assert must in said
