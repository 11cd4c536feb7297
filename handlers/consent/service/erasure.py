"""Erasing what is kept about a child, and remembering that it was erased, as ids only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bot.audit.log import Audit
from bot.capability import ChildRecords, Erasure
from bot.clock import Clock
from bot.identity import Actor
from bot.rights import Action
from bot.storage.database import transaction
from bot.storage.erasures import ErasureNote
from handlers.accounts.service.people import PeopleService
from handlers.consent import texts
from handlers.consent.domain.decisions import Decision, ErasureKind, pair_of, parted
from handlers.consent.domain.register import Basis, child_items
from handlers.consent.models import ConsentEvent, ErasureRow
from handlers.consent.service.within import child_within

RESTORED = "restored"

Records = Callable[[], Sequence[ChildRecords]]


@dataclass(frozen=True, slots=True)
class ErasureEffect:
    """What goes and what stays, as titles of items; `is_done`: whether it has happened."""

    gone: tuple[str, ...]
    kept: tuple[str, ...]
    is_done: bool


def effect(*, is_done: bool) -> ErasureEffect:
    """The same for every child: what rests on consent goes, what rests on a duty stays."""
    gone, kept = (
        tuple(texts.ITEM_TITLES[item.name] for item in child_items(basis)) for basis in (Basis.CONSENT, Basis.DUTY)
    )
    return ErasureEffect(gone, kept, is_done)


class ErasureLog:
    """What was erased, and doing it again: for a backup made before. An `Eraser`, so that it hears of people who
    leave. `records` and `erasure` are all places where something is kept."""

    def __init__(self, records: Records, erasure: Erasure, clock: Clock) -> None:
        self._records = records
        self._erasure = erasure
        self._clock = clock

    async def erase(self, openid_index: str) -> None:
        """Somebody leaves and is erased everywhere, in the caller's transaction."""
        await self.note(ErasureKind.WECHAT, openid_index)

    async def note(self, kind: ErasureKind, subject_id: str, done_at: datetime | None = None) -> None:
        """Remembers an erasure, in the caller's transaction. Of the same one twice, the last."""
        now = self._clock.now()
        at = done_at or now
        known = ErasureRow.filter(kind=kind.value, subject_id=subject_id)
        if not await known.update(done_at=at, updated_at=now):
            await ErasureRow.create(kind=kind.value, subject_id=subject_id, done_at=at, created_at=now, updated_at=now)

    async def notes(self, since: datetime | None = None) -> list[ErasureNote]:
        """What was erased, from a moment on (None: ever), the earliest first."""
        rows = ErasureRow.all() if since is None else ErasureRow.filter(done_at__gte=since)
        return [ErasureNote(row.kind, row.subject_id, row.done_at) for row in await rows.order_by("done_at", "id")]

    async def replay(self, notes: Iterable[ErasureNote]) -> int:
        """Erases again what was erased after a backup was made, and notes it; says how many. In the caller's
        transaction if there is one. Twice does no harm."""
        count = 0
        async with transaction():
            for note in sorted(notes, key=lambda one: one.done_at):
                await self._again(ErasureKind(note.kind), note.subject_id, note.done_at)
                await self.note(ErasureKind(note.kind), note.subject_id, note.done_at)
                count += 1
        return count

    async def _again(self, kind: ErasureKind, subject_id: str, at: datetime) -> None:
        if kind is ErasureKind.WECHAT:
            await self._erasure.erase(subject_id)
            return
        child_id = subject_id
        if kind is ErasureKind.STOPPED:
            child_id, person_id = parted(subject_id)
            await self._stop_again(child_id, person_id, at)
        for records in self._records():
            await records.erase_child(child_id, keep_duty=kind is not ErasureKind.CHILD)

    async def _stop_again(self, child_id: str, person_id: str, at: datetime) -> None:
        """The backup may still hold the consent that was withdrawn after it."""
        decided = ConsentEvent.filter(pupil_id=UUID(child_id), person_id=UUID(person_id), created_at__gte=at)
        if await decided.exists():
            return
        await ConsentEvent.create(
            pupil_id=UUID(child_id),
            person_id=UUID(person_id),
            decision=Decision.WITHDRAWN,
            notice_version="",
            channel=RESTORED,
            items=[],
            created_at=at,
            updated_at=self._clock.now(),
        )


class ErasureService:
    """Erases on request and where consent ends."""

    def __init__(self, records: Records, log: ErasureLog, people: PeopleService, audit: Audit) -> None:
        self._records = records
        self._log = log
        self._people = people
        self._audit = audit

    async def preview(self, actor: Actor, child_id: str) -> ErasureEffect:
        """What would go and what would stay; changes nothing."""
        await child_within(self._people, actor, Action.CHILD_ERASE, child_id)
        return effect(is_done=False)

    async def erase(self, actor: Actor, child_id: str) -> ErasureEffect:
        """A guardian asks for it: what rests on consent goes at once, what is statutory stays."""
        child_id, whose = await child_within(self._people, actor, Action.CHILD_ERASE, child_id)
        async with transaction():
            await self.erase_consented(child_id)
            await self._log.note(ErasureKind.CONSENTED, child_id)
            fields = [item.name.value for item in child_items(Basis.CONSENT)]
            await self._audit.record(
                actor, Action.CHILD_ERASE, f"child:{child_id}", whose=whose, fields=fields, purpose="request"
            )
        return effect(is_done=True)

    async def stop(self, child_id: str, person_id: str) -> None:
        """Consent ends: what rested on it goes, in the caller's transaction."""
        await self.erase_consented(child_id)
        await self._log.note(ErasureKind.STOPPED, pair_of(child_id, person_id))

    async def erase_consented(self, child_id: str) -> None:
        """What rests on consent, everywhere, in the caller's transaction."""
        for records in self._records():
            await records.erase_child(child_id, keep_duty=True)

    async def reduce(self, child_id: str) -> None:
        """The term is over: whatever tells who the child was goes everywhere, in the caller's transaction."""
        for records in self._records():
            await records.erase_child(child_id, keep_duty=False)
        await self._log.note(ErasureKind.CHILD, child_id)
