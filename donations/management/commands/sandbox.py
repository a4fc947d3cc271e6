"""`manage.py sandbox`: the stand-in for Stripe that development, the demo and tests speak to."""

from django.conf import settings
from django.core.management.base import BaseCommand

from donations.sandbox import Sandbox


class Command(BaseCommand):
    help = "Runs the stand-in for Stripe on SANDBOX_PORT. Refuses to run without DEBUG."

    def add_arguments(self, parser):
        parser.add_argument("--webhook-url", default=f"{settings.SITE_URL}/webhooks/stripe/")

    def handle(self, *args, webhook_url: str, **options):
        sandbox = Sandbox(
            port=settings.SANDBOX_PORT,
            secret_key=settings.STRIPE_SECRET_KEY,
            webhook_secret=settings.STRIPE_WEBHOOK_SECRETS[0],
            webhook_url=webhook_url,
            state_file=settings.VAR_DIR / "sandbox.json",
            debug=settings.DEBUG,
        )
        try:
            sandbox.serve_forever()
        except KeyboardInterrupt:
            sandbox.stop()
