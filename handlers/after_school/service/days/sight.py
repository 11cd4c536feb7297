"""Whose rosters somebody sees: those within their rights, and those of their own lessons and days of duty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from tortoise.expressions import Q

from bot.identity import Actor
from bot.rights import Action, Reach, Subject, require
from handlers.accounts.service.audiences import WardMeant
from handlers.accounts.service.offices import Offices
from handlers.after_school.domain.plans import PlanState
from handlers.after_school.models import AfterSchoolDutySlot, AfterSchoolPlan, AfterSchoolProgramme, AfterSchoolSession
from handlers.after_school.service.days.reading import Expected, Group, place_of


@dataclass(frozen=True, slots=True)
class Sight:
    """How far somebody sees on a day. `programmes`: their own, planned or given; `schools`: where they are on duty."""

    reach: Reach
    programmes: frozenset[UUID]
    schools: frozenset[UUID]

    def has_all(self, plan: AfterSchoolPlan, programme: AfterSchoolProgramme) -> bool:
        """Whether the whole programme is theirs to see."""
        return programme.id in self.programmes or plan.school_id in self.schools or self.reach.covers(place_of(plan))

    def children(self, group: Group) -> Sequence[Expected]:
        """Those of a group they see."""
        if self.has_all(group.plan, group.programme):
            return group.children
        return [child for child in group.children if self._sees(child.ward)]

    def _sees(self, ward: WardMeant) -> bool:
        return UUID(ward.school_id) in self.schools or self.reach.covers(whose(ward))


def whose(ward: WardMeant) -> Subject:
    """Whose affair a child is."""
    return Subject(child_id=ward.id, class_id=ward.class_id, school_id=ward.school_id, township_id=ward.township_id)


async def sight_of(actor: Actor, action: Action, day: date) -> Sight:
    """Raises NotPermitted without the right at all."""
    reach = require(actor, action)
    if actor.person_id is None:
        return Sight(reach, frozenset(), frozenset())
    own = UUID(actor.person_id)
    given = AfterSchoolSession.filter(teacher_id=own, day=day, class_id__isnull=True).values_list(
        "programme_id", flat=True
    )
    programmes = AfterSchoolProgramme.filter(teacher_id=own).values_list("id", flat=True)
    schools = AfterSchoolDutySlot.filter(person_id=own, day=day).values_list("school_id", flat=True)
    own_programmes = {UUID(str(each)) for each in [*await programmes, *await given]}
    return Sight(reach, frozenset(own_programmes), frozenset(UUID(str(each)) for each in await schools))


async def plans_within(sight: Sight, offices: Offices, day: date) -> dict[UUID, AfterSchoolPlan]:
    """The plans of a day that could have a group for somebody to see."""
    rows = AfterSchoolPlan.filter(first_day__lte=day, last_day__gte=day).exclude(state=PlanState.DRAFT)
    if not sight.reach.is_any:
        places = [await offices.subject(class_id=each) for each in sight.reach.classes]
        places += [await offices.subject(school_id=each) for each in sight.reach.schools]
        schools = {UUID(each.school_id) for each in places if each.school_id} | set(sight.schools)
        # What a township offers may have children of any of its schools.
        above = {UUID(each.township_id) for each in places if each.township_id}
        wide = {UUID(each) for each in sight.reach.townships}
        own = AfterSchoolProgramme.filter(id__in=list(sight.programmes)).values_list("plan_id", flat=True)
        rows = rows.filter(
            Q(
                Q(school_id__in=list(schools)),
                Q(school_id__isnull=True, township_id__in=list(above | wide)),
                Q(township_id__in=list(wide)),
                Q(id__in=list(await own)),
                join_type=Q.OR,
            )
        )
    return {row.id: row for row in await rows}
