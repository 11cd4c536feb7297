from tortoise import migrations
from tortoise.migrations import operations as ops
from bot.storage.fields import UtcDatetimeField

class Migration(migrations.Migration):
    dependencies = [('models', '0027_contacts_number_called')]

    initial = False

    operations = [
        ops.AddField(
            model_name='ContactsDraft',
            name='asked_at',
            field=UtcDatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
    ]
