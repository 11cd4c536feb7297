"""The staff: a head teacher and a teacher for each class, who leads and protects each school, and the township's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.demo_township.draft import Draft
from bot.demo_township.plan import ChargePlan, ClassPlan, SchoolPlan
from handlers.accounts.domain import AppointmentKind

_SUBJECTS: Final = ("语文", "数学", "英语", "科学", "道德与法治", "体育", "音乐", "美术")
# As is known of the demo's phones.
_SURNAMES: Final = {"h/0001": "周", "a/0001": "孙"}
_OF_SCHOOLS: Final = {
    "s": AppointmentKind.SCHOOL_LEADER,
    "p": AppointmentKind.PROTECTION_LEAD,
    "d": AppointmentKind.DUTY,
}
_OF_TOWNSHIP: Final = {
    "a/0001": AppointmentKind.TOWNSHIP_ADMINISTRATOR,
    "a/0002": AppointmentKind.TOWNSHIP_ADMINISTRATOR,
    "e/0001": AppointmentKind.EDITOR,
    "r/0001": AppointmentKind.REVIEWER,
}


def add_staff(draft: Draft, schools: Sequence[SchoolPlan], classes: Sequence[ClassPlan]) -> None:
    """`classes` are those of this school year, the first head teacher's first."""
    for key, kind in _OF_TOWNSHIP.items():
        _charge(draft, key, ChargePlan(key, kind))
    for letter, kind in _OF_SCHOOLS.items():
        for number, school in enumerate(schools, 1):
            key = f"{letter}/{number:04d}"
            _charge(draft, key, ChargePlan(key, kind, school.key))
    for number, room in enumerate(classes, 1):
        head, teacher = f"h/{number:04d}", f"t/{number:04d}"
        _charge(draft, head, ChargePlan(head, AppointmentKind.HEAD_TEACHER, room.key))
        subject = _SUBJECTS[number % len(_SUBJECTS)] if room.grade > 0 else ""
        others = [each for each in classes if each.school == room.school and each.grade == room.grade]
        # In their own class and the one beside it.
        beside = others[(others.index(room) + 1) % len(others)]
        kind = AppointmentKind.SUBJECT_TEACHER
        charges = [ChargePlan(teacher, kind, each.key, subject) for each in dict.fromkeys((room, beside))]
        _charge(draft, teacher, *charges)


def staff_openid(key: str) -> str:
    """`t/0001` → `demo_t_0001`."""
    return "demo_" + key.replace("/", "_")


def _charge(draft: Draft, key: str, *charges: ChargePlan) -> None:
    draft.add_person(key, surname=_SURNAMES.get(key), openid=staff_openid(key))
    draft.charges += charges
