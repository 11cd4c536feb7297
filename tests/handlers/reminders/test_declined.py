"""Reminders of the knowledge rest on consent: a family that declined is left out, when planning and when sending."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from bot.delivery.models import OutboxPush
from bot.delivery.outbox import DeliveryStatus
from bot.storage.database import Database
from handlers.accounts.domain import AppointmentKind, Relation
from handlers.accounts.models import Person, Pupil, SchoolClass
from handlers.consent.domain.decisions import Decision
from tests import factories
from tests.handlers.consent.conftest import Stage as Consents
from tests.handlers.consent.conftest import guardian
from tests.handlers.reminders.content import entry, plan
from tests.handlers.reminders.stage import Stage, at
from tests.handlers.reminders.test_knowledge import changed, told, with_knowledge

SPORTS = plan(entry("sports", "小学运动会", "2026-09-17"))


@dataclass
class Class:
    """A class in the town of the plan, and who decides for its children."""

    stage: Stage
    room: SchoolClass

    async def child(self, *guardians: Person) -> Pupil:
        """One more, with guardians who have proved it."""
        pupil = await factories.make_pupil(self.room)
        for number, person in enumerate(guardians):
            relation = (Relation.MOTHER, Relation.FATHER)[number]
            await factories.make_guardianship(pupil, person, relation=relation)
        return pupil

    async def decide(self, person: Person, child: Pupil, decision: Decision, consents: Consents | None = None) -> None:
        """A guardian decides."""
        consents = consents or Consents(self.stage.clock)
        version = consents.notice.version
        actor = guardian(person, str(child.id))
        await consents.consents.decide(actor, str(child.id), decision, version, "chat")


@pytest.fixture
async def room(stage: Stage, database: Database) -> Class:
    """The class, before the reminders go out."""
    stage.clock.set(at(9, 10))
    town = await factories.make_township(name="柳溪镇", county="青石县")
    return Class(stage, await factories.make_class(await factories.make_school(town), grade=3))


async def people(number: int) -> Sequence[Person]:
    """So many."""
    return [await factories.make_person() for _ in range(number)]


async def test_one_no_stops_it_for_all_guardians_of_the_child_and_for_nobody_else(room: Class) -> None:
    mother, father, never_asked, agreeing = await people(4)
    child, other = await room.child(mother, father), await room.child(agreeing)
    await room.child(never_asked)
    await room.decide(mother, child, Decision.GIVEN)
    await room.decide(father, child, Decision.REFUSED)
    await room.decide(agreeing, other, Decision.GIVEN)
    await with_knowledge(room.stage, SPORTS)
    assert set(await told(room.stage, 9, 14)) == {str(never_asked.id), str(agreeing.id)}
    assert await OutboxPush.filter(person_id__in=[mother.id, father.id]).count() == 0


async def test_whoever_has_another_child_hears_about_that_one_only(room: Class) -> None:
    (mother,) = await people(1)
    refused, other = await room.child(mother), await room.child(mother)
    await room.decide(mother, refused, Decision.REFUSED)
    await with_knowledge(room.stage, SPORTS)
    assert set(await told(room.stage, 9, 14)) == {str(mother.id)}
    assert {row.child_ids for row in await OutboxPush.all()} == {str(other.id)}


async def test_a_withdrawal_after_planning_is_seen_when_sending(room: Class) -> None:
    mother, other = await people(2)
    child = await room.child(mother)
    await room.child(other)
    await room.decide(mother, child, Decision.GIVEN)
    await with_knowledge(room.stage, SPORTS)
    assert await room.stage.tick(at(9, 13)) == 2
    await room.decide(mother, child, Decision.WITHDRAWN)
    assert set(await told(room.stage, 9, 14)) == {str(other.id)}
    (hers,) = await OutboxPush.filter(person_id=mother.id)
    assert (hers.status, hers.last_error) == (DeliveryStatus.NOT_NEEDED, "declined")


async def test_a_yes_to_a_notice_that_is_not_in_force_any_more_is_none(room: Class) -> None:
    (mother,) = await people(1)
    earlier = Consents(room.stage.clock).after(storage="别处的服务器")
    await room.decide(mother, await room.child(mother), Decision.GIVEN, earlier)
    await with_knowledge(room.stage, SPORTS)
    assert await told(room.stage, 9, 14) == {}


async def test_who_withdrew_in_between_is_not_sent_the_correction_either(room: Class) -> None:
    mother, other = await people(2)
    child = await room.child(mother)
    await room.child(other)
    library = await with_knowledge(room.stage, SPORTS)
    assert len(await told(room.stage, 9, 14)) == 2
    await room.decide(mother, child, Decision.REFUSED)
    await changed(library, plan(entry("sports", "小学运动会", "2026-09-24")))
    assert set(await told(room.stage, 9, 15)) == {str(other.id)}


async def test_what_teachers_are_told_rests_on_no_consent(room: Class) -> None:
    mother, teacher = await people(2)
    await room.decide(mother, await room.child(mother), Decision.REFUSED)
    await factories.make_appointment(AppointmentKind.HEAD_TEACHER, teacher, school_class=room.room)
    await with_knowledge(room.stage, plan(entry("train", "教师培训", "2026-09-17", asked="教师")))
    assert set(await told(room.stage, 9, 14)) == {str(teacher.id)}
