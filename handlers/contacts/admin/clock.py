"""Console page of how often contact is kept: the versions of the township's rule, and the next one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from bot.errors import AppError, InvalidInput, NotFound
from bot.rights import Action
from bot.web.admin import AdminAnswer, AdminCall, AdminRoute, Page, WayOn
from handlers.contacts.domain.clock import SUGGESTED, SUGGESTED_STAGES, Beat
from handlers.contacts.domain.register import Level
from handlers.contacts.service.clock.rules import FEWEST_TOLD, PAGE, ClockRules, NewClockRule
from handlers.contacts.service.clock.views import RuleChange
from handlers.contacts.texts import clock as texts

_STEPS: Final = ("teacher_grace", "lead_after", "leader_after")
_FIELDS: Final = (
    "since", "clause", *_STEPS, "daily_cap",
    *(f"{kind}_{level.value}" for level in Level for kind in ("contact", "visit")),
)  # fmt: skip
_MOST_DIGITS: Final = 4


class ClockRulePages:
    """The handlers."""

    def __init__(self, rules: ClockRules) -> None:
        self._rules = rules

    def routes(self) -> tuple[AdminRoute, ...]:
        """All of them."""
        action = Action.CONTACTS_RULES
        return (
            AdminRoute(method="GET", path=PAGE, action=action, handle=self.look, menu=texts.MENU_RULES),
            AdminRoute(method="POST", path=PAGE, action=action, handle=self.enact),
        )

    async def look(self, call: AdminCall) -> AdminAnswer:
        """What holds, what held, and an empty form: filled with a suggestion when somebody asks for one."""
        return await self._page(call, _suggestion() if call.query.get("suggest") else {})

    async def enact(self, call: AdminCall) -> AdminAnswer:
        """Shows what would change first; then it is the rule."""
        given = {name: call.form.get(name, "") for name in _FIELDS}
        try:
            new, township = _new(given), await self._township(call)
            if not call.form.get("sure"):
                return await self._page(call, given, change=await self._rules.preview(call.actor, township, new))
            await self._rules.enact(call.actor, township, new)
        except AppError as fault:
            if fault.denial is not None or isinstance(fault, NotFound):
                raise
            return await self._page(call, given, fault=fault)
        return WayOn(PAGE, texts.RULE_SET.format(day=new.since.isoformat()))

    async def _page(
        self,
        call: AdminCall,
        given: Mapping[str, str],
        *,
        change: RuleChange | None = None,
        fault: AppError | None = None,
    ) -> Page:
        townships, township = await self._rules.townships(call.actor), await self._township(call)
        values = {
            "versions": await self._rules.versions(call.actor, township),
            "levels": [(level.value, texts.LEVELS[level]) for level in Level],
            "townships": list(townships.items()),
            "township": township,
            "given": dict.fromkeys(_FIELDS, "") | dict(given),
            "is_suggested": bool(call.query.get("suggest")),
            "change": _in_words(change) if change else None,
            "fault": fault.message if fault else "",
        }
        return Page("contacts/clock_rules.html", values, 422 if fault else 200)

    async def _township(self, call: AdminCall) -> str:
        """The one that is named, else the first of the actor's. Raises NotFound."""
        townships = await self._rules.townships(call.actor)
        named = call.form.get("township") or call.query.get("township") or next(iter(townships), "")
        if named not in townships:
            raise NotFound
        return named


def _suggestion() -> dict[str, str]:
    found = dict(zip(_STEPS, map(str, SUGGESTED_STAGES), strict=True)) | {"daily_cap": "1"}
    for level, beat in SUGGESTED.items():
        found[f"contact_{level.value}"] = str(beat.contact_days)
        found[f"visit_{level.value}"] = str(beat.visit_days or "")
    return found


def _new(given: Mapping[str, str]) -> NewClockRule:
    first, second, third = (_number(given[name]) for name in _STEPS)
    return NewClockRule(
        since=_day(given["since"]),
        cadence={level: _beat(given, level) for level in Level},
        steps=(first, second, third),
        daily_cap=_number(given["daily_cap"]),
        clause=given["clause"],
    )


def _beat(given: Mapping[str, str], level: Level) -> Beat:
    visit = given[f"visit_{level.value}"].strip()
    return Beat(_number(given[f"contact_{level.value}"]), _number(visit) if visit else None)


def _number(text: str) -> int:
    if not text.strip().isdecimal() or len(text.strip()) > _MOST_DIGITS:
        raise InvalidInput(texts.NOT_A_NUMBER)
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInput(texts.NOT_A_DATE) from None


def _in_words(change: RuleChange) -> list[str]:
    counts = (change.children, change.due_at_once, change.sooner, change.later)
    return [line.format(count=_count(count)) for line, count in zip(texts.CHANGES, counts, strict=True)]


def _count(count: int | None) -> str:
    if count is None:
        return texts.FEW.format(least=FEWEST_TOLD)
    return texts.MANY.format(count=count) if count else texts.NONE
