"""What waits at a school: contacts overdue by teacher, reports, drafts, children without anybody, reviews, old facts.

For the protection lead. Written down before anything is read, in the same transaction.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from bot.audit.log import Audit
from bot.capability import Todo
from bot.clock import Clock, local_date
from bot.identity import Actor
from bot.rights import Action, may, require
from bot.storage.database import transaction
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.accounts.service.people import place_of
from handlers.contacts.domain.clears import is_old
from handlers.contacts.domain.forms import WRITTEN
from handlers.contacts.models import ContactsDraft, ContactsDue
from handlers.contacts.service.cards.cards import known_of
from handlers.contacts.service.cards.facts import in_force
from handlers.contacts.service.clock.counting import first_due
from handlers.contacts.service.clock.todos import OVERVIEW
from handlers.contacts.service.overview.views import LateChild, LateTeacher, Overview, StaleCard, WaitingDraft
from handlers.contacts.service.reach import CareReach, Reaching
from handlers.contacts.service.recording.recording import heard_in_words
from handlers.contacts.service.recording.reporting import ReportLine, ReportService
from handlers.contacts.service.register.entering import RegisterService
from handlers.contacts.texts import overview as texts

PAGE: Final = OVERVIEW
_ACTION: Final = Action.CONTACTS_REGISTER
_FIELDS: Final = ("due", "level", "facts", "reports", "drafts")
UNFINISHED_AFTER: Final = timedelta(days=1)
UNANSWERED_AFTER: Final = timedelta(minutes=60)
"""So long whoever wrote words of danger may think about the question before the lead hears that there is one."""


@dataclass(frozen=True, slots=True)
class Sources:
    """What it is put together from."""

    reaching: Reaching
    audiences: AccountsAudiences
    register: RegisterService
    reports: ReportService


class OverviewService:
    """The use case. Also a `TodoSource`."""

    def __init__(self, sources: Sources, audit: Audit, clock: Clock) -> None:
        self._sources = sources
        self._audit = audit
        self._clock = clock

    async def overview(self, actor: Actor) -> Overview:
        """Of the school within reach. Raises NotPermitted."""
        reach, today = require(actor, _ACTION), local_date(self._clock.now())
        async with transaction():
            await self._audit.record(
                actor, _ACTION, "contacts:overview", whose=place_of(reach, None, None), fields=_FIELDS, purpose="list"
            )
            wards = await self._sources.reaching.wards_within(CareReach(class_reach=reach))
            lines = await self._sources.register.lines(actor)
            return Overview(
                today=today,
                late=await self._late(wards, today),
                reports=await self._reports(actor),
                drafts=await self._drafts(wards),
                orphans=[line for line in lines if line.is_orphaned],
                reviews=[line for line in lines if line.review_on <= today],
                cards=await self._cards(wards, today),
            )

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """Words of danger in a draft, to which nobody has answered."""
        if actor.person_id is None or not may(actor, _ACTION):
            return []
        wards = await self._sources.reaching.wards_within(CareReach(class_reach=require(actor, _ACTION)))
        grave = sum(each.is_grave for each in await self._drafts(wards))
        return [Todo(texts.TODO_GRAVE, grave, PAGE, is_urgent=True)] if grave else []

    # ----------------------------------------------------------------------------------------------------------- parts
    async def _late(self, wards: Mapping[str, WardMeant], today: date) -> list[LateTeacher]:
        """By whoever was paired first, as in the message to the lead; those with most first, what is nobody's last."""
        rows = await ContactsDue.filter(pupil_id__in=list(wards)) if wards else []
        due = {str(row.pupil_id): (row, first) for row in rows if (first := first_due(row)) and first < today}
        kept = await self._sources.reaching.keepers(due)
        names = await self._sources.audiences.names({person for persons in kept.values() for person in persons})
        found: dict[str, list[LateChild]] = defaultdict(list)
        for child, (row, first) in due.items():
            keeper = next((person for person in kept.get(child, ()) if person in names), "")
            found[keeper].append(LateChild(wards[child], first, row.visit_due_on == first))
        for children in found.values():
            children.sort(key=lambda each: (each.due_on, each.ward.name))
        ordered = sorted(found.items(), key=lambda one: (not one[0], -len(one[1]), names.get(one[0], ""), one[0]))
        return [LateTeacher(names.get(keeper, ""), children) for keeper, children in ordered]

    async def _reports(self, actor: Actor) -> list[ReportLine]:
        return await self._sources.reports.lines(actor) if may(actor, Action.CONTACTS_REPORT) else []

    async def _drafts(self, wards: Mapping[str, WardMeant]) -> list[WaitingDraft]:
        """Words of danger first, then the oldest."""
        now = self._clock.now()
        rows = await ContactsDraft.filter(pupil_id__in=list(wards)).order_by("updated_at", "id") if wards else []
        old = [(row, _is_grave(row)) for row in rows if row.updated_at <= now - UNANSWERED_AFTER]
        shown = [(row, is_grave) for row, is_grave in old if is_grave or row.updated_at <= now - UNFINISHED_AFTER]
        names = await self._sources.audiences.names({str(row.person_id) for row, _ in shown})
        found = [
            WaitingDraft(wards[str(row.pupil_id)], names.get(str(row.person_id), ""), row.updated_at, is_grave)
            for row, is_grave in shown
        ]
        return sorted(found, key=lambda each: not each.is_grave)

    async def _cards(self, wards: Mapping[str, WardMeant], today: date) -> list[StaleCard]:
        """Class by class."""
        old, phones = Counter[UUID](), Counter[UUID]()
        for row in await in_force(list(wards)):
            phones[row.pupil_id] += row.is_stale
            old[row.pupil_id] += not row.is_stale and is_old(known_of(row), today)
        return [
            StaleCard(ward, old[UUID(child)], phones[UUID(child)])
            for child, ward in wards.items()
            if old[UUID(child)] or phones[UUID(child)]
        ]


def _is_grave(row: ContactsDraft) -> bool:
    body = json.loads(row.body)
    return bool(heard_in_words("\n".join(str(body.get(name, "")) for name in WRITTEN)))
