"""Pages of children who did not come: the list, one with everything, and what is done about it."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import date
from typing import Final

from bot.errors import AppError
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Download, Page, WayOn
from bot.web.tables import TableView
from handlers.term_check import texts
from handlers.term_check.domain.cases import MOST_WORDS, OPEN, CaseEvent, CaseInvalid, KnownBy, StepKind
from handlers.term_check.service.cases import CASES, CaseService, Ending, Talk
from handlers.term_check.service.views import CaseView

ONE: Final = CASES + "/{case}"
_FIELD: Final = "proof"
_NAME: Final = "凭证.jpg"


class CasePages:
    """The handlers."""

    def __init__(self, cases: CaseService) -> None:
        self._cases = cases

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        own = Action.CHECK_CASE
        return (
            AdminRoute(method="GET", path=CASES, action=own, handle=self.cases, menu=texts.MENU_CASES),
            AdminRoute(method="GET", path=ONE, action=own, handle=self.one),
            AdminRoute(method="GET", path=ONE + "/proofs/{proof}", action=own, handle=self.proof),
            AdminRoute(method="POST", path=ONE + "/steps", action=own, handle=self.talk),
            AdminRoute(method="POST", path=ONE + "/where", action=own, handle=self.locate),
            AdminRoute(method="POST", path=ONE + "/end", action=own, handle=self.end, takes_files=True),
            AdminRoute(method="POST", path=ONE + "/reopen", action=own, handle=self.reopen),
        )

    # --------------------------------------------------------------------------------------------------------- looking
    async def cases(self, call: AdminCall) -> AdminAnswer:
        """Those who are looked for, or were."""
        view = TableView.of(call, CASES, filters=("show",), sorts=("since",))
        states = texts.SHOWN.get(view.filters.get("show", ""), OPEN)
        rows, total = await self._cases.page(call.actor, states, offset=view.offset, limit=view.size)
        values = {
            "view": view,
            "rows": rows,
            "total": total,
            "shown": texts.SHOWN_WORDS,
            "states": texts.STATES,
            "tags": texts.STATE_TAGS,
            "stages": texts.STAGES,
        }
        return Page("term_check/cases.html", values)

    async def one(self, call: AdminCall) -> AdminAnswer:
        """One child."""
        return await self._one(call)

    async def proof(self, call: AdminCall) -> AdminAnswer:
        """One of its papers."""
        found = await self._cases.proof(call.actor, call.id("case"), call.id("proof"))
        return Download(_NAME, found.content, found.media_type)

    # ----------------------------------------------------------------------------------------------------------- deeds
    async def talk(self, call: AdminCall) -> AdminAnswer:
        """Somebody rang, went there, persuaded."""

        async def deed() -> CaseView:
            kind = next((each for each in StepKind if each.value == call.form.get("kind")), StepKind.MISSED)
            talk = Talk(kind, call.form.get("words", ""), _day(call.form.get("on_day", "")))
            return await self._cases.talk(call.actor, call.id("case"), talk)

        return await self._done(call, deed(), texts.TALKED)

    async def locate(self, call: AdminCall) -> AdminAnswer:
        """It is known where the child is."""
        known_by = next((each for each in KnownBy if each.value == call.form.get("known_by")), None)
        deed = self._cases.locate(call.actor, call.id("case"), call.form.get("where_to", ""), known_by)
        return await self._done(call, deed, texts.LOCATED)

    async def end(self, call: AdminCall) -> AdminAnswer:
        """What became of it."""

        async def deed() -> CaseView:
            event = next((each for each in CaseEvent if each.value == call.form.get("event")), CaseEvent.LOCATE)
            upload = call.files.get(_FIELD)
            ending = Ending(
                event,
                call.form.get("words", ""),
                _day(call.form.get("back_on", "")) if event is CaseEvent.EXCUSE else None,
                upload.content if upload and event is CaseEvent.TRANSFER else b"",
            )
            return await self._cases.end(call.actor, call.id("case"), ending)

        return await self._done(call, deed(), texts.ENDED)

    async def reopen(self, call: AdminCall) -> AdminAnswer:
        """It was not so."""
        deed = self._cases.reopen(call.actor, call.id("case"), call.form.get("words", ""))
        return await self._done(call, deed, texts.REOPENED)

    # ---------------------------------------------------------------------------------------------------------- inside
    async def _done(self, call: AdminCall, deed: Awaitable[CaseView], notice: str) -> AdminAnswer:
        try:
            await deed
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._one(call, fault)
        return WayOn(f"{CASES}/{call.id('case')}", notice)

    async def _one(self, call: AdminCall, fault: AppError | None = None) -> Page:
        values = {
            "case": await self._cases.one(call.actor, call.id("case")),
            "states": texts.STATES,
            "tags": texts.STATE_TAGS,
            "stages": texts.STAGES,
            "steps": texts.STEPS,
            "sources": texts.SOURCES,
            "source_choices": [(each.value, words) for each, words in texts.SOURCES.items()],
            "talks": texts.TALKS,
            "endings": texts.ENDINGS,
            "given": call.form,
            "longest": MOST_WORDS,
            "fault": fault.message if fault else "",
        }
        return Page("term_check/case.html", values, 422 if fault else 200)


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise CaseInvalid(texts.BAD_DATE) from None
