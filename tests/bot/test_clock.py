"""Time: aware, UTC inside, China at the edges."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.clock import SHANGHAI, FrozenClock, SystemClock, local_date, local_day, to_local, to_utc

LATE_EVENING_UTC = datetime(2026, 8, 31, 16, 30, tzinfo=UTC)


def test_the_system_clock_is_aware_and_in_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_a_frozen_clock_moves_only_when_told() -> None:
    clock = FrozenClock(datetime(2026, 9, 1, 8, 0, tzinfo=SHANGHAI))
    assert clock.now() == clock.now() == datetime(2026, 9, 1, 0, 0, tzinfo=UTC)
    assert clock.now().tzinfo is UTC
    clock.advance(timedelta(hours=1))
    assert clock.now() == datetime(2026, 9, 1, 1, 0, tzinfo=UTC)
    clock.set(LATE_EVENING_UTC)
    assert clock.now() == LATE_EVENING_UTC


def test_the_day_in_china_begins_eight_hours_earlier() -> None:
    assert local_date(LATE_EVENING_UTC) == date(2026, 9, 1)
    assert to_local(LATE_EVENING_UTC).isoformat() == "2026-09-01T00:30:00+08:00"


def test_a_day_in_china_ends_where_the_next_begins() -> None:
    begins, ends = local_day(LATE_EVENING_UTC)
    assert (begins, ends) == (datetime(2026, 8, 31, 16, tzinfo=UTC), datetime(2026, 9, 1, 16, tzinfo=UTC))
    assert begins.tzinfo is ends.tzinfo is UTC
    assert local_day(begins) == (begins, ends)
    assert local_day(ends)[0] == ends


def test_naive_times_are_refused() -> None:
    naive = datetime(2026, 9, 1, 8, 0)  # noqa: DTZ001 - that is the point
    for use in (FrozenClock, to_utc, to_local, local_date, local_day):
        with pytest.raises(ValueError, match="without a zone"):
            use(naive)
