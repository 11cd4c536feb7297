"""Searching the audit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from bot.audit.log import Outcome
from bot.audit.search import AuditEntry
from bot.clock import Clock
from bot.errors import InvalidInput
from bot.identity import Role
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page
from bot.web.admin_pages import ROLES_IN_WORDS, moment
from bot.web.tables import Sheet, TableView, download_of
from handlers.console import texts
from handlers.console.service.audit_search import AuditSearch, Found, Wanted

PATH: Final = "/audit"
_FILTERS: Final = ("actor", "child", "action", "outcome", "first", "last")


class AuditPages:
    """The handlers."""

    def __init__(self, audit: AuditSearch, clock: Clock) -> None:
        self._audit = audit
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        return (AdminRoute(method="GET", path=PATH, action=Action.AUDIT_SEARCH, handle=self.search, menu="查阅记录"),)

    async def search(self, call: AdminCall) -> AdminAnswer:
        """A page of the audit, or all that fits as a workbook."""
        view = TableView.of(call, PATH, filters=_FILTERS, sorts=("at",), is_descending=True)
        values = {"view": view, "actions": texts.ACTIONS, "outcomes": texts.OUTCOMES, "total": 0, "rows": ()}
        try:
            wanted = _wanted(view)
        except InvalidInput as fault:
            return Page("console/audit.html", {**values, "fault": fault.message}, 422)
        found = await self._audit.find(
            call.actor, wanted, offset=view.offset, limit=view.size, is_oldest_first=not view.is_descending
        )
        rows = [_row(entry, found) for entry in found.entries]
        if view.wants_export:
            return await download_of(
                Sheet(
                    title="查阅记录",
                    head=texts.AUDIT_HEAD,
                    rows=rows,
                    filters=_in_words(wanted),
                    exporter=call.actor.name or "",
                    at=self._clock.now(),
                )
            )
        return Page("console/audit.html", {**values, "fault": "", "total": found.total, "rows": rows})


def _wanted(view: TableView) -> Wanted:
    chosen = view.filters
    try:
        return Wanted(
            actor=chosen.get("actor", "")[:64],
            child=chosen.get("child", "")[:64],
            action=Action(chosen["action"]) if "action" in chosen else None,
            outcome=Outcome(chosen["outcome"]) if "outcome" in chosen else None,
            first=date.fromisoformat(chosen["first"]) if "first" in chosen else None,
            last=date.fromisoformat(chosen["last"]) if "last" in chosen else None,
        )
    except ValueError as error:
        raise InvalidInput(texts.BAD_FILTER) from error


def _in_words(wanted: Wanted) -> list[str]:
    parts = {
        "谁": wanted.actor,
        "哪个孩子": wanted.child,
        "做什么": texts.ACTIONS[wanted.action] if wanted.action else "",
        "结果": texts.OUTCOMES[wanted.outcome] if wanted.outcome else "",
        "从": str(wanted.first or ""),
        "到": str(wanted.last or ""),
    }
    return [f"{title}：{words}" for title, words in parts.items() if words]


def _row(entry: AuditEntry, found: Found) -> Sequence[str]:
    """The cells in the order of `texts.AUDIT_HEAD`."""
    who = texts.SYSTEM if entry.actor == "system" else found.names.get(entry.actor or "", "")
    stranger = texts.STRANGER if entry.actor is None else texts.OUT_OF_REACH
    parts = [ROLES_IN_WORDS[Role(role)] for role in entry.roles if role in Role.__members__.values()]
    action = next((words for action, words in texts.ACTIONS.items() if action.value == entry.action), entry.action)
    return (
        moment(entry.at),
        who or stranger,
        "、".join(parts),
        action,
        found.names.get(entry.about or "", "") or _subject(entry, found),
        "、".join(texts.CARD if "." in name else texts.FIELDS.get(name, name) for name in entry.fields),
        texts.DOORS.get(entry.door, entry.door),
        texts.OUTCOMES[entry.outcome],
        str(entry.id),
    )


def _subject(entry: AuditEntry, found: Found) -> str:
    kind, _, own = (entry.subject or "").partition(":")
    named = found.names.get(own, "")
    return f"{texts.SUBJECTS.get(kind, kind)}{f'：{named}' if named else ''}" if kind else ""
