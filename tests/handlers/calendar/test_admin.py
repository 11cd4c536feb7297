"""The pages of the calendar, as a browser without JavaScript sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import pytest

from bot.capability import Machinery
from bot.clock import SHANGHAI, FrozenClock
from bot.config import Settings
from bot.storage.database import Database
from bot.storage.redis import RedisStore
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Person, School, Township
from handlers.accounts.service.sessions import SessionService
from handlers.calendar import texts
from handlers.calendar.capability import build
from handlers.calendar.service.calendars import CalendarService
from tests import factories
from tests.handlers.calendar.conftest import Planner
from tests.handlers.console.stage import Browser, DrawingWeChat, browser_of, console_app, console_part, machinery_of

TERM = {"name": "2026年秋季学期", "first": "2026-09-01", "last": "2027-01-22"}


@dataclass
class Office:
    """A console, a township of two schools, and people on the staff."""

    machinery: Machinery
    browser: Browser
    clock: FrozenClock
    town: Township
    school: School
    other: School
    admin: Person
    leader: Person
    teacher: Person

    async def enter(self, person: Person) -> None:
        """The person is logged in at the browser."""
        opened = await self.machinery.services.get(SessionService).open_console(person.id)
        self.browser.client.session.cookie_jar.update_cookies({"xiangxiao_console": opened.secret})

    @property
    def town_page(self) -> str:
        """Of the township."""
        return f"/calendar/townships/{self.town.id}"

    @property
    def school_page(self) -> str:
        """Of the leader's school."""
        return f"/calendar/schools/{self.school.id}"

    @property
    def calendars(self) -> CalendarService:
        """What the pages change."""
        return self.machinery.services.get(CalendarService)

    async def confirm(self, path: str, form: dict[str, str], **lists: list[str]) -> str:
        """Fills a form in, looks, and says yes; gives what was to be seen before that."""
        seen = await self.browser.post(path, form, **lists)
        assert "将要发生的变化" in seen, seen
        sure = {**form, "changes": self.browser.hidden("changes"), "sure": "yes"}
        await self.browser.post(path, sure, **lists)
        assert self.browser.status == 303
        return seen


@pytest.fixture
async def office(
    database: Database, settings: Settings, redis: RedisStore, clock: FrozenClock
) -> AsyncIterator[Office]:
    clock.set(datetime(2026, 10, 9, 8, 0, tzinfo=SHANGHAI))
    machinery = machinery_of(settings, redis, clock, DrawingWeChat())
    console_part(machinery)
    machinery.parts.append(build(machinery))
    town = await factories.make_township(name="柳河镇")
    school, other = (
        await factories.make_school(town, name="柳庄小学"),
        await factories.make_school(town, name="河口小学"),
    )
    admin, leader, teacher = [await factories.make_person() for _ in range(3)]
    await factories.make_appointment(AppointmentKind.TOWNSHIP_ADMINISTRATOR, admin, township=town)
    await factories.make_appointment(AppointmentKind.SCHOOL_LEADER, leader, school=school)
    room = await factories.make_class(school)
    await factories.make_appointment(AppointmentKind.SUBJECT_TEACHER, teacher, school=school, school_class=room)
    async with browser_of(console_app(machinery, machinery.parts)) as browser:
        made = Office(machinery, browser, clock, town, school, other, admin, leader, teacher)
        await made.enter(admin)
        await browser.get(f"{made.town_page}/terms")
        await made.confirm(f"{made.town_page}/terms", TERM)
        yield made


async def test_a_teacher_sees_the_month_in_words_and_can_change_nothing(office: Office) -> None:
    await office.enter(office.teacher)
    page = await office.browser.get("/calendar")
    assert "柳庄小学" in page
    page = await office.browser.get(office.school_page)
    assert "今天是2026年10月9日（星期五），2026年秋季学期第6周，上课。" in page
    for words in ("调休上课", "放假", "国庆节", "休息", "今天"):
        assert words in page
    assert "这个月上课18天，最后一个上课日是2026年10月30日（星期五）。" in page
    for way in ("/terms", "/days", "/week"):
        assert office.school_page + way not in page
        await office.browser.get(office.school_page + way)
        assert office.browser.status == 403
    assert "还没有公布" not in page


async def test_a_month_of_a_year_without_a_table_says_that_it_is_provisional(office: Office) -> None:
    page = await office.browser.get(f"{office.town_page}?month=2027-01")
    assert "2027年的放假安排还没有公布" in page
    assert "（临时）" in page
    for odd in ("2027-13", "x", "2027", "99999-01", "²-1"):
        assert "2026年10月" in await office.browser.get(f"{office.town_page}?month={odd}")
        assert office.browser.status == 200
    assert "2026年1月" in await office.browser.get(f"{office.town_page}?month=2026-01")
    assert f"{office.town_page}?month=2025-12" in office.browser.page


async def test_local_days_are_looked_at_saved_changed_and_removed(office: Office) -> None:
    planner = Planner(moves=12, named=[f"第{number}项" for number in range(1, 13)])
    office.calendars.add_dependents(planner)
    days = f"{office.town_page}/days"
    form = {"name": "", "kind": "harvest", "effect": "off", "first": "2026-10-12", "last": "2026-10-13"}
    await office.browser.get(days)
    seen = await office.confirm(days, form)
    assert "少上课2天：2026年10月12日（星期一）、2026年10月13日（星期二）" in seen
    assert "柳庄小学" in seen
    assert "河口小学" in seen
    assert "有12条会改到别的时间" in seen
    assert "第10项" in seen
    assert "第11项" not in seen
    assert texts.MORE_MOVED.format(count=2) in seen
    page = await office.browser.follow()
    assert texts.SAVED in page
    assert "农忙" in page
    own = office.browser.hidden("id")
    planner.moves, planner.named = 0, ()
    page = await office.browser.get(office.town_page)
    found = [part.split('"')[0] for part in page.split("/days?id=")[1:]]
    assert len(found) == 1
    page = await office.browser.get(f"{days}?id={found[0]}")
    assert 'value="2026-10-13"' in page
    seen = await office.confirm(days, {**form, "id": found[0], "last": "", "name": "收稻子"})
    assert "多上课1天：2026年10月13日（星期二）" in seen
    assert texts.MOVED_NONE in seen
    await office.browser.get(office.town_page)
    await office.confirm(f"{days}/remove", {"id": found[0]})
    assert "收稻子" not in await office.browser.get(office.town_page)
    assert own


async def test_wrong_forms_say_what_to_do_and_keep_what_was_typed(office: Office) -> None:
    terms = f"{office.town_page}/terms"
    await office.browser.get(terms)
    for change, told in (
        ({"first": "2026年"}, texts.NO_DATES),
        ({"first": "2027-01-22", "last": "2027-07-01"}, "重叠"),
        ({"first": "2027-09-01", "last": "2027-08-01"}, "最后一天要在第一天之后"),
        ({"name": "", "first": "2027-03-01", "last": "2027-07-01"}, "要有名称"),
    ):
        page = await office.browser.post(terms, {**TERM, "name": "春季", **change})
        assert office.browser.status == 422
        assert told in page
        assert f'value="{change.get("first")}"' in page
    days = f"{office.town_page}/days"
    page = await office.browser.post(days, {"kind": "x", "effect": "off", "first": "2026-10-12"})
    assert texts.NO_CHOICE in page
    page = await office.browser.post(f"{office.town_page}/week", {})
    assert office.browser.status == 422
    assert "至少要有一天上课" in page
    for path in (f"{terms}?id={office.school.id}", f"{days}?id=x", f"{office.town_page}/year?year=1"):
        await office.browser.get(path)
        assert office.browser.status == 404
    for path in (f"{terms}/remove", f"{days}/remove"):
        await office.browser.get(terms)
        await office.browser.post(path, {"id": str(office.school.id)})
        assert office.browser.status == 404


async def test_what_somebody_else_changed_meanwhile_is_shown_anew(office: Office) -> None:
    week = f"{office.town_page}/week"
    await office.browser.get(week)
    await office.browser.post(week, {}, weekday=["1", "2", "3", "4", "5", "6"])
    old = office.browser.hidden("changes")
    await office.browser.get(f"{office.town_page}/days")
    form = {"kind": "market", "effect": "off", "first": "2026-10-19"}
    await office.confirm(f"{office.town_page}/days", form)
    await office.browser.get(week)
    page = await office.browser.post(week, {"changes": old, "sure": "yes"}, weekday=["1", "2", "3", "4", "5", "6"])
    assert office.browser.status == 409
    assert "刚被别人改过" in page
    new = office.browser.hidden("changes")
    await office.browser.post(week, {"changes": new, "sure": "yes"}, weekday=["1", "2", "3", "4", "5", "6"])
    assert office.browser.status == 303
    assert "星期一、二、三、四、五、六" in await office.browser.get(office.town_page)
    assert "改回星期一至星期五" in await office.browser.get(week)
    await office.confirm(week, {"usual": "yes"})
    assert "星期一、二、三、四、五。" in await office.browser.get(office.town_page)
    await office.browser.get(week)
    for odd in ("", "-1", "x", "99999999999"):
        await office.browser.post(week, {"changes": odd, "sure": "yes"}, weekday=["1"])
        assert office.browser.status == 409


async def test_a_school_leader_changes_the_own_school_only(office: Office) -> None:
    await office.enter(office.leader)
    term = {"name": "本校秋季学期", "first": "2026-08-31", "last": "2027-01-15"}
    await office.browser.get(f"{office.school_page}/terms")
    seen = await office.confirm(f"{office.school_page}/terms", term)
    assert "多上课1天：2026年8月31日（星期一）。" in seen
    assert "少上课5天" in seen
    page = await office.browser.get(office.school_page)
    assert "本校秋季学期" in page
    for path in (f"/calendar/schools/{office.other.id}/terms", f"/calendar/schools/{office.town.id}/terms"):
        await office.browser.get(path)
        assert office.browser.status == 404
    for path in (f"{office.town_page}/terms", f"{office.town_page}/year"):
        await office.browser.get(path)
        assert office.browser.status == 403


def notice(**values: str) -> dict[str, str]:
    """The form of a table for 2027."""
    return {
        "year": "2027",
        "source": "国务院办公厅关于2027年部分节假日安排的通知（样例）",
        "holiday_0": "元旦",
        "first_0": "2027-01-01",
        "last_0": "2027-01-03",
        "holiday_1": "春节",
        "holiday_4": "劳动节",
        "first_4": "2027-05-01",
        "last_4": "2027-05-05",
        "holiday_6": "国庆节",
        "first_6": "2027-10-01",
        "last_6": "2027-10-07",
        "make_up_0": "2027-01-09",
        **values,
    }


async def test_the_missing_table_is_on_the_first_page_and_is_entered_there(office: Office) -> None:
    office.clock.set(datetime(2026, 11, 3, 8, 0, tzinfo=SHANGHAI))
    await office.enter(office.admin)
    page = await office.browser.get("/")
    assert texts.TODO_YEAR.format(year=2027) in page
    year = f"{office.town_page}/year"
    page = await office.browser.get(f"{year}?year=2027")
    assert "还没有2027年的放假安排" in page
    assert 'value="清明节"' in page
    seen = await office.confirm(year, notice())
    assert "多上课1天：2027年1月9日（星期六）。" in seen
    assert "全年法定节假日应当是13天" in seen
    assert texts.TODO_YEAR.format(year=2027) not in await office.browser.get("/")
    page = await office.browser.get(f"{year}?year=2027")
    assert 'value="2027-01-09"' in page
    assert "这是本镇填写的安排" in page
    await office.confirm(year, {"year": "2027", "usual": "yes"})
    assert texts.TODO_YEAR.format(year=2027) in await office.browser.get("/")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"source": ""}, "名称和文号"),
        ({"last_0": ""}, texts.HALF_HOLIDAY),
        ({"first_0": "2027-01-02"}, "不能没有"),
        ({"make_up_1": "2027-01-05"}, "应当是放假以外的星期六或星期日"),
        ({"make_up_1": "2028-02-05"}, "日期不在这一年"),
        ({"make_up_1": "明天"}, texts.NO_DATES),
    ],
)
async def test_a_table_that_cannot_be_is_refused_with_what_was_typed(
    office: Office, change: dict[str, str], told: str
) -> None:
    year = f"{office.town_page}/year"
    await office.browser.get(f"{year}?year=2027")
    page = await office.browser.post(year, notice(**change))
    assert office.browser.status == 422
    assert told in page
    assert 'value="2027-05-05"' in page


async def test_a_shipped_table_is_shown_with_its_source(office: Office) -> None:
    page = await office.browser.get(f"{office.town_page}/year?year=2026")
    assert "国办发明电〔2025〕7号" in page
    assert 'value="2026-10-10"' in page
    assert "随程序发布" in page
