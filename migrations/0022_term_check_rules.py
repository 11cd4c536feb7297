"""Rules of the tables of 0023 that the models have no words for. Written by hand.

What a class reported, what was done about a child and what a township set stay as they were written: the database
itself refuses to change or remove them. What is encrypted is left to the program, because a new key has to be able to
write it anew, and because the words about a family go when their term is over while the line stays. A rule may be ended.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops

# What may not be changed, by table.
FIXED = {
    "term_check_return": (
        "round_id", "class_id", "day", "number", "counts", "is_full", "has_checked_contacts", "signed_by", "signed_at",
    ),
    "term_check_step": ("absence_id", "kind", "on_day", "at", "by_person", "from_state", "to_state", "stage"),
    "term_check_rule": (
        "township_id", "since", "school_after", "centre_after", "township_after", "centre_school_id", "primary_limit",
        "junior_limit", "clause", "entered_by",
    ),
}  # fmt: skip
MESSAGE = "what was written stays as it was written"

POSTGRES = [
    f"""CREATE FUNCTION term_check_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'restrict_violation'; END $$""",
    *(
        f"CREATE TRIGGER {table}_fixed BEFORE UPDATE OF {', '.join(columns)} ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION term_check_refuse()"
        for table, columns in FIXED.items()
    ),
    *(
        f"CREATE TRIGGER {table}_kept BEFORE DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION term_check_refuse()"
        for table in FIXED
    ),
]
SQLITE = [
    *(
        f"CREATE TRIGGER {table}_fixed BEFORE UPDATE OF {', '.join(columns)} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
        for table, columns in FIXED.items()
    ),
    *(
        f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
        for table in FIXED
    ),
]


async def guard(apps, editor):
    """The statements of the engine at hand."""
    sqlite = editor.client.capabilities.dialect == "sqlite"
    for statement in SQLITE if sqlite else POSTGRES:
        await editor.client.execute_query(statement)


async def release(apps, editor):
    """The way back."""
    sqlite = editor.client.capabilities.dialect == "sqlite"
    for table in FIXED:
        for name in ("fixed", "kept"):
            on = "" if sqlite else f" ON {table}"
            await editor.client.execute_query(f"DROP TRIGGER {table}_{name}{on}")
    if not sqlite:
        await editor.client.execute_query("DROP FUNCTION term_check_refuse()")


class Migration(migrations.Migration):
    dependencies = [("models", "0021_term_check")]

    initial = False

    operations = [ops.RunPython(guard, release)]
