"""A school year of children whose contact is kept by people of all manners: nobody overdue is missed, nobody pushed too
often. Without a guard, the same year shows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from bot.clock import FrozenClock
from bot.delivery.pushes import Push
from bot.metrics import Metrics
from bot.storage.database import Database
from handlers.contacts.domain.clock import SUGGESTED
from handlers.contacts.service.clock.telling import ContactTelling
from tests.handlers.conftest import COUNTS
from tests.handlers.contacts.clock_stage import ClockStage, clock_stage, telling_of
from tests.handlers.contacts.year import DENSE, Size, Year

SHORT = Size(24, 11, 25, DENSE)
PIECE = Size(24, 11, 16, DENSE)
FULL = Size(300, 22, 365, SUGGESTED)


@pytest.fixture
async def stage(database: Database, clock: FrozenClock, metrics: Metrics) -> ClockStage:
    return await clock_stage(clock, metrics)


@pytest.mark.parametrize("size", [SHORT, pytest.param(FULL, marks=pytest.mark.trial)], ids=["short", "full"])
async def test_every_overdue_child_has_somebody_who_heard_in_time_and_nobody_hears_too_often(
    stage: ClockStage, size: Size, record_property: Callable[[str, object], None]
) -> None:
    year = Year(stage, size)
    await year.run()
    record_property(COUNTS, f"{size.children} children, {size.days} days: {dict(year.counts)}")
    assert year.faults.all == []
    assert year.counts["asked"] > size.days
    assert year.counts["messages"] > 0
    assert year.counts["rows compared"] > size.children


class Hushed(ContactTelling):
    """Lets nobody know that a message did not arrive."""

    async def could_not_reach(self, pushes: Sequence[Push], why: str) -> None:
        """Nothing."""


async def test_without_word_of_what_did_not_arrive_children_are_missed(stage: ClockStage, metrics: Metrics) -> None:
    """A negative control: the check sees it."""
    stage.works = telling_of(stage, Hushed)
    year = Year(stage, PIECE)
    await year.run()
    assert year.faults.unheard


async def test_a_rule_that_allows_two_messages_is_seen_by_the_check_of_one(stage: ClockStage) -> None:
    """A negative control of the cap."""
    year = Year(stage, PIECE, daily_cap=2)
    await year.run()
    assert year.faults.over_the_cap
    assert not year.faults.unheard


async def test_a_clock_that_is_not_counted_anew_is_seen(stage: ClockStage) -> None:
    """A negative control of the rows."""
    year = Year(stage, PIECE, counts=False)
    await year.run()
    assert year.faults.otherwise_due
