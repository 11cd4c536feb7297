"""Reading what is offered and who is signed up: for the services themselves, without a check of rights."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import time
from uuid import UUID

from bot.rights import Subject
from handlers.accounts.service.views import ChildView
from handlers.after_school.domain.offers import Hours, Window
from handlers.after_school.domain.plans import PlanState
from handlers.after_school.domain.states import ACTIVE, EnrolmentState
from handlers.after_school.models import (
    AfterSchoolEnrolment,
    AfterSchoolPlan,
    AfterSchoolPool,
    AfterSchoolProgramme,
    AfterSchoolWindow,
)
from handlers.after_school.service.views import EnrolmentView


@dataclass(frozen=True, slots=True)
class Offered:
    """A programme of a plan that families can see, and when each grade may sign up."""

    plan: AfterSchoolPlan
    programme: AfterSchoolProgramme
    windows: Mapping[int, Window]

    def window(self, grade: int) -> Window:
        """The grade's own, else the plan's."""
        return self.windows.get(grade) or Window(self.plan.opens_at, self.plan.closes_at)

    def is_for(self, child: ChildView) -> bool:
        """Whether the plan is one of the child's school, or of its township."""
        if self.plan.school_id is None:
            return str(self.plan.township_id) == child.township_id
        return str(self.plan.school_id) == child.school_id


async def offered(programme_ids: Collection[UUID]) -> dict[UUID, Offered]:
    """Those of the programmes that families can see."""
    rows = AfterSchoolProgramme.filter(id__in=list(programme_ids)).exclude(plan__state=PlanState.DRAFT)
    return await with_windows(await rows.select_related("plan"))


async def with_windows(programmes: Collection[AfterSchoolProgramme]) -> dict[UUID, Offered]:
    """With the windows of their plans; the plans come with the programmes."""
    windows: dict[UUID, dict[int, Window]] = defaultdict(dict)
    for row in await AfterSchoolWindow.filter(plan_id__in=list({each.plan_id for each in programmes})):
        windows[row.plan_id][row.grade] = Window(row.opens_at, row.closes_at)
    return {each.id: Offered(each.plan, each, windows[each.plan_id]) for each in programmes}


async def living(child_ids: Collection[str]) -> list[AfterSchoolEnrolment]:
    """The children's sign-ups that are alive, with their programmes."""
    rows = AfterSchoolEnrolment.filter(pupil_id__in=[UUID(own) for own in child_ids], state__in=list(ACTIVE))
    return list(await rows.select_related("programme").order_by("created_at", "turn", "id"))


async def views_of(rows: Collection[AfterSchoolEnrolment]) -> list[EnrolmentView]:
    """With where each stands in its line now; the programmes come with the rows."""
    ahead = await _positions([row for row in rows if row.state is EnrolmentState.WAITLISTED])
    with_siblings = {row.party_id for row in rows if row.party_id != row.id}
    parties: dict[UUID, list[str]] = defaultdict(list)
    for own, party in await AfterSchoolEnrolment.filter(
        party_id__in=list(with_siblings), state__in=list(ACTIVE)
    ).values_list("id", "party_id"):
        parties[party].append(str(own))
    return [
        EnrolmentView(
            id=str(row.id),
            child_id=str(row.pupil_id),
            programme_id=str(row.programme_id),
            programme=row.programme.title,
            state=row.state,
            position=ahead.get(row.id),
            offered_until=row.offered_until,
            rank=row.rank,
            together_with=tuple(sorted(own for own in parties.get(row.party_id, ()) if own != str(row.id))),
        )
        for row in rows
    ]


async def _positions(rows: Collection[AfterSchoolEnrolment]) -> dict[UUID, int]:
    """From 1, in the order of the turns; siblings in the same line in the order of their ids."""
    pools = {row.pool_id for row in rows}
    counts: Counter[UUID] = Counter()
    found: dict[UUID, int] = {}
    wanted = {row.id for row in rows}
    if not pools:
        return found
    line = AfterSchoolEnrolment.filter(pool_id__in=list(pools), state=EnrolmentState.WAITLISTED)
    for own, pool in await line.order_by("turn", "id").values_list("id", "pool_id"):
        counts[pool] += 1
        if own in wanted:
            found[own] = counts[pool]
    return found


async def pools_of(plan_ids: Collection[UUID]) -> dict[UUID, AfterSchoolPool]:
    """The pools of plans, by id."""
    return {row.id: row for row in await AfterSchoolPool.filter(plan_id__in=list(plan_ids))}


def hours_of(row: AfterSchoolProgramme) -> Hours:
    """As the rules take them."""
    return Hours(frozenset(map(int, row.weekdays)), time.fromisoformat(row.starts_at), time.fromisoformat(row.ends_at))


def subject_of(child: ChildView) -> Subject:
    """Whose affair a child is."""
    return Subject(child_id=child.id, class_id=child.class_id, school_id=child.school_id, township_id=child.township_id)
