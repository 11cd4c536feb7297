"""The whole file of a child: register, levels, who keeps contact, the card, the checks, the records with everything in
them, and mandatory reports for those who may see them.

Whoever asks has the right to it and has written it down, in the same transaction: nothing here looks at who it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from tortoise.expressions import Q

from bot.storage.files import FileContent, FileNotFound, FileStore, Owner
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.scope import as_id
from handlers.contacts.domain.records import ReportState
from handlers.contacts.domain.reports import Call, read_calls, read_triggers
from handlers.contacts.domain.triggers import Trigger
from handlers.contacts.models import ContactsCheck, ContactsFile, ContactsPair, ContactsRecord, ContactsReport
from handlers.contacts.service.cards.cards import CardService
from handlers.contacts.service.cards.fitness import PAPER, FitnessService
from handlers.contacts.service.cards.views import CheckView, FactView, OnRoster
from handlers.contacts.service.records.files import FILES
from handlers.contacts.service.records.records import RecordService
from handlers.contacts.service.records.views import RecordView
from handlers.contacts.service.register.entering import RegisterService
from handlers.contacts.service.register.views import ChildFile

READ = (
    "group", "reason", "level", "end_reason", "pairs", "facts", "fitness", "roster", "phone", "records", "finding",
    "sealed_part",
)  # fmt: skip
"""What a look at it is written down as."""
WITH_REPORTS = (*READ, "triggers", "words", "calls")


@dataclass(frozen=True, slots=True)
class KeptBy:
    """Who keeps or kept contact. `name` "" for nobody any more."""

    name: str
    since: date
    until: date | None


@dataclass(frozen=True, slots=True)
class Reported:
    """A mandatory report of the child."""

    opened_at: datetime
    opened_by: str
    state: ReportState
    triggers: frozenset[Trigger]
    words: str = field(repr=False)
    calls: tuple[Call, ...] = field(repr=False)
    closing: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeFile:
    """Everything. `files` None: the child has none that may be looked at. `papers`: written entrustments, by the id of
    the picture, the newest first. `reports` None: not the reader's to see."""

    ward: WardMeant
    files: ChildFile | None
    keepers: tuple[KeptBy, ...] = ()
    facts: tuple[FactView, ...] = ()
    roster: tuple[OnRoster, ...] = ()
    checks: tuple[CheckView, ...] = ()
    papers: tuple[str, ...] = ()
    records: tuple[RecordView, ...] = ()
    reports: tuple[Reported, ...] | None = None


@dataclass(frozen=True, slots=True)
class Holdings:
    """Those who hold the parts."""

    register: RegisterService
    cards: CardService
    fitness: FitnessService
    records: RecordService


class WholeFiles:
    """Reads them."""

    def __init__(
        self, holdings: Holdings, audiences: AccountsAudiences, offices: Offices, files: FileStore
    ) -> None:  # fmt: skip
        self._holdings = holdings
        self._audiences = audiences
        self._offices = offices
        self._files = files

    async def read(self, ward: WardMeant, *, with_sealed: bool = False, with_reports: bool = False) -> WholeFile:
        """`with_sealed`: also of a child that has left or is of age. Of one that is on no register there is nothing."""
        held = self._holdings
        files = await held.register.file_of(ward, with_sealed=with_sealed)
        if files is None:
            return WholeFile(ward=ward, files=None, reports=() if with_reports else None)
        callers, acting = await self._offices.guardians(ward.id)
        papers = ContactsCheck.filter(pupil_id=UUID(ward.id), file_id__not_isnull=True)
        return WholeFile(
            ward=ward,
            files=files,
            keepers=await self._keepers(ward),
            facts=await held.cards.facts_of(ward.id),
            roster=tuple(OnRoster(each.person_id, each.name, each.phone, each.person_id == acting) for each in callers),
            checks=tuple(await held.fitness.of(ward.id)),
            papers=tuple(
                str(own)
                for own in await papers.order_by("-checked_on", "-created_at").values_list("file_id", flat=True)
            ),
            records=tuple(await held.records.opened(ward)),
            reports=await self._reports(ward) if with_reports else None,
        )

    async def attached(self, child_id: str, file_id: str) -> FileContent:
        """A picture or voice note of a record, or a written entrustment of the child. Raises FileNotFound."""
        own, pupil = as_id(file_id), UUID(child_id)
        record = await ContactsRecord.filter(Q(photo_id=own) | Q(voice_id=own), pupil_id=pupil).first()
        check = await ContactsCheck.filter(pupil_id=pupil, file_id=own).first()
        is_open = await ContactsFile.filter(pupil_id=pupil, sealed_at__isnull=True).exists()
        if not is_open or (record is None and check is None):
            raise FileNotFound
        owner = Owner(FILES, str(record.id)) if record else Owner(PAPER, str(check.id if check else own))
        return await self._files.read(owner, str(own))

    async def _keepers(self, ward: WardMeant) -> tuple[KeptBy, ...]:
        rows = await ContactsPair.filter(pupil_id=UUID(ward.id)).order_by("-since", "-created_at", "id")
        names = await self._audiences.names({str(row.person_id) for row in rows})
        return tuple(KeptBy(names.get(str(row.person_id), ""), row.since, row.until) for row in rows)

    async def _reports(self, ward: WardMeant) -> tuple[Reported, ...]:
        rows = await ContactsReport.filter(pupil_id=UUID(ward.id)).order_by("-opened_at", "id")
        names = await self._audiences.names({str(row.opened_by) for row in rows})
        return tuple(
            Reported(
                row.opened_at, names.get(str(row.opened_by), ""), row.state, read_triggers(row.triggers),
                row.words or "", read_calls(row.calls), row.closing or "",
            )
            for row in rows
        )  # fmt: skip
