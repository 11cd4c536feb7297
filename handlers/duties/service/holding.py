"""Whose a task is: those charged with it where it is, and whoever stands above where nobody is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tortoise.expressions import Q

from bot.identity import Actor, Grant, Role
from bot.rights import Action, may, require
from handlers.accounts.domain import PLACE_OF_APPOINTMENT, AppointmentKind, PlaceKind
from handlers.accounts.service.identity import ROLE_OF_APPOINTMENT
from handlers.accounts.service.offices import Offices
from handlers.duties.domain import ABOVE, COVERED, Holders, TaskState
from handlers.duties.models import DutyTask

_NOTHING = Q(id__isnull=True)


@dataclass(frozen=True, slots=True)
class Part:
    """One part somebody plays, and where: the ids stand in the column of that name."""

    role: Role
    column: str
    ids: frozenset[str]

    def tasks(self, kinds: Collection[AppointmentKind], **more: Any) -> Q:
        """The condition of the tasks of these charges there."""
        among: dict[str, Any] = {f"{self.column}__in": sorted(self.ids), "rule__owner__in": sorted(kinds)}
        return Q(**among, **more)


class Holding:
    """Over the charges of today."""

    def __init__(self, offices: Offices) -> None:
        self._offices = offices

    # -------------------------------------------------------------------------------------------------------- owners
    async def of(self, tasks: Sequence[DutyTask], *, above: bool = False) -> Mapping[str, Holders]:
        """By the id of the task (which came with its rule): the owners, or with `above` the next ones up. Where nobody
        is appointed, whoever stands above; the names are empty where nobody is at all."""
        found: dict[str, Holders] = {}
        pending: dict[AppointmentKind, list[DutyTask]] = defaultdict(list)
        for task in tasks:
            kind = ABOVE.get(task.rule.owner, task.rule.owner) if above else task.rule.owner
            found[str(task.id)] = Holders(kind)
            pending[kind].append(task)
        while pending:
            left: dict[AppointmentKind, list[DutyTask]] = defaultdict(list)
            for kind, group in pending.items():
                found |= (settled := await self._held(kind, group))
                if kind in ABOVE:
                    left[ABOVE[kind]] += [task for task in group if str(task.id) not in settled]
            pending = {kind: group for kind, group in left.items() if group}
        return found

    async def _held(self, kind: AppointmentKind, tasks: Sequence[DutyTask]) -> dict[str, Holders]:
        places = {str(task.id): _place(task, kind) for task in tasks}
        holding = await self._offices.holders_of(kind, {place for place in places.values() if place})
        return {
            task_id: Holders(kind, tuple(each.person_id for each in held), tuple(each.name for each in held))
            for task_id, place in places.items()
            if (held := holding.get(place or ""))
        }

    # --------------------------------------------------------------------------------------------------------- reach
    async def visible(self, actor: Actor, action: Action) -> Q:
        """The condition of the tasks within an actor's reach: of their own charges and of those below, in their
        places. Raises NotPermitted."""
        if require(actor, action).is_any:
            return Q()
        conditions = [part.tasks(COVERED[part.role]) for part in await self._parts(actor, action)]
        return Q(_NOTHING, *conditions, join_type=Q.OR)

    async def own(self, actor: Actor) -> Q:
        """The condition of what is the actor's to do: of their own charges, and what was escalated to them."""
        conditions = [_NOTHING]
        for part in await self._parts(actor, Action.DUTY_DO):
            mine = {kind for kind in COVERED[part.role] if ROLE_OF_APPOINTMENT[kind] is part.role}
            below = {kind for kind in COVERED[part.role] if ABOVE.get(kind) in mine}
            conditions += [part.tasks(mine), part.tasks(below, state=TaskState.ESCALATED)]
        return Q(*conditions, join_type=Q.OR)

    async def _parts(self, actor: Actor, action: Action) -> list[Part]:
        grants = [grant for grant in actor.grants if grant.role in COVERED and _may(actor, grant, action)]
        return [await self._part(grant) for grant in grants]

    async def _part(self, grant: Grant) -> Part:
        if grant.role is Role.HEAD_TEACHER:
            return Part(grant.role, "class_id", grant.classes)
        if grant.role is Role.ADMINISTRATOR:
            return Part(grant.role, "township_id", grant.townships)
        points = await self._offices.points_of(grant.schools)
        return Part(grant.role, "school_id", grant.schools | points)


def _may(actor: Actor, grant: Grant, action: Action) -> bool:
    """Whether this one part has the right at all."""
    return may(replace(actor, roles=frozenset({grant.role}), grants=(grant,)), action)


def _place(task: DutyTask, kind: AppointmentKind) -> str | None:
    """Where a charge of the kind would be held over the task."""
    ids = {
        PlaceKind.CLASS: task.class_id,
        PlaceKind.SCHOOL: task.school_id,
        PlaceKind.TOWNSHIP: task.township_id,
    }
    found = ids[PLACE_OF_APPOINTMENT[kind]]
    return str(found) if found else None
