"""Console pages of what the township sets: its rules for each kind of hardship, and the official lists."""

from __future__ import annotations

from datetime import date
from typing import Final

from bot.errors import AppError, NotFound
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.after_school.domain.waivers import HARDSHIPS, WaiverInvalid
from handlers.after_school.service.waivers.rules import NewList, NewRule, WaiverRules
from handlers.after_school.texts import waivers as texts

RULES: Final = "/waiver-rules"
LISTS: Final = "/waiver-lists"
_FIELD: Final = "list"


class WaiverRulePages:
    """The handlers."""

    def __init__(self, rules: WaiverRules) -> None:
        self._rules = rules

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        action = Action.WAIVER_LISTS
        return (
            AdminRoute(method="GET", path=RULES, action=action, handle=self.rules),
            AdminRoute(method="POST", path=RULES, action=action, handle=self.set),
            AdminRoute(method="POST", path=RULES + "/stop", action=action, handle=self.stop),
            AdminRoute(method="GET", path=LISTS, action=action, handle=self.lists),
            AdminRoute(method="POST", path=LISTS, action=action, handle=self.bring_in, takes_files=True),
            AdminRoute(method="POST", path=LISTS + "/{list}/undo", action=action, handle=self.undo),
        )

    # ----------------------------------------------------------------------------------------------------------- rules
    async def rules(self, call: AdminCall) -> AdminAnswer:
        """All kinds, with what the township does for each."""
        return await self._rules_page(call)

    async def set(self, call: AdminCall) -> AdminAnswer:
        """A rule from a day on."""
        try:
            new = NewRule(
                code=call.form.get("code", ""),
                percent=_number(call.form.get("percent", "")),
                since=_day(call.form.get("since", "")),
                clause=call.form.get("clause", ""),
                evidence=call.form.get("evidence", ""),
            )
            await self._rules.set(call.actor, await self._township(call), new)
        except WaiverInvalid as fault:
            return await self._rules_page(call, fault)
        return WayOn(RULES, texts.RULE_SET.format(day=new.since.isoformat()))

    async def stop(self, call: AdminCall) -> AdminAnswer:
        """No more from tomorrow on."""
        try:
            await self._rules.stop(call.actor, await self._township(call), call.form.get("code", ""))
        except WaiverInvalid as fault:
            return await self._rules_page(call, fault)
        return WayOn(RULES, texts.RULE_STOPPED)

    async def _rules_page(self, call: AdminCall, fault: AppError | None = None) -> Page:
        townships = await self._rules.townships(call.actor)
        township = await self._township(call)
        values = {
            "rows": await self._rules.categories(call.actor, township),
            "kinds": [(each.code, each.title) for each in HARDSHIPS],
            "townships": list(townships.items()),
            "township": township,
            "given": call.form,
            "fault": fault.message if fault else "",
        }
        return Page("after_school/waivers_rules.html", values, 422 if fault else 200)

    # ----------------------------------------------------------------------------------------------------------- lists
    async def lists(self, call: AdminCall) -> AdminAnswer:
        """What was brought in."""
        return await self._lists_page(call)

    async def bring_in(self, call: AdminCall) -> AdminAnswer:
        """A workbook from the office; of it only fingerprints are kept."""
        upload = call.files.get(_FIELD)
        try:
            if upload is None or not upload.content:
                raise WaiverInvalid(texts.NO_FILE)
            new = NewList(call.form.get("code", ""), _day(call.form.get("since", "")), _day(call.form.get("until", "")))
            found = await self._rules.bring_in(call.actor, await self._township(call), new, upload.content)
        except AppError as fault:
            if fault.denial is not None:
                raise
            return await self._lists_page(call, fault)
        said = texts.LIST_BROUGHT.format(rows=found.rows, known=found.known, unreadable=found.unreadable)
        return WayOn(LISTS, said)

    async def undo(self, call: AdminCall) -> AdminAnswer:
        """It counts no longer."""
        try:
            await self._rules.undo(call.actor, call.id("list"))
        except WaiverInvalid as fault:
            return await self._lists_page(call, fault)
        return WayOn(LISTS, texts.LIST_GONE)

    async def _lists_page(self, call: AdminCall, fault: AppError | None = None) -> Page:
        townships = await self._rules.townships(call.actor)
        township = await self._township(call)
        values = {
            "rows": await self._rules.lists(call.actor, township),
            "kinds": [(each.code, each.title) for each in HARDSHIPS if each.has_list],
            "townships": list(townships.items()),
            "township": township,
            "given": call.form,
            "fault": fault.message if fault else "",
        }
        return Page("after_school/waivers_lists.html", values, 422 if fault else 200)

    async def _township(self, call: AdminCall) -> str:
        """The one that is named, else the first of the actor's. Raises NotFound."""
        townships = await self._rules.townships(call.actor)
        named = call.form.get("township") or call.query.get("township") or next(iter(townships), "")
        if named not in townships:
            raise NotFound
        return named


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise WaiverInvalid(texts.NOT_A_DATE) from None


def _number(text: str) -> int:
    if not text.strip().isdecimal() or len(text.strip()) > 3:
        raise WaiverInvalid(texts.BAD_PERCENT)
    return int(text)
