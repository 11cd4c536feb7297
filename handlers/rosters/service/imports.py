"""Imports from upload to undoing: the use cases."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID, uuid4

from bot.audit.log import Audit
from bot.capability import Dependents
from bot.clock import Clock, local_date
from bot.errors import NotFound
from bot.identity import Actor
from bot.rights import Action, Reach, Subject, require
from bot.storage.database import transaction
from handlers.accounts.service import bulk_undo
from handlers.accounts.service.bulk import BulkReader, People
from handlers.accounts.service.bulk_undo import Traces
from handlers.accounts.service.writing import Writer
from handlers.rosters import texts
from handlers.rosters.domain import (
    BaseChanged,
    ConflictsLeft,
    Coverage,
    ImportEvent,
    ImportState,
    LaterDepends,
    MoveNotAllowed,
    RosterKind,
    RowState,
    Sheet,
    advance,
)
from handlers.rosters.models import Import, ImportChange, ImportPage
from handlers.rosters.service import pages, workbooks
from handlers.rosters.service.applying import Applier, keep_traces, traces_of
from handlers.rosters.service.columns import COLUMNS
from handlers.rosters.service.dry_run import DryRun, Request, dry_run
from handlers.rosters.service.reading import read
from handlers.rosters.service.running import Progress, Running, Work
from handlers.rosters.service.views import ImportView, ReportPage, found, subject_of, view_of, visible

_LOCK_NUMBER: Final = 0x526F7374
_PAGE: Final = 100
_HISTORY: Final = 50
_LONGEST_NAME: Final = 128
_ALL_STATES: Final = tuple(RowState)


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file and what it is said to be."""

    kind: RosterKind
    coverage: Coverage
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody decided who has looked at a dry run. `gone`: ids of those who have left."""

    leave_out_conflicts: bool = False
    gone: frozenset[str] = frozenset()


class ImportService:
    """Reads, shows, applies and takes back rosters."""

    def __init__(
        self,
        clock: Clock,
        audit: Audit,
        running: Running,
        *,
        dependents: Callable[[], Sequence[Dependents]] = tuple,
        forget: Callable[[], None] = lambda: None,
    ) -> None:
        """`dependents` of other capabilities; `forget` is called when people have changed, for caches of rights."""
        self._clock = clock
        self._audit = audit
        self._running = running
        self._writer = Writer(clock)
        self._dependents = dependents
        self._forget = forget

    # ----------------------------------------------------------------------------------------------- upload and dry run
    async def upload(self, actor: Actor, upload: Uploaded) -> str:
        """Takes a workbook in and begins its dry run; the id of the import. Raises what is wrong with the file as a
        whole (FileTooLarge, NoWorkbook, NoSuchColumns, NoRows)."""
        reach = require(actor, Action.ROSTER_IMPORT)
        sheet = await asyncio.to_thread(read, upload.content, upload.kind)
        digest = await asyncio.to_thread(hashlib.sha256, upload.content)
        township_id, school_id = await _home(reach)
        now, import_id = self._clock.now(), uuid4()
        async with transaction():
            await Import.create(
                id=import_id,
                kind=upload.kind,
                state=ImportState.READ,
                coverage=upload.coverage,
                township_id=township_id,
                school_id=school_id,
                by_person_id=actor.person_id,
                by_name=(actor.name or "")[:64],
                file_name=upload.name[-_LONGEST_NAME:],
                file_digest=digest.hexdigest(),
                head=pages.packed(sheet.head),
                counts={},
                created_at=now,
                updated_at=now,
            )
            whose = Subject(school_id=str(school_id) if school_id else None, township_id=str(township_id))
            await self._audit.record(actor, Action.ROSTER_IMPORT, f"import:{import_id}", whose=whose, purpose="upload")
        self._running.start(import_id, self._check(actor, reach, sheet))
        return str(import_id)

    async def check_again(self, actor: Actor, import_id: str) -> None:
        """Another dry run of the same workbook. Raises MoveNotAllowed, StillRunning."""
        reach, row = await found(actor, import_id)
        if row.state not in (ImportState.READ, ImportState.READY, ImportState.FAULTY):
            raise MoveNotAllowed
        sheet = await pages.sheet_of(row)
        if not sheet.rows:
            raise MoveNotAllowed(texts.STALE)
        self._running.start(row.id, self._check(actor, reach, sheet))

    def _check(self, actor: Actor, reach: Reach, sheet: Sheet) -> Work:
        async def work(import_id: UUID, progress: Progress) -> None:
            row = await Import.get(id=import_id)
            run = await dry_run(self._request(actor, reach, row), sheet, progress.span)
            counts = run.plan.counts
            is_faulty = bool(counts.of(RowState.FAULTY))
            event = ImportEvent.FOUND_FAULTY if is_faulty else ImportEvent.FOUND_GOOD
            async with transaction():
                await pages.keep(import_id, sheet, run.plan.reports, self._clock.now())
                await Import.filter(id=import_id).update(
                    state=advance(ImportState.READ, event),
                    counts=asdict(counts),
                    plan_digest=run.digest,
                    progress=100,
                    updated_at=self._clock.now(),
                )

        return work

    def _request(self, actor: Actor, reach: Reach, row: Import) -> Request:
        return Request(actor, reach, row.kind, row.coverage, self._today)

    @property
    def _today(self) -> date:
        return local_date(self._clock.now())

    async def finished(self, import_id: str, within_s: float | None = None) -> bool:
        """Waits for what is under way with an import, at most so long; whether it is over."""
        return await self._running.finished(UUID(import_id), within_s)

    # ---------------------------------------------------------------------------------------------------------- looking
    async def history(self, actor: Actor, start: int = 0) -> list[ImportView]:
        """Imports, the latest first."""
        _, rows = visible(actor)
        listed = await rows.order_by("-created_at").offset(start).limit(_HISTORY)
        return [self._view(row) for row in listed]

    async def look(self, actor: Actor, import_id: str) -> ImportView:
        """One import."""
        _, row = await found(actor, import_id)
        return self._view(row)

    def _view(self, row: Import) -> ImportView:
        return view_of(row, self._running.progress_of(row.id), self._clock.now())

    async def rows(self, actor: Actor, import_id: str, state: RowState | None = None, start: int = 0) -> ReportPage:
        """What the dry run says of some rows."""
        _, row = await found(actor, import_id)
        wanted = (state,) if state else _ALL_STATES
        some = await pages.some_reports(row.id, wanted, start, _PAGE + 1)
        return ReportPage(some[:_PAGE], state, start, len(some) > _PAGE)

    async def problems(self, actor: Actor, import_id: str) -> bytes:
        """The uploaded workbook with what is wrong in a column of its own. Raises MoveNotAllowed when it is not kept
        any more."""
        _, row = await found(actor, import_id)
        sheet = await pages.sheet_of(row)
        if not sheet.rows:
            raise MoveNotAllowed
        bad = (RowState.FAULTY, RowState.CONFLICT)
        reports = {report.row: report async for report in pages.reports_of(row.id, bad)}
        content = await asyncio.to_thread(workbooks.with_problems, row.kind, sheet, reports)
        await self._note(actor, row, "problems", reads=True)
        return content

    async def discard(self, actor: Actor, import_id: str) -> None:
        """Nothing comes of it, and nothing of its people is kept. Raises MoveNotAllowed, StillRunning."""
        _, row = await found(actor, import_id)
        await self._idle(row)
        async with transaction():
            await self._move(row, ImportEvent.DISCARD, head=None, progress=0)
            await ImportPage.filter(source_id=row.id).delete()
            await self._note(actor, row, "discard")

    async def _idle(self, row: Import) -> None:
        if not await self._running.finished(row.id, 0.01):
            raise MoveNotAllowed(texts.STILL_RUNNING)

    # --------------------------------------------------------------------------------------------------------- applying
    async def apply(self, actor: Actor, import_id: str, choice: Choice) -> None:
        """Begins to apply a dry run that was looked at. Raises MoveNotAllowed, ConflictsLeft, StillRunning; what is
        found later (BaseChanged) is told as the import's failure."""
        reach, row = await found(actor, import_id)
        if row.state is ImportState.FAULTY:
            raise MoveNotAllowed(texts.FAULTS_LEFT)
        advance(row.state, ImportEvent.APPLY)
        if self._view(row).counts.of(RowState.CONFLICT) and not choice.leave_out_conflicts:
            raise ConflictsLeft

        async def work(import_id: UUID, progress: Progress) -> None:
            await self._apply(actor, reach, (row, choice), progress)

        self._running.start(row.id, work)

    async def _apply(self, actor: Actor, reach: Reach, what: tuple[Import, Choice], progress: Progress) -> None:
        row, choice = what
        marks = await _marks(row.township_id)
        told = progress.span(0, 50)
        run = await dry_run(
            self._request(actor, reach, row), await pages.sheet_of(row), lambda a, b: _within(told, a, b)
        )
        if run.digest != row.plan_digest:
            raise BaseChanged
        gone = _ticked(choice, run)
        applier = Applier(self._writer, run, self._today)
        async with transaction() as connection:
            if connection.capabilities.dialect == "postgres":
                await connection.execute_query("SELECT pg_advisory_xact_lock($1)", [_LOCK_NUMBER])
            if await _marks(row.township_id) != marks:
                raise BaseChanged
            await applier.apply(gone, progress.span(50, 95))
            now = self._clock.now()
            await keep_traces(row.id, applier.traces, now)
            await self._note(actor, row, "apply", fields=_fields(row.kind))
            await self._move(row, ImportEvent.APPLY, applied_at=now, progress=100)
        self._forget()

    async def _move(self, row: Import, event: ImportEvent, **columns: Any) -> None:
        """The next state, if nobody was faster. Raises MoveNotAllowed."""
        columns |= {"state": advance(row.state, event), "updated_at": self._clock.now()}
        if not await Import.filter(id=row.id, state=row.state).update(**columns):
            raise MoveNotAllowed

    # ---------------------------------------------------------------------------------------------------------- undoing
    async def dependents(self, actor: Actor, import_id: str) -> str:
        """What stands in the way of undoing an import, in words; "" when nothing does."""
        _, row = await found(actor, import_id)
        return _in_words(await self._standing_in_the_way(row, await traces_of(row.id)))

    async def undo(self, actor: Actor, import_id: str) -> None:
        """Begins to take a whole import back. Raises MoveNotAllowed, StillRunning; what stands in the way
        (LaterDepends) is told as the import's failure."""
        _, row = await found(actor, import_id)
        advance(row.state, ImportEvent.UNDO)
        if row.head is None:
            raise MoveNotAllowed(texts.TOO_OLD)

        async def work(import_id: UUID, progress: Progress) -> None:
            await self._undo(actor, row, progress)

        self._running.start(row.id, work)

    async def _undo(self, actor: Actor, row: Import, progress: Progress) -> None:
        traces = await traces_of(row.id)
        progress.value = 10
        async with transaction() as connection:
            if connection.capabilities.dialect == "postgres":
                await connection.execute_query("SELECT pg_advisory_xact_lock($1)", [_LOCK_NUMBER])
            await self._move(row, ImportEvent.UNDO, undone_at=self._clock.now(), progress=100, head=None)
            in_the_way = await self._standing_in_the_way(row, traces)
            if in_the_way:
                words = _in_words(in_the_way)
                raise LaterDepends(texts.LATER_DEPENDS.format(what=words), details=dict(in_the_way))
            progress.value = 40
            await bulk_undo.take_back(traces)
            await ImportChange.filter(source_id=row.id).delete()
            await ImportPage.filter(source_id=row.id).delete()
            await self._note(actor, row, "undo", fields=_fields(row.kind))
        self._forget()

    async def _standing_in_the_way(self, row: Import, traces: Traces) -> Counter[str]:
        in_the_way = await bulk_undo.dependents(traces)
        pupils = await asyncio.to_thread(_made, traces, "pupil")
        persons = await asyncio.to_thread(_made, traces, "person")
        for source in self._dependents():
            in_the_way.update(await source.dependents(pupils, persons))
        if in_the_way and row.applied_at:
            in_the_way["imports"] += await _later_imports(row, traces)
        return +in_the_way

    async def _note(
        self, actor: Actor, row: Import, purpose: str, *, fields: Sequence[str] = (), reads: bool = False
    ) -> None:
        fields = ("phone", "id_number") if reads else fields
        await self._audit.record(
            actor,
            Action.ROSTER_IMPORT,
            f"import:{row.id}",
            whose=subject_of(row),
            fields=fields,
            purpose=purpose,
        )


async def _home(reach: Reach) -> tuple[UUID, UUID | None]:
    """The township of whoever imports, and their school if they have but one."""
    people = People()
    await BulkReader(people).schools(reach)
    schools = list(people.schools.values())
    if not schools:
        raise NotFound(texts.NO_SCHOOL)
    is_one = len(schools) == 1 and not reach.townships and not reach.is_any
    return schools[0].township_id, schools[0].id if is_one else None


async def _marks(township_id: UUID) -> tuple[int, int]:
    """Changes whenever an import of the township is applied or undone."""
    rows = Import.filter(township_id=township_id)
    return await rows.filter(applied_at__isnull=False).count(), await rows.filter(undone_at__isnull=False).count()


def _made(traces: Traces, table: str) -> list[str]:
    """The ids of the rows that were made."""
    return [str(trace.row_id) for trace in traces.by_table[table].values() if trace.before is None]


async def _later_imports(row: Import, traces: Traces) -> int:
    """How many later imports touched rows of this one."""
    later = Import.filter(township_id=row.township_id, state=ImportState.APPLIED, applied_at__gte=row.applied_at)
    count = 0
    for other_row in await later.exclude(id=row.id).only("id"):
        other = await traces_of(other_row.id)
        count += any(not rows.keys().isdisjoint(other.by_table[table]) for table, rows in traces.by_table.items())
    return count


def _ticked(choice: Choice, run: DryRun) -> list[UUID]:
    """Only who would vanish can be ticked."""
    vanishing = {report.subject_id for report in run.plan.reports if report.state is RowState.VANISHING}
    if not choice.gone <= vanishing:
        raise BaseChanged
    return sorted(UUID(each) for each in choice.gone)


def _within(told: Callable[[float], None], start: int, end: int) -> Callable[[float], None]:
    return lambda share: told((start + (end - start) * share) / 100)


def _fields(kind: RosterKind) -> list[str]:
    return [column.key for column in COLUMNS[kind]]


def _in_words(in_the_way: Mapping[str, int]) -> str:
    return "、".join(texts.DEPENDS.get(kind, texts.DEPENDS["other"]).format(count=n) for kind, n in in_the_way.items())
