"""Pages of plans: the list, a new one, one whole, its head, the look over before publishing, publishing and closing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bot.errors import AppError
from bot.rights import Action, may
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.accounts.service.structure import StructureService
from handlers.after_school.admin.offering_forms import (
    owner_value,
    read_head,
    read_version,
    shown_head,
)
from handlers.after_school.admin.wording import WORDS
from handlers.after_school.domain.plans import PlanNotOpenToChange, PlanState
from handlers.after_school.service.offering.drafting import Drafting
from handlers.after_school.service.offering.reviewing import Reviewing
from handlers.after_school.service.offering.views import PlanSheet
from handlers.after_school.service.offers import OffersService
from handlers.after_school.texts import offering as texts

PLANS: Final = "/after-school/plans"
PLAN: Final = PLANS + "/{plan}"
CAPS: Final = "/after-school/townships/{township}/caps"
_NEW_HEAD: Final = {
    "owner": "",
    "term": "",
    "title": "",
    "first": "",
    "last": "",
    "opens": "",
    "closes": "",
    "phone": "",
    "pick_up": "",
    "offer_days": "2",
    "settle": "held",
}


def sure(title: str, path: str, back: str, effects: list[str], fields: Mapping[str, str], words: str) -> Page:
    """What a deed will do, and the button that does it."""
    values = {"title": title, "path": path, "back": back, "effects": effects, "fields": fields, "words": words}
    return Page("after_school/offering_sure.html", values)


class PlanPages:
    """The handlers."""

    def __init__(
        self,
        offers: OffersService,
        drafting: Drafting,
        reviewing: Reviewing,
        structure: StructureService,
        *,
        public_url: str,
    ) -> None:
        self._offers = offers
        self._drafting = drafting
        self._reviewing = reviewing
        self._structure = structure
        self._public_url = public_url

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        plan, publish = Action.SERVICE_PLAN, Action.SERVICE_PUBLISH
        return (
            AdminRoute(method="GET", path=PLANS, action=plan, handle=self.plans, menu=texts.MENU),
            AdminRoute(method="GET", path=PLANS + "/new", action=plan, handle=self.new_form),
            AdminRoute(method="POST", path=PLANS + "/new", action=plan, handle=self.new),
            AdminRoute(method="GET", path=PLAN, action=plan, handle=self.one),
            AdminRoute(method="GET", path=PLAN + "/edit", action=plan, handle=self.edit_form),
            AdminRoute(method="POST", path=PLAN + "/edit", action=plan, handle=self.edit),
            AdminRoute(method="POST", path=PLAN + "/discard", action=plan, handle=self.discard),
            AdminRoute(method="GET", path=PLAN + "/check", action=plan, handle=self.check),
            AdminRoute(method="POST", path=PLAN + "/publish", action=publish, handle=self.publish),
            AdminRoute(method="POST", path=PLAN + "/close", action=publish, handle=self.close),
        )

    # ---------------------------------------------------------------------------------------------------------- reading
    async def plans(self, call: AdminCall) -> AdminAnswer:
        """Those within reach, and the way to the caps."""
        rows = await self._offers.plans(call.actor)
        places = {each.id: each.name for each in await self._structure.schools(call.actor, closed=True)}
        towns = await self._structure.townships(call.actor)
        values = {"rows": rows, "places": places | dict(towns), "towns": towns, "words": WORDS}
        return Page("after_school/offering_list.html", values)

    async def one(self, call: AdminCall) -> AdminAnswer:
        """A plan, whole."""
        sheet = await self._drafting.sheet(call.actor, call.id("plan"))
        is_public = sheet.state is not PlanState.DRAFT
        values = {
            "sheet": sheet,
            "words": WORDS,
            "fees_url": f"{self._public_url}/p/after-school/{sheet.id}/fees" if is_public else "",
            "can_publish": may(call.actor, Action.SERVICE_PUBLISH),
        }
        return Page("after_school/offering_plan.html", values)

    async def check(self, call: AdminCall) -> AdminAnswer:
        """What publishing would mean."""
        return await self._check_page(call)

    async def _check_page(self, call: AdminCall, fault: str = "") -> Page:
        review = await self._reviewing.review(call.actor, call.id("plan"))
        values = {
            "review": review,
            "sheet": review.sheet,
            "words": WORDS,
            "fault": fault,
            "can_publish": may(call.actor, Action.SERVICE_PUBLISH) and review.may_publish,
        }
        return Page("after_school/offering_check.html", values, 409 if fault else 200)

    # ---------------------------------------------------------------------------------------------------------- writing
    async def new_form(self, call: AdminCall) -> AdminAnswer:
        """An empty head, or one like that of an earlier plan."""
        like, given = call.query_id("like"), dict(_NEW_HEAD)
        if like is not None:
            known = shown_head(await self._drafting.sheet(call.actor, like))
            given |= {name: known[name] for name in ("owner", "title", "phone", "pick_up", "offer_days", "settle")}
        return await self._form(call, given, like=like)

    async def new(self, call: AdminCall) -> AdminAnswer:
        """A draft, or the form again."""
        like = call.form_id("like") if call.form.get("like") else None
        try:
            head = read_head(call, await self._owners(call))
            plan_id = await self._drafting.begin(call.actor, head, like)
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._form(call, {**_NEW_HEAD, **call.form}, like=like, fault=fault.message)
        return WayOn(f"{PLANS}/{plan_id}", texts.BEGUN)

    async def edit_form(self, call: AdminCall) -> AdminAnswer:
        """The head of a plan."""
        sheet = await self._drafting.sheet(call.actor, call.id("plan"))
        return await self._form(call, shown_head(sheet), sheet=sheet)

    async def edit(self, call: AdminCall) -> AdminAnswer:
        """The head anew."""
        sheet = await self._drafting.sheet(call.actor, call.id("plan"))
        own = {owner_value(sheet.township_id, sheet.school_id): (sheet.township_id, sheet.school_id)}
        given = shown_head(sheet)
        if sheet.state is not PlanState.DRAFT:
            # Of what families have read the form sends only what may still change.
            given |= {name: call.form[name] for name in ("closes", "phone", "pick_up") if name in call.form}
        else:
            given |= call.form
        given["owner"] = next(iter(own))
        try:
            head = read_head(AdminCall(call.actor, call.path, call.query, given), own)
            await self._drafting.change_head(call.actor, sheet.id, read_version(call), head)
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._form(call, given, sheet=sheet, fault=fault.message)
        return WayOn(f"{PLANS}/{sheet.id}", texts.SAVED)

    async def discard(self, call: AdminCall) -> AdminAnswer:
        """First what goes, then it goes."""
        sheet = await self._drafting.sheet(call.actor, call.id("plan"))
        if sheet.state is not PlanState.DRAFT:
            raise PlanNotOpenToChange
        if call.form.get("sure") != "yes":
            effects = [texts.DISCARD_EFFECT.format(number=len(sheet.programmes))]
            return self._sure(sheet, "/discard", texts.DISCARD_SURE, effects)
        await self._drafting.discard(call.actor, sheet.id, read_version(call))
        return WayOn(PLANS, texts.DISCARDED)

    async def publish(self, call: AdminCall) -> AdminAnswer:
        """Families see it from now on."""
        try:
            await self._offers.publish(call.actor, call.id("plan"), read_version(call))
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._check_page(call, fault.message)
        return WayOn(f"{PLANS}/{call.id('plan')}", texts.PUBLISHED)

    async def close(self, call: AdminCall) -> AdminAnswer:
        """First what it means, then the deed."""
        sheet = await self._drafting.sheet(call.actor, call.id("plan"))
        if call.form.get("sure") != "yes":
            return self._sure(sheet, "/close", texts.CLOSE_SURE, [texts.CLOSE_EFFECT])
        await self._offers.close(call.actor, sheet.id, read_version(call))
        return WayOn(f"{PLANS}/{sheet.id}", texts.CLOSED)

    # ------------------------------------------------------------------------------------------------------------- page
    def _sure(self, sheet: PlanSheet, path: str, title: str, effects: list[str]) -> Page:
        own, fields = f"{PLANS}/{sheet.id}", {"version": str(sheet.version), "sure": "yes"}
        return sure(title.format(title=sheet.title), own + path, own, effects, fields, texts.SURE)

    async def _owners(self, call: AdminCall) -> dict[str, tuple[str, str | None]]:
        schools = await self._structure.schools(call.actor)
        found: dict[str, tuple[str, str | None]] = {each.id: (each.township_id, each.id) for each in schools}
        towns = await self._structure.townships(call.actor)
        return found | {owner_value(own, None): (own, None) for own, _ in towns}

    async def _form(
        self,
        call: AdminCall,
        given: Mapping[str, Any],
        *,
        sheet: PlanSheet | None = None,
        like: str | None = None,
        fault: str = "",
    ) -> Page:
        owners = [(each.id, each.name) for each in await self._structure.schools(call.actor)]
        owners += [
            (owner_value(own, None), texts.OWN_PLAN.format(township=name))
            for own, name in await self._structure.townships(call.actor)
        ]
        values = {
            "sheet": sheet,
            "like": like,
            "given": given,
            "owners": owners,
            "fault": fault,
            "words": WORDS,
            "is_draft": sheet is None or sheet.state is PlanState.DRAFT,
        }
        return Page("after_school/offering_head.html", values, 422 if fault else 200)
