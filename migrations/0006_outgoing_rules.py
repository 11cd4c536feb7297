"""Rules of the tables of 0005 that the models have no words for. Written by hand.

The timeline of an alarm is append-only, as the audit is: the database itself refuses to change or remove a line. Its
lines hold ids and what happened, no words; those stand in the alarm, and go at the end of their term. The second signature
under a notice is another person's.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops

APPEND_ONLY = ("alarms_entry",)
MESSAGE = "the timeline is append-only"

POSTGRES = [
    f"""CREATE FUNCTION timeline_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'restrict_violation'; END $$""",
    *(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION timeline_refuse()"
        for table in APPEND_ONLY
    ),
]
SQLITE = [
    f"CREATE TRIGGER {table}_no_{deed.lower()} BEFORE {deed} ON {table}"
    f" BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
    for table in APPEND_ONLY
    for deed in ("UPDATE", "DELETE")
]

# A second signature is another person's, and nothing that wants one goes out without it, whatever the program does.
SIGNED = (
    "(approved_by IS NULL OR (approved_by <> written_by AND approved_by <> changed_by))"
    " AND (NOT needs_second OR approved_by IS NOT NULL OR state IN ('draft', 'waiting'))"
)
UNSIGNED = "a notice needs the signature of a second person"


async def guard_the_timelines(apps, editor):
    """The statements of the engine at hand."""
    sqlite = editor.client.capabilities.dialect == "sqlite"
    for statement in SQLITE if sqlite else POSTGRES:
        await editor.client.execute_query(statement)


async def release_the_timelines(apps, editor):
    """The way back."""
    sqlite = editor.client.capabilities.dialect == "sqlite"
    for table in APPEND_ONLY:
        if sqlite:
            for deed in ("update", "delete"):
                await editor.client.execute_query(f"DROP TRIGGER {table}_no_{deed}")
        else:
            await editor.client.execute_query(f"DROP TRIGGER {table}_append_only ON {table}")
    if not sqlite:
        await editor.client.execute_query("DROP FUNCTION timeline_refuse()")


async def guard_the_signatures(apps, editor):
    """PostgreSQL takes a rule for a table that is there, SQLite only a trigger."""
    if editor.client.capabilities.dialect != "sqlite":
        await editor.client.execute_query(f"ALTER TABLE notices_notice ADD CONSTRAINT notices_signed CHECK ({SIGNED})")
        return
    for deed in ("INSERT", "UPDATE"):
        new = SIGNED
        for column in ("approved_by", "written_by", "changed_by", "needs_second", "state"):
            new = new.replace(column, f"NEW.{column}")
        await editor.client.execute_query(
            f"CREATE TRIGGER notices_signed_{deed.lower()} BEFORE {deed} ON notices_notice WHEN NOT ({new})"
            f" BEGIN SELECT RAISE(ABORT, '{UNSIGNED}'); END"
        )


async def release_the_signatures(apps, editor):
    """The way back."""
    if editor.client.capabilities.dialect != "sqlite":
        await editor.client.execute_query("ALTER TABLE notices_notice DROP CONSTRAINT notices_signed")
        return
    for deed in ("insert", "update"):
        await editor.client.execute_query(f"DROP TRIGGER notices_signed_{deed}")


# A push is written four times on its way, and each time in every index that holds it: so an index holds only those
# that are looked for through it.
PUSH_INDEXES = {
    "idx_push_due": "outbox_push (lane, not_before) WHERE status = 'planned'",
    "idx_push_held": "outbox_push (not_before) WHERE status = 'held'",
    "idx_push_lease": "outbox_push (lease_until) WHERE status = 'sending'",
    "idx_push_troubled": "outbox_push (updated_at) WHERE status IN ('failed', 'unknown')",
    "idx_push_platform": "outbox_push (platform_id) WHERE platform_id IS NOT NULL",
}


async def index_the_pushes(apps, editor):
    """Both engines know partial indexes."""
    for name, rows in PUSH_INDEXES.items():
        await editor.client.execute_query(f"CREATE INDEX {name} ON {rows}")


async def release_the_pushes(apps, editor):
    """The way back."""
    for name in PUSH_INDEXES:
        await editor.client.execute_query(f"DROP INDEX {name}")


class Migration(migrations.Migration):
    dependencies = [("models", "0005_outgoing")]

    initial = False

    operations = [
        ops.RunPython(guard_the_timelines, release_the_timelines),
        ops.RunPython(guard_the_signatures, release_the_signatures),
        ops.RunPython(index_the_pushes, release_the_pushes),
    ]
