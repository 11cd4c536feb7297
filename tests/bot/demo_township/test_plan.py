"""The plan of the made-up township: always the same, and everything others count on in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date

import pytest

from bot.demo_township.build import plan_township
from bot.demo_township.plan import Case, TownshipPlan
from handlers.accounts.domain import AppointmentKind, Relation, SchoolKind

TODAY = date(2026, 9, 1)


@pytest.fixture(scope="module")
def plan() -> TownshipPlan:
    return plan_township(TODAY, families=60)


def test_the_same_seed_and_day_give_the_same_township(plan: TownshipPlan) -> None:
    assert plan_township(TODAY, families=60).digest == plan.digest


@pytest.mark.parametrize("other", [{"seed": 2}, {"families": 61}], ids=["seed", "families"])
def test_another_seed_or_size_gives_another_one(plan: TownshipPlan, other: dict[str, int]) -> None:
    assert plan_township(TODAY, **{"families": 60, **other}).digest != plan.digest


def test_another_day_gives_another_one(plan: TownshipPlan) -> None:
    assert plan_township(date(2026, 9, 2), families=60).digest != plan.digest


def test_a_family_does_not_depend_on_how_many_others_there_are(plan: TownshipPlan) -> None:
    few = plan_township(TODAY, families=10)
    names = [few.person(f"g/{number:06d}").name for number in range(1, 11)]
    assert names == [plan.person(f"g/{number:06d}").name for number in range(1, 11)]


@pytest.mark.parametrize("families", [1, 2, 60])
def test_every_guardian_is_bound_has_a_child_of_their_own_and_has_consented(families: int) -> None:
    plan = plan_township(TODAY, families=families)
    guardians = {person.key: person.openid for person in plan.persons if person.openid.startswith("demo_g_")}
    assert sorted(guardians.values()) == [f"demo_g_{number:06d}" for number in range(1, families + 1)]
    bound = defaultdict(set)
    for tie in plan.ties:
        if tie.person in guardians:
            assert tie.bound_days_ago is not None
            bound[tie.person].add(tie.pupil)
    consented = {(consent.person, consent.pupil) for consent in plan.consents if consent.is_given}
    assert set(bound) == set(guardians)
    for person, children in bound.items():
        assert all((person, child) in consented for child in children)
        assert all(child.startswith(f"{person}/") for child in children)


def test_there_are_eight_schools_for_every_year(plan: TownshipPlan) -> None:
    kinds = Counter(school.kind for school in plan.schools)
    assert kinds == {SchoolKind.SCHOOL: 6, SchoolKind.TEACHING_POINT: 1, SchoolKind.KINDERGARTEN: 1}
    assert {room.grade for room in plan.classes if room.year == 2026} == set(range(-2, 10))
    assert len({school.name for school in plan.schools}) == 8
    grades = {school.key: school.grades for school in plan.schools}
    for pupil in plan.pupils:
        school, grade, _ = pupil.room.split("/")
        assert grades[school][0] <= int(grade) <= grades[school][1]


def test_classes_are_not_overfull(plan: TownshipPlan) -> None:
    big = plan_township(TODAY, families=3000)
    sizes = Counter(pupil.room for pupil in big.pupils)
    odd = sum(len(children) for _, children in big.cases)
    assert max(sizes.values()) <= 40 + odd
    assert set(sizes) <= {room.key for room in big.classes}
    assert len({room.key for room in plan.classes}) == len(plan.classes)


def test_every_class_has_a_head_teacher_and_a_teacher(plan: TownshipPlan) -> None:
    heads = Counter(charge.place for charge in plan.charges if charge.kind is AppointmentKind.HEAD_TEACHER)
    taught = {charge.place for charge in plan.charges if charge.kind is AppointmentKind.SUBJECT_TEACHER}
    rooms = {room.key for room in plan.classes if room.year == plan.year}
    assert set(heads) == taught == rooms
    assert set(heads.values()) == {1}


def test_staff_have_the_ids_that_are_counted_on(plan: TownshipPlan) -> None:
    openids = {person.openid for person in plan.persons}
    assert {"demo_t_0001", "demo_h_0001", "demo_a_0001", "demo_s_0001", "demo_p_0001"} <= openids
    held = defaultdict(set)
    for charge in plan.charges:
        held[plan.person(charge.person).openid].add(charge.kind)
    assert held["demo_a_0001"] == {AppointmentKind.TOWNSHIP_ADMINISTRATOR}
    assert held["demo_s_0001"] == {AppointmentKind.SCHOOL_LEADER}
    assert held["demo_p_0001"] == {AppointmentKind.PROTECTION_LEAD}
    assert plan.person("a/0001").name.startswith("孙")


def test_numbers_belong_to_one_person_each(plan: TownshipPlan) -> None:
    people = [person.phone for person in plan.persons]
    numbers = [person.id_number for person in plan.persons if person.id_number]
    numbers += [pupil.id_number for pupil in plan.pupils]
    openids = [person.openid for person in plan.persons if person.openid]
    for each in (people, numbers, openids):
        assert len(set(each)) == len(each)


def test_nobody_is_born_after_today_and_children_have_the_age_of_their_year(plan: TownshipPlan) -> None:
    for pupil in plan.pupils:
        grade = int(pupil.room.split("/")[1])
        first, last = date(plan.year - 6 - grade, 9, 1), date(plan.year - 5 - grade, 8, 31)
        assert first <= pupil.birth_date <= last < TODAY


def test_the_odd_families_are_what_they_say(plan: TownshipPlan) -> None:
    ties = defaultdict(list)
    for tie in plan.ties:
        ties[tie.pupil].append(tie)
    assert {case for case, _ in plan.cases} == set(Case)
    assert plan.case(Case.TWO_CHARACTER_SURNAME)[0].name.startswith("欧阳")
    one, other = plan.case(Case.SAME_NAME)
    assert (one.name, one.room) == (other.name, other.room)
    assert [tie.bound_days_ago is None for tie in ties[plan.case(Case.THREE_GUARDIANS)[0].key]] == [False] * 3
    assert all(tie.bound_days_ago is None for tie in ties[plan.case(Case.NOBODY_BOUND)[0].key])
    first, second = plan.case(Case.TWINS)
    assert (first.birth_date, first.room) == (second.birth_date, second.room)
    assert first.name != second.name
    (moved,) = plan.case(Case.CHANGED_SCHOOLS)
    assert moved.before is not None
    assert moved.before.split("/")[0] != moved.room.split("/")[0]
    younger, elder = plan.case(Case.TWO_SCHOOLS)
    assert younger.room.split("/")[0] != elder.room.split("/")[0]
    acting = [tie.relation for tie in ties[plan.case(Case.ACTING_GRANDPARENT)[0].key] if tie.is_acting]
    assert acting == [Relation.MATERNAL_GRANDMOTHER]
    (own,) = plan.case(Case.TEACHER_AND_PARENT)
    assert ties[own.key][0].person in {charge.person for charge in plan.charges}
    assert [pair[0] for pair in plan.bars] == [plan.case(Case.BARRED_ADULT)[0].key]
    assert [plea.pupil for plea in plan.pleas] == [plan.case(Case.WAITS_FOR_APPROVAL)[0].key]
    assert plan.expired == (plan.case(Case.EXPIRED_INVITATION)[0].key,)


def test_nobody_but_one_acts_for_a_child(plan: TownshipPlan) -> None:
    assert max(Counter(tie.pupil for tie in plan.ties if tie.is_acting).values()) == 1


def test_the_full_programme_has_its_place(plan: TownshipPlan) -> None:
    assert [(each.title, each.places) for each in plan.programmes] == [("满额测试班", 45)]


def test_the_first_parent_is_known_to_the_first_head_teacher(plan: TownshipPlan) -> None:
    children = plan.children("g/000001")
    (charge,) = [charge for charge in plan.charges if charge.person == "h/0001"]
    assert len(children) == 2
    assert charge.place == children[0].room
