"""The register of items, kept in its table beside the data it speaks of."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from bot.clock import Clock
from bot.errors import AppError
from bot.logs import get_logger
from bot.storage.database import transaction
from handlers.consent import texts
from handlers.consent.domain.register import REGISTER, days_kept
from handlers.consent.models import DataItem

_log = get_logger(__name__)


class RegisterKeeper:
    """Writes the register into its table. As a context manager: once, when the application starts."""

    def __init__(self, pupil_kept_days: int, clock: Clock) -> None:
        self._pupil_kept_days = pupil_kept_days
        self._clock = clock

    async def write(self) -> None:
        """The table says what the program says. Several at once do no harm."""
        now = self._clock.now()
        rows = [
            DataItem(
                name=item.name.value,
                title=texts.ITEM_TITLES[item.name],
                basis=item.basis,
                kept_days=days_kept(item, self._pupil_kept_days),
                created_at=now,
                updated_at=now,
            )
            for item in REGISTER
        ]
        async with transaction():
            await DataItem.bulk_create(
                rows, on_conflict=["name"], update_fields=["title", "basis", "kept_days", "updated_at"]
            )
            await DataItem.exclude(name__in=[row.name for row in rows]).delete()

    async def __aenter__(self) -> Self:
        try:
            await self.write()
        except AppError as error:
            # The rules are read from the program; the table is for whoever inspects, and waits for the next start.
            _log.warning("register_not_written", cause=error.code)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None
