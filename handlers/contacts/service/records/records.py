"""Contact records: written once however often they are sent, corrected by another version, never rewritten.

In one line: `write`, `correct`, `of_child`, `one`, `own`, `follow_ups`, `follow_up_done`, `file`. Whoever keeps contact
with a child (paired with it, its head teacher, the protection lead) writes; a finding is read by its author and by the
lead, a sealed part by the lead alone. Whatever is shown is written down first, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID, uuid4

from tortoise.exceptions import IntegrityError

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, refusal
from bot.storage.database import transaction
from bot.storage.files import FileContent, FileStore, Owner
from bot.storage.pictures import Picture
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.accounts.service.scope import as_id
from handlers.contacts.domain.records import (
    Contact,
    ContactOutcome,
    KeyReused,
    Met,
    RecordCorrected,
    ReportOpen,
    ReportState,
    Topic,
    check,
    sorted_words,
)
from handlers.contacts.models import ContactsDraft, ContactsRecord, ContactsReport
from handlers.contacts.service.reach import Reaching, own_id, whose
from handlers.contacts.service.records.booked import settle_booked
from handlers.contacts.service.records.calls import count_call
from handlers.contacts.service.records.files import FILES, Voice, adopt, drop_drafts, keep_with_record
from handlers.contacts.service.records.views import FollowUp, RecordView
from handlers.contacts.service.recounting import Recount, hold, no_clock

MOST_SHOWN: Final = 50
_ACTION: Final = Action.CONTACTS_OWN


@dataclass(frozen=True, slots=True)
class Attached:
    """What comes with a record; a picture as it was taken. What lies with the draft comes by itself."""

    picture: bytes = field(default=b"", repr=False)
    voice: Voice | None = None


class RecordService:
    """The use cases. What a caller needs to know: `write` gives the same record for the same author and key, and may
    stand inside a larger transaction; it holds the child first."""

    def __init__(
        self, reaching: Reaching, audiences: AccountsAudiences, files: FileStore, *, audit: Audit, clock: Clock,
        recount: Recount = no_clock,
    ) -> None:  # fmt: skip
        self._reaching = reaching
        self._audiences = audiences
        self._files = files
        self._audit = audit
        self._clock = clock
        self._recount = recount

    # --------------------------------------------------------------------------------------------------------- writing
    async def write(
        self, actor: Actor, child_id: str, contact: Contact, attached: Attached | None = None
    ) -> RecordView:
        """A contact is written down, and the draft about the child is dropped. Sent again it is the same record, as it
        was the first time. Raises NotFound, RecordInvalid, KeyReused, ReportOpen, PictureUnreadable, FileTooLarge."""
        ward = await self._reaching.ward(actor, child_id)
        known = await self._sent(actor, contact.client_key, ward)
        if known is not None:
            return await self._answer(actor, ward, known)
        check(contact, local_date(self._clock.now()))
        attached = attached or Attached()
        picture = await self._files.prepared(attached.picture) if attached.picture else None
        try:
            async with transaction():
                return await self._written(actor, ward, contact, picture, attached.voice, None)
        except IntegrityError as error:
            raise KeyReused from error

    async def correct(self, actor: Actor, record_id: str, contact: Contact) -> RecordView:
        """Another version takes the place of a record of the actor's own; the first one stays. Raises as `write`, and
        RecordCorrected."""
        row, ward = await self._found(actor, record_id)
        if row.author_id != own_id(actor):
            raise refusal(NotFound(), actor, _ACTION, Subject())
        known = await self._sent(actor, contact.client_key, ward)
        if known is not None:
            return await self._answer(actor, ward, known)
        check(contact, local_date(self._clock.now()))
        try:
            async with transaction():
                return await self._written(actor, ward, contact, None, None, row.id)
        except IntegrityError as error:
            raise KeyReused from error

    async def follow_up_done(self, actor: Actor, record_id: str) -> None:
        """What was agreed on is done; twice is once. Raises NotFound."""
        row, ward = await self._found(actor, record_id)
        now = self._clock.now()
        async with transaction():
            await hold([row.pupil_id])
            await row.refresh_from_db()
            if row.follow_up_on is None:
                raise refusal(NotFound(), actor, _ACTION, Subject())
            if row.follow_up_done_at is None:
                row.follow_up_done_at, row.follow_up_done_by, row.updated_at = now, own_id(actor), now
                await row.save(update_fields=["follow_up_done_at", "follow_up_done_by", "updated_at"])
                await self._wrote(actor, ward, row.id, "follow_up_done")

    # --------------------------------------------------------------------------------------------------------- reading
    async def begun(self, actor: Actor, ward: WardMeant) -> None:
        """Somebody opens a form about a child within their reach."""
        await self._audit.record(actor, _ACTION, f"child:{ward.id}", whose=whose(ward), purpose="form")

    async def of_child(self, actor: Actor, child_id: str, *, limit: int = MOST_SHOWN) -> list[RecordView]:
        """The records of a child, the newest first, superseded ones too. Raises NotFound."""
        ward = await self._reaching.ward(actor, child_id)
        async with transaction():
            await self._audit.record(
                actor, _ACTION, f"child:{ward.id}", whose=whose(ward), fields=["records"], purpose="records"
            )
            rows = ContactsRecord.filter(pupil_id=UUID(ward.id)).order_by("-happened_on", "-entered_at", "id")
            return await self._views(actor, await rows.limit(limit), {ward.id: ward})

    async def one(self, actor: Actor, record_id: str) -> RecordView:
        """One of them. Raises NotFound."""
        async with transaction():
            row, ward = await self._found(actor, record_id)
            return await self._answer(actor, ward, row)

    async def opened(self, ward: WardMeant) -> list[RecordView]:
        """All records of a child with everything in them, the newest first. Whoever asks has the right to, and has
        written it down."""
        rows = await ContactsRecord.filter(pupil_id=UUID(ward.id)).order_by("-happened_on", "-entered_at", "id")
        names = await self._audiences.names({str(row.author_id) for row in rows})
        return [_view(row, ward, names, None, True) for row in rows]

    async def own(self, actor: Actor, *, limit: int = MOST_SHOWN) -> list[RecordView]:
        """The last the actor has written, of children still theirs to look at."""
        reach = await self._reaching.care_reach(actor)
        async with transaction():
            await self._audit.record(actor, _ACTION, f"person:{actor.person_id}", fields=["records"], purpose="own")
            rows = ContactsRecord.filter(author_id=own_id(actor)).order_by("-entered_at", "id")
            found = await rows.limit(limit) if actor.person_id else []
            wards = await self._reaching.registered(
                await self._audiences.children({str(row.pupil_id) for row in found})
            )
            near = {child: ward for child, ward in wards.items() if reach.covers(ward)}
            return await self._views(actor, found, near)

    async def follow_ups(self, actor: Actor, until: date) -> list[FollowUp]:
        """What is to be done up to a day about the children paired with the actor, the earliest first."""
        own = await self._reaching.paired_with(actor.person_id)
        async with transaction():
            await self._audit.record(actor, _ACTION, f"person:{actor.person_id}", fields=["follow_up"])
            rows = ContactsRecord.filter(
                pupil_id__in=list(own), follow_up_on__lte=until, follow_up_done_at__isnull=True,
                superseded_by__isnull=True,
            )  # fmt: skip
            found = await rows.order_by("follow_up_on", "id") if own else []
            wards = await self._audiences.children({str(row.pupil_id) for row in found})
        return [
            FollowUp(str(row.id), wards[str(row.pupil_id)], row.follow_up or "", row.follow_up_on)
            for row in found
            if str(row.pupil_id) in wards and row.follow_up_on is not None
        ]

    async def file(self, actor: Actor, record_id: str, file_id: str) -> FileContent:
        """The picture or the voice note of a record whose finding is the actor's to read. Raises NotFound,
        FileNotFound."""
        async with transaction():
            row, ward = await self._found(actor, record_id)
            reach = await self._reaching.care_reach(actor)
            if row.author_id != own_id(actor) and not reach.is_sealed_open(ward):
                raise refusal(NotFound(), actor, _ACTION, Subject())
            await self._audit.record(actor, _ACTION, f"contacts_record:{row.id}", whose=whose(ward), fields=["file"])
            return await self._files.read(Owner(FILES, str(row.id)), file_id)

    # ----------------------------------------------------------------------------------------------------------- parts
    async def _found(self, actor: Actor, record_id: str) -> tuple[ContactsRecord, WardMeant]:
        row = await ContactsRecord.get_or_none(id=as_id(record_id))
        if row is None:
            await self._reaching.care_reach(actor)  # no right at all comes before not there
            raise refusal(NotFound(), actor, _ACTION, Subject())
        return row, await self._reaching.ward(actor, str(row.pupil_id))

    async def _sent(self, actor: Actor, key: str, ward: WardMeant) -> ContactsRecord | None:
        """The record the same form made before. Raises KeyReused."""
        row = await ContactsRecord.get_or_none(author_id=own_id(actor), client_key=key)
        if row is not None and str(row.pupil_id) != ward.id:
            raise KeyReused
        return row

    async def _written(
        self, actor: Actor, ward: WardMeant, contact: Contact, picture: Picture | None, voice: Voice | None,
        corrects: UUID | None,
    ) -> RecordView:  # fmt: skip
        now, pupil = self._clock.now(), UUID(ward.id)
        await hold([pupil])
        known = await self._sent(actor, contact.client_key, ward)
        if known is not None:
            return await self._answer(actor, ward, known)
        if await ContactsReport.filter(pupil_id=pupil, state=ReportState.OPEN).exists():
            raise ReportOpen
        row = await self._create(actor, ward, contact, now, corrects)
        if corrects is not None and not await ContactsRecord.filter(id=corrects, superseded_by__isnull=True).update(
            superseded_by=row.id, updated_at=now
        ):
            raise RecordCorrected
        corrected = await ContactsRecord.get(id=corrects) if corrects else None
        await count_call(ward.id, contact, corrected, now)
        await settle_booked(row, contact, now)
        for media in (picture, voice):
            if media is not None:
                await keep_with_record(self._files, row, media)
        if corrects is None:
            drafts = await ContactsDraft.filter(person_id=own_id(actor), pupil_id=pupil)
            await adopt(self._files, row, drafts)
            await drop_drafts(self._files, drafts)
        await self._wrote(actor, ward, row.id, "correct" if corrects else "write")
        await self._recount([pupil])
        return (await self._views(actor, [row], {ward.id: ward}))[0]

    async def _create(
        self, actor: Actor, ward: WardMeant, contact: Contact, now: datetime, corrects: UUID | None
    ) -> ContactsRecord:
        author = own_id(actor)
        assert author is not None
        if corrects is not None and await ContactsRecord.filter(corrects_id=corrects).exists():
            raise RecordCorrected
        return await ContactsRecord.create(
            id=uuid4(), pupil_id=UUID(ward.id), school_id=UUID(ward.school_id), author_id=author,
            client_key=contact.client_key, happened_on=contact.happened_on, day_part=contact.day_part,
            entered_at=now, is_backdated=contact.happened_on < local_date(now), way=contact.way,
            met=sorted_words(contact.met), outcome=contact.outcome, topics=sorted_words(contact.topics),
            finding=contact.finding.strip() or None, sealed_part=contact.sealed_part.strip() or None,
            follow_up=contact.follow_up.strip() or None, follow_up_on=contact.follow_up_on,
            next_on=contact.next_on, called=contact.called, corrects_id=corrects, created_at=now, updated_at=now,
        )  # fmt: skip

    async def _wrote(self, actor: Actor, ward: WardMeant, record: UUID, purpose: str) -> None:
        await self._audit.record(actor, _ACTION, f"contacts_record:{record}", whose=whose(ward), purpose=purpose)

    async def _answer(self, actor: Actor, ward: WardMeant, row: ContactsRecord) -> RecordView:
        await self._audit.record(
            actor, _ACTION, f"contacts_record:{row.id}", whose=whose(ward), fields=["record"], purpose="read"
        )
        return (await self._views(actor, [row], {ward.id: ward}))[0]

    async def _views(
        self, actor: Actor, rows: Sequence[ContactsRecord], wards: Mapping[str, WardMeant]
    ) -> list[RecordView]:
        """Those whose child is among the wards, each as far as it is the actor's to see."""
        reach = await self._reaching.care_reach(actor)
        names = await self._audiences.names({str(row.author_id) for row in rows})
        shown = [(row, wards[str(row.pupil_id)]) for row in rows if str(row.pupil_id) in wards]
        return [_view(row, ward, names, own_id(actor), reach.is_sealed_open(ward)) for row, ward in shown]


def _view(
    row: ContactsRecord, ward: WardMeant, names: Mapping[str, str], reader: UUID | None, is_open: bool
) -> RecordView:
    is_own = reader is not None and row.author_id == reader
    may_read = is_own or is_open
    return RecordView(
        id=str(row.id),
        ward=ward,
        author=names.get(str(row.author_id), ""),
        is_own=is_own,
        happened_on=row.happened_on,
        day_part=row.day_part,
        entered_at=row.entered_at,
        is_backdated=row.is_backdated,
        way=row.way,
        outcome=ContactOutcome(row.outcome),
        met=tuple(map(Met, row.met)),
        topics=tuple(map(Topic, row.topics)),
        follow_up=row.follow_up or "",
        follow_up_on=row.follow_up_on,
        follow_up_done_at=row.follow_up_done_at,
        next_on=row.next_on,
        called=row.called,
        finding=(row.finding or "") if may_read else None,
        sealed_part=(row.sealed_part or "") if is_open else None,
        photo_id=str(row.photo_id) if row.photo_id and may_read else None,
        voice_id=str(row.voice_id) if row.voice_id and may_read else None,
        corrects=str(row.corrects_id) if row.corrects_id else None,
        superseded_by=str(row.superseded_by) if row.superseded_by else None,
    )
