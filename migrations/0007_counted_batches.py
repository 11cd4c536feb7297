from tortoise import migrations
from tortoise.migrations import operations as ops
from bot.storage.fields import UtcDatetimeField
from uuid import uuid4
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('models', '0006_outgoing_rules')]

    initial = False

    operations = [
        ops.CreateModel(
            name='CountedBatch',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('day', fields.CharField(max_length=10)),
                ('families', fields.TextField(unique=False)),
            ],
            options={'table': 'delivery_batch', 'app': 'models', 'pk_attr': 'id', 'table_description': "The families against whose day the messages of one claim were counted: its id is the claim's. When the worker"},
            bases=['Record'],
        ),
    ]
