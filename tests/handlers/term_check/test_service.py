"""The services of the check on a real database: lists, reports, and cases."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import date, timedelta

import pytest
from tortoise.exceptions import BaseORMException, IntegrityError

from bot.audit.models import AuditRow
from bot.errors import NotFound, NotPermitted
from bot.identity import Actor
from bot.rights import Action
from handlers.accounts.domain import AppointmentKind, PupilStatus
from handlers.accounts.models import Pupil
from handlers.accounts.service.places import PlaceService
from handlers.accounts.service.rolls import Room
from handlers.calendar.domain import Facts, SchoolCalendar, Term
from handlers.duties.domain import TaskState
from handlers.duties.models import DutyTask
from handlers.duties.service.planning import DutyPlanner
from handlers.term_check.domain.cases import (
    CaseEvent,
    CaseInvalid,
    CaseState,
    IllegalCaseMove,
    KnownBy,
    ProofMissing,
    StepKind,
)
from handlers.term_check.domain.cases import (
    Stage as Rung,
)
from handlers.term_check.models import (
    TermCheckAbsence,
    TermCheckListed,
    TermCheckReturn,
    TermCheckRound,
    TermCheckStep,
)
from handlers.term_check.service.cases import Ending, Talk
from handlers.term_check.service.returns import Handed, NotAskedNow, ReturnService
from handlers.term_check.service.views import ClassList
from tests import factories
from tests.handlers.after_school.waivers_stage import png
from tests.handlers.term_check.stage import AUTUMN, FIRST, SPRING, Stage, at, opened, place

S = CaseState
WORDS = "见到奶奶，说下周一回来"


# --------------------------------------------------------------------------------------------------------------- lists
async def test_a_round_begins_by_the_calendar_with_last_term_s_list(stage: Stage) -> None:
    await stage.build((1, 3), (7,))
    room = stage.schools[0].rooms[1]
    taken_off, graduated = room.children[0], room.children[1]
    await stage.remove(taken_off)
    await stage.remove(graduated, PupilStatus.GRADUATED)
    newcomer = await stage.child(room, new=True)
    stage.clock.set(at(date(2026, 8, 31)))
    await stage.begin()
    assert await TermCheckRound.all().count() == 0
    stage.clock.set(at(FIRST))
    await stage.begin()
    await stage.begin()
    assert await TermCheckRound.all().count() == 2
    listed = {row.pupil_id: row for row in await TermCheckListed.filter(class_id=room.row.id)}
    assert set(listed) == {taken_off.id, room.children[2].id, newcomer.id}
    assert {own for own, row in listed.items() if row.is_new} == {newcomer.id}
    first_grade = await TermCheckListed.filter(class_id=stage.schools[0].rooms[0].row.id)
    assert [row.is_new for row in first_grade] == [True] * 3
    row = await TermCheckRound.get(school_id=stage.schools[0].row.id)
    assert (row.term, row.list_day) == ("2026-autumn", SPRING.last_day)


async def test_lists_follow_the_roster_and_lose_nobody(stage: Stage) -> None:
    await stage.build((3,), (3,))
    here, there = (school.rooms[0] for school in stage.schools)
    await stage.begin()
    late, gone, moved = await stage.child(here, new=True), here.children[0], here.children[1]
    await stage.begin()
    assert await TermCheckListed.filter(pupil_id=late.id).count() == 1
    await stage.report(here, moved)
    case = await stage.case_of(moved)
    await stage.remove(gone)
    await stage.remove(moved)
    await place(moved, there.row, FIRST, None)
    await stage.begin()
    assert await TermCheckListed.filter(pupil_id=gone.id).values_list("class_id", flat=True) == [here.row.id]
    # Whoever sits at another school of ours is asked for there, with what goes on about them.
    assert await TermCheckListed.filter(pupil_id=moved.id).values_list("class_id", flat=True) == [there.row.id]
    await case.refresh_from_db()
    assert (case.class_id, case.school_id, case.state) == (there.row.id, stage.schools[1].row.id, S.ABSENT)
    await Pupil.filter(id=late.id).delete()
    await stage.begin()
    assert not await TermCheckListed.filter(pupil_id=late.id).exists()


async def test_a_service_set_up_in_the_middle_of_a_term_asks_nobody_until_a_school_begins(stage: Stage) -> None:
    await stage.build((3,))
    stage.clock.set(at(date(2026, 11, 10)))
    await stage.begin()
    assert not await TermCheckRound.exists()
    campus = stage.schools[0]
    leader, head = await stage.actor(campus.leader), await stage.actor(campus.rooms[0].head)
    assert await stage.returns.schools_without(leader) == [(campus.id, campus.row.name)]
    assert await stage.returns.schools_without(head) == []
    with pytest.raises(NotFound):
        await stage.returns.begin(head, campus.id)
    with pytest.raises(NotAskedNow):
        await stage.report(campus.rooms[0])
    await stage.returns.begin(leader, campus.id)
    assert await stage.returns.schools_without(leader) == []
    assert (await stage.report(campus.rooms[0])).of.is_full
    stage.clock.set(at(AUTUMN.last_day + timedelta(days=1)))
    await stage.begin()
    assert (await TermCheckRound.get()).closed_at is not None
    with pytest.raises(NotAskedNow):
        await stage.returns.begin(leader, campus.id)


async def test_a_term_that_becomes_longer_opens_its_round_again(stage: Stage) -> None:
    await stage.build()
    await stage.begin()
    [school] = await PlaceService().schools(str(stage.town.id))
    stage.clock.set(at(AUTUMN.last_day + timedelta(days=2)))
    await stage.begin()
    assert (await TermCheckRound.get()).closed_at is not None
    longer = Term(AUTUMN.first_day, AUTUMN.last_day + timedelta(days=5), AUTUMN.name)
    assert not await stage.keeper.keep_school(school, SchoolCalendar(Facts(terms=(longer,))))
    row = await TermCheckRound.get()
    assert (row.closed_at, row.last_day, row.list_day) == (None, longer.last_day, SPRING.last_day)


# ------------------------------------------------------------------------------------------------------------- reports
async def test_a_class_reports_until_all_are_accounted_for(stage: Stage) -> None:
    await stage.build()
    await stage.begin()
    room = stage.schools[0].rooms[0]
    away, ill, _ = room.children
    done = await stage.report(room, away, ill)
    assert (done.new, done.back, done.of.open, done.of.is_full) == (2, 0, 2, False)
    assert done.of.last is not None
    assert (done.of.last.counts.listed, done.of.last.counts.here) == (3, 1)
    again = await stage.report(room, away, ill)
    assert again.of.last is not None
    assert (again.new, again.of.last.number) == (0, 1), "the same report twice on a day is one"
    await stage.go_to(date(2026, 9, 2))
    done = await stage.report(room, ill)
    assert (done.back, done.of.open) == (1, 1)
    head = await stage.actor(room.head)
    case = await stage.case_of(ill)
    await stage.cases.end(head, str(case.id), Ending(CaseEvent.EXCUSE, "肺炎住院，医生开了单", date(2026, 9, 14)))
    done = await stage.report(room)
    assert done.of.is_full
    assert done.of.last is not None
    assert (done.of.last.counts.here, done.of.last.counts.ill) == (2, 1)
    assert [row.is_full for row in await TermCheckReturn.all().order_by("number")] == [False, False, True]


async def test_who_did_not_come_back_from_illness_is_looked_for_again(stage: Stage) -> None:
    await stage.build()
    await stage.begin()
    room = stage.schools[0].rooms[0]
    await stage.report(room, room.children[0])
    case = await stage.case_of(room.children[0])
    excused = Ending(CaseEvent.EXCUSE, "发烧，在家休息", date(2026, 9, 4))
    await stage.cases.end(await stage.actor(room.head), str(case.id), excused)
    await stage.report(room)
    await stage.go_to(date(2026, 9, 6))
    assert (await stage.case_of(room.children[0])).state is S.ILL
    await stage.go_to(date(2026, 9, 7))
    case = await stage.case_of(room.children[0])
    assert (case.state, case.opened_on, case.outcome) == (S.ABSENT, date(2026, 9, 7), None)
    assert await stage.told(room.head, "return") == ["2026-09-01", "2026-09-07"][1:]


async def test_reports_are_signed_by_those_of_the_class_and_its_school(stage: Stage) -> None:
    await stage.build((3,), (3,))
    await stage.begin()
    mine, other = (school.rooms[0] for school in stage.schools)
    assert (await stage.report(mine, by=stage.schools[0].leader)).of.is_full
    for person, error in (
        (other.head, NotFound),
        (stage.schools[1].leader, NotFound),
        (stage.admin, NotPermitted),
        (await factories.make_person(), NotPermitted),
    ):
        with pytest.raises(error):
            await stage.report(mine, by=person)
    with pytest.raises(CaseInvalid):
        await stage.report(mine, other.children[0])
    assert await TermCheckReturn.all().count() == 1


async def test_the_recurring_duty_is_done_by_it_once_the_contacts_were_gone_through(stage: Stage) -> None:
    await stage.build()
    await stage.machinery.services.get(DutyPlanner).plan()
    await stage.begin()
    room = stage.schools[0].rooms[0]
    of_class = DutyTask.filter(rule__shipped="roster_check", class_id=room.row.id)
    assert not (await stage.report(room, room.children[0], contacts=True)).has_done_duty
    case = await stage.case_of(room.children[0])
    assert (await of_class.get()).state is TaskState.OPEN
    await stage.cases.end(await stage.actor(room.head), str(case.id), Ending(CaseEvent.RETURN))
    task = await of_class.get()
    assert (task.state, task.done_by) == (TaskState.DONE, room.head.id)
    assert not (await stage.report(room)).has_done_duty


async def test_a_full_list_alone_does_not_do_the_duty(stage: Stage) -> None:
    await stage.build()
    await stage.machinery.services.get(DutyPlanner).plan()
    await stage.begin()
    room = stage.schools[0].rooms[0]
    assert not (await stage.report(room)).has_done_duty
    assert (await stage.report(room, contacts=True)).has_done_duty


# --------------------------------------------------------------------------------------------------------------- cases
async def test_a_case_is_followed_from_the_first_call_to_the_other_school(stage: Stage) -> None:
    head, own = await opened(stage)
    stage.clock.advance(timedelta(minutes=1))
    await stage.cases.talk(head, own, Talk(StepKind.CALL, "电话没人接，明天再打"))
    stage.clock.advance(timedelta(minutes=1))
    await stage.cases.talk(head, own, Talk(StepKind.VISIT, WORDS, FIRST - timedelta(days=1)))
    stage.clock.advance(timedelta(minutes=1))
    await stage.cases.locate(head, own, "跟父母在县城", KnownBy.RELATIVE)
    with pytest.raises(ProofMissing):
        await stage.cases.end(head, own, Ending(CaseEvent.TRANSFER, "转到县城二小"))
    assert (await TermCheckAbsence.get(id=own)).state is S.LOCATED
    stage.clock.advance(timedelta(minutes=1))
    case = await stage.cases.end(head, own, Ending(CaseEvent.TRANSFER, "转到县城二小", proof=png()))
    assert (case.line.state, case.where_to, case.known_by) == (S.TRANSFERRED, "跟父母在县城", KnownBy.RELATIVE)
    assert [each.kind for each in case.steps] == [
        StepKind.MISSED, StepKind.CALL, StepKind.VISIT, StepKind.LOCATED, StepKind.CLOSED,
    ]  # fmt: skip
    assert (await stage.cases.proof(head, own, case.proofs[0])).media_type == "image/jpeg"
    with pytest.raises(IllegalCaseMove):
        await stage.cases.talk(head, own, Talk(StepKind.CALL, WORDS))
    case = await stage.cases.reopen(head, own, "学校说没有来报到")
    assert (case.line.state, case.is_open) == (S.ABSENT, True)


@pytest.mark.parametrize(
    "talk",
    [
        Talk(StepKind.CALL, "嗯"),
        Talk(StepKind.CLIMBED, WORDS),
        Talk(StepKind.CALL, WORDS, FIRST + timedelta(days=1)),
        Talk(StepKind.CALL, WORDS, FIRST - timedelta(days=61)),
    ],
)
async def test_what_is_no_record_is_refused(stage: Stage, talk: Talk) -> None:
    head, own = await opened(stage)
    with pytest.raises(CaseInvalid):
        await stage.cases.talk(head, own, talk)
    assert await TermCheckStep.all().count() == 1


@pytest.mark.parametrize(
    "ending",
    [Ending(CaseEvent.EXCUSE, "发烧了在家"), Ending(CaseEvent.OTHERWISE), Ending(CaseEvent.LOCATE, WORDS)],
)
async def test_an_ending_without_its_reason_is_none(stage: Stage, ending: Ending) -> None:
    head, own = await opened(stage)
    with pytest.raises(CaseInvalid):
        await stage.cases.end(head, own, ending)
    assert (await TermCheckAbsence.get(id=own)).state is S.ABSENT


async def test_a_case_is_seen_by_its_class_school_and_township_only(stage: Stage) -> None:
    _, own = await opened(stage)
    other = await stage.school(3)
    for person in (stage.schools[0].leader, stage.admin):
        assert (await stage.cases.one(await stage.actor(person), own)).line.state is S.ABSENT
    lead = await factories.make_person()
    await factories.make_appointment(AppointmentKind.PROTECTION_LEAD, lead, school=stage.schools[0].row)
    for person, error in ((other.leader, NotFound), (other.rooms[0].head, NotFound), (lead, NotPermitted)):
        with pytest.raises(error):
            await stage.cases.one(await stage.actor(person), own)
        with pytest.raises(error):
            await stage.cases.end(await stage.actor(person), own, Ending(CaseEvent.RETURN))
    assert (await stage.cases.page(await stage.actor(other.leader)))[1] == 0


async def test_every_look_is_written_down_and_without_the_line_there_is_no_look(stage: Stage) -> None:
    head, own = await opened(stage)
    before = await AuditRow.filter(action=Action.CHECK_CASE.value).count()
    await stage.cases.one(head, own)
    await stage.cases.page(head)
    assert await AuditRow.filter(action=Action.CHECK_CASE.value).count() == before + 2
    connection = AuditRow._meta.db
    await connection.execute_query("ALTER TABLE audit_entry RENAME TO audit_away")
    try:
        room = stage.schools[0].rooms[0]
        for look in (stage.cases.one(head, own), stage.cases.page(head), stage.returns.of_class(head, room.id)):
            with pytest.raises(BaseORMException):
                await look
    finally:
        await connection.execute_query("ALTER TABLE audit_away RENAME TO audit_entry")


async def test_two_reports_at_the_same_moment_make_one_case_a_child(stage: Stage) -> None:
    await stage.build()
    await stage.begin()
    campus, room = stage.schools[0], stage.schools[0].rooms[0]
    both = (room.head, campus.leader)
    done = await asyncio.gather(*(stage.report(room, *room.children[:2], by=who) for who in both))
    assert sorted(each.new for each in done) == [0, 2]
    assert [row.number for row in await TermCheckReturn.all()] == [1]
    assert await TermCheckAbsence.all().count() == 2
    later = await asyncio.gather(*(stage.report(room, by=who) for who in both))
    assert sorted(each.back for each in later) == [0, 2]


class Careless(ReturnService):
    """Locks nothing, and meets the other one between looking and writing."""

    meeting: asyncio.Barrier

    async def _held(self, actor: Actor, class_id: str, *, lock: bool = False) -> tuple[TermCheckRound, Room]:
        return await super()._held(actor, class_id)

    async def _changes(
        self, actor: Actor, row: TermCheckRound, before: ClassList, absent: Collection[str]
    ) -> tuple[int, int]:
        await self.meeting.wait()
        return await super()._changes(actor, row, before, absent)


@pytest.mark.engine("postgres")
async def test_without_the_lock_two_reports_at_once_fail(stage: Stage) -> None:
    """The control of the test above: SQLite has one writer, who would wait for himself."""
    await stage.build()
    await stage.begin()
    campus, room = stage.schools[0], stage.schools[0].rooms[0]
    careless = Careless(stage.returns.parts, stage.machinery.audit, stage.clock)
    careless.meeting = asyncio.Barrier(2)
    handed = Handed(room.id, frozenset({str(room.children[0].id)}))
    both = [await stage.actor(who) for who in (room.head, campus.leader)]
    done = await asyncio.gather(*(careless.report(who, handed) for who in both), return_exceptions=True)
    assert [type(each) for each in done if isinstance(each, BaseException)] == [IntegrityError]


async def test_the_database_refuses_a_second_open_case_of_a_child(stage: Stage) -> None:
    await stage.build()
    await stage.begin()
    room = stage.schools[0].rooms[0]
    await stage.report(room, room.children[0])
    case = await stage.case_of(room.children[0])
    with pytest.raises(BaseORMException):
        await TermCheckAbsence.create(
            round_id=case.round_id, township_id=case.township_id, school_id=case.school_id, class_id=case.class_id,
            pupil_id=case.pupil_id, state=S.ABSENT, opened_on=FIRST, stage=Rung.CLASS, active_key=case.active_key,
            created_at=at(FIRST), updated_at=at(FIRST),
        )  # fmt: skip
