"""The console's pages of waivers, as those who use them see them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from bot.identity import Actor
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Person, SchoolClass
from handlers.accounts.service.sessions import SessionService
from handlers.after_school.domain.waivers import Verdict, WaiverState
from handlers.after_school.models import AfterSchoolWaiver, AfterSchoolWaiverList
from tests import factories
from tests.handlers.after_school.stage import Stage
from tests.handlers.after_school.waivers_stage import FULL, HALF, NUMBERS, TERM, Waivers, png, workbook
from tests.handlers.console.stage import Browser, browser_of, console_app


@dataclass
class Desk:
    """A console, and the people of the township at it."""

    waivers: Waivers
    browser: Browser

    async def enter(self, actor: Actor) -> Browser:
        """Somebody is logged in."""
        assert actor.person_id is not None
        sessions = self.waivers.stage.machinery.services.get(SessionService)
        secret = (await sessions.open_console(actor.person_id)).secret
        self.browser.client.session.cookie_jar.update_cookies({"xiangxiao_console": secret})
        return self.browser

    async def upload(self, path: str, files: dict[str, bytes], **form: str) -> None:
        """A form with files, from the last page."""
        from aiohttp import FormData

        data = FormData()
        for name, value in {"form_token": self.browser.token, **form}.items():
            data.add_field(name, value)
        for name, content in files.items():
            data.add_field(name, content, filename=f"{name}.bin", content_type="application/octet-stream")
        response = await self.browser.client.post(f"/admin{path}", data=data, allow_redirects=False)
        await self.browser._take(response)


@pytest.fixture
async def desk(stage: Stage) -> AsyncIterator[Desk]:
    waivers = await Waivers(stage).build()
    kinds = AppointmentKind
    await _appoint(waivers.checker, kinds.SCHOOL_LEADER, school=stage.school)
    for actor in (waivers.decider, waivers.third):
        await _appoint(actor, kinds.TOWNSHIP_ADMINISTRATOR, township=stage.township)
    room = await SchoolClass.get(id=stage.room.id)
    await _appoint(stage.head, kinds.HEAD_TEACHER, school_class=room)
    async with browser_of(console_app(stage.machinery, stage.assembly.parts)) as browser:
        yield Desk(waivers, browser)


async def _appoint(actor: Actor, kind: AppointmentKind, **place: Any) -> None:
    await factories.make_appointment(kind, await Person.get(id=actor.person_id), **place)


async def test_a_case_goes_from_desk_to_desk(desk: Desk) -> None:
    waivers = desk.waivers
    own = await waivers.handed_in()
    browser = await desk.enter(waivers.checker)
    listed = await browser.get("/waivers")
    assert waivers.stage.children[0].name in listed
    assert "突发" not in listed
    case = await browser.get(f"/waivers/{own}")
    assert "家里有突发困难" in case
    assert "第1张" in case
    await browser.post(f"/waivers/{own}/check")
    assert (browser.status, browser.location) == (303, "/waivers")
    assert "要由另一位工作人员来办" in await browser.get(f"/waivers/{own}")
    browser = await desk.enter(waivers.decider)
    case = await browser.get(f"/waivers/{own}")
    assert TERM in case
    refused = await browser.post(f"/waivers/{own}/decide", {"verdict": "grant"})
    assert (browser.status, "请至少" in refused or "没有这个学期" in refused) == (422, True)
    assert (await browser.post(f"/waivers/{own}/decide", {}), browser.status)[1] == 422
    await browser.post(f"/waivers/{own}/decide", {"verdict": "grant"}, term=[TERM])
    assert browser.status == 303
    done = await browser.get("/waivers?show=done")
    assert waivers.stage.children[0].name in done
    assert (await waivers.row(own)).state is WaiverState.GRANTED


async def test_the_papers_are_shown_to_those_who_decide_only(desk: Desk) -> None:
    waivers = desk.waivers
    own = await waivers.handed_in()
    [picture] = (await waivers.deciding.look(waivers.third, own)).pictures
    browser = await desk.enter(waivers.checker)
    await browser.get(f"/waivers/{own}/evidence/{picture}")
    assert browser.response is not None
    assert (browser.status, browser.response.headers["Content-Type"]) == (200, "image/jpeg")
    browser = await desk.enter(waivers.stage.head)
    for path in ("/waivers", f"/waivers/{own}", f"/waivers/{own}/evidence/{picture}"):
        await browser.get(path)
        assert browser.status == 403


async def test_the_head_teacher_puts_one_in(desk: Desk) -> None:
    waivers = desk.waivers
    browser = await desk.enter(waivers.stage.head)
    path = f"/children/{waivers.child}/waiver"
    assert "家里有突发困难" in await browser.get(path)
    kind = await waivers.kind(HALF)
    await desk.upload(path, {}, category=kind, how="in_person")
    assert (browser.status, "证明材料" in browser.page) == (422, True)
    await browser.get(path)
    await desk.upload(path, {"picture": png()}, category=kind, how="in_person", note="奶奶来说的")
    assert (browser.status, browser.location) == (303, "/")
    assert (await AfterSchoolWaiver.get()).state is WaiverState.SUBMITTED


async def test_the_office_sets_rules_and_brings_lists_in(desk: Desk) -> None:
    waivers = desk.waivers
    browser = await desk.enter(waivers.decider)
    rules = await browser.get("/waiver-rules")
    assert rules.count("没有登记") >= 8
    form = {"code": "05", "percent": "100", "since": "2026-09-01", "clause": "县教发〔2026〕1号"}
    for wrong in ({"percent": "101"}, {"percent": "很多"}, {"since": "明天"}, {"clause": " "}, {"code": "99"}):
        await browser.post("/waiver-rules", {**form, **wrong})
        assert browser.status == 422
    await browser.post("/waiver-rules", form)
    assert browser.status == 303
    await browser.get("/waiver-rules")
    await browser.post("/waiver-rules/stop", {"code": "05"})
    assert browser.status == 303
    await browser.get("/waiver-lists")
    dates = {"code": FULL, "since": "2026-09-01", "until": "2027-08-31"}
    await desk.upload("/waiver-lists", {"list": b"no"}, **dates)
    assert browser.status == 422
    await desk.upload("/waiver-lists", {"list": workbook(NUMBERS)}, **dates)
    assert browser.status == 303
    assert "2行" in await browser.get("/waiver-lists")
    own = (await AfterSchoolWaiverList.get()).id
    await browser.post(f"/waiver-lists/{own}/undo")
    assert browser.status == 303
    assert "已撤销" in await browser.get("/waiver-lists")


async def test_there_is_no_public_list_until_a_rule_asks_for_it(desk: Desk) -> None:
    waivers = desk.waivers
    await waivers.decided(Verdict.GRANT)
    browser = await desk.enter(waivers.third)
    assert "公示" not in await browser.get("/waivers")
    page = await browser.get("/waiver-notice")
    assert "没有文件要求公示" in page
    assert "<table" not in page
    waivers.publishing.ground = "县教发〔2026〕1号第五条"
    page, name = await browser.get("/waiver-notice"), waivers.stage.children[0].name
    assert browser.status == 200
    assert name not in page
    assert f"{name[0]}*" in page
    assert "突发" not in page
