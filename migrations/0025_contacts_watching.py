from tortoise import migrations
from tortoise.migrations import operations as ops
from bot.storage.fields import EncryptedText, UtcDatetimeField
from handlers.contacts.domain.exports import ExportState, TakenFor
from handlers.contacts.domain.glass import Ground
from uuid import uuid4
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('models', '0024_contacts_months_rules')]

    initial = False

    operations = [
        ops.CreateModel(
            name='ContactsPrint',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('person_id', fields.UUIDField(db_index=True)),
                ('pupil_id', fields.UUIDField(db_index=True)),
                ('school_id', fields.UUIDField()),
                ('taken_for', fields.CharEnumField(description='TakenFor', enum_type=TakenFor, max_length=16)),
                ('purpose', EncryptedText(generated=False, null=False, unique=False)),
                ('at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('until', UtcDatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'contacts_print', 'app': 'models', 'pk_attr': 'id', 'table_description': 'The file of one child, opened to be printed, for a purpose and until a moment. Never changed.'},
            bases=['Record'],
        ),
        ops.AddField(
            model_name='ContactsExport',
            name='class_id',
            field=fields.UUIDField(null=True),
        ),
        ops.AddField(
            model_name='ContactsExport',
            name='decided_at',
            field=UtcDatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='ContactsExport',
            name='decided_by',
            field=fields.UUIDField(null=True),
        ),
        ops.AddField(
            model_name='ContactsExport',
            name='has_groups',
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.AddField(
            model_name='ContactsExport',
            name='has_records',
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.AddField(
            model_name='ContactsExport',
            name='made_at',
            field=UtcDatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='ContactsExport',
            name='refusal',
            field=EncryptedText(null=True, generated=False, unique=False),
        ),
        ops.AddField(
            model_name='ContactsExport',
            name='state',
            field=fields.CharEnumField(null=True, description='ExportState', enum_type=ExportState, max_length=16),
        ),
        ops.AddField(
            model_name='ContactsExport',
            name='taken_for',
            field=fields.CharEnumField(null=True, description='TakenFor', enum_type=TakenFor, max_length=16),
        ),
        ops.AddField(
            model_name='ContactsGlass',
            name='ground',
            field=fields.CharEnumField(null=True, description='Ground', enum_type=Ground, max_length=16),
        ),
        ops.AddField(
            model_name='ContactsGlass',
            name='reduced_at',
            field=UtcDatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='ContactsGlass',
            name='seen_at',
            field=UtcDatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='ContactsGlass',
            name='seen_by',
            field=fields.UUIDField(null=True),
        ),
    ]
