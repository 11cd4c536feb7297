"""A month's lessons by teacher: counted from what was held, shown for objection, filed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, refusal, require
from bot.storage.database import transaction
from handlers.accounts.service.offices import Offices
from handlers.after_school.domain.months import (
    Given,
    Line,
    MonthFiled,
    MonthMove,
    MonthNotOver,
    MonthNotShown,
    MonthState,
    band_of,
    checked_filing,
    checked_objection,
    digest_of,
    lines_of,
    month_key,
    state_of,
)
from handlers.after_school.models import (
    AfterSchoolMonth,
    AfterSchoolObjection,
    AfterSchoolPlan,
    AfterSchoolProgramme,
)
from handlers.after_school.service.days.reading import place_of
from handlers.after_school.service.months.plans import held_sessions, plan_of
from handlers.after_school.service.months.views import MonthSheet, ObjectionView
from handlers.calendar.domain import month_of


class MonthService:
    """The use cases of teachers, who look and object, and of the school, which shows, answers and files."""

    def __init__(self, offices: Offices, audit: Audit, clock: Clock) -> None:
        self._offices = offices
        self._audit = audit
        self._clock = clock

    async def sheets(self, actor: Actor, plan_id: str, month: str) -> list[MonthSheet]:
        """The lists of all bands. To whoever only gives lessons, those of the bands they gave some in: within a band
        everybody sees everybody's. Raises NotFound, MonthInvalid."""
        plan = await plan_of(actor, Action.SERVICE_MONTH, plan_id)
        counted = await _counted(plan, month)
        sheets = [await self._sheet(plan, month, band, lines) for band, lines in sorted(counted.items())]
        if require(actor, Action.SERVICE_MONTH).covers(place_of(plan)):
            return sheets
        return [each for each in sheets if actor.person_id in {line.teacher for line in each.lines}]

    async def show(self, actor: Actor, plan_id: str, month: str) -> int:
        """Shows what is counted now; gives how many bands' lists are new or have changed. Raises NotFound,
        MonthNotOver."""
        plan = await plan_of(actor, Action.SERVICE_FILE, plan_id)
        if local_date(self._clock.now()) < min(month_of(*month_key(month))[1], plan.last_day):
            raise MonthNotOver
        shown = 0
        async with transaction():
            await _locked(plan)
            for band, lines in sorted((await _counted(plan, month)).items()):
                last = await _last(plan.id, month, band)
                if last is not None and (last.move is MonthMove.FILED or last.digest == digest_of(lines)):
                    continue
                await self._write(actor, plan, (month, band, MonthMove.SHOWN), lines)
                shown += 1
            await self._note(actor, plan, month, "show")
        return shown

    async def object(self, actor: Actor, plan_id: str, month: str, band: str, text: str) -> None:
        """A teacher of the band thinks the list is wrong. Raises NotFound, ObjectionInvalid, MonthNotShown,
        MonthFiled."""
        words = checked_objection(text)
        sheet = next((each for each in await self.sheets(actor, plan_id, month) if each.band == band), None)
        if sheet is None or actor.person_id is None:
            raise refusal(NotFound(), actor, Action.SERVICE_MONTH, None)
        now = self._clock.now()
        async with transaction():
            plan = await AfterSchoolPlan.get(id=plan_id)
            await _locked(plan)
            last = await _last(plan.id, month, band)
            if last is None:
                raise MonthNotShown
            if last.move is MonthMove.FILED:
                raise MonthFiled
            await AfterSchoolObjection.create(
                id=uuid4(), month_id=last.id, by_person=UUID(actor.person_id), at=now, text=words, created_at=now,
                updated_at=now,
            )  # fmt: skip
            await self._note(actor, plan, month, "object", Action.SERVICE_MONTH)

    async def answer(self, actor: Actor, plan_id: str, objection_id: str, text: str) -> None:
        """The school answers; what it changes is shown again. Raises NotFound, ObjectionInvalid."""
        plan = await plan_of(actor, Action.SERVICE_FILE, plan_id)
        words, now = checked_objection(text), self._clock.now()
        async with transaction():
            row = await AfterSchoolObjection.filter(id=objection_id, month__plan_id=plan.id).first()
            if row is None:
                raise refusal(NotFound(), actor, Action.SERVICE_FILE, None)
            by = UUID(actor.person_id) if actor.person_id else None
            await AfterSchoolObjection.filter(id=row.id).update(
                answer=words, answered_by=by, answered_at=now, updated_at=now
            )
            await self._note(actor, plan, "", "answer")

    async def file(self, actor: Actor, plan_id: str, month: str, band: str) -> None:
        """What was shown, and nothing else, is filed. Raises NotFound, MonthNotShown, ObjectionsOpen, MonthFiled."""
        plan = await plan_of(actor, Action.SERVICE_FILE, plan_id)
        async with transaction():
            await _locked(plan)
            lines = (await _counted(plan, month)).get(band, [])
            last = await _last(plan.id, month, band)
            state = await _state(last, plan.id, month, band)
            checked_filing(state, last.digest if last else "", digest_of(lines))
            await self._write(actor, plan, (month, band, MonthMove.FILED), lines)
            await self._note(actor, plan, month, "file")

    # -------------------------------------------------------------------------------------------------------- inside
    async def _sheet(self, plan: AfterSchoolPlan, month: str, band: str, lines: Sequence[Line]) -> MonthSheet:
        last = await _last(plan.id, month, band)
        state = await _state(last, plan.id, month, band)
        # What was filed is what is shown, whatever else may be counted since.
        listed = _kept(last) if last is not None and state is MonthState.FILED else list(lines)
        objections = AfterSchoolObjection.filter(month__plan_id=plan.id, month__month=month, month__band=band)
        rows = await objections.order_by("at", "id")
        people = await self._offices.people([line.teacher for line in listed] + [str(row.by_person) for row in rows])
        names = {own: person.name for own, person in people.items()}
        return MonthSheet(
            str(plan.id),
            month,
            band,
            state,
            listed,
            names,
            is_changed=last is not None and state is not MonthState.FILED and last.digest != digest_of(lines),
            shown_at=last.at if last else None,
            objections=[
                ObjectionView(str(row.id), names.get(str(row.by_person), ""), row.at, row.text, row.answer)
                for row in rows
            ],
        )

    async def _write(
        self, actor: Actor, plan: AfterSchoolPlan, what: tuple[str, str, MonthMove], lines: Sequence[Line]
    ) -> None:
        month, band, move = what
        now, last = self._clock.now(), await _last(plan.id, month, band)
        await AfterSchoolMonth.create(
            id=uuid4(), plan_id=plan.id, month=month, band=band, number=last.number + 1 if last else 1, move=move,
            lines=[line.as_plain() for line in lines], digest=digest_of(lines), at=now, created_at=now, updated_at=now,
            by_person=UUID(actor.person_id) if actor.person_id else None,
        )  # fmt: skip

    async def _note(
        self, actor: Actor, plan: AfterSchoolPlan, month: str, purpose: str, action: Action = Action.SERVICE_FILE
    ) -> None:
        about = f"after_school_month:{plan.id}:{month}".rstrip(":")
        await self._audit.record(actor, action, about, whose=place_of(plan), purpose=purpose)


async def _counted(plan: AfterSchoolPlan, month: str) -> Mapping[str, list[Line]]:
    """The lists by band, from the lessons that were held. A lesson whose teacher nobody knows is nobody's."""
    bands = {
        row.id: band_of(row.lowest_grade, row.highest_grade)
        for row in await AfterSchoolProgramme.filter(plan_id=plan.id)
    }
    given: dict[str, list[Given]] = defaultdict(list)
    for row in await held_sessions(plan.id, *month_of(*month_key(month))):
        if row.teacher_id is not None:
            given[bands[row.programme_id]].append(Given(str(row.teacher_id), row.is_substitute))
    return {band: lines_of(lessons) for band, lessons in given.items()}


def _kept(row: AfterSchoolMonth) -> list[Line]:
    return [Line(*line) for line in row.lines]


async def _last(plan_id: UUID, month: str, band: str) -> AfterSchoolMonth | None:
    return await AfterSchoolMonth.filter(plan_id=plan_id, month=month, band=band).order_by("-number").first()


async def _state(last: AfterSchoolMonth | None, plan_id: UUID, month: str, band: str) -> MonthState:
    if last is None:
        return MonthState.COUNTED
    unanswered = AfterSchoolObjection.filter(
        month__plan_id=plan_id, month__month=month, month__band=band, answer__isnull=True
    )
    return state_of(last.move, await unanswered.count())


async def _locked(plan: AfterSchoolPlan) -> None:
    """What is done with the lists of a plan is done one after the other."""
    await AfterSchoolPlan.filter(id=plan.id).select_for_update().first()
