"""A rule of the table of 0023 that the model has no words for. Written by hand.

A month is counted once: the database itself refuses to change or remove what was counted.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLE = "contacts_month"
FIXED = ("school_id", "township_id", "month", "registered", "covered", "asked", "on_time")
MESSAGE = "what was counted stays as it was counted"

POSTGRES = [
    f"""CREATE FUNCTION {TABLE}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'restrict_violation'; END $$""",
    f"CREATE TRIGGER {TABLE}_fixed BEFORE UPDATE OF {', '.join(FIXED)} ON {TABLE}"
    f" FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_refuse()",
    f"CREATE TRIGGER {TABLE}_kept BEFORE DELETE OR TRUNCATE ON {TABLE}"
    f" FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_refuse()",
]
SQLITE = [
    f"CREATE TRIGGER {TABLE}_fixed BEFORE UPDATE OF {', '.join(FIXED)} ON {TABLE}"
    f" BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
    f"CREATE TRIGGER {TABLE}_kept BEFORE DELETE ON {TABLE} BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
]


async def guard(apps, editor):
    """The statements of the engine at hand."""
    sqlite = editor.client.capabilities.dialect == "sqlite"
    for statement in SQLITE if sqlite else POSTGRES:
        await editor.client.execute_query(statement)


async def release(apps, editor):
    """The way back."""
    sqlite = editor.client.capabilities.dialect == "sqlite"
    for name in ("fixed", "kept"):
        await editor.client.execute_query(f"DROP TRIGGER {TABLE}_{name}{'' if sqlite else f' ON {TABLE}'}")
    if not sqlite:
        await editor.client.execute_query(f"DROP FUNCTION {TABLE}_refuse()")


class Migration(migrations.Migration):
    dependencies = [("models", "0023_contacts_months")]

    initial = False

    operations = [ops.RunPython(guard, release)]
