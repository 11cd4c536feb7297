"""One after the other, each once, until somebody answers: the ladder under a clock that only moves when told to."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from tortoise.exceptions import BaseORMException, IntegrityError

from bot.audit.models import AuditRow
from bot.clock import FrozenClock
from bot.delivery.models import DeliveryStatus, OutboxPush
from bot.delivery.pushes import Composed, NotNeeded, Purpose, Push, PushClass
from bot.errors import NotFound, NotPermitted
from bot.identity import SYSTEM, VISITOR, Actor
from bot.metrics import Metrics
from bot.storage.database import Database, transaction
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Appointment, Bar
from handlers.accounts.service.bars import name_index
from handlers.alarms.domain import AlarmClosed, AlarmKind, AlarmSource, AlarmState, NewAlarm, SentenceMissing
from handlers.alarms.models import AlarmEntry, AlarmRow
from handlers.alarms.service.climbing import FAMILY, Climbing
from tests import factories
from tests.handlers.alarms.stage import (
    KEPT_DAYS,
    PATIENCE,
    AlarmStage,
    Village,
    alarm_stage,
    make_village,
    marks,
    promised,
)
from tests.programs import PIPE, running

MINUTE = timedelta(minutes=1)


@pytest.fixture
def stage(database: Database, clock: FrozenClock, metrics: Metrics) -> AlarmStage:
    return alarm_stage(clock, metrics)


@pytest.fixture
async def village(database: Database) -> Village:
    return await make_village()


def a_crisis(village: Village, reference: str = "service:1", **values: object) -> NewAlarm:
    """About the child of the village."""
    given: dict[str, object] = {
        "kind": AlarmKind.CRISIS,
        "source": AlarmSource.CONSOLE,
        "reference": reference,
        "child_id": str(village.child.id),
        "said": "孩子说不想活了",
        **values,
    }
    return NewAlarm(**given)  # type: ignore[arg-type]


async def climb_for(stage: AlarmStage, clock: FrozenClock, minutes: int) -> None:
    """Half-minute ticks, as the job has them."""
    for _ in range(minutes * 2):
        clock.advance(MINUTE / 2)
        await stage.climbing.climb_due()


# ----------------------------------------------------------------------------------------------------------- the ladder
async def test_each_step_is_told_after_ten_minutes_without_an_answer_and_never_before(
    stage: AlarmStage, village: Village, clock: FrozenClock
) -> None:
    raised = await stage.alarms.raise_alarm(SYSTEM, a_crisis(village))
    steps = [str(person.id) for person in village.ladder]
    assert raised.told == {steps[0]}
    assert await promised() == steps[:1]
    for count in (1, 2, 3):
        await climb_for(stage, clock, 9)
        assert await promised() == steps[:count]
        await climb_for(stage, clock, 1)
        assert await promised() == steps[: count + 1]
    await climb_for(stage, clock, 60)
    assert await promised() == steps
    assert (await marks(raised.number))[-1] == "exhausted"


async def test_an_alarm_passes_quiet_hours_caps_and_digests_and_lasts_a_day(
    stage: AlarmStage, village: Village, clock: FrozenClock
) -> None:
    await stage.alarms.raise_alarm(SYSTEM, a_crisis(village))
    push = await OutboxPush.get()
    assert (push.push_class, push.purpose) == (PushClass.ALARM, Purpose.ALARM)
    assert push.not_before == clock.now()
    assert push.expires_at == clock.now() + timedelta(hours=24)


async def test_nobody_is_told_after_somebody_has_answered(
    stage: AlarmStage, village: Village, clock: FrozenClock
) -> None:
    raised = await stage.alarms.raise_alarm(SYSTEM, a_crisis(village))
    duty = await village.actor(village.ladder[0], clock)
    assert await stage.alarms.acknowledge_number(duty, raised.number) == raised.number
    await climb_for(stage, clock, 60)
    assert len(await promised()) == 1
    assert (await OutboxPush.get()).status is DeliveryStatus.NOT_NEEDED
    assert await marks(raised.number) == ["raised", "step", "told", "acknowledged"]
    await stage.alarms.acknowledge_number(duty, raised.number)
    assert await marks(raised.number) == ["raised", "step", "told", "acknowledged"]


async def test_a_step_without_anybody_is_not_waited_for(
    stage: AlarmStage, village: Village, clock: FrozenClock
) -> None:
    await Appointment.filter(kind__in=[AppointmentKind.DUTY, AppointmentKind.PROTECTION_LEAD]).delete()
    raised = await stage.alarms.raise_alarm(SYSTEM, a_crisis(village))
    assert raised.told == {str(village.ladder[2].id)}
    assert await marks(raised.number) == ["raised", "nobody", "nobody", "step", "told"]


async def test_a_person_on_two_steps_is_told_once(stage: AlarmStage, village: Village, clock: FrozenClock) -> None:
    both = village.ladder[0]
    await factories.make_appointment(AppointmentKind.SCHOOL_LEADER, both, school=village.school)
    await stage.alarms.raise_alarm(SYSTEM, a_crisis(village))
    await climb_for(stage, clock, 60)
    assert sorted(await promised()) == sorted(str(person.id) for person in village.ladder)


async def test_whoever_raises_it_is_not_told_of_it(stage: AlarmStage, village: Village, clock: FrozenClock) -> None:
    lead = await village.actor(village.ladder[1], clock)
    await stage.alarms.raise_alarm(lead, a_crisis(village))
    await climb_for(stage, clock, 60)
    assert str(village.ladder[1].id) not in await promised()


async def test_the_same_reference_twice_is_one_alarm(stage: AlarmStage, village: Village) -> None:
    first = await stage.alarms.raise_alarm(SYSTEM, a_crisis(village))
    second = await stage.alarms.raise_alarm(SYSTEM, a_crisis(village))
    assert (second.number, second.is_new, second.told) == (first.number, False, first.told)
    assert await OutboxPush.all().count() == 1


async def test_a_place_nobody_knows_goes_to_those_of_the_township(stage: AlarmStage, village: Village) -> None:
    new = NewAlarm(kind=AlarmKind.CRISIS, source=AlarmSource.CHAT, reference="support:1", raiser_index="x")
    raised = await stage.alarms.raise_alarm(VISITOR, new)
    assert raised.told == {str(village.ladder[3].id)}
    await make_village()
    raised = await stage.alarms.raise_alarm(VISITOR, NewAlarm(kind=new.kind, source=new.source, reference="support:2"))
    assert len(raised.told) == 2, "the administrators of all townships"


async def test_letters_make_the_first_step_somebody_s_and_the_next_one_waits(
    stage: AlarmStage, village: Village, clock: FrozenClock
) -> None:
    await Appointment.filter(kind=AppointmentKind.DUTY).delete()
    await stage.alarms.raise_alarm(SYSTEM, a_crisis(village, letters=2))
    assert await promised() == []
    await climb_for(stage, clock, 10)
    assert await promised() == [str(village.ladder[1].id)]


async def test_a_step_on_which_nobody_could_be_reached_is_not_waited_for(
    stage: AlarmStage, village: Village, clock: FrozenClock
) -> None:
    raised = await stage.alarms.raise_alarm(SYSTEM, a_crisis(village))
    row = await OutboxPush.get()
    clock.advance(MINUTE)
    async with transaction():
        await stage.climbing.could_not_reach([push_of(row)], "not_bound")
    await stage.climbing.climb_due()
    assert await promised() == [str(person.id) for person in village.ladder[:2]]
    assert "unreached" in await marks(raised.number)


# ------------------------------------------------------------------------------------------- restart, and two at once
async def test_what_was_raised_before_a_restart_goes_on_after_it(
    village: Village, clock: FrozenClock, metrics: Metrics
) -> None:
    await alarm_stage(clock, metrics).alarms.raise_alarm(SYSTEM, a_crisis(village))
    clock.advance(timedelta(hours=3))
    other = alarm_stage(clock, metrics)
    assert await other.climbing.climb_due() == 1
    assert len(await promised()) == 2, "one step for a late tick, not all at once"
    clock.advance(PATIENCE)
    assert await other.climbing.climb_due() == 1


async def test_two_replicas_raise_a_step_once(village: Village, clock: FrozenClock, metrics: Metrics) -> None:
    replicas = [alarm_stage(clock, metrics) for _ in range(4)]
    raised = await asyncio.gather(*(one.alarms.raise_alarm(SYSTEM, a_crisis(village)) for one in replicas))
    assert sorted(one.is_new for one in raised) == [False, False, False, True]
    clock.advance(PATIENCE)
    climbed = await asyncio.gather(*(one.climbing.climb_due() for one in replicas))
    assert sum(climbed) == 1
    assert await OutboxPush.all().count() == 2


@pytest.mark.engine("postgres")
async def test_processes_of_their_own_raise_every_step_once(
    village: Village, clock: FrozenClock, metrics: Metrics, database_url: str
) -> None:
    stage = alarm_stage(clock, metrics)
    for number in range(12):
        await stage.alarms.raise_alarm(SYSTEM, a_crisis(village, f"service:{number}"))
    processes = [await running("tests.handlers.alarms.process", database_url, stdout=PIPE) for _ in range(2)]
    climbed = [int((await process.communicate())[0]) for process in processes]
    assert sum(climbed) == 12
    assert await OutboxPush.all().count() == 24


class UnlockedClimbing(Climbing):
    """What the product would be without the claim: everybody reads first, then all write."""

    meeting: asyncio.Barrier

    async def _claimed(self, alarm_id: int) -> AlarmRow | None:
        row = await AlarmRow.get(id=alarm_id)
        await self.meeting.wait()
        return row


@pytest.mark.engine("postgres")
async def test_without_the_claim_two_would_take_the_same_step_and_the_unique_key_stops_the_second(
    village: Village, clock: FrozenClock, metrics: Metrics
) -> None:
    """The control: the race is real, and the last line holds."""
    await alarm_stage(clock, metrics).alarms.raise_alarm(SYSTEM, a_crisis(village))
    clock.advance(PATIENCE)
    UnlockedClimbing.meeting = asyncio.Barrier(2)
    replicas = [alarm_stage(clock, metrics, UnlockedClimbing).climbing for _ in range(2)]
    done = await asyncio.gather(*(one.climb_due() for one in replicas), return_exceptions=True)
    assert {type(one) for one in done} == {int, IntegrityError}
    assert len(await promised()) == 2


# ------------------------------------------------------------------------------------------------- the missing child
async def test_of_a_missing_child_the_acting_guardian_is_told_too(
    stage: AlarmStage, village: Village, clock: FrozenClock
) -> None:
    head = await village.actor(village.head, clock)
    await stage.alarms.raise_alarm(head, a_crisis(village, kind=AlarmKind.MISSING_CHILD))
    assert await promised(FAMILY) == [str(village.grandmother.id)]
    await stage.alarms.raise_alarm(head, a_crisis(village, "service:2"))
    assert len(await promised(FAMILY)) == 1, "of nothing else"


async def test_a_child_a_roster_missed_is_looked_for_at_school_first_then_the_head_teacher_and_the_family_are_told(
    stage: AlarmStage, village: Village, clock: FrozenClock
) -> None:
    teacher = await village.actor(await factories.make_person(), clock)
    raised = await stage.alarms.raise_alarm(
        SYSTEM, a_crisis(village, kind=AlarmKind.MISSING_CHILD, source=AlarmSource.SERVICE)
    )
    steps = [str(person.id) for person in (village.ladder[0], village.head, *village.ladder[1:])]
    assert (await promised(), await promised(FAMILY)) == (steps[:1], [])
    await climb_for(stage, clock, 10)
    assert (await promised(), await promised(FAMILY)) == (steps[:2], [str(village.grandmother.id)])
    await climb_for(stage, clock, 60)
    assert (await promised(), len(await promised(FAMILY))) == (steps, 1)
    head = await village.actor(village.head, clock)
    assert await stage.alarms.acknowledge(head, raised.key) == raised.number
    with pytest.raises(NotPermitted):
        await stage.alarms.acknowledge(teacher, raised.key)


async def test_a_roster_s_alarm_waits_for_nobody_where_nobody_is_on_duty(
    stage: AlarmStage, village: Village, clock: FrozenClock
) -> None:
    await Appointment.filter(kind=AppointmentKind.DUTY).delete()
    missed = a_crisis(village, kind=AlarmKind.MISSING_CHILD, source=AlarmSource.SERVICE)
    raised = await stage.alarms.raise_alarm(SYSTEM, missed)
    assert raised.told == {str(village.head.id)}
    assert await promised(FAMILY) == [str(village.grandmother.id)]


async def test_a_barred_guardian_is_told_nothing(stage: AlarmStage, village: Village) -> None:
    await Bar.create(
        pupil_id=village.child.id,
        person_id=village.grandmother.id,
        name_index=name_index("某外人"),
        reason="文书第1号",
        since=factories.FIRST_DAY,
        created_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
    )
    await stage.alarms.raise_alarm(SYSTEM, a_crisis(village, kind=AlarmKind.MISSING_CHILD))
    assert await promised(FAMILY) == []
    sheet = await stage.sheets.sheet(SYSTEM, str((await AlarmRow.get()).key))
    assert [one.name for one in sheet.family] == [village.mother.name]


# ---------------------------------------------------------------------------------------------------------- the words
def push_of(row: OutboxPush) -> Push:
    """A promise as its source is given it."""
    return Push(
        id=str(row.id), reason=row.reason, occurrence=row.occurrence, person_id=str(row.person_id), rule=row.rule,
        purpose=row.purpose, push_class=row.push_class, child_ids=(), not_before=row.not_before,
        expires_at=row.expires_at,
    )  # fmt: skip


async def test_messages_name_no_child_and_nothing_that_happened(
    stage: AlarmStage, village: Village, clock: FrozenClock
) -> None:
    await stage.alarms.raise_alarm(SYSTEM, a_crisis(village, kind=AlarmKind.MISSING_CHILD))
    pushes = [push_of(row) for row in await OutboxPush.all()]
    composed = await stage.pushes.compose(pushes, clock.now())
    assert len(composed) == 2
    for words in composed.values():
        assert isinstance(words, Composed)
        whole = f"{words.text}{words.line}{words.slots}"
        assert not any(word in whole for word in ("林小满", "走失", "不想活", "危险", village.school.name))
        assert "请马上" in words.text
    to_staff = next(each for each in composed.values() if isinstance(each, Composed) and each.path)
    assert to_staff.path.startswith("/admin/alarms/")
    assert "接手 1" in to_staff.text


async def test_what_is_answered_is_not_sent_any_more_to_staff_but_still_to_the_family(
    stage: AlarmStage, village: Village, clock: FrozenClock
) -> None:
    raised = await stage.alarms.raise_alarm(SYSTEM, a_crisis(village, kind=AlarmKind.MISSING_CHILD))
    await stage.alarms.acknowledge(SYSTEM, raised.key)
    rows = {row.reason: push_of(row) for row in await OutboxPush.all()}
    composed = await stage.pushes.compose(list(rows.values()), clock.now())
    assert composed[rows["alarms:staff"].id] == NotNeeded("acknowledged")
    assert isinstance(composed[rows[FAMILY].id], Composed)


# ------------------------------------------------------------------------------------------------- answering, closing
async def test_closing_needs_a_sentence_and_ends_it(stage: AlarmStage, village: Village, clock: FrozenClock) -> None:
    raised = await stage.alarms.raise_alarm(SYSTEM, a_crisis(village))
    lead = await village.actor(village.ladder[1], clock)
    with pytest.raises(SentenceMissing):
        await stage.alarms.close(lead, raised.key, "好")
    await stage.alarms.close(lead, raised.key, "孩子平安，家长已到")
    assert (await AlarmRow.get()).state is AlarmState.CLOSED
    with pytest.raises(AlarmClosed):
        await stage.alarms.acknowledge(lead, raised.key)
    await climb_for(stage, clock, 20)
    assert len(await promised()) == 1


async def test_those_of_another_school_find_nothing(stage: AlarmStage, village: Village, clock: FrozenClock) -> None:
    raised = await stage.alarms.raise_alarm(SYSTEM, a_crisis(village))
    other = await make_village()
    for person in other.ladder:
        stranger = await other.actor(person, clock)
        with pytest.raises(NotFound):
            await stage.sheets.sheet(stranger, raised.key)
        with pytest.raises(NotFound):
            await stage.alarms.acknowledge(stranger, raised.key)
        assert await stage.sheets.lines(stranger) == ([], 0)
        assert sum(todo.count for todo in await stage.sheets.todos_of(stranger)) == 0
    mother = await village.actor(village.mother, clock)
    with pytest.raises(NotPermitted):
        await stage.sheets.sheet(mother, raised.key)


async def test_a_teacher_raises_one_for_the_own_class_only_and_sees_what_became_of_it(
    stage: AlarmStage, village: Village, clock: FrozenClock
) -> None:
    head = await village.actor(village.head, clock)
    raised = await stage.alarms.raise_alarm(head, a_crisis(village))
    assert (await stage.sheets.sheet(head, raised.key)).may_answer is False
    with pytest.raises(NotFound):
        await stage.alarms.acknowledge(head, raised.key)
    other = await make_village()
    with pytest.raises(NotFound):
        await stage.alarms.raise_alarm(head, a_crisis(other, "service:2"))
    later = await stage.alarms.raise_alarm(SYSTEM, a_crisis(village, "service:3"))
    with pytest.raises(NotFound):
        await stage.sheets.sheet(head, later.key)


async def test_whoever_was_told_sees_it_wherever_they_belong(
    stage: AlarmStage, village: Village, clock: FrozenClock
) -> None:
    elsewhere = await make_village()
    on_duty = elsewhere.ladder[0]
    raised = await stage.alarms.raise_alarm(SYSTEM, a_crisis(village, on_duty=(str(on_duty.id),)))
    actor = await elsewhere.actor(on_duty, clock)
    assert (await stage.sheets.sheet(actor, raised.key)).may_answer
    lines, total = await stage.sheets.lines(actor)
    assert ([line.number for line in lines], total) == ([raised.number], 1)


async def test_a_list_has_each_alarm_once(stage: AlarmStage, village: Village, clock: FrozenClock) -> None:
    await stage.alarms.raise_alarm(SYSTEM, a_crisis(village))
    await climb_for(stage, clock, 60)
    admin = await village.actor(village.ladder[3], clock)
    assert (await stage.sheets.lines(admin))[1] == 1


# ----------------------------------------------------------------------------------------------- looking, and keeping
async def test_the_page_has_everything_needed_and_every_look_is_written_down(
    stage: AlarmStage, village: Village, clock: FrozenClock
) -> None:
    head = await village.actor(village.head, clock)
    raised = await stage.alarms.raise_alarm(head, a_crisis(village, where="柳河桥头"))
    lead = await village.actor(village.ladder[1], clock)
    before = await AuditRow.filter(action="alarm.view").count()
    sheet = await stage.sheets.sheet(lead, raised.key)
    assert "林小满" in sheet.child
    assert sheet.where == "柳河桥头"
    assert [one.name for one in sheet.family] == [village.grandmother.name, village.mother.name]
    assert {one.name for one in sheet.numbers} == {village.head.name, *(person.name for person in village.ladder)}
    assert all(one.phone for one in sheet.numbers)
    rows = await AuditRow.filter(action="alarm.view").order_by("-id")
    assert len(rows) == before + 1
    assert (rows[0].actor, rows[0].about) == (lead.person_id, str(village.child.id))
    assert set(rows[0].fields_seen) == {"name", "phone", "said"}


async def test_a_look_at_the_list_is_written_down_too(stage: AlarmStage, village: Village, clock: FrozenClock) -> None:
    lead = await village.actor(village.ladder[1], clock)
    await stage.alarms.raise_alarm(SYSTEM, a_crisis(village))
    lines, _ = await stage.sheets.lines(lead)
    row = await AuditRow.filter(action="alarm.view", outcome="done").order_by("-id").first()
    assert row is not None
    assert (row.actor, row.subject, row.purpose, row.about) == (lead.person_id, "alarms", "list", None)
    assert set(row.fields_seen) == {"kind", "place", "state"}
    assert len(lines) == 1


async def test_the_timeline_only_grows(
    stage: AlarmStage, village: Village, clock: FrozenClock, database: Database
) -> None:
    raised = await stage.alarms.raise_alarm(SYSTEM, a_crisis(village))
    before = {entry.id: entry.at for entry in await AlarmEntry.all()}
    await climb_for(stage, clock, 30)
    await stage.alarms.close(SYSTEM, raised.key, "孩子平安到家")
    after = {entry.id: entry.at for entry in await AlarmEntry.all()}
    assert before.items() <= after.items()
    for deed in ("UPDATE alarms_entry SET level = 3", "DELETE FROM alarms_entry"):
        with pytest.raises(BaseORMException, match="append-only"):
            await database.connection.execute_query(deed)


async def test_what_is_said_later_belongs_to_it_while_it_lives(stage: AlarmStage, village: Village) -> None:
    raised = await stage.alarms.raise_alarm(SYSTEM, a_crisis(village, "support:7"))
    assert await stage.alarms.add("support:7", "他在楼顶")
    assert not await stage.alarms.add("support:8", "别的事")
    assert (await stage.sheets.sheet(SYSTEM, raised.key)).said.endswith("他在楼顶")
    await stage.alarms.close(SYSTEM, raised.key, "孩子平安到家")
    assert not await stage.alarms.add("support:7", "又来了")


async def test_leaving_and_the_end_of_the_term_take_the_words(
    stage: AlarmStage, village: Village, clock: FrozenClock
) -> None:
    new = a_crisis(village, source=AlarmSource.CHAT, raiser_index="index", said="我叫王小明，电话13812345678")
    raised = await stage.alarms.raise_alarm(Actor(openid_index="index"), new)
    await stage.alarms.erase("index")
    row = await AlarmRow.get()
    assert row.raiser_index is None
    assert "13812345678" not in (row.said or "")
    await stage.alarms.close(SYSTEM, raised.key, "孩子平安到家")
    today = clock.now().date()
    assert await stage.alarms.due(today) == []
    [due] = await stage.alarms.due(today + timedelta(days=KEPT_DAYS + 1))
    await stage.alarms.dispose(due)
    row = await AlarmRow.get()
    assert (row.said, row.spot, row.closing) == (None, None, None)
    assert await stage.alarms.child_data(str(village.child.id), str(village.mother.id)) == {}
    await stage.alarms.erase_child(str(village.child.id), keep_duty=True)
    assert (await AlarmRow.get()).child_id == village.child.id
    await stage.alarms.erase_child(str(village.child.id), keep_duty=False)
    assert (await AlarmRow.get()).child_id is None
