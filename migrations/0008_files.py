from tortoise import migrations
from tortoise.migrations import operations as ops
from bot.storage.fields import EncryptedBytes, UtcDatetimeField
from uuid import uuid4
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('models', '0007_counted_batches')]

    initial = False

    operations = [
        ops.CreateModel(
            name='StoredFile',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('owner_kind', fields.CharField(max_length=32)),
                ('owner_id', fields.UUIDField()),
                ('media_type', fields.CharField(max_length=64)),
                ('size', fields.IntField()),
                ('content', EncryptedBytes(generated=False, null=False, unique=False)),
                ('delete_after', UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'stored_file', 'app': 'models', 'indexes': [Index(fields=['owner_kind', 'owner_id'], name='idx_stored_file_owner'), Index(fields=['delete_after'], name='idx_stored_file_term')], 'pk_attr': 'id', 'table_description': 'A file of a record: a picture without what the camera wrote into it. `delete_after`: when its term ends.'},
            bases=['Record'],
        ),
    ]
