"""Where people are reached, and with whom they share a day's messages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.clock import FrozenClock, local_date
from bot.storage.base import blind_index
from bot.storage.database import Database
from handlers.accounts.domain import Account, AppointmentKind, PupilStatus
from handlers.accounts.models import Bar
from handlers.accounts.service.address_book import AccountsAddressBook
from tests.factories import (
    LONG_AGO,
    make_appointment,
    make_class,
    make_guardianship,
    make_identity,
    make_person,
    make_pupil,
)


@pytest.fixture
def book(clock: FrozenClock, database: Database) -> AccountsAddressBook:
    return AccountsAddressBook(clock)


def ids(*rows: Any) -> list[str]:
    return [str(row.id) for row in rows]


async def test_a_person_is_reached_at_both_accounts(book: AccountsAddressBook) -> None:
    mother, father = await make_person(), await make_person()
    pupil = await make_pupil()
    for person in (mother, father):
        await make_guardianship(pupil, person)
    await make_identity("o_mother", mother)
    await make_identity("mp_mother", mother, account=Account.MINI_PROGRAM)
    found = await book.addresses(ids(mother, father))
    own = found[str(mother.id)]
    assert (own.openid, own.mini_program_openid) == ("o_mother", "mp_mother")
    assert own.openid_index == blind_index("openid", "o_mother")
    assert own.mini_program_openid_index == blind_index("openid", "mp_mother")
    assert found[str(father.id)].openid is None
    assert "o_mother" not in repr(own)


async def test_who_is_not_there_any_more_is_left_out(book: AccountsAddressBook, clock: FrozenClock) -> None:
    today = local_date(clock.now())
    gone, erased, barred, stranger, teacher = [await make_person(is_erased=n == 1) for n in range(5)]
    await make_guardianship(await make_pupil(status=PupilStatus.LEFT), gone)
    await make_guardianship(await make_pupil(), gone, ended_on=today)
    await make_guardianship(await make_pupil(), erased)
    tie = await make_guardianship(await make_pupil(), barred)
    await Bar.create(
        pupil_id=tie.pupil_id, person_id=barred.id, reason="文书", since=today, created_at=LONG_AGO, updated_at=LONG_AGO
    )
    school_class = await make_class()
    await make_appointment(AppointmentKind.HEAD_TEACHER, gone, school_class=school_class, until=today - timedelta(1))
    await make_appointment(AppointmentKind.HEAD_TEACHER, teacher, school_class=school_class)
    found = await book.addresses(ids(gone, erased, barred, stranger, teacher))
    assert set(found) == {str(teacher.id)}


async def test_all_guardians_of_the_same_children_are_one_family(book: AccountsAddressBook) -> None:
    first, second, other = [await make_pupil() for _ in range(3)]
    mother, father, grandmother, neighbour, teacher = [await make_person() for _ in range(5)]
    for person, pupils in ((mother, (first, second)), (father, (first,)), (grandmother, (second,))):
        for pupil in pupils:
            await make_guardianship(pupil, person)
    await make_guardianship(other, neighbour)
    await make_appointment(AppointmentKind.HEAD_TEACHER, teacher, school_class=await make_class())
    wanted = ids(mother, father, grandmother, neighbour, teacher)
    families = [(await book.addresses(wanted))[person].family for person in wanted]
    own = min(str(first.id), str(second.id))
    assert families == [own, own, own, str(other.id), str(teacher.id)]
    alone = await book.addresses(ids(grandmother))
    assert alone[str(grandmother.id)].family == own, "whoever is asked about, the family is the same"


async def test_half_brothers_make_one_family(book: AccountsAddressBook) -> None:
    pupils = [await make_pupil() for _ in range(4)]
    people = [await make_person() for _ in range(5)]
    for number, pupil in enumerate(pupils):
        await make_guardianship(pupil, people[number])
        await make_guardianship(pupil, people[number + 1])
    found = await book.addresses(ids(people[0], people[4]))
    assert {address.family for address in found.values()} == {min(ids(*pupils))}
