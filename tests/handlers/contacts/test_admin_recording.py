"""A teacher's pages, as they come over the wire: today, one child, the form, the report that comes first."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from aiohttp import FormData

from bot.identity import Actor
from handlers.accounts.service.sessions import SessionService
from handlers.contacts.domain.records import ContactOutcome, ReportState, Way
from handlers.contacts.models import ContactsDraft, ContactsRecord, ContactsReport
from tests import factories
from tests.handlers.after_school.waivers_stage import png
from tests.handlers.console.stage import Browser, browser_of, console_app
from tests.handlers.contacts.stage import TODAY, Contacts

LABELS = ("留守", "单亲", "贫困", "困难", "残疾", "级别")
FILLED = {
    "day": TODAY.isoformat(),
    "way": Way.VISIT.value,
    "outcome": ContactOutcome.REACHED.value,
    "finding": "作业没人管，奶奶腰疼",
}


@dataclass
class Desk:
    """A console, and the teacher at it."""

    contacts: Contacts
    browser: Browser

    @property
    def own(self) -> str:
        return f"/contacts/own/{self.contacts.child()}"

    async def enter(self, actor: Actor | None = None) -> Browser:
        """Somebody is logged in; the teacher unless said otherwise."""
        person = (actor or self.contacts.people.teacher).person_id
        assert person is not None
        sessions = self.contacts.machinery.services.get(SessionService)
        secret = (await sessions.open_console(person)).secret
        self.browser.client.session.cookie_jar.update_cookies({"xiangxiao_console": secret})
        return self.browser

    async def form(self) -> dict[str, str]:
        """The form of the child, filled in as most are."""
        page = await self.browser.get(f"{self.own}/record")
        found = re.search(r'name="key" value="(\w+)"', page)
        assert found is not None
        return {**FILLED, "key": found[1]}


@pytest.fixture
async def desk(contacts: Contacts) -> AsyncIterator[Desk]:
    await contacts.paired()
    async with browser_of(console_app(contacts.machinery, contacts.assembly.parts)) as browser:
        desk = Desk(contacts, browser)
        await desk.enter()
        yield desk


async def test_today_and_the_child_say_nothing_of_why(desk: Desk) -> None:
    await factories.make_guardianship(desk.contacts.children[0], is_acting=True)
    for page in ("/contacts/today", desk.own, f"{desk.own}/record", f"{desk.own}/report"):
        shown = await desk.browser.get(page)
        assert desk.browser.status == 200
        assert desk.contacts.children[0].name in shown
        assert [label for label in LABELS if label in shown] == []


async def test_a_record_is_sent_and_sent_again(desk: Desk) -> None:
    form = {**await desk.form(), "follow_up": "再去一次", "follow_up_on": (TODAY + timedelta(days=7)).isoformat()}
    for _ in range(2):
        await desk.browser.post(f"{desk.own}/record", form, met=["child", "carer"], topics=["study"])
        assert (desk.browser.status, desk.browser.location) == (303, "/contacts/today")
    row = await ContactsRecord.get()
    assert (row.met, row.topics, row.finding) == (["carer", "child"], ["study"], FILLED["finding"])
    listed = await desk.browser.get("/contacts/today")
    assert "再去一次" in listed
    await desk.browser.post(f"/contacts/records/{row.id}/done", {})
    assert "再去一次" not in await desk.browser.get("/contacts/today")


async def test_what_is_missing_is_asked_for_and_nothing_typed_is_lost(desk: Desk) -> None:
    form = await desk.form()
    page = await desk.browser.post(f"{desk.own}/record", form)
    assert (desk.browser.status, "请选见到" in page) == (422, True)
    assert FILLED["finding"] in page
    page = await desk.browser.post(f"{desk.own}/record", {**form, "day": "昨天"}, met=["child"])
    assert (desk.browser.status, "日期没有填对" in page) == (422, True)


async def test_a_draft_is_kept_offered_and_dropped(desk: Desk) -> None:
    form = await desk.form()
    await desk.browser.post(f"{desk.own}/draft", {**form, "auto": "1"})
    assert desk.browser.status == 303
    assert "草稿" in await desk.browser.get(desk.own)
    assert FILLED["finding"] in await desk.browser.get(f"{desk.own}/record")
    assert (await desk.form())["key"] == form["key"], "what is sent from the draft is the same record"
    await desk.browser.post(f"{desk.own}/drop", {})
    assert await ContactsDraft.all().count() == 0


async def test_a_correction_keeps_the_first_version(desk: Desk) -> None:
    await desk.browser.post(f"{desk.own}/record", await desk.form(), met=["child"])
    first = await ContactsRecord.get()
    page = await desk.browser.get(f"/contacts/records/{first.id}/correct")
    key = re.search(r'name="key" value="(\w+)"', page)
    assert key is not None
    form = {**FILLED, "key": key[1], "finding": "作业有人管了"}
    await desk.browser.post(f"/contacts/records/{first.id}/correct", form, met=["child"])
    assert desk.browser.status == 303
    shown = await desk.browser.get(desk.own)
    assert FILLED["finding"] in shown
    assert "作业有人管了" in shown
    assert "已被更正" in shown


async def test_yesterday_says_that_it_is_backdated(desk: Desk) -> None:
    form = {**await desk.form(), "day": (TODAY - timedelta(days=1)).isoformat()}
    await desk.browser.post(f"{desk.own}/record", form, met=["child"])
    assert "补登" in await desk.browser.get(desk.own)


async def test_a_photo_is_kept_and_is_its_authors(desk: Desk) -> None:
    data = FormData()
    for name, value in {**await desk.form(), "met": "child", "form_token": desk.browser.token}.items():
        data.add_field(name, value)
    data.add_field("picture", png(), filename="a.png", content_type="image/png")
    response = await desk.browser.client.post(f"/admin{desk.own}/record", data=data, allow_redirects=False)
    assert response.status == 303
    row = await ContactsRecord.get()
    photo = await desk.browser.client.get(f"/admin/contacts/records/{row.id}/photo")
    assert (photo.status, photo.content_type) == (200, "image/jpeg")
    await desk.enter(desk.contacts.people.head)
    await desk.browser.get(f"/contacts/records/{row.id}/photo")
    assert desk.browser.status == 404


async def test_a_head_teacher_and_the_lead_read_what_was_written_each_as_far_as_it_is_theirs(desk: Desk) -> None:
    contacts, child = desk.contacts, desk.contacts.child()
    secret = "只说给负责人听的话"
    await desk.browser.post(f"{desk.own}/record", {**await desk.form(), "sealed": secret}, met=["carer"])
    written = f"/contacts/cards/{child}/records"
    seen = {}
    for name, actor in (("head", contacts.people.head), ("lead", contacts.people.lead)):
        await desk.enter(actor)
        page = await desk.browser.get(written)
        assert desk.browser.status == 200
        assert "家访" in page
        assert f"/admin{written}" in await desk.browser.get(f"/contacts/cards/{child}")
        seen[name] = (FILLED["finding"] in page, secret in page)
    assert seen == {"head": (False, False), "lead": (True, True)}
    for actor in (contacts.people.colleague, contacts.people.leader, contacts.people.foreign_lead):
        await desk.enter(actor)
        await desk.browser.get(written)
        assert desk.browser.status in {403, 404}


async def test_a_head_teacher_finds_those_of_the_class_whom_others_keep_contact_with(desk: Desk) -> None:
    await desk.enter(desk.contacts.people.head)
    page = await desk.browser.get("/contacts/today")
    assert f"/admin/contacts/cards/{desk.contacts.child()}" in page
    assert [label for label in LABELS if label in page] == []
    await desk.enter(desk.contacts.people.colleague)
    assert "由别的老师联系" not in await desk.browser.get("/contacts/today")


async def test_a_call_nobody_answered_is_one_tap(desk: Desk) -> None:
    guardian = await factories.make_person()
    await factories.make_guardianship(desk.contacts.children[0], guardian)
    page = await desk.browser.get(desk.own)
    assert f"tel:{guardian.phone}" in page
    await desk.browser.post(f"{desk.own}/rang", {"person": str(guardian.id)})
    assert desk.browser.status == 303
    await desk.browser.post(f"{desk.own}/missed", {"key": "k1"})
    assert (await ContactsRecord.get()).outcome is ContactOutcome.FAILED


async def test_grave_words_ask_on_the_page_too(desk: Desk) -> None:
    form = {**await desk.form(), "finding": "胳膊上有伤，说爸爸打了他"}
    page = await desk.browser.post(f"{desk.own}/record", form, met=["child"])
    assert desk.browser.status == 422
    assert "tel:110" in page
    assert await ContactsRecord.all().count() == 0
    assert await ContactsDraft.all().count() == 1, "what was written is not lost meanwhile"
    await desk.browser.post(f"{desk.own}/record", {**form, "is_so": "yes"}, met=["child"])
    report = await ContactsReport.get()
    assert desk.browser.location == f"/contacts/reports/{report.id}"
    shown = await desk.browser.get(f"/contacts/reports/{report.id}")
    assert "孩子被打" in shown
    assert "先办这件" in await desk.browser.get(desk.own)


async def test_a_report_goes_its_way(desk: Desk) -> None:
    await desk.browser.get(f"{desk.own}/report")
    page = await desk.browser.post(f"{desk.own}/report", {"words": "说不想活了"})
    assert (desk.browser.status, "请选是哪一种" in page) == (422, True)
    await desk.browser.post(f"{desk.own}/report", {"words": "说不想活了"}, trigger=["self_harm"])
    one = desk.browser.location
    page = await desk.browser.post(
        f"{one}/called", {"called": "police", "at": "刚才", "by": "王老师", "reference": "1"}
    )
    assert (desk.browser.status, "几点打的" in page) == (422, True)
    await desk.browser.post(f"{one}/called", {"called": "police", "at": "8:50", "by": "王老师", "reference": "编号1"})
    assert desk.browser.location == one
    await desk.browser.post(
        f"{one}/called", {"called": "township", "at": "8:55", "by": "王老师", "reference": "李主任"}
    )
    assert desk.browser.location == "/contacts/reports"
    assert (await ContactsReport.get()).state is ReportState.COMPLETE
    await desk.browser.get(one)
    assert desk.browser.status == 404, "whoever wrote it sees it until it is complete"
    await desk.enter(desk.contacts.people.lead)
    assert "编号1" in await desk.browser.get(one)
    page = await desk.browser.post(f"{one}/close", {"sentence": "好"})
    assert desk.browser.status == 422
    await desk.browser.post(f"{one}/close", {"sentence": "孩子平安，由外婆照看"})
    assert desk.browser.location == "/contacts/reports"
    assert (await ContactsReport.get()).state is ReportState.CLOSED
    await desk.enter(desk.contacts.people.head)
    await desk.browser.get(one)
    assert desk.browser.status == 404
