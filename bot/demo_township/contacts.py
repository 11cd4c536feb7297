"""The contact with families of the demo's first class: who is on the register, who keeps contact, what was written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final

from bot.capability import Services
from bot.clock import Clock, local_date
from bot.identity import Actor
from handlers.contacts.domain.card import FactKind, FactSource, Fitness, Holder
from handlers.contacts.domain.clock import SUGGESTED, SUGGESTED_STAGES
from handlers.contacts.domain.figures import SHOWN_MONTHS, Counts, months_until, newest_counted
from handlers.contacts.domain.records import Contact, ContactOutcome, Met, Topic, Way
from handlers.contacts.domain.register import Group, Level, Reason
from handlers.contacts.service.cards.cards import CardService
from handlers.contacts.service.cards.facts import Stated
from handlers.contacts.service.cards.fitness import Checked, FitnessService
from handlers.contacts.service.clock.rules import ClockRules, NewClockRule
from handlers.contacts.service.figures.rows import SchoolMonth, put_months
from handlers.contacts.service.pairing.pairing import PairingService
from handlers.contacts.service.records.drafts import DraftService
from handlers.contacts.service.records.records import RecordService
from handlers.contacts.service.register.entering import Entry, RegisterService
from handlers.contacts.service.register.levels import NewLevel

FEWEST: Final = 4
"""A class has to have so many children for it."""
_SAMPLE: Final = "演示用的样例，不是任何县的文件"
_REVIEW: Final = timedelta(days=60)
_SOON: Final = timedelta(days=7)
_FEWEST_REGISTERED, _MOST_REGISTERED = 3, 46


@dataclass(frozen=True, slots=True)
class Cast:
    """Who does what there. `children`: those of the first class, by id, as many as `FEWEST`; `schools`: those of the
    township that are no teaching points, by id."""

    admin: Actor
    lead: Actor
    head: Actor
    teacher: Actor
    township_id: str
    children: Sequence[str]
    schools: Sequence[str]


class DemoContacts:
    """In three steps; the clock is moved between them."""

    def __init__(self, services: Services, cast: Cast, clock: Clock) -> None:
        self._get = services.get
        self._cast = cast
        self._clock = clock

    async def begin(self) -> None:
        """A rule; children on the register, one of them with nobody yet, one whom nobody calls; what is known of the
        first."""
        cast, register, pairing = self._cast, self._get(RegisterService), self._get(PairingService)
        rule = NewClockRule(since=self._today(), cadence=SUGGESTED, steps=SUGGESTED_STAGES, daily_cap=1, clause=_SAMPLE)
        await self._get(ClockRules).enact(cast.admin, cast.township_id, rule)
        first, second, third, fourth = cast.children[:FEWEST]
        away = "爸爸妈妈都在外省打工，孩子跟着奶奶。"
        await register.enter(cast.lead, self._entry(first, Group.LEFT_BEHIND, Level.YELLOW, away))
        await register.enter(cast.lead, self._entry(second, Group.LEFT_BEHIND, Level.RED, "换过两次照看人。"))
        await register.enter(cast.lead, self._entry(third, Group.LEARNING, Level.GREEN, "数学跟不上。"))
        await register.enter(cast.lead, self._entry(fourth, Group.MIGRANT, Level.RED, "刚转来，还不熟。"))
        await pairing.pair(cast.lead, first, str(cast.head.person_id))
        await pairing.pair(cast.lead, fourth, str(cast.head.person_id))
        await pairing.pair(cast.lead, third, str(cast.teacher.person_id))
        await self._card(first)

    async def visit(self) -> None:
        """The first child's home was visited, the third one's parents were called in vain. What was begun about both
        afterwards was not finished, and one of them ought to have been."""
        cast, records = self._cast, self._get(RecordService)
        first, _, third, _ = cast.children[:FEWEST]
        visit = Contact(
            client_key="demo-visit", happened_on=self._today(), way=Way.VISIT, outcome=ContactOutcome.REACHED,
            met=frozenset({Met.CHILD, Met.CARER}), topics=frozenset({Topic.LIFE, Topic.STUDY}),
            finding="奶奶身体还好，晚上作业没人看。", follow_up="请妈妈每周视频一次，问问作业",
            follow_up_on=self._today() + _SOON,
        )  # fmt: skip
        await records.write(cast.head, first, visit)
        call = Contact(client_key="demo-call", happened_on=self._today(), way=Way.CALL, outcome=ContactOutcome.FAILED)
        await records.write(cast.teacher, third, call)
        drafts = self._get(DraftService)
        await drafts.save(cast.head, first, {"way": Way.CALL.value, "finding": "妈妈说月底回来"})
        await drafts.save(cast.teacher, third, {"way": Way.VISIT.value, "finding": "晚上一个人在家，没有人照看"})

    async def go_on(self) -> None:
        """A number nobody answers; a child is handed over, and not signed for; what the months before came to."""
        cast, cards, pairing = self._cast, self._get(CardService), self._get(PairingService)
        first, _, third, _ = cast.children[:FEWEST]
        phone = next(fact for fact in (await cards.card(cast.head, first)).facts if fact.kind is FactKind.PHONE)
        for _ in range(2):
            await cards.called(cast.head, phone.id, is_answered=False)
        pair = (await pairing.pairs(cast.lead, third))[0]
        await pairing.hand_over(cast.lead, pair.id, str(cast.head.person_id))
        await put_months(self._months(), self._clock.now())

    def _months(self) -> list[SchoolMonth]:
        """Of every school, from few children to many: some get better, some do not."""
        months = months_until(newest_counted(self._today()), SHOWN_MONTHS)
        made = []
        for place, school in enumerate(self._cast.schools):
            chance = Random(place)  # noqa: S311 - invents, guards nothing
            size = chance.randint(_FEWEST_REGISTERED, _MOST_REGISTERED)
            for at, month in enumerate(months):
                registered = size + chance.randint(-1, 1)
                overdue = round(registered * chance.uniform(0, 0.45) * (1 - at / (2 * len(months))))
                on_time = round((registered - overdue) * chance.uniform(0.5, 0.8))
                late = min(registered - on_time, overdue + chance.randint(0, 3))
                counts = Counts(registered, registered - overdue, on_time + late, on_time)
                made.append(SchoolMonth(school, self._cast.township_id, month, counts))
        return made

    async def _card(self, child: str) -> None:
        said = (
            (Holder.PARENT_1, FactKind.NAME, "妈妈", FactSource.CARER),
            (Holder.PARENT_1, FactKind.PHONE, "19900009001", FactSource.CARER),
            (Holder.PARENT_1, FactKind.WORKPLACE, "外省一家服装厂", FactSource.CARER),
            (Holder.CARER, FactKind.NAME, "奶奶", FactSource.CHILD),
            (Holder.CARER, FactKind.RELATION, "奶奶", FactSource.CHILD),
            (Holder.CARER, FactKind.ADDRESS, "村口第二排", FactSource.SCHOOL),
        )
        for holder, kind, value, source in said:
            stated = Stated(holder=holder, kind=kind, value=value, stated_on=self._today(), source=source)
            await self._get(CardService).state(self._cast.head, child, stated)
        checked = Checked(
            age_ok=Fitness.UNKNOWN, health_ok=Fitness.YES, no_barred_ground=Fitness.YES, checked_on=self._today()
        )
        await self._get(FitnessService).check(self._cast.lead, child, checked)

    def _entry(self, child: str, group: Group, level: Level, words: str) -> Entry:
        review_on = self._today() + _REVIEW
        new = NewLevel(level=level, reason=words, review_on=review_on)
        return Entry(
            child_id=child, group=group, reason=Reason.OTHER, words=words, since=self._today(), review_on=review_on,
            level=new,
        )  # fmt: skip

    def _today(self) -> date:
        return local_date(self._clock.now())
