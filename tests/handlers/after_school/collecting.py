"""What the tests of collecting share: a class of five families, the head teacher's services, and what was sent."""

from __future__ import annotations

from typing import Any

from bot.chat import Assembly
from bot.delivery.models import OutboxPush
from bot.delivery.pushes import Composed, NotNeeded, NotYet, Purpose, Push, PushClass
from bot.identity import Actor, Door, Grant, Hat, Role
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Person, Pupil
from handlers.accounts.service.sessions import SessionService
from handlers.after_school.domain.ledger import Standing
from handlers.after_school.domain.statements import ConsentHow, Source, Wish
from handlers.after_school.service.collection.chasing import Chasing
from handlers.after_school.service.collection.entering import Entering, Entry
from handlers.after_school.service.collection.lists import CollectionLists
from handlers.after_school.service.collection.tallies import TallyService
from handlers.after_school.service.collection.views import ClassTally
from tests import factories
from tests.handlers.after_school.stage import Stage, pool

NAMES = ("何若曦", "陈小满", "杨平安", "褚远", "沈明禾")


class Collecting:
    """Five families of one class, a plan with one course of two places; `head` of the class, `leader` of the school."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        get = stage.machinery.services.get
        self.tallies, self.entering = get(TallyService), get(Entering)
        self.chasing, self.lists = get(Chasing), get(CollectionLists)
        self.leader: Actor

    async def build(self) -> Collecting:
        """The rows."""
        stage = self.stage
        await stage.build(len(NAMES), grade=3, number=1)
        for child, name in zip(stage.children, NAMES, strict=True):
            await Pupil.filter(id=child.id).update(name=name)
        head = await Person.get(id=stage.head.person_id)
        await Person.filter(id=head.id).update(name="李秋云")
        await stage.publish(pool("合唱", 2))
        grant = Grant(Role.SCHOOL_LEADER, schools=frozenset({str(stage.school.id)}))
        self.leader = await staff(grant)
        return self

    async def appoint(self) -> None:
        """The staff are charged with what they do, so that they can enter the console; `Actor`s alone need it not."""
        stage, kinds = self.stage, AppointmentKind
        people = [await Person.get(id=actor.person_id) for actor in (stage.head, self.leader, stage.admin)]
        await factories.make_appointment(kinds.HEAD_TEACHER, people[0], school_class=stage.room)
        await factories.make_appointment(kinds.SCHOOL_LEADER, people[1], school=stage.school)
        await factories.make_appointment(kinds.TOWNSHIP_ADMINISTRATOR, people[2], township=stage.township)

    async def secret(self, actor: Actor) -> str:
        """A session of somebody at the console."""
        person = await Person.get(id=actor.person_id)
        return (await self.stage.machinery.services.get(SessionService).open_console(person.id)).secret

    @property
    def head(self) -> Actor:
        """Of the class."""
        return self.stage.head

    @property
    def plan(self) -> str:
        """The only one."""
        return self.stage.plan_id

    @property
    def room(self) -> str:
        """The class."""
        return str(self.stage.room.id)

    @property
    def assembly(self) -> Assembly:
        """All capabilities."""
        return self.stage.assembly

    def child(self, number: int) -> str:
        """The id of a child."""
        return str(self.stage.children[number].id)

    async def say(self, number: int, wish: Wish, how: ConsentHow = ConsentHow.SIGNED_PAPER, **values: Any) -> None:
        """The head teacher enters it."""
        source = Source.PAPER if how is ConsentHow.SIGNED_PAPER else Source.PHONE
        entry = Entry(wish=wish, source=source, how=how, **values)
        await self.entering.say(self.head, self.plan, self.child(number), entry)

    async def tally(self) -> ClassTally:
        """Of the class, now."""
        return await self.tallies.of_class(self.head, self.plan, self.room)

    async def standings(self) -> list[Standing]:
        """In the order of the children."""
        found = {line.seat.child_id: line.heard.standing for line in (await self.tally()).lines}
        return [found[self.child(number)] for number in range(len(NAMES))]

    async def close(self) -> None:
        """The head teacher signs what stands there."""
        await self.tallies.close(self.head, self.plan, self.room, (await self.tally()).fingerprint)

    async def words(self) -> list[Composed | NotNeeded | NotYet]:
        """What the reminders would say now, in the order of the children's first guardians."""
        rows = await OutboxPush.filter(reason=f"tally:{self.plan}")
        pushes = [push_of(row) for row in rows]
        found = await self.assembly.pushes["tally"].compose(pushes, self.stage.clock.now())
        order = [guardian.person_id for guardian in self.stage.guardians]
        return [found[push.id] for push in sorted(pushes, key=lambda push: order.index(push.person_id))]


async def staff(grant: Grant) -> Actor:
    """Somebody at the console."""
    person = await factories.make_person()
    roles, own = frozenset({grant.role}), str(person.id)
    return Actor(roles=roles, person_id=own, grants=(grant,), hat=Hat.STAFF, door=Door.CONSOLE)


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
