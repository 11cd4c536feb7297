"""Rules of the tables of 0009 that the models have no words for. Written by hand.

What became of an enrolment and how a class's list was closed are append-only: the database itself refuses to change or
remove a line. Their lines hold ids and what happened, no words of families.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops

APPEND_ONLY = ("after_school_enrolment_event", "after_school_tally")
MESSAGE = "the history is append-only"

POSTGRES = [
    f"""CREATE FUNCTION after_school_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'restrict_violation'; END $$""",
    *(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION after_school_refuse()"
        for table in APPEND_ONLY
    ),
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
    sqlite = editor.client.capabilities.dialect == "sqlite"
    for table in APPEND_ONLY:
        if sqlite:
            for deed in ("update", "delete"):
                await editor.client.execute_query(f"DROP TRIGGER {table}_no_{deed}")
        else:
            await editor.client.execute_query(f"DROP TRIGGER {table}_append_only ON {table}")
    if not sqlite:
        await editor.client.execute_query("DROP FUNCTION after_school_refuse()")


class Migration(migrations.Migration):
    dependencies = [("models", "0009_after_school")]

    initial = False

    operations = [ops.RunPython(guard, release)]
