"""Every setting, read from the environment; `.env.example` explains each variable.

Without `DEBUG` this is production: a missing or malformed variable stops the start with a
sentence that says what to set.
"""

import sys
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from sistercities.shared.environment import Environment, queue_from_url

BASE_DIR = Path(__file__).resolve().parent.parent
if "pytest" not in sys.modules:
    environ.Env.read_env(BASE_DIR / ".env")
env = Environment()

# --- where we are ---------------------------------------------------------------------------

DEBUG = env.flag("DEBUG", default=False)
VAR_DIR = env.folder("VAR_DIR", default=BASE_DIR / "var")
VAR_DIR.mkdir(parents=True, exist_ok=True)

SECRET_KEY = env.secret("SECRET_KEY", debug=DEBUG)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS",
    default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else None,
    example="www.example.org",
)
SITE_URL = env.site_url("SITE_URL", default="http://127.0.0.1:8000" if DEBUG else None, debug=DEBUG)
if DEBUG and (public := set(ALLOWED_HOSTS) - {"localhost", "127.0.0.1", "[::1]", "testserver"}):
    raise ImproperlyConfigured(
        f"DEBUG is on while the site answers for {', '.join(sorted(public))}. DEBUG shows secrets "
        "to visitors. Unset DEBUG, or keep ALLOWED_HOSTS to localhost."
    )
CSRF_TRUSTED_ORIGINS = [SITE_URL]
ROOT_URLCONF = "sistercities.urls"
DEVELOPMENT_PAGES = DEBUG  # the mailbox at /_mail/, and our own 404 page where DEBUG has another
WSGI_APPLICATION = "sistercities.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "sistercities.pages",
    "sistercities.comments",
    "sistercities.news",
    "donations",
    "exchanges",
    "cities",
    "sistercities.newsletter",
    "sistercities.shared",
    "sistercities.demo",
    "sistercities",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_prose_editor",
    "django_countries",
    "django_tasks",
    "huey.contrib.djhuey",
    "health_check",
    "axes",
    "csp",
    "sistercities.shared.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.sitemaps",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "sistercities.shared.compression.CompressTexts",
    "sistercities.shared.pagecache.KeepPages",
    "django.middleware.security.SecurityMiddleware",
    "sistercities.shared.headers.CrossOriginHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "sistercities.shared.site.CurrentSite",
    "sistercities.shared.redirects.OldAddresses",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["sistercities.shared.templatetags.site"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "sistercities.pages.chrome.chrome",
            ],
        },
    }
]
CRISPY_ALLOWED_TEMPLATE_PACKS = ["bootstrap5"]
CRISPY_TEMPLATE_PACK = "bootstrap5"

# --- where things are kept ------------------------------------------------------------------

DATABASES = {"default": env.database("DATABASE_URL", default=f"sqlite:///{VAR_DIR}/site.sqlite3")}
CACHES = {"default": env.cache("CACHE_URL", default="dbcache://shared_cache")}
PAGE_STORE_MB = env.number("PAGE_STORE_MB", default=64)  # of each web process; 0: none is stored
HUEY = queue_from_url(env.text("TASKS_URL", default=f"sqlite:///{VAR_DIR}/queue.sqlite3"))
TASKS = {
    "default": {
        "BACKEND": "huey.contrib.djhuey.tasks_backend.HueyBackend",
        "ENQUEUE_ON_COMMIT": True,
    }
}

buckets = env.buckets()
MEDIA_URL = "/media/"
MEDIA_ROOT = env.folder("MEDIA_ROOT", default=VAR_DIR / "media")
PRIVATE_MEDIA_ROOT = env.folder(
    "PRIVATE_MEDIA_ROOT", default=VAR_DIR / "originals", is_private=not buckets
)
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "sistercities" / "static"]
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"allow_overwrite": True},
    },
    "private": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": PRIVATE_MEDIA_ROOT, "base_url": None, "allow_overwrite": True},
    },
    **buckets,
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000  # a city with many facts and places is one admin form
DATA_UPLOAD_MAX_NUMBER_FILES = 600  # the photos of an evening, from a browser without script

# --- language and time ----------------------------------------------------------------------

LANGUAGE_CODE = "en-us"
LANGUAGES = [("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "sistercities" / "locale"]
USE_I18N = True
USE_TZ = True
FORMS_URLFIELD_ASSUME_HTTPS = True  # what Django 6 does; "example.org" becomes https
TIME_ZONE = "UTC"  # each request takes the zone of the site settings
CLOCK = env.moment("CLOCK", debug=DEBUG)

# --- mail -----------------------------------------------------------------------------------

globals().update(env.email("EMAIL_URL", default=f"filemail:///{VAR_DIR}/mail" if DEBUG else None))
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.text(
    "DEFAULT_FROM_EMAIL",
    default=f"Arvada Sister Cities <hello@{urlsplit(SITE_URL).hostname}>" if DEBUG else None,
    example="Arvada Sister Cities <hello@example.org>",
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL
MAIL_RATE = env.number("MAIL_RATE", default=10)  # letters a second over all processes; 0: no limit
MAIL_CONNECTIONS = env.number("MAIL_CONNECTIONS", default=1)
MAIL_HELD_AFTER = env.number("MAIL_HELD_AFTER", default=6)  # hours
BOUNCE_ADDRESS = env.text("BOUNCE_ADDRESS", default="")
BOUNCE_IMAP_URL = env.imap_url("BOUNCE_IMAP_URL", debug=DEBUG)
MAIL_WEBHOOK_SECRET = env.text("MAIL_WEBHOOK_SECRET", default="")
MAIL_LINK_COUNTS = env.flag("MAIL_LINK_COUNTS", default=False)
DKIM_SELECTOR = env.text("DKIM_SELECTOR", default="")
MAIL_WEBHOOK_KEY = env.text("MAIL_WEBHOOK_KEY", default="")

# --- gifts ----------------------------------------------------------------------------------

SANDBOX_PORT = env.number("SANDBOX_PORT", default=8001)
STRIPE_SECRET_KEY = env.text("STRIPE_SECRET_KEY", default="sk_test_sandbox" if DEBUG else None)
STRIPE_WEBHOOK_SECRETS = env.list(
    "STRIPE_WEBHOOK_SECRET",
    default=["whsec_sandbox_only_for_development"] if DEBUG else None,
    example="whsec_…",
)
STRIPE_API_BASE = env.text(
    "STRIPE_API_BASE",
    default=f"http://127.0.0.1:{SANDBOX_PORT}" if DEBUG else "https://api.stripe.com",
)
STRIPE_LIVE_MODE = STRIPE_SECRET_KEY.startswith(("sk_live_", "rk_live_"))

# --- sign-in and sessions -------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "sistercities.shared.limits.client_address"
AXES_ENABLE_ADMIN = False
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", default=0)
PROOF_OF_WORK = env.switch_off("PROOF_OF_WORK", debug=DEBUG)

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "sistercities.pages.views.form_expired"

if not DEBUG:
    SECURE_SSL_REDIRECT = env.flag("HTTPS_REDIRECT", default=True)
    SECURE_REDIRECT_EXEMPT = [r"^healthz/$", r"^readyz/$"]
    SECURE_HSTS_SECONDS = 63072000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    if TRUSTED_PROXIES:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF],
        "style-src": [SELF],
        "script-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF, "https://checkout.stripe.com", "https://billing.stripe.com"]
        + ([STRIPE_API_BASE] if DEBUG else []),
    }
}
# The admin's own widgets write style attributes, and the text editor needs its import map.
ADMIN_CONTENT_SECURITY_POLICY = {
    "img-src": [SELF, "data:"],
    "style-src": [SELF, "'unsafe-inline'"],
    "script-src": [SELF, NONCE],
    "form-action": [SELF],
}

# --- what is written down -------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "sistercities.shared.logs.OneLineFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", default="INFO")},
    "loggers": {name: {"level": "WARNING"} for name in ("axes", "huey", "stripe", "django_tasks")},
}

SILENCED_SYSTEM_CHECKS: list[str] = []
