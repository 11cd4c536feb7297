"""Lists that come in as a workbook: a dry run to look at, entered in one transaction, taken back as a whole."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Final
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.clock import SHANGHAI, Clock, to_utc
from bot.errors import NotPermitted
from bot.identity import Actor
from bot.rights import Action
from bot.storage.database import transaction
from bot.storage.rows import insert_rows
from handlers.accounts.service.rolls import Room
from handlers.accounts.service.scope import as_id, missing
from handlers.after_school.domain.offers import EnrolmentClosed
from handlers.after_school.domain.statements import Source, TallyMove
from handlers.after_school.models import AfterSchoolIntake, AfterSchoolStatement, AfterSchoolTally
from handlers.after_school.service.collection.desk import CollectionDesk
from handlers.after_school.service.collection.ledger import ledger
from handlers.after_school.service.collection.list_rows import (
    COLUMNS,
    FORM,
    Ground,
    ListPlan,
    Said,
    planned,
)
from handlers.after_school.service.collection.tallies import closed_among, hold
from handlers.after_school.service.collection.views import PlanAt
from handlers.after_school.texts import collection as texts
from handlers.rosters.domain import (
    BaseChanged,
    ImportEvent,
    ImportState,
    LaterDepends,
    MoveNotAllowed,
    RowReport,
    RowState,
    Sheet,
    advance,
)
from handlers.rosters.service.reading import read_columns
from handlers.rosters.service.workbooks import filled, marked

_HISTORY: Final = 50
_LONGEST_NAME: Final = 128


@dataclass(frozen=True, slots=True)
class ListView:
    """A list as it was uploaded. `reports` are of now, () once nothing is to be decided any more."""

    id: str
    plan: PlanAt
    state: ImportState
    file_name: str
    by_name: str
    created_at: datetime
    applied_at: datetime | None
    undone_at: datetime | None
    counts: Mapping[str, int]
    reports: Sequence[RowReport] = ()

    @property
    def can_apply(self) -> bool:
        """Whether it can be entered as it is."""
        return self.state is ImportState.READY and bool(self.counts.get(RowState.NEW.value))


class CollectionLists:
    """The use cases."""

    def __init__(self, desk: CollectionDesk, audit: Audit, clock: Clock) -> None:
        self._desk = desk
        self._audit = audit
        self._clock = clock

    # ----------------------------------------------------------------------------------------------------------- forms
    async def form(self, actor: Actor, plan_id: str, class_id: str | None = None) -> tuple[str, bytes]:
        """A sheet to be filled in with the children in it, of one class or of all within reach: file name, content."""
        plan, rooms = await self._desk.plan(actor, Action.TALLY_ENTER, plan_id)
        if class_id is not None:
            plan, room = await self._desk.room(actor, Action.TALLY_ENTER, plan_id, class_id)
            rooms = [room]
        seats = await self._desk.seats_of(rooms, None)
        rows = [
            {"school": room.school, "class": room.name, "name": seat.name, "roster_number": seat.roster_number}
            for room in rooms
            for seat in seats.get(room.id, ())
        ]
        await self._note(actor, plan, rooms, "form", fields=("roster_number",))
        schools = sorted({room.school for room in rooms})
        content = await asyncio.to_thread(filled, FORM, rows, schools, None)
        place = f"{rooms[0].school}{rooms[0].name}" if len(rooms) == 1 else texts.LIST_ALL
        return texts.LIST_FILE.format(place=place), content

    # ---------------------------------------------------------------------------------------------------------- upload
    async def upload(self, actor: Actor, plan_id: str, file_name: str, content: bytes) -> str:
        """Reads a list and looks at what it would do; its id. Raises NotFound, EnrolmentClosed, and what is wrong with
        the file as a whole."""
        plan, rooms = await self._desk.plan(actor, Action.TALLY_ENTER, plan_id)
        if plan.is_over(self._desk.today):
            raise EnrolmentClosed
        sheet = await asyncio.to_thread(read_columns, content, COLUMNS)
        found = await self._planned(plan, rooms, sheet)
        is_faulty = bool(found.counts.of(RowState.FAULTY))
        event = ImportEvent.FOUND_FAULTY if is_faulty else ImportEvent.FOUND_GOOD
        now, own = self._clock.now(), uuid4()
        async with transaction():
            await AfterSchoolIntake.create(
                id=own,
                plan_id=UUID(plan.id),
                state=advance(ImportState.READ, event),
                by_person_id=UUID(actor.person_id) if actor.person_id else None,
                by_name=(actor.name or "")[:64],
                file_name=file_name[-_LONGEST_NAME:],
                sheet=_packed(sheet, found),
                class_ids=list(found.class_ids),
                counts=dict(found.counts.by_state),
                plan_digest=found.digest,
                created_at=now,
                updated_at=now,
            )
            touched = [room for room in rooms if room.id in found.class_ids]
            await self._note(actor, plan, touched, "upload")
        return str(own)

    async def _planned(self, plan: PlanAt, rooms: Sequence[Room], sheet: Sheet) -> ListPlan:
        seats = await self._desk.seats_of(rooms, None)
        closed = await closed_among(plan.id, [room.id for room in rooms])
        known = await ledger(plan.id, [seat.child_id for room in rooms for seat in seats.get(room.id, ())])
        ground = Ground(plan, rooms, seats, known, frozenset(closed), self._desk.today)
        return await asyncio.to_thread(planned, sheet, ground)

    # --------------------------------------------------------------------------------------------------------- looking
    async def history(self, actor: Actor, plan_id: str) -> tuple[PlanAt, list[ListView]]:
        """The plan and its lists within reach, the latest first."""
        plan, rooms = await self._desk.plan(actor, Action.TALLY_ENTER, plan_id)
        rows = await AfterSchoolIntake.filter(plan_id=UUID(plan.id)).order_by("-created_at", "id")
        mine = [row for row in rows if _is_theirs(row, actor, rooms)]
        return plan, [_view(row, plan) for row in mine[:_HISTORY]]

    async def look(self, actor: Actor, plan_id: str, list_id: str) -> ListView:
        """One list, row by row while it is to be decided. Raises NotFound."""
        plan, rooms, row = await self._found(actor, plan_id, list_id)
        if row.state not in (ImportState.READY, ImportState.FAULTY) or row.sheet is None:
            return _view(row, plan)
        found = await self._planned(plan, rooms, _sheet_of(row))
        return _view(row, plan, found.reports)

    async def problems(self, actor: Actor, plan_id: str, list_id: str) -> bytes:
        """The upload with what is wrong in a column of its own. Raises NotFound, MoveNotAllowed."""
        plan, rooms, row = await self._found(actor, plan_id, list_id)
        if row.sheet is None:
            raise MoveNotAllowed
        sheet = _sheet_of(row)
        found = await self._planned(plan, rooms, sheet)
        reports = {report.row: report for report in found.reports}
        return await asyncio.to_thread(marked, FORM, sheet, reports)

    # -------------------------------------------------------------------------------------------------------- entering
    async def apply(self, actor: Actor, plan_id: str, list_id: str) -> int:
        """Enters what the dry run showed, all or nothing; gives how many. Raises NotFound, MoveNotAllowed,
        BaseChanged."""
        plan, rooms, row = await self._found(actor, plan_id, list_id)
        if actor.person_id is None:
            raise NotPermitted
        if plan.is_over(self._desk.today):
            raise EnrolmentClosed
        if row.sheet is None:
            raise MoveNotAllowed
        state, now = advance(row.state, ImportEvent.APPLY), self._clock.now()
        async with transaction():
            await hold(plan.id)
            found = await self._planned(plan, rooms, _sheet_of(row))
            if found.digest != row.plan_digest:
                raise BaseChanged
            rows = [_columns(plan, said, UUID(actor.person_id), row.id, now) for said in found.said]
            await insert_rows(AfterSchoolStatement, rows)
            await self._move(row, state, applied_at=now)
            touched = [room for room in rooms if room.id in found.class_ids]
            await self._note(actor, plan, touched, "apply", fields=("wish",))
        return len(found.said)

    async def discard(self, actor: Actor, plan_id: str, list_id: str) -> None:
        """Nothing comes of it, and nothing of it is kept. Raises NotFound, MoveNotAllowed."""
        plan, rooms, row = await self._found(actor, plan_id, list_id)
        async with transaction():
            await self._move(row, advance(row.state, ImportEvent.DISCARD), sheet=None)
            await self._note(actor, plan, [room for room in rooms if room.id in row.class_ids], "discard")

    async def undo(self, actor: Actor, plan_id: str, list_id: str) -> None:
        """Takes back all it entered, while nothing rests on it. Raises NotFound, MoveNotAllowed, LaterDepends."""
        plan, rooms, row = await self._found(actor, plan_id, list_id)
        state, now = advance(row.state, ImportEvent.UNDO), self._clock.now()
        async with transaction():
            await hold(plan.id)
            in_the_way = await _standing_in_the_way(row)
            if in_the_way:
                words = [texts.LIST_DEPENDENTS[name].format(count=count) for name, count in in_the_way.items()]
                raise LaterDepends(texts.LIST_IN_THE_WAY.format(what=texts.COMMA.join(words)), details=in_the_way)
            by = UUID(actor.person_id) if actor.person_id else None
            entered = AfterSchoolStatement.filter(intake_id=row.id, taken_back_at=None)
            await entered.update(taken_back_at=now, taken_back_by=by, updated_at=now)
            await self._move(row, state, undone_at=now, sheet=None)
            touched = [room for room in rooms if room.id in row.class_ids]
            await self._note(actor, plan, touched, "undo", fields=("wish",))

    # ---------------------------------------------------------------------------------------------------------- inside
    async def _found(self, actor: Actor, plan_id: str, list_id: str) -> tuple[PlanAt, list[Room], AfterSchoolIntake]:
        plan, rooms = await self._desk.plan(actor, Action.TALLY_ENTER, plan_id)
        row = await AfterSchoolIntake.get_or_none(id=as_id(list_id), plan_id=UUID(plan.id))
        if row is None or not _is_theirs(row, actor, rooms):
            raise missing(actor, Action.TALLY_ENTER)
        return plan, rooms, row

    async def _move(self, row: AfterSchoolIntake, state: ImportState, **columns: Any) -> None:
        """The next state, if nobody was faster. Raises MoveNotAllowed."""
        same = AfterSchoolIntake.filter(id=row.id, state=row.state)
        if not await same.update(state=state, updated_at=self._clock.now(), **columns):
            raise MoveNotAllowed

    async def _note(
        self, actor: Actor, plan: PlanAt, rooms: Sequence[Room], purpose: str, fields: Sequence[str] = ()
    ) -> None:
        """A line for each class it is about."""
        async with transaction():
            for room in rooms:
                await self._audit.record(
                    actor, Action.TALLY_ENTER, f"tally:{plan.id}", whose=room.subject, fields=fields, purpose=purpose
                )


def _is_theirs(row: AfterSchoolIntake, actor: Actor, rooms: Collection[Room]) -> bool:
    """Whose every class is within reach; or who uploaded it and nothing of it was understood."""
    within = {room.id for room in rooms}
    is_own = actor.person_id is not None and str(row.by_person_id) == actor.person_id
    return within.issuperset(row.class_ids) if row.class_ids else is_own


async def _standing_in_the_way(row: AfterSchoolIntake) -> dict[str, int]:
    later = AfterSchoolTally.filter(
        plan_id=row.plan_id,
        class_id__in=[UUID(each) for each in row.class_ids],
        move=TallyMove.CLOSED,
        at__gte=row.applied_at,
    )
    entered = AfterSchoolStatement.filter(intake_id=row.id)
    children = await entered.values_list("pupil_id", flat=True)
    settled = AfterSchoolStatement.filter(
        plan_id=row.plan_id,
        pupil_id__in=list(children),
        settles=True,
        taken_back_at=None,
        created_at__gte=row.applied_at,
    )
    rooms = set(await later.values_list("class_id", flat=True))
    asked = set(await settled.values_list("pupil_id", flat=True))
    found = {"tallies": len(rooms), "settled": len(asked)}
    return {name: count for name, count in found.items() if count}


def _columns(plan: PlanAt, said: Said, by: UUID, list_id: UUID, now: datetime) -> dict[str, Any]:
    is_today = said.said_on == now.astimezone(SHANGHAI).date()
    return {
        "plan_id": UUID(plan.id),
        "pupil_id": UUID(said.child_id),
        "wish": said.wish,
        "programme_id": UUID(said.programme_id) if said.programme_id else None,
        "source": Source.IMPORT,
        "said_at": now if is_today else to_utc(datetime.combine(said.said_on, time(12), SHANGHAI)),
        "entered_by": by,
        "consent_how": said.how,
        "reason": said.reason or None,
        "intake_id": list_id,
        "created_at": now,
        "updated_at": now,
    }


def _packed(sheet: Sheet, found: ListPlan) -> str:
    """With the children it is about, so that a child's leaving takes it along."""
    children = sorted({said.child_id for said in found.said})
    return json.dumps({"head": sheet.head, "rows": sheet.rows, "children": children}, ensure_ascii=False)


def _sheet_of(row: AfterSchoolIntake) -> Sheet:
    whole = json.loads(row.sheet or "{}")
    return Sheet(tuple(whole["head"]), tuple((number, tuple(cells)) for number, cells in whole["rows"]))


def children_of(sheet: str) -> frozenset[str]:
    """The children a kept list is about."""
    return frozenset(json.loads(sheet)["children"])


def _view(row: AfterSchoolIntake, plan: PlanAt, reports: Sequence[RowReport] = ()) -> ListView:
    return ListView(
        id=str(row.id),
        plan=plan,
        state=row.state,
        file_name=row.file_name,
        by_name=row.by_name,
        created_at=row.created_at,
        applied_at=row.applied_at,
        undone_at=row.undone_at,
        counts=row.counts,
        reports=reports,
    )
