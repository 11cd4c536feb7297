"""The pages of offers, as a browser of each role sees them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import date, datetime
from html import unescape
from typing import Any

import pytest

from bot.clock import SHANGHAI, FrozenClock
from bot.config import Settings
from bot.storage.database import Database
from bot.storage.redis import RedisStore
from handlers.after_school.models import AfterSchoolPlan, AfterSchoolPool, AfterSchoolProgramme, AfterSchoolSlip
from handlers.after_school.texts import offering as texts
from handlers.calendar.domain import Term
from handlers.calendar.service.founding import put_calendar
from handlers.notices.models import Notice
from tests.handlers.console.stage import Browser
from tests.handlers.notices.pages_stage import Office, open_office

PLANS = "/after-school/plans"
CLAUSE = "县发改〔2026〕5号第三条"


@pytest.fixture
async def office(
    database: Database, settings: Settings, redis: RedisStore, clock: FrozenClock
) -> AsyncIterator[Office]:
    clock.set(datetime(2026, 9, 2, 9, tzinfo=SHANGHAI))
    async with open_office(settings, redis, clock) as opened:
        term = Term(date(2026, 9, 1), date(2027, 1, 22), "秋季学期")
        await put_calendar(opened.village.town.id, [term], [], clock.now())
        yield opened


def head_form(owner: object, **changes: Any) -> dict[str, str]:
    return {
        "owner": str(owner),
        "title": "课后服务",
        "term": "2026年秋季学期",
        "first": "2026-09-14",
        "last": "2026-12-18",
        "opens": "2026-09-02T08:00:00",
        "closes": "2026-09-05T20:00:30",
        "phone": "0527-8412345",
        "pick_up": "南门",
        "offer_days": "2",
        "settle": "held",
        **changes,
    }


def course_form(**changes: Any) -> dict[str, str]:
    return {
        "title": "围棋",
        "lowest": "1",
        "highest": "6",
        "start": "16:00",
        "end": "17:20",
        "pool": "",
        "places": "20",
        "selection": "first_come",
        "basis": "per_lesson",
        "yuan": "3",
        "payer": "family",
        "clause": CLAUSE,
        **changes,
    }


async def begun(office: Office, **changes: Any) -> tuple[Browser, str]:
    """The leader stands before a new draft; with its address."""
    browser = await office.enter("leader")
    await browser.get(PLANS + "/new")
    await browser.post(PLANS + "/new", head_form(office.village.school.id, **changes))
    assert browser.status == 303, browser.page
    plan = browser.location
    await browser.follow()
    return browser, plan


async def add_course(browser: Browser, plan: str, weekday: tuple[str, ...] = ("1", "3"), **changes: Any) -> None:
    await browser.get(f"{plan}/programmes/new")
    version = browser.hidden("version")
    await browser.post(f"{plan}/programmes/new", course_form(version=version, **changes), weekday=weekday)


async def published(office: Office) -> str:
    """A plan with one course that families can see; its address."""
    browser, plan = await begun(office)
    await add_course(browser, plan)
    await browser.get(f"{plan}/check")
    await browser.post(f"{plan}/publish", {"version": browser.hidden("version")})
    assert browser.status == 303, browser.page
    return plan


# --------------------------------------------------------------------------------------------------------------- rights
@pytest.mark.parametrize(
    ("role", "plans", "letters"),
    [("leader", 200, 200), ("admin", 200, 200), ("head", 403, 200), ("teacher", 403, 403), ("editor", 403, 403)],
)
async def test_who_writes_plans_and_who_prints_letters(office: Office, role: str, plans: int, letters: int) -> None:
    browser = await office.enter(role)
    await browser.get(PLANS)
    assert browser.status == plans
    await browser.get("/after-school/letters")
    assert browser.status == letters


async def test_only_the_township_says_what_the_county_allows(office: Office) -> None:
    caps = f"/after-school/townships/{office.village.town.id}/caps"
    browser = await office.enter("leader")
    await browser.get(caps)
    assert browser.status == 403
    browser = await office.enter("admin")
    await browser.get(PLANS)
    assert caps in browser.page
    await browser.get(caps)
    await browser.post(caps, {"kind": "", "lesson": "2.50", "term": "", "since": "2026-09-01", "clause": ""})
    assert browser.status == 422
    assert 'value="2.50"' in browser.page, "a form with a fault loses nothing"
    await browser.post(caps, {"kind": "", "lesson": "2.50", "term": "", "since": "2026-09-01", "clause": CLAUSE})
    page = await browser.follow()
    assert "2.50元" in page
    assert CLAUSE in page


# -------------------------------------------------------------------------------------------------------------- a plan
async def test_a_plan_goes_from_draft_over_the_check_to_the_families(office: Office) -> None:
    browser = await office.enter("admin")
    caps = f"/after-school/townships/{office.village.town.id}/caps"
    await browser.get(caps)
    await browser.post(caps, {"kind": "", "lesson": "2", "term": "", "since": "2026-09-01", "clause": CLAUSE})
    browser, plan = await begun(office)
    await add_course(browser, plan)
    page = await browser.get(f"{plan}/check")
    assert "“围棋”收费超过上限" in page
    assert CLAUSE in page
    assert f'action="/admin{plan}/publish"' not in page
    row = await AfterSchoolPlan.get()
    await browser.post(f"{plan}/publish", {"version": str(row.version)})
    assert browser.status == 409, "what the page does not offer is refused all the same"
    programme = await AfterSchoolProgramme.get()
    await browser.get(f"{plan}/programmes/{programme.id}")
    cheaper = course_form(version=browser.hidden("version"), yuan="2", pool=str(programme.pool_id))
    await browser.post(f"{plan}/programmes/{programme.id}", cheaper, weekday=("1", "3"))
    page = await browser.get(f"{plan}/check")
    assert "6个孩子" not in page, "children are counted by the school"
    await browser.post(f"{plan}/publish", {"version": browser.hidden("version")})
    page = await browser.follow()
    assert texts.PUBLISHED in page
    assert f"/p/after-school/{row.id}/fees" in page
    await browser.get(f"{plan}/check")
    assert f"{plan}/publish" not in browser.page


async def test_a_course_with_a_fault_is_shown_again_with_everything_in_it(office: Office) -> None:
    browser, plan = await begun(office)
    await add_course(browser, plan, weekday=(), yuan="三块")
    assert browser.status == 422
    await add_course(browser, plan, weekday=("2",), yuan="三块")
    assert browser.status == 422
    page = unescape(browser.page)
    assert texts.NO_MONEY in page
    assert 'value="三块"' in page
    assert re.search(r'value="2" checked', page)
    assert await AfterSchoolProgramme.all().count() == 0


async def test_fewer_places_are_asked_about_first(office: Office) -> None:
    plan = await published(office)
    pool = await AfterSchoolPool.get()
    pool.taken, pool.waiting = 20, 3
    await pool.save()
    browser, path = office.browser, f"{plan}/pools/{pool.id}"
    await browser.get(path)
    page = await browser.post(path, {"version": browser.hidden("version"), "places": "18"})
    assert browser.status == 200
    assert "多2个" in page
    assert (await AfterSchoolPool.get()).places == 20
    await browser.post(path, {"places": "18", "sure": "yes"})
    assert browser.status == 303
    assert (await AfterSchoolPool.get()).places == 18


async def test_an_earlier_plan_is_copied_and_a_draft_thrown_away(office: Office) -> None:
    plan = await published(office)
    own, browser = plan.rpartition("/")[2], office.browser
    await browser.get(f"{PLANS}/new?like={own}")
    assert browser.hidden("like") == own
    form = head_form(office.village.school.id, like=own, term="2027年春季学期", first="2027-03-01", last="2027-06-25")
    await browser.post(PLANS + "/new", form)
    copy = browser.location
    page = await browser.follow()
    assert "围棋" in page
    version = browser.hidden("version")
    page = await browser.post(f"{copy}/discard", {"version": version})
    assert "1门课" in page
    await browser.post(f"{copy}/discard", {"version": version, "sure": "yes"})
    assert browser.location == PLANS
    assert await AfterSchoolPlan.all().count() == 1


async def test_a_grade_gets_a_window_and_a_published_one_grows_only(office: Office) -> None:
    plan = await published(office)
    browser, path = office.browser, f"{plan}/windows"
    await browser.get(path)
    version = browser.hidden("version")
    later = {"grade": "3", "opens": "2026-09-02T08:00:00", "closes": "2026-09-04T12:00:00", "version": version}
    await browser.post(path, later)
    assert browser.status == 422
    await browser.post(path, {**later, "closes": "2026-09-06T12:00:07"})
    page = await browser.follow()
    assert "三年级" in page
    assert "2026-09-06 12:00:07" in page, "to the second, where it counts"


async def test_a_day_off_becomes_a_notice_to_the_families_of_the_course(office: Office) -> None:
    plan = await published(office)
    browser, path = office.browser, f"{plan}/days-off"
    await browser.get(path)
    programme = await AfterSchoolProgramme.get()
    fields = {"first": "2026-09-28", "last": "", "reason": "校运动会", "version": browser.hidden("version")}
    await browser.post(path, {**fields, "programme": str(programme.id)})
    page = await browser.follow()
    assert "围棋：校运动会" in page
    await browser.post(f"{path}/notice", {"day": browser.hidden("day")})
    assert browser.location.startswith("/notices/"), browser.page
    page = await browser.follow()
    assert "9月28日（星期一）的课后服务“围棋”不上课，原因：校运动会" in page
    notice = await Notice.get()
    assert str(notice.school_id) == str(office.village.school.id)


async def test_closing_asks_first_and_ends_it(office: Office) -> None:
    plan = await published(office)
    browser = office.browser
    await browser.get(plan)
    version = browser.hidden("version")
    page = await browser.post(f"{plan}/close", {"version": version})
    assert texts.CLOSE_EFFECT in page
    await browser.post(f"{plan}/close", {"version": version, "sure": "yes"})
    assert "已结束" in await browser.follow()


# ------------------------------------------------------------------------------------------------------ the public page
async def test_everybody_reads_the_fees_and_nothing_of_families(office: Office) -> None:
    plan = await published(office)
    client = office.browser.client
    client.session.cookie_jar.clear()
    async with client.get(f"/p/after-school/{plan.rpartition('/')[2]}/fees") as response:
        page = await response.text()
        assert response.status == 200
    assert all(words in page for words in ("围棋", "每次3元", CLAUSE, "0527-8412345", "柳河镇中心小学"))
    assert not any(child.name in page for child in office.village.children.values())
    assert "none" in response.headers["Content-Security-Policy"]
    for own in ("x", str(office.village.school.id)):
        async with client.get(f"/p/after-school/{own}/fees") as response:
            assert response.status == 404


async def test_a_draft_is_not_on_the_public_page(office: Office) -> None:
    browser, plan = await begun(office)
    async with browser.client.get(f"/p/after-school/{plan.rpartition('/')[2]}/fees") as response:
        assert response.status == 404


# -------------------------------------------------------------------------------------------------------------- letters
async def test_the_paper_leads_the_head_teacher_to_the_child(office: Office) -> None:
    plan = (await published(office)).rpartition("/")[2]
    browser = await office.enter("head")
    await browser.get("/after-school/letters")
    assert browser.location == f"/after-school/letters/{plan}", "with only one plan, straight to it"
    await browser.follow()
    room = office.village.room
    page = await browser.post(f"/after-school/letters/{plan}/classes/{room.id}", {})
    assert browser.status == 200
    children = [child for key, child in office.village.children.items() if key not in {"next", "far"}]
    assert all(child.name in page for child in children)
    assert page.count("的回条二维码") == len(children)
    assert "checked" not in page, "nothing is ticked for anybody"
    assert page.count("□ 参加</span>") == page.count("□ 不参加</span>") == len(children)
    slip = await AfterSchoolSlip.get(pupil_id=children[0].id)
    await browser.get(f"/after-school/slips/{slip.code}")
    assert browser.location == f"/after-school/tally/{plan}/children/{children[0].id}"
    assert children[0].name in await browser.follow()
    await browser.get(f"/after-school/slips?code={slip.code[:4].lower()}-{slip.code[4:]}")
    assert browser.location.endswith(str(children[0].id))
    stranger = await office.enter("next_head")
    foreign = await stranger.get(f"/after-school/slips/{slip.code}")
    assert stranger.status == 404
    assert children[0].name not in foreign
    await stranger.get("/after-school/slips/ACDE3467")
    assert stranger.status == 404


async def test_without_a_log_in_a_slip_leads_to_the_log_in_and_back(office: Office) -> None:
    browser = office.browser
    browser.client.session.cookie_jar.clear()
    await browser.get("/after-school/slips/ACDE3467")
    assert browser.status == 303
    assert browser.location.startswith("/login?next=")


async def test_letters_wait_for_the_publication(office: Office) -> None:
    browser, plan = await begun(office)
    plan = plan.rpartition("/")[2]
    await browser.get(f"/after-school/letters/{plan}")
    assert browser.status == 404
