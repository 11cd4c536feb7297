"""All pages about people, and what they have waiting for somebody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.capability import Todo
from bot.clock import Clock
from bot.identity import Actor
from bot.rights import Action, may
from bot.web.admin import AdminRoute
from handlers.accounts.admin import words
from handlers.accounts.admin.bindings import BindingPages
from handlers.accounts.admin.classes import ClassPages
from handlers.accounts.admin.editing import EditingPages
from handlers.accounts.admin.guardians import GuardianPages
from handlers.accounts.admin.places import PlacePages
from handlers.accounts.admin.pupils import UNREACHABLE, PupilPages
from handlers.accounts.admin.rooms import RoomPages
from handlers.accounts.admin.staff import RECEIPTS, StaffPages
from handlers.accounts.service.appointments import AppointmentService
from handlers.accounts.service.bars import BarService
from handlers.accounts.service.decisions import DecisionService
from handlers.accounts.service.editing import EditingService
from handlers.accounts.service.exports import ExportService
from handlers.accounts.service.invitations import InvitationService
from handlers.accounts.service.people import PeopleService
from handlers.accounts.service.structure import StructureService


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplePages:
    """The pages over the services of people."""

    people: PeopleService
    structure: StructureService
    appointments: AppointmentService
    invitations: InvitationService
    decisions: DecisionService
    bars: BarService
    editing: EditingService
    exports: ExportService
    clock: Clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them, in the order of the menu."""
        return (
            *PlacePages(self.structure, self.clock).routes(),
            *RoomPages(self.structure, self.clock).routes(),
            *ClassPages(self.people, self.structure, self.exports, self.clock).routes(),
            *EditingPages(self.people, self.structure, self.editing, self.clock).routes(),
            *PupilPages(self.people, self.structure, self.exports, self.clock).routes(),
            *GuardianPages(self.people, self.editing).routes(),
            *self._staff().routes(),
            *BindingPages(self.people, self.structure, self.invitations, self.decisions, self.bars).routes(),
        )

    def _staff(self) -> StaffPages:
        return StaffPages(
            self.people, self.structure, self.appointments, self.invitations, exports=self.exports, clock=self.clock
        )

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """Classes to sign for, and children nobody of whom can be reached. Requests have a source of their own."""
        todos: list[Todo] = []
        if may(actor, Action.CLASS_HANDOVER):
            count = len(await self.appointments.waiting(actor))
            todos.append(Todo(words.TODO_RECEIPT, count, RECEIPTS, is_urgent=True))
        if may(actor, Action.REACH_VIEW):
            count = (await self.people.unreachable(actor, limit=1)).total
            todos.append(Todo(words.TODO_UNREACHABLE, count, UNREACHABLE))
        return [todo for todo in todos if todo.count]
