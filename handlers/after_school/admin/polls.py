"""The page of the poll and of the figures for the yearly appraisal."""

from __future__ import annotations

from datetime import date
from typing import Final

from bot.errors import AppError, InvalidInput
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.after_school.domain.polls import PollInvalid
from handlers.after_school.service.months.polls import PollService
from handlers.after_school.texts import polls as texts

_ONE: Final = "/after-school/appraisal/{plan}"


class PollPages:
    """The handlers."""

    def __init__(self, polls: PollService) -> None:
        self._polls = polls

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        action = Action.SERVICE_APPRAISE
        return (
            AdminRoute(method="GET", path=_ONE, action=action, handle=self.figures),
            AdminRoute(method="POST", path=_ONE + "/poll", action=action, handle=self.open),
        )

    async def figures(self, call: AdminCall) -> AdminAnswer:
        """The figures and what they mean."""
        return await self._page(call)

    async def open(self, call: AdminCall) -> AdminAnswer:
        """Families are asked."""
        plan = call.id("plan")
        try:
            day = _day(call.form.get("last_day", ""))
            await self._polls.open(call.actor, plan, day)
        except InvalidInput as fault:
            return await self._page(call, fault)
        return WayOn(_ONE.format(plan=plan), texts.OPENED.format(day=day.isoformat()))

    async def _page(self, call: AdminCall, fault: AppError | None = None) -> Page:
        plan = call.id("plan")
        figures, results = await self._polls.figures(call.actor, plan), await self._polls.results(call.actor, plan)
        values = {
            "plan": plan,
            "figures": figures,
            "results": results,
            "choices": texts.CHOICES,
            "few": texts.FEW,
            "fault": fault.message if fault else "",
        }
        return Page("after_school/months_appraisal.html", values, 422 if fault else 200)


def _day(text: str) -> date:
    """Raises PollInvalid."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise PollInvalid from None
