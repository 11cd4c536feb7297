"""Reading the audit: who did what, within somebody's reach. Ids only: names are the affair of whoever keeps people."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from tortoise.expressions import Q

from bot.audit.log import Outcome
from bot.audit.models import AuditRow
from bot.rights import Action, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """What is looked for; None: whatever. Several actors or children are alternatives, none at all finds nothing.
    `veiled`: actions that nobody is told of a child, unless it is at one of the schools of `unveiled`: who looks for a
    child finds none of them."""

    actors: Sequence[str] | None = None
    children: Sequence[str] | None = None
    action: Action | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    before: datetime | None = None
    veiled: Collection[Action] = ()
    unveiled: Collection[str] = ()
    purpose: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """A row of the audit. `actor` is a person's id, `system`, or None for a stranger."""

    id: int
    at: datetime
    actor: str | None
    roles: Sequence[str]
    door: str
    action: str
    outcome: Outcome
    subject: str | None
    about: str | None
    school: str | None
    fields: Sequence[str]
    purpose: str | None


async def search(
    reach: Reach, wanted: AuditFilter, *, offset: int, limit: int, is_oldest_first: bool = False
) -> tuple[list[AuditEntry], int]:
    """A page of the entries within reach, and how many there are in all."""
    chosen = AuditRow.filter(_within(reach) & _criteria(wanted))
    rows = await chosen.order_by("id" if is_oldest_first else "-id").offset(offset).limit(limit)
    return [_entry(row) for row in rows], await chosen.count()


def _within(reach: Reach) -> Q:
    if reach.is_any:
        return Q()
    own = Q(township__in=list(reach.townships)) | Q(school__in=list(reach.schools))
    if not reach.townships:
        return own
    # Log-ins and the like are nobody's in particular.
    return own | Q(township__isnull=True, school__isnull=True, about__isnull=True)


def _criteria(wanted: AuditFilter) -> Q:
    chosen = Q()
    if wanted.actors is not None:
        chosen &= Q(actor__in=list(wanted.actors))
    if wanted.children is not None:
        chosen &= Q(about__in=list(wanted.children))
        veiled = [action.value for action in wanted.veiled]
        chosen &= ~Q(action__in=veiled) | Q(school__in=list(wanted.unveiled))
    if wanted.action is not None:
        chosen &= Q(action=wanted.action.value)
    if wanted.outcome is not None:
        chosen &= Q(outcome=wanted.outcome.value)
    if wanted.since is not None:
        chosen &= Q(at__gte=wanted.since)
    if wanted.before is not None:
        chosen &= Q(at__lt=wanted.before)
    if wanted.purpose is not None:
        chosen &= Q(purpose=wanted.purpose)
    return chosen


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=row.at,
        actor=row.actor,
        roles=tuple(filter(None, row.roles.split(","))),
        door=row.door,
        action=row.action,
        outcome=Outcome(row.outcome),
        subject=row.subject,
        about=row.about,
        school=row.school,
        fields=tuple(row.fields_seen),
        purpose=row.purpose,
    )
