"""Deeds for the audit, and ways to tamper with it that the triggers would not allow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tortoise.backends.base.client import BaseDBAsyncClient

from bot.audit.log import Audit
from bot.clock import Clock
from bot.identity import Actor, Door, Role
from bot.rights import Action, Subject
from bot.storage.database import Database, transaction

TEACHER = Actor(roles=frozenset({Role.HEAD_TEACHER}), person_id="person-1", door=Door.CONSOLE)
CHILD = Subject(child_id="child-1", class_id="class-1", school_id="school-1", township_id="town-1")

TRIGGERS = {
    "sqlite": [f"{table}_no_{deed}" for table in ("audit_entry", "audit_seal") for deed in ("update", "delete")],
    "postgres": ["audit_entry_append_only", "audit_seal_append_only"],
}


async def look_up(audit: Audit) -> None:
    """One protected read, in a transaction of its own."""
    async with transaction():
        await audit.record(TEACHER, Action.CONTACT_REVEAL, "person:person-9", whose=CHILD, fields=["phone"])


async def look_up_many(clock: Clock, count: int) -> None:
    """One after another."""
    audit = Audit(clock)
    for _ in range(count):
        await look_up(audit)


@asynccontextmanager
async def unguarded(database: Database) -> AsyncIterator[BaseDBAsyncClient]:
    """The connection of somebody who owns the database and takes the triggers away first."""
    for name in TRIGGERS[database.engine]:
        table = "audit_entry" if name.startswith("audit_entry") else "audit_seal"
        on = f" ON {table}" if database.engine == "postgres" else ""
        await database.connection.execute_script(f"DROP TRIGGER {name}{on}")
    yield database.connection
