"""The console's pages of the check, as those who use them see them."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from python_calamine import CalamineWorkbook

from bot.identity import Door
from handlers.accounts.models import Person
from handlers.accounts.service.sessions import SessionService
from handlers.term_check import texts
from handlers.term_check.domain.cases import CaseState
from tests.handlers.after_school.waivers_stage import png
from tests.handlers.console.stage import Browser, browser_of, console_app
from tests.handlers.term_check.stage import Stage

# What must stand on no page: why a family might be in need of anything.
LABELS = ("留守", "单亲", "贫困", "残疾", "孤儿", "低保")


@dataclass
class Desk:
    """A console, and the people of the township at it."""

    stage: Stage
    browser: Browser

    async def enter(self, person: Person) -> Browser:
        """Somebody is logged in."""
        secret = (await self.stage.machinery.services.get(SessionService).open_console(person.id)).secret
        self.browser.client.session.cookie_jar.update_cookies({"xiangxiao_console": secret})
        return self.browser

    async def upload(self, path: str, picture: bytes, **form: str) -> None:
        """A form with a picture, from the last page."""
        from aiohttp import FormData

        data = FormData()
        for name, value in {"form_token": self.browser.token, **form}.items():
            data.add_field(name, value)
        data.add_field("proof", picture, filename="p.png", content_type="image/png")
        response = await self.browser.client.post(f"/admin{path}", data=data, allow_redirects=False)
        await self.browser._take(response)


@pytest.fixture
async def desk(stage: Stage) -> AsyncIterator[Desk]:
    await stage.build((3, 7))
    await stage.begin()
    async with browser_of(console_app(stage.machinery, stage.assembly.parts)) as browser:
        yield Desk(stage, browser)


async def test_a_class_is_reported_and_a_child_found(desk: Desk) -> None:
    stage, room = desk.stage, desk.stage.schools[0].rooms[0]
    away = room.children[0]
    browser = await desk.enter(room.head)
    assert "还没交" in await browser.get("/term-check")
    page = await browser.get(f"/term-check/rooms/{room.id}")
    assert all(child.name in page for child in room.children)
    await browser.post(f"/term-check/rooms/{room.id}", absent=[str(away.id)])
    assert (browser.status, browser.location) == (303, f"/term-check/rooms/{room.id}")
    page = await browser.follow()
    assert "2人到校，还有1人没到" in page
    assert "checked> 没到" in page
    case = f"/term-check/cases/{(await stage.case_of(away)).id}"
    assert away.name in await browser.get("/term-check/cases")
    await browser.get(case)
    assert "请选打电话" in await browser.post(f"{case}/steps", {"words": "打过电话没人接"})
    assert browser.status == 422
    await browser.post(f"{case}/steps", {"kind": "visit", "words": "见到奶奶，说下周回来"})
    assert "见到奶奶，说下周回来" in await browser.follow()
    assert "请选是听谁说的" in await browser.post(f"{case}/where", {"where_to": "跟父母在县城"})
    await browser.post(f"{case}/where", {"where_to": "跟父母在县城", "known_by": "relative"})
    assert "亲戚、邻居" in await browser.follow()
    await desk.upload(f"{case}/end", b"", event="transfer", words="转到县城二小")
    assert browser.status == 422
    await desk.upload(f"{case}/end", b"no picture", event="transfer", words="转到县城二小")
    assert browser.status == 422
    await desk.upload(f"{case}/end", png(), event="transfer", words="转到县城二小")
    page = await browser.follow()
    assert "已转学，有凭证" in page
    assert "看第1张" in page
    proof = (await stage.cases.one(await stage.actor(room.head), case.rpartition("/")[2])).proofs[0]
    await browser.get(f"{case}/proofs/{proof}")
    assert browser.status == 200
    assert "已转学" in await browser.get(f"/term-check/rooms/{room.id}")
    await browser.get(case)
    await browser.post(f"{case}/reopen", {"words": "那边没有来报到"})
    assert (await stage.case_of(away)).state is CaseState.ABSENT
    await browser.get(case)
    assert browser.status == 200
    await browser.post(f"{case}/end", {"event": "return"})
    assert (await stage.case_of(away)).state is CaseState.RETURNED


async def test_what_is_filled_in_wrongly_stays_on_the_page(desk: Desk) -> None:
    stage, room = desk.stage, desk.stage.schools[0].rooms[0]
    await stage.report(room, room.children[0])
    browser = await desk.enter(room.head)
    case = f"/term-check/cases/{(await stage.case_of(room.children[0])).id}"
    await browser.get(case)
    page = await browser.post(
        f"{case}/steps", {"form": "talk", "kind": "call", "words": "电话打不通", "on_day": "昨天"}
    )
    assert browser.status == 422
    assert "日期看不懂" in page
    assert "电话打不通" in page
    page = await browser.post(f"{case}/end", {"form": "end", "event": "excuse", "words": "发烧住院了"})
    assert "请填预计哪天返校" in page
    page = await browser.post(f"/term-check/rooms/{room.id}", absent=[str(stage.schools[0].rooms[1].children[0].id)])
    assert browser.status == 422
    assert texts.NOT_OF_CLASS in page
    await browser.post(f"/term-check/rooms/{room.id}", absent=["x"])
    assert browser.status == 404


async def test_leader_and_township_see_who_owes_and_the_rates_with_their_definitions(desk: Desk) -> None:
    stage = desk.stage
    primary, junior = stage.schools[0].rooms
    await stage.report(primary, primary.children[0])
    browser = await desk.enter(stage.schools[0].leader)
    page = await browser.get("/term-check/board")
    assert "今天有1个班还没交到校情况；一共还有1名学生没到" in page
    assert f"/term-check/rooms/{junior.id}" in page
    year = await browser.get("/term-check/year")
    assert "还没有登记辍学率的控制数" in year
    assert all(words in year for words in texts.DEFINITIONS.values())
    browser = await desk.enter(stage.admin)
    rules = await browser.get("/term-check/rules")
    assert 'value="2%"' in rules
    form = {
        "township": str(stage.town.id), "since": "2026-09-01", "school": "1", "centre": "3", "town": "5",
        "primary": "2%", "junior": "3", "clause": "本镇2026年1号文件", "centre_school": stage.schools[0].id,
    }  # fmt: skip
    assert "规定没有填好" in await browser.post("/term-check/rules", form | {"town": "2"})
    await browser.post("/term-check/rules", form)
    assert "本镇2026年1号文件" in await browser.follow()
    year = await browser.get("/term-check/year?year=2026")
    assert "超过控制数" in year
    assert "33.33%" in year
    assert "66.67%" in year
    await browser.get("/term-check/year?export=xlsx")
    assert browser.response is not None
    book = CalamineWorkbook.from_filelike(io.BytesIO(await browser.response.read()))
    cells = book.get_sheet_by_index(0).to_python()
    assert any("小学低于2%" in str(row) for row in cells)
    row = next(row for row in cells if stage.schools[0].row.name in row)
    assert row[1:8] == ["小学", "3", "2", "1", "0", "0", "0"]
    assert row[8:11] == ["—", "66.67%", "33.33%"]


async def test_nobody_sees_a_page_that_is_not_theirs_and_no_page_has_a_label(desk: Desk) -> None:
    stage, room = desk.stage, desk.stage.schools[0].rooms[0]
    await stage.report(room, room.children[0])
    case = f"/term-check/cases/{(await stage.case_of(room.children[0])).id}"
    of_all = ["/term-check", f"/term-check/rooms/{room.id}", "/term-check/cases", case, "/term-check/board",
              "/term-check/year", "/term-check/rules"]  # fmt: skip
    allowed = {
        room.head: {*of_all[:4]},
        stage.schools[0].rooms[1].head: {"/term-check", "/term-check/cases"},
        stage.schools[0].leader: {*of_all[:6]},
        stage.admin: {*of_all[2:]},
    }
    for person, pages in allowed.items():
        browser = await desk.enter(person)
        for path in of_all:
            page = await browser.get(path)
            assert (path in pages) == (browser.status == 200), (path, browser.status)
            assert not any(label in page for label in LABELS)


async def test_what_waits_stands_on_the_first_page(desk: Desk) -> None:
    stage, room = desk.stage, desk.stage.schools[0].rooms[0]
    head = await stage.actor(room.head, Door.CONSOLE)
    assert [(each.title, each.count) for each in await stage.returns.todos_of(head)] == [(texts.TODO_RETURN, 1)]
    await stage.report(room, room.children[0])
    assert await stage.returns.todos_of(head) == ()
    assert [(each.title, each.count) for each in await stage.cases.todos_of(head)] == [(texts.TODO_CASES, 1)]
    admin = await stage.actor(stage.admin)
    assert await stage.returns.todos_of(admin) == ()
    assert [each.count for each in await stage.cases.todos_of(admin)] == [1]


async def test_a_school_begins_by_hand_on_its_page(desk: Desk) -> None:
    from datetime import date

    from handlers.term_check.models import TermCheckListed, TermCheckRound
    from tests.handlers.term_check.stage import at

    stage = desk.stage
    await TermCheckListed.all().delete()
    await TermCheckRound.all().delete()
    stage.clock.set(at(date(2026, 11, 10)))
    browser = await desk.enter(stage.schools[0].leader)
    assert "这学期还没有开始清点" in await browser.get("/term-check")
    await browser.post("/term-check/begin", {"school": stage.schools[0].id})
    assert "清点开始了" in await browser.follow()
    assert "去清点" in await browser.get("/term-check")
