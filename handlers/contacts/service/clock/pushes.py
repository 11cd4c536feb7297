"""The words of the clock: how many are due and where to look. No child, no group, no reason stands in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from bot.clock import local_date
from bot.delivery.pushes import Composed, NotNeeded, NotYet, Push, Slot
from handlers.contacts.domain.stages import Part, messages_of
from handlers.contacts.domain.suppression import is_small
from handlers.contacts.service.clock.piles import Overdue, Pile, Piles, piles_of
from handlers.contacts.service.clock.telling import day_of, number_of
from handlers.contacts.texts import clock as texts

PATHS: Final[Mapping[Part, str]] = {
    Part.OWN: "/admin/contacts/today",
    Part.LEAD: "/admin/contacts/overview",
    Part.LEADER: "/admin/contacts/figures",
    Part.NOBODY: "/admin/contacts/figures",
}
"""Where a part is dealt with: a page whoever is told of it may open."""
_MOST_NAMED: Final = 5


class ClockPushes:
    """A `PushSource`: what is on the pile when the message goes out."""

    def __init__(self, piles: Piles) -> None:
        self._piles = piles

    async def compose(self, pushes: Sequence[Push], now: datetime) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """See `PushSource`. Who has made contact meanwhile hears nothing."""
        today = local_date(now)
        overdue = await self._piles.overdue(today)
        piles, names = piles_of(overdue), await self._piles.names(overdue)
        found: dict[str, Composed | NotNeeded | NotYet] = {}
        for push in pushes:
            pile = piles.get(str(UUID(push.person_id)), Pile())
            messages = messages_of(set(pile.parts), pile.daily_cap)
            if day_of(push) != today:
                found[push.id] = NotNeeded("past")
            elif number_of(push) > len(messages):
                found[push.id] = NotNeeded("done")
            else:
                found[push.id] = _composed(pile, messages[number_of(push) - 1], names, today)
        return found


def _composed(pile: Pile, parts: Sequence[Part], names: Mapping[str, str], today: date) -> Composed:
    said = "".join(_SAID[part](pile.parts[part], names, today) for part in parts)
    slots: dict[Slot, str | date | datetime] = {
        Slot.SUBJECT: texts.SUBJECT,
        Slot.WHEN: today,
        Slot.SENDER: texts.SENDER,
        Slot.NOTE: texts.NOTE,
    }
    return Composed(text=said, line=said, slots=slots, path=PATHS[parts[0]])


def _own(children: Sequence[Overdue], _names: Mapping[str, str], today: date) -> str:
    fresh = sum(each.due_on == today for each in children)
    late = len(children) - fresh
    words = texts.OWN_BOTH if fresh and late else texts.OWN_TODAY if fresh else texts.OWN_LATE
    return words.format(today=fresh, late=late)


def _lead(children: Sequence[Overdue], names: Mapping[str, str], _today: date) -> str:
    return texts.LEAD.format(count=len(children), by=_by(children, names))


def _by(children: Sequence[Overdue], names: Mapping[str, str]) -> str:
    """How many each of those has who keep contact, the most first: 王芳3位、李明1位."""
    keeping = (next((person for person in each.answerable.keepers if person in names), "") for each in children)
    counts = Counter(keeping)
    nobody = counts.pop("", 0)
    ordered = sorted(counts.items(), key=lambda one: (-one[1], names[one[0]], one[0]))
    said = [texts.BY.format(name=names[person], count=count) for person, count in ordered[:_MOST_NAMED]]
    if more := sum(count for _, count in ordered[_MOST_NAMED:]):
        said.append(texts.BY_MORE.format(count=more))
    if nobody:
        said.append(texts.BY_NOBODY.format(count=nobody))
    return texts.COMMA.join(said)


def _leader(children: Sequence[Overdue], _names: Mapping[str, str], _today: date) -> str:
    # As on the page of figures, a number that tells of a child is not told.
    return texts.LEADER_FEW if is_small(len(children)) else texts.LEADER.format(count=len(children))


def _nobody(_children: Sequence[Overdue], _names: Mapping[str, str], _today: date) -> str:
    return texts.NOBODY


_SAID: Final[Mapping[Part, Callable[[Sequence[Overdue], Mapping[str, str], date], str]]] = {
    Part.OWN: _own,
    Part.LEAD: _lead,
    Part.LEADER: _leader,
    Part.NOBODY: _nobody,
}
