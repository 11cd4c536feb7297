"""Campaigns: begun by the protection lead for a school or by the township for all of its schools, or by the township's
rule; ended by hand or by themselves; and how far each has come, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final
from uuid import UUID, uuid4

from tortoise.exceptions import IntegrityError

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import SYSTEM, Actor
from bot.rights import Action, Reach, Subject, reach_of, refusal, require
from bot.storage.database import transaction
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.scope import as_id
from handlers.contacts.domain.refreshing import RefreshOver, RefreshRunning, Said, check, check_rule
from handlers.contacts.models import ContactsRefresh, ContactsRefreshRule
from handlers.contacts.service.reach import own_id
from handlers.contacts.service.refreshing.work import Asked, RefreshWork, running
from handlers.contacts.texts import refreshing as texts

_ACTION: Final = Action.CONTACTS_REFRESH
_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class OwnAsked:
    """What somebody still has to ask about a child."""

    ward: WardMeant
    ends_on: date
    facts: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class ByPerson:
    """How far somebody has come."""

    name: str = field(repr=False)
    waiting: int
    done: int


@dataclass(frozen=True, slots=True)
class CampaignView:
    """A campaign that goes on. `people` and the numbers None: it is the schools' own to see."""

    id: str
    place: str
    begun_on: date
    ends_on: date
    older_than: int
    may_end: bool
    people: Sequence[ByPerson] | None
    waiting: int | None
    done: int | None


@dataclass(frozen=True, slots=True)
class RefreshRuleView:
    """How it begins by itself. `days_before` None: it does not."""

    township_id: str
    days_before: int | None
    older_than: int


class Campaigns:
    """The use cases."""

    def __init__(
        self, work: RefreshWork, audiences: AccountsAudiences, offices: Offices, *, audit: Audit, clock: Clock
    ) -> None:
        self._work = work
        self._audiences = audiences
        self._offices = offices
        self._audit = audit
        self._clock = clock

    # --------------------------------------------------------------------------------------------------------- looking
    async def own(self, actor: Actor) -> list[OwnAsked]:
        """What the actor still has to ask anew, child by child. Raises NotPermitted."""
        require(actor, Action.CONTACTS_OWN)
        async with transaction():
            await self._audit.record(
                actor, Action.CONTACTS_OWN, f"person:{actor.person_id}", fields=["facts"], purpose="refresh"
            )
            rows = await running(local_date(self._clock.now()))
            asked = [(row, each) for row in rows for each in await self._work.of(row)]
        found: dict[str, OwnAsked] = {}
        for row, each in asked:
            if actor.person_id in each.people and each.work.waiting:
                known = found.get(each.ward.id)
                facts = {said.id: said for said in (*(known.facts if known else ()), *each.work.waiting)}
                ends_on = min(row.ends_on, known.ends_on) if known else row.ends_on
                found[each.ward.id] = OwnAsked(each.ward, ends_on, tuple(facts.values()))
        return list(found.values())

    async def lines(self, actor: Actor) -> list[CampaignView]:
        """The campaigns that concern the actor's schools; how far they have come for the protection lead, in numbers.
        Raises NotPermitted."""
        reach = reach_of(actor, _ACTION)
        async with transaction():
            await self._audit.record(actor, _ACTION, f"person:{actor.person_id}", purpose="progress")
            rows = await running(local_date(self._clock.now()))
            towns = await self._towns(reach)
            near = [
                row
                for row in rows
                if reach.covers(_subject(row)) or (row.school_id is None and str(row.township_id) in towns)
            ]
            return [await self._view(row, reach) for row in near]

    async def rule(self, actor: Actor) -> RefreshRuleView | None:
        """How it begins by itself at the actor's township; None: the actor sets none."""
        town = next(iter(sorted(reach_of(actor, _ACTION).townships)), None)
        if town is None:
            return None
        row = await rule_of(town)
        return RefreshRuleView(town, row.days_before if row else None, row.older_than if row else 0)

    # ----------------------------------------------------------------------------------------------------------- deeds
    async def begin(self, actor: Actor, ends_on: date, older_than: int) -> str:
        """It begins at the actor's school, for an administrator at all schools of the township. Raises NotPermitted,
        RefreshInvalid, RefreshRunning."""
        reach = require(actor, _ACTION)
        today = local_date(self._clock.now())
        check(today, ends_on, older_than)
        town, school = await self._place(actor, reach)
        try:
            async with transaction():
                await self._end(await ContactsRefresh.filter(active_key=school or town, ends_on__lt=today), None)
                row = await self._create(town, school, ends_on, older_than, own_id(actor), None)
                await self._audit.record(
                    actor, _ACTION, f"contacts_refresh:{row.id}", whose=_subject(row), purpose="begin"
                )
        except IntegrityError as error:
            raise RefreshRunning from error
        return str(row.id)

    async def end(self, actor: Actor, campaign_id: str) -> None:
        """It is over. Raises NotFound, RefreshOver."""
        reach = reach_of(actor, _ACTION)
        row = await ContactsRefresh.get_or_none(id=as_id(campaign_id))
        if row is None or not reach.covers(_subject(row)):
            raise refusal(NotFound(), actor, _ACTION, Subject())
        async with transaction():
            if not await self._end([row], own_id(actor)):
                raise RefreshOver
            await self._audit.record(actor, _ACTION, f"contacts_refresh:{row.id}", whose=_subject(row), purpose="end")

    async def enact(self, actor: Actor, days_before: int | None, older_than: int) -> None:
        """From now on it begins by itself so many school days before the winter holiday; None: it does not. Raises
        NotPermitted, NotFound, RefreshInvalid."""
        town = next(iter(sorted(require(actor, _ACTION).townships)), None)
        if town is None:
            raise refusal(NotFound(), actor, _ACTION, Subject())
        if days_before is not None:
            check_rule(days_before, older_than)
        now = self._clock.now()
        async with transaction():
            before = await rule_of(town)
            # The last one counts, so it must be the later one, even within one tick of the clock.
            since = max(now, before.created_at + _TICK) if before else now
            row = await ContactsRefreshRule.create(
                id=uuid4(), township_id=UUID(town), days_before=days_before, older_than=older_than,
                entered_by=own_id(actor), created_at=since, updated_at=now,
            )  # fmt: skip
            whose = Subject(township_id=town)
            await self._audit.record(actor, _ACTION, f"contacts_refresh_rule:{row.id}", whose=whose, purpose="set")

    async def begin_by_rule(self, township_id: str, term_ends: date, older_than: int) -> None:
        """By itself, once for a term. Raises IntegrityError when it has, or another one goes on."""
        async with transaction():
            row = await self._create(township_id, None, term_ends, older_than, None, f"{township_id}:{term_ends}")
            await self._audit.record(
                SYSTEM, _ACTION, f"contacts_refresh:{row.id}", whose=_subject(row), purpose="begin"
            )

    async def end_overdue(self, today: date) -> int:
        """Those whose last day has passed; gives how many."""
        rows = await ContactsRefresh.filter(ended_at__isnull=True, ends_on__lt=today)
        async with transaction():
            return await self._end(rows, None)

    # ----------------------------------------------------------------------------------------------------------- parts
    async def _create(
        self, town: str, school: str | None, ends_on: date, older_than: int, by: UUID | None, auto_key: str | None
    ) -> ContactsRefresh:
        now = self._clock.now()
        return await ContactsRefresh.create(
            id=uuid4(), township_id=UUID(town), school_id=UUID(school) if school else None, begun_on=local_date(now),
            ends_on=ends_on, older_than=older_than, begun_by=by, active_key=school or town, auto_key=auto_key,
            created_at=now, updated_at=now,
        )  # fmt: skip

    async def _end(self, rows: Sequence[ContactsRefresh], by: UUID | None) -> int:
        now = self._clock.now()
        wanted = ContactsRefresh.filter(id__in=[row.id for row in rows], ended_at__isnull=True)
        return await wanted.update(ended_at=now, ended_by=by, active_key=None, updated_at=now) if rows else 0

    async def _place(self, actor: Actor, reach: Reach) -> tuple[str, str | None]:
        """The township, and the school when it is one school's affair."""
        if reach.townships:
            return min(reach.townships), None
        # A teaching point is asked with its school.
        houses = reach.schools - await self._offices.points_of(reach.schools)
        school = min(houses or reach.schools, default=None)
        if school is None:
            raise refusal(NotFound(), actor, _ACTION, Subject())
        whose = await self._offices.subject(school_id=school)
        assert whose.township_id is not None
        return whose.township_id, school

    async def _towns(self, reach: Reach) -> frozenset[str]:
        """The townships of the actor's schools: what they ask of all schools concerns these."""
        places = [await self._offices.subject(school_id=school) for school in reach.schools]
        return frozenset(each.township_id for each in places if each.township_id)

    async def _view(self, row: ContactsRefresh, reach: Reach) -> CampaignView:
        names = await self._offices.names([str(row.school_id or row.township_id)])
        schools = reach.schools | await self._offices.points_of(reach.schools)
        asked = [each for each in await self._work.of(row) if each.ward.school_id in schools]
        people = await self._by_person(asked) if reach.schools else None
        return CampaignView(
            str(row.id),
            names.get(str(row.school_id or row.township_id), ""),
            row.begun_on,
            row.ends_on,
            row.older_than,
            reach.covers(_subject(row)),
            people,
            sum(len(each.work.waiting) for each in asked) if reach.schools else None,
            sum(each.work.done for each in asked) if reach.schools else None,
        )

    async def _by_person(self, asked: Sequence[Asked]) -> list[ByPerson]:
        waiting, done = Counter[str](), Counter[str]()
        for each in asked:
            for person in each.people or ("",):
                waiting[person] += len(each.work.waiting)
                done[person] += each.work.done
        names = await self._audiences.names({person for person in waiting if person})
        found = [ByPerson(names.get(person, texts.NOBODY), waiting[person], done[person]) for person in waiting]
        return sorted(found, key=lambda each: (-each.waiting, each.name))


async def rule_of(township_id: str) -> ContactsRefreshRule | None:
    """The one that counts."""
    return await ContactsRefreshRule.filter(township_id=UUID(township_id)).order_by("-created_at", "-id").first()


def _subject(row: ContactsRefresh) -> Subject:
    """Whose affair it is: a school's own is its township's too."""
    return Subject(school_id=str(row.school_id) if row.school_id else None, township_id=str(row.township_id))
