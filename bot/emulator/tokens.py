"""Access tokens of one account: the classic endpoint, which replaces, and the stable one, which repeats."""

import re
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from bot.clock import Clock, local_date
from bot.emulator.rules import Rules

_SHAPE: Final = re.compile(r"[0-9]{2}_[A-Za-z0-9_-]{100,}")
STABLE_OVERLAP: Final = timedelta(minutes=5)


@dataclass(slots=True)
class _Issued:
    ends_at: datetime
    is_replaced: bool = False


class TokenOffice:
    """Issues and judges the tokens of one account. The two endpoints do not touch each other's tokens."""

    def __init__(self, clock: Clock, rules: Rules) -> None:
        self._clock = clock
        self._rules = rules
        self._issued: dict[str, _Issued] = {}
        self._classic: str | None = None
        self._stable: str | None = None
        self._forced_on: dict[date, int] = {}
        self._forced_at: datetime | None = None

    def classic(self) -> tuple[str, int]:
        """A new token and its life in seconds; the one before lives on for the overlap."""
        if self._classic is not None:
            self._replace(self._classic, self._clock.now() + self._rules.token_overlap)
        self._classic = self._issue()
        return self._classic, self._left(self._classic)

    def stable(self, *, force: bool) -> tuple[str, int]:
        """The current token and what is left of it.

        In its last five minutes the next one, while both work. Forced, a new one and the end of the old, unless the
        day's forced refreshes are used up or the last one was a moment ago.
        """
        current = self._stable
        if current is None or self._issued[current].ends_at - self._clock.now() < STABLE_OVERLAP:
            current = self._issue()
        elif force and self._may_force():
            self._replace(current, self._clock.now())
            current = self._issue()
        self._stable = current
        return current, self._left(current)

    def knows(self, token: str) -> bool:
        """Whether this account ever had the token."""
        return token in self._issued

    def judge(self, token: str) -> int:
        """0 for a token that works, else the errcode."""
        issued = self._issued.get(token)
        if issued is None:
            return 40001 if _SHAPE.fullmatch(token) else 40014
        if issued.ends_at > self._clock.now():
            return 0
        return 40001 if issued.is_replaced else 42001

    def kill(self) -> None:
        """Every token dies at once, as after a change of the secret; the next call gets a new one."""
        for token in self._issued:
            self._replace(token, self._clock.now())
        self._classic = self._stable = None

    def _issue(self) -> str:
        token = f"{secrets.randbelow(90) + 10}_{secrets.token_urlsafe(102)}"
        self._issued[token] = _Issued(self._clock.now() + self._rules.token_life)
        return token

    def _replace(self, token: str, ends_at: datetime) -> None:
        issued = self._issued[token]
        issued.ends_at = min(issued.ends_at, ends_at)
        issued.is_replaced = True

    def _left(self, token: str) -> int:
        return int((self._issued[token].ends_at - self._clock.now()).total_seconds())

    def _may_force(self) -> bool:
        now, today = self._clock.now(), local_date(self._clock.now())
        if self._forced_at is not None and now - self._forced_at < self._rules.forced_refresh_apart:
            return False
        if self._forced_on.get(today, 0) >= self._rules.forced_refreshes_a_day:
            return False
        self._forced_at = now
        self._forced_on[today] = self._forced_on.get(today, 0) + 1
        return True
