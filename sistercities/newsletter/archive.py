"""The letters that were sent, for everybody: a page each, a list, a feed. Nothing personal."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from sistercities.newsletter.lines import lines_of
from sistercities.newsletter.links import public_address
from sistercities.newsletter.models import Block, Issue
from sistercities.newsletter.rendering import impersonal, impersonal_words, shown_to
from sistercities.shared.feeds import PublicFeed, tag, xml_text
from sistercities.shared.headers import stored_briefly
from sistercities.shared.models import SiteSettings
from sistercities.shared.site import current_site

LETTERS_ON_PAGE = 20
LETTERS_IN_FEED = 20
WORDS = ("title", "label", "picture_alt", "picture_caption", "picture_credit")


@stored_briefly
@require_safe
def letter(request: HttpRequest, slug: str) -> HttpResponse:
    """A letter as a page, from the moment that the first of it may have arrived."""
    issue = get_object_or_404(Issue.objects.public(), slug=slug)
    pieces = [_piece(block) for block in shown_to(issue.blocks)]
    return render(
        request,
        "newsletter/issue.html",
        {
            "issue": issue,
            "subject": impersonal_words(issue.subject),
            "summary": impersonal_words(issue.preheader),
            "pieces": pieces,
            "headings": [piece["block"] for piece in pieces if piece["block"].title],
            "share": next((piece["block"] for piece in pieces if piece["block"].picture), None),
            "older": Issue.objects.public().filter(began_at__lt=issue.began_at)
            .order_by("-began_at", "-pk").first() if issue.began_at else None,
        },
    )  # fmt: skip


def _piece(block: Block) -> dict[str, Any]:
    """As everybody reads it. The block itself is given these words and never saved."""
    for name in WORDS:
        setattr(block, name, impersonal_words(getattr(block, name)))
    return {
        "block": block,
        "city": block.dress,
        "url": public_address(block.url),
        "html": mark_safe(impersonal(block.text)),
        "lines": lines_of(block),
    }


def page_of_letters(request: HttpRequest) -> Page:
    """The newest first."""
    letters = Issue.objects.public().order_by("-began_at", "-pk")
    return Paginator(letters, LETTERS_ON_PAGE).get_page(request.GET.get("page"))


class LetterFeed(PublicFeed):
    """The newest letters. Addresses are those of `SITE_URL`, whoever asks."""

    feed_type = Atom1Feed

    def get_object(self, request: HttpRequest, *args, **kwargs) -> SiteSettings:
        return current_site(request)

    def title(self, site: SiteSettings) -> str:
        return xml_text(_("%s: the letter") % site.short_name)

    def subtitle(self, site: SiteSettings) -> str:
        return xml_text(site.letter_line)

    def link(self, site: SiteSettings) -> str:
        return f"{settings.SITE_URL}{reverse('newsletter:newsletter')}"

    def feed_url(self, site: SiteSettings) -> str:
        return f"{settings.SITE_URL}{reverse('newsletter:feed')}"

    def author_name(self, site: SiteSettings) -> str:
        return xml_text(site.name)

    def items(self, site: SiteSettings):
        return Issue.objects.public().order_by("-began_at", "-pk")[:LETTERS_IN_FEED]

    def item_title(self, issue: Issue) -> str:
        return xml_text(impersonal_words(issue.subject))

    def item_description(self, issue: Issue) -> str:
        return escape(xml_text(impersonal_words(issue.preheader)))

    def item_link(self, issue: Issue) -> str:
        return f"{settings.SITE_URL}{issue.get_absolute_url()}"

    def item_guid(self, issue: Issue) -> str:
        return tag("letter", issue.pk)

    def item_pubdate(self, issue: Issue) -> dt.datetime:
        return issue.began_at or issue.created_at

    def item_updateddate(self, issue: Issue) -> dt.datetime:
        return max(issue.updated_at, self.item_pubdate(issue))  # its state changes without a save
