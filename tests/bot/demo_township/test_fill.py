"""The township in the database: who comes in by a predictable id, and what they find."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest

from bot.audit.log import Audit
from bot.audit.models import AuditRow
from bot.clock import FrozenClock
from bot.config import Settings
from bot.demo_township.build import plan_township
from bot.demo_township.fill import HoldsPeople, fill
from bot.demo_township.plan import Case, TownshipPlan
from bot.demo_township.staging import FAMILIES, entrance_of, hints_of, stage
from bot.identity import Hat, Role
from bot.storage.base import blind_index
from bot.storage.database import Database, open_database
from bot.storage.files import FileStore
from handlers.accounts.domain import (
    PRIVACY_VERSION,
    Account,
    BindingState,
    PlacementReason,
    PupilStatus,
    school_year_of,
)
from handlers.accounts.models import (
    Bar,
    BindingRequest,
    Guardianship,
    Invitation,
    Person,
    Placement,
    Pupil,
    School,
    SchoolClass,
    Township,
    WeChatIdentity,
)
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.child_records import Custody
from handlers.accounts.service.identity import AccountsIdentity
from handlers.accounts.service.marks import FamilyMarks
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.places import PlaceService
from handlers.after_school.domain.statements import Source
from handlers.after_school.domain.states import EnrolmentState
from handlers.after_school.models import AfterSchoolProgramme
from handlers.after_school.service.showing import ShowingService
from handlers.after_school.service.sign_up import SignUp, SignUpService, Wanted
from handlers.after_school.service.waivers.asking import WaiverAsking
from handlers.after_school.service.waivers.listing import Listing
from handlers.calendar.service.calendars import CalendarService
from handlers.consent.domain.decisions import Decided, Standing, standing_of
from handlers.consent.models import ConsentEvent
from handlers.consent.service.consents import ConsentService
from handlers.consent.service.notice import notice_of
from handlers.console.models import Credential
from tests import factories

TODAY = date(2026, 9, 1)
FAMILIES_HERE = 12


@pytest.fixture
def plan() -> TownshipPlan:
    return plan_township(TODAY, families=FAMILIES_HERE)


@pytest.fixture
async def filled(database: Database, settings: Settings, plan: TownshipPlan) -> TownshipPlan:
    await fill(plan, settings)
    return plan


@pytest.fixture
def identity(clock: FrozenClock) -> AccountsIdentity:
    """At eight in the morning of the day the township is filled for."""
    return AccountsIdentity(clock)


async def test_everything_planned_is_there_once(filled: TownshipPlan) -> None:
    assert (await Township.get()).name == filled.name
    assert await School.all().count() == 8
    assert await SchoolClass.all().count() == len(filled.classes)
    assert await Person.all().count() == len(filled.persons)
    assert await Pupil.filter(status=PupilStatus.ENROLLED).count() == len(filled.pupils)
    assert await Guardianship.all().count() == len(filled.ties)
    point = await School.get(kind="teaching_point")
    assert point.parent_id == (await School.get(name=filled.schools[0].name)).id


async def test_every_guardian_comes_in_at_both_accounts_and_sees_their_children(
    filled: TownshipPlan, identity: AccountsIdentity
) -> None:
    for number in range(1, FAMILIES_HERE + 1):
        planned = sorted(child.name for child in filled.children(f"g/{number:06d}"))
        for prefix in ("", "mp_"):
            actor = await identity.actor_of(blind_index("openid", f"{prefix}demo_g_{number:06d}"))
            (grant,) = actor.grants
            names = await Pupil.filter(id__in=list(grant.children)).values_list("name", flat=True)
            assert (set(actor.roles), actor.has_agreed) == ({Role.GUARDIAN}, True)
            assert sorted(map(str, names)) == planned


async def test_an_id_and_its_twin_share_the_unionid_the_emulator_gives(filled: TownshipPlan) -> None:
    for openid in ("demo_g_000001", "demo_t_0001"):
        rows = await WeChatIdentity.filter(unionid_index=blind_index("unionid", f"u{openid}"))
        assert {(row.account, row.openid) for row in rows} == {
            (Account.SERVICE, openid),
            (Account.MINI_PROGRAM, f"mp_{openid}"),
        }
        assert len({row.person_id for row in rows}) == 1
        assert all(row.privacy_version == PRIVACY_VERSION for row in rows)


async def test_staff_have_their_part_from_the_first_day_on(filled: TownshipPlan, identity: AccountsIdentity) -> None:
    wanted = {
        "demo_t_0001": Role.TEACHER,
        "demo_h_0001": Role.HEAD_TEACHER,
        "demo_a_0001": Role.ADMINISTRATOR,
        "demo_s_0001": Role.SCHOOL_LEADER,
        "demo_p_0001": Role.PROTECTION_LEAD,
        "demo_d_0001": Role.DUTY,
        "demo_e_0001": Role.EDITOR,
        "demo_r_0001": Role.REVIEWER,
    }
    found = {openid: (await identity.actor_of(blind_index("openid", openid))).roles for openid in wanted}
    assert found == {openid: {role} for openid, role in wanted.items()}


async def test_consent_stands_for_every_child_of_a_numbered_guardian(
    filled: TownshipPlan, settings: Settings, clock: FrozenClock
) -> None:
    version = notice_of(settings.support).version
    openids = [blind_index("openid", f"demo_g_{number:06d}") for number in range(1, FAMILIES_HERE + 1)]
    people = await WeChatIdentity.filter(openid_index__in=openids).values_list("person_id", flat=True)
    ties = await Guardianship.filter(person_id__in=list(people))
    custody = await Custody(clock).of([str(tie.pupil_id) for tie in ties])
    for tie in ties:
        rows = await ConsentEvent.filter(pupil_id=tie.pupil_id)
        decided = [
            Decided(str(row.person_id), row.decision, row.notice_version, row.created_at, frozenset(row.items))
            for row in rows
        ]
        assert standing_of(decided, custody[str(tie.pupil_id)], version) is Standing.GIVEN
        assert all(row.items for row in rows)


async def test_a_child_who_changed_schools_has_been_in_both(filled: TownshipPlan) -> None:
    (child,) = filled.case(Case.CHANGED_SCHOOLS)
    pupil = await Pupil.get(roster_number_index=blind_index("roster_number", child.roster_number))
    before, now = await Placement.filter(pupil_id=pupil.id).order_by("since")
    assert (before.until, now.since, now.until) == (date(2026, 8, 31), TODAY, None)
    assert now.reason is PlacementReason.TRANSFERRED
    assert now.school_class_id == pupil.school_class_id


async def test_what_is_under_way_is_there(filled: TownshipPlan, clock: FrozenClock) -> None:
    (invitation,) = await Invitation.all()
    assert invitation.expires_at < clock.now()
    (request,) = await BindingRequest.all()
    assert request.state is BindingState.PENDING
    assert request.pupil_id is not None
    (bar,) = await Bar.all()
    assert bar.since == TODAY
    assert not await Guardianship.filter(person_id=bar.person_id, bound_at__not_isnull=True).exists()


async def test_odd_people_are_who_they_are(filled: TownshipPlan, identity: AccountsIdentity) -> None:
    actor = await identity.actor_of(blind_index("openid", "demo_x_0008"))
    assert (set(actor.roles), actor.hat) == ({Role.TEACHER}, Hat.STAFF)
    assert actor.hats == {Hat.GUARDIAN, Hat.STAFF}
    actor = await identity.actor_of(blind_index("openid", filled.pleas[0].openid))
    assert (set(actor.roles), actor.has_agreed) == ({Role.VISITOR}, True)


async def test_nothing_lies_after_the_day_itself(filled: TownshipPlan) -> None:
    midnight = datetime(2026, 8, 31, 16, 0, tzinfo=UTC)
    for model in (Person, Pupil, Guardianship, WeChatIdentity, ConsentEvent, Invitation):
        assert not await model.filter(created_at__gt=midnight).exists()
    assert not await Guardianship.filter(bound_at__gt=midnight).exists()
    assert not await AuditRow.filter(at__gt=midnight).exists()


async def test_a_database_that_holds_people_is_refused_and_left_as_it_is(
    database: Database, settings: Settings, plan: TownshipPlan
) -> None:
    await factories.make_person()
    with pytest.raises(HoldsPeople):
        await fill(plan, settings)
    assert (await Person.all().count(), await Township.all().count()) == (1, 0)


async def test_a_filling_that_breaks_off_leaves_nothing(
    database: Database, settings: Settings, plan: TownshipPlan
) -> None:
    class BrokenOff(Exception):
        pass

    def told(done: int, total: int) -> None:
        if done > total // 2:
            raise BrokenOff

    with pytest.raises(BrokenOff):
        await fill(plan, settings, told)
    assert not await Person.exists()
    assert not await Township.exists()


async def test_progress_ends_at_all_of_it(database: Database, settings: Settings, plan: TownshipPlan) -> None:
    heard: list[tuple[int, int]] = []
    await fill(plan, settings, lambda done, total: heard.append((done, total)))
    assert heard[-1][0] == heard[-1][1]
    assert heard == sorted(heard)


@pytest.mark.parametrize("today", [date(2026, 2, 28), date(2026, 8, 31), date(2028, 2, 29)])
async def test_any_day_will_do(database: Database, settings: Settings, today: date) -> None:
    plan = plan_township(today, families=1)
    await fill(plan, settings)
    assert {room.school_year for room in await SchoolClass.all()} == {school_year_of(today), school_year_of(today) - 1}
    assert not await Placement.filter(since__gt=today).exists()


# ------------------------------------------------------------------------------------------------------------ the demo
async def test_the_demo_is_filled_once_and_gives_a_fresh_slip_each_time(settings: Settings, clock: FrozenClock) -> None:
    first = await stage(settings, clock)
    clock.advance(timedelta(days=40))
    again = await stage(settings, clock)
    assert again.plan.digest == first.plan.digest == plan_township(TODAY, families=FAMILIES).digest
    slips = [each.hints["demo_n_0001"].says[2] for each in (first, again)]
    assert slips[0] != slips[1]
    async with open_database(settings):
        assert await Township.all().count() == 1
        open_ones = [row for row in await Invitation.all() if row.expires_at > clock.now() and row.revoked_at is None]
        assert len(open_ones) == 1


async def test_the_administrator_of_the_demo_can_log_in(settings: Settings, clock: FrozenClock) -> None:
    staged = await stage(settings, clock)
    async with open_database(settings):
        (row,) = await Credential.all()
        person = await WeChatIdentity.get(openid_index=blind_index("openid", "demo_a_0001"))
        assert (row.login, row.person_id, row.totp_secret) == ("demo-admin", person.person_id, staged.entrance.secret)
        assert row.totp_confirmed_at is not None
    assert staged.entrance == entrance_of(settings)
    assert len(staged.entrance.code(clock)) == 6


def test_hints_tell_the_stranger_what_is_on_the_slip(plan: TownshipPlan) -> None:
    (child,) = plan.case(Case.NEWCOMER)
    hint = hints_of(plan, "ACDE-3467")["demo_n_0001"]
    assert "ACDE-3467" in hint.about
    assert child.name in hint.about
    assert f"{child.birth_date.year}年{child.birth_date.month}月{child.birth_date.day}日" in hint.tip
    assert "已经绑定" in hints_of(plan, None)["demo_n_0001"].about


async def test_the_calendar_has_terms_around_the_day_and_local_days(filled: TownshipPlan) -> None:
    calendars = CalendarService(PlaceService())
    point = await School.get(kind="teaching_point")
    town, own = await calendars.of(None), await calendars.of(str(point.id))
    assert [(term.first_day, term.last_day) for term in town.terms[:3]] == [
        (date(2025, 9, 1), date(2026, 1, 30)),
        (date(2026, 3, 2), date(2026, 7, 10)),
        (date(2026, 9, 1), date(2027, 1, 29)),
    ]
    assert own.terms == town.terms
    assert not town.is_school_day(date(2026, 10, 15))
    assert town.view(date(2027, 1, 27)).name == "期末考试"
    market = date(2026, 12, 11)
    assert (town.is_school_day(market), own.is_school_day(market)) == (True, False)
    assert town.is_provisional(date(2027, 1, 27))


async def test_every_guardian_may_sign_up_for_the_programme_of_the_township(
    filled: TownshipPlan, settings: Settings, clock: FrozenClock, identity: AccountsIdentity
) -> None:
    """Open, empty, first come, and beside whatever the schools have."""
    audit = Audit(clock)
    people = PeopleService(clock, audit)
    showing = ShowingService(people, clock)
    custody = Custody(clock)
    consents = ConsentService(people, custody, cast(Any, None), notice_of(settings.support), audit=audit, clock=clock)
    signing = SignUpService(people, consents, audit, clock)
    for number in range(1, FAMILIES_HERE + 1):
        actor = await identity.actor_of(blind_index("openid", f"demo_g_{number:06d}"))
        assert actor.has(Role.GUARDIAN)
        child = min(next(grant.children for grant in actor.grants if grant.role is Role.GUARDIAN))
        [full] = [each for each in await showing.programmes(actor, child) if each.title == "满额测试班"]
        assert (full.places, full.places_left, full.status) == (45, 46 - number, "open")
        wanted = (Wanted(child, full.id),)
        [view] = await signing.sign_up(SignUp(actor=actor, wanted=wanted, source=Source.MINIPROGRAM))
        assert view.state is EnrolmentState.ENROLLED
    titles = {row.title for row in await AfterSchoolProgramme.all()}
    assert {"作业辅导", "围棋", "书法", "篮球"} <= titles


async def test_every_family_finds_kinds_of_hardship_to_name_and_sees_that_they_are_samples(
    filled: TownshipPlan, clock: FrozenClock, settings: Settings, identity: AccountsIdentity
) -> None:
    asking = WaiverAsking(
        AccountsAudiences(), Listing(FamilyMarks(clock)), FileStore(clock), audit=Audit(clock), clock=clock
    )
    actor = await identity.actor_of(blind_index("openid", "demo_g_000001"))
    child = min(next(grant.children for grant in actor.grants if grant.role is Role.GUARDIAN))
    options = await asking.options(actor, child)
    assert [each.percent for each in options] == [100, 100, 100, 50]
    assert all("样例" in each.clause for each in options)
