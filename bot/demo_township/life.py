"""What goes on in the township of the demo, so that every page has something to see: notices, duties, an alarm,
reminders. Done through the services, at moments before the visitor came; nothing is sent to anybody for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from bot.audit.log import Audit
from bot.capability import Erasure, Machinery, Services
from bot.chat import Assembly
from bot.clock import SHANGHAI, FrozenClock
from bot.config import Settings
from bot.delivery.outbox import Outbox
from bot.demo_township.contacts import FEWEST, Cast, DemoContacts
from bot.demo_township.evenings import Class, evenings
from bot.demo_township.families import guardian_key
from bot.demo_township.plan import Case, TownshipPlan
from bot.errors import Unavailable
from bot.identity import Actor, Door, Hat, Role
from bot.library import Library
from bot.metrics import Metrics
from handlers.accounts.domain import SchoolKind, school_year_days
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.accounts.service.identity import AccountsIdentity
from handlers.alarms.domain import AlarmKind, AlarmSource, NewAlarm
from handlers.alarms.service.alarms import AlarmService
from handlers.alarms.service.climbing import FAMILY, STAFF
from handlers.catalogue import CAPABILITIES
from handlers.duties.service.planning import DutyPlanner
from handlers.duties.service.tasks import TaskService
from handlers.notices.domain import Confirmation, How, NoticeContent, Question, QuestionKind, Target
from handlers.notices.service.desk import NoticeDesk
from handlers.notices.service.reading import NoticeReading
from handlers.notices.service.sending import FIRST, NoticeSender
from handlers.notices.service.signing import NoticeSigning
from handlers.reminders.service.classes import ClassReminders
from handlers.reminders.service.own import Asker, OwnReminders

HEAD: Final = "h/0001"
_ADMINISTRATOR, _PROTECTION_LEAD, _SCHOOL_LEADER, _TEACHER = "a/0001", "p/0001", "s/0001", "t/0001"
_GUARDIANS: Final = frozenset({AudienceRole.GUARDIANS})
# Long enough for a month's end, with what was due before the visitor came grown late.
_DUTIES_SINCE: Final = timedelta(days=35)
_ENTERED: Final = timedelta(days=30)
_VISITED: Final = timedelta(days=12)
_TOLD: Final = timedelta(days=2)
_ALARM: Final = timedelta(hours=3)
_MORNING: Final = time(9, 30)
# Of those who were told of the notice, so many did not answer.
_SILENT: Final = 3
# Whose phones the demo shows first.
_PHONES: Final = 9
_NOT_BOUND: Final = "not_bound"


async def live(plan: TownshipPlan, ids: Mapping[str, UUID], settings: Settings, now: datetime) -> None:
    """Writes it down. The database is open and holds the township of the plan, with these ids."""
    clock = FrozenClock(now - _DUTIES_SINCE)
    life = _Life(plan, ids, _machinery(settings, clock), clock)
    await life.duties_begin()
    # Nobody has a charge before the school year begins.
    begin = datetime.combine(school_year_days(plan.year)[0], time(), SHANGHAI)
    await life.evenings(begin, now)
    contacts = await life.contacts(max(begin, now - _ENTERED))
    clock.set(max(begin, now - _VISITED))
    if contacts:
        await contacts.visit()
    clock.set(max(begin, datetime.combine(now.astimezone(SHANGHAI).date() - _TOLD, _MORNING, SHANGHAI)))
    await life.notice()
    clock.set(max(begin, now - _ALARM))
    await life.alarm()
    clock.set(now)
    if contacts:
        await contacts.go_on()
    await life.draft()
    await life.duties()
    await life.reminders()


class _Life:
    """The deeds, one after another; the clock is moved between them."""

    def __init__(self, plan: TownshipPlan, ids: Mapping[str, UUID], machinery: Machinery, clock: FrozenClock) -> None:
        self._plan = plan
        self._ids = ids
        self._machinery = machinery
        self._assembly = Assembly(CAPABILITIES, machinery)
        self._get = machinery.services.get
        self._clock = clock
        self._room = plan.children(guardian_key(1))[0].room

    async def evenings(self, begin: datetime, now: datetime) -> None:
        """Of the class of the first guardian, but for the children of those whose phones the visitor holds: they have
        signed up for nothing yet."""
        self._clock.set(begin)
        room = next(each for each in self._plan.classes if each.key == self._room)
        held = {guardian_key(number) for number in range(1, _PHONES + 1)}
        theirs = {tie.pupil for tie in self._plan.ties if tie.person in held}
        children = [each.key for each in self._plan.pupils if each.room == self._room and each.key not in theirs]
        where = Class(
            township_id=str(self._ids[""]),
            school_id=str(self._ids[room.school]),
            class_id=str(self._ids[room.key]),
            grade=room.grade,
            head=await self._actor(HEAD),
            office=await self._actor(_ADMINISTRATOR),
            children=[str(self._ids[key]) for key in children],
        )
        await evenings(self._machinery.services, where, self._clock, begin, now)

    async def notice(self) -> None:
        """To the families of a class, most of whom have confirmed."""
        head = await self._actor(HEAD)
        content = self._content("周五下午开家长会", "本周五下午3点在教室开家长会，请准时到。", Confirmation.BUTTON)
        own = await self._get(NoticeDesk).create(head, content)
        await self._get(NoticeSigning).submit(head, own.id, own.version)
        sender, reason = self._get(NoticeSender), f"notice:{own.id}"
        await sender.tick()
        self._clock.advance(timedelta(minutes=1))
        guardians = await self._tell(reason, await self._machinery.outbox.reached(reason, FIRST))
        await sender.tick()
        for guardian in guardians[_SILENT:]:
            self._clock.advance(timedelta(minutes=7))
            await self._get(NoticeReading).confirm(guardian, own.id, {}, How.CHAT)

    async def _tell(self, reason: str, people: Collection[str]) -> list[Actor]:
        """Whoever has proved to look after a child was told; the others are to be called. Gives the first."""
        told = {}
        for person in sorted(people):
            actor = await AccountsIdentity(self._clock).actor_of_person(person, Hat.GUARDIAN, Door.CHAT)
            if actor.has(Role.GUARDIAN):
                told[person] = actor
        untold = await self._machinery.outbox.settle_past(reason, told, _NOT_BOUND)
        for listener in self._assembly.unreachable:
            await listener.could_not_reach(untold, _NOT_BOUND)
        return list(told.values())

    async def contacts(self, at: datetime) -> DemoContacts | None:
        """Begun at the moment; None where the first class is too small for it."""
        self._clock.set(at)
        children = [str(self._ids[pupil.key]) for pupil in self._plan.pupils if pupil.room == self._room]
        if len(children) < FEWEST:
            return None
        cast = Cast(
            admin=await self._actor(_ADMINISTRATOR),
            lead=await self._actor(_PROTECTION_LEAD),
            head=await self._actor(HEAD),
            teacher=await self._actor(_TEACHER),
            township_id=str(self._ids[""]),
            children=children,
            schools=[
                str(self._ids[school.key])
                for school in self._plan.schools
                if school.kind is not SchoolKind.KINDERGARTEN and not school.parent
            ],
        )
        begun = DemoContacts(self._machinery.services, cast, self._clock)
        await begun.begin()
        return begun

    async def draft(self) -> None:
        """Half written, with a form."""
        asked = (
            Question("q1", QuestionKind.CHOICE, "孩子参加吗", ("参加", "不参加")),
            Question("q2", QuestionKind.TEXT, "有什么要老师留意的", is_required=False),
        )
        text = "下周三上午去镇上的科普馆，自愿参加，不收费。请填好回执。"
        content = self._content("去科普馆的回执", text, Confirmation.FORM, asked)
        await self._get(NoticeDesk).create(await self._actor(HEAD), content)

    async def duties_begin(self) -> None:
        """The rules that come with the program are as old as this."""
        await self._get(DutyPlanner).plan()

    async def duties(self) -> None:
        """What has come round since: some of it done, some late, some still ahead."""
        await self._get(DutyPlanner).plan()
        tasks = self._get(TaskService)
        for key, note in ((_PROTECTION_LEAD, "灶房电线换了新的，操场围栏修好了。"), (_SCHOOL_LEADER, "已交中心学校。")):
            actor = await self._actor(key)
            found, _ = await tasks.own(actor)
            if found:
                await tasks.do(actor, found[0].id, note)

    async def alarm(self) -> None:
        """A child could not be found, and somebody has taken it on."""
        child = self._plan.case(Case.THREE_GUARDIANS)[0]
        new = NewAlarm(
            kind=AlarmKind.MISSING_CHILD,
            source=AlarmSource.CONSOLE,
            reference="demo",
            child_id=str(self._ids[child.key]),
            said="放学后没有到家，家里人在找。",
            where="学校门口的小卖部",
        )
        alarms = self._get(AlarmService)
        raised = await alarms.raise_alarm(await self._actor(HEAD), new)
        self._clock.advance(timedelta(minutes=2))
        await alarms.acknowledge(await self._actor(_PROTECTION_LEAD), raised.key)
        # They were told at the time: nobody's phone rings for it now.
        outbox, occurrence = self._machinery.outbox, str(raised.number)
        for reason in (STAFF, FAMILY):
            await outbox.settle_past(reason, await outbox.reached(reason, occurrence), "")

    async def reminders(self) -> None:
        """Of a class, and somebody's own."""
        head, today = await self._actor(HEAD), self._clock.now().astimezone(SHANGHAI).date()
        rooms = await self._get(ClassReminders).rooms(head)
        if rooms:
            await self._get(ClassReminders).set(head, rooms[0].id, _days_on(today, 3), "带跳绳和水杯")
        mother = await self._actor(guardian_key(1), Door.CHAT)
        own = self._get(OwnReminders)
        for days, text in ((5, "交课后服务的报名表"), (12, "给孩子买冬天的校服")):
            await own.set_words(Asker(mother), _days_on(today, days), text)

    def _content(
        self, title: str, text: str, confirmation: Confirmation, asked: Sequence[Question] = ()
    ) -> NoticeContent:
        audience = Audience(roles=_GUARDIANS, classes=frozenset({str(self._ids[self._room])}))
        return NoticeContent(
            title=title, text=text, target=Target(audience), confirmation=confirmation, questions=tuple(asked)
        )

    async def _actor(self, key: str, door: Door = Door.CONSOLE) -> Actor:
        return await AccountsIdentity(self._clock).actor_of_person(self._ids[key], door=door)


def _days_on(today: date, days: int) -> date:
    return today + timedelta(days=days)


def _machinery(settings: Settings, clock: FrozenClock) -> Machinery:
    """Over the open database and nothing else."""
    metrics = Metrics()
    library: Library[Any] = Library(_nobody)
    return Machinery(
        settings=settings,
        clock=clock,
        metrics=metrics,
        library=library,
        outbox=Outbox(clock, metrics),
        erasure=Erasure(),
        audit=Audit(clock),
        services=Services(),
        redis=_nobody,
        wechat=_nobody,
        miniprogram=_nobody,
    )


def _nobody() -> Any:
    raise Unavailable
