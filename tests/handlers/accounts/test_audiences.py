"""Whom a message is meant for: who is there today, as whatever they are, one row a person, never one who is barred."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from bot.rights import Reach
from bot.storage.database import Database
from handlers.accounts.domain import AppointmentKind, PupilStatus, Relation, SchoolKind
from handlers.accounts.models import Bar, Person, Pupil, School, SchoolClass, Township
from handlers.accounts.service.audience import Audience, AudienceEmpty, AudienceRole, GradesReversed, Stage
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.bars import name_index
from tests.factories import (
    LONG_AGO,
    make_appointment,
    make_class,
    make_guardianship,
    make_identity,
    make_person,
    make_pupil,
    make_school,
    make_township,
)

TODAY = date(2026, 9, 10)
GUARDIANS = frozenset({AudienceRole.GUARDIANS})
ACTING = frozenset({AudienceRole.ACTING_GUARDIANS})


@pytest.fixture
def audiences(database: Database) -> AccountsAudiences:
    return AccountsAudiences()


def of(*roles: AudienceRole, **filters: Any) -> Audience:
    return Audience(roles=frozenset(roles), **filters)


def ids(*rows: Any) -> frozenset[str]:
    return frozenset(str(row.id) for row in rows)


async def chosen(audiences: AccountsAudiences, audience: Audience) -> dict[str, str | None]:
    """By person the ids of the children, as the statement gives them to whoever plans messages."""
    found = await audiences.select(audience, TODAY)
    rows = await Person._meta.db.execute_query_dict(found.sql, list(found.parameters))
    result = {str(row["person_id"]): row["child_ids"] for row in rows}
    assert len(result) == len(rows), "one row a person"
    return result


# ----------------------------------------------------------------------------------------------------------- guardians
async def test_a_guardian_of_several_children_is_one_row_with_all_of_them_in_order(
    audiences: AccountsAudiences,
) -> None:
    school_class = await make_class()
    first, second = await make_pupil(school_class), await make_pupil(school_class)
    mother = await make_person()
    for pupil in (second, first):
        await make_guardianship(pupil, mother)
    await make_guardianship(first)
    rows = await chosen(audiences, Audience(roles=GUARDIANS, classes=ids(school_class)))
    assert rows[str(mother.id)] == "+".join(sorted([str(first.id), str(second.id)]))
    assert len(rows) == 2


async def test_who_is_not_there_any_more_is_not_in_it(audiences: AccountsAudiences) -> None:
    school_class = await make_class()
    pupil, left = await make_pupil(school_class), await make_pupil(school_class, status=PupilStatus.LEFT)
    stays = await make_guardianship(pupil)
    await make_guardianship(pupil, ended_on=TODAY)
    await make_guardianship(pupil, await make_person(is_erased=True))
    await make_guardianship(left)
    rows = await chosen(audiences, Audience(roles=GUARDIANS, schools=ids(await School.get(id=school_class.school_id))))
    assert rows == {str(stays.person_id): str(pupil.id)}


async def test_a_barred_adult_is_in_none_of_it(audiences: AccountsAudiences) -> None:
    pupil = await make_pupil()
    mother, father, uncle = await make_person(), await make_person(), await make_person(name="某某舅")
    await make_guardianship(pupil, mother)
    await make_guardianship(pupil, father, is_acting=True)
    await make_guardianship(pupil, uncle, bound_at=None)
    moments: dict[str, Any] = {"reason": "文书", "since": TODAY, "created_at": LONG_AGO, "updated_at": LONG_AGO}
    await Bar.create(pupil_id=pupil.id, person_id=father.id, **moments)
    await Bar.create(pupil_id=pupil.id, name_index=name_index("某某舅"), **moments)
    both = Audience(roles=GUARDIANS | ACTING, pupil_ids=ids(pupil), person_ids=ids(father, uncle))
    assert await chosen(audiences, both) == {str(mother.id): str(pupil.id)}
    assert [each.person_id for each in await audiences.people(both, TODAY)] == [str(mother.id)]
    (child,) = await audiences.children_of(both, TODAY)
    assert [each.person_id for each in child.guardians] == [str(mother.id)]
    assert await audiences.wards_of(ids(mother, father, uncle), TODAY) == {str(mother.id): ids(pupil)}


async def test_a_bar_that_is_over_keeps_nobody_out(audiences: AccountsAudiences) -> None:
    tie = await make_guardianship(await make_pupil())
    await Bar.create(
        pupil_id=tie.pupil_id, person_id=tie.person_id, reason="文书", since=TODAY - timedelta(9),
        until=TODAY - timedelta(1), created_at=LONG_AGO, updated_at=LONG_AGO,
    )  # fmt: skip
    assert list(await chosen(audiences, Audience(roles=GUARDIANS))) == [str(tie.person_id)]


async def test_where_nobody_has_proved_it_one_stands_for_the_family(audiences: AccountsAudiences) -> None:
    pupil = await make_pupil()
    await make_guardianship(pupil, bound_at=None)
    grandmother = await make_person()
    await make_guardianship(pupil, grandmother, bound_at=None, is_acting=True)
    assert await chosen(audiences, Audience(roles=GUARDIANS)) == {str(grandmother.id): str(pupil.id)}


async def test_a_phone_we_know_gets_nothing_about_a_child_nobody_proved(audiences: AccountsAudiences) -> None:
    """Somebody on the roster of two children who proved one of them only, or who is a teacher here."""
    proved, other = await make_pupil(), await make_pupil()
    mother = await make_person()
    await make_guardianship(proved, mother)
    await make_guardianship(other, mother, bound_at=None, is_acting=True)
    await make_identity("o_mother", mother)
    everybody = Audience(roles=GUARDIANS | ACTING, person_ids=ids(mother))
    assert await chosen(audiences, everybody) == {str(mother.id): str(proved.id)}
    (child,) = [each for each in await audiences.children_of(everybody, TODAY) if each.child.id == str(other.id)]
    assert [each.is_bound for each in child.guardians] == [False]
    assert await audiences.wards_of(ids(mother), TODAY) == {str(mother.id): ids(proved)}


async def test_acting_guardians_are_those_noted_and_else_all(audiences: AccountsAudiences) -> None:
    noted, unnoted = await make_pupil(), await make_pupil()
    await make_guardianship(noted)
    grandfather = await make_guardianship(noted, is_acting=True, bound_at=None)
    one, two = await make_guardianship(unnoted), await make_guardianship(unnoted)
    rows = await chosen(audiences, Audience(roles=ACTING))
    assert set(rows) == {str(tie.person_id) for tie in (grandfather, one, two)}


# ------------------------------------------------------------------------------------------------------------- places
async def _two_schools() -> tuple[Township, dict[str, School], dict[str, SchoolClass], dict[str, Pupil]]:
    township = await make_township()
    centre = await make_school(township, name="中心小学", place="洋河镇")
    point = await make_school(township, name="徐淮教学点", kind=SchoolKind.TEACHING_POINT, parent_id=centre.id)
    garden = await make_school(township, name="中心幼儿园", kind=SchoolKind.KINDERGARTEN)
    classes = {
        "three": await make_class(centre),
        "eight": await make_class(centre, grade=8),
        "one": await make_class(point, grade=1),
        "small": await make_class(garden, grade=-2),
    }
    pupils = {name: await make_pupil(each) for name, each in classes.items()}
    for pupil in pupils.values():
        await make_guardianship(pupil)
    return township, {"centre": centre, "point": point, "garden": garden}, classes, pupils


async def test_the_filters_of_places_hold_all_at_once(audiences: AccountsAudiences) -> None:
    township, schools, classes, pupils = await _two_schools()
    await make_guardianship(await make_pupil())
    centre = ids(schools["centre"])
    wanted: list[tuple[dict[str, Any], set[str]]] = [
        ({"township_id": str(township.id)}, {"three", "eight", "one", "small"}),
        ({"schools": centre}, {"three", "eight", "one"}),
        ({"schools": centre, "has_points": False}, {"three", "eight"}),
        ({"schools": centre, "grades": (1, 3)}, {"three", "one"}),
        ({"classes": ids(classes["eight"], classes["small"])}, {"eight", "small"}),
        ({"township_id": str(township.id), "stage": Stage.KINDERGARTEN}, {"small"}),
        ({"township_id": str(township.id), "stage": Stage.PRIMARY, "grades": (3, 9)}, {"three"}),
        ({"stage": Stage.JUNIOR}, {"eight"}),
        ({"stage": Stage.JUNIOR, "grades": (1, 2)}, set()),
        ({"places": frozenset({"洋河镇"})}, {"three", "eight"}),
        ({"pupil_ids": ids(pupils["one"], pupils["three"]), "without_pupils": ids(pupils["one"])}, {"three"}),
    ]
    names = {str(pupil.id): name for name, pupil in pupils.items()}
    for filters, expected in wanted:
        audience = Audience(roles=GUARDIANS, **filters)
        assert {names.get(child or "") for child in (await chosen(audiences, audience)).values()} == expected, filters
        found = await audiences.children_of(audience, TODAY)
        assert {names.get(each.child.id) for each in found} == expected, filters
        assert await audiences.count(audience, TODAY) == len(expected)


async def test_nobody_beyond_reach_is_in_it(audiences: AccountsAudiences) -> None:
    township, schools, classes, pupils = await _two_schools()
    leader = await make_appointment(AppointmentKind.SCHOOL_LEADER, school=schools["centre"])
    roles = of(AudienceRole.GUARDIANS, AudienceRole.SCHOOL_LEADERS, township_id=str(township.id))
    of_class = replace(roles, reach=Reach(classes=ids(classes["three"])))
    assert set((await chosen(audiences, of_class)).values()) == {str(pupils["three"].id)}
    of_school = replace(roles, reach=Reach(schools=ids(schools["centre"])))
    assert str(leader.person_id) in await chosen(audiences, of_school)
    assert len(await chosen(audiences, of_school)) == 3
    assert await chosen(audiences, replace(roles, reach=Reach())) == {}
    assert len(await chosen(audiences, replace(roles, reach=Reach(is_any=True)))) == 5


# -------------------------------------------------------------------------------------------------------------- staff
async def test_staff_belong_to_it_as_far_as_their_charge_touches_the_places(audiences: AccountsAudiences) -> None:
    township, schools, classes, pupils = await _two_schools()
    kinds = AppointmentKind
    held = {
        "head": await make_appointment(kinds.HEAD_TEACHER, school_class=classes["three"]),
        "subject": await make_appointment(kinds.SUBJECT_TEACHER, school_class=classes["eight"]),
        "leader": await make_appointment(kinds.SCHOOL_LEADER, school=schools["centre"]),
        "other": await make_appointment(kinds.SCHOOL_LEADER, school=schools["garden"]),
        "town": await make_appointment(kinds.TOWNSHIP_ADMINISTRATOR, township=township),
        "far": await make_appointment(kinds.TOWNSHIP_ADMINISTRATOR),
    }
    names = {str(each.person_id): name for name, each in held.items()}
    everybody = frozenset(AudienceRole) - GUARDIANS - ACTING
    wanted: list[tuple[dict[str, Any], set[str]]] = [
        ({}, set(held)),
        ({"township_id": str(township.id)}, set(held) - {"far"}),
        ({"schools": ids(schools["centre"])}, {"head", "subject", "leader", "town"}),
        ({"schools": ids(schools["point"])}, {"leader", "town"}),
        ({"grades": (1, 6)}, {"head", "leader", "town"}),
        ({"stage": Stage.KINDERGARTEN}, {"other", "town"}),
        ({"pupil_ids": ids(pupils["eight"])}, {"subject", "leader", "town"}),
        ({"classes": ids(classes["three"]), "without_persons": ids(await held["town"].person)}, {"head", "leader"}),
    ]
    for filters, expected in wanted:
        rows = await chosen(audiences, Audience(roles=everybody, **filters))
        assert {names[person] for person in rows} == expected, filters
        assert set(rows.values()) <= {None}


async def test_only_charges_that_last_count(audiences: AccountsAudiences) -> None:
    school_class = await make_class()
    over: dict[str, Any] = {"since": TODAY - timedelta(9), "until": TODAY - timedelta(1)}
    await make_appointment(AppointmentKind.HEAD_TEACHER, school_class=school_class, **over)
    await make_appointment(AppointmentKind.HEAD_TEACHER, school_class=school_class, since=TODAY + timedelta(1))
    gone = await make_person(is_erased=True)
    await make_appointment(AppointmentKind.HEAD_TEACHER, gone, school_class=school_class)
    assert await chosen(audiences, of(AudienceRole.HEAD_TEACHERS)) == {}


async def test_a_teacher_who_is_a_parent_is_one_row_and_picked_people_come_as_what_they_are(
    audiences: AccountsAudiences,
) -> None:
    pupil = await make_pupil()
    both, teacher, stranger = await make_person(), await make_person(), await make_person()
    await make_guardianship(pupil, both)
    school_class = await SchoolClass.get(id=pupil.school_class_id)
    await make_appointment(AppointmentKind.SUBJECT_TEACHER, both, school_class=school_class)
    await make_appointment(AppointmentKind.DUTY, teacher, school=await School.get(id=pupil.school_id))
    parts = of(AudienceRole.GUARDIANS, AudienceRole.SUBJECT_TEACHERS)
    assert await chosen(audiences, parts) == {str(both.id): str(pupil.id)}
    picked = Audience(person_ids=ids(both, teacher, stranger))
    assert await chosen(audiences, picked) == {str(both.id): str(pupil.id), str(teacher.id): None}


# ------------------------------------------------------------------------------------------------------------ as lists
async def test_the_list_names_people_as_what_they_are_in_the_order_of_classes(audiences: AccountsAudiences) -> None:
    township, _, classes, pupils = await _two_schools()
    await make_appointment(
        AppointmentKind.HEAD_TEACHER, await make_person(name="周老师"), school_class=classes["three"]
    )
    await make_guardianship(pupils["three"], await make_person(name="陈爷爷"), relation=Relation.PATERNAL_GRANDFATHER)
    audience = of(AudienceRole.GUARDIANS, AudienceRole.HEAD_TEACHERS, township_id=str(township.id))
    people = await audiences.people(audience, TODAY)
    lines = [(each.children[0].class_name if each.children else "", each.role) for each in people]
    places = [place for place, _ in lines]
    assert places.index("八年级1班") == places.index("三年级1班") + 2
    assert places[-1] == ""
    assert places.count("三年级1班") == 2
    assert lines[-1] == ("", "班主任")
    assert ("三年级1班", "爷爷") in lines
    paged = [await audiences.people(audience, TODAY, limit=2, offset=start) for start in (0, 2, 4, 6)]
    assert [each for page in paged for each in page] == people


async def test_the_map_has_every_child_with_all_its_guardians(audiences: AccountsAudiences) -> None:
    school_class = await make_class()
    alone, pupil = await make_pupil(school_class), await make_pupil(school_class)
    bound = await make_guardianship(pupil)
    acting = await make_guardianship(pupil, bound_at=None, is_acting=True)
    found = {each.child.id: each for each in await audiences.children_of(Audience(roles=GUARDIANS), TODAY)}
    assert found[str(alone.id)].guardians == ()
    assert [(each.person_id, each.is_bound) for each in found[str(pupil.id)].guardians] == [
        (str(acting.person_id), False),
        (str(bound.person_id), True),
    ]


async def test_staff_are_placed_at_their_school(audiences: AccountsAudiences) -> None:
    teacher = await make_appointment(AppointmentKind.HEAD_TEACHER, school_class=await make_class())
    administrator = await make_appointment(AppointmentKind.TOWNSHIP_ADMINISTRATOR)
    places = await audiences.staff_places([str(teacher.person_id), str(administrator.person_id)], TODAY)
    assert places[str(teacher.person_id)].school_id == str(teacher.school_id)
    assert places[str(administrator.person_id)].school_id is None


# ---------------------------------------------------------------------------------------------------------- as a value
def test_an_audience_can_be_kept() -> None:
    audience = of(
        AudienceRole.GUARDIANS, schools=frozenset({"b", "a"}), grades=(1, 6), stage=Stage.PRIMARY, has_points=False
    )
    assert Audience.of_plain(audience.as_plain()) == audience
    reach = Reach(is_any=True)
    assert Audience.of_plain(replace(audience, reach=reach).as_plain(), reach).reach is reach


def test_an_audience_names_somebody_and_its_grades_in_order() -> None:
    with pytest.raises(AudienceEmpty):
        Audience(schools=frozenset({"a"}))
    with pytest.raises(GradesReversed):
        of(AudienceRole.GUARDIANS, grades=(6, 1))


async def test_what_is_no_id_is_nobody_s_child(audiences: AccountsAudiences) -> None:
    assert await audiences.children(["某某", ""]) == {}
