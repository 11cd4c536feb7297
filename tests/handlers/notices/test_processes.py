"""Two replicas tick at the same moment: what is due is promised to each once, and begun once."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta

import pytest
from tortoise.expressions import Q

from bot.audit.models import AuditRow
from bot.clock import FrozenClock, local_date
from bot.config import Settings
from bot.delivery.models import OutboxPush
from bot.storage.database import Database, transaction
from bot.storage.redis import RedisStore
from handlers.accounts.service.audiences import AccountsAudiences
from handlers.accounts.service.offices import Offices
from handlers.deliveries.service.lines import HandList
from handlers.notices.domain import Deed
from handlers.notices.models import Notice, NoticeRecipient
from handlers.notices.service.recipients import Recipients
from handlers.notices.service.sending import NoticeSender, Step
from handlers.reminders.domain import ReminderState
from handlers.reminders.models import ClassReminder
from tests.handlers.notices.stage import Stage
from tests.handlers.notices.ticking import TICK
from tests.programs import PIPE, Running, running

NOTICES = REMINDERS = 12
pytestmark = pytest.mark.engine("postgres")


@pytest.fixture
async def stage(settings: Settings, database: Database, redis: RedisStore, clock: FrozenClock) -> Stage:
    stage = Stage(settings, redis, clock)
    await stage.build()
    return stage


async def remind_of_tomorrow(stage: Stage, number: int) -> None:
    now, room = stage.clock.now(), stage.town.rooms[0]
    await ClassReminder.create(
        class_id=room.id, school_id=room.school_id, class_name="三(1)班", text=f"事{number}",
        day=local_date(TICK) + timedelta(days=1), state=ReminderState.ACTIVE, created_at=now, updated_at=now,
    )  # fmt: skip


async def replica(database_url: str) -> Running:
    """One that stands ready."""
    started = await running("tests.handlers.notices.ticking", database_url, stdin=PIPE, stdout=PIPE)
    assert started.stdout is not None
    assert await started.stdout.readline() == b"ready\n"
    return started


async def begun() -> Counter[str]:
    """How often each notice was begun, by the audit."""
    rows = await AuditRow.filter(actor="system", purpose=Deed.BEGIN.value)
    return Counter(str(row.subject) for row in rows)


async def test_two_processes_promise_each_reason_to_each_once(stage: Stage, database_url: str) -> None:
    for number in range(NOTICES):
        await stage.submitted(title=f"事{number}")
    for number in range(REMINDERS):
        await remind_of_tomorrow(stage, number)
    replicas = await asyncio.gather(replica(database_url), replica(database_url))
    answers = await asyncio.gather(*(each.communicate(b"go\n") for each in replicas))

    rows = await OutboxPush.all().values_list("reason", "occurrence", "person_id")
    assert len(rows) == len(set(rows))
    told = Counter(reason.partition(":")[0] for reason, _, _ in rows)
    # In the class: a mother, a father, and a grandmother who stands on the roster only.
    assert told == {"notice": 3 * NOTICES, "reminder": sum(int(made) for made, _ in answers)}
    assert told["reminder"] % REMINDERS == 0 < told["reminder"]
    assert set((await begun()).values()) == {1}
    assert await Notice.filter(begun_at__isnull=True).count() == 0
    assert await NoticeRecipient.all().count() == 4 * NOTICES


class Unlocked(NoticeSender):
    """What the product would be without the lock on the notice: all read first, then all begin."""

    meeting: asyncio.Barrier

    async def _each(self, which: Q, step: Step, now: datetime) -> None:
        rows = await Notice.filter(which)
        if rows:
            await self.meeting.wait()
        for row in rows:
            async with transaction():
                await step(row, now)


async def test_without_the_lock_two_would_begin_the_same_notice(stage: Stage) -> None:
    """The control: the race is real, and the unique key is the last line."""
    view = await stage.submitted()
    Unlocked.meeting = asyncio.Barrier(2)
    parts = stage.machinery
    senders = [
        Unlocked(
            Recipients(AccountsAudiences(), tuple), Offices(stage.clock), parts.services.get(HandList),
            outbox=parts.outbox, audit=parts.audit, clock=stage.clock,
        )
        for _ in range(2)
    ]  # fmt: skip
    await asyncio.gather(*(sender.tick() for sender in senders))
    assert set((await begun()).values()) == {2}
    assert len(await stage.pushes(view.id)) == 3
