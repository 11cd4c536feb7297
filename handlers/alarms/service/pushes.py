"""The words of an alarm's messages: to look at once, and where. Nothing else goes to a telephone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.delivery.pushes import Composed, NotNeeded, NotYet, Push, Slot
from handlers.alarms import texts
from handlers.alarms.domain import LIVE, AlarmState
from handlers.alarms.models import AlarmRow
from handlers.alarms.service.climbing import FAMILY
from handlers.alarms.service.ladder import Ladder
from handlers.alarms.service.sheets import PAGE


class AlarmPushes:
    """A `PushSource`."""

    def __init__(self, ladder: Ladder) -> None:
        self._ladder = ladder

    async def compose(self, pushes: Sequence[Push], now: datetime) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """See `PushSource`. Staff need not be told of what somebody has taken on; the family, of what is closed."""
        rows = {row.id: row for row in await AlarmRow.filter(id__in=[int(push.occurrence) for push in pushes])}
        found: dict[str, Composed | NotNeeded | NotYet] = {}
        for push in pushes:
            row = rows.get(int(push.occurrence))
            is_family = push.reason == FAMILY
            if row is None or row.state not in (LIVE if is_family else (AlarmState.OPEN,)):
                found[push.id] = NotNeeded(row.state.value if row else "gone")
            else:
                found[push.id] = await self._to_family(row) if is_family else _to_staff(row)
        return found

    async def _to_family(self, row: AlarmRow) -> Composed:
        number = next(iter(await self._ladder.numbers(row)), None)
        text = texts.PUSH_FAMILY_NO_PHONE
        if number is not None:
            text = texts.PUSH_FAMILY.format(name=number.name, phone=number.phone)
        return Composed(text=text, line=texts.LINE_FAMILY, slots=_slots(row, texts.NOTE_FAMILY))


def _to_staff(row: AlarmRow) -> Composed:
    return Composed(
        text=texts.PUSH.format(number=row.id),
        line=texts.LINE.format(number=row.id),
        slots=_slots(row, texts.NOTE.format(number=row.id)),
        path=f"/admin{PAGE}/{row.key}",
    )


def _slots(row: AlarmRow, note: str) -> Mapping[Slot, str | datetime]:
    return {
        Slot.SUBJECT: texts.SUBJECT,
        Slot.WHEN: row.raised_at,
        Slot.SENDER: texts.SENDER,
        Slot.NOTE: note,
    }
