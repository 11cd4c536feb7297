"""Mandatory reports: opened with an alarm in one transaction, complete when it is known who was called, closed with a
sentence. Seen by whoever opened it until it is complete, by the protection lead and the school leader; by nobody else,
and by no guardian ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.capability import Todo
from bot.clock import Clock
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, may, reach_of, refusal
from bot.storage.database import transaction
from handlers.accounts.domain import APPOINTMENT_WORDS, AppointmentKind
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.scope import as_id
from handlers.alarms.domain import AlarmKind, AlarmSource, NewAlarm
from handlers.alarms.service.alarms import AlarmService
from handlers.contacts.domain.records import ReportState
from handlers.contacts.domain.reports import (
    Call,
    Called,
    CallMissing,
    ReportClosed,
    checked_call,
    checked_sentence,
    is_complete,
    missing,
    read_calls,
    read_triggers,
    stored_calls,
    stored_triggers,
)
from handlers.contacts.domain.triggers import Trigger
from handlers.contacts.models import ContactsReport
from handlers.contacts.service.reach import own_id, whose
from handlers.contacts.service.recounting import hold
from handlers.contacts.texts import reports as texts

PAGE: Final = "/contacts/reports"
_ACTION: Final = Action.CONTACTS_REPORT
_TOLD: Final = (
    AppointmentKind.PROTECTION_LEAD,
    AppointmentKind.SCHOOL_LEADER,
    AppointmentKind.TOWNSHIP_ADMINISTRATOR,
)
"""Whose numbers stand beside 110, the nearest first."""


@dataclass(frozen=True, slots=True)
class NumberToCall:
    """Somebody to be called."""

    role: str
    name: str = field(repr=False)
    phone: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A report in a list."""

    id: str
    ward: WardMeant | None
    state: ReportState
    opened_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSheet:
    """Everything a report holds. `missing`: who is still to be called; `may_close`: for whoever looks."""

    line: ReportLine
    triggers: frozenset[Trigger]
    words: str = field(repr=False)
    opened_by: str
    calls: Sequence[Call]
    missing: Sequence[Called]
    numbers: Sequence[NumberToCall]
    closing: str = field(repr=False)
    may_close: bool = False


class ReportService:
    """The use cases. Also a `TodoSource`."""

    def __init__(
        self, alarms: AlarmService, offices: Offices, audiences: AccountsAudiences, audit: Audit, clock: Clock
    ) -> None:
        self._alarms = alarms
        self._offices = offices
        self._audiences = audiences
        self._audit = audit
        self._clock = clock

    # --------------------------------------------------------------------------------------------------------- opening
    async def open_for(
        self, actor: Actor, ward: WardMeant, triggers: frozenset[Trigger], words: str, record_id: str | None = None
    ) -> str:
        """A report of a child that is in the actor's care, in the caller's transaction; the alarm is raised with it.
        One that is open takes on what is new; the same record opens one report. Gives its id."""
        reach_of(actor, _ACTION)
        pupil, now = UUID(ward.id), self._clock.now()
        await hold([pupil])
        record = UUID(record_id) if record_id else None
        if record and (known := await ContactsReport.get_or_none(record_id=record)):
            return str(known.id)
        row = await ContactsReport.filter(pupil_id=pupil, state=ReportState.OPEN).order_by("opened_at").first()
        if row is not None:
            row.triggers = stored_triggers(read_triggers(row.triggers) | triggers)
            row.words = "\n".join(filter(None, (row.words, words))) or None
            row.updated_at = now
            await row.save(update_fields=["triggers", "words", "updated_at"])
            await self._wrote(actor, row, "add")
            return str(row.id)
        return await self._opened(actor, ward, triggers, words, record)

    async def _opened(
        self, actor: Actor, ward: WardMeant, triggers: frozenset[Trigger], words: str, record: UUID | None
    ) -> str:
        now, by, own = self._clock.now(), own_id(actor), uuid4()
        assert by is not None
        new = NewAlarm(
            kind=AlarmKind.MANDATORY_REPORT, source=AlarmSource.SERVICE, reference=f"contacts:{own}",
            child_id=ward.id, said=texts.ALARM_SAID,
        )  # fmt: skip
        raised = await self._alarms.raise_alarm(actor, new)
        row = await ContactsReport.create(
            id=own, pupil_id=UUID(ward.id), school_id=UUID(ward.school_id), township_id=UUID(ward.township_id),
            record_id=record, triggers=stored_triggers(triggers), words=words or None, opened_by=by, opened_at=now,
            state=ReportState.OPEN, alarm_key=UUID(raised.key), created_at=now, updated_at=now,
        )  # fmt: skip
        await self._wrote(actor, row, "open")
        return str(row.id)

    # --------------------------------------------------------------------------------------------------------- looking
    async def lines(self, actor: Actor, *, with_closed: bool = False) -> list[ReportLine]:
        """The reports within reach, the newest first. Raises NotPermitted."""
        reach = reach_of(actor, _ACTION)
        states = list(ReportState) if with_closed else [ReportState.OPEN, ReportState.COMPLETE]
        async with transaction():
            await self._audit.record(actor, _ACTION, f"person:{actor.person_id}", purpose="list", fields=["child"])
            rows = await self._within(reach, states)
            wards = await self._audiences.children({str(row.pupil_id) for row in rows})
        return [_line(row, wards.get(str(row.pupil_id))) for row in rows]

    async def sheet(self, actor: Actor, report_id: str) -> ReportSheet:
        """One of them. Raises NotFound."""
        async with transaction():
            row = await self._found(actor, report_id)
            fields = ["triggers", "words", "calls"]
            await self._audit.record(
                actor, _ACTION, f"contacts_report:{row.id}", whose=_whose(row), fields=fields, purpose="read"
            )
        ward = (await self._audiences.children([str(row.pupil_id)])).get(str(row.pupil_id))
        names = await self._audiences.names([str(row.opened_by)])
        calls = read_calls(row.calls)
        return ReportSheet(
            line=_line(row, ward),
            triggers=read_triggers(row.triggers),
            words=row.words or "",
            opened_by=names.get(str(row.opened_by), ""),
            calls=calls,
            missing=missing(calls),
            numbers=await self._numbers(whose(ward) if ward else _whose(row)),
            closing=row.closing or "",
            may_close=reach_of(actor, _ACTION).covers(_whose(row)),
        )

    async def open_of(self, actor: Actor, child_id: str) -> str | None:
        """The report of a child that is open and the actor's to see; None when there is none."""
        if not may(actor, _ACTION):
            return None
        rows = ContactsReport.filter(pupil_id=as_id(child_id), state=ReportState.OPEN)
        row = await rows.order_by("opened_at").first()
        return str(row.id) if row and reach_of(actor, _ACTION).covers(_subject(row)) else None

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """Reports nobody has finished."""
        if actor.person_id is None or not may(actor, _ACTION):
            return []
        rows = await self._within(reach_of(actor, _ACTION), [ReportState.OPEN, ReportState.COMPLETE])
        waiting = sum(row.state is ReportState.OPEN for row in rows)
        todos = [
            Todo(texts.TODO_OPEN, waiting, PAGE, is_urgent=True),
            Todo(texts.TODO_COMPLETE, len(rows) - waiting, PAGE),
        ]
        return [todo for todo in todos if todo.count]

    # ----------------------------------------------------------------------------------------------------------- deeds
    async def called(self, actor: Actor, report_id: str, call: Call) -> ReportState:
        """Somebody was called; with the last of those who must be it is complete. The same twice is once. Raises
        NotFound, CallInvalid, ReportClosed."""
        now = self._clock.now()
        async with transaction():
            row = await self._held(actor, report_id)
            known = checked_call(call, now)
            if row.state is ReportState.CLOSED:
                raise ReportClosed
            calls = read_calls(row.calls)
            if known not in calls:
                calls = (*calls, known)
                row.calls, row.updated_at = stored_calls(calls), now
                if row.state is ReportState.OPEN and is_complete(calls):
                    row.state, row.completed_by, row.completed_at = ReportState.COMPLETE, own_id(actor), now
                await row.save(update_fields=["calls", "state", "completed_by", "completed_at", "updated_at"])
                await self._wrote(actor, row, "called")
        return row.state

    async def close(self, actor: Actor, report_id: str, sentence: str) -> None:
        """It is over, and this is how the child is: for the protection lead and the school leader, because before it
        is complete nobody closes it, and then it is its author's no more. Raises NotFound, CallMissing, ReportClosed,
        SentenceMissing."""
        now = self._clock.now()
        async with transaction():
            row = await self._held(actor, report_id)
            if row.state is ReportState.CLOSED:
                raise ReportClosed
            if row.state is ReportState.OPEN:
                raise CallMissing
            row.closing = checked_sentence(sentence)
            row.state, row.closed_by, row.closed_at, row.updated_at = ReportState.CLOSED, own_id(actor), now, now
            await row.save(update_fields=["closing", "state", "closed_by", "closed_at", "updated_at"])
            await self._wrote(actor, row, "close")

    # ----------------------------------------------------------------------------------------------------------- parts
    async def _within(self, reach: Reach, states: Sequence[ReportState]) -> list[ContactsReport]:
        rows = await ContactsReport.filter(state__in=list(states)).order_by("-opened_at", "id")
        return [row for row in rows if reach.covers(_subject(row))]

    async def _found(self, actor: Actor, report_id: str) -> ContactsReport:
        reach = reach_of(actor, _ACTION)
        row = await ContactsReport.get_or_none(id=as_id(report_id))
        if row is None or not reach.covers(_subject(row)):
            raise refusal(NotFound(), actor, _ACTION, Subject())
        return row

    async def _held(self, actor: Actor, report_id: str) -> ContactsReport:
        row = await self._found(actor, report_id)
        await hold([row.pupil_id])
        await row.refresh_from_db()
        # It may have become complete meanwhile: then it is its author's no more.
        if not reach_of(actor, _ACTION).covers(_subject(row)):
            raise refusal(NotFound(), actor, _ACTION, Subject())
        return row

    async def _numbers(self, place: Subject) -> list[NumberToCall]:
        return [
            NumberToCall(APPOINTMENT_WORDS[kind], holder.name, holder.phone)
            for kind in _TOLD
            for holder in await self._offices.holders(kind, place)
            if holder.phone
        ]

    async def _wrote(self, actor: Actor, row: ContactsReport, purpose: str) -> None:
        await self._audit.record(
            actor, _ACTION, f"contacts_report:{row.id}", whose=_whose(row), purpose=purpose
        )  # fmt: skip


def _whose(row: ContactsReport) -> Subject:
    """Whose affair it is by places."""
    return Subject(child_id=str(row.pupil_id), school_id=str(row.school_id), township_id=str(row.township_id))


def _subject(row: ContactsReport) -> Subject:
    """The same; until it is known who was called it is also its author's."""
    author = str(row.opened_by) if row.state is ReportState.OPEN else None
    return Subject(author, str(row.pupil_id), None, str(row.school_id), str(row.township_id))


def _line(row: ContactsReport, ward: WardMeant | None) -> ReportLine:
    return ReportLine(str(row.id), ward, row.state, row.opened_at)
