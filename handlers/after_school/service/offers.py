"""Plans: written, changed, published with the fees checked, closed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.clock import Clock
from bot.errors import InvalidInput, NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, require
from bot.storage.database import transaction
from handlers.accounts.service.places import PlaceService
from handlers.after_school.domain.fees import (
    Cap,
    ComplaintPhoneMissing,
    Excess,
    Fee,
    FeeAboveCap,
    FeeBasis,
    cap_in_force,
    excesses,
)
from handlers.after_school.domain.offers import Grades, Hours, Window, days_of
from handlers.after_school.domain.plans import (
    FeePayer,
    PlanNotOpenToChange,
    PlanState,
    Selection,
    SettleBy,
    advance_plan,
)
from handlers.after_school.models import (
    AfterSchoolDayOff,
    AfterSchoolFeeCap,
    AfterSchoolPlan,
    AfterSchoolPool,
    AfterSchoolProgramme,
    AfterSchoolWindow,
)
from handlers.after_school.service.plan_rows import locked_plan, person_id, plan_row, whose_plan
from handlers.after_school.service.reading import hours_of
from handlers.after_school.service.views import PlanView, PoolView
from handlers.calendar.domain import SchoolCalendar
from handlers.calendar.service.calendars import CalendarService


class PlanEmpty(InvalidInput):
    """Nothing is offered."""

    code = "plan_empty"
    default_message = "这份安排里还没有课，不能公布。请先添加课程。"


class PlanInvalid(InvalidInput):
    """No title, or days that end before they begin, or places below none."""

    code = "plan_invalid"
    default_message = "请填好名称、起止日期和名额（不限名额的留空），再保存。"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeDraft:
    """One programme; see the columns of its table."""

    title: str
    grades: Grades
    hours: Hours
    selection: Selection = Selection.FIRST_COME
    fee: Fee = field(default_factory=lambda: Fee(FeeBasis.FREE))
    fee_payer: FeePayer = FeePayer.FAMILY
    teacher_id: str | None = None
    room: str = ""
    pick_up_point: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolDraft:
    """Programmes that share places; None: as many as come."""

    title: str
    places: int | None
    programmes: tuple[ProgrammeDraft, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDraft:
    """A plan as it is written. `windows`: of grades that have their own; `days_off`: with their reasons."""

    township_id: str
    school_id: str | None
    term: str
    title: str
    first_day: date
    last_day: date
    window: Window
    pools: tuple[PoolDraft, ...] = ()
    windows: Mapping[int, Window] | None = None
    days_off: Mapping[date, str] | None = None
    complaint_phone: str = ""
    pick_up_point: str = ""
    offer_school_days: int = 2
    settle_by: SettleBy = SettleBy.HELD

    def __post_init__(self) -> None:
        is_wrong = any(pool.places is not None and pool.places < 0 for pool in self.pools)
        if is_wrong or not self.title.strip() or self.last_day < self.first_day or self.offer_school_days < 1:
            raise PlanInvalid


class OffersService:
    """Writes plans."""

    def __init__(self, places: PlaceService, calendars: CalendarService, audit: Audit, clock: Clock) -> None:
        self._places = places
        self._calendars = calendars
        self._audit = audit
        self._clock = clock

    async def plans(self, actor: Actor) -> list[PlanView]:
        """Those within reach, the latest term first."""
        reach = require(actor, Action.SERVICE_PLAN)
        rows = await AfterSchoolPlan.all().order_by("-first_day", "title", "id")
        return await _views([row for row in rows if reach.covers(whose_plan(row))])

    async def plan(self, actor: Actor, plan_id: str) -> PlanView:
        """One of them. Raises NotFound."""
        row = await plan_row(actor, Action.SERVICE_PLAN, plan_id)
        return (await _views([row]))[0]

    async def write(
        self, actor: Actor, draft: PlanDraft, plan_id: str | None = None, version: int | None = None
    ) -> PlanView:
        """A new draft, or (with `plan_id` and the version that was read) the draft written anew. Raises
        PlanNotOpenToChange, PlanChanged, NotFound."""
        whose = Subject(school_id=draft.school_id, township_id=draft.township_id)
        require(actor, Action.SERVICE_PLAN, whose)
        await self._check_place(draft)
        now = self._clock.now()
        async with transaction():
            row = AfterSchoolPlan(id=uuid4(), created_at=now, version=0, written_by=person_id(actor))
            if plan_id is not None:
                row = await locked_plan(actor, Action.SERVICE_PLAN, plan_id, version)
                if row.state is not PlanState.DRAFT:
                    raise PlanNotOpenToChange
                for model in (AfterSchoolDayOff, AfterSchoolProgramme, AfterSchoolPool, AfterSchoolWindow):
                    await model.filter(plan_id=row.id).delete()
            row.update_from_dict(plan_columns(draft) | {"updated_at": now, "version": row.version + 1})
            await row.save(force_create=plan_id is None, force_update=plan_id is not None)
            await _write_parts(row.id, draft, now)
            await self._audit.record(actor, Action.SERVICE_PLAN, f"plan:{row.id}", whose=whose, purpose="draft")
        return (await _views([row]))[0]

    async def publish(self, actor: Actor, plan_id: str, version: int) -> PlanView:
        """Families see it from now on. Raises PlanEmpty, FeeAboveCap (naming programme, cap and clause),
        ComplaintPhoneMissing, PlanChanged, IllegalPlanMove, NotFound."""
        now = self._clock.now()
        async with transaction():
            row = await locked_plan(actor, Action.SERVICE_PUBLISH, plan_id, version)
            row.state = advance_plan(row.state, PlanState.PUBLISHED)
            broken = await self.broken_caps(row.id)
            if broken:
                raise FeeAboveCap(details={"programmes": [_excess(title, each) for title, each in broken]})
            paid = AfterSchoolProgramme.filter(plan_id=row.id, fee_fen__gt=0, fee_payer=FeePayer.FAMILY)
            if not row.complaint_phone and await paid.exists():
                raise ComplaintPhoneMissing
            row.published_by, row.published_at, row.updated_at = person_id(actor), now, now
            row.version += 1
            await row.save()
            await self._audit.record(
                actor, Action.SERVICE_PUBLISH, f"plan:{row.id}", whose=whose_plan(row), purpose="published"
            )
        return (await _views([row]))[0]

    async def close(self, actor: Actor, plan_id: str, version: int) -> PlanView:
        """Nobody signs up any more and nothing is offered down the line. Raises PlanChanged, IllegalPlanMove,
        NotFound."""
        now = self._clock.now()
        async with transaction():
            row = await locked_plan(actor, Action.SERVICE_PUBLISH, plan_id, version)
            # Whoever signs up holds these rows: after this no sign-up is under way that has read the plan as open.
            await AfterSchoolPool.filter(plan_id=row.id).order_by("id").select_for_update()
            row.state = advance_plan(row.state, PlanState.CLOSED)
            row.closed_by, row.closed_at, row.updated_at = person_id(actor), now, now
            row.version += 1
            await row.save()
            await self._audit.record(
                actor, Action.SERVICE_PUBLISH, f"plan:{row.id}", whose=whose_plan(row), purpose="closed"
            )
        return (await _views([row]))[0]

    async def set_cap(self, actor: Actor, township_id: str, cap: Cap) -> None:
        """What the county allows from a day on; earlier caps stay as they were."""
        whose = Subject(township_id=township_id)
        require(actor, Action.SERVICE_CAPS, whose)
        now = self._clock.now()
        async with transaction():
            row = await AfterSchoolFeeCap.create(
                township_id=UUID(township_id),
                school_kind=cap.school_kind,
                per_lesson_fen=cap.per_lesson_fen,
                per_term_fen=cap.per_term_fen,
                since=cap.since,
                clause=cap.clause,
                entered_by=person_id(actor),
                created_at=now,
                updated_at=now,
            )
            await self._audit.record(actor, Action.SERVICE_CAPS, f"fee_cap:{row.id}", whose=whose, purpose="fee_cap")

    async def lessons(self, plan_id: str) -> dict[str, list[date]]:
        """The days of each programme, by its id, as the calendar stands."""
        plan = await AfterSchoolPlan.get(id=UUID(plan_id))
        calendar = await self._calendar(plan)
        off = await AfterSchoolDayOff.filter(plan_id=plan.id)
        return {
            str(each.id): days_of(
                hours_of(each),
                plan.first_day,
                plan.last_day,
                calendar,
                [row.day for row in off if row.programme_id in (None, each.id)],
            )
            for each in await AfterSchoolProgramme.filter(plan_id=plan.id)
        }

    async def broken_caps(self, plan_id: UUID) -> list[tuple[str, Excess]]:
        """Programmes that cost more than the county allows, by their titles. Raises PlanEmpty."""
        plan = await AfterSchoolPlan.get(id=plan_id)
        programmes = await AfterSchoolProgramme.filter(plan_id=plan_id).order_by("title", "id")
        if not programmes:
            raise PlanEmpty
        rows = await AfterSchoolFeeCap.filter(township_id=plan.township_id)
        caps = [Cap(row.per_lesson_fen, row.per_term_fen, row.since, row.clause, row.school_kind) for row in rows]
        kind = (await self._places.school(str(plan.school_id))).kind if plan.school_id else ""
        cap = cap_in_force(caps, kind, plan.first_day)
        if cap is None:
            return []
        days = await self.lessons(str(plan_id))
        return [
            (each.title, excess)
            for each in programmes
            for excess in excesses(Fee(each.fee_basis, each.fee_fen, each.fee_clause), len(days[str(each.id)]), cap)
        ]

    # ------------------------------------------------------------------------------------------------------------- rows
    async def _check_place(self, draft: PlanDraft) -> None:
        """A school is of the township it is written for. Raises NotFound."""
        if draft.school_id is None:
            await self._places.township(draft.township_id)
        elif (await self._places.school(draft.school_id)).township_id != draft.township_id:
            raise NotFound

    async def _calendar(self, plan: AfterSchoolPlan) -> SchoolCalendar:
        if plan.school_id is None:
            return await self._calendars.of_township(str(plan.township_id))
        return await self._calendars.of(str(plan.school_id))


def _excess(title: str, excess: Excess) -> dict[str, Any]:
    return {
        "title": title,
        "per": excess.per.value,
        "asked_fen": excess.asked_fen,
        "allowed_fen": excess.allowed_fen,
        "clause": excess.cap.clause,
    }


def plan_columns(draft: PlanDraft) -> dict[str, Any]:
    """What the table keeps of a plan itself."""
    return {
        "township_id": UUID(draft.township_id),
        "school_id": UUID(draft.school_id) if draft.school_id else None,
        "term": draft.term,
        "title": draft.title.strip(),
        "first_day": draft.first_day,
        "last_day": draft.last_day,
        "opens_at": draft.window.opens_at,
        "closes_at": draft.window.closes_at,
        "state": PlanState.DRAFT,
        "complaint_phone": draft.complaint_phone,
        "pick_up_point": draft.pick_up_point,
        "offer_school_days": draft.offer_school_days,
        "settle_by": draft.settle_by,
    }


async def _write_parts(plan_id: UUID, draft: PlanDraft, now: datetime) -> None:
    moments: dict[str, Any] = {"created_at": now, "updated_at": now}
    for grade, window in (draft.windows or {}).items():
        await AfterSchoolWindow.create(
            plan_id=plan_id, grade=grade, opens_at=window.opens_at, closes_at=window.closes_at, **moments
        )
    for day, reason in (draft.days_off or {}).items():
        await AfterSchoolDayOff.create(plan_id=plan_id, day=day, reason=reason, **moments)
    for pool in draft.pools:
        row = await AfterSchoolPool.create(plan_id=plan_id, title=pool.title, places=pool.places, **moments)
        for each in pool.programmes:
            await AfterSchoolProgramme.create(plan_id=plan_id, pool_id=row.id, **programme_columns(each), **moments)


def programme_columns(draft: ProgrammeDraft) -> dict[str, Any]:
    """What the table keeps of a programme, but for where it belongs."""
    return {
        "title": draft.title.strip(),
        "lowest_grade": draft.grades.lowest,
        "highest_grade": draft.grades.highest,
        "weekdays": "".join(str(day) for day in sorted(draft.hours.weekdays)),
        "starts_at": _clock(draft.hours.starts_at),
        "ends_at": _clock(draft.hours.ends_at),
        "teacher_id": UUID(draft.teacher_id) if draft.teacher_id else None,
        "room": draft.room,
        "pick_up_point": draft.pick_up_point,
        "selection": draft.selection,
        "fee_basis": draft.fee.basis,
        "fee_fen": draft.fee.amount_fen,
        "fee_payer": draft.fee_payer,
        "fee_clause": draft.fee.clause,
    }


def _clock(at: time) -> str:
    return at.isoformat("minutes")


async def _views(rows: Sequence[AfterSchoolPlan]) -> list[PlanView]:
    pools = await _pool_views([row.id for row in rows])
    return [
        PlanView(
            id=str(row.id),
            version=row.version,
            state=row.state,
            title=row.title,
            term=row.term,
            township_id=str(row.township_id),
            school_id=str(row.school_id) if row.school_id else None,
            pools=tuple(pools.get(row.id, ())),
        )
        for row in rows
    ]


async def _pool_views(plan_ids: Collection[UUID]) -> dict[UUID, list[PoolView]]:
    programmes: dict[UUID, list[tuple[str, str]]] = {}
    for row in await AfterSchoolProgramme.filter(plan_id__in=list(plan_ids)).order_by("title", "id"):
        programmes.setdefault(row.pool_id, []).append((str(row.id), row.title))
    found: dict[UUID, list[PoolView]] = {}
    for pool in await AfterSchoolPool.filter(plan_id__in=list(plan_ids)).order_by("title", "id"):
        view = PoolView(
            str(pool.id), pool.title, pool.places, pool.taken, pool.waiting, tuple(programmes.get(pool.id, ()))
        )
        found.setdefault(pool.plan_id, []).append(view)
    return found
