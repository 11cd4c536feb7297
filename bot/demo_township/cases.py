"""The odd families, which are in every township beside the numbered ones: what goes wrong in real life, once each.

Their people have the WeChat ids `demo_x_0001` and on. All their children are at the central school, most of them in the
class of the first head teacher.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from bot.demo_township.draft import CENTRAL, JUNIOR, WHOLE, Draft, room_key
from bot.demo_township.names import MALE, Names
from bot.demo_township.plan import Case, ChargePlan, PleaPlan
from handlers.accounts.domain import AppointmentKind, Relation

NEWCOMER: Final = "demo_n_0001"
"""The stranger of the demo, who has a slip in hand and is nobody yet."""
TEACHER_AND_PARENT: Final = "x/0008"
_HOME_GRADE: Final = 3


def odd_openid(key: str) -> str:
    """`x/0001` → `demo_x_0001`."""
    return "demo_" + key.replace("/", "_")


def add_cases(draft: Draft) -> None:
    """All of them, in the order of `Case`, which numbers their people."""
    for number, (case, add) in enumerate(_CASES.items(), 1):
        key = f"x/{number:04d}"
        draft.cases[case] = add(draft, key)


def _child(draft: Draft, key: str, surname: str, *, name: str | None = None, twin_of: str | None = None) -> str:
    """In the class of the first head teacher."""
    return draft.add_child(key, surname, _HOME_GRADE, name=name, twin_of=twin_of, in_first_class=True)


def _bound(draft: Draft, key: str, relation: Relation, *children: str, surname: str | None = None) -> None:
    draft.add_person(key, relation, surname=surname, openid=odd_openid(key))
    draft.tie(key, relation, *children, is_acting=True)


def _on_the_roster(draft: Draft, key: str, relation: Relation, *children: str, surname: str | None = None) -> str:
    person = draft.add_person(f"{key}/{relation.value}", relation, surname=surname)
    draft.tie(person, relation, *children, is_bound=False)
    return person


def _two_character_surname(draft: Draft, key: str) -> tuple[str, ...]:
    child = _child(draft, f"{key}/1", "欧阳")
    _bound(draft, key, Relation.FATHER, child, surname="欧阳")
    return (child,)


def _same_name(draft: Draft, key: str) -> tuple[str, ...]:
    """Two children of one name in one class, who are not related."""
    children = tuple(_child(draft, f"{key}/{place}", "刘", name="刘子涵") for place in (1, 2))
    _bound(draft, key, Relation.MOTHER, children[0])
    _on_the_roster(draft, f"{key}/2", Relation.MOTHER, children[1])
    return children


def _three_guardians(draft: Draft, key: str) -> tuple[str, ...]:
    """All three are bound, and the grandfather is the one who looks after the child."""
    child = _child(draft, f"{key}/1", "黄")
    _bound(draft, key, Relation.PATERNAL_GRANDFATHER, child, surname="黄")
    for number, relation in enumerate((Relation.FATHER, Relation.MOTHER), 1):
        person, openid = f"{key}/{relation.value}", odd_openid(f"x/{number}{key[-3:]}")
        draft.add_person(person, relation, surname="黄" if relation is Relation.FATHER else None, openid=openid)
        draft.tie(person, relation, child)
    return (child,)


def _nobody_bound(draft: Draft, key: str) -> tuple[str, ...]:
    child = _child(draft, f"{key}/1", "吴")
    for relation in (Relation.FATHER, Relation.MOTHER):
        _on_the_roster(draft, key, relation, child, surname="吴" if relation is Relation.FATHER else None)
    return (child,)


def _twins(draft: Draft, key: str) -> tuple[str, ...]:
    first = _child(draft, f"{key}/1", "徐")
    second = _child(draft, f"{key}/2", "徐", twin_of=first)
    _bound(draft, key, Relation.MOTHER, first, second)
    return first, second


def _changed_schools(draft: Draft, key: str) -> tuple[str, ...]:
    child = draft.add_child(f"{key}/1", "胡", _HOME_GRADE, in_first_class=True, from_school=WHOLE)
    _bound(draft, key, Relation.FATHER, child, surname="胡")
    return (child,)


def _two_schools(draft: Draft, key: str) -> tuple[str, ...]:
    younger = draft.add_child(f"{key}/1", "朱", 4)
    elder = draft.add_child(f"{key}/2", "朱", 8, school=JUNIOR)
    _bound(draft, key, Relation.MOTHER, younger, elder)
    return younger, elder


def _teacher_and_parent(draft: Draft, key: str) -> tuple[str, ...]:
    assert key == TEACHER_AND_PARENT
    child = _child(draft, f"{key}/1", "赵")
    _bound(draft, key, Relation.FATHER, child, surname="赵")
    charge = ChargePlan(key, AppointmentKind.SUBJECT_TEACHER, room_key(CENTRAL, 5), "语文")
    draft.charges.append(charge)
    return (child,)


def _acting_grandparent(draft: Draft, key: str) -> tuple[str, ...]:
    """The father is away and only on the roster; she looks after the child."""
    child = _child(draft, f"{key}/1", "何")
    _bound(draft, key, Relation.MATERNAL_GRANDMOTHER, child)
    _on_the_roster(draft, key, Relation.FATHER, child, surname="何")
    return (child,)


def _barred_adult(draft: Draft, key: str) -> tuple[str, ...]:
    child = _child(draft, f"{key}/1", "郭")
    _bound(draft, key, Relation.MOTHER, child)
    father = _on_the_roster(draft, key, Relation.FATHER, child, surname="郭")
    draft.bars.append((child, father))
    return (child,)


def _waits_for_approval(draft: Draft, key: str) -> tuple[str, ...]:
    """An uncle whom the roster does not know has asked."""
    child = _child(draft, f"{key}/1", "马")
    _on_the_roster(draft, key, Relation.MOTHER, child)
    name = Names(draft.chance(key, "asker")).grown_up(MALE, "马")
    draft.pleas.append(PleaPlan(odd_openid(key), name, Relation.OTHER, child))
    return (child,)


def _expired_invitation(draft: Draft, key: str) -> tuple[str, ...]:
    child = _child(draft, f"{key}/1", "罗")
    _on_the_roster(draft, key, Relation.FATHER, child, surname="罗")
    draft.expired.append(child)
    return (child,)


def _refused_consent(draft: Draft, key: str) -> tuple[str, ...]:
    child = _child(draft, f"{key}/1", "梁")
    _bound(draft, key, Relation.FATHER, child, surname="梁")
    draft.consents[-1] = replace(draft.consents[-1], is_given=False)
    return (child,)


def _newcomer(draft: Draft, key: str) -> tuple[str, ...]:
    """Of the stranger in the demo, who is on the roster as the mother."""
    child = _child(draft, f"{key}/1", "宋")
    _on_the_roster(draft, key, Relation.MOTHER, child, surname="何")
    return (child,)


_CASES: Final[dict[Case, Callable[[Draft, str], tuple[str, ...]]]] = {
    Case.TWO_CHARACTER_SURNAME: _two_character_surname,
    Case.SAME_NAME: _same_name,
    Case.THREE_GUARDIANS: _three_guardians,
    Case.NOBODY_BOUND: _nobody_bound,
    Case.TWINS: _twins,
    Case.CHANGED_SCHOOLS: _changed_schools,
    Case.TWO_SCHOOLS: _two_schools,
    Case.TEACHER_AND_PARENT: _teacher_and_parent,
    Case.ACTING_GRANDPARENT: _acting_grandparent,
    Case.BARRED_ADULT: _barred_adult,
    Case.WAITS_FOR_APPROVAL: _waits_for_approval,
    Case.EXPIRED_INVITATION: _expired_invitation,
    Case.REFUSED_CONSENT: _refused_consent,
    Case.NEWCOMER: _newcomer,
}
