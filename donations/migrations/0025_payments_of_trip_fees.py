import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('donations', '0024_trip_fees'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='checkoutattempt',
            name='attempt_is_for_a_gift_or_a_plan',
        ),
        migrations.AlterField(
            model_name='dispute',
            name='donation',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='disputes', to='donations.donation', verbose_name='gift'),
        ),
        migrations.AlterField(
            model_name='refund',
            name='donation',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='donations.donation', verbose_name='gift'),
        ),
        migrations.AlterField(
            model_name='refund',
            name='reason',
            field=models.CharField(blank=True, choices=[('donor', 'The donor asked for it'), ('duplicate', 'Given twice by mistake'), ('fraud', "The card was not the giver's"), ('withdrew', 'The delegate does not travel'), ('bounced', 'The check came back from the bank'), ('other', 'Another reason')], max_length=10, verbose_name='reason'),
        ),
        migrations.AddField(
            model_name='checkoutattempt',
            name='trip_fee',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='attempts', to='donations.tripfee', verbose_name='trip fee'),
        ),
        migrations.AddField(
            model_name='dispute',
            name='trip_fee',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='disputes', to='donations.tripfee', verbose_name='trip fee'),
        ),
        migrations.AddField(
            model_name='refund',
            name='trip_fee',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='donations.tripfee', verbose_name='trip fee'),
        ),
        migrations.AddConstraint(
            model_name='checkoutattempt',
            constraint=models.UniqueConstraint(fields=('trip_fee', 'number'), name='one_trip_fee_attempt_per_number'),
        ),
        migrations.AddConstraint(
            model_name='checkoutattempt',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('donation__isnull', False), ('plan', None), ('trip_fee', None)), models.Q(('donation', None), ('plan__isnull', False), ('trip_fee', None)), models.Q(('donation', None), ('plan', None), ('trip_fee__isnull', False)), _connector='OR'), name='attempt_is_for_one_payment'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('donation__isnull', False), ('trip_fee', None)), models.Q(('donation', None), ('trip_fee__isnull', False)), _connector='OR'), name='dispute_is_of_a_gift_or_a_trip_fee'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('donation__isnull', False), ('trip_fee', None)), models.Q(('donation', None), ('trip_fee__isnull', False)), _connector='OR'), name='refund_is_of_a_gift_or_a_trip_fee'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('reason', 'withdrew'), _negated=True), ('donation', None), _connector='OR'), name='no_gift_goes_back_because_a_delegate_withdrew'),
        ),
    ]
