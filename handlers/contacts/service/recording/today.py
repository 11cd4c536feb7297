"""What a teacher sees of the children paired with them: what is due, what was agreed on, whom to call. Whatever is
shown is written down first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from bot.audit.log import Audit
from bot.capability import Todo
from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, may, reach_of, refusal
from bot.storage.database import transaction
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.accounts.service.offices import Offices
from handlers.contacts.domain.card import Holder
from handlers.contacts.models import ContactsDraft, ContactsDue
from handlers.contacts.service.reach import Reaching, own_id, whose
from handlers.contacts.service.recording.numbers import CardNumber, Numbers, numbers_of
from handlers.contacts.service.recording.recording import RecordingService
from handlers.contacts.service.recording.reporting import ReportService
from handlers.contacts.service.records.drafts import DraftService
from handlers.contacts.service.records.records import RecordService
from handlers.contacts.service.records.views import DraftView, FollowUp, RecordView
from handlers.contacts.texts import recording as texts

PAGE: Final = "/contacts/today"
_ACTION: Final = Action.CONTACTS_OWN
_SOON: Final = timedelta(days=7)
_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class OwnChild:
    """A child in a list. `due_on`: whichever of contact and visit comes first, None: nothing is asked for. A visit is
    due: `is_visit`. `is_asked`: the draft holds a question of danger nobody has answered."""

    ward: WardMeant
    due_on: date | None
    is_visit: bool
    is_overdue: bool
    has_draft: bool
    is_asked: bool


@dataclass(frozen=True, slots=True)
class Today:
    """The first page of a teacher, what is due first. `others`: children of the teacher's own classes with whom
    somebody else keeps contact."""

    day: date
    children: Sequence[OwnChild]
    follow_ups: Sequence[FollowUp]
    others: Sequence[WardMeant] = ()


@dataclass(frozen=True, slots=True)
class Phone:
    """Somebody at home who may be called. `holder`: whose number on the card it is, None: it does not stand there."""

    person_id: str
    name: str = field(repr=False)
    phone: str = field(repr=False)
    is_acting: bool
    holder: Holder | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSheet:
    """One child as its teacher sees it. `numbers`: those of the card that the roster does not have; `report_id`: of a
    report that has to be finished first."""

    child: OwnChild
    phones: Sequence[Phone]
    numbers: Sequence[CardNumber]
    records: Sequence[RecordView]
    draft: DraftView | None
    report_id: str | None


@dataclass(frozen=True, slots=True)
class Records:
    """What was written about a child."""

    ward: WardMeant
    records: Sequence[RecordView]


@dataclass(frozen=True, slots=True)
class Sources:
    """What the pages are put together from."""

    audiences: AccountsAudiences
    records: RecordService
    drafts: DraftService
    reports: ReportService


class TodayService:
    """The use cases. Also a `TodoSource`."""

    def __init__(
        self, reaching: Reaching, sources: Sources, offices: Offices, recording: RecordingService, *, audit: Audit,
        clock: Clock,
    ) -> None:  # fmt: skip
        self._reaching = reaching
        self._sources = sources
        self._offices = offices
        self._recording = recording
        self._audit = audit
        self._clock = clock

    async def children(self, actor: Actor) -> list[OwnChild]:
        """The children paired with the actor, what is due first. Raises NotPermitted."""
        reach_of(actor, _ACTION)
        async with transaction():
            await self._audit.record(actor, _ACTION, f"person:{actor.person_id}", fields=["due"], purpose="own")
            return await self._children(actor)

    async def today(self, actor: Actor) -> Today:
        """What waits today and in the days that follow. Raises NotPermitted."""
        day = local_date(self._clock.now())
        children, others = await self.children(actor), await self._others(actor)
        return Today(day, children, await self._sources.records.follow_ups(actor, day + _SOON), others)

    async def _others(self, actor: Actor) -> list[WardMeant]:
        if not may(actor, Action.CONTACTS_CLASS) or may(actor, Action.CONTACTS_REGISTER):
            return []  # whoever keeps the register finds them there
        async with transaction():
            person = f"person:{actor.person_id}"
            await self._audit.record(actor, Action.CONTACTS_CLASS, person, fields=["children"], purpose="class")
            reach = await self._reaching.care_reach(actor)
            found = await self._reaching.wards_within(reach)
        return [ward for child, ward in found.items() if child not in reach.own]

    async def child(self, actor: Actor, child_id: str) -> OwnSheet:
        """One of them with its phones and its last records. Raises NotFound."""
        ward = await self._recording.own(actor, child_id)
        async with transaction():
            await self._audit.record(
                actor, _ACTION, f"child:{ward.id}", whose=whose(ward), fields=["phone", "due"], purpose="own"
            )
            found = next((each for each in await self._children(actor) if each.ward.id == ward.id), None)
            if found is None:
                raise refusal(NotFound(), actor, _ACTION, Subject())
            numbers = await numbers_of(ward.id, self._offices)
        return OwnSheet(
            child=found,
            phones=_phones(numbers),
            numbers=numbers.only_on_card,
            records=await self._sources.records.of_child(actor, ward.id, limit=_SHOWN),
            draft=await self._sources.drafts.read(actor, ward.id),
            report_id=await self._sources.reports.open_of(actor, ward.id),
        )

    async def written(self, actor: Actor, child_id: str) -> Records:
        """What was written about a child within reach, which need not be the actor's own. Raises NotFound."""
        ward = await self._reaching.ward(actor, child_id)
        return Records(ward, await self._sources.records.of_child(actor, ward.id))

    async def rang(self, actor: Actor, child_id: str, person_id: str) -> None:
        """Somebody at home is being called: it is written down. Raises NotFound."""
        ward = await self._recording.own(actor, child_id)
        callers, _ = await self._offices.guardians(ward.id)
        if person_id not in {each.person_id for each in callers}:
            raise refusal(NotFound(), actor, _ACTION, Subject())
        await self._audit.record(
            actor, _ACTION, f"person:{person_id}", whose=whose(ward), fields=["phone"], purpose="call"
        )

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """What is due, without a name."""
        if actor.person_id is None or not may(actor, _ACTION):
            return []
        day = local_date(self._clock.now())
        found = await self._children(actor)
        late = sum(each.is_overdue for each in found)
        due = sum(each.due_on == day for each in found)
        todos = [Todo(texts.TODO_LATE, late, PAGE, is_urgent=True), Todo(texts.TODO_DUE, due, PAGE)]
        return [todo for todo in todos if todo.count]

    async def _children(self, actor: Actor) -> list[OwnChild]:
        own = await self._reaching.paired_with(actor.person_id)
        wards = await self._reaching.registered(await self._sources.audiences.children(own))
        if not wards:
            return []
        rows = {str(row.pupil_id): row for row in await ContactsDue.filter(pupil_id__in=[UUID(each) for each in wards])}
        drafts = ContactsDraft.filter(person_id=own_id(actor)).values_list("pupil_id", "asked_at")
        begun = {str(pupil): asked is not None for pupil, asked in await drafts}
        day = local_date(self._clock.now())
        found = [_own(ward, rows, day, begun.get(child)) for child, ward in wards.items()]
        return sorted(found, key=lambda each: (each.due_on or date.max, each.ward.class_name, each.ward.name))


def _own(ward: WardMeant, rows: Mapping[str, ContactsDue], day: date, asked: bool | None) -> OwnChild:
    row = rows.get(ward.id)
    contact, visit = (row.due_on, row.visit_due_on) if row else (None, None)
    due_on = min((each for each in (contact, visit) if each), default=None)
    is_visit = visit is not None and visit == due_on
    return OwnChild(ward, due_on, is_visit, due_on is not None and due_on < day, asked is not None, bool(asked))


def _phones(numbers: Numbers) -> list[Phone]:
    return [
        Phone(each.person_id, each.name, each.phone, each.person_id == numbers.acting, numbers.holder_of(each.phone))
        for each in numbers.callers
        if each.phone
    ]
