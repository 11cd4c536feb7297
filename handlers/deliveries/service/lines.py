"""The list of calls and slips of paper: whose families no message reached, and who told them.

A line belongs to the class of the child, so whoever is its head teacher has it. `add`, `tick`, `open_for` and
`of_matter` are for other capabilities too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from tortoise.queryset import QuerySet

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.delivery.pushes import Purpose, Push, PushClass
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, require
from bot.storage.database import transaction
from handlers.accounts.service.audiences import AccountsAudiences, StaffPlace, WardMeant
from handlers.accounts.service.scope import as_id, missing, within
from handlers.deliveries.domain import AlreadyTicked, LineState, NotTicked, Way
from handlers.deliveries.models import HandListLine

NOBODY_ON_ROSTER: Final = "no_guardian"
UNDONE: Final = "undo"
DUTY: Final = "没联系上的家庭（电话和纸条名单）"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLine:
    """Somebody no message reaches, about one matter (`reason` and `occurrence` of the pushes). `child_id` None: one of
    the staff. `person_id` None: the child has nobody on the roster. `why`: what stood in the way, in a word.
    `child_ids`: all children of the message."""

    reason: str
    occurrence: str
    person_id: str | None
    child_id: str | None
    purpose: Purpose
    not_before: datetime
    expires_at: datetime
    rule: str = ""
    push_class: PushClass = PushClass.NORMAL
    why: str = NOBODY_ON_ROSTER
    child_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line as it stands. `push`: whose words are to be told; None when there is no person it was for. `settled_by`:
    a person's id, None where nobody had to do anything."""

    id: str
    reason: str
    occurrence: str
    child_id: str | None
    person_id: str | None
    class_id: str | None
    state: LineState
    way: Way | None
    why: str
    settled_by: str | None
    settled_at: datetime | None
    created_at: datetime
    push: Push | None


class HandList:
    """The use cases of the list."""

    def __init__(self, audiences: AccountsAudiences, audit: Audit, clock: Clock) -> None:
        self._audiences = audiences
        self._audit = audit
        self._clock = clock

    # --------------------------------------------------------------------------------------------------------- writing
    async def add(self, lines: Sequence[NewLine]) -> int:
        """Puts them on the list, in the caller's transaction; a child that is on it about the same matter stays as it
        is. Whoever is not at a school any more is passed over. Gives how many are new."""
        wards = await self._audiences.children({line.child_id for line in lines if line.child_id})
        people = {line.person_id for line in lines if line.person_id and not line.child_id}
        places = await self._audiences.staff_places(people, local_date(self._clock.now()))
        rows: dict[tuple[str, str, str], dict[str, Any]] = {}
        for line in lines:
            place = wards.get(line.child_id) if line.child_id else places.get(line.person_id or "")
            if place is not None:
                subject = line.child_id or line.person_id or ""
                rows.setdefault((line.reason, line.occurrence, subject), self._columns(line, place, subject))
        known = await self._known(rows)
        new = [HandListLine(**row) for key, row in rows.items() if key not in known]
        if new:
            await HandListLine.bulk_create(new, ignore_conflicts=True)
        return len(new)

    def _columns(self, line: NewLine, place: WardMeant | StaffPlace, subject: str) -> dict[str, Any]:
        now = self._clock.now()
        return {
            "reason": line.reason,
            "occurrence": line.occurrence,
            "subject_id": UUID(subject),
            "child_id": line.child_id and UUID(line.child_id),
            "person_id": line.person_id and UUID(line.person_id),
            "child_ids": "+".join(line.child_ids or ((line.child_id,) if line.child_id else ())),
            "class_id": UUID(place.class_id) if isinstance(place, WardMeant) and place.class_id else None,
            "school_id": place.school_id and UUID(place.school_id),
            "township_id": UUID(place.township_id),
            "rule": line.rule,
            "purpose": line.purpose,
            "push_class": line.push_class,
            "why": line.why[:64],
            "not_before": line.not_before,
            "expires_at": line.expires_at,
            "created_at": now,
            "updated_at": now,
        }

    async def _known(self, keys: Collection[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
        """Which of them are on the list."""
        found: set[tuple[str, str, str]] = set()
        for reason, occurrence in {key[:2] for key in keys}:
            subjects = [key[2] for key in keys if key[:2] == (reason, occurrence)]
            rows = HandListLine.filter(reason=reason, occurrence=occurrence, subject_id__in=subjects)
            found |= {(reason, occurrence, str(own)) for own in await rows.values_list("subject_id", flat=True)}
        return found

    async def tick(self, actor: Actor, line_id: str, way: Way) -> None:
        """The family was told, by the actor or as the actor knows: about all children of the message at once. Raises
        NotFound, AlreadyTicked."""
        reach, now = require(actor, Action.HANDLIST_TICK), self._clock.now()
        async with transaction():
            row = await visible(reach).filter(id=as_id(line_id)).select_for_update().first()
            if row is None:
                raise missing(actor, Action.HANDLIST_TICK)
            if row.state is not LineState.OPEN:
                raise AlreadyTicked(details={"state": row.state.value})
            told = HandListLine.filter(reason=row.reason, occurrence=row.occurrence, state=LineState.OPEN)
            children = row.child_ids.split("+") if row.child_ids else [str(row.subject_id)]
            await told.filter(subject_id__in=children).update(
                state=LineState.TOLD, way=way, settled_by=actor.person_id, settled_at=now, updated_at=now
            )
            await self._note(actor, row, way.value)

    async def untick(self, actor: Actor, line_id: str) -> None:
        """The tick was a mistake: what was ticked together is open again. Raises NotFound, NotTicked."""
        reach, now = require(actor, Action.HANDLIST_TICK), self._clock.now()
        async with transaction():
            row = await visible(reach).filter(id=as_id(line_id)).select_for_update().first()
            if row is None:
                raise missing(actor, Action.HANDLIST_TICK)
            if row.state is not LineState.TOLD:
                raise NotTicked(details={"state": row.state.value})
            children = row.child_ids.split("+") if row.child_ids else [str(row.subject_id)]
            await HandListLine.filter(
                reason=row.reason,
                occurrence=row.occurrence,
                subject_id__in=children,
                state=LineState.TOLD,
                settled_at=row.settled_at,
            ).update(state=LineState.OPEN, way=None, settled_by=None, settled_at=None, updated_at=now)
            await self._note(actor, row, UNDONE)

    async def _note(self, actor: Actor, row: HandListLine, purpose: str) -> None:
        await self._audit.record(
            actor,
            Action.HANDLIST_TICK,
            f"handlist:{row.id}",
            whose=subject_of(row),
            fields=["state"],
            purpose=purpose,
        )

    # --------------------------------------------------------------------------------------------------------- reading
    async def open_for(self, class_id: str) -> list[Line]:
        """The open lines of a class, the oldest first. Whoever asks has the right to."""
        rows = HandListLine.filter(class_id=as_id(class_id), state=LineState.OPEN)
        return [line_of(row) for row in await rows.order_by("created_at", "id")]

    async def of_matter(self, reason: str, occurrence: str) -> Mapping[str, Line]:
        """All lines about one matter, by child (by person for staff): who was told how, and who was not yet. Whoever
        asks has the right to."""
        rows = await HandListLine.filter(reason=reason, occurrence=occurrence)
        return {str(row.subject_id): line_of(row) for row in rows}

    # --------------------------------------------------------------------------------------- the duty of a head teacher
    async def open_duties(self, class_id: str) -> Mapping[str, int]:
        """A `DutySource`."""
        count = await HandListLine.filter(class_id=as_id(class_id), state=LineState.OPEN).count()
        return {DUTY: count} if count else {}

    async def pass_duties(self, class_id: str, to_person_id: str) -> None:
        """Lines are the class's: the next head teacher has them without a stroke of the pen."""


def line_for(push: Push, child_id: str | None, why: str) -> NewLine:
    """Of a promise that was not kept, for one of its children; None: for somebody on the staff."""
    return NewLine(
        reason=push.reason,
        occurrence=push.occurrence,
        person_id=push.person_id,
        child_id=child_id,
        child_ids=push.child_ids,
        rule=push.rule,
        purpose=push.purpose,
        push_class=push.push_class,
        not_before=push.not_before,
        expires_at=push.expires_at,
        why=why,
    )


def visible(reach: Reach) -> QuerySet[HandListLine]:
    """The lines within reach."""
    return HandListLine.filter(within(reach, classes="class_id", schools="school_id", townships="township_id"))


def subject_of(row: HandListLine) -> Subject:
    """Whose affair a line is."""
    return Subject(
        person_id=str(row.person_id) if row.person_id and not row.child_id else None,
        child_id=str(row.child_id) if row.child_id else None,
        class_id=str(row.class_id) if row.class_id else None,
        school_id=str(row.school_id) if row.school_id else None,
        township_id=str(row.township_id),
    )


def line_of(row: HandListLine) -> Line:
    """Of a row."""
    return Line(
        id=str(row.id),
        reason=row.reason,
        occurrence=row.occurrence,
        child_id=str(row.child_id) if row.child_id else None,
        person_id=str(row.person_id) if row.person_id else None,
        class_id=str(row.class_id) if row.class_id else None,
        state=row.state,
        way=row.way,
        why=row.why,
        settled_by=str(row.settled_by) if row.settled_by else None,
        settled_at=row.settled_at,
        created_at=row.created_at,
        push=push_of(row) if row.person_id else None,
    )


def push_of(row: HandListLine) -> Push:
    """The promise behind a line, as it was made."""
    return Push(
        id=str(row.id),
        reason=row.reason,
        occurrence=row.occurrence,
        person_id=str(row.person_id),
        rule=row.rule,
        purpose=row.purpose,
        push_class=row.push_class,
        child_ids=tuple(row.child_ids.split("+")) if row.child_ids else (),
        not_before=row.not_before,
        expires_at=row.expires_at,
    )
