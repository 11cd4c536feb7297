"""The pages of looking past one's own and of taking things out, as they come over the wire."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bot.identity import Actor
from handlers.accounts.models import Pupil
from handlers.accounts.service.sessions import SessionService
from handlers.contacts.domain.glass import Ground
from handlers.contacts.models import ContactsExport, ContactsGlass, ContactsPrint
from tests.handlers.console.stage import Browser, browser_of, console_app
from tests.handlers.contacts.stage import NOW, TODAY, Contacts
from tests.handlers.contacts.test_exports import sheets, unlocked
from tests.handlers.contacts.test_glass import LABELS, WHY, filled

PASSWORD = re.compile(r"[A-Z2-9]{4}(?:-[A-Z2-9]{4}){3}")


@dataclass
class Desk:
    """A console, and whoever sits at it."""

    contacts: Contacts
    browser: Browser

    async def enter(self, actor: Actor) -> Browser:
        """Somebody is logged in."""
        assert actor.person_id is not None
        sessions = self.contacts.machinery.services.get(SessionService)
        secret = (await sessions.open_console(actor.person_id)).secret
        self.browser.client.session.cookie_jar.update_cookies({"xiangxiao_console": secret})
        return self.browser


@pytest.fixture
async def desk(contacts: Contacts) -> AsyncIterator[Desk]:
    await filled(contacts)
    await Pupil.filter(id=contacts.child()).update(name="何若曦")
    async with browser_of(console_app(contacts.machinery, contacts.assembly.parts)) as browser:
        yield Desk(contacts, browser)


async def test_a_head_teacher_looks_with_a_reason_and_the_lead_confirms(desk: Desk) -> None:
    contacts, people = desk.contacts, desk.contacts.people
    head = await desk.enter(people.head)
    found = await head.get("/contacts/glass?name=何若")
    assert f"/admin/contacts/glass/children/{contacts.child()}" in found
    form = f"/contacts/glass/children/{contacts.child()}"
    await head.get(form)
    for wrong in ({"reason": WHY}, {"ground": "danger", "reason": "急"}, {"ground": "curious", "reason": WHY}):
        said = await head.post(form, wrong)
        assert head.status == 422
        assert "写清为什么现在要看" in said
        assert wrong["reason"] in said
    assert await ContactsGlass.all().count() == 0
    await head.post(form, {"ground": "danger", "reason": WHY})
    page = await head.follow()
    assert '还有<span class="number">120</span>分钟' in page
    for confidential in ("父母都在外", "有慢性病", "问过，说不是", "作业没人管，奶奶腿脚不好"):
        assert confidential in page
    picture = re.search(r"/admin(/contacts/glass/[^\"]+/pictures/[^\"]+)", page)
    assert picture is not None
    await head.get(picture[1])
    assert head.response is not None
    assert head.response.headers["Content-Type"] == "image/jpeg"
    glass = str((await ContactsGlass.get()).id)
    lead = await desk.enter(people.lead)
    assert "有人紧急查看，请看理由并确认" in await lead.get("/")
    assert "等您确认" in await lead.get("/contacts/glasses")
    sheet = await lead.get(f"/contacts/glasses/{glass}")
    for told in (WHY, "何若曦", "看了全部内容", "看了一张照片", "孩子可能正有危险"):
        assert told in sheet
    await lead.post(f"/contacts/glasses/{glass}/seen")
    assert "已确认" in await lead.follow()
    assert "有人紧急查看" not in (await lead.get("/")).replace("紧急查看情况", "")
    contacts.clock.set(NOW + timedelta(hours=2))
    await desk.enter(people.head)
    said = await head.get(f"/contacts/glass/{glass}")
    assert (head.status, "何若曦" in said) == (409, False)
    assert "时间已经到了" in said


async def test_a_leader_and_the_township_read_neither_the_child_nor_the_words(desk: Desk) -> None:
    people = desk.contacts.people
    glass = await desk.contacts.glass.open(people.head, desk.contacts.child(), *_why())
    for actor in (people.leader, people.admin):
        browser = await desk.enter(actor)
        for path in ("/contacts/glasses", f"/contacts/glasses/{glass}"):
            page = await browser.get(path)
            assert "孩子可能正有危险" in page
            assert [word for word in (WHY, "何若曦", desk.contacts.child(), *LABELS) if word in page] == []
        await browser.post(f"/contacts/glasses/{glass}/seen")
        assert browser.status == 409
    assert (await ContactsGlass.get()).seen_at is None


def _why() -> tuple[Ground, str]:
    return Ground.DANGER, WHY


async def test_an_export_from_the_request_to_the_open_file(desk: Desk) -> None:
    people = desk.contacts.people
    lead = await desk.enter(people.lead)
    await lead.get("/contacts/exports")
    form = {"place": str(desk.contacts.school.id), "taken_for": "inspection", "purpose": "县局9月检查"}
    for wrong, words in (
        ({"taken_for": ""}, "请选用途"),
        ({"purpose": "查"}, "做什么用"),
        ({"place": ""}, "请选要导出"),
    ):
        assert words in await lead.post("/contacts/exports", form | wrong)
        assert lead.status == 422
    await lead.post("/contacts/exports", form)
    one = lead.location
    assert "等校领导或乡镇批准" in await lead.follow()
    leader = await desk.enter(people.leader)
    assert "家校联系的导出等您批准" in await leader.get("/")
    own = (await ContactsExport.get()).id
    page = await leader.get(f"/contacts/releases/{own}")
    assert "县局9月检查" in page
    assert [word for word in ("何若曦", *LABELS) if word in page] == []
    for wrong_answer, words in (({}, "请选批准还是不批准"), ({"answer": "no"}, "做什么用")):
        assert words in await leader.post(f"/contacts/releases/{own}", wrong_answer)
    await leader.post(f"/contacts/releases/{own}", {"answer": "yes"})
    lead = await desk.enter(people.lead)
    assert "可以生成" in await lead.get("/")
    await lead.get(one)
    page = await lead.post(f"{one}/make")
    [password] = PASSWORD.findall(page)
    assert lead.response is not None
    assert lead.response.headers["Cache-Control"] == "no-store"
    await lead.post(f"{one}/make")
    assert lead.status == 409
    assert PASSWORD.findall(await lead.get(one)) == []
    await lead.get(f"{one}/file")
    assert lead.response is not None
    named = lead.response.headers["Content-Disposition"]
    assert [word for word in ("何若曦", *LABELS) if word in named] == []
    assert "何若曦" in str(sheets(unlocked(await lead.response.read(), password)))


async def test_a_file_on_paper_has_its_mark_and_a_neutral_title(desk: Desk) -> None:
    lead = await desk.enter(desk.contacts.people.lead)
    form = f"/contacts/kept/{desk.contacts.child()}/print"
    assert form in await lead.get(f"/contacts/register/{desk.contacts.child()}")
    await lead.get(form)
    assert "请选用途" in await lead.post(form, {"purpose": "县局来检查"})
    await lead.post(form, {"taken_for": "inspection", "purpose": "县局来检查"})
    page = await lead.follow()
    number = str((await ContactsPrint.get()).id)[:8].upper()
    assert page.count(f"用途：上级检查，县局来检查　编号：{number}") >= 2
    [title] = re.findall(r"<title>(.*?)</title>", page)
    assert title == "打印 · 乡校后台"
    assert "问过，说不是" in page
    assert "tel:" not in page


async def test_what_is_going_to_be_sealed_is_seen_before(desk: Desk) -> None:
    lead = await desk.enter(desk.contacts.people.lead)
    assert "到期封存" in await lead.get("/contacts/register")
    assert "都没有到期的" in await lead.get("/contacts/keeping")
    born = (TODAY + timedelta(days=30)).replace(year=TODAY.year - 16)
    await Pupil.filter(id=desk.contacts.child()).update(birth_date=born.isoformat())
    page = await lead.get("/contacts/keeping")
    assert "何若曦" in page
    assert "2026-10-08" in page
    assert "今晚<" not in page
