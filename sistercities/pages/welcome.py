"""What a new reader of the letter is shown: the next event and the last visit."""

from django.conf import settings
from django.utils.translation import gettext as _

from exchanges.models import Event, Visit
from sistercities.newsletter.welcoming import Something
from sistercities.shared.site import at_home


def for_newcomers() -> list[Something]:
    """Published things only, at most one of each; none on an empty site."""
    with at_home():
        event = Event.objects.published().upcoming().first()
        visit = Visit.objects.published().made().first()
    found = []
    if event:
        line = ", ".join(filter(None, (event.when, event.place)))
        found.append(Something(_("Next"), event.title, _address(event), line))
    if visit:
        found.append(Something(_("Our last visit"), visit.title, _address(visit), visit.when))
    return found


def _address(page: Event | Visit) -> str:
    return settings.SITE_URL + page.get_absolute_url()
