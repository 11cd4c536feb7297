"""Signing and stopping notices: submit, the second signature, taking back, recall, closing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from bot.audit.log import Audit
from bot.capability import Todo
from bot.clock import Clock, local_date
from bot.delivery.outbox import Outbox
from bot.delivery.pushes import NewPush, Purpose
from bot.errors import NotFound, NotPermitted
from bot.identity import Actor
from bot.rights import Action, Subject, may, refusal, require
from bot.storage.database import transaction
from handlers.accounts.domain import AppointmentKind
from handlers.accounts.service.offices import Offices
from handlers.notices import texts
from handlers.notices.domain import (
    Deed,
    NobodyToTell,
    NoticeChanged,
    NoticeInvalid,
    NoticeRefused,
    NoticeState,
    SameSignature,
    advance,
    checked_content,
    needs_second,
)
from handlers.notices.models import Notice
from handlers.notices.service.content import labels_in
from handlers.notices.service.places import Places
from handlers.notices.service.recipients import Recipients, keep_outcomes
from handlers.notices.service.rows import content_of, held, owned, reason_of, subject_of, target_of
from handlers.notices.service.sending import FIRST, outcomes_of
from handlers.notices.service.showing import Showing, is_signed_by
from handlers.notices.service.views import NoticeView

APPROVE: Final = "approve"
LONGEST_WHY: Final = 200
_APPROVAL_LIFE: Final = timedelta(days=7)
_DEED_ACTIONS: Final = {Deed.APPROVE: Action.NOTICE_APPROVE, Deed.REJECT: Action.NOTICE_APPROVE}


class NoticeSigning:
    """Decisions about notices. A `TodoSource` for those who sign second."""

    def __init__(
        self,
        places: Places,
        recipients: Recipients,
        showing: Showing,
        offices: Offices,
        *,
        outbox: Outbox,
        audit: Audit,
        clock: Clock,
        limit: int,
    ) -> None:
        """`limit`: above how many people a second person signs."""
        self._places = places
        self._recipients = recipients
        self._showing = showing
        self._offices = offices
        self._outbox = outbox
        self._audit = audit
        self._clock = clock
        self._limit = limit

    async def submit(self, actor: Actor, notice_id: str, version: int) -> NoticeView:
        """The author has done: it waits for a second signature where one is wanted, else it goes out when its time has
        come. Raises NoticeRefused for words that may not go out, NobodyToTell, NoticeChanged, IllegalNoticeMove."""
        looked_at = await held(actor, Action.NOTICE_WRITE, notice_id)
        content = checked_content(content_of(looked_at), self._clock.now())
        blocks = labels_in(content)
        if blocks:
            raise NoticeRefused(blocks[0].message, details={"labels": [each.where for each in blocks]})
        # What was within reach when it was written may not be any more.
        await self._places.of(actor, content.target)
        people = await self._people(looked_at)
        if not people:
            raise NobodyToTell
        is_second = needs_second(content, people, self._limit)
        async with transaction():
            row = await self._locked(actor, Action.NOTICE_WRITE, notice_id, version)
            await self._move(actor, row, Deed.SUBMIT if is_second else Deed.SCHEDULE, needs_second=is_second)
            if is_second:
                await self._ask(row)
        return await self._showing.view(actor, row)

    async def approve(self, actor: Actor, notice_id: str, version: int) -> NoticeView:
        """The second signature. Raises SameSignature for whoever wrote or changed it, NoticeChanged."""
        if actor.person_id is None:
            raise NotPermitted
        async with transaction():
            row = await self._second(actor, notice_id, version)
            _check_still_ahead(row, self._clock)
            await self._move(actor, row, Deed.APPROVE, approved_by=UUID(actor.person_id), approved_at=self._clock.now())
        return await self._showing.view(actor, row)

    async def reject(self, actor: Actor, notice_id: str, version: int, why: str) -> NoticeView:
        """Back to its author, with a reason. Raises SameSignature, NoticeChanged, NoticeInvalid without a reason."""
        why = " ".join(why.split())[:LONGEST_WHY]
        if not why:
            raise NoticeInvalid(texts.WHY_MISSING)
        async with transaction():
            row = await self._second(actor, notice_id, version)
            await self._move(actor, row, Deed.REJECT, why_rejected=why)
        return await self._showing.view(actor, row)

    async def take_back(self, actor: Actor, notice_id: str) -> NoticeView:
        """A draft again, while nothing has gone out. Raises IllegalNoticeMove."""
        async with transaction():
            row = await self._locked(actor, Action.NOTICE_WRITE, notice_id, None)
            await self._move(actor, row, Deed.TAKE_BACK, approved_by=None, approved_at=None)
            await self._outbox.cancel(reason_of(row.id))
        return await self._showing.view(actor, row)

    async def recall(self, actor: Actor, notice_id: str) -> NoticeView:
        """What is unsent never goes out. Raises IllegalNoticeMove."""
        return await self._stopped(actor, notice_id, Deed.RECALL)

    async def close(self, actor: Actor, notice_id: str) -> NoticeView:
        """No more confirmations, no more second sends. Raises IllegalNoticeMove."""
        return await self._stopped(actor, notice_id, Deed.CLOSE)

    async def number(self, actor: Actor, number: int) -> str:
        """The id of a notice of the actor's by its number, for the chat. Raises NotFound."""
        reach = require(actor, Action.NOTICE_WRITE)
        row = await Notice.filter(owned(actor, reach), number=number).first()
        if row is None:
            raise refusal(NotFound(), actor, Action.NOTICE_WRITE, Subject())
        return str(row.id)

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """How many wait for the actor's signature."""
        if actor.person_id is None or not may(actor, Action.NOTICE_APPROVE):
            return []
        reach, own = require(actor, Action.NOTICE_APPROVE), UUID(actor.person_id)
        waiting = Notice.filter(owned(actor, reach), state=NoticeState.WAITING)
        rows = await waiting.exclude(written_by=own).exclude(changed_by=own)
        count = len(rows)
        urgent = any(row.is_urgent for row in rows)
        return [Todo(texts.TODO_WAITING, count, "/notices", urgent)] if count else []

    # ------------------------------------------------------------------------------------------------------------ rows
    async def _people(self, row: Notice) -> int:
        """How many would be told; of a correction, how many got the original: it is for them, whatever their number."""
        if row.corrects is not None:
            return max(1, len(await self._outbox.told(reason_of(row.corrects), FIRST)))
        return await self._recipients.count(target_of(row), local_date(self._clock.now()))

    async def _locked(self, actor: Actor, action: Action, notice_id: str, version: int | None) -> Notice:
        row = await held(actor, action, notice_id, lock=True)
        if version is not None and row.version != version:
            raise NoticeChanged
        return row

    async def _second(self, actor: Actor, notice_id: str, version: int) -> Notice:
        row = await self._locked(actor, Action.NOTICE_APPROVE, notice_id, version)
        if is_signed_by(actor, row):
            raise SameSignature
        return row

    async def _stopped(self, actor: Actor, notice_id: str, deed: Deed) -> NoticeView:
        async with transaction():
            row = await self._locked(actor, Action.NOTICE_WRITE, notice_id, None)
            await self._move(actor, row, deed, closed_at=self._clock.now(), next_reminder_at=None)
            await self._outbox.cancel(reason_of(row.id))
            await keep_outcomes(row.id, await outcomes_of(self._outbox, row))
        return await self._showing.view(actor, row)

    async def _move(self, actor: Actor, row: Notice, deed: Deed, **columns: Any) -> None:
        # Back in the author's hands it is another version: a signature asked for again is another one.
        version = row.version + (deed in (Deed.REJECT, Deed.TAKE_BACK))
        state = advance(row.state, deed)
        row.update_from_dict({"state": state, "version": version, "updated_at": self._clock.now(), **columns})
        await row.save()
        action = _DEED_ACTIONS.get(deed, Action.NOTICE_WRITE)
        await self._audit.record(actor, action, f"notice:{row.id}", whose=subject_of(row), purpose=deed.value)

    async def _ask(self, row: Notice) -> None:
        """Those who may sign second learn that something waits, in the caller's transaction."""
        whose = subject_of(row)
        holders = await self._offices.holders(AppointmentKind.SCHOOL_LEADER, whose) if whose.school_id else []
        signers = [each for each in holders if each.person_id not in (str(row.written_by), str(row.changed_by))]
        if not signers:
            signers = await self._offices.holders(AppointmentKind.TOWNSHIP_ADMINISTRATOR, whose)
        now = self._clock.now()
        own = (str(row.written_by), str(row.changed_by))
        await self._outbox.promise(
            [
                NewPush(
                    reason=reason_of(row.id),
                    occurrence=f"{APPROVE}-{row.version}",
                    person_id=each.person_id,
                    rule="notice.approve",
                    purpose=Purpose.TASK,
                    not_before=now,
                    expires_at=now + _APPROVAL_LIFE,
                )
                for each in signers
                if each.person_id not in own
            ]
        )


def _check_still_ahead(row: Notice, clock: Clock) -> None:
    """A deadline may have passed while it waited."""
    checked_content(content_of(row), clock.now())
