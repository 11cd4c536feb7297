"""The play: from the plan to the last bill, each deed through the door at which people do it."""

from __future__ import annotations

import base64
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random

from bot.clock import SHANGHAI
from handlers.after_school.models import AfterSchoolEnrolment, AfterSchoolProgramme
from handlers.after_school.texts import collection as collection_texts
from tests.handlers.after_school.waivers_stage import png
from tests.handlers.console.stage import Browser
from tests.scenarios.term.book import Book, Course
from tests.scenarios.term.cast import Cast, Family

CARE, BALL, BRUSH = "看护", "篮球", "书法"
CLAUSE = "县发改〔2026〕5号第三条"
TERM = "2026年秋季学期"
OPENS, CLOSES = datetime(2026, 9, 7, 12, 0, 0, tzinfo=SHANGHAI), datetime(2026, 9, 9, 20, 0, 30, tzinfo=SHANGHAI)
SECOND = timedelta(seconds=1)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A moment in China."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI)


@dataclass
class Play:
    """What goes on. `forgotten`: a lesson whose roster is taken late; `off`: one that did not take place."""

    cast: Cast
    book: Book
    dice: Random
    plan: str = ""
    forgotten: date | None = None
    off: date | None = None
    ids: dict[str, str] = field(default_factory=dict)
    diary: set[tuple[datetime, int, str]] = field(default_factory=set)

    # ------------------------------------------------------------------------------------------------------------ parts
    def set(self, moment: datetime) -> None:
        """It is later."""
        self.cast.town.clock.set(moment)

    @property
    def today(self) -> date:
        """In China."""
        return self.cast.town.clock.now().astimezone(SHANGHAI).date()

    def teacher(self, title: str, room: int | None) -> str:
        """Who gives a lesson: by the name of a role, or the number of a head teacher."""
        return {BALL: "ball", BRUSH: "brush"}.get(title) or f"head {room}"

    def heard(self) -> None:
        """What came to the phones is what the book says, family by family and kind by kind."""
        kinds = {"课后服务请答复": "remind", "课后服务有名额了": "offer", "课后服务名额已过保留时间": "lapsed"}
        kinds |= {"办理结果": "result", "紧急": "missing"}
        found: Counter[tuple[int, str]] = Counter()
        for family in self.cast.families.values():
            if family.openid:
                for item in self.cast.pushed(family.openid):
                    said = item.card.text if item.card is not None else item.text
                    kind = next((kind for words, kind in kinds.items() if words in said), said)
                    found[family.number, kind] += 1
                    self.diary.add((item.at, family.number, kind))
        assert found == self.book.told, (found - self.book.told, self.book.told - found)
        self.book.told.clear()

    # ------------------------------------------------------------------------------------------------------- the offers
    async def offers(self) -> None:
        """The leader writes the plan, the office the cap; families see it, and nobody who has no business does."""
        self.set(datetime(2026, 9, 2, 9, tzinfo=SHANGHAI))
        async with self.cast.desk(self.cast.staff["office"]) as office:
            caps = f"/after-school/townships/{self.cast.township.id}/caps"
            await office.post(caps, {"kind": "", "lesson": "60", "term": "", "since": "2026-09-01", "clause": CLAUSE})
            for code, percent in (("03", "100"), ("10", "50")):
                rule = {"code": code, "percent": percent, "since": "2026-09-01", "clause": CLAUSE, "evidence": ""}
                await office.post("/waiver-rules", rule)
                assert office.status == 303, office.page
        async with self.cast.desk(self.cast.staff["leader"]) as leader:
            head = {
                "owner": str(self.cast.school.id), "title": "课后服务", "term": TERM,
                "first": self.book.first.isoformat(), "last": self.book.last.isoformat(),
                "opens": OPENS.replace(tzinfo=None).isoformat(), "closes": CLOSES.replace(tzinfo=None).isoformat(),
                "phone": "0527-8412345", "pick_up": "南门", "offer_days": "2", "settle": "attended",
            }  # fmt: skip
            await leader.post("/after-school/plans/new", head)
            assert leader.status == 303, leader.page
            plan = leader.location
            for course in self.book.courses.values():
                await self._offer(leader, plan, course)
            await leader.get(f"{plan}/check")
            await leader.post(f"{plan}/publish", {"version": leader.hidden("version")})
            assert leader.status == 303, leader.page
        self.plan = plan.rpartition("/")[2]
        self.ids = {row.title: str(row.id) for row in await AfterSchoolProgramme.filter(plan_id=self.plan)}

    async def _offer(self, leader: Browser, plan: str, course: Course) -> None:
        teacher = "" if course.by_class else str(self.cast.staff[self.teacher(course.title, None)].id)
        start, end = ("16:00", "17:00") if course.by_class else ("17:00", "17:40")
        basis = "free" if not course.fee else "per_lesson" if course.a_lesson else "per_term"
        await leader.get(f"{plan}/programmes/new")
        form = {
            "version": leader.hidden("version"), "title": course.title, "lowest": "1", "highest": "6", "start": start,
            "end": end, "pool": "", "places": "" if course.places is None else str(course.places), "basis": basis,
            "selection": "first_come", "yuan": f"{course.fee // 100}.{course.fee % 100:02}" if course.fee else "",
            "payer": "family", "clause": CLAUSE if course.fee else "", "teacher": teacher, "room": "", "pick_up": "",
        }  # fmt: skip
        await leader.post(f"{plan}/programmes/new", form, weekday=[str(day) for day in course.weekdays])
        assert leader.status == 303, leader.page

    async def letters(self) -> int:
        """Each head teacher prints one sheet a child; gives how many there are."""
        sheets = 0
        for room, head in zip(self.cast.rooms, self.cast.heads, strict=True):
            async with self.cast.desk(head) as browser:
                page = await browser.post(f"/after-school/letters/{self.plan}/classes/{room.id}")
                found = page.count('class="sheet letter"')
                named = sum(f"<strong>{each.child.name}</strong>" in page for each in self._of(head))
                assert named == found == len(self._of(head))
                sheets += found
        return sheets

    def _of(self, head: object) -> list[Family]:
        room = self.cast.heads.index(head)  # type: ignore[arg-type]
        return [family for family in self.cast.families.values() if family.room == room]

    # ---------------------------------------------------------------------------------------------------------- sign-up
    async def window_opens(self) -> None:
        """To the second."""
        first = next(family for family in self.cast.families.values() if family.way == "mini")
        body = {"student_id": first.child_id, "programme_id": self.ids[CARE]}
        self.set(OPENS - SECOND)
        status, answer = await self.cast.call(first, "POST", "/enrolments", body)
        assert (status, answer["error"]["code"]) == (409, "enrolment_closed")
        self.set(OPENS)
        await self.mini(first, CARE)
        for family in self.cast.families.values():
            self.cast.town.clock.advance(SECOND)
            if family.way == "chat":
                await self.chat(family, CARE)
            elif family.way == "mini" and family is not first:
                await self.mini(family, CARE)
            elif family.way == "out":
                assert "不影响" in await self.cast.says(family.openid, "不参加 爷爷在家接", "1")
                self.book.wishes[family.number] = "not_join"
        for family in self.cast.families.values():
            self.cast.town.clock.advance(SECOND)
            if family.way in ("chat", "mini"):
                title = BALL if family.way == "chat" or self.dice.random() < 0.75 else BRUSH
                await (self.chat if family.way == "chat" else self.mini)(family, title)

    async def chat(self, family: Family, title: str) -> None:
        """报名 → course → read → confirm."""
        told = await self.cast.says(family.openid, "报名", title, "1")
        became = self.book.sign_up(family.number, title, self.today)
        assert ("报上了" in told) is (became == "enrolled"), told
        assert became == "enrolled" or f"候补第{len(self.book.lines[title])}位" in told

    async def mini(self, family: Family, title: str) -> None:
        """One request."""
        body = {"student_id": family.child_id, "programme_id": self.ids[title]}
        status, answer = await self.cast.call(family, "POST", "/enrolments", body)
        became = self.book.sign_up(family.number, title, self.today)
        position = None if became == "enrolled" else len(self.book.lines[title])
        assert (status, answer["status"], answer["position"]) == (201, became, position), answer

    async def paper(self, head: Browser, family: Family, title: str) -> None:
        """The head teacher signs the child up."""
        path = f"/after-school/tally/{self.plan}/children/{family.child_id}/sign-up"
        await head.post(path, {"course": self.ids[title], "how": "signed_paper"})
        assert head.status == 303, head.page
        self.book.sign_up(family.number, title, self.today)

    async def says_by_hand(self, head: Browser, family: Family, wish: str, how: str, *, settles: bool = False) -> None:
        """The head teacher enters what was said."""
        form = {"wish": wish, "how": how, "course": "", "reason": "", **({"settles": "1"} if settles else {})}
        await head.post(f"/after-school/tally/{self.plan}/children/{family.child_id}", form)
        assert head.status == 303, head.page
        self.book.wishes[family.number] = wish

    async def count(self) -> None:
        """统计 says what the book says, class by class."""
        for number in range(len(self.cast.rooms)):
            told = await self.cast.says(f"demo_h_{number + 1:04d}", "统计")
            words = collection_texts.STANDINGS
            found = {key: int(n[1]) for key, said in words.items() if (n := re.search(rf"{said}(\d+)人", told))}
            assert found == dict(self.book.tally(number, self.today)), told

    async def collect(self) -> None:
        """Reminders, an answer that came of it, paper, a disagreement, the phone; then the window closes."""
        self.set(datetime(2026, 9, 8, 9, tzinfo=SHANGHAI))
        await self.count()
        for room, head in zip(self.cast.rooms, self.cast.heads, strict=True):
            async with self.cast.desk(head) as browser:
                await browser.post(f"/after-school/tally/{self.plan}/classes/{room.id}/remind")
                assert browser.status == 303, browser.page
        for family in self.cast.families.values():
            if family.openid and self.book.tally(family.room, self.today) and family.way in ("late", "silent"):
                self.book.told[family.number, "remind"] += 1
        await self.cast.tick()
        self.heard()
        doubted = next(family for family in self.cast.families.values() if family.way == "mini")
        for head in self.cast.heads:
            async with self.cast.desk(head) as browser:
                for family in self._of(head):
                    if family.way == "paper":
                        await self.paper(browser, family, CARE)
                    elif family is doubted:
                        await self.says_by_hand(browser, family, "not_join", "signed_paper")
                        self.book.unsure.add(family.number)
        self.set(datetime(2026, 9, 9, 9, tzinfo=SHANGHAI))
        await self.count()
        for family in self.cast.families.values():
            if family.way == "late":
                await self.chat(family, CARE)
        async with self.cast.desk(self.cast.heads[doubted.room]) as browser:
            self.cast.town.clock.advance(SECOND)
            await self.says_by_hand(browser, doubted, "join", "by_phone", settles=True)
            self.book.unsure.clear()
        await self._window_closes(doubted)

    async def _window_closes(self, family: Family) -> None:
        body = {"student_id": family.child_id, "programme_id": self.ids[BRUSH]}
        self.set(CLOSES)
        status, answer = await self.cast.call(family, "POST", "/enrolments", body)
        assert (status, answer["error"]["code"]) == (409, "enrolment_closed")
        self.set(CLOSES - SECOND)
        own = [each for each in self.cast.families.values() if each.way == "late"]
        await self.mini(own[-1], BRUSH)
        self.set(CLOSES)

    async def sign(self) -> None:
        """The silent ones are rung up; every head teacher signs; the school's sum is the sum of the classes."""
        self.set(datetime(2026, 9, 10, 9, tzinfo=SHANGHAI))
        for room, head in zip(self.cast.rooms, self.cast.heads, strict=True):
            async with self.cast.desk(head) as browser:
                for family in self._of(head):
                    if family.way == "silent":
                        await self.says_by_hand(browser, family, "not_join", "by_phone")
                path = f"/after-school/tally/{self.plan}/classes/{room.id}/close"
                await browser.get(path)
                await browser.post(path, {"fingerprint": browser.hidden("fingerprint")})
                assert browser.status == 303, browser.page
        await self.count()
        whole: Counter[str] = Counter()
        for number in range(len(self.cast.rooms)):
            whole += self.book.tally(number, self.today)
        async with self.cast.desk(self.cast.staff["leader"]) as leader:
            page = " ".join(re.sub(r"<[^>]+>", " ", await leader.get(f"/after-school/tally/{self.plan}")).split())
        for key, count in whole.items():
            assert f"{collection_texts.STANDINGS[key]} {count}人" in page, (key, count, page)
        for title in self.book.courses:
            seated, waiting = len(self.book.seated(title, self.today)), len(self.book.lines.get(title, ()))
            assert f"{title} {seated} {waiting}" in page, (title, seated, waiting)

    # ------------------------------------------------------------------------------------------------------------ money
    async def payments(self) -> None:
        """What was asked for in advance is paid, but for two families: one nothing, one too little."""
        rows = await self.rows()
        seats = [own for own in self.book.seats if self.book.courses[own[1]].fee]
        async with self.cast.desk(self.cast.staff["leader"]) as leader:
            for number, (child, title) in enumerate(seats):
                course = self.book.courses[title]
                whole = course.fee * (len(self.book.days(title)) if course.a_lesson else 1)
                fen = {0: 0, 1: whole // 3}.get(number, whole)
                if fen:
                    own = rows[child, title]
                    form = {"enrolment": own, "amount": f"{fen // 100}.{fen % 100:02}", "reference": f"{number}"}
                    await leader.post(f"/after-school/bills/{self.plan}/pay", form)
                    assert leader.status == 303, leader.page
                    self.book.money[child, title] += fen

    async def rows(self) -> dict[tuple[int, str], str]:
        """The sign-ups the office speaks of, by child and course."""
        titles = {own: title for title, own in self.ids.items()}
        found = await AfterSchoolEnrolment.filter(plan_id=self.plan).order_by("created_at")
        return {
            (self.cast.by_child(str(row.pupil_id)).number, titles[str(row.programme_id)]): str(row.id) for row in found
        }

    async def waivers(self) -> None:
        """Two families ask once they have paid: with a picture, checked by one and decided by another."""
        asks = [each for each in self.cast.families.values() if each.way == "mini"][:2]
        for family, percent in zip(asks, (50, 100), strict=True):
            _, options = await self.cast.call(family, "GET", f"/waiver-options?student_id={family.child_id}")
            [option] = [each for each in options["items"] if each["percent"] == percent]
            body = {"student_id": family.child_id, "category_id": option["id"]}
            status, case = await self.cast.call(family, "POST", "/waivers", body)
            assert status == 201, case
            path = f"/waivers/{case['id']}"
            await self.cast.call(family, "POST", f"{path}/evidence", {"picture": base64.b64encode(png()).decode()})
            status, case = await self.cast.call(family, "POST", f"{path}/submission")
            assert case["status"] == "submitted", case
            async with self.cast.desk(self.cast.staff["leader"]) as leader:
                await leader.post(f"{path}/check")
                assert leader.status == 303, leader.page
            async with self.cast.desk(self.cast.staff["office"]) as office:
                page = await office.get(path)
                [term] = re.findall(r'name="term" value="([^"]+)"', page)[:1]
                await office.post(f"{path}/decide", {"verdict": "grant"}, term=[term])
                assert office.status == 303, office.page
                assert "交费以后才同意" in await office.get(path)
            self.book.waived[family.number] = percent
            self.book.told[family.number, "result"] += 1
            await self.cast.tick()
        self.heard()
