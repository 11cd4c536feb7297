"""For how long: the terms a waiver may be granted for, and how long its papers are kept."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, timedelta
from typing import Final

from handlers.after_school.domain.waivers import Span, WaiverInvalid, terms_to_grant
from handlers.after_school.texts import waivers as texts
from handlers.calendar.domain import Term
from handlers.calendar.service.calendars import CalendarService

_YEAR: Final = re.compile(r"20\d\d")
APPEAL_KEPT: Final = timedelta(days=180)
"""An appeal is heard long before that; should it not be, the papers go all the same."""
DRAFT_KEPT_DAYS: Final = 60
CLOSED_KEPT_DAYS: Final = 1095


async def choices(calendars: CalendarService, school_id: str, today: date) -> list[Span]:
    """The terms of a school's calendar that are not over. A name without its year comes back every year, so it gets
    one."""
    calendar = await calendars.of(school_id)
    spans = [Span(_dated(each), each.first_day, each.last_day) for each in calendar.terms]
    return terms_to_grant(spans, today)


def _dated(term: Term) -> str:
    return term.name if _YEAR.search(term.name) else texts.TERM.format(year=term.first_day.year, name=term.name)


def chosen(spans: Collection[Span], names: Collection[str]) -> list[Span]:
    """Those of the names, in order. Raises WaiverInvalid for a name that is not among them."""
    by_name = {each.name: each for each in spans}
    if not set(names) <= by_name.keys():
        raise WaiverInvalid(texts.NO_TERM)
    return sorted((by_name[name] for name in set(names)), key=lambda each: each.first_day)
