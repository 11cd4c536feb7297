"""Contact cards: said, confirmed, called in vain; who sees what; and whether the carer is fit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tortoise.exceptions import BaseORMException

from bot.errors import NotFound, NotPermitted
from bot.storage.database import transaction
from handlers.contacts.domain.card import FactInvalid, FactKind, FactReplaced, FactSource, Fitness, Holder
from handlers.contacts.domain.clears import About
from handlers.contacts.domain.register import FileEnded, Group
from handlers.contacts.models import ContactsFact
from handlers.contacts.service.cards.facts import Stated
from handlers.contacts.service.cards.fitness import Checked
from tests import factories
from tests.handlers.contacts.stage import NOW, TODAY, Contacts
from tests.handlers.contacts.test_register import MISSING


def stated(kind: FactKind = FactKind.PHONE, value: str = "19900001111", **values: object) -> Stated:
    given: dict[str, object] = {
        "holder": Holder.CARER, "kind": kind, "value": value, "stated_on": TODAY, "source": FactSource.CARER, **values,
    }  # fmt: skip
    return Stated(**given)  # type: ignore[arg-type]


def checked(**values: object) -> Checked:
    given: dict[str, object] = {
        "age_ok": Fitness.YES, "health_ok": Fitness.NO, "no_barred_ground": Fitness.UNKNOWN, "checked_on": TODAY,
        **values,
    }  # fmt: skip
    return Checked(**given)  # type: ignore[arg-type]


async def test_versions_follow_and_the_same_said_again_confirms(contacts: Contacts) -> None:
    teacher, child = contacts.people.teacher, contacts.child()
    await contacts.paired()
    first = await contacts.cards.state(teacher, child, stated())
    contacts.clock.set(NOW + timedelta(days=30))
    again = await contacts.cards.state(teacher, child, stated())
    assert again != first
    contacts.clock.set(NOW + timedelta(days=40))
    [fact] = (await contacts.cards.card(teacher, child)).facts
    assert (fact.age, fact.confirmed_on) == (10, TODAY + timedelta(days=30))
    second = await contacts.cards.state(teacher, child, stated(value="19900002222"))
    assert await ContactsFact.all().count() == 3
    assert [each.id for each in (await contacts.cards.card(teacher, child)).of(Holder.CARER)] == [second]
    for older in (first, again):
        with pytest.raises(FactReplaced):
            await contacts.cards.confirm(teacher, older)
    with pytest.raises(FactInvalid):
        await contacts.cards.state(teacher, child, stated(stated_on=TODAY + timedelta(days=60)))


async def test_two_calls_in_vain_make_a_number_stale_and_an_answer_makes_it_good(contacts: Contacts) -> None:
    people, child = contacts.people, contacts.child()
    await contacts.paired(actor=people.colleague)
    fact = await contacts.cards.state(people.colleague, child, stated())
    assert not await contacts.cards.called(people.colleague, fact, is_answered=False)
    assert await contacts.cards.called(people.colleague, fact, is_answered=False)
    assert [each.fact_id for each in await contacts.cards.stale(people.colleague)] == [fact]
    assert [todo.count for todo in await contacts.cards.todos_of(people.head)] == [1]
    assert await contacts.cards.todos_of(people.lead) == [], "somebody keeps contact with the child"
    assert await contacts.cards.stale(people.teacher) == []
    card = await contacts.cards.card(people.colleague, child)
    assert (Holder.CARER, FactKind.PHONE) in card.clears[About.CARER].lacking
    assert not await contacts.cards.called(people.colleague, fact, is_answered=True)
    assert await contacts.cards.stale(people.colleague) == []
    name = await contacts.cards.state(people.colleague, child, stated(FactKind.NAME, "王奶奶"))
    with pytest.raises(FactInvalid):
        await contacts.cards.called(people.colleague, name, is_answered=False)


async def test_a_stale_number_is_the_lead_s_where_nobody_has_the_child(contacts: Contacts) -> None:
    lead, pair = contacts.people.lead, await contacts.paired()
    fact = await contacts.cards.state(lead, contacts.child(), stated())
    for _ in range(2):
        await contacts.cards.called(lead, fact, is_answered=False)
    assert await contacts.cards.todos_of(lead) == []
    await contacts.pairing.end(lead, pair)
    assert [todo.count for todo in await contacts.cards.todos_of(lead)] == [1]


async def test_who_reads_what_of_a_card(contacts: Contacts) -> None:
    people, child = contacts.people, contacts.child()
    await contacts.paired()
    await factories.make_guardianship(contacts.children[0], is_acting=True)
    await contacts.cards.state(people.lead, child, stated())
    hidden = await contacts.cards.state(people.lead, child, stated(FactKind.HEALTH, "有慢性病"))
    await contacts.fitness.check(people.lead, child, checked())
    for actor in (people.teacher, people.head):
        card = await contacts.cards.card(actor, child)
        assert [fact.kind for fact in card.facts] == [FactKind.PHONE]
        assert (card.checks, card.is_sealed_open) == ((), False)
        assert [each.is_acting for each in card.roster] == [True]
        for deed in (
            contacts.cards.state(actor, child, stated(FactKind.BARRED, "无")), contacts.cards.confirm(actor, hidden)
        ):  # fmt: skip
            with pytest.raises(NotFound):
                await deed
    card = await contacts.cards.card(people.lead, child)
    assert [fact.kind for fact in card.facts] == [FactKind.PHONE, FactKind.HEALTH]
    assert [check.health_ok for check in card.checks] == [Fitness.NO]


async def test_the_school_s_own_help_is_known_to_the_head_teacher_and_no_other_group_is(contacts: Contacts) -> None:
    people, child = contacts.people, contacts.child()
    await contacts.paired()
    await contacts.entered(group=Group.LEARNING, level=None)
    assert (await contacts.cards.card(people.head, child)).helps == (Group.LEARNING,)
    assert (await contacts.cards.card(people.teacher, child)).helps == ()


async def test_cards_of_others_are_not_there(contacts: Contacts) -> None:
    people, child = contacts.people, contacts.child()
    await contacts.paired()
    fact = await contacts.cards.state(people.teacher, child, stated())
    for actor in (people.colleague, people.leader, people.foreign_lead, people.foreign_teacher):
        for deed in (
            contacts.cards.card(actor, child), contacts.cards.state(actor, child, stated()),
            contacts.cards.confirm(actor, fact), contacts.cards.called(actor, fact, is_answered=False),
        ):  # fmt: skip
            with pytest.raises(NotFound):
                await deed
    for missing in (
        contacts.cards.card(people.teacher, MISSING), contacts.cards.confirm(people.teacher, MISSING),
        contacts.cards.card(people.head, contacts.child(1)), contacts.cards.card(people.head, "none"),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await missing
    for actor in (people.admin,):
        for deed in (contacts.cards.card(actor, child), contacts.cards.confirm(actor, fact)):
            with pytest.raises(NotPermitted):
                await deed
    for actor in (people.head, people.teacher, people.leader):
        with pytest.raises(NotPermitted):
            await contacts.fitness.check(actor, child, checked())
        with pytest.raises(NotPermitted):
            await contacts.fitness.paper(actor, child)


async def test_a_written_entrustment_is_kept_with_its_day(contacts: Contacts) -> None:
    from tests.handlers.after_school.waivers_stage import png

    lead, child = contacts.people.lead, contacts.child()
    with pytest.raises(FileEnded):
        await contacts.fitness.check(lead, child, checked())
    await contacts.entered()
    with pytest.raises(FactInvalid):
        await contacts.fitness.check(lead, child, checked(paper=png()))
    with pytest.raises(NotFound):
        await contacts.fitness.paper(lead, child)
    await contacts.fitness.check(lead, child, checked(paper=png(), written_on=TODAY))
    assert (await contacts.fitness.paper(lead, child)).content
    with pytest.raises(NotFound):
        await contacts.fitness.paper(contacts.people.foreign_lead, child)
    card = await contacts.cards.card(lead, child)
    assert card.checks[0].has_paper
    assert (Holder.CARER, FactKind.ENTRUSTMENT) not in card.clears[About.CARER].lacking


async def test_what_was_said_is_neither_changed_nor_removed(contacts: Contacts) -> None:
    await contacts.paired()
    await contacts.cards.state(contacts.people.teacher, contacts.child(), stated())
    with pytest.raises(BaseORMException):
        async with transaction():
            await ContactsFact.all().update(stated_on=TODAY - timedelta(days=1))
    with pytest.raises(BaseORMException):
        async with transaction():
            await ContactsFact.all().delete()


async def test_no_card_without_a_line_in_the_audit(contacts: Contacts) -> None:
    await contacts.paired()
    await contacts.cards.card(contacts.people.teacher, contacts.child())
    last = (await contacts.deeds(contacts.child()))[-1]
    assert (last.actor, set(last.fields_seen)) == (contacts.people.teacher.person_id, {"facts", "roster", "phone"})
    await contacts.break_audit()
    with pytest.raises(BaseORMException):
        await contacts.cards.card(contacts.people.teacher, contacts.child())
    with pytest.raises(BaseORMException):
        await contacts.cards.stale(contacts.people.teacher)
