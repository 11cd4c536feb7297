"""What goes on in the demo's township: every page of the console has something to see, and no phone rings for it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import pytest
from tortoise.expressions import F

from bot.clock import SHANGHAI, FrozenClock
from bot.config import Settings
from bot.delivery.models import DeliveryStatus, OutboxPush
from bot.demo_township.contacts import FEWEST
from bot.demo_township.staging import enliven, stage
from bot.storage.database import open_database
from handlers.after_school.models import (
    AfterSchoolEnrolment,
    AfterSchoolLeave,
    AfterSchoolMonth,
    AfterSchoolPayment,
    AfterSchoolSession,
)
from handlers.alarms.domain import AlarmState
from handlers.alarms.models import AlarmRow
from handlers.contacts.domain.figures import SHOWN_MONTHS
from handlers.contacts.models import (
    ContactsDraft,
    ContactsFact,
    ContactsFile,
    ContactsMonth,
    ContactsPair,
    ContactsRecord,
)
from handlers.deliveries.models import HandListLine
from handlers.duties.domain import TaskState
from handlers.duties.models import DutyTask
from handlers.notices.domain import NoticeState
from handlers.notices.models import Notice, NoticeRecipient
from handlers.reminders.models import ClassReminder, OwnReminder


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 9, 1, 8, tzinfo=SHANGHAI),
        datetime(2026, 11, 20, 10, tzinfo=SHANGHAI),
        datetime(2027, 7, 20, 9, tzinfo=SHANGHAI),
    ],
)
async def test_every_page_has_something_to_see(settings: Settings, now: datetime) -> None:
    """On the first morning of a school year, in the middle of it, and in the holidays."""
    clock = FrozenClock(now)
    staged = await stage(settings, clock)
    async with open_database(settings):
        await enliven(staged, settings, clock)
        notices = {row.state: row for row in await Notice.all()}
        assert set(notices) == {NoticeState.SENT, NoticeState.DRAFT}
        asked = Counter(row.confirmed_at is not None for row in await NoticeRecipient.all())
        assert asked[True] > asked[False] > 0
        assert await HandListLine.all().count() > 0
        assert [row.state for row in await AlarmRow.all()] == [AlarmState.ACKNOWLEDGED]
        assert await ContactsFile.all().count() == FEWEST
        assert await ContactsRecord.all().count() == 2
        assert await ContactsFact.filter(is_stale=True).count() == 1
        assert await ContactsPair.filter(received_at=None).count() == 1
        assert await ContactsDraft.all().count() == 2
        assert await ContactsMonth.all().count() % SHOWN_MONTHS == 0 != await ContactsMonth.all().count()
        assert await ContactsMonth.filter(on_time__gt=F("asked")).count() == 0
        assert await OwnReminder.all().count() == 2
        assert await ClassReminder.all().count() == 1
        waiting = [DeliveryStatus.PLANNED, DeliveryStatus.HELD, DeliveryStatus.SENDING]
        assert await OutboxPush.filter(status__in=waiting).count() == 0
        enrolled = await AfterSchoolEnrolment.filter(programme__title="放学看护").count()
        assert enrolled > 3
        assert await AfterSchoolPayment.all().count() >= enrolled // 2
        assert await AfterSchoolLeave.all().count() == 3
        assert await AfterSchoolSession.exists() is (now.month != 9)
        assert await AfterSchoolMonth.exists() is (now.month != 9)
        if now.month == 11:
            states = {row.state for row in await DutyTask.all()}
            assert {TaskState.DONE, TaskState.OPEN} <= states
            assert states & {TaskState.LATE, TaskState.ESCALATED}


async def test_a_township_that_was_there_before_is_left_as_it_is(settings: Settings, clock: FrozenClock) -> None:
    await stage(settings, clock)
    again = await stage(settings, clock)
    async with open_database(settings):
        await enliven(again, settings, clock)
        assert await Notice.all().count() == 0
