"""Rules of the tables of 0014 that the models have no words for. Written by hand.

What was written of a child's attendance, and which lists of lessons were shown and filed, are append-only: the database
itself refuses to change or remove a line. Their lines name no child.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops

APPEND_ONLY = ("after_school_attendance_event", "after_school_month")
MESSAGE = "the history is append-only"

POSTGRES = [
    f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
    " FOR EACH STATEMENT EXECUTE FUNCTION after_school_refuse()"
    for table in APPEND_ONLY
]
SQLITE = [
    f"CREATE TRIGGER {table}_no_{deed.lower()} BEFORE {deed} ON {table}"
    f" BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
    for table in APPEND_ONLY
    for deed in ("UPDATE", "DELETE")
]


async def guard(apps, editor):
    """The statements of the engine at hand."""
    sqlite = editor.client.capabilities.dialect == "sqlite"
    for statement in SQLITE if sqlite else POSTGRES:
        await editor.client.execute_query(statement)


async def release(apps, editor):
    """The way back."""
    for table in APPEND_ONLY:
        if editor.client.capabilities.dialect == "sqlite":
            for deed in ("update", "delete"):
                await editor.client.execute_query(f"DROP TRIGGER {table}_no_{deed}")
        else:
            await editor.client.execute_query(f"DROP TRIGGER {table}_append_only ON {table}")


class Migration(migrations.Migration):
    dependencies = [("models", "0014_after_school_days")]

    initial = False

    operations = [ops.RunPython(guard, release)]
