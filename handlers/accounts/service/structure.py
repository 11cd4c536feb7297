"""Townships, schools and classes by school year; the yearly promotion; who changes class, and who leaves."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from datetime import date
from uuid import UUID

from tortoise.expressions import Q

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.errors import Conflict, InvalidInput, NotPermitted
from bot.identity import Actor
from bot.rights import Action, Subject, refusal, require
from bot.storage.database import transaction
from handlers.accounts.domain import AppointmentKind, PupilStatus, school_year_of
from handlers.accounts.models import Appointment, Pupil, School, SchoolClass, Township
from handlers.accounts.service import promotion
from handlers.accounts.service.closing import Touched, touched_of_class, touched_of_school
from handlers.accounts.service.promotion import PlanOutdated, PromotionPlan, TooEarlyToPromote
from handlers.accounts.service.rows import AlreadyThere, StillUsed
from handlers.accounts.service.scope import (
    as_id,
    editable_pupil,
    missing,
    subject_of_pupil,
    visible_classes,
    visible_schools,
    visible_townships,
)
from handlers.accounts.service.values import ClassValues, PupilValues, Put, SchoolValues, changed_fields
from handlers.accounts.service.views import ClassView, SchoolView, TownshipView, name_of, school_view
from handlers.accounts.service.writing import Writer, one


class StillAttended(Conflict):
    """Pupils are in the class or at the school that was to close."""

    code = "still_attended"
    default_message = "还有在读学生，请先办理调班或离校，再来关闭。"


class InTheFuture(InvalidInput):
    """A change of class or a leaving takes effect at once: its day cannot lie ahead."""

    code = "in_the_future"
    default_message = "日期不能晚于今天，请到当天再办理。"


class StructureService:
    """The places people belong to."""

    def __init__(self, clock: Clock, audit: Audit, forget: Callable[[], None] = lambda: None) -> None:
        """`forget` is told when charges have changed: what is remembered of people is not true any more."""
        self._clock = clock
        self._audit = audit
        self._forget = forget
        self._writer = Writer(clock)

    # ------------------------------------------------------------------------------------------------------- reading
    async def townships(self, actor: Actor) -> list[tuple[str, str]]:
        """Ids and names of the townships within reach."""
        rows = visible_townships(require(actor, Action.CLASS_VIEW))
        return [(str(row.id), row.name) for row in await rows.order_by("name")]

    async def schools(self, actor: Actor, *, closed: bool = False) -> list[SchoolView]:
        """The schools within reach, for a teacher those of their classes; closed ones only when asked for."""
        reach = require(actor, Action.CLASS_VIEW)
        of_classes = (
            await visible_classes(reach).distinct().values_list("school_id", flat=True) if reach.classes else []
        )
        own = await visible_schools(reach).values_list("id", flat=True)
        rows = School.filter(id__in={*own, *of_classes})
        if not closed:
            rows = rows.filter(closed_on__isnull=True)
        return [school_view(row) for row in await rows.order_by("name", "id")]

    async def classes(self, actor: Actor, year: int | None = None, *, school_id: str | None = None) -> list[ClassView]:
        """The classes of a school year within reach, the present year's by default, by school and grade."""
        query = visible_classes(require(actor, Action.CLASS_VIEW))
        query = query.filter(school_year=school_year_of(self._today()) if year is None else year)
        if school_id:
            query = query.filter(school_id=as_id(school_id))
        return await self._viewed(await query.select_related("school").order_by("school__name", "grade", "number"))

    async def class_of(self, actor: Actor, class_id: str | UUID) -> ClassView:
        """One class. Raises NotFound."""
        query = visible_classes(require(actor, Action.CLASS_VIEW)).filter(id=as_id(class_id))
        found = await self._viewed(await query.select_related("school"))
        if not found:
            raise missing(actor, Action.CLASS_VIEW)
        return found[0]

    async def _viewed(self, rows: list[SchoolClass]) -> list[ClassView]:
        ids, today = [row.id for row in rows], self._today()
        counts = await promotion.pupil_counts(ids)
        heads = Appointment.filter(
            Q(until__isnull=True) | Q(until__gte=today),
            school_class_id__in=ids,
            kind=AppointmentKind.HEAD_TEACHER,
            since__lte=today,
        )
        head_of = {head.school_class_id: head for head in await heads.select_related("person")}
        return [
            ClassView(
                id=str(row.id),
                school_id=str(row.school_id),
                school=row.school.name,
                school_year=row.school_year,
                grade=row.grade,
                number=row.number,
                name=name_of(row),
                pupils=counts[row.id],
                head_teacher=head.person.name if (head := head_of.get(row.id)) else "",
                head_teacher_id=str(head.person_id) if head else None,
            )
            for row in rows
        ]

    # ------------------------------------------------------------------------------------------------------- schools
    async def create_township(self, actor: Actor, name: str, county: str = "", province: str = "") -> str:
        """A new township; only the operator of the whole may. Returns its id."""
        if not require(actor, Action.SCHOOL_EDIT).is_any:
            raise refusal(NotPermitted(), actor, Action.SCHOOL_EDIT, None)
        async with transaction():
            put = await self._writer.put_township(name, county, province)
            whose = Subject(township_id=str(put.id))
            await self._audit.record(
                actor, Action.SCHOOL_EDIT, f"township:{put.id}", whose=whose, fields=changed_fields(put)
            )
        return str(put.id)

    async def rename_township(self, actor: Actor, township_id: str, name: str, county: str, province: str) -> None:
        """Another name for the township, its county or province. Raises NotFound, AlreadyThere, NameInvalid."""
        async with transaction():
            row = await self._township(actor, township_id)
            put = await self._writer.put_township(name, county, province, id=row.id)
            await self._audit.record(
                actor,
                Action.SCHOOL_EDIT,
                f"township:{row.id}",
                whose=Subject(township_id=str(row.id)),
                fields=changed_fields(put),
            )

    async def township_of(self, actor: Actor, township_id: str) -> TownshipView:
        """One that may be renamed. Raises NotFound."""
        row = await self._township(actor, township_id)
        schools = await School.filter(township_id=row.id, closed_on__isnull=True).count()
        return TownshipView(str(row.id), row.name, row.county, row.province, schools)

    async def school_of(self, actor: Actor, school_id: str) -> tuple[SchoolView, Touched]:
        """One that may be changed, and what hangs on it. Raises NotFound."""
        row = await self._school(actor, Action.SCHOOL_EDIT, school_id)
        return school_view(row), await touched_of_school(row, self._today())

    async def put_school(self, actor: Actor, school: SchoolValues, *, is_new: bool = False) -> str:
        """A new school, or another name, kind, place or parent for one named by `id`. Returns its id. With `is_new` a
        name that is there already is a fault. Raises AlreadyThere for a name that is taken."""
        reach = require(actor, Action.SCHOOL_EDIT, Subject(township_id=str(school.township_id)))
        async with transaction():
            for known in filter(None, (school.id, school.parent_id)):
                if not await visible_schools(reach).filter(id=known, township_id=school.township_id).exists():
                    raise missing(actor, Action.SCHOOL_EDIT)
            if not await Township.exists(id=school.township_id):
                raise missing(actor, Action.SCHOOL_EDIT)
            put = await self._writer.put_school(school)
            if is_new and not put.is_new:
                raise AlreadyThere
            whose = Subject(school_id=str(put.id), township_id=str(school.township_id))
            await self._audit.record(
                actor, Action.SCHOOL_EDIT, f"school:{put.id}", whose=whose, fields=changed_fields(put)
            )
        return str(put.id)

    async def close_school(self, actor: Actor, school_id: str, last_day: date) -> None:
        """The school is closed, and all charges there end. Raises StillAttended."""
        reach = require(actor, Action.SCHOOL_EDIT)
        async with transaction():
            row = await visible_schools(reach).filter(id=as_id(school_id)).select_for_update().first()
            if row is None:
                raise missing(actor, Action.SCHOOL_EDIT)
            if await Pupil.exists(school_id=row.id, status=PupilStatus.ENROLLED):
                raise StillAttended
            await self._end_charges(Q(school_id=row.id), last_day)
            await School.filter(id=row.id).update(closed_on=last_day, updated_at=self._clock.now())
            await self._audit.record(
                actor, Action.SCHOOL_EDIT, f"school:{row.id}", whose=_school_subject(row), fields=["closed_on"]
            )
        self._forget()

    # ------------------------------------------------------------------------------------------------------- classes
    async def editable_class(self, actor: Actor, class_id: str) -> tuple[ClassView, Touched]:
        """One that may be renamed or closed, and what hangs on it. Raises NotFound."""
        row = await self._class(actor, Action.CLASS_EDIT, class_id)
        return (await self._viewed([row]))[0], await touched_of_class(row, self._today())

    async def create_class(self, actor: Actor, school_id: str, year: int, grade: int, number: int) -> str:
        """A class of a school year; the one that is there already when there is one. Returns its id."""
        async with transaction():
            school = await self._school(actor, Action.CLASS_EDIT, school_id)
            put = await self._writer.put_class(
                ClassValues(school_id=school.id, school_year=year, grade=grade, number=number)
            )
            whose = _school_subject(school, put.id)
            await self._audit.record(
                actor, Action.CLASS_EDIT, f"class:{put.id}", whose=whose, fields=changed_fields(put)
            )
        return str(put.id)

    async def rename_class(self, actor: Actor, class_id: str, grade: int, number: int) -> None:
        """Another grade or number. Raises AlreadyThere when the school has such a class that year."""
        async with transaction():
            row = await self._class(actor, Action.CLASS_EDIT, class_id)
            values = ClassValues(
                id=row.id, school_id=row.school_id, school_year=row.school_year, grade=grade, number=number
            )
            put = await self._writer.put_class(values)
            whose = _school_subject(row.school, row.id)
            await self._audit.record(
                actor, Action.CLASS_EDIT, f"class:{row.id}", whose=whose, fields=changed_fields(put)
            )

    async def close_class(self, actor: Actor, class_id: str, last_day: date) -> None:
        """Its charges end; a class in which nobody ever was goes altogether. Raises StillAttended."""
        async with transaction():
            row = await self._class(actor, Action.CLASS_EDIT, class_id)
            if await Pupil.exists(school_class_id=row.id, status=PupilStatus.ENROLLED):
                raise StillAttended
            await self._end_charges(Q(school_class_id=row.id), last_day)
            with contextlib.suppress(StillUsed):  # then it has a history, which stays
                await self._writer.delete("class", [row.id])
            whose = _school_subject(row.school, row.id)
            await self._audit.record(actor, Action.CLASS_EDIT, f"class:{row.id}", whose=whose, purpose="close")
        self._forget()

    # ----------------------------------------------------------------------------------------------------- promotion
    async def promotion(self, actor: Actor, school_id: str, to_year: int) -> PromotionPlan:
        """What promoting the classes of the year before would do. Raises NothingToPromote, NotFound."""
        school = await self._school(actor, Action.CLASS_PROMOTE, school_id)
        return await promotion.plan_of(school, to_year, self._today())

    async def promote(
        self,
        actor: Actor,
        school_id: str,
        to_year: int,
        *,
        fingerprint: str | None = None,
        keep: Collection[str] | None = None,
    ) -> PromotionPlan:
        """Does it, from today on, and returns what was done. `fingerprint`: of the plan that was looked at; `keep`:
        ids of the charges that go on with their class, None: those proposed. Raises PlanOutdated, NothingToPromote,
        TooEarlyToPromote."""
        today = self._today()
        async with transaction():
            school = await self._school(actor, Action.CLASS_PROMOTE, school_id, lock=True)
            if today < promotion.earliest_day(to_year):
                raise TooEarlyToPromote
            plan = await promotion.plan_of(school, to_year, today)
            if fingerprint is not None and fingerprint != plan.fingerprint:
                raise PlanOutdated
            proposed = {each.appointment_id for each in plan.proposals if each.is_proposed}
            await promotion.apply(self._writer, plan, today, proposed if keep is None else keep)
            whose = _school_subject(school)
            await self._audit.record(
                actor, Action.CLASS_PROMOTE, f"school:{school.id}", whose=whose, purpose=str(to_year)
            )
        self._forget()
        return plan

    # -------------------------------------------------------------------------------------------------------- pupils
    async def move(
        self, actor: Actor, pupil_id: str, class_id: str, on: date | None = None, *, version: int | None = None
    ) -> None:
        """A pupil changes class from a day on, today at the latest. Both must be within reach. `version`: of the pupil
        as it was looked at. Raises NotFound, InTheFuture, MoveTooEarly, ChangedMeanwhile."""
        on = self._not_ahead(on)
        async with transaction():
            pupil = await editable_pupil(actor, pupil_id, version)
            school_class = await self._class(actor, Action.PUPIL_EDIT, class_id)
            put = one(await self._writer.put_pupils([PupilValues(id=pupil.id, class_id=school_class.id, on=on)]))
            await self._note_pupil(actor, pupil, put)

    async def let_go(
        self, actor: Actor, pupil_id: str, last_day: date | None = None, *, version: int | None = None
    ) -> None:
        """A pupil leaves the school. Raises NotFound, InTheFuture, MoveTooEarly, ChangedMeanwhile."""
        last_day = self._not_ahead(last_day)
        async with transaction():
            pupil = await editable_pupil(actor, pupil_id, version)
            changes = await self._writer.let_go([pupil.id], PupilStatus.LEFT, last_day)
            await self._note_pupil(actor, pupil, Put(pupil.id, tuple(changes)))

    async def _note_pupil(self, actor: Actor, pupil: Pupil, put: Put) -> None:
        whose = subject_of_pupil(pupil)
        await self._audit.record(actor, Action.PUPIL_EDIT, f"pupil:{pupil.id}", whose=whose, fields=changed_fields(put))

    # -------------------------------------------------------------------------------------------------------- inside
    async def _school(self, actor: Actor, action: Action, school_id: str, *, lock: bool = False) -> School:
        query = visible_schools(require(actor, action)).filter(id=as_id(school_id))
        row = await (query.select_for_update() if lock else query).first()
        if row is None:
            raise missing(actor, action)
        return row

    async def _township(self, actor: Actor, township_id: str) -> Township:
        query = visible_townships(require(actor, Action.SCHOOL_EDIT)).filter(id=as_id(township_id))
        row = await query.select_for_update().first()
        if row is None:
            raise missing(actor, Action.SCHOOL_EDIT)
        return row

    async def _class(self, actor: Actor, action: Action, class_id: str) -> SchoolClass:
        query = visible_classes(require(actor, action)).filter(id=as_id(class_id))
        row = await query.select_related("school").first()
        if row is None:
            raise missing(actor, action)
        return row

    async def _end_charges(self, which: Q, last_day: date) -> None:
        rows = await Appointment.filter(which, Q(until__isnull=True) | Q(until__gt=last_day))
        await self._writer.end_appointments([row.id for row in rows], last_day)

    def _not_ahead(self, day: date | None) -> date:
        today = self._today()
        if day is not None and day > today:
            raise InTheFuture
        return day or today

    def _today(self) -> date:
        return local_date(self._clock.now())


def _school_subject(school: School, class_id: UUID | None = None) -> Subject:
    return Subject(
        class_id=str(class_id) if class_id else None,
        school_id=str(school.id),
        township_id=str(school.township_id),
    )
