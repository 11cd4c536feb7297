"""Writing offers piece by piece, looking them over, their fees, days off; over a real database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot.audit.models import AuditRow
from bot.errors import NotFound, NotPermitted
from bot.identity import Role
from bot.rights import Action
from handlers.accounts.domain import AppointmentKind
from handlers.after_school.domain.fees import Cap, CapInvalid, ComplaintPhoneMissing, Fee, FeeBasis
from handlers.after_school.domain.offers import Grades, Window
from handlers.after_school.domain.plans import PlanChanged, PlanNotOpenToChange
from handlers.after_school.service.offering.drafting import (
    DayOffInvalid,
    Drafting,
    GradesReversed,
    Seat,
    TeacherUnknown,
    WindowOnlyLonger,
)
from handlers.after_school.service.offering.reviewing import Reviewing
from handlers.after_school.service.offering.telling import CourseAudiences
from handlers.after_school.service.offering.views import FindingCode, PlanSheet
from tests import factories
from tests.handlers.after_school.stage import FIRST, LAST, NOW, Stage, course, hours, pool

CLAUSE = "县发改〔2026〕5号第三条"
F = FindingCode


def desk(stage: Stage) -> Drafting:
    return stage.machinery.services.get(Drafting)


def reviewing(stage: Stage) -> Reviewing:
    return stage.machinery.services.get(Reviewing)


async def sheet_of(stage: Stage, plan_id: str) -> PlanSheet:
    return await desk(stage).sheet(stage.admin, plan_id)


async def begun(stage: Stage) -> PlanSheet:
    return await sheet_of(stage, await desk(stage).begin(stage.admin, stage.draft()))


async def add(stage: Stage, sheet: PlanSheet, title: str, seat: Seat, **values: object) -> PlanSheet:
    await desk(stage).put_programme(stage.admin, sheet.id, sheet.version, course(title, **values), seat)
    return await sheet_of(stage, sheet.id)


# ------------------------------------------------------------------------------------------------------------- writing
async def test_programmes_are_added_one_by_one_and_share_places(stage: Stage) -> None:
    await stage.build()
    sheet = await add(stage, await begun(stage), "围棋", Seat(places=20))
    sheet = await add(stage, sheet, "象棋", Seat(pool_id=sheet.pools[0].id), grades=Grades(3, 6))
    [shared] = sheet.pools
    assert (shared.places, [each.title for each in shared.programmes]) == (20, ["围棋", "象棋"])
    assert [each.title for each in sheet.for_grade(2)] == ["围棋"]
    chess = next(each for each in sheet.programmes if each.title == "象棋")
    changed = course("国际象棋", grades=Grades(3, 6))
    await desk(stage).put_programme(
        stage.admin, sheet.id, sheet.version, changed, Seat(places=8), programme_id=chess.id
    )
    sheet = await sheet_of(stage, sheet.id)
    assert {pool.title: pool.places for pool in sheet.pools} == {"围棋": 20, "国际象棋": 8}
    await desk(stage).remove_programme(stage.admin, sheet.id, sheet.version, chess.id)
    sheet = await sheet_of(stage, sheet.id)
    assert [pool.title for pool in sheet.pools] == ["围棋"], "places nothing uses go with the programme"
    [own] = sheet.pools
    await desk(stage).put_pool(stage.admin, sheet.id, sheet.version, own.id, "棋类", None)
    assert (await sheet_of(stage, sheet.id)).pools[0].title == "棋类"


async def test_who_read_an_older_version_changes_nothing(stage: Stage) -> None:
    await stage.build()
    sheet = await begun(stage)
    await add(stage, sheet, "围棋", Seat())
    with pytest.raises(PlanChanged):
        await add(stage, sheet, "象棋", Seat())
    assert [each.title for each in (await sheet_of(stage, sheet.id)).programmes] == ["围棋"]


async def test_a_course_names_grades_in_order_and_a_teacher_of_the_school(stage: Stage) -> None:
    await stage.build()
    teacher, stranger = await factories.make_person(), await factories.make_person()
    await factories.make_appointment(AppointmentKind.SUBJECT_TEACHER, teacher, school_class=stage.room)
    sheet = await begun(stage)
    with pytest.raises(GradesReversed):
        await add(stage, sheet, "围棋", Seat(), grades=Grades(6, 3))
    with pytest.raises(TeacherUnknown):
        await add(stage, sheet, "围棋", Seat(), teacher_id=str(stranger.id))
    sheet = await add(stage, sheet, "围棋", Seat(), teacher_id=str(teacher.id))
    assert sheet.programmes[0].teacher == teacher.name


async def test_of_a_published_plan_only_what_helps_families_changes(stage: Stage) -> None:
    await stage.build(1)
    await stage.publish(pool("围棋", 2))
    sheet, drafting = await sheet_of(stage, stage.plan_id), desk(stage)
    [line] = sheet.programmes
    with pytest.raises(PlanNotOpenToChange):
        await add(stage, sheet, "象棋", Seat())
    with pytest.raises(PlanNotOpenToChange):
        await drafting.remove_programme(stage.admin, sheet.id, sheet.version, line.id)
    with pytest.raises(PlanNotOpenToChange):
        await drafting.discard(stage.admin, sheet.id, sheet.version)
    await drafting.place_programme(
        stage.admin, sheet.id, sheet.version, line.id, teacher_id=None, room="三楼", pick_up_point="南门"
    )
    sheet = await sheet_of(stage, sheet.id)
    assert (sheet.programmes[0].room, sheet.programmes[0].pick_up_point) == ("三楼", "南门")
    head = replace(stage.draft(complaint_phone="0527-2"), title="别的名字")
    shorter = replace(head, window=Window(sheet.window.opens_at, sheet.window.closes_at - timedelta(seconds=1)))
    with pytest.raises(WindowOnlyLonger):
        await drafting.change_head(stage.admin, sheet.id, sheet.version, shorter)
    longer = replace(head, window=Window(sheet.window.opens_at, sheet.window.closes_at + timedelta(days=1)))
    await drafting.change_head(stage.admin, sheet.id, sheet.version, longer)
    sheet = await sheet_of(stage, sheet.id)
    assert (sheet.title, sheet.complaint_phone) == ("课后服务", "0527-2")
    assert sheet.window == longer.window


async def test_a_grade_signs_up_in_a_window_of_its_own(stage: Stage) -> None:
    await stage.build(1, grade=3)
    sheet = await add(stage, await begun(stage), "围棋", Seat())
    later = Window(NOW + timedelta(hours=1), NOW + timedelta(hours=2, seconds=7))
    await desk(stage).put_window(stage.admin, sheet.id, sheet.version, 3, later)
    sheet = await sheet_of(stage, sheet.id)
    assert (sheet.window_of(3), sheet.window_of(4)) == (later, sheet.window)
    await stage.offers.publish(stage.admin, sheet.id, sheet.version)
    [shown] = await stage.showing.programmes(stage.guardians[0], str(stage.children[0].id))
    assert (shown.opens_at, shown.closes_at) == (later.opens_at, later.closes_at)
    sheet, earlier = await sheet_of(stage, sheet.id), Window(NOW, later.closes_at)
    with pytest.raises(WindowOnlyLonger):
        await desk(stage).put_window(stage.admin, sheet.id, sheet.version, 3, earlier)
    with pytest.raises(PlanNotOpenToChange):
        await desk(stage).remove_window(stage.admin, sheet.id, sheet.version, 3)


async def test_last_terms_plan_is_copied_without_its_dates_and_who_has_left(stage: Stage) -> None:
    await stage.build()
    teacher, leaver = await factories.make_person(), await factories.make_person()
    await factories.make_appointment(AppointmentKind.SUBJECT_TEACHER, teacher, school_class=stage.room)
    gone = await factories.make_appointment(AppointmentKind.SUBJECT_TEACHER, leaver, school_class=stage.room)
    fee = Fee(FeeBasis.PER_LESSON, 300, CLAUSE)
    sheet = await add(stage, await begun(stage), "围棋", Seat(places=20), teacher_id=str(teacher.id), fee=fee)
    sheet = await add(stage, sheet, "绘画", Seat(pool_id=sheet.pools[0].id), teacher_id=str(leaver.id))
    await desk(stage).put_day_off(stage.admin, sheet.id, sheet.version, [FIRST], "运动会", None)
    gone.until = NOW.date() - timedelta(days=1)
    await gone.save()
    head = stage.draft(term="2027年春季学期", first_day=date(2027, 3, 1), last_day=date(2027, 6, 25))
    copy = await sheet_of(stage, await desk(stage).begin(stage.admin, head, sheet.id))
    assert (copy.term, copy.days_off, copy.windows) == ("2027年春季学期", (), {})
    [shared] = copy.pools
    assert shared.places == 20
    assert [(each.title, each.teacher_id, each.fee.amount_fen) for each in copy.programmes] == [
        ("围棋", str(teacher.id), 300),
        ("绘画", None, 0),
    ]
    await desk(stage).discard(stage.admin, copy.id, copy.version)
    with pytest.raises(NotFound):
        await sheet_of(stage, copy.id)


async def test_days_off_take_lessons_away_of_one_course_or_of_all(stage: Stage) -> None:
    await stage.build()
    sheet = await add(stage, await begun(stage), "围棋", Seat())
    sheet = await add(stage, sheet, "书法", Seat())
    chess = next(each for each in sheet.programmes if each.title == "围棋")
    drafting, admin = desk(stage), stage.admin
    with pytest.raises(DayOffInvalid):
        await drafting.put_day_off(admin, sheet.id, sheet.version, [LAST + timedelta(days=1)], "运动会", None)
    await drafting.put_day_off(admin, sheet.id, sheet.version, [FIRST], "运动会", None)
    for _ in range(2):
        # The same day entered twice is one.
        sheet = await sheet_of(stage, sheet.id)
        await drafting.put_day_off(admin, sheet.id, sheet.version, [FIRST + timedelta(days=1)], "比赛", chess.id)
    sheet = await sheet_of(stage, sheet.id)
    assert [(each.day, each.programme) for each in sheet.days_off] == [
        (FIRST, ""),
        (FIRST + timedelta(days=1), "围棋"),
    ]
    lessons = await stage.offers.lessons(sheet.id)
    other = next(each.id for each in sheet.programmes if each.title == "书法")
    assert lessons[chess.id][0] == FIRST + timedelta(days=2)
    assert lessons[other][0] == FIRST + timedelta(days=1)
    await drafting.remove_day_off(admin, sheet.id, sheet.version, sheet.days_off[0].id)
    assert (await stage.offers.lessons(sheet.id))[other][0] == FIRST


# ----------------------------------------------------------------------------------------------- before it is published
async def test_the_review_says_what_publishing_means_and_what_stands_in_the_way(stage: Stage) -> None:
    await stage.build(2, grade=3)
    fifth = await factories.make_class(stage.school, grade=5)
    await stage.family(room=fifth)
    review = await reviewing(stage).review(stage.admin, (await begun(stage)).id)
    assert [each.code for each in review.findings if each.is_block] == [F.EMPTY]
    plan = await desk(stage).begin(stage.admin, stage.draft(complaint_phone=""))
    sheet = await sheet_of(stage, plan)
    fee = Fee(FeeBasis.PER_LESSON, 301, CLAUSE)
    sheet = await add(stage, sheet, "书法", Seat(), fee=fee, grades=Grades(3, 4), hours=hours("1"))
    await stage.offers.set_cap(stage.admin, str(stage.township.id), Cap(300, None, date(2026, 9, 1), CLAUSE))
    review = await reviewing(stage).review(stage.admin, plan)
    assert not review.may_publish
    assert {each.code for each in review.findings} == {
        F.ABOVE_CAP, F.NO_COMPLAINT_PHONE, F.NO_TEACHER, F.OPENS_IN_THE_PAST, F.GRADE_WITHOUT,
    }  # fmt: skip
    excess = next(each for each in review.findings if each.code is F.ABOVE_CAP)
    assert excess.about == "书法"
    assert excess.excess is not None
    assert excess.excess.cap.clause == CLAUSE
    [effect] = review.effects
    assert effect.children == review.children == 2
    assert effect.term_fen == 301 * len(effect.days)
    assert all(day.isoweekday() == 1 for day in effect.days)


async def test_nothing_families_pay_for_is_published_without_a_number_to_complain_to(stage: Stage) -> None:
    await stage.build()
    fee = Fee(FeeBasis.PER_LESSON, 300, CLAUSE)
    view = await stage.offers.write(stage.admin, stage.draft(pool("书法", 5, fee=fee), complaint_phone=""))
    with pytest.raises(ComplaintPhoneMissing):
        await stage.offers.publish(stage.admin, view.id, view.version)


async def test_fewer_places_are_shown_before_they_are_cut(stage: Stage) -> None:
    await stage.build(4)
    await stage.publish(pool("围棋", 3))
    for number in range(4):
        await stage.sign_up(number, "围棋")
    effect = reviewing(stage).places_effect
    own = stage.pools["围棋"]
    cut = await effect(stage.admin, stage.plan_id, own, 1)
    assert (cut.over, cut.offered) == (2, 0)
    more = await effect(stage.admin, stage.plan_id, own, 9)
    assert (more.over, more.offered) == (0, 1)
    assert (await effect(stage.admin, stage.plan_id, own, None)).offered == 1
    assert (await sheet_of(stage, stage.plan_id)).pools[0].places == 3, "looking changes nothing"


# ---------------------------------------------------------------------------------------------------------------- fees
async def test_caps_are_the_townships_and_each_names_its_document(stage: Stage) -> None:
    await stage.build()
    own = str(stage.township.id)
    with pytest.raises(CapInvalid):
        Cap(300, None, FIRST, " ")
    with pytest.raises(CapInvalid):
        Cap(None, None, FIRST, CLAUSE)
    await stage.offers.set_cap(stage.admin, own, Cap(300, None, date(2026, 9, 1), CLAUSE))
    await stage.offers.set_cap(stage.admin, own, Cap(400, 30_000, date(2027, 3, 1), CLAUSE))
    name, rows = await reviewing(stage).caps(stage.admin, own)
    assert (name, [row.per_lesson_fen for row in rows]) == (stage.township.name, [400, 300])
    with pytest.raises(NotPermitted):
        await reviewing(stage).caps(stage.head, own)
    assert await AuditRow.filter(action=Action.SERVICE_CAPS.value).count() == 2


async def test_a_plan_is_nobodys_business_until_it_is_published(stage: Stage) -> None:
    await stage.build()
    draft = await add(stage, await begun(stage), "围棋", Seat())
    for own in (draft.id, "nothing"):
        with pytest.raises(NotFound):
            await reviewing(stage).publication(own)
    fee = Fee(FeeBasis.PER_LESSON, 300, CLAUSE)
    await stage.publish(pool("书法", 5, fee=fee, hours=hours("1")))
    found = await reviewing(stage).publication(stage.plan_id)
    [line] = found.lines
    assert line.term_fen == 300 * line.lessons
    assert found.sheet.complaint_phone


# -------------------------------------------------------------------------------------------------------------- rights
async def test_plans_of_another_place_are_not_there(stage: Stage) -> None:
    await stage.build()
    sheet = await begun(stage)
    other = replace(stage.admin, grants=(replace(stage.admin.grants[0], townships=frozenset({str(stage.school.id)})),))
    assert other.has(Role.ADMINISTRATOR)
    for call in (
        desk(stage).sheet(other, sheet.id),
        reviewing(stage).review(other, sheet.id),
        desk(stage).put_programme(other, sheet.id, sheet.version, course("围棋"), Seat()),
        desk(stage).put_day_off(other, sheet.id, sheet.version, [FIRST], "运动会", None),
        desk(stage).discard(other, sheet.id, sheet.version),
    ):
        with pytest.raises(NotFound):
            await call
    with pytest.raises(NotPermitted):
        await desk(stage).sheet(stage.head, sheet.id)


async def test_families_of_a_course_are_those_who_have_a_place_now(stage: Stage) -> None:
    await stage.build(3)
    await stage.publish(pool("围棋", 1), pool("书法", 5, hours=hours("6")))
    for number, title in ((0, "围棋"), (1, "围棋"), (2, "书法")):
        await stage.sign_up(number, title)
    audiences = CourseAudiences(stage.clock)
    titles = {each.title: each.key for each in await audiences.choices(stage.admin)}
    assert len(titles) == 3
    own = titles["课后服务“课后服务”：报上“围棋”的"]
    children = [str(each.id) for each in stage.children]
    assert set(await audiences.child_ids(own, FIRST)) == {children[0]}, "who waits has no lesson to miss"
    every = titles["课后服务“课后服务”：报上任何一门课的"]
    assert set(await audiences.child_ids(every, FIRST)) == {children[0], children[2]}
    assert await audiences.choices(stage.head) == ()
