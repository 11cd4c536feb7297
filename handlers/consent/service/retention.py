"""The terms after which data go: what is due, and doing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from bot.audit.log import Audit
from bot.capability import DueForRetention, RetentionSource
from bot.clock import Clock, local_date
from bot.errors import AppError
from bot.identity import SYSTEM, Actor
from bot.logs import get_logger
from bot.rights import Action, require
from bot.storage.database import transaction
from handlers.accounts.service.leavers import Leaver, Leavers
from handlers.consent import texts
from handlers.consent.service.erasure import ErasureService

SEALED_AFTER_DAYS: Final = 180
_PUPIL: Final = "pupil"

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RetentionReport:
    """What was due; `failed` are those that could not be done and stay due. A dry run has done nothing."""

    due: tuple[DueForRetention, ...]
    failed: tuple[DueForRetention, ...]
    is_dry: bool

    @property
    def lines(self) -> list[str]:
        """One plain line for each, and one for the whole."""
        lines = [texts.RETENTION_LINE.format(due_on=due.due_on, what=due.what, subject=due.subject) for due in self.due]
        lines += [texts.RETENTION_FAILED.format(subject=due.subject) for due in self.failed]
        done = len(self.due) - len(self.failed)
        if not self.due:
            return [texts.RETENTION_NOTHING]
        return [*lines, (texts.RETENTION_DRY if self.is_dry else texts.RETENTION_DONE).format(count=done)]


class PupilTerm:
    """Pupils who left: sealed after half a year, after the configured term whatever tells who they were goes. A
    `RetentionSource`."""

    def __init__(self, leavers: Leavers, erasure: ErasureService, clock: Clock, *, kept_days: int) -> None:
        self._leavers = leavers
        self._erasure = erasure
        self._clock = clock
        self._kept = timedelta(days=kept_days)
        self._sealed_after = timedelta(days=SEALED_AFTER_DAYS)

    async def due(self, today: date) -> Sequence[DueForRetention]:
        """One line for each pupil, without a name."""
        leavers = await self._leavers.left_until(today - min(self._sealed_after, self._kept))
        return [due for leaver in leavers if (due := self._due(leaver, today)) is not None]

    async def dispose(self, due: DueForRetention) -> None:
        """Seals or reduces, whichever the pupil is due for now; nothing when they are back at school."""
        pupil_id = due.subject.removeprefix(f"{_PUPIL}:")
        leaver = await self._leavers.find(pupil_id)
        if leaver is None:
            return
        today = local_date(self._clock.now())
        if leaver.left_on + self._kept <= today:
            await self._erasure.reduce(pupil_id)
        elif leaver.left_on + self._sealed_after <= today:
            await self._leavers.seal(pupil_id)

    def _due(self, leaver: Leaver, today: date) -> DueForRetention | None:
        subject = f"{_PUPIL}:{leaver.id}"
        if leaver.left_on + self._kept <= today:
            return DueForRetention(subject, texts.RETENTION_REDUCE, leaver.left_on + self._kept)
        if not leaver.is_sealed:
            return DueForRetention(subject, texts.RETENTION_SEAL, leaver.left_on + self._sealed_after)
        return None


class RetentionService:
    """Over the sources of all capabilities."""

    def __init__(self, sources: Callable[[], Sequence[RetentionSource]], audit: Audit, clock: Clock) -> None:
        self._sources = sources
        self._audit = audit
        self._clock = clock

    async def look(self, actor: Actor) -> RetentionReport:
        """What is due, for staff; changes nothing."""
        require(actor, Action.RETENTION_VIEW)
        return await self.run(is_dry=True)

    async def nightly(self) -> None:
        """Does what is due."""
        report = await self.run(is_dry=False)
        _log.info("retention_run", due=len(report.due), failed=len(report.failed))

    async def run(self, *, is_dry: bool) -> RetentionReport:
        """Each in a transaction of its own, with its row in the audit: one that fails stops no other."""
        today = local_date(self._clock.now())
        due: list[DueForRetention] = []
        failed: list[DueForRetention] = []
        for source in self._sources():
            found = await source.due(today)
            due += found
            if not is_dry:
                failed += [one for one in found if not await self._dispose(source, one)]
        return RetentionReport(tuple(due), tuple(failed), is_dry)

    async def _dispose(self, source: RetentionSource, due: DueForRetention) -> bool:
        try:
            async with transaction():
                await source.dispose(due)
                await self._audit.record(SYSTEM, Action.RETENTION_RUN, due.subject, purpose="retention")
        except AppError as error:
            _log.warning("retention_failed", subject=due.subject, cause=error.code)
            return False
        return True
