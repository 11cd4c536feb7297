"""The services over all capabilities, a township with two schools, and a worker that says how each message ended."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from bot.capability import AudienceChoice, AudienceSource, EntryPoints
from bot.chat import Assembly
from bot.clock import FrozenClock
from bot.config import Settings
from bot.delivery.models import OutboxPush
from bot.delivery.outbox import DeliveryStatus
from bot.delivery.pushes import ChannelName, Composed, NotNeeded, NotYet, Purpose, Push, PushClass
from bot.identity import Actor, Door, Grant, Hat, Role
from bot.storage.redis import RedisStore
from handlers.accounts.domain import AppointmentKind, Relation
from handlers.accounts.models import Person, Pupil, School, SchoolClass, Township
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.catalogue import CAPABILITIES
from handlers.notices.domain import NoticeContent, Target
from handlers.notices.models import Notice
from handlers.notices.service.chasing import NoticeChasing
from handlers.notices.service.desk import NoticeDesk
from handlers.notices.service.reach import NoticeReach
from handlers.notices.service.reading import NoticeReading
from handlers.notices.service.reports import NoticeReports
from handlers.notices.service.sending import NoticeSender
from handlers.notices.service.signing import NoticeSigning
from handlers.notices.service.views import NoticeView
from tests import factories
from tests.handlers.console.stage import DrawingWeChat, machinery_of
from tests.settings import make_settings

GUARDIANS = frozenset({AudienceRole.GUARDIANS})


class Absent:
    """Another capability that knows who is absent today."""

    def __init__(self) -> None:
        self.today: set[str] = set()

    @property
    def name(self) -> str:
        """As the protocol says."""
        return "attendance"

    async def choices(self, actor: Actor) -> list[AudienceChoice]:
        """One."""
        return [AudienceChoice("absent", "今天没到校的孩子")]

    async def child_ids(self, key: str, day: date) -> Collection[str]:
        """Whosever they are."""
        return self.today


@dataclass
class Town:
    """School A with classes 3(1) and 3(2), school B with 1(1)."""

    township: Township
    schools: list[School]
    rooms: list[SchoolClass]
    people: dict[str, Person] = field(default_factory=dict)
    children: dict[str, Pupil] = field(default_factory=dict)


class Stage:
    """Everything a notice needs."""

    def __init__(self, settings: Settings, store: RedisStore, clock: FrozenClock, limit: int = 50) -> None:
        url = settings.database.url.get_secret_value()
        self.clock = clock
        self.machinery = machinery_of(
            make_settings(database={"url": url}, limits={"notice_people_unsigned": limit}),
            store,
            clock,
            DrawingWeChat(),
        )
        self.absent = Absent()
        self.assembly = Assembly(CAPABILITIES, self.machinery)
        sources: tuple[AudienceSource, ...] = (self.absent,)
        self.machinery.parts.append(EntryPoints(audiences=sources))
        get = self.machinery.services.get
        self.desk, self.signing, self.reach = get(NoticeDesk), get(NoticeSigning), get(NoticeReach)
        self.sender, self.chasing = get(NoticeSender), get(NoticeChasing)
        self.reading, self.reports = get(NoticeReading), get(NoticeReports)
        self.town: Town

    async def build(self) -> Town:
        """The rows."""
        township = await factories.make_township(name="柳河镇")
        schools = [await factories.make_school(township, name=name) for name in ("中心小学", "柳庄小学")]
        rooms = [
            await factories.make_class(schools[0], grade=3, number=1),
            await factories.make_class(schools[0], grade=3, number=2),
            await factories.make_class(schools[1], grade=1, number=1),
        ]
        self.town = Town(township, schools, rooms)
        await self._staff()
        await self._families()
        return self.town

    async def _staff(self) -> None:
        town, kind = self.town, AppointmentKind
        for name in ("head", "leader", "admin", "second", "teacher"):
            town.people[name] = await factories.make_person(name=f"{name}老师")
        await factories.make_appointment(kind.HEAD_TEACHER, town.people["head"], school_class=town.rooms[0])
        await factories.make_appointment(kind.SUBJECT_TEACHER, town.people["teacher"], school_class=town.rooms[0])
        await factories.make_appointment(kind.SCHOOL_LEADER, town.people["leader"], school=town.schools[0])
        for name in ("admin", "second"):
            await factories.make_appointment(kind.TOWNSHIP_ADMINISTRATOR, town.people[name], township=town.township)

    async def _families(self) -> None:
        """In 3(1): two of one mother, one of whom has a father too; one with a grandmother on the roster only; one
        with nobody. One child in each other class."""
        town = self.town
        rooms = {"elder": 0, "younger": 0, "roster": 0, "alone": 0, "next": 1, "far": 2}
        for key, room in rooms.items():
            town.children[key] = await factories.make_pupil(town.rooms[room], name=f"孩子{key}")
        for key in ("mother", "father", "grandmother", "next", "far"):
            town.people[key] = await factories.make_person(name=f"{key}家长")
            if key != "grandmother":
                await factories.make_identity(f"openid-{key}", town.people[key])
        mother, father = town.people["mother"], town.people["father"]
        await factories.make_guardianship(town.children["elder"], mother, is_acting=True)
        await factories.make_guardianship(town.children["younger"], mother)
        await factories.make_guardianship(town.children["elder"], father, relation=Relation.FATHER)
        await factories.make_guardianship(town.children["roster"], town.people["grandmother"], bound_at=None)
        await factories.make_guardianship(town.children["next"], town.people["next"])
        await factories.make_guardianship(town.children["far"], town.people["far"])

    # ---------------------------------------------------------------------------------------------------------- actors
    def actor(self, name: str) -> Actor:
        """Somebody on the staff, or a guardian, as the identity provider gives them."""
        person, town = str(self.town.people[name].id), self.town
        grants = {
            "head": Grant(Role.HEAD_TEACHER, classes=frozenset({str(town.rooms[0].id)})),
            "teacher": Grant(Role.TEACHER, classes=frozenset({str(town.rooms[0].id)})),
            "leader": Grant(Role.SCHOOL_LEADER, schools=frozenset({str(town.schools[0].id)})),
            "admin": Grant(Role.ADMINISTRATOR, townships=frozenset({str(town.township.id)})),
            "second": Grant(Role.ADMINISTRATOR, townships=frozenset({str(town.township.id)})),
        }
        wards = {"mother": ("elder", "younger"), "father": ("elder",), "next": ("next",), "far": ("far",)}
        if name in grants:
            grant, hat = grants[name], Hat.STAFF
        else:
            children = frozenset(str(town.children[key].id) for key in wards.get(name, ()))
            grant, hat = Grant(Role.GUARDIAN, children=children), Hat.GUARDIAN
        return Actor(roles=frozenset({grant.role}), person_id=person, grants=(grant,), hat=hat, door=Door.CONSOLE)

    # --------------------------------------------------------------------------------------------------------- notices
    def content(self, *rooms: int, audience: Audience | None = None, **values: Any) -> NoticeContent:
        """For the first class unless said otherwise."""
        ids = frozenset(str(self.town.rooms[room].id) for room in rooms or (0,))
        target = Target(audience or Audience(roles=GUARDIANS, classes=ids))
        return NoticeContent(**{"title": "带跳绳", "text": "请带跳绳。", "target": target, **values})

    async def submitted(self, name: str = "head", *rooms: int, **values: Any) -> NoticeView:
        """Written and signed by its author."""
        actor = self.actor(name)
        view = await self.desk.create(actor, self.content(*rooms, **values))
        return await self.signing.submit(actor, view.id, view.version)

    async def sent(self, name: str = "head", *rooms: int, **values: Any) -> NoticeView:
        """Gone out to everybody."""
        view = await self.submitted(name, *rooms, **values)
        await self.sender.tick()
        await self.deliver(view.id)
        await self.sender.tick()
        return await self.desk.get(self.actor(name), view.id)

    # -------------------------------------------------------------------------------------------------------- delivery
    async def pushes(self, notice_id: str, occurrence: str | None = None) -> list[OutboxPush]:
        """The promises of a notice."""
        rows = OutboxPush.filter(reason=f"notice:{notice_id}")
        return await (rows if occurrence is None else rows.filter(occurrence=occurrence)).order_by("created_at", "id")

    async def compose(self, rows: Collection[OutboxPush]) -> dict[str, Composed | NotNeeded | NotYet]:
        """The words, by the person's name."""
        pushes = [push_of(row) for row in rows]
        found = await self.assembly.pushes["notice"].compose(pushes, self.clock.now())
        names = {str(person.id): name for name, person in self.town.people.items()}
        return {names[push.person_id]: found[push.id] for push in pushes}

    async def deliver(self, notice_id: str, *only: str) -> dict[str, Composed | NotNeeded | NotYet]:
        """Composes what is planned and settles it: who has a phone is told, the others are not."""
        rows = [row for row in await self.pushes(notice_id) if row.status is DeliveryStatus.PLANNED]
        ids = {str(self.town.people[name].id) for name in only}
        rows = [row for row in rows if not only or str(row.person_id) in ids]
        words = await self.compose(rows)
        names = {str(person.id): name for name, person in self.town.people.items()}
        for row in rows:
            name = names[str(row.person_id)]
            is_told = isinstance(words[name], Composed) and name != "grandmother"
            row.status = DeliveryStatus.SENT if is_told else DeliveryStatus.UNREACHABLE
            if isinstance(words[name], NotNeeded):
                row.status = DeliveryStatus.NOT_NEEDED
            if is_told:
                row.channel = ChannelName.CUSTOMER_SERVICE
            row.updated_at = self.clock.now()
            await row.save()
        return words

    async def row(self, notice_id: str) -> Notice:
        """As it stands."""
        return await Notice.get(id=notice_id)


def push_of(row: OutboxPush) -> Push:
    """As the worker gives it."""
    return Push(
        id=str(row.id),
        reason=row.reason,
        occurrence=row.occurrence,
        person_id=str(row.person_id),
        rule=row.rule,
        purpose=Purpose(row.purpose),
        push_class=PushClass(row.push_class),
        child_ids=tuple((row.child_ids or "").split("+")) if row.child_ids else (),
        not_before=row.not_before,
        expires_at=row.expires_at,
    )


def text_of(word: Composed | NotNeeded | NotYet) -> str:
    """The whole text, for what goes out."""
    assert isinstance(word, Composed), word
    return word.text


def later(content: NoticeContent, at: datetime) -> NoticeContent:
    """Sent then."""
    return replace(content, send_at=at)
