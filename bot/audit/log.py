"""Writing the audit: one row for each deed with protected data, in the transaction of the deed.

What cannot be written down does not happen: `record` runs inside the caller's transaction, so the deed and its row
commit together or not at all. A refusal is written by the edge after the rollback, in a transaction of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from tortoise.exceptions import BaseORMException

from bot.audit.models import AuditRow
from bot.clock import Clock
from bot.errors import AppError
from bot.identity import Actor, Role
from bot.logs import get_logger, request_id
from bot.rights import Action, Denial, Subject
from bot.storage.rows import insert_together

_log = get_logger(__name__)


class Outcome(StrEnum):
    """What became of it."""

    DONE = "done"
    DENIED = "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What is written down where many do something in one transaction; `request`: the request it came with."""

    actor: Actor
    action: Action
    subject: str
    whose: Subject
    purpose: str | None = None
    request: str | None = None


class Audit:
    """The door to the audit for everybody who writes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def record(
        self,
        actor: Actor,
        action: Action,
        subject: str | None = None,
        *,
        whose: Subject | None = None,
        fields: Sequence[str] = (),
        purpose: str | None = None,
    ) -> None:
        """Writes a deed down, in the caller's transaction.

        `subject` is `kind:id` of what it was done with, `whose` whose affair that is, `fields` the names of what was
        read or changed, never their values. `purpose` is a short word of our own, never text somebody typed.
        """
        await self._write(
            actor, action, Outcome.DONE, subject, whose or Subject(), fields=list(fields), purpose=purpose
        )

    async def record_all(self, deeds: Sequence[Deed]) -> None:
        """Writes many deeds down in one statement, in the caller's transaction."""
        now = self._clock.now()
        rows = [
            _row(
                deed.actor, deed.action, Outcome.DONE, deed.subject, deed.whose,
                at=now, purpose=deed.purpose, request=deed.request,
            )
            for deed in deeds
        ]  # fmt: skip
        await insert_together(AuditRow, rows)

    async def note_denial(self, error: AppError) -> None:
        """Writes down a refusal the error tells of, if it tells of one. Never raises: the answer is no anyway."""
        denial = _taken_denial(error)
        if denial is None:
            return
        whose = denial.subject or Subject()
        try:
            await self._write(denial.actor, denial.action, Outcome.DENIED, _named(whose), whose)
        except (AppError, BaseORMException) as failure:
            _log.error("denial_not_written", action=denial.action.value, cause=type(failure).__name__)

    async def _write(
        self,
        actor: Actor,
        action: Action,
        outcome: Outcome,
        subject: str | None,
        whose: Subject,
        *,
        fields: list[str] | None = None,
        purpose: str | None = None,
    ) -> None:
        row = _row(
            actor, action, outcome, subject, whose,
            at=self._clock.now(), fields=fields, purpose=purpose, request=request_id.get(),
        )  # fmt: skip
        await AuditRow.create(**row)


def _row(
    actor: Actor,
    action: Action,
    outcome: Outcome,
    subject: str | None,
    whose: Subject,
    *,
    at: datetime,
    fields: list[str] | None = None,
    purpose: str | None = None,
    request: str | None = None,
) -> dict[str, Any]:
    own = "system" if actor.has(Role.SYSTEM) else actor.person_id
    return {
        "at": at,
        "actor": own,
        "stranger": None if own else actor.openid_index,
        "roles": _named_roles(actor.roles),
        "door": actor.door.value,
        "action": action.value,
        "outcome": outcome.value,
        "subject": subject,
        "about": whose.child_id,
        "school": whose.school_id,
        "township": whose.township_id,
        "fields_seen": fields or [],
        "purpose": purpose,
        "request_id": request,
    }


@lru_cache
def _named_roles(roles: frozenset[Role]) -> str:
    """There are few sets of roles, and a log is written again and again for the same one."""
    return ",".join(sorted(roles))


def _taken_denial(error: BaseException | None) -> Denial | None:
    """Of the error, or of one it came up while handling: a limit that was reached hides no refusal. It is taken from
    the error, so that two edges one inside the other write it once."""
    while error is not None:
        denial = error.denial if isinstance(error, AppError) else None
        if isinstance(error, AppError) and isinstance(denial, Denial):
            error.denial = None
            return denial
        error = error.__cause__ or error.__context__
    return None


def _named(whose: Subject) -> str | None:
    """The nearest thing that is known of whose affair it was, as `kind:id`."""
    known = {
        "child": whose.child_id,
        "person": whose.person_id,
        "class": whose.class_id,
        "school": whose.school_id,
        "township": whose.township_id,
    }
    return next((f"{kind}:{own}" for kind, own in known.items() if own is not None), None)
