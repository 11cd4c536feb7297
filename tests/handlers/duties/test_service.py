"""Duties on a real database: planned once, moved with the calendar, reminded, late, escalated, passed on, done."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date

import pytest

from bot.audit.log import Audit
from bot.audit.models import AuditRow
from bot.clock import FrozenClock, local_date
from bot.delivery.models import DeliveryStatus, OutboxPush
from bot.delivery.pushes import Composed, NotNeeded, Purpose, PushClass
from bot.errors import NotFound, NotPermitted
from bot.identity import Actor
from bot.metrics import Metrics
from bot.storage.database import Database, transaction
from handlers.accounts.domain import AppointmentKind, SchoolKind
from handlers.accounts.models import Appointment, School
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.places import PlaceService
from handlers.calendar.domain import Effect, LocalDay, LocalKind
from handlers.calendar.models import CalendarState, LocalDays, SchoolTerm
from handlers.calendar.service.calendars import CalendarService
from handlers.calendar.service.editing import CalendarEditing
from handlers.calendar.service.town import Owner, PutDays
from handlers.duties.domain import Rhythm, Rule, RuleChanged, Schedule, TaskDone, TaskState
from handlers.duties.models import DutyRule, DutyTask
from handlers.duties.service.preview import DutyCalendarPreview
from tests import factories
from tests.handlers.duties.stage import DutyStage, duty_stage, make_term, push_of, told

SEPTEMBER = date(2026, 9, 30)


@pytest.fixture
async def stage(database: Database, clock: FrozenClock, metrics: Metrics) -> DutyStage:
    return await duty_stage(clock, metrics)


# ----------------------------------------------------------------------------------------------------------- planning
async def test_what_is_shipped_is_planned_for_every_place_it_is_for(stage: DutyStage) -> None:
    other = await factories.make_school(stage.town)
    await factories.make_class(other)
    await factories.make_class(other, number=2)
    await stage.tick()
    assert await DutyRule.all().count() == 3
    assert await stage.days("monthly_report", school_id=stage.school.id) == [SEPTEMBER]
    assert await DutyTask.filter(rule__shipped="monthly_report").count() == 2
    assert await DutyTask.filter(rule__shipped="roster_check").count() == 3
    assert await stage.days("roster_check", class_id=stage.room.id) == [date(2026, 9, 7)]
    assert await stage.days("safety_check", school_id=stage.school.id) == [date(2026, 9, 15), date(2026, 10, 15)]


async def test_before_a_calendar_is_changed_it_says_which_tasks_would_move(stage: DutyStage) -> None:
    """At one school the day falls away; at another it was done already; what the change does not touch stays."""
    other = await factories.make_school(stage.town)
    await factories.make_appointment(AppointmentKind.PROTECTION_LEAD, school=other)
    await stage.tick()
    services = CalendarService(PlaceService())
    services.add_dependents(DutyCalendarPreview(Offices(stage.clock), stage.clock))
    editing = CalendarEditing(services, PlaceService(), Audit(stage.clock), stage.clock)
    fifteenth = LocalDay(date(2026, 9, 15), date(2026, 9, 15), LocalKind.MARKET, Effect.OFF, "赶集")
    town, school = str(stage.town.id), str(stage.school.id)
    admin = await stage.actor(stage.admin)
    leader = await stage.actor(stage.leader)

    async def named(actor: Actor, change: PutDays) -> Sequence[str]:
        moved = (await editing.preview(actor, change)).moved
        assert moved is not None
        assert moved.messages == 0
        return moved.named

    assert await named(admin, PutDays(Owner(town), fifteenth)) == [
        "定期工作“每月安全检查”（2处）：原来最迟9月15日，改为最迟9月14日。"
    ]
    rows = DutyTask.filter(rule__shipped="safety_check", due_on=date(2026, 9, 15))
    await rows.filter(school_id=other.id).update(state=TaskState.DONE)
    [at_home] = await named(admin, PutDays(Owner(town), fifteenth))
    assert f"（{stage.school.name}）" in at_home
    assert await named(leader, PutDays(Owner(town, school), fifteenth)) == [at_home]
    september = LocalDay(date(2026, 9, 1), date(2026, 9, 30), LocalKind.OTHER, Effect.OFF, "停课")
    gone = await named(leader, PutDays(Owner(town, school), september))
    assert any("“每月安全检查”" in each and "不用办了" in each for each in gone)
    # A look changes nothing.
    assert await rows.count() == 2


async def test_a_planner_that_runs_twice_or_beside_another_adds_nothing(stage: DutyStage, metrics: Metrics) -> None:
    await stage.tick()
    rows, pushes = await DutyTask.all().count(), await OutboxPush.all().count()
    assert await stage.planner.plan() == 0
    await asyncio.gather(*(stage.tick() for _ in range(4)))
    assert (await DutyTask.all().count(), await OutboxPush.all().count()) == (rows, pushes)
    assert await DutyRule.all().count() == 3


async def test_a_week_asleep_leaves_nothing_out(stage: DutyStage) -> None:
    await stage.tick()
    stage.clock.set(stage.clock.now().replace(month=11, day=10))
    await stage.tick()
    assert await stage.days("monthly_report") == [SEPTEMBER, date(2026, 10, 30), date(2026, 11, 30)]
    assert {row.state for row in await DutyTask.filter(due_on__lt=date(2026, 11, 1))} == {TaskState.ESCALATED}


async def test_a_school_s_own_calendar_counts_and_a_closed_school_owes_nothing(stage: DutyStage) -> None:
    other = await factories.make_school(stage.town)
    await make_term(stage.town, date(2026, 9, 14), date(2027, 1, 22), other)
    closed = await factories.make_school(stage.town, closed_on=date(2026, 8, 1))
    await factories.make_class(other)
    await stage.tick()
    # The Sunday is made up for: it belongs to the week.
    assert await stage.days("roster_check", school_id=other.id) == [date(2026, 9, 20)]
    assert not await DutyTask.exists(school_id=closed.id)


async def changed(stage: DutyStage) -> None:
    """The calendar tells that it is another one."""
    await CalendarState.create(
        township_id=stage.town.id, changes=1, created_at=factories.LONG_AGO, updated_at=factories.LONG_AGO
    )


async def test_a_corrected_calendar_moves_what_is_not_done_and_leaves_what_is(stage: DutyStage) -> None:
    await stage.tick()
    done = await DutyTask.get(rule__shipped="safety_check", due_on=date(2026, 9, 15))
    await stage.tasks.do(await stage.actor(stage.lead), str(done.id))
    report = await DutyTask.get(rule__shipped="monthly_report", due_on=SEPTEMBER)
    for first, last in ((date(2026, 9, 15), date(2026, 9, 15)), (date(2026, 9, 29), date(2026, 9, 30))):
        await LocalDays.create(
            township_id=stage.town.id, kind=LocalKind.WEATHER, effect=Effect.OFF, name="台风", first_day=first,
            last_day=last, created_at=factories.LONG_AGO, updated_at=factories.LONG_AGO,
        )  # fmt: skip
    await changed(stage)
    assert await stage.planner.plan() > 0
    assert (await DutyTask.get(id=report.id)).due_on == date(2026, 9, 28)
    assert (await DutyTask.get(id=done.id)).due_on == date(2026, 9, 15)


async def test_what_falls_away_with_the_calendar_is_not_owed(stage: DutyStage) -> None:
    await stage.tick()
    await SchoolTerm.all().update(last_day=date(2026, 9, 10))
    await changed(stage)
    await stage.planner.plan()
    assert await stage.days("monthly_report") == [date(2026, 9, 10)]
    assert await stage.days("safety_check") == [date(2026, 9, 10)]


async def test_days_of_a_year_without_a_table_are_marked(stage: DutyStage) -> None:
    stage.clock.set(stage.clock.now().replace(month=12, day=20))
    await DutyRule.all().delete()
    await stage.tick()
    rows = await DutyTask.filter(rule__shipped="safety_check").order_by("due_on")
    assert [(row.due_on.year, row.is_provisional) for row in rows] == [(2027, True)]
    row = await DutyTask.filter(rule__shipped="safety_check").get()
    [view] = [task for task in (await stage.tasks.page(await stage.actor(stage.lead))).tasks if task.id == str(row.id)]
    assert view.is_provisional


# -------------------------------------------------------------------------------------- reminded, late, escalated, done
async def test_the_owner_is_reminded_once_then_of_being_late_and_then_the_next_one_up_is_told(stage: DutyStage) -> None:
    await stage.tick()
    await stage.go_to(date(2026, 10, 20))
    leader, admin = str(stage.leader.id), str(stage.admin.id)
    report = await DutyTask.get(rule__shipped="monthly_report", due_on=SEPTEMBER)
    rows = await OutboxPush.filter(occurrence__startswith=str(report.id)).order_by("not_before")
    assert [(row.reason, str(row.person_id), local_date(row.not_before)) for row in rows] == [
        ("duties:before", leader, date(2026, 9, 24)),
        ("duties:late", leader, date(2026, 10, 8)),
        ("duties:escalated", admin, date(2026, 10, 9)),
    ]
    assert {(row.purpose, row.push_class) for row in rows} == {(Purpose.TASK, PushClass.NORMAL)}
    assert report.state is TaskState.ESCALATED


async def test_messages_go_out_between_seven_thirty_and_the_end_of_the_day(stage: DutyStage) -> None:
    await stage.go_to(date(2026, 9, 25))
    row = await OutboxPush.filter(reason="duties:before", person_id=stage.leader.id).first()
    assert row is not None
    assert (row.not_before.hour, row.not_before.minute) == (23, 30), "half past seven in China"
    assert row.expires_at.date() == SEPTEMBER


async def test_what_is_done_is_not_said(stage: DutyStage) -> None:
    await stage.go_to(date(2026, 9, 25))
    report = await DutyTask.get(rule__shipped="monthly_report", due_on=SEPTEMBER)
    row = await OutboxPush.get(occurrence__startswith=str(report.id))
    composed = await stage.reminders.compose([push_of(row)], stage.clock.now())
    words = composed[str(row.id)]
    assert isinstance(words, Composed)
    assert "9月30日" in words.text
    assert stage.school.name in words.text
    assert words.path == "/admin/duties"
    view = await stage.tasks.do(await stage.actor(stage.leader), str(report.id), " 交给中心学校王老师 ")
    assert (view.state, view.note, view.done_by) == (TaskState.DONE, "交给中心学校王老师", stage.leader.name)
    composed = await stage.reminders.compose([push_of(row)], stage.clock.now())
    assert composed[str(row.id)] == NotNeeded("done")
    assert (await OutboxPush.get(id=row.id)).status is DeliveryStatus.NOT_NEEDED
    await stage.go_to(date(2026, 10, 20))
    assert await OutboxPush.filter(occurrence__startswith=str(report.id)).count() == 1
    with pytest.raises(TaskDone):
        await stage.tasks.do(await stage.actor(stage.leader), str(report.id))
    assert await AuditRow.filter(action="duty.do", subject=f"duty:{report.id}").count() == 1


async def test_what_has_moved_and_what_is_somebody_else_s_is_not_said(stage: DutyStage) -> None:
    await stage.go_to(date(2026, 9, 25))
    report = await DutyTask.get(rule__shipped="monthly_report", due_on=SEPTEMBER)
    row = await OutboxPush.get(occurrence__startswith=str(report.id))
    await Appointment.filter(person_id=stage.leader.id).update(until=date(2026, 9, 24))
    composed = await stage.reminders.compose([push_of(row)], stage.clock.now())
    assert composed[str(row.id)] == NotNeeded("not_theirs")
    await DutyTask.filter(id=report.id).update(due_on=date(2026, 9, 29))
    composed = await stage.reminders.compose([push_of(row)], stage.clock.now())
    assert composed[str(row.id)] == NotNeeded("moved")
    await DutyTask.filter(id=report.id).delete()
    composed = await stage.reminders.compose([push_of(row)], stage.clock.now())
    assert composed[str(row.id)] == NotNeeded("gone")


async def test_where_nobody_is_appointed_whoever_stands_above_is_reminded(stage: DutyStage) -> None:
    await Appointment.filter(person_id__in=[stage.lead.id, stage.leader.id]).delete()
    await stage.go_to(date(2026, 9, 14))
    assert {person for person, _ in await told("duties:before") if person != str(stage.head.id)} == {
        str(stage.admin.id)
    }
    admin = await stage.actor(stage.admin)
    [task] = [task for task in (await stage.tasks.page(admin)).tasks if task.due_on == date(2026, 9, 15)]
    assert task.holders.names == (stage.admin.name,)


async def test_a_teaching_point_without_a_leader_is_the_school_s_leader_s(stage: DutyStage) -> None:
    point = await factories.make_school(stage.town, kind=SchoolKind.TEACHING_POINT, parent_id=stage.school.id)
    await stage.go_to(date(2026, 9, 25))
    leader = await stage.actor(stage.leader)
    mine, count = await stage.tasks.own(leader)
    assert count >= 2
    assert {task.place for task in mine if task.due_on == SEPTEMBER} == {stage.school.name, point.name}


async def test_a_class_hand_over_passes_what_is_open(stage: DutyStage) -> None:
    await stage.go_to(date(2026, 9, 3))
    new = await factories.make_person()
    class_id = str(stage.room.id)
    assert await stage.tasks.open_duties(class_id) == {"开学核对班级名单": 1}
    await Appointment.filter(person_id=stage.head.id).update(until=date(2026, 9, 2))
    await factories.make_appointment(AppointmentKind.HEAD_TEACHER, new, school_class=stage.room, since=date(2026, 9, 3))
    async with transaction():
        await stage.tasks.pass_duties(class_id, str(new.id))
    statuses = {str(row.person_id): row.status for row in await OutboxPush.filter(reason="duties:before")}
    assert statuses[str(stage.head.id)] is DeliveryStatus.NOT_NEEDED
    assert statuses[str(new.id)] is DeliveryStatus.PLANNED
    mine, _ = await stage.tasks.own(await stage.actor(new))
    assert [task.title for task in mine] == ["开学核对班级名单"]
    assert await stage.tasks.own(await stage.actor(stage.head)) == ([], 0)


# ------------------------------------------------------------------------------------------------------------- rights
async def test_everybody_sees_and_does_what_is_theirs_and_below(stage: DutyStage) -> None:
    other = await factories.make_school(stage.town)
    await factories.make_class(other)
    await stage.go_to(date(2026, 9, 14))
    owners = {}
    for name, person in {"head": stage.head, "lead": stage.lead, "leader": stage.leader, "admin": stage.admin}.items():
        page = await stage.tasks.page(await stage.actor(person))
        owners[name] = {task.owner.value for task in page.tasks}
    assert owners == {
        "head": {"head_teacher"},
        "lead": {"protection_lead"},
        "leader": {"head_teacher", "protection_lead", "school_leader"},
        "admin": {"head_teacher", "protection_lead", "school_leader"},
    }
    foreign = await DutyTask.filter(school_id=other.id).first()
    assert foreign is not None
    for person in (stage.head, stage.lead, stage.leader):
        with pytest.raises(NotFound):
            await stage.tasks.do(await stage.actor(person), str(foreign.id))
    await stage.tasks.do(await stage.actor(stage.admin), str(foreign.id))
    with pytest.raises(NotPermitted):
        await stage.tasks.page(Actor())


async def test_the_first_page_tells_what_waits_and_what_is_late(stage: DutyStage) -> None:
    await stage.go_to(date(2026, 9, 11))
    todos = {todo.title: todo.count for todo in await stage.tasks.todos_of(await stage.actor(stage.lead))}
    assert todos == {"超期没办的定期工作": 0, "要办的定期工作": 1}
    await stage.go_to(date(2026, 9, 16))
    late, waiting = await stage.tasks.todos_of(await stage.actor(stage.lead))
    assert (late.count, late.is_urgent, waiting.count) == (1, True, 0)
    assert await stage.tasks.todos_of(Actor()) == []


# --------------------------------------------------------------------------------------------------------------- rules
WEEKLY = Rule("查看晨检记录", "", AppointmentKind.SCHOOL_LEADER, Schedule(Rhythm.WEEKLY, 5, 1, 1))


async def test_the_township_adds_changes_and_stops_a_rule(stage: DutyStage) -> None:
    await stage.tick()
    admin = await stage.actor(stage.admin)
    town = str(stage.town.id)
    days = await stage.rules.preview(admin, town, WEEKLY)
    assert [due.due_on for due in days] == [date(2026, 9, 4), date(2026, 9, 11), date(2026, 9, 18), date(2026, 9, 24)]
    rule_id = await stage.rules.add(admin, town, WEEKLY)
    assert await DutyTask.filter(rule_id=rule_id, due_on=date(2026, 9, 4)).exists()
    [first] = await DutyTask.filter(rule_id=rule_id, due_on=date(2026, 9, 4))
    await stage.tasks.do(await stage.actor(stage.leader), str(first.id))
    other = Rule("查看晨检记录", "", AppointmentKind.HEAD_TEACHER, Schedule(Rhythm.WEEKLY, 1, 1, 1))
    await stage.rules.change(admin, rule_id, other, 1)
    rows = await DutyTask.filter(rule_id=rule_id)
    assert {row.class_id for row in rows if row.state is not TaskState.DONE} == {stage.room.id}
    assert [row.id for row in rows if row.state is TaskState.DONE] == [first.id]
    with pytest.raises(RuleChanged):
        await stage.rules.change(admin, rule_id, WEEKLY, 1)
    await stage.rules.stop(admin, rule_id)
    await stage.rules.stop(admin, rule_id)
    await stage.tick()
    assert [row.state for row in await DutyTask.filter(rule_id=rule_id)] == [TaskState.DONE]
    assert (await stage.rules.rule(admin, rule_id)).is_stopped
    assert await AuditRow.filter(action="duty.rules").count() == 3


async def test_a_shipped_rule_that_was_stopped_stays_stopped(stage: DutyStage) -> None:
    await stage.tick()
    admin = await stage.actor(stage.admin)
    [report] = [rule for rule in await stage.rules.rules(admin) if rule.title.startswith("给中心学校")]
    await stage.rules.stop(admin, report.id)
    await stage.tick()
    assert await stage.days("monthly_report") == []
    assert await DutyRule.all().count() == 3


async def test_only_the_township_makes_rules_and_only_its_own(stage: DutyStage) -> None:
    await stage.tick()
    far = await School.get(id=(await factories.make_school()).id)
    admin = await stage.actor(stage.admin)
    with pytest.raises(NotFound):
        await stage.rules.add(admin, str(far.township_id), WEEKLY)
    with pytest.raises(NotPermitted):
        await stage.rules.rules(await stage.actor(stage.leader))
    await stage.tick()
    foreign = await DutyRule.filter(township_id=far.township_id).first()
    assert foreign is not None
    with pytest.raises(NotFound):
        await stage.rules.stop(admin, str(foreign.id))
