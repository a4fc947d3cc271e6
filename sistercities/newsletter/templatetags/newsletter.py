"""For the sign-up box, which stands on pages of every app, and for what everybody reads."""

from django import template

from sistercities.newsletter.rendering import impersonal_words
from sistercities.newsletter.wording import Wording, wording

register = template.Library()
register.filter("impersonal", impersonal_words)


@register.simple_tag
def consent_wording() -> Wording:
    """What the reader agrees to now: `version` and `text`."""
    return wording()
