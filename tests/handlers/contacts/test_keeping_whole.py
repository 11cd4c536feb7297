"""Retention the whole way, by the command of the nightly run: seen before, sealed, seen before, reduced."""

from __future__ import annotations

from datetime import date, timedelta

from bot.audit.models import AuditRow
from bot.cli_retention import run_retention
from bot.clock import FrozenClock
from bot.config import Settings
from bot.metrics import Metrics
from bot.storage.database import open_database
from bot.storage.models import StoredFile
from bot.storage.redis import RedisStore, redis_client
from handlers.accounts.domain import PupilStatus
from handlers.accounts.models import Pupil
from handlers.consent.service.retention import RetentionReport
from handlers.contacts.domain.exports import TakenFor
from handlers.contacts.domain.glass import Ground
from handlers.contacts.models import (
    ContactsCheck,
    ContactsDraft,
    ContactsFact,
    ContactsFile,
    ContactsGlass,
    ContactsLevel,
    ContactsPair,
    ContactsPrint,
    ContactsRecord,
)
from handlers.contacts.service.keeping.planning import Step
from tests.handlers.contacts.stage import NOW, TODAY, Contacts
from tests.handlers.contacts.test_glass import WHY, filled

KEPT = timedelta(days=1095)
OF_A_CHILD = (
    ContactsCheck, ContactsDraft, ContactsFact, ContactsGlass, ContactsLevel, ContactsPair, ContactsPrint,
    ContactsRecord,
)  # fmt: skip


def lines_of(report: RetentionReport) -> list[str]:
    """What it says of contacts."""
    return [line for line in report.lines if "家校联系" in line]


async def planned(contacts: Contacts) -> list[tuple[str, Step, date, bool]]:
    """What the lead sees of the nights to come."""
    rows = await contacts.plan.planned(contacts.people.lead)
    return [(row.ward.id, row.step, row.on, row.is_due) for row in rows]


async def test_seen_sealed_seen_reduced(settings: Settings, clock: FrozenClock) -> None:
    store = RedisStore(redis_client("memory://"), Metrics())
    async with open_database(settings):
        contacts = await Contacts(settings, store, clock).build(3)
        await filled(contacts)
        await contacts.entered(1)
        await contacts.entered(2)
        await contacts.glass.open(contacts.people.head, contacts.child(), Ground.DANGER, WHY)
        await contacts.prints.ask(contacts.people.lead, contacts.child(), TakenFor.INSPECTION, "县局检查")
        left = {"status": PupilStatus.LEFT, "left_on": TODAY - timedelta(days=1)}
        await Pupil.filter(id=contacts.child()).update(**left)
        await Pupil.filter(id=contacts.child(1)).update(birth_date="2010-09-30")
        await Pupil.filter(id=contacts.child(2)).update(birth_date="2012-09-30")
        gone, grows = contacts.child(), contacts.child(1)
        assert await planned(contacts) == [
            (gone, Step.SEAL, TODAY, True), (grows, Step.SEAL, date(2026, 9, 30), False)
        ]  # fmt: skip
    # Twice, because looking changes nothing.
    for _ in range(2):
        dry = await run_retention(settings, is_dry=True, clock=clock)
        assert len(lines_of(dry)) == 1
        assert "封存1位同学" in lines_of(dry)[0]
    async with open_database(settings):
        assert not await ContactsFile.filter(sealed_at__not_isnull=True).exists()
    assert not (await run_retention(settings, is_dry=False, clock=clock)).failed
    async with open_database(settings):
        sealed = await ContactsFile.filter(sealed_at__not_isnull=True)
        assert [str(row.pupil_id) for row in sealed] == [gone]
        assert await ContactsRecord.all().count() == 1
        assert await AuditRow.filter(action="retention.run", subject=f"contacts_seal:{TODAY}").count() == 1
    over = NOW + KEPT
    clock.set(over - timedelta(days=30))
    async with open_database(settings):
        assert (gone, Step.REDUCE, TODAY + KEPT, False) in await planned(contacts)
    clock.set(over)
    dry = await run_retention(settings, is_dry=True, clock=clock)
    assert any("把1位同学的家校联系资料减到只剩统计" in line for line in lines_of(dry))
    assert not (await run_retention(settings, is_dry=False, clock=clock)).failed
    async with open_database(settings):
        for table in OF_A_CHILD:
            assert not await table.filter(pupil_id=gone).exists(), table.__name__
        assert await StoredFile.all().count() == 0
        [file] = await ContactsFile.filter(pupil_id=gone)
        assert (file.reason_words, file.end_reason, file.reduced_at) == (None, None, over)
        assert await ContactsFile.filter(pupil_id__not=gone, reduced_at__isnull=True).count() == 2
        assert await ContactsLevel.filter(pupil_id=grows).count() == 1, "of another child nothing has gone"
    assert lines_of(await run_retention(settings, is_dry=True, clock=clock)) == []
    await store.close()
