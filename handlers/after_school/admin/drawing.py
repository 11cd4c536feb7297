"""The page of a plan's draws: what one would be held over, holding it, and those that were held."""

from __future__ import annotations

from typing import Final

from bot.rights import Action, may
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.after_school.admin.plans import PLAN, PLANS
from handlers.after_school.admin.wording import WORDS
from handlers.after_school.service.drawing.holding import DrawingService
from handlers.after_school.service.drawing.reading import DrawReading
from handlers.after_school.service.offering.drafting import Drafting
from handlers.after_school.texts import drawing as texts

_DRAW: Final = PLAN + "/draw"


class DrawPages:
    """The handlers."""

    def __init__(self, drafting: Drafting, draws: DrawReading, drawing: DrawingService) -> None:
        self._drafting = drafting
        self._draws = draws
        self._drawing = drawing

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        return (
            AdminRoute(method="GET", path=_DRAW, action=Action.SERVICE_PLAN, handle=self.one),
            AdminRoute(method="POST", path=_DRAW, action=Action.SERVICE_PUBLISH, handle=self.hold),
        )

    async def one(self, call: AdminCall) -> AdminAnswer:
        """How it stands, and what the button would do."""
        sheet = await self._drafting.sheet(call.actor, call.id("plan"))
        values = {
            "sheet": sheet,
            "standing": await self._draws.standing(call.actor, sheet.id),
            "can_hold": may(call.actor, Action.SERVICE_PUBLISH),
            "rule": texts.RULE,
            "words": WORDS,
        }
        return Page("after_school/drawing_plan.html", values)

    async def hold(self, call: AdminCall) -> AdminAnswer:
        """Held once: whoever sends it again is told that nobody waits."""
        held = await self._drawing.hold(call.actor, call.id("plan"))
        said = texts.NOTHING_WAITS if held is None else texts.HELD.format(children=held.children, lucky=held.lucky)
        return WayOn(f"{PLANS}/{call.id('plan')}/draw", said)
