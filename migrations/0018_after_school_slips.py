from tortoise import migrations
from tortoise.migrations import operations as ops
from bot.storage.fields import UtcDatetimeField
from tortoise.fields.base import OnDelete
from uuid import uuid4
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('models', '0017_waived_days')]

    initial = False

    operations = [
        ops.CreateModel(
            name='AfterSchoolSlip',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('plan', fields.ForeignKeyField('models.AfterSchoolPlan', source_field='plan_id', db_constraint=True, to_field='id', related_name='slips', on_delete=OnDelete.CASCADE)),
                ('pupil_id', fields.UUIDField(db_index=True)),
                ('code', fields.CharField(unique=True, max_length=16)),
                ('printed_by', fields.UUIDField(null=True)),
            ],
            options={'table': 'after_school_slip', 'app': 'models', 'unique_together': (('plan', 'pupil_id'),), 'pk_attr': 'id', 'table_description': 'The slip of a child in the letter about a plan. Printed again it has the same code, so that every copy leads'},
            bases=['Record'],
        ),
    ]
