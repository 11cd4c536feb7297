"""Rules of the tables of 0012 that the models have no words for. Written by hand.

Whoever checks a case does not decide it, whoever decided it does not hear the appeal, and nobody does either for a case
they asked for or entered: the database itself refuses that, whatever the program or somebody with a console says. What
became of a case is append-only; its lines hold ids and states.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops

TABLE = "after_school_waiver"
EVENTS = "after_school_waiver_event"
NAME = "after_school_waiver_hands"
HISTORY = "the history is append-only"
HANDS = "another person has to decide"
# Pairs of columns that never name the same person.
PAIRS = (
    ("checked_by", "asked_by"),
    ("checked_by", "entered_by"),
    ("decided_by", "asked_by"),
    ("decided_by", "entered_by"),
    ("decided_by", "checked_by"),
    ("heard_by", "asked_by"),
    ("heard_by", "entered_by"),
    ("heard_by", "checked_by"),
    ("heard_by", "decided_by"),
)
# Unknown counts as different: what is not filled in yet stands in nobody's way.
POSTGRES = [
    f"ALTER TABLE {TABLE} ADD CONSTRAINT {NAME} CHECK ("
    + " AND ".join(f"({one} IS NULL OR {other} IS NULL OR {one} <> {other})" for one, other in PAIRS)
    + " AND (decided_by IS NULL OR checked_by IS NOT NULL) AND (heard_by IS NULL OR decided_by IS NOT NULL))",
    f"CREATE TRIGGER {EVENTS}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {EVENTS}"
    " FOR EACH STATEMENT EXECUTE FUNCTION after_school_refuse()",
]
_SAME = " OR ".join(f"NEW.{one} = NEW.{other}" for one, other in PAIRS)
_UNCHECKED = "(NEW.decided_by IS NOT NULL AND NEW.checked_by IS NULL)"
_UNDECIDED = "(NEW.heard_by IS NOT NULL AND NEW.decided_by IS NULL)"
SQLITE = [
    *(
        f"CREATE TRIGGER {NAME}_{deed.lower()} BEFORE {deed} ON {TABLE}"
        f" WHEN {_SAME} OR {_UNCHECKED} OR {_UNDECIDED} BEGIN SELECT RAISE(ABORT, '{HANDS}'); END"
        for deed in ("INSERT", "UPDATE")
    ),
    *(
        f"CREATE TRIGGER {EVENTS}_no_{deed.lower()} BEFORE {deed} ON {EVENTS}"
        f" BEGIN SELECT RAISE(ABORT, '{HISTORY}'); END"
        for deed in ("UPDATE", "DELETE")
    ),
]
POSTGRES_BACK = [
    f"ALTER TABLE {TABLE} DROP CONSTRAINT {NAME}",
    f"DROP TRIGGER {EVENTS}_append_only ON {EVENTS}",
]
SQLITE_BACK = [
    *(f"DROP TRIGGER {NAME}_{deed}" for deed in ("insert", "update")),
    *(f"DROP TRIGGER {EVENTS}_no_{deed}" for deed in ("update", "delete")),
]


async def guard(apps, editor):
    """The statements of the engine at hand."""
    sqlite = editor.client.capabilities.dialect == "sqlite"
    for statement in SQLITE if sqlite else POSTGRES:
        await editor.client.execute_query(statement)


async def release(apps, editor):
    """The way back."""
    sqlite = editor.client.capabilities.dialect == "sqlite"
    for statement in SQLITE_BACK if sqlite else POSTGRES_BACK:
        await editor.client.execute_query(statement)


class Migration(migrations.Migration):
    dependencies = [("models", "0012_waivers")]

    initial = False

    operations = [ops.RunPython(guard, release)]
