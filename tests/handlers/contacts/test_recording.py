"""Teachers write contacts down: whose child, the question before a report, the report, drafts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tortoise.exceptions import BaseORMException

from bot.errors import AppError, NotFound
from bot.identity import Actor
from handlers.accounts.models import Person
from handlers.alarms.domain import AlarmKind
from handlers.alarms.models import AlarmEntry, AlarmRow
from handlers.contacts.domain.records import ContactOutcome, ReportOpen, ReportState, Way
from handlers.contacts.domain.reports import (
    Call,
    Called,
    CallInvalid,
    CallMissing,
    ReportClosed,
    SentenceMissing,
    TriggerAsked,
)
from handlers.contacts.domain.triggers import Trigger
from handlers.contacts.models import ContactsDraft, ContactsDue, ContactsRecord, ContactsReport
from handlers.contacts.service.recording.recording import Asked, RecordingService
from handlers.contacts.service.recording.reporting import ReportService
from handlers.contacts.service.recording.today import TodayService
from tests import factories
from tests.handlers.contacts.stage import TODAY, Contacts, contact

VIOLENCE = frozenset({Trigger.VIOLENCE})
NOT_PAIRED = ("head", "colleague", "lead", "leader", "duty", "foreign_lead", "foreign_teacher")


@pytest.fixture
async def paired(contacts: Contacts) -> Contacts:
    await contacts.paired()
    return contacts


def recording_of(contacts: Contacts) -> RecordingService:
    return contacts.machinery.services.get(RecordingService)


def reports_of(contacts: Contacts) -> ReportService:
    return contacts.machinery.services.get(ReportService)


def today_of(contacts: Contacts) -> TodayService:
    return contacts.machinery.services.get(TodayService)


def call(contacts: Contacts, called: Called = Called.POLICE, **values: str) -> Call:
    return Call(called, contacts.clock.now(), values.get("by", "王老师"), values.get("reference", "编号0123"))


async def reported(contacts: Contacts) -> str:
    """A report opened by the teacher; its id."""
    written = await recording_of(contacts).write(
        contacts.people.teacher, contacts.child(), contact(finding="身上有伤，说是被打的"), Asked(VIOLENCE)
    )
    assert written.report_id is not None
    return written.report_id


# ---------------------------------------------------------------------------------------------------------- whose child
@pytest.mark.parametrize("who", NOT_PAIRED)
async def test_only_who_is_paired_with_the_child_records_it(paired: Contacts, who: str) -> None:
    actor: Actor = getattr(paired.people, who)
    recording, child = recording_of(paired), paired.child()
    deeds = (
        recording.write(actor, child, contact(), Asked()),
        recording.keep(actor, child, {"key": "k1"}),
        recording.report(actor, child, VIOLENCE, "被打"),
        today_of(paired).child(actor, child),
        today_of(paired).rang(actor, child, child),
    )
    for deed in deeds:
        with pytest.raises(NotFound):
            await deed
    assert await ContactsRecord.all().count() == await ContactsReport.all().count() == 0
    assert await today_of(paired).children(actor) == []


async def test_a_child_that_is_no_id_or_not_there_is_not_there(paired: Contacts) -> None:
    for child in ("no id", paired.child(1), str(paired.school.id)):
        with pytest.raises(NotFound):
            await recording_of(paired).write(paired.people.teacher, child, contact(), Asked())


async def test_who_has_left_has_lost_the_child(paired: Contacts) -> None:
    gone = await paired.leave(paired.people.teacher)
    with pytest.raises(AppError):
        await recording_of(paired).write(gone, paired.child(), contact(), Asked())
    assert await ContactsRecord.all().count() == 0


# -------------------------------------------------------------------------------------------------------------- writing
async def test_sent_again_it_is_one_record_and_one_report(paired: Contacts) -> None:
    recording, told = recording_of(paired), contact(finding="身上有伤，说是被打的")
    first = await recording.write(paired.people.teacher, paired.child(), told, Asked(VIOLENCE))
    again = await recording.write(paired.people.teacher, paired.child(), told, Asked(VIOLENCE))
    assert (again.record.id, again.report_id) == (first.record.id, first.report_id)
    assert await ContactsRecord.all().count() == await ContactsReport.all().count() == 1
    assert await AlarmRow.all().count() == 1


async def test_the_words_ask_before_anything_is_kept(paired: Contacts) -> None:
    with pytest.raises(TriggerAsked):
        await recording_of(paired).write(paired.people.teacher, paired.child(), contact(finding="爸爸打了他"), Asked())
    assert await ContactsRecord.all().count() == await AlarmRow.all().count() == 0
    denied = Asked(is_denied=True)
    written = await recording_of(paired).write(
        paired.people.teacher, paired.child(), contact(finding="爸爸打了他"), denied
    )
    assert written.report_id is None
    assert await AlarmRow.all().count() == 0
    assert "被打" in ((await paired.records.one(paired.people.lead, written.record.id)).sealed_part or "")
    assert (await paired.records.one(paired.people.head, written.record.id)).sealed_part is None


async def test_a_correction_is_asked_after_too_and_keeps_the_first(paired: Contacts) -> None:
    recording, teacher = recording_of(paired), paired.people.teacher
    first = await recording.write(teacher, paired.child(), contact(), Asked())
    with pytest.raises(TriggerAsked):
        await recording.correct(teacher, first.record.id, contact("k2", finding="爸爸打了他"), Asked())
    second = await recording.correct(teacher, first.record.id, contact("k2", finding="爸爸打了他"), Asked(VIOLENCE))
    assert second.report_id is not None
    assert (await paired.records.one(teacher, first.record.id)).superseded_by == second.record.id
    with pytest.raises(NotFound):
        await recording.mine(paired.people.head, first.record.id)


async def test_a_draft_that_comes_after_its_record_is_none(paired: Contacts) -> None:
    recording, teacher, child = recording_of(paired), paired.people.teacher, paired.child()
    await recording.keep(teacher, child, {"key": "k1", "finding": "作业"})
    assert await ContactsDraft.all().count() == 1
    await recording.write(teacher, child, contact(), Asked())
    await recording.keep(teacher, child, {"key": "k1", "finding": "作业没人管"})
    assert await ContactsDraft.all().count() == 0
    await recording.keep(teacher, child, {"key": "k2", "finding": "又去了一次"})
    assert await ContactsDraft.all().count() == 1


async def test_nothing_is_shown_that_cannot_be_written_down(paired: Contacts) -> None:
    teacher, lead, report = paired.people.teacher, paired.people.lead, await reported(paired)
    await paired.break_audit()
    looks = (
        today_of(paired).children(teacher),
        today_of(paired).today(teacher),
        today_of(paired).child(teacher, paired.child()),
        reports_of(paired).lines(lead),
        reports_of(paired).sheet(lead, report),
    )
    for look in looks:
        with pytest.raises((AppError, BaseORMException)):
            await look


# --------------------------------------------------------------------------------------------------------------- today
async def test_today_is_what_is_due_first(contacts: Contacts) -> None:
    await contacts.paired(0)
    await contacts.paired(1)
    await ContactsDue.filter(pupil_id=contacts.child(1)).update(due_on=TODAY - timedelta(days=1))
    await ContactsDue.filter(pupil_id=contacts.child(0)).update(due_on=TODAY + timedelta(days=9), visit_due_on=TODAY)
    found = await today_of(contacts).today(contacts.people.teacher)
    assert [each.ward.id for each in found.children] == [contacts.child(1), contacts.child(0)]
    assert [(each.is_overdue, each.is_visit) for each in found.children] == [(True, False), (False, True)]
    todos = await today_of(contacts).todos_of(contacts.people.teacher)
    assert [(todo.count, todo.is_urgent) for todo in todos] == [(1, True), (1, False)]
    assert not any(each.ward.name in todo.title for todo in todos for each in found.children)


async def test_a_call_is_written_down(paired: Contacts) -> None:
    mother = await factories.make_person()
    await factories.make_guardianship(paired.children[0], mother)
    sheet = await today_of(paired).child(paired.people.teacher, paired.child())
    assert [each.phone for each in sheet.phones] == [mother.phone]
    await today_of(paired).rang(paired.people.teacher, paired.child(), str(mother.id))
    last = (await paired.deeds(paired.child()))[-1]
    assert (last.purpose, last.subject) == ("call", f"person:{mother.id}")
    stranger = await factories.make_person()
    with pytest.raises(NotFound):
        await today_of(paired).rang(paired.people.teacher, paired.child(), str(stranger.id))


# ------------------------------------------------------------------------------------------------------------ reporting
async def test_a_report_raises_an_alarm_that_says_nothing_of_what_happened(paired: Contacts) -> None:
    mother = await factories.make_person()
    await factories.make_guardianship(paired.children[0], mother, is_acting=True)
    await reported(paired)
    row = await AlarmRow.get()
    assert (row.kind, str(row.child_id)) == (AlarmKind.MANDATORY_REPORT, paired.child())
    assert "伤" not in (row.said or "")
    told = {str(entry.person_id) for entry in await AlarmEntry.filter(alarm_id=row.id)}
    assert str(paired.people.duty.person_id) in told
    assert str(mother.id) not in told, "parents are never told"


async def test_the_child_is_blocked_until_it_is_known_who_was_called(paired: Contacts) -> None:
    report, teacher = await reported(paired), paired.people.teacher
    with pytest.raises(ReportOpen):
        await recording_of(paired).write(teacher, paired.child(), contact("k2"), Asked())
    assert await reports_of(paired).called(teacher, report, call(paired)) is ReportState.OPEN
    with pytest.raises(ReportOpen):
        await recording_of(paired).write(teacher, paired.child(), contact("k2"), Asked())
    assert await reports_of(paired).called(teacher, report, call(paired, Called.TOWNSHIP)) is ReportState.COMPLETE
    await recording_of(paired).write(teacher, paired.child(), contact("k2"), Asked())


async def test_a_call_is_told_once_and_whole(paired: Contacts) -> None:
    report, teacher = await reported(paired), paired.people.teacher
    for wrong in (
        call(paired, by=" "),
        call(paired, reference=""),
        Call(Called.POLICE, paired.clock.now() + timedelta(hours=1), "王老师", "1"),
        Call(Called.POLICE, paired.clock.now() - timedelta(days=8), "王老师", "1"),
    ):
        with pytest.raises(CallInvalid):
            await reports_of(paired).called(teacher, report, wrong)
    await reports_of(paired).called(teacher, report, call(paired))
    await reports_of(paired).called(teacher, report, call(paired))
    sheet = await reports_of(paired).sheet(teacher, report)
    assert [each.called for each in sheet.calls] == [Called.POLICE]
    assert list(sheet.missing) == [Called.TOWNSHIP]
    lead = await Person.get(id=paired.people.lead.person_id)
    assert lead.phone in {each.phone for each in sheet.numbers}


async def test_named_people_see_it_and_nobody_closes_it_silently(paired: Contacts) -> None:
    report, reports, people = await reported(paired), reports_of(paired), paired.people
    assert await reports.open_of(people.teacher, paired.child()) == report
    for actor in (people.teacher, people.lead, people.leader):
        assert (await reports.sheet(actor, report)).triggers == VIOLENCE
        assert [line.id for line in await reports.lines(actor)] == [report]
    for actor in (people.head, people.colleague, people.duty, people.foreign_lead, people.foreign_teacher):
        assert await reports.lines(actor) == []
        assert await reports.open_of(actor, paired.child()) is None
        for deed in (
            reports.sheet(actor, report),
            reports.called(actor, report, call(paired)),
            reports.close(actor, report, "孩子平安"),
        ):
            with pytest.raises(NotFound):
                await deed
    with pytest.raises(CallMissing):
        await reports.close(people.lead, report, "孩子平安，由外婆照看")
    for called in (Called.POLICE, Called.TOWNSHIP):
        await reports.called(people.teacher, report, call(paired, called))
    with pytest.raises(NotFound):  # complete: whoever wrote it sees it no more
        await reports.sheet(people.teacher, report)
    with pytest.raises(SentenceMissing):
        await reports.close(people.lead, report, "好")
    await reports.close(people.lead, report, "孩子平安，由外婆照看")
    with pytest.raises(ReportClosed):
        await reports.close(people.leader, report, "孩子平安，由外婆照看")
    assert await reports.lines(people.lead) == []
    assert [line.state for line in await reports.lines(people.lead, with_closed=True)] == [ReportState.CLOSED]


async def test_who_wrote_it_cannot_close_it(paired: Contacts) -> None:
    report, teacher = await reported(paired), paired.people.teacher
    with pytest.raises(CallMissing):
        await reports_of(paired).close(teacher, report, "孩子平安，由外婆照看")
    for called in (Called.POLICE, Called.TOWNSHIP):
        await reports_of(paired).called(teacher, report, call(paired, called))
    with pytest.raises(NotFound):
        await reports_of(paired).close(teacher, report, "孩子平安，由外婆照看")


async def test_more_that_is_found_goes_into_the_report_that_is_open(paired: Contacts) -> None:
    report = await reported(paired)
    again = await recording_of(paired).report(paired.people.teacher, paired.child(), {Trigger.SELF_HARM}, "说不想活了")
    assert again == report
    sheet = await reports_of(paired).sheet(paired.people.lead, report)
    assert sheet.triggers == {Trigger.VIOLENCE, Trigger.SELF_HARM}
    assert "不想活" in sheet.words
    assert await AlarmRow.all().count() == 1


async def test_a_report_waits_for_the_lead_without_a_name(paired: Contacts) -> None:
    await reported(paired)
    todos = await reports_of(paired).todos_of(paired.people.lead)
    assert [(todo.count, todo.is_urgent) for todo in todos] == [(1, True)]
    assert paired.children[0].name not in todos[0].title


async def test_a_failed_attempt_is_a_record_without_a_question(paired: Contacts) -> None:
    attempt = contact(outcome=ContactOutcome.FAILED, met=frozenset(), topics=frozenset(), finding="", way=Way.CALL)
    written = await recording_of(paired).write(paired.people.teacher, paired.child(), attempt, Asked())
    assert written.record.outcome is ContactOutcome.FAILED
