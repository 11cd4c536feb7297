"""A township that waives for two kinds of hardship, with people to check, decide and hear."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import xlsxwriter
from PIL import Image

from bot.identity import Actor, Door, Grant, Hat, Role
from bot.storage.base import blind_index
from handlers.accounts.models import Person
from handlers.after_school.domain.waivers import Verdict, WaiverState
from handlers.after_school.models import AfterSchoolWaiver, AfterSchoolWaiverEvent
from handlers.after_school.service.waivers.asking import Asked, WaiverAsking
from handlers.after_school.service.waivers.deciding import Decision, WaiverDeciding
from handlers.after_school.service.waivers.publishing import WaiverPublishing
from handlers.after_school.service.waivers.rules import NewList, NewRule, WaiverRules
from handlers.after_school.service.waivers.views import OwnWaiver
from handlers.after_school.service.waivers.waived import Waived
from tests import factories
from tests.handlers.after_school.stage import Stage

TERM = "2026年秋季学期"
FULL, HALF = "03", "10"
"""Codes of what this township waives wholly (with an official list) and by half (on paper)."""
NUMBERS = ("11010519491231002X", "440524188001010014")
"""Valid identity numbers that are nobody's."""


def png(colour: str = "white", size: tuple[int, int] | None = None) -> bytes:
    """A picture; of a given size, one that cannot be packed."""
    buffer = io.BytesIO()
    if size is None:
        Image.new("RGB", (60, 40), colour).save(buffer, "PNG")
    else:
        Image.frombytes("RGB", size, os.urandom(size[0] * size[1] * 3)).save(buffer, "PNG")
    return buffer.getvalue()


def workbook(numbers: Sequence[object], head: str = "公民身份号码", *, title: str = "") -> bytes:
    """An official list."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        start = 1 if title else 0
        if title:
            sheet.write(0, 0, title)
        sheet.write_row(start, 0, ["序号", "户主", head])
        for line, number in enumerate(numbers, 1):
            sheet.write_row(start + line, 0, [line, "某人", number])
    return buffer.getvalue()


class Waivers:
    """The services, the people, and the ways of a case."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        get = stage.machinery.services.get
        self.asking, self.deciding = get(WaiverAsking), get(WaiverDeciding)
        self.rules, self.publishing, self.waived = get(WaiverRules), get(WaiverPublishing), get(Waived)
        self.checker: Actor
        self.decider: Actor
        self.third: Actor

    async def build(self, families: int = 1) -> Waivers:
        """A leader of the school, two people in the office, rules since the first of the month."""
        await self.stage.build(families)
        school = Grant(Role.SCHOOL_LEADER, schools=frozenset({str(self.stage.school.id)}))
        town = Grant(Role.ADMINISTRATOR, townships=frozenset({str(self.stage.township.id)}))
        self.checker, self.decider, self.third = [await self._staff(each) for each in (school, town, town)]
        for code, percent in ((FULL, 100), (HALF, 50)):
            rule = NewRule(code=code, percent=percent, since=date(2026, 9, 1), clause="县教发〔2026〕1号第三条")
            await self.rules.set(self.decider, self.town, rule)
        return self

    async def _staff(self, grant: Grant) -> Actor:
        person = await factories.make_person()
        return Actor(
            roles=frozenset({grant.role}),
            person_id=str(person.id),
            grants=(grant,),
            hat=Hat.STAFF,
            door=Door.CONSOLE,
        )

    @property
    def town(self) -> str:
        return str(self.stage.township.id)

    @property
    def mother(self) -> Actor:
        return self.stage.guardians[0]

    @property
    def child(self) -> str:
        return str(self.stage.children[0].id)

    # ------------------------------------------------------------------------------------------------------------ ways
    async def kind(self, code: str) -> str:
        """The id of the rule in force."""
        rows = await self.rules.categories(self.decider, self.town)
        current = next(row.current for row in rows if row.kind.code == code)
        assert current is not None
        return current.id

    async def asked(self, code: str = HALF, *, actor: Actor | None = None, child: str | None = None) -> OwnWaiver:
        """A family has asked."""
        return await self.asking.ask(
            actor or self.mother, Asked(child or self.child, await self.kind(code), "家里困难")
        )

    async def handed_in(self, code: str = HALF) -> str:
        """With a picture, and at the school."""
        own = await self.asked(code)
        if own.state is WaiverState.DRAFT:
            await self.asking.show(self.mother, own.id, png())
            await self.asking.submit(self.mother, own.id)
        return own.id

    async def checked(self, code: str = HALF) -> str:
        """The leader has looked at it."""
        own = await self.handed_in(code)
        await self.deciding.check(self.checker, own)
        return own

    async def decided(self, verdict: Verdict, *terms: str, code: str = HALF) -> str:
        """The office has decided."""
        own = await self.checked(code)
        decision = Decision(verdict, terms or (TERM,), "" if verdict is Verdict.GRANT else "材料看不清")
        await self.deciding.decide(self.decider, own, decision)
        return own

    async def listed(self, *numbers: str, code: str = FULL) -> None:
        """An official list of these numbers is brought in."""
        new = NewList(code, date(2026, 9, 1), date(2027, 8, 31))
        await self.rules.bring_in(self.decider, self.town, new, workbook(numbers))

    async def give_number(self, actor: Actor, number: str) -> None:
        """The school knows a guardian's identity number."""
        row = await Person.get(id=actor.person_id)
        row.id_number, row.id_number_index = number, blind_index("id_number", number)
        await row.save()

    # ------------------------------------------------------------------------------------------------------------ rows
    async def row(self, waiver_id: str) -> AfterSchoolWaiver:
        return await AfterSchoolWaiver.get(id=waiver_id)

    async def path(self, waiver_id: str) -> list[WaiverState]:
        """The states it went through."""
        rows = await AfterSchoolWaiverEvent.filter(waiver_id=waiver_id).order_by("at", "created_at")
        return [row.to_state for row in rows]

    def later(self, **span: float) -> None:
        """Time passes."""
        self.stage.clock.advance(timedelta(**span))

    def as_parent(self, actor: Actor) -> Actor:
        """Somebody on the staff who looks after the child too."""
        return replace(actor, person_id=self.mother.person_id)
