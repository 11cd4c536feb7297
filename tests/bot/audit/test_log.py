"""Writing the audit: with the deed, or the deed is not done; and never to be taken back."""

from __future__ import annotations

import pytest
from tortoise.exceptions import IntegrityError, OperationalError

from bot.audit.log import Audit
from bot.audit.models import AuditRow
from bot.audit.sealer import Sealer
from bot.clock import FrozenClock
from bot.errors import AppError, LimitReached, NotFound, NotPermitted
from bot.identity import Actor
from bot.logs import request_id
from bot.metrics import Metrics
from bot.rights import Action, Subject, refusal, require
from bot.storage.database import Database, transaction
from bot.storage.models import ProcessedMessage
from tests.bot.audit.stage import CHILD, TEACHER, look_up, look_up_many

STRANGER = Actor(openid_index="x" * 32)


async def test_a_deed_is_written_with_ids_and_names_of_fields(database: Database, clock: FrozenClock) -> None:
    token = request_id.set("request-1")
    try:
        await look_up(Audit(clock))
    finally:
        request_id.reset(token)
    row = await AuditRow.get()
    assert (row.actor, row.roles, row.door, row.outcome) == ("person-1", "head_teacher", "console", "done")
    assert (row.action, row.subject, row.fields_seen) == ("contact.reveal", "person:person-9", ["phone"])
    assert (row.about, row.school, row.township) == ("child-1", "school-1", "town-1")
    assert (row.at, row.request_id) == (clock.now(), "request-1")


async def test_the_deed_and_its_row_go_together_when_the_deed_fails(database: Database, clock: FrozenClock) -> None:
    async def deed() -> None:
        async with transaction():
            await Audit(clock).record(TEACHER, Action.PUPIL_EDIT, "pupil:1")
            raise ValueError("a fault after the row was written")

    with pytest.raises(ValueError, match="a fault"):
        await deed()
    assert await AuditRow.all().count() == 0


async def test_what_cannot_be_written_down_is_not_done_and_shows_nothing(
    database: Database, clock: FrozenClock
) -> None:
    """The table of the audit is out of order; the deed writes first, so there is something to take back."""
    await database.connection.execute_script("ALTER TABLE audit_entry RENAME TO audit_entry_away")
    shown: list[str] = []

    async def deed() -> None:
        async with transaction():
            await ProcessedMessage.create(
                dedupe_key="k", openid_index="o", state="done", created_at=clock.now(), updated_at=clock.now()
            )
            await Audit(clock).record(TEACHER, Action.CONTACT_REVEAL, "person:person-9", whose=CHILD)
        shown.append("13900000000")

    with pytest.raises((OperationalError, AppError)):
        await deed()
    assert shown == []
    assert await ProcessedMessage.all().count() == 0


@pytest.mark.parametrize("table", ["audit_entry", "audit_seal"])
@pytest.mark.parametrize("deed", ["UPDATE {} SET {} = {}", "DELETE FROM {} WHERE {} = {}"])
async def test_the_database_lets_nobody_change_or_remove_a_row(
    database: Database, clock: FrozenClock, metrics: Metrics, table: str, deed: str
) -> None:
    await look_up_many(clock, 1)
    await Sealer(clock, metrics).seal_due()
    column = "id" if table == "audit_entry" else "number"
    with pytest.raises((IntegrityError, OperationalError), match="append-only"):
        await database.connection.execute_query(deed.format(table, column, 1))


@pytest.mark.engine("postgres")
async def test_nor_empty_the_table(database: Database) -> None:
    with pytest.raises((IntegrityError, OperationalError), match="append-only"):
        await database.connection.execute_script("TRUNCATE audit_entry")


# ------------------------------------------------------------------------------------------------------------ denials
async def test_a_denial_is_written_with_who_was_refused_what(database: Database, clock: FrozenClock) -> None:
    with pytest.raises(NotPermitted) as refused:
        require(STRANGER, Action.CONTACT_REVEAL, CHILD)
    await Audit(clock).note_denial(refused.value)
    row = await AuditRow.get()
    assert (row.outcome, row.action) == ("denied", "contact.reveal")
    assert (row.actor, row.stranger) == (None, STRANGER.openid_index)


async def test_what_was_out_of_reach_is_named(database: Database, clock: FrozenClock) -> None:
    await Audit(clock).note_denial(refusal(NotFound(), TEACHER, Action.PUPIL_VIEW, CHILD))
    row = await AuditRow.get()
    assert (row.actor, row.subject, row.about, row.school) == ("person-1", "child:child-1", "child-1", "school-1")


async def test_a_denial_that_another_fault_covers_is_still_written(database: Database, clock: FrozenClock) -> None:
    covered = LimitReached()
    covered.__context__ = refusal(NotFound(), TEACHER, Action.PUPIL_VIEW, Subject(class_id="class-2"))
    await Audit(clock).note_denial(covered)
    row = await AuditRow.get()
    assert (row.outcome, row.subject) == ("denied", "class:class-2")


async def test_two_edges_one_inside_the_other_write_it_once(database: Database, clock: FrozenClock) -> None:
    error = refusal(NotFound(), TEACHER, Action.PUPIL_VIEW, CHILD)
    for _ in range(2):
        await Audit(clock).note_denial(error)
    assert await AuditRow.all().count() == 1


async def test_an_error_that_refuses_nothing_writes_nothing(database: Database, clock: FrozenClock) -> None:
    await Audit(clock).note_denial(NotFound())
    assert await AuditRow.all().count() == 0


async def test_a_denial_that_cannot_be_written_raises_nothing(database: Database, clock: FrozenClock) -> None:
    await database.connection.execute_script("ALTER TABLE audit_entry RENAME TO audit_entry_away")
    await Audit(clock).note_denial(refusal(NotPermitted(), TEACHER, Action.PUPIL_VIEW, None))
