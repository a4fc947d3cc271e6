from django.contrib.sitemaps.views import sitemap
from django.urls import path
from django.views.decorators.http import require_safe

from sistercities.pages import views
from sistercities.pages.contact import contact
from sistercities.pages.health import Ready
from sistercities.pages.home import home
from sistercities.pages.share_pictures import share_picture
from sistercities.pages.sitemaps import Everything
from sistercities.pages.styleguide import styleguide
from sistercities.shared.headers import stored_briefly
from sistercities.shared.media import media
from sistercities.shared.site import without_site

app_name = "pages"
urlpatterns = [
    path("", home, name="home"),
    path("search/", views.search, name="search"),
    path("documents/", views.documents, name="documents"),
    path("documents/<slug:slug>.pdf", views.document, name="document"),
    path("contact/", contact, name="contact"),
    path("board/", views.board, name="board"),
    path("robots.txt", views.robots, name="robots"),
    path(
        "sitemap.xml",
        require_safe(stored_briefly(without_site(sitemap))),
        {"sitemaps": {"everything": Everything}, "template_name": "pages/sitemap.xml"},
        name="sitemap",
    ),
    path("healthz/", views.healthz, name="healthz"),
    path("readyz/", without_site(Ready.as_view()), name="readyz"),
    path("media/<path:path>", media, name="media"),
    path("share/<slug:shape>/<slug:kind>/<slug:slug>.jpg", share_picture, name="share_picture"),
    path("styleguide/", styleguide, name="styleguide"),
    # Last: it takes every word that nothing above has taken.
    path("<slug:slug>/", views.PageDetail.as_view(), name="page"),
]
