from tortoise import migrations
from tortoise.migrations import operations as ops
import functools
from bot.storage.fields import EncryptedText, UtcDatetimeField
from handlers.rosters.domain import ImportState
from json import dumps, loads
from uuid import uuid4
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('models', '0015_after_school_days_rules')]

    initial = False

    operations = [
        ops.CreateModel(
            name='AfterSchoolIntake',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('plan_id', fields.UUIDField(db_index=True)),
                ('state', fields.CharEnumField(description='ImportState', enum_type=ImportState, max_length=16)),
                ('by_person_id', fields.UUIDField(null=True)),
                ('by_name', fields.CharField(default='', max_length=64)),
                ('file_name', fields.CharField(max_length=128)),
                ('sheet', EncryptedText(null=True, generated=False, unique=False)),
                ('class_ids', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('counts', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('plan_digest', fields.CharField(default='', max_length=64)),
                ('applied_at', UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('undone_at', UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'after_school_intake', 'app': 'models', 'indexes': [Index(fields=['created_at'], name='idx_after_school_intake')], 'pk_attr': 'id', 'table_description': 'One uploaded list. `sheet`: its rows as they were read (JSON, encrypted), None once nobody needs them any more.'},
            bases=['Record'],
        ),
        ops.AddField(
            model_name='AfterSchoolStatement',
            name='intake_id',
            field=fields.UUIDField(null=True),
        ),
        ops.AddField(
            model_name='AfterSchoolStatement',
            name='settles',
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.AddField(
            model_name='AfterSchoolStatement',
            name='taken_back_at',
            field=UtcDatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='AfterSchoolStatement',
            name='taken_back_by',
            field=fields.UUIDField(null=True),
        ),
    ]
