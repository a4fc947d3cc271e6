"""What the players of `stage.py` do with letters."""

import datetime as dt

from django.conf import settings
from django.utils import timezone

from sistercities.newsletter import delivering, releasing
from sistercities.newsletter.models import Issue, Subscriber
from sistercities.shared.models import SiteSettings


def write_letter(people: str) -> None:
    """A letter that is released to so many people, and no row of it made yet."""
    SiteSettings.objects.create(
        name="Arvada Sister Cities", short_name="Arvada", email="hello@example.org",
        postal_address="8101 Ralston Road\nArvada, CO 80002",
    )  # fmt: skip
    now = timezone.now()
    emails = [f"reader-{number}@example.net" for number in range(int(people))]
    Subscriber.objects.bulk_create(
        Subscriber(email=email, email_key=email, status="confirmed", confirmed_at=now)
        for email in emails
    )
    issue = Issue.objects.create(slug="november", subject="The gardens of Jinzhou")
    issue.blocks.create(title="The gardens", text="<p>Chrysanthemums, mostly.</p>")
    releasing._wake = lambda: None  # the queue loses the wake-up
    releasing.release(issue=issue, by=None, people=int(people))


def settle_letters() -> None:
    releasing.settle()


def deliver(port: str, seconds: str = "20", hours_ahead: str = "0") -> None:
    """A worker, whose clock may be wrong."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", int(port), 2
    settings.MAIL_RATE = 0
    if int(hours_ahead):
        settings.CLOCK = timezone.now() + dt.timedelta(hours=int(hours_ahead))
    delivering.WAITS = [0, 0, 0, 0]
    delivering.deliver(seconds=float(seconds))


def resume() -> None:
    releasing._wake = lambda: None
    releasing.resume(issue=Issue.objects.get())


JOBS = {job.__name__: job for job in (write_letter, settle_letters, deliver, resume)}
