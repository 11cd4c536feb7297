from tortoise import migrations
from tortoise.migrations import operations as ops
import functools
from bot.storage.fields import EncryptedText, UtcDatetimeField
from handlers.term_check.domain.cases import CaseState, Stage, StepKind
from json import dumps, loads
from uuid import uuid4
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('models', '0020_contacts_rules')]

    initial = False

    operations = [
        ops.CreateModel(
            name='TermCheckAbsence',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('round_id', fields.UUIDField()),
                ('township_id', fields.UUIDField()),
                ('school_id', fields.UUIDField()),
                ('class_id', fields.UUIDField()),
                ('pupil_id', fields.UUIDField(db_index=True)),
                ('state', fields.CharEnumField(description='CaseState', enum_type=CaseState, max_length=16)),
                ('where_to', EncryptedText(null=True, generated=False, unique=False)),
                ('known_by', EncryptedText(null=True, generated=False, unique=False)),
                ('outcome', EncryptedText(null=True, generated=False, unique=False)),
                ('back_on', fields.DateField(null=True)),
                ('opened_on', fields.DateField()),
                ('opened_by', fields.UUIDField(null=True)),
                ('stage', fields.CharEnumField(description='Stage', enum_type=Stage, max_length=16)),
                ('stage_on', fields.DateField(null=True)),
                ('closed_at', UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('closed_by', fields.UUIDField(null=True)),
                ('reduced_at', UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('active_key', fields.CharField(null=True, unique=True, max_length=36)),
            ],
            options={'table': 'term_check_absence', 'app': 'models', 'indexes': [Index(fields=['round_id', 'class_id'], name='idx_term_check_absence_c'), Index(fields=['school_id', 'state'], name='idx_term_check_absence_s'), Index(fields=['township_id', 'state'], name='idx_term_check_absence_t')], 'pk_attr': 'id', 'table_description': 'A child that did not come. `where_to`, `known_by`, `outcome`: what was said of it. `back_on`: the day an ill'},
            bases=['Record'],
        ),
        ops.CreateModel(
            name='TermCheckListed',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('round_id', fields.UUIDField()),
                ('pupil_id', fields.UUIDField(db_index=True)),
                ('class_id', fields.UUIDField()),
                ('grade', fields.SmallIntField()),
                ('is_new', fields.BooleanField(default=False)),
            ],
            options={'table': 'term_check_listed', 'app': 'models', 'unique_together': (('round_id', 'pupil_id'),), 'indexes': [Index(fields=['round_id', 'class_id'], name='idx_term_check_listed_c')], 'pk_attr': 'id', 'table_description': 'A child that is asked for in a round, in the class where it is asked.'},
            bases=['Record'],
        ),
        ops.CreateModel(
            name='TermCheckReturn',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('round_id', fields.UUIDField()),
                ('class_id', fields.UUIDField()),
                ('day', fields.DateField()),
                ('number', fields.SmallIntField()),
                ('counts', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('is_full', fields.BooleanField()),
                ('has_checked_contacts', fields.BooleanField(default=False)),
                ('signed_by', fields.UUIDField()),
                ('signed_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'term_check_return', 'app': 'models', 'unique_together': (('round_id', 'class_id', 'number'),), 'indexes': [Index(fields=['round_id', 'day'], name='idx_term_check_return_d')], 'pk_attr': 'id', 'table_description': 'What a class reported on a day, append-only: a later one of the same day has the next number. `is_full`: every'},
            bases=['Record'],
        ),
        ops.CreateModel(
            name='TermCheckRound',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('township_id', fields.UUIDField()),
                ('school_id', fields.UUIDField()),
                ('school_year', fields.SmallIntField()),
                ('term', fields.CharField(max_length=16)),
                ('name', fields.CharField(max_length=64)),
                ('first_day', fields.DateField()),
                ('last_day', fields.DateField()),
                ('list_day', fields.DateField()),
                ('closed_at', UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'term_check_round', 'app': 'models', 'unique_together': (('school_id', 'term'),), 'indexes': [Index(fields=['township_id', 'school_year'], name='idx_term_check_round_t')], 'pk_attr': 'id', 'table_description': 'The check of a school in a term. `term` names it for good (2026-autumn). `list_day`: whose lists count.'},
            bases=['Record'],
        ),
        ops.CreateModel(
            name='TermCheckRule',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('township_id', fields.UUIDField(db_index=True)),
                ('since', fields.DateField()),
                ('until', fields.DateField(null=True)),
                ('school_after', fields.SmallIntField()),
                ('centre_after', fields.SmallIntField()),
                ('township_after', fields.SmallIntField()),
                ('centre_school_id', fields.UUIDField(null=True)),
                ('primary_limit', fields.SmallIntField()),
                ('junior_limit', fields.SmallIntField()),
                ('clause', fields.CharField(max_length=300)),
                ('entered_by', fields.UUIDField(null=True)),
            ],
            options={'table': 'term_check_rule', 'app': 'models', 'pk_attr': 'id', 'table_description': 'What a township sets from a day on. Never changed: another one follows (`until` the last day). Limits are'},
            bases=['Record'],
        ),
        ops.CreateModel(
            name='TermCheckStep',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('absence_id', fields.UUIDField(db_index=True)),
                ('kind', fields.CharEnumField(description='StepKind', enum_type=StepKind, max_length=16)),
                ('on_day', fields.DateField()),
                ('at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('words', EncryptedText(null=True, generated=False, unique=False)),
                ('by_person', fields.UUIDField(null=True)),
                ('from_state', fields.CharEnumField(null=True, description='CaseState', enum_type=CaseState, max_length=16)),
                ('to_state', fields.CharEnumField(null=True, description='CaseState', enum_type=CaseState, max_length=16)),
                ('stage', fields.CharEnumField(null=True, description='Stage', enum_type=Stage, max_length=16)),
            ],
            options={'table': 'term_check_step', 'app': 'models', 'pk_attr': 'id', 'table_description': 'What was done about a child, append-only. `by_person` None: a day passed.'},
            bases=['Record'],
        ),
    ]
