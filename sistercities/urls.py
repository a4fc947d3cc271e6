"""The composition root: every address of the site, by the app that answers it."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("cities/", include("cities.urls")),
    path("news/", include("sistercities.news.urls")),
    path("", include("exchanges.urls")),
    path("", include("donations.urls")),
    path("", include("sistercities.newsletter.urls")),
]
if settings.DEBUG:
    urlpatterns.append(path("_mail/", include("sistercities.demo.urls")))
urlpatterns.append(path("", include("sistercities.pages.urls")))
