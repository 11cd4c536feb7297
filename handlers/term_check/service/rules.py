"""What a township sets for the check, from a day on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID, uuid4

from tortoise.expressions import Q

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, refusal, require
from bot.storage.database import transaction
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.places import PlaceService
from handlers.accounts.service.scope import as_id
from handlers.term_check import texts
from handlers.term_check.domain.rules import LONGEST_CLAUSE, CheckRuleInvalid, Ladder, Limits, in_force
from handlers.term_check.models import TermCheckRule
from handlers.term_check.service.rows import own_id
from handlers.term_check.service.views import RuleView

RULES: Final = "/term-check/rules"
_ACTION: Final = Action.CHECK_RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRule:
    """What holds from a day on."""

    since: date
    ladder: Ladder
    limits: Limits
    clause: str
    centre_school_id: str | None = None


class CheckRules:
    """The use cases."""

    def __init__(self, offices: Offices, places: PlaceService, audit: Audit, clock: Clock) -> None:
        self._offices = offices
        self._places = places
        self._audit = audit
        self._clock = clock

    async def townships(self, actor: Actor) -> Mapping[str, str]:
        """The townships the actor may set rules for: their names by id."""
        reach = require(actor, _ACTION)
        ids = await self._offices.townships() if reach.is_any else sorted(reach.townships)
        return await self._offices.names(ids)

    async def schools(self, actor: Actor, township_id: str) -> list[tuple[str, str]]:
        """Those that may be the centre school. Raises NotFound."""
        _covered(actor, township_id)
        return [(each.id, each.name) for each in await self._places.schools(township_id)]

    async def rules(self, actor: Actor, township_id: str) -> list[RuleView]:
        """Today's, those to come and those that were, the latest first. Raises NotFound."""
        _covered(actor, township_id)
        rows = await TermCheckRule.filter(township_id=UUID(township_id)).order_by("-since")
        names = await self._offices.names({str(row.centre_school_id) for row in rows if row.centre_school_id})
        return [_view(row, names) for row in rows]

    async def set(self, actor: Actor, township_id: str, new: NewRule) -> None:
        """From the day on this holds; what held before ends the day before. Raises NotFound, CheckRuleInvalid."""
        _covered(actor, township_id)
        clause, now = new.clause.strip(), self._clock.now()
        if not clause or len(clause) > LONGEST_CLAUSE:
            raise CheckRuleInvalid
        if new.since < local_date(now):
            raise CheckRuleInvalid(texts.RULE_PAST)
        if new.centre_school_id and new.centre_school_id not in dict(await self.schools(actor, township_id)):
            raise CheckRuleInvalid(texts.RULE_SCHOOL)
        async with transaction():
            lasting = TermCheckRule.filter(township_id=UUID(township_id), until__isnull=True).select_for_update()
            before = await lasting
            if any(row.since >= new.since for row in before):
                raise CheckRuleInvalid(texts.RULE_LATER)
            for row in before:
                row.until, row.updated_at = new.since - timedelta(days=1), now
                await row.save(update_fields=["until", "updated_at"])
            own = await TermCheckRule.create(
                id=uuid4(), township_id=UUID(township_id), since=new.since, school_after=new.ladder.school_after,
                centre_after=new.ladder.centre_after, township_after=new.ladder.township_after,
                centre_school_id=UUID(new.centre_school_id) if new.centre_school_id else None,
                primary_limit=new.limits.primary, junior_limit=new.limits.junior, clause=clause,
                entered_by=own_id(actor), created_at=now, updated_at=now,
            )  # fmt: skip
            whose = Subject(township_id=township_id)
            await self._audit.record(actor, _ACTION, f"term_check_rule:{own.id}", whose=whose, purpose="set")


async def rules_on(day: date) -> Mapping[str, TermCheckRule]:
    """The rule of each township that has one on the day."""
    rows = TermCheckRule.filter(Q(until__isnull=True) | Q(until__gte=day), since__lte=day).order_by("since")
    return {str(row.township_id): row for row in await rows if in_force(row.since, row.until, day)}


def ladder_of(row: TermCheckRule) -> Ladder:
    """When whom it concerns."""
    return Ladder(row.school_after, row.centre_after, row.township_after)


def _view(row: TermCheckRule, names: Mapping[str, str]) -> RuleView:
    centre = str(row.centre_school_id) if row.centre_school_id else None
    return RuleView(
        id=str(row.id),
        since=row.since,
        until=row.until,
        ladder=ladder_of(row),
        limits=Limits(row.primary_limit, row.junior_limit),
        centre_school_id=centre,
        centre_school=names.get(centre or "", ""),
        clause=row.clause,
    )


async def rule_view(row: TermCheckRule | None, offices: Offices) -> RuleView | None:
    """A rule for the eye."""
    if row is None:
        return None
    return _view(row, await offices.names([str(row.centre_school_id)] if row.centre_school_id else []))


def _covered(actor: Actor, township_id: str) -> None:
    if not require(actor, _ACTION).covers(Subject(township_id=str(as_id(township_id)))):
        raise refusal(NotFound(), actor, _ACTION, Subject())
