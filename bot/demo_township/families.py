"""The numbered families: guardian n, who is bound and has consented, and children of their own."""

from __future__ import annotations

from random import Random
from typing import Final, TypeVar

from bot.demo_township.draft import CENTRAL, HOMES, Draft, school_for
from bot.demo_township.names import Names
from handlers.accounts.domain import HIGHEST_GRADE, LOWEST_GRADE, Relation

Item = TypeVar("Item")

# In parts of a hundred: every third child is left with somebody else than the parents.
_RELATIONS: Final = {
    Relation.MOTHER: 50,
    Relation.FATHER: 18,
    Relation.PATERNAL_GRANDMOTHER: 14,
    Relation.PATERNAL_GRANDFATHER: 7,
    Relation.MATERNAL_GRANDMOTHER: 7,
    Relation.MATERNAL_GRANDFATHER: 2,
    Relation.OTHER: 2,
}
_CHILDREN: Final = {1: 70, 2: 27, 3: 3}
_ON_THE_ROSTER: Final = 0.85
# As is known of the demo's first phones: surname of the guardian, what they are, the years of their children.
_PINNED: Final = {
    1: ("王", Relation.MOTHER, (3, 5)),
    2: ("李", Relation.PATERNAL_GRANDMOTHER, (2,)),
    3: ("陈", Relation.FATHER, (1,)),
}
_OF_FATHERS_NAME: Final = frozenset({Relation.FATHER, Relation.PATERNAL_GRANDFATHER})


def guardian_key(number: int) -> str:
    """Of guardian n, from 1."""
    return f"g/{number:06d}"


def guardian_openid(number: int) -> str:
    """The WeChat id of guardian n at the 服务号."""
    return f"demo_g_{number:06d}"


def add_family(draft: Draft, number: int) -> None:
    """Family n: one to three children, the guardian who is bound, and whoever else is on the roster."""
    key = guardian_key(number)
    random = draft.chance("family", number)
    surname = Names(random).surname()
    home = _drawn(random, HOMES)
    relation = _drawn(random, _RELATIONS)
    grades = tuple(sorted(random.sample(range(LOWEST_GRADE, HIGHEST_GRADE + 1), _drawn(random, _CHILDREN))))
    own = None
    if number in _PINNED:
        own, relation, grades = _PINNED[number]
        home = CENTRAL
    if relation in _OF_FATHERS_NAME:
        surname = own = own or surname
    draft.add_person(key, relation, surname=own, openid=guardian_openid(number))
    children = [
        draft.add_child(f"{key}/{place}", surname, grade, school=school_for(home, grade))
        for place, grade in enumerate(grades, 1)
    ]
    draft.tie(key, relation, *children, is_acting=True)
    for other in (Relation.FATHER, Relation.MOTHER):
        if other is not relation and random.random() < _ON_THE_ROSTER:
            person = draft.add_person(
                f"{key}/{other.value}", other, surname=surname if other is Relation.FATHER else None
            )
            draft.tie(person, other, *children, is_bound=False)


def _drawn(random: Random, weights: dict[Item, int]) -> Item:
    return random.choices(list(weights), list(weights.values()))[0]
