"""Calls an account may make, by path: so many a day, a minute and a second, and ten resets a month."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Final

from bot.clock import Clock, local_date, to_local
from bot.emulator.faults import ApiRefusal


@dataclass(frozen=True, slots=True)
class Quota:
    """`a_minute` None: not limited by the minute, nor by the second."""

    a_day: int
    a_minute: int | None = None
    a_second: int | None = None


DEFAULTS: Final = {
    "/cgi-bin/token": Quota(2_000),
    "/cgi-bin/stable_token": Quota(500_000, 10_000),
    "/cgi-bin/menu/create": Quota(1_000),
    "/cgi-bin/menu/get": Quota(10_000),
    "/cgi-bin/menu/delete": Quota(1_000),
    "/cgi-bin/message/custom/send": Quota(500_000),
    "/cgi-bin/message/custom/typing": Quota(500_000),
    "/cgi-bin/message/template/send": Quota(100_000),
    "/cgi-bin/message/subscribe/bizsend": Quota(100_000),
    "/cgi-bin/message/subscribe/send": Quota(10_000_000),
    "/cgi-bin/message/mass/send": Quota(100, 60),
    "/cgi-bin/message/mass/sendall": Quota(100, 60),
    "/cgi-bin/message/mass/get": Quota(1_000),
    "/cgi-bin/message/mass/delete": Quota(1_000),
    "/cgi-bin/media/get": Quota(200_000),
    "/cgi-bin/user/get": Quota(500),
    "/cgi-bin/user/info": Quota(5_000_000),
    "/cgi-bin/user/info/batchget": Quota(5_000_000),
}


class Quotas:
    """The counters of one account. The day begins at midnight, Beijing time."""

    def __init__(self, clock: Clock, clears_a_month: int) -> None:
        self.limits = dict(DEFAULTS)
        self._clock = clock
        self._clears_a_month = clears_a_month
        self._days: Counter[tuple[str, date]] = Counter()
        self._minutes: Counter[tuple[str, int]] = Counter()
        self._seconds: Counter[tuple[str, int]] = Counter()
        self._clears: Counter[tuple[int, int]] = Counter()

    def count(self, path: str) -> None:
        """One call more. Raises ApiRefusal 45009 over the day's number, 45011 over the minute's or the second's."""
        quota = self.limits.get(path)
        if quota is None:
            return
        now = self._clock.now()
        day, minute = (path, local_date(now)), (path, int(now.timestamp()) // 60)
        second = (path, int(now.timestamp()))
        if self._days[day] >= quota.a_day:
            raise ApiRefusal(45009)
        if quota.a_minute is not None and self._minutes[minute] >= quota.a_minute:
            raise ApiRefusal(45011)
        if quota.a_second is not None and self._seconds[second] >= quota.a_second:
            raise ApiRefusal(45011)
        self._days[day] += 1
        self._minutes[minute] += 1
        self._seconds[second] += 1

    def report(self, path: str) -> dict[str, object]:
        """The answer of quota/get. Raises ApiRefusal 76021 for a path that does not exist."""
        quota = self.limits.get(path)
        if quota is None:
            raise ApiRefusal(76021)
        used = self._days[path, local_date(self._clock.now())]
        report: dict[str, object] = {
            "quota": {"daily_limit": quota.a_day, "used": used, "remain": max(quota.a_day - used, 0)}
        }
        if quota.a_minute is not None:
            report["rate_limit"] = {"call_count": quota.a_minute, "refresh_second": 60}
        return report

    def clear(self, path: str | None = None) -> None:
        """Today's counters of `path`, or of all, begin anew. Raises ApiRefusal 48006 when the month's ten are gone."""
        if path is not None and path not in self.limits:
            raise ApiRefusal(76021)
        month = to_local(self._clock.now())
        if self._clears[month.year, month.month] >= self._clears_a_month:
            raise ApiRefusal(48006)
        self._clears[month.year, month.month] += 1
        for key in [key for key in self._days if path in (None, key[0])]:
            del self._days[key]
