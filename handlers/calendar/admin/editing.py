"""Pages that change the calendar. Each shows first what would become other, and does it when that was confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.errors import InvalidInput, NotFound
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.calendar import texts
from handlers.calendar.admin.looking import SCHOOL, TOWN, path_of, place_of
from handlers.calendar.admin.reading import effects_of, in_words, read_local, read_seen, read_term, read_week
from handlers.calendar.service.desk import CalendarDesk, Place, PlaceSheet
from handlers.calendar.service.editing import CalendarChanged, CalendarEditing
from handlers.calendar.service.town import Change, PutDays, PutTerm, PutWeek, RemoveDays, RemoveTerm


@dataclass(frozen=True, slots=True)
class Deed:
    """A change that is to be confirmed. `path` begins after the place's own; `fields`: what the form says of it."""

    change: Change
    title: str
    path: str
    fields: Mapping[str, str]
    doubts: list[str] = field(default_factory=list)
    lists: tuple[tuple[str, str], ...] = ()


async def answer(editing: CalendarEditing, call: AdminCall, place: Place, deed: Deed) -> AdminAnswer:
    """What the deed would do, or the way on once it is done. Raises InvalidInput."""
    fault, home = "", path_of(place.owner)
    if call.form.get("sure") == "yes":
        try:
            await editing.save(call.actor, deed.change, read_seen(call))
        except CalendarChanged as error:
            fault = error.message
        else:
            return WayOn(home, texts.SAVED)
    preview = await editing.preview(call.actor, deed.change)
    values = {
        "place": place,
        "home": home,
        "title": deed.title,
        "path": home + deed.path,
        "effects": effects_of(preview, names_schools=place.owner.school_id is None),
        "doubts": deed.doubts,
        "fields": {**deed.fields, "changes": str(preview.changes)},
        "lists": deed.lists,
        "fault": fault,
    }
    return Page("calendar/sure.html", values, 409 if fault else 200)


class EditingPages:
    """The handlers for terms, local days and the week, of a school and of a township alike."""

    def __init__(self, desk: CalendarDesk, editing: CalendarEditing) -> None:
        self._desk = desk
        self._editing = editing

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        return tuple(
            AdminRoute(method=method, path=own + path, action=action, handle=handle)
            for own, action in ((SCHOOL, Action.CALENDAR_EDIT), (TOWN, Action.CALENDAR_TOWN))
            for method, path, handle in (
                ("GET", "/terms", self.term_form),
                ("POST", "/terms", self.term),
                ("POST", "/terms/remove", self.remove_term),
                ("GET", "/days", self.days_form),
                ("POST", "/days", self.days),
                ("POST", "/days/remove", self.remove_days),
                ("GET", "/week", self.week_form),
                ("POST", "/week", self.week),
            )
        )

    async def _found(self, call: AdminCall) -> tuple[Place, PlaceSheet]:
        action = Action.CALENDAR_EDIT if "school" in call.path else Action.CALENDAR_TOWN
        place = await place_of(self._desk, call, action)
        return place, await self._desk.sheet(place)

    # ----------------------------------------------------------------------------------------------------------- terms
    async def term_form(self, call: AdminCall) -> AdminAnswer:
        """A new term, or one to be changed."""
        place, sheet = await self._found(call)
        given = {"id": call.query_id("id") or "", "name": "", "first": "", "last": ""}
        if given["id"]:
            known = next((one.term for one in sheet.terms if one.id == given["id"]), None)
            if known is None:
                raise NotFound
            given |= {"name": known.name, "first": str(known.first_day), "last": str(known.last_day)}
        return _form("calendar/term.html", place, given)

    async def term(self, call: AdminCall) -> AdminAnswer:
        """First what it would do, then the deed."""
        place, _ = await self._found(call)
        given = _given(call, "id", "name", "first", "last")
        try:
            term = read_term(call)
            title = texts.TERM_SURE.format(name=term.name, first=in_words(term.first_day), last=in_words(term.last_day))
            change = PutTerm(place.owner, term, call.form_id("id") if given["id"] else None)
            return await answer(self._editing, call, place, Deed(change, title, "/terms", given))
        except InvalidInput as fault:
            return _form("calendar/term.html", place, given, fault=fault.message)

    async def remove_term(self, call: AdminCall) -> AdminAnswer:
        """First what it would do, then the deed."""
        place, sheet = await self._found(call)
        own = call.form_id("id")
        known = next((one.term for one in sheet.terms if one.id == own), None)
        if known is None:
            raise NotFound
        title = texts.TERM_REMOVE.format(name=known.name)
        return await answer(
            self._editing, call, place, Deed(RemoveTerm(place.owner, own), title, "/terms/remove", {"id": own})
        )

    # ------------------------------------------------------------------------------------------------------ local days
    async def days_form(self, call: AdminCall) -> AdminAnswer:
        """New local days, or some to be changed."""
        place, sheet = await self._found(call)
        given = {"id": call.query_id("id") or "", "name": "", "first": "", "last": "", "kind": "", "effect": ""}
        if given["id"]:
            known = next((one.local for one in sheet.days if one.id == given["id"]), None)
            if known is None:
                raise NotFound
            given |= {"name": known.name, "first": str(known.first_day), "last": str(known.last_day)}
            given |= {"kind": known.kind.value, "effect": known.effect.value}
        return _form("calendar/days.html", place, given)

    async def days(self, call: AdminCall) -> AdminAnswer:
        """First what it would do, then the deed."""
        place, _ = await self._found(call)
        given = _given(call, "id", "name", "first", "last", "kind", "effect")
        try:
            local = read_local(call)
            words = texts.DAY_SURE if local.first_day == local.last_day else texts.DAYS_SURE
            title = words.format(
                name=local.name,
                effect=texts.EFFECTS[local.effect.value],
                first=in_words(local.first_day),
                last=in_words(local.last_day),
            )
            change = PutDays(place.owner, local, call.form_id("id") if given["id"] else None)
            return await answer(self._editing, call, place, Deed(change, title, "/days", given))
        except InvalidInput as fault:
            return _form("calendar/days.html", place, given, fault=fault.message)

    async def remove_days(self, call: AdminCall) -> AdminAnswer:
        """First what it would do, then the deed."""
        place, sheet = await self._found(call)
        own = call.form_id("id")
        known = next((one.local for one in sheet.days if one.id == own), None)
        if known is None:
            raise NotFound
        title = texts.DAYS_REMOVE.format(name=known.name)
        return await answer(
            self._editing, call, place, Deed(RemoveDays(place.owner, own), title, "/days/remove", {"id": own})
        )

    # -------------------------------------------------------------------------------------------------------- the week
    async def week_form(self, call: AdminCall) -> AdminAnswer:
        """On which days of the week there are lessons."""
        place, sheet = await self._found(call)
        return _form("calendar/week.html", place, {}, week=sheet.week, is_own=sheet.own_week is not None)

    async def week(self, call: AdminCall) -> AdminAnswer:
        """First what it would do, then the deed."""
        place, sheet = await self._found(call)
        if call.form.get("usual") == "yes":
            title = texts.WEEK_BACK if place.owner.school_id else texts.WEEK_USUAL
            deed = Deed(PutWeek(place.owner, None), title, "/week", {"usual": "yes"})
            return await answer(self._editing, call, place, deed)
        week = read_week(call)
        title = texts.WEEK_SURE.format(days="、".join(texts.WEEKDAYS[day - 1] for day in sorted(week)))
        ticked = tuple(("weekday", str(day)) for day in sorted(week))
        try:
            deed = Deed(PutWeek(place.owner, week), title, "/week", {}, lists=ticked)
            return await answer(self._editing, call, place, deed)
        except InvalidInput as fault:
            is_own = sheet.own_week is not None
            return _form("calendar/week.html", place, {}, week=week, is_own=is_own, fault=fault.message)


def _given(call: AdminCall, *names: str) -> dict[str, str]:
    return {name: call.form.get(name, "").strip() for name in names}


def _form(template: str, place: Place, given: Mapping[str, str], *, fault: str = "", **values: Any) -> Page:
    shown = {"place": place, "home": path_of(place.owner), "given": given, "fault": fault, "words": texts, **values}
    return Page(template, shown, 422 if fault else 200)
