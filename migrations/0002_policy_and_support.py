from tortoise import migrations
from tortoise.migrations import operations as ops
from bot.storage.fields import EncryptedText, UtcDatetimeField
from handlers.support.domain import HandOverState
from tortoise.fields.base import OnDelete
from uuid import uuid4
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('models', '0001_initial')]

    initial = False

    operations = [
        ops.CreateModel(
            name='AskedQuestion',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('asker', fields.CharField(null=True, db_index=True, max_length=32)),
                ('text', EncryptedText(generated=False, null=False, unique=False)),
                ('outcome', fields.CharField(max_length=16)),
                ('article', fields.CharField(null=True, max_length=128)),
                ('times', fields.IntField(default=1)),
            ],
            options={'table': 'policy_question', 'app': 'models', 'indexes': [Index(fields=['outcome', 'updated_at'], name='idx_policy_question_outcome')], 'pk_attr': 'id', 'table_description': 'A question that was asked, cleaned of personal data. `times`: how often the same person asked it within moments.'},
            bases=['Record'],
        ),
        ops.CreateModel(
            name='ChatProfile',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('openid_index', fields.CharField(unique=True, max_length=32)),
                ('place', EncryptedText(generated=False, null=False, unique=False)),
            ],
            options={'table': 'policy_profile', 'app': 'models', 'pk_attr': 'id', 'table_description': 'What a person told the chat about themselves.'},
            bases=['Record'],
        ),
        ops.CreateModel(
            name='Feedback',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('asker', fields.CharField(db_index=True, max_length=32)),
                ('question', EncryptedText(generated=False, null=False, unique=False)),
                ('article', fields.CharField(null=True, max_length=128)),
                ('is_helpful', fields.BooleanField()),
                ('reason', fields.CharField(null=True, max_length=16)),
            ],
            options={'table': 'policy_feedback', 'app': 'models', 'indexes': [Index(fields=['is_helpful', 'created_at'], name='idx_policy_feedback_helpful')], 'pk_attr': 'id', 'table_description': 'Whether an answer helped.'},
            bases=['Record'],
        ),
        ops.CreateModel(
            name='HandOverRow',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('asker', EncryptedText(null=True, generated=False, unique=False)),
                ('asker_index', fields.CharField(null=True, db_index=True, max_length=32)),
                ('place', EncryptedText(null=True, generated=False, unique=False)),
                ('alarm', fields.CharField(null=True, max_length=16)),
                ('text', EncryptedText(generated=False, null=False, unique=False)),
                ('state', fields.CharEnumField(description='HandOverState', enum_type=HandOverState, max_length=16)),
                ('owner_index', fields.CharField(null=True, max_length=32)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('closed_at', UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'support_hand_over', 'app': 'models', 'indexes': [Index(fields=['state', 'owner_index'], name='idx_support_hand_over_todo')], 'pk_attr': 'id', 'table_description': 'A matter handed to people. Its id is the number people speak of, so it is counted, not random.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='HandOverReplyRow',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('hand_over', fields.ForeignKeyField('models.HandOverRow', source_field='hand_over_id', db_constraint=True, to_field='id', related_name='replies', on_delete=OnDelete.CASCADE)),
                ('author_index', fields.CharField(max_length=32)),
                ('text', EncryptedText(generated=False, null=False, unique=False)),
                ('told_at', UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'support_hand_over_reply', 'app': 'models', 'pk_attr': 'id', 'table_description': "An owner's answer. `told_at` is empty until the asker has got it, one way or another."},
            bases=['Record'],
        ),
    ]
