"""A list of the claims that stand, and a column by which pushes are looked up instead of by their state.

A push changes its state twice on its way. PostgreSQL writes a changed row into every index of its table unless nothing
that any index looks at has changed: so no index looks at the state. `queue` follows from it, and stays what it is when
a push is taken in hand: 0 planned or in hand, 1 held, 2 for somebody to look at, NULL done with. Half of each page is
left free, so that the changed row finds room beside the old one. What is in hand is no longer found by an index: the
claims that stand are listed in a table of their own.
"""

from uuid import uuid4

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from bot.storage.fields import UtcDatetimeField

QUEUE = (
    "CASE status WHEN 'planned' THEN 0 WHEN 'sending' THEN 0 WHEN 'held' THEN 1"
    " WHEN 'failed' THEN 2 WHEN 'unknown' THEN 2 END"
)
BEFORE = {
    "idx_push_due": "outbox_push (lane, not_before) WHERE status = 'planned'",
    "idx_push_held": "outbox_push (not_before) WHERE status = 'held'",
    "idx_push_lease": "outbox_push (lease_until) WHERE status = 'sending'",
    "idx_push_troubled": "outbox_push (updated_at) WHERE status IN ('failed', 'unknown')",
}
AFTER = {
    "idx_push_due": "outbox_push (lane, not_before) WHERE queue = 0",
    "idx_push_held": "outbox_push (not_before) WHERE queue = 1",
    # By a column that does not change: of each rule, not of each moment.
    "idx_push_troubled": "outbox_push (rule) WHERE queue = 2",
    "idx_push_person": "outbox_push (person_id) WHERE queue IS NOT NULL",
}
LIST_CLAIMS = (
    "INSERT INTO delivery_claim (id, lease_until, created_at, updated_at)"
    " SELECT claim, max(lease_until), max(updated_at), max(updated_at) FROM outbox_push"
    " WHERE status = 'sending' AND claim IS NOT NULL AND lease_until IS NOT NULL GROUP BY claim"
)


async def look_up_by_queue(apps, editor):
    """Both engines know columns that follow from others; only PostgreSQL has pages with room."""
    run, is_sqlite = editor.client.execute_query, editor.client.capabilities.dialect == "sqlite"
    for name in BEFORE:
        await run(f"DROP INDEX {name}")
    if not is_sqlite:
        await run("ALTER TABLE outbox_push SET (fillfactor = 50)")
    # PostgreSQL writes the table anew, with the room; SQLite can only add a column that is worked out when read.
    kept = "VIRTUAL" if is_sqlite else "STORED"
    await run(f"ALTER TABLE outbox_push ADD COLUMN queue SMALLINT GENERATED ALWAYS AS ({QUEUE}) {kept}")
    for name, rows in AFTER.items():
        await run(f"CREATE INDEX {name} ON {rows}")
    await run(LIST_CLAIMS)


async def look_up_by_state(apps, editor):
    """The way back."""
    run = editor.client.execute_query
    for name in AFTER:
        await run(f"DROP INDEX {name}")
    await run("ALTER TABLE outbox_push DROP COLUMN queue")
    if editor.client.capabilities.dialect != "sqlite":
        await run("ALTER TABLE outbox_push RESET (fillfactor)")
    for name, rows in BEFORE.items():
        await run(f"CREATE INDEX {name} ON {rows}")


PERSON_INDEX = "idx_outbox_push_person__3ce6c3"


class WithoutIndex(ops.AlterField):
    """The field has no index any more: without writing the table anew, as SQLite would."""

    async def database_forward(self, app_label, old_state, new_state, state_editor=None):
        if state_editor:
            await state_editor.client.execute_query(f"DROP INDEX {PERSON_INDEX}")

    async def database_backward(self, app_label, old_state, new_state, state_editor=None):
        if state_editor:
            await state_editor.client.execute_query(f"CREATE INDEX {PERSON_INDEX} ON outbox_push (person_id)")


class Migration(migrations.Migration):
    dependencies = [("models", "0010_after_school_rules")]

    initial = False

    operations = [
        ops.CreateModel(
            name="DeliveryClaim",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("created_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("updated_at", UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ("lease_until", UtcDatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "delivery_claim",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A worker has pushes in hand until `lease_until`: its id is their claim. It goes"
                " when all of them are settled. One",
            },
            bases=["Record"],
        ),
        WithoutIndex(model_name="OutboxPush", name="person_id", field=fields.UUIDField()),
        ops.RunPython(look_up_by_queue, look_up_by_state),
    ]
