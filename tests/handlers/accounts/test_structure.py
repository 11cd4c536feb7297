"""Townships, schools, classes by year, the yearly promotion, and who changes class."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID, uuid4

import pytest

from bot.audit.log import Audit
from bot.audit.models import AuditRow
from bot.clock import SHANGHAI, FrozenClock
from bot.errors import NotFound, NotPermitted
from bot.identity import SYSTEM, Actor, Grant, Role
from bot.storage.database import Database
from handlers.accounts.domain import AppointmentKind, PlacementReason, PupilStatus, SchoolKind
from handlers.accounts.models import Appointment, Placement, Pupil, School, SchoolClass
from handlers.accounts.service.promotion import NothingToPromote, PlanOutdated, TooEarlyToPromote, leaving_grade
from handlers.accounts.service.rows import AlreadyThere, ChangedMeanwhile
from handlers.accounts.service.structure import InTheFuture, StillAttended, StructureService
from handlers.accounts.service.values import SchoolValues
from tests.factories import make_appointment, make_class, make_person, make_pupil, make_school, make_township

NEXT = datetime(2027, 8, 20, 9, 0, tzinfo=SHANGHAI)


@pytest.fixture
def structure(clock: FrozenClock, database: Database) -> StructureService:
    return StructureService(clock, Audit(clock))


def leader_of(*schools: School) -> Actor:
    grant = Grant(Role.SCHOOL_LEADER, schools=frozenset(str(each.id) for each in schools))
    return Actor(person_id=str(uuid4()), roles=frozenset({Role.SCHOOL_LEADER}), grants=(grant,))


def administrator_of(township_id: UUID) -> Actor:
    grant = Grant(Role.ADMINISTRATOR, townships=frozenset({str(township_id)}))
    return Actor(person_id=str(uuid4()), roles=frozenset({Role.ADMINISTRATOR}), grants=(grant,))


def head_of(school_class: SchoolClass) -> Actor:
    grant = Grant(Role.HEAD_TEACHER, classes=frozenset({str(school_class.id)}))
    return Actor(person_id=str(uuid4()), roles=frozenset({Role.HEAD_TEACHER}), grants=(grant,))


# ----------------------------------------------------------------------------------------------------------- places
async def test_an_administrator_builds_their_own_township_only(structure: StructureService) -> None:
    town, other = await make_township(), await make_township()
    actor = administrator_of(town.id)
    main = await structure.put_school(actor, SchoolValues(township_id=town.id, name="中心小学", place="白云镇"))
    point = SchoolValues(township_id=town.id, name="东村教学点", kind=SchoolKind.TEACHING_POINT, parent_id=UUID(main))
    await structure.put_school(actor, point)
    assert [(each.name, each.parent_id) for each in await structure.schools(actor)] == [
        ("东村教学点", main),
        ("中心小学", None),
    ]
    for wrong in (
        SchoolValues(township_id=other.id, name="别处小学"),
        SchoolValues(township_id=town.id, name="借来的", parent_id=(await make_school(other)).id),
        SchoolValues(township_id=town.id, name="改名", id=(await make_school(other)).id),
        SchoolValues(township_id=town.id, name="没有的", id=uuid4()),
    ):
        with pytest.raises(NotFound):
            await structure.put_school(actor, wrong)
    with pytest.raises(NotPermitted):
        await structure.create_township(actor, "新镇")
    assert (await structure.create_township(SYSTEM, "新镇")) in dict(await structure.townships(SYSTEM))


async def test_classes_are_listed_with_their_head_teacher_by_year(structure: StructureService) -> None:
    school = await make_school()
    now, before = await make_class(school), await make_class(school, school_year=2025)
    person = await make_person()
    await make_appointment(AppointmentKind.HEAD_TEACHER, person, school_class=now)
    await make_pupil(now)
    await make_pupil(now, status=PupilStatus.LEFT)
    (line,) = await structure.classes(leader_of(school))
    assert (line.id, line.pupils, line.head_teacher, line.name) == (str(now.id), 1, person.name, "三年级1班")
    assert [each.id for each in await structure.classes(leader_of(school), 2025)] == [str(before.id)]
    assert [each.id for each in await structure.classes(head_of(now))] == [str(now.id)]
    assert [each.id for each in await structure.schools(head_of(now))] == [str(school.id)]
    assert (await structure.class_of(head_of(now), str(now.id))).id == str(now.id)
    for missing in (str(before.id), str(uuid4()), "x"):
        with pytest.raises(NotFound):
            await structure.class_of(head_of(now), missing)


async def test_a_class_is_made_renamed_and_closed(structure: StructureService) -> None:
    school = await make_school()
    actor = leader_of(school)
    class_id = await structure.create_class(actor, str(school.id), 2026, 3, 1)
    assert await structure.create_class(actor, str(school.id), 2026, 3, 1) == class_id
    other = await structure.create_class(actor, str(school.id), 2026, 3, 2)
    with pytest.raises(AlreadyThere):
        await structure.rename_class(actor, other, 3, 1)
    await structure.rename_class(actor, other, 4, 1)
    pupil = await make_pupil(await SchoolClass.get(id=class_id))
    with pytest.raises(StillAttended):
        await structure.close_class(actor, class_id, date(2026, 9, 1))
    await structure.let_go(actor, str(pupil.id))
    await structure.close_class(actor, class_id, date(2026, 9, 1))
    await structure.close_class(actor, other, date(2026, 9, 1))
    assert await SchoolClass.all().values_list("id", flat=True) == [UUID(class_id)]  # it has a history
    with pytest.raises(NotFound):
        await structure.create_class(leader_of(await make_school()), str(school.id), 2026, 5, 1)


async def test_a_school_closes_when_nobody_attends_it(structure: StructureService) -> None:
    school = await make_school()
    actor = administrator_of(school.township_id)
    pupil = await make_pupil(await make_class(school))
    charge = await make_appointment(AppointmentKind.DUTY, school=school)
    with pytest.raises(StillAttended):
        await structure.close_school(actor, str(school.id), date(2026, 9, 1))
    await structure.let_go(actor, str(pupil.id))
    await structure.close_school(actor, str(school.id), date(2026, 9, 1))
    assert await structure.schools(actor) == []
    assert len(await structure.schools(actor, closed=True)) == 1
    assert (await Appointment.get(id=charge.id)).until == date(2026, 9, 1)


# -------------------------------------------------------------------------------------------------------- promotion
@pytest.mark.parametrize(
    ("kind", "grades", "last"),
    [
        (SchoolKind.KINDERGARTEN, {-2, -1, 0}, 0),
        (SchoolKind.SCHOOL, {1, 3, 6}, 6),
        (SchoolKind.SCHOOL, {0, 1, 6}, 6),
        (SchoolKind.SCHOOL, {1, 6, 7, 9}, 9),
        (SchoolKind.TEACHING_POINT, {1, 2}, 6),
    ],
)
def test_pupils_leave_after_the_last_grade_of_their_stage(kind: SchoolKind, grades: set[int], last: int) -> None:
    assert leaving_grade(kind, grades) == last


async def test_promotion_moves_classes_and_lets_the_highest_grade_graduate(
    structure: StructureService, clock: FrozenClock
) -> None:
    school = await make_school()
    third, sixth = await make_class(school), await make_class(school, grade=6, number=2)
    junior, senior = [await make_pupil(third) for _ in range(2)], await make_pupil(sixth)
    gone = await make_pupil(third, status=PupilStatus.LEFT)
    head, taught, last_head = [await make_person() for _ in range(3)]
    await make_appointment(AppointmentKind.HEAD_TEACHER, head, school_class=third)
    await make_appointment(AppointmentKind.SUBJECT_TEACHER, taught, school_class=third, subject="数学")
    await make_appointment(AppointmentKind.HEAD_TEACHER, last_head, school_class=sixth)
    clock.set(NEXT)
    actor = leader_of(school)
    plan = await structure.promotion(actor, str(school.id), 2027)
    assert [(step.name, step.to_name, step.pupils) for step in plan.steps] == [
        ("三年级1班", "四年级1班", 2),
        ("六年级2班", "", 1),
    ]
    assert (plan.promoted, plan.graduating) == (2, 1)
    assert {each.person_id for each in plan.proposals if each.is_proposed} == {str(head.id)}
    assert await SchoolClass.filter(school_year=2027).count() == 0  # a preview changes nothing

    await structure.promote(actor, str(school.id), 2027, fingerprint=plan.fingerprint)
    made = await SchoolClass.get(school_year=2027)
    assert (made.grade, made.number, made.promoted_from_id) == (4, 1, third.id)
    for pupil in junior:
        places = await Placement.filter(pupil_id=pupil.id).order_by("since")
        assert [(each.school_class_id, each.until, each.reason) for each in places] == [
            (third.id, date(2027, 8, 19), PlacementReason.ENROLLED),
            (made.id, None, PlacementReason.PROMOTED),
        ]
    await senior.refresh_from_db()
    assert (senior.status, senior.left_on, senior.school_class_id) == (
        PupilStatus.GRADUATED,
        date(2027, 8, 19),
        None,
    )
    assert (await Pupil.get(id=gone.id)).school_class_id == third.id
    open_charges = await Appointment.filter(until__isnull=True)
    assert [(each.person_id, each.school_class_id, each.since) for each in open_charges] == [
        (head.id, made.id, date(2027, 8, 20))
    ]
    assert await Appointment.filter(until=date(2027, 8, 19)).count() == 3
    assert [row.purpose for row in await AuditRow.filter(action="class.promote")] == ["2027"]
    with pytest.raises(NothingToPromote):
        await structure.promote(actor, str(school.id), 2027)


async def test_a_plan_that_has_become_another_is_not_carried_out(
    structure: StructureService, clock: FrozenClock
) -> None:
    school = await make_school()
    third = await make_class(school)
    clock.set(NEXT)
    actor = leader_of(school)
    plan = await structure.promotion(actor, str(school.id), 2027)
    await make_pupil(third)
    with pytest.raises(PlanOutdated):
        await structure.promote(actor, str(school.id), 2027, fingerprint=plan.fingerprint)
    clock.set(datetime(2027, 7, 31, 23, 59, tzinfo=SHANGHAI))
    with pytest.raises(TooEarlyToPromote):
        await structure.promote(actor, str(school.id), 2027)
    for foreign in (leader_of(await make_school()), leader_of()):
        with pytest.raises(NotFound):
            await structure.promote(foreign, str(school.id), 2027)
    with pytest.raises(NotPermitted):
        await structure.promotion(head_of(third), str(school.id), 2027)


# ----------------------------------------------------------------------------------------------------------- pupils
async def test_a_pupil_moves_within_the_actors_reach_only(structure: StructureService, clock: FrozenClock) -> None:
    town = await make_township()
    school, beside = await make_school(town), await make_school(town)
    old, new, far = await make_class(school), await make_class(school, number=2), await make_class(beside)
    pupil = await make_pupil(old)
    clock.set(datetime(2026, 10, 8, 8, 0, tzinfo=SHANGHAI))
    actor = leader_of(school)
    await structure.move(actor, str(pupil.id), str(new.id))
    assert (await Pupil.get(id=pupil.id)).school_class_id == new.id
    answers = set()
    for class_id in (far.id, uuid4()):
        with pytest.raises(NotFound) as caught:
            await structure.move(actor, str(pupil.id), str(class_id))
        answers.add((type(caught.value), str(caught.value)))
    assert len(answers) == 1
    await structure.move(administrator_of(town.id), str(pupil.id), str(far.id))
    assert (await Pupil.get(id=pupil.id)).school_id == beside.id
    with pytest.raises(NotFound):  # no pupil of theirs any more
        await structure.move(actor, str(pupil.id), str(new.id))
    with pytest.raises(InTheFuture):
        await structure.move(administrator_of(town.id), str(pupil.id), str(new.id), date(2026, 10, 9))


async def test_a_pupil_who_changed_meanwhile_is_not_moved(structure: StructureService) -> None:
    school = await make_school()
    pupil = await make_pupil(await make_class(school))
    one, two = await make_class(school, number=2), await make_class(school, number=3)
    await structure.move(leader_of(school), str(pupil.id), str(one.id), version=1)
    with pytest.raises(ChangedMeanwhile):
        await structure.move(leader_of(school), str(pupil.id), str(two.id), version=1)
    with pytest.raises(ChangedMeanwhile):
        await structure.let_go(leader_of(school), str(pupil.id), version=1)
