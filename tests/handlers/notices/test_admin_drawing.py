"""What the pages draw and compare: charts with their numbers in words, and the changes of a correction."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from handlers.notices.admin.changes import changes
from handlers.notices.admin.charts import Bar, Part, stacked
from handlers.notices.admin.forms import Form
from handlers.notices.domain import NoticeInvalid
from handlers.notices.service.views import Choices

PARTS = (Part("已回应", "c1"), Part("已通知到", "c2"), Part("没通知到", "c4"))
NO_PLACES = Choices((), (), (), ())


def test_a_chart_says_in_words_what_it_shows() -> None:
    drawn = stacked("rooms", "各班", PARTS, [Bar("三年级<1>班", (3, 5, 2))]).__html__()
    root = ElementTree.fromstring(drawn)  # noqa: S314 - made here
    assert root.attrib["aria-labelledby"] == "rooms-t rooms-d"
    assert root.findtext("desc") == "三年级<1>班：已回应3，已通知到5，没通知到2"
    widths = [float(each.attrib["width"]) for each in root.findall("rect") if each.attrib["height"] == "18"]
    assert widths == pytest.approx([102, 170, 68])
    assert "style=" not in drawn, "the policy of the page lets no style in"


def test_a_class_of_nobody_is_drawn_empty() -> None:
    assert "—" in stacked("rooms", "各班", PARTS, [Bar("一班", (0, 0, 0))]).__html__()


def test_a_long_name_is_shortened_to_its_line() -> None:
    drawn = stacked("rooms", "各班", PARTS, [Bar("很" * 40, (1, 0, 0))]).__html__()
    assert f"{'很' * 15}…" in drawn


def test_only_the_clause_that_changed_is_marked() -> None:
    before, after = "周五下午3点开会，请带笔。", "周五下午4点开会，请带笔。"
    assert changes(before, after) == [("old", "周五下午3点开会，"), ("new", "周五下午4点开会，"), ("same", "请带笔。")]
    assert changes(before, before) == []
    assert "".join(part for kind, part in changes(before, after) if kind != "old") == after


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("deadline", "昨天"),
        ("send_at", "2026-02-30T08:00"),
        ("grade_from", "12"),
        ("confirmation", "maybe"),
        ("who", ""),
        ("remind_hours", "-4"),
        ("remind_times", "²"),
        ("source", "weather|rain"),
    ],
)
def test_what_cannot_be_meant_is_said(field: str, value: str) -> None:
    form = Form.empty(NO_PLACES)
    with pytest.raises(NoticeInvalid):
        Form({**form.fields, field: value}, form.roles).content(NO_PLACES)


def test_a_moment_is_that_of_the_clock_on_the_wall() -> None:
    form = Form.empty(NO_PLACES)
    content = Form({**form.fields, "deadline": "2026-09-10T18:00"}, form.roles).content(NO_PLACES)
    assert content.deadline is not None
    assert content.deadline.isoformat() == "2026-09-10T18:00:00+08:00"
    assert Form.of_content(content, 1)["deadline"] == "2026-09-10T18:00"
