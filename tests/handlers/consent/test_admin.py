"""The pages of consent and of retention, as a browser of each role sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook

from bot.capability import Machinery
from bot.clock import FrozenClock
from bot.config import Settings
from bot.storage.database import Database
from bot.storage.redis import RedisStore
from handlers.accounts.domain import AppointmentKind, PupilStatus
from handlers.accounts.models import Guardianship, Person, Pupil, SchoolClass
from handlers.accounts.service.identity import AccountsIdentity
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.sessions import SessionService
from handlers.consent import texts
from handlers.consent.capability import build
from handlers.consent.domain.decisions import Decision
from handlers.consent.models import ConsentEvent
from handlers.consent.service.consents import ConsentService
from tests import factories
from tests.handlers.consent.conftest import guardian
from tests.handlers.console.stage import Browser, DrawingWeChat, browser_of, console_app, console_part, machinery_of


@dataclass
class Office:
    """A console, a class whose families have answered this and that, and people on the staff."""

    machinery: Machinery
    browser: Browser
    room: SchoolClass
    silent: Pupil
    agreed: Pupil
    refused: Pupil
    foreign: Pupil
    head: Person
    leader: Person
    admin: Person

    async def enter(self, person: Person) -> None:
        """The person is logged in at the browser."""
        opened = await self.machinery.services.get(SessionService).open_console(person.id)
        self.browser.client.session.cookie_jar.update_cookies({"xiangxiao_console": opened.secret})


@pytest.fixture
async def office(
    database: Database, settings: Settings, redis: RedisStore, clock: FrozenClock
) -> AsyncIterator[Office]:
    machinery = machinery_of(settings, redis, clock, DrawingWeChat())
    machinery.services.add(PeopleService(clock, machinery.audit), AccountsIdentity(clock))
    console_part(machinery)
    machinery.parts.append(build(machinery))
    town = await factories.make_township()
    school = await factories.make_school(town, name="柳庄小学")
    room = await factories.make_class(school)
    silent, agreed, refused = [await factories.make_pupil(room, name=name) for name in ("未答家", "同意家", "拒绝家")]
    foreign = await factories.make_pupil(await factories.make_class(), name="外乡家")
    head, leader, admin = [await factories.make_person(name=name) for name in ("李班主任", "周校长", "孙管理")]
    await factories.make_appointment(AppointmentKind.HEAD_TEACHER, head, school_class=room)
    await factories.make_appointment(AppointmentKind.SCHOOL_LEADER, leader, school=school)
    await factories.make_appointment(AppointmentKind.TOWNSHIP_ADMINISTRATOR, admin, township=town)
    consents = machinery.services.get(ConsentService)
    for child, decision in ((agreed, Decision.GIVEN), (refused, Decision.REFUSED)):
        parent = await factories.make_person()
        await factories.make_guardianship(child, parent)
        await consents.decide(guardian(parent, str(child.id)), str(child.id), decision, consents.notice.version, "chat")
    async with browser_of(console_app(machinery, machinery.parts)) as browser:
        yield Office(machinery, browser, room, silent, agreed, refused, foreign, head, leader, admin)


@pytest.mark.parametrize("who", ["head", "leader", "admin"])
async def test_staff_see_who_has_not_answered_and_nothing_else(office: Office, who: str) -> None:
    await office.enter(getattr(office, who))
    page = await office.browser.get("/consents")
    assert office.browser.status == 200
    assert "共3个孩子，1个还没有答复" in page
    page = await office.browser.get(f"/consents/{office.room.id}")
    assert "未答家" in page
    for name in ("同意家", "拒绝家", "外乡家"):
        assert name not in page


async def test_a_class_out_of_reach_is_not_there(office: Office) -> None:
    await office.enter(office.head)
    for room in (office.foreign.school_class_id, "00000000-0000-4000-8000-000000000000", "x"):
        await office.browser.get(f"/consents/{room}")
        assert office.browser.status == 404


async def test_the_home_page_counts_the_families_to_remind(office: Office) -> None:
    await office.enter(office.head)
    assert texts.TODO_UNANSWERED in await office.browser.get("/")


async def test_the_list_leaves_as_a_workbook(office: Office) -> None:
    await office.enter(office.leader)
    await office.browser.get("/consents?export=xlsx")
    assert office.browser.response is not None
    book = CalamineWorkbook.from_filelike(BytesIO(await office.browser.response.read()))
    cells = [str(cell) for row in book.get_sheet_by_index(0).to_python() for cell in row]
    assert "未答家" in cells
    assert not {"同意家", "拒绝家", "外乡家"} & set(cells)


async def test_what_is_due_is_shown_without_names_and_left_as_it_is(office: Office, clock: FrozenClock) -> None:
    await Pupil.filter(id=office.silent.id).update(status=PupilStatus.LEFT, left_on=date(2026, 9, 1))
    clock.advance(timedelta(days=400))
    await office.enter(office.admin)
    page = await office.browser.get("/retention")
    assert office.browser.status == 200
    assert str(office.silent.id) in page
    assert texts.RETENTION_SEAL in page
    assert "未答家" not in page
    assert (await Pupil.get(id=office.silent.id)).sealed_at is None
    await office.enter(office.head)
    await office.browser.get("/retention")
    assert office.browser.status in {403, 404}


async def test_a_form_is_printed_signed_and_entered(office: Office) -> None:
    grandmother = await factories.make_person(name="赵奶奶")
    await factories.make_guardianship(office.silent, grandmother, bound_at=None)
    room, child = f"/consents/{office.room.id}", str(office.silent.id)
    await office.enter(office.head)
    sheets = await office.browser.get(f"{room}/forms")
    assert sheets.count('class="sheet"') == 3
    assert office.machinery.services.get(ConsentService).notice.version in sheets
    sheet = await office.browser.get(f"{room}/forms?child={child}")
    assert sheet.count('class="sheet"') == 1
    for told in ("未答家", "柳庄小学"):
        assert told in sheet
    for kept in ("赵奶奶", "同意家", str(office.silent.roster_number), "2017"):
        assert kept not in sheet
    page = await office.browser.get(f"{room}/paper?child={child}")
    assert "赵奶奶" in page
    form = {
        "child": child, "version": office.browser.hidden("version"), "person": str(grandmother.id),
        "decision": "given", "signed_on": "2026-09-01",
    }  # fmt: skip
    asked = await office.browser.post(f"{room}/paper", form)
    assert "赵奶奶" in asked
    assert "在2026年9月1日签字：同意" in asked
    assert await ConsentEvent.filter(pupil_id=office.silent.id).count() == 0
    await office.browser.post(f"{room}/paper", {**form, "sure": "yes"})
    assert office.browser.status == 303
    (event,) = await ConsentEvent.filter(pupil_id=office.silent.id)
    assert (event.channel, event.entered_by) == ("paper", office.head.id)
    assert "已登记赵奶奶为未答家签的表" in await office.browser.get(room)
    assert "未答家" not in await office.browser.get(room)


async def test_a_later_decision_is_asked_about_and_faults_are_told(office: Office) -> None:
    tie = await Guardianship.get(pupil_id=office.refused.id)
    room, child = f"/consents/{office.room.id}", str(office.refused.id)
    await office.enter(office.leader)
    await office.browser.get(f"{room}/paper?child={child}")
    form = {
        "child": child, "version": office.browser.hidden("version"), "person": str(tie.person_id),
        "decision": "given", "signed_on": "2026-09-01", "sure": "yes",
    }  # fmt: skip
    asked = await office.browser.post(f"{room}/paper", form)
    assert "另有决定" in asked
    assert 'name="asked"' in asked
    for wrong in ({"decision": "withdrawn"}, {"signed_on": "2026-09-02"}, {"signed_on": ""}, {"person": "x"}):
        assert "填完整" in await office.browser.post(f"{room}/paper", {**form, **wrong})
    assert "打印新的表" in await office.browser.post(f"{room}/paper", {**form, "version": "0.0.0"})
    assert await ConsentEvent.filter(pupil_id=office.refused.id).count() == 1
    await office.browser.get(f"{room}/paper?child={child}")
    await office.browser.post(f"{room}/paper", {**form, "asked": "yes"})
    assert office.browser.status == 303
    assert await ConsentEvent.filter(pupil_id=office.refused.id, channel="paper").count() == 1


async def test_paper_of_another_class_is_not_there(office: Office) -> None:
    await office.enter(office.head)
    own, other = office.room.id, office.foreign.school_class_id
    for path in (
        f"{other}/forms",
        f"{other}/paper",
        f"{other}/paper?child={office.foreign.id}",
        f"{own}/paper?child={office.foreign.id}",
    ):
        await office.browser.get(f"/consents/{path}")
        assert office.browser.status == 404
    assert "同意家" in await office.browser.get(f"/consents/{own}/paper")
