"""The pages of collecting as a browser of each role sees them, without a script; and the chat of head teachers."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiohttp import FormData
from python_calamine import CalamineWorkbook

from bot.audit.models import AuditRow
from bot.dialogue.context import ChatContext
from bot.dialogue.session import Session
from bot.identity import Actor, Grant, Role
from handlers.accounts.models import Person
from handlers.after_school.chat.collection import CollectionChat
from handlers.after_school.domain.ledger import Standing
from handlers.after_school.domain.statements import Wish
from handlers.after_school.models import AfterSchoolIntake, AfterSchoolStatement
from tests import factories
from tests.bot.dialogue.stage import said as spoken
from tests.bot.dialogue.stage import text
from tests.handlers.after_school.collecting import Collecting, staff
from tests.handlers.after_school.stage import NOW, Stage
from tests.handlers.after_school.test_collection_lists import GOOD, book
from tests.handlers.console.stage import Browser, browser_of, console_app


@dataclass
class Desk:
    """A browser over the class."""

    collecting: Collecting
    browser: Browser

    @property
    def home(self) -> str:
        """The plan's page."""
        return f"/after-school/tally/{self.collecting.plan}"

    @property
    def room(self) -> str:
        """The class's page."""
        return f"{self.home}/classes/{self.collecting.room}"

    def child(self, number: int) -> str:
        """A child's page."""
        return f"{self.home}/children/{self.collecting.child(number)}"

    async def enter(self, actor: Actor) -> Browser:
        """Somebody is logged in."""
        secret = await self.collecting.secret(actor)
        self.browser.client.session.cookie_jar.update_cookies({"xiangxiao_console": secret})
        return self.browser


@pytest.fixture
async def desk(stage: Stage) -> AsyncIterator[Desk]:
    collecting = await Collecting(stage).build()
    await collecting.appoint()
    async with browser_of(console_app(stage.machinery, stage.assembly.parts)) as browser:
        yield Desk(collecting, browser)


async def test_a_head_teacher_collects_from_the_list_to_the_signature(desk: Desk) -> None:
    browser = await desk.enter(desk.collecting.head)
    await browser.get("/after-school/tally")
    assert browser.location == desk.home, "one plan: no list to choose from"
    page = await browser.follow()
    assert "三年级1班" in page
    page = await browser.get(desk.room)
    assert page.count("没答复") >= 5
    for number in range(5):
        await browser.get(desk.child(number))
        form = {"wish": "not_join" if number else "join", "how": "signed_paper", "reason": "自己接", "course": ""}
        await browser.post(desk.child(number), form)
        assert browser.status == 303, browser.page
    await browser.get(f"{desk.room}/close")
    await browser.post(f"{desk.room}/close", {"fingerprint": browser.hidden("fingerprint")})
    page = await browser.follow()
    assert "已签名" in page
    assert "李秋云" in page
    page = await browser.get(desk.child(0))
    assert "已经签名" in page
    assert 'name="wish"' not in page
    await browser.get(f"{desk.room}/reopen")
    await browser.post(f"{desk.room}/reopen", {"reason": "漏了一家"})
    assert "漏了一家" in await browser.follow()


async def test_both_sides_of_a_disagreement_are_shown_with_the_next_step(desk: Desk) -> None:
    await desk.collecting.stage.sign_up(0, "合唱")
    await desk.collecting.say(0, Wish.NOT_JOIN)
    browser = await desk.enter(desk.collecting.head)
    page = await browser.get(desk.room)
    assert "家长在小程序上说的：<strong>参加</strong>" in page
    assert "老师凭纸质表登记：<strong>不参加</strong>" in page
    assert "请打电话问清家长" in page
    page = await browser.get(f"{desk.room}/close")
    assert "还有1个孩子说法不一" in page
    page = await browser.get(desk.child(0))
    assert "登记最后的决定" in page
    await browser.post(desk.child(0), {"wish": "join", "how": "by_phone", "settles": browser.hidden("settles")})
    assert (await desk.collecting.standings())[0] is Standing.SIGNED_UP


async def test_bad_input_says_what_is_wrong_and_loses_nothing(desk: Desk) -> None:
    browser = await desk.enter(desk.collecting.head)
    await browser.get(desk.child(0))
    page = await browser.post(desk.child(0), {"wish": "not_join", "reason": "爷爷接", "how": ""})
    assert browser.status == 422
    assert "请选家长的答复" in page
    assert "爷爷接" in page
    assert re.search(r'value="not_join" checked', page)
    page = await browser.post(desk.child(0), {"wish": "join", "how": "in_person", "said_on": "2026-13-40"})
    assert browser.status == 422
    assert not await AfterSchoolStatement.exists()


async def test_no_answer_is_chosen_beforehand(desk: Desk) -> None:
    browser = await desk.enter(desk.collecting.head)
    page = await browser.get(desk.child(0))
    assert " checked" not in page


async def test_reminding_is_a_button_and_once_a_day(desk: Desk) -> None:
    browser = await desk.enter(desk.collecting.head)
    await browser.get(desk.room)
    await browser.post(f"{desk.room}/remind")
    assert "会提醒5位家长" in await browser.follow()
    page = await browser.post(f"{desk.room}/remind")
    assert browser.status == 409
    assert "今天已经提醒过了" in page


async def test_phones_are_shown_one_by_one_and_can_be_tapped(desk: Desk) -> None:
    browser = await desk.enter(desk.collecting.head)
    page = await browser.get(f"{desk.room}/ring")
    person = await Person.get(id=desk.collecting.stage.guardians[0].person_id)
    assert str(person.phone) not in page
    page = await browser.post(f"{desk.room}/reveal", {"person": str(person.id)})
    assert f'href="tel:{person.phone}"' in page
    assert page.count("tel:") == 1
    assert await AuditRow.filter(action="contact.reveal").count() == 1


async def test_a_child_is_signed_up_for_a_family_without_a_phone(desk: Desk) -> None:
    browser = await desk.enter(desk.collecting.head)
    await browser.get(desk.child(0))
    course = desk.collecting.stage.programmes["合唱"]
    await browser.post(desk.child(0) + "/sign-up", {"course": course, "how": "signed_paper"})
    assert "替家长报好了：已报上" in await browser.follow()
    page = await browser.post(desk.child(0) + "/sign-up", {"course": course, "how": "signed_paper"})
    assert browser.status == 422
    assert "已经报了" in page


async def test_reasons_are_on_a_page_of_their_own_for_two_roles(desk: Desk) -> None:
    await desk.collecting.say(0, Wish.NOT_JOIN, reason="爷爷接")
    roles = ((desk.collecting.head, 200), (desk.collecting.leader, 200), (desk.collecting.stage.admin, 403))
    for actor, status in roles:
        browser = await desk.enter(actor)
        page = await browser.get(f"{desk.room}/reasons")
        assert browser.status == status
        assert ("爷爷接" in page) is (status == 200)
        for path in (desk.home, desk.room, desk.child(0)):
            assert "爷爷接" not in await browser.get(path), path


async def test_the_workbook_has_a_line_a_child_and_is_written_down(desk: Desk) -> None:
    await desk.collecting.stage.sign_up(0, "合唱")
    await desk.collecting.say(1, Wish.NOT_JOIN, reason="爷爷接")
    await desk.collecting.close()
    browser = await desk.enter(desk.collecting.stage.admin)
    await browser.get(f"{desk.home}?export=xlsx")
    assert browser.response is not None
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(await browser.response.read())).get_sheet_by_index(0)
    rows = sheet.to_python()
    whole = "\n".join(" ".join(map(str, row)) for row in rows)
    assert "周一二三四五 16:00—17:20" in whole
    assert "李秋云 2026-09-08签名" in whole
    assert len([row for row in rows if "三年级1班" in row]) == 5
    assert "爷爷接" not in whole
    assert await AuditRow.filter(action="tally.view").count() == 1


async def test_an_earlier_day_can_be_looked_at(desk: Desk) -> None:
    await desk.collecting.say(0, Wish.JOIN)
    browser = await desk.enter(desk.collecting.head)
    page = await browser.get(f"{desk.room}?day=2026-09-07")
    assert "不是现在的" in page
    assert "想参加，还没报上</span>" not in page
    await browser.get(f"{desk.room}?day=soon")
    assert browser.status == 422


async def test_a_list_comes_in_through_the_form(desk: Desk) -> None:
    browser = await desk.enter(desk.collecting.head)
    page = await browser.get(f"{desk.home}/lists")
    assert "下载意向表" in page
    page = await browser.post(f"{desk.home}/lists")
    assert browser.status == 422
    form = FormData({"form_token": browser.token})
    form.add_field("file", book(*GOOD), filename="意向表.xlsx")
    async with browser.client.post(f"/admin{desk.home}/lists", data=form, allow_redirects=False) as response:
        assert response.status == 303
        one = response.headers["Location"].removeprefix("/admin")
    page = await browser.get(one)
    assert "登记这2行" in page
    assert "没有填答复，跳过" in page
    await browser.post(f"{one}/apply")
    assert "登记好了" in await browser.follow()
    await browser.post(f"{one}/undo")
    assert "已经撤销" in await browser.follow()
    assert await AfterSchoolIntake.all().count() == 1


# ----------------------------------------------------------------------------------------------------------- the chat
def chat(desk: Desk) -> CollectionChat:
    return CollectionChat(desk.collecting.tallies, desk.collecting.chasing)


def asked(actor: Actor, words: str) -> ChatContext:
    return ChatContext(actor=actor, openid="o", now=NOW, session=Session(), word=words)


async def test_the_class_in_one_message(desk: Desk) -> None:
    await desk.collecting.stage.sign_up(0, "合唱")
    reply = await chat(desk).tally(asked(desk.collecting.head, "统计"), text("统计"))
    assert "三年级1班" in spoken(reply)
    assert "已报上1人" in spoken(reply)
    assert "没答复4人" in spoken(reply)
    assert "回复“未报名”" in spoken(reply)


async def test_whom_to_ring_with_their_phones_written_down(desk: Desk) -> None:
    await desk.collecting.stage.sign_up(0, "合唱")
    reply = await chat(desk).ring(asked(desk.collecting.head, "未报名"), text("未报名"))
    people = [await Person.get(id=guardian.person_id) for guardian in desk.collecting.stage.guardians]
    assert str(people[0].phone) not in spoken(reply)
    for person in people[1:]:
        assert str(person.phone) in spoken(reply)
    assert await AuditRow.filter(action="contact.reveal").count() == 4
    assert len(spoken(reply).encode()) < 2048


async def test_a_long_list_fits_one_message(desk: Desk) -> None:
    for _ in range(40):
        await desk.collecting.stage.family()
    reply = await chat(desk).ring(asked(desk.collecting.head, "未报名"), text("未报名"))
    assert len(spoken(reply).encode()) < 2048
    assert "还有33家" in spoken(reply)


async def test_a_head_teacher_without_a_plan_is_told_so(desk: Desk) -> None:
    stranger = await staff(Grant(Role.HEAD_TEACHER, classes=frozenset({str((await factories.make_class()).id)})))
    for handle in (chat(desk).tally, chat(desk).ring):
        reply = await handle(asked(stranger, "统计"), text("统计"))
        assert "没有要您统计的课后服务" in spoken(reply)
