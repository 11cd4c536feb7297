"""How families come in: invitations on paper, requests to decide, and adults who must stay away."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

from bot.errors import Conflict, InvalidInput
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from bot.web.tables import TableView
from handlers.accounts.admin import words
from handlers.accounts.admin.pupils import every
from handlers.accounts.domain import RELATION_WORDS
from handlers.accounts.service.bars import BarService, check_bar
from handlers.accounts.service.decisions import AlreadyDecided, DecisionService
from handlers.accounts.service.invitations import DEFAULT_DAYS, MOST_DAYS, InvitationService
from handlers.accounts.service.people import LARGEST_PAGE, PeopleService, PupilFilter
from handlers.accounts.service.structure import StructureService

BINDINGS: Final = "/bindings"
CLASSES: Final = "/classes"
_CLASS: Final = "/classes/{class_id}/invitations"
_PICK: Final = "/bindings/{request}/child"
_BARS: Final = "/pupils/{pupil}/bars"


class BindingPages:
    """The handlers."""

    def __init__(
        self,
        people: PeopleService,
        structure: StructureService,
        invitations: InvitationService,
        decisions: DecisionService,
        bars: BarService,
    ) -> None:
        self._people = people
        self._structure = structure
        self._invitations = invitations
        self._decisions = decisions
        self._bars = bars

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        issue, decide, bar = Action.INVITATION_ISSUE, Action.BINDING_DECIDE, Action.BINDING_BAR
        return (
            AdminRoute(method="GET", path=_CLASS, action=issue, handle=self.invitations),
            AdminRoute(method="POST", path=_CLASS, action=issue, handle=self.issue),
            AdminRoute(method="POST", path="/invitations/revoke", action=issue, handle=self.revoke),
            AdminRoute(method="GET", path=BINDINGS, action=decide, handle=self.requests, menu="绑定申请"),
            AdminRoute(method="POST", path=f"{BINDINGS}/decide", action=decide, handle=self.decide),
            AdminRoute(method="GET", path=_PICK, action=decide, handle=self.pick),
            AdminRoute(method="GET", path=_BARS, action=bar, handle=self.bars),
            AdminRoute(method="POST", path=_BARS, action=bar, handle=self.set_bar),
            AdminRoute(method="POST", path=f"{_BARS}/lift", action=bar, handle=self.lift),
        )

    # ----------------------------------------------------------------------------------------------------- invitations
    async def invitations(self, call: AdminCall) -> AdminAnswer:
        """What was handed out in a class, and the button for more."""
        return await self._invitation_page(call)

    async def _invitation_page(self, call: AdminCall, fault: str = "") -> Page:
        class_id = call.id("class_id")
        rows = await self._invitations.list(call.actor, class_id)
        room = await self._structure.class_of(call.actor, class_id)
        wanted = PupilFilter(class_id=class_id, order="name", limit=LARGEST_PAGE)
        pupils = await every(lambda cursor: self._people.pupils(call.actor, replace(wanted, cursor=cursor)))
        view = TableView.of(call, f"{CLASSES}/{class_id}/invitations", sorts=("issued",), is_descending=True)
        values = {
            "room": room,
            "view": view,
            "total": len(rows),
            "rows": rows[view.offset : view.offset + view.size],
            "states": words.INVITATION_STATES,
            "pupils": pupils,
            "days": DEFAULT_DAYS,
            "most": MOST_DAYS,
            "fault": fault,
        }
        return Page("accounts/invitations.html", values, 422 if fault else 200)

    async def issue(self, call: AdminCall) -> AdminAnswer:
        """Slips for the children chosen, to be printed now: the codes are never shown again."""
        chosen, days = call.form_ids("pupil"), call.form.get("days", "")
        if not chosen:
            return await self._invitation_page(call, words.NOBODY_CHOSEN)
        room = await self._structure.class_of(call.actor, call.id("class_id"))
        try:
            term = int(days) if days.isdecimal() and len(days) < 4 else 0
            slips = await self._invitations.issue(call.actor, chosen, days=term)
        except InvalidInput as fault:
            return await self._invitation_page(call, fault.message)
        back = f"{CLASSES}/{room.id}/invitations"
        values = {"slips": slips, "title": f"{room.school}{room.name}的邀请码", "back": back, "is_staff": False}
        return Page("accounts/slips.html", values)

    async def revoke(self, call: AdminCall) -> AdminAnswer:
        """An invitation is void."""
        await self._invitations.revoke(call.actor, call.form_id("id"))
        return WayOn(f"{CLASSES}/{call.form_id('class_id')}/invitations", words.REVOKED)

    # -------------------------------------------------------------------------------------------------------- requests
    async def requests(self, call: AdminCall) -> AdminAnswer:
        """What waits to be decided."""
        return await self._request_page(call)

    async def _request_page(self, call: AdminCall, fault: str = "") -> Page:
        view = TableView.of(call, BINDINGS, sorts=("asked",))
        page = await self._decisions.page(call.actor, offset=view.offset, limit=view.size)
        values = {"view": view, "page": page, "relations": RELATION_WORDS, "fault": fault}
        return Page("accounts/bindings.html", values, 409 if fault else 200)

    async def pick(self, call: AdminCall) -> AdminAnswer:
        """Which child is meant, where the request could not say: looked for by name within reach."""
        try:
            row = await self._decisions.one(call.actor, call.id("request"))
        except AlreadyDecided as late:
            return await self._request_page(call, late.message)
        view = TableView.of(call, f"{BINDINGS}/{row.id}/child", filters=("name",), sorts=("name",))
        name, chosen, page, fault = view.filters.get("name", ""), call.query_id("pupil"), None, ""
        if name and not chosen:
            wanted = PupilFilter(name=name, order="name", cursor=str(view.offset or ""), limit=view.size)
            try:
                page = await self._people.pupils(call.actor, wanted)
            except InvalidInput:
                fault = words.PICK_AGAIN
        values = {
            "row": row,
            "view": view,
            "name": name or row.child,
            "chosen": await self._people.pupil(call.actor, chosen) if chosen else None,
            "page": page,
            "relations": RELATION_WORDS,
            "fault": fault,
        }
        return Page("accounts/pick.html", values, 422 if fault else 200)

    async def decide(self, call: AdminCall) -> AdminAnswer:
        """Yes or no."""
        is_yes = call.form.get("answer") == "yes"
        pupil_id = call.form_id("pupil") if call.form.get("pupil") else None
        try:
            await self._decisions.decide(call.actor, call.form_id("id"), approve=is_yes, pupil_id=pupil_id)
        except (Conflict, InvalidInput) as fault:
            return await self._request_page(call, fault.message)
        return WayOn(BINDINGS, words.DECIDED_YES if is_yes else words.DECIDED_NO)

    # ------------------------------------------------------------------------------------------------------------ bars
    async def bars(self, call: AdminCall) -> AdminAnswer:
        """Who must stay away from a child. Reading it is written down."""
        return await self._bar_page(call)

    async def _bar_page(self, call: AdminCall, fault: str = "", *, is_sure: bool = False) -> Page:
        pupil_id = call.id("pupil")
        bars = await self._bars.bars_of(call.actor, pupil_id)
        card = await self._people.pupil(call.actor, pupil_id)
        given = {name: call.form.get(name, "") for name in ("person", "name", "phone", "reason", "until")}
        listed = [guardian.name for guardian in card.guardians if guardian.person_id == given["person"]]
        if is_sure and given["person"] and not listed:
            # Whoever was chosen is not on the list of this child any more: nothing is asked about nobody.
            is_sure, fault = False, words.NOT_LISTED
        named = listed[0] if listed else given["name"]
        values = {"card": card, "bars": bars, "fault": fault, "given": given, "named": named, "is_sure": is_sure}
        return Page("accounts/bars.html", values, 422 if fault else 200)

    async def set_bar(self, call: AdminCall) -> AdminAnswer:
        """First what it will do, then the deed. What cannot be done is said before anybody is asked to be sure."""
        form = call.form
        until, person = form.get("until", ""), form.get("person", "")
        reason, name, phone = form.get("reason", ""), form.get("name", "").strip(), form.get("phone", "").strip()
        person_id = call.form_id("person") if person else None
        try:
            last_day = read_day(until) if until else None
            if form.get("sure") != "yes":
                check_bar(reason, person_id, name, phone)
                return await self._bar_page(call, is_sure=True)
            await self._bars.set_bar(
                call.actor,
                call.id("pupil"),
                reason=reason,
                person_id=person_id,
                name=name or None,
                phone=phone or None,
                until=last_day,
            )
        except InvalidInput as fault:
            return await self._bar_page(call, fault.message)
        return WayOn(f"/pupils/{call.id('pupil')}/bars", words.BARRED)

    async def lift(self, call: AdminCall) -> AdminAnswer:
        """A bar ends."""
        await self._bars.lift(call.actor, call.form_id("id"))
        return WayOn(f"/pupils/{call.id('pupil')}/bars", words.LIFTED)


def read_day(text: str) -> date:
    """A day out of a form. Raises InvalidInput."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise InvalidInput(words.BAD_DAY) from error
