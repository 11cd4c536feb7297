"""Rules of the tables of 0025 that the models have no words for. Written by hand.

Who looked past what is theirs at which child and when, and who took out what for whom, stays as it was written: only
that somebody has seen it, or how far it has come, is added. A look at a child that was never on the register has no
file that could be reduced, so it goes once it is marked itself.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops

CHANGED = "what was written stays as it was written"
REMOVED = "what was written is kept until the file is reduced"
# What may not be changed, by table; of a glass the rest was fixed with 0020.
FIXED = {
    "contacts_export": (
        "person_id", "school_id", "class_id", "taken_for", "has_groups", "has_records", "created_at",
    ),
    "contacts_print": ("person_id", "pupil_id", "school_id", "taken_for", "at", "until"),
}  # fmt: skip
# Once written, never again: that somebody has seen it, and that its term is over.
ONCE = "OLD.seen_at IS NOT NULL AND (NEW.seen_at IS NULL OR NEW.seen_at <> OLD.seen_at OR NEW.seen_by <> OLD.seen_by)"

POSTGRES = [
    "DROP TRIGGER contacts_glass_kept ON contacts_glass",
    f"""CREATE FUNCTION contacts_keep_unmarked() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF OLD.reduced_at IS NULL THEN RAISE EXCEPTION '{REMOVED}' USING ERRCODE = 'restrict_violation'; END IF;
      RETURN OLD;
    END $$""",
    f"""CREATE FUNCTION contacts_seen_once() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF {ONCE} THEN RAISE EXCEPTION '{CHANGED}' USING ERRCODE = 'restrict_violation'; END IF;
      RETURN NEW;
    END $$""",
    "CREATE TRIGGER contacts_glass_kept BEFORE DELETE ON contacts_glass"
    " FOR EACH ROW EXECUTE FUNCTION contacts_keep_unmarked()",
    "CREATE TRIGGER contacts_glass_ground BEFORE UPDATE OF ground ON contacts_glass"
    " FOR EACH STATEMENT EXECUTE FUNCTION contacts_refuse()",
    "CREATE TRIGGER contacts_glass_seen BEFORE UPDATE ON contacts_glass"
    " FOR EACH ROW EXECUTE FUNCTION contacts_seen_once()",
    *(
        f"CREATE TRIGGER {table}_fixed BEFORE UPDATE OF {', '.join(columns)} ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION contacts_refuse()"
        for table, columns in FIXED.items()
    ),
    "CREATE TRIGGER contacts_export_kept BEFORE DELETE ON contacts_export"
    " FOR EACH STATEMENT EXECUTE FUNCTION contacts_refuse()",
    "CREATE TRIGGER contacts_print_kept BEFORE DELETE ON contacts_print"
    " FOR EACH ROW EXECUTE FUNCTION contacts_keep()",
    *(
        f"CREATE TRIGGER {table}_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION contacts_refuse()"
        for table in FIXED
    ),
]
_OPEN = "EXISTS (SELECT 1 FROM contacts_file WHERE pupil_id = OLD.pupil_id AND reduced_at IS NULL)"
_KEPT = f"({_OPEN} OR NOT EXISTS (SELECT 1 FROM contacts_file WHERE pupil_id = OLD.pupil_id))"
SQLITE = [
    "DROP TRIGGER contacts_glass_kept",
    "CREATE TRIGGER contacts_glass_kept BEFORE DELETE ON contacts_glass WHEN OLD.reduced_at IS NULL"
    f" BEGIN SELECT RAISE(ABORT, '{REMOVED}'); END",
    "CREATE TRIGGER contacts_glass_ground BEFORE UPDATE OF ground ON contacts_glass"
    f" BEGIN SELECT RAISE(ABORT, '{CHANGED}'); END",
    f"CREATE TRIGGER contacts_glass_seen BEFORE UPDATE ON contacts_glass WHEN {ONCE}"
    f" BEGIN SELECT RAISE(ABORT, '{CHANGED}'); END",
    *(
        f"CREATE TRIGGER {table}_fixed BEFORE UPDATE OF {', '.join(columns)} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{CHANGED}'); END"
        for table, columns in FIXED.items()
    ),
    "CREATE TRIGGER contacts_export_kept BEFORE DELETE ON contacts_export"
    f" BEGIN SELECT RAISE(ABORT, '{CHANGED}'); END",
    f"CREATE TRIGGER contacts_print_kept BEFORE DELETE ON contacts_print WHEN {_KEPT}"
    f" BEGIN SELECT RAISE(ABORT, '{REMOVED}'); END",
]
# As 0020 made it.
_BACK = {
    "postgres": "CREATE TRIGGER contacts_glass_kept BEFORE DELETE ON contacts_glass"
    " FOR EACH ROW EXECUTE FUNCTION contacts_keep()",
    "sqlite": f"CREATE TRIGGER contacts_glass_kept BEFORE DELETE ON contacts_glass WHEN {_KEPT}"
    f" BEGIN SELECT RAISE(ABORT, '{REMOVED}'); END",
}


async def guard(apps, editor):
    """The statements of the engine at hand."""
    sqlite = editor.client.capabilities.dialect == "sqlite"
    for statement in SQLITE if sqlite else POSTGRES:
        await editor.client.execute_query(statement)


async def release(apps, editor):
    """The way back."""
    sqlite = editor.client.capabilities.dialect == "sqlite"
    names = {"contacts_glass": ("kept", "ground", "seen")}
    names |= {table: ("fixed", "kept") if sqlite else ("fixed", "kept", "whole") for table in FIXED}
    for table, triggers in names.items():
        for name in triggers:
            on = "" if sqlite else f" ON {table}"
            await editor.client.execute_query(f"DROP TRIGGER {table}_{name}{on}")
    if not sqlite:
        await editor.client.execute_query("DROP FUNCTION contacts_keep_unmarked()")
        await editor.client.execute_query("DROP FUNCTION contacts_seen_once()")
    await editor.client.execute_query(_BACK["sqlite" if sqlite else "postgres"])


class Migration(migrations.Migration):
    dependencies = [("models", "0025_contacts_watching")]

    initial = False

    operations = [ops.RunPython(guard, release)]
