"""Chasing confirmations: another send by hand, and what staff enter for families they spoke to."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from bot.audit.log import Audit
from bot.clock import Clock
from bot.errors import NotFound, NotPermitted
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, refusal
from bot.storage.database import transaction
from handlers.deliveries.domain import LineState, Way
from handlers.deliveries.service.lines import UNDONE, HandList
from handlers.notices import texts
from handlers.notices.domain import (
    BY_HAND,
    LIVE,
    OUT,
    Confirmation,
    How,
    IllegalNoticeMove,
    NotByHand,
    NoticeInvalid,
    TooSoon,
    checked_answers,
)
from handlers.notices.models import Notice, NoticeChild, NoticeRecipient
from handlers.notices.service.rows import as_id, held, questions_of, reason_of, reported, subject_of
from handlers.notices.service.sending import CALL, NoticeSender, occurrences_of

SHORTEST_PAUSE: Final = timedelta(hours=4)
MOST_REMINDERS: Final = 4


class NoticeChasing:
    """What people do beside the clock."""

    def __init__(self, sender: NoticeSender, hand_list: HandList, audit: Audit, clock: Clock) -> None:
        self._sender = sender
        self._hand_list = hand_list
        self._audit = audit
        self._clock = clock

    async def remind(self, actor: Actor, notice_id: str) -> int:
        """Says it once more to those who have not confirmed; gives how many people. Raises TooSoon within four hours of
        the last time and after the fourth, IllegalNoticeMove."""
        now = self._clock.now()
        async with transaction():
            row = await held(actor, Action.NOTICE_WRITE, notice_id, lock=True)
            if row.state not in LIVE or row.confirmation is Confirmation.NONE:
                raise IllegalNoticeMove
            last = row.reminded_at or row.begun_at
            if row.reminded >= MOST_REMINDERS or (last is not None and now - last < SHORTEST_PAUSE):
                raise TooSoon
            count = await self._sender.say_again(row, now)
            await self._note(actor, Action.NOTICE_WRITE, row, "remind")
        return count

    async def tick(
        self, actor: Actor, notice_id: str, children: Collection[str], how: How, *, is_confirmed: bool = False
    ) -> None:
        """A teacher told these families by phone, on paper or in person; `is_confirmed`: and they agreed. Who, when and
        how is kept; the list of calls has it too. Raises NotFound, IllegalNoticeMove."""
        if how not in BY_HAND:
            raise NoticeInvalid(texts.HOW_MISSING)
        row, reach = await reported(actor, notice_id)
        if row.state not in OUT:
            raise IllegalNoticeMove
        async with transaction():
            for child_id in children:
                child = await self._child(actor, row, reach, child_id)
                self._mark(child, actor, how)
                child.confirmed_by_hand = child.confirmed_by_hand or (is_confirmed and row.state in LIVE)
                await child.save()
                await self._off_the_list(actor, row, child_id, how)
                await self._note(actor, Action.NOTICE_REPORT, row, how.value, child)

    async def confirmed_by_hand(
        self, actor: Actor, notice_id: str, child_id: str, person_id: str, how: How, answers: Mapping[str, str]
    ) -> None:
        """Enters what a guardian said, with the answers to a form. Raises NotFound, IllegalNoticeMove,
        AnswerInvalid."""
        if how not in BY_HAND:
            raise NoticeInvalid(texts.HOW_MISSING)
        if actor.person_id is None:
            raise NotPermitted
        row, reach = await reported(actor, notice_id)
        if row.state not in LIVE:
            raise IllegalNoticeMove
        kept, now = checked_answers(questions_of(row), answers), self._clock.now()
        async with transaction():
            child = await self._child(actor, row, reach, child_id)
            said = await NoticeRecipient.filter(
                notice_id=row.id, child_id=child.child_id, person_id=as_id(person_id)
            ).first()
            if said is None:
                raise refusal(NotFound(), actor, Action.NOTICE_REPORT, Subject(child_id=child_id))
            said.update_from_dict(
                {
                    "confirmed_at": now,
                    "how": how,
                    "answers": json.dumps(kept, ensure_ascii=False, sort_keys=True) if kept else None,
                    "entered_by": UUID(actor.person_id),
                    "updated_at": now,
                }
            )
            await said.save()
            self._mark(child, actor, how)
            await child.save()
            await self._off_the_list(actor, row, child_id, how)
            await self._note(actor, Action.NOTICE_REPORT, row, how.value, child)

    async def untick(self, actor: Actor, notice_id: str, child_id: str) -> None:
        """What staff entered for this family was a mistake: they count as untold and unanswered again, here and on the
        list of calls. What the family said themselves stays. Raises NotFound, NotByHand."""
        row, reach = await reported(actor, notice_id)
        async with transaction():
            child = await self._child(actor, row, reach, child_id)
            lines = await self._told_lines(row, child_id)
            if child.hand_at is None and not lines:
                raise NotByHand
            now = self._clock.now()
            child.update_from_dict({"hand_how": None, "hand_by": None, "hand_at": None, "updated_at": now})
            child.confirmed_by_hand = False
            await child.save()
            entered = NoticeRecipient.filter(
                notice_id=row.id, child_id=child.child_id, how__in=list(BY_HAND), entered_by__not_isnull=True
            )
            await entered.update(confirmed_at=None, how=None, answers=None, entered_by=None, updated_at=now)
            for line in lines:
                await self._hand_list.untick(actor, line)
            await self._note(actor, Action.NOTICE_REPORT, row, UNDONE, child)

    # ------------------------------------------------------------------------------------------------------------- rows
    def _mark(self, child: NoticeChild, actor: Actor, how: How) -> None:
        now = self._clock.now()
        by = UUID(actor.person_id) if actor.person_id else None
        child.update_from_dict({"hand_how": how, "hand_by": by, "hand_at": now, "updated_at": now})

    async def _child(self, actor: Actor, row: Notice, reach: Reach, child_id: str) -> NoticeChild:
        child = await NoticeChild.filter(notice_id=row.id, child_id=as_id(child_id)).select_for_update().first()
        is_theirs = child is not None and (
            reach.is_any
            or str(child.class_id) in reach.classes
            or str(child.school_id) in reach.schools
            or str(row.township_id) in reach.townships
        )
        if child is None or not is_theirs:
            raise refusal(NotFound(), actor, Action.NOTICE_REPORT, Subject(child_id=child_id))
        return child

    async def _off_the_list(self, actor: Actor, row: Notice, child_id: str, how: How) -> None:
        """What was done here need not be done again there."""
        for occurrence in (*occurrences_of(row), CALL):
            line = (await self._hand_list.of_matter(reason_of(row.id), occurrence)).get(child_id)
            if line is not None and line.state is LineState.OPEN:
                await self._hand_list.tick(actor, line.id, Way(how.value))

    async def _told_lines(self, row: Notice, child_id: str) -> list[str]:
        found = []
        for occurrence in (*occurrences_of(row), CALL):
            line = (await self._hand_list.of_matter(reason_of(row.id), occurrence)).get(child_id)
            if line is not None and line.state is LineState.TOLD:
                found.append(line.id)
        return found

    async def _note(
        self, actor: Actor, action: Action, row: Notice, purpose: str, child: NoticeChild | None = None
    ) -> None:
        whose = subject_of(row)
        if child is not None:
            whose = Subject(
                child_id=str(child.child_id),
                class_id=str(child.class_id) if child.class_id else None,
                school_id=str(child.school_id),
                township_id=str(row.township_id),
            )
        await self._audit.record(actor, action, f"notice:{row.id}", whose=whose, purpose=purpose)
