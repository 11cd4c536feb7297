from tortoise import migrations
from tortoise.migrations import operations as ops
from bot.storage.fields import UtcDatetimeField
from uuid import uuid4
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('models', '0028_contacts_draft_asked')]

    initial = False

    operations = [
        ops.CreateModel(
            name='ContactsRefresh',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('township_id', fields.UUIDField(db_index=True)),
                ('school_id', fields.UUIDField(null=True)),
                ('begun_on', fields.DateField()),
                ('ends_on', fields.DateField()),
                ('older_than', fields.SmallIntField()),
                ('begun_by', fields.UUIDField(null=True)),
                ('ended_at', UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('ended_by', fields.UUIDField(null=True)),
                ('active_key', fields.CharField(null=True, unique=True, max_length=36)),
                ('auto_key', fields.CharField(null=True, unique=True, max_length=64)),
            ],
            options={'table': 'contacts_refresh', 'app': 'models', 'pk_attr': 'id', 'table_description': 'For a time everything on the cards of a school, or with none of a township, that is older than so many days is'},
            bases=['Record'],
        ),
        ops.CreateModel(
            name='ContactsRefreshRule',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('township_id', fields.UUIDField(db_index=True)),
                ('days_before', fields.SmallIntField(null=True)),
                ('older_than', fields.SmallIntField()),
                ('entered_by', fields.UUIDField(null=True)),
            ],
            options={'table': 'contacts_refresh_rule', 'app': 'models', 'pk_attr': 'id', 'table_description': 'Whether that begins by itself before the winter holiday of a township, and how: the newest counts, None for the'},
            bases=['Record'],
        ),
    ]
