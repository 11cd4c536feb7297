"""A township while it is being thought out: children find their class once all of them are there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Final

from bot.demo_township.names import FEMALE, MALE, Names, Numbers, roster_number
from bot.demo_township.plan import (
    Case,
    ChargePlan,
    ClassPlan,
    ConsentPlan,
    PersonPlan,
    PleaPlan,
    PupilPlan,
    SchoolPlan,
    TiePlan,
)
from handlers.accounts.domain import FIRST_MONTH, HIGHEST_CLASS_NUMBER, Relation, SchoolKind, school_year_of

CENTRAL: Final = "s1"
JUNIOR: Final = "s2"
WHOLE: Final = "s3"
"""From the first year to the ninth."""
POINT: Final = "s7"
KINDERGARTEN: Final = "s8"
# Where families live, by their nearest primary school, in parts of a hundred.
HOMES: Final = {CENTRAL: 30, WHOLE: 20, "s4": 15, "s5": 15, "s6": 15, POINT: 5}
_HIGHEST_AT_POINT: Final = 3
_CLASS_SIZE: Final = 40
_FIRST_GRADE_AGE: Final = 6
_DAYS_OF_A_YEAR: Final = 365
_MALE_RELATIONS: Final = frozenset({Relation.FATHER, Relation.PATERNAL_GRANDFATHER, Relation.MATERNAL_GRANDFATHER})
_PARENTS: Final = frozenset({Relation.FATHER, Relation.MOTHER})


def school_for(home: str, grade: int) -> str:
    """The school a child goes to who lives near a primary school."""
    if grade < 1:
        return KINDERGARTEN
    if grade > 6:
        return WHOLE if home == WHOLE else JUNIOR
    return CENTRAL if home == POINT and grade > _HIGHEST_AT_POINT else home


def room_key(school: str, grade: int, number: int = 1) -> str:
    """The key of a class of this school year."""
    return f"{school}/{grade}/{number}"


@dataclass(frozen=True, slots=True)
class _Child:
    """A child on its way to a class; `room` where it must be that one."""

    key: str
    name: str
    sex: str
    birth_date: date
    id_number: str
    school: str
    grade: int
    room: str | None
    before: str | None


@dataclass(slots=True)
class Draft:
    """What is known so far."""

    seed: int
    today: date
    town: str
    numbers: Numbers = field(default_factory=Numbers)
    persons: list[PersonPlan] = field(default_factory=list)
    ties: list[TiePlan] = field(default_factory=list)
    charges: list[ChargePlan] = field(default_factory=list)
    consents: list[ConsentPlan] = field(default_factory=list)
    pleas: list[PleaPlan] = field(default_factory=list)
    expired: list[str] = field(default_factory=list)
    bars: list[tuple[str, str]] = field(default_factory=list)
    cases: dict[Case, tuple[str, ...]] = field(default_factory=dict)
    _children: list[_Child] = field(default_factory=list)
    _last_year: dict[str, ClassPlan] = field(default_factory=dict)

    @property
    def year(self) -> int:
        """The school year of today."""
        return school_year_of(self.today)

    def chance(self, *about: object) -> Random:
        """A source of chance of its own, so that one family does not depend on how many others there are."""
        return Random("/".join(map(str, (self.seed, *about))))  # noqa: S311 - invents, guards nothing

    # --------------------------------------------------------------------------------------------------------- people
    def add_person(
        self, key: str, relation: Relation | None = None, *, surname: str | None = None, openid: str = ""
    ) -> str:
        """A grown-up; gives the key. `relation` None: somebody on the staff."""
        random = self.chance(key)
        names = Names(random)
        sex = names.sex() if relation in (None, Relation.OTHER) else MALE if relation in _MALE_RELATIONS else FEMALE
        age = random.randrange(28, 46) if relation is None or relation in _PARENTS else random.randrange(52, 72)
        birth = date(self.year - age, 1, 1) + timedelta(days=random.randrange(_DAYS_OF_A_YEAR))
        phone, number = self.numbers.phone(), self.numbers.identity_number(birth, sex)
        name = names.grown_up(sex, surname)
        self.persons.append(PersonPlan(key, name, phone, number if relation else None, openid))
        return key

    def add_child(
        self,
        key: str,
        surname: str,
        grade: int,
        *,
        school: str = CENTRAL,
        name: str | None = None,
        twin_of: str | None = None,
        in_first_class: bool = False,
        from_school: str | None = None,
    ) -> str:
        """A child of the age for the grade; gives the key. `from_school` is where it was the year before."""
        random = self.chance(key)
        names = Names(random)
        sex = names.sex()
        birth = date(self.year - _FIRST_GRADE_AGE - grade, FIRST_MONTH, 1)
        birth += timedelta(days=random.randrange(_DAYS_OF_A_YEAR))
        if twin_of is not None:
            birth = next(child.birth_date for child in self._children if child.key == twin_of)
        before = self._room_last_year(from_school, grade - 1) if from_school else None
        room = room_key(school, grade) if in_first_class else None
        number = self.numbers.identity_number(birth, sex)
        name = name or names.child(surname, sex)
        self._children.append(_Child(key, name, sex, birth, number, school, grade, room, before))
        return key

    def tie(
        self, person: str, relation: Relation, *children: str, is_acting: bool = False, is_bound: bool = True
    ) -> None:
        """A grown-up looks after children; one who is bound has consented to what rests on consent."""
        days = self.chance("bound", person).randrange(1, 21) if is_bound else None
        self.ties += [TiePlan(child, person, relation, is_acting, days) for child in children]
        if is_bound:
            self.consents += [ConsentPlan(child, person) for child in children]

    # -------------------------------------------------------------------------------------------------------- schools
    def schools(self) -> tuple[SchoolPlan, ...]:
        """Six schools, a teaching point of the first, a kindergarten."""
        names = Names(self.chance("villages"))
        villages: list[str] = []
        while len(villages) < 5:
            village = names.town()
            if village not in (*villages, self.town):
                villages.append(village)
        whole, *primary, point = villages
        return (
            SchoolPlan(CENTRAL, f"{self.town}镇中心小学", SchoolKind.SCHOOL, (1, 6)),
            SchoolPlan(JUNIOR, f"{self.town}镇初级中学", SchoolKind.SCHOOL, (7, 9)),
            SchoolPlan(WHOLE, f"{self.town}镇{whole}九年制学校", SchoolKind.SCHOOL, (1, 9)),
            *(
                SchoolPlan(f"s{number}", f"{self.town}镇{village}小学", SchoolKind.SCHOOL, (1, 6))
                for number, village in enumerate(primary, 4)
            ),
            SchoolPlan(POINT, f"{point}教学点", SchoolKind.TEACHING_POINT, (1, _HIGHEST_AT_POINT), CENTRAL),
            SchoolPlan(KINDERGARTEN, f"{self.town}镇中心幼儿园", SchoolKind.KINDERGARTEN, (-2, 0)),
        )

    def seat(self) -> tuple[tuple[PupilPlan, ...], tuple[ClassPlan, ...]]:
        """The children in classes of equal size, at least one class in every year of every school. The class of the
        first guardian's first child comes first, and so is the first head teacher's."""
        waiting: dict[tuple[str, int], list[_Child]] = defaultdict(list)
        for child in self._children:
            waiting[child.school, child.grade].append(child)
        room_of: dict[str, str] = {}
        classes: list[ClassPlan] = []
        for school in self.schools():
            for grade in range(school.grades[0], school.grades[1] + 1):
                children = waiting[school.key, grade]
                count = min(max(-(-len(children) // _CLASS_SIZE), 1), HIGHEST_CLASS_NUMBER)
                numbers = range(1, count + 1)
                classes += [
                    ClassPlan(room_key(school.key, grade, number), school.key, self.year, grade, number)
                    for number in numbers
                ]
                for place, child in enumerate(children):
                    room_of[child.key] = child.room or room_key(school.key, grade, numbers[place % count])
        classes.sort(key=lambda room: room.key != room_of["g/000001/1"])
        return tuple(_seated(child, room_of[child.key]) for child in self._children), (
            *classes,
            *self._last_year.values(),
        )

    def _room_last_year(self, school: str, grade: int) -> str:
        key = f"{room_key(school, grade)}/before"
        self._last_year[key] = ClassPlan(key, school, self.year - 1, grade, 1)
        return key


def _seated(child: _Child, room: str) -> PupilPlan:
    roster = roster_number(child.id_number)
    return PupilPlan(
        child.key, child.name, child.sex, child.birth_date, child.id_number, roster, room, before=child.before
    )
