"""Reading and confirming: what families (and staff, for themselves) got, by chat, mini-program or their own link."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import Actor, Role
from bot.rights import Action, Subject, refusal, require
from bot.storage.database import transaction
from bot.storage.files import FileStore, Owner
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.notices import texts
from handlers.notices.domain import (
    LIVE,
    NO_CHILD,
    OUT,
    Confirmation,
    How,
    NoticeState,
    NotOpenForConfirmation,
    checked_answers,
)
from handlers.notices.models import Notice, NoticeRecipient
from handlers.notices.service.content import notes_on
from handlers.notices.service.rows import ALBUM, as_id, links_of, questions_of
from handlers.notices.service.tickets import TicketUnknown, holder_of
from handlers.notices.service.views import OwnChild, OwnNotice
from handlers.notices.service.waiting import children_waiting

PAGE: Final = "/n"
"""Where the page of a link lies, below the public address; the ticket follows."""
MOST: Final = 50
"""How many notices somebody sees, the newest first."""


@dataclass(frozen=True, slots=True)
class _Reader:
    """Somebody who reads: which children they may read about, and whether they read for themselves."""

    person_id: str
    children: frozenset[str]
    is_staff: bool

    def reads(self, child_id: str) -> bool:
        """Whether a row of the list is theirs."""
        return self.is_staff if child_id == NO_CHILD else child_id in self.children


class NoticeReading:
    """Everything a recipient does."""

    def __init__(self, audiences: AccountsAudiences, files: FileStore, *, audit: Audit, clock: Clock) -> None:
        self._audiences = audiences
        self._files = files
        self._audit = audit
        self._clock = clock

    # ----------------------------------------------------------------------------------------------------- by identity
    async def own(self, actor: Actor) -> list[OwnNotice]:
        """What the actor got, the newest first. Reading the list opens nothing."""
        reader = _reader(actor)
        if reader is None:
            return []
        mine = await _rows_of(reader)
        ids = list(mine)
        rows = await Notice.filter(id__in=ids, state__in=list(OUT)).order_by("-begun_at", "-number").limit(MOST)
        return [await self._view(row, mine[row.id]) for row in rows]

    async def read(self, actor: Actor, notice_id: str, how: How = How.API) -> OwnNotice:
        """One, which counts as opened from now on. Raises NotFound."""
        row, reader = await self._found(actor, notice_id)
        return await self._opened(row, reader, how)

    async def confirm(self, actor: Actor, notice_id: str, answers: Mapping[str, str], how: How) -> OwnNotice:
        """The actor confirms for all their children whom the notice concerns. Twice is once; other answers to a form
        replace those of before. Raises NotFound, NotOpenForConfirmation, AnswerInvalid."""
        row, reader = await self._found(actor, notice_id)
        return await self._confirmed(actor, row, reader, answers, how)

    async def id_of(self, actor: Actor, number: int) -> str:
        """The id of a notice the actor got, by its number. Raises NotFound."""
        row = await Notice.filter(number=number).first()
        found, _ = await self._found(actor, str(row.id if row else UUID(int=0)))
        return str(found.id)

    # --------------------------------------------------------------------------------------------------------- by link
    async def by_ticket(self, ticket: str) -> OwnNotice:
        """Through the own link; changes nothing. Raises TicketUnknown."""
        row, reader = await self._held(ticket)
        return await self._view(row, (await _rows_of(reader, row.id))[row.id])

    async def opened(self, ticket: str) -> OwnNotice:
        """The same, and it counts as opened."""
        row, reader = await self._held(ticket)
        return await self._opened(row, reader, How.LINK)

    async def confirm_by_ticket(self, ticket: str, answers: Mapping[str, str]) -> OwnNotice:
        """Confirms through the own link. Raises TicketUnknown, NotOpenForConfirmation, AnswerInvalid."""
        row, reader = await self._held(ticket)
        role = Role.TEACHER if reader.is_staff and not reader.children else Role.GUARDIAN
        actor = Actor(roles=frozenset({role}), person_id=reader.person_id)
        return await self._confirmed(actor, row, reader, answers, How.LINK)

    # ------------------------------------------------------------------------------------------------------------ deeds
    async def _opened(self, row: Notice, reader: _Reader, how: How) -> OwnNotice:
        now = self._clock.now()
        async with transaction():
            mine = (await _rows_of(reader, row.id))[row.id]
            fresh = [each.id for each in mine if each.opened_at is None]
            if fresh:
                await NoticeRecipient.filter(id__in=fresh, opened_at=None).update(opened_at=now, updated_at=now)
            if row.confirmation is Confirmation.OPENED and row.state in LIVE:
                waiting = [each.id for each in mine if each.confirmed_at is None]
                await NoticeRecipient.filter(id__in=waiting, confirmed_at=None).update(
                    confirmed_at=now, how=how, updated_at=now
                )
        return await self._view(row, (await _rows_of(reader, row.id))[row.id])

    async def _confirmed(
        self, actor: Actor, row: Notice, reader: _Reader, answers: Mapping[str, str], how: How
    ) -> OwnNotice:
        async with transaction():
            locked = await Notice.filter(id=row.id).select_for_update().get()
            mine = (await _rows_of(reader, row.id))[row.id]
            if not _is_open(locked, mine, await _correction(locked)):
                raise NotOpenForConfirmation
            kept = checked_answers(questions_of(locked), answers)
            sealed = json.dumps(kept, ensure_ascii=False, sort_keys=True) if kept else None
            fresh = [each for each in mine if each.confirmed_at is None or each.answers != sealed]
            for each in fresh:
                await self._write(each, how, sealed)
            if fresh:
                child = next((str(each.child_id) for each in fresh if str(each.child_id) != NO_CHILD), None)
                await self._audit.record(
                    actor,
                    Action.NOTICE_READ,
                    f"notice:{row.id}",
                    whose=Subject(person_id=reader.person_id, child_id=child),
                    purpose="confirm",
                )
        return await self._view(row, (await _rows_of(reader, row.id))[row.id])

    async def _write(self, mine: NoticeRecipient, how: How, answers: str | None) -> None:
        now = self._clock.now()
        mine.update_from_dict(
            {
                "opened_at": mine.opened_at or now,
                "confirmed_at": now,
                "how": how,
                "answers": answers,
                "entered_by": None,
                "updated_at": now,
            }
        )
        await mine.save()

    # ------------------------------------------------------------------------------------------------------------- rows
    async def _found(self, actor: Actor, notice_id: str) -> tuple[Notice, _Reader]:
        reader, own = _reader(actor), as_id(notice_id)
        row = await Notice.get_or_none(id=own)
        if reader is None or row is None or row.state not in OUT or own not in await _rows_of(reader, own):
            raise refusal(NotFound(), actor, Action.NOTICE_READ, Subject())
        return row, reader

    async def _held(self, ticket: str) -> tuple[Notice, _Reader]:
        """Whose link it is, as far as they may still be told: a guardianship that has ended shows nothing any more."""
        notice_id, person = await holder_of(ticket)
        row = await Notice.get_or_none(id=notice_id)
        if row is None or row.state not in OUT:
            raise TicketUnknown
        today = local_date(self._clock.now())
        wards = (await self._audiences.wards_of([person], today)).get(person, frozenset())
        is_staff = person in await self._audiences.staff_places([person], today)
        reader = _Reader(person, wards, is_staff)
        if row.id not in await _rows_of(reader, row.id):
            raise TicketUnknown
        return row, reader

    async def _view(self, row: Notice, mine: Sequence[NoticeRecipient]) -> OwnNotice:
        later = await _correction(row)
        has_new_words = later is not None and any(each.has_new_words for each in mine)
        words = later if later is not None and has_new_words else row
        ids = {str(each.child_id) for each in mine} - {NO_CHILD}
        waiting = await children_waiting(row, ids)
        names = await self._audiences.children(ids)
        before = await Notice.get_or_none(id=row.corrects) if row.corrects else None
        confirmed = [each for each in mine if each.confirmed_at is not None]
        return OwnNotice(
            id=str(row.id),
            number=row.number,
            title=words.title,
            text=words.text,
            notes=_notes(row, words, None if has_new_words else later),
            links=links_of(words),
            sender=words.sender,
            sent_at=row.begun_at,
            deadline=words.deadline,
            confirmation=row.confirmation,
            who=row.who,
            questions=questions_of(row),
            children=[
                OwnChild(child, ward.name, child not in waiting)
                for child, ward in sorted(names.items(), key=lambda each: (each[1].name, each[0]))
            ],
            is_open=_is_open(row, mine, later) and row.confirmation is not Confirmation.NONE,
            is_read=all(each.opened_at is not None for each in mine),
            is_confirmed=len(confirmed) == len(mine),
            answers=json.loads(confirmed[0].answers) if confirmed and confirmed[0].answers else {},
            is_recalled=row.state is NoticeState.RECALLED,
            is_correction=before is not None,
            before=before.text if before is not None else "",
            corrected_by=str(later.id) if later is not None and not has_new_words else None,
            album=str(words.id),
            pictures=[each.id for each in await self._files.of(Owner(ALBUM, str(words.id)))],
        )


def _reader(actor: Actor) -> _Reader | None:
    reach = require(actor, Action.NOTICE_READ)
    if actor.person_id is None:
        return None
    return _Reader(actor.person_id, reach.children, reach.person_id is not None)


async def _rows_of(reader: _Reader, notice_id: UUID | None = None) -> dict[UUID, list[NoticeRecipient]]:
    """The reader's rows of the lists, by notice."""
    query = NoticeRecipient.filter(person_id=UUID(reader.person_id))
    if notice_id is not None:
        query = query.filter(notice_id=notice_id)
    found: dict[UUID, list[NoticeRecipient]] = defaultdict(list)
    for row in await query.order_by("-created_at", "child_id"):
        if reader.reads(str(row.child_id)):
            found[row.notice_id].append(row)
    return found


async def _correction(row: Notice) -> Notice | None:
    """The one that replaces it, once it is out."""
    later = await Notice.get_or_none(id=row.corrected_by) if row.corrected_by else None
    return later if later is not None and later.state in OUT and later.state is not NoticeState.RECALLED else None


def _is_open(row: Notice, mine: Sequence[NoticeRecipient], later: Notice | None) -> bool:
    """Whether a word of the reader still counts: not after the end, nor about words that were corrected."""
    return row.state in LIVE and (later is None or any(each.has_new_words for each in mine))


def _notes(row: Notice, words: Notice, later: Notice | None) -> list[str]:
    notes = notes_on(f"{words.title} {words.text}", words.written_on)
    if row.state is NoticeState.RECALLED:
        notes.append(texts.NOTE_RECALLED)
    elif later is not None:
        notes.append(texts.NOTE_CORRECTED.format(number=later.number))
    elif row.state is NoticeState.CLOSED and row.confirmation is not Confirmation.NONE:
        notes.append(texts.NOTE_CLOSED)
    return notes
