"""Who keeps contact with whom: paired, handed over, received, ended; and staff who leave."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.errors import NotFound, NotPermitted
from bot.storage.database import transaction
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.models import Appointment
from handlers.accounts.service.appointments import AppointmentService
from handlers.contacts.domain.pairing import AlreadyPaired, NotAColleague, PairEnded, TooManyKeepers
from handlers.contacts.domain.register import FileEnded
from handlers.contacts.models import ContactsPair
from tests.handlers.contacts.stage import NOW, Contacts
from tests.handlers.contacts.test_register import MISSING


async def keepers(contacts: Contacts, number: int = 0) -> tuple[str, ...]:
    child = contacts.child(number)
    return (await contacts.reaching.keepers([child])).get(child, ())


async def test_a_pair_reaches_the_child_until_it_ends(contacts: Contacts) -> None:
    people, child = contacts.people, contacts.child()
    pair = await contacts.paired(actor=people.colleague)
    assert await keepers(contacts) == (people.colleague.person_id,)
    assert (await contacts.cards.card(people.colleague, child)).ward.id == child
    with pytest.raises(AlreadyPaired):
        await contacts.pairing.pair(people.lead, child, str(people.colleague.person_id))
    await contacts.pairing.end(people.lead, pair)
    with pytest.raises(NotFound):
        await contacts.cards.card(people.colleague, child)
    with pytest.raises(PairEnded):
        await contacts.pairing.end(people.lead, pair)
    [shown] = await contacts.pairing.pairs(people.lead, child)
    assert shown.until is not None
    assert [ward.id for ward in await contacts.pairing.orphaned(people.lead)] == [child]


async def test_only_children_on_the_register_and_only_colleagues_are_paired(contacts: Contacts) -> None:
    people = contacts.people
    pair = contacts.pairing.pair
    with pytest.raises(FileEnded):
        await pair(people.lead, contacts.child(), str(people.teacher.person_id))
    await contacts.entered()
    for stranger in (people.foreign_teacher.person_id, people.admin.person_id, MISSING):
        with pytest.raises(NotAColleague):
            await pair(people.lead, contacts.child(), str(stranger))
    point = await contacts.staff(AppointmentKind.SCHOOL_LEADER, school=contacts.point)
    for actor in (point, people.teacher, people.head):
        await pair(people.lead, contacts.child(), str(actor.person_id))
    with pytest.raises(TooManyKeepers):
        await pair(people.lead, contacts.child(), str(people.leader.person_id))
    offered = {each.person_id for each in await contacts.pairing.colleagues(people.lead, contacts.child())}
    assert {point.person_id, people.head.person_id} <= offered
    assert people.foreign_teacher.person_id not in offered


async def test_nobody_but_the_lead_of_the_school_pairs(contacts: Contacts) -> None:
    people, pair, child = contacts.people, await contacts.paired(), contacts.child()
    pairing, person = contacts.pairing, str(contacts.people.colleague.person_id)
    for actor in (people.head, people.teacher, people.leader, people.admin):
        for deed in (
            pairing.pair(actor, child, person), pairing.end(actor, pair), pairing.hand_over(actor, pair, person),
            pairing.pairs(actor, child), pairing.colleagues(actor, child), pairing.orphaned(actor),
        ):  # fmt: skip
            with pytest.raises(NotPermitted):
                await deed
    far = people.foreign_lead
    for deed in (
        pairing.pair(far, child, person), pairing.end(far, pair), pairing.hand_over(far, pair, person),
        pairing.pairs(far, child), pairing.colleagues(far, child), pairing.end(people.lead, MISSING),
        pairing.end(people.lead, "none"), pairing.receive(people.teacher, MISSING),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await deed
    with pytest.raises(NotPermitted):
        await pairing.received(people.admin)


async def test_a_child_is_handed_over_at_once_and_whoever_has_it_signs(contacts: Contacts) -> None:
    people, pair = contacts.people, await contacts.paired()
    await contacts.pairing.hand_over(people.lead, pair, str(people.colleague.person_id))
    assert await keepers(contacts) == (people.colleague.person_id,)
    [received] = await contacts.pairing.received(people.colleague)
    assert received.ward.id == contacts.child()
    assert received.before
    assert [todo.count for todo in await contacts.pairing.todos_of(people.colleague)] == [1]
    with pytest.raises(NotFound):
        await contacts.pairing.receive(people.teacher, received.pair_id)
    for _ in range(2):
        await contacts.pairing.receive(people.colleague, received.pair_id)
    assert await contacts.pairing.received(people.colleague) == []
    assert await contacts.pairing.todos_of(people.colleague) == []


async def test_whoever_leaves_the_staff_has_lost_the_child_before_any_row_is_ended(contacts: Contacts) -> None:
    people, child = contacts.people, contacts.child()
    await contacts.paired()
    gone = await contacts.leave(people.teacher)
    assert await contacts.reaching.paired_with(people.teacher.person_id) == frozenset()
    for actor, error in ((gone, NotPermitted), (people.teacher, NotFound)):
        with pytest.raises(error):
            await contacts.cards.card(actor, child)
    assert [ward.id for ward in await contacts.pairing.orphaned(people.lead)] == [child]
    assert [line.is_orphaned for line in await contacts.register.lines(people.lead)] == [True]
    assert await contacts.pairing.sweep() == 1
    assert await contacts.pairing.sweep() == 0
    assert (await ContactsPair.get()).until is not None


async def test_whoever_goes_to_another_school_has_lost_the_child_too(contacts: Contacts) -> None:
    people = contacts.people
    await contacts.paired()
    await Appointment.filter(person_id=people.teacher.person_id).update(school_id=contacts.foreign.id)
    with pytest.raises(NotFound):
        await contacts.cards.card(await contacts.actor(str(people.teacher.person_id)), contacts.child())


async def test_with_a_class_its_head_teacher_s_children_pass_and_nobody_else_s(contacts: Contacts) -> None:
    people, room = contacts.people, str(contacts.room.id)
    await contacts.paired(0, people.head)
    await contacts.paired(1, people.colleague)
    assert await contacts.pairing.open_duties(room) == {"负责的家校联系": 1}
    appointments = contacts.machinery.services.get(AppointmentService)
    contacts.clock.set(NOW + timedelta(days=1))
    hand_over = await appointments.hand_over(people.admin, room, str(people.teacher.person_id))
    contacts.identity.forget()
    teacher = await contacts.actor(str(people.teacher.person_id))
    assert await keepers(contacts, 0) == (teacher.person_id,)
    assert await keepers(contacts, 1) == (people.colleague.person_id,)
    assert len(await contacts.pairing.received(teacher)) == 1
    await appointments.accept(teacher, hand_over.id)
    async with transaction():
        await contacts.pairing.pass_duties(room, str(teacher.person_id))
    assert await ContactsPair.filter(until__isnull=True).count() == 2
