"""How often contact is kept: the township's rule, one version after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.capability import Todo
from bot.clock import Clock, local_date
from bot.errors import Conflict, InvalidInput, NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, may, reach_of, refusal, require
from bot.storage.database import transaction
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.scope import as_id
from handlers.contacts.domain.clock import Beat, ClockRule, DueDays, checked_clause, due_days
from handlers.contacts.domain.register import Level
from handlers.contacts.models import ContactsRule
from handlers.contacts.service.clock.counting import ContactClock
from handlers.contacts.service.clock.reading import SLICE, ClockReading, SchoolDays, rule_of
from handlers.contacts.service.clock.todos import REGISTER
from handlers.contacts.service.clock.views import RuleChange, RuleView
from handlers.contacts.texts import clock as texts

PAGE: Final = "/contacts/rules"
FEWEST_TOLD: Final = 5
"""Of fewer children a township is not told the number."""
_ACTION: Final = Action.CONTACTS_RULES


class SinceInvalid(InvalidInput):
    """A rule from a day that is over."""

    code = "contacts_since_invalid"
    default_message = texts.SINCE_PAST


class RuleThere(Conflict):
    """A rule from that day, or a later one, is there already."""

    code = "contacts_rule_there"
    default_message = texts.SINCE_EARLIER


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClockRule:
    """What a township writes. `steps`: after how many school days the teacher, the lead and the leader are told."""

    since: date
    cadence: Mapping[Level, Beat]
    steps: tuple[int, int, int]
    daily_cap: int
    clause: str

    def checked(self) -> ClockRule:
        """As the clock counts by it. Raises CadenceInvalid."""
        first, second, third = self.steps
        return ClockRule(
            id=str(uuid4()),
            since=self.since,
            cadence=self.cadence,
            teacher_grace=first,
            lead_after=second,
            leader_after=third,
            daily_cap=self.daily_cap,
        )


@dataclass(frozen=True, slots=True)
class ClockParts:
    """What the clock is counted with."""

    reading: ClockReading
    days: SchoolDays
    counting: ContactClock


class ClockRules:
    """The use cases. A `TodoSource`: without a rule nothing is ever due, and somebody has to know."""

    def __init__(
        self, parts: ClockParts, offices: Offices, audiences: AccountsAudiences, *, audit: Audit, clock: Clock
    ) -> None:
        self._parts = parts
        self._offices = offices
        self._audiences = audiences
        self._audit = audit
        self._clock = clock

    # ------------------------------------------------------------------------------------------------------- looking
    async def townships(self, actor: Actor) -> Mapping[str, str]:
        """The townships the actor may set rules for: their names by id."""
        reach = require(actor, _ACTION)
        ids = await self._offices.townships() if reach.is_any else sorted(reach.townships)
        return await self._offices.names(ids)

    async def versions(self, actor: Actor, township_id: str) -> list[RuleView]:
        """All that ever held, the newest first. Raises NotFound."""
        self._covered(actor, township_id)
        rows = await ContactsRule.filter(township_id=UUID(township_id)).order_by("-since")
        names = await self._audiences.names({str(row.entered_by) for row in rows if row.entered_by})
        today = local_date(self._clock.now())
        current = next((row for row in rows if row.since <= today and (row.until is None or row.until >= today)), None)
        return [
            RuleView(
                rule=rule_of(row),
                clause=row.clause,
                entered_at=row.created_at,
                by=names.get(str(row.entered_by), ""),
                is_current=row is current,
                is_coming=row.since > today,
            )
            for row in rows
        ]

    async def preview(self, actor: Actor, township_id: str, new: NewClockRule) -> RuleChange:
        """What the rule would change. Changes nothing. Raises NotFound, CadenceInvalid, ClauseMissing, SinceInvalid,
        RuleThere."""
        self._covered(actor, township_id)
        rule, _ = await self._checked(township_id, new)
        rules = (await self._parts.reading.rules([township_id]))[township_id]
        before, after = [], []
        pupils = await self._parts.reading.concerned_in(township_id)
        for start in range(0, len(pupils), SLICE):
            watched = await self._parts.reading.watched(pupils[start : start + SLICE])
            days = await self._parts.days.of_schools({each.ward.school_id for each in watched.values()})
            for each in watched.values():
                grid = days[each.ward.school_id]
                before.append(due_days(each.history, rules, grid, new.since))
                after.append(due_days(each.history, [*rules, rule], grid, new.since))
        return _change(new.since, before, after)

    async def todos_of(self, actor: Actor) -> list[Todo]:
        """That a township has no rule: for whoever can write one, and for the lead, who can ask for it."""
        today = local_date(self._clock.now())
        if may(actor, _ACTION):
            reach = reach_of(actor, _ACTION)
            towns = set(await self._offices.townships()) if reach.is_any else set(reach.townships)
            return [Todo(texts.TODO_RULES, await self._without(towns, today), PAGE, is_urgent=True)]
        if may(actor, Action.CONTACTS_REGISTER):
            schools = reach_of(actor, Action.CONTACTS_REGISTER).schools
            towns = {(await self._offices.subject(school_id=school)).township_id or "" for school in schools}
            return [Todo(texts.TODO_RULES, await self._without(towns - {""}, today), REGISTER, is_urgent=True)]
        return []

    # --------------------------------------------------------------------------------------------------------- doing
    async def enact(self, actor: Actor, township_id: str, new: NewClockRule) -> str:
        """From the day on this holds; what held before ends the day before. Gives its id. Raises NotFound,
        CadenceInvalid, ClauseMissing, SinceInvalid, RuleThere."""
        self._covered(actor, township_id)
        now, town = self._clock.now(), UUID(township_id)
        async with transaction():
            # Of two who write at once the second one sees what the first one wrote.
            before = await ContactsRule.filter(township_id=town).order_by("since").select_for_update()
            rule, clause = await self._checked(township_id, new)
            lasting = [row.id for row in before if row.until is None]
            await ContactsRule.filter(id__in=lasting).update(until=new.since - timedelta(days=1), updated_at=now)
            await ContactsRule.create(
                id=UUID(rule.id), township_id=town, since=rule.since, cadence=_stored(rule.cadence),
                teacher_grace=rule.teacher_grace, lead_after=rule.lead_after, leader_after=rule.leader_after,
                daily_cap=rule.daily_cap, clause=clause, created_at=now, updated_at=now,
                entered_by=UUID(actor.person_id) if actor.person_id else None,
            )  # fmt: skip
            await self._parts.counting.recount_town(township_id)
            whose = Subject(township_id=township_id)
            await self._audit.record(actor, _ACTION, f"contacts_rule:{rule.id}", whose=whose, purpose="set")
        return rule.id

    # -------------------------------------------------------------------------------------------------------- inside
    def _covered(self, actor: Actor, township_id: str) -> None:
        whose = Subject(township_id=str(as_id(township_id)))
        if not require(actor, _ACTION).covers(whose):
            raise refusal(NotFound(), actor, _ACTION, Subject())

    async def _checked(self, township_id: str, new: NewClockRule) -> tuple[ClockRule, str]:
        rule, clause = new.checked(), checked_clause(new.clause)
        if new.since < local_date(self._clock.now()):
            raise SinceInvalid
        if await ContactsRule.filter(township_id=UUID(township_id), since__gte=new.since).exists():
            raise RuleThere
        return rule, clause

    async def _without(self, township_ids: set[str], today: date) -> int:
        rules = await self._parts.reading.rules(township_ids)
        return sum(
            not any(rule.since <= today and (rule.until is None or rule.until >= today) for rule in each)
            for each in rules.values()
        )


def _stored(cadence: Mapping[Level, Beat]) -> dict[str, dict[str, int | None]]:
    return {
        level.value: {"contact_days": beat.contact_days, "visit_days": beat.visit_days}
        for level, beat in cadence.items()
    }


def _change(since: date, before: Sequence[DueDays | None], after: Sequence[DueDays | None]) -> RuleChange:
    pairs = [(old, new) for old, new in zip(before, after, strict=True) if new is not None]
    return RuleChange(
        since=since,
        children=_told(len(pairs)),
        sooner=_told(sum(old is None or new.first < old.first for old, new in pairs)),
        later=_told(sum(old is not None and new.first > old.first for old, new in pairs)),
        due_at_once=_told(sum(new.first <= since for _, new in pairs)),
    )


def _told(count: int) -> int | None:
    """None for a number so small that somebody might be recognised by it."""
    return count if count == 0 or count >= FEWEST_TOLD else None
