"""What our pages are measured against: one Django view behind Django's default middleware.

`BENCH_BYTES` is a file that it sends as it is, compressed by brotli. With `BENCH_KEPT` Django's
own page cache stands around it, in the memory of the process: the quickest that Django has.
"""

import os
from pathlib import Path

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import re_path

BYTES = Path(os.environ["BENCH_BYTES"]).read_bytes()
DEFAULT = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
KEPT = "BENCH_KEPT" in os.environ
CACHE = "django.middleware.cache"


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(BYTES, headers={"Content-Encoding": "br", "Cache-Control": "public"})


urlpatterns = [re_path("", page)]

settings.configure(
    SECRET_KEY="bare",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    INSTALLED_APPS=[
        "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
        "django.contrib.messages",
    ],
    MIDDLEWARE=[
        *([f"{CACHE}.UpdateCacheMiddleware"] if KEPT else []),
        *DEFAULT,
        *([f"{CACHE}.FetchFromCacheMiddleware"] if KEPT else []),
    ],
)  # fmt: skip
application = get_wsgi_application()
