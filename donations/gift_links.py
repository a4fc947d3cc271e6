"""Opens a donor's own gifts without a password: by a link to the mailbox that they gave with."""

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from donations.models import Donor, DonorLink
from donations.models.donor import LINK_LASTS, email_key
from sistercities.shared import clock
from sistercities.shared.mail import queue_mail
from sistercities.shared.models import SiteSettings
from sistercities.shared.signing import fingerprint, new_token

PURPOSE = "donor-link"


class LinkOver(Exception):
    """No such link, or it was used, or its time is over: whoever asks is told the same."""


def send(*, email: str) -> None:
    """Mails a link to the gifts of this mailbox, or that there are none.

    The person at the form learns nothing of either: only the mailbox does.
    """
    site = SiteSettings.load()
    donor = Donor.objects.filter(email_key=email_key(email)).select_related("merged_into").first()
    token = new_token()
    key = fingerprint(PURPOSE, token)
    with transaction.atomic():
        if donor:
            DonorLink.objects.create(
                fingerprint=key, donor=donor.root, expires_at=clock.now() + LINK_LASTS
            )
        path = reverse("donations:open_my_gifts", args=[token])
        queue_mail(
            key=f"{PURPOSE}:{key}",
            template="donations/emails/my_gifts" if donor else "donations/emails/no_gifts",
            to=email.strip(),
            context={
                "organization": site.name,
                "postal_address": site.postal_address,
                "link": f"{settings.SITE_URL}{path}",
                "minutes": int(LINK_LASTS.total_seconds()) // 60,
            },
        )


def is_good(*, token: str) -> bool:
    return _good(token).exists()


def use(*, token: str) -> Donor:
    """Whose gifts a link opens; from then on it opens nothing. Raises `LinkOver`."""
    if not _good(token).update(used_at=clock.now()):
        raise LinkOver
    link = DonorLink.objects.select_related("donor__merged_into")
    return link.get(fingerprint=fingerprint(PURPOSE, token)).donor.root


def _good(token: str) -> QuerySet[DonorLink]:
    return DonorLink.objects.filter(
        fingerprint=fingerprint(PURPOSE, token), used_at=None, expires_at__gt=clock.now()
    )


def forget_old() -> int:
    """Removes links whose time is over; the number removed."""
    return DonorLink.objects.filter(expires_at__lt=clock.now() - LINK_LASTS).delete()[0]
