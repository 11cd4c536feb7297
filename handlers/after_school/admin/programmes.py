"""Pages of what a plan offers: programmes, and the places they share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.errors import AppError, NotFound
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.after_school.admin.offering_forms import (
    EMPTY_PROGRAMME,
    GRADE_CHOICES,
    WEEKDAY_CHOICES,
    known_programme,
    read_places,
    read_programme,
    read_version,
    shown_programme,
    text_of,
)
from handlers.after_school.admin.plans import PLAN, PLANS, sure
from handlers.after_school.admin.wording import WORDS, effect_words
from handlers.after_school.domain.plans import PlanNotOpenToChange, PlanState
from handlers.after_school.service.leaving import LeavingService
from handlers.after_school.service.offering.drafting import Drafting
from handlers.after_school.service.offering.reviewing import Reviewing
from handlers.after_school.service.offering.views import PlanSheet, PoolLine, ProgrammeLine
from handlers.after_school.texts import offering as texts

_PROGRAMME: Final = PLAN + "/programmes/{programme}"
_POOL: Final = PLAN + "/pools/{pool}"


class ProgrammePages:
    """The handlers."""

    def __init__(self, drafting: Drafting, reviewing: Reviewing, leaving: LeavingService) -> None:
        self._drafting = drafting
        self._reviewing = reviewing
        self._leaving = leaving

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        plan = Action.SERVICE_PLAN
        return (
            AdminRoute(method="GET", path=PLAN + "/programmes/new", action=plan, handle=self.new_form),
            AdminRoute(method="POST", path=PLAN + "/programmes/new", action=plan, handle=self.new),
            AdminRoute(method="GET", path=_PROGRAMME, action=plan, handle=self.edit_form),
            AdminRoute(method="POST", path=_PROGRAMME, action=plan, handle=self.edit),
            AdminRoute(method="POST", path=_PROGRAMME + "/remove", action=plan, handle=self.remove),
            AdminRoute(method="GET", path=_POOL, action=plan, handle=self.pool_form),
            AdminRoute(method="POST", path=_POOL, action=plan, handle=self.pool),
        )

    # ------------------------------------------------------------------------------------------------------- programmes
    async def new_form(self, call: AdminCall) -> AdminAnswer:
        """An empty form."""
        sheet = await self._drafting.sheet(call.actor, call.id("plan"))
        if sheet.state is not PlanState.DRAFT:
            raise PlanNotOpenToChange
        return await self._form(call, sheet, EMPTY_PROGRAMME, None)

    async def new(self, call: AdminCall) -> AdminAnswer:
        """A programme of the draft, or the form again."""
        return await self._write(call, await self._drafting.sheet(call.actor, call.id("plan")), None)

    async def edit_form(self, call: AdminCall) -> AdminAnswer:
        """A programme; of a published plan only who gives it where may change."""
        sheet, line = await self._found(call)
        return await self._form(call, sheet, shown_programme(sheet, line), line)

    async def edit(self, call: AdminCall) -> AdminAnswer:
        """The programme anew."""
        sheet, line = await self._found(call)
        return await self._write(call, sheet, line)

    async def remove(self, call: AdminCall) -> AdminAnswer:
        """Out of the draft."""
        sheet, line = await self._found(call)
        await self._drafting.remove_programme(call.actor, sheet.id, read_version(call), line.id)
        return WayOn(f"{PLANS}/{sheet.id}", texts.PROGRAMME_REMOVED)

    async def _found(self, call: AdminCall) -> tuple[PlanSheet, ProgrammeLine]:
        sheet = await self._drafting.sheet(call.actor, call.id("plan"))
        return sheet, known_programme(sheet, call.id("programme"))

    async def _write(self, call: AdminCall, sheet: PlanSheet, line: ProgrammeLine | None) -> AdminAnswer:
        actor, own = call.actor, line.id if line else None
        try:
            version = read_version(call)
            if own is not None and sheet.state is not PlanState.DRAFT:
                teacher = call.form_id("teacher") if call.form.get("teacher") else None
                room, pick_up = text_of(call, "room"), text_of(call, "pick_up")
                await self._drafting.place_programme(
                    actor, sheet.id, version, own, teacher_id=teacher, room=room, pick_up_point=pick_up
                )
            else:
                draft, seat = read_programme(call)
                await self._drafting.put_programme(actor, sheet.id, version, draft, seat, programme_id=own)
        except AppError as fault:
            if fault.denial is not None:
                raise
            given = {**(shown_programme(sheet, line) if line else EMPTY_PROGRAMME), **call.form}
            return await self._form(call, sheet, given, line, fault=fault.message)
        title = call.form.get("title", "").strip() or (line.title if line else "")
        return WayOn(f"{PLANS}/{sheet.id}", texts.PROGRAMME_SAVED.format(title=title))

    async def _form(
        self,
        call: AdminCall,
        sheet: PlanSheet,
        given: Mapping[str, Any],
        line: ProgrammeLine | None,
        *,
        fault: str = "",
    ) -> Page:
        ticked = set(call.lists.get("weekday", ()))
        if line is not None and not ticked:
            ticked = {str(day) for day in line.hours.weekdays}
        values = {
            "sheet": sheet,
            "line": line,
            "given": given,
            "ticked": ticked,
            "grades": GRADE_CHOICES,
            "weekdays": WEEKDAY_CHOICES,
            "pools": [(pool.id, _shared(pool)) for pool in sheet.pools],
            "teachers": await self._drafting.teachers(call.actor, sheet.school_id),
            "is_draft": sheet.state is PlanState.DRAFT,
            "words": WORDS,
            "fault": fault,
        }
        return Page("after_school/offering_programme.html", values, 422 if fault else 200)

    # ----------------------------------------------------------------------------------------------------------- places
    async def pool_form(self, call: AdminCall) -> AdminAnswer:
        """How many places there are."""
        sheet, pool = await self._pool(call)
        return _pool_page(sheet, pool, {"title": pool.title, "places": "" if pool.places is None else str(pool.places)})

    async def pool(self, call: AdminCall) -> AdminAnswer:
        """Of a draft at once; of what families have read first what it would mean."""
        sheet, pool = await self._pool(call)
        own = f"{PLANS}/{sheet.id}"
        try:
            places = read_places(call.form.get("places", ""))
            if sheet.state is PlanState.DRAFT:
                title = text_of(call, "title")
                await self._drafting.put_pool(call.actor, sheet.id, read_version(call), pool.id, title, places)
                return WayOn(own, texts.PLACES_SAVED)
            if sheet.state is not PlanState.PUBLISHED:
                raise PlanNotOpenToChange
            effect = await self._reviewing.places_effect(call.actor, sheet.id, pool.id, places)
        except AppError as fault:
            if fault.denial is not None:
                raise
            return _pool_page(sheet, pool, call.form, fault.message)
        if call.form.get("sure") != "yes":
            fields = {"places": call.form.get("places", ""), "sure": "yes"}
            path = f"{own}/pools/{pool.id}"
            title = texts.PLACES_SURE.format(title=pool.title)
            return sure(title, path, path, effect_words(effect), fields, texts.SURE)
        await self._leaving.set_places(call.actor, pool.id, places)
        return WayOn(own, texts.PLACES_SAVED)

    async def _pool(self, call: AdminCall) -> tuple[PlanSheet, PoolLine]:
        sheet, own = await self._drafting.sheet(call.actor, call.id("plan")), call.id("pool")
        pool = next((each for each in sheet.pools if each.id == own), None)
        if pool is None:
            raise NotFound
        return sheet, pool


def _shared(pool: PoolLine) -> str:
    names = texts.JOIN_DAYS.join(each.title for each in pool.programmes)
    places = WORDS["places"](pool.places)
    return texts.SHARED.format(names=names, places=places)


def _pool_page(sheet: PlanSheet, pool: PoolLine, given: Mapping[str, Any], fault: str = "") -> Page:
    values = {
        "sheet": sheet,
        "pool": pool,
        "given": {"title": pool.title, "places": "", **given},
        "is_draft": sheet.state is PlanState.DRAFT,
        "fault": fault,
        "words": WORDS,
    }
    return Page("after_school/offering_pool.html", values, 422 if fault else 200)
