import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('donations', '0025_payments_of_trip_fees'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='ledgerposting',
            name='posting_accounts_exist',
        ),
        migrations.AlterField(
            model_name='ledgerentry',
            name='kind',
            field=models.CharField(choices=[('charge', 'Gift charged'), ('refund', 'Refund'), ('refund_failure', 'Refund came back'), ('dispute', 'Money of a dispute'), ('payout', 'Paid out to the bank'), ('received', 'Gift received by hand'), ('deposit', 'Taken to the bank'), ('bounced', 'Check came back'), ('mistake', 'Entered by mistake'), ('trip_fee', 'Trip fee charged'), ('trip_received', 'Trip fee received by hand'), ('trip_refund', 'Trip fee given back'), ('trip_refund_back', 'Refund of a trip fee came back'), ('trip_dispute', 'Money of a disputed trip fee'), ('suspense', 'Not explained yet')], max_length=16, verbose_name='kind'),
        ),
        migrations.AlterField(
            model_name='ledgerposting',
            name='credit',
            field=models.CharField(choices=[('gift_revenue', 'Gifts'), ('trip_fees', 'Trip fees'), ('processing_fees', 'Card fees'), ('refunds', 'Refunds'), ('chargebacks', 'Chargebacks'), ('dispute_fees', 'Dispute fees'), ('stripe_clearing', 'Money at Stripe'), ('undeposited_checks', 'Checks not yet deposited'), ('bank', 'Bank'), ('suspense', 'Suspense: to be explained')], max_length=20, verbose_name='credit'),
        ),
        migrations.AlterField(
            model_name='ledgerposting',
            name='debit',
            field=models.CharField(choices=[('gift_revenue', 'Gifts'), ('trip_fees', 'Trip fees'), ('processing_fees', 'Card fees'), ('refunds', 'Refunds'), ('chargebacks', 'Chargebacks'), ('dispute_fees', 'Dispute fees'), ('stripe_clearing', 'Money at Stripe'), ('undeposited_checks', 'Checks not yet deposited'), ('bank', 'Bank'), ('suspense', 'Suspense: to be explained')], max_length=20, verbose_name='debit'),
        ),
        migrations.AddConstraint(
            model_name='ledgerposting',
            constraint=models.CheckConstraint(condition=models.Q(('debit__in', ['gift_revenue', 'trip_fees', 'processing_fees', 'refunds', 'chargebacks', 'dispute_fees', 'stripe_clearing', 'undeposited_checks', 'bank', 'suspense']), ('credit__in', ['gift_revenue', 'trip_fees', 'processing_fees', 'refunds', 'chargebacks', 'dispute_fees', 'stripe_clearing', 'undeposited_checks', 'bank', 'suspense'])), name='posting_accounts_exist'),
        ),
        migrations.AddField(
            model_name='ledgerentry',
            name='trip_fee',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='ledger_entries', to='donations.tripfee', verbose_name='trip fee'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('donation', None), ('trip_fee', None), _connector='OR'), name='ledger_entry_of_a_gift_or_a_trip_fee'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind__startswith', 'trip_'), _negated=True), ('trip_fee__isnull', False), _connector='OR'), name='ledger_trip_kinds_have_their_fee'),
        ),
    ]
