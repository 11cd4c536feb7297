"""Records whose process is killed at any moment and that are sent again: none is lost, none is doubled."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from bot.clock import FrozenClock
from bot.config import Settings
from bot.storage.database import open_database
from bot.storage.redis import RedisStore
from handlers.alarms.models import AlarmRow
from handlers.contacts.domain.records import ReportState
from handlers.contacts.models import ContactsRecord, ContactsReport
from handlers.contacts.service.recording.recording import Asked, RecordingService
from tests.handlers.contacts.stage import Contacts, contact
from tests.handlers.contacts.submitting import is_grave
from tests.programs import PIPE, Program

CHILDREN = 8


@pytest.mark.slow
async def test_killed_records_are_all_there_once(settings: Settings, redis: RedisStore, clock: FrozenClock) -> None:
    found = await submitted(settings, redis, clock, total=60, kills=2)
    assert found == Counter(range(60))


@pytest.mark.slow
async def test_without_a_key_of_its_own_a_record_sent_again_is_doubled(
    settings: Settings, redis: RedisStore, clock: FrozenClock
) -> None:
    """The negative control: the same kills, every attempt sent as something new."""
    found = await submitted(settings, redis, clock, total=16, kills=1, mode="careless")
    assert set(found) == set(range(16))
    assert found.total() > 16


@pytest.mark.trial
async def test_ten_thousand_killed_records_are_all_there_once(
    settings: Settings, redis: RedisStore, clock: FrozenClock
) -> None:
    found = await submitted(settings, redis, clock, total=10_000, kills=100)
    assert found == Counter(range(10_000))


async def submitted(
    settings: Settings, redis: RedisStore, clock: FrozenClock, *, total: int, kills: int, mode: str = "careful"
) -> Counter[int]:
    """Which records are there, and how often, after all were answered; a report with its alarm for each grave one."""
    async with open_database(settings):
        contacts = await Contacts(settings, redis, clock).build(CHILDREN)
        for number in range(CHILDREN):
            await contacts.paired(number)
    url, person = settings.database.url.get_secret_value(), str(contacts.people.teacher.person_id)
    command = ["tests.handlers.contacts.submitting", url, person]
    command.append(",".join(map(contacts.child, range(CHILDREN))))
    chance, answered, killed = random.Random(total), 0, 0
    while answered < total:
        patience = chance.randint(1, max(1, 2 * total // (3 * kills))) if killed < kills else total
        # What was answered last is sent once more: the answer may have been lost on the way.
        numbers = [str(max(0, answered - 1)), str(total), mode]
        answered, was_killed = sent([*command, *numbers], answered, patience)
        killed += was_killed
    print(f"{total} records, killed {killed} times")
    assert killed, "the process must have been killed"
    async with open_database(settings):
        rows = await ContactsRecord.all().values_list("finding", flat=True)
        found = Counter(int(str(finding).strip("第次")) for finding in rows)
        grave = sum(times for number, times in found.items() if is_grave(number))
        assert await ContactsReport.filter(state=ReportState.COMPLETE).count() == grave
        assert await ContactsReport.all().count() == await AlarmRow.all().count() == grave
    return found


def sent(command: list[str], answered: int, patience: int) -> tuple[int, bool]:
    """How many are answered after one life of the process, and whether it was killed. Answers that came after the last
    one read are lost with it, and what they answered is sent again."""
    with Program(*command, stdout=PIPE) as process:
        assert process.stdout is not None
        for count, line in enumerate(process.stdout, 1):
            answered = max(answered, int(line) + 1)
            if count > patience:
                process.kill()
                break
        process.wait()
        assert process.returncode in {0, -9}, "it ends by itself or is killed, never by a fault"
        return answered, process.returncode != 0


async def test_the_same_form_sent_many_times_at_once_is_one_record(contacts: Contacts) -> None:
    await contacts.paired()
    recording = contacts.machinery.services.get(RecordingService)
    sends = [recording.write(contacts.people.teacher, contacts.child(), contact(), Asked()) for _ in range(3)]
    written = await asyncio.gather(*sends)
    assert len({each.record.id for each in written}) == 1
    assert await ContactsRecord.all().count() == 1
