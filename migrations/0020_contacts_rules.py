"""Rules of the tables of 0021 that the models have no words for. Written by hand.

What was written about a contact with a family stays as it was written: the database itself refuses to change who wrote
what about which child and when, and to remove it before the child's file is reduced. What is encrypted is left to the
program, because a new key has to be able to write it anew. A township's rule is ended and never changed.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops

# What may not be changed (None: nothing may), by table.
FIXED = {
    "contacts_level": ("pupil_id", "level", "set_by", "set_at", "review_on"),
    "contacts_fact": ("pupil_id", "holder", "kind", "stated_on", "source", "entered_by", "entered_at"),
    "contacts_check": ("pupil_id", "written_on", "checked_by", "checked_on"),
    "contacts_record": (
        "pupil_id", "school_id", "author_id", "client_key", "happened_on", "day_part", "entered_at", "is_backdated",
        "way", "met", "outcome", "topics", "follow_up_on", "next_on", "corrects_id",
    ),
    "contacts_glass": ("person_id", "pupil_id", "school_id", "at", "until"),
    "contacts_rule": (
        "township_id", "since", "cadence", "teacher_grace", "lead_after", "leader_after", "daily_cap", "clause",
        "entered_by",
    ),
}  # fmt: skip
OF_A_CHILD = ("contacts_level", "contacts_fact", "contacts_check", "contacts_record", "contacts_glass")
FOR_EVER = ("contacts_rule",)
CHANGED = "what was written stays as it was written"
REMOVED = "what was written is kept until the file is reduced"
# A child whose files are all reduced has nothing left to keep, one without a file had never to do with it.
_OPEN = "EXISTS (SELECT 1 FROM contacts_file WHERE pupil_id = OLD.pupil_id AND reduced_at IS NULL)"
_REDUCED = "EXISTS (SELECT 1 FROM contacts_file WHERE pupil_id = OLD.pupil_id)"
_KEPT = f"({_OPEN} OR NOT {_REDUCED})"

POSTGRES = [
    f"""CREATE FUNCTION contacts_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{CHANGED}' USING ERRCODE = 'restrict_violation'; END $$""",
    f"""CREATE FUNCTION contacts_keep() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF {_KEPT} THEN RAISE EXCEPTION '{REMOVED}' USING ERRCODE = 'restrict_violation'; END IF;
      RETURN OLD;
    END $$""",
    *(
        f"CREATE TRIGGER {table}_fixed BEFORE UPDATE OF {', '.join(columns)} ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION contacts_refuse()"
        for table, columns in FIXED.items()
    ),
    *(
        f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION contacts_keep()"
        for table in OF_A_CHILD
    ),
    *(
        f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION contacts_refuse()"
        for table in FOR_EVER
    ),
    *(
        f"CREATE TRIGGER {table}_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION contacts_refuse()"
        for table in FIXED
    ),
]
SQLITE = [
    *(
        f"CREATE TRIGGER {table}_fixed BEFORE UPDATE OF {', '.join(columns)} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{CHANGED}'); END"
        for table, columns in FIXED.items()
    ),
    *(
        f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} WHEN {_KEPT}"
        f" BEGIN SELECT RAISE(ABORT, '{REMOVED}'); END"
        for table in OF_A_CHILD
    ),
    *(
        f"CREATE TRIGGER {table}_kept BEFORE DELETE ON {table} BEGIN SELECT RAISE(ABORT, '{CHANGED}'); END"
        for table in FOR_EVER
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
        for name in ("fixed", "kept") if sqlite else ("fixed", "kept", "whole"):
            on = "" if sqlite else f" ON {table}"
            await editor.client.execute_query(f"DROP TRIGGER {table}_{name}{on}")
    if not sqlite:
        await editor.client.execute_query("DROP FUNCTION contacts_refuse()")
        await editor.client.execute_query("DROP FUNCTION contacts_keep()")


class Migration(migrations.Migration):
    dependencies = [("models", "0019_contacts")]

    initial = False

    operations = [ops.RunPython(guard, release)]
