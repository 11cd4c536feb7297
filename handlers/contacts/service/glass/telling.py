"""Telling whoever watches that somebody looks past what is theirs: promised in the transaction that opens it, sent at
once at any hour, and to the next ones where nobody can be reached. No child and no reason stands in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from bot.clock import Clock, to_local
from bot.delivery.outbox import DeliveryStatus, Outbox
from bot.delivery.pushes import Composed, NewPush, NotNeeded, NotYet, Purpose, Push, PushClass, Slot
from bot.logs import get_logger
from handlers.accounts.service.offices import Offices
from handlers.contacts.models import ContactsGlass
from handlers.contacts.service.glass.rows import watchers_of
from handlers.contacts.texts import glass as texts

SOURCE: Final = "contacts_glass"
REASON: Final = f"{SOURCE}:opened"
PATH: Final = "/contacts/glasses"
_LASTS: Final = timedelta(days=3)
_LOST: Final = frozenset({DeliveryStatus.UNREACHABLE, DeliveryStatus.FAILED, DeliveryStatus.EXPIRED})
_log = get_logger(__name__)


class GlassTelling:
    """A `PushSource` and an `UnreachableListener`."""

    def __init__(self, offices: Offices, outbox: Outbox, clock: Clock) -> None:
        self._offices = offices
        self._outbox = outbox
        self._clock = clock

    async def tell(self, glass_id: UUID, people: Collection[str]) -> None:
        """Promises it to them, in the caller's transaction."""
        now = self._clock.now()
        await self._outbox.promise(
            [
                NewPush(
                    reason=REASON, occurrence=str(glass_id), person_id=person, rule=SOURCE, purpose=Purpose.TASK,
                    not_before=now, expires_at=now + _LASTS, push_class=PushClass.URGENT,
                )
                for person in sorted(people)
            ]
        )  # fmt: skip

    async def told(self, glass_id: UUID) -> frozenset[str]:
        """Everybody to whom it was promised so far."""
        return frozenset(str(UUID(person)) for person in await self._outbox.reached(REASON, str(glass_id)))

    async def compose(self, pushes: Sequence[Push], now: datetime) -> Mapping[str, Composed | NotNeeded | NotYet]:
        """See `PushSource`. What somebody has confirmed meanwhile is not said any more."""
        rows = await ContactsGlass.filter(id__in=[UUID(push.occurrence) for push in pushes])
        known = {str(row.id): row for row in rows}
        return {push.id: _composed(known.get(push.occurrence)) for push in pushes}

    async def could_not_reach(self, pushes: Sequence[Push], why: str) -> None:
        """See `UnreachableListener`: once none of those who were told heard of it, the next ones are."""
        for push in pushes:
            if push.reason != REASON:
                continue
            row = await ContactsGlass.filter(id=UUID(push.occurrence), seen_at__isnull=True).first()
            told = await self._outbox.reached(REASON, push.occurrence)
            lost = {person for person, state in told.items() if state.status in _LOST} | {str(UUID(push.person_id))}
            if row is None or not lost >= {str(UUID(person)) for person in told}:
                continue
            place = await self._offices.subject(school_id=str(row.school_id))
            following = await watchers_of(self._offices, place, str(row.person_id), lost)
            if following:
                await self.tell(row.id, following)
            else:
                _log.error("contacts_glass_untold", why=why)


def _composed(row: ContactsGlass | None) -> Composed | NotNeeded:
    if row is None:
        return NotNeeded("gone")
    if row.seen_at is not None:
        return NotNeeded("seen")
    said = texts.OPENED.format(when=f"{to_local(row.at):%m月%d日%H:%M}")
    slots: dict[Slot, str | date | datetime] = {
        Slot.SUBJECT: texts.SUBJECT,
        Slot.WHEN: row.at,
        Slot.SENDER: texts.SENDER,
        Slot.NOTE: texts.NOTE,
    }
    return Composed(text=said, line=said, slots=slots, path=f"/admin{PATH}")
