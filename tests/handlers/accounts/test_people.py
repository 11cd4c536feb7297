"""Reading people: within reach only, numbers masked, and what is protected written down in the same transaction."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from bot.audit.log import Audit
from bot.audit.models import AuditRow
from bot.clock import FrozenClock
from bot.errors import InvalidInput, NotFound, NotPermitted
from bot.identity import SYSTEM, VISITOR, Actor, Grant, Role
from bot.rights import Denial, Subject
from bot.storage.base import blind_index
from bot.storage.database import Database
from handlers.accounts.domain import AppointmentKind, PupilStatus, Relation
from handlers.accounts.models import Person, Pupil, School, SchoolClass
from handlers.accounts.service.identity import AccountsIdentity
from handlers.accounts.service.people import CursorInvalid, FieldUnknown, PeopleService, PupilFilter, StaffFilter
from tests.factories import (
    make_appointment,
    make_class,
    make_guardianship,
    make_person,
    make_pupil,
    make_school,
    make_township,
)


@pytest.fixture
def people(clock: FrozenClock, database: Database) -> PeopleService:
    return PeopleService(clock, Audit(clock), lambda: [])


def guardian(person: Person, *pupils: Pupil) -> Actor:
    grant = Grant(Role.GUARDIAN, children=frozenset(str(pupil.id) for pupil in pupils))
    return Actor(person_id=str(person.id), roles=frozenset({Role.GUARDIAN}), grants=(grant,))


def head_of(*classes: SchoolClass, role: Role = Role.HEAD_TEACHER) -> Actor:
    grant = Grant(role, classes=frozenset(str(each.id) for each in classes))
    return Actor(person_id=str(uuid4()), roles=frozenset({role}), grants=(grant,))


def leader_of(*schools: School) -> Actor:
    grant = Grant(Role.SCHOOL_LEADER, schools=frozenset(str(each.id) for each in schools))
    return Actor(person_id=str(uuid4()), roles=frozenset({Role.SCHOOL_LEADER}), grants=(grant,))


def administrator_of(township_id: object) -> Actor:
    grant = Grant(Role.ADMINISTRATOR, townships=frozenset({str(township_id)}))
    return Actor(person_id=str(uuid4()), roles=frozenset({Role.ADMINISTRATOR}), grants=(grant,))


async def audited() -> list[tuple[Any, ...]]:
    rows = await AuditRow.all().order_by("id")
    return [(row.action, row.subject, row.about, row.school, row.fields_seen) for row in rows]


# ---------------------------------------------------------------------------------------------------------- children
async def test_a_guardian_sees_children_at_several_schools_and_no_other(people: PeopleService) -> None:
    person = await make_person()
    first = await make_pupil(await make_class(grade=-2), name="安安")
    second = await make_pupil(await make_class(grade=7, number=3), name="白白")
    gone = await make_pupil(name="川川", status=PupilStatus.GRADUATED, school_class_id=None)
    await make_pupil()
    children = await people.children_of(guardian(person, second, first, gone))
    assert {child.id for child in children} == {str(first.id), str(second.id), str(gone.id)}
    by_name = {child.name: child for child in children}
    assert (by_name["安安"].class_name, by_name["安安"].grade, by_name["安安"].class_id) == (
        "小1班",
        -2,
        str(first.school_class_id),
    )
    assert (by_name["白白"].class_name, by_name["白白"].is_enrolled) == ("七年级3班", True)
    assert (by_name["川川"].class_name, by_name["川川"].grade, by_name["川川"].is_enrolled) == ("", None, False)
    assert by_name["白白"].school == (await School.get(id=second.school_id)).name


async def test_the_children_are_one_statement(
    people: PeopleService, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await make_person()
    for _ in range(3):
        await make_guardianship(await make_pupil(), person)
    actor = await AccountsIdentity(clock).actor_of_person(person.id)
    client = type(Pupil._meta.db)
    told: list[str] = []
    execute = client.execute_query

    async def listen(self: Any, query: str, *values: Any) -> Any:
        told.append(query)
        return await execute(self, query, *values)

    monkeypatch.setattr(client, "execute_query", listen)
    execute_dict = client.execute_query_dict

    async def listen_to_dict(self: Any, query: str, *values: Any) -> Any:
        before = len(told)
        rows = await execute_dict(self, query, *values)
        told[before:] = [query]
        return rows

    monkeypatch.setattr(client, "execute_query_dict", listen_to_dict)
    assert len(await people.children_of(actor)) == 3
    assert len(told) == 1


async def test_only_guardians_have_children(people: PeopleService) -> None:
    # Whose last tie has ended is a visitor, and asks as before: nothing is left, and that is no fault.
    for actor in (guardian(await make_person()), VISITOR):
        assert await people.children_of(actor) == []
    with pytest.raises(NotPermitted):
        await people.children_of(head_of(await make_class()))


async def test_a_child_brings_its_class_school_and_township(people: PeopleService) -> None:
    pupil = await make_pupil()
    school = await School.get(id=pupil.school_id)
    assert await people.subject_of_child(str(pupil.id)) == Subject(
        child_id=str(pupil.id),
        class_id=str(pupil.school_class_id),
        school_id=str(school.id),
        township_id=str(school.township_id),
    )
    for missing in (str(uuid4()), "no id"):
        with pytest.raises(NotFound):
            await people.subject_of_child(missing)


async def test_guardians_come_with_masked_phones_the_acting_one_first(people: PeopleService) -> None:
    pupil = await make_pupil()
    await make_guardianship(pupil, await make_person(phone="13900000001"), bound_at=None)
    acting = await make_person(phone="13800005678")
    await make_guardianship(pupil, acting, is_acting=True, relation=Relation.PATERNAL_GRANDMOTHER)
    await make_guardianship(pupil, ended_on=date(2026, 8, 1))
    first, second = await people.guardians_of(str(pupil.id))
    assert (first.person_id, first.phone, first.relation_name, first.is_acting, first.is_bound) == (
        str(acting.id),
        "138****5678",
        "奶奶",
        True,
        True,
    )
    assert (second.is_acting, second.is_bound) == (False, False)


# ------------------------------------------------------------------------------------------------------------ pupils
async def test_everybody_lists_the_pupils_they_are_charged_with(people: PeopleService) -> None:
    town = await make_township()
    school = await make_school(town)
    mine, beside = await make_class(school), await make_class(school, number=2)
    sibling_school = await make_class(await make_school(town))
    pupils = [await make_pupil(each) for each in (mine, beside, sibling_school, await make_class())]
    ids = [str(pupil.id) for pupil in pupils]

    async def seen(actor: Actor) -> set[str]:
        return {each.id for each in (await people.pupils(actor, PupilFilter())).items}

    assert await seen(head_of(mine)) == {ids[0]}
    assert await seen(head_of(mine, beside, role=Role.TEACHER)) == {ids[0], ids[1]}
    assert await seen(leader_of(school)) == {ids[0], ids[1]}
    assert await seen(administrator_of(town.id)) == {ids[0], ids[1], ids[2]}
    assert await seen(SYSTEM) == set(ids)
    assert await seen(Actor(roles=frozenset({Role.HEAD_TEACHER}))) == set()
    with pytest.raises(NotPermitted):
        await seen(guardian(await make_person(), pupils[0]))


async def test_lists_carry_masked_numbers_and_who_is_bound(people: PeopleService) -> None:
    pupil = await make_pupil(roster_number="G110105194912310021")
    await make_guardianship(pupil)
    await make_guardianship(pupil, bound_at=None)
    (line,) = (await people.pupils(SYSTEM, PupilFilter())).items
    assert line.roster_number == "G11**************21"
    assert (line.guardians, line.bound, line.class_name) == (2, 1, "三年级1班")


async def test_pages_follow_each_other_without_gaps(people: PeopleService) -> None:
    school_class = await make_class()
    names = [f"丁{sign}" for sign in "一七三上下不与"]
    for name in names:
        await make_pupil(school_class, name=name)
    found: list[str] = []
    cursor = None
    while True:
        page = await people.pupils(SYSTEM, PupilFilter(order="name", limit=3, cursor=cursor))
        assert page.total == 7
        found += [each.name for each in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(found) == sorted(names)
    for wrong in ("-1", "x", "9" * 30, "²"):
        with pytest.raises(CursorInvalid):
            await people.pupils(SYSTEM, PupilFilter(cursor=wrong))


async def test_a_search_by_name_is_written_down_without_the_name(people: PeopleService) -> None:
    school = await make_school()
    school_class = await make_class(school)
    found = await make_pupil(school_class, name="欧阳娜娜")
    await make_pupil(school_class, name="司马安安")
    page = await people.pupils(leader_of(school), PupilFilter(name=" 娜 "))
    assert [each.id for each in page.items] == [str(found.id)]
    assert await audited() == [("pupil.search", f"search:{blind_index('search', '娜')}", None, str(school.id), [])]
    with pytest.raises(NotPermitted):
        await people.pupils(head_of(school_class, role=Role.TEACHER), PupilFilter(name="娜"))
    assert (await people.pupils(leader_of(school), PupilFilter(name="%"))).items == []


async def test_a_foreign_pupil_and_a_missing_one_give_the_same_answer(people: PeopleService) -> None:
    actor = head_of(await make_class())
    foreign = await make_pupil()
    answers = []
    for pupil_id in (str(foreign.id), str(uuid4())):
        with pytest.raises(NotFound) as caught:
            await people.pupil(actor, pupil_id)
        assert isinstance(caught.value.denial, Denial)
        answers.append((type(caught.value), caught.value.message, caught.value.details))
        with pytest.raises(NotFound) as revealed:
            await people.reveal(actor, "pupil", pupil_id, "id_number")
        answers.append((type(revealed.value), revealed.value.message, revealed.value.details))
    assert len({str(answer) for answer in answers}) == 1


async def test_a_card_shows_guardians_and_places_and_hides_numbers(people: PeopleService) -> None:
    school_class = await make_class()
    pupil = await make_pupil(school_class, id_number="11010519491231002X")
    await make_guardianship(pupil, is_acting=True)
    card = await people.pupil(head_of(school_class), str(pupil.id))
    assert (card.birth_year, card.id_number, card.version) == (2017, "110*************2X", 1)
    assert [each.is_acting for each in card.guardians] == [True]
    assert [(place.class_name, place.since, place.until) for place in card.places] == [
        ("三年级1班", date(2026, 9, 1), None)
    ]


async def test_children_nobody_can_be_reached_for_are_listed(people: PeopleService) -> None:
    school_class = await make_class()
    await make_guardianship(await make_pupil(school_class))
    ended, unbound, alone = [await make_pupil(school_class) for _ in range(3)]
    await make_guardianship(ended, ended_on=date(2026, 8, 1))
    await make_guardianship(unbound, bound_at=None)
    await make_pupil()
    page = await people.unreachable(head_of(school_class))
    assert {each.id: each.guardians for each in page.items} == {str(ended.id): 0, str(unbound.id): 1, str(alone.id): 0}


# --------------------------------------------------------------------------------------------------------- in clear
async def test_what_is_shown_in_clear_is_written_down(people: PeopleService) -> None:
    school_class = await make_class()
    pupil = await make_pupil(school_class, id_number="11010519491231002X")
    mother = await make_person(phone="13900000001")
    await make_guardianship(pupil, mother)
    actor = head_of(school_class)
    assert await people.reveal(actor, "pupil", str(pupil.id), "id_number") == "11010519491231002X"
    assert await people.reveal(actor, "person", str(mother.id), "phone") == "13900000001"
    assert await people.reveal(actor, "person", str(mother.id), "id_number") == ""
    place = (str(pupil.id), str(pupil.school_id))
    assert await audited() == [
        ("contact.reveal", f"pupil:{pupil.id}", *place, ["id_number"]),
        ("contact.reveal", f"person:{mother.id}", *place, ["phone"]),
        ("contact.reveal", f"person:{mother.id}", *place, ["id_number"]),
    ]
    for kind, row_id, field in (
        ("pupil", pupil.id, "name"),
        ("person", mother.id, "openid"),
        ("school", pupil.id, "id"),
    ):
        with pytest.raises(FieldUnknown):
            await people.reveal(actor, kind, str(row_id), field)  # type: ignore[arg-type]


async def test_what_cannot_be_written_down_is_not_shown(clock: FrozenClock, database: Database) -> None:
    class Broken(Audit):
        async def record(self, *_: object, **__: object) -> None:
            raise RuntimeError("the audit is full")

    school_class = await make_class()
    pupil = await make_pupil(school_class, name="安安")
    people = PeopleService(clock, Broken(clock))
    with pytest.raises(RuntimeError):
        await people.reveal(head_of(school_class), "pupil", str(pupil.id), "roster_number")
    with pytest.raises(RuntimeError):
        await people.pupils(head_of(school_class), PupilFilter(name="安"))


async def test_the_staff_of_a_school_can_be_called_by_its_leader_only(people: PeopleService) -> None:
    school = await make_school()
    teacher = await make_person(phone="13900000001")
    await make_appointment(AppointmentKind.SUBJECT_TEACHER, teacher, school_class=await make_class(school))
    assert await people.reveal(leader_of(school), "person", str(teacher.id), "phone") == "13900000001"
    for actor in (leader_of(await make_school()), head_of(await make_class(school, number=2))):
        with pytest.raises(NotFound):
            await people.reveal(actor, "person", str(teacher.id), "phone")


# ------------------------------------------------------------------------------------------------------------- staff
async def test_staff_are_listed_while_their_charge_lasts(people: PeopleService) -> None:
    school = await make_school()
    school_class = await make_class(school)
    now, over, elsewhere = [await make_person() for _ in range(3)]
    await make_appointment(AppointmentKind.HEAD_TEACHER, now, school_class=school_class)
    await make_appointment(AppointmentKind.DUTY, over, school=school, since=date(2026, 1, 1), until=date(2026, 8, 31))
    await make_appointment(AppointmentKind.DUTY, elsewhere)
    (line,) = (await people.staff(leader_of(school), StaffFilter())).items
    assert (line.person_id, line.kind_name, line.class_name) == (str(now.id), "班主任", "三年级1班")
    (before,) = (await people.staff(leader_of(school), StaffFilter(on=date(2026, 5, 1)))).items
    assert before.person_id == str(over.id)
    assert [each.person_id for each in await people.staff_of_class(str(school_class.id))] == [str(now.id)]
    with pytest.raises(NotPermitted):
        await people.staff(head_of(school_class), StaffFilter())
    with pytest.raises(InvalidInput):
        await people.staff(leader_of(school), StaffFilter(name="1"))


async def test_the_whole_way_from_an_appointment_to_the_list(
    people: PeopleService, clock: FrozenClock, database: Database
) -> None:
    school_class = await make_class()
    pupil = await make_pupil(school_class)
    person = await make_person()
    await make_appointment(AppointmentKind.HEAD_TEACHER, person, school_class=school_class)
    actor = await AccountsIdentity(clock).actor_of_person(person.id)
    assert [each.id for each in (await people.pupils(actor, PupilFilter())).items] == [str(pupil.id)]
