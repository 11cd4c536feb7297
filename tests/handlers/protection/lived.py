"""A school year of contacts and of the check, lived through the doors: pages, chat, API, the clock and the worker.

Every word anybody writes about a child carries one of its own. Day by day everything that left the application is
scanned as whoever read it was on that day.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import uuid4

from bot.app import METRICS, limiter_of, push_worker_of
from bot.clock import SHANGHAI
from bot.delivery.models import OutboxPush
from bot.scheduler.runner import TICKER
from handlers.contacts.domain.card import OF_HOLDER, FactKind
from handlers.contacts.models import ContactsFile, ContactsPair, ContactsRecord, ContactsReport
from handlers.term_check.models import TermCheckAbsence
from tests.handlers.protection.reading import Reader, Shown
from tests.handlers.protection.scan import Leak, Scanner, families_of
from tests.handlers.protection.village import FAR, NEAR, TERM, Village

DAY: Final = timedelta(days=1)
FIRST: Final = TERM.first_day
JOBS: Final = ("contacts.sweep", "contacts.clock", "term_check.run", "alarms.climb", "duties.plan")
_GROUPS: Final = ("left_behind", "single_parent", "migrant", "hardship")
_KEEPERS: Final = {NEAR: ("author", "keeper"), FAR: ("away",)}
_FIRST_PAGES: Final = tuple(f"/admin/contacts/{page}" for page in ("today", "register", "reports", "phones"))
_TO: Final = re.compile(r"^Location: (/admin/contacts/(?:prints|exports)/\S+)", re.M)
_DATED: Final = frozenset({FactKind.LAST_HOME, FactKind.ENTRUSTMENT})


@dataclass
class Lived:
    """The year. `leaks`: what got out; `counts`: how much was looked at."""

    village: Village
    log: io.StringIO
    leaks: list[Leak] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    reader: Reader = field(init=False)
    scanner: Scanner = field(init=False)
    _calls: int = 0
    _seen: Counter[str] = field(default_factory=Counter)

    async def live(self, days: int) -> Lived:
        """So many days from the first of the term on."""
        self.reader = Reader(self.village, reads_audit=False)
        self.scanner = Scanner(self.village, await families_of(self.village))
        for number in range(days):
            await self._day(FIRST + number * DAY, number)
        return self

    # ------------------------------------------------------------------------------------------------------------- days
    async def _day(self, day: date, number: int) -> None:
        self._at(day, time(0, 45))
        await self._tick()
        self._at(day, time(8, 5))
        await self._enter_the_console()
        await self._tick()
        if number == 0:
            await self._begin()
        if day.isoweekday() <= 5:
            await self._work(number)
        await self._look(number)
        await self._scan()

    def _at(self, day: date, at: time) -> None:
        self.village.town.clock.set(datetime.combine(day, at, SHANGHAI))

    async def _tick(self) -> None:
        town = self.village.town
        for job in JOBS:
            if (run := town.app[TICKER].trigger(job)) is not None:
                await run
        worker = push_worker_of(town.app, limiter_of(town.app))
        while await worker.run_once():
            pass
        await town.deliver()

    async def _enter_the_console(self) -> None:
        """A session lasts a day."""
        for name, viewer in self.village.viewers.items():
            if viewer.console and viewer.person is not None:
                opened = await self.village.sessions.open_console(viewer.person.id)
                self.village.viewers[name] = replace(viewer, console=opened.secret)

    # ------------------------------------------------------------------------------------------------------------ deeds
    async def _post(self, name: str, path: str, *form: tuple[str, str]) -> Shown:
        shown = await self.reader.read(self.village.viewers[name], "console", "POST", f"/admin{path}", form)
        self.counts[f"answered {shown.status}"] += 1
        return shown

    def _word(self, name: str, child: str, text: str, by: str = "") -> str:
        return self.village.ledger.text(name, child, text, by=by)

    def _today(self) -> date:
        return self.village.town.clock.now().astimezone(SHANGHAI).date()

    async def _begin(self) -> None:
        """The rule, and every child on the register with its card, its carer looked at, and whoever keeps contact."""
        levels = [(f"contact_{level}", "3") for level in ("green", "yellow", "red")]
        steps = [("teacher_grace", "0"), ("lead_after", "1"), ("leader_after", "2"), ("daily_cap", "3")]
        rule = [("since", FIRST.isoformat()), ("clause", "镇教〔2026〕3号"), ("sure", "yes")]
        await self._post("admin", "/contacts/rules", *rule, *levels, *steps)
        for number, child in enumerate(self.village.children):
            await self._entered(child, _GROUPS[number % len(_GROUPS)])

    async def _entered(self, child: str, group: str) -> None:
        side, own = self._side(child), str(self.village.children[child].id)
        lead, later = {NEAR: "lead", FAR: "lead_far"}[side], (self._today() + 180 * DAY).isoformat()
        await self._post(
            lead, f"/contacts/register/{own}/enter", ("group", group), ("reason", "other"),
            ("words", self._word("file.reason_words", child, "在外地打工")), ("since", FIRST.isoformat()),
            ("review_on", later), ("level", "red"), ("level_review_on", later),
            ("level_reason", self._word("level.reason", child, "奶奶年纪大")),
        )  # fmt: skip
        for keeper in _KEEPERS[side]:
            await self._post(lead, f"/contacts/register/{own}/pair", ("person", str(self.village.person_id(keeper))))
        for holder, kinds in OF_HOLDER.items():
            for kind in kinds:
                name = f"fact.{holder.value}.{kind.value}"
                value = self.village.ledger.phone(name, child) if kind is FactKind.PHONE else (
                    FIRST.isoformat() if kind in _DATED else self._word(name, child, "说的话"))  # fmt: skip
                await self._post(
                    lead, f"/contacts/cards/{own}/state", ("what", f"{holder.value}.{kind.value}"), ("value", value),
                    ("source", "carer"), ("stated_on", self._today().isoformat()),
                )  # fmt: skip
        await self._post(
            lead, f"/contacts/register/{own}/fitness", ("age_ok", "no"), ("health_ok", "yes"),
            ("no_barred_ground", "yes"), ("checked_on", self._today().isoformat()),
        )  # fmt: skip

    def _side(self, child: str) -> str:
        return FAR if child.startswith(FAR) else NEAR

    async def _work(self, number: int) -> None:
        """What people do on a school day: each child has its turn."""
        children = list(self.village.children)
        child = children[number % len(children)]
        author = _KEEPERS[self._side(child)][0]
        await self._record(child, author)
        if number % 3 == 0:
            await self._said_in_the_chat(child, _KEEPERS[self._side(child)][-1])
        if number % 4 == 1:
            await self._draft(child, author)
        if number % 3 == 1:
            await self._looked_for(child)
        if number % 6 == 2:
            await self._reported(child, author)
        if number % 5 == 3:
            await self._reviewed(child)

    async def _record(self, child: str, author: str) -> None:
        """Written, corrected, and yesterday's agreement done."""
        own = self.village.children[child].id
        record = [
            ("key", uuid4().hex), ("day", self._today().isoformat()), ("way", "visit"), ("outcome", "reached"),
            ("met", "carer"), ("met", "child"), ("topics", "study"),
            ("finding", self._word("record.finding", child, "作业没人管", author)),
            ("sealed", self._word("record.sealed_part", child, "不要外传", author)),
            ("follow_up", self._word("record.follow_up", child, "再去一次", author)),
            ("follow_up_on", (self._today() + DAY).isoformat()),
        ]  # fmt: skip
        await self._post(author, f"/contacts/own/{own}/record", *record)
        mine = ContactsRecord.filter(pupil_id=own, author_id=self.village.person_id(author), superseded_by__isnull=True)
        last = await mine.order_by("-entered_at").first()
        if last is not None:
            again = dict(record) | {"key": uuid4().hex, "finding": self._word("record.finding", child, "改过", author)}
            await self._post(author, f"/contacts/records/{last.id}/correct", *again.items())
            await self._post(author, f"/contacts/records/{last.id}/done")
        await self._post(author, f"/contacts/own/{own}/missed", ("key", uuid4().hex), ("called", "carer"))

    async def _said_in_the_chat(self, child: str, keeper: str) -> None:
        viewer = self.village.viewers[keeper]
        finding = self._word("record.finding", child, "都好", keeper)
        for text in ("家访", self.village.children[child].name, "156", finding, "没有", "退出"):
            await self.reader.hear(viewer, text)

    async def _draft(self, child: str, author: str) -> None:
        own = self.village.children[child].id
        text = self._word("draft.body", child, "写到一半", author)
        await self._post(author, f"/contacts/own/{own}/draft", ("key", uuid4().hex), ("finding", text))

    async def _looked_for(self, child: str) -> None:
        """The class is reported without the child; somebody went there; it is back."""
        side, pupil = self._side(child), self.village.children[child]
        head = {NEAR: "head", FAR: "head_far"}[side]
        room = (self.village.home if side == NEAR else self.village.far).room.id
        await self._post(head, f"/term-check/rooms/{room}", ("absent", str(pupil.id)))
        case = await TermCheckAbsence.filter(pupil_id=pupil.id).order_by("-created_at").first()
        if case is None:
            return
        for deed, *form in (
            ("steps", ("kind", "visit"), ("words", self._word("step.words", child, "见到爷爷"))),
            ("where", ("where_to", self._word("absence.where_to", child, "在县城")), ("known_by", "relative")),
            ("end", ("event", "otherwise"), ("words", self._word("absence.outcome", child, "等等看"))),
            ("reopen", ("words", self._word("step.words", child, "又没来"))),
        ):
            await self._post(head, f"/term-check/cases/{case.id}/{deed}", *form)

    async def _reported(self, child: str, author: str) -> None:
        """Something grave: reported, called, closed by the lead."""
        own = self.village.children[child].id
        words = self._word("report:open.words", child, "看到的", author)
        await self._post(author, f"/contacts/own/{own}/report", ("trigger", "violence"), ("words", words))
        row = await ContactsReport.filter(pupil_id=own, state="open").first()
        if row is None:
            return
        await self._look_at(f"/admin/contacts/reports/{row.id}")
        for called in ("police", "township"):
            said = self._word("report:open.calls", child, "王老师", author)
            await self._post(
                author, f"/contacts/reports/{row.id}/called", ("called", called), ("at", "08:00"), ("by", said),
                ("reference", "没给"),
            )  # fmt: skip
        # From now on it is its author's no more.
        ledger = self.village.ledger
        closed = {"report:open.words": "report:closed.words", "report:open.calls": "report:closed.calls"}
        for word, planted in list(ledger.words.items()):
            if planted.child == child and planted.field in closed:
                ledger.words[word] = replace(planted, field=closed[planted.field])
        await self._scan()
        closing = self._word("report:closed.closing", child, "已经妥善安置")
        lead = {NEAR: "lead", FAR: "lead_far"}[self._side(child)]
        await self._post(lead, f"/contacts/reports/{row.id}/close", ("sentence", closing))

    async def _reviewed(self, child: str) -> None:
        """Another level, a review; one of several files ends; the child passes from hand to hand and back."""
        side, own = self._side(child), self.village.children[child].id
        lead, later = {NEAR: "lead", FAR: "lead_far"}[side], (self._today() + 90 * DAY).isoformat()
        reason = self._word("level.reason", child, "好一些")
        await self._post(
            lead, f"/contacts/register/{own}/level", ("level", "yellow"), ("level_reason", reason),
            ("level_review_on", later),
        )  # fmt: skip
        for file in await ContactsFile.filter(pupil_id=own, ended_on__isnull=True):
            await self._post(lead, f"/contacts/files/{file.id}/review", ("review_on", later))
        await self._taken_out(child, lead)
        if side == NEAR:
            for to in ("mate", "keeper"):
                await self._handed_over(child, lead, to)

    async def _taken_out(self, child: str, lead: str) -> None:
        """The file of the child on paper; tables that the leader releases, made and fetched."""
        side, own = self._side(child), self.village.children[child].id
        school = (self.village.home if side == NEAR else self.village.far).school.id
        leader = {NEAR: "leader", FAR: "leader_far"}[side]
        why = [("taken_for", "inspection"), ("purpose", self._word("print.purpose", child, "县里来检查家校联系"))]
        for path in _TO.findall((await self._post(lead, f"/contacts/kept/{own}/print", *why)).text):
            await self._look_at(path)
        why[1] = ("purpose", self._word("export.purpose", child, "县里来检查家校联系"))
        asked = await self._post(lead, "/contacts/exports", ("place", str(school)), ("key", uuid4().hex), *why)
        for path in _TO.findall(asked.text):
            number = path.rpartition("/")[2]
            await self._look_at(f"/admin/contacts/releases/{number}")
            await self._post(leader, f"/contacts/releases/{number}", ("answer", "yes"))
            await self._post(lead, f"/contacts/exports/{number}/make")
            await self._look_at(f"{path}/file")

    async def _handed_over(self, child: str, lead: str, to: str) -> None:
        """From whoever of the two has it beside the author."""
        pupil, author = self.village.children[child].id, self.village.person_id("author")
        pair = await ContactsPair.filter(pupil_id=pupil, until__isnull=True).exclude(person_id=author).first()
        if pair is None:
            return
        people = {viewer.person.id: viewer for viewer in self.village.viewers.values() if viewer.person is not None}
        before = people[pair.person_id]
        await self._post(lead, f"/contacts/pairs/{pair.id}/hand-over", ("person", str(self.village.person_id(to))))
        await self._scan()
        before.columns[child], self.village.viewers[to].columns[child] = "mate", "keeper"
        going = ContactsPair.filter(pupil_id=pupil, until__isnull=True, person_id=self.village.person_id(to))
        row = await going.first()
        if row is not None:
            await self._post(to, f"/contacts/pairs/{row.id}/receive")

    # ---------------------------------------------------------------------------------------------------------- looking
    async def _look(self, number: int) -> None:
        """Everybody opens the first page and what is due to be looked at today; once a while everything."""
        for name, viewer in self.village.viewers.items():
            if viewer.console:
                for path in ("/admin/", _FIRST_PAGES[number % len(_FIRST_PAGES)]):
                    await self.reader.read(viewer, "console", "GET", path)
            else:
                await self.reader.read(viewer, "api", "GET", "/api/v1/children")
            # Whoever wrote lately can be written to.
            await self.reader.hear(self.village.viewers[name], "你好")
        children = list(self.village.children.values())
        child = children[number % len(children)].id
        for path in (f"own/{child}", f"cards/{child}", f"register/{child}"):
            await self._look_at(f"/admin/contacts/{path}")
        names = list(self.village.viewers)
        if number % 3 == 0:
            await self._list_things()
            await self.reader.everything(self.village.viewers[names[(4 + 5 * number) % len(names)]])
            await self.reader.chat(self.village.viewers[names[(3 + 5 * number) % len(names)]])

    async def _look_at(self, path: str) -> None:
        for name in ("author", "keeper", "mate", "head", "lead", "leader", "lead_far", "admin", "away"):
            await self.reader.read(self.village.viewers[name], "console", "GET", path)

    async def _list_things(self) -> None:
        """The last of everything there is about each child."""
        things = self.village.things
        for child, pupil in self.village.children.items():
            for parameter in ("register/{child}", "cards/{ward}", "own/{ward}"):
                things.setdefault(parameter, {})[child] = [str(pupil.id)]
            place = self.village.home if self._side(child) == NEAR else self.village.far
            things.setdefault("rooms/{room}", {})[child] = [str(place.room.id)]
            for parameter, table in (
                ("records/{record}", ContactsRecord), ("reports/{report}", ContactsReport),
                ("cases/{case}", TermCheckAbsence),
            ):  # fmt: skip
                rows = await table.filter(pupil_id=pupil.id).order_by("-created_at").limit(2)
                things.setdefault(parameter, {})[child] = [str(row.id) for row in rows]

    # --------------------------------------------------------------------------------------------------------- scanning
    async def _scan(self) -> None:
        """What left the application since the last time."""
        town, found = self.village.town, self.leaks
        found += self.scanner.answers(self.reader.shown)
        self.counts["answers"] += len(self.reader.shown)
        self.counts["with something protected"] += sum(bool(shown.found) for shown in self.reader.shown)
        self.counts["files"] += sum(b"xlsx" in shown.path.encode() for shown in self.reader.shown)
        self.reader.shown.clear()
        for viewer in self.village.viewers.values():
            pushed = [item.text for item in town.person(viewer.openid).screen if item.is_push]
            new, self._seen[viewer.name] = pushed[self._seen[viewer.name] :], len(pushed)
            found += self.scanner.pushes((viewer.name, text) for text in new)
            self.counts["pushes"] += len(new)
        calls = town.emulator.platform.calls[self._calls :]
        self._calls += len(calls)
        found += self.scanner.wire((call.path, call.body) for call in calls)
        self.counts["calls of the platform"] += len(calls)
        written = self.log.getvalue()
        self.log.seek(0)
        self.log.truncate()
        found += self.scanner.bare("log", "the log", written)
        self.counts["lines of the log"] += written.count("\n")
        found += self.scanner.bare("metric", "/metrics", town.app[METRICS].render().decode())
        about_children = OutboxPush.filter(reason__startswith="contacts").exclude(child_ids="")
        found += [Leak("push", str(row.reason), "a child's id") for row in await about_children]
