"""The pages about notices, as a browser of each role sees them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from bot.audit.models import AuditRow
from bot.clock import FrozenClock
from bot.config import Settings
from bot.storage.database import Database
from bot.storage.redis import RedisStore
from handlers.notices.admin import words
from handlers.notices.domain import NoticeState
from handlers.notices.models import Notice, NoticeChild, NoticeRecipient
from tests.handlers.console.stage import Browser
from tests.handlers.notices.pages_stage import Office, content_form, open_office


@pytest.fixture
async def office(
    database: Database, settings: Settings, redis: RedisStore, clock: FrozenClock
) -> AsyncIterator[Office]:
    async with open_office(settings, redis, clock) as opened:
        yield opened


async def write(office: Office, who: str = "head", **changes: Any) -> str:
    """A draft written by somebody; gives its id."""
    browser = await office.enter(who)
    await browser.get("/notices/new")
    lists = {name: changes.pop(name) for name in list(changes) if isinstance(changes[name], list)}
    form = content_form(**changes)
    if who == "head":
        form["class"] = str(office.village.room.id)
    if who == "admin":
        form["township"] = str(office.village.town.id)
    await browser.post("/notices/new", form, **lists)
    assert browser.status == 303, browser.page
    return browser.location.rpartition("/")[2]


async def submit(office: Office, notice_id: str) -> Browser:
    """The author has done."""
    await office.browser.get(f"/notices/{notice_id}")
    await office.browser.post(f"/notices/{notice_id}/submit", {"version": office.browser.hidden("version")})
    return office.browser


async def sent_notice(office: Office, who: str = "head", **changes: Any) -> str:
    """A notice that went out to class 3.1."""
    own = await write(office, who, **changes)
    browser = await submit(office, own)
    assert browser.status == 303, browser.page
    await office.sent(own)
    return own


# --------------------------------------------------------------------------------------------------------- rights, edge
@pytest.mark.parametrize(
    ("role", "status"), [("head", 200), ("leader", 200), ("admin", 200), ("teacher", 403), ("editor", 403)]
)
async def test_who_may_see_and_write_notices(office: Office, role: str, status: int) -> None:
    browser = await office.enter(role)
    for path in ("/notices", "/notices/new"):
        await browser.get(path)
        assert browser.status == status, path


async def test_somebody_else_s_notice_is_not_there(office: Office) -> None:
    own = await write(office)
    browser = await office.enter("next_head")
    for path in ("", "/edit", "/reach", "/report", "/families"):
        await browser.get(f"/notices/{own}{path}")
        assert browser.status == 404, path
    assert "周五开家长会" not in await browser.get("/notices")


async def test_a_form_without_our_mark_changes_nothing(office: Office) -> None:
    browser = await office.enter("head")
    form = content_form(**{"class": str(office.village.room.id), "form_token": "x"})
    await browser.client.post("/admin/notices/new", data=form, allow_redirects=False)
    assert await Notice.all().count() == 0


# -------------------------------------------------------------------------------------------------------------- writing
async def test_bad_input_loses_nothing(office: Office) -> None:
    browser = await office.enter("admin")
    await browser.get("/notices/new")
    room = str(office.village.room.id)
    form = content_form(title="", confirmation="form", deadline="2026-13-40T99:00", grade_from="3", grade_to="4")
    page = await browser.post(
        "/notices/new",
        form,
        **{
            "class": [room],
            "q_key": ["", ""],
            "q_kind": ["choice", "text"],
            "q_text": ["来几个人", "谁来接"],
            "q_choices": ["1人\n2人", ""],
            "q_required": ["yes", "no"],
            "link_title": ["通知原文"],
            "link_url": ["https://school.example/n.pdf"],
        },
    )
    assert browser.status == 422
    for kept in (
        "9月11日（星期五）下午3点开家长会",
        "来几个人",
        "谁来接",
        "1人\n2人",
        "通知原文",
        "https://school.example/n.pdf",
    ):
        assert kept in page, kept
    assert re.search(rf'value="{room}" checked', page)
    assert '<option value="no" selected>可以不答' in page
    assert '<option value="3" selected>' in page
    assert await Notice.all().count() == 0


async def test_what_is_read_by_families_is_shown_with_what_is_wrong_beside_it(office: Office) -> None:
    browser = await office.enter("head")
    await browser.get("/notices/new")
    form = content_form(
        deed="look", text="9月11日（星期三）请留守儿童的家长来。", deadline="2026-09-10T18:00",
        **{"class": str(office.village.room.id)},
    )  # fmt: skip
    page = await browser.post("/notices/new", form)
    assert "请在9月10日（星期四）下午6点之前" in page, "as the family reads it"
    assert browser.status == 200
    assert "家长看到的样子" in page
    assert "要改了才能发" in page
    assert "留守" in page
    assert "星期五" in page
    assert await Notice.all().count() == 0


async def test_rows_are_added_without_a_script(office: Office) -> None:
    browser = await office.enter("head")
    await browser.get("/notices/new")
    form = content_form(deed="question", **{"class": str(office.village.room.id)})
    page = await browser.post("/notices/new", form, q_text=["来几个人"], q_kind=["choice"], q_choices=["1人"])
    assert page.count('name="q_text"') == 2
    assert "来几个人" in page


async def test_children_are_picked_from_the_classes_that_are_ticked(office: Office) -> None:
    browser = await office.enter("head")
    await browser.get("/notices/new")
    room = str(office.village.room.id)
    page = await browser.post("/notices/new", content_form(deed="pick", **{"class": room}))
    assert "何若曦" in page
    assert "蒋青山" not in page
    child = str(office.village.children["ready"].id)
    await browser.post("/notices/new", content_form(**{"class": room, "pupil": child}))
    own = browser.location.rpartition("/")[2]
    page = await browser.get(f"/notices/{own}/reach")
    assert "何云" in page
    assert "陈大山" not in page


async def test_a_list_by_state_and_words(office: Office) -> None:
    await write(office, title="带跳绳", text="9月8日（星期二）上体育课，请带跳绳。")
    await sent_notice(office, title="开家长会")
    page = await office.browser.get("/notices?state=draft")
    assert "带跳绳" in page
    assert "开家长会" not in page
    page = await office.browser.get("/notices?text=家长会")
    assert ". 开家长会" in page
    assert ". 带跳绳" not in page


async def test_two_who_write_on_one_draft_do_not_overwrite_each_other(office: Office) -> None:
    own = await write(office)
    browser = office.browser
    await browser.get(f"/notices/{own}/edit")
    version = browser.hidden("version")
    changed = content_form(title="周五下午家长会", version=version, **{"class": str(office.village.room.id)})
    await browser.post(f"/notices/{own}/edit", changed)
    assert browser.status == 303
    page = await browser.post(f"/notices/{own}/edit", {**changed, "title": "周六家长会"})
    assert browser.status == 422
    assert "周六家长会" in page
    assert (await Notice.get(id=own)).title == "周五下午家长会"


# ------------------------------------------------------------------------------------------------------------ reach map
async def test_children_without_a_reachable_adult_come_first(office: Office) -> None:
    own = await write(office)
    page = await office.browser.get(f"/notices/{own}/reach")
    table = page[page.index("的收件人") :]
    order = sorted(("何若曦", "陈小满", "杨平安", "褚远"), key=table.index)
    assert set(order[:2]) == {"杨平安", "褚远"}
    assert "没有绑定微信" in table
    assert "名单上没有监护人" in table
    assert "2个孩子家里没有一个大人收得到微信" in page


async def test_one_message_for_a_mother_of_two(office: Office) -> None:
    own = await write(office)
    page = await office.browser.get(f"/notices/{own}")
    assert "要通知4人" in page


async def test_who_is_unticked_gets_nothing(office: Office) -> None:
    own = await write(office)
    browser, children, people = office.browser, office.village.children, office.village.families
    await browser.get(f"/notices/{own}/reach")
    shown = [str(children[key].id) for key in ("ready", "plain", "roster", "alone", "elder", "younger")]
    adults = [str(people[key].id) for key in ("ready", "plain", "elder")]
    form = {"version": browser.hidden("version"), "class": str(office.village.room.id)}
    kept = [child for child in shown if child != str(children["plain"].id)]
    await browser.post(f"/notices/{own}/reach", form, shown_child=shown, child=kept, shown_person=adults, person=adults)
    assert browser.status == 303
    page = await browser.get(f"/notices/{own}/reach")
    assert re.search(r"陈小满.{0,80}不发", page, re.S)
    await submit(office, own)
    await office.tick()
    told = await NoticeRecipient.filter(notice_id=own).values_list("person_id", flat=True)
    assert people["plain"].id not in told
    assert people["ready"].id in told


async def test_staff_are_unticked_and_ticked_again(office: Office) -> None:
    own = await write(office, "leader", role="head_teacher", confirmation="opened")
    browser, head = office.browser, str(office.village.people["head"].id)
    page = await browser.get(f"/notices/{own}/reach")
    assert "李秋云" in page
    other = str(office.village.people["next_head"].id)
    form = {"version": browser.hidden("version")}
    await browser.post(f"/notices/{own}/reach", form, shown_person=[head, other], person=[other])
    page = await browser.get(f"/notices/{own}/reach")
    assert re.search(r"李秋云.*?这次不发给", page, re.S)
    assert "要通知1人" in page
    form = {"version": browser.hidden("version")}
    await browser.post(f"/notices/{own}/reach", form, shown_person=[head, other], person=[head, other])
    assert "要通知2人" in await browser.get(f"/notices/{own}/reach")


async def test_each_class_is_looked_at_by_itself(office: Office) -> None:
    own = await write(office, "admin")
    page = await office.browser.get(f"/notices/{own}/reach")
    assert "各班" in page
    assert "何若曦" not in page
    page = await office.browser.get(f"/notices/{own}/reach?class={office.village.next_room.id}")
    assert "蒋青山" in page
    assert "何若曦" not in page


# -------------------------------------------------------------------------------------------------------------- signing
async def test_a_small_notice_goes_out_with_one_signature(office: Office) -> None:
    own = await sent_notice(office)
    assert (await Notice.get(id=own)).state is NoticeState.SENT


async def test_an_urgent_one_waits_for_another_person(office: Office) -> None:
    own = await write(office, "leader", urgent="yes", school=[str(office.village.school.id)])
    page = await office.browser.get(f"/notices/{own}")
    assert "交给第二个人审批" in page
    await submit(office, own)
    assert (await Notice.get(id=own)).state is NoticeState.WAITING
    page = await office.browser.get(f"/notices/{own}/approve")
    assert "这条通知现在不用您审批" in page
    version = str((await Notice.get(id=own)).version)
    await office.browser.post(f"/notices/{own}/approve", {"version": version})
    assert office.browser.status in {403, 422}
    browser = await office.enter("admin")
    assert "等您审批的通知" in await browser.get("/")
    page = await browser.get(f"/notices/{own}/approve")
    assert "标为紧急" in page
    assert "会怎样收到" in page
    await browser.post(f"/notices/{own}/approve", {"version": browser.hidden("version")})
    assert browser.status == 303
    assert (await Notice.get(id=own)).state is NoticeState.SCHEDULED


async def test_it_is_given_back_with_a_reason(office: Office) -> None:
    own = await write(office, "leader", urgent="yes", school=[str(office.village.school.id)])
    await submit(office, own)
    browser = await office.enter("admin")
    await browser.get(f"/notices/{own}/approve")
    version = browser.hidden("version")
    await browser.post(f"/notices/{own}/reject", {"version": version, "why": " "})
    assert browser.status == 422
    await browser.post(f"/notices/{own}/reject", {"version": version, "why": "时间写错了"})
    assert browser.status == 303
    browser = await office.enter("leader")
    page = await browser.get(f"/notices/{own}")
    assert "审批人退回：时间写错了" in page


async def test_words_that_may_not_go_out_stay_a_draft(office: Office) -> None:
    own = await write(office, text="请贫困家庭的家长周五来校。")
    browser = await submit(office, own)
    assert browser.status == 409
    assert (await Notice.get(id=own)).state is NoticeState.DRAFT


# ------------------------------------------------------------------------------------------------------------- stopping
async def test_progress_is_shown_and_the_page_asks_again(office: Office) -> None:
    own = await write(office)
    await submit(office, own)
    await office.tick()
    await office.deliver(keep=2)
    page = await office.browser.get(f"/notices/{own}")
    assert "正在发送" in page
    assert 'http-equiv="refresh"' in page
    assert "data-wait=" in page
    assert re.search(r"\d / 4人", page)


async def test_recalling_says_first_what_it_does(office: Office) -> None:
    own = await write(office)
    await submit(office, own)
    await office.tick()
    await office.deliver(keep=3)
    page = await office.browser.get(f"/notices/{own}/recall")
    assert "还没发出的3人" in page
    await office.browser.post(f"/notices/{own}/recall")
    assert office.browser.status == 303
    assert (await Notice.get(id=own)).state is NoticeState.RECALLED


async def test_a_correction_is_filled_with_what_it_corrects(office: Office) -> None:
    own = await sent_notice(office)
    await office.browser.get(f"/notices/{own}")
    await office.browser.post(f"/notices/{own}/correct")
    page = await office.browser.follow()
    assert "正在更正第1号通知" in page
    assert "9月11日（星期五）下午3点开家长会" in page
    assert 'name="material"' in page
    assert 'name="role"' not in page
    later = await Notice.get(corrects=own)
    form = content_form(text="9月11日（星期五）下午4点开家长会，请带笔。", version=str(later.version), material="no")
    await office.browser.post(f"/notices/{later.id}/edit", form)
    assert office.browser.status == 303, office.browser.page
    await submit(office, str(later.id))
    await office.sent(str(later.id))
    page = await (await office.browser.client.get(f"/n/{await office.ticket(str(later.id), 'ready')}")).text()
    assert "<del>9月11日（星期五）下午3点开家长会，</del>" in page
    assert "<ins>9月11日（星期五）下午4点开家长会，</ins>" in page


# -------------------------------------------------------------------------------------------------------------- reports
async def test_the_report_counts_by_class_and_is_drawn(office: Office) -> None:
    own = await sent_notice(office)
    page = await office.browser.get(f"/notices/{own}/report")
    assert "<svg" in page
    assert "<title id=" in page
    assert "<desc id=" in page
    assert "三年级1班" in page
    assert "怎样通知到的" in page


async def test_a_head_teacher_sees_only_the_class_of_a_school_s_notice(office: Office) -> None:
    own = await write(office, "leader", school=[str(office.village.school.id)])
    await submit(office, own)
    await office.sent(own)
    browser = await office.enter("head")
    page = await browser.get(f"/notices/{own}")
    assert browser.status == 200
    assert "撤回" not in page
    page = await browser.get(f"/notices/{own}/families?only=all")
    assert "何若曦" in page
    assert "蒋青山" not in page


async def test_told_by_phone_is_ticked_on_behalf(office: Office) -> None:
    own = await sent_notice(office)
    browser, child = office.browser, str(office.village.children["roster"].id)
    await browser.get(f"/notices/{own}/families")
    page = await browser.post(f"/notices/{own}/tick", {"child": child})
    assert browser.status == 422
    assert "请选是怎样告诉的" in page
    page = await browser.post(f"/notices/{own}/tick", {"how": "phone"})
    assert "还没有勾上哪一家" in page
    await browser.post(f"/notices/{own}/tick", {"child": child, "how": "phone", "agreed": "yes"})
    assert browser.status == 303
    row = await NoticeChild.get(notice_id=own, child_id=child)
    assert row.hand_how is not None
    assert row.hand_how.value == "phone"
    assert row.confirmed_by_hand
    page = await browser.get(f"/notices/{own}/families?only=all")
    assert "电话告诉的：李秋云" in page
    assert "点错了，撤销" in page
    await browser.post(f"/notices/{own}/untick", {"child": child, "only": "all"})
    page = await browser.follow()
    assert words.UNTICKED in page
    assert "点错了，撤销" not in page
    row = await NoticeChild.get(notice_id=own, child_id=child)
    assert not any((row.hand_how, row.hand_by, row.hand_at, row.confirmed_by_hand))
    page = await browser.post(f"/notices/{own}/untick", {"child": child})
    assert "不用撤销" in page
    noted = await AuditRow.filter(action="notice.report", about=child).order_by("at")
    assert [each.purpose for each in noted] == ["phone", "undo"]


async def test_what_was_entered_for_a_family_is_taken_back(office: Office) -> None:
    """What the family said themselves stays."""
    own = await sent_notice(office)
    browser, child = office.browser, str(office.village.children["ready"].id)
    mother = str(office.village.families["ready"].id)
    await browser.get(f"/notices/{own}/families")
    await browser.post(f"/notices/{own}/children/{child}", {"person": mother, "how": "phone"})
    assert browser.status == 303
    mine = NoticeRecipient.filter(notice_id=own, person_id=mother)
    assert (await mine.get()).confirmed_at is not None
    await browser.post(f"/notices/{own}/untick", {"child": child})
    row = await mine.get()
    assert not any((row.confirmed_at, row.how, row.entered_by))
    path = f"/n/{await office.ticket(own, 'ready')}"
    async with browser.client.post(path, data={}, allow_redirects=False) as response:
        assert response.status == 303
    await browser.post(f"/notices/{own}/tick", {"child": child, "how": "paper"})
    await browser.post(f"/notices/{own}/untick", {"child": child})
    assert (await mine.get()).confirmed_at is not None


async def test_somebody_else_s_child_cannot_be_ticked(office: Office) -> None:
    own = await sent_notice(office)
    await office.browser.get(f"/notices/{own}/families")
    child = str(office.village.children["next"].id)
    await office.browser.post(f"/notices/{own}/tick", {"child": child, "how": "phone"})
    assert office.browser.status == 404
    await office.browser.post(f"/notices/{own}/untick", {"child": child})
    assert office.browser.status == 404


async def test_a_form_is_filled_in_for_a_family(office: Office) -> None:
    own = await sent_notice(
        office,
        confirmation="form",
        q_key=[""],
        q_kind=["choice"],
        q_text=["来几个人"],
        q_choices=["1人\n2人"],
        q_required=["yes"],
    )
    browser, child = office.browser, str(office.village.children["plain"].id)
    path = f"/notices/{own}/children/{child}"
    page = await browser.get(path)
    assert "来几个人" in page
    person = str(office.village.families["plain"].id)
    page = await browser.post(path, {"person": person, "how": "in_person"})
    assert browser.status == 422
    assert "还没有回答" in page
    await browser.post(path, {"person": person, "how": "in_person", "q1": "2人"})
    assert browser.status == 303, browser.page
    page = await browser.get(f"/notices/{own}/families?only=all")
    assert "来几个人：2人" in page
    page = await browser.get(f"/notices/{own}/report")
    assert "第1题：来几个人" in page


async def test_those_who_have_not_answered_are_reminded(office: Office) -> None:
    own = await sent_notice(office)
    await office.browser.get(f"/notices/{own}/remind")
    page = await office.browser.post(f"/notices/{own}/remind")
    assert office.browser.status == 409
    assert "请改用电话" in page
    office.clock.advance(timedelta(hours=5))
    page = await office.browser.get(f"/notices/{own}/remind")
    assert "只提醒还没回应的人" in page
    await office.browser.post(f"/notices/{own}/remind")
    assert office.browser.status == 303
    assert (await Notice.get(id=own)).reminded == 1


async def test_the_report_leaves_as_a_workbook(office: Office) -> None:
    own = await sent_notice(office)
    await office.browser.get(f"/notices/{own}/report?export=xlsx")
    assert office.browser.response is not None
    book = CalamineWorkbook.from_filelike(BytesIO(await office.browser.response.read()))
    cells = [str(cell) for row in book.get_sheet_by_index(0).to_python() for cell in row]
    assert "何若曦" in cells
    assert any("李秋云" in cell for cell in cells), "who took it stands in it"


async def test_everything_that_was_done_is_one_line_of_time(office: Office) -> None:
    own = await sent_notice(office)
    page = await office.browser.get(f"/notices/{own}")
    history = page[page.index("经过") :]
    assert "李秋云" in history
    assert history.index("李秋云") < history.rindex("2026-09-01")
