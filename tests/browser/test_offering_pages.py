"""The pages of offers in a real browser, on a phone and in the office; the letter as it comes out of the printer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, expect

from bot.clock import SHANGHAI, FrozenClock
from bot.identity import Actor, Door, Grant, Hat, Role
from bot.metrics import Metrics
from bot.storage.database import open_database
from bot.storage.migration import migrate
from bot.storage.redis import RedisStore, redis_client
from handlers.after_school.domain.fees import Cap, Fee, FeeBasis
from handlers.after_school.domain.offers import Grades, Hours, Window
from handlers.after_school.models import AfterSchoolPool, AfterSchoolProgramme
from handlers.after_school.service.offers import OffersService, PlanDraft, PoolDraft, ProgrammeDraft
from handlers.calendar.domain import Term
from handlers.calendar.service.founding import put_calendar
from tests import factories
from tests.browser.profiles import Profile, Profiles
from tests.browser.test_console import SIZES, Looker, looker, serious_faults
from tests.handlers.notices.pages_stage import Office, open_office
from tests.settings import make_settings, sqlite_url

__all__ = ["looker"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NOW = datetime(2026, 9, 2, 9, tzinfo=SHANGHAI)
CLAUSE = "县发改〔2026〕5号第三条"
DAYS = frozenset({1, 2, 3, 4, 5})


@dataclass
class Site:
    """A running console, with a plan that families can see and one that may not be published."""

    url: str
    office: Office
    plan: str
    draft: str

    async def window(self, browser: Profiles, role: str, size: tuple[int, int], *, script: bool = True) -> Profile:
        """A window of somebody."""
        context = await browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale="zh-CN", java_script_enabled=script
        )
        secret = await self.office.secret(role)
        cookie = {"name": "xiangxiao_console", "value": secret, "url": f"{self.url}/admin/"}
        await context.add_cookies([cast(Any, cookie)])
        return context


def _course(title: str, grades: tuple[int, int], end: str, fen: int, **values: Any) -> ProgrammeDraft:
    fee = Fee(FeeBasis.PER_LESSON, fen, CLAUSE) if fen else Fee(FeeBasis.FREE)
    hours = Hours(values.pop("days", DAYS), time(16), time.fromisoformat(end))
    return ProgrammeDraft(title=title, grades=Grades(*grades), hours=hours, fee=fee, **values)


def _pools(fen: int) -> tuple[PoolDraft, ...]:
    chess = _course("围棋入门", (1, 6), "17:20", fen, room="科学楼302", days=frozenset({1, 3}))
    words = _course("书法", (3, 6), "17:20", fen, room="美术室", days=frozenset({1, 3}))
    low, high = _course("作业看护（低年级）", (1, 2), "17:00", 0), _course("作业看护（高年级）", (3, 6), "17:30", 0)
    return (
        PoolDraft(title="周一周三兴趣课", places=40, programmes=(chess, words)),
        PoolDraft(title="看护", places=None, programmes=(low, high)),
        PoolDraft(title="足球", places=24, programmes=(_course("足球", (3, 6), "17:20", fen, days=frozenset({5})),)),
    )


async def _plans(office: Office) -> tuple[str, str]:
    village, offers = office.village, office.machinery.services.get(OffersService)
    town = str(village.town.id)
    grant = Grant(Role.ADMINISTRATOR, townships=frozenset({town}))
    own = str(village.people["admin"].id)
    admin = Actor(roles=frozenset({grant.role}), person_id=own, grants=(grant,), hat=Hat.STAFF, door=Door.CONSOLE)
    await offers.set_cap(admin, town, Cap(300, 40_000, date(2026, 9, 1), CLAUSE))
    made = []
    for fen, title in ((300, "课后服务"), (350, "课后服务（下学期）")):
        draft = PlanDraft(
            township_id=town,
            school_id=str(village.school.id),
            term="2026年秋季学期",
            title=title,
            first_day=date(2026, 9, 14),
            last_day=date(2026, 12, 18),
            window=Window(NOW, datetime(2026, 9, 5, 20, tzinfo=SHANGHAI)),
            windows={1: Window(NOW, datetime(2026, 9, 6, 20, tzinfo=SHANGHAI))},
            pools=_pools(fen),
            days_off={date(2026, 9, 28): "校运动会", date(2026, 9, 29): "校运动会"},
            complaint_phone="0527-8412345",
            pick_up_point="学校南门",
        )
        made.append(await offers.write(admin, draft))
    await offers.publish(admin, made[0].id, made[0].version)
    return made[0].id, made[1].id


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    settings = make_settings(database={"url": sqlite_url(tmp_path_factory.mktemp("offering") / "console.db")})
    await asyncio.to_thread(lambda: asyncio.run(migrate(settings)))
    store = RedisStore(redis_client("memory://"), Metrics())
    async with open_database(settings), open_office(settings, store, FrozenClock(NOW)) as office:
        term = Term(date(2026, 9, 1), date(2027, 1, 22), "秋季学期")
        await put_calendar(office.village.town.id, [term], [], NOW)
        for _ in range(4):
            await factories.make_pupil(office.village.room)
        plan, draft = await _plans(office)
        async with TestServer(office.app) as server:
            yield Site(str(server.make_url("")).rstrip("/"), office, plan, draft)
    await store.close()


@pytest_asyncio.fixture(params=SIZES, loop_scope="session")
async def page(request: pytest.FixtureRequest, browser: Profiles, site: Site) -> AsyncIterator[Page]:
    """The administrator's; what the page's own rules forbid fails it."""
    context = await site.window(browser, "admin", SIZES[request.param])
    opened = await context.new_page()
    faults: list[str] = []
    opened.on("console", lambda entry: faults.append(entry.text) if "Security Policy" in entry.text else None)
    yield opened
    await context.close()
    assert faults == []


async def test_no_page_of_offers_has_a_serious_fault(site: Site, page: Page, looker: Looker) -> None:
    plans, letters = "/after-school/plans", "/after-school/letters"
    own, draft = f"{plans}/{site.plan}", f"{plans}/{site.draft}"
    programme = await AfterSchoolProgramme.filter(plan_id=site.draft, title="书法").get()
    shown = await AfterSchoolProgramme.filter(plan_id=site.plan, title="书法").get()
    pool = await AfterSchoolPool.get(id=shown.pool_id)
    paths = (
        plans, f"{plans}/new", f"{plans}/new?like={site.plan}", own, draft, f"{draft}/edit", f"{own}/edit",
        f"{draft}/check", f"{draft}/programmes/new", f"{draft}/programmes/{programme.id}",
        f"{own}/programmes/{shown.id}", f"{own}/pools/{pool.id}", f"{own}/windows", f"{own}/days-off",
        f"/after-school/townships/{site.office.village.town.id}/caps", f"{letters}/{site.plan}", "/after-school/slips",
    )  # fmt: skip
    found, size = {}, "phone" if page.viewport_size and page.viewport_size["width"] < 700 else "office"
    for number, path in enumerate(paths):
        await page.goto(f"{site.url}/admin{path}")
        found[path] = await looker.faults(page, f"offering-{number:02}-{size}")
    await page.goto(f"{site.url}/admin{own}/pools/{pool.id}")
    await page.get_by_label("一共几个名额").fill("10")
    await page.get_by_role("button", name="看看会怎样").click()
    await expect(page.get_by_role("heading", name="修改名额")).to_be_visible()
    found["sure"] = await looker.faults(page, f"offering-sure-{size}")
    await page.goto(f"{site.url}/admin{letters}/{site.plan}")
    await page.get_by_role("button", name="做好，去打印").first.click()
    await expect(page.get_by_role("heading", name="告家长书", exact=False).first).to_be_visible()
    found["letter"] = await looker.faults(page, f"offering-letter-{size}")
    await page.goto(f"{site.url}/p/after-school/{site.plan}/fees")
    found["fees"] = [*await serious_faults(page), *await looker.faults(page, f"offering-fees-{size}")]
    assert {path: faults for path, faults in found.items() if faults} == {}


async def test_a_letter_is_one_sheet_of_paper_and_reads_the_same_without_a_screen(
    site: Site, browser: Profiles, request: pytest.FixtureRequest
) -> None:
    context = await site.window(browser, "head", SIZES["office"])
    page = await context.new_page()
    await page.goto(f"{site.url}/admin/after-school/letters/{site.plan}")
    await page.get_by_role("button", name="做好，去打印").first.click()
    letters = await page.locator("section.letter").count()
    printed = await page.pdf(format="A4", prefer_css_page_size=True)
    assert printed.count(b"/Type /Page\n") == letters, "one child, one sheet"
    folder = request.config.getoption("--shots", default=None)
    if folder:
        await asyncio.to_thread(lambda: (Path(folder) / "offering-letter.pdf").write_bytes(printed))
        await page.emulate_media(media="print")
        await page.set_viewport_size({"width": 718, "height": 1047})
        await page.screenshot(path=Path(folder) / "offering-letter-paper.png")
        await page.emulate_media(media="screen")
    sizes = await page.locator(".letter-marks span").evaluate_all(
        "nodes => nodes.map(node => [getComputedStyle(node).fontSize, node.getBoundingClientRect().width])"
    )
    assert len({tuple(size) for size in sizes}) == 1, "to take part or not stands there in one size"
    await context.close()


async def test_without_javascript_a_plan_is_written_and_published(site: Site, browser: Profiles) -> None:
    context = await site.window(browser, "leader", SIZES["phone"], script=False)
    page = await context.new_page()
    await page.goto(f"{site.url}/admin/after-school/plans")
    await page.get_by_role("link", name="写新学期的安排").click()
    await page.get_by_label("哪里的安排").select_option(label="柳河镇中心小学")
    await page.get_by_label("名称").fill("午间服务")
    await page.get_by_label("第一天").fill("2026-10-12")
    await page.get_by_label("最后一天").fill("2026-12-18")
    await page.get_by_label("报名开始").fill("2026-10-01T08:00:00")
    await page.get_by_label("报名截止").fill("2026-10-08T20:00:30")
    await page.get_by_role("button", name="建好草稿，下一步添课程").click()
    await page.get_by_role("link", name="添加课程").click()
    await page.get_by_label("课程名称").fill("午休看护")
    await page.get_by_label("星期一").check()
    await page.get_by_label("几点开始").fill("12:00")
    await page.get_by_label("几点结束").fill("13:30")
    await page.get_by_label("怎样收费").select_option("free")
    await page.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("link", name="午休看护", exact=True)).to_be_visible()
    await page.get_by_role("link", name="核对，去公布").click()
    await page.get_by_role("button", name="公布给家长").click()
    await expect(page.get_by_role("link", name="打印告家长书")).to_be_visible()
    await context.close()
