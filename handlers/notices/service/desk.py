"""Writing notices: drafts, what is wrong with them, and who would be reached."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from tortoise.exceptions import IntegrityError
from tortoise.expressions import Q

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.errors import NotPermitted
from bot.identity import Actor
from bot.rights import Action, require
from bot.storage.database import transaction
from bot.storage.files import FileStore, Owner
from handlers.accounts.service.audience import Audience
from handlers.accounts.service.people import CursorInvalid, PageOf
from handlers.accounts.service.structure import StructureService
from handlers.calendar.service.calendars import CalendarService
from handlers.notices.domain import (
    LIVE,
    OUT,
    Finding,
    IllegalNoticeMove,
    NoticeChanged,
    NoticeContent,
    NoticeState,
    checked_content,
    overlaps,
)
from handlers.notices.models import Notice
from handlers.notices.service import content as words
from handlers.notices.service.places import PlaceOf, Places
from handlers.notices.service.rows import ALBUM, columns_of, content_of, held, owned, reported, target_of, touching
from handlers.notices.service.showing import Showing
from handlers.notices.service.views import Choices, NoticeView, PlaceChoice, SourceChoice

PAGE: Final = 50
_LARGEST_PAGE: Final = 500
_LOOKED_BACK: Final = timedelta(days=90)
_TRIES: Final = 5
"""How often a number is tried that somebody else took at the same moment."""


@dataclass(frozen=True, slots=True)
class DeskParts:
    """What the desk works with."""

    places: Places
    showing: Showing
    structure: StructureService
    calendars: CalendarService
    files: FileStore


class NoticeDesk:
    """Drafts."""

    def __init__(self, parts: DeskParts, audit: Audit, clock: Clock) -> None:
        self._parts = parts
        self._audit = audit
        self._clock = clock

    # --------------------------------------------------------------------------------------------------------- reading
    async def choices(self, actor: Actor) -> Choices:
        """The places within reach and what other capabilities can choose children by."""
        reach = require(actor, Action.NOTICE_WRITE)
        structure = self._parts.structure
        towns = [town for town in await structure.townships(actor) if reach.is_any or town[0] in reach.townships]
        schools = await structure.schools(actor) if reach.is_any or reach.schools or reach.townships else []
        classes = [
            PlaceChoice("class", each.id, f"{each.school}{each.name}", each.school_id, each.grade, each.number)
            for each in await structure.classes(actor)
        ]
        found = [
            SourceChoice(source.name, choice.key, choice.title)
            for source in self._parts.places.recipients.sources()
            for choice in await source.choices(actor)
        ]
        return Choices(
            townships=[PlaceChoice("township", own, name) for own, name in towns],
            schools=[PlaceChoice("school", each.id, each.name, each.id) for each in schools],
            classes=classes,
            sources=found,
        )

    async def get(self, actor: Actor, notice_id: str) -> NoticeView:
        """One notice: of a place within reach, or one that went to children there. Raises NotFound."""
        row, _ = await reported(actor, notice_id)
        return await self._parts.showing.view(actor, row)

    async def notices(
        self,
        actor: Actor,
        *,
        state: NoticeState | None = None,
        text: str = "",
        cursor: str | None = None,
        limit: int = PAGE,
    ) -> PageOf[NoticeView]:
        """Those of places within reach, and those that went to children there; the newest first. `text`: a part of the
        title or the words, or the number."""
        reach = require(actor, Action.NOTICE_REPORT)
        # What somebody else is still writing for a wider place is nobody's business yet.
        seen = Q(touching(actor, reach)) & Q(Q(state__in=list(OUT)), _drafts(actor), join_type=Q.OR)
        query = Notice.filter(seen & _saying(text)).order_by("-created_at", "-number")
        query = query if state is None else query.filter(state=state)
        start = int(cursor) if cursor and cursor.isascii() and cursor.isdigit() and len(cursor) < 8 else 0
        if cursor and not start:
            raise CursorInvalid
        total, rows = await query.count(), await query.offset(start).limit(max(1, min(limit, _LARGEST_PAGE)))
        end = start + len(rows)
        following = str(end) if rows and end < total else None
        return PageOf(await self._parts.showing.views(actor, rows), total, following)

    # --------------------------------------------------------------------------------------------------------- writing
    async def create(self, actor: Actor, content: NoticeContent) -> NoticeView:
        """A draft. Raises NoticeInvalid, NotFound for a place out of reach."""
        require(actor, Action.NOTICE_WRITE)
        content, place = await self._placed(actor, content)
        async with transaction():
            row = await self._inserted(actor, content, place)
            await self._note(actor, row, "create")
        return await self._parts.showing.view(actor, row)

    async def edit(self, actor: Actor, notice_id: str, content: NoticeContent, version: int) -> NoticeView:
        """The draft anew. Raises NoticeChanged when it is not the `version` that was looked at, IllegalNoticeMove when
        it is no draft any more."""
        content, place = await self._placed(actor, content)
        async with transaction():
            row = await self._draft(actor, notice_id, version)
            if row.corrects is not None:
                # A correction goes to who got the original, whatever is said now.
                content = replace(content, target=target_of(row))
            columns = columns_of(content, place.reach) if row.corrects is None else _of_correction(content, row)
            await self._change(actor, row, {**columns, "written_on": self._today()})
            await self._note(actor, row, "edit")
        return await self._parts.showing.view(actor, row)

    async def untick(
        self, actor: Actor, notice_id: str, version: int, *, children: Collection[str], people: Collection[str] = ()
    ) -> NoticeView:
        """Takes these off the list, and nobody else. Raises NoticeChanged, IllegalNoticeMove."""
        async with transaction():
            row = await self._draft(actor, notice_id, version)
            target = target_of(row)
            reach = target.audience.reach
            assert reach is not None
            audience = replace(target.audience, without_pupils=frozenset(children), without_persons=frozenset(people))
            content = replace(content_of(row), target=replace(target, audience=audience))
            await self._change(actor, row, columns_of(content, reach))
            await self._note(actor, row, "untick")
        return await self._parts.showing.view(actor, row)

    async def touched(self, actor: Actor, notice_id: str, purpose: str) -> Notice:
        """The draft, locked and under a new version, for a change beside its words; in the caller's transaction. Raises
        NotFound, IllegalNoticeMove."""
        row = await self._draft(actor, notice_id, None)
        await self._change(actor, row, {})
        await self._note(actor, row, purpose)
        return row

    async def discard(self, actor: Actor, notice_id: str) -> None:
        """The draft goes. Raises IllegalNoticeMove when it is none."""
        async with transaction():
            row = await self._draft(actor, notice_id, None)
            if row.corrects is not None:
                await Notice.filter(id=row.corrects, corrected_by=row.id).update(corrected_by=None)
            await self._parts.files.discard_all(Owner(ALBUM, str(row.id)))
            await row.delete()
            await self._note(actor, row, "discard")

    async def correct(self, actor: Actor, notice_id: str) -> NoticeView:
        """A draft that corrects a notice that went out; its recipients are those who got it. Asked again it is the same
        draft. Raises IllegalNoticeMove."""
        async with transaction():
            before = await held(actor, Action.NOTICE_WRITE, notice_id, lock=True)
            if before.corrected_by is not None:
                return await self._parts.showing.view(actor, await Notice.get(id=before.corrected_by))
            if before.state not in LIVE | {NoticeState.CLOSED}:
                raise IllegalNoticeMove
            content = replace(content_of(before), send_at=None, deadline=self._deadline(before))
            place = PlaceOf.of_row(before)
            row = await self._inserted(actor, content, place, corrects=before.id)
            await self._parts.files.copy(Owner(ALBUM, str(before.id)), Owner(ALBUM, str(row.id)))
            await Notice.filter(id=before.id).update(corrected_by=row.id, updated_at=self._clock.now())
            await self._note(actor, row, "correct")
        return await self._parts.showing.view(actor, row)

    # -------------------------------------------------------------------------------------------------------- findings
    async def findings(self, actor: Actor, content: NoticeContent, notice_id: str | None = None) -> list[Finding]:
        """What is wrong with the words: labels block, everything else is to be looked at once more."""
        place = await self._parts.places.of(actor, content.target)
        own = await Notice.get_or_none(id=notice_id) if notice_id else None
        return await self.findings_of(content, place, own)

    async def findings_of(self, content: NoticeContent, place: PlaceOf, own: Notice | None) -> list[Finding]:
        """The same for those who have asked already."""
        today, calendars = self._today(), self._parts.calendars
        days = await (calendars.of(place.school_id) if place.school_id else calendars.of_township(place.township_id))
        whole = f"{content.title}。{content.text}"
        return [
            *words.labels_in(content),
            *words.day_findings(whole, today, days),
            *words.contradictions(content.title, content.text, today, await self._others(content, place, own)),
        ]

    async def _others(self, content: NoticeContent, place: PlaceOf, own: Notice | None) -> list[words.Other]:
        since = self._clock.now() - _LOOKED_BACK
        states = [NoticeState.WAITING, NoticeState.SCHEDULED, *LIVE]
        rows = await Notice.filter(township_id=place.township_id, state__in=states, created_at__gte=since)
        mine = {own.id, own.corrects} if own else set()
        audience = content.target.audience
        school_of = {each: place.school_id for each in audience.classes if place.school_id}
        found = []
        for row in rows:
            theirs = target_of(row).audience
            if row.school_id:
                school_of |= {each: str(row.school_id) for each in theirs.classes}
            if row.id not in mine and row.corrected_by is None and _may_meet(audience, theirs, place, row, school_of):
                found.append(words.Other(row.number, row.title, row.text, row.written_on))
        return found

    # ------------------------------------------------------------------------------------------------------------ rows
    async def _placed(self, actor: Actor, content: NoticeContent) -> tuple[NoticeContent, PlaceOf]:
        content = checked_content(content, self._clock.now())
        place = await self._parts.places.of(actor, content.target)
        return replace(content, target=replace(content.target, audience=place.audience)), place

    async def _inserted(
        self, actor: Actor, content: NoticeContent, place: PlaceOf, corrects: UUID | None = None
    ) -> Notice:
        """A number of its own: two who write at the same moment try again."""
        if actor.person_id is None:
            raise NotPermitted
        author, now = UUID(actor.person_id), self._clock.now()
        columns: dict[str, Any] = {
            **columns_of(content, place.reach),
            **place.columns,
            "state": NoticeState.DRAFT,
            "written_on": self._today(),
            "written_by": author,
            "changed_by": author,
            "corrects": corrects,
            "created_at": now,
            "updated_at": now,
        }
        for attempt in range(_TRIES):
            last = await Notice.all().order_by("-number").first()
            try:
                async with transaction():
                    return await Notice.create(id=uuid4(), number=(last.number if last else 0) + 1, **columns)
            except IntegrityError:
                if attempt == _TRIES - 1:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _draft(self, actor: Actor, notice_id: str, version: int | None) -> Notice:
        row = await held(actor, Action.NOTICE_WRITE, notice_id, lock=True)
        if row.state is not NoticeState.DRAFT:
            raise IllegalNoticeMove
        if version is not None and row.version != version:
            raise NoticeChanged
        return row

    async def _change(self, actor: Actor, row: Notice, columns: dict[str, Any]) -> None:
        """A signature given before is worth nothing now."""
        assert actor.person_id is not None
        row.update_from_dict(
            {
                **columns,
                "version": row.version + 1,
                "changed_by": UUID(actor.person_id),
                "approved_by": None,
                "approved_at": None,
                "updated_at": self._clock.now(),
            }
        )
        await row.save()

    async def _note(self, actor: Actor, row: Notice, purpose: str) -> None:
        whose = PlaceOf.of_row(row).subject
        await self._audit.record(actor, Action.NOTICE_WRITE, f"notice:{row.id}", whose=whose, purpose=purpose)

    def _today(self) -> date:
        return local_date(self._clock.now())

    def _deadline(self, before: Notice) -> Any:
        return before.deadline if before.deadline and before.deadline > self._clock.now() else None


def _drafts(actor: Actor) -> Q:
    """What is not out yet is seen by those who may write for the place."""
    return owned(actor, require(actor, Action.NOTICE_WRITE))


def _saying(text: str) -> Q:
    text = text.strip()
    if not text:
        return Q()
    parts = [Q(title__icontains=text), Q(text__icontains=text)]
    if text.isascii() and text.isdigit() and len(text) < 9:
        parts.append(Q(number=int(text)))
    return Q(*parts, join_type=Q.OR)


def _of_correction(content: NoticeContent, row: Notice) -> dict[str, Any]:
    """The words change; whom it is for and within whose reach stays."""
    reach = target_of(row).audience.reach
    assert reach is not None
    return columns_of(content, reach)


def _may_meet(one: Audience, other: Audience, place: PlaceOf, row: Notice, school_of: dict[str, str]) -> bool:
    here = replace(one, township_id=place.township_id, reach=None)
    there = replace(other, township_id=str(row.township_id), reach=None)
    return overlaps(here, there, school_of)
