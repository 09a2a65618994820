from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("monitors", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="viewwatch",
            name="no_keys",
            field=models.CharField(blank=True, default="", max_length=300),
            preserve_default=False,
        ),
    ]
