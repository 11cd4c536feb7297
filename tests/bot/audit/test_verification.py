"""Verifying: every way of tampering is found and named at its first link; nothing else is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from typer.testing import CliRunner

from bot.audit.chain import Head, digest_of
from bot.audit.models import AuditRow, AuditSeal
from bot.audit.reading import entries
from bot.audit.sealer import Sealer
from bot.audit.verification import BrokenLink, Fault, Span, verify
from bot.cli_audit import audit_app, report
from bot.clock import FrozenClock
from bot.metrics import Metrics
from bot.storage.database import Database
from tests.bot.audit.stage import look_up_many, unguarded

DEEDS = 9

Tamper = Callable[[BaseDBAsyncClient], Awaitable[object]]


def statements(*queries: str) -> Tamper:
    async def tamper(connection: BaseDBAsyncClient) -> None:
        for query in queries:
            await connection.execute_query(query)

    return tamper


@pytest.fixture
async def connection(database: Database, clock: FrozenClock, metrics: Metrics) -> AsyncIterator[BaseDBAsyncClient]:
    """Nine sealed entries, and somebody before whom the database lies open."""
    await look_up_many(clock, DEEDS)
    await Sealer(clock, metrics).seal_due()
    async with unguarded(database) as open_connection:
        yield open_connection


SWAP = statements(
    "UPDATE audit_seal SET entry_id = 1000 WHERE number = 4",
    "UPDATE audit_seal SET entry_id = 4 WHERE number = 6",
    "UPDATE audit_seal SET entry_id = 6 WHERE number = 4",
)
SWAP_WHOLLY = statements(
    "UPDATE audit_seal SET number = 1000 WHERE number = 4",
    "UPDATE audit_seal SET number = 4 WHERE number = 6",
    "UPDATE audit_seal SET number = 6 WHERE number = 1000",
)


@pytest.mark.parametrize(
    ("tamper", "found"),
    [
        (statements("UPDATE audit_entry SET actor = 'person-2' WHERE id = 5"), BrokenLink(Fault.ENTRY_CHANGED, 5, 5)),
        (statements("UPDATE audit_entry SET purpose = 'x' WHERE id = 9"), BrokenLink(Fault.ENTRY_CHANGED, 9, 9)),
        (statements("UPDATE audit_entry SET about = NULL WHERE id = 1"), BrokenLink(Fault.ENTRY_CHANGED, 1, 1)),
        (statements("DELETE FROM audit_entry WHERE id = 5"), BrokenLink(Fault.ENTRY_REMOVED, 5, 5)),
        (statements("DELETE FROM audit_seal WHERE number = 5"), BrokenLink(Fault.SEAL_REMOVED, 5)),
        (statements("DELETE FROM audit_seal WHERE number = 1"), BrokenLink(Fault.SEAL_REMOVED, 1)),
        (
            statements("DELETE FROM audit_seal WHERE number = 5", "DELETE FROM audit_entry WHERE id = 5"),
            BrokenLink(Fault.SEAL_REMOVED, 5),
        ),
        (
            statements(f"UPDATE audit_seal SET digest = '{'a' * 64}' WHERE number = 5"),
            BrokenLink(Fault.SEAL_CHANGED, 5, 5),
        ),
        (SWAP, BrokenLink(Fault.REORDERED, 4, 6)),
        (SWAP_WHOLLY, BrokenLink(Fault.REORDERED, 4, 6)),
    ],
    ids=[
        "an entry changed",
        "the last entry changed",
        "a value taken out of the first",
        "an entry removed",
        "a seal removed",
        "the first seal removed",
        "an entry removed with its seal",
        "a seal changed",
        "two entries swapped",
        "two seals swapped",
    ],
)
async def test_tampering_is_found_at_the_first_broken_link(
    connection: BaseDBAsyncClient, tamper: Tamper, found: BrokenLink
) -> None:
    assert (await verify()).holds
    await tamper(connection)
    verified = await verify()
    assert not verified.holds
    assert verified.broken == found
    assert report(verified)[0].startswith("✗")


async def test_an_entry_removed_whose_seals_were_renumbered_leaves_a_hole_without_a_note(
    connection: BaseDBAsyncClient,
) -> None:
    """The digests are recomputed too, so the chain holds in itself."""
    await rewrite(connection, without=5)
    found = await verify()
    assert found.broken is None
    assert found.unexplained == [Span(5, 5)]
    assert not found.holds
    assert "没有说明：5，" in report(found)[0]


async def test_a_history_wholly_rewritten_is_found_by_a_head_kept_elsewhere(connection: BaseDBAsyncClient) -> None:
    known = await head_at(7)
    await connection.execute_query("UPDATE audit_entry SET actor = 'person-2' WHERE id = 5")
    await rewrite(connection)
    assert (await verify()).holds, "without a head nothing tells"
    assert (await verify([known])).broken == BrokenLink(Fault.REWRITTEN, 7, 7)


@pytest.mark.parametrize("entries_too", [True, False])
async def test_an_end_that_was_cut_off_is_found_by_a_head_kept_elsewhere(
    connection: BaseDBAsyncClient, entries_too: bool
) -> None:
    known = await head_at(DEEDS)
    await connection.execute_query("DELETE FROM audit_seal WHERE number > 6")
    if entries_too:
        await connection.execute_query("DELETE FROM audit_entry WHERE id > 6")
    assert (await verify()).holds, "without a head nothing tells"
    assert (await verify([known])).broken == BrokenLink(Fault.END_REMOVED, 7)


async def test_a_head_the_chain_leads_through_is_no_fault(connection: BaseDBAsyncClient) -> None:
    assert (await verify([await head_at(3), await head_at(DEEDS)])).holds


async def test_entries_not_sealed_yet_are_counted_and_no_fault(
    database: Database, clock: FrozenClock, metrics: Metrics
) -> None:
    await look_up_many(clock, 2)
    await Sealer(clock, metrics).seal_due()
    await look_up_many(clock, 3)
    found = await verify()
    assert (found.holds, found.sealed, found.unsealed, found.oldest_unsealed) == (True, 2, 3, clock.now())
    assert any("还没有封存：3 条" in line for line in report(found))


async def test_an_audit_without_an_entry_holds(database: Database) -> None:
    found = await verify()
    assert (found.holds, found.sealed, found.unsealed, found.head) == (True, 0, 0, None)


# -------------------------------------------------------------------------------------------------------- the command
def test_the_command_says_whether_the_chain_holds(tmp_path: Path, settings_file: Path, runner: CliRunner) -> None:
    result = runner.invoke(audit_app, ["verify", "--config", str(settings_file)])
    assert result.exit_code == 0, result.output
    assert "链条完整：0 条记录已封存" in result.output


def test_the_command_refuses_a_head_it_cannot_read(settings_file: Path, runner: CliRunner) -> None:
    result = runner.invoke(audit_app, ["verify", "--config", str(settings_file), "--head", "7"])
    assert result.exit_code == 2


def test_the_command_fails_when_the_chain_is_shorter_than_a_head(settings_file: Path, runner: CliRunner) -> None:
    head = str(Head(1, "ab" * 32))
    result = runner.invoke(audit_app, ["verify", "--config", str(settings_file), "--head", head])
    assert result.exit_code == 1
    assert "末尾被删掉了" in result.output


# -------------------------------------------------------------------------------------------------------------- helpers
async def head_at(number: int) -> Head:
    return Head(number, (await AuditSeal.get(number=number)).digest)


async def rewrite(connection: BaseDBAsyncClient, *, without: int | None = None) -> None:
    """As somebody would who knows how the chain is made and may write to the tables."""
    ids = [row.id for row in await AuditRow.all().order_by("id") if row.id != without]
    rows, digest = await entries(ids), "0" * 64
    await connection.execute_query("DELETE FROM audit_seal")
    if without is not None:
        await connection.execute_query(f"DELETE FROM audit_entry WHERE id = {without}")
    for number, own in enumerate(ids, 1):
        digest = digest_of(digest, rows[own])
        await AuditSeal.create(number=number, entry_id=own, digest=digest, sealed_at=rows[own]["at"])
