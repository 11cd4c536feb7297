"""Looking at alarms: only whoever is named in one or answers for its place, and every look is written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tortoise.expressions import Q, Subquery

from bot.audit.log import Audit
from bot.capability import Todo
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, may, refusal, require
from bot.storage.database import transaction
from handlers.accounts.service.offices import Namesake, Offices
from handlers.alarms import texts
from handlers.alarms.domain import (
    LIVE,
    AlarmLine,
    AlarmSheet,
    AlarmSource,
    AlarmState,
    Entry,
    Mark,
    Number,
    mark_of,
)
from handlers.alarms.models import AlarmEntry, AlarmRow
from handlers.alarms.service.alarms import as_uuid, is_within
from handlers.alarms.service.ladder import Ladder, subject_of

PAGE: Final = "/alarms"
_READ: Final = ("name", "phone", "said")
_LISTED: Final = ("kind", "place", "state")
_LIST: Final = "list"


class SheetService:
    """The reading side. A `TodoSource`."""

    def __init__(self, ladder: Ladder, offices: Offices, audit: Audit) -> None:
        self._ladder = ladder
        self._offices = offices
        self._audit = audit

    async def lines(
        self, actor: Actor, states: Sequence[AlarmState] = LIVE, *, offset: int = 0, limit: int = 50
    ) -> tuple[list[AlarmLine], int]:
        """The alarms within reach, the last first, without a child's name; and how many there are in all. That somebody
        looked is written down in the same transaction."""
        query = AlarmRow.filter(_visible(actor, require(actor, Action.ALARM_VIEW)), state__in=list(states))
        async with transaction():
            rows = await query.order_by("-id").offset(offset).limit(limit)
            # It is many places' affair: the actor's own rights say whose.
            await self._audit.record(actor, Action.ALARM_VIEW, "alarms", fields=list(_LISTED), purpose=_LIST)
            return await self._lines(rows), await query.count()

    async def sheet(self, actor: Actor, key: str) -> AlarmSheet:
        """One alarm with everything, written down in the same transaction. Raises NotFound."""
        require(actor, Action.ALARM_VIEW)
        async with transaction():
            row = await AlarmRow.filter(key=as_uuid(key)).first()
            if row is None or not await is_within(actor, Action.ALARM_VIEW, row):
                raise refusal(NotFound(), actor, Action.ALARM_VIEW, Subject())
            whose = subject_of(row)
            await self._audit.record(actor, Action.ALARM_VIEW, f"alarm:{row.key}", whose=whose, fields=list(_READ))
            return await self._sheet(actor, row)

    async def todos_of(self, actor: Actor) -> list[Todo]:
        """Those nobody has taken on, and those that are not closed."""
        if not may(actor, Action.ALARM_ANSWER):
            return []
        visible = AlarmRow.filter(_visible(actor, require(actor, Action.ALARM_VIEW)))
        waiting = await visible.filter(state=AlarmState.OPEN).count()
        going_on = await visible.filter(state=AlarmState.ACKNOWLEDGED).count()
        return [
            Todo(texts.TODO_OPEN, waiting, PAGE, is_urgent=True),
            Todo(texts.TODO_LIVE, going_on, PAGE, is_urgent=True),
        ]

    # -------------------------------------------------------------------------------------------------------- inside
    async def _lines(self, rows: Sequence[AlarmRow]) -> list[AlarmLine]:
        places = await self._offices.names({str(row.school_id or row.township_id) for row in rows if row.township_id})
        people = await self._offices.people([str(row.acknowledged_by) for row in rows if row.acknowledged_by])
        return [
            AlarmLine(
                key=str(row.key),
                number=row.id,
                kind=row.kind,
                state=row.state,
                raised_at=row.raised_at,
                place=places.get(str(row.school_id or row.township_id), texts.PLACE_UNKNOWN),
                level=row.level,
                acknowledged_by=people[by].name if (by := str(row.acknowledged_by)) in people else "",
            )
            for row in rows
        ]

    async def _sheet(self, actor: Actor, row: AlarmRow) -> AlarmSheet:
        [line] = await self._lines([row])
        child = (await self._offices.child(str(row.child_id)))[0] if row.child_id else None
        may_answer = may(actor, Action.ALARM_ANSWER) and await is_within(actor, Action.ALARM_ANSWER, row)
        raiser = str(row.raised_by) if row.raised_by else ""
        people = await self._offices.people([raiser] if raiser else [])
        wards = await self._offices.wards(raiser) if raiser and not child and row.source is AlarmSource.CHAT else []
        return AlarmSheet(
            line=line,
            source=row.source,
            child=_where(child) if child else "",
            said=row.said or "",
            where=row.spot or "",
            raised_by=people[raiser].name if raiser in people else "",
            hand_over=row.hand_over,
            closing=row.closing or "",
            numbers=await self._ladder.numbers(row),
            family=await self._family(child.id) if child else [],
            wards=[_where(ward) for ward in wards],
            timeline=await self._timeline(row),
            may_answer=may_answer,
        )

    async def _family(self, child_id: str) -> list[Number]:
        callers, acting = await self._offices.guardians(child_id)
        roles = {True: texts.ACTING, False: texts.GUARDIAN}
        return [Number(roles[one.person_id == acting], one.name, one.phone) for one in callers]

    async def _timeline(self, row: AlarmRow) -> list[Entry]:
        entries = await AlarmEntry.filter(alarm_id=row.id).order_by("id")
        people = await self._offices.people([str(entry.person_id) for entry in entries if entry.person_id])
        lines = []
        for entry in entries:
            who = people[by].name if (by := str(entry.person_id)) in people else ""
            lines.append(Entry(entry.at, Mark(entry.mark.partition(":")[0]), who, entry.level))
        return lines


def _visible(actor: Actor, reach: Reach) -> Q:
    """The alarms of a reach, and those the actor is named in."""
    if reach.is_any:
        return Q()
    conditions: list[dict[str, Any]] = [
        {"school_id__in": sorted(reach.schools)},
        {"township_id__in": sorted(reach.townships)},
    ]
    if actor.person_id is not None:
        # A query of its own: joined, an alarm would be there once for each of its entries.
        told = AlarmEntry.filter(mark=mark_of(Mark.TOLD, actor.person_id)).values("alarm_id")
        conditions += [{"id__in": Subquery(told)}, {"raised_by": actor.person_id}]
    return Q(*(Q(**condition) for condition in conditions), join_type=Q.OR)


def _where(child: Namesake) -> str:
    return texts.WARD.format(name=child.name, where=f"{child.school}{child.class_name}")
