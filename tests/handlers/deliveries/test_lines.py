"""Whose family comes onto the list of calls, who ticks it off, and what takes it off by itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.audit.models import AuditRow
from bot.delivery.models import DeliveryStatus, OutboxPush
from bot.delivery.pushes import Purpose, Push, PushClass
from bot.errors import NotFound, NotPermitted
from bot.identity import Actor, Grant, Role
from bot.storage.database import transaction
from handlers.accounts.domain import AppointmentKind, PupilStatus
from handlers.accounts.models import Pupil
from handlers.deliveries.domain import AlreadyTicked, LineState, NotTicked, Way
from handlers.deliveries.models import HandListLine
from handlers.deliveries.service.lines import DUTY, HandList, NewLine
from tests import factories
from tests.handlers.deliveries.conftest import OCCURRENCE, REASON, Place

FAILED, SENT, PLANNED = DeliveryStatus.UNREACHABLE, DeliveryStatus.SENT, DeliveryStatus.PLANNED


@pytest.fixture
def lines(place: Place) -> HandList:
    return place.machinery.services.get(HandList)


async def listed() -> dict[str, LineState]:
    """By the id of the child, or of somebody on the staff."""
    return {str(row.subject_id): row.state for row in await HandListLine.all()}


async def settle(place: Place, *pushes: Push, why: str = "not_bound") -> None:
    """As the worker does."""
    [listener] = place.part.unreachable
    async with transaction():
        await listener.could_not_reach(pushes, why)


async def job(place: Place, name: str) -> None:
    [found] = [each for each in place.part.jobs if each.id == name]
    await found.run()


# ----------------------------------------------------------------------------------------------- coming onto the list
async def test_a_family_nobody_of_which_was_reached_is_on_the_list_once_for_each_child(place: Place) -> None:
    mother = await factories.make_person()
    first, second = await place.child(mother), await place.child(mother)
    push = await place.promise(mother, first, second, status=FAILED)
    await settle(place, push)
    await settle(place, push)
    assert await listed() == {str(first.id): LineState.OPEN, str(second.id): LineState.OPEN}
    [row] = await HandListLine.filter(child_id=first.id)
    assert (row.class_id, row.school_id, row.township_id) == (place.room.id, place.school.id, place.town.id)


async def test_where_somebody_else_of_the_family_was_reached_nobody_has_to_call(place: Place) -> None:
    mother, father = await factories.make_person(), await factories.make_person()
    pupil = await place.child(mother, father)
    await place.promise(father, pupil, status=SENT)
    await settle(place, await place.promise(mother, pupil, status=FAILED))
    assert await listed() == {}


async def test_a_family_reached_after_all_is_taken_off(place: Place) -> None:
    mother, father = await factories.make_person(), await factories.make_person()
    pupil, other = await place.child(mother, father), await place.child(mother)
    await place.promise(father, pupil, status=PLANNED)
    await settle(place, await place.promise(mother, pupil, other, status=FAILED))
    assert set(await listed()) == {str(pupil.id), str(other.id)}
    await job(place, "deliveries.take_off")
    assert set((await listed()).values()) == {LineState.OPEN}
    await OutboxPush.filter(person_id=father.id).update(status=SENT)
    for _ in range(2):
        await job(place, "deliveries.take_off")
        assert await listed() == {str(pupil.id): LineState.REACHED, str(other.id): LineState.OPEN}


async def test_a_message_to_somebody_not_proved_reaches_no_family(place: Place) -> None:
    mother, uncle = await factories.make_person(), await factories.make_person()
    pupil = await place.child(mother)
    await factories.make_guardianship(pupil, uncle, bound_at=None)
    await place.promise(uncle, pupil, status=SENT)
    await settle(place, await place.promise(mother, pupil, status=FAILED))
    assert set(await listed()) == {str(pupil.id)}


async def test_alarms_and_children_who_have_left_are_not_on_the_list(place: Place) -> None:
    mother, father = await factories.make_person(), await factories.make_person()
    pupil, gone = await place.child(mother), await place.child(father)
    await Pupil.filter(id=gone.id).update(status=PupilStatus.LEFT)
    alarm = {"push_class": PushClass.ALARM}
    await settle(
        place,
        await place.promise(mother, pupil, status=FAILED, push=alarm),
        await place.promise(father, gone, status=FAILED),
    )
    assert await listed() == {}


async def test_somebody_on_the_staff_is_listed_at_the_school(place: Place) -> None:
    teacher, stranger = await factories.make_person(), await factories.make_person()
    await factories.make_appointment(AppointmentKind.SUBJECT_TEACHER, teacher, school_class=place.room)
    await settle(
        place,
        await place.promise(teacher, status=FAILED),
        await place.promise(stranger, status=FAILED),
    )
    [row] = await HandListLine.all()
    assert (row.subject_id, row.child_id, row.class_id, row.school_id) == (teacher.id, None, None, place.school.id)


async def test_a_child_with_nobody_on_the_roster_can_be_added(place: Place, lines: HandList) -> None:
    pupil, now = await place.child(), place.clock.now()
    line = NewLine(
        reason=REASON, occurrence=OCCURRENCE, person_id=None, child_id=str(pupil.id), purpose=Purpose.NOTICE,
        not_before=now, expires_at=now + timedelta(days=1),
    )  # fmt: skip
    assert await lines.add([line, line]) == 1
    assert await lines.add([line]) == 0
    [found] = await lines.open_for(str(place.room.id))
    assert (found.child_id, found.person_id, found.push) == (str(pupil.id), None, None)


# ---------------------------------------------------------------------------------------------------------- ticking off
async def test_one_call_is_about_all_the_children_of_the_message(place: Place, lines: HandList) -> None:
    other_room = await factories.make_class(place.school, number=2)
    mother = await factories.make_person()
    first, second = await place.child(mother), await place.child(mother, room=other_room)
    await settle(place, await place.promise(mother, first, second, status=FAILED))
    [line] = await lines.open_for(str(place.room.id))
    await lines.tick(place.actor(place.head, Role.HEAD_TEACHER), line.id, Way.PHONE)
    assert set((await listed()).values()) == {LineState.TOLD}
    told = await lines.of_matter(REASON, OCCURRENCE)
    assert {(each.way, each.settled_by) for each in told.values()} == {(Way.PHONE, str(place.head.id))}
    row = await AuditRow.filter(action="handlist.tick").get()
    assert (row.subject, row.purpose) == (f"handlist:{line.id}", "phone")


async def test_what_was_ticked_together_is_taken_back_together(place: Place, lines: HandList) -> None:
    other_room = await factories.make_class(place.school, number=2)
    mother = await factories.make_person()
    first, second = await place.child(mother), await place.child(mother, room=other_room)
    await settle(place, await place.promise(mother, first, second, status=FAILED))
    [line] = await lines.open_for(str(place.room.id))
    head = place.actor(place.head, Role.HEAD_TEACHER)
    with pytest.raises(NotTicked):
        await lines.untick(head, line.id)
    await lines.tick(head, line.id, Way.PHONE)
    elsewhere = await factories.make_class(place.school, number=3)
    stranger = await factories.make_person()
    grants = (Grant(Role.HEAD_TEACHER, classes=frozenset({str(elsewhere.id)})),)
    foreign = Actor(roles=frozenset({Role.HEAD_TEACHER}), person_id=str(stranger.id), grants=grants)
    with pytest.raises(NotFound):
        await lines.untick(foreign, line.id)
    place.clock.advance(timedelta(minutes=5))
    await lines.untick(head, line.id)
    assert set((await listed()).values()) == {LineState.OPEN}
    [row] = await HandListLine.filter(id=line.id)
    assert not any((row.way, row.settled_by, row.settled_at))
    purposes = [each.purpose for each in await AuditRow.filter(action="handlist.tick", outcome="done").order_by("at")]
    assert purposes == ["phone", "undo"]
    await lines.tick(head, line.id, Way.PAPER)
    assert {each.way for each in (await lines.of_matter(REASON, OCCURRENCE)).values()} == {Way.PAPER}


async def test_the_first_who_ticks_is_right(place: Place, lines: HandList) -> None:
    mother = await factories.make_person()
    await settle(place, await place.promise(mother, await place.child(mother), status=FAILED))
    [line] = await lines.open_for(str(place.room.id))
    head, leader = place.actor(place.head, Role.HEAD_TEACHER), place.actor(place.leader, Role.SCHOOL_LEADER)
    answers = await asyncio.gather(
        lines.tick(head, line.id, Way.PAPER), lines.tick(leader, line.id, Way.PHONE), return_exceptions=True
    )
    assert [type(answer) for answer in answers if answer is not None] == [AlreadyTicked]
    assert await AuditRow.filter(action="handlist.tick").count() == 1


async def test_only_what_is_within_reach_can_be_ticked(place: Place, lines: HandList) -> None:
    mother = await factories.make_person()
    other = await factories.make_class(place.school, number=2)
    await settle(place, await place.promise(mother, await place.child(mother, room=other), status=FAILED))
    [line] = await lines.open_for(str(other.id))
    with pytest.raises(NotFound):
        await lines.tick(place.actor(place.head, Role.HEAD_TEACHER), line.id, Way.PHONE)
    with pytest.raises(NotPermitted):
        await lines.tick(_teacher(place), line.id, Way.PHONE)
    await lines.tick(place.actor(place.admin, Role.ADMINISTRATOR), line.id, Way.IN_PERSON)


def _teacher(place: Place) -> Actor:
    return replace(place.actor(place.head, Role.HEAD_TEACHER), roles=frozenset({Role.TEACHER}), grants=())


# -------------------------------------------------------------------------------------------------------------- upkeep
async def test_what_is_over_or_about_a_child_who_left_goes_in_the_night(place: Place) -> None:
    mother, father = await factories.make_person(), await factories.make_person()
    stays, leaves = await place.child(mother), await place.child(father)
    for person, pupil in ((mother, stays), (father, leaves)):
        await settle(place, await place.promise(person, pupil, status=FAILED))
    await Pupil.filter(id=leaves.id).update(status=PupilStatus.LEFT)
    await job(place, "deliveries.tidy")
    assert await listed() == {str(stays.id): LineState.OPEN, str(leaves.id): LineState.NOT_NEEDED}
    place.notices.is_over = True
    await job(place, "deliveries.tidy")
    assert set((await listed()).values()) == {LineState.NOT_NEEDED}
    place.clock.advance(timedelta(days=181))
    await job(place, "deliveries.tidy")
    assert await listed() == {}


async def test_a_line_follows_the_child_into_another_class(place: Place, lines: HandList) -> None:
    mother = await factories.make_person()
    pupil, other = await place.child(mother), await factories.make_class(place.school, number=2)
    await settle(place, await place.promise(mother, pupil, status=FAILED))
    assert await lines.open_duties(str(place.room.id)) == {DUTY: 1}
    await Pupil.filter(id=pupil.id).update(school_class_id=other.id)
    await job(place, "deliveries.tidy")
    assert await lines.open_duties(str(place.room.id)) == {}
    assert await lines.open_duties(str(other.id)) == {DUTY: 1}
    await lines.pass_duties(str(other.id), str(place.leader.id))
    assert await lines.open_duties(str(other.id)) == {DUTY: 1}, "the class has them, whoever its head teacher is"


async def test_the_family_s_copy_says_how_they_were_told_and_erasure_takes_it(place: Place, lines: HandList) -> None:
    [records] = place.part.child_records
    mother = await factories.make_person()
    pupil = await place.child(mother)
    assert await records.child_data(str(pupil.id), str(mother.id)) == {}
    await settle(place, await place.promise(mother, pupil, status=FAILED))
    [line] = await lines.open_for(str(place.room.id))
    await lines.tick(place.actor(place.head, Role.HEAD_TEACHER), line.id, Way.PAPER)
    [told] = (await records.child_data(str(pupil.id), str(mother.id))).values()
    assert told == [{"时间": "2026-09-01T08:00:00+08:00", "方式": "纸条"}]
    await records.erase_child(str(pupil.id), keep_duty=True)
    assert await HandListLine.exists(child_id=pupil.id)
    await records.erase_child(str(pupil.id), keep_duty=False)
    assert not await HandListLine.exists(child_id=pupil.id)
