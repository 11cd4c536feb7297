"""Collecting by the head teacher: the ledger, the tally on any day, the signature, and who is told."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from uuid import uuid4

import pytest

from bot.audit.models import AuditRow
from bot.clock import local_date
from bot.delivery.models import OutboxPush
from bot.delivery.pushes import Composed, NotNeeded
from bot.errors import AppError, NotFound, NotPermitted
from bot.identity import Grant, Role
from handlers.after_school.domain.ledger import (
    IllegalTallyMove,
    NobodyToRemind,
    NotYours,
    ReasonMissing,
    RemindedToday,
    SaidLater,
    Standing,
    TallyClosed,
    TallyMoved,
    TallyNotReady,
    WishInvalid,
)
from handlers.after_school.domain.statements import ConsentHow, Source, TallyMove, Wish
from handlers.after_school.domain.states import EnrolmentState
from handlers.after_school.domain.words import Wanted, wanted_by
from handlers.after_school.models import AfterSchoolEnrolment, AfterSchoolStatement, AfterSchoolTally
from handlers.after_school.service.collection.audiences import StandingAudiences
from handlers.after_school.service.leaving import OptOut
from handlers.after_school.texts import collection as texts
from handlers.deliveries.models import HandListLine
from tests import factories
from tests.handlers.after_school.collecting import Collecting, staff
from tests.handlers.after_school.stage import Stage, check, pool

S = Standing


@pytest.fixture
async def collecting(stage: Stage) -> Collecting:
    return await Collecting(stage).build()


# ----------------------------------------------------------------------------------------------------------- the ledger
async def test_what_came_on_every_way_stands_in_one_list(collecting: Collecting) -> None:
    await collecting.stage.sign_up(0, "合唱")
    await collecting.stage.leaving.opt_out(
        collecting.stage.guardians[1],
        OptOut(child_id=collecting.child(1), source=Source.CHAT, plan_id=collecting.plan, reason="自己接"),
    )
    await collecting.say(2, Wish.JOIN)
    assert await collecting.standings() == [S.SIGNED_UP, S.NOT_JOINING, S.WANTS, S.UNANSWERED, S.UNANSWERED]
    page = await collecting.tallies.child(collecting.head, collecting.plan, collecting.child(2))
    [voice] = page.heard.voices
    assert (voice.source, voice.consent_how) == (Source.PAPER, ConsentHow.SIGNED_PAPER)
    assert page.names == {str(collecting.head.person_id): "李秋云"}


async def test_paper_against_the_familys_own_word_is_shown_until_the_family_was_asked(collecting: Collecting) -> None:
    await collecting.stage.sign_up(0, "合唱")
    collecting.stage.clock.advance(timedelta(minutes=5))
    await collecting.say(0, Wish.NOT_JOIN)
    assert (await collecting.standings())[0] is S.DISAGREEING
    assert await collecting.stage.states("合唱") == {"enrolled": 1}, "nobody is thrown out"
    collecting.stage.clock.advance(timedelta(minutes=5))
    await collecting.say(0, Wish.JOIN, ConsentHow.BY_PHONE, settles=True)
    assert (await collecting.standings())[0] is S.SIGNED_UP
    page = await collecting.tallies.child(collecting.head, collecting.plan, collecting.child(0))
    assert len(page.heard.voices) == 3, "all that was said is still there"


async def test_when_the_family_was_asked_and_says_no_the_place_goes_on(collecting: Collecting) -> None:
    stage = collecting.stage
    for number in range(3):
        await stage.sign_up(number, "合唱")
    stage.clock.advance(timedelta(minutes=5))
    await collecting.say(0, Wish.NOT_JOIN)
    stage.clock.advance(timedelta(minutes=5))
    await collecting.say(0, Wish.NOT_JOIN, ConsentHow.BY_PHONE, settles=True, reason="爷爷接")
    assert (await collecting.standings())[0] is S.NOT_JOINING
    assert await stage.states("合唱") == {"opted_out": 1, "enrolled": 1, "offered": 1}
    await check()


async def test_the_same_form_sent_twice_is_entered_once(collecting: Collecting) -> None:
    for _ in range(2):
        await collecting.say(0, Wish.NOT_JOIN, reason="自己接")
    assert await AfterSchoolStatement.all().count() == 1


async def test_words_of_families_are_encrypted(collecting: Collecting) -> None:
    await collecting.say(0, Wish.NOT_JOIN, reason="奶奶在家带")
    connection = AfterSchoolStatement._meta.db
    [row] = await connection.execute_query_dict("SELECT reason FROM after_school_statement")
    assert "奶奶".encode() not in bytes(row["reason"])


async def test_a_mistake_is_taken_back_and_not_forgotten(collecting: Collecting) -> None:
    stage = collecting.stage
    await collecting.say(0, Wish.NOT_JOIN)
    row = await AfterSchoolStatement.get()
    stage.clock.advance(timedelta(days=1))
    await collecting.entering.take_back(collecting.head, collecting.plan, collecting.child(0), str(row.id))
    assert (await collecting.standings())[0] is S.UNANSWERED
    yesterday = local_date(stage.clock.now()) - timedelta(days=1)
    before = await collecting.tallies.of_class(collecting.head, collecting.plan, collecting.room, yesterday)
    assert before.counts[S.NOT_JOINING.value] == 1, "as it was known then"


async def test_what_the_family_said_itself_no_teacher_takes_back(collecting: Collecting) -> None:
    own = OptOut(child_id=collecting.child(0), source=Source.CHAT, plan_id=collecting.plan)
    await collecting.stage.leaving.opt_out(collecting.stage.guardians[0], own)
    row = await AfterSchoolStatement.get()
    with pytest.raises(NotYours):
        await collecting.entering.take_back(collecting.head, collecting.plan, collecting.child(0), str(row.id))


async def test_nothing_is_entered_without_how_the_family_agreed_or_for_tomorrow(collecting: Collecting) -> None:
    tomorrow = local_date(collecting.stage.clock.now()) + timedelta(days=1)
    with pytest.raises(SaidLater):
        await collecting.say(0, Wish.JOIN, said_on=tomorrow)
    with pytest.raises(WishInvalid):
        await collecting.say(0, Wish.COURSE, programme_id=str(uuid4()))
    assert not await AfterSchoolStatement.exists()


async def test_a_child_without_a_phone_at_home_is_signed_up_by_the_head_teacher(collecting: Collecting) -> None:
    course = collecting.stage.programmes["合唱"]
    own = collecting.head, collecting.plan, collecting.child(0), course
    assert await collecting.entering.sign_up(*own, ConsentHow.SIGNED_PAPER) is EnrolmentState.ENROLLED
    row = await AfterSchoolEnrolment.get()
    assert (row.source, row.consent_how) == (Source.PAPER, ConsentHow.SIGNED_PAPER)
    assert (await collecting.standings())[0] is S.SIGNED_UP


# ---------------------------------------------------------------------------------------------------- on an earlier day
async def test_the_tally_of_an_earlier_day_is_what_was_known_then(collecting: Collecting) -> None:
    stage, days = collecting.stage, []
    await stage.sign_up(0, "合唱")
    days.append((local_date(stage.clock.now()), await collecting.standings()))
    stage.clock.advance(timedelta(days=1))
    first = days[0][0]
    await collecting.say(1, Wish.NOT_JOIN, said_on=first)
    view = await AfterSchoolEnrolment.get()
    await stage.leaving.withdraw(stage.guardians[0], str(view.id), Source.MINIPROGRAM)
    days.append((local_date(stage.clock.now()), await collecting.standings()))
    stage.clock.advance(timedelta(days=1))
    await collecting.say(2, Wish.JOIN)
    for day, expected in days:
        tally = await collecting.tallies.of_class(collecting.head, collecting.plan, collecting.room, day)
        found = {line.seat.child_id: line.heard.standing for line in tally.lines}
        assert [found[collecting.child(number)] for number in range(5)] == expected, day
    assert days[0][1] == [S.SIGNED_UP, *[S.UNANSWERED] * 4], "what was said then and came in later was not known"
    assert days[1][1][:2] == [S.NOT_JOINING, S.NOT_JOINING]


# -------------------------------------------------------------------------------------------------------- the signature
async def test_a_signed_list_is_not_written_in_until_it_is_opened_with_a_reason(collecting: Collecting) -> None:
    await collecting.say(0, Wish.JOIN)
    await collecting.close()
    tally = await collecting.tally()
    assert tally.is_closed
    assert tally.mark is not None
    assert tally.mark.by == "李秋云"
    assert tally.mark.counts[S.UNANSWERED.value] == 4
    with pytest.raises(TallyClosed):
        await collecting.say(1, Wish.JOIN)
    with pytest.raises(TallyClosed):
        await collecting.chasing.remind(collecting.head, collecting.plan, collecting.room)
    with pytest.raises(ReasonMissing):
        await collecting.tallies.reopen(collecting.head, collecting.plan, collecting.room, " ")
    await collecting.tallies.reopen(collecting.head, collecting.plan, collecting.room, "漏了一家")
    await collecting.say(1, Wish.JOIN)
    await collecting.close()
    marks = (await collecting.tally()).marks
    assert [(mark.move, mark.reason) for mark in marks] == [
        (TallyMove.CLOSED, ""),
        (TallyMove.REOPENED, "漏了一家"),
        (TallyMove.CLOSED, ""),
    ]


async def test_what_a_family_does_after_the_signature_is_seen(collecting: Collecting) -> None:
    await collecting.close()
    assert not (await collecting.tally()).has_moved
    await collecting.stage.sign_up(0, "合唱")
    assert (await collecting.tally()).has_moved


async def test_nobody_signs_what_they_have_not_seen_or_what_disagrees(collecting: Collecting) -> None:
    seen = (await collecting.tally()).fingerprint
    await collecting.stage.sign_up(0, "合唱")
    with pytest.raises(TallyMoved):
        await collecting.tallies.close(collecting.head, collecting.plan, collecting.room, seen)
    collecting.stage.clock.advance(timedelta(minutes=1))
    await collecting.say(0, Wish.NOT_JOIN)
    with pytest.raises(TallyNotReady):
        await collecting.close()
    assert not await AfterSchoolTally.exists()


async def test_two_who_sign_at_once_sign_once(collecting: Collecting) -> None:
    tally = await collecting.tally()
    asked = [
        collecting.tallies.close(actor, collecting.plan, collecting.room, tally.fingerprint)
        for actor in (collecting.head, collecting.leader)
    ]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(each) for each in found if isinstance(each, BaseException)] == [IllegalTallyMove]
    assert await AfterSchoolTally.all().count() == 1


# ---------------------------------------------------------------------------------------------------- who is to be told
async def test_families_that_are_silent_are_told_once_a_day(collecting: Collecting) -> None:
    stage = collecting.stage
    await stage.sign_up(0, "合唱")
    assert await collecting.chasing.remind(collecting.head, collecting.plan, collecting.room) == 4
    with pytest.raises(RemindedToday):
        await collecting.chasing.remind(collecting.head, collecting.plan, collecting.room)
    stage.clock.advance(timedelta(days=1))
    assert await collecting.chasing.remind(collecting.head, collecting.plan, collecting.room) == 4


async def test_a_family_that_has_answered_meanwhile_is_left_in_peace(collecting: Collecting) -> None:
    await collecting.chasing.remind(collecting.head, collecting.plan, collecting.room)
    await collecting.stage.sign_up(0, "合唱")
    words = await collecting.words()
    assert isinstance(words[0], NotNeeded)
    assert isinstance(words[1], Composed)
    assert "陈小满" in words[1].text
    assert "不参加也没关系" in words[1].text, "nobody is urged to join"
    assert len(words[1].text.encode()) < 2048


def test_the_words_a_reminder_tells_families_to_say_are_understood() -> None:
    wanted = [wanted_by(word) for word in re.findall("回复“(.+?)”", texts.PUSH_TEXT)]
    assert wanted == [Wanted.SIGN_UP, Wanted.OPT_OUT], "no is as easy as yes"


async def test_nobody_is_told_when_all_have_answered(collecting: Collecting) -> None:
    for number in range(5):
        await collecting.say(number, Wish.NOT_JOIN)
    with pytest.raises(NobodyToRemind):
        await collecting.chasing.remind(collecting.head, collecting.plan, collecting.room)


async def test_a_child_with_nobody_on_the_roster_comes_onto_the_list_of_calls(collecting: Collecting) -> None:
    alone = await factories.make_pupil(collecting.stage.room, name="赵平")
    await collecting.chasing.remind(collecting.head, collecting.plan, collecting.room)
    assert [str(line.child_id) for line in await HandListLine.all()] == [str(alone.id)]
    assert await OutboxPush.all().count() == 5


async def test_the_list_to_ring_names_whom_and_a_phone_is_written_down(collecting: Collecting) -> None:
    await collecting.say(0, Wish.JOIN)
    tally, rings = await collecting.chasing.to_ring(collecting.head, collecting.plan, collecting.room)
    assert len(rings) == 4
    assert all(ring.is_reached and ring.standing is S.UNANSWERED for ring in rings)
    own = rings[0].whom[0].person_id
    assert await collecting.chasing.reveal(collecting.head, collecting.plan, collecting.room, own)
    assert await AuditRow.filter(action="contact.reveal").count() == 1
    answered = collecting.stage.guardians[0].person_id
    with pytest.raises(NotFound):
        await collecting.chasing.reveal(collecting.head, collecting.plan, collecting.room, str(answered))
    assert tally.counts[S.UNANSWERED.value] == 4


# ----------------------------------------------------------------------------------------------------- the whole school
async def test_the_roll_up_says_who_has_signed_and_measures_nobody(collecting: Collecting) -> None:
    other = await factories.make_class(collecting.stage.school, grade=3, number=2)
    await factories.make_pupil(other)
    await collecting.stage.sign_up(0, "合唱")
    await collecting.close()
    page = await collecting.tallies.roll_up(collecting.stage.admin, collecting.plan)
    [school] = page.schools
    assert [row.room.name for row in school.rooms] == ["三年级1班", "三年级2班"], "by number, not by who joins"
    assert [row.is_closed for row in school.rooms] == [True, False]
    assert school.closed == 1
    assert page.children == 6
    assert list(page.courses) == [("合唱", 1, 0)]
    assert not {"signed_up", "not_joining", "counts", "share"} & set(type(school.rooms[0]).__slots__)


async def test_a_head_teacher_sees_the_own_class_only(collecting: Collecting) -> None:
    stage = collecting.stage
    other = await factories.make_class(stage.school, grade=3, number=2)
    child = await factories.make_pupil(other)
    page = await collecting.tallies.roll_up(collecting.head, collecting.plan)
    assert [row.room.id for school in page.schools for row in school.rooms] == [collecting.room]
    foreign = str(other.id)
    for asked in (
        collecting.tallies.of_class(collecting.head, collecting.plan, foreign),
        collecting.tallies.child(collecting.head, collecting.plan, str(child.id)),
        collecting.tallies.reasons(collecting.head, collecting.plan, foreign),
        collecting.chasing.remind(collecting.head, collecting.plan, foreign),
        collecting.tallies.close(collecting.head, collecting.plan, foreign, ""),
        collecting.tallies.of_class(collecting.head, str(uuid4()), collecting.room),
    ):
        with pytest.raises(NotFound):
            await asked


async def test_reasons_are_for_the_head_teacher_and_the_school_leader(collecting: Collecting) -> None:
    await collecting.say(0, Wish.NOT_JOIN, reason="爷爷接")
    for actor in (collecting.head, collecting.leader):
        _, rows = await collecting.tallies.reasons(actor, collecting.plan, collecting.room)
        assert [(row.name, row.reason) for row in rows] == [("何若曦", "爷爷接")]
    assert await AuditRow.filter(action="tally.reasons").count() == 2
    with pytest.raises(NotPermitted):
        await collecting.tallies.reasons(collecting.stage.admin, collecting.plan, collecting.room)
    guardian = collecting.stage.guardians[0]
    with pytest.raises(NotPermitted):
        await collecting.tallies.of_class(guardian, collecting.plan, collecting.room)


async def test_a_draft_is_collected_for_by_nobody(collecting: Collecting) -> None:
    stage = collecting.stage
    view = await stage.offers.write(stage.admin, stage.draft(pool("象棋", 5), title="下一份"))
    assert [plan.id for plan in await collecting.tallies.plans(collecting.head)] == [collecting.plan]
    with pytest.raises(NotFound):
        await collecting.tallies.roll_up(stage.admin, view.id)


# ---------------------------------------------------------------------------------------------------------- other parts
async def test_notices_can_be_for_those_who_have_not_answered(collecting: Collecting) -> None:
    [source] = [each for part in collecting.assembly.parts for each in part.audiences if each.name == "after_school"]
    assert isinstance(source, StandingAudiences)
    await collecting.stage.sign_up(0, "合唱")
    await collecting.say(1, Wish.NOT_JOIN)
    titles = {choice.title: choice.key for choice in await source.choices(collecting.head)}
    today = local_date(collecting.stage.clock.now())
    wanted = {"已报上": [0], "不参加": [1], "没答复": [2, 3, 4], "排队等名额": []}
    for words, numbers in wanted.items():
        found = await source.child_ids(titles[f"课后服务：{words}的孩子"], today)
        assert sorted(found) == sorted(map(collecting.child, numbers)), words
    stranger = await staff(Grant(Role.EDITOR))
    assert not await source.choices(stranger)


async def test_an_unsigned_list_is_a_duty_of_the_class(collecting: Collecting) -> None:
    [source] = [
        each for part in collecting.assembly.parts for each in part.duties if "tally" in type(each).__name__.lower()
    ]
    assert await source.open_duties(collecting.room) == {"没签名的课后服务统计": 1}
    await collecting.close()
    assert await source.open_duties(collecting.room) == {}


async def test_what_is_refused_changes_nothing(collecting: Collecting) -> None:
    guardian = collecting.stage.guardians[0]
    for asked in (
        collecting.tallies.close(guardian, collecting.plan, collecting.room, ""),
        collecting.chasing.remind(guardian, collecting.plan, collecting.room),
        collecting.tallies.close(collecting.stage.admin, collecting.plan, collecting.room, ""),
    ):
        with pytest.raises(AppError):
            await asked
    assert not await AfterSchoolTally.exists()
    assert not await OutboxPush.exists()
