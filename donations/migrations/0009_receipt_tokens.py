from django.db import migrations, models

import sistercities.shared.signing


class Migration(migrations.Migration):

    dependencies = [("donations", "0008_attach_donors")]

    operations = [
        migrations.AlterField(
            model_name="receipt",
            name="token",
            field=models.CharField(
                default=sistercities.shared.signing.new_token,
                editable=False,
                max_length=40,
                null=True,
                unique=True,
            ),
        ),
    ]
