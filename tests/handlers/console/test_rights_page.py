"""The table of rights in words."""

from __future__ import annotations

import re

import pytest

from bot.identity import Actor, Role
from bot.rights import RIGHTS, Action, Scope
from bot.web.admin_pages import ROLES_IN_WORDS
from handlers.accounts.domain import AppointmentKind
from handlers.console import texts
from handlers.console.admin.rights import line_of
from tests.factories import make_appointment, make_person
from tests.handlers.console.conftest import Stage


def test_every_action_role_and_reach_has_words() -> None:
    assert set(texts.ACTIONS) == set(Action) == set(RIGHTS)
    assert len(set(texts.ACTIONS.values())) == len(Action)
    assert set(ROLES_IN_WORDS) == set(Role)
    assert set(texts.SCOPES) == set(Scope) - {Scope.NONE}


@pytest.mark.parametrize("action", Action)
def test_a_line_says_what_the_table_says(action: Action) -> None:
    line = line_of(action, Actor("index", frozenset({Role.SCHOOL_LEADER}), None))
    said = {role: scope for scope, roles in line.who for role in roles.split("、")}
    for role, scope in RIGHTS[action].items():
        words = said.get(ROLES_IN_WORDS[role], said.get(texts.EVERYBODY))
        assert words == (None if scope is Scope.NONE else texts.SCOPES[scope])
    own = RIGHTS[action][Role.SCHOOL_LEADER]
    assert line.own == ("" if own is Scope.NONE else texts.SCOPES[own])


@pytest.mark.parametrize("kind", [AppointmentKind.EDITOR, AppointmentKind.DUTY])
async def test_everybody_on_the_staff_may_look(stage: Stage, kind: AppointmentKind) -> None:
    person = await make_person()
    await make_appointment(kind, person, township=stage.town)
    await stage.enter(person)
    page = await stage.browser.get("/rights")
    assert stage.browser.status == 200
    assert page.count("<tr>") == len(Action) + 1
    page = await stage.browser.get("/rights?role=administrator")
    assert page.count("<tr>") == 1 + sum(row[Role.ADMINISTRATOR] is not Scope.NONE for row in RIGHTS.values())
    assert re.search(r'<option value="administrator" selected>', page)
    assert (await stage.browser.get("/rights?role=nobody")).count("<tr>") == len(Action) + 1
