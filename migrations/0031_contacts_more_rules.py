"""Rules of the tables of 0027 to 0030 that the models have no words for. Written by hand, like 0020.

Which number a record says was called, what a township set for asking anew, what a guardian said and what was noted of
parents stay as they were written. What rests on consent may be removed, because it goes with the consent; what was noted
of parents is kept until the file is reduced.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops

# What may not be changed, by table; the name of the trigger, since records have one of 0020.
FIXED = {
    "contacts_record_called": ("contacts_record", ("called",)),
    "contacts_refresh_rule_fixed": (
        "contacts_refresh_rule", ("township_id", "days_before", "older_than", "entered_by", "created_at"),
    ),
    "contacts_wish_fixed": (
        "contacts_wish", ("pupil_id", "person_id", "is_wanted", "how", "said_at", "entered_by"),
    ),
    "contacts_heard_fixed": (
        "contacts_heard", ("pupil_id", "holder", "way", "happened_on", "source", "noted_by", "noted_at"),
    ),
}  # fmt: skip
CHANGED = "what was written stays as it was written"
REMOVED = "what was written is kept until the file is reduced"
_OPEN = "EXISTS (SELECT 1 FROM contacts_file WHERE pupil_id = OLD.pupil_id AND reduced_at IS NULL)"
_REDUCED = "EXISTS (SELECT 1 FROM contacts_file WHERE pupil_id = OLD.pupil_id)"
_KEPT = f"({_OPEN} OR NOT {_REDUCED})"

POSTGRES = [
    *(
        f"CREATE TRIGGER {name} BEFORE UPDATE OF {', '.join(columns)} ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION contacts_refuse()"
        for name, (table, columns) in FIXED.items()
    ),
    "CREATE TRIGGER contacts_heard_kept BEFORE DELETE ON contacts_heard FOR EACH ROW EXECUTE FUNCTION contacts_keep()",
    "CREATE TRIGGER contacts_refresh_rule_kept BEFORE DELETE OR TRUNCATE ON contacts_refresh_rule"
    " FOR EACH STATEMENT EXECUTE FUNCTION contacts_refuse()",
]
SQLITE = [
    *(
        f"CREATE TRIGGER {name} BEFORE UPDATE OF {', '.join(columns)} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{CHANGED}'); END"
        for name, (table, columns) in FIXED.items()
    ),
    f"CREATE TRIGGER contacts_heard_kept BEFORE DELETE ON contacts_heard WHEN {_KEPT}"
    f" BEGIN SELECT RAISE(ABORT, '{REMOVED}'); END",
    "CREATE TRIGGER contacts_refresh_rule_kept BEFORE DELETE ON contacts_refresh_rule"
    f" BEGIN SELECT RAISE(ABORT, '{CHANGED}'); END",
]
MADE = {
    **{name: table for name, (table, _) in FIXED.items()},
    "contacts_heard_kept": "contacts_heard",
    "contacts_refresh_rule_kept": "contacts_refresh_rule",
}


async def guard(apps, editor):
    """The statements of the engine at hand."""
    sqlite = editor.client.capabilities.dialect == "sqlite"
    for statement in SQLITE if sqlite else POSTGRES:
        await editor.client.execute_query(statement)


async def release(apps, editor):
    """The way back."""
    sqlite = editor.client.capabilities.dialect == "sqlite"
    for name, table in MADE.items():
        on = "" if sqlite else f" ON {table}"
        await editor.client.execute_query(f"DROP TRIGGER {name}{on}")


class Migration(migrations.Migration):
    dependencies = [("models", "0030_contacts_family")]

    initial = False

    operations = [ops.RunPython(guard, release)]
