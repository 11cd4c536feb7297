from tortoise import migrations
from tortoise.migrations import operations as ops
import functools
from bot.storage.fields import EncryptedText, UtcDatetimeField
from handlers.after_school.domain.statements import ConsentHow
from handlers.after_school.domain.waivers import WaiverState
from json import dumps, loads
from tortoise.fields.base import OnDelete
from uuid import uuid4
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('models', '0011_lean_pushes')]

    initial = False

    operations = [
        ops.CreateModel(
            name='AfterSchoolWaived',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('pupil_id', fields.UUIDField()),
                ('term', fields.CharField(max_length=64)),
                ('percent', fields.SmallIntField()),
                ('waiver_id', fields.UUIDField()),
                ('is_refund_due', fields.BooleanField(default=False)),
                ('refunded_at', UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('refunded_by', fields.UUIDField(null=True)),
                ('ended_on', fields.DateField(null=True)),
            ],
            options={'table': 'after_school_waived', 'app': 'models', 'unique_together': (('waiver_id', 'term'),), 'indexes': [Index(fields=['pupil_id', 'term'], name='idx_after_school_waived')], 'pk_attr': 'id', 'table_description': 'What the settlement reads: how much falls away for a child in a term, and nothing of why. `is_refund_due`: it'},
            bases=['Record'],
        ),
        ops.CreateModel(
            name='AfterSchoolWaiver',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('township_id', fields.UUIDField()),
                ('school_id', fields.UUIDField()),
                ('pupil_id', fields.UUIDField(db_index=True)),
                ('category', EncryptedText(generated=False, null=False, unique=False)),
                ('state', fields.CharEnumField(description='WaiverState', enum_type=WaiverState, max_length=16)),
                ('is_listed', fields.BooleanField(default=False)),
                ('note', EncryptedText(null=True, generated=False, unique=False)),
                ('reason', EncryptedText(null=True, generated=False, unique=False)),
                ('appeal', EncryptedText(null=True, generated=False, unique=False)),
                ('terms', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('percent', fields.SmallIntField(null=True)),
                ('lapses_on', fields.DateField(null=True)),
                ('asked_by', fields.UUIDField(null=True)),
                ('entered_by', fields.UUIDField(null=True)),
                ('consent_how', fields.CharEnumField(null=True, description='ConsentHow', enum_type=ConsentHow, max_length=16)),
                ('submitted_at', UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('checked_by', fields.UUIDField(null=True)),
                ('checked_at', UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('decided_by', fields.UUIDField(null=True)),
                ('decided_at', UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('heard_by', fields.UUIDField(null=True)),
                ('heard_at', UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('closed_at', UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('active_key', fields.CharField(null=True, unique=True, max_length=36)),
            ],
            options={'table': 'after_school_waiver', 'app': 'models', 'indexes': [Index(fields=['school_id', 'state'], name='idx_after_school_waiver_s'), Index(fields=['township_id', 'state'], name='idx_after_school_waiver_t'), Index(fields=['state', 'lapses_on'], name='idx_after_school_waiver_l')], 'pk_attr': 'id', 'table_description': "A family's request. `category`: the id of the township's category. `is_listed`: an official list names the child"},
            bases=['Record'],
        ),
        ops.CreateModel(
            name='AfterSchoolWaiverCategory',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('township_id', fields.UUIDField(db_index=True)),
                ('code', fields.CharField(max_length=8)),
                ('percent', fields.SmallIntField()),
                ('since', fields.DateField()),
                ('until', fields.DateField(null=True)),
                ('clause', fields.CharField(max_length=300)),
                ('evidence', fields.CharField(default='', max_length=300)),
                ('entered_by', fields.UUIDField(null=True)),
            ],
            options={'table': 'after_school_waiver_category', 'app': 'models', 'pk_attr': 'id', 'table_description': 'What a township waives for a kind of hardship, from a day on. Never changed: another one follows, or none'},
            bases=['Record'],
        ),
        ops.CreateModel(
            name='AfterSchoolWaiverEvent',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('waiver_id', fields.UUIDField(db_index=True)),
                ('at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('from_state', fields.CharEnumField(null=True, description='WaiverState', enum_type=WaiverState, max_length=16)),
                ('to_state', fields.CharEnumField(description='WaiverState', enum_type=WaiverState, max_length=16)),
                ('by_person', fields.UUIDField(null=True)),
            ],
            options={'table': 'after_school_waiver_event', 'app': 'models', 'pk_attr': 'id', 'table_description': 'What became of a case, append-only: ids and states, no words. `by_person` None: a day passed.'},
            bases=['Record'],
        ),
        ops.CreateModel(
            name='AfterSchoolWaiverList',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('township_id', fields.UUIDField(db_index=True)),
                ('code', fields.CharField(max_length=8)),
                ('since', fields.DateField()),
                ('until', fields.DateField()),
                ('rows', fields.IntField()),
                ('known', fields.IntField()),
                ('digest', fields.CharField(max_length=64)),
                ('entered_by', fields.UUIDField(null=True)),
                ('undone_by', fields.UUIDField(null=True)),
                ('undone_at', UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'after_school_waiver_list', 'app': 'models', 'pk_attr': 'id', 'table_description': 'An official list as the office was given it, good for a time: `rows` in the file, `known` of them of our'},
            bases=['Record'],
        ),
        ops.CreateModel(
            name='AfterSchoolWaiverListed',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('source', fields.ForeignKeyField('models.AfterSchoolWaiverList', source_field='source_id', db_constraint=True, to_field='id', related_name='listed', on_delete=OnDelete.CASCADE)),
                ('number_index', fields.CharField(db_index=True, max_length=32)),
            ],
            options={'table': 'after_school_waiver_listed', 'app': 'models', 'unique_together': (('source', 'number_index'),), 'pk_attr': 'id', 'table_description': 'Somebody on an official list, as the fingerprint of their identity number and nothing else.'},
            bases=['Record'],
        ),
    ]
