"""Rules of the tables of 0003 that the models have no words for. Written by hand.

The audit is append-only: the database itself refuses to change or remove an entry or a seal, whoever asks. Nothing
lifts that, and nothing in the program deletes from the audit: its rows hold ids and names of fields only. An owner of
the database can drop the triggers; what they would do then shows in the chain and in the heads kept outside.
"""

from tortoise import migrations
from tortoise.migrations import operations as ops

APPEND_ONLY = ("audit_entry", "audit_seal")
MESSAGE = "the audit is append-only"

POSTGRES = [
    f"""CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'restrict_violation'; END $$""",
    *(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
        for table in APPEND_ONLY
    ),
]
SQLITE = [
    f"CREATE TRIGGER {table}_no_{deed.lower()} BEFORE {deed} ON {table}"
    f" BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
    for table in APPEND_ONLY
    for deed in ("UPDATE", "DELETE")
]

# At most one acting guardian for a child, at most one class at a time, whatever two administrators do at once.
ONLY_ONE = {
    "uid_accounts_guardianship_acting": "accounts_guardianship (pupil_id) WHERE is_acting",
    "uid_accounts_placement_open": "accounts_placement (pupil_id) WHERE until IS NULL",
}


async def guard_the_audit(apps, editor):
    """The statements of the engine at hand."""
    sqlite = editor.client.capabilities.dialect == "sqlite"
    for statement in SQLITE if sqlite else POSTGRES:
        await editor.client.execute_query(statement)


async def release_the_audit(apps, editor):
    """The way back."""
    sqlite = editor.client.capabilities.dialect == "sqlite"
    for table in APPEND_ONLY:
        if sqlite:
            for deed in ("update", "delete"):
                await editor.client.execute_query(f"DROP TRIGGER {table}_no_{deed}")
        else:
            await editor.client.execute_query(f"DROP TRIGGER {table}_append_only ON {table}")
    if not sqlite:
        await editor.client.execute_query("DROP FUNCTION audit_refuse()")


async def allow_only_one(apps, editor):
    """Both engines know partial indexes."""
    for name, rows in ONLY_ONE.items():
        await editor.client.execute_query(f"CREATE UNIQUE INDEX {name} ON {rows}")


async def allow_several(apps, editor):
    """The way back."""
    for name in ONLY_ONE:
        await editor.client.execute_query(f"DROP INDEX {name}")


class Migration(migrations.Migration):
    dependencies = [("models", "0003_people")]

    initial = False

    operations = [
        ops.RunPython(guard_the_audit, release_the_audit),
        ops.RunPython(allow_only_one, allow_several),
    ]
