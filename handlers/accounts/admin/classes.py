"""Classes: the list, one class, the yearly promotion, and a pupil's change of class."""

from __future__ import annotations

from typing import Final

from bot.clock import Clock, local_date
from bot.errors import Conflict, InvalidInput
from bot.rights import Action, may
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from bot.web.tables import Sheet, TableView, download_of
from handlers.accounts.admin import words
from handlers.accounts.domain import school_year_of
from handlers.accounts.service.exports import ExportService
from handlers.accounts.service.people import PeopleService, PupilFilter
from handlers.accounts.service.structure import StructureService
from handlers.accounts.service.views import ClassView

CLASSES: Final = "/classes"
PROMOTION: Final = "/promotion"
_MOVE: Final = "/pupils/{pupil}/move"
_YEARS_BACK: Final = 6


class ClassPages:
    """The handlers."""

    def __init__(
        self, people: PeopleService, structure: StructureService, exports: ExportService, clock: Clock
    ) -> None:
        self._people = people
        self._exports = exports
        self._structure = structure
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        return (
            AdminRoute(method="GET", path=CLASSES, action=Action.CLASS_VIEW, handle=self.classes, menu="班级"),
            AdminRoute(method="GET", path=CLASSES + "/{class_id}", action=Action.CLASS_VIEW, handle=self.one),
            AdminRoute(method="GET", path=PROMOTION, action=Action.CLASS_PROMOTE, handle=self.promotion, menu="升级"),
            AdminRoute(method="POST", path=PROMOTION, action=Action.CLASS_PROMOTE, handle=self.promote),
            AdminRoute(method="GET", path=_MOVE, action=Action.PUPIL_EDIT, handle=self.move_form),
            AdminRoute(method="POST", path=_MOVE, action=Action.PUPIL_EDIT, handle=self.move),
        )

    # --------------------------------------------------------------------------------------------------------- classes
    async def classes(self, call: AdminCall) -> AdminAnswer:
        """The classes of a school year within reach."""
        view = TableView.of(call, CLASSES, filters=("school", "year"), sorts=("class", "pupils", "head"))
        now_year = self._year()
        years = [(str(year), f"{year}—{year + 1}学年") for year in range(now_year + 1, now_year - _YEARS_BACK, -1)]
        year = view.filters.get("year", "")
        chosen = int(year) if year in dict(years) else now_year
        schools = [(each.id, each.name) for each in await self._structure.schools(call.actor)]
        rows = await self._structure.classes(call.actor, chosen, school_id=view.filters.get("school"))
        rows = _sorted(rows, view)
        if view.wants_export and may(call.actor, Action.ROSTER_EXPORT):
            school = view.filters.get("school")
            right = Action.ROSTER_EXPORT
            await self._exports.note(call.actor, right, "classes", school_id=school, filters=view.filters)
            named = dict(schools).get(view.filters.get("school", ""), "全部")
            sheet = Sheet(
                title="班级",
                head=words.CLASS_HEAD,
                rows=[(row.school, row.name, row.head_teacher, row.pupils) for row in rows],
                filters=[f"学年：{chosen}—{chosen + 1}", f"学校：{named}"],
                exporter=call.actor.name or "",
                at=self._clock.now(),
            )
            return await download_of(sheet)
        shown = rows[view.offset : view.offset + view.size]
        values = {"view": view, "rows": shown, "total": len(rows), "years": years, "year": str(chosen)}
        return Page(
            "accounts/classes.html",
            {**values, "schools": schools, "can_export": may(call.actor, Action.ROSTER_EXPORT)},
        )

    async def one(self, call: AdminCall) -> AdminAnswer:
        """One class: who teaches it, who is in it."""
        room = await self._structure.class_of(call.actor, call.id("class_id"))
        view = TableView.of(call, f"{CLASSES}/{room.id}", sorts=("name",))
        wanted = PupilFilter(
            class_id=room.id,
            order="name",
            is_descending=view.is_descending,
            cursor=str(view.offset or ""),
            limit=view.size,
        )
        pupils = await self._people.pupils(call.actor, wanted) if may(call.actor, Action.PUPIL_VIEW) else None
        values = {"room": room, "view": view, "pupils": pupils, "staff": await self._people.staff_of_class(room.id)}
        return Page("accounts/class.html", values)

    # ------------------------------------------------------------------------------------------------------- promotion
    async def promotion(self, call: AdminCall) -> AdminAnswer:
        """What the promotion of a school would do."""
        return await self._promotion_page(call, call.query.get("school", ""))

    async def _promotion_page(self, call: AdminCall, school_id: str, fault: str = "") -> Page:
        reach = [(each.id, each.name) for each in await self._structure.schools(call.actor)]
        chosen = school_id if school_id in dict(reach) else reach[0][0] if len(reach) == 1 else ""
        to_year = self._promoted_to()
        plan = None
        if chosen:
            try:
                plan = await self._structure.promotion(call.actor, chosen, to_year)
            except Conflict as nothing:
                fault = fault or nothing.message
        values = {"schools": reach, "school": chosen, "plan": plan, "to_year": to_year, "fault": fault}
        return Page("accounts/promotion.html", values, 409 if fault and plan else 200)

    async def promote(self, call: AdminCall) -> AdminAnswer:
        """Does what was looked at, and nothing else."""
        school_id = call.form_id("school")
        try:
            await self._structure.promote(
                call.actor,
                school_id,
                self._promoted_to(),
                fingerprint=call.form.get("fingerprint", ""),
                keep=set(call.lists.get("keep", ())),
            )
        except (Conflict, InvalidInput) as fault:
            return await self._promotion_page(call, school_id, fault.message)
        return WayOn(CLASSES, words.PROMOTED)

    def _promoted_to(self) -> int:
        """From August on the year that begins next month."""
        today = local_date(self._clock.now())
        return today.year if today.month >= 8 else today.year - 1

    def _year(self) -> int:
        return school_year_of(local_date(self._clock.now()))

    # ------------------------------------------------------------------------------------------------ change of class
    async def move_form(self, call: AdminCall) -> AdminAnswer:
        """Which class a pupil goes to."""
        return await self._move_page(call)

    async def _move_page(self, call: AdminCall, fault: str = "", target: ClassView | None = None) -> Page:
        card = await self._people.pupil(call.actor, call.id("pupil"))
        rooms = await self._structure.classes(call.actor, self._year())
        options = [(room.id, f"{room.school}{room.name}") for room in rooms if room.id != card.pupil.class_id]
        values = {"card": card, "options": options, "fault": fault, "target": target}
        return Page("accounts/move.html", values, 422 if fault else 200)

    async def move(self, call: AdminCall) -> AdminAnswer:
        """First what it will do, then the deed."""
        target = await self._structure.class_of(call.actor, call.form_id("class"))
        if call.form.get("sure") != "yes":
            return await self._move_page(call, target=target)
        try:
            await self._structure.move(call.actor, call.id("pupil"), target.id)
        except (Conflict, InvalidInput) as fault:
            return await self._move_page(call, fault.message)
        return WayOn(f"/pupils/{call.id('pupil')}", words.MOVED)


def _sorted(rows: list[ClassView], view: TableView) -> list[ClassView]:
    if view.sort == "pupils":
        rows = sorted(rows, key=lambda row: row.pupils)
    elif view.sort == "head":
        rows = sorted(rows, key=lambda row: row.head_teacher)
    return rows[::-1] if view.is_descending else rows
