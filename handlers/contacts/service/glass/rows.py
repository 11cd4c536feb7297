"""Where those who watch over a glass are found."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from bot.rights import Subject
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.service.offices import Offices
from handlers.contacts.domain.glass import watchers

_LEVELS: Final = (
    AppointmentKind.PROTECTION_LEAD,
    AppointmentKind.SCHOOL_LEADER,
    AppointmentKind.TOWNSHIP_ADMINISTRATOR,
)


async def watchers_of(offices: Offices, place: Subject, opener: str, told: Collection[str] = ()) -> tuple[str, ...]:
    """Who watches over a glass somebody opened at a place, as of today."""
    levels = [[each.person_id for each in await offices.holders(kind, place)] for kind in _LEVELS]
    return watchers(opener, levels, told)
