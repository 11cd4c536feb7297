"""Classes by hand: made, renamed, closed."""

from __future__ import annotations

from typing import Final

from bot.clock import Clock, local_date
from bot.errors import Conflict, InvalidInput
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.accounts.admin import words
from handlers.accounts.admin.bindings import read_day
from handlers.accounts.admin.classes import CLASSES
from handlers.accounts.domain import (
    HIGHEST_CLASS_NUMBER,
    HIGHEST_GRADE,
    LOWEST_GRADE,
    class_name,
    grade_name,
    school_year_of,
)
from handlers.accounts.service.rows import AlreadyThere
from handlers.accounts.service.structure import StructureService

NEW: Final = f"{CLASSES}/new"
_EDIT: Final = CLASSES + "/{class_id}/edit"
_CLOSE: Final = CLASSES + "/{class_id}/close"
_GRADES: Final = [(str(grade), grade_name(grade)) for grade in range(LOWEST_GRADE, HIGHEST_GRADE + 1)]


class RoomPages:
    """The handlers."""

    def __init__(self, structure: StructureService, clock: Clock) -> None:
        self._structure = structure
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them; to be listed before the page of one class, whose address takes any word."""
        edit = Action.CLASS_EDIT
        return (
            AdminRoute(method="GET", path=NEW, action=edit, handle=self.new_form),
            AdminRoute(method="POST", path=NEW, action=edit, handle=self.new),
            AdminRoute(method="GET", path=_EDIT, action=edit, handle=self.edit_form),
            AdminRoute(method="POST", path=_EDIT, action=edit, handle=self.edit),
            AdminRoute(method="GET", path=_CLOSE, action=edit, handle=self.close_form),
            AdminRoute(method="POST", path=_CLOSE, action=edit, handle=self.close),
        )

    # ------------------------------------------------------------------------------------------------------------- new
    async def new_form(self, call: AdminCall) -> AdminAnswer:
        """At which school, in which year, which class."""
        return await self._new_page(call)

    async def _new_page(self, call: AdminCall, *, fault: str = "", effects: tuple[str, ...] = ()) -> Page:
        now = self._year()
        given = {"year": str(now), "number": "1", "school": call.query.get("school", ""), "grade": ""}
        given = {name: call.form.get(name, usual) for name, usual in given.items()}
        schools = [(school.id, school.name) for school in await self._structure.schools(call.actor)]
        values = {
            "given": given,
            "schools": schools,
            "years": [(str(year), f"{year}—{year + 1}学年") for year in (now, now + 1)],
            "grades": _GRADES,
            "fault": fault,
            "effects": effects,
        }
        return Page("accounts/class_new.html", values, 422 if fault else 200)

    async def new(self, call: AdminCall) -> AdminAnswer:
        """First what it will do, then the deed."""
        try:
            grade, number = read_class(call)
            year = self._read_year(call)
            schools = {school.id: school.name for school in await self._structure.schools(call.actor)}
            school = call.form.get("school", "")
            if school not in schools:
                raise InvalidInput(words.NO_PLACE["school"])
            rows = await self._structure.classes(call.actor, year, school_id=school)
            if any((row.grade, row.number) == (grade, number) for row in rows):
                raise AlreadyThere(words.CLASS_THERE)
            if call.form.get("sure") != "yes":
                name = f"{schools[school]}{class_name(grade, number)}"
                return await self._new_page(call, effects=words.class_made(name, year))
            class_id = await self._structure.create_class(call.actor, school, year, grade, number)
        except (InvalidInput, Conflict) as fault:
            return await self._new_page(call, fault=fault.message)
        return WayOn(f"{CLASSES}/{class_id}", words.CLASS_MADE)

    # -------------------------------------------------------------------------------------------------------- renaming
    async def edit_form(self, call: AdminCall) -> AdminAnswer:
        """Another grade or number."""
        return await self._edit_page(call)

    async def _edit_page(self, call: AdminCall, *, fault: str = "", is_sure: bool = False) -> Page:
        room, touched = await self._structure.editable_class(call.actor, call.id("class_id"))
        given = {
            "grade": call.form.get("grade", str(room.grade)),
            "number": call.form.get("number", str(room.number)),
        }
        effects = words.class_renamed(room.name, class_name(*read_class(call)), touched) if is_sure else ()
        values = {"room": room, "given": given, "grades": _GRADES, "fault": fault, "effects": effects}
        return Page("accounts/class_edit.html", values, 422 if fault else 200)

    async def edit(self, call: AdminCall) -> AdminAnswer:
        """First what it will do, then the deed."""
        room, _ = await self._structure.editable_class(call.actor, call.id("class_id"))
        try:
            grade, number = read_class(call)
            if call.form.get("sure") != "yes":
                return await self._edit_page(call, is_sure=True)
            await self._structure.rename_class(call.actor, room.id, grade, number)
        except (InvalidInput, Conflict) as fault:
            return await self._edit_page(call, fault=fault.message)
        return WayOn(f"{CLASSES}/{room.id}", words.CLASS_KEPT)

    # --------------------------------------------------------------------------------------------------------- closing
    async def close_form(self, call: AdminCall) -> AdminAnswer:
        """What closing a class would do."""
        return await self._close_page(call)

    async def _close_page(self, call: AdminCall, fault: str = "") -> Page:
        room, touched = await self._structure.editable_class(call.actor, call.id("class_id"))
        name = f"{room.school}{room.name}"
        effects = [words.CLOSE_CHARGES.format(count=touched.charges)]
        effects.append(words.CLOSE_FRESH if touched.is_fresh else words.CLOSE_HISTORY)
        if touched.pupils and not fault:
            fault = words.CLOSE_PUPILS.format(count=touched.pupils)
        values = {
            "title": words.CLOSE_TITLE.format(name=name),
            "trail": [(CLASSES, "班级"), (f"{CLASSES}/{room.id}", name)],
            "effects": effects,
            "path": f"{CLASSES}/{room.id}/close",
            "fields": {},
            "day": call.form.get("day", local_date(self._clock.now()).isoformat()),
            "words": "确认关闭",
            "back": f"{CLASSES}/{room.id}",
            "can": not touched.pupils,
            "fault": fault,
        }
        return Page("accounts/sure.html", values, 409 if fault and call.form else 200)

    async def close(self, call: AdminCall) -> AdminAnswer:
        """The class is closed."""
        room, _ = await self._structure.editable_class(call.actor, call.id("class_id"))
        try:
            await self._structure.close_class(call.actor, room.id, read_day(call.form.get("day", "")))
        except (Conflict, InvalidInput) as fault:
            return await self._close_page(call, fault.message)
        return WayOn(CLASSES, words.CLASS_CLOSED)

    def _read_year(self, call: AdminCall) -> int:
        now, said = self._year(), call.form.get("year", "")
        if said not in {str(now), str(now + 1)}:
            raise InvalidInput(words.NO_YEAR)
        return int(said)

    def _year(self) -> int:
        return school_year_of(local_date(self._clock.now()))


def read_class(call: AdminCall) -> tuple[int, int]:
    """Grade and number out of a form. Raises InvalidInput."""
    grade, number = call.form.get("grade", ""), call.form.get("number", "").strip()
    if grade not in dict(_GRADES):
        raise InvalidInput(words.NO_GRADE)
    if not (number.isascii() and number.isdecimal() and len(number) < 3 and 1 <= int(number) <= HIGHEST_CLASS_NUMBER):
        raise InvalidInput(words.NO_NUMBER)
    return int(grade), int(number)
