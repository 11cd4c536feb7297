"""Rosters, leave, who collects, and a child that is missed: over a real database."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest
from tortoise.exceptions import BaseORMException, IntegrityError

from bot.audit.models import AuditRow
from bot.clock import FrozenClock
from bot.delivery.models import OutboxPush
from bot.errors import NotFound, NotPermitted
from bot.metrics import Metrics
from bot.storage.database import Database
from handlers.accounts.models import Appointment, Bar
from handlers.accounts.service.bars import name_index
from handlers.after_school.domain.days import (
    CollectBy,
    CollectionInvalid,
    CollectorRefused,
    DutyRole,
    LeaveInvalid,
    LessonAhead,
    MarksUnclear,
    NoLessonThen,
    Presence,
    moves,
)
from handlers.after_school.domain.statements import Source
from handlers.after_school.models import (
    AfterSchoolAttendance,
    AfterSchoolAttendanceEvent,
    AfterSchoolDayOff,
    AfterSchoolDutySlot,
    AfterSchoolEnrolment,
    AfterSchoolSession,
)
from handlers.after_school.service.days.collecting import NewCollection
from handlers.after_school.service.days.leave import NewLeave
from handlers.after_school.service.days.taking import Handed
from handlers.alarms.models import AlarmRow
from handlers.alarms.service.climbing import FAMILY, STAFF
from tests import factories
from tests.handlers.after_school.days_stage import (
    FIRST,
    MOMENTS,
    TUESDAY,
    Replica,
    Service,
    at,
    enrol,
    make_service,
    replica,
    withdraw,
)

H, MISSING, LEAVE = Presence.HERE, Presence.MISSING, Presence.LEAVE


@pytest.fixture
def stage(database: Database, clock: FrozenClock, metrics: Metrics) -> Replica:
    clock.set(at(TUESDAY, 16))
    return replica(clock, metrics)


@pytest.fixture
async def service(database: Database, clock: FrozenClock) -> Service:
    return await make_service(clock)


async def presences(service: Service) -> list[Presence | None]:
    """Of all children in the drawing course, in their order."""
    rows = {
        row.pupil_id: row.presence
        for row in await AfterSchoolAttendance.filter(session__programme_id=service.course.id)
    }
    return [rows.get(child.id) for child in service.children]


def everybody(service: Service, **others: Presence) -> Handed:
    """The course has the child of the other class too."""
    said = {**{str(child.id): H for child in service.children}, **service.all_here(**others)}
    return Handed(programme_id=str(service.course.id), day=TUESDAY, presences=said)


# -------------------------------------------------------------------------------------------------------------- rosters
async def test_a_course_is_one_group_and_care_goes_class_by_class(stage: Replica, service: Service) -> None:
    groups = await stage.rosters.groups(await service.actor(service.leader), TUESDAY)
    assert [(each.title, each.class_name, each.expected) for each in groups] == [
        ("画画", "", 4), ("看护", "三年级1班", 3), ("看护", "三年级2班", 1),
    ]  # fmt: skip
    assert groups[0].teacher == service.drawer.name
    monday = await stage.rosters.groups(await service.actor(service.leader), FIRST)
    assert {each.title for each in monday} == {"看护"}, "drawing is on Tuesdays and Thursdays"


async def test_a_head_teacher_sees_the_own_class_a_teacher_the_own_course(stage: Replica, service: Service) -> None:
    head = await stage.rosters.groups(await service.actor(service.head), TUESDAY)
    assert [(each.title, each.expected) for each in head] == [("画画", 3), ("看护", 3)]
    drawer = await stage.rosters.groups(await service.actor(service.drawer), TUESDAY)
    assert [(each.title, each.expected) for each in drawer] == [("画画", 4), ("看护", 1)]
    with pytest.raises(NotPermitted):
        await stage.rosters.groups(await service.actor(service.mothers[0]), TUESDAY)


async def test_who_has_nothing_to_do_with_a_group_finds_nothing(
    stage: Replica, service: Service, clock: FrozenClock
) -> None:
    other = await make_service(clock)
    for person in (other.head, other.leader, other.drawer, other.admin):
        actor = await other.actor(person)
        with pytest.raises(NotFound):
            await stage.rosters.roster(actor, str(service.course.id), TUESDAY, None)
        with pytest.raises(NotFound):
            await stage.taking.take(actor, everybody(service))


async def test_days_off_and_holidays_have_no_lesson(stage: Replica, service: Service) -> None:
    leader = await service.actor(service.leader)
    await AfterSchoolDayOff.create(
        plan_id=service.plan.id, programme_id=service.course.id, day=TUESDAY, reason="运动会", **MOMENTS
    )
    assert {each.title for each in await stage.rosters.groups(leader, TUESDAY)} == {"看护"}
    with pytest.raises(NoLessonThen):
        await stage.rosters.roster(leader, str(service.course.id), TUESDAY, None)
    assert await stage.rosters.groups(leader, date(2026, 10, 1)) == []
    assert await stage.rosters.groups(leader, FIRST - timedelta(days=4)) == [], "it begins with the second week"


async def test_who_left_later_is_still_on_the_roster_of_the_day(
    stage: Replica, service: Service, clock: FrozenClock
) -> None:
    row = await AfterSchoolEnrolment.get(programme=service.course, pupil_id=service.children[0].id)
    clock.set(at(TUESDAY + timedelta(days=2), 10))
    await withdraw(row, clock.now())
    late = await factories.make_pupil(service.room)
    await enrol(service.course, late, clock.now())
    leader = await service.actor(service.leader)
    before = await stage.rosters.roster(leader, str(service.course.id), TUESDAY, None)
    now = await stage.rosters.roster(leader, str(service.course.id), TUESDAY + timedelta(days=2), None)
    first, late_id = str(service.children[0].id), str(late.id)
    assert [first in {line.child_id for line in each.lines} for each in (before, now)] == [True, False]
    assert [late_id in {line.child_id for line in each.lines} for each in (before, now)] == [False, True]


async def test_reading_a_roster_is_written_down(stage: Replica, service: Service) -> None:
    await stage.rosters.roster(await service.actor(service.drawer), str(service.course.id), TUESDAY, None)
    row = await AuditRow.get(action="service.roster")
    assert (row.actor, "phone" in row.fields_seen) == (str(service.drawer.id), True)


# --------------------------------------------------------------------------------------------------------- attendance
async def test_the_same_roster_twice_is_one_and_a_correction_is_kept(stage: Replica, service: Service) -> None:
    drawer = await service.actor(service.drawer)
    assert (await stage.taking.take(drawer, everybody(service))).changed == 4
    assert (await stage.taking.take(drawer, everybody(service))).changed == 0
    assert (await stage.taking.take(drawer, everybody(service, child_1=Presence.LEFT_EARLY))).changed == 1
    assert await presences(service) == [H, Presence.LEFT_EARLY, H, H]
    events = await AfterSchoolAttendanceEvent.filter(before__not_isnull=True)
    assert [(event.before, event.after, event.by_person) for event in events] == [
        (H, Presence.LEFT_EARLY, service.drawer.id)
    ]
    assert await AfterSchoolSession.all().count() == 1


async def test_what_was_written_of_attendance_cannot_be_changed(stage: Replica, service: Service) -> None:
    await stage.taking.take(await service.actor(service.drawer), everybody(service))
    with pytest.raises(BaseORMException):
        await AfterSchoolAttendanceEvent.all().update(after=MISSING)
    with pytest.raises(BaseORMException):
        await AfterSchoolAttendanceEvent.all().delete()


@pytest.mark.engine("postgres")
async def test_two_who_take_a_roster_at_once_write_it_once(
    stage: Replica, service: Service, clock: FrozenClock, metrics: Metrics
) -> None:
    drawer, leader = await service.actor(service.drawer), await service.actor(service.leader)
    others = [replica(clock, metrics) for _ in range(6)]
    handed = everybody(service, child_2=MISSING)
    takers = [each.taking.take(drawer if n % 2 else leader, handed) for n, each in enumerate(others)]
    taken = await asyncio.gather(*takers)
    assert sorted(each.changed for each in taken) == [0, 0, 0, 0, 0, 4]
    assert await AfterSchoolAttendance.all().count() == 4
    assert await AfterSchoolAttendanceEvent.all().count() == 4
    assert await AlarmRow.all().count() == 1


async def test_without_the_lock_a_roster_would_be_written_twice(
    stage: Replica, service: Service, clock: FrozenClock
) -> None:
    """The negative control of the one above: what changes, worked out before another has written, is all of it again;
    the key of the rows is the last line, and nothing keeps the history from saying everything twice."""
    drawer = await service.actor(service.drawer)
    said = everybody(service, child_2=MISSING).presences
    careless = moves({}, said, (), list(said))
    await stage.taking.take(drawer, everybody(service, child_2=MISSING))
    known = {str(row.pupil_id): row for row in await AfterSchoolAttendance.all()}
    assert moves({child: row.presence for child, row in known.items()}, said, (), list(said)) == []
    assert len(careless) == 4
    first, now = known[careless[0].child], clock.now()
    with pytest.raises(IntegrityError):
        await AfterSchoolAttendance.create(
            session_id=first.session_id, enrolment_id=first.enrolment_id, pupil_id=first.pupil_id,
            presence=careless[0].after, created_at=now, updated_at=now,
        )  # fmt: skip
    for move in careless:
        own = known[move.child].id
        await AfterSchoolAttendanceEvent.create(
            attendance_id=own, at=now, before=move.before, after=move.after, created_at=now, updated_at=now
        )
    assert await AfterSchoolAttendanceEvent.filter(after=MISSING).count() == 2, "missed twice, looked for twice"


async def test_everybody_is_said_and_nothing_ahead_of_its_day(stage: Replica, service: Service) -> None:
    drawer = await service.actor(service.drawer)
    with pytest.raises(MarksUnclear):
        await stage.taking.take(drawer, Handed(programme_id=str(service.course.id), day=TUESDAY))
    with pytest.raises(LessonAhead):
        await stage.taking.take(drawer, service.handed(TUESDAY + timedelta(days=2)))
    with pytest.raises(NoLessonThen):
        await stage.taking.take(drawer, service.handed(FIRST))
    assert await AfterSchoolSession.all().count() == 0, "what is refused leaves nothing"


async def test_a_substitute_is_written_down_as_who_gave_the_lesson(stage: Replica, service: Service) -> None:
    handed = everybody(service)
    by_leader = Handed(programme_id=handed.programme_id, day=TUESDAY, presences=handed.presences, i_gave=True)
    await stage.taking.take(await service.actor(service.leader), by_leader)
    row = await AfterSchoolSession.get()
    assert (row.teacher_id, row.is_substitute) == (service.leader.id, True)


async def test_a_lesson_that_is_called_off_is_not_held_until_somebody_takes_it(
    stage: Replica, service: Service
) -> None:
    drawer = await service.actor(service.drawer)
    await stage.taking.call_off(drawer, everybody(service), "老师病了")
    assert (await AfterSchoolSession.get()).is_held is False
    await stage.taking.take(drawer, everybody(service))
    assert (await AfterSchoolSession.get()).is_held is True


async def test_a_roster_nobody_has_taken_waits_once_the_lesson_has_begun(
    stage: Replica, service: Service, clock: FrozenClock
) -> None:
    drawer = await service.actor(service.drawer)
    clock.set(at(TUESDAY, 15))
    assert [todo.count for todo in await stage.rosters.todos_of(drawer)] == [0]
    clock.set(at(TUESDAY, 15, 40))
    assert [todo.count for todo in await stage.rosters.todos_of(drawer)] == [1]
    await stage.taking.take(drawer, everybody(service))
    assert [todo.count for todo in await stage.rosters.todos_of(drawer)] == [0]


# -------------------------------------------------------------------------------------------------------------- leave
def a_leave(service: Service, number: int = 0, first: date = TUESDAY, last: date = TUESDAY) -> NewLeave:
    return NewLeave(child_id=str(service.children[number].id), first_day=first, last_day=last, reason="发烧")


async def test_leave_is_on_the_roster_at_once_and_nobody_looks_for_the_child(stage: Replica, service: Service) -> None:
    mother, drawer = await service.actor(service.mothers[0]), await service.actor(service.drawer)
    await stage.leave.ask(mother, a_leave(service), Source.CHAT)
    roster = await stage.rosters.roster(drawer, str(service.course.id), TUESDAY, None)
    assert {line.child_id for line in roster.lines if line.on_leave} == {str(service.children[0].id)}
    assert roster.group.on_leave == 1
    taken = await stage.taking.take(drawer, everybody(service, child_0=MISSING))
    assert list(taken.missing) == []
    assert (await presences(service))[0] is LEAVE
    assert await AlarmRow.all().count() == 0


async def test_leave_asked_twice_is_one_and_a_withdrawn_one_can_be_asked_again(
    stage: Replica, service: Service
) -> None:
    mother = await service.actor(service.mothers[0])
    first = await stage.leave.ask(mother, a_leave(service), Source.CHAT)
    again = await stage.leave.ask(mother, a_leave(service), Source.MINIPROGRAM)
    assert (again.id, again.is_new) == (first.id, False)
    await stage.leave.withdraw(mother, first.id)
    assert await stage.leave.own(mother) == []
    with pytest.raises(NotFound):
        await stage.leave.withdraw(mother, first.id)
    assert (await stage.leave.ask(mother, a_leave(service), Source.CHAT)).is_new


async def test_leave_is_asked_by_the_child_s_own_family_for_days_to_come(stage: Replica, service: Service) -> None:
    mother, other = await service.actor(service.mothers[0]), await service.actor(service.mothers[1])
    for new in (
        a_leave(service, first=TUESDAY - timedelta(days=1)),
        a_leave(service, last=TUESDAY - timedelta(days=1)),
        a_leave(service, last=TUESDAY + timedelta(days=60)),
    ):
        with pytest.raises(LeaveInvalid):
            await stage.leave.ask(mother, new, Source.CHAT)
    with pytest.raises(NotFound):
        await stage.leave.ask(other, a_leave(service), Source.CHAT)
    leave = await stage.leave.ask(mother, a_leave(service), Source.CHAT)
    with pytest.raises(NotFound):
        await stage.leave.withdraw(other, leave.id)
    with pytest.raises(NotPermitted):
        await stage.leave.ask(await service.actor(service.head), a_leave(service), Source.CHAT)


async def test_the_head_teacher_writes_down_what_the_family_said_on_the_phone(stage: Replica, service: Service) -> None:
    head = await service.actor(service.head)
    assert (await stage.leave.enter(head, a_leave(service))).is_new
    with pytest.raises(NotFound):
        await stage.leave.enter(head, a_leave(service, 3))


# ------------------------------------------------------------------------------------------------------ who collects
def a_collector(service: Service, **values: object) -> NewCollection:
    given: dict[str, object] = {"child_id": str(service.children[0].id), "day": TUESDAY, **values}
    return NewCollection(**given)  # type: ignore[arg-type]


async def test_who_collects_is_on_the_roster_and_the_last_word_counts(
    stage: Replica, service: Service, clock: FrozenClock
) -> None:
    mother, drawer = await service.actor(service.mothers[0]), await service.actor(service.drawer)
    other = a_collector(service, how=CollectBy.OTHER, name="周二叔", phone="19900001234")
    await stage.collecting.say(mother, other, Source.CHAT)
    await stage.collecting.say(mother, other, Source.CHAT)
    roster = await stage.rosters.roster(drawer, str(service.course.id), TUESDAY, None)
    line = next(line for line in roster.lines if line.child_id == str(service.children[0].id))
    assert (line.how, line.collector, line.collector_phone) == (CollectBy.OTHER, "周二叔", "19900001234")
    clock.advance(timedelta(minutes=5))
    own = a_collector(service, how=CollectBy.GUARDIAN, person_id=str(service.mothers[0].id))
    await stage.collecting.say(mother, own, Source.CHAT)
    roster = await stage.rosters.roster(drawer, str(service.course.id), TUESDAY, None)
    line = next(line for line in roster.lines if line.child_id == str(service.children[0].id))
    assert (line.how, line.collector) == (CollectBy.GUARDIAN, service.mothers[0].name)


async def test_nobody_who_must_be_kept_away_collects_a_child(stage: Replica, service: Service) -> None:
    await Bar.create(
        pupil_id=service.children[0].id, name_index=name_index("周二叔"), reason="文书第1号", since=factories.FIRST_DAY,
        **MOMENTS,
    )  # fmt: skip
    mother = await service.actor(service.mothers[0])
    with pytest.raises(CollectorRefused) as refused:
        await stage.collecting.say(
            mother, a_collector(service, how=CollectBy.OTHER, name="周 二叔", phone="19900001234"), Source.CHAT
        )
    assert "班主任" in refused.value.message
    for wrong in (
        {"how": CollectBy.OTHER, "name": "周三叔", "phone": "12"},
        {"how": CollectBy.GUARDIAN, "person_id": str(service.mothers[1].id)},
        {"how": CollectBy.ALONE, "day": TUESDAY - timedelta(days=1)},
    ):
        with pytest.raises(CollectionInvalid):
            await stage.collecting.say(mother, a_collector(service, **wrong), Source.CHAT)


# ------------------------------------------------------------------------------------------------------- missing child
async def pushed(reason: str) -> set[str]:
    return {str(row.person_id) for row in await OutboxPush.filter(reason=reason)}


async def test_a_missing_child_is_told_to_who_is_on_duty_at_once_and_climbs(
    stage: Replica, service: Service, clock: FrozenClock
) -> None:
    guide = await factories.make_person()
    await AfterSchoolDutySlot.create(
        school_id=service.school.id, day=TUESDAY, role=DutyRole.GUIDE, person_id=guide.id, **MOMENTS
    )
    taken = await stage.taking.take(await service.actor(service.drawer), everybody(service, child_1=MISSING))
    [alarmed] = taken.missing
    at_once = {str(guide.id), str(service.duty.id)}
    assert await pushed(STAFF) == at_once
    assert await pushed(FAMILY) == set()
    clock.advance(timedelta(minutes=10))
    await stage.climbing.climb_due()
    assert await pushed(STAFF) == at_once | {str(service.head.id)}
    assert await pushed(FAMILY) == {str(service.mothers[1].id)}
    head = await service.actor(service.head)
    await stage.alarms.acknowledge(head, alarmed.alarm_key)
    await stage.alarms.close(head, alarmed.alarm_key, "孩子在操场，已送回教室")
    clock.advance(timedelta(hours=1))
    assert await stage.climbing.climb_due() == 0


async def test_a_correction_and_a_late_leave_stand_in_the_alarm_and_somebody_closes_it(
    stage: Replica, service: Service, clock: FrozenClock
) -> None:
    drawer = await service.actor(service.drawer)
    await stage.taking.take(drawer, everybody(service, child_1=MISSING))
    await stage.leave.ask(await service.actor(service.mothers[1]), a_leave(service, 1), Source.CHAT)
    await stage.taking.take(drawer, everybody(service, child_1=H))
    row = await AlarmRow.get()
    assert row.said is not None
    assert ["补了请假" in row.said, "点名已更正" in row.said, row.state.value] == [True, True, "open"]
    await stage.taking.take(drawer, everybody(service, child_2=MISSING))
    assert await AlarmRow.all().count() == 2


async def test_with_nobody_on_duty_the_head_teacher_and_the_family_are_told_at_once(
    stage: Replica, service: Service
) -> None:
    await Appointment.filter(person_id=service.duty.id).delete()
    await stage.taking.take(await service.actor(service.drawer), everybody(service, child_1=MISSING))
    assert await pushed(STAFF) == {str(service.head.id)}
    assert await pushed(FAMILY) == {str(service.mothers[1].id)}
