"""For the sign-up box, which stands on pages of every app."""

from django import template

from sistercities.newsletter.wording import Wording, wording

register = template.Library()


@register.simple_tag
def consent_wording() -> Wording:
    """What the reader agrees to now: `version` and `text`."""
    return wording()
