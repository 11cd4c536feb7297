"""The plan of a made-up township: who is who, before anything is written.

Everything has a key of its own within the plan, which says what it is: `s1` a school, `s1/3/1` its class 三年级1班,
`g/000001` the first guardian, `g/000001/2` their second child.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from hashlib import sha256
from typing import Final, TypeVar

from handlers.accounts.domain import AppointmentKind, Relation, SchoolKind, class_name

MINI_PROGRAM_PREFIX: Final = "mp_"
UNION_PREFIX: Final = "u"

Item = TypeVar("Item")


class Case(StrEnum):
    """The odd families, beside those of the numbered guardians."""

    TWO_CHARACTER_SURNAME = "two_character_surname"
    SAME_NAME = "same_name"
    THREE_GUARDIANS = "three_guardians"
    NOBODY_BOUND = "nobody_bound"
    TWINS = "twins"
    CHANGED_SCHOOLS = "changed_schools"
    TWO_SCHOOLS = "two_schools"
    TEACHER_AND_PARENT = "teacher_and_parent"
    ACTING_GRANDPARENT = "acting_grandparent"
    BARRED_ADULT = "barred_adult"
    WAITS_FOR_APPROVAL = "waits_for_approval"
    EXPIRED_INVITATION = "expired_invitation"
    REFUSED_CONSENT = "refused_consent"
    NEWCOMER = "newcomer"


@dataclass(frozen=True, slots=True)
class SchoolPlan:
    """A school; `grades` are the first and the last, `parent` the school a teaching point belongs to."""

    key: str
    name: str
    kind: SchoolKind
    grades: tuple[int, int]
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class ClassPlan:
    """A class of the school year `year`."""

    key: str
    school: str
    year: int
    grade: int
    number: int

    @property
    def words(self) -> str:
        """As the product writes it."""
        return class_name(self.grade, self.number)


@dataclass(frozen=True, slots=True)
class PersonPlan:
    """A grown-up. `openid` "" for somebody who is bound to no WeChat id."""

    key: str
    name: str
    phone: str
    id_number: str | None = None
    openid: str = ""


@dataclass(frozen=True, slots=True)
class PupilPlan:
    """A child. `before` is the class of the year before, at another school, for one who changed."""

    key: str
    name: str
    sex: str
    birth_date: date
    id_number: str
    roster_number: str
    room: str
    before: str | None = None


@dataclass(frozen=True, slots=True)
class TiePlan:
    """Somebody looks after a child. `bound_days_ago` None: only on the roster."""

    pupil: str
    person: str
    relation: Relation
    is_acting: bool = False
    bound_days_ago: int | None = None


@dataclass(frozen=True, slots=True)
class ChargePlan:
    """What somebody on the staff is charged with; `place` is a class, a school or, as "", the township."""

    person: str
    kind: AppointmentKind
    place: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class ConsentPlan:
    """What a guardian decided for a child."""

    pupil: str
    person: str
    is_given: bool = True


@dataclass(frozen=True, slots=True)
class PleaPlan:
    """Somebody with a WeChat id who is nobody yet, and waits for the head teacher."""

    openid: str
    name: str
    relation: Relation
    pupil: str


@dataclass(frozen=True, slots=True)
class ProgrammePlan:
    """An after-school programme of the township, first come, first served, open to every pupil on `today`."""

    title: str
    places: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TownshipPlan:
    """The whole. `expired` are children whose invitation has run out, `bars` pairs of child and grown-up; `programmes`
    are those of the township itself."""

    name: str
    county: str
    today: date
    year: int
    schools: tuple[SchoolPlan, ...]
    classes: tuple[ClassPlan, ...]
    persons: tuple[PersonPlan, ...]
    pupils: tuple[PupilPlan, ...]
    ties: tuple[TiePlan, ...]
    charges: tuple[ChargePlan, ...]
    consents: tuple[ConsentPlan, ...]
    pleas: tuple[PleaPlan, ...]
    expired: tuple[str, ...]
    bars: tuple[tuple[str, str], ...]
    programmes: tuple[ProgrammePlan, ...]
    # The children of each odd family.
    cases: tuple[tuple[Case, tuple[str, ...]], ...]

    @property
    def digest(self) -> str:
        """The same for the same township, whatever machine made it."""
        return sha256(repr(self).encode()).hexdigest()

    def person(self, key: str) -> PersonPlan:
        """Raises LookupError."""
        return _only(each for each in self.persons if each.key == key)

    def pupil(self, key: str) -> PupilPlan:
        """Raises LookupError."""
        return _only(each for each in self.pupils if each.key == key)

    def children(self, person: str) -> tuple[PupilPlan, ...]:
        """Whom a guardian looks after."""
        own = {tie.pupil for tie in self.ties if tie.person == person}
        return tuple(pupil for pupil in self.pupils if pupil.key in own)

    def place(self, room: str) -> str:
        """School and class in words. Raises LookupError."""
        one = _only(each for each in self.classes if each.key == room)
        return _only(each for each in self.schools if each.key == one.school).name + one.words

    def case(self, case: Case) -> tuple[PupilPlan, ...]:
        """The children of an odd family."""
        return tuple(self.pupil(key) for key in dict(self.cases)[case])


def _only(found: Iterator[Item]) -> Item:
    for item in found:
        return item
    raise LookupError
