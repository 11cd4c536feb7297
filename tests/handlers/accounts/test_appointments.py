"""Dated appointments; a class passes to another head teacher with its open duties and a receipt."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID, uuid4

import pytest

from bot.audit.log import Audit
from bot.audit.models import AuditRow
from bot.clock import SHANGHAI, FrozenClock
from bot.errors import AppError, Conflict, NotFound, NotPermitted
from bot.identity import Actor, Grant, Role
from bot.rights import Action, Subject, may
from bot.storage.database import Database, transaction
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Appointment, ClassHandOver, Person, School, SchoolClass
from handlers.accounts.service.appointments import (
    AlreadyHeadTeacher,
    AppointmentService,
    HandOverInThePast,
    HandOverPending,
)
from handlers.accounts.service.identity import AccountsIdentity
from handlers.accounts.service.relations import HeadTeacherTaken
from handlers.accounts.service.values import AppointmentValues, PersonValues
from tests.factories import make_appointment, make_class, make_person, make_school

TODAY = date(2026, 9, 1)


class Duties:
    """What is open for a class, and whom it was passed to."""

    def __init__(self, **counts: int) -> None:
        self.counts = counts
        self.passed: list[tuple[str, str]] = []

    async def open_duties(self, class_id: str) -> Mapping[str, int]:
        return self.counts

    async def pass_duties(self, class_id: str, to_person_id: str) -> None:
        self.passed.append((class_id, to_person_id))


@pytest.fixture
def duties() -> Duties:
    return Duties(家访=2, 联系=1)


@pytest.fixture
def identity(clock: FrozenClock, database: Database) -> AccountsIdentity:
    return AccountsIdentity(clock)


@pytest.fixture
def appointments(
    clock: FrozenClock, database: Database, duties: Duties, identity: AccountsIdentity
) -> AppointmentService:
    return AppointmentService(clock, Audit(clock), lambda: [duties, Duties(联系=4)], identity.forget)


def leader_of(school: School) -> Actor:
    grant = Grant(Role.SCHOOL_LEADER, schools=frozenset({str(school.id)}))
    return Actor(person_id=str(uuid4()), roles=frozenset({Role.SCHOOL_LEADER}), grants=(grant,))


def administrator_of(township_id: UUID) -> Actor:
    grant = Grant(Role.ADMINISTRATOR, townships=frozenset({str(township_id)}))
    return Actor(person_id=str(uuid4()), roles=frozenset({Role.ADMINISTRATOR}), grants=(grant,))


async def a_class() -> tuple[School, SchoolClass, Person]:
    """A school, a class of it and its head teacher."""
    school = await make_school()
    school_class = await make_class(school)
    head = await make_person()
    await make_appointment(AppointmentKind.HEAD_TEACHER, head, school_class=school_class, since=date(2026, 8, 1))
    return school, school_class, head


async def a_colleague(school: School) -> Person:
    person = await make_person()
    await make_appointment(AppointmentKind.SUBJECT_TEACHER, person, school_class=await make_class(school, number=8))
    return person


# ----------------------------------------------------------------------------------------------------- appointments
async def test_a_leader_appoints_teachers_and_no_leaders(appointments: AppointmentService) -> None:
    school = await make_school()
    school_class = await make_class(school)
    actor = leader_of(school)
    new = PersonValues(name="新老师", phone="13900000001")
    values = AppointmentValues(
        person_id=uuid4(), kind=AppointmentKind.SUBJECT_TEACHER, class_id=school_class.id, since=TODAY, subject="语文"
    )
    appointment = await Appointment.get(id=await appointments.appoint(actor, values, new))
    assert (appointment.subject, appointment.school_id, appointment.township_id) == (
        "语文",
        school.id,
        school.township_id,
    )
    assert (await Person.get(id=appointment.person_id)).name == "新老师"
    leading = AppointmentValues(
        person_id=appointment.person_id, kind=AppointmentKind.SCHOOL_LEADER, school_id=school.id, since=TODAY
    )
    with pytest.raises(NotPermitted):
        await appointments.appoint(actor, leading)
    await appointments.appoint(administrator_of(school.township_id), leading)
    assert [row.action for row in await AuditRow.all().order_by("id")] == ["staff.edit", "leader.appoint"]


async def test_nobody_appoints_beyond_their_reach_or_people_of_others(appointments: AppointmentService) -> None:
    school = await make_school()
    stranger, colleague = await make_person(), await a_colleague(school)
    foreign = AppointmentValues(
        person_id=colleague.id, kind=AppointmentKind.DUTY, school_id=(await make_school()).id, since=TODAY
    )
    missing = AppointmentValues(person_id=colleague.id, kind=AppointmentKind.DUTY, school_id=uuid4(), since=TODAY)
    unknown = AppointmentValues(person_id=stranger.id, kind=AppointmentKind.DUTY, school_id=school.id, since=TODAY)
    nobody = AppointmentValues(person_id=uuid4(), kind=AppointmentKind.DUTY, school_id=school.id, since=TODAY)
    answers = set()
    for values in (foreign, missing, unknown, nobody):
        with pytest.raises(NotFound) as caught:
            await appointments.appoint(leader_of(school), values)
        answers.add((type(caught.value), str(caught.value), str(caught.value.details)))
    assert len(answers) == 1
    assert await Appointment.all().count() == 1


async def test_a_class_keeps_its_head_teacher_until_it_is_handed_over(appointments: AppointmentService) -> None:
    school, school_class, _ = await a_class()
    colleague = await a_colleague(school)
    values = AppointmentValues(
        person_id=colleague.id, kind=AppointmentKind.HEAD_TEACHER, class_id=school_class.id, since=TODAY
    )
    with pytest.raises(HeadTeacherTaken):
        await appointments.appoint(leader_of(school), values)


async def test_what_is_ended_at_once_gives_no_right_the_same_day(
    appointments: AppointmentService, identity: AccountsIdentity
) -> None:
    school, school_class, head = await a_class()
    (row,) = await Appointment.all()
    subject = Subject(class_id=str(school_class.id))
    assert may(await identity.actor_of_person(head.id), Action.PUPIL_VIEW, subject)
    for foreign in (leader_of(await make_school()),):
        with pytest.raises(NotFound):
            await appointments.end(foreign, str(row.id))
    await appointments.end(leader_of(school), str(row.id))
    assert (await Appointment.get(id=row.id)).until == date(2026, 8, 31)
    assert not may(await identity.actor_of_person(head.id), Action.PUPIL_VIEW, subject)
    charges = await appointments.charges(leader_of(school), str(head.id))
    assert [(each.kind_name, each.until) for each in charges] == [("班主任", date(2026, 8, 31))]


# -------------------------------------------------------------------------------------------------------- hand-over
async def test_a_class_passes_with_what_is_open_and_a_receipt(
    appointments: AppointmentService, duties: Duties, identity: AccountsIdentity
) -> None:
    school, school_class, old = await a_class()
    new = await a_colleague(school)
    receipt = await appointments.hand_over(leader_of(school), str(school_class.id), str(new.id))
    assert (receipt.from_person, receipt.to_person, receipt.is_accepted) == (old.name, new.name, False)
    assert receipt.duties == {"家访": 2, "联系": 5}
    assert duties.passed == [(str(school_class.id), str(new.id))]
    subject = Subject(class_id=str(school_class.id))
    old_actor, new_actor = await identity.actor_of_person(old.id), await identity.actor_of_person(new.id)
    assert not may(old_actor, Action.PUPIL_SEARCH, subject)
    assert may(new_actor, Action.PUPIL_SEARCH, subject)

    assert [each.id for each in await appointments.waiting(new_actor)] == [receipt.id]
    for other in (leader_of(school), Actor(roles=frozenset({Role.HEAD_TEACHER}))):
        with pytest.raises(NotFound):
            await appointments.accept(other, receipt.id)
    with pytest.raises(NotFound):
        await appointments.accept(new_actor, str(uuid4()))
    assert (await appointments.accept(new_actor, receipt.id)).is_accepted
    assert (await appointments.accept(new_actor, receipt.id)).is_accepted
    assert await appointments.waiting(new_actor) == []
    assert [each.id for each in await appointments.history(leader_of(school), str(school_class.id))] == [receipt.id]
    assert [row.purpose for row in await AuditRow.filter(action="class.handover").order_by("id")] == [
        "hand_over",
        "accept",
    ]


async def test_a_hand_over_agreed_on_before_takes_effect_on_its_day(
    appointments: AppointmentService, duties: Duties, identity: AccountsIdentity, clock: FrozenClock
) -> None:
    school, school_class, old = await a_class()
    new = await a_colleague(school)
    on = date(2026, 9, 15)
    receipt = await appointments.hand_over(leader_of(school), str(school_class.id), str(new.id), on)
    assert duties.passed == []
    subject = Subject(class_id=str(school_class.id))

    async def who_may(at: datetime) -> list[bool]:
        clock.set(at)
        actors = [await identity.actor_of_person(each.id) for each in (old, new)]
        return [may(actor, Action.PUPIL_SEARCH, subject) for actor in actors]

    assert await who_may(datetime(2026, 9, 14, 23, 59, tzinfo=SHANGHAI)) == [True, False]
    with pytest.raises(AppError):
        await appointments.accept(await identity.actor_of_person(new.id), receipt.id)
    assert await who_may(datetime(2026, 9, 15, 0, 0, tzinfo=SHANGHAI)) == [False, True]
    await appointments.accept(await identity.actor_of_person(new.id), receipt.id)
    assert duties.passed == [(str(school_class.id), str(new.id))]


async def test_a_class_is_not_handed_to_its_own_teacher_into_the_past_or_abroad(
    appointments: AppointmentService,
) -> None:
    school, school_class, head = await a_class()
    actor = leader_of(school)
    colleague = await a_colleague(school)
    with pytest.raises(AlreadyHeadTeacher):
        await appointments.hand_over(actor, str(school_class.id), str(head.id))
    with pytest.raises(HandOverInThePast):
        await appointments.hand_over(actor, str(school_class.id), str(colleague.id), date(2026, 8, 31))
    answers = set()
    for class_id, person_id in (
        ((await make_class()).id, colleague.id),
        (uuid4(), colleague.id),
        (school_class.id, (await make_person()).id),
        (school_class.id, uuid4()),
    ):
        with pytest.raises(NotFound) as caught:
            await appointments.hand_over(actor, str(class_id), str(person_id))
        answers.add((type(caught.value), str(caught.value)))
    assert len(answers) == 1
    assert await ClassHandOver.all().count() == 0


async def test_a_failed_passing_of_duties_leaves_everything_as_it_was(clock: FrozenClock, database: Database) -> None:
    class Stuck(Duties):
        async def pass_duties(self, class_id: str, to_person_id: str) -> None:
            raise Conflict

    service = AppointmentService(clock, Audit(clock), lambda: [Stuck()])
    school, school_class, head = await a_class()
    colleague = await a_colleague(school)
    with pytest.raises(Conflict):
        await service.hand_over(leader_of(school), str(school_class.id), str(colleague.id))
    heads = await Appointment.filter(school_class_id=school_class.id)
    assert [(each.person_id, each.until) for each in heads] == [(head.id, None)]
    assert await AuditRow.all().count() == 0


# ------------------------------------------------------------------------------------------------------ concurrency
async def test_of_several_hand_overs_at_once_one_is_done(appointments: AppointmentService) -> None:
    school, school_class, _ = await a_class()
    colleagues = [await a_colleague_of(school, number) for number in range(6)]
    answers = await asyncio.gather(
        *(appointments.hand_over(leader_of(school), str(school_class.id), str(each.id)) for each in colleagues),
        return_exceptions=True,
    )
    assert [type(each) for each in answers if isinstance(each, BaseException)] == [HandOverPending] * 5
    assert await Appointment.filter(school_class_id=school_class.id, until__isnull=True).count() == 1
    assert await ClassHandOver.all().count() == 1


@pytest.mark.engine("postgres")
async def test_without_the_lock_two_hand_overs_at_once_give_two_head_teachers(database: Database) -> None:
    """The negative control: what the test above proves does not come about by itself."""
    school, school_class, head = await a_class()
    colleagues = [await a_colleague_of(school, number) for number in range(2)]
    both_have_read = asyncio.Barrier(2)

    async def hand_over(to: Person) -> None:
        async with transaction():
            assert await ClassHandOver.filter(school_class_id=school_class.id).count() == 0
            await both_have_read.wait()
            held = Appointment.filter(school_class_id=school_class.id, person_id=head.id)
            await held.update(until=date(2026, 8, 31))
            await make_appointment(AppointmentKind.HEAD_TEACHER, to, school_class=school_class)

    await asyncio.gather(*(hand_over(each) for each in colleagues))
    assert await Appointment.filter(school_class_id=school_class.id, until__isnull=True).count() == 2


async def a_colleague_of(school: School, number: int) -> Person:
    person = await make_person()
    school_class = await make_class(school, grade=5, number=number + 1)
    await make_appointment(AppointmentKind.SUBJECT_TEACHER, person, school_class=school_class)
    return person
