"""Our news as visitors read it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from cities.models import City
from sistercities.news.models import Article
from sistercities.shared.cards import gather, newest_first
from sistercities.shared.headers import stored_briefly
from sistercities.shared.keyset import Keyset, moment, number
from sistercities.shared.linked_data import of_page, us

ARTICLES_ON_PAGE = 20
RELATED = 3
NEWEST = Keyset({"publish_at": moment, "pk": number})


@require_safe
@stored_briefly
def article_list(request: HttpRequest) -> HttpResponse:
    """The newest first; `?section=` keeps one section, and any other word none."""
    articles = Article.objects.published().newest().defer("body")
    wanted = request.GET.get("section", "")
    section = Article.Section(wanted) if wanted in Article.Section.values else None
    if wanted:
        articles = articles.filter(section=section) if section else articles.none()
    return render(
        request,
        "news/article_list.html",
        {
            "page": NEWEST.page(request, articles, ARTICLES_ON_PAGE),
            "sections": Article.Section,
            "section": section,
            "is_filtered": bool(wanted),
            "kept": f"section={section}" if section else "",
        },
    )


@require_safe
@stored_briefly
def article_detail(request: HttpRequest, slug: str) -> HttpResponse:
    article = get_object_or_404(
        Article.objects.published().select_related("source", "visit"), slug=slug
    )
    ties = Article.cities.through.objects
    cities = ties.filter(article=article).values("city")
    related = (
        Article.objects.published()
        .exclude(pk=article.pk)
        .filter(pk__in=ties.filter(city__in=cities).values("article"))
        .newest()
        .first_few(RELATED)
    )
    lists = gather(
        City.objects.published().filter(pk__in=cities).cards(),
        related.cards(),
        article.comments.published().page().cards(),
    )
    return render(
        request,
        "news/article_detail.html",
        {
            "article": article,
            "linked_data": _linked_data(article),
            "visit": article.visit if article.visit and article.visit.is_public else None,
            "cities": lists["city"],
            "comments": sorted(lists["comment"], key=newest_first),
            "related": sorted(lists["article"], key=lambda card: card.on, reverse=True),
        },
    )


def _linked_data(article: Article) -> dict[str, Any]:
    changed = article.updated_on.isoformat() if article.updated_on else ""
    return of_page(
        article, "NewsArticle", article.headline, article.lead,
        headline=article.headline,
        datePublished=article.publish_at.isoformat(),
        dateModified=changed,
        publisher=us(),
    )  # fmt: skip
