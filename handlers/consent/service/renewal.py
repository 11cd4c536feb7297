"""Asking anew: which families gave their consent to a notice that has changed since, and when they were last told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from bot.capability import DueForRetention
from bot.clock import SHANGHAI, Clock
from bot.identity import IdentityProvider
from handlers.consent import texts
from handlers.consent.domain.decisions import covers
from handlers.consent.models import Reminder
from handlers.consent.service.consents import ConsentService

CONSENT_DUE: Final = "consent_due"
TOLD_AGAIN_AFTER: Final = timedelta(days=7)
KEPT_FOR: Final = timedelta(days=90)
_SUBJECT: Final = "consent_reminder"


class Renewal:
    """Knows whom to ask. A `ProfileSource`: the chat reads it from what it knows about a person. Also the
    `RetentionSource` of what it remembers."""

    def __init__(self, consents: ConsentService, identity: IdentityProvider, clock: Clock) -> None:
        self._consents = consents
        self._identity = identity
        self._clock = clock

    async def profile_of(self, openid_index: str) -> Mapping[str, str]:
        """`CONSENT_DUE` for somebody who has to be asked anew for any child, and was not told so lately."""
        actor = await self._identity.actor_of(openid_index)
        if actor.person_id is None or not await self._is_due(actor.person_id):
            return {}
        return {CONSENT_DUE: "1"}

    async def take(self, person_id: str) -> bool:
        """Whether to tell a person now; if so it counts as told, in the caller's transaction."""
        if not await self._is_due(person_id):
            return False
        now = self._clock.now()
        row = Reminder(
            person_id=UUID(person_id),
            notice_version=self._consents.notice.version,
            told_at=now,
            created_at=now,
            updated_at=now,
        )
        changed = ["notice_version", "told_at", "updated_at"]
        await Reminder.bulk_create([row], on_conflict=["person_id"], update_fields=changed)
        return True

    async def due(self, today: date) -> Sequence[DueForRetention]:
        """Reminders nobody needs any more, all as one."""
        count = await Reminder.filter(told_at__lt=_before(today)).count()
        what = texts.RETENTION_REMINDERS.format(count=count)
        return [DueForRetention(f"{_SUBJECT}:{today.isoformat()}", what, today)] if count else []

    async def dispose(self, due: DueForRetention) -> None:
        """They go."""
        await Reminder.filter(told_at__lt=_before(due.due_on)).delete()

    async def _is_due(self, person_id: str) -> bool:
        if not await self._consents.to_ask(person_id):
            return False
        told = await Reminder.get_or_none(person_id=UUID(person_id))
        if told is None or not covers(told.notice_version, self._consents.notice.version):
            return True
        return told.told_at + TOLD_AGAIN_AFTER <= self._clock.now()


def _before(today: date) -> datetime:
    return datetime.combine(today, time(), SHANGHAI) - KEPT_FOR
