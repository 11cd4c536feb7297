"""The table of rights: what it must never allow, and that the code that reads it does what it says, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pytest

from bot.errors import AppError, NotFound, NotPermitted
from bot.identity import SYSTEM, Actor, Door, Grant, Role
from bot.rights import RIGHTS, Action, Denial, Scope, Subject, may, reach_of, require, roles_for

Rights = Mapping[Action, Mapping[Role, Scope]]

ROLES = [role for role in Role if role is not Role.SYSTEM]
OWN = Subject(person_id="p1", child_id="c1", class_id="k1", school_id="s1", township_id="t1")
FOREIGN = Subject(person_id="p2", child_id="c2", class_id="k2", school_id="s2", township_id="t2")
# What each scope is decided by: the one id of a subject that counts.
BY: Mapping[Scope, str] = {
    Scope.SELF: "person_id",
    Scope.CHILD: "child_id",
    Scope.CLASS: "class_id",
    Scope.SCHOOL: "school_id",
    Scope.TOWN: "township_id",
}

ABOUT_PEOPLE = {action for action in Action if action.value.split(".")[0] in {"pupil", "contact", "reach", "roster"}}
# A notice is opened by the ticket in its link, which only its reader was given.
PUBLIC = {Action.QUESTION_ASK, Action.CHAT_USE, Action.SESSION_OPEN, Action.NOTICE_OPEN, Action.SERVICE_LOOK}
STAFF = set(ROLES) - {Role.VISITOR, Role.GUARDIAN}


def actor_of(role: Role) -> Actor:
    """Somebody with one role, whose grant reaches all ids of OWN."""
    grant = Grant(role, frozenset({"c1"}), frozenset({"k1"}), frozenset({"s1"}), frozenset({"t1"}))
    return Actor(roles=frozenset({role}), person_id="p1", grants=(grant,), door=Door.API)


# --------------------------------------------------------------------------------------------------------- the table
def violations(rights: Rights) -> list[str]:
    """What no version of the table may say, whatever else it says."""
    found = [f"{action}: no row" for action in Action if action not in rights]
    for action, row in rights.items():
        for role, scope in row.items():
            found += [f"{action} {role} {scope}: {rule}" for rule in _broken(action, role, scope)]
        if set(row) != set(ROLES):
            found.append(f"{action}: not every role has a cell")
    return found


def _broken(action: Action, role: Role, scope: Scope) -> list[str]:
    """The rules one cell breaks."""
    far = scope in {Scope.CLASS, Scope.SCHOOL, Scope.TOWN}
    rules = {
        "visitors do what is public, or what is their own": role is not Role.VISITOR
        or scope in {Scope.NONE, Scope.SELF}
        or (scope is Scope.ANY and action in PUBLIC),
        "guardians see their own children and themselves": role is not Role.GUARDIAN or not far,
        "what is about people has a limit": action not in ABOUT_PEOPLE or scope is not Scope.ANY,
        "only guardians act for a child": scope is not Scope.CHILD or role is Role.GUARDIAN,
        "a subject teacher reveals, edits and exports nothing": role is not Role.TEACHER
        or action not in ABOUT_PEOPLE
        or scope is Scope.NONE
        or action is Action.PUPIL_VIEW,
        "those who answer, edit or review see nobody's data": role not in {Role.DUTY, Role.EDITOR, Role.REVIEWER}
        or not far,
        "a school ends at its gate": scope is not Scope.TOWN or role is Role.ADMINISTRATOR,
        "a class ends at its door": scope is not Scope.CLASS or role in {Role.TEACHER, Role.HEAD_TEACHER},
        "whoever writes knowledge does not approve it": action is not Action.KNOWLEDGE_APPROVE
        or scope is Scope.NONE
        or role is Role.REVIEWER,
        "only staff enters the console": action is not Action.CONSOLE_ENTER or scope is Scope.NONE or role in STAFF,
    }
    return [rule for rule, holds in rules.items() if not holds]


def test_the_table_breaks_no_rule() -> None:
    assert violations(RIGHTS) == []


@pytest.mark.parametrize(
    ("action", "role", "scope"),
    [
        (Action.CONTACT_REVEAL, Role.TEACHER, Scope.CLASS),
        (Action.PUPIL_VIEW, Role.GUARDIAN, Scope.CLASS),
        (Action.PUPIL_VIEW, Role.VISITOR, Scope.ANY),
        (Action.PUPIL_SEARCH, Role.EDITOR, Scope.TOWN),
        (Action.ROSTER_EXPORT, Role.SCHOOL_LEADER, Scope.TOWN),
        (Action.CHILD_ERASE, Role.HEAD_TEACHER, Scope.CHILD),
        (Action.CONSOLE_ENTER, Role.GUARDIAN, Scope.ANY),
        (Action.KNOWLEDGE_APPROVE, Role.EDITOR, Scope.ANY),
    ],
)
def test_a_planted_violation_is_found(action: Action, role: Role, scope: Scope) -> None:
    planted = {**RIGHTS, action: {**RIGHTS[action], role: scope}}
    assert any(f"{action} {role} {scope}" in line for line in violations(planted))


def test_a_row_left_out_is_found() -> None:
    assert violations({action: row for action, row in RIGHTS.items() if action is not Action.CHILD_VIEW})


# ----------------------------------------------------------------------------------------------- the code that reads it
def outcome(actor: Actor, action: Action, subject: Subject | None) -> type[AppError] | None:
    """What `require` raises, None when it lets pass; `may` has to say the same."""
    raised: AppError | None = None
    try:
        require(actor, action, subject)
    except AppError as error:
        raised = error
    assert may(actor, action, subject) is (raised is None)
    if raised is None:
        return None
    assert raised.denial == Denial(actor, action, subject if isinstance(raised, NotFound) else None)
    return type(raised)


def expected(scope: Scope, subject: Subject | None) -> type[AppError] | None:
    """What the cell says, read without the code that is tested."""
    if scope is Scope.NONE:
        return NotPermitted
    if subject is None or scope is Scope.ANY:
        return None
    return None if getattr(subject, BY[scope]) == getattr(OWN, BY[scope]) else NotFound


def test_every_cell_is_obeyed_for_own_and_foreign_things_and_for_each_id_alone() -> None:
    """Subjects: none, all own, all foreign, and foreign in all but one id (which is what tells scopes apart)."""
    mixed = [
        Subject(**{name: getattr(OWN if name == own else FOREIGN, name) for name in BY.values()}) for own in BY.values()
    ]
    subjects = [None, OWN, FOREIGN, *mixed]
    count = 0
    for (action, row), subject in product(RIGHTS.items(), subjects):
        for role, scope in row.items():
            assert outcome(actor_of(role), action, subject) is expected(scope, subject), (action, role, subject)
            count += 1
    print(f"\n{len(RIGHTS)} actions × {len(ROLES)} roles × {len(subjects)} subjects = {count} decisions")
    assert count == len(Action) * len(ROLES) * len(subjects)


def test_a_role_without_a_grant_reaches_nothing_but_what_is_for_everybody() -> None:
    for action, row in RIGHTS.items():
        for role, scope in row.items():
            bare = Actor(roles=frozenset({role}))
            if scope not in {Scope.NONE, Scope.ANY}:
                assert outcome(bare, action, OWN) is NotFound


def test_a_grant_reaches_as_far_as_its_own_role_and_no_further() -> None:
    """Subject teacher of one class, head teacher of another: numbers are revealed in the second only."""
    both = Actor(
        roles=frozenset({Role.TEACHER, Role.HEAD_TEACHER}),
        grants=(
            Grant(Role.TEACHER, classes=frozenset({"k1"}), schools=frozenset({"s1"})),
            Grant(Role.HEAD_TEACHER, classes=frozenset({"k2"})),
        ),
    )
    assert reach_of(both, Action.PUPIL_VIEW).classes == {"k1", "k2"}
    assert reach_of(both, Action.CONTACT_REVEAL).classes == {"k2"}
    assert not may(both, Action.CONTACT_REVEAL, Subject(class_id="k1", school_id="s1"))


def test_a_subject_of_which_nothing_is_known_is_nobody_s() -> None:
    for action, row in RIGHTS.items():
        for role, scope in row.items():
            if scope not in {Scope.NONE, Scope.ANY}:
                assert outcome(actor_of(role), action, Subject()) is NotFound
    assert not may(Actor(roles=frozenset({Role.GUARDIAN})), Action.PROFILE_VIEW, Subject())


def test_the_system_may_do_everything_and_is_no_column() -> None:
    assert all(may(SYSTEM, action, FOREIGN) for action in Action)
    assert all(Role.SYSTEM not in row for row in RIGHTS.values())


def test_the_roles_of_an_action_are_those_with_a_word_in_its_row() -> None:
    assert roles_for(Action.CHILD_VIEW) == {Role.GUARDIAN}
    assert roles_for(Action.QUESTION_ASK) == set(ROLES)
