"""Writing a plan piece by piece: head, programmes and their places, windows of grades, days off.

Every change names the version of the plan that was read. While a plan is a draft everything may change; families have
read a published one, so of it only what helps them may: who teaches where, whom to complain to, days off, and more time
to sign up.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.clock import Clock
from bot.errors import InvalidInput, NotFound
from bot.identity import Actor
from bot.rights import Action
from bot.storage.database import transaction
from handlers.accounts.service.people import LARGEST_PAGE, PeopleService, StaffFilter
from handlers.after_school.domain.offers import Window
from handlers.after_school.domain.plans import PlanNotOpenToChange, PlanState
from handlers.after_school.models import (
    AfterSchoolDayOff,
    AfterSchoolPlan,
    AfterSchoolPool,
    AfterSchoolProgramme,
    AfterSchoolWindow,
)
from handlers.after_school.service.offering.sheets import Sheets
from handlers.after_school.service.offering.views import PlanSheet
from handlers.after_school.service.offers import (
    OffersService,
    PlanDraft,
    PlanInvalid,
    PoolDraft,
    ProgrammeDraft,
    plan_columns,
    programme_columns,
)
from handlers.after_school.service.plan_rows import locked_plan, plan_row, whose_plan

_DRAFT = frozenset({PlanState.DRAFT})
_LIVE = frozenset({PlanState.DRAFT, PlanState.PUBLISHED})


class GradesReversed(InvalidInput):
    """The last grade lies below the first."""

    code = "grades_reversed"
    default_message = "年级的起止写反了，请改正后再保存。"


class DayOffInvalid(InvalidInput):
    """Outside the plan, or without a reason."""

    code = "day_off_invalid"
    default_message = "停课的日子要在服务起止日期之内，并写明原因。请改正后再保存。"


class WindowOnlyLonger(InvalidInput):
    """Families have read until when they may sign up."""

    code = "window_only_longer"
    default_message = "已经公布的报名时间只能延长，不能提前截止，也不能改开始时间。请改正后再保存。"


class TeacherUnknown(InvalidInput):
    """Nobody of the staff."""

    code = "teacher_unknown"
    default_message = "这位老师不在任教名单里，请重新选择。"


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a programme's places come from: a pool that is there, or a new one with so many (None: as many as come)."""

    pool_id: str | None = None
    places: int | None = None

    def __post_init__(self) -> None:
        if self.places is not None and self.places < 0:
            raise PlanInvalid


class Drafting:
    """Writes plans."""

    def __init__(
        self, sheets: Sheets, people: PeopleService, offers: OffersService, audit: Audit, clock: Clock
    ) -> None:
        self._sheets = sheets
        self._people = people
        self._offers = offers
        self._audit = audit
        self._clock = clock

    async def sheet(self, actor: Actor, plan_id: str) -> PlanSheet:
        """A plan, whole. Raises NotFound."""
        return await self._sheets.of(await plan_row(actor, Action.SERVICE_PLAN, plan_id))

    async def teachers(self, actor: Actor, school_id: str | None) -> list[tuple[str, str]]:
        """Who may give a course: the staff of the school, of a township's own plan the staff of all. Ids and names."""
        wanted = StaffFilter(school_id=school_id, limit=LARGEST_PAGE, order="name")
        page = await self._people.staff(actor, wanted)
        return list(dict.fromkeys((each.person_id, each.name) for each in page.items))

    # ------------------------------------------------------------------------------------------------------------ plans
    async def begin(self, actor: Actor, head: PlanDraft, like: str | None = None) -> str:
        """A new draft; `like`: with the courses of an earlier plan. Returns its id. Raises NotFound."""
        pools: tuple[PoolDraft, ...] = ()
        if like is not None:
            pools = _as_drafts(await self.sheet(actor, like))
            if head.school_id is not None:
                pools = await self._with_present_teachers(actor, head.school_id, pools)
        return (await self._offers.write(actor, replace(head, pools=pools))).id

    async def change_head(self, actor: Actor, plan_id: str, version: int, head: PlanDraft) -> None:
        """Of a published plan only whom to complain to, where children are collected, and a later end of sign-up.
        Raises PlanChanged, PlanNotOpenToChange, WindowOnlyLonger, NotFound."""
        async with self._changing(actor, plan_id, version, "head", _LIVE) as row:
            if row.state is PlanState.DRAFT:
                # Whose it is stays: its rights, its courses and their teachers hang on it.
                columns = plan_columns(head)
                del columns["township_id"], columns["school_id"]
                row.update_from_dict(columns)
                return
            if head.window.opens_at != row.opens_at or head.window.closes_at < row.closes_at:
                raise WindowOnlyLonger
            row.closes_at = head.window.closes_at
            row.complaint_phone, row.pick_up_point = head.complaint_phone, head.pick_up_point

    async def discard(self, actor: Actor, plan_id: str, version: int) -> None:
        """A draft goes, with everything in it. Raises PlanChanged, PlanNotOpenToChange, NotFound."""
        async with transaction():
            row = await locked_plan(actor, Action.SERVICE_PLAN, plan_id, version)
            if row.state is not PlanState.DRAFT:
                raise PlanNotOpenToChange
            for model in (AfterSchoolDayOff, AfterSchoolProgramme, AfterSchoolPool, AfterSchoolWindow):
                await model.filter(plan_id=row.id).delete()
            await row.delete()
            await self._note(actor, row, "discarded")

    # ------------------------------------------------------------------------------------------------------- programmes
    async def put_programme(
        self,
        actor: Actor,
        plan_id: str,
        version: int,
        draft: ProgrammeDraft,
        seat: Seat,
        *,
        programme_id: str | None = None,
    ) -> None:
        """A new programme of a draft, or one of it written anew. Raises PlanChanged, PlanNotOpenToChange, PlanInvalid,
        GradesReversed, TeacherUnknown, NotFound."""
        if not draft.title.strip():
            raise PlanInvalid
        if draft.grades.highest < draft.grades.lowest:
            raise GradesReversed
        async with self._changing(actor, plan_id, version, "programme", _DRAFT) as row:
            known = await self._programme(row, programme_id) if programme_id else None
            await self._check_teacher(actor, row, draft.teacher_id, known)
            now = self._clock.now()
            own = known or AfterSchoolProgramme(id=uuid4(), plan_id=row.id, created_at=now)
            own.pool_id = await self._pool_for(row, seat, draft.title.strip())
            own.update_from_dict(programme_columns(draft) | {"updated_at": now})
            await own.save(force_create=known is None, force_update=known is not None)
            await _drop_empty_pools(row.id)

    async def place_programme(
        self,
        actor: Actor,
        plan_id: str,
        version: int,
        programme_id: str,
        *,
        teacher_id: str | None,
        room: str,
        pick_up_point: str,
    ) -> None:
        """Who gives it where, whether families can see it or not. Raises PlanChanged, PlanNotOpenToChange,
        TeacherUnknown, NotFound."""
        async with self._changing(actor, plan_id, version, "programme_place", _LIVE) as row:
            own = await self._programme(row, programme_id)
            await self._check_teacher(actor, row, teacher_id, own)
            own.teacher_id = UUID(teacher_id) if teacher_id else None
            own.room, own.pick_up_point, own.updated_at = room, pick_up_point, self._clock.now()
            await own.save()

    async def remove_programme(self, actor: Actor, plan_id: str, version: int, programme_id: str) -> None:
        """Out of a draft, with its places if it shares them with nothing. Raises PlanChanged, PlanNotOpenToChange,
        NotFound."""
        async with self._changing(actor, plan_id, version, "programme_removed", _DRAFT) as row:
            await AfterSchoolDayOff.filter(programme_id=(own := await self._programme(row, programme_id)).id).delete()
            await own.delete()
            await _drop_empty_pools(row.id)

    async def put_pool(
        self, actor: Actor, plan_id: str, version: int, pool_id: str, title: str, places: int | None
    ) -> None:
        """Name and places of a draft's pool. Raises PlanChanged, PlanNotOpenToChange, PlanInvalid, NotFound."""
        if not title.strip() or (places is not None and places < 0):
            raise PlanInvalid
        async with self._changing(actor, plan_id, version, "pool", _DRAFT) as row:
            pool = await AfterSchoolPool.get_or_none(id=UUID(pool_id), plan_id=row.id)
            if pool is None:
                raise NotFound
            pool.title, pool.places, pool.updated_at = title.strip(), places, self._clock.now()
            await pool.save()

    # --------------------------------------------------------------------------------------------------- times and days
    async def put_window(self, actor: Actor, plan_id: str, version: int, grade: int, window: Window) -> None:
        """A grade's own time to sign up; of a published plan only a longer one. Raises PlanChanged,
        PlanNotOpenToChange, WindowOnlyLonger, NotFound."""
        async with self._changing(actor, plan_id, version, "window", _LIVE) as row:
            known = await AfterSchoolWindow.get_or_none(plan_id=row.id, grade=grade)
            if row.state is PlanState.PUBLISHED:
                before = known or row
                if window.opens_at != before.opens_at or window.closes_at < before.closes_at:
                    raise WindowOnlyLonger
            now = self._clock.now()
            own = known or AfterSchoolWindow(plan_id=row.id, grade=grade, created_at=now)
            own.opens_at, own.closes_at, own.updated_at = window.opens_at, window.closes_at, now
            await own.save()

    async def remove_window(self, actor: Actor, plan_id: str, version: int, grade: int) -> None:
        """The grade signs up when all do. Raises PlanChanged, PlanNotOpenToChange, NotFound."""
        async with self._changing(actor, plan_id, version, "window_removed", _DRAFT) as row:
            await AfterSchoolWindow.filter(plan_id=row.id, grade=grade).delete()

    async def put_day_off(
        self, actor: Actor, plan_id: str, version: int, days: Collection[date], reason: str, programme_id: str | None
    ) -> None:
        """Days without lessons, of one programme or (None) of all. Raises PlanChanged, PlanNotOpenToChange,
        DayOffInvalid, NotFound."""
        if not reason.strip() or not days:
            raise DayOffInvalid
        async with self._changing(actor, plan_id, version, "day_off", _LIVE) as row:
            own = (await self._programme(row, programme_id)).id if programme_id else None
            if any(not row.first_day <= day <= row.last_day for day in days):
                raise DayOffInvalid
            now = self._clock.now()
            known = AfterSchoolDayOff.filter(plan_id=row.id, programme_id=own, day__in=list(days))
            before = set(await known.values_list("day", flat=True))
            for day in sorted(set(days) - before):
                await AfterSchoolDayOff.create(
                    plan_id=row.id, programme_id=own, day=day, reason=reason.strip(), created_at=now, updated_at=now
                )

    async def remove_day_off(self, actor: Actor, plan_id: str, version: int, day_off_id: str) -> None:
        """The lesson is held after all. Raises PlanChanged, PlanNotOpenToChange, NotFound."""
        async with self._changing(actor, plan_id, version, "day_off_removed", _LIVE) as row:
            if not await AfterSchoolDayOff.filter(id=UUID(day_off_id), plan_id=row.id).delete():
                raise NotFound

    # ------------------------------------------------------------------------------------------------------------- rows
    @asynccontextmanager
    async def _changing(
        self, actor: Actor, plan_id: str, version: int, purpose: str, states: Collection[PlanState]
    ) -> AsyncIterator[AfterSchoolPlan]:
        """The plan, to be changed by one at a time."""
        async with transaction():
            row = await locked_plan(actor, Action.SERVICE_PLAN, plan_id, version)
            if row.state not in states:
                raise PlanNotOpenToChange
            yield row
            row.version += 1
            row.updated_at = self._clock.now()
            await row.save()
            await self._note(actor, row, purpose)

    async def _note(self, actor: Actor, row: AfterSchoolPlan, purpose: str) -> None:
        whose = whose_plan(row)
        await self._audit.record(actor, Action.SERVICE_PLAN, f"plan:{row.id}", whose=whose, purpose=purpose)

    async def _programme(self, row: AfterSchoolPlan, programme_id: str) -> AfterSchoolProgramme:
        found = await AfterSchoolProgramme.get_or_none(id=UUID(programme_id), plan_id=row.id)
        if found is None:
            raise NotFound
        return found

    async def _pool_for(self, row: AfterSchoolPlan, seat: Seat, title: str) -> UUID:
        now = self._clock.now()
        if seat.pool_id is not None:
            pool = await AfterSchoolPool.get_or_none(id=UUID(seat.pool_id), plan_id=row.id)
            if pool is None:
                raise NotFound
            return pool.id
        made = await AfterSchoolPool.create(
            plan_id=row.id, title=title, places=seat.places, created_at=now, updated_at=now
        )
        return made.id

    async def _check_teacher(
        self, actor: Actor, row: AfterSchoolPlan, teacher_id: str | None, known: AfterSchoolProgramme | None
    ) -> None:
        if teacher_id is None or (known is not None and teacher_id == str(known.teacher_id)):
            return
        school = str(row.school_id) if row.school_id else None
        if teacher_id not in dict(await self.teachers(actor, school)):
            raise TeacherUnknown

    async def _with_present_teachers(
        self, actor: Actor, school_id: str, pools: tuple[PoolDraft, ...]
    ) -> tuple[PoolDraft, ...]:
        """Who has left since gives no course."""
        staff = dict(await self.teachers(actor, school_id))
        return tuple(
            replace(
                pool,
                programmes=tuple(
                    each if each.teacher_id in staff else replace(each, teacher_id=None) for each in pool.programmes
                ),
            )
            for pool in pools
        )


async def _drop_empty_pools(plan_id: UUID) -> None:
    used = set(await AfterSchoolProgramme.filter(plan_id=plan_id).values_list("pool_id", flat=True))
    await AfterSchoolPool.filter(plan_id=plan_id).exclude(id__in=list(used)).delete()


def _as_drafts(sheet: PlanSheet) -> tuple[PoolDraft, ...]:
    return tuple(
        PoolDraft(
            title=pool.title,
            places=pool.places,
            programmes=tuple(
                ProgrammeDraft(
                    title=each.title,
                    grades=each.grades,
                    hours=each.hours,
                    selection=each.selection,
                    fee=each.fee,
                    fee_payer=each.fee_payer,
                    teacher_id=each.teacher_id,
                    room=each.room,
                    pick_up_point=each.pick_up_point,
                )
                for each in pool.programmes
            ),
        )
        for pool in sheet.pools
    )
