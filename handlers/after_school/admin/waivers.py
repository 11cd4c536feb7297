"""Console pages of cases: the queue, one case with its papers, deciding, and putting one in for a family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.errors import AppError
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Download, Page, WayOn
from bot.web.tables import TableView
from handlers.after_school.domain.statements import ConsentHow
from handlers.after_school.domain.waivers import LONGEST_NOTE, WAITING, Verdict, WaiverInvalid, WaiverState
from handlers.after_school.service.waivers.asking import Asked, WaiverAsking
from handlers.after_school.service.waivers.deciding import PAGE, Decision, WaiverDeciding
from handlers.after_school.service.waivers.publishing import WaiverPublishing
from handlers.after_school.texts import waivers as texts

ONE: Final = PAGE + "/{waiver}"
_CHILD: Final = "/children/{child}/waiver"
_SHOWN: Final[Mapping[str, tuple[WaiverState, ...]]] = {
    "waiting": WAITING,
    "done": (WaiverState.GRANTED, WaiverState.REFUSED, WaiverState.LAPSED, WaiverState.WITHDRAWN),
    "draft": (WaiverState.DRAFT,),
}
_FIELD: Final = "picture"
_NAME: Final = "材料.jpg"


class WaiverPages:
    """The handlers."""

    def __init__(self, asking: WaiverAsking, deciding: WaiverDeciding, publishing: WaiverPublishing) -> None:
        self._asking = asking
        self._deciding = deciding
        self._publishing = publishing

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        view, decide, file = Action.WAIVER_VIEW, Action.WAIVER_DECIDE, Action.WAIVER_FILE
        return (
            AdminRoute(method="GET", path=PAGE, action=view, handle=self.queue, menu=texts.MENU),
            AdminRoute(method="GET", path=ONE, action=view, handle=self.one),
            AdminRoute(method="GET", path=ONE + "/evidence/{file}", action=view, handle=self.picture),
            AdminRoute(method="POST", path=ONE + "/check", action=decide, handle=self.check),
            AdminRoute(method="POST", path=ONE + "/return", action=decide, handle=self.give_back),
            AdminRoute(method="POST", path=ONE + "/decide", action=decide, handle=self.decide),
            AdminRoute(method="POST", path=ONE + "/refunded", action=decide, handle=self.refunded),
            AdminRoute(method="GET", path="/waiver-notice", action=decide, handle=self.public),
            AdminRoute(method="GET", path=_CHILD, action=file, handle=self.form),
            AdminRoute(method="POST", path=_CHILD, action=file, handle=self.file, takes_files=True),
        )

    # --------------------------------------------------------------------------------------------------------- looking
    async def queue(self, call: AdminCall) -> AdminAnswer:
        """Who waits, and how far."""
        view = TableView.of(call, PAGE, filters=("show",), sorts=("since",))
        states = _SHOWN.get(view.filters.get("show", ""), WAITING)
        rows, total = await self._deciding.queue(call.actor, states, offset=view.offset, limit=view.size)
        values = {
            "view": view,
            "rows": rows,
            "total": total,
            "states": texts.STAFF_STATES,
            "tags": texts.STATE_TAGS,
            "shown": texts.SHOWN,
            "has_public": bool(self._publishing.ground),
        }
        return Page("after_school/waivers_queue.html", values)

    async def one(self, call: AdminCall) -> AdminAnswer:
        """A case with everything."""
        return await self._one(call)

    async def picture(self, call: AdminCall) -> AdminAnswer:
        """One of its papers."""
        found = await self._deciding.picture(call.actor, call.id("waiver"), call.id("file"))
        return Download(_NAME, found.content, found.media_type)

    async def _one(self, call: AdminCall, fault: AppError | None = None) -> Page:
        case = await self._deciding.look(call.actor, call.id("waiver"))
        values = {
            "case": case,
            "states": texts.STAFF_STATES,
            "tags": texts.STATE_TAGS,
            "steps": texts.STEPS,
            "begun": texts.BEGUN,
            "how": texts.HOW,
            "given": call.form,
            "ticked": call.lists.get("term", ()),
            "fault": fault.message if fault else "",
            "longest": LONGEST_NOTE,
        }
        return Page("after_school/waivers_case.html", values, 422 if fault else 200)

    # ----------------------------------------------------------------------------------------------------------- deeds
    async def check(self, call: AdminCall) -> AdminAnswer:
        """It is complete."""
        try:
            await self._deciding.check(call.actor, call.id("waiver"))
        except AppError as fault:
            return await self._faulty(call, fault)
        return WayOn(PAGE, texts.CHECKED)

    async def give_back(self, call: AdminCall) -> AdminAnswer:
        """Something is missing."""
        try:
            await self._deciding.give_back(call.actor, call.id("waiver"), call.form.get("missing", ""))
        except AppError as fault:
            return await self._faulty(call, fault)
        return WayOn(PAGE, texts.GIVEN_BACK)

    async def decide(self, call: AdminCall) -> AdminAnswer:
        """Granted or refused."""
        own = call.id("waiver")
        verdict = next((each for each in Verdict if each.value == call.form.get("verdict")), None)
        try:
            if verdict is None:
                await self._deciding.look(call.actor, own)  # whose it is comes before what was filled in
                raise WaiverInvalid(texts.NO_VERDICT)
            decision = Decision(verdict, tuple(call.lists.get("term", ())), call.form.get("reason", ""))
            await self._deciding.decide(call.actor, own, decision)
        except AppError as fault:
            return await self._faulty(call, fault)
        return WayOn(PAGE, texts.DECIDED)

    async def refunded(self, call: AdminCall) -> AdminAnswer:
        """What was paid was given back."""
        own = call.id("waiver")
        try:
            await self._deciding.refunded(call.actor, own, call.form.get("term", ""))
        except AppError as fault:
            return await self._faulty(call, fault)
        return WayOn(f"{PAGE}/{own}", texts.REFUNDED)

    async def _faulty(self, call: AdminCall, fault: AppError) -> Page:
        if fault.denial is not None:
            raise fault
        return await self._one(call, fault)

    # ------------------------------------------------------------------------------------------------------ the public
    async def public(self, call: AdminCall) -> AdminAnswer:
        """The masked list, to be printed; without a rule that asks for it, a page that says so."""
        if not self._publishing.ground:
            return Page("after_school/waivers_public_off.html", {"off": texts.PUBLIC_OFF})
        terms = await self._publishing.terms(call.actor)
        term = call.query.get("term", "") or (terms[-1] if terms else "")
        lines = await self._publishing.lines(call.actor, term) if term else []
        values = {"terms": terms, "term": term, "lines": lines, "ground": self._publishing.ground}
        return Page("after_school/waivers_public.html", values)

    # ------------------------------------------------------------------------------------------------------- on behalf
    async def form(self, call: AdminCall) -> AdminAnswer:
        """For a family without a phone."""
        return await self._form(call)

    async def file(self, call: AdminCall) -> AdminAnswer:
        """It is put in, and whoever did so does not see it again."""
        own, upload = call.id("child"), call.files.get(_FIELD)
        how = next((each for each in ConsentHow if each.value == call.form.get("how")), None)
        asked = Asked(own, call.form.get("category", ""), call.form.get("note", ""), how)
        try:
            await self._asking.file(call.actor, asked, upload.content if upload else b"")
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._form(call, fault)
        return WayOn("/", texts.FILED)

    async def _form(self, call: AdminCall, fault: AppError | None = None) -> Page:
        child = await self._asking.child(call.actor, call.id("child"))
        options = await self._asking.options(call.actor, child.id, Action.WAIVER_FILE)
        values = {
            "child": child,
            "options": options,
            "kinds": [(each.id, f"{each.title}：{each.evidence}") for each in options],
            "hows": list(texts.HOW.items()),
            "given": call.form,
            "fault": fault.message if fault else "",
        }
        return Page("after_school/waivers_file.html", values, 422 if fault else 200)
