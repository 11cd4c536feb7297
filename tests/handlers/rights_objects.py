"""The made-up township in which every route is tried by every role: whose things there are, and how routes name them.

A route with a part of its path that is not listed here fails the test of rights until it is.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from bot.clock import Clock, FrozenClock
from bot.config import Settings
from bot.config_values import decode_key
from bot.delivery.models import DeliveryStatus, OutboxPush
from bot.delivery.pushes import Purpose, PushClass
from bot.identity import Role
from bot.rights import Reach, Scope
from bot.storage.database import transaction
from bot.storage.files import FileStore, Owner
from handlers.accounts.domain import Account, AppointmentKind, BindingState, Relation
from handlers.accounts.models import (
    Appointment,
    Bar,
    BindingRequest,
    Person,
    Pupil,
    School,
    SchoolClass,
    Township,
    WeChatIdentity,
)
from handlers.accounts.service.audience import Audience, AudienceRole
from handlers.accounts.service.bars import name_index
from handlers.accounts.service.codes import new_code
from handlers.accounts.service.sessions import SessionService
from handlers.after_school.domain.days import DutyRole
from handlers.after_school.domain.fees import FeeBasis
from handlers.after_school.domain.plans import FeePayer, PlanState, Selection, SettleBy
from handlers.after_school.domain.statements import Source
from handlers.after_school.domain.states import EnrolmentState
from handlers.after_school.domain.waivers import WaiverState
from handlers.after_school.models import (
    AfterSchoolDayOff,
    AfterSchoolDutySlot,
    AfterSchoolEnrolment,
    AfterSchoolEnrolmentEvent,
    AfterSchoolIncident,
    AfterSchoolIntake,
    AfterSchoolLeave,
    AfterSchoolPlan,
    AfterSchoolPool,
    AfterSchoolProgramme,
    AfterSchoolSlip,
    AfterSchoolWaiver,
    AfterSchoolWaiverCategory,
    AfterSchoolWaiverList,
)
from handlers.after_school.service.waivers.rows import evidence_of
from handlers.alarms.domain import AlarmKind, AlarmSource, AlarmState
from handlers.alarms.models import AlarmEntry, AlarmRow
from handlers.calendar.domain import Effect, LocalKind
from handlers.calendar.models import LocalDays, SchoolTerm
from handlers.contacts.domain.card import FactKind, FactSource, Holder
from handlers.contacts.domain.exports import ExportState, TakenFor
from handlers.contacts.domain.family import CallState
from handlers.contacts.domain.glass import Ground
from handlers.contacts.domain.records import ContactOutcome, ReportState, Way
from handlers.contacts.domain.register import Group, Level, Reason, Stage
from handlers.contacts.models import (
    ContactsCall,
    ContactsCheck,
    ContactsDue,
    ContactsExport,
    ContactsFact,
    ContactsFile,
    ContactsGlass,
    ContactsLevel,
    ContactsPair,
    ContactsPrint,
    ContactsRecord,
    ContactsRefresh,
    ContactsReport,
)
from handlers.contacts.service.cards.fitness import PAPER
from handlers.contacts.service.exports.exporting import FILE
from handlers.contacts.service.pairing.rows import pair_key
from handlers.contacts.service.records.files import FILES
from handlers.contacts.service.register.entering import file_key
from handlers.deliveries.models import HandListLine
from handlers.duties.domain import OWNERS, Rhythm, TaskState
from handlers.duties.models import DutyRule, DutyTask
from handlers.notices.domain import NO_CHILD, Confirmation, NoticeContent, NoticeState, Target
from handlers.notices.models import Notice, NoticeChild, NoticeRecipient
from handlers.notices.service.pictures import album_of
from handlers.notices.service.rows import columns_of
from handlers.reminders.domain import ReminderState
from handlers.reminders.models import ClassReminder, OwnReminder
from handlers.rosters.domain import Coverage, ImportState, RosterKind
from handlers.rosters.models import Import
from handlers.term_check.domain.cases import CaseState
from handlers.term_check.domain.cases import Stage as CaseStage
from handlers.term_check.models import TermCheckAbsence, TermCheckListed, TermCheckRound
from handlers.term_check.service.rows import proofs_of
from tests import factories

KINDS: Final[Mapping[Role, AppointmentKind]] = {
    Role.TEACHER: AppointmentKind.SUBJECT_TEACHER,
    Role.HEAD_TEACHER: AppointmentKind.HEAD_TEACHER,
    Role.DUTY: AppointmentKind.DUTY,
    Role.PROTECTION_LEAD: AppointmentKind.PROTECTION_LEAD,
    Role.SCHOOL_LEADER: AppointmentKind.SCHOOL_LEADER,
    Role.ADMINISTRATOR: AppointmentKind.TOWNSHIP_ADMINISTRATOR,
    Role.EDITOR: AppointmentKind.EDITOR,
    Role.REVIEWER: AppointmentKind.REVIEWER,
}
_FAR_AHEAD: Final = factories.LONG_AGO + timedelta(days=36500)
ROLES: Final = (Role.VISITOR, Role.GUARDIAN, *KINDS)
# To which kind of place an appointment belongs: others reach further than the role does.
_OF_CLASS: Final = {Role.TEACHER, Role.HEAD_TEACHER}
_OF_SCHOOL: Final = {Role.DUTY, Role.PROTECTION_LEAD, Role.SCHOOL_LEADER}


@dataclass(frozen=True, slots=True)
class Place:
    """A child, where it goes to school, and who has to do with it there."""

    township: Township
    school: School
    school_class: SchoolClass
    pupil: Pupil
    guardian: Person
    guardian_identity: WeChatIdentity
    teacher: Person


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who plays one role at the home place."""

    role: Role
    person: Person | None
    identity: WeChatIdentity


@dataclass(slots=True)
class World:
    """`home` is where the callers belong. `near` is the nearest place out of reach of a scope, `far` out of all."""

    sessions: SessionService
    home: Place
    near: Mapping[Scope, Place]
    far: Place
    callers: dict[Role, Caller] = field(default_factory=dict)


async def build_world(settings: Settings, clock: Clock) -> World:
    """Fresh rows, in one transaction; several may be built one after another in one database."""
    async with transaction():
        return await _built(settings, clock)


async def _built(settings: Settings, clock: Clock) -> World:
    township = await factories.make_township()
    school = await factories.make_school(township)
    school_class = await factories.make_class(school)
    home = await _place(township, school, school_class)
    other_class = await factories.make_class(school, number=2)
    other_school = await factories.make_school(township)
    near = {
        Scope.CHILD: await _place(township, school, school_class),
        Scope.SELF: await _place(township, school, school_class),
        Scope.CLASS: await _place(township, school, other_class),
        Scope.SCHOOL: await _place(township, other_school, await factories.make_class(other_school)),
    }
    far_school = await factories.make_school()
    far_town = await Township.get(id=far_school.township_id)
    far = await _place(far_town, far_school, await factories.make_class(far_school))
    key = decode_key(settings.security.session_key.get_secret_value())
    world = World(SessionService(clock, key), home, {**near, Scope.TOWN: far}, far)
    for role in ROLES:
        world.callers[role] = await _caller(role, home)
    return world


async def _place(township: Township, school: School, school_class: SchoolClass) -> Place:
    pupil = await factories.make_pupil(school_class)
    guardian, teacher = await factories.make_person(), await factories.make_person()
    await factories.make_guardianship(pupil, guardian)
    await factories.make_appointment(AppointmentKind.SUBJECT_TEACHER, teacher, school=school, school_class=school_class)
    return Place(township, school, school_class, pupil, guardian, await _identity(guardian), teacher)


async def _identity(person: Person | None) -> WeChatIdentity:
    return await factories.make_identity(f"mp_{uuid4().hex[:20]}", person, account=Account.MINI_PROGRAM)


async def _caller(role: Role, home: Place) -> Caller:
    if role is Role.GUARDIAN:
        return Caller(role, home.guardian, home.guardian_identity)
    if role is Role.VISITOR:
        return Caller(role, None, await _identity(None))
    person = await factories.make_person()
    await factories.make_appointment(
        KINDS[role],
        person,
        township=home.township,
        school=home.school if role in _OF_CLASS | _OF_SCHOOL else None,
        school_class=home.school_class if role in _OF_CLASS else None,
    )
    return Caller(role, person, await _identity(person))


# ------------------------------------------------------------------------------------------------------- what is named
Maker = Callable[[World, Place, Caller], Awaitable[object]]
"""The id of a thing at a place. The caller is given for what is their own at home."""


async def _pupil(world: World, place: Place, caller: Caller) -> object:
    return place.pupil.id


async def _class(world: World, place: Place, caller: Caller) -> object:
    return place.school_class.id


async def _school(world: World, place: Place, caller: Caller) -> object:
    return place.school.id


async def _teacher(world: World, place: Place, caller: Caller) -> object:
    return place.teacher.id


async def _township(world: World, place: Place, caller: Caller) -> object:
    return place.township.id


async def _guardian(world: World, place: Place, caller: Caller) -> object:
    return place.guardian.id


async def _session(world: World, place: Place, caller: Caller) -> object:
    owner = caller.identity if place is world.home else place.guardian_identity
    return (await world.sessions.open_api(owner.id)).id


async def _import(world: World, place: Place, caller: Caller) -> object:
    row = await Import.create(
        kind=RosterKind.PUPILS,
        state=ImportState.APPLIED,
        applied_at=factories.LONG_AGO,
        coverage=Coverage.CLASSES,
        township_id=place.township.id,
        school_id=place.school.id,
        by_person_id=place.teacher.id,
        file_name="花名册.xlsx",
        file_digest="0" * 64,
        rows="[]",
        counts={},
        head="[]",
        created_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
    )
    return row.id


async def _request(world: World, place: Place, caller: Caller) -> object:
    row = await BindingRequest.create(
        identity_id=(await _identity(None)).id,
        pupil_id=place.pupil.id,
        school_id=place.school.id,
        class_id=place.school_class.id,
        said=json.dumps({"kind": "guardian", "name": "赵外婆", "child": place.pupil.name}),
        relation=Relation.MATERNAL_GRANDMOTHER,
        state=BindingState.PENDING,
        created_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
    )
    return row.id


async def _alarm(world: World, place: Place, caller: Caller) -> object:
    # At home the caller raised it and was told of it: who reaches no more than their own sees and answers that.
    raiser = caller.person.id if place is world.home and caller.person else None
    row = await AlarmRow.create(
        reference=uuid4().hex,
        kind=AlarmKind.OTHER,
        source=AlarmSource.CONSOLE,
        state=AlarmState.OPEN,
        child_id=place.pupil.id,
        class_id=place.school_class.id,
        school_id=place.school.id,
        township_id=place.township.id,
        raised_by=raiser,
        on_duty=[],
        raised_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
    )
    if raiser is not None:
        await AlarmEntry.create(alarm_id=row.id, mark=f"told:{raiser}", person_id=raiser, at=factories.LONG_AGO)
    return row.key


async def _duty_rule(world: World, place: Place, caller: Caller) -> object:
    return (await _rule_of(place, AppointmentKind.SCHOOL_LEADER)).id


async def _duty_task(world: World, place: Place, caller: Caller) -> object:
    # At home it is the caller's own charge, elsewhere that of a school leader.
    own = KINDS.get(caller.role, AppointmentKind.SCHOOL_LEADER) if place is world.home else None
    owner = own if own in OWNERS else AppointmentKind.SCHOOL_LEADER
    rule = await _rule_of(place, owner)
    is_of_class = owner is AppointmentKind.HEAD_TEACHER
    days: dict[str, Any] = dict.fromkeys(("due_on", "remind_on", "late_on", "escalate_on"), factories.FIRST_DAY)
    row = await DutyTask.create(
        rule_id=rule.id,
        object_id=place.school_class.id if is_of_class else place.school.id,
        class_id=place.school_class.id if is_of_class else None,
        school_id=place.school.id,
        township_id=place.township.id,
        occurrence="2026-09",
        state=TaskState.OPEN,
        created_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
        **days,
    )
    return row.id


async def _rule_of(place: Place, owner: AppointmentKind) -> DutyRule:
    return await DutyRule.create(
        township_id=place.township.id,
        title="检查",
        owner=owner,
        rhythm=Rhythm.MONTH_END,
        remind_before=3,
        escalate_after=2,
        since=factories.FIRST_DAY,
        created_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
    )


async def _delivery(world: World, place: Place, caller: Caller) -> object:
    row = await OutboxPush.create(
        reason="notice:1",
        occurrence=uuid4().hex,
        person_id=place.guardian.id,
        child_ids=str(place.pupil.id),
        rule="notice",
        purpose=Purpose.NOTICE,
        push_class=PushClass.NORMAL,
        lane=2,
        status=DeliveryStatus.UNKNOWN,
        not_before=factories.LONG_AGO,
        expires_at=factories.LONG_AGO,
        created_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
    )
    return row.id


async def _call(world: World, place: Place, caller: Caller) -> object:
    row = await HandListLine.create(
        reason="elsewhere:1",
        occurrence=uuid4().hex,
        subject_id=place.pupil.id,
        child_id=place.pupil.id,
        child_ids=str(place.pupil.id),
        person_id=place.guardian.id,
        class_id=place.school_class.id,
        school_id=place.school.id,
        township_id=place.township.id,
        purpose=Purpose.NOTICE,
        push_class=PushClass.NORMAL,
        not_before=factories.LONG_AGO,
        expires_at=factories.LONG_AGO,
        created_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
    )
    return row.id


async def _notice(world: World, place: Place, caller: Caller) -> object:
    """One of the class that went to its family, and at home to the caller too."""
    audience = Audience(roles=frozenset({AudienceRole.GUARDIANS}), classes=frozenset({str(place.school_class.id)}))
    content = NoticeContent(title="家长会", text="请来。", target=Target(audience), confirmation=Confirmation.BUTTON)
    moments: dict[str, Any] = {"created_at": factories.LONG_AGO, "updated_at": factories.LONG_AGO}
    reach = Reach(classes=frozenset({str(place.school_class.id)}))
    last = await Notice.all().order_by("-number").first()
    row = await Notice.create(
        **columns_of(content, reach),
        **moments,
        number=last.number + 1 if last else 1,
        state=NoticeState.SENT,
        township_id=place.township.id,
        school_id=place.school.id,
        class_id=place.school_class.id,
        sender="三年级1班",
        written_on=factories.FIRST_DAY,
        written_by=place.teacher.id,
        changed_by=place.teacher.id,
        begun_at=factories.LONG_AGO,
        frozen_at=factories.LONG_AGO,
    )
    await NoticeChild.create(
        notice_id=row.id, child_id=place.pupil.id, school_id=place.school.id, class_id=place.school_class.id, **moments
    )
    await NoticeRecipient.create(notice_id=row.id, person_id=place.guardian.id, child_id=place.pupil.id, **moments)
    if place is world.home and caller.person is not None and caller.role is not Role.GUARDIAN:
        await NoticeRecipient.create(notice_id=row.id, person_id=caller.person.id, child_id=NO_CHILD, **moments)
    return row.id


async def _class_reminder(world: World, place: Place, caller: Caller) -> object:
    row = await ClassReminder.create(
        class_id=place.school_class.id,
        school_id=place.school.id,
        class_name="三年级1班",
        text="带跳绳",
        day=factories.FIRST_DAY + timedelta(days=3),
        state=ReminderState.ACTIVE,
        created_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
    )
    return row.id


async def _own_reminder(world: World, place: Place, caller: Caller) -> object:
    owner = caller.person if place is world.home else place.guardian
    row = await OwnReminder.create(
        person_id=owner.id if owner else None,
        openid_index=None if owner else caller.identity.openid_index,
        matter=uuid4().hex,
        text="交材料",
        day=factories.FIRST_DAY + timedelta(days=3),
        created_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
    )
    return row.id


async def _tally_plan(world: World, place: Place, caller: Caller) -> object:
    """What the school offers to all its grades: the nearest foreign one of a class is another school's."""
    place = _offering(world, place)
    made = factories.LONG_AGO + timedelta(seconds=await AfterSchoolPlan.all().count())
    moments: dict[str, Any] = {"created_at": made, "updated_at": made}
    plan = await AfterSchoolPlan.create(
        township_id=place.township.id,
        school_id=place.school.id,
        term="上学期",
        title="课后服务",
        first_day=factories.FIRST_DAY,
        last_day=factories.FIRST_DAY + timedelta(days=120),
        opens_at=factories.LONG_AGO,
        closes_at=factories.LONG_AGO + timedelta(days=60),
        state=PlanState.PUBLISHED,
        settle_by=SettleBy.ATTENDED,
        **moments,
    )
    pool = await AfterSchoolPool.create(plan_id=plan.id, title="看护", **moments)
    await AfterSchoolProgramme.create(
        plan_id=plan.id,
        pool_id=pool.id,
        title="看护",
        lowest_grade=1,
        highest_grade=9,
        weekdays="12345",
        starts_at="16:00",
        ends_at="18:00",
        selection=Selection.FIRST_COME,
        fee_basis=FeeBasis.FREE,
        fee_payer=FeePayer.PUBLIC,
        **moments,
    )
    return plan.id


def _offering(world: World, place: Place) -> Place:
    return world.near[Scope.SCHOOL] if place is world.near[Scope.CLASS] else place


async def _tally_list(world: World, place: Place, caller: Caller) -> object:
    """Of the plan made last."""
    place = _offering(world, place)
    plan = await AfterSchoolPlan.filter(school_id=place.school.id).order_by("-created_at").first()
    assert plan is not None
    row = await AfterSchoolIntake.create(
        plan_id=plan.id,
        state=ImportState.READY,
        file_name="意向表.xlsx",
        class_ids=[str(place.school_class.id)],
        counts={},
        created_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
    )
    return row.id


async def _course(world: World, place: Place, caller: Caller) -> object:
    """A programme of the school in which its child has a place."""
    return (await _enrolled(place)).programme_id


async def _service_plan(world: World, place: Place, caller: Caller) -> object:
    """A plan of the school; at home the caller gives a lesson in it."""
    row = await _enrolled(place)
    if place is world.home and caller.person is not None:
        await AfterSchoolProgramme.filter(id=row.programme_id).update(teacher_id=caller.person.id)
    return row.plan_id


async def _duty_school(world: World, place: Place, caller: Caller) -> object:
    """A school where, at home, the caller is on duty today: the nearest foreign one of theirs is another school."""
    if place is world.home and caller.person is not None:
        await AfterSchoolDutySlot.get_or_create(
            school_id=place.school.id, day=factories.FIRST_DAY, role=DutyRole.GUIDE, person_id=caller.person.id,
            defaults={"created_at": factories.LONG_AGO, "updated_at": factories.LONG_AGO},
        )  # fmt: skip
    return (world.near[Scope.SCHOOL] if place is world.near[Scope.SELF] else place).school.id


async def _enrolled(place: Place) -> AfterSchoolEnrolment:
    moments: dict[str, Any] = {"created_at": factories.LONG_AGO, "updated_at": factories.LONG_AGO}
    plan = await AfterSchoolPlan.create(
        township_id=place.township.id, school_id=place.school.id, term="2026-1", title="秋季",
        state=PlanState.PUBLISHED, first_day=factories.FIRST_DAY, last_day=factories.FIRST_DAY,
        opens_at=factories.LONG_AGO, closes_at=factories.LONG_AGO + timedelta(days=1), settle_by=SettleBy.ATTENDED,
        **moments,
    )  # fmt: skip
    pool = await AfterSchoolPool.create(plan_id=plan.id, title="名额", **moments)
    programme = await AfterSchoolProgramme.create(
        plan_id=plan.id, pool_id=pool.id, title="看护", lowest_grade=1, highest_grade=6, weekdays="12345",
        starts_at="15:30", ends_at="16:30", selection=Selection.FIRST_COME, fee_basis=FeeBasis.FREE,
        fee_payer=FeePayer.PUBLIC, **moments,
    )  # fmt: skip
    own = uuid4()
    row = await AfterSchoolEnrolment.create(
        id=own, plan_id=plan.id, programme_id=programme.id, pool_id=pool.id, pupil_id=place.pupil.id, party_id=own,
        state=EnrolmentState.ENROLLED, turn=1, source=Source.CHAT, active_key=f"{programme.id}:{place.pupil.id}",
        **moments,
    )  # fmt: skip
    await AfterSchoolEnrolmentEvent.create(
        enrolment_id=own, at=factories.LONG_AGO, to_state=EnrolmentState.ENROLLED, via=Source.CHAT, **moments
    )
    return row


async def _service_leave(world: World, place: Place, caller: Caller) -> object:
    row = await AfterSchoolLeave.create(
        pupil_id=place.pupil.id, first_day=factories.FIRST_DAY, last_day=factories.FIRST_DAY, via=Source.CHAT,
        asked_at=factories.LONG_AGO, created_at=factories.LONG_AGO, updated_at=factories.LONG_AGO,
    )  # fmt: skip
    return row.id


async def _picture(world: World, place: Place, caller: Caller) -> object:
    """Of the notice made last."""
    notice = await Notice.filter(class_id=place.school_class.id).order_by("-number").first()
    assert notice is not None
    return (await FileStore(FrozenClock(factories.LONG_AGO)).keep(album_of(notice.id), b"picture", "image/jpeg")).id


async def _enrolment(world: World, place: Place, caller: Caller) -> object:
    """A place that is kept for the child."""
    moments: dict[str, Any] = {"created_at": factories.LONG_AGO, "updated_at": factories.LONG_AGO}
    later = factories.LONG_AGO + timedelta(days=3650)
    plan = await AfterSchoolPlan.create(
        township_id=place.township.id,
        school_id=place.school.id,
        term="秋季学期",
        title="课后服务",
        first_day=factories.FIRST_DAY,
        last_day=later.date(),
        opens_at=factories.LONG_AGO,
        closes_at=later,
        state=PlanState.PUBLISHED,
        settle_by=SettleBy.HELD,
        **moments,
    )
    pool = await AfterSchoolPool.create(plan_id=plan.id, title="围棋", places=1, taken=1, next_turn=2, **moments)
    programme = await AfterSchoolProgramme.create(
        plan_id=plan.id,
        pool_id=pool.id,
        title="围棋",
        lowest_grade=1,
        highest_grade=9,
        weekdays="1",
        starts_at="16:00",
        ends_at="17:00",
        selection=Selection.FIRST_COME,
        fee_basis=FeeBasis.FREE,
        fee_payer=FeePayer.FAMILY,
        **moments,
    )
    own = uuid4()
    await AfterSchoolEnrolment.create(
        id=own,
        plan_id=plan.id,
        programme_id=programme.id,
        pool_id=pool.id,
        pupil_id=place.pupil.id,
        party_id=own,
        state=EnrolmentState.OFFERED,
        turn=1,
        position=1,
        offered_until=later,
        source=Source.MINIPROGRAM,
        active_key=f"{programme.id}:{place.pupil.id}",
        **moments,
    )
    return own


async def _waiver(world: World, place: Place, caller: Caller) -> object:
    """The one that the child's family has handed in."""
    known = await AfterSchoolWaiver.get_or_none(pupil_id=place.pupil.id)
    if known is not None:
        return known.id
    moments: dict[str, Any] = {"created_at": factories.LONG_AGO, "updated_at": factories.LONG_AGO}
    rule = await AfterSchoolWaiverCategory.create(
        township_id=place.township.id,
        code="03",
        percent=100,
        since=factories.FIRST_DAY,
        clause="县里的文件",
        **moments,
    )
    row = await AfterSchoolWaiver.create(
        township_id=place.township.id,
        school_id=place.school.id,
        pupil_id=place.pupil.id,
        category=str(rule.id),
        state=WaiverState.SUBMITTED,
        is_listed=True,
        terms=[],
        asked_by=place.guardian.id,
        submitted_at=factories.LONG_AGO,
        **moments,
    )
    return row.id


async def _evidence(world: World, place: Place, caller: Caller) -> object:
    case = await AfterSchoolWaiver.get(pupil_id=place.pupil.id)
    return (await FileStore(FrozenClock(factories.LONG_AGO)).keep(evidence_of(case.id), b"picture", "image/jpeg")).id


async def _waiver_list(world: World, place: Place, caller: Caller) -> object:
    row = await AfterSchoolWaiverList.create(
        township_id=place.township.id,
        code="03",
        since=factories.FIRST_DAY,
        until=factories.FIRST_DAY + timedelta(days=300),
        rows=1,
        known=0,
        digest="0" * 64,
        created_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
    )
    return row.id


async def _plan(world: World, place: Place, caller: Caller) -> object:
    """The same, not published yet."""
    own = await _tally_plan(world, place, caller)
    await AfterSchoolPlan.filter(id=own).update(state=PlanState.DRAFT)
    return own


async def _last_plan(world: World, place: Place) -> AfterSchoolPlan:
    place = _offering(world, place)
    plan = await AfterSchoolPlan.filter(school_id=place.school.id).order_by("-created_at").first()
    assert plan is not None
    return plan


async def _plan_programme(world: World, place: Place, caller: Caller) -> object:
    """Of the plan made last."""
    return (await AfterSchoolProgramme.get(plan_id=(await _last_plan(world, place)).id)).id


async def _plan_pool(world: World, place: Place, caller: Caller) -> object:
    """Of the plan made last."""
    return (await AfterSchoolPool.get(plan_id=(await _last_plan(world, place)).id)).id


async def _slip(world: World, place: Place, caller: Caller) -> object:
    """Of the child, in the letter of its own school."""
    own = await _enrolment(world, place, caller)
    plan = (await AfterSchoolEnrolment.get(id=own)).plan_id
    moments: dict[str, Any] = {"created_at": factories.LONG_AGO, "updated_at": factories.LONG_AGO}
    await AfterSchoolSlip.create(plan_id=plan, pupil_id=place.pupil.id, code=(code := new_code()), **moments)
    return code


async def _check_room(world: World, place: Place, caller: Caller) -> object:
    """The class of the child, which is asked for in it."""
    await _check_round(place)
    return place.school_class.id


async def _check_round(place: Place) -> TermCheckRound:
    moments: dict[str, Any] = {"created_at": factories.LONG_AGO, "updated_at": factories.LONG_AGO}
    row, _ = await TermCheckRound.get_or_create(
        school_id=place.school.id,
        term="2026-autumn",
        defaults={
            "township_id": place.township.id,
            "school_year": 2026,
            "name": "上学期",
            "first_day": factories.FIRST_DAY,
            "last_day": factories.FIRST_DAY + timedelta(days=120),
            "list_day": factories.FIRST_DAY - timedelta(days=60),
            **moments,
        },
    )
    await TermCheckListed.get_or_create(
        round_id=row.id,
        pupil_id=place.pupil.id,
        defaults={"class_id": place.school_class.id, "grade": place.school_class.grade, **moments},
    )
    return row


async def _check_case(world: World, place: Place, caller: Caller) -> object:
    """Of the child, which did not come."""
    known = await TermCheckAbsence.get_or_none(pupil_id=place.pupil.id)
    if known is not None:
        return known.id
    of = await _check_round(place)
    row = await TermCheckAbsence.create(
        round_id=of.id,
        township_id=place.township.id,
        school_id=place.school.id,
        class_id=place.school_class.id,
        pupil_id=place.pupil.id,
        state=CaseState.ABSENT,
        opened_on=factories.FIRST_DAY,
        stage=CaseStage.CLASS,
        active_key=str(place.pupil.id),
        created_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
    )
    return row.id


async def _check_proof(world: World, place: Place, caller: Caller) -> object:
    case = await TermCheckAbsence.get(pupil_id=place.pupil.id)
    return (await FileStore(FrozenClock(factories.LONG_AGO)).keep(proofs_of(case.id), b"picture", "image/jpeg")).id


def _beyond(world: World, place: Place, caller: Caller) -> Place:
    """Whoever answers for a class or a school looks at more than the children paired with them: what is out of reach
    for them begins behind it."""
    if place is world.near[Scope.SELF] and caller.role is Role.HEAD_TEACHER:
        return world.near[Scope.CLASS]
    if place is world.near[Scope.SELF] and caller.role is Role.PROTECTION_LEAD:
        return world.near[Scope.SCHOOL]
    return place


async def _care_file(world: World, place: Place, caller: Caller) -> object:
    """The open file of the child, paired at home with the caller, elsewhere with its teacher."""
    moments: dict[str, Any] = {"created_at": factories.LONG_AGO, "updated_at": factories.LONG_AGO}
    pupil, by = place.pupil.id, place.teacher.id
    person = caller.person.id if place is world.home and caller.person else by
    key = file_key(pupil, Group.LEARNING)
    known = await ContactsFile.get_or_none(active_key=key)
    if not await ContactsPair.filter(active_key=pair_key(pupil, person)).exists():
        await ContactsPair.create(
            pupil_id=pupil, person_id=person, since=factories.FIRST_DAY, begun_by=by,
            active_key=pair_key(pupil, person), **moments,
        )  # fmt: skip
    if known is not None:
        return known.id
    await ContactsDue.create(pupil_id=pupil, school_id=place.school.id, stage=Stage.NONE, **moments)
    review_on = factories.FIRST_DAY + timedelta(days=300)
    await ContactsLevel.create(
        pupil_id=pupil, level=Level.GREEN, reason="平常", set_by=by, set_at=factories.LONG_AGO, review_on=review_on,
        **moments,
    )  # fmt: skip
    row = await ContactsFile.create(
        pupil_id=pupil, school_id=place.school.id, township_id=place.township.id, care_group=Group.LEARNING.value,
        reason=Reason.OTHER.value, since=factories.FIRST_DAY, decided_by=by, decided_at=factories.LONG_AGO,
        review_on=review_on, active_key=key, **moments,
    )  # fmt: skip
    return row.id


async def _care_child(world: World, place: Place, caller: Caller) -> object:
    """A child on the register, whose carer was looked at with a paper."""
    place = _beyond(world, place, caller)
    await _care_file(world, place, caller)
    if not await ContactsCheck.filter(pupil_id=place.pupil.id).exists():
        own = uuid4()
        kept = await FileStore(FrozenClock(factories.LONG_AGO)).keep(Owner(PAPER, str(own)), b"paper", "image/jpeg")
        await ContactsCheck.create(
            id=own, pupil_id=place.pupil.id, age_ok="yes", health_ok="yes", no_barred_ground="yes", file_id=kept.id,
            written_on=factories.FIRST_DAY, checked_by=place.teacher.id, checked_on=factories.FIRST_DAY,
            created_at=factories.LONG_AGO, updated_at=factories.LONG_AGO,
        )  # fmt: skip
    return place.pupil.id


async def _care_pair(world: World, place: Place, caller: Caller) -> object:
    """The caller's at home."""
    await _care_file(world, place, caller)
    person = caller.person.id if place is world.home and caller.person else place.teacher.id
    return (await ContactsPair.get(active_key=pair_key(place.pupil.id, person))).id


async def _care_fact(world: World, place: Place, caller: Caller) -> object:
    """A phone number on the card."""
    place = _beyond(world, place, caller)
    await _care_file(world, place, caller)
    row = await ContactsFact.create(
        pupil_id=place.pupil.id, holder=Holder.CARER, kind=FactKind.PHONE, value="19900001111",
        stated_on=factories.FIRST_DAY, source=FactSource.CARER, entered_at=factories.LONG_AGO,
        created_at=factories.LONG_AGO, updated_at=factories.LONG_AGO,
    )  # fmt: skip
    return row.id


async def _keeper(world: World, place: Place, caller: Caller) -> UUID:
    """Who keeps contact with the child of a place: at home the caller, elsewhere its teacher."""
    await _care_file(world, place, caller)
    return caller.person.id if place is world.home and caller.person else place.teacher.id


async def _own_ward(world: World, place: Place, caller: Caller) -> object:
    await _keeper(world, place, caller)
    return place.pupil.id


async def _contact_record(world: World, place: Place, caller: Caller) -> object:
    row = await ContactsRecord.create(
        pupil_id=place.pupil.id, school_id=place.school.id, author_id=await _keeper(world, place, caller),
        client_key=uuid4().hex, happened_on=factories.FIRST_DAY, entered_at=factories.LONG_AGO, way=Way.VISIT,
        met=["carer"], outcome=ContactOutcome.REACHED, topics=[], follow_up="再去一次",
        follow_up_on=factories.FIRST_DAY + timedelta(days=7), created_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
    )  # fmt: skip
    files, owner = FileStore(FrozenClock(factories.LONG_AGO)), Owner(FILES, str(row.id))
    photo, voice = await files.keep(owner, b"picture", "image/jpeg"), await files.keep(owner, b"voice", "audio/amr")
    await ContactsRecord.filter(id=row.id).update(photo_id=UUID(photo.id), voice_id=UUID(voice.id))
    return row.id


async def _booked_call(world: World, place: Place, caller: Caller) -> object:
    row = await ContactsCall.create(
        pupil_id=place.pupil.id, school_id=place.school.id, teacher_id=await _keeper(world, place, caller),
        guardian_id=uuid4(), at=factories.LONG_AGO, state=CallState.AGREED, created_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
    )  # fmt: skip
    return row.id


async def _contact_refresh(world: World, place: Place, caller: Caller) -> object:
    row = await ContactsRefresh.create(
        township_id=place.township.id, school_id=place.school.id, begun_on=factories.FIRST_DAY,
        ends_on=factories.FIRST_DAY + timedelta(days=60), older_than=90,
        created_at=factories.LONG_AGO, updated_at=factories.LONG_AGO,
    )  # fmt: skip
    return row.id


async def _contact_report(world: World, place: Place, caller: Caller) -> object:
    # At home the caller opened it.
    row = await ContactsReport.create(
        pupil_id=place.pupil.id, school_id=place.school.id, township_id=place.township.id, triggers='["violence"]',
        opened_by=await _keeper(world, place, caller), opened_at=factories.LONG_AGO, state=ReportState.OPEN,
        created_at=factories.LONG_AGO, updated_at=factories.LONG_AGO,
    )  # fmt: skip
    return row.id


async def _glass(world: World, place: Place, caller: Caller) -> object:
    """One that is open: at home the caller's, elsewhere its teacher's."""
    return (await _glass_of(place, await _keeper(world, place, caller))).id


async def _opened_glass(world: World, place: Place, caller: Caller) -> object:
    """One somebody else opened, for whoever watches."""
    return (await _glass_of(place, place.teacher.id)).id


async def _glass_of(place: Place, person: UUID) -> ContactsGlass:
    return await ContactsGlass.create(
        person_id=person, pupil_id=place.pupil.id, school_id=place.school.id, ground=Ground.DANGER, reason="孩子找不到",
        at=factories.LONG_AGO, until=_FAR_AHEAD, created_at=factories.LONG_AGO, updated_at=factories.LONG_AGO,
    )  # fmt: skip


async def _photo_seen(world: World, place: Place, caller: Caller) -> object:
    own = await _contact_record(world, place, caller)
    return (await ContactsRecord.get(id=own)).photo_id


async def _export(world: World, place: Place, caller: Caller) -> object:
    """A file that was made: at home the caller's, elsewhere its teacher's."""
    own = uuid4()
    kept = await FileStore(FrozenClock(factories.LONG_AGO)).keep(Owner(FILE, str(own)), b"tables", "x/y")
    person = await _keeper(world, place, caller)
    await _export_of(place, person, id=own, state=ExportState.MADE, file_id=kept.id, expires_at=_FAR_AHEAD)
    return own


async def _waiting_export(world: World, place: Place, caller: Caller) -> object:
    """One somebody else asks for, for whoever releases it."""
    return (await _export_of(place, place.teacher.id, state=ExportState.WAITING, expires_at=_FAR_AHEAD)).id


async def _export_of(place: Place, person: UUID, **values: Any) -> ContactsExport:
    return await ContactsExport.create(
        person_id=person, school_id=place.school.id, taken_for=TakenFor.INSPECTION, purpose="县局检查", digest="",
        created_at=factories.LONG_AGO, updated_at=factories.LONG_AGO, **values,
    )  # fmt: skip


async def _print(world: World, place: Place, caller: Caller) -> object:
    """A child's file that is open to be printed: at home the caller's, elsewhere its teacher's."""
    row = await ContactsPrint.create(
        person_id=await _keeper(world, place, caller), pupil_id=place.pupil.id, school_id=place.school.id,
        taken_for=TakenFor.INSPECTION, purpose="县局检查", at=factories.LONG_AGO, until=_FAR_AHEAD,
        created_at=factories.LONG_AGO, updated_at=factories.LONG_AGO,
    )  # fmt: skip
    return row.id


# By the part of the path before the id, and the name of the id.
OBJECTS: Final[Mapping[str, Maker]] = {
    "children/{id}": _pupil,
    "bindings/{child_id}": _pupil,
    "pupils/{pupil}": _pupil,
    "classes/{class_id}": _class,
    "consents/{class}": _class,
    "schools/{school}": _school,
    "townships/{township}": _township,
    "staff/{person}": _teacher,
    "people/{person}": _guardian,
    "guardians/{person}": _guardian,
    "bindings/{request}": _request,
    "sessions/{session_id}": _session,
    "rosters/{import_id}": _import,
    "notices/{id}": _notice,
    "notices/{notice}": _notice,
    "pictures/{picture}": _picture,
    "children/{child}": _pupil,
    "tally/{plan}": _tally_plan,
    "lists/{list}": _tally_list,
    "deliveries/{delivery}": _delivery,
    "handlist/{line}": _call,
    "alarms/{alarm}": _alarm,
    "duties/{task}": _duty_task,
    "duty-rules/{rule}": _duty_rule,
    "enrolments/{id}": _enrolment,
    "waivers/{id}": _waiver,
    "waivers/{waiver}": _waiver,
    "evidence/{file}": _evidence,
    "waiver-lists/{list}": _waiver_list,
    "plans/{plan}": _plan,
    "letters/{plan}": _tally_plan,
    "slips/{code}": _slip,
    "programmes/{programme}": _plan_programme,
    "pools/{pool}": _plan_pool,
    "reminders/{reminder_id}": _class_reminder,
    "reminders/{id}": _own_reminder,
    "rosters/{programme}": _course,
    "leaves/{id}": _service_leave,
    "months/{plan}": _service_plan,
    "bills/{plan}": _service_plan,
    "schools/{duty_school}": _duty_school,
    "appraisal/{plan}": _service_plan,
    "polls/{plan_id}": _service_plan,
    "rooms/{room}": _check_room,
    "cases/{case}": _check_case,
    "proofs/{proof}": _check_proof,
    "register/{child}": _care_child,
    "files/{care_file}": _care_file,
    "pairs/{pair}": _care_pair,
    "cards/{ward}": _care_child,
    "facts/{fact}": _care_fact,
    "own/{ward}": _own_ward,
    "records/{record}": _contact_record,
    "reports/{report}": _contact_report,
    "glass/{glass}": _glass,
    "pictures/{seen_file}": _photo_seen,
    "glasses/{opened}": _opened_glass,
    "exports/{export}": _export,
    "releases/{release}": _waiting_export,
    "kept/{kept}": _care_child,
    "prints/{print}": _print,
    "refreshing/{campaign}": _contact_refresh,
    "families/{ward}": _own_ward,
    "sealed/{record}": _contact_record,
    "calls/{call}": _booked_call,
}

# What is sent along to a route that names a thing and takes more: enough to get as far as the thing.
BODIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "POST /api/v1/children/{id}/consent": {"decision": "withdrawn"},
    "POST /api/v1/children/{id}/erasure": {"confirm": True},
    "POST /api/v1/notices/{id}/confirmation": {},
    "POST /api/v1/after-school/polls/{plan_id}/answers": {"answers": {}},
    "POST /api/v1/after-school/waivers/{id}/evidence": {"picture": "AAAA"},
    "POST /api/v1/after-school/waivers/{id}/submission": {},
    "POST /api/v1/after-school/waivers/{id}/withdrawal": {},
    "POST /api/v1/after-school/waivers/{id}/appeal": {"reason": "名单漏了我家"},
}


Form = Callable[[World, Place | None], Awaitable[Mapping[str, str]]]
"""The fields of a form about a thing at a place; without a place, about what nothing is."""


async def _nothing(world: World, place: Place | None) -> Mapping[str, str]:
    return {}


async def _contact_key(world: World, place: Place | None) -> Mapping[str, str]:
    return {"key": uuid4().hex}


async def _first_version(world: World, place: Place | None) -> Mapping[str, str]:
    return {"version": "1", "why": "请写清几点"}


async def _move(world: World, place: Place | None) -> Mapping[str, str]:
    # Always the same class, within reach: only the pupil differs.
    return {"class": str(world.near[Scope.CLASS].school_class.id)}


async def _pupil_field(world: World, place: Place | None) -> Mapping[str, str]:
    return {"kind": "pupil", "id": str(place.pupil.id if place else uuid4()), "field": "birth_date"}


async def _charge(world: World, place: Place | None) -> Mapping[str, str]:
    held = await Appointment.get(person_id=place.teacher.id) if place else None
    return {"id": str(held.id if held else uuid4())}


async def _bar(world: World, place: Place | None) -> Mapping[str, str]:
    return {"name": "某外人", "reason": "文书第1号", "sure": "yes"}


async def _term(place: Place | None, *, of_school: bool) -> Mapping[str, str]:
    if place is None:
        return {"id": str(uuid4())}
    row = await SchoolTerm.create(
        township_id=place.township.id,
        school_id=place.school.id if of_school else None,
        name="秋季学期",
        first_day=factories.FIRST_DAY,
        last_day=factories.FIRST_DAY + timedelta(days=140),
        created_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
    )
    return {"id": str(row.id)}


async def _days(place: Place | None, *, of_school: bool) -> Mapping[str, str]:
    if place is None:
        return {"id": str(uuid4())}
    row = await LocalDays.create(
        township_id=place.township.id,
        school_id=place.school.id if of_school else None,
        kind=LocalKind.MARKET,
        effect=Effect.OFF,
        name="赶集",
        first_day=factories.FIRST_DAY,
        last_day=factories.FIRST_DAY,
        created_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
    )
    return {"id": str(row.id)}


async def _school_term(world: World, place: Place | None) -> Mapping[str, str]:
    return await _term(place, of_school=True)


async def _town_term(world: World, place: Place | None) -> Mapping[str, str]:
    return await _term(place, of_school=False)


async def _school_days(world: World, place: Place | None) -> Mapping[str, str]:
    return await _days(place, of_school=True)


async def _town_days(world: World, place: Place | None) -> Mapping[str, str]:
    return await _days(place, of_school=False)


async def _set_bar(world: World, place: Place | None) -> Mapping[str, str]:
    if place is None:
        return {"id": str(uuid4())}
    row = await Bar.create(
        pupil_id=place.pupil.id,
        name_index=name_index("某外人"),
        reason="文书第1号",
        since=factories.FIRST_DAY,
        created_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
    )
    return {"id": str(row.id)}


async def _child(world: World, place: Place | None) -> Mapping[str, str]:
    return {"child": str(place.pupil.id if place else uuid4())}


async def _some_slot(world: World, place: Place | None) -> Mapping[str, str]:
    if place is None:
        return {"slot": str(uuid4())}
    row = await AfterSchoolDutySlot.create(
        school_id=place.school.id, day=factories.FIRST_DAY, role=DutyRole.TEACHER, person_id=uuid4(),
        created_at=factories.LONG_AGO, updated_at=factories.LONG_AGO,
    )  # fmt: skip
    return {"slot": str(row.id)}


async def _some_incident(world: World, place: Place | None) -> Mapping[str, str]:
    if place is None:
        return {"incident": str(uuid4())}
    row = await AfterSchoolIncident.create(
        school_id=place.school.id, day=factories.FIRST_DAY, text="灯坏了一盏", reported_at=factories.LONG_AGO,
        created_at=factories.LONG_AGO, updated_at=factories.LONG_AGO,
    )  # fmt: skip
    return {"incident": str(row.id)}


async def _some_enrolment(world: World, place: Place | None) -> Mapping[str, str]:
    """Of the place, whatever the plan in the address."""
    return {"enrolment": str((await _enrolled(place)).id if place else uuid4())}


async def _verdict(world: World, place: Place | None) -> Mapping[str, str]:
    return {"verdict": "arrived"}


async def _way(world: World, place: Place | None) -> Mapping[str, str]:
    return {"way": "phone"}


async def _guardian_called(world: World, place: Place | None) -> Mapping[str, str]:
    return {"person": str(place.guardian.id if place else uuid4())}


async def _own_version(world: World, place: Place | None) -> Mapping[str, str]:
    return {"version": "1", "grade": "3"}


async def _day_off(world: World, place: Place | None) -> Mapping[str, str]:
    if place is None:
        return {"day": str(uuid4()), "version": "1"}
    plan = await _last_plan(world, place)
    row = await AfterSchoolDayOff.create(
        plan_id=plan.id,
        day=factories.FIRST_DAY,
        reason="运动会",
        created_at=factories.LONG_AGO,
        updated_at=factories.LONG_AGO,
    )
    return {"day": str(row.id), "version": "1"}


FORMS: Final[Mapping[str, Form]] = {
    "POST /admin/after-school/tally/{plan}/classes/{class_id}/reveal": _guardian_called,
    "POST /admin/after-school/tally/{plan}/classes/{class_id}/remind": _nothing,
    "POST /admin/after-school/tally/{plan}/classes/{class_id}/close": _nothing,
    "POST /admin/after-school/tally/{plan}/classes/{class_id}/reopen": _nothing,
    "POST /admin/after-school/tally/{plan}/children/{child}": _nothing,
    "POST /admin/after-school/tally/{plan}/children/{child}/take-back": _nothing,
    "POST /admin/after-school/tally/{plan}/children/{child}/sign-up": _nothing,
    "POST /admin/after-school/tally/{plan}/lists": _nothing,
    "POST /admin/after-school/tally/{plan}/lists/{list}/apply": _nothing,
    "POST /admin/after-school/tally/{plan}/lists/{list}/discard": _nothing,
    "POST /admin/after-school/tally/{plan}/lists/{list}/undo": _nothing,
    "POST /admin/contacts/own/{ward}/record": _nothing,
    "POST /admin/contacts/own/{ward}/draft": _nothing,
    "POST /admin/contacts/own/{ward}/drop": _nothing,
    "POST /admin/contacts/own/{ward}/rang": _guardian_called,
    "POST /admin/contacts/own/{ward}/missed": _contact_key,
    "POST /admin/contacts/own/{ward}/report": _nothing,
    "POST /admin/contacts/records/{record}/correct": _nothing,
    "POST /admin/contacts/records/{record}/done": _nothing,
    "POST /admin/contacts/reports/{report}/called": _nothing,
    "POST /admin/contacts/reports/{report}/close": _nothing,
    "POST /admin/waivers/{waiver}/check": _nothing,
    "POST /admin/waivers/{waiver}/return": _nothing,
    "POST /admin/waivers/{waiver}/decide": _nothing,
    "POST /admin/waivers/{waiver}/refunded": _nothing,
    "POST /admin/children/{child}/waiver": _nothing,
    "POST /admin/waiver-lists/{list}/undo": _nothing,
    "POST /admin/term-check/rooms/{room}": _nothing,
    "POST /admin/term-check/cases/{case}/steps": _nothing,
    "POST /admin/term-check/cases/{case}/where": _nothing,
    "POST /admin/term-check/cases/{case}/end": _nothing,
    "POST /admin/term-check/cases/{case}/reopen": _nothing,
    "POST /admin/contacts/register/{child}/enter": _nothing,
    "POST /admin/contacts/register/{child}/level": _nothing,
    "POST /admin/contacts/register/{child}/pair": _nothing,
    "POST /admin/contacts/register/{child}/fitness": _nothing,
    "POST /admin/contacts/files/{care_file}/review": _nothing,
    "POST /admin/contacts/files/{care_file}/end": _nothing,
    "POST /admin/contacts/glass/children/{child}": _nothing,
    "POST /admin/contacts/glasses/{opened}/seen": _nothing,
    "POST /admin/contacts/exports/{export}/make": _nothing,
    "POST /admin/contacts/releases/{release}": _nothing,
    "POST /admin/contacts/kept/{kept}/print": _nothing,
    "POST /admin/contacts/pairs/{pair}/end": _nothing,
    "POST /admin/contacts/pairs/{pair}/hand-over": _nothing,
    "POST /admin/contacts/pairs/{pair}/receive": _nothing,
    "POST /admin/contacts/cards/{ward}/state": _nothing,
    "POST /admin/contacts/facts/{fact}/confirm": _nothing,
    "POST /admin/contacts/facts/{fact}/answered": _nothing,
    "POST /admin/contacts/facts/{fact}/missed": _nothing,
    "POST /admin/contacts/refreshing/{campaign}/end": _nothing,
    "POST /admin/contacts/families/{ward}/wish": _nothing,
    "POST /admin/contacts/families/{ward}/call": _nothing,
    "POST /admin/contacts/own/{ward}/heard": _nothing,
    "POST /admin/contacts/calls/{call}/agree": _nothing,
    "POST /admin/contacts/calls/{call}/move": _nothing,
    "POST /admin/contacts/calls/{call}/cancel": _nothing,
    "POST /admin/contacts/calls/{call}/missed": _nothing,
    "POST /admin/contacts/calls/{call}/took-place": _nothing,
    "POST /admin/deliveries/{delivery}/decide": _verdict,
    "POST /admin/handlist/{line}/tick": _way,
    "POST /admin/handlist/{line}/reveal": _guardian_called,
    "POST /admin/reminders/{reminder_id}/cancel": _nothing,
    "POST /admin/rosters/{import_id}/check": _nothing,
    "POST /admin/rosters/{import_id}/apply": _nothing,
    "POST /admin/rosters/{import_id}/discard": _nothing,
    "POST /admin/rosters/{import_id}/undo": _nothing,
    "POST /admin/notices/{notice}/edit": _nothing,
    "POST /admin/notices/{notice}/correct": _nothing,
    "POST /admin/notices/{notice}/discard": _nothing,
    "POST /admin/notices/{notice}/pictures": _nothing,
    "POST /admin/notices/{notice}/pictures/{picture}/remove": _nothing,
    "POST /admin/notices/{notice}/tick": _nothing,
    "POST /admin/notices/{notice}/untick": _nothing,
    "POST /admin/handlist/{line}/untick": _nothing,
    "POST /admin/notices/{notice}/remind": _nothing,
    "POST /admin/notices/{notice}/reach": _nothing,
    "POST /admin/notices/{notice}/submit": _first_version,
    "POST /admin/notices/{notice}/approve": _first_version,
    "POST /admin/notices/{notice}/reject": _first_version,
    "POST /admin/notices/{notice}/take-back": _nothing,
    "POST /admin/notices/{notice}/recall": _nothing,
    "POST /admin/notices/{notice}/close": _nothing,
    "POST /admin/notices/{notice}/children/{child}": _nothing,
    "POST /admin/pupils/{pupil}/move": _move,
    "POST /admin/pupils/{pupil}/reveal": _pupil_field,
    "POST /admin/staff/{person}/reveal": _nothing,
    "POST /admin/staff/{person}/end": _charge,
    "POST /admin/staff/{person}/invite": _nothing,
    "POST /admin/classes/{class_id}/handover": _nothing,
    "POST /admin/classes/{class_id}/invitations": _nothing,
    "POST /admin/pupils/{pupil}/bars": _bar,
    "POST /admin/pupils/{pupil}/bars/lift": _set_bar,
    "POST /admin/consents/{class}/paper": _child,
    "POST /admin/schools/{school}": _nothing,
    "POST /admin/schools/{school}/close": _nothing,
    "POST /admin/townships/{township}": _nothing,
    "POST /admin/classes/{class_id}/edit": _nothing,
    "POST /admin/classes/{class_id}/close": _nothing,
    "POST /admin/pupils/{pupil}/edit": _nothing,
    "POST /admin/pupils/{pupil}/leave": _nothing,
    "POST /admin/pupils/{pupil}/guardians": _nothing,
    "POST /admin/pupils/{pupil}/guardians/{person}/end": _nothing,
    "POST /admin/pupils/{pupil}/guardians/{person}/acting": _nothing,
    "POST /admin/people/{person}/edit": _nothing,
    "POST /admin/alarms/{alarm}/acknowledge": _nothing,
    "POST /admin/alarms/{alarm}/close": _nothing,
    "POST /admin/duties/{task}": _nothing,
    "POST /admin/duty-rules/{rule}": _nothing,
    "POST /admin/duty-rules/{rule}/stop": _nothing,
    "POST /admin/after-school/duty/schools/{duty_school}/put": _nothing,
    "POST /admin/after-school/duty/schools/{duty_school}/remove": _some_slot,
    "POST /admin/after-school/duty/schools/{duty_school}/check": _nothing,
    "POST /admin/after-school/duty/schools/{duty_school}/report": _nothing,
    "POST /admin/after-school/duty/schools/{duty_school}/close": _some_incident,
    "POST /admin/after-school/appraisal/{plan}/poll": _nothing,
    "POST /admin/after-school/months/{plan}/object": _nothing,
    "POST /admin/after-school/months/{plan}/show": _nothing,
    "POST /admin/after-school/months/{plan}/answer": _nothing,
    "POST /admin/after-school/months/{plan}/file": _nothing,
    "POST /admin/after-school/bills/{plan}/settle": _nothing,
    "POST /admin/after-school/bills/{plan}/pay": _nothing,
    "POST /admin/after-school/bills/{plan}/refund": _some_enrolment,
    "POST /admin/after-school/rosters/{programme}": _nothing,
    "POST /admin/after-school/rosters/{programme}/call-off": _nothing,
    "POST /admin/after-school/rosters/{programme}/leave": _nothing,
    "POST /admin/after-school/plans/{plan}/edit": _nothing,
    "POST /admin/after-school/plans/{plan}/discard": _nothing,
    "POST /admin/after-school/plans/{plan}/publish": _first_version,
    "POST /admin/after-school/plans/{plan}/close": _nothing,
    "POST /admin/after-school/plans/{plan}/draw": _nothing,
    "POST /admin/after-school/plans/{plan}/programmes/new": _nothing,
    "POST /admin/after-school/plans/{plan}/programmes/{programme}": _nothing,
    "POST /admin/after-school/plans/{plan}/programmes/{programme}/remove": _first_version,
    "POST /admin/after-school/plans/{plan}/pools/{pool}": _nothing,
    "POST /admin/after-school/plans/{plan}/windows": _nothing,
    "POST /admin/after-school/plans/{plan}/windows/remove": _own_version,
    "POST /admin/after-school/plans/{plan}/days-off": _nothing,
    "POST /admin/after-school/plans/{plan}/days-off/remove": _day_off,
    "POST /admin/after-school/plans/{plan}/days-off/notice": _nothing,
    "POST /admin/after-school/townships/{township}/caps": _nothing,
    "POST /admin/after-school/letters/{plan}/classes/{class_id}": _nothing,
    "POST /admin/calendar/schools/{school}/terms": _nothing,
    "POST /admin/calendar/schools/{school}/terms/remove": _school_term,
    "POST /admin/calendar/schools/{school}/days": _nothing,
    "POST /admin/calendar/schools/{school}/days/remove": _school_days,
    "POST /admin/calendar/schools/{school}/week": _nothing,
    "POST /admin/calendar/townships/{township}/terms": _nothing,
    "POST /admin/calendar/townships/{township}/terms/remove": _town_term,
    "POST /admin/calendar/townships/{township}/days": _nothing,
    "POST /admin/calendar/townships/{township}/days/remove": _town_days,
    "POST /admin/calendar/townships/{township}/week": _nothing,
    "POST /admin/calendar/townships/{township}/year": _nothing,
}

# Routes whose own work needs somebody outside, who is not there in this test.
NEEDS_WECHAT: Final = frozenset({"POST /admin/login/scan", "POST /api/v1/session", "POST /api/v1/bindings/phone"})
