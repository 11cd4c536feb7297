from tortoise import migrations
from tortoise.migrations import operations as ops
from bot.delivery.models import DeliveryStatus
from bot.storage.fields import EncryptedText, UtcDatetimeField
from bot.storage.models import ProcessingState
from tortoise.fields.base import OnDelete
from uuid import uuid4
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name='OutboxMessage',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('kind', fields.CharField(max_length=32)),
                ('reason', fields.CharField(max_length=64)),
                ('occurrence', fields.CharField(max_length=128)),
                ('recipient', EncryptedText(generated=False, null=False, unique=False)),
                ('openid_index', fields.CharField(db_index=True, max_length=32)),
                ('payload', EncryptedText(generated=False, null=False, unique=False)),
                ('status', fields.CharEnumField(default=DeliveryStatus.PLANNED, description='DeliveryStatus', enum_type=DeliveryStatus, max_length=16)),
                ('not_before', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('lease_until', UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('attempts', fields.IntField(default=0)),
                ('platform_id', fields.CharField(null=True, max_length=64)),
                ('last_error', fields.CharField(null=True, max_length=128)),
            ],
            options={'table': 'outbox_message', 'app': 'models', 'unique_together': (('reason', 'openid_index', 'occurrence'),), 'indexes': [Index(fields=['status', 'not_before'], name='idx_outbox_due'), Index(fields=['status', 'lease_until'], name='idx_outbox_lease')], 'pk_attr': 'id', 'table_description': 'A promise to tell somebody something once: `reason`, recipient and `occurrence` name it.'},
            bases=['Record'],
        ),
        ops.CreateModel(
            name='DeliveryAttempt',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('message', fields.ForeignKeyField('models.OutboxMessage', source_field='message_id', db_constraint=True, to_field='id', related_name='tries', on_delete=OnDelete.CASCADE)),
                ('number', fields.IntField()),
                ('outcome', fields.CharEnumField(null=True, description='DeliveryStatus', enum_type=DeliveryStatus, max_length=16)),
                ('error', fields.CharField(null=True, max_length=128)),
                ('finished_at', UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'delivery_attempt', 'app': 'models', 'unique_together': (('message', 'number'),), 'pk_attr': 'id', 'table_description': 'One try to send a message: when it began and what came of it.'},
            bases=['Record'],
        ),
        ops.CreateModel(
            name='ProcessedMessage',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('dedupe_key', fields.CharField(unique=True, max_length=32)),
                ('openid_index', fields.CharField(db_index=True, max_length=32)),
                ('reply', EncryptedText(null=True, generated=False, unique=False)),
                ('state', fields.CharEnumField(description='ProcessingState', enum_type=ProcessingState, max_length=16)),
                ('finished_at', UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'processed_message', 'app': 'models', 'indexes': [Index(fields=['created_at'], name='idx_processed_message_created')], 'pk_attr': 'id', 'table_description': 'A message from WeChat that took effect, or is about to: inserted in the transaction of its effect.'},
            bases=['Record'],
        ),
    ]
