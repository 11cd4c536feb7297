"""Work that takes longer than a request: owned, watched, and waited for when the application stops."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Self, TypeAlias
from uuid import UUID

from bot.errors import AppError
from bot.logs import get_logger
from handlers.rosters import texts
from handlers.rosters.domain import ImportState, StillRunning
from handlers.rosters.models import Import

_log = get_logger(__name__)
_TELL_EVERY_S: Final = 0.4
_LONGEST_FAILURE: Final = 255


class Progress:
    """How far a piece of work is, 0 to 100. May be set from a thread."""

    def __init__(self) -> None:
        self.value = 0

    def span(self, start: int, end: int) -> Callable[[float], None]:
        """Something that is told a share, 0 to 1, of the way from `start` to `end`."""

        def told(share: float) -> None:
            self.value = max(self.value, start + round((end - start) * share))

        return told


Work: TypeAlias = Callable[[UUID, Progress], Awaitable[None]]


class Running:
    """The pieces of work under way in this process, one for each import at most."""

    def __init__(self) -> None:
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._progress: dict[UUID, Progress] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Waits for what is under way: an import is whole or absent, and its author waits for it."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def progress_of(self, import_id: UUID) -> int | None:
        """How far it is; None when nothing is under way here."""
        progress = self._progress.get(import_id)
        return None if progress is None else progress.value

    def start(self, import_id: UUID, work: Work) -> None:
        """Begins a piece of work. Raises StillRunning."""
        if import_id in self._tasks:
            raise StillRunning
        progress = self._progress[import_id] = Progress()
        task = asyncio.get_running_loop().create_task(self._run(import_id, work, progress), name="roster")
        self._tasks[import_id] = task
        task.add_done_callback(lambda _: self._forget(import_id))

    async def finished(self, import_id: UUID, within_s: float | None = None) -> bool:
        """Waits until nothing is under way with the import, at most so long; whether that is so."""
        task = self._tasks.get(import_id)
        if task is None:
            return True
        done, _ = await asyncio.wait({task}, timeout=within_s)
        return bool(done)

    def _forget(self, import_id: UUID) -> None:
        self._tasks.pop(import_id, None)
        self._progress.pop(import_id, None)

    async def _run(self, import_id: UUID, work: Work, progress: Progress) -> None:
        row = await Import.get(id=import_id)
        await Import.filter(id=import_id).update(progress=0, failure="")
        over = asyncio.Event()
        teller = asyncio.get_running_loop().create_task(self._tell(import_id, row.state, progress, over))
        try:
            await work(import_id, progress)
        except AppError as error:
            await self._fail(import_id, error.message)
        except Exception as error:  # noqa: BLE001 - nobody waits for the task: whoever looks at the import is told
            _log.error("roster_failed", import_id=str(import_id), cause=repr(type(error)), exc_info=error)
            await self._fail(import_id, texts.UNEXPECTED)
        finally:
            over.set()
            await teller

    async def _tell(self, import_id: UUID, state: ImportState, progress: Progress, over: asyncio.Event) -> None:
        """Writes the progress down for other replicas, outside the work's transaction."""
        written = 0
        while not over.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_TELL_EVERY_S):
                    await over.wait()
            if progress.value != written and not over.is_set():
                written = progress.value
                with suppress(AppError):
                    await Import.filter(id=import_id, state=state).update(progress=written)

    @staticmethod
    async def _fail(import_id: UUID, sentence: str) -> None:
        with suppress(AppError):
            await Import.filter(id=import_id).update(failure=sentence[:_LONGEST_FAILURE], progress=0)
