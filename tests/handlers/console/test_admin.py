"""Logging in to the console and its own pages, as a browser sees them."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO
from urllib.parse import quote

import pytest
from python_calamine import CalamineWorkbook

from bot.audit.models import AuditRow
from bot.clock import FrozenClock
from bot.identity import Actor, Door, Grant, Hat, Role
from bot.rights import Action, Subject
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Session
from handlers.console import texts
from handlers.console.domain import LOCKED_FOR, STEP_LIFE, time_step, totp_code
from handlers.console.models import Credential
from handlers.console.service.credentials import CredentialService
from handlers.console.service.tickets import TicketService
from tests.factories import make_appointment, make_class, make_person, make_pupil, make_school
from tests.handlers.console.conftest import Stage

LOGIN, PASSWORD = "sun.admin", "春天的柳树很绿2026"


@pytest.fixture
async def credentials(stage: Stage) -> CredentialService:
    service = stage.machinery.services.get(CredentialService)
    await service.put(stage.admin.id, LOGIN, PASSWORD)
    return service


async def current_code(clock: FrozenClock) -> str:
    row = await Credential.get(login=LOGIN)
    assert row.totp_secret is not None
    return totp_code(row.totp_secret, time_step(clock.now()))


async def first_step(stage: Stage, password: str = PASSWORD, login: str = LOGIN) -> str:
    await stage.browser.get("/login")
    return await stage.browser.post("/login", {"login": login, "password": password, "next": "/"})


async def second_step(stage: Stage, code: str) -> str:
    return await stage.browser.post("/login/code", {"step": stage.browser.hidden("step"), "next": "/", "code": code})


async def log_in(stage: Stage, clock: FrozenClock) -> None:
    await first_step(stage)
    await second_step(stage, await current_code(clock))
    await stage.browser.follow()


# ------------------------------------------------------------------------------------------------------------ password
async def test_a_password_and_a_code_let_in(stage: Stage, credentials: CredentialService, clock: FrozenClock) -> None:
    page = await first_step(stage)
    assert "先设好手机验证器" in page
    assert '<svg role="img"' in page
    await second_step(stage, await current_code(clock))
    assert (stage.browser.status, stage.browser.location) == (303, "/")
    assert "孙管理" in await stage.browser.follow()
    assert await AuditRow.filter(action="session.open", purpose="password", actor=str(stage.admin.id)).exists()


async def test_the_password_alone_does_not_let_in(stage: Stage, credentials: CredentialService) -> None:
    await first_step(stage)
    await stage.browser.get("/")
    assert stage.browser.location.startswith("/login")
    assert not await Session.exists()


async def test_each_code_counts_once(stage: Stage, credentials: CredentialService, clock: FrozenClock) -> None:
    await log_in(stage, clock)
    await stage.browser.post("/logout")
    await first_step(stage)
    await second_step(stage, await current_code(clock))
    assert stage.browser.status == 401
    clock.advance(timedelta(seconds=30))
    await second_step(stage, await current_code(clock))
    assert stage.browser.location == "/"


async def test_the_secret_is_shown_until_it_was_used_and_never_again(
    stage: Stage, credentials: CredentialService, clock: FrozenClock
) -> None:
    first = await first_step(stage)
    row = await Credential.get(login=LOGIN)
    assert row.totp_secret is not None
    assert row.totp_secret[:4] in first
    assert row.totp_secret[:4] in await first_step(stage)
    await second_step(stage, await current_code(clock))
    await stage.browser.follow()
    await stage.browser.post("/logout")
    assert row.totp_secret[:4] not in await first_step(stage)


@pytest.mark.parametrize("login", [LOGIN, "nobody"])
async def test_wrong_names_and_wrong_passwords_are_told_alike(
    stage: Stage, credentials: CredentialService, login: str
) -> None:
    page = await first_step(stage, "不是这个密码0000", login)
    assert stage.browser.status == 401
    assert "登录名、密码或验证码不对" in page


async def test_five_failures_lock_the_account_for_a_quarter_of_an_hour(
    stage: Stage, credentials: CredentialService, clock: FrozenClock
) -> None:
    for _ in range(5):
        await first_step(stage, "不是这个密码0000")
    await first_step(stage)
    assert stage.browser.status == 401
    clock.advance(LOCKED_FOR - timedelta(seconds=1))
    await first_step(stage)
    assert stage.browser.status == 401
    clock.advance(timedelta(seconds=1))
    assert "验证器" in await first_step(stage)
    assert await AuditRow.filter(purpose="locked", subject=f"person:{stage.admin.id}").count() == 1


async def test_wrong_codes_lock_too_and_the_right_password_does_not_reset_them(
    stage: Stage, credentials: CredentialService, clock: FrozenClock
) -> None:
    for _ in range(5):
        await first_step(stage)
        await second_step(stage, "000000")
    await first_step(stage)
    assert stage.browser.status == 401


async def test_a_step_runs_out_and_is_of_its_browser_only(
    stage: Stage, credentials: CredentialService, clock: FrozenClock
) -> None:
    step = await credentials.check_password(LOGIN, PASSWORD, browser="another")
    await first_step(stage)
    code = await current_code(clock)
    page = await stage.browser.post("/login/code", {"step": step, "next": "/", "code": code})
    assert (stage.browser.status, "请重新输入登录名和密码" in page) == (401, True)
    await first_step(stage)
    clock.advance(STEP_LIFE)
    await second_step(stage, await current_code(clock))
    assert stage.browser.status == 401
    assert not await Session.exists()


async def test_somebody_without_an_appointment_gets_no_further(
    stage: Stage, credentials: CredentialService, clock: FrozenClock
) -> None:
    stranger = await make_person()
    await stage.enter(stranger)
    page = await stage.browser.get("/")
    assert stage.browser.status == 403
    assert "没有这项权限" in page


async def test_the_way_back_never_leaves_the_console(stage: Stage, credentials: CredentialService) -> None:
    for wanted in ("https://example.org/", "/login", "x", "/\r\nx"):
        await stage.browser.get(f"/login?next={quote(wanted)}")
        assert stage.browser.hidden("next") == "/"


# ------------------------------------------------------------------------------------------------------------ scanning
def staff(person_id: str, index: str = "index-of-sun") -> Actor:
    grants = (Grant(Role.ADMINISTRATOR, townships=frozenset({"t"})),)
    return Actor(index, frozenset({Role.ADMINISTRATOR}), "孙管理", person_id, grants, hats=frozenset({Hat.STAFF}))


def tickets_of(stage: Stage) -> TicketService:
    return TicketService(stage.machinery.redis, stage.machinery.wechat)


async def begin_scan(stage: Stage) -> str:
    await stage.browser.get("/login")
    await stage.browser.post("/login/scan", {"next": "/account"})
    page = await stage.browser.follow()
    assert '<svg role="img"' in page
    return stage.wechat.scenes[-1].removeprefix("l_")


async def test_a_confirmed_scan_lets_in_once(stage: Stage) -> None:
    ticket = await begin_scan(stage)
    waiting = f"/login/scan?t={ticket}&next=/account"
    seen = await tickets_of(stage).scan(staff(str(stage.admin.id)), ticket)
    assert f"<strong>{seen.number}</strong>" in await stage.browser.get(waiting)
    assert not await Session.exists()
    await tickets_of(stage).answer(staff(str(stage.admin.id)), ticket, is_yes=True)
    await stage.browser.get(waiting)
    assert stage.browser.location == "/account"
    assert "孙管理" in await stage.browser.follow()
    stage.browser.client.session.cookie_jar.clear(lambda cookie: cookie.key == "xiangxiao_console")
    assert texts.TICKET_GONE in await stage.browser.get(waiting)


async def test_a_ticket_is_of_its_browser_only(stage: Stage) -> None:
    ticket = await begin_scan(stage)
    await tickets_of(stage).scan(staff(str(stage.admin.id)), ticket)
    await tickets_of(stage).answer(staff(str(stage.admin.id)), ticket, is_yes=True)
    stage.browser.client.session.cookie_jar.clear()
    assert texts.TICKET_GONE in await stage.browser.get(f"/login/scan?t={ticket}")
    assert not await Session.exists()


async def test_a_refused_or_old_ticket_lets_nobody_in(stage: Stage, clock: FrozenClock) -> None:
    ticket = await begin_scan(stage)
    await tickets_of(stage).scan(staff(str(stage.admin.id)), ticket)
    await tickets_of(stage).answer(staff(str(stage.admin.id)), ticket, is_yes=False)
    assert texts.TICKET_REFUSED in await stage.browser.get(f"/login/scan?t={ticket}")
    assert texts.TICKET_GONE in await stage.browser.get("/login/scan?t=unknown")


# ------------------------------------------------------------------------------------------------------------- account
async def test_sessions_are_listed_and_can_be_ended(stage: Stage) -> None:
    await stage.enter(stage.admin)
    other = await Session.all().first()
    assert other is not None
    await stage.enter(stage.admin)
    page = await stage.browser.get("/account")
    assert page.count("Windows 电脑，Edge") >= 2
    await stage.browser.post("/account/close", {"id": str(other.id)})
    assert texts.SESSION_CLOSED in await stage.browser.follow()
    assert (await Session.get(id=other.id)).revoked_at is not None
    await stage.browser.post("/account/close", {"id": "00000000-0000-0000-0000-000000000000"})
    assert stage.browser.status == 404


async def test_logging_out_ends_the_session_on_both_sides(stage: Stage) -> None:
    await stage.enter(stage.admin)
    await stage.browser.get("/")
    await stage.browser.post("/logout")
    assert (await Session.all().get()).revoked_at is not None
    assert texts.LOGGED_OUT in await stage.browser.follow()
    await stage.browser.get("/")
    assert stage.browser.location == "/login"


async def test_a_new_password_needs_the_old_one_and_ends_other_sessions(
    stage: Stage, credentials: CredentialService
) -> None:
    await stage.enter(stage.admin)
    await stage.enter(stage.admin)
    await stage.browser.get("/account")
    form = {"login": LOGIN, "password": "夏天的荷花真的很香99", "again": "夏天的荷花真的很香99", "proof": "错的"}
    page = await stage.browser.post("/account/password", form)
    assert (stage.browser.status, "登录名、密码或验证码不对" in page) == (422, True)
    await stage.browser.post("/account/password", {**form, "again": "别的"})
    assert stage.browser.status == 422
    await stage.browser.post("/account/password", {**form, "password": "12345678901", "again": "12345678901"})
    assert stage.browser.status == 422
    await stage.browser.post("/account/password", {**form, "proof": PASSWORD})
    assert stage.browser.location == "/account"
    assert await Session.filter(revoked_at=None).count() == 1
    assert texts.LOGIN_SET in await stage.browser.follow()


# --------------------------------------------------------------------------------------------------------------- audit
async def test_an_administrator_finds_who_did_what(stage: Stage, credentials: CredentialService) -> None:
    await stage.enter(stage.admin)
    page = await stage.browser.get("/audit?actor=孙&action=audit.search")
    assert "没有符合条件的内容" in page
    page = await stage.browser.get("/audit?actor=孙&action=audit.search")
    assert "孙管理" in page
    assert page.count("<tr>") == 2
    row = await AuditRow.filter(action="audit.search").order_by("-id").first()
    assert row is not None
    assert (row.actor, row.township, row.fields_seen) == (str(stage.admin.id), str(stage.town.id), ["actor", "action"])


async def test_a_bad_day_is_told_and_an_export_carries_its_filter(stage: Stage) -> None:
    await stage.enter(stage.admin)
    assert texts.BAD_FILTER in await stage.browser.get("/audit?first=gestern")
    assert stage.browser.status == 422
    await stage.browser.get("/audit?outcome=denied&export=xlsx")
    assert stage.browser.response is not None
    content = await stage.browser.response.read()
    rows = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python()
    assert rows[1][0] == "筛选条件：结果：被拒绝"
    assert str(rows[2][0]).startswith("导出人：孙管理")


async def test_that_somebody_looked_at_contacts_is_told_without_the_child(stage: Stage) -> None:
    """Else the audit would tell who is on the register; what is no secret is found by the child's name."""
    school = await make_school(stage.town)
    child = await make_pupil(await make_class(school), name="欧阳望舒")
    lead = await make_person()
    await make_appointment(AppointmentKind.PROTECTION_LEAD, lead, school=school)
    actor = Actor(person_id=str(lead.id), roles=frozenset({Role.PROTECTION_LEAD}), door=Door.CONSOLE)
    whose = Subject(child_id=str(child.id), school_id=str(school.id), township_id=str(stage.town.id))
    for action in (Action.CONTACTS_REGISTER, Action.PUPIL_VIEW):
        await stage.machinery.audit.record(actor, action, f"child:{child.id}", whose=whose, fields=["group"])
    await stage.enter(stage.admin)
    rows = re.findall("<tr>.*?</tr>", await stage.browser.get("/audit"), re.S)
    [contacts] = [row for row in rows if texts.ACTIONS[Action.CONTACTS_REGISTER] in row]
    assert "欧阳望舒" not in contacts
    assert lead.name in contacts
    [seen] = [row for row in rows if texts.ACTIONS[Action.PUPIL_VIEW] in row]
    assert "欧阳望舒" in seen
    found = re.findall("<tr>.*?</tr>", await stage.browser.get("/audit?child=欧阳望舒"), re.S)
    assert [row for row in found if texts.ACTIONS[Action.CONTACTS_REGISTER] in row] == []
    assert [row for row in found if texts.ACTIONS[Action.PUPIL_VIEW] in row] == [seen]
    await make_appointment(AppointmentKind.PROTECTION_LEAD, stage.admin, school=school)
    rows = re.findall("<tr>.*?</tr>", await stage.browser.get("/audit?child=欧阳望舒"), re.S)
    assert any("欧阳望舒" in row for row in rows if texts.ACTIONS[Action.CONTACTS_REGISTER] in row)


async def test_the_audit_is_for_administrators(stage: Stage) -> None:
    duty = await make_person()
    await make_appointment(AppointmentKind.EDITOR, duty, township=stage.town)
    await stage.enter(duty)
    assert "查阅记录" not in await stage.browser.get("/")
    await stage.browser.get("/audit")
    assert stage.browser.status == 403
    assert await AuditRow.filter(outcome="denied", action="audit.search", actor=str(duty.id)).exists()
