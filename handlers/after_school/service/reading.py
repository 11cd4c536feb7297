"""Reading what is offered and who is signed up: for the services themselves, without a check of rights."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import time
from typing import Final
from uuid import UUID

from bot.rights import Subject
from bot.storage.rows import row_of, selected
from bot.storage.sets import as_value, select_ids
from handlers.accounts.service.views import ChildView
from handlers.after_school.domain.offers import Hours, Window
from handlers.after_school.domain.plans import PlanState
from handlers.after_school.domain.states import ACTIVE, OCCUPYING, EnrolmentState
from handlers.after_school.models import (
    AfterSchoolEnrolment,
    AfterSchoolPlan,
    AfterSchoolPool,
    AfterSchoolProgramme,
    AfterSchoolWindow,
)
from handlers.after_school.service.views import EnrolmentView


def _listed(states: Iterable[EnrolmentState]) -> str:
    return ", ".join(f"'{state}'" for state in sorted(states))


# The states are words of the statement: it is the same whoever asks, and is planned once.
_STANDING: Final = """
SELECT e.programme_id, e.pupil_id, e.state
  FROM ({pupils}) w JOIN after_school_enrolment e ON e.pupil_id = w.id
 WHERE e.state IN ({occupying}) OR (e.state IN ({active}) AND e.programme_id IN ({programmes}))
""".replace("{occupying}", _listed(OCCUPYING)).replace("{active}", _listed(ACTIVE))


_OFFERED: Final = f"""
SELECT {{columns}}
  FROM after_school_programme p JOIN after_school_plan q ON q.id = p.plan_id
 WHERE p.id IN ({{programmes}}) AND q.state <> '{PlanState.DRAFT}'
"""  # noqa: S608 - a word of ours


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
    connection = AfterSchoolProgramme._meta.db
    engine, columns = (
        connection.capabilities.dialect,
        [selected(AfterSchoolPlan, "q"), selected(AfterSchoolProgramme, "p")],
    )
    query = _OFFERED.format(columns=", ".join(columns), programmes=select_ids(engine, 1))
    _, rows = await connection.execute_query(query, [as_value(engine, programme_ids)])
    pairs = [(row_of(AfterSchoolPlan, "q", row), row_of(AfterSchoolProgramme, "p", row)) for row in rows]
    windows = await _windows({plan.id for plan, _ in pairs})
    return {own.id: Offered(plan, own, windows[plan.id]) for plan, own in pairs}


async def with_windows(programmes: Collection[AfterSchoolProgramme]) -> dict[UUID, Offered]:
    """With the windows of their plans; the plans come with the programmes."""
    windows = await _windows({each.plan_id for each in programmes})
    return {each.id: Offered(each.plan, each, windows[each.plan_id]) for each in programmes}


async def _windows(plan_ids: Collection[UUID]) -> Mapping[UUID, Mapping[int, Window]]:
    windows: dict[UUID, dict[int, Window]] = defaultdict(dict)
    for row in await AfterSchoolWindow.filter(plan_id__in=list(plan_ids)):
        windows[row.plan_id][row.grade] = Window(row.opens_at, row.closes_at)
    return windows


def _as_id(value: UUID | str) -> UUID:
    """As the engines give it."""
    return value if isinstance(value, UUID) else UUID(value)


async def standing(
    pupil_ids: Collection[UUID], programme_ids: Collection[UUID]
) -> tuple[set[tuple[UUID, UUID]], dict[UUID, list[AfterSchoolProgramme]]]:
    """Which of the children have a living sign-up for which of the programmes, as (programme, pupil), and where each of
    them has a place anywhere. Only what the rules of signing up ask for: a child may wait in many lines."""
    connection = AfterSchoolEnrolment._meta.db
    engine = connection.capabilities.dialect
    values = [as_value(engine, pupil_ids), as_value(engine, programme_ids)]
    query = _STANDING.format(pupils=select_ids(engine, 1), programmes=select_ids(engine, 2))
    _, rows = await connection.execute_query(query, values)
    found = [(_as_id(row["programme_id"]), _as_id(row["pupil_id"]), row["state"]) for row in rows]
    taken = {programme for programme, _, state in found if state in OCCUPYING}
    # Many children, few programmes.
    programmes = {row.id: row for row in await AfterSchoolProgramme.filter(id__in=list(taken))} if taken else {}
    busy: dict[UUID, list[AfterSchoolProgramme]] = defaultdict(list)
    for programme, pupil, state in found:
        if state in OCCUPYING:
            busy[pupil].append(programmes[programme])
    return {(programme, pupil) for programme, pupil, _ in found}, busy


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
