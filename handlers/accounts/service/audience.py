"""Whom a message is meant for, as a value: places, roles and picked people. No I/O; who that is on a day, the audiences
say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final

from bot.errors import InvalidInput
from bot.rights import Reach
from handlers.accounts.domain import APPOINTMENT_WORDS, HIGHEST_GRADE, LOWEST_GRADE, AppointmentKind


class AudienceRole(StrEnum):
    """As what somebody is meant. Those on the staff are named as their appointments are."""

    GUARDIANS = "guardians"
    """Who has proved to look after the child. Of a child nobody has proved it for, one on the roster without a phone
    known to us stands for the others, so that somebody calls that family."""
    ACTING_GUARDIANS = "acting_guardians"
    """The one who looks after the child day by day; where none is noted, all of its guardians."""
    SUBJECT_TEACHERS = "subject_teacher"
    HEAD_TEACHERS = "head_teacher"
    DUTY = "duty"
    PROTECTION_LEADS = "protection_lead"
    SCHOOL_LEADERS = "school_leader"
    ADMINISTRATORS = "township_administrator"
    EDITORS = "editor"
    REVIEWERS = "reviewer"


class Stage(StrEnum):
    """A stretch of the grades."""

    KINDERGARTEN = "kindergarten"
    PRIMARY = "primary"
    JUNIOR = "junior"


GRADES_OF: Final[Mapping[Stage, tuple[int, int]]] = {
    Stage.KINDERGARTEN: (LOWEST_GRADE, 0),
    Stage.PRIMARY: (1, 6),
    Stage.JUNIOR: (7, HIGHEST_GRADE),
}
OF_CHILDREN: Final = frozenset({AudienceRole.GUARDIANS, AudienceRole.ACTING_GUARDIANS})
ROLE_WORDS: Final[Mapping[AudienceRole, str]] = {
    AudienceRole.GUARDIANS: "监护人",
    AudienceRole.ACTING_GUARDIANS: "实际照看人",
    **{AudienceRole(kind): word for kind, word in APPOINTMENT_WORDS.items()},
}


class AudienceEmpty(InvalidInput):
    """It names neither a role nor a person."""

    code = "audience_empty"
    default_message = "还没有选发给谁，请选好对象再试。"


class GradesReversed(InvalidInput):
    """The last grade lies below the first."""

    code = "grades_reversed"
    default_message = "年级的起止写反了，请改正后再试。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Ids as text. What is left out does not narrow it; the filters of places hold all at once, for everybody in it.

    `roles`: as what; `person_ids`: beside them these people, as whatever they are there. `has_points`: with the
    teaching points of `schools`. `grades`: from, to, both included. `places`: names the knowledge knows schools' places
    by. `pupil_ids`: only what concerns these children. Whoever is on the staff belongs to it when what they are charged
    with touches the places: a leader of a school to a class of theirs. `reach`: nobody beyond it (strictly: of staff
    only those charged with something inside it); it is not kept with the rest. `without_…`: taken off the list.
    """

    roles: frozenset[AudienceRole] = frozenset()
    township_id: str | None = None
    schools: frozenset[str] = frozenset()
    has_points: bool = True
    classes: frozenset[str] = frozenset()
    grades: tuple[int, int] | None = None
    stage: Stage | None = None
    places: frozenset[str] = frozenset()
    pupil_ids: frozenset[str] = frozenset()
    person_ids: frozenset[str] = frozenset()
    without_pupils: frozenset[str] = frozenset()
    without_persons: frozenset[str] = frozenset()
    reach: Reach | None = None

    def __post_init__(self) -> None:
        if not self.roles and not self.person_ids:
            raise AudienceEmpty
        if self.grades is not None and self.grades[0] > self.grades[1]:
            raise GradesReversed

    def as_plain(self) -> dict[str, Any]:
        """To be kept as JSON; `of_plain` reads it back. Without `reach`, which is another day's matter."""
        plain = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "reach"}
        return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in plain.items()}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any], reach: Reach | None = None) -> Audience:
        """What `as_plain` gave, for a reach of now."""
        known: dict[str, Any] = {
            name: frozenset(value) if isinstance(value, list) else value for name, value in plain.items()
        }
        known["roles"] = frozenset(map(AudienceRole, plain["roles"]))
        known["grades"] = (plain["grades"][0], plain["grades"][1]) if plain["grades"] else None
        known["stage"] = Stage(plain["stage"]) if plain["stage"] else None
        return cls(**known, reach=reach)

    @property
    def kinds(self) -> frozenset[AppointmentKind]:
        """The appointments whose holders are meant."""
        return frozenset(AppointmentKind(part) for part in self.roles - OF_CHILDREN)

    @property
    def span(self) -> tuple[int, int] | None:
        """The grades meant by `grades` and `stage` together, from and to; None: any, or no class at all."""
        spans = [each for each in (self.grades, GRADES_OF[self.stage] if self.stage else None) if each]
        return (max(first for first, _ in spans), min(last for _, last in spans)) if spans else None
