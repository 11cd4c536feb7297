"""The page of what a township sets."""

from __future__ import annotations

from datetime import date

from bot.errors import NotFound
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.term_check import texts
from handlers.term_check.domain.rules import SUGGESTED, CheckRuleInvalid, Ladder, Limits, in_percent, thousandths
from handlers.term_check.service.rules import RULES, CheckRules, NewRule


class RulePages:
    """The handlers."""

    def __init__(self, rules: CheckRules) -> None:
        self._rules = rules

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        own = Action.CHECK_RULES
        return (
            AdminRoute(method="GET", path=RULES, action=own, handle=self.rules),
            AdminRoute(method="POST", path=RULES, action=own, handle=self.set),
        )

    async def rules(self, call: AdminCall) -> AdminAnswer:
        """What holds, what comes, what was."""
        return await self._page(call)

    async def set(self, call: AdminCall) -> AdminAnswer:
        """A rule from a day on."""
        township = await self._township(call)
        try:
            new = NewRule(
                since=_day(call.form.get("since", "")),
                ladder=Ladder(*(_number(call.form.get(name, "")) for name in ("school", "centre", "town"))),
                limits=Limits(*(thousandths(call.form.get(name, "")) for name in ("primary", "junior"))),
                clause=call.form.get("clause", ""),
                centre_school_id=call.form.get("centre_school") or None,
            )
            await self._rules.set(call.actor, township, new)
        except CheckRuleInvalid as fault:
            return await self._page(call, fault)
        return WayOn(RULES, texts.RULE_SET.format(day=new.since.isoformat()))

    async def _page(self, call: AdminCall, fault: CheckRuleInvalid | None = None) -> Page:
        townships, township = await self._rules.townships(call.actor), await self._township(call)
        ladder, limits = SUGGESTED
        values = {
            "rows": await self._rules.rules(call.actor, township),
            "schools": await self._rules.schools(call.actor, township),
            "townships": list(townships.items()),
            "township": township,
            "percent": in_percent,
            "suggested": {
                "school": ladder.school_after, "centre": ladder.centre_after, "town": ladder.township_after,
                "primary": in_percent(limits.primary), "junior": in_percent(limits.junior),
            },
            "given": call.form,
            "fault": fault.message if fault else "",
        }  # fmt: skip
        return Page("term_check/rules.html", values, 422 if fault else 200)

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
        raise CheckRuleInvalid(texts.BAD_DATE) from None


def _number(text: str) -> int:
    if not text.strip().isdecimal() or len(text.strip()) > 3:
        raise CheckRuleInvalid
    return int(text)
