"""The composition root: every address of the site, by the app that answers it."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from sistercities.pages.views import nothing_here

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("cities/", include("cities.urls")),
    path("news/", include("sistercities.news.urls")),
    path("replies/", include("sistercities.comments.urls")),
    path("", include("exchanges.urls")),
    path("", include("donations.urls")),
    path("", include("sistercities.newsletter.urls")),
]
if settings.DEVELOPMENT_PAGES:
    urlpatterns.append(path("_mail/", include("sistercities.demo.urls")))
urlpatterns.append(path("", include("sistercities.pages.urls")))  # takes every other first part
if settings.DEVELOPMENT_PAGES:
    # The helpful 404 instead of Django's own, for what ends in a slash: the rest gets one added.
    urlpatterns.append(re_path(r"^.*/$", nothing_here, name="nothing_here"))
