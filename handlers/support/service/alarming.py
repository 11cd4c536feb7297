"""A danger told in the chat becomes an alarm: named people are told one after another until somebody answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.clock import Clock
from bot.identity import Actor
from handlers.accounts.service.offices import Offices
from handlers.alarms.domain import AlarmKind, AlarmSource, NewAlarm
from handlers.alarms.service.alarms import AlarmService
from handlers.support.domain import HandOver
from handlers.support.service.duty import DutyRoster

# What the guard recognises, as the alarm it makes; anything else is another one.
KINDS: Final[Mapping[str, AlarmKind]] = {
    "self_harm": AlarmKind.CRISIS,
    "medical": AlarmKind.CRISIS,
    "missing": AlarmKind.MISSING_CHILD,
    "abuse": AlarmKind.MANDATORY_REPORT,
    "sexual": AlarmKind.MANDATORY_REPORT,
    "neglect": AlarmKind.MANDATORY_REPORT,
    "labour": AlarmKind.MANDATORY_REPORT,
    "bullying": AlarmKind.OTHER,
}


class Alarming:
    """Between hand-overs and alarms; runs in the transaction of the hand-over."""

    def __init__(self, alarms: AlarmService, offices: Offices, roster: DutyRoster, clock: Clock) -> None:
        self._alarms = alarms
        self._offices = offices
        self._roster = roster
        self._clock = clock

    async def raise_for(self, actor: Actor, matter: HandOver, again: str = "") -> frozenset[str]:
        """Raises an alarm for an urgent matter; gives the indexes of those on duty whom it tells, who need no letter.

        `again` tells a further alarm of the same matter apart: the one before was closed.
        """
        indexes = [owner.index for owner in self._roster.owners]
        persons = await self._offices.persons_behind(indexes)
        raised = await self._alarms.raise_alarm(
            actor,
            NewAlarm(
                kind=KINDS.get(matter.alarm or "", AlarmKind.OTHER),
                source=AlarmSource.CHAT,
                reference=_reference(matter.number) + again,
                said=matter.text,
                where=matter.place or "",
                hand_over=matter.number,
                raiser_index=actor.openid_index,
                on_duty=tuple(persons.values()),
                letters=len(indexes) - len(persons),
            ),
        )
        return frozenset(index for index, person in persons.items() if person in raised.told)

    async def add(self, actor: Actor, matter: HandOver, text: str) -> None:
        """More was said about an urgent matter; a new alarm when the last one is closed."""
        if not await self._alarms.add(_reference(matter.number), text):
            await self.raise_for(actor, matter, again=f":{self._clock.now().timestamp():.0f}")

    async def taken_on(self, actor: Actor, number: int) -> None:
        """Somebody on duty has the matter in hand: nobody further is told."""
        await self._alarms.acknowledge_reference(actor, _reference(number))


def _reference(number: int) -> str:
    """Names the alarm of a matter."""
    return f"support:{number}"
