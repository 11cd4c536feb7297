"""The rules of a township: looking, adding, changing, stopping, each with a look at the days it would fall due."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any
from uuid import UUID

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, refusal, require
from bot.storage.database import transaction
from handlers.accounts.service.offices import Offices
from handlers.duties.domain import UNFINISHED, Due, Rule, RuleChanged
from handlers.duties.models import DutyRule, DutyTask
from handlers.duties.service.planning import DutyPlanner, schedule_of
from handlers.duties.service.views import RuleView

_COLUMNS = ("title", "detail", "owner", "rhythm", "number", "remind_before", "escalate_after")


class RuleService:
    """The use cases of those who say what is to be done."""

    def __init__(self, planner: DutyPlanner, offices: Offices, *, audit: Audit, clock: Clock) -> None:
        self._planner = planner
        self._offices = offices
        self._audit = audit
        self._clock = clock

    async def rules(self, actor: Actor) -> list[RuleView]:
        """The rules of the townships within reach, those that go on first."""
        reach = require(actor, Action.DUTY_RULES)
        query = DutyRule.all() if reach.is_any else DutyRule.filter(township_id__in=list(reach.townships))
        rows = await query.order_by("township_id", "created_at", "id")
        rows.sort(key=lambda row: row.stopped_at is not None)
        tasks = DutyTask.filter(rule_id__in=[row.id for row in rows], state__in=list(UNFINISHED))
        counts = Counter(str(rule) for rule in await tasks.values_list("rule_id", flat=True))
        names = await self._offices.names({str(row.township_id) for row in rows})
        return [_viewed(row, names.get(str(row.township_id), ""), counts[str(row.id)]) for row in rows]

    async def rule(self, actor: Actor, rule_id: str) -> RuleView:
        """One of them. Raises NotFound."""
        row = await self._within(actor, rule_id)
        unfinished = await DutyTask.filter(rule_id=row.id, state__in=list(UNFINISHED)).count()
        names = await self._offices.names({str(row.township_id)})
        return _viewed(row, names.get(str(row.township_id), ""), unfinished)

    async def townships(self, actor: Actor) -> list[tuple[str, str]]:
        """Where the actor may make rules: id and name."""
        reach = require(actor, Action.DUTY_RULES)
        ids = await self._offices.townships() if reach.is_any else sorted(reach.townships)
        names = await self._offices.names(ids)
        return [(each, names[each]) for each in ids if each in names]

    async def preview(self, actor: Actor, township_id: str, rule: Rule) -> list[Due]:
        """The next times, in the calendar of a school that has nothing of its own. Raises NotFound."""
        self._require_town(actor, township_id)
        return await self._planner.preview(township_id, rule.schedule)

    async def add(self, actor: Actor, township_id: str, rule: Rule) -> str:
        """A rule from today on; gives its id. Raises NotFound."""
        self._require_town(actor, township_id)
        now = self._clock.now()
        async with transaction():
            row = await DutyRule.create(
                township_id=UUID(township_id), since=self._today(), created_at=now, updated_at=now, **_columns(rule)
            )
            await self._planner.plan_rule(row)
            await self._note(actor, row, "add")
        return str(row.id)

    async def change(self, actor: Actor, rule_id: str, rule: Rule, version: int) -> None:
        """Another rule in its place; what is not done yet follows it. Raises NotFound, RuleChanged."""
        async with transaction():
            row = await self._within(actor, rule_id, lock=True)
            if row.version != version or row.stopped_at is not None:
                raise RuleChanged
            row.update_from_dict(_columns(rule))
            row.version, row.updated_at = row.version + 1, self._clock.now()
            await row.save(update_fields=[*_COLUMNS, "version", "updated_at"])
            await self._planner.plan_rule(row)
            await self._note(actor, row, "change")

    async def stop(self, actor: Actor, rule_id: str) -> None:
        """Nothing more falls due, and what is not done need not be done. Twice equals once. Raises NotFound."""
        async with transaction():
            row = await self._within(actor, rule_id, lock=True)
            if row.stopped_at is not None:
                return
            row.stopped_at = row.updated_at = self._clock.now()
            row.version += 1
            await row.save(update_fields=["stopped_at", "version", "updated_at"])
            await DutyTask.filter(rule_id=row.id, state__in=list(UNFINISHED)).delete()
            await self._note(actor, row, "stop")

    # -------------------------------------------------------------------------------------------------------- inside
    def _require_town(self, actor: Actor, township_id: str) -> None:
        require(actor, Action.DUTY_RULES, Subject(township_id=township_id))

    async def _within(self, actor: Actor, rule_id: str, *, lock: bool = False) -> DutyRule:
        reach = require(actor, Action.DUTY_RULES)
        query = DutyRule.filter(id=rule_id)
        row = await (query.select_for_update() if lock else query).first()
        if row is None or not reach.covers(Subject(township_id=str(row.township_id))):
            raise refusal(NotFound(), actor, Action.DUTY_RULES, Subject())
        return row

    async def _note(self, actor: Actor, row: DutyRule, purpose: str) -> None:
        whose = Subject(township_id=str(row.township_id))
        await self._audit.record(actor, Action.DUTY_RULES, f"duty_rule:{row.id}", whose=whose, purpose=purpose)

    def _today(self) -> date:
        return local_date(self._clock.now())


def _columns(rule: Rule) -> dict[str, Any]:
    schedule = rule.schedule
    return {
        "title": rule.title,
        "detail": rule.detail,
        "owner": rule.owner,
        "rhythm": schedule.rhythm,
        "number": schedule.number,
        "remind_before": schedule.remind_before,
        "escalate_after": schedule.escalate_after,
    }


def _viewed(row: DutyRule, township: str, unfinished: int) -> RuleView:
    return RuleView(
        id=str(row.id),
        township_id=str(row.township_id),
        township=township,
        title=row.title,
        detail=row.detail,
        owner=row.owner,
        schedule=schedule_of(row),
        version=row.version,
        unfinished=unfinished,
        is_stopped=row.stopped_at is not None,
    )
