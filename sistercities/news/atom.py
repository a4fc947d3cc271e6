"""Our news as an Atom feed."""

import datetime as dt
import re
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.syndication.views import Feed
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape
from django.utils.translation import gettext as _

from sistercities.news.models import Article
from sistercities.shared.models import SiteSettings
from sistercities.shared.site import current_site

ARTICLES_IN_FEED = 20
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # no XML 1.0 may hold these


class NewsFeed(Feed):
    """The newest published articles. Addresses are those of `SITE_URL`, whoever asks."""

    feed_type = Atom1Feed

    def __call__(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        response = super().__call__(request, *args, **kwargs)
        response["Cache-Control"] = "public, max-age=900"
        return response

    def get_object(self, request: HttpRequest, *args, **kwargs) -> SiteSettings:
        return current_site(request)

    def title(self, site: SiteSettings) -> str:
        return _clean(_("%s: news") % site.short_name)

    def subtitle(self, site: SiteSettings) -> str:
        return _clean(site.mission)

    def link(self, site: SiteSettings) -> str:
        return f"{settings.SITE_URL}{reverse('news:list')}"

    def feed_url(self, site: SiteSettings) -> str:
        return f"{settings.SITE_URL}{reverse('news:feed')}"

    def author_name(self, site: SiteSettings) -> str:
        return _clean(site.name)

    def items(self, site: SiteSettings):
        return Article.objects.published().newest().defer("body")[:ARTICLES_IN_FEED]

    def item_title(self, article: Article) -> str:
        return _clean(article.headline)  # Atom titles are plain text; the writer escapes them once

    def item_description(self, article: Article) -> str:
        return escape(_clean(article.lead))  # Atom summaries are written as HTML

    def item_link(self, article: Article) -> str:
        return f"{settings.SITE_URL}{article.get_absolute_url()}"

    def item_guid(self, article: Article) -> str:
        """Stays the same when the address or the day of publishing changes."""
        return f"tag:{urlsplit(settings.SITE_URL).hostname},2026:article-{article.pk}"

    def item_pubdate(self, article: Article) -> dt.datetime:
        return article.publish_at

    def item_updateddate(self, article: Article) -> dt.datetime:
        return max(article.publish_at, article.updated_at)

    def item_categories(self, article: Article) -> list[str]:
        return [article.get_section_display()]


def _clean(text: str) -> str:
    return FORBIDDEN.sub("", text)
