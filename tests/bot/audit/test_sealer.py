"""Sealing: what is committed is chained soon, once, and in one line, whoever does it and however late a row comes."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from bot.audit.chain import GENESIS, Head, canonical, digest_of
from bot.audit.log import Audit
from bot.audit.models import AuditGap, AuditRow, AuditSeal
from bot.audit.sealer import BATCH, HEAD_EVERY, Sealer
from bot.audit.verification import Span, verify
from bot.clock import SHANGHAI, FrozenClock, SystemClock
from bot.config import Settings
from bot.logs import redact_text
from bot.metrics import Metrics
from bot.storage.database import Database, open_database, transaction
from tests.bot.audit.stage import look_up, look_up_many
from tests.programs import PIPE, running

SOON_S = 60.0


@pytest.fixture
def sealer(clock: FrozenClock, metrics: Metrics) -> Sealer:
    return Sealer(clock, metrics)


# ------------------------------------------------------------------------------------------------------------- digests
def test_a_digest_covers_the_one_before_and_every_column() -> None:
    row = {"id": 1, "action": "a", "fields_seen": ["x"], "purpose": None}
    digest = digest_of(GENESIS, row)
    assert digest != digest_of("1" * 64, row)
    assert all(digest != digest_of(GENESIS, {**row, key: "other"}) for key in row)


def test_a_column_added_later_changes_no_old_digest(clock: FrozenClock) -> None:
    row = {"id": 1, "at": clock.now()}
    assert canonical(row) == canonical({**row, "added": None})


def test_the_zone_a_moment_is_read_in_does_not_count(clock: FrozenClock) -> None:
    assert canonical({"at": clock.now()}) == canonical({"at": clock.now().astimezone(SHANGHAI)})


def test_a_head_can_be_written_down_and_read_again_and_no_log_takes_it_for_a_number() -> None:
    head = Head(12, "a13800138000" * 5 + "abcd")
    assert Head.parse(str(head)) == head
    assert redact_text(str(head)) == str(head)
    assert redact_text(f"12:{head.digest}") != f"12:{head.digest}", "the control: without groups it would"
    with pytest.raises(ValueError, match="digest"):
        Head.parse("12:abcd")


# ------------------------------------------------------------------------------------------------------------- rounds
async def test_all_committed_entries_are_chained_in_order(
    database: Database, clock: FrozenClock, sealer: Sealer
) -> None:
    await look_up_many(clock, 5)
    assert await sealer.seal_due() == 5
    assert await sealer.seal_due() == 0
    seals = await AuditSeal.all().order_by("number")
    assert [seal.number for seal in seals] == [1, 2, 3, 4, 5]
    assert [seal.entry_id for seal in seals] == sorted(await AuditRow.all().values_list("id", flat=True))
    found = await verify()
    assert (found.holds, found.sealed, found.unsealed, found.noted) == (True, 5, 0, [])


async def test_more_than_one_batch_is_sealed_in_one_round(
    database: Database, clock: FrozenClock, sealer: Sealer
) -> None:
    audit = Audit(clock)
    async with transaction():
        for _ in range(BATCH + 3):
            await look_up(audit)
    assert await sealer.seal_due() == BATCH + 3
    assert (await verify()).holds


async def test_numbers_missing_at_the_time_are_noted_and_a_late_row_fills_its_gap(
    database: Database, clock: FrozenClock, sealer: Sealer
) -> None:
    """Rows with numbers of their own: as they look to the sealer while others are not committed."""
    await row_numbered(clock, 1, 2, 6)
    await sealer.seal_due()
    assert await gaps() == [(3, 5)]
    await row_numbered(clock, 4)
    assert await sealer.seal_due() == 1
    assert await gaps() == [(3, 3), (5, 5)]
    found = await verify()
    assert found.holds
    assert found.noted == [Span(3, 3), Span(5, 5)]
    assert [seal.entry_id for seal in await AuditSeal.all().order_by("number")] == [1, 2, 6, 4]


async def test_a_row_may_be_late_by_a_restart(database: Database, clock: FrozenClock, metrics: Metrics) -> None:
    await row_numbered(clock, 3)
    await Sealer(clock, metrics).seal_due()
    clock.advance(timedelta(days=3))
    await row_numbered(clock, 1)
    assert await Sealer(clock, metrics).seal_due() == 1
    assert await gaps() == [(2, 2)]


async def test_the_head_is_told_once_an_hour_outside_the_database(
    database: Database, clock: FrozenClock, metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="bot.audit.sealer")
    sealer = Sealer(clock, metrics)

    async def rounds() -> int:
        caplog.clear()
        await look_up_many(clock, 1)
        await sealer.seal_due()
        return sum(record.getMessage() == "audit_head" for record in caplog.records)

    assert [await rounds(), await rounds()] == [1, 0]
    clock.advance(HEAD_EVERY)
    assert await rounds() == 1
    last = await AuditSeal.get(number=3)
    assert f'head="{Head(3, last.digest)}"' in metrics.render().decode()
    assert "xiangxiao_audit_head_number 3.0" in metrics.render().decode()


async def test_a_started_sealer_seals_within_seconds(database: Database, clock: FrozenClock, metrics: Metrics) -> None:
    sealer = Sealer(clock, metrics, pace_s=0.01)
    sealer.start()
    await look_up_many(clock, 3)
    await until_sealed(3)
    await sealer.stop()


async def test_a_sealer_lives_through_a_database_that_fails(
    database: Database, clock: FrozenClock, metrics: Metrics
) -> None:
    await database.connection.execute_script("ALTER TABLE audit_seal RENAME TO audit_seal_away")
    sealer = Sealer(clock, metrics, pace_s=0.01)
    sealer.start()
    await look_up_many(clock, 1)
    await asyncio.sleep(0.05)
    await database.connection.execute_script("ALTER TABLE audit_seal_away RENAME TO audit_seal")
    await until_sealed(1)
    await sealer.stop()


# --------------------------------------------------------------------------------------------------- several at once
async def test_two_sealers_at_once_make_one_chain(database: Database, clock: FrozenClock, metrics: Metrics) -> None:
    await look_up_many(clock, 40)
    sealers = [Sealer(clock, metrics) for _ in range(4)]
    await asyncio.gather(*(sealer.seal_due() for sealer in sealers))
    await sealers[0].seal_due()
    found = await verify()
    assert (found.holds, found.sealed, found.unsealed) == (True, 40, 0)


@pytest.mark.engine("postgres")
@pytest.mark.parametrize(
    "deeds", [600, pytest.param(5000, marks=pytest.mark.trial)], ids=["1,200 deeds", "10,000 deeds"]
)
async def test_deeds_at_once_in_two_processes_are_all_chained(settings: Settings, deeds: int) -> None:
    """Each process has its own sealer, and takes back every 25th deed, whose number stays missing."""
    url = settings.database.url.get_secret_value()
    started = time.perf_counter()
    written = sum(await asyncio.gather(*(replica(url, deeds) for _ in range(2))))
    seconds = time.perf_counter() - started
    async with open_database(settings):
        await Sealer(SystemClock(), Metrics()).seal_due()
        found = await verify()
        assert await AuditRow.all().count() == written
        last = (await AuditRow.all().order_by("-id").limit(1))[0].id
    assert found.holds, found
    assert (found.sealed, found.unsealed) == (written, 0)
    # What was taken back after the last row that stayed is no gap yet.
    assert sum(gap.size for gap in found.noted) == last - written
    assert last <= 2 * deeds
    print(f"\n{2 * deeds} deeds in two processes, {written} written and chained: {seconds:.1f} s")


async def replica(url: str, deeds: int) -> int:
    process = await running("tests.bot.audit.replica", url, str(deeds), "20", stdout=PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0
    return int(output)


# -------------------------------------------------------------------------------------------------------------- helpers
async def until_sealed(count: int) -> None:
    async with asyncio.timeout(SOON_S):
        while await AuditSeal.all().count() < count:  # noqa: ASYNC110 - it waits for the database
            await asyncio.sleep(0.01)


async def gaps() -> list[tuple[int, int]]:
    return [(gap.from_id, gap.to_id) for gap in await AuditGap.all().order_by("from_id")]


async def row_numbered(clock: FrozenClock, *numbers: int) -> None:
    for number in numbers:
        await AuditRow.create(
            id=number, at=clock.now(), roles="teacher", door="api", action="pupil.view", outcome="done", fields_seen=[]
        )
