"""Pupils by hand: enrolled, corrected, let go. What two people change at once is shown to the second, nothing lost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final
from uuid import UUID

from bot.clock import Clock, local_date
from bot.errors import Conflict, InvalidInput
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.accounts.admin import words
from handlers.accounts.admin.bindings import read_day
from handlers.accounts.admin.pupils import PUPILS
from handlers.accounts.service.editing import EditingService
from handlers.accounts.service.people import LARGEST_PAGE, PeopleService, PupilFilter
from handlers.accounts.service.rows import ChangedMeanwhile
from handlers.accounts.service.structure import StructureService
from handlers.accounts.service.values import PupilValues
from handlers.accounts.service.views import PupilCard

NEW: Final = f"{PUPILS}/new"
_EDIT: Final = PUPILS + "/{pupil}/edit"
_LEAVE: Final = PUPILS + "/{pupil}/leave"
_NUMBERS: Final = ("birth_date", "roster_number", "id_number")
_GIVEN: Final = ("name", "sex", "class", "on", *_NUMBERS)


class EditingPages:
    """The handlers."""

    def __init__(
        self, people: PeopleService, structure: StructureService, editing: EditingService, clock: Clock
    ) -> None:
        self._people = people
        self._structure = structure
        self._editing = editing
        self._clock = clock

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them; to be listed before the card of one pupil, whose address takes any word."""
        edit = Action.PUPIL_EDIT
        return (
            AdminRoute(method="GET", path=NEW, action=edit, handle=self.new_form),
            AdminRoute(method="POST", path=NEW, action=edit, handle=self.new),
            AdminRoute(method="GET", path=_EDIT, action=edit, handle=self.edit_form),
            AdminRoute(method="POST", path=_EDIT, action=edit, handle=self.edit),
            AdminRoute(method="GET", path=_LEAVE, action=edit, handle=self.leave_form),
            AdminRoute(method="POST", path=_LEAVE, action=edit, handle=self.leave),
        )

    # ------------------------------------------------------------------------------------------------------- enrolling
    async def new_form(self, call: AdminCall) -> AdminAnswer:
        """Who comes into which class."""
        return await self._new_page(call)

    async def _new_page(self, call: AdminCall, fault: str = "", status: int = 200, same: int = 0) -> Page:
        given = {name: call.form.get(name, call.query.get(name, "")) for name in _GIVEN}
        given["on"] = given["on"] or self._today().isoformat()
        rooms = await self._structure.classes(call.actor)
        options = [(room.id, f"{room.school}{room.name}") for room in rooms]
        values = {"given": given, "classes": options, "sexes": words.SEX_CHOICES, "fault": fault, "same": same}
        return Page("accounts/pupil_new.html", values, status)

    async def new(self, call: AdminCall) -> AdminAnswer:
        """A child of the same name in the class makes us ask once more."""
        try:
            if not call.form.get("class"):
                raise InvalidInput(words.NO_PLACE["class"])
            values = self._values(call, on=read_day(call.form.get("on", "")), class_id=UUID(call.form_id("class")))
            if values.name is None:
                raise InvalidInput(words.NO_PUPIL_NAME)
            same = await self._of_that_name(call, values.name)
            if same and call.form.get("sure") != "yes":
                return await self._new_page(call, same=same)
            pupil_id = await self._editing.enrol(call.actor, values)
        except InvalidInput as fault:
            return await self._new_page(call, fault.message, 422)
        except Conflict as fault:
            return await self._new_page(call, fault.message, 409)
        return WayOn(f"{PUPILS}/{pupil_id}", words.ENROLLED)

    async def _of_that_name(self, call: AdminCall, name: str) -> int:
        wanted = PupilFilter(class_id=call.form_id("class"), order="name", limit=LARGEST_PAGE)
        page = await self._people.pupils(call.actor, wanted)
        return sum(row.name == name for row in page.items)

    # ------------------------------------------------------------------------------------------------------ correcting
    async def edit_form(self, call: AdminCall) -> AdminAnswer:
        """What is kept of a child, to be corrected. Numbers are not shown: what is typed takes their place."""
        return await self._edit_page(call)

    async def _edit_page(self, call: AdminCall, fault: str = "", status: int = 200, *, is_late: bool = False) -> Page:
        card = await self._people.pupil(call.actor, call.id("pupil"))
        given = _merged(card, call.form)
        values = {
            "card": card,
            "given": given,
            "cleared": set(call.lists.get("cleared", ())),
            "version": card.version if is_late or "version" not in call.form else call.form["version"],
            "was": {"name": card.pupil.name, "sex": card.sex},
            "sexes": words.SEX_CHOICES,
            "sex_words": words.SEXES,
            "fault": fault,
            "is_late": is_late,
        }
        return Page("accounts/pupil_edit.html", values, status)

    async def edit(self, call: AdminCall) -> AdminAnswer:
        """What was typed replaces what was kept, unless somebody else was faster: then both are shown."""
        pupil_id = call.id("pupil")
        await self._people.pupil(call.actor, pupil_id)
        try:
            cleared = frozenset(call.lists.get("cleared", ())) & frozenset(_NUMBERS)
            values = self._values(call, on=self._today(), pupil_id=UUID(pupil_id), cleared=cleared)
            await self._editing.edit_pupil(call.actor, values, read_version(call))
        except ChangedMeanwhile:
            return await self._edit_page(call, words.CHANGED_MEANWHILE, 409, is_late=True)
        except InvalidInput as fault:
            return await self._edit_page(call, fault.message, 422)
        except Conflict as fault:
            return await self._edit_page(call, fault.message, 409)
        return WayOn(f"{PUPILS}/{pupil_id}", words.PUPIL_KEPT)

    def _values(
        self,
        call: AdminCall,
        *,
        on: date,
        class_id: UUID | None = None,
        pupil_id: UUID | None = None,
        cleared: frozenset[str] = frozenset(),
    ) -> PupilValues:
        said = {name: call.form.get(name, "").strip() or None for name in _GIVEN}
        birth = read_day(said["birth_date"]) if said["birth_date"] and "birth_date" not in cleared else None
        if birth is not None and birth > self._today():
            raise InvalidInput(words.BIRTH_AHEAD)
        return PupilValues(
            id=pupil_id,
            on=on,
            class_id=class_id,
            name=said["name"],
            sex=said["sex"] if said["sex"] in dict(words.SEX_CHOICES) else None,
            birth_date=birth,
            roster_number=None if "roster_number" in cleared else said["roster_number"],
            id_number=None if "id_number" in cleared else said["id_number"],
            cleared=cleared,
        )

    # --------------------------------------------------------------------------------------------------------- leaving
    async def leave_form(self, call: AdminCall) -> AdminAnswer:
        """What happens when a pupil leaves."""
        return await self._leave_page(call)

    async def _leave_page(self, call: AdminCall, fault: str = "", status: int = 200) -> Page:
        card = await self._people.pupil(call.actor, call.id("pupil"))
        name, own = card.pupil.name, f"{PUPILS}/{card.pupil.id}"
        where = f"{card.pupil.school}{card.pupil.class_name}"
        values = {
            "title": words.LEAVE_TITLE.format(name=name),
            "trail": [(PUPILS, "学生"), (own, name)],
            "effects": [each.format(name=name, where=where) for each in words.LEAVE_EFFECTS],
            "path": f"{own}/leave",
            "fields": {"version": card.version},
            "day": call.form.get("day", self._today().isoformat()),
            "words": "确认离校",
            "back": own,
            "can": card.pupil.class_id is not None,
            "fault": fault,
        }
        return Page("accounts/sure.html", values, status)

    async def leave(self, call: AdminCall) -> AdminAnswer:
        """The pupil leaves the school."""
        pupil_id = call.id("pupil")
        await self._people.pupil(call.actor, pupil_id)
        try:
            day = read_day(call.form.get("day", ""))
            await self._structure.let_go(call.actor, pupil_id, day, version=read_version(call))
        except InvalidInput as fault:
            return await self._leave_page(call, fault.message, 422)
        except Conflict as fault:
            return await self._leave_page(call, fault.message, 409)
        return WayOn(f"{PUPILS}/{pupil_id}", words.LEFT)

    def _today(self) -> date:
        return local_date(self._clock.now())


def read_version(call: AdminCall) -> int:
    """Of what was looked at, as the form carries it; one that is none is older than anything."""
    said = call.form.get("version", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 9 else 0


def _merged(card: PupilCard, form: Mapping[str, str]) -> dict[str, str]:
    """What the fields hold: what was typed, and for what nobody touched what is kept now."""
    now = {"name": card.pupil.name, "sex": card.sex}
    given = {name: form.get(name, "") for name in _GIVEN}
    for name, value in now.items():
        is_touched = name in form and form[name] != form.get(f"was_{name}")
        given[name] = form[name] if is_touched else value
    return given
