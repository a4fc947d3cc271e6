"""A letter sent to staff before it goes to anybody else. It is marked and counts nowhere (E24)."""

from collections.abc import Iterable
from email.utils import make_msgid
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.urls import reverse

from sistercities.newsletter.models import Issue
from sistercities.newsletter.rendering import personal, skeleton
from sistercities.shared.mail import wake_sender
from sistercities.shared.models import OutgoingMessage
from sistercities.shared.signing import new_token

MARK = "TEST:"


def testers() -> models.QuerySet[User]:
    """Who may get one: staff who can sign in and have a mail address."""
    return User.objects.filter(is_staff=True, is_active=True).exclude(email="").order_by("username")


@transaction.atomic
def send_test(*, issue: Issue, to: Iterable[User]) -> int:
    """Writes it to the outbox for each of them who is staff; how many. It holds nobody's links."""
    chosen = list(testers().filter(pk__in=[user.pk for user in to]))
    page = settings.SITE_URL + reverse("newsletter:newsletter")
    letter = skeleton(issue, language=issue.language, follows=frozenset())
    for user in chosen:
        words = {
            "name": user.first_name or user.get_username(),
            "unsubscribe_url": page,
            "preferences_url": page,
            "web_url": page,
        }
        mine = personal(letter, words)
        OutgoingMessage.objects.create(
            key=f"newsletter-test:{issue.pk}:{new_token()}",
            to=user.email,
            subject=f"{MARK} {mine.subject}"[:250],
            text=mine.text,
            html=mine.html,
            message_id=make_msgid(domain=urlsplit(settings.SITE_URL).hostname),
        )
    wake_sender()
    return len(chosen)
