"""The words of a notice: labels, days, contradictions, and how they go to a phone."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock import SHANGHAI
from bot.delivery.pushes import Slot
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.calendar.domain import Facts, SchoolCalendar, Term, YearTable
from handlers.notices import texts
from handlers.notices.domain import Confirmation, NoticeContent, Question, QuestionKind, Target, overlaps
from handlers.notices.service.content import Other, contradictions, day_findings, days_in, labels_in, notes_on
from handlers.notices.service.wording import MOST_BYTES, Words, composed, moment

TODAY = date(2026, 9, 7)
GUARDIANS = frozenset({AudienceRole.GUARDIANS})
CALENDAR = SchoolCalendar(Facts(terms=(Term(date(2026, 9, 1), date(2027, 1, 20), "秋季学期"),)))


def content(text: str = "请带跳绳。", title: str = "通知", **values: object) -> NoticeContent:
    target = Target(Audience(roles=GUARDIANS, township_id="t"))
    return NoticeContent(title=title, text=text, target=target, **values)  # type: ignore[arg-type]


def codes(text: str, calendar: SchoolCalendar | None = CALENDAR) -> list[str]:
    return [finding.code for finding in day_findings(text, TODAY, calendar)]


@pytest.mark.parametrize(
    "text",
    [
        "留守儿童家长请来", "贫困学生名单", "建档立卡户来领钱", "低保家庭", "残疾学生", "减免学费的同学", "单亲家庭",
        "留-守儿童", "留 守 儿童", "学困生留下", "身份证110101201705060011", "孤儿补助", "受助学生",
    ],
)  # fmt: skip
def test_a_label_blocks_and_says_how_to_put_it(text: str) -> None:
    found = labels_in(content(text))
    assert found
    assert all(each.is_block and "请" in each.message for each in found)
    assert labels_in(content(title=text))


@pytest.mark.parametrize(
    "text", ["明天带跳绳", "请家长9月8日来开会", "符合条件的家庭可以申请，请私下联系班主任", "免费体检，请空腹"]
)
def test_ordinary_words_pass(text: str) -> None:
    assert labels_in(content(text)) == []


def test_a_label_is_found_in_a_question_too() -> None:
    question = Question("q", QuestionKind.CHOICE, "您家是", ("低保户", "不是"))
    assert labels_in(content(confirmation=Confirmation.FORM, questions=(question,)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("9月8日（星期二）开会", []),
        ("9月8日（星期三）开会", ["wrong_weekday"]),
        ("9月8日周三开会", ["wrong_weekday"]),
        ("9月31日交", ["no_such_day"]),
        ("2026年2月29日交", ["no_such_day"]),
        ("9月1日交", ["past"]),
        ("9月12日上课", ["no_lessons"]),
        ("9月12日放假，9月14日上课", []),
        ("9月14日放假", ["has_lessons"]),
        ("9月14日不上课", ["has_lessons"]),
        ("明天上课", []),
        ("3月5日开学", []),
        ("2027年1月15日上课", ["provisional"]),
        ("气温10.5度，三(2)班带2.5元", []),
    ],
)
def test_days_that_cannot_be_are_pointed_out(text: str, found: list[str]) -> None:
    calendar = SchoolCalendar(Facts(terms=CALENDAR.terms, years={2026: _table()}))
    assert codes(text, calendar) == found


def _table() -> YearTable:
    return YearTable(2026, "某通知", (), ())


def test_without_terms_nothing_is_said_of_lessons() -> None:
    assert codes("9月12日上课", SchoolCalendar(Facts())) == []
    assert codes("9月12日上课", None) == []


def test_words_like_tomorrow_get_their_day() -> None:
    assert notes_on("明天带跳绳，下周一交", TODAY) == [
        "文中的“明天”是9月8日（星期二）。",
        "文中的“下周一”是9月14日（星期一）。",
    ]
    assert notes_on("9月8日带跳绳", TODAY) == []


def test_a_day_without_a_year_is_the_nearest_to_come() -> None:
    assert [said.day for said in days_in("1月8日和8月30日", TODAY)] == [date(2027, 1, 8), date(2026, 8, 30)]


def test_another_day_or_another_sum_for_the_same_matter() -> None:
    other = Other(3, "秋游", "9月20日秋游，每人30元。", TODAY)
    (day,) = contradictions("秋游", "9月21日秋游，每人30元。", TODAY, [other])
    assert (day.code, day.is_block) == ("other_date", False)
    (fee,) = contradictions("秋游", "9月20日秋游，每人35.50元。", TODAY, [other])
    assert "30元" in fee.message
    assert "35.5元" in fee.message
    assert contradictions("体检", "9月21日体检。", TODAY, [other]) == []
    assert contradictions("秋游", "9月20日秋游，每人30元。", TODAY, [other]) == []


def test_audiences_that_share_nobody_do_not_contradict() -> None:
    town = Audience(roles=GUARDIANS, township_id="t")
    a, b = (Audience(roles=GUARDIANS, township_id="t", classes=frozenset({own})) for own in "ab")
    school = Audience(roles=GUARDIANS, township_id="t", schools=frozenset({"s"}))
    low = Audience(roles=GUARDIANS, township_id="t", grades=(1, 2))
    high = Audience(roles=GUARDIANS, township_id="t", grades=(3, 6))
    home = {"a": "s", "b": "r"}
    assert overlaps(town, a, home)
    assert overlaps(school, a, home)
    assert not overlaps(school, b, home)
    assert not overlaps(a, b, home)
    assert not overlaps(low, high, home)


# ------------------------------------------------------------------------------------------------------------- a push
def words(**values: object) -> Words:
    given: dict[str, object] = {
        "number": 12, "kind": "first", "title": "家长会", "text": "请来开会。", "sender": "三年级2班",
        "written_on": TODAY, "confirmation": Confirmation.BUTTON, **values,
    }  # fmt: skip
    return Words(**given)  # type: ignore[arg-type]


@given(st.text(min_size=1, max_size=500), st.lists(st.text(min_size=1, max_size=12), max_size=6))
def test_a_push_always_fits(text: str, children: list[str]) -> None:
    said = composed(words(text=text, children=children, address="https://xiangxiao.example.cn/n/" + "x" * 32))
    assert len(said.text.encode()) <= MOST_BYTES + 48


def test_a_long_text_is_cut_and_says_where_the_rest_is() -> None:
    said = composed(words(text="长" * 700, address="https://a.cn/n/x"))
    assert "回复“我的通知 12”" in said.text
    assert len(said.text.encode()) <= MOST_BYTES


def test_a_push_says_who_what_when_and_the_next_step() -> None:
    deadline = datetime(2026, 9, 10, 10, 0, tzinfo=UTC)
    said = composed(words(children=("林小禾", "林小田"), deadline=deadline, path="/n/x"))
    for part in ("三年级2班", "家长会", "林小禾、林小田", "9月10日（星期四）下午6点", "收到 12"):
        assert part in said.text
    assert said.line == "三年级2班：家长会（9月10日（星期四）下午6点前回复）"
    assert said.slots[Slot.WHEN] == deadline
    assert said.path == "/n/x"


def test_a_short_notice_is_not_said_twice() -> None:
    assert composed(words(title="带跳绳", text="带跳绳")).text.count("带跳绳") == 1


def test_every_label_has_a_reason_and_a_way_to_put_it() -> None:
    assert all(what and how for _, what, how in texts.LABELS)


@pytest.mark.parametrize(
    ("hour", "minute", "said"),
    [
        (0, 5, "凌晨0点5分"),
        (7, 0, "早上7点"),
        (9, 30, "上午9点30分"),
        (12, 0, "中午12点"),
        (13, 0, "下午1点"),
        (18, 0, "下午6点"),
        (19, 45, "晚上7点45分"),
    ],
)
def test_a_moment_is_said_as_people_say_it(hour: int, minute: int, said: str) -> None:
    assert moment(datetime(2026, 9, 10, hour, minute, tzinfo=SHANGHAI)) == f"9月10日（星期四）{said}"
