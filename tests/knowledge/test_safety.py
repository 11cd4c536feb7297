"""A child in danger is recognised before everything else; a question about the rules is not taken for it.

The sentences stand in the tables beside this file: told danger (`safety_told`, a fifth of it kept aside while the
patterns were made; `safety_unseen`, written afterwards), policy questions that share words with it (`safety_asked`),
messages of every day (`safety_daily`), and questions near to the other alarms (`safety_refused`).
"""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from knowledge.loader import CONTENT, load
from knowledge.safety import DANGER, Alarm, Guard
from knowledge.texts import ALARMS
from knowledge.words import LexiconFault

HERE = Path(__file__).parent
CURATED_DANGER = 0.001
"""Share of curated phrasings that may tell of danger themselves, such as 孙女被人欺负又没爹妈在."""


def table(name: str) -> list[list[str]]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def told(name: str) -> dict[Alarm, list[str]]:
    found: dict[Alarm, list[str]] = {}
    for kind, sentences in table(name):
        found.setdefault(Alarm(kind), []).extend(sentences.split("|"))
    return found


def sentences(name: str) -> list[str]:
    return [sentence for (cell,) in table(name) for sentence in cell.split("|")]


def recognised(guard: Guard, wanted: Alarm, sentence: str) -> bool:
    alarm = guard.alarm(sentence)
    return alarm in DANGER if wanted in DANGER else alarm is wanted


@pytest.fixture(scope="module")
def guard() -> Guard:
    return Guard.load()


def test_the_tables_are_large_enough_to_say_something() -> None:
    by_kind = told("safety_told.tsv")
    assert all(len(by_kind[kind]) >= 30 for kind in DANGER)
    assert len(sentences("safety_asked.tsv")) >= 200
    assert len(set(sentences("safety_asked.tsv"))) == len(sentences("safety_asked.tsv"))


@pytest.mark.parametrize("kind", sorted(told("safety_told.tsv")))
def test_told_danger_and_refused_requests_are_recognised(guard: Guard, kind: Alarm) -> None:
    cases = told("safety_told.tsv")[kind]
    tuned = [case for number, case in enumerate(cases) if number % 5 != 4]
    aside = cases[4::5]
    missed = [case for case in tuned if not recognised(guard, kind, case)]
    assert len(missed) <= 0.03 * len(tuned), missed
    missed = [case for case in aside if not recognised(guard, kind, case)]
    assert len(missed) <= 0.1 * len(aside), missed


def test_the_reply_fits_the_kind_of_danger(guard: Guard) -> None:
    cases = [(kind, case) for kind, group in told("safety_told.tsv").items() if kind in DANGER for case in group]
    wrong = [(kind, case) for kind, case in cases if guard.alarm(case) is not kind]
    assert len(wrong) <= 0.05 * len(cases), wrong


def test_danger_told_in_other_words_is_recognised(guard: Guard) -> None:
    cases = [case for group in told("safety_unseen.tsv").values() for case in group]
    missed = [case for case in cases if guard.danger(case) is None]
    assert len(missed) <= 0.05 * len(cases), missed


@pytest.mark.parametrize("name", ["safety_asked.tsv", "safety_daily.tsv"])
def test_questions_about_rules_and_daily_matters_raise_no_danger(guard: Guard, name: str) -> None:
    cases = sentences(name)
    false = [(case, found) for case in cases if (found := guard.danger(case))]
    assert len(false) <= 0.01 * len(cases), false


def test_questions_near_to_the_other_alarms_raise_none(guard: Guard) -> None:
    assert [(case, found) for case in sentences("safety_refused.tsv") if (found := guard.alarm(case))] == []


def test_curated_questions_reach_the_knowledge(guard: Guard) -> None:
    curated = {text for entry in load([CONTENT]) for text in (entry.question, *entry.phrasings)}
    false = sorted((found, text) for text in curated if (found := guard.alarm(text)))
    assert len(false) <= CURATED_DANGER * len(curated), false


@pytest.mark.parametrize(
    ("text", "alarm"),
    [
        ("我 不 想 活 了", Alarm.SELF_HARM),
        ("我不想活了😭😭", Alarm.SELF_HARM),
        ("老師我不想活了", Alarm.SELF_HARM),
        ("我不想活了，学校有没有心理健康教育制度", Alarm.SELF_HARM),
        ("孩子不見了!!!", Alarm.MISSING),
        ("你好 请问 我儿被同学打了怎么办 谢谢", Alarm.BULLYING),
    ],
)
def test_script_spaces_emoji_and_policy_words_do_not_hide_danger(guard: Guard, text: str, alarm: Alarm) -> None:
    assert guard.alarm(text) is alarm


@pytest.mark.parametrize("text", ["", "   ", "😀", "?", "啊" * 3000, "<打>…&", "打" * 200])
def test_odd_messages_raise_nothing_and_do_not_break(guard: Guard, text: str) -> None:
    assert guard.alarm(text) is None


def test_a_finding_names_the_row_and_the_words(guard: Guard) -> None:
    found = guard.find("几个大娃天天堵我儿子要钱")
    assert found is not None
    assert found.alarm is Alarm.BULLYING
    assert found.reason.startswith("safety.tsv:")
    assert found.words
    assert found.words in "几个大娃天天堵我儿子要钱"


def test_gaps_alternatives_sets_both_and_excuses_mean_what_the_table_says() -> None:
    rows = [["<孩子>", "娃 伢"], ["bullying", "堵|围…<孩子>", "演练"], ["missing", "<孩子>&不见"]]
    guard = Guard.of(enumerate(rows, 1))
    assert guard.alarm("有人围着我娃") is Alarm.BULLYING
    assert guard.alarm("围着" + "很" * 9 + "娃") is None
    assert guard.alarm("演练时围着娃") is None
    assert guard.alarm("不见了我家伢") is Alarm.MISSING
    assert guard.alarm("书包不见了") is None


@pytest.mark.parametrize(
    ("row", "names"),
    [
        (["fire", "着火"], "fire"),
        (["medical", "(晕"], "subpattern"),
        (["medical", "<没有这组>晕"], "没有这组"),
        (["medical"], "index"),
    ],
)
def test_a_bad_row_is_named_with_its_line(row: list[str], names: str) -> None:
    with pytest.raises(LexiconFault, match=re.compile(rf"safety\.tsv:7: .*{names}", re.DOTALL)):
        Guard.of([(7, row)])


@pytest.mark.parametrize("alarm", sorted(ALARMS))
def test_replies_are_short_and_name_a_person(alarm: Alarm) -> None:
    text = ALARMS[alarm]
    assert len(text) <= 160
    assert "人工" in text
    assert re.search("老师|班主任|校长", text)


@pytest.mark.parametrize("alarm", sorted(DANGER))
def test_a_danger_reply_begins_with_the_number_to_call(alarm: Alarm) -> None:
    number = "120" if alarm is Alarm.MEDICAL else "110"
    assert number in ALARMS[alarm].split("\n")[0]


def test_every_alarm_has_a_reply() -> None:
    assert set(ALARMS) == set(Alarm)


def test_a_message_is_judged_fast_enough_to_judge_every_message(guard: Guard) -> None:
    cases = sentences("safety_asked.tsv") + sentences("safety_daily.tsv")
    best = min(_seconds(guard, cases) for _ in range(5)) / len(cases)
    assert best < 400e-6  # about 40 µs on an idle machine; the bound only catches a pattern that runs away


def _seconds(guard: Guard, cases: list[str]) -> float:
    start = time.process_time()
    for case in cases:
        guard.alarm(case)
    return time.process_time() - start
