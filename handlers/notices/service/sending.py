"""Sending notices: begun when due, finished when every promise has ended, said again, handed to people, closed.

A tick does what is due by the tables: two at once, a late one or one cut in the middle do the same as one. Nothing is
sent here: promises are written, and delivery keeps them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from tortoise.expressions import Q

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.delivery.outbox import DeliveryStatus, Outbox, Selected
from bot.delivery.pushes import NewPush, Purpose, PushClass
from bot.errors import AppError
from bot.identity import SYSTEM
from bot.logs import get_logger
from bot.rights import Action
from bot.storage.database import transaction
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.service.offices import Offices
from handlers.deliveries.service.lines import NOBODY_ON_ROSTER, HandList, NewLine
from handlers.notices.domain import LIVE, Confirmation, Deed, NoticeState, advance
from handlers.notices.models import Notice, NoticeChild
from handlers.notices.service.recipients import Recipients, everybody, keep_outcomes, unconfirmed
from handlers.notices.service.rows import reason_of, subject_of, target_of
from handlers.notices.service.waiting import children_waiting, families_of, nobody_to_tell

FIRST: Final = "first"
AGAIN: Final = "again"
ESCALATION: Final = "escalation"
CALL: Final = "call"
"""The occurrence under which families stand on the list of calls who have not confirmed."""
LIFE: Final = timedelta(days=7)
SHORTEST_LIFE: Final = timedelta(hours=1)
CLOSED_AFTER_DEADLINE: Final = timedelta(days=3)
CLOSED_AFTER: Final = timedelta(days=30)
_UNSETTLED: Final = frozenset({DeliveryStatus.PLANNED, DeliveryStatus.HELD, DeliveryStatus.SENDING})
# What may have been read in its old words: only these are corrected.
_TOLD: Final = frozenset({DeliveryStatus.SENT, DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN})

_log = get_logger(__name__)
Step = Callable[[Notice, datetime], Awaitable[None]]


class NoticeSender:
    """What the clock does to notices."""

    def __init__(
        self,
        recipients: Recipients,
        offices: Offices,
        hand_list: HandList,
        *,
        outbox: Outbox,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._recipients = recipients
        self._offices = offices
        self._hand_list = hand_list
        self._outbox = outbox
        self._audit = audit
        self._clock = clock

    async def tick(self) -> None:
        """Everything that is due now."""
        now = self._clock.now()
        is_due = Q(Q(send_at=None) | Q(send_at__lte=now), state=NoticeState.SCHEDULED)
        over = Q(deadline__lte=now - CLOSED_AFTER_DEADLINE) | Q(deadline=None, begun_at__lte=now - CLOSED_AFTER)
        await self._each(is_due, self._begin, now)
        await self._each(Q(state=NoticeState.SENDING, frozen_at=None), self._begin_correction, now)
        await self._each(Q(state=NoticeState.SENDING, frozen_at__not_isnull=True), self._finish, now)
        await self._each(Q(state__in=list(LIVE), next_reminder_at__lte=now), self._again, now)
        await self._each(Q(over, state__in=list(LIVE)), self._close, now)

    async def next_due(self) -> datetime | None:
        """The next moment at which a notice begins to go out, or goes out once more; None: none is waited for."""
        now = self._clock.now()
        begins = Notice.filter(state=NoticeState.SCHEDULED, send_at__gt=now).order_by("send_at").first()
        again = Notice.filter(state__in=list(LIVE), next_reminder_at__gt=now).order_by("next_reminder_at").first()
        moments = [row.send_at for row in [await begins] if row], [row.next_reminder_at for row in [await again] if row]
        return min((at for found in moments for at in found if at is not None), default=None)

    async def _each(self, which: Q, step: Step, now: datetime) -> None:
        """Each in a transaction of its own; one that another replica has in hand is left to it."""
        for notice_id in await Notice.filter(which).order_by("created_at").values_list("id", flat=True):
            try:
                async with transaction():
                    row = await Notice.filter(which, id=notice_id).select_for_update(skip_locked=True).first()
                    if row is not None:
                        await step(row, now)
            except AppError as error:
                _log.warning("notice_waits", notice=str(notice_id), cause=error.code)

    # --------------------------------------------------------------------------------------------------------- sending
    async def _begin(self, row: Notice, now: datetime) -> None:
        """Writes down who is told, and promises it to all of them in one statement. A correction only becomes known
        here: from now on whoever still waits for the original reads the new words in it."""
        if row.corrects is None:
            await self._recipients.freeze(row.id, target_of(row), local_date(now), now)
            await self._promise_first(row, "notice.first", now)
            await self._hand_over(row, await nobody_to_tell(row.id), FIRST, now)
            row.frozen_at = now
        await self._move(row, Deed.BEGIN, now, begun_at=now, next_reminder_at=_next_reminder(row, now))

    async def _begin_correction(self, row: Notice, now: datetime) -> None:
        """To exactly those who got the original in its old words, or may have. The original is over with that."""
        assert row.corrects is not None
        before = await Notice.filter(id=row.corrects).select_for_update().get()
        await self._recipients.copy(row.id, before.id, await self._told(before), now, is_material=row.is_material)
        await self._promise_first(row, "notice.correction", now)
        await Notice.filter(id=before.id).update(next_reminder_at=None, updated_at=now)
        row.frozen_at = now
        await row.save()

    async def _promise_first(self, row: Notice, rule: str, now: datetime) -> None:
        sql, values = everybody(row.id)
        await self._promise(row, sql, values, (FIRST, rule), now)

    async def _told(self, before: Notice) -> set[str]:
        found: set[str] = set()
        for occurrence in occurrences_of(before):
            states = await self._outbox.reached(reason_of(before.id), occurrence)
            found |= {person for person, state in states.items() if state.status in _TOLD}
        return found

    async def _finish(self, row: Notice, now: datetime) -> None:
        states = await self._outbox.reached(reason_of(row.id), FIRST)
        if all(state.status not in _UNSETTLED for state in states.values()):
            await self._move(row, Deed.FINISH, now, sent_at=now)

    async def _promise(self, row: Notice, sql: str, values: list[object], what: tuple[str, str], now: datetime) -> int:
        occurrence, rule = what
        return await self._outbox.promise_selected(
            Selected(
                sql=sql,
                parameters=values,
                reason=reason_of(row.id),
                occurrence=occurrence,
                rule=rule,
                purpose=Purpose.NOTICE,
                not_before=now,
                expires_at=_end_of(row, now),
                push_class=PushClass.URGENT if row.is_urgent else PushClass.NORMAL,
            )
        )

    # --------------------------------------------------------------------------------------------------------- chasing
    async def say_again(self, row: Notice, now: datetime) -> int:
        """One more send to those who have not confirmed, in the caller's transaction; gives how many."""
        sql, values = unconfirmed(row.id, row.who)
        number = row.reminded + 1
        promised = await self._promise(row, sql, values, (f"{AGAIN}-{number}", "notice.again"), now)
        following = now + timedelta(hours=row.remind_hours)
        row.update_from_dict({"reminded": number, "reminded_at": now, "next_reminder_at": following, "updated_at": now})
        await row.save()
        return promised

    async def _again(self, row: Notice, now: datetime) -> None:
        """Once more, until it was often enough: then people call. With the deadline, or when all is done, it stops."""
        waiting = await children_waiting(row)
        is_over = row.deadline is not None and row.deadline <= now
        if is_over or not waiting:
            row.next_reminder_at = None
            await row.save()
        elif row.reminded < row.remind_times:
            await self.say_again(row, now)
        else:
            await self._escalate(row, waiting, now)

    async def _escalate(self, row: Notice, waiting: set[str], now: datetime) -> None:
        """Each head teacher gets the families of the class to call; where there is none, whoever wrote the notice."""
        rooms = await NoticeChild.filter(notice_id=row.id, child_id__in=[UUID(each) for each in waiting]).values_list(
            "class_id", flat=True
        )
        classes = {str(each) for each in rooms if each is not None}
        holders = await self._offices.holders_of(AppointmentKind.HEAD_TEACHER, classes)
        owners = {holder.person_id for each in holders.values() for holder in each}
        if classes - set(holders) or not owners:
            owners.add(str(row.written_by))
        await self._outbox.promise(
            [
                NewPush(
                    reason=reason_of(row.id),
                    occurrence=ESCALATION,
                    person_id=owner,
                    rule="notice.escalation",
                    purpose=Purpose.TASK,
                    not_before=now,
                    expires_at=_end_of(row, now),
                )
                for owner in sorted(owners)
            ]
        )
        await self._hand_over(row, await families_of(row.id, waiting), CALL, now)
        row.update_from_dict({"escalated_at": now, "next_reminder_at": None, "updated_at": now})
        await row.save()

    async def _hand_over(self, row: Notice, families: Mapping[str, str | None], occurrence: str, now: datetime) -> None:
        """Puts families on the list of calls of their classes: by child whom to call, None for nobody on the roster."""
        await self._hand_list.add(
            [
                NewLine(
                    reason=reason_of(row.id),
                    occurrence=occurrence,
                    person_id=person,
                    child_id=child,
                    purpose=Purpose.NOTICE,
                    not_before=now,
                    expires_at=_end_of(row, now),
                    rule=f"notice.{occurrence}",
                    why=NOBODY_ON_ROSTER if person is None else "unconfirmed",
                )
                for child, person in families.items()
            ]
        )

    async def _close(self, row: Notice, now: datetime) -> None:
        await self._outbox.cancel(reason_of(row.id))
        await keep_outcomes(row.id, await outcomes_of(self._outbox, row))
        await self._move(row, Deed.CLOSE, now, closed_at=now, next_reminder_at=None)

    async def _move(self, row: Notice, deed: Deed, now: datetime, **columns: object) -> None:
        row.update_from_dict({"state": advance(row.state, deed), "updated_at": now, **columns})
        await row.save()
        await self._audit.record(
            SYSTEM, Action.NOTICE_WRITE, f"notice:{row.id}", whose=subject_of(row), purpose=deed.value
        )


def occurrences_of(row: Notice) -> list[str]:
    """Under which occurrences families were told so far."""
    return [FIRST, *(f"{AGAIN}-{number}" for number in range(1, row.reminded + 1))]


async def outcomes_of(outbox: Outbox, row: Notice) -> dict[str, tuple[str, datetime]]:
    """By which channel and when each person was first told, as far as delivery still knows."""
    found: dict[str, tuple[str, datetime]] = {}
    for occurrence in reversed(occurrences_of(row)):
        states = await outbox.reached(reason_of(row.id), occurrence)
        for person, state in states.items():
            if state.status is DeliveryStatus.SENT and state.channel is not None:
                found[person] = (state.channel.value, state.at)
    return found


def _next_reminder(row: Notice, now: datetime) -> datetime | None:
    return None if row.confirmation is Confirmation.NONE else now + timedelta(hours=row.remind_hours)


def _end_of(row: Notice, now: datetime) -> datetime:
    """After its deadline nobody wants to hear it; without one, not after a week."""
    return max(now + SHORTEST_LIFE, row.deadline or now + LIFE)
