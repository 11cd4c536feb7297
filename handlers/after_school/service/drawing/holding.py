"""Holding a draw: everybody who waits for it, in one transaction, with a seed that is kept and shown afterwards.

What families asked for is read under the locks of the children and of the pools, so whoever leaves at the same moment
is either out before it or gives up a place after it. Held again, a draw finds only what has come in since.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.clock import Clock
from bot.identity import Actor
from bot.rights import Action
from bot.storage.database import transaction
from bot.storage.rows import insert_together
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.views import ChildView
from handlers.after_school.domain.draw import (
    RULE_VERSION,
    SEED_BYTES,
    ChoiceEnd,
    Drawn,
    DrawTooEarly,
    Entrant,
    draw,
)
from handlers.after_school.domain.plans import IllegalPlanMove, PlanState
from handlers.after_school.domain.statements import Source
from handlers.after_school.domain.states import OCCUPYING, EnrolmentState
from handlers.after_school.models import (
    AfterSchoolDraw,
    AfterSchoolDrawn,
    AfterSchoolEnrolment,
    AfterSchoolPlan,
    AfterSchoolProgramme,
)
from handlers.after_school.service.book import Book, Move, lock_children, open_plans
from handlers.after_school.service.drawing.reading import closing_of, draw_programmes
from handlers.after_school.service.drawing.views import HeldDraw
from handlers.after_school.service.leaving import DRAWN, LeavingService
from handlers.after_school.service.plan_rows import person_id, plan_row, whose_plan
from handlers.after_school.service.reading import hours_of

_S = EnrolmentState
_TOLD_FOR: Final = timedelta(days=2)
"""Later it is no news any more; it stays in what the family can look up."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A child in the draw: its choices, the dearest first, and those that take no part."""

    choices: tuple[AfterSchoolEnrolment, ...]
    left_out: Mapping[UUID, ChoiceEnd]
    missed_before: bool

    @property
    def key(self) -> str:
        """By which the draw knows the child: made up by chance when it was signed up."""
        return str(self.choices[0].party_id)

    @property
    def standing(self) -> list[AfterSchoolEnrolment]:
        """The choices that take part."""
        return [row for row in self.choices if row.id not in self.left_out]

    def entrant(self) -> Entrant:
        """As the rule takes it: places are those of pools."""
        return Entrant(self.key, tuple((str(row.pool_id),) for row in self.standing), self.missed_before)


class DrawingService:
    """Holds draws."""

    def __init__(self, people: PeopleService, leaving: LeavingService, audit: Audit, clock: Clock) -> None:
        self._people = people
        self._leaving = leaving
        self._audit = audit
        self._clock = clock

    async def hold(self, actor: Actor, plan_id: str) -> HeldDraw | None:
        """For all courses of a plan that are drawn for, when nobody may sign up any more; None when nobody waits for a
        draw. Raises DrawTooEarly, IllegalPlanMove, NotFound, NotPermitted."""
        plan, now = await plan_row(actor, Action.SERVICE_PUBLISH, plan_id), self._clock.now()
        async with transaction():
            # The pools keep two draws apart. The row of the plan must not be locked before them: whoever passes a place
            # on holds the pools first, and its second change of a pool makes PostgreSQL take a share of the plan.
            locked = {row.pupil_id for row in await _submitted(plan.id)}
            await lock_children(locked)
            book = await open_plans([plan.id])
            plan = await AfterSchoolPlan.get(id=plan.id)
            if plan.state is not PlanState.PUBLISHED:
                raise IllegalPlanMove
            programmes = await draw_programmes(plan.id)
            if now < await closing_of(plan, programmes):
                raise DrawTooEarly
            rows = [row for row in await _submitted(plan.id) if row.pupil_id in locked]
            if not rows:
                return None
            entries = await self._entries(plan, rows)
            held = await self._draw(actor, plan, programmes, entries, book=book, now=now)
            await self._audit.record(
                actor, Action.SERVICE_PUBLISH, f"plan:{plan.id}", whose=whose_plan(plan), purpose="draw"
            )
        return held

    async def _entries(self, plan: AfterSchoolPlan, rows: Sequence[AfterSchoolEnrolment]) -> list[_Entry]:
        own: dict[UUID, list[AfterSchoolEnrolment]] = defaultdict(list)
        for row in sorted(rows, key=lambda row: (row.rank is None, row.rank or 0, row.turn, row.id)):
            own[row.pupil_id].append(row)
        children = await self._people.children_known({str(pupil) for pupil in own})
        busy, missed = await _busy(own), await _missed(plan)
        return [
            _Entry(
                tuple(choices),
                _left_out(plan, choices, children.get(str(pupil)), busy.get(pupil, [])),
                pupil in missed,
            )
            for pupil, choices in own.items()
        ]

    async def _draw(
        self,
        actor: Actor,
        plan: AfterSchoolPlan,
        programmes: Sequence[AfterSchoolProgramme],
        entries: Sequence[_Entry],
        *,
        book: Book,
        now: datetime,
    ) -> HeldDraw:
        awaited = await book.awaited()
        free = {own: 0 if own in awaited else _free(book, own) for own in {each.pool_id for each in programmes}}
        seed = secrets.token_bytes(SEED_BYTES)
        moments: dict[str, Any] = {"created_at": now, "updated_at": now}
        row = await AfterSchoolDraw.create(
            id=uuid4(),
            plan_id=plan.id,
            programme_ids=[
                {"programme": str(each.id), "pool": str(each.pool_id), "places": free[each.pool_id]}
                for each in programmes
            ],
            seed=seed.hex(),
            rule_version=RULE_VERSION,
            held_at=now,
            held_by=person_id(actor),
            **moments,
        )
        # Whoever is alone has room where nobody counts the places.
        places = {str(own): len(entries) if number is None else number for own, number in free.items()}
        results = draw([entry.entrant() for entry in entries], places, seed)
        by_key = {entry.key: entry for entry in entries}
        move = Move(person_id(actor), Source.SYSTEM, now)
        told = [_apply(book, by_key[each.key], each, row.id, move) for each in results]
        kept = [{"draw_id": row.id, **_kept(by_key[each.key], each), **moments} for each in results]
        await insert_together(AfterSchoolDrawn, kept)
        await self._leaving.pass_on(book, plan.id, now)
        await self._leaving.tell(told, DRAWN, now, now + _TOLD_FOR)
        lucky = sum(each.choice is not None for each in results)
        return HeldDraw(now, row.seed, row.rule_version, len(results), lucky)


def _apply(book: Book, entry: _Entry, drawn: Drawn, draw_id: UUID, move: Move) -> AfterSchoolEnrolment:
    """Moves all choices of a child; gives the one its family is told by."""
    for row in entry.choices:
        row.draw_id = draw_id
    for number, row in enumerate(entry.standing, 1):
        if drawn.choice is None:
            book.line_up(row, move)
        else:
            book.move(row, _S.ENROLLED if number == drawn.choice else _S.DECLINED, move)
    for row in entry.choices:
        if row.id in entry.left_out:
            book.move(row, _S.DECLINED, move)
    if drawn.choice is not None:
        return entry.standing[drawn.choice - 1]
    return (entry.standing or entry.choices)[0]


def _kept(entry: _Entry, drawn: Drawn) -> dict[str, Any]:
    """What is kept of it: the choices as they were drawn with, and behind them those that took no part."""
    ranks = {row.id: rank for rank, row in enumerate(entry.choices, 1)}
    aside = [row for row in entry.choices if row.id in entry.left_out]
    return {
        "party_id": UUID(drawn.key),
        "turn": drawn.turn,
        "choice": drawn.choice,
        "choices": [
            {
                "rank": ranks[row.id],
                "programme": str(row.programme_id),
                "pool": str(row.pool_id),
                "left_out": entry.left_out[row.id].value if row.id in entry.left_out else None,
            }
            for row in (*entry.standing, *aside)
        ],
        "refused": [{"choice": each.choice, "last_turn": each.last_turn} for each in drawn.refused],
        "missed_before": entry.missed_before,
    }


def _left_out(
    plan: AfterSchoolPlan,
    choices: Sequence[AfterSchoolEnrolment],
    child: ChildView | None,
    busy: Sequence[AfterSchoolProgramme],
) -> dict[UUID, ChoiceEnd]:
    if child is None or not child.is_enrolled or plan.school_id not in (None, UUID(child.school_id)):
        return {row.id: ChoiceEnd.GONE for row in choices}
    return {
        row.id: ChoiceEnd.CLASH
        for row in choices
        if any(hours_of(each).clashes_with(hours_of(row.programme)) for each in busy)
    }


def _free(book: Book, pool_id: UUID) -> int | None:
    pool = book.pools[pool_id]
    return None if pool.places is None else max(0, pool.places - pool.taken)


async def _submitted(plan_id: UUID) -> list[AfterSchoolEnrolment]:
    rows = AfterSchoolEnrolment.filter(plan_id=plan_id, state=_S.SUBMITTED)
    return list(await rows.select_related("programme").order_by("turn", "id"))


async def _busy(pupil_ids: Collection[UUID]) -> dict[UUID, list[AfterSchoolProgramme]]:
    """Where each of the children has a place."""
    found: dict[UUID, list[AfterSchoolProgramme]] = defaultdict(list)
    taken = AfterSchoolEnrolment.filter(pupil_id__in=list(pupil_ids), state__in=list(OCCUPYING))
    for row in await taken.select_related("programme"):
        found[row.pupil_id].append(row.programme)
    return found


async def _missed(plan: AfterSchoolPlan) -> set[UUID]:
    """The children who came away with nothing in the last draw of the school, or of the township's own plans."""
    of_school = {"school_id__isnull": True} if plan.school_id is None else {"school_id": plan.school_id}
    plans = await AfterSchoolPlan.filter(township_id=plan.township_id, **of_school).values_list("id", flat=True)
    last = await AfterSchoolDraw.filter(plan_id__in=list(plans)).order_by("-held_at", "-id").first()
    if last is None:
        return set()
    rows = await AfterSchoolDrawn.filter(draw_id=last.id, choice__isnull=True)
    parties = [row.party_id for row in rows if any(choice["left_out"] is None for choice in row.choices)]
    pupils = await AfterSchoolEnrolment.filter(party_id__in=parties).values_list("pupil_id", flat=True)
    return {UUID(str(own)) for own in pupils}
