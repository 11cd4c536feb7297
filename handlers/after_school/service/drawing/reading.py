"""How a plan stands with its draws, and why a draw came so for a child."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from bot.clock import Clock
from bot.identity import Actor
from bot.rights import Action
from handlers.after_school.domain.draw import ChoiceEnd, number_of
from handlers.after_school.domain.plans import PlanState, Selection
from handlers.after_school.domain.states import EnrolmentState
from handlers.after_school.models import (
    AfterSchoolDraw,
    AfterSchoolDrawn,
    AfterSchoolEnrolment,
    AfterSchoolPlan,
    AfterSchoolProgramme,
)
from handlers.after_school.service.drawing.views import ChoiceTold, DrawLine, DrawStanding, DrawTold, HeldDraw
from handlers.after_school.service.plan_rows import plan_row
from handlers.after_school.service.reading import pools_of, with_windows


async def draw_programmes(plan_id: UUID) -> list[AfterSchoolProgramme]:
    """The courses of a plan that are drawn for."""
    rows = AfterSchoolProgramme.filter(plan_id=plan_id, selection=Selection.DRAW)
    return list(await rows.select_related("plan").order_by("title", "id"))


async def closing_of(plan: AfterSchoolPlan, programmes: Sequence[AfterSchoolProgramme]) -> datetime:
    """When the last grade that has a course to draw for may sign up no more."""
    closings = [
        each.window(grade).closes_at
        for each in (await with_windows(programmes)).values()
        for grade in range(each.programme.lowest_grade, each.programme.highest_grade + 1)
    ]
    return max(closings, default=plan.closes_at)


class DrawReading:
    """Reads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def standing(self, actor: Actor, plan_id: str) -> DrawStanding:
        """What a draw would be held over now, and those that were held. Raises NotFound, NotPermitted."""
        plan = await plan_row(actor, Action.SERVICE_PLAN, plan_id)
        programmes = await draw_programmes(plan.id)
        waiting = AfterSchoolEnrolment.filter(plan_id=plan.id, state=EnrolmentState.SUBMITTED)
        wishes = await waiting.values_list("programme_id", "pupil_id")
        counts = Counter(str(programme) for programme, _ in wishes)
        pools, closes_at = await pools_of([plan.id]), await closing_of(plan, programmes)
        lines = []
        for each in programmes:
            own = pools[each.pool_id]
            left = None if own.places is None else max(0, own.places - own.taken)
            lines.append(DrawLine(each.title, counts[str(each.id)], left))
        is_time = plan.state is PlanState.PUBLISHED and self._clock.now() >= closes_at
        return DrawStanding(
            tuple(lines),
            len({pupil for _, pupil in wishes}),
            closes_at,
            is_time and bool(wishes),
            tuple([await _held(row) for row in await AfterSchoolDraw.filter(plan_id=plan.id).order_by("held_at")]),
        )

    async def of_enrolment(self, enrolment_id: str) -> DrawTold | None:
        """Of the draw a sign-up was in; whose it is, was checked."""
        row = await AfterSchoolEnrolment.get(id=UUID(enrolment_id))
        if row.draw_id is None:
            return None
        rows = await AfterSchoolEnrolment.filter(pupil_id=row.pupil_id, draw_id=row.draw_id)
        return (await _told(rows)).get(str(row.pupil_id))

    async def of_children(self, child_ids: Collection[str]) -> dict[str, DrawTold]:
        """Of the last draw each child was in; whose they are, was checked."""
        own = [UUID(each) for each in child_ids]
        return await _told(await AfterSchoolEnrolment.filter(pupil_id__in=own, draw_id__isnull=False))


async def _held(row: AfterSchoolDraw) -> HeldDraw:
    results = AfterSchoolDrawn.filter(draw_id=row.id)
    lucky = await results.filter(choice__isnull=False).count()
    return HeldDraw(row.held_at, row.seed, row.rule_version, await results.count(), lucky)


async def _told(rows: Sequence[AfterSchoolEnrolment]) -> dict[str, DrawTold]:
    """By child; of several draws the last."""
    draws = {row.id: row for row in await AfterSchoolDraw.filter(id__in=list({row.draw_id for row in rows}))}
    results = AfterSchoolDrawn.filter(draw_id__in=list(draws), party_id__in=[row.party_id for row in rows])
    pupils = {row.party_id: str(row.pupil_id) for row in rows}
    drawn = sorted(await results, key=lambda each: draws[each.draw_id].held_at)
    named = {UUID(choice["programme"]) for each in drawn for choice in each.choices}
    titles = {str(row.id): row.title for row in await AfterSchoolProgramme.filter(id__in=list(named))}
    return {pupils[each.party_id]: _of_one(draws[each.draw_id], each, titles) for each in drawn}


def _of_one(row: AfterSchoolDraw, drawn: AfterSchoolDrawn, titles: dict[str, str]) -> DrawTold:
    last_turns = {each["choice"]: each["last_turn"] for each in drawn.refused}
    choices = []
    for number, choice in enumerate(drawn.choices, 1):
        if choice["left_out"] is not None:
            end = ChoiceEnd(choice["left_out"])
        elif number == drawn.choice:
            end = ChoiceEnd.GOT
        else:
            end = ChoiceEnd.NO_ROOM if number in last_turns else ChoiceEnd.NOT_NEEDED
        title = titles.get(choice["programme"], "")
        choices.append(ChoiceTold(choice["rank"], title, end, last_turns.get(number)))
    key = str(drawn.party_id)
    return DrawTold(
        held_at=row.held_at,
        rule_version=row.rule_version,
        turn=drawn.turn,
        missed_before=drawn.missed_before,
        choices=tuple(sorted(choices, key=lambda each: each.rank)),
        seed=row.seed,
        key=key,
        number=number_of(key, bytes.fromhex(row.seed)),
    )
