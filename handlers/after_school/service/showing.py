"""What a family sees: what its child can be signed up for, and its own sign-ups."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, refusal, require
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.views import ChildView
from handlers.after_school.domain.offers import ProgrammeStatus
from handlers.after_school.domain.plans import PlanState
from handlers.after_school.models import AfterSchoolEnrolment, AfterSchoolPool, AfterSchoolProgramme
from handlers.after_school.service.reading import Offered, living, pools_of, subject_of, views_of, with_windows
from handlers.after_school.service.views import EnrolmentView, ProgrammeView


class ShowingService:
    """Reads for families, and for whoever enters it for them."""

    def __init__(self, people: PeopleService, clock: Clock) -> None:
        self._people = people
        self._clock = clock

    async def programmes(
        self, actor: Actor, child_id: str, action: Action = Action.SERVICE_SIGN_UP
    ) -> list[ProgrammeView]:
        """What the child's grade can be signed up for in plans that are not over, its school's before its township's.
        Raises NotFound, NotPermitted."""
        child = await self._child(actor, action, child_id)
        today, grade = local_date(self._clock.now()), child.grade
        if not child.is_enrolled or grade is None:
            return []
        rows = AfterSchoolProgramme.filter(
            plan__township_id=UUID(child.township_id),
            plan__state__in=[PlanState.PUBLISHED, PlanState.CLOSED],
            plan__last_day__gte=today,
            lowest_grade__lte=grade,
            highest_grade__gte=grade,
        )
        found = await with_windows(await rows.select_related("plan").order_by("title", "id"))
        pools = await pools_of({each.plan.id for each in found.values()})
        own = {row.programme_id: row for row in await living([child.id])}
        shown = [each for each in found.values() if each.is_for(child)]
        shown.sort(key=lambda each: (each.plan.school_id is None, each.plan.first_day, each.plan.title))
        return [self._view(each, grade, pools[each.programme.pool_id], own.get(each.programme.id)) for each in shown]

    async def enrolments(
        self, actor: Actor, child_id: str | None = None, action: Action = Action.SERVICE_SIGN_UP
    ) -> Sequence[EnrolmentView]:
        """The sign-ups that are alive: of one child, or (None) of all of the guardian's. Raises NotFound."""
        reach = require(actor, action)
        children = sorted(reach.children) if child_id is None else [(await self._child(actor, action, child_id)).id]
        return await views_of(await living(children))

    async def enrolment(
        self, actor: Actor, enrolment_id: str, action: Action = Action.SERVICE_SIGN_UP
    ) -> EnrolmentView:
        """One sign-up, whatever became of it. Raises NotFound."""
        require(actor, action)
        try:
            row = await AfterSchoolEnrolment.get_or_none(id=UUID(enrolment_id)).select_related("programme")
        except ValueError:
            row = None
        if row is None:
            raise refusal(NotFound(), actor, action, Subject())
        await self._child(actor, action, str(row.pupil_id))
        return (await views_of([row]))[0]

    async def _child(self, actor: Actor, action: Action, child_id: str) -> ChildView:
        require(actor, action)
        try:
            own = str(UUID(child_id))
        except ValueError:
            raise NotFound from None
        child = (await self._people.children_known([own])).get(own)
        if child is None:
            raise refusal(NotFound(), actor, action, Subject())
        require(actor, action, subject_of(child))
        return child

    def _view(
        self, each: Offered, grade: int, pool: AfterSchoolPool, own: AfterSchoolEnrolment | None
    ) -> ProgrammeView:
        plan, programme, window = each.plan, each.programme, each.window(grade)
        is_over = plan.state is PlanState.CLOSED
        left = None if pool.places is None else max(0, pool.places - pool.taken)
        return ProgrammeView(
            id=str(programme.id),
            plan_id=str(plan.id),
            plan_title=plan.title,
            title=programme.title,
            weekdays=tuple(int(day) for day in programme.weekdays),
            starts_at=programme.starts_at,
            ends_at=programme.ends_at,
            room=programme.room,
            pick_up_point=programme.pick_up_point or plan.pick_up_point,
            places=pool.places,
            places_left=left,
            selection=programme.selection,
            fee_basis=programme.fee_basis,
            fee_fen=programme.fee_fen,
            fee_clause=programme.fee_clause,
            complaint_phone=plan.complaint_phone,
            opens_at=window.opens_at,
            closes_at=window.closes_at,
            status=ProgrammeStatus.CLOSED if is_over else window.status(self._clock.now()),
            enrolment_id=str(own.id) if own else None,
            enrolment_state=own.state if own else None,
        )
