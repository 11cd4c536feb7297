"""The township's name, and its schools and teaching points: made, renamed, closed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from bot.clock import Clock, local_date
from bot.errors import Conflict, InvalidInput
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.accounts.admin import words
from handlers.accounts.admin.bindings import read_day
from handlers.accounts.domain import SchoolKind
from handlers.accounts.service.closing import Touched
from handlers.accounts.service.structure import StructureService
from handlers.accounts.service.values import SchoolValues
from handlers.accounts.service.views import SchoolView

SCHOOLS: Final = "/schools"
_ONE: Final = "/schools/{school}"
_TOWN: Final = "/townships/{township}"
_GIVEN: Final = ("name", "kind", "parent", "place", "township")
_LONGEST_PLACE: Final = 64


class PlacePages:
    """The handlers."""

    def __init__(self, structure: StructureService, clock: Clock) -> None:
        self._structure = structure
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        edit = Action.SCHOOL_EDIT
        return (
            AdminRoute(method="GET", path=SCHOOLS, action=edit, handle=self.schools, menu="学校"),
            AdminRoute(method="GET", path=f"{SCHOOLS}/new", action=edit, handle=self.new_form),
            AdminRoute(method="POST", path=f"{SCHOOLS}/new", action=edit, handle=self.new),
            AdminRoute(method="GET", path=_ONE, action=edit, handle=self.school_form),
            AdminRoute(method="POST", path=_ONE, action=edit, handle=self.school),
            AdminRoute(method="GET", path=f"{_ONE}/close", action=edit, handle=self.close_form),
            AdminRoute(method="POST", path=f"{_ONE}/close", action=edit, handle=self.close),
            AdminRoute(method="GET", path=_TOWN, action=edit, handle=self.town_form),
            AdminRoute(method="POST", path=_TOWN, action=edit, handle=self.town),
        )

    # ------------------------------------------------------------------------------------------------------------ list
    async def schools(self, call: AdminCall) -> AdminAnswer:
        """All schools, each followed by its teaching points; closed ones last."""
        rows = await self._structure.schools(call.actor, closed=True)
        values = {
            "rows": _by_parent(rows),
            "names": {row.id: row.name for row in rows},
            "kinds": words.KINDS,
            "towns": await self._structure.townships(call.actor),
        }
        return Page("accounts/schools.html", values)

    # ------------------------------------------------------------------------------------------------------ one school
    async def new_form(self, call: AdminCall) -> AdminAnswer:
        """What a new school is called, and what it is."""
        return await self._school_page(call, None)

    async def new(self, call: AdminCall) -> AdminAnswer:
        """First what it will do, then the deed."""
        return await self._put(call, None)

    async def school_form(self, call: AdminCall) -> AdminAnswer:
        """One school, to be changed or closed."""
        school, touched = await self._structure.school_of(call.actor, call.id("school"))
        return await self._school_page(call, school, touched=touched)

    async def school(self, call: AdminCall) -> AdminAnswer:
        """First what it will do, then the deed."""
        school, _ = await self._structure.school_of(call.actor, call.id("school"))
        return await self._put(call, school)

    async def _put(self, call: AdminCall, school: SchoolView | None) -> AdminAnswer:
        touched = (await self._structure.school_of(call.actor, school.id))[1] if school else None
        try:
            values = await self._values(call, school)
            if call.form.get("sure") != "yes":
                return await self._school_page(call, school, touched=touched, is_sure=True)
            await self._structure.put_school(call.actor, values, is_new=school is None)
        except (InvalidInput, Conflict) as fault:
            return await self._school_page(call, school, touched=touched, fault=fault.message)
        return WayOn(SCHOOLS, words.SCHOOL_KEPT if school else words.SCHOOL_MADE)

    async def _values(self, call: AdminCall, school: SchoolView | None) -> SchoolValues:
        form = call.form
        kinds = {each.value: each for each in SchoolKind}
        kind = kinds.get(form.get("kind", ""))
        if kind is None:
            raise InvalidInput(words.NO_SCHOOL_KIND)
        if not form.get("name", "").strip():
            raise InvalidInput(words.NO_SCHOOL_NAME)
        is_point = kind is SchoolKind.TEACHING_POINT
        if is_point and not form.get("parent"):
            raise InvalidInput(words.NO_PARENT)
        towns = await self._structure.townships(call.actor)
        chosen = school.township_id if school else form.get("township") or (towns[0][0] if len(towns) == 1 else "")
        if chosen not in dict(towns):
            raise InvalidInput(words.NO_TOWNSHIP)
        return SchoolValues(
            id=UUID(school.id) if school else None,
            township_id=UUID(chosen),
            name=form["name"],
            kind=kind,
            parent_id=UUID(call.form_id("parent")) if is_point else None,
            place=form.get("place", "").strip()[:_LONGEST_PLACE],
            cleared=frozenset() if is_point else frozenset({"parent_id"}),
        )

    async def _school_page(
        self,
        call: AdminCall,
        school: SchoolView | None,
        *,
        touched: Touched | None = None,
        fault: str = "",
        is_sure: bool = False,
    ) -> Page:
        known = _given_of(school) if school else {}
        given = {name: call.form.get(name, known.get(name, "")) for name in _GIVEN}
        own = school.id if school else ""
        schools = await self._structure.schools(call.actor)
        values = {
            "school": school,
            "touched": touched,
            "given": given,
            "kinds": [(kind.value, said) for kind, said in words.KINDS.items()],
            "parents": [(row.id, row.name) for row in schools if row.parent_id is None and row.id != own],
            "towns": await self._structure.townships(call.actor),
            "path": f"{SCHOOLS}/{own or 'new'}",
            "fault": fault,
            "is_sure": is_sure,
        }
        return Page("accounts/school.html", values, 422 if fault else 200)

    # --------------------------------------------------------------------------------------------------------- closing
    async def close_form(self, call: AdminCall) -> AdminAnswer:
        """What closing a school would do."""
        return await self._close_page(call)

    async def _close_page(self, call: AdminCall, fault: str = "") -> Page:
        school, touched = await self._structure.school_of(call.actor, call.id("school"))
        effects = [words.CLOSE_SCHOOL.format(name=school.name), words.CLOSE_CHARGES.format(count=touched.charges)]
        if touched.points:
            effects.append(words.CLOSE_POINTS.format(count=touched.points))
        if touched.pupils and not fault:
            fault = words.CLOSE_PUPILS.format(count=touched.pupils)
        values = {
            "title": words.CLOSE_TITLE.format(name=school.name),
            "trail": [(SCHOOLS, "学校"), (f"{SCHOOLS}/{school.id}", school.name)],
            "effects": effects,
            "path": f"{SCHOOLS}/{school.id}/close",
            "fields": {},
            "day": call.form.get("day", local_date(self._clock.now()).isoformat()),
            "words": "确认关闭",
            "back": f"{SCHOOLS}/{school.id}",
            "can": not touched.pupils,
            "fault": fault,
        }
        return Page("accounts/sure.html", values, 409 if fault and call.form else 200)

    async def close(self, call: AdminCall) -> AdminAnswer:
        """The school is closed."""
        school, _ = await self._structure.school_of(call.actor, call.id("school"))
        try:
            await self._structure.close_school(call.actor, school.id, read_day(call.form.get("day", "")))
        except (Conflict, InvalidInput) as fault:
            return await self._close_page(call, fault.message)
        return WayOn(SCHOOLS, words.SCHOOL_CLOSED)

    # -------------------------------------------------------------------------------------------------------- township
    async def town_form(self, call: AdminCall) -> AdminAnswer:
        """What the township is called."""
        return await self._town_page(call)

    async def _town_page(self, call: AdminCall, *, fault: str = "", is_sure: bool = False) -> Page:
        town = await self._structure.township_of(call.actor, call.id("township"))
        known = {"name": town.name, "county": town.county, "province": town.province}
        given = {name: call.form.get(name, was) for name, was in known.items()}
        values = {"town": town, "given": given, "fault": fault, "is_sure": is_sure}
        return Page("accounts/township.html", values, 422 if fault else 200)

    async def town(self, call: AdminCall) -> AdminAnswer:
        """First what it will do, then the deed."""
        town = await self._structure.township_of(call.actor, call.id("township"))
        if call.form.get("sure") != "yes":
            is_named = bool(call.form.get("name", "").strip())
            return await self._town_page(call, fault="" if is_named else words.NO_TOWN_NAME, is_sure=is_named)
        name, county, province = (call.form.get(each, "")[:64] for each in ("name", "county", "province"))
        try:
            await self._structure.rename_township(call.actor, town.id, name, county, province)
        except (Conflict, InvalidInput) as fault:
            return await self._town_page(call, fault=fault.message)
        return WayOn(SCHOOLS, words.TOWN_KEPT)


def _given_of(school: SchoolView) -> dict[str, str]:
    return {
        "name": school.name,
        "kind": school.kind.value,
        "parent": school.parent_id or "",
        "place": school.place,
        "township": school.township_id,
    }


def _by_parent(rows: Sequence[SchoolView]) -> list[SchoolView]:
    names = {row.id: row.name for row in rows}

    def rank(row: SchoolView) -> tuple[bool, str, bool, str]:
        return (
            row.closed_on is not None,
            names.get(row.parent_id or "", row.name),
            row.parent_id is not None,
            row.name,
        )

    return sorted(rows, key=rank)
