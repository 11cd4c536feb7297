"""How often is too often, per person. Counted in this process: a limit against floods, not a ledger."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

WINDOW_S = 60.0
MAX_KEYS = 50_000


class RateLimit:
    """Allows `limit` acts a minute and key. The count of the past minute fades out evenly as the new one begins."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # key → (start of its minute, acts in it, acts in the minute before)
        self._counts: OrderedDict[str, tuple[float, int, int]] = OrderedDict()

    def allows(self, key: str, now: datetime) -> bool:
        """Counts one act, and says whether it was within the limit. Refused acts do not count."""
        started, current, before = self._at(key, now.timestamp())
        weight = 1 - (now.timestamp() - started) / WINDOW_S
        if current + before * weight >= self._limit:
            return False
        self._counts[key] = (started, current + 1, before)
        self._counts.move_to_end(key)
        if len(self._counts) > MAX_KEYS:
            self._counts.popitem(last=False)
        return True

    def __len__(self) -> int:
        return len(self._counts)

    def _at(self, key: str, moment: float) -> tuple[float, int, int]:
        started, current, before = self._counts.get(key, (moment, 0, 0))
        passed = moment - started
        if 0 <= passed < WINDOW_S:
            return started, current, before
        if WINDOW_S <= passed < 2 * WINDOW_S:
            return started + WINDOW_S, 0, current
        return moment, 0, 0
