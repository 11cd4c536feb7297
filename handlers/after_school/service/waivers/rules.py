"""What the township sets: which hardships it waives how much for, and the official lists it is given."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID, uuid4

from tortoise.expressions import Q

from bot.audit.log import Audit
from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, refusal, require
from bot.storage.database import transaction
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.marks import FamilyMarks
from handlers.accounts.service.offices import Offices
from handlers.accounts.service.scope import as_id
from handlers.after_school.domain.waivers import HARDSHIPS, WaiverInvalid, check_percent, check_words, hardship
from handlers.after_school.models import AfterSchoolWaiverCategory, AfterSchoolWaiverList, AfterSchoolWaiverListed
from handlers.after_school.service.waivers.rows import own_id
from handlers.after_school.service.waivers.sheets import read_marks
from handlers.after_school.service.waivers.views import CategoryRule, CategoryView, Imported, ListView
from handlers.after_school.texts import waivers as texts

_SLICE: Final = 500
_ACTION: Final = Action.WAIVER_LISTS


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRule:
    """What a township waives for a kind of hardship from a day on; `evidence` "" : what is shipped for it."""

    code: str
    percent: int
    since: date
    clause: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class NewList:
    """An official list for a kind of hardship, good for a time."""

    code: str
    since: date
    until: date


class WaiverRules:
    """The use cases."""

    def __init__(
        self, offices: Offices, audiences: AccountsAudiences, marks: FamilyMarks, *, audit: Audit, clock: Clock
    ) -> None:
        self._offices = offices
        self._audiences = audiences
        self._marks = marks
        self._audit = audit
        self._clock = clock

    async def townships(self, actor: Actor) -> Mapping[str, str]:
        """The townships the actor may set rules for: their names by id."""
        reach = require(actor, _ACTION)
        ids = await self._offices.townships() if reach.is_any else sorted(reach.townships)
        return await self._offices.names(ids)

    # ------------------------------------------------------------------------------------------------------ categories
    async def categories(self, actor: Actor, township_id: str) -> list[CategoryView]:
        """All kinds of hardship that are shipped, with the township's rule in force and the next one."""
        _covered(actor, township_id)
        today = local_date(self._clock.now())
        rows = await AfterSchoolWaiverCategory.filter(
            Q(until__isnull=True) | Q(until__gte=today), township_id=UUID(township_id)
        ).order_by("since", "created_at")
        views = []
        for kind in HARDSHIPS:
            own = [row for row in rows if row.code == kind.code]
            current = [row for row in own if row.since <= today]
            coming = [row for row in own if row.since > today]
            views.append(CategoryView(kind, _rule(current[-1:]), _rule(coming[:1])))
        return views

    async def set(self, actor: Actor, township_id: str, new: NewRule) -> None:
        """From the day on this holds; what held before ends the day before. Cases asked for earlier keep their rule.
        Raises NotFound, WaiverInvalid."""
        _covered(actor, township_id)
        hardship(new.code)
        percent, now = check_percent(new.percent), self._clock.now()
        clause = check_words(new.clause, "依据", required=True)
        evidence = check_words(new.evidence, "要什么材料")
        async with transaction():
            before = await _lasting(township_id, new.code)
            if any(row.since >= new.since for row in before):
                raise WaiverInvalid(texts.SINCE_EARLIER)
            await _end(before, new.since - timedelta(days=1))
            row = await AfterSchoolWaiverCategory.create(
                id=uuid4(), township_id=UUID(township_id), code=new.code, percent=percent, since=new.since,
                clause=clause, evidence=evidence, entered_by=own_id(actor), created_at=now, updated_at=now,
            )  # fmt: skip
            await self._wrote(actor, township_id, f"waiver_category:{row.id}", "set")

    async def stop(self, actor: Actor, township_id: str, code: str) -> None:
        """Today is the last day on which the kind may be asked for. Raises NotFound."""
        _covered(actor, township_id)
        today = local_date(self._clock.now())
        async with transaction():
            await _end(await _lasting(township_id, hardship(code).code), today)
            await self._wrote(actor, township_id, f"township:{township_id}", "stopped")

    # ----------------------------------------------------------------------------------------------------------- lists
    async def lists(self, actor: Actor, township_id: str) -> list[ListView]:
        """The lists that were brought in, the newest first."""
        _covered(actor, township_id)
        rows = await AfterSchoolWaiverList.filter(township_id=UUID(township_id)).order_by("-created_at", "id")
        names = await self._audiences.names({str(row.entered_by) for row in rows if row.entered_by})
        return [_list(row, names.get(str(row.entered_by), "")) for row in rows]

    async def bring_in(self, actor: Actor, township_id: str, new: NewList, content: bytes) -> Imported:
        """Keeps the fingerprints of a list, and counts; the file itself is not kept. Raises NotFound, WaiverInvalid,
        FileTooLarge, NoWorkbook."""
        _covered(actor, township_id)
        if not hardship(new.code).has_list:
            raise WaiverInvalid(texts.LIST_NO_KIND)
        if new.until < new.since:
            raise WaiverInvalid(texts.BAD_DAYS)
        found = await asyncio.to_thread(read_marks, content)
        known, now = await self._marks.known(found.marks), self._clock.now()
        async with transaction():
            row = await AfterSchoolWaiverList.create(
                id=uuid4(), township_id=UUID(township_id), code=new.code, since=new.since, until=new.until,
                rows=found.rows, known=known, digest=hashlib.sha256(content).hexdigest(), entered_by=own_id(actor),
                created_at=now, updated_at=now,
            )  # fmt: skip
            listed = [
                AfterSchoolWaiverListed(id=uuid4(), source_id=row.id, number_index=mark, created_at=now, updated_at=now)
                for mark in sorted(found.marks)
            ]
            await AfterSchoolWaiverListed.bulk_create(listed, batch_size=_SLICE)
            await self._wrote(actor, township_id, f"waiver_list:{row.id}", "brought_in")
        return Imported(found.rows, found.unreadable, known)

    async def undo(self, actor: Actor, list_id: str) -> None:
        """A list that was wrong counts no longer, and its fingerprints go. Cases it has spoken for are looked at by
        people anyway. Raises NotFound, WaiverInvalid."""
        reach, now = require(actor, _ACTION), self._clock.now()
        async with transaction():
            row = await AfterSchoolWaiverList.filter(id=as_id(list_id)).select_for_update().first()
            if row is None or not _covers(reach, str(row.township_id)):
                raise refusal(NotFound(), actor, _ACTION, Subject())
            if row.undone_at is not None:
                raise WaiverInvalid(texts.LIST_UNDONE)
            row.update_from_dict({"undone_at": now, "undone_by": own_id(actor), "updated_at": now})
            await row.save()
            await AfterSchoolWaiverListed.filter(source_id=row.id).delete()
            await self._wrote(actor, str(row.township_id), f"waiver_list:{row.id}", "undone")

    async def _wrote(self, actor: Actor, township_id: str, subject: str, purpose: str) -> None:
        await self._audit.record(actor, _ACTION, subject, whose=Subject(township_id=township_id), purpose=purpose)


def _covered(actor: Actor, township_id: str) -> None:
    if not _covers(require(actor, _ACTION), str(as_id(township_id))):
        raise refusal(NotFound(), actor, _ACTION, Subject())


def _covers(reach: Reach, township_id: str) -> bool:
    return reach.covers(Subject(township_id=township_id))


async def _lasting(township_id: str, code: str) -> list[AfterSchoolWaiverCategory]:
    return await AfterSchoolWaiverCategory.filter(
        township_id=UUID(township_id), code=code, until__isnull=True
    ).select_for_update()


async def _end(rows: list[AfterSchoolWaiverCategory], last_day: date) -> None:
    for row in rows:
        row.until = last_day
        await row.save(update_fields=["until"])


def _rule(rows: list[AfterSchoolWaiverCategory]) -> CategoryRule | None:
    if not rows:
        return None
    row = rows[0]
    return CategoryRule(str(row.id), row.percent, row.since, row.until, row.clause, row.evidence)


def _list(row: AfterSchoolWaiverList, by: str) -> ListView:
    is_undone = row.undone_at is not None
    title = hardship(row.code).title
    return ListView(str(row.id), title, row.since, row.until, row.rows, row.known, row.created_at, by, is_undone)
