"""Pages of the letter to parents: which classes, the sheets to print, and the way back from a slip."""

from __future__ import annotations

from typing import Final

from bot.rights import Action
from bot.web.admin import PREFIX, AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.accounts.service.codes import spelled
from handlers.after_school.admin.collection import TALLY
from handlers.after_school.admin.wording import WORDS
from handlers.after_school.service.offering.letters import LetterService
from handlers.after_school.texts import offering as texts

LETTERS: Final = "/after-school/letters"
_PLAN: Final = LETTERS + "/{plan}"
_CLASS: Final = _PLAN + "/classes/{class_id}"
_SLIPS: Final = "/after-school/slips"


class LetterPages:
    """The handlers."""

    def __init__(self, letters: LetterService, public_url: str) -> None:
        self._letters = letters
        self._public_url = public_url

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        enter = Action.TALLY_ENTER
        return (
            AdminRoute(method="GET", path=LETTERS, action=enter, handle=self.plans, menu=texts.LETTERS_MENU),
            AdminRoute(method="GET", path=_PLAN, action=enter, handle=self.rooms),
            AdminRoute(method="POST", path=_CLASS, action=enter, handle=self.letters),
            AdminRoute(method="GET", path=_SLIPS, action=enter, handle=self.find),
            AdminRoute(method="GET", path=_SLIPS + "/{code}", action=enter, handle=self.slip),
        )

    async def plans(self, call: AdminCall) -> AdminAnswer:
        """What letters can be about; with only one plan, straight to it."""
        plans = await self._letters.plans(call.actor)
        if len(plans) == 1:
            return WayOn(f"{LETTERS}/{plans[0].id}")
        return Page("after_school/offering_letter_plans.html", {"plans": plans, "words": WORDS})

    async def rooms(self, call: AdminCall) -> AdminAnswer:
        """For which class."""
        plan, rooms = await self._letters.rooms(call.actor, call.id("plan"))
        is_open = plan.state.value == "published"
        return Page("after_school/offering_letter_rooms.html", {"plan": plan, "rooms": rooms, "is_open": is_open})

    async def letters(self, call: AdminCall) -> AdminAnswer:
        """The sheets, one for each child."""
        found = await self._letters.letters(call.actor, call.id("plan"), call.id("class_id"))
        values = {
            "found": found,
            "sheet": found.sheet,
            "slips": [
                (each.seat, spelled(each.code), f"{self._public_url}{PREFIX}{_SLIPS}/{each.code}")
                for each in found.letters
            ],
            "fees_url": f"{self._public_url}/p/after-school/{found.sheet.id}/fees",
            "words": WORDS,
            "pays": any(line.is_paid_by_families for line in found.lines),
        }
        return Page("after_school/offering_letter.html", values)

    async def find(self, call: AdminCall) -> AdminAnswer:
        """By the code on the slip, for who cannot scan it."""
        said = call.query.get("code", "").strip()
        return await self._way_on(call, said) if said else Page("after_school/offering_slip.html")

    async def slip(self, call: AdminCall) -> AdminAnswer:
        """From the paper to the page on which it is entered."""
        return await self._way_on(call, call.path["code"])

    async def _way_on(self, call: AdminCall, said: str) -> AdminAnswer:
        plan, child = await self._letters.resolve(call.actor, said)
        return WayOn(f"{TALLY}/{plan}/children/{child}")
