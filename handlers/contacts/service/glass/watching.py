"""Watching over those who looked past what is theirs: the protection lead sees who, why and what was read, and says so.

Where a school has no lead, or the lead is out of reach, its leader is told, then the township: they see who and when,
of the child and the words nothing. Nobody confirms a look of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bot.audit.log import Audit
from bot.audit.search import AuditFilter, search
from bot.capability import Todo
from bot.clock import Clock
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, may, reach_of, refusal
from bot.storage.database import transaction
from handlers.accounts.service.audiences import AccountsAudiences, WardMeant
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.scope import as_id
from handlers.contacts.domain.glass import Ground, NotWatched
from handlers.contacts.models import ContactsGlass
from handlers.contacts.service.glass.opening import looked_under
from handlers.contacts.service.glass.rows import watchers_of
from handlers.contacts.service.glass.telling import PATH, GlassTelling
from handlers.contacts.service.reach import own_id
from handlers.contacts.texts import glass as texts

MOST_SHOWN: Final = 100
_MOST_LOOKS: Final = 200
_ACTION: Final = Action.CONTACTS_WATCH


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassLine:
    """A look past somebody's own. `ward` None: not the reader's to see, or the child has left."""

    id: str
    person: str
    school: str
    ward: WardMeant | None
    ground: Ground | None
    at: datetime
    until: datetime
    seen_by: str
    seen_at: datetime | None
    may_confirm: bool


@dataclass(frozen=True, slots=True)
class Look:
    """Something that was read through it: names of fields, never values."""

    at: datetime
    fields: Sequence[str]


@dataclass(frozen=True, slots=True)
class GlassSheet:
    """One of them with what was read, in order. `reason` None: not the reader's to see."""

    line: GlassLine
    reason: str | None = field(repr=False)
    looks: Sequence[Look]


class GlassWatching:
    """The use cases of whoever watches. Also a `TodoSource`."""

    def __init__(
        self, telling: GlassTelling, audiences: AccountsAudiences, offices: Offices, audit: Audit, clock: Clock
    ) -> None:
        self._telling = telling
        self._audiences = audiences
        self._offices = offices
        self._audit = audit
        self._clock = clock

    async def lines(self, actor: Actor) -> list[GlassLine]:
        """Those within reach, the newest first. Raises NotPermitted."""
        reach = reach_of(actor, _ACTION)
        async with transaction():
            await self._audit.record(actor, _ACTION, "contacts:glasses", purpose="list", fields=["child"])
            rows = (
                await ContactsGlass.filter(school_id__in=await self._schools(reach)).order_by("-at").limit(MOST_SHOWN)
            )
            return await self._lines(actor, rows)

    async def one(self, actor: Actor, glass_id: str) -> GlassSheet:
        """One of them. Raises NotFound."""
        async with transaction():
            row, place = await self._found(actor, glass_id)
            is_open = may(actor, Action.CONTACTS_SEALED, place)
            fields = ["child", "reason"] if is_open else ["person"]
            await self._audit.record(
                actor, _ACTION, f"contacts_glass:{row.id}", whose=place, fields=fields, purpose="read"
            )
            [line] = await self._lines(actor, [row])
            return GlassSheet(line, row.reason if is_open else None, await self._looks(actor, row))

    async def seen(self, actor: Actor, glass_id: str) -> None:
        """Whoever watches has seen it; twice is once. Raises NotFound, NotWatched."""
        row, place = await self._found(actor, glass_id)
        now, own = self._clock.now(), own_id(actor)
        async with transaction():
            if not await self._is_watched_by(actor, row, place):
                raise NotWatched
            if await ContactsGlass.filter(id=row.id, seen_at__isnull=True).update(
                seen_by=own, seen_at=now, updated_at=now
            ):
                await self._audit.record(
                    actor, _ACTION, f"contacts_glass:{row.id}", whose=place, purpose="seen"
                )  # fmt: skip

    async def todos_of(self, actor: Actor) -> Sequence[Todo]:
        """Those nobody has confirmed that are the actor's to confirm."""
        if actor.person_id is None or not may(actor, _ACTION):
            return []
        schools = await self._schools(reach_of(actor, _ACTION))
        rows = await ContactsGlass.filter(school_id__in=schools, seen_at__isnull=True) if schools else []
        own = [row for row in rows if await self._is_watched_by(actor, row, await self._place(row))]
        return [Todo(texts.TODO_SEEN, len(own), PATH, is_urgent=True)] if own else []

    # ----------------------------------------------------------------------------------------------------------- parts
    async def _schools(self, reach: Reach) -> list[str]:
        towns = [await self._offices.schools_in(town) for town in sorted(reach.townships)]
        return sorted(reach.schools | {school for town in towns for school in town})

    async def _found(self, actor: Actor, glass_id: str) -> tuple[ContactsGlass, Subject]:
        reach = reach_of(actor, _ACTION)
        row = await ContactsGlass.get_or_none(id=as_id(glass_id))
        place = await self._place(row) if row else Subject()
        if row is None or not reach.covers(place):
            raise refusal(NotFound(), actor, _ACTION, Subject())
        return row, place

    async def _place(self, row: ContactsGlass) -> Subject:
        return await self._offices.subject(school_id=str(row.school_id))

    async def _is_watched_by(self, actor: Actor, row: ContactsGlass, place: Subject) -> bool:
        """Whoever answers for it today; whoever was told because nobody nearer could be reached; never who looked."""
        own = str(own_id(actor))
        if own == str(row.person_id):
            return False
        watching = await watchers_of(self._offices, place, str(row.person_id))
        return own in watching or own in await self._telling.told(row.id)

    async def _lines(self, actor: Actor, rows: Sequence[ContactsGlass]) -> list[GlassLine]:
        people = {str(each) for row in rows for each in (row.person_id, row.seen_by) if each}
        names = await self._audiences.names(people)
        schools = await self._offices.names({str(row.school_id) for row in rows})
        wards = await self._audiences.children({str(row.pupil_id) for row in rows})
        places = {row.school_id: await self._place(row) for row in {row.school_id: row for row in rows}.values()}
        found = []
        for row in rows:
            place = places[row.school_id]
            is_open = may(actor, Action.CONTACTS_SEALED, place)
            found.append(
                GlassLine(
                    id=str(row.id),
                    person=names.get(str(row.person_id), ""),
                    school=schools.get(str(row.school_id), ""),
                    ward=wards.get(str(row.pupil_id)) if is_open else None,
                    ground=row.ground,
                    at=row.at,
                    until=row.until,
                    seen_by=names.get(str(row.seen_by), ""),
                    seen_at=row.seen_at,
                    may_confirm=row.seen_at is None and await self._is_watched_by(actor, row, place),
                )
            )
        return found

    async def _looks(self, actor: Actor, row: ContactsGlass) -> list[Look]:
        wanted = AuditFilter(
            actors=[str(row.person_id)], children=[str(row.pupil_id)], since=row.at,
            purpose=looked_under(str(row.id)),
        )  # fmt: skip
        entries, _ = await search(
            Reach(is_any=True), wanted, offset=0, limit=_MOST_LOOKS, is_oldest_first=True
        )  # fmt: skip
        return [Look(entry.at, entry.fields) for entry in entries]
