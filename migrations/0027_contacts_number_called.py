from tortoise import migrations
from tortoise.migrations import operations as ops
from handlers.contacts.domain.card import Holder
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('models', '0026_contacts_watching_rules')]

    initial = False

    operations = [
        ops.AddField(
            model_name='ContactsRecord',
            name='called',
            field=fields.CharEnumField(null=True, description='Holder', enum_type=Holder, max_length=16),
        ),
    ]
