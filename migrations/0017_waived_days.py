from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('models', '0016_after_school_intake')]

    initial = False

    operations = [
        ops.AddField(
            model_name='AfterSchoolWaived',
            name='first_day',
            field=fields.DateField(null=True),
        ),
        ops.AddField(
            model_name='AfterSchoolWaived',
            name='last_day',
            field=fields.DateField(null=True),
        ),
    ]
