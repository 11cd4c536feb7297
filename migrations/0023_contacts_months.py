from tortoise import migrations
from tortoise.migrations import operations as ops
from bot.storage.fields import UtcDatetimeField
from uuid import uuid4
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('models', '0022_term_check_rules')]

    initial = False

    operations = [
        ops.CreateModel(
            name='ContactsMonth',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('school_id', fields.UUIDField()),
                ('township_id', fields.UUIDField()),
                ('month', fields.DateField()),
                ('registered', fields.SmallIntField()),
                ('covered', fields.SmallIntField()),
                ('asked', fields.SmallIntField()),
                ('on_time', fields.SmallIntField()),
            ],
            options={'table': 'contacts_month', 'app': 'models', 'unique_together': (('school_id', 'month'),), 'indexes': [Index(fields=['township_id', 'month'], name='idx_contacts_month')], 'pk_attr': 'id', 'table_description': 'What a month of a school and its teaching points came to, in numbers of children. Counted once, some days after'},
            bases=['Record'],
        ),
    ]
