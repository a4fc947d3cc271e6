"""What a visitor may write into the sign-up box, and the sentence for what is refused."""

import re

from django import forms
from django.conf import settings
from django.urls import Resolver404, resolve
from django.utils.translation import gettext_lazy as _

from sistercities.newsletter.models import Subscriber, Topic
from sistercities.newsletter.wording import wording
from sistercities.shared.open_forms import MailAddress, OneLine, OpenForm

LOCAL_PATH = re.compile(r"/(?![/\\])[^\s\\?#]{0,299}")


class Slugs(forms.Field):
    """Ticked topics, as a list of the slugs of those that there are; others are dropped."""

    widget = forms.SelectMultiple

    def to_python(self, value):
        known = set(Topic.objects.values_list("slug", flat=True)) if value else set()
        return sorted(known.intersection(value or ()))


class SignUpForm(OpenForm):
    """What a visitor did not type never stands in the way: a source, topic, language or wording
    that we do not know becomes unknown, none, the site's own and the present one.
    """

    email = MailAddress(
        required=True, strip=True, max_length=1000,
        error_messages={
            "required": _("Please write your mail address."),
            "max_length": _("This address is too long to be one. Please look at it again."),
        },
    )  # fmt: skip
    name = OneLine(
        required=False, strip=True, max_length=120,
        error_messages={"max_length": _("This name is too long: at most 120 letters.")},
    )  # fmt: skip
    language = forms.CharField(required=False)
    topics = Slugs(required=False)
    source = forms.CharField(required=False, strip=False)
    wording = forms.CharField(required=False)

    def clean_language(self) -> str:
        return known_language(self.cleaned_data["language"])

    def clean_source(self) -> str:
        return local_page(self.cleaned_data["source"])

    def clean_wording(self) -> str:
        return wording(self.cleaned_data["wording"]).version


class PreferencesForm(forms.Form):
    """A reader's own wishes. No frequency means every letter."""

    name = SignUpForm.base_fields["name"]
    language = forms.CharField(required=False)
    topics = Slugs(required=False)
    frequency = forms.ChoiceField(choices=Subscriber.Frequency.choices, required=False)

    def clean_language(self) -> str:
        return known_language(self.cleaned_data["language"])

    def clean_frequency(self) -> str:
        return self.cleaned_data["frequency"] or Subscriber.Frequency.EVERY


def known_language(language: str) -> str:
    """A language of the site: this one, or the first."""
    known = dict(settings.LANGUAGES)
    return language if language in known else next(iter(known))


def local_page(path: str) -> str:
    """A path of this site, or "". Never a page whose address holds somebody's token."""
    if not LOCAL_PATH.fullmatch(path):
        return ""
    try:
        return "" if "token" in resolve(path).kwargs else path
    except Resolver404:
        return path
