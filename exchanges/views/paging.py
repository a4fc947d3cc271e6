"""Long lists, page by page."""

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest


def page_of(request: HttpRequest, rows: QuerySet, size: int) -> Page:
    """The page that `?page=` asks for; the first or the last one where there is no such page."""
    return Paginator(rows, size).get_page(request.GET.get("page"))
