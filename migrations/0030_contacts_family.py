from tortoise import migrations
from tortoise.migrations import operations as ops
from bot.storage.fields import EncryptedText, UtcDatetimeField
from handlers.contacts.domain.card import FactSource, Holder
from handlers.contacts.domain.family import CallState, HeardWay, WishHow
from uuid import uuid4
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('models', '0029_contacts_refresh')]

    initial = False

    operations = [
        ops.CreateModel(
            name='ContactsCall',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('pupil_id', fields.UUIDField(db_index=True)),
                ('school_id', fields.UUIDField()),
                ('teacher_id', fields.UUIDField()),
                ('guardian_id', fields.UUIDField(db_index=True)),
                ('at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('is_from_family', fields.BooleanField(default=False)),
                ('state', fields.CharEnumField(description='CallState', enum_type=CallState, max_length=16)),
                ('record_id', fields.UUIDField(null=True)),
                ('closed_at', UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('closed_by', fields.UUIDField(null=True)),
                ('active_key', fields.CharField(null=True, unique=True, max_length=64)),
            ],
            options={'table': 'contacts_call', 'app': 'models', 'indexes': [Index(fields=['teacher_id', 'state', 'at'], name='idx_contacts_call')], 'pk_attr': 'id', 'table_description': 'A call between a teacher and a parent at a fixed hour. `active_key` is child and parent while it is open: the'},
            bases=['Record'],
        ),
        ops.CreateModel(
            name='ContactsHeard',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('pupil_id', fields.UUIDField()),
                ('holder', fields.CharEnumField(description='Holder', enum_type=Holder, max_length=16)),
                ('way', fields.CharEnumField(description='HeardWay', enum_type=HeardWay, max_length=16)),
                ('happened_on', fields.DateField()),
                ('source', fields.CharEnumField(description='FactSource', enum_type=FactSource, max_length=16)),
                ('noted_by', fields.UUIDField()),
                ('noted_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'contacts_heard', 'app': 'models', 'indexes': [Index(fields=['pupil_id', 'happened_on'], name='idx_contacts_heard')], 'pk_attr': 'id', 'table_description': 'Parents were in touch with their child themselves, as somebody told. It is no contact of the school.'},
            bases=['Record'],
        ),
        ops.CreateModel(
            name='ContactsWish',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('pupil_id', fields.UUIDField()),
                ('person_id', fields.UUIDField()),
                ('is_wanted', fields.BooleanField()),
                ('how', fields.CharEnumField(description='WishHow', enum_type=WishHow, max_length=16)),
                ('said_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('entered_by', fields.UUIDField(null=True)),
            ],
            options={'table': 'contacts_wish', 'app': 'models', 'indexes': [Index(fields=['pupil_id', 'person_id', 'said_at'], name='idx_contacts_wish')], 'pk_attr': 'id', 'table_description': 'What a guardian said about hearing from the school: the newest counts. Of what was said on paper, by phone or in'},
            bases=['Record'],
        ),
        ops.CreateModel(
            name='ContactsWord',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('created_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', UtcDatetimeField(auto_now=False, auto_now_add=False)),
                ('school_id', fields.UUIDField()),
                ('class_id', fields.UUIDField(null=True)),
                ('pupil_id', fields.UUIDField(null=True, db_index=True)),
                ('author_id', fields.UUIDField()),
                ('month', fields.DateField()),
                ('words', EncryptedText(generated=False, null=False, unique=False)),
                ('send_on', fields.DateField()),
                ('sent_at', UtcDatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('target_key', fields.CharField(unique=True, max_length=64)),
            ],
            options={'table': 'contacts_word', 'app': 'models', 'indexes': [Index(fields=['sent_at', 'send_on'], name='idx_contacts_word')], 'pk_attr': 'id', 'table_description': 'The word of a month for a class or for one child (`target_key`: which, and of what month), as it is to be sent on'},
            bases=['Record'],
        ),
    ]
