"""Who stands on which step for an alarm, and their telephone numbers."""

from __future__ import annotations

from collections.abc import Sequence

from bot.rights import Subject
from handlers.accounts.domain import APPOINTMENT_WORDS, AppointmentKind
from handlers.accounts.service.offices import Holder, Offices
from handlers.alarms import texts
from handlers.alarms.domain import Number, ladder_of
from handlers.alarms.models import AlarmRow


class Ladder:
    """Over the charges of today."""

    def __init__(self, offices: Offices) -> None:
        self._offices = offices

    async def people(self, row: AlarmRow, level: int) -> list[str]:
        """The persons of a step, each once; never the one who raised it, who knows already."""
        found = [holder.person_id for holder in await self.holders(row, ladder_of(row.kind)[level])]
        if level == 0:
            found += row.on_duty
        raiser = str(row.raised_by) if row.raised_by else None
        return [person for person in dict.fromkeys(found) if person != raiser]

    async def holders(self, row: AlarmRow, kind: AppointmentKind) -> list[Holder]:
        """Who holds the charge where it happened. Where nobody knows in which township that is: of all."""
        if kind is AppointmentKind.TOWNSHIP_ADMINISTRATOR and row.township_id is None:
            held = await self._offices.holders_of(kind, await self._offices.townships())
            return [holder for holders in held.values() for holder in holders]
        return await self._offices.holders(kind, subject_of(row))

    async def numbers(self, row: AlarmRow) -> list[Number]:
        """Everybody on the ladder who has a telephone, in its order, after whoever raised it."""
        found = [Number(texts.RAISER, *one) for one in await self._callers([row.raised_by] if row.raised_by else [])]
        found += [Number(texts.ON_DUTY, *one) for one in await self._callers(row.on_duty)]
        for kind in ladder_of(row.kind):
            role = APPOINTMENT_WORDS[kind]
            found += [Number(role, one.name, one.phone) for one in await self.holders(row, kind) if one.phone]
        seen: set[str] = set()
        return [one for one in found if not (one.phone in seen or seen.add(one.phone))]  # type: ignore[func-returns-value]

    async def _callers(self, ids: Sequence[object]) -> list[tuple[str, str]]:
        people = await self._offices.people([str(each) for each in ids])
        return [(one.name, one.phone) for one in people.values() if one.phone]


def subject_of(row: AlarmRow, person_id: str | None = None) -> Subject:
    """Whose affair an alarm is. `person_id`: somebody who is named in it."""

    def plain(own: object) -> str | None:
        return str(own) if own else None

    return Subject(
        person_id=person_id,
        child_id=plain(row.child_id),
        class_id=plain(row.class_id),
        school_id=plain(row.school_id),
        township_id=plain(row.township_id),
    )
