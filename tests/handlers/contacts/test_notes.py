"""What teachers type about a contact, short, in one message, and badly."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from bot.clock import SHANGHAI
from handlers.contacts.domain.notes import day_ahead, day_before, follow_up_of, how_of, named, note_of, topics_of
from handlers.contacts.domain.records import ContactOutcome, Met, Topic, Way
from handlers.contacts.domain.reports import moment_of

TUESDAY = date(2026, 9, 8)
CHILDREN = {"a": "李某某", "b": "王小明", "c": "王小", "d": "陈安", "e": "陈安"}
REACHED, FAILED = ContactOutcome.REACHED, ContactOutcome.FAILED
CHILD, CARER, PARENT = Met.CHILD, Met.CARER, Met.PARENT


@pytest.mark.parametrize(
    ("line", "way", "met", "outcome"),
    [
        ("16", Way.VISIT, {CARER}, REACHED),
        ("1 5 6", Way.VISIT, {CHILD, CARER}, REACHED),
        ("1，5，6", Way.VISIT, {CHILD, CARER}, REACHED),
        ("１５６", Way.VISIT, {CHILD, CARER}, REACHED),
        ("651", Way.VISIT, {CHILD, CARER}, REACHED),
        ("27", Way.CALL, {PARENT}, REACHED),
        ("20", Way.CALL, set(), FAILED),
        ("家访见到奶奶", Way.VISIT, {CARER}, REACHED),
        ("去了家里，孩子和爷爷都在", Way.VISIT, {CHILD, CARER}, REACHED),
        ("打电话 爸爸接的", Way.CALL, {PARENT}, REACHED),
        ("打了电话没接", Way.CALL, set(), FAILED),
        ("视频 妈妈", Way.VIDEO, {PARENT}, REACHED),
        ("到校 奶奶", Way.SCHOOL, {CARER}, REACHED),
    ],
)
def test_one_line_says_how_and_whom(line: str, way: Way, met: set[Met], outcome: ContactOutcome) -> None:
    how = how_of(line)
    assert (how.way, how.met, how.outcome) == (way, frozenset(met), outcome)
    assert how.is_whole


@pytest.mark.parametrize("line", ["12", "8", "9", "05", "去了", "好", "1"])
def test_what_cannot_be_is_asked_again(line: str) -> None:
    assert not how_of(line).is_whole


def test_a_way_that_is_known_need_not_be_said() -> None:
    assert how_of("6", Way.CALL).way is Way.CALL
    assert how_of("没接", Way.CALL).outcome is FAILED
    assert how_of("奶奶", Way.VISIT).met == {CARER}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("下周三再去", date(2026, 9, 16)),
        ("周三", date(2026, 9, 9)),
        ("周二再打", date(2026, 9, 15)),
        ("星期天去看看", date(2026, 9, 13)),
        ("下下周一", date(2026, 9, 21)),
        ("明天再打", date(2026, 9, 9)),
        ("大后天", date(2026, 9, 11)),
        ("三天后", date(2026, 9, 11)),
        ("两周后家访", date(2026, 9, 22)),
        ("一个月后", date(2026, 10, 8)),
        ("月底", date(2026, 9, 30)),
        ("9月20日打电话", date(2026, 9, 20)),
        ("9.20打电话", date(2026, 9, 20)),
        ("十二号去", date(2026, 9, 12)),
        ("5号去", date(2026, 10, 5)),
        ("下个月5号", date(2026, 10, 5)),
        ("2026年10月1日", date(2026, 10, 1)),
        ("下周", date(2026, 9, 14)),
        ("再说", None),
        ("9月31日", None),
        ("9月3日再去", None),
    ],
)
def test_a_day_to_come_as_people_write_it(text: str, day: date | None) -> None:
    assert day_ahead(text, TUESDAY) == day


def test_in_december_january_is_to_come() -> None:
    assert day_ahead("1月5日", date(2026, 12, 20)) == date(2027, 1, 5)
    assert day_ahead("一个月后", date(2027, 1, 31)) == date(2027, 2, 28)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("昨天", date(2026, 9, 7)),
        ("前天下午", date(2026, 9, 6)),
        ("上周五", date(2026, 9, 4)),
        ("周一", date(2026, 9, 7)),
        ("9月5日", date(2026, 9, 5)),
        ("12月30日", date(2025, 12, 30)),
        ("昨天家里", None),
        ("明天", None),
    ],
)
def test_a_day_that_has_been(text: str, day: date | None) -> None:
    assert day_before(text, TUESDAY) == day


def test_what_follows_needs_a_day_or_is_nothing() -> None:
    found = follow_up_of("下周三再去看看", TUESDAY)
    assert found is not None
    assert (found.words, found.on) == ("下周三再去看看", date(2026, 9, 16))
    assert follow_up_of("再去看看", TUESDAY) is None
    nothing = follow_up_of("没有。", TUESDAY)
    assert nothing is not None
    assert (nothing.words, nothing.on) == ("", None)


def test_all_in_one_message() -> None:
    said = note_of("李某某 见到奶奶 作业没人管 下周三再去", CHILDREN, TUESDAY, Way.VISIT)
    assert (said.child_id, said.finding) == ("a", "作业没人管")
    assert (said.how.way, said.how.met, said.how.outcome) == (Way.VISIT, frozenset({CARER}), REACHED)
    assert (said.follow_up.words, said.follow_up.on) == ("下周三再去", date(2026, 9, 16))


def test_one_message_with_other_marks_and_order() -> None:
    said = note_of("王小明，昨天，打电话，和爷爷聊了，孩子成绩下降，腰疼。9月20号 打电话", CHILDREN, TUESDAY)
    assert (said.child_id, said.happened_on, said.how.way) == ("b", date(2026, 9, 7), Way.CALL)
    assert said.finding == "孩子成绩下降，腰疼"
    assert (said.follow_up.words, said.follow_up.on) == ("9月20号 打电话", date(2026, 9, 20))


def test_a_weekday_at_the_end_is_to_come_and_one_before_has_been() -> None:
    end = note_of("李某某见到奶奶 家里很乱 周五 再打电话", CHILDREN, TUESDAY, Way.VISIT)
    assert (end.happened_on, end.follow_up.on) == (None, date(2026, 9, 11))
    before = note_of("周五 李某某 见到奶奶 家里很乱", CHILDREN, TUESDAY, Way.VISIT)
    assert (before.happened_on, before.follow_up.on) == (date(2026, 9, 4), None)


def test_a_failed_attempt_in_one_message() -> None:
    said = note_of("王小 打了没接", CHILDREN, TUESDAY, Way.CALL)
    assert (said.child_id, said.how.outcome, said.finding) == ("c", FAILED, "")


def test_whom_nobody_or_several_could_mean_is_asked() -> None:
    assert note_of("张三 见到妈妈 好", CHILDREN, TUESDAY).child_id is None
    assert note_of("陈安 见到妈妈 好", CHILDREN, TUESDAY).child_id is None
    assert note_of("李某某和王小明 都见到了", CHILDREN, TUESDAY).child_id is None
    assert named("王小", CHILDREN) == ["c"]
    assert named("某某", CHILDREN) == ["a"]
    assert list(named("陈安", CHILDREN)) == ["d", "e"]
    assert named("李", CHILDREN) == []


def test_what_was_spoken_of_is_guessed() -> None:
    assert topics_of("作业没人管，奶奶腰疼") == {Topic.STUDY, Topic.LIFE}
    assert topics_of("说了防溺水") == {Topic.SAFETY}
    assert topics_of("想妈妈，哭了") == {Topic.MIND}
    assert topics_of("好") == frozenset()


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("14:20", (8, 14, 20)),
        ("14：20", (8, 14, 20)),
        ("14点20分", (8, 14, 20)),
        ("14点", (8, 14, 0)),
        ("23:30", (7, 23, 30)),
    ],
)
def test_the_time_of_a_call(typed: str, moment: tuple[int, int, int]) -> None:
    now = datetime(2026, 9, 8, 15, tzinfo=SHANGHAI)
    found = moment_of(typed, now)
    assert found is not None
    assert (found.day, found.hour, found.minute) == moment


@pytest.mark.parametrize("typed", ["下午", "25:00", "14:70", "", "刚才"])
def test_what_is_no_time(typed: str) -> None:
    assert moment_of(typed, datetime(2026, 9, 8, 15, tzinfo=SHANGHAI)) is None
