"""Drafts: what somebody has begun to write about a child, kept on the server when the line breaks. One for each child,
the author's alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.clock import Clock
from bot.errors import Conflict, LimitReached, NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, refusal
from bot.storage.database import transaction
from bot.storage.files import FileStore
from bot.storage.pictures import Picture
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.contacts.models import ContactsDraft
from handlers.contacts.service.reach import Reaching, own_id, whose
from handlers.contacts.service.records.files import Voice, drop_drafts, keep_with_draft
from handlers.contacts.service.records.views import DraftView
from handlers.contacts.service.recounting import hold

LARGEST: Final = 8 * 1024
_ACTION: Final = Action.CONTACTS_OWN


class DraftTooLarge(LimitReached):
    """More than a form can hold."""

    code = "contacts_draft_too_large"
    default_message = "草稿太长，请先保存登记，再接着写。"


class QuestionWaits(Conflict):
    """It was asked whether something must be reported, and that is not answered."""

    code = "contacts_question_waits"
    default_message = "这份草稿里问的危险情况还没有回答。请接着写，先回答，再决定要不要保存。"


class DraftService:
    """`save`, `attach`, `read`, `of`, `drop`. A record that is written drops the draft by itself."""

    def __init__(
        self, reaching: Reaching, audiences: AccountsAudiences, files: FileStore, audit: Audit, clock: Clock
    ) -> None:
        self._reaching = reaching
        self._files = files
        self._audiences = audiences
        self._audit = audit
        self._clock = clock

    async def save(
        self, actor: Actor, child_id: str, body: Mapping[str, object], *, is_asked: bool | None = None
    ) -> ContactsDraft:
        """What is written so far takes the place of what was. `is_asked`: whether something is asked of it that waits
        for an answer, None: as before. Raises NotFound, DraftTooLarge."""
        ward = await self._reaching.ward(actor, child_id)
        now, text = self._clock.now(), json.dumps(dict(body), ensure_ascii=False)
        if len(text.encode()) > LARGEST:
            raise DraftTooLarge
        async with transaction():
            await hold([UUID(ward.id)])
            row = await ContactsDraft.get_or_none(person_id=own_id(actor), pupil_id=UUID(ward.id))
            if row is None:
                row = await ContactsDraft.create(
                    id=uuid4(), person_id=own_id(actor), pupil_id=UUID(ward.id), body=text,
                    asked_at=now if is_asked else None, created_at=now, updated_at=now,
                )  # fmt: skip
                await self._audit.record(actor, _ACTION, f"child:{ward.id}", whose=whose(ward), purpose="draft")
            else:
                row.body, row.updated_at = text, now
                if is_asked is not None:
                    row.asked_at = (row.asked_at or now) if is_asked else None
                await row.save(update_fields=["body", "asked_at", "updated_at"])
            return row

    async def attach(self, actor: Actor, child_id: str, media: Picture | Voice) -> None:
        """A picture or a voice note lies with the draft until it is a record. Raises NotFound, FileTooLarge."""
        ward = await self._reaching.ward(actor, child_id)
        async with transaction():
            await hold([UUID(ward.id)])
            row = await ContactsDraft.get_or_none(person_id=own_id(actor), pupil_id=UUID(ward.id))
            if row is None:
                raise refusal(NotFound(), actor, _ACTION, Subject())
            await keep_with_draft(self._files, row.id, media, self._clock.now())
            await self._audit.record(actor, _ACTION, f"child:{ward.id}", whose=whose(ward), purpose="draft_file")

    async def read(self, actor: Actor, child_id: str) -> DraftView | None:
        """The actor's own draft about a child; None: there is none. Raises NotFound."""
        ward = await self._reaching.ward(actor, child_id)
        async with transaction():
            await self._audit.record(actor, _ACTION, f"child:{ward.id}", whose=whose(ward), purpose="read_draft")
            row = await ContactsDraft.get_or_none(person_id=own_id(actor), pupil_id=UUID(ward.id))
            return DraftView(ward, json.loads(row.body), row.updated_at) if row else None

    async def of(self, actor: Actor) -> list[DraftView]:
        """All drafts of the actor about children still theirs, the newest first."""
        reach = await self._reaching.care_reach(actor)
        async with transaction():
            await self._audit.record(actor, _ACTION, f"person:{actor.person_id}", purpose="read_drafts")
            rows = await ContactsDraft.filter(person_id=own_id(actor)).order_by("-updated_at", "id")
            wards = await self._reaching.registered(await self._audiences.children({str(row.pupil_id) for row in rows}))
        return [
            DraftView(wards[str(row.pupil_id)], json.loads(row.body), row.updated_at)
            for row in rows
            if str(row.pupil_id) in wards and reach.covers(wards[str(row.pupil_id)])
        ]

    async def drop(self, actor: Actor, child_id: str) -> None:
        """It is not wanted any more; twice is once. Raises NotFound, QuestionWaits."""
        ward = await self._reaching.ward(actor, child_id)
        async with transaction():
            await hold([UUID(ward.id)])
            drafts = await ContactsDraft.filter(person_id=own_id(actor), pupil_id=UUID(ward.id))
            if any(row.asked_at is not None for row in drafts):
                raise QuestionWaits
            await drop_drafts(self._files, drafts)
