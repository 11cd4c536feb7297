"""What a family is told before it signs up, and while it has a sign-up: its children, the courses, its own lines."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from bot.identity import Actor
from bot.rights import Action, require
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.views import ChildView
from handlers.after_school.domain.offers import ProgrammeStatus
from handlers.after_school.domain.plans import FeePayer
from handlers.after_school.models import AfterSchoolPlan, AfterSchoolProgramme
from handlers.after_school.service.showing import ShowingService
from handlers.after_school.service.views import EnrolmentView, ProgrammeView
from handlers.consent.domain.register import ItemName
from handlers.consent.service.consents import ConsentService


@dataclass(frozen=True, slots=True)
class Course:
    """A programme with what else is told before one signs up. `teacher` "": not settled yet."""

    view: ProgrammeView
    teacher: str
    is_paid_by_family: bool


@dataclass(frozen=True, slots=True)
class OwnLine:
    """A sign-up that is alive, and whose it is."""

    child: str
    enrolment: EnrolmentView


class FamilyService:
    """Reads for the chat of families."""

    def __init__(
        self, people: PeopleService, consents: ConsentService, audiences: AccountsAudiences, showing: ShowingService
    ) -> None:
        self._people = people
        self._consents = consents
        self._audiences = audiences
        self._showing = showing

    async def children(self, actor: Actor) -> list[ChildView]:
        """The guardian's children who are at school, in the order of their names. Raises NotPermitted."""
        reach = require(actor, Action.SERVICE_SIGN_UP)
        found = await self._people.children_known(reach.children)
        at_school = [child for child in found.values() if child.is_enrolled and child.grade is not None]
        return sorted(at_school, key=lambda child: (child.name, child.id))

    async def without_consent(self, children: Collection[ChildView]) -> list[ChildView]:
        """Those whose family has not agreed to their data being used for signing up online."""
        agreed = await self._consents.allowed({child.id for child in children}, ItemName.CHILD_SIGN_UP)
        return [child for child in children if child.id not in agreed]

    async def programmes(self, actor: Actor, child_id: str) -> list[ProgrammeView]:
        """All that the child's grade is offered, whether one may sign up now or not. Raises NotFound."""
        return await self._showing.programmes(actor, child_id)

    async def open_to(self, actor: Actor, child_id: str) -> list[ProgrammeView]:
        """What the child can be signed up for now. Raises NotFound."""
        shown = await self._showing.programmes(actor, child_id)
        return [each for each in shown if each.status is ProgrammeStatus.OPEN and each.enrolment_id is None]

    async def courses(self, programmes: Sequence[ProgrammeView]) -> list[Course]:
        """With what else is told of them."""
        ids = [UUID(each.id) for each in programmes]
        rows = {str(row.id): row for row in await AfterSchoolProgramme.filter(id__in=ids)}
        names = await self._audiences.names({str(row.teacher_id) for row in rows.values() if row.teacher_id})
        return [
            Course(
                each,
                names.get(str(rows[each.id].teacher_id), ""),
                rows[each.id].fee_payer is FeePayer.FAMILY,
            )
            for each in programmes
            if each.id in rows
        ]

    async def first_day_of(self, plan_id: str) -> str:
        """From when on there are lessons, as ISO 8601."""
        return (await AfterSchoolPlan.get(id=UUID(plan_id))).first_day.isoformat()

    async def own(self, actor: Actor) -> list[OwnLine]:
        """The sign-ups of the guardian's children, those that wait for an answer first."""
        names = {child.id: child.name for child in await self.children(actor)}
        lines = [OwnLine(names.get(each.child_id, ""), each) for each in await self._showing.enrolments(actor)]
        return sorted(lines, key=lambda line: (line.enrolment.offered_until is None, line.child))
