"""Raising an alarm, answering it, closing it. Every use case runs in the caller's transaction, or in one of its own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from tortoise.expressions import Q

from bot.audit.log import Audit
from bot.capability import DueForRetention
from bot.clock import Clock, local_date
from bot.delivery.outbox import Outbox
from bot.errors import NotFound
from bot.identity import Actor, Role
from bot.logs import get_logger
from bot.privacy import without_personal_data
from bot.rights import Action, Subject, refusal, require
from bot.storage.database import transaction
from handlers.accounts.service.offices import Offices
from handlers.alarms import texts
from handlers.alarms.domain import (
    LIVE,
    LONGEST_SAID,
    AlarmEvent,
    AlarmSource,
    AlarmState,
    Mark,
    NewAlarm,
    Raised,
    advance,
    checked_sentence,
    mark_of,
)
from handlers.alarms.models import AlarmEntry, AlarmRow
from handlers.alarms.service.climbing import FAMILY, STAFF, Climbing, Line, write_lines
from handlers.alarms.service.ladder import subject_of

_log = get_logger(__name__)


class AlarmService:
    """The use cases of those who raise alarms and those who answer them."""

    def __init__(
        self, climbing: Climbing, offices: Offices, outbox: Outbox, *, audit: Audit, clock: Clock, kept_days: int
    ) -> None:
        """`kept_days`: how long after its end the words of an alarm are kept."""
        self._climbing = climbing
        self._offices = offices
        self._outbox = outbox
        self._audit = audit
        self._clock = clock
        self._kept = timedelta(days=kept_days)

    # ------------------------------------------------------------------------------------------------------- raising
    async def raise_alarm(self, actor: Actor, new: NewAlarm) -> Raised:
        """Somebody is in danger: the first step is told at once. The same reference twice is one alarm. Anybody may in
        the chat; elsewhere NotPermitted, and in the console NotFound for a child out of reach: another service has seen
        to it that the child is in the actor's care."""
        action = Action.CHAT_USE if new.source is AlarmSource.CHAT else Action.ALARM_RAISE
        require(actor, action)
        whose = await self._place(actor, new)
        if new.child_id and new.source is AlarmSource.CONSOLE:
            require(actor, action, whose)
        async with transaction():
            row, is_new = await AlarmRow.get_or_create(
                reference=new.reference, defaults=self._columns(actor, new, whose)
            )
            if not is_new:
                return Raised(str(row.key), row.id, await self._told(row), is_new=False)
            raiser = str(row.raised_by) if row.raised_by else None
            await write_lines(row, [Line(mark_of(Mark.RAISED), raiser)], row.raised_at)
            told = await self._climbing.climb(row, new.letters)
            await self._climbing.tell_family(row)
            purpose = new.kind.value
            await self._audit.record(actor, action, f"alarm:{row.key}", whose=whose, purpose=purpose)
        _log.warning("alarm_raised", number=row.id, told=len(told))
        return Raised(str(row.key), row.id, frozenset(told))

    async def add(self, reference: str, said: str) -> bool:
        """More that was said about the same matter; False when no live alarm has the reference, or one that goes on
        after a colon."""
        async with transaction():
            live = AlarmRow.filter(_from(reference), state__in=list(LIVE))
            row = await live.order_by("-id").select_for_update().first()
            if row is None:
                return False
            now = self._clock.now()
            words = f"{row.said}\n{said}" if row.said else said
            await AlarmRow.filter(id=row.id).update(said=words[-LONGEST_SAID:], updated_at=now)
            count = await AlarmEntry.filter(alarm_id=row.id, mark__startswith=Mark.ADDED.value).count()
            await write_lines(row, [Line(mark_of(Mark.ADDED, count + 1))], now)
        return True

    async def _place(self, actor: Actor, new: NewAlarm) -> Subject:
        """Where it happens, as far as anything tells: the child, what was said, where the one belongs who raised it,
        the only township there is."""
        if new.child_id:
            return (await self._offices.child(new.child_id))[1]
        if new.school_id:
            return await self._offices.subject(school_id=new.school_id)
        found = await self._offices.place_of(actor)
        if found.school_id is None and (named := await self._offices.school_named(new.where)).township_id:
            found = named
        if found.township_id is None:
            townships = await self._offices.townships()
            found = Subject(township_id=new.township_id or (townships[0] if len(townships) == 1 else None))
        return found

    def _columns(self, actor: Actor, new: NewAlarm, whose: Subject) -> dict[str, Any]:
        now = self._clock.now()
        return {
            "kind": new.kind,
            "source": new.source,
            "state": AlarmState.OPEN,
            "child_id": as_uuid(whose.child_id),
            "class_id": as_uuid(whose.class_id),
            "school_id": as_uuid(whose.school_id),
            "township_id": as_uuid(whose.township_id),
            "raised_by": as_uuid(actor.person_id),
            "raiser_index": new.raiser_index,
            "hand_over": new.hand_over,
            "said": new.said[-LONGEST_SAID:] or None,
            "spot": new.where or None,
            "on_duty": list(new.on_duty),
            "climb_at": now,
            "raised_at": now,
            "updated_at": now,
        }

    async def _told(self, row: AlarmRow) -> frozenset[str]:
        entries = AlarmEntry.filter(alarm_id=row.id, mark__startswith=f"{Mark.TOLD.value}:")
        return frozenset(str(person) for person in await entries.values_list("person_id", flat=True))

    # ----------------------------------------------------------------------------------------------------- answering
    async def acknowledge(self, actor: Actor, key: str) -> int:
        """The actor acts: nobody further is told. Gives its number. Raises NotFound, AlarmClosed."""
        async with transaction():
            row = await self._within(actor, Action.ALARM_ANSWER, key=as_uuid(key))
            await self._move(row, AlarmEvent.ACKNOWLEDGE, actor.person_id)
            await self._note(actor, row, "acknowledge")
        return row.id

    async def acknowledge_number(self, actor: Actor, number: int) -> int:
        """The same by the number people speak of. Raises NotFound, AlarmClosed."""
        async with transaction():
            row = await self._within(actor, Action.ALARM_ANSWER, id=number)
            await self._move(row, AlarmEvent.ACKNOWLEDGE, actor.person_id)
            await self._note(actor, row, "acknowledge")
        return row.id

    async def acknowledge_reference(self, actor: Actor, reference: str) -> None:
        """Somebody has taken on what the alarm comes from, with the right to that. Nothing to do when it is not
        open."""
        async with transaction():
            for row in await AlarmRow.filter(_from(reference), state=AlarmState.OPEN).select_for_update():
                await self._move(row, AlarmEvent.ACKNOWLEDGE, actor.person_id)
                await self._note(actor, row, "acknowledge")

    async def close(self, actor: Actor, key: str, sentence: str) -> int:
        """It is over, and this is what was done. Raises NotFound, SentenceMissing, AlarmClosed."""
        words = checked_sentence(sentence)
        async with transaction():
            row = await self._within(actor, Action.ALARM_ANSWER, key=as_uuid(key))
            await self._move(row, AlarmEvent.CLOSE, actor.person_id)
            await AlarmRow.filter(id=row.id).update(closing=words)
            for reason in (STAFF, FAMILY):
                await self._outbox.cancel(reason, occurrence=str(row.id))
            await self._note(actor, row, "close")
        return row.id

    async def _move(self, row: AlarmRow, event: AlarmEvent, person_id: str | None) -> None:
        now = self._clock.now()
        state = advance(row.state, event)
        by = row.acknowledged_by or as_uuid(person_id)
        await AlarmRow.filter(id=row.id).update(state=state, climb_at=None, acknowledged_by=by, updated_at=now)
        what = Mark.CLOSED if event is AlarmEvent.CLOSE else Mark.ACKNOWLEDGED
        mark = mark_of(what, "" if what is Mark.CLOSED else person_id or "duty")
        await write_lines(row, [Line(mark, person_id)], now, again=True)
        if state is not row.state:
            await self._outbox.cancel(STAFF, occurrence=str(row.id))

    async def _within(self, actor: Actor, action: Action, **which: Any) -> AlarmRow:
        """The row, locked, if the actor is named in it or reaches its place. Raises NotPermitted, NotFound."""
        require(actor, action)
        row = await AlarmRow.filter(**which).select_for_update().first()
        if row is None or not await is_within(actor, action, row):
            raise refusal(NotFound(texts.NOT_THERE), actor, action, Subject())
        return row

    async def _note(self, actor: Actor, row: AlarmRow, purpose: str) -> None:
        whose = subject_of(row)
        await self._audit.record(actor, Action.ALARM_ANSWER, f"alarm:{row.key}", whose=whose, purpose=purpose)

    # -------------------------------------------------------------------------------------------- what is kept, and not
    async def erase(self, openid_index: str) -> None:
        """Whoever raised it in the chat leaves: what they said loses what names anybody. See `Eraser`."""
        for row in await AlarmRow.filter(raiser_index=openid_index):
            said = without_personal_data(row.said) if row.said else None
            await AlarmRow.filter(id=row.id).update(raiser_index=None, said=said, updated_at=self._clock.now())

    async def child_data(self, child_id: str, person_id: str) -> dict[str, Any]:
        """Nothing: what protects a child is not for its guardians' copy. See `ChildRecords`."""
        return {}

    async def erase_child(self, child_id: str, *, keep_duty: bool) -> None:
        """What is held by duty stays until the end of its term; then nothing tells who it was. See `ChildRecords`."""
        if not keep_duty:
            await AlarmRow.filter(child_id=child_id).update(
                child_id=None, said=None, spot=None, closing=None, updated_at=self._clock.now()
            )

    async def due(self, today: date) -> Sequence[DueForRetention]:
        """Closed alarms whose words have been kept long enough. See `RetentionSource`."""
        found = []
        for row in await AlarmRow.filter(state=AlarmState.CLOSED, closing__isnull=False).order_by("id"):
            due_on = local_date(row.updated_at + self._kept)
            if due_on <= today:
                found.append(DueForRetention(f"alarm:{row.key}", texts.WORDS_GO, due_on))
        return found

    async def dispose(self, due: DueForRetention) -> None:
        """See `RetentionSource`."""
        key = as_uuid(due.subject.partition(":")[2])
        await AlarmRow.filter(key=key).update(said=None, spot=None, closing=None)


async def is_within(actor: Actor, action: Action, row: AlarmRow) -> bool:
    """Whether the actor is named in the alarm or reaches its place; what they may do at all is asked before."""
    own = actor.person_id
    told = own is not None and await AlarmEntry.exists(alarm_id=row.id, mark=mark_of(Mark.TOLD, own))
    # Whoever raised it sees what becomes of it; that somebody acts is for those who were told, or are on duty, to say.
    counts = action is Action.ALARM_VIEW or actor.has(Role.DUTY)
    raised = counts and own is not None and own == (str(row.raised_by) if row.raised_by else None)
    is_own = told or raised
    return told or require(actor, action).covers(subject_of(row, own if is_own else None))


def _from(reference: str) -> Q:
    """The alarms of one matter: a further one has something after a colon."""
    return Q(Q(reference=reference), Q(reference__startswith=f"{reference}:"), join_type=Q.OR)


def as_uuid(text: str | None) -> UUID | None:
    """Raises NotFound for what is no id."""
    try:
        return UUID(text) if text else None
    except ValueError:
        raise NotFound from None
