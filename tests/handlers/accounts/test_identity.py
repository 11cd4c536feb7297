"""Who somebody is follows from appointments and proved guardianships, and ends with them the same day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from bot.clock import SHANGHAI, FrozenClock
from bot.identity import Actor, Door, Grant, Hat, Role
from bot.rights import Action, Subject, may
from bot.storage.base import blind_index
from bot.storage.database import Database
from handlers.accounts.domain import AppointmentKind, SchoolKind
from handlers.accounts.models import Appointment, Bar, Guardianship
from handlers.accounts.service.identity import AccountsIdentity
from tests.factories import (
    LONG_AGO,
    make_appointment,
    make_class,
    make_guardianship,
    make_identity,
    make_person,
    make_pupil,
    make_school,
    make_township,
)


@pytest.fixture
def identity(clock: FrozenClock, database: Database) -> AccountsIdentity:
    return AccountsIdentity(clock)


def index_of(openid: str) -> str:
    return blind_index("openid", openid)


async def test_a_stranger_is_a_visitor_with_the_same_index(identity: AccountsIdentity) -> None:
    assert await identity.actor_of("nobody") == Actor(openid_index="nobody")


async def test_a_known_id_without_a_person_is_a_visitor(identity: AccountsIdentity) -> None:
    row = await make_identity("o1")
    actor = await identity.actor_of(index_of("o1"))
    assert actor.roles == {Role.VISITOR}
    assert (actor.person_id, actor.identity_id) == (None, str(row.id))


async def test_a_guardian_reaches_the_children_they_proved(identity: AccountsIdentity) -> None:
    person = await make_person()
    mine, claimed, over, barred = [await make_pupil() for _ in range(4)]
    await make_guardianship(mine, person)
    await make_guardianship(claimed, person, bound_at=None)
    await make_guardianship(over, person, ended_on=date(2026, 8, 31))
    await make_guardianship(barred, person)
    await Bar.create(
        pupil_id=barred.id,
        person_id=person.id,
        reason="法院裁定",
        since=date(2026, 9, 1),
        created_at=LONG_AGO,
        updated_at=LONG_AGO,
    )
    await make_identity("o1", person)
    actor = await identity.actor_of(index_of("o1"))
    assert actor.grants == (Grant(Role.GUARDIAN, children=frozenset({str(mine.id)})),)
    assert (actor.name, actor.person_id, actor.hat, actor.has_agreed) == (person.name, str(person.id), None, True)


async def test_each_appointment_reaches_its_place(identity: AccountsIdentity) -> None:
    town = await make_township()
    school = await make_school(town)
    first, second = await make_class(school), await make_class(school, number=2)
    person = await make_person()
    await make_appointment(AppointmentKind.HEAD_TEACHER, person, school_class=first)
    for school_class in (first, second):
        await make_appointment(AppointmentKind.SUBJECT_TEACHER, person, school_class=school_class)
    for kind in (AppointmentKind.DUTY, AppointmentKind.PROTECTION_LEAD, AppointmentKind.SCHOOL_LEADER):
        await make_appointment(kind, person, school=school)
    for kind in (AppointmentKind.TOWNSHIP_ADMINISTRATOR, AppointmentKind.EDITOR, AppointmentKind.REVIEWER):
        await make_appointment(kind, person, township=town)
    actor = await identity.actor_of_person(person.id)
    schools, towns = frozenset({str(school.id)}), frozenset({str(town.id)})
    assert set(actor.grants) == {
        Grant(Role.HEAD_TEACHER, classes=frozenset({str(first.id)})),
        Grant(Role.TEACHER, classes=frozenset({str(first.id), str(second.id)})),
        *(Grant(role, schools=schools) for role in (Role.DUTY, Role.PROTECTION_LEAD, Role.SCHOOL_LEADER)),
        *(Grant(role, townships=towns) for role in (Role.ADMINISTRATOR, Role.EDITOR, Role.REVIEWER)),
    }
    assert actor.roles == {grant.role for grant in actor.grants}
    assert actor.door is Door.CONSOLE


@pytest.mark.parametrize(
    ("kind", "role"),
    [
        (AppointmentKind.SCHOOL_LEADER, Role.SCHOOL_LEADER),
        (AppointmentKind.PROTECTION_LEAD, Role.PROTECTION_LEAD),
        (AppointmentKind.DUTY, Role.DUTY),
    ],
)
async def test_a_school_is_reached_with_its_teaching_points_and_never_the_other_way_round(
    identity: AccountsIdentity, kind: AppointmentKind, role: Role
) -> None:
    school = await make_school()
    point = await make_school(kind=SchoolKind.TEACHING_POINT, parent_id=school.id, township_id=school.township_id)
    reached = []
    for place in (school, point):
        person = await make_person()
        await make_appointment(kind, person, school=place)
        reached.append((await identity.actor_of_person(person.id)).grants)
    centre, outpost = str(school.id), str(point.id)
    assert reached == [
        (Grant(role, schools=frozenset({centre, outpost})),),
        (Grant(role, schools=frozenset({outpost})),),
    ]


async def test_rights_begin_and_end_with_the_day_in_china(identity: AccountsIdentity, clock: FrozenClock) -> None:
    school_class = await make_class()
    person = await make_person()
    await make_appointment(
        AppointmentKind.HEAD_TEACHER,
        person,
        school_class=school_class,
        since=date(2026, 9, 10),
        until=date(2026, 9, 20),
    )
    await make_identity("o1", person)
    subject = Subject(class_id=str(school_class.id))

    async def may_view(at: datetime) -> bool:
        clock.set(at)
        return may(await identity.actor_of(index_of("o1")), Action.CLASS_VIEW, subject)

    assert not await may_view(datetime(2026, 9, 9, 23, 59, 59, tzinfo=SHANGHAI))
    assert await may_view(datetime(2026, 9, 10, 0, 0, tzinfo=SHANGHAI))
    assert await may_view(datetime(2026, 9, 20, 23, 59, 59, tzinfo=SHANGHAI))
    # Remembered a second ago, and all the same not true any more.
    assert not await may_view(datetime(2026, 9, 21, 0, 0, tzinfo=SHANGHAI))


async def test_who_is_both_wears_one_hat(identity: AccountsIdentity) -> None:
    person, pupil = await make_person(), await make_pupil()
    await make_guardianship(pupil, person)
    school_class = await make_class()
    await make_appointment(AppointmentKind.SUBJECT_TEACHER, person, school_class=school_class)
    await make_identity("o1", person)
    await make_identity("o2", person, hat=Hat.GUARDIAN)
    as_staff, as_guardian = await identity.actor_of(index_of("o1")), await identity.actor_of(index_of("o2"))
    assert (*as_staff.roles, as_staff.hat) == (Role.TEACHER, Hat.STAFF)
    assert (*as_guardian.roles, as_guardian.hat) == (Role.GUARDIAN, Hat.GUARDIAN)
    assert as_staff.hats == as_guardian.hats == {Hat.STAFF, Hat.GUARDIAN}
    assert not may(as_staff, Action.CHILD_VIEW)
    assert (await identity.actor_of_person(person.id, Hat.GUARDIAN)).roles == {Role.GUARDIAN}
    await Appointment.all().update(until=date(2026, 8, 31))
    left = await identity.actor_of_person(person.id, Hat.STAFF)
    assert (*left.roles, left.hat, *left.hats) == (Role.GUARDIAN, None, Hat.GUARDIAN)


async def test_what_is_remembered_lasts_seconds_or_until_forgotten(
    identity: AccountsIdentity, clock: FrozenClock
) -> None:
    person = await make_person()
    await make_guardianship(await make_pupil(), person)
    await make_identity("o1", person)
    index = index_of("o1")
    assert (await identity.actor_of(index, is_known=True)).roles == {Role.GUARDIAN}
    await Guardianship.all().update(ended_on=date(2026, 9, 1))
    assert (await identity.actor_of(index, is_known=True)).roles == {Role.GUARDIAN}
    clock.advance(timedelta(seconds=3))
    assert (await identity.actor_of(index, is_known=True)).roles == {Role.VISITOR}
    await Guardianship.all().update(ended_on=None)
    identity.forget(person_id=person.id)
    assert (await identity.actor_of(index, is_known=True)).roles == {Role.GUARDIAN}
    await Guardianship.all().update(ended_on=date(2026, 9, 1))
    identity.forget(index)
    assert (await identity.actor_of(index, is_known=True)).roles == {Role.VISITOR}


async def test_who_is_not_known_to_be_remembered_is_looked_up(identity: AccountsIdentity) -> None:
    person = await make_person()
    await make_guardianship(await make_pupil(), person)
    await make_identity("o1", person)
    index = index_of("o1")
    assert (await identity.actor_of(index)).roles == {Role.GUARDIAN}
    await Guardianship.all().update(ended_on=date(2026, 9, 1))
    assert (await identity.actor_of(index)).roles == {Role.VISITOR}


async def test_an_erased_person_is_nobody(identity: AccountsIdentity) -> None:
    person = await make_person(is_erased=True)
    await make_guardianship(await make_pupil(), person)
    await make_identity("o1", person)
    assert (await identity.actor_of(index_of("o1"))).roles == {Role.VISITOR}
    assert await identity.actor_of_person(person.id) == Actor(door=Door.CONSOLE)
