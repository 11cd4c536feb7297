"""Tables taken out by the protection lead: asked for with a purpose, released by a second person, made once, encrypted
with a password that is shown once and kept nowhere, gone after a week.

Two hands for every export, not for whole schools only: class by class is the whole school too. Whoever releases sees
who asks, for what and how much of it, no child. Every step and every download is written down with it.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from tortoise.exceptions import IntegrityError

from bot.audit.log import Audit
from bot.capability import Todo
from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, may, reach_of, refusal
from bot.storage.database import transaction
from bot.storage.files import FileContent, FileStore, Owner
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.scope import as_id
from handlers.contacts.domain.exports import (
    KEPT,
    ExportEvent,
    ExportOver,
    ExportOwn,
    ExportState,
    NothingToExport,
    ScopeMissing,
    TakenFor,
    advance,
    checked_purpose,
    is_over,
    new_password,
)
from handlers.contacts.models import ContactsExport
from handlers.contacts.service.exports.book import Mark, Part, sealed_book
from handlers.contacts.service.exports.content import ExportContent
from handlers.contacts.service.forms import id_of_form
from handlers.contacts.service.reach import CareReach, Reaching, own_id
from handlers.contacts.texts import exports as texts

PAGE: Final = "/contacts/exports"
RELEASES: Final = "/contacts/releases"
FILE: Final = "contacts_export"
MOST_SHOWN: Final = 50
# Without its password it is no workbook.
_SEALED: Final = "application/octet-stream"
_NUMBER: Final = 8
_ACTION: Final = Action.CONTACTS_EXPORT
_RELEASE: Final = Action.CONTACTS_RELEASE


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for. `place`: the id of a class or of a school."""

    place: str
    taken_for: TakenFor
    purpose: str = field(repr=False)
    has_groups: bool = False
    has_records: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportLine:
    """An export. `place`: the class or school in words; `number`: what its watermark says."""

    id: str
    number: str
    person: str
    place: str
    taken_for: TakenFor
    purpose: str = field(repr=False)
    has_groups: bool
    has_records: bool
    state: ExportState
    is_over: bool
    is_own: bool
    asked_at: datetime
    decided_by: str
    refusal: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Made:
    """A file that was made just now: its password is known to nobody but whoever reads this."""

    line: ExportLine
    password: str = field(repr=False)


class ExportService:
    """The use cases. Also a `TodoSource`."""

    def __init__(
        self, reaching: Reaching, content: ExportContent, *, audiences: AccountsAudiences, offices: Offices,
        files: FileStore, audit: Audit, clock: Clock,
    ) -> None:  # fmt: skip
        self._reaching = reaching
        self._content = content
        self._audiences = audiences
        self._offices = offices
        self._files = files
        self._audit = audit
        self._clock = clock

    # --------------------------------------------------------------------------------------------------------- looking
    async def places(self, actor: Actor) -> list[tuple[str, str]]:
        """The schools and classes within reach with anybody on the register: id and words, a school before its
        classes."""
        reach = reach_of(actor, _ACTION)
        async with transaction():
            await self._audit.record(actor, _ACTION, "contacts:places", purpose="list")
            wards = await self._wards(reach)
        found: dict[str, str] = {}
        for ward in wards.values():
            found.setdefault(ward.school_id, ward.school)
            if ward.class_id:
                found.setdefault(ward.class_id, f"{ward.school}{ward.class_name}")
        return list(found.items())

    async def lines(self, actor: Actor) -> list[ExportLine]:
        """The actor's own, the newest first."""
        reach_of(actor, _ACTION)
        rows = await ContactsExport.filter(person_id=own_id(actor)).order_by("-created_at").limit(MOST_SHOWN)
        return await self._lines(actor, rows)

    async def waiting(self, actor: Actor) -> list[ExportLine]:
        """Those at the schools whose exports the actor may release, the newest first."""
        rows = ContactsExport.filter(school_id__in=await self._schools(reach_of(actor, _RELEASE)))
        return await self._lines(actor, await rows.order_by("-created_at").limit(MOST_SHOWN))

    async def to_release(self, actor: Actor, export_id: str) -> ExportLine:
        """One of them; written down. Raises NotFound."""
        async with transaction():
            row = await self._near(actor, export_id)
            await self._wrote(actor, _RELEASE, row, "read", ["purpose"])
        return (await self._lines(actor, [row]))[0]

    async def own(self, actor: Actor, export_id: str) -> ExportLine:
        """One of the actor's own; written down. Raises NotFound."""
        async with transaction():
            row = await self._mine(actor, export_id)
            await self._wrote(actor, _ACTION, row, "read", ["purpose"])
        return (await self._lines(actor, [row]))[0]

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """What waits to be released, and what was released and is not made yet."""
        if actor.person_id is None:
            return []
        now, todos = self._clock.now(), list[Todo]()
        open_now = ContactsExport.filter(expires_at__gt=now)
        if may(actor, _RELEASE):
            schools = await self._schools(reach_of(actor, _RELEASE))
            rows = open_now.filter(school_id__in=schools, state=ExportState.WAITING)
            todos.append(Todo(texts.TODO_RELEASE, await rows.exclude(person_id=own_id(actor)).count(), RELEASES))
        if may(actor, _ACTION):
            rows = open_now.filter(person_id=own_id(actor), state=ExportState.RELEASED)
            todos.append(Todo(texts.TODO_MAKE, await rows.count(), PAGE))
        return [todo for todo in todos if todo.count]

    # ----------------------------------------------------------------------------------------------------------- deeds
    async def ask(self, actor: Actor, wanted: Wanted, *, key: str = "") -> str:
        """It waits for a second person; gives its id. The same form (`key`) sent again asks for nothing more. Raises
        NotFound for a place out of reach, ScopeMissing, PurposeMissing, NothingToExport."""
        reach, person = reach_of(actor, _ACTION), own_id(actor)
        purpose = checked_purpose(wanted.purpose)
        if not wanted.place:
            raise ScopeMissing
        assert person is not None
        school, room = await self._place(actor, reach, wanted.place)
        if not self._within(await self._wards(reach), school, room):
            raise NothingToExport
        made, now = id_of_form(person, FILE, key), self._clock.now()
        try:
            async with transaction():
                if await ContactsExport.filter(id=made).exists():
                    return str(made)
                row = await ContactsExport.create(
                    id=made, person_id=person, school_id=school, class_id=room, taken_for=wanted.taken_for,
                    purpose=purpose, has_groups=wanted.has_groups, has_records=wanted.has_records,
                    state=ExportState.WAITING, digest="", expires_at=now + KEPT, created_at=now, updated_at=now,
                )  # fmt: skip
                await self._wrote(actor, _ACTION, row, "ask")
        except IntegrityError:
            if not await ContactsExport.filter(id=made).exists():
                raise
        return str(made)

    async def decide(self, actor: Actor, export_id: str, *, is_yes: bool, why: str = "") -> None:
        """A second person releases or refuses it. Raises NotFound, ExportOwn, ExportNotReady, ExportOver, and for a no
        without a word PurposeMissing."""
        event = ExportEvent.RELEASE if is_yes else ExportEvent.REFUSE
        await self._near(actor, export_id)
        async with transaction():
            row = await self._held(export_id)
            if row.person_id == own_id(actor):
                raise ExportOwn
            self._move(row, event)
            row.decided_by, row.decided_at = own_id(actor), row.updated_at
            row.refusal = None if is_yes else checked_purpose(why)
            await row.save(update_fields=["state", "decided_by", "decided_at", "refusal", "updated_at"])
            await self._wrote(actor, _RELEASE, row, event.value)

    async def make(self, actor: Actor, export_id: str) -> Made:
        """The file is made, with what is there now. Its password is given here and never again. Raises NotFound,
        ExportNotReady, ExportOver, NothingToExport, FileTooLarge."""
        row = await self._mine(actor, export_id)
        advance(_state(row), ExportEvent.MAKE)
        async with transaction():
            fields = ["group", "level", "records"] if row.has_records else ["group", "level"]
            await self._wrote(actor, _ACTION, row, "read", fields)
            parts = await self._parts(actor, row)
        mark = Mark(
            exporter=actor.name or "", at=self._clock.now(), number=_number(row),
            purpose=f"{texts.PURPOSES[row.taken_for or TakenFor.OTHER]}，{row.purpose}",
        )  # fmt: skip
        password = new_password(secrets.randbelow)
        content = await asyncio.to_thread(sealed_book, parts, mark, password)
        async with transaction():
            row = await self._held(export_id)
            self._move(row, ExportEvent.MAKE)
            row.made_at, row.expires_at = row.updated_at, row.updated_at + KEPT
            kept = await self._files.keep(Owner(FILE, str(row.id)), content, _SEALED, delete_after=row.expires_at)
            row.file_id, row.digest = UUID(kept.id), hashlib.sha256(content).hexdigest()
            await row.save(update_fields=["state", "made_at", "expires_at", "file_id", "digest", "updated_at"])
            await self._wrote(actor, _ACTION, row, "make")
        return Made((await self._lines(actor, [row]))[0], password)

    async def take(self, actor: Actor, export_id: str) -> tuple[ExportLine, FileContent]:
        """The file, encrypted; written down each time. Raises NotFound, ExportOver."""
        row = await self._mine(actor, export_id)
        now = self._clock.now()
        if row.file_id is None or row.expires_at <= now:
            raise ExportOver
        async with transaction():
            await self._wrote(actor, _ACTION, row, "take", ["file"])
            await ContactsExport.filter(id=row.id).update(taken_at=now, updated_at=now)
            content = await self._files.read(Owner(FILE, str(row.id)), str(row.file_id))
        return (await self._lines(actor, [row]))[0], content

    # ----------------------------------------------------------------------------------------------------------- parts
    async def _wards(self, reach: Reach) -> Mapping[str, WardMeant]:
        return await self._reaching.wards_within(CareReach(class_reach=reach))

    def _within(self, wards: Mapping[str, WardMeant], school: UUID, room: UUID | None) -> dict[str, WardMeant]:
        wanted = str(room) if room else str(school)
        return {child: ward for child, ward in wards.items() if wanted in (ward.class_id, ward.school_id)}

    async def _place(self, actor: Actor, reach: Reach, place: str) -> tuple[UUID, UUID | None]:
        """The school and, when it is one, the class. Raises NotFound."""
        own = as_id(place)
        for ward in (await self._wards(reach)).values():
            if ward.school_id == str(own):
                return own, None
            if ward.class_id == str(own):
                return UUID(ward.school_id), own
        raise refusal(NotFound(), actor, _ACTION, Subject())

    async def _parts(self, actor: Actor, row: ContactsExport) -> list[Part]:
        """Of those who are within the actor's reach now. Raises NothingToExport."""
        wards = self._within(await self._wards(reach_of(actor, _ACTION)), row.school_id, row.class_id)
        if not wards:
            raise NothingToExport
        today = local_date(self._clock.now())
        return await self._content.parts(wards, today, has_groups=row.has_groups, has_records=row.has_records)

    def _move(self, row: ContactsExport, event: ExportEvent) -> None:
        now = self._clock.now()
        row.state, row.updated_at = advance(_state(row), event), now
        if row.expires_at <= now:
            raise ExportOver

    async def _held(self, export_id: str) -> ContactsExport:
        return await ContactsExport.filter(id=as_id(export_id)).select_for_update().get()

    async def _mine(self, actor: Actor, export_id: str) -> ContactsExport:
        """One of the actor's own, at a school still theirs. Raises NotFound."""
        reach = reach_of(actor, _ACTION)
        row = await ContactsExport.get_or_none(id=as_id(export_id))
        if row is None or row.person_id != own_id(actor) or not reach.covers(Subject(school_id=str(row.school_id))):
            raise refusal(NotFound(), actor, _ACTION, Subject())
        return row

    async def _near(self, actor: Actor, export_id: str) -> ContactsExport:
        """One the actor may release. Raises NotFound."""
        reach = reach_of(actor, _RELEASE)
        row = await ContactsExport.get_or_none(id=as_id(export_id))
        place = await self._offices.subject(school_id=str(row.school_id)) if row else Subject()
        if row is None or not reach.covers(place):
            raise refusal(NotFound(), actor, _RELEASE, Subject())
        return row

    async def _schools(self, reach: Reach) -> list[str]:
        towns = [await self._offices.schools_in(town) for town in sorted(reach.townships)]
        return sorted(reach.schools | {school for town in towns for school in town})

    async def _wrote(
        self, actor: Actor, action: Action, row: ContactsExport, purpose: str, fields: Sequence[str] = ()
    ) -> None:
        place = await self._offices.subject(school_id=str(row.school_id))
        subject = f"{FILE}:{row.id}"
        await self._audit.record(actor, action, subject, whose=place, fields=fields, purpose=f"export.{purpose}")

    async def _lines(self, actor: Actor, rows: Sequence[ContactsExport]) -> list[ExportLine]:
        people = {str(each) for row in rows for each in (row.person_id, row.decided_by) if each}
        names = await self._audiences.names(people)
        places = await self._offices.names({str(row.class_id or row.school_id) for row in rows})
        now = self._clock.now()
        return [
            ExportLine(
                id=str(row.id),
                number=_number(row),
                person=names.get(str(row.person_id), ""),
                place=places.get(str(row.class_id or row.school_id), ""),
                taken_for=row.taken_for or TakenFor.OTHER,
                purpose=row.purpose,
                has_groups=row.has_groups,
                has_records=row.has_records,
                state=_state(row),
                is_over=is_over(_state(row), row.expires_at, now),
                is_own=row.person_id == own_id(actor),
                asked_at=row.created_at,
                decided_by=names.get(str(row.decided_by), ""),
                refusal=row.refusal or "",
                expires_at=row.expires_at,
            )
            for row in rows
        ]


def _state(row: ContactsExport) -> ExportState:
    return row.state or ExportState.WAITING


def _number(row: ContactsExport) -> str:
    return str(row.id)[:_NUMBER].upper()
