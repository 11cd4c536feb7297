"""Writing down a contact: the question whether something must be reported comes first, the report with the record."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from bot.audit.log import Audit
from bot.delivery.outbox import Outbox
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Subject, reach_of, refusal
from bot.storage.database import transaction
from bot.storage.files import FileContent
from bot.storage.pictures import Picture
from handlers.accounts.service.audiences import WardMeant
from handlers.accounts.service.offices import Offices
from handlers.contacts.domain.forms import KEY
from handlers.contacts.domain.numbers import NumberAsked
from handlers.contacts.domain.records import LONGEST_FINDING, Contact
from handlers.contacts.domain.reports import TriggerAsked
from handlers.contacts.domain.triggers import Trigger, recognised
from handlers.contacts.models import ContactsRecord
from handlers.contacts.service.reach import Reaching, own_id, whose
from handlers.contacts.service.recording.numbers import with_number
from handlers.contacts.service.recording.reporting import ReportService
from handlers.contacts.service.recording.unanswered import reminder_of
from handlers.contacts.service.records.drafts import DraftService
from handlers.contacts.service.records.files import Voice
from handlers.contacts.service.records.records import Attached, RecordService
from handlers.contacts.service.records.views import RecordView
from handlers.contacts.service.recounting import hold
from handlers.contacts.texts import reports as texts
from knowledge.safety import Alarm, Guard

_ACTION: Final = Action.CONTACTS_OWN
_WORDS: Final = ("finding", "follow_up", "sealed")
_GUARDED: Final = {
    Alarm.SELF_HARM: Trigger.SELF_HARM,
    Alarm.ABUSE: Trigger.VIOLENCE,
    Alarm.SEXUAL: Trigger.ABUSE,
    Alarm.BULLYING: Trigger.VIOLENCE,
    Alarm.MISSING: Trigger.MISSING,
    Alarm.NEGLECT: Trigger.ALONE,
    Alarm.LABOUR: Trigger.UNFIT,
}
"""What the guard of the chat hears in the same words."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was answered to the question: `ticked` is so, with `is_denied` nothing is."""

    ticked: frozenset[Trigger] = frozenset()
    is_denied: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """What became of it. `report_id`: of the report that has to be finished first, None without one."""

    record: RecordView = field(repr=False)
    report_id: str | None


class RecordingService:
    """The use cases of a teacher with the children paired with them."""

    def __init__(
        self, reaching: Reaching, records: RecordService, drafts: DraftService, reports: ReportService,
        offices: Offices, *, audit: Audit, outbox: Outbox,
    ) -> None:  # fmt: skip
        self._reaching = reaching
        self._records = records
        self._drafts = drafts
        self._reports = reports
        self._offices = offices
        self._audit = audit
        self._outbox = outbox

    async def own(self, actor: Actor, child_id: str) -> WardMeant:
        """A child paired with the actor. Raises NotFound, NotPermitted."""
        reach_of(actor, _ACTION)
        found = await self._reaching.on_register(child_id)
        if found is None or found.id not in await self._reaching.paired_with(actor.person_id):
            raise refusal(NotFound(), actor, _ACTION, Subject())
        return found

    async def begun(self, actor: Actor, child_id: str) -> WardMeant:
        """The same, whose form is opened: written down. Raises NotFound, NotPermitted."""
        ward = await self.own(actor, child_id)
        await self._records.begun(actor, ward)
        return ward

    async def write(
        self, actor: Actor, child_id: str, contact: Contact, asked: Asked, attached: Attached | None = None
    ) -> Written:
        """It is written down; with something ticked a report is opened in the same moment. Sent again it is the same
        record and the same report. Raises NotFound, TriggerAsked, NumberAsked, and as `RecordService.write`."""
        ward = await self.own(actor, child_id)
        contact = await self._with_number(actor, ward, judged(contact, asked))
        async with transaction():
            record = await self._records.write(actor, ward.id, contact, attached)
            return Written(record, await self._reported(actor, ward, contact, asked.ticked, record.id))

    async def correct(self, actor: Actor, record_id: str, contact: Contact, asked: Asked) -> Written:
        """Another version of a record of the actor's own. Raises as `write`, and RecordCorrected."""
        ward = (await self.mine(actor, record_id)).ward
        contact = await self._with_number(actor, ward, judged(contact, asked))
        async with transaction():
            record = await self._records.correct(actor, record_id, contact)
            return Written(record, await self._reported(actor, ward, contact, asked.ticked, record.id))

    async def keep(self, actor: Actor, child_id: str, filled: Mapping[str, str], *, is_asked: bool = False) -> None:
        """What is filled in so far stays as a draft; what comes late, after the record itself, is none any more.
        `is_asked`: whether something has to be reported; who leaves that unanswered is told of it. Raises NotFound,
        DraftTooLarge."""
        ward = await self.own(actor, child_id)
        async with transaction():
            await hold([UUID(ward.id)])
            key = filled.get(KEY) or None
            if key and await ContactsRecord.exists(author_id=own_id(actor), client_key=key):
                return
            waits = (
                True
                if is_asked
                else None
                if heard_in_words("\n".join(filled.get(name, "") for name in _WORDS))
                else False
            )
            draft = await self._drafts.save(actor, ward.id, filled, is_asked=waits)
            if is_asked:
                await self._outbox.promise([reminder_of(draft)])

    # ------------------------------------------------------------------------------------------------- what is written
    async def mine(self, actor: Actor, record_id: str) -> RecordView:
        """A record the actor wrote about a child still paired with them. Raises NotFound."""
        record = await self._records.one(actor, record_id)
        await self.own(actor, record.ward.id)
        if not record.is_own:
            raise refusal(NotFound(), actor, _ACTION, Subject())
        return record

    async def follow_up_done(self, actor: Actor, record_id: str) -> str:
        """What was agreed on about a child paired with the actor is done; gives the child. Raises NotFound."""
        child_id = (await self.own(actor, (await self._records.one(actor, record_id)).ward.id)).id
        await self._records.follow_up_done(actor, record_id)
        return child_id

    async def attach(self, actor: Actor, child_id: str, media: Picture | Voice) -> None:
        """A picture or a voice note lies with what is begun about a child paired with the actor. Raises NotFound,
        FileTooLarge."""
        await self._drafts.attach(actor, (await self.own(actor, child_id)).id, media)

    async def photo(self, actor: Actor, record_id: str) -> FileContent:
        """The picture of a record of the actor's own. Raises NotFound, FileNotFound."""
        record = await self.mine(actor, record_id)
        return await self._file(actor, record, record.photo_id)

    async def voice(self, actor: Actor, record_id: str) -> FileContent:
        """The voice note of a record of the actor's own. Raises NotFound, FileNotFound."""
        record = await self.mine(actor, record_id)
        return await self._file(actor, record, record.voice_id)

    async def sealed(self, actor: Actor, record_id: str, *, is_voice: bool) -> FileContent:
        """The same of any record, for the protection lead. Raises NotFound, NotPermitted, FileNotFound."""
        reach_of(actor, Action.CONTACTS_SEALED)
        record = await self._records.one(actor, record_id)
        return await self._file(actor, record, record.voice_id if is_voice else record.photo_id)

    async def _file(self, actor: Actor, record: RecordView, file_id: str | None) -> FileContent:
        if file_id is None:
            raise refusal(NotFound(), actor, _ACTION, Subject())
        return await self._records.file(actor, record.id, file_id)

    async def report(self, actor: Actor, child_id: str, triggers: Collection[Trigger], words: str) -> str:
        """Something has to be reported, record or no record; gives the id of the report. Raises NotFound."""
        ward = await self.own(actor, child_id)
        async with transaction():
            return await self._reports.open_for(actor, ward, frozenset(triggers), words[:LONGEST_FINDING])

    async def _with_number(self, actor: Actor, ward: WardMeant, contact: Contact) -> Contact:
        try:
            return await with_number(contact, ward.id, self._offices)
        except NumberAsked:
            # Whoever is asked is told who has a number on the card.
            await self._audit.record(
                actor, _ACTION, f"child:{ward.id}", whose=whose(ward), fields=["phone"], purpose="number"
            )
            raise

    async def _reported(
        self, actor: Actor, ward: WardMeant, contact: Contact, ticked: frozenset[Trigger], record_id: str
    ) -> str | None:
        if not ticked:
            return None
        words = "\n".join(filter(None, (contact.finding.strip(), contact.follow_up.strip())))
        return await self._reports.open_for(actor, ward, ticked, words, record_id)


def judged(contact: Contact, asked: Asked) -> Contact:
    """The contact as it is kept. Raises TriggerAsked when its words may mean what must be reported and nobody has
    said; that somebody said no stands in the part of the protection lead."""
    heard = heard_in(contact)
    if not heard or asked.ticked:
        return contact
    if not asked.is_denied:
        raise TriggerAsked(heard)
    note = texts.DENIED.format(what=texts.joined(heard))
    room = LONGEST_FINDING - len(note) - 1
    return replace(contact, sealed_part=f"{contact.sealed_part.strip()[:room]}\n{note}".strip())


def heard_in(contact: Contact) -> frozenset[Trigger]:
    """What the words of a contact may mean, by our own list and by the guard of the chat."""
    return heard_in_words(f"{contact.finding}\n{contact.follow_up}\n{contact.sealed_part}")


def heard_in_words(text: str) -> frozenset[Trigger]:
    """The same of any words."""
    heard = _GUARDED.get(Guard.load().alarm(text) or Alarm.PERSON)
    return recognised(text) | ({heard} if heard else frozenset())
