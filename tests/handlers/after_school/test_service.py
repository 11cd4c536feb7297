"""Offers, signing up, leaving, the line, and what is kept, over a real database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, cast

import pytest
from tortoise.exceptions import IntegrityError, OperationalError

from bot.audit.models import AuditRow
from bot.clock import SHANGHAI, to_local
from bot.delivery.models import OutboxPush
from bot.delivery.pushes import Composed, NotNeeded, Push, PushClass
from bot.errors import NotFound, NotPermitted
from bot.rights import Action
from bot.storage.database import transaction
from handlers.after_school.domain.fees import Cap, Fee, FeeAboveCap, FeeBasis
from handlers.after_school.domain.offers import EnrolmentClosed, Grades, NotForThisGrade, ProgrammesClash, Window
from handlers.after_school.domain.plans import (
    IllegalPlanMove,
    PlanChanged,
    PlanNotOpenToChange,
    PlanState,
    Selection,
)
from handlers.after_school.domain.statements import ConsentHow, Source, Wish
from handlers.after_school.domain.states import (
    AlreadyEnrolled,
    ConsentHowMissing,
    ConsentMissing,
    EnrolmentState,
    IllegalEnrolmentMove,
    OfferLapsed,
    PartyInvalid,
)
from handlers.after_school.models import (
    AfterSchoolEnrolment,
    AfterSchoolEnrolmentEvent,
    AfterSchoolPool,
    AfterSchoolStatement,
)
from handlers.after_school.service.leaving import OptOut, PlacesInvalid
from handlers.after_school.service.offers import PlanEmpty, PlanInvalid, PoolDraft
from handlers.after_school.service.records import KEPT_DAYS, AfterSchoolRecords
from handlers.after_school.service.sign_up import SignUp, Wanted
from tests import factories
from tests.handlers.after_school.stage import NOW, Stage, check, course, hours, pool

S = EnrolmentState
VIA = Source.MINIPROGRAM


# -------------------------------------------------------------------------------------------------------------- offers
async def test_a_plan_is_seen_from_its_publication_on(stage: Stage) -> None:
    await stage.build(1)
    view = await stage.offers.write(stage.admin, stage.draft(pool("围棋", 2)))
    shown = stage.showing.programmes
    assert await shown(stage.guardians[0], str(stage.children[0].id)) == []
    with pytest.raises(PlanChanged):
        await stage.offers.publish(stage.admin, view.id, view.version + 1)
    view = await stage.offers.publish(stage.admin, view.id, view.version)
    assert view.state is PlanState.PUBLISHED
    [programme] = await shown(stage.guardians[0], str(stage.children[0].id))
    assert (programme.title, programme.places, programme.places_left) == ("围棋", 2, 2)
    with pytest.raises(PlanNotOpenToChange):
        await stage.offers.write(stage.admin, stage.draft(pool("象棋", 2)), view.id, view.version)
    with pytest.raises(IllegalPlanMove):
        await stage.offers.publish(stage.admin, view.id, view.version)


async def test_a_draft_is_written_anew_as_a_whole(stage: Stage) -> None:
    await stage.build()
    view = await stage.offers.write(stage.admin, stage.draft(pool("围棋", 2), pool("象棋", 3)))
    view = await stage.offers.write(stage.admin, stage.draft(pool("书法", 1)), view.id, view.version)
    assert [each.title for each in view.pools] == ["书法"]
    assert (await stage.offers.plan(stage.admin, view.id)) == view
    assert [each.id for each in await stage.offers.plans(stage.admin)] == [view.id]
    empty = await stage.offers.write(stage.admin, stage.draft(), view.id, view.version)
    with pytest.raises(PlanEmpty):
        await stage.offers.publish(stage.admin, empty.id, empty.version)
    with pytest.raises(PlanInvalid):
        stage.draft(pool("书法", -1))


async def test_a_plan_above_the_county_s_cap_cannot_be_published(stage: Stage) -> None:
    await stage.build()
    clause = "县发改〔2026〕1号第二条"
    await stage.offers.set_cap(stage.admin, str(stage.township.id), Cap(300, None, date(2026, 9, 1), clause))
    dear = pool("书法", 5, fee=Fee(FeeBasis.PER_LESSON, 301, clause))
    view = await stage.offers.write(stage.admin, stage.draft(dear))
    with pytest.raises(FeeAboveCap) as caught:
        await stage.offers.publish(stage.admin, view.id, view.version)
    [named] = cast("list[dict[str, Any]]", caught.value.details["programmes"])
    assert (named["title"], named["clause"]) == ("书法", clause)
    assert named["asked_fen"] - named["allowed_fen"] == len((await stage.offers.lessons(view.id)).popitem()[1])
    fair = pool("书法", 5, fee=Fee(FeeBasis.PER_LESSON, 300, clause))
    view = await stage.offers.write(stage.admin, stage.draft(fair), view.id, view.version)
    assert (await stage.offers.publish(stage.admin, view.id, view.version)).state is PlanState.PUBLISHED


async def test_only_those_who_may_write_plans_of_the_place(stage: Stage) -> None:
    await stage.build(1)
    with pytest.raises(NotPermitted):
        await stage.offers.write(stage.head, stage.draft(pool("围棋", 2)))
    elsewhere = await factories.make_school()
    draft = stage.draft(pool("围棋", 2), school_id=str(elsewhere.id))
    with pytest.raises(NotFound):
        await stage.offers.write(stage.admin, draft)
    foreign = stage.draft(pool("围棋", 2), school_id=None, township_id=str(elsewhere.township_id))
    with pytest.raises(NotFound):
        await stage.offers.write(stage.admin, foreign)


# ----------------------------------------------------------------------------------------------------------- signing up
async def test_places_are_given_out_in_the_order_in_which_families_come(stage: Stage) -> None:
    await stage.build(5)
    await stage.publish(pool("围棋", 2))
    views = [await stage.sign_up(number, "围棋") for number in range(5)]
    assert [view.state for view in views] == [S.ENROLLED, S.ENROLLED, S.WAITLISTED, S.WAITLISTED, S.WAITLISTED]
    assert [view.position for view in views] == [None, None, 1, 2, 3]
    await check()
    said = await AfterSchoolStatement.all()
    assert {(row.wish, row.source) for row in said} == {(Wish.COURSE, VIA)}
    noted = await AuditRow.filter(action=Action.SERVICE_SIGN_UP.value)
    assert sorted(row.about or "" for row in noted) == sorted(str(child.id) for child in stage.children)


async def test_many_at_once_are_decided_one_after_the_other(stage: Stage) -> None:
    await stage.build(12)
    await stage.publish(pool("围棋", 4), pool("象棋", 1, hours=hours("1", "17:30", "18:00")))
    asked = [stage.asked(number, "围棋") for number in range(10)]
    asked.insert(3, stage.asked(0, "围棋"))
    asked.insert(5, stage.asked(11, "象棋"))
    asked.insert(6, replace(stage.asked(10, "围棋"), wanted=(Wanted("nobody", stage.programmes["围棋"]),)))
    outcomes = await stage.signing.sign_up_all(asked)
    refused = {number: type(each) for number, each in enumerate(outcomes) if isinstance(each, Exception)}
    assert refused == {3: AlreadyEnrolled, 6: NotFound}
    views = [each[0] for each in outcomes if isinstance(each, tuple) and each[0].programme == "围棋"]
    assert [view.position for view in views] == [None] * 4 + [1, 2, 3, 4, 5, 6]
    await check()


@pytest.mark.engine("postgres")
async def test_at_the_same_moment_in_transactions_of_their_own_places_stay_exact(stage: Stage) -> None:
    await stage.build(30)
    await stage.publish(pool("围棋", 7))
    views = await asyncio.gather(*(stage.sign_up(number, "围棋") for number in range(30)))
    assert sorted(view.position or 0 for view in views) == [0] * 7 + list(range(1, 24))
    await check()


@pytest.mark.engine("postgres")
async def test_one_child_at_two_courses_of_the_same_hour_at_the_same_moment(stage: Stage) -> None:
    """In different pools, so that no row of a pool keeps them apart."""
    await stage.build(8)
    await stage.publish(pool("围棋", 100), pool("象棋", 100))

    async def both(number: int) -> list[object]:
        tries = (stage.sign_up(number, title) for title in ("围棋", "象棋"))
        return await asyncio.gather(*tries, return_exceptions=True)

    for one, other in await asyncio.gather(*(both(number) for number in range(8))):
        assert sorted(type(each).__name__ for each in (one, other)) == ["EnrolmentView", "ProgrammesClash"]
    await check()


async def test_the_window_is_kept_to_the_second_and_a_grade_may_have_its_own(stage: Stage) -> None:
    await stage.build(3)
    opens, second = NOW + timedelta(hours=1), timedelta(seconds=1)
    own = {3: Window(opens, opens + timedelta(hours=1))}
    await stage.publish(pool("围棋", 9), windows=own)
    shown = (await stage.showing.programmes(stage.guardians[0], str(stage.children[0].id)))[0]
    assert (shown.status, shown.opens_at) == ("upcoming", opens)
    stage.clock.set(opens - second)
    with pytest.raises(EnrolmentClosed):
        await stage.sign_up(0, "围棋")
    stage.clock.set(opens)
    await stage.sign_up(0, "围棋")
    stage.clock.set(own[3].closes_at)
    with pytest.raises(EnrolmentClosed):
        await stage.sign_up(1, "围棋")
    paper = {"actor": stage.head, "source": Source.PAPER, "consent_how": ConsentHow.SIGNED_PAPER}
    assert (await stage.sign_up(1, "围棋", **paper)).state is S.ENROLLED
    await stage.offers.close(stage.admin, stage.plan_id, stage.version)
    with pytest.raises(EnrolmentClosed):
        await stage.sign_up(2, "围棋", **paper)


async def test_what_is_not_for_the_child_is_refused(stage: Stage) -> None:
    await stage.build(2)
    await stage.publish(pool("围棋", 9, grades=Grades(4, 6)), pool("书法", 9))
    with pytest.raises(NotForThisGrade):
        await stage.sign_up(0, "围棋")
    foreign = SignUp(
        actor=stage.guardians[0], wanted=(Wanted(str(stage.children[1].id), stage.programmes["书法"]),), source=VIA
    )
    with pytest.raises(NotFound):
        await stage.signing.sign_up(foreign)
    elsewhere = await factories.make_class()
    await stage.family(room=elsewhere)
    with pytest.raises(NotFound):
        await stage.sign_up(2, "书法")
    assert await AfterSchoolEnrolment.all().count() == 0


async def test_a_clash_is_refused_and_what_follows_on_is_not(stage: Stage) -> None:
    await stage.build(1)
    late = hours("1", "17:20", "18:00")
    await stage.publish(pool("围棋", 9), pool("象棋", 9, hours=hours("3")), pool("书法", 9, hours=late))
    await stage.sign_up(0, "围棋")
    with pytest.raises(ProgrammesClash) as caught:
        await stage.sign_up(0, "象棋")
    assert caught.value.details["title"] == "围棋"
    await stage.sign_up(0, "书法")
    await check()


async def test_online_a_family_has_to_have_agreed_and_on_paper_not_refused(stage: Stage) -> None:
    await stage.build()
    await stage.family(agreed=False)
    await stage.publish(pool("围棋", 9))
    with pytest.raises(ConsentMissing):
        await stage.sign_up(0, "围棋")
    by_phone = {"actor": stage.head, "source": Source.PHONE}
    with pytest.raises(ConsentHowMissing):
        await stage.sign_up(0, "围棋", **by_phone)
    view = await stage.sign_up(0, "围棋", **by_phone, consent_how=ConsentHow.BY_PHONE)
    row = await AfterSchoolEnrolment.get(id=view.id)
    assert (str(row.entered_by), row.consent_how) == (stage.head.person_id, ConsentHow.BY_PHONE)
    said = await AfterSchoolStatement.get(pupil_id=row.pupil_id)
    assert (said.said_by, str(said.entered_by), said.source) == (None, stage.head.person_id, Source.PHONE)


async def test_courses_that_share_places(stage: Stage) -> None:
    await stage.build(3)
    await stage.publish(PoolDraft(title="一间教室", places=2, programmes=(course("围棋"), course("象棋"))))
    assert (await stage.sign_up(0, "围棋")).state is S.ENROLLED
    assert (await stage.sign_up(1, "象棋")).state is S.ENROLLED
    assert (await stage.sign_up(2, "围棋")).position == 1
    await check()


async def test_for_a_draw_everybody_is_taken_down_and_nobody_waits(stage: Stage) -> None:
    await stage.build(3)
    await stage.publish(pool("围棋", 1, selection=Selection.DRAW))
    views = [await stage.sign_up(number, "围棋", rank=1) for number in range(3)]
    assert {(view.state, view.position) for view in views} == {(S.SUBMITTED, None)}
    await check()


# ------------------------------------------------------------------------------------------------------------- siblings
async def siblings(stage: Stage) -> SignUp:
    """Of one guardian, for 围棋 and 象棋."""
    await stage.family(stage.children[0])
    small, big = stage.children[-1], stage.children[0]
    wanted = tuple(Wanted(str(child.id), stage.programmes[title]) for child, title in ((big, "围棋"), (small, "象棋")))
    return SignUp(actor=stage.guardians[-1], wanted=wanted, source=VIA)


async def test_siblings_come_together_or_wait_together(stage: Stage) -> None:
    await stage.build(4)
    await stage.publish(pool("围棋", 1), pool("象棋", 1))
    first = await stage.sign_up(1, "围棋")
    pair = await stage.signing.sign_up(await siblings(stage))
    assert [(view.state, view.position) for view in pair] == [(S.WAITLISTED, 1), (S.WAITLISTED, 1)]
    await stage.leaving.withdraw(stage.guardians[1], first.id, VIA)
    assert [await stage.state_of(view) for view in pair] == [S.OFFERED, S.OFFERED]
    await check()
    accepted = await stage.leaving.accept(stage.guardians[-1], pair[1].id, VIA)
    assert accepted.together_with == (pair[0].id,)
    assert [await stage.state_of(view) for view in pair] == [S.ENROLLED, S.ENROLLED]
    await check()


async def test_siblings_who_wait_for_another_course_hold_nobody_up(stage: Stage) -> None:
    await stage.build(3)
    await stage.publish(pool("围棋", 0), pool("象棋", 1))
    pair = await stage.signing.sign_up(await siblings(stage))
    assert {view.state for view in pair} == {S.WAITLISTED}
    assert (await stage.sign_up(2, "象棋")).state is S.ENROLLED
    assert (await stage.sign_up(1, "象棋")).position == 2
    await check()


async def test_what_siblings_cannot_use_yet_goes_to_the_next(stage: Stage) -> None:
    await stage.build(4)
    await stage.publish(pool("围棋", 1), pool("象棋", 1))
    await stage.sign_up(1, "围棋")
    taken = await stage.sign_up(2, "象棋")
    pair = await stage.signing.sign_up(await siblings(stage))
    alone = await stage.sign_up(3, "象棋")
    await stage.leaving.withdraw(stage.guardians[2], taken.id, VIA)
    assert await stage.state_of(alone) is S.OFFERED
    assert [await stage.state_of(view) for view in pair] == [S.WAITLISTED, S.WAITLISTED]
    await check()


async def test_siblings_of_one_of_whom_nothing_comes_are_not_signed_up_at_all(stage: Stage) -> None:
    await stage.build(2)
    await stage.publish(pool("围棋", 9), pool("象棋", 9, grades=Grades(5, 5)))
    with pytest.raises(NotForThisGrade):
        await stage.signing.sign_up(await siblings(stage))
    assert await AfterSchoolEnrolment.all().count() == 0
    both = replace(await siblings(stage), wanted=(Wanted(str(stage.children[0].id), stage.programmes["围棋"]),) * 2)
    with pytest.raises(PartyInvalid):
        await stage.signing.sign_up(both)


# -------------------------------------------------------------------------------------------------------------- leaving
async def test_a_freed_place_is_offered_to_the_first_in_the_line_and_nobody_else_gets_it(stage: Stage) -> None:
    await stage.build(5)
    await stage.publish(pool("围棋", 2))
    views = [await stage.sign_up(number, "围棋") for number in range(4)]
    await stage.leaving.withdraw(stage.guardians[0], views[0].id, VIA)
    assert [await stage.state_of(view) for view in views] == [S.WITHDRAWN, S.ENROLLED, S.OFFERED, S.WAITLISTED]
    assert (await stage.sign_up(4, "围棋")).position == 2
    [own] = await stage.showing.enrolments(stage.guardians[3])
    assert own.position == 1
    accepted = await stage.leaving.accept(stage.guardians[2], views[2].id, VIA)
    assert accepted.state is S.ENROLLED
    again = await stage.sign_up(0, "围棋")
    assert (again.state, again.position) == (S.WAITLISTED, 3)
    await check()


async def test_an_offer_stands_for_school_days_and_runs_out_outside_the_quiet_hours(stage: Stage) -> None:
    await stage.build(3)
    await stage.publish(pool("围棋", 1))
    views = [await stage.sign_up(number, "围棋") for number in range(3)]
    stage.clock.set(datetime(2026, 9, 10, 22, 30, tzinfo=SHANGHAI))
    await stage.leaving.withdraw(stage.guardians[0], views[0].id, VIA)
    row = await AfterSchoolEnrolment.get(id=views[1].id)
    # Thursday night: two school days on is Monday night, and Tuesday morning when phones may ring again.
    assert row.offered_until is not None
    assert to_local(row.offered_until) == datetime(2026, 9, 15, 7, tzinfo=SHANGHAI)
    stage.clock.set(row.offered_until)
    with pytest.raises(OfferLapsed):
        await stage.leaving.accept(stage.guardians[1], str(row.id), VIA)
    await stage.leaving.expire()
    assert [await stage.state_of(view) for view in views] == [S.WITHDRAWN, S.DECLINED, S.OFFERED]
    await stage.leaving.expire()
    assert await stage.state_of(views[2]) is S.OFFERED, "what was offered a moment ago stands"
    await check()


async def test_declining_passes_the_place_on(stage: Stage) -> None:
    await stage.build(3)
    await stage.publish(pool("围棋", 1))
    views = [await stage.sign_up(number, "围棋") for number in range(3)]
    await stage.leaving.withdraw(stage.guardians[0], views[0].id, VIA)
    await stage.leaving.decline(stage.guardians[1], views[1].id, VIA)
    assert await stage.state_of(views[2]) is S.OFFERED
    for act in (stage.leaving.accept, stage.leaving.decline, stage.leaving.withdraw):
        with pytest.raises(IllegalEnrolmentMove):
            await act(stage.guardians[1], views[1].id, VIA)
    with pytest.raises(NotFound):
        await stage.leaving.accept(stage.guardians[1], views[2].id, VIA)
    await check()


async def test_an_offer_cannot_be_taken_beside_a_course_of_the_same_hour(stage: Stage) -> None:
    await stage.build(2)
    await stage.publish(pool("围棋", 1), pool("象棋", 9))
    first = await stage.sign_up(0, "围棋")
    waiting = await stage.sign_up(1, "围棋")
    other = await stage.sign_up(1, "象棋")
    await stage.leaving.withdraw(stage.guardians[0], first.id, VIA)
    with pytest.raises(ProgrammesClash):
        await stage.leaving.accept(stage.guardians[1], waiting.id, VIA)
    await stage.leaving.withdraw(stage.guardians[1], other.id, VIA)
    assert (await stage.leaving.accept(stage.guardians[1], waiting.id, VIA)).state is S.ENROLLED
    await check()


async def test_opting_out_ends_everything_and_keeps_the_reason_encrypted(stage: Stage) -> None:
    await stage.build(2)
    await stage.publish(pool("围棋", 1), pool("书法", 9, hours=hours("1", "17:30", "18:00")))
    await stage.sign_up(0, "围棋")
    await stage.sign_up(0, "书法")
    waiting = await stage.sign_up(1, "围棋")
    asked = OptOut(child_id=str(stage.children[0].id), source=VIA, reason="外婆来接")
    ended = await stage.leaving.opt_out(stage.guardians[0], asked)
    assert {view.state for view in ended} == {S.OPTED_OUT}
    assert await stage.state_of(waiting) is S.OFFERED
    said = await AfterSchoolStatement.get(wish=Wish.NOT_JOIN)
    assert (said.reason, str(said.said_by)) == ("外婆来接", stage.guardians[0].person_id)
    assert await stage.showing.enrolments(stage.guardians[0]) == []
    with pytest.raises(NotFound):
        await stage.leaving.opt_out(stage.guardians[0], replace(asked, child_id=str(stage.children[1].id)))
    await check()


async def test_more_places_go_down_the_line_and_fewer_take_nobody_s(stage: Stage) -> None:
    await stage.build(4)
    await stage.publish(pool("围棋", 1))
    views = [await stage.sign_up(number, "围棋") for number in range(4)]
    await stage.leaving.set_places(stage.admin, stage.pools["围棋"], 3)
    assert [await stage.state_of(view) for view in views] == [S.ENROLLED, S.OFFERED, S.OFFERED, S.WAITLISTED]
    await stage.leaving.set_places(stage.admin, stage.pools["围棋"], 0)
    await check(may_exceed=list(stage.pools.values()))
    await stage.leaving.withdraw(stage.guardians[0], views[0].id, VIA)
    assert await stage.state_of(views[3]) is S.WAITLISTED, "there were too many"
    await stage.leaving.set_places(stage.admin, stage.pools["围棋"], None)
    assert await stage.state_of(views[3]) is S.OFFERED
    with pytest.raises(PlacesInvalid):
        await stage.leaving.set_places(stage.admin, stage.pools["围棋"], -1)
    with pytest.raises(NotPermitted):
        await stage.leaving.set_places(stage.head, stage.pools["围棋"], 1)
    await check()


# ----------------------------------------------------------------------------------------------------------- telling
async def test_the_family_is_told_of_an_offer_while_it_stands(stage: Stage) -> None:
    await stage.build(2)
    await stage.publish(pool("围棋", 1))
    views = [await stage.sign_up(number, "围棋") for number in range(2)]
    await stage.leaving.withdraw(stage.guardians[0], views[0].id, VIA)
    [row] = await OutboxPush.all()
    assert (str(row.person_id), row.push_class) == (stage.guardians[1].person_id, PushClass.NORMAL)
    push = Push(
        str(row.id), row.reason, row.occurrence, str(row.person_id), row.rule, row.purpose, row.push_class,
        tuple(row.child_ids.split()), row.not_before, row.expires_at,
    )  # fmt: skip
    source = stage.assembly.pushes["after_school"]
    words = (await source.compose([push], stage.clock.now()))[push.id]
    assert isinstance(words, Composed)
    assert stage.children[1].name in words.text
    assert "围棋" in words.text
    assert "9月10日9:00" in words.text
    await stage.leaving.accept(stage.guardians[1], views[1].id, VIA)
    assert isinstance((await source.compose([push], stage.clock.now()))[push.id], NotNeeded)


# ----------------------------------------------------------------------------------------------------------- last lines
async def test_the_database_itself_keeps_history_and_refuses_a_second_living_sign_up(stage: Stage) -> None:
    await stage.build(1)
    await stage.publish(pool("围棋", 1))
    view = await stage.sign_up(0, "围棋")
    event = await AfterSchoolEnrolmentEvent.get(enrolment_id=view.id)
    event.to_state = S.WITHDRAWN
    with pytest.raises((OperationalError, IntegrityError)):
        await event.save()
    with pytest.raises((OperationalError, IntegrityError)):
        await AfterSchoolEnrolmentEvent.all().delete()
    row = await AfterSchoolEnrolment.get(id=view.id)
    with pytest.raises(IntegrityError):
        await row.clone(pk=AfterSchoolEnrolmentEvent().id).save(force_create=True)


async def test_a_refusal_of_one_of_many_leaves_nothing_behind(stage: Stage) -> None:
    await stage.build(2)
    await stage.publish(pool("围棋", 1, grades=Grades(5, 5)))
    await stage.all_at_once("围棋", [0, 1])
    assert await AfterSchoolEnrolment.all().count() == await AfterSchoolStatement.all().count() == 0
    assert (await AfterSchoolPool.get(title="围棋")).next_turn == 1


# -------------------------------------------------------------------------------------------------------------- records
async def test_what_is_kept_of_a_child_is_given_to_its_guardian_and_goes_when_asked(stage: Stage) -> None:
    await stage.build(2)
    await stage.publish(pool("围棋", 1))
    await stage.sign_up(0, "围棋")
    waiting = await stage.sign_up(1, "围棋")
    records = AfterSchoolRecords(stage.leaving)
    child, person = str(stage.children[0].id), stage.guardians[0].person_id or ""
    data = await records.child_data(child, person)
    assert [next(iter(each.values())) for each in data["课后服务"]] == ["围棋", "报名课程"]
    assert await records.dependents([child], []) == {"after_school": 2}
    assert await records.dependents([], [stage.admin.person_id or ""]) == {"after_school": 1}
    async with transaction():
        await records.erase_child(child, keep_duty=True)
    assert await records.child_data(child, person) == {}
    assert await records.dependents([child], [person]) == {}
    assert await stage.state_of(waiting) is S.OFFERED
    assert await AfterSchoolEnrolmentEvent.all().count() == 4


async def test_a_year_after_the_plan_nothing_of_children_is_left(stage: Stage) -> None:
    await stage.build(1)
    await stage.publish(pool("围棋", 1))
    await stage.sign_up(0, "围棋")
    records, over = AfterSchoolRecords(stage.leaving), stage.draft().last_day + timedelta(days=KEPT_DAYS)
    assert await records.due(over) == []
    [due] = await records.due(over + timedelta(days=1))
    for _ in range(2):
        async with transaction():
            await records.dispose(due)
    assert await AfterSchoolEnrolment.all().count() == await AfterSchoolStatement.all().count() == 0
    assert await records.due(over + timedelta(days=1)) == []
