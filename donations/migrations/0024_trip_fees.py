import django.db.models.deletion
import sistercities.shared.clock
import sistercities.shared.signing
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('donations', '0023_treasurer_of_campaigns'),
        ('exchanges', '0005_zone_of_a_photos_clock'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='TripFee',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token', models.CharField(default=sistercities.shared.signing.new_token, editable=False, max_length=40, unique=True)),
                ('delegate_name', models.CharField(max_length=120, verbose_name="delegate's name")),
                ('email', models.EmailField(help_text='The link to pay goes here.', max_length=254, verbose_name='mail address')),
                ('purpose', models.CharField(help_text='Such as: Deposit. Or: Second half of the travel cost.', max_length=160, verbose_name='what it is for')),
                ('amount_cents', models.BigIntegerField(help_text='In dollars. Once asked for it stays as it is.', verbose_name='amount')),
                ('currency', models.CharField(default='USD', editable=False, max_length=3, verbose_name='currency')),
                ('due_on', models.DateField(help_text='The last day on which it is in time.', verbose_name='due')),
                ('note', models.TextField(blank=True, help_text='Only staff read this.', max_length=500, verbose_name='note')),
                ('state', models.CharField(choices=[('asked', 'Asked for'), ('open', 'At the card page'), ('processing', 'Bank is working on it'), ('paid', 'Paid'), ('withdrawn', 'Withdrawn')], default='asked', max_length=10, verbose_name='state')),
                ('livemode', models.BooleanField(default=False, help_text='Off for fees asked for in test mode.', verbose_name='real money')),
                ('provider', models.CharField(choices=[('stripe', 'Stripe'), ('offline', 'Entered by staff')], default='stripe', max_length=10, verbose_name='processor')),
                ('provider_reference', models.CharField(blank=True, editable=False, help_text='The one that paid it.', max_length=100, verbose_name="processor's payment")),
                ('method', models.CharField(blank=True, max_length=30, verbose_name='paid with')),
                ('check_number', models.CharField(blank=True, max_length=30, verbose_name='number of the check')),
                ('paid_on', models.DateField(blank=True, null=True, verbose_name='paid on')),
                ('deposited_on', models.DateField(blank=True, null=True, verbose_name='at the bank since')),
                ('times_sent', models.PositiveSmallIntegerField(default=0, verbose_name='link sent')),
                ('sent_at', models.DateTimeField(blank=True, null=True, verbose_name='last sent')),
                ('needs_attention', models.TextField(blank=True, help_text='What did not fit. Nothing was marked as paid because of it.', verbose_name='needs a person')),
                ('lease', models.CharField(blank=True, editable=False, max_length=40)),
                ('lease_until', models.DateTimeField(editable=False, null=True)),
                ('created_at', models.DateTimeField(default=sistercities.shared.clock.now, verbose_name='asked')),
                ('asked_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='asked for by')),
                ('visit', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='trip_fees', to='exchanges.visit', verbose_name='visit')),
            ],
            options={
                'verbose_name': 'trip fee',
                'verbose_name_plural': 'trip fees',
                'ordering': ['-created_at', '-pk'],
            },
        ),
        migrations.AddIndex(
            model_name='tripfee',
            index=models.Index(fields=['visit', 'state'], name='trip_fees_of_visit'),
        ),
        migrations.AddIndex(
            model_name='tripfee',
            index=models.Index(fields=['state', 'due_on'], name='trip_fees_by_state'),
        ),
        migrations.AddConstraint(
            model_name='tripfee',
            constraint=models.CheckConstraint(condition=models.Q(('amount_cents__gt', 0)), name='trip_fee_above_zero', violation_error_message='An amount is more than zero.'),
        ),
        migrations.AddConstraint(
            model_name='tripfee',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'paid'), _negated=True), ('paid_on__isnull', False), _connector='OR'), name='paid_trip_fee_has_its_date'),
        ),
        migrations.AddConstraint(
            model_name='tripfee',
            constraint=models.UniqueConstraint(condition=models.Q(('provider_reference', ''), _negated=True), fields=('provider', 'provider_reference'), name='one_trip_fee_per_provider_payment'),
        ),
    ]
