"""A call in vain that somebody writes down counts on the number that was called, on whichever way it was written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.errors import AppError
from handlers.contacts.domain.card import FactKind, Holder
from handlers.contacts.domain.numbers import NumberAsked, is_among, number_called
from handlers.contacts.domain.records import Contact, ContactOutcome, Met, Way
from handlers.contacts.models import ContactsFact, ContactsRecord
from handlers.contacts.service.recording.recording import Asked, RecordingService
from tests import factories
from tests.handlers.contacts.stage import Contacts, contact
from tests.handlers.contacts.test_admin_recording import Desk, desk
from tests.handlers.contacts.test_cards import stated
from tests.handlers.contacts.test_chat_recording import Talk, talk, town

__all__ = ["desk", "talk", "town"]

H = Holder


def missed(key: str = "k1", **values: Any) -> Contact:
    """A call nobody answered."""
    empty: dict[str, Any] = {"met": frozenset(), "topics": frozenset(), "finding": ""}
    return contact(key, **{"way": Way.CALL, "outcome": ContactOutcome.FAILED, **empty, **values})


def recording_of(contacts: Contacts) -> RecordingService:
    return contacts.machinery.services.get(RecordingService)


async def numbers(contacts: Contacts, *holders: Holder) -> None:
    """The first child is paired, and these have a number on its card."""
    await contacts.paired()
    await card(contacts, *holders)


async def card(contacts: Contacts, *holders: Holder) -> None:
    for place, holder in enumerate(holders):
        number = stated(holder=holder, value=f"1990000{place:04d}")
        await contacts.cards.state(contacts.people.teacher, contacts.child(), number)


async def tried(contacts: Contacts, made: Contact) -> None:
    await recording_of(contacts).write(contacts.people.teacher, contacts.child(), made, Asked())


async def counts() -> dict[Holder, tuple[int, bool]]:
    rows = await ContactsFact.filter(kind=FactKind.PHONE)
    return {row.holder: (row.failed_calls, row.is_stale) for row in rows}


# ---------------------------------------------------------------------------------------------------------------- rules
@pytest.mark.parametrize(
    ("made", "holders", "has_others", "number"),
    [
        (missed(), [], False, None),
        (missed(), [H.CARER], False, H.CARER),
        (missed(called=H.CARER), [H.CARER, H.PARENT_1], True, H.CARER),
        (missed(called=H.PARENT_2), [H.CARER], False, None),
        (missed(is_other_number=True), [H.CARER], False, None),
        (missed(way=Way.VISIT), [H.CARER], False, None),
        (contact(way=Way.CALL, met=frozenset({Met.CARER})), [H.CARER, H.PARENT_1], True, H.CARER),
        (contact(way=Way.CALL, met=frozenset({Met.PARENT})), [H.PARENT_1, H.PARENT_2], False, None),
    ],
)
def test_whose_number_was_called(made: Contact, holders: list[Holder], has_others: bool, number: Holder | None) -> None:
    assert number_called(made, holders, has_others=has_others) is number


@pytest.mark.parametrize(("holders", "has_others"), [([H.CARER, H.PARENT_1], False), ([H.CARER], True)])
def test_of_several_numbers_it_is_asked_which(holders: list[Holder], has_others: bool) -> None:
    with pytest.raises(NumberAsked) as asked:
        number_called(missed(), holders, has_others=has_others)
    assert asked.value.holders == tuple(holders)


def test_a_number_is_the_same_however_it_is_written() -> None:
    assert is_among("199 0000-1111", ["19900001111"])
    assert not is_among("19900001111", ["19900001112"])


# -------------------------------------------------------------------------------------------------------------- service
async def test_two_records_of_calls_in_vain_make_the_number_stale(contacts: Contacts) -> None:
    await numbers(contacts, H.CARER)
    for key in ("k1", "k1", "k2"):
        assert await contacts.cards.todos_of(contacts.people.teacher) == []
        await tried(contacts, missed(key))
    assert await counts() == {H.CARER: (2, True)}, "sent again it was counted once"
    assert [todo.count for todo in await contacts.cards.todos_of(contacts.people.teacher)] == [1]
    await tried(contacts, contact("k3", way=Way.CALL, met=frozenset({Met.CARER})))
    assert await counts() == {H.CARER: (0, False)}
    assert await contacts.cards.todos_of(contacts.people.teacher) == []


async def test_a_visit_in_vain_and_another_number_count_nothing(contacts: Contacts) -> None:
    await numbers(contacts, H.CARER)
    await tried(contacts, missed("k1", way=Way.VISIT))
    await tried(contacts, missed("k2", is_other_number=True))
    assert await counts() == {H.CARER: (0, False)}


async def test_a_correction_of_a_call_in_vain_counts_no_second_time(contacts: Contacts) -> None:
    await numbers(contacts, H.CARER, H.PARENT_1)
    teacher, recording = contacts.people.teacher, recording_of(contacts)
    first = await recording.write(teacher, contacts.child(), missed(called=H.CARER), Asked())
    again = missed("k2", called=H.CARER, finding="又打了一次")
    second = await recording.correct(teacher, first.record.id, again, Asked())
    assert await counts() == {H.CARER: (1, False), H.PARENT_1: (0, False)}
    await recording.correct(teacher, second.record.id, replace(again, client_key="k3", called=H.PARENT_1), Asked())
    assert (await counts())[H.PARENT_1] == (1, False)


async def test_which_of_several_numbers_is_asked_and_written_down_first(contacts: Contacts) -> None:
    await numbers(contacts, H.CARER, H.PARENT_1)
    with pytest.raises(NumberAsked):
        await tried(contacts, missed())
    assert (await contacts.deeds(contacts.child()))[-1].purpose == "number"
    assert await ContactsRecord.all().count() == 0
    await tried(contacts, missed(called=H.PARENT_1))
    assert await counts() == {H.CARER: (0, False), H.PARENT_1: (1, False)}


async def test_nothing_is_counted_of_a_record_that_was_not_kept(contacts: Contacts) -> None:
    await numbers(contacts, H.CARER)
    await ContactsFact.all().update(failed_calls=1)
    late = missed(happened_on=contact().happened_on.replace(year=2020))
    with pytest.raises(AppError):
        await tried(contacts, late)
    assert await counts() == {H.CARER: (1, False)}


# ---------------------------------------------------------------------------------------------------------------- doors
async def test_one_tap_beside_a_number_counts_on_it(desk: Desk) -> None:
    await card(desk.contacts, H.CARER, H.PARENT_1)
    father = await factories.make_guardianship(desk.contacts.children[0])
    assert father.pupil_id == desk.contacts.children[0].id
    page = await desk.browser.get(desk.own)
    assert page.count("打了，没有接") == 3
    for key in ("a1", "a2"):
        await desk.browser.post(f"{desk.own}/missed", {"key": key, "called": H.PARENT_1.value})
        assert desk.browser.status == 303
    await desk.browser.post(f"{desk.own}/missed", {"key": "a3", "called": "other"})
    assert await counts() == {H.CARER: (0, False), H.PARENT_1: (2, True)}
    assert "请重新问" in await desk.browser.get(desk.own)


async def test_the_form_asks_whose_number_it_was(desk: Desk) -> None:
    await card(desk.contacts, H.CARER, H.PARENT_1)
    form = {**await desk.form(), "way": "call", "outcome": "failed", "finding": ""}
    page = await desk.browser.post(f"{desk.own}/record", form)
    assert (desk.browser.status, "没有接的是谁的电话" in page) == (422, True)
    await desk.browser.post(f"{desk.own}/record", {**form, "called": H.CARER.value})
    assert desk.browser.status == 303
    assert await counts() == {H.CARER: (1, False), H.PARENT_1: (0, False)}


async def test_a_failed_call_in_the_chat_counts_on_the_only_number(talk: Talk) -> None:
    await card(talk.contacts, H.CARER)
    for _ in range(2):
        await talk.says("打了没接")
        assert "没有联系上" in await talk.says(talk.name(0))
    assert await counts() == {H.CARER: (2, True)}
    assert talk.said == 4


async def test_the_chat_asks_whose_number_it_was(talk: Talk) -> None:
    await card(talk.contacts, H.CARER, H.PARENT_1)
    await talk.says("打了没接")
    assert "谁的电话" in await talk.says(talk.name(0))
    assert await ContactsRecord.all().count() == 0
    assert "没有联系上" in await talk.says("1")
    assert await counts() == {H.CARER: (0, False), H.PARENT_1: (1, False)}
    assert talk.said == 3
