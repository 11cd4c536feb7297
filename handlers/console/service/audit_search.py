"""Searching the audit. The search is written down itself, and names come from whoever keeps people.

That somebody looked at contacts with the family of a child tells that the child is on the register: only who may look
at the register itself reads of which child. To the others the line stays, without the child, and no search for a child
finds it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final, Protocol

from bot.audit.log import Audit, Outcome
from bot.audit.search import AuditEntry, AuditFilter, search
from bot.clock import SHANGHAI
from bot.identity import Actor
from bot.rights import Action, Subject, may, reach_of, require
from bot.storage.database import transaction

_VEILED: Final = frozenset(
    {
        Action.CONTACTS_OWN, Action.CONTACTS_CLASS, Action.CONTACTS_REGISTER, Action.CONTACTS_SEALED,
        Action.CONTACTS_GLASS, Action.CONTACTS_REPORT, Action.CONTACTS_COUNTS, Action.CONTACTS_EXPORT,
        Action.CONTACTS_RELEASE, Action.CONTACTS_WATCH, Action.CONTACTS_REFRESH, Action.CONTACTS_WORD,
        Action.CONTACTS_CALL,
    }
)  # fmt: skip


class Names(Protocol):
    """Names of people, within somebody's reach."""

    async def names_of(
        self, actor: Actor, *, persons: Sequence[str] = (), pupils: Sequence[str] = ()
    ) -> Mapping[str, str]:
        """By id; those out of reach are left out."""
        ...

    async def ids_named(self, actor: Actor, name: str) -> tuple[Sequence[str], Sequence[str]]:
        """The ids of persons and of pupils who bear the name."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for, as somebody typed it. `actor` and `child` are names; days include the last."""

    actor: str = ""
    child: str = ""
    action: Action | None = None
    outcome: Outcome | None = None
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of entries, the names in them by id, and how many there are in all."""

    entries: Sequence[AuditEntry]
    names: Mapping[str, str]
    total: int


class AuditSearch:
    """What administrators see of the audit."""

    def __init__(self, audit: Audit, names: Names) -> None:
        self._audit = audit
        self._names = names

    async def find(
        self, actor: Actor, wanted: Wanted, *, offset: int, limit: int, is_oldest_first: bool = False
    ) -> Found:
        """The entries; that somebody looked is an entry too. Raises NotPermitted."""
        reach = require(actor, Action.AUDIT_SEARCH)
        looked_for = await self._filter(actor, wanted)
        async with transaction():
            entries, total = await search(
                reach, looked_for, offset=offset, limit=limit, is_oldest_first=is_oldest_first
            )
            township = next(iter(sorted(reach.townships)), None)
            await self._audit.record(
                actor,
                Action.AUDIT_SEARCH,
                "table:audit",
                whose=Subject(township_id=township),
                fields=_criteria(wanted),
            )
        entries = [_veiled(entry, looked_for.unveiled) for entry in entries]
        persons = {entry.actor for entry in entries if entry.actor and entry.actor != "system"}
        persons |= {_id_of(entry.subject, "person") for entry in entries} - {""}
        pupils = {entry.about for entry in entries if entry.about}
        names = await self._names.names_of(actor, persons=sorted(persons), pupils=sorted(pupils))
        return Found(entries, names, total)

    async def _filter(self, actor: Actor, wanted: Wanted) -> AuditFilter:
        actors = (await self._names.ids_named(actor, wanted.actor))[0] if wanted.actor else None
        children = (await self._names.ids_named(actor, wanted.child))[1] if wanted.child else None
        return AuditFilter(
            actors=actors,
            children=children,
            action=wanted.action,
            outcome=wanted.outcome,
            since=_midnight(wanted.first) if wanted.first else None,
            before=_midnight(wanted.last + timedelta(days=1)) if wanted.last else None,
            veiled=_VEILED,
            unveiled=_register_of(actor),
        )


def _register_of(actor: Actor) -> frozenset[str]:
    """The schools whose register is the actor's to look at."""
    if not may(actor, Action.CONTACTS_REGISTER):
        return frozenset()
    return reach_of(actor, Action.CONTACTS_REGISTER).schools


def _veiled(entry: AuditEntry, unveiled: Collection[str]) -> AuditEntry:
    """As it may be read by somebody with the register of those schools."""
    if entry.action not in _VEILED or entry.school in unveiled:
        return entry
    kind, _, own = (entry.subject or "").partition(":")
    subject = entry.subject if kind == "person" and own == entry.actor else kind or None
    return replace(entry, about=None, subject=subject)


def _criteria(wanted: Wanted) -> list[str]:
    return [name for name in ("actor", "child", "action", "outcome", "first", "last") if getattr(wanted, name)]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)


def _id_of(subject: str | None, kind: str) -> str:
    found, _, own = (subject or "").partition(":")
    return own if found == kind else ""
