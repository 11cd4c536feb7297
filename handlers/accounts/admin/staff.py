"""The staff and what they are charged with: appointing, ending, handing over a class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Final, Literal
from uuid import UUID

from bot.clock import Clock, local_date
from bot.errors import AppError, Conflict, InvalidInput
from bot.rights import Action, may
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from bot.web.tables import Sheet, TableView, download_of
from handlers.accounts.admin import words
from handlers.accounts.admin.bindings import read_day
from handlers.accounts.admin.pupils import every
from handlers.accounts.domain import APPOINTMENT_WORDS, PLACE_OF_APPOINTMENT, AppointmentKind, PlaceKind
from handlers.accounts.service.appointments import LEADING, AppointmentService
from handlers.accounts.service.exports import ExportService
from handlers.accounts.service.invitations import InvitationService
from handlers.accounts.service.people import LARGEST_PAGE, PeopleService, StaffFilter
from handlers.accounts.service.structure import StructureService
from handlers.accounts.service.values import AppointmentValues, PersonValues
from handlers.accounts.service.views import PageOf, StaffView

STAFF: Final = "/staff"
_HAND_OVER: Final = "/classes/{class_id}/handover"
RECEIPTS: Final = "/handovers"
_SORTS: Final[Mapping[str, Literal["school", "name", "kind", "since"]]] = {
    "school": "school", "name": "name", "kind": "kind", "since": "since",
}  # fmt: skip
_GIVEN: Final = ("person", "name", "phone", "kind", "class", "school", "subject", "since", "until")


class StaffPages:
    """The handlers."""

    def __init__(
        self,
        people: PeopleService,
        structure: StructureService,
        appointments: AppointmentService,
        invitations: InvitationService,
        *,
        exports: ExportService,
        clock: Clock,
    ) -> None:
        self._people = people
        self._structure = structure
        self._appointments = appointments
        self._invitations = invitations
        self._exports = exports
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        view, edit, hand = Action.STAFF_VIEW, Action.STAFF_EDIT, Action.CLASS_HANDOVER
        return (
            AdminRoute(method="GET", path=STAFF, action=view, handle=self.staff, menu="教职工"),
            AdminRoute(method="GET", path=f"{STAFF}/appoint", action=edit, handle=self.appoint_form),
            AdminRoute(method="POST", path=f"{STAFF}/appoint", action=edit, handle=self.appoint),
            AdminRoute(method="GET", path=STAFF + "/{person}", action=view, handle=self.one),
            # Who sees the page: revealing and inviting reach families of a class too, and those are not on it.
            AdminRoute(method="POST", path=STAFF + "/{person}/reveal", action=view, handle=self.reveal),
            AdminRoute(method="POST", path=STAFF + "/{person}/end", action=edit, handle=self.end),
            AdminRoute(method="POST", path=STAFF + "/{person}/invite", action=edit, handle=self.invite),
            AdminRoute(method="GET", path=_HAND_OVER, action=hand, handle=self.hand_over_form),
            AdminRoute(method="POST", path=_HAND_OVER, action=hand, handle=self.hand_over),
            AdminRoute(method="GET", path=RECEIPTS, action=hand, handle=self.receipts),
            AdminRoute(method="POST", path=f"{RECEIPTS}/accept", action=hand, handle=self.accept),
        )

    # ------------------------------------------------------------------------------------------------------------ list
    async def staff(self, call: AdminCall) -> AdminAnswer:
        """Who is charged with what today."""
        view = TableView.of(call, STAFF, filters=("name", "school", "kind"), sorts=tuple(_SORTS))
        schools = [(each.id, each.name) for each in await self._structure.schools(call.actor)]
        kinds = {each.value for each in AppointmentKind}
        kind = AppointmentKind(view.filters["kind"]) if view.filters.get("kind") in kinds else None
        wanted = StaffFilter(
            name=view.filters.get("name", ""),
            school_id=view.filters.get("school"),
            kind=kind,
            order=_SORTS[view.sort],
            is_descending=view.is_descending,
        )
        can_export = may(call.actor, Action.ROSTER_EXPORT)
        if view.wants_export and can_export:
            rows = await every(lambda cursor: self._people.staff(call.actor, _paged(wanted, cursor, LARGEST_PAGE)))
            right = Action.ROSTER_EXPORT
            await self._exports.note(call.actor, right, "staff", school_id=wanted.school_id, filters=view.filters)
            return await download_of(self._sheet(call, view, rows, dict(schools)))
        fault = ""
        page: PageOf[StaffView] = PageOf([], 0)
        try:
            page = await self._people.staff(call.actor, _paged(wanted, str(view.offset or ""), view.size))
        except InvalidInput as wrong:
            fault = wrong.message
        values = {"view": view, "schools": schools, "kinds": APPOINTMENT_WORDS, "page": page, "fault": fault}
        return Page("accounts/staff.html", {**values, "can_export": can_export})

    def _sheet(self, call: AdminCall, view: TableView, rows: list[StaffView], schools: dict[str, str]) -> Sheet:
        chosen = view.filters
        kind = next((said for each, said in APPOINTMENT_WORDS.items() if each.value == chosen.get("kind")), "")
        parts = {"姓名含": chosen.get("name", ""), "学校": schools.get(chosen.get("school", ""), ""), "职务": kind}
        cells = [
            (row.name, row.kind_name, row.school, row.class_name, row.subject, row.phone, row.since, row.until)
            for row in rows
        ]
        return Sheet(
            title="教职工",
            head=words.STAFF_HEAD,
            rows=cells,
            filters=[f"{title}：{said}" for title, said in parts.items() if said],
            exporter=call.actor.name or "",
            at=self._clock.now(),
        )

    # ------------------------------------------------------------------------------------------------------ one person
    async def one(self, call: AdminCall) -> AdminAnswer:
        """One person and all their charges."""
        return await self._person(call)

    async def _person(self, call: AdminCall, *, ending: str = "", phone: str = "", fault: str = "") -> Page:
        rows = await self._appointments.charges(call.actor, call.id("person"))
        today = local_date(self._clock.now())
        values = {
            "rows": rows,
            "person": rows[0],
            "today": today,
            "ending": next((row for row in rows if row.appointment_id == ending), None),
            "until": call.form.get("until", today.isoformat()),
            "phone": phone,
            "fault": fault,
        }
        return Page("accounts/person.html", values, 422 if fault else 200)

    async def reveal(self, call: AdminCall) -> AdminAnswer:
        """The phone in clear. That it was shown is written down."""
        phone = await self._people.reveal(call.actor, "person", call.id("person"), "phone")
        return await self._person(call, phone=phone or words.NOT_FILLED)

    async def end(self, call: AdminCall) -> AdminAnswer:
        """First what it will do, then the deed."""
        appointment = call.form_id("id")
        if call.form.get("sure") != "yes":
            return await self._person(call, ending=appointment)
        try:
            await self._appointments.end(call.actor, appointment, read_day(call.form.get("until", "")))
        except (InvalidInput, Conflict) as fault:
            return await self._person(call, ending=appointment, fault=fault.message)
        return WayOn(f"{STAFF}/{call.id('person')}", words.ENDED)

    async def invite(self, call: AdminCall) -> AdminAnswer:
        """A slip by which somebody on the staff binds their WeChat."""
        slips = await self._invitations.issue_to_staff(call.actor, [call.id("person")])
        values = {"slips": slips, "title": "教职工邀请码", "back": f"{STAFF}/{call.id('person')}", "is_staff": True}
        return Page("accounts/slips.html", values)

    # ------------------------------------------------------------------------------------------------------ appointing
    async def appoint_form(self, call: AdminCall) -> AdminAnswer:
        """Whom, as what, where, from when."""
        return await self._appoint_page(call)

    async def _appoint_page(self, call: AdminCall, *, fault: str = "", is_sure: bool = False) -> Page:
        given = {name: call.form.get(name, call.query.get(name, "")) for name in _GIVEN}
        given["since"] = given["since"] or local_date(self._clock.now()).isoformat()
        classes = await self._structure.classes(call.actor)
        schools = await self._structure.schools(call.actor)
        can_lead = may(call.actor, Action.LEADER_APPOINT)
        kinds = [(kind.value, said) for kind, said in APPOINTMENT_WORDS.items() if can_lead or kind not in LEADING]
        person = None
        if given["person"]:
            person = (await self._appointments.charges(call.actor, given["person"]))[0]
        values = {
            "given": given,
            "classes": [(room.id, f"{room.school}{room.name}") for room in classes],
            "schools": [(school.id, school.name) for school in schools],
            "kinds": kinds,
            "person": person,
            "fault": fault,
            "is_sure": is_sure,
        }
        return Page("accounts/appoint.html", values, 422 if fault else 200)

    async def appoint(self, call: AdminCall) -> AdminAnswer:
        """First what it will do, then the deed."""
        try:
            values, person = await self._appointment_of(call)
            if call.form.get("sure") != "yes":
                return await self._appoint_page(call, is_sure=True)
            await self._appointments.appoint(call.actor, values, person)
        except (InvalidInput, Conflict) as fault:
            return await self._appoint_page(call, fault=fault.message)
        return WayOn(STAFF, words.APPOINTED)

    async def _appointment_of(self, call: AdminCall) -> tuple[AppointmentValues, PersonValues | None]:
        form = call.form
        kinds = {each.value: each for each in AppointmentKind}
        kind = kinds.get(form.get("kind", ""))
        if kind is None:
            raise InvalidInput(words.NO_KIND)
        place = PLACE_OF_APPOINTMENT[kind]
        towns = await self._structure.townships(call.actor) if place is PlaceKind.TOWNSHIP else []
        known = form.get("person", "")
        if not known and not form.get("name", "").strip():
            raise InvalidInput(words.NO_NAME)
        if place is not PlaceKind.TOWNSHIP and not form.get(place.value):
            raise InvalidInput(words.NO_PLACE[place.value])
        values = AppointmentValues(
            person_id=UUID(call.form_id("person")) if known else UUID(int=0),
            kind=kind,
            since=read_day(form.get("since", "")),
            until=read_day(form["until"]) if form.get("until") else None,
            township_id=UUID(towns[0][0]) if towns else None,
            school_id=UUID(call.form_id("school")) if place is PlaceKind.SCHOOL else None,
            class_id=UUID(call.form_id("class")) if place is PlaceKind.CLASS else None,
            subject=form.get("subject", "").strip()[:32] if kind is AppointmentKind.SUBJECT_TEACHER else "",
        )
        return values, None if known else PersonValues(name=form["name"], phone=form.get("phone", "").strip() or None)

    # ------------------------------------------------------------------------------------------------------- hand-over
    async def hand_over_form(self, call: AdminCall) -> AdminAnswer:
        """To whom a class passes, and what passes with it."""
        return await self._hand_over_page(call)

    async def _hand_over_page(self, call: AdminCall, fault: AppError | None = None, *, is_sure: bool = False) -> Page:
        class_id = call.id("class_id")
        room = await self._structure.class_of(call.actor, class_id)
        people = await self._successors(call, room.school_id, class_id)
        people.pop(room.head_teacher_id or "", None)
        to, today = call.form.get("to", ""), local_date(self._clock.now())
        values = {
            "room": room,
            "people": list(people.items()),
            "to": to,
            "to_name": people.get(to, ""),
            "on": call.form.get("on", today.isoformat()),
            "duties": await self._people.open_duties(call.actor, class_id),
            "history": await self._appointments.history(call.actor, class_id),
            "fault": fault.message if fault else "",
            "is_sure": is_sure and to in people,
        }
        return Page("accounts/handover.html", values, 422 if fault else 200)

    async def _successors(self, call: AdminCall, school_id: str, class_id: str) -> dict[str, str]:
        """Who may take the class: the staff of the school, for a head teacher those of the class."""
        if may(call.actor, Action.STAFF_VIEW):
            wanted = StaffFilter(school_id=school_id)
            rows = await every(lambda cursor: self._people.staff(call.actor, _paged(wanted, cursor, LARGEST_PAGE)))
        else:
            rows = await self._people.staff_of_class(class_id)
        return {row.person_id: row.name for row in rows}

    async def hand_over(self, call: AdminCall) -> AdminAnswer:
        """First what it will do, then the deed."""
        if call.form.get("sure") != "yes":
            return await self._hand_over_page(call, is_sure=True)
        try:
            on: date = read_day(call.form.get("on", ""))
            await self._appointments.hand_over(call.actor, call.id("class_id"), call.form_id("to"), on)
        except (InvalidInput, Conflict) as fault:
            return await self._hand_over_page(call, fault)
        return WayOn("/classes", words.HANDED_OVER)

    async def receipts(self, call: AdminCall) -> AdminAnswer:
        """The classes somebody has yet to sign for."""
        return Page("accounts/receipts.html", {"rows": await self._appointments.waiting(call.actor)})

    async def accept(self, call: AdminCall) -> AdminAnswer:
        """Signs for a class."""
        await self._appointments.accept(call.actor, call.form_id("id"))
        return WayOn(RECEIPTS, words.ACCEPTED)


def _paged(wanted: StaffFilter, cursor: str | None, size: int) -> StaffFilter:
    return replace(wanted, cursor=cursor or None, limit=size)
