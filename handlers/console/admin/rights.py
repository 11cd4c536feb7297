"""Who may do what, in words: the table of rights as it is, for everybody on the staff to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.identity import Actor, Role
from bot.rights import RIGHTS, Action, Scope
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page
from bot.web.admin_pages import ROLES_IN_WORDS
from bot.web.tables import TableView
from handlers.console import texts

PATH: Final = "/rights"
_EVERYBODY: Final = frozenset(Role) - {Role.SYSTEM}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that can be done. `who`: each reach in words with those who have it; `own`: how far the reader may
    go, "" for not at all."""

    action: str
    who: Sequence[tuple[str, str]]
    own: str


class RightsPages:
    """The handlers."""

    def routes(self) -> tuple[AdminRoute, ...]:
        """The one there is."""
        return (
            AdminRoute(
                method="GET", path=PATH, action=Action.CONSOLE_ENTER, handle=self.table, menu=texts.RIGHTS_TITLE
            ),
        )

    async def table(self, call: AdminCall) -> AdminAnswer:
        """The whole table, or what one role may do."""
        view = TableView.of(call, PATH, filters=("role",), sorts=("table",))
        known = {role.value: role for role in ROLES_IN_WORDS if role in _EVERYBODY}
        role = known.get(view.filters.get("role", ""))
        lines = [
            line_of(action, call.actor) for action in RIGHTS if role is None or RIGHTS[action][role] is not Scope.NONE
        ]
        roles = [(each.value, ROLES_IN_WORDS[each]) for each in known.values()]
        return Page("console/rights.html", {"view": view, "rows": lines, "roles": roles})


def line_of(action: Action, actor: Actor) -> Line:
    """One row of the table in words."""
    row = RIGHTS[action]
    who = []
    for scope in Scope:
        roles = [role for role in ROLES_IN_WORDS if role in _EVERYBODY and row[role] is scope]
        if scope is Scope.NONE or not roles:
            continue
        said = texts.EVERYBODY if len(roles) == len(_EVERYBODY) else "、".join(ROLES_IN_WORDS[role] for role in roles)
        who.append((texts.SCOPES[scope], said))
    own = [scope for scope in Scope if scope is not Scope.NONE and any(row.get(role) is scope for role in actor.roles)]
    return Line(
        action=texts.ACTIONS[action],
        who=who or [("", texts.NOBODY_BUT_SYSTEM)],
        own="、".join(texts.SCOPES[scope] for scope in own),
    )
