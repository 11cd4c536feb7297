"""The contact clock on a real database: counted with what changes it, told one stage after another, never twice."""

from __future__ import annotations

import asyncio
from datetime import date, time, timedelta

import pytest

from bot.clock import FrozenClock
from bot.delivery.models import OutboxPush
from bot.delivery.outbox import Outbox
from bot.metrics import Metrics
from bot.storage.database import Database
from handlers.accounts.domain import AppointmentKind, PupilStatus
from handlers.accounts.models import Appointment, Pupil
from handlers.contacts.domain.records import Way
from handlers.contacts.domain.register import Level, Stage
from handlers.contacts.models import ContactsDue, ContactsFile, ContactsRecord
from handlers.contacts.service.clock.telling import REASON
from tests import factories
from tests.handlers.contacts.clock_stage import ClockStage, a_clockwork, clock_stage, every, leave_the_staff

FIRST = date(2026, 9, 1)
MONDAY = date(2026, 9, 7)


@pytest.fixture
async def stage(database: Database, clock: FrozenClock, metrics: Metrics) -> ClockStage:
    return await clock_stage(clock, metrics)


def day(text: str) -> date:
    return date.fromisoformat(f"2026-{text}")


# ------------------------------------------------------------------------------------------------------------ counting
async def test_without_a_rule_nothing_is_due_and_with_one_everything_is_counted_at_once(stage: ClockStage) -> None:
    child = await stage.enter(Level.RED, stage.teacher)
    await stage.morning(day("09-30"))
    row = await stage.due(child)
    assert (row.due_on, row.rule_id, row.stage) == (None, None, Stage.NONE)
    assert not stage.told
    rule = await stage.rule()
    row = await stage.due(child)
    assert (row.due_on, str(row.rule_id), row.counted_from) == (day("09-30"), rule, FIRST)


async def test_a_contact_moves_the_day_an_attempt_does_not_and_a_correction_takes_it_back(stage: ClockStage) -> None:
    await stage.rule()
    child = await stage.enter(Level.RED, stage.teacher)
    assert (await stage.due(child)).due_on == day("09-08")
    stage.at(MONDAY, time(10))
    await stage.record(child, is_reached=False)
    assert (await stage.due(child)).due_on == day("09-08")
    made = await stage.record(child)
    row = await stage.due(child)
    assert (row.due_on, row.visit_due_on, row.counted_from) == (day("09-14"), day("10-08"), MONDAY)
    await stage.record(child, Way.VISIT, on=day("09-05"))
    row = await stage.due(child)
    assert (row.due_on, row.counted_from, row.visit_counted_from) == (day("09-14"), MONDAY, day("09-05"))
    await ContactsRecord.filter(id=made.id).update(superseded_by=made.id)
    await stage.works.counting.recount([child.id])
    assert (await stage.due(child)).due_on == day("09-14")  # the visit: a Saturday and seven days


async def test_who_leaves_the_school_or_the_register_is_not_due_any_more(stage: ClockStage) -> None:
    await stage.rule()
    gone, ended = [await stage.enter(Level.RED, stage.teacher) for _ in range(2)]
    await Pupil.filter(id=gone.id).update(status=PupilStatus.LEFT, left_on=MONDAY)
    await ContactsFile.filter(pupil_id=ended.id).update(ended_on=MONDAY, active_key=None)
    await stage.morning(day("09-09"))
    for child in (gone, ended):
        row = await stage.due(child)
        assert row.due_on is None
        assert row.stage is Stage.NONE
    assert not stage.told


async def test_of_two_who_write_at_once_the_later_one_counts_both(stage: ClockStage) -> None:
    await stage.rule()
    child = await stage.enter(Level.RED, stage.teacher)
    stage.at(day("09-20"), time(9))
    days = [day("09-02") + timedelta(days=n) for n in range(12)]
    await asyncio.gather(*(stage.record(child, on=each) for each in days))
    assert (await stage.due(child)).counted_from == days[-1]


async def test_counting_again_changes_nothing(stage: ClockStage) -> None:
    await stage.rule()
    for level in Level:
        await stage.enter(level, stage.teacher)
    await stage.morning(day("09-08"))
    before = await ContactsDue.all().order_by("id").values()
    assert await stage.works.counting.recount_all() == 0
    await stage.works.counting.recount([row["pupil_id"] for row in before])
    assert await ContactsDue.all().order_by("id").values() == before


# ------------------------------------------------------------------------------------------------------------- telling
async def test_first_the_teacher_then_the_lead_then_the_leader_and_each_again_after_a_week(stage: ClockStage) -> None:
    await stage.rule()
    await stage.enter(Level.RED, stage.teacher)
    await stage.go_to(day("09-27"))
    # Sunday the 20th is a day of school, worked for the autumn festival.
    assert stage.days_of(stage.teacher) == [day("09-08"), day("09-22")]
    assert stage.days_of(stage.lead) == [day("09-11")]
    assert stage.days_of(stage.leader) == [day("09-16"), day("09-22")]
    assert stage.heard(stage.teacher) == [
        "您有1位同学的家校联系今天到期，请今天联系，打开“家校联系”登记。",
        "您有1位同学的家校联系已经过期，请今天联系，打开“家校联系”登记。",
    ]
    assert stage.heard(stage.lead) == [
        f"有1位同学的家校联系过期没有完成（{stage.teacher.name}1位），请今天问清情况，需要时换人联系。"
    ]
    assert stage.heard(stage.head) == stage.heard(stage.admin) == []


async def test_contact_stops_everything_also_what_is_promised_for_the_morning(stage: ClockStage) -> None:
    await stage.rule()
    child = await stage.enter(Level.RED, stage.teacher)
    await stage.go_to(day("09-11"))
    assert stage.days_of(stage.lead) == [day("09-11")]
    stage.at(day("09-16"), time(0, 5))
    await stage.works.tick()
    assert await OutboxPush.filter(person_id=stage.leader.id).exists()
    await stage.record(child, Way.VISIT)
    assert (await stage.due(child)).stage is Stage.NONE
    stage.at(day("09-16"), time(7, 45))
    await stage.deliver()
    assert stage.heard(stage.leader) == []


async def test_a_teacher_who_is_not_reached_is_not_waited_for_nor_is_a_lead(stage: ClockStage) -> None:
    await stage.rule()
    await stage.enter(Level.RED, stage.teacher)
    stage.away = {str(stage.teacher.id)}
    await stage.go_to(day("09-08"))
    assert stage.days_of(stage.lead) == [day("09-08")]
    stage.away = {str(stage.teacher.id), str(stage.lead.id)}
    await stage.enter(Level.RED, stage.teacher)
    await stage.go_to(day("09-15"))
    assert stage.days_of(stage.leader) == [day("09-15")]


async def test_of_two_who_keep_contact_one_who_hears_is_enough(stage: ClockStage) -> None:
    await stage.rule()
    child = await stage.enter(Level.RED, stage.teacher)
    await stage.pair(child, stage.head)
    stage.away = {str(stage.teacher.id)}
    await stage.go_to(day("09-09"))
    assert stage.days_of(stage.head) == [day("09-08")]
    assert stage.heard(stage.lead) == []


async def test_what_was_promised_and_never_went_out_is_told_the_next_day_to_both(stage: ClockStage) -> None:
    await stage.rule()
    await stage.enter(Level.RED, stage.teacher)
    stage.at(day("09-08"), time(6))
    await stage.works.tick()
    await stage.morning(day("09-09"))
    assert stage.days_of(stage.teacher) == stage.days_of(stage.lead) == [day("09-09")]


async def test_where_nobody_holds_a_charge_whoever_stands_above_is_told(stage: ClockStage) -> None:
    await stage.rule()
    await stage.enter(Level.RED)
    await stage.go_to(day("09-08"))
    assert stage.days_of(stage.head) == [day("09-08")]
    await leave_the_staff(stage.head, day("09-08"))
    await stage.enter(Level.RED)
    await stage.go_to(day("09-15"))
    assert stage.heard(stage.lead, day("09-15")) == [
        "有2位同学的家校联系过期没有完成（没有人负责的2位），请今天问清情况，需要时换人联系。"
    ]
    for person in (stage.lead, stage.leader):
        await leave_the_staff(person, day("09-15"))
    await stage.enter(Level.RED)
    await stage.go_to(day("09-22"))
    assert stage.heard(stage.admin) == ["有学校的家校联系到期，还没有人负责，请今天给学校安排负责人。"] * 3


async def test_a_keeper_who_has_left_the_staff_is_not_told(stage: ClockStage) -> None:
    await stage.rule()
    await stage.enter(Level.RED, stage.teacher)
    await leave_the_staff(stage.teacher, day("09-04"))
    await stage.go_to(day("09-08"))
    assert (stage.days_of(stage.teacher), stage.days_of(stage.head)) == ([], [day("09-08")])


async def test_whoever_takes_an_overdue_child_over_hears_of_it_and_the_former_one_no_more(stage: ClockStage) -> None:
    await stage.rule()
    child = await stage.enter(Level.RED, stage.teacher)
    await stage.go_to(day("09-08"))
    stage.at(day("09-09"), time(15))
    await stage.hand_over(child, stage.head)
    await stage.works.tick()
    await stage.deliver()
    await stage.go_to(day("09-10"))
    assert stage.days_of(stage.head) == [day("09-09")]
    assert stage.days_of(stage.teacher) == [day("09-08")]


async def test_nobody_gets_two_messages_a_day_and_one_with_two_charges_gets_both_in_one(stage: ClockStage) -> None:
    await stage.rule()
    await factories.make_appointment(AppointmentKind.PROTECTION_LEAD, stage.teacher, school=stage.school)
    await Appointment.filter(person_id=stage.lead.id).delete()
    await stage.enter(Level.RED, stage.head)
    await stage.go_to(day("09-04"))
    await stage.enter(Level.RED, stage.teacher)
    await stage.go_to(day("09-11"))
    [said] = stage.heard(stage.teacher, day("09-11"))
    assert "没有完成" in said
    assert "今天到期" in said


async def test_where_the_cap_allows_it_the_graver_part_stands_alone(stage: ClockStage) -> None:
    await stage.rule(daily_cap=2)
    await factories.make_appointment(AppointmentKind.PROTECTION_LEAD, stage.teacher, school=stage.school)
    await Appointment.filter(person_id=stage.lead.id).delete()
    await stage.enter(Level.RED, stage.head)
    await stage.go_to(day("09-04"))
    await stage.enter(Level.RED, stage.teacher)
    await stage.go_to(day("09-11"))
    said = stage.heard(stage.teacher, day("09-11"))
    assert len(said) == 2
    assert "今天到期" not in next(each for each in said if "没有完成" in each)


async def test_what_comes_up_after_the_message_of_the_day_waits_for_the_next(stage: ClockStage) -> None:
    await stage.rule()
    await stage.enter(Level.RED, stage.teacher)
    later = await stage.enter(Level.GREEN, stage.teacher)
    await stage.go_to(day("09-08"))
    stage.at(day("09-08"), time(11))
    await stage.give(later, Level.RED)
    await stage.works.tick()
    await stage.deliver()
    assert (await stage.due(later)).stage is Stage.NONE
    await stage.go_to(day("09-10"))
    assert stage.days_of(stage.teacher) == [day("09-08"), day("09-09")]
    assert (await stage.due(later)).stage is Stage.TEACHER


async def test_several_planners_at_once_promise_what_one_does(stage: ClockStage, metrics: Metrics) -> None:
    await stage.rule()
    for _ in range(6):
        await stage.enter(Level.RED, stage.teacher)
    stage.at(day("09-08"), time(6))
    replicas = [a_clockwork(stage.clock, Outbox(stage.clock, metrics)) for _ in range(4)]
    await asyncio.gather(*(each.tick() for each in replicas))
    assert await OutboxPush.filter(reason=REASON).count() == 1
    stage.at(day("09-08"), time(8))
    await stage.deliver()
    assert stage.heard(stage.teacher) == ["您有6位同学的家校联系今天到期，请今天联系，打开“家校联系”登记。"]


async def test_in_a_holiday_and_on_a_weekend_nobody_is_told_and_a_vacation_stops_the_clock(stage: ClockStage) -> None:
    await stage.rule(cadence=every(7))
    child = await stage.enter(Level.GREEN, stage.teacher, on=day("09-26"))
    await stage.go_to(day("10-08"))
    # Due on Saturday the 3rd: the first day of school after the holiday.
    assert stage.days_of(stage.teacher) == [day("10-08")]
    stage.at(date(2027, 1, 20), time(9))
    await stage.record(child)
    await stage.go_to(date(2027, 2, 27))
    # Two days before the vacation, five after it.
    assert (await stage.due(child)).due_on == date(2027, 2, 26)
    assert stage.days_of(stage.teacher) == [day("10-08"), date(2027, 2, 26)]


async def test_a_planner_that_slept_tells_the_stages_one_after_another(stage: ClockStage) -> None:
    await stage.rule()
    await stage.enter(Level.RED, stage.teacher)
    await stage.morning(day("09-28"))
    assert stage.days_of(stage.teacher) == [day("09-28")]
    await stage.go_to(day("09-30"))
    assert stage.days_of(stage.lead) == [day("09-29")]
    assert stage.days_of(stage.leader) == [day("09-30")]


async def test_after_the_evening_nothing_is_promised_and_nothing_lost(stage: ClockStage) -> None:
    await stage.rule()
    child = await stage.enter(Level.RED, stage.teacher)
    stage.at(day("09-08"), time(20, 30))
    await stage.works.tick()
    assert (await stage.due(child)).stage is Stage.NONE
    assert not await OutboxPush.all().exists()
    await stage.morning()
    assert stage.days_of(stage.teacher) == [day("09-09")]


async def test_no_message_tells_who_it_is_about_or_why(stage: ClockStage) -> None:
    await stage.rule()
    for keeper in (stage.teacher, None, stage.head):
        await stage.enter(Level.RED, keeper, name="禾苗苗")
    await stage.go_to(day("09-24"))
    said = "".join(each.text for each in stage.told)
    assert said
    for word in ("留守", "单亲", "贫困", "红", "黄", "绿", "监护", "禾苗苗"):
        assert word not in said
    assert await OutboxPush.filter(child_ids__not_isnull=True).count() == 0
