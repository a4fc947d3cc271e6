"""Our news as JSON Feed 1.1 (jsonfeed.org): what the Atom feed tells, as JSON."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from sistercities.news.atom import NewsFeed
from sistercities.news.models import Article
from sistercities.shared.addresses import absolute, jpeg
from sistercities.shared.site import current_site

VERSION = "https://jsonfeed.org/version/1.1"


@require_safe
@cache_control(public=True, max_age=NewsFeed.max_age)
def json_feed(request: HttpRequest) -> JsonResponse:
    """The newest published articles. Addresses are those of `SITE_URL`, whoever asks."""
    site, atom = current_site(request), NewsFeed()
    feed = {
        "version": VERSION,
        "title": atom.title(site),
        "description": atom.subtitle(site),
        "home_page_url": atom.link(site),
        "feed_url": f"{settings.SITE_URL}{reverse('news:json_feed')}",
        "language": "en",
        "authors": [{"name": atom.author_name(site), "url": settings.SITE_URL}],
        "items": [_item(atom, article) for article in atom.items(site)],
    }
    return JsonResponse(
        feed,
        content_type="application/feed+json",
        json_dumps_params={"ensure_ascii": False},
    )


def _item(atom: NewsFeed, article: Article) -> dict[str, Any]:
    item = {
        "id": atom.item_guid(article),
        "url": atom.item_link(article),
        "title": atom.item_title(article),
        "content_text": article.lead,
        "date_published": atom.item_pubdate(article).isoformat(),
        "date_modified": atom.item_updateddate(article).isoformat(),
        "tags": [str(tag) for tag in atom.item_categories(article)],
    }
    if article.picture:
        item["image"] = absolute(jpeg(article))
    return item
