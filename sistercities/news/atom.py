"""Our news as an Atom feed."""

import datetime as dt

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape
from django.utils.translation import gettext as _

from sistercities.news.models import Article
from sistercities.shared.feeds import PublicFeed, tag, xml_text
from sistercities.shared.models import SiteSettings
from sistercities.shared.site import current_site

ARTICLES_IN_FEED = 20


class NewsFeed(PublicFeed):
    """The newest published articles. Addresses are those of `SITE_URL`, whoever asks."""

    feed_type = Atom1Feed

    def get_object(self, request: HttpRequest, *args, **kwargs) -> SiteSettings:
        return current_site(request)

    def title(self, site: SiteSettings) -> str:
        return xml_text(_("%s: news") % site.short_name)

    def subtitle(self, site: SiteSettings) -> str:
        return xml_text(site.mission)

    def link(self, site: SiteSettings) -> str:
        return f"{settings.SITE_URL}{reverse('news:list')}"

    def feed_url(self, site: SiteSettings) -> str:
        return f"{settings.SITE_URL}{reverse('news:feed')}"

    def author_name(self, site: SiteSettings) -> str:
        return xml_text(site.name)

    def items(self, site: SiteSettings):
        return Article.objects.published().newest().defer("body")[:ARTICLES_IN_FEED]

    def item_title(self, article: Article) -> str:
        return xml_text(
            article.headline
        )  # Atom titles are plain text; the writer escapes them once

    def item_description(self, article: Article) -> str:
        return escape(xml_text(article.lead))  # Atom summaries are written as HTML

    def item_link(self, article: Article) -> str:
        return f"{settings.SITE_URL}{article.get_absolute_url()}"

    def item_guid(self, article: Article) -> str:
        return tag("article", article.pk)

    def item_pubdate(self, article: Article) -> dt.datetime:
        return article.publish_at

    def item_updateddate(self, article: Article) -> dt.datetime:
        return max(article.publish_at, article.updated_at)

    def item_categories(self, article: Article) -> list[str]:
        return [article.get_section_display()]
