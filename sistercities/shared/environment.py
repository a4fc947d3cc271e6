"""Settings from environment variables, each refused in a sentence that says what to write."""

import datetime as dt
import os
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

import environ
import huey
from django.core.exceptions import ImproperlyConfigured

DEVELOPMENT_SECRET = "only-for-development-never-a-secret-" + "x" * 20

# What `EMAIL_URL=<provider>://<first>:<second>@` gives to django-anymail.
PROVIDERS = {
    "brevo": ("brevo", "BREVO_API_KEY", ""),
    "mailersend": ("mailersend", "MAILERSEND_API_TOKEN", ""),
    "mailgun": ("mailgun", "MAILGUN_API_KEY", "MAILGUN_SENDER_DOMAIN"),
    "mailjet": ("mailjet", "MAILJET_API_KEY", "MAILJET_SECRET_KEY"),
    "mailtrap": ("mailtrap", "MAILTRAP_API_TOKEN", ""),
    "postmark": ("postmark", "POSTMARK_SERVER_TOKEN", ""),
    "resend": ("resend", "RESEND_API_KEY", ""),
    "scaleway": ("scaleway", "SCALEWAY_SECRET_KEY", "SCALEWAY_PROJECT_ID"),
    "sparkpost": ("sparkpost", "SPARKPOST_API_KEY", ""),
}


class Environment:
    """Reads one variable a call. Every method raises `ImproperlyConfigured` in plain words."""

    def __init__(self) -> None:
        self._env = environ.Env()

    def _raw(self, name: str, default: Any, example: str) -> Any:
        value = self._env.ENVIRON.get(name, "").strip()
        if value:
            return value
        if default is None:
            raise ImproperlyConfigured(
                f"{name} is not set. Write it to the environment or to .env"
                + (f", for example {name}={example}" if example else "")
                + ". .env.example explains it. To try the site on your own machine: make run."
            )
        return default

    def _malformed(self, name: str, why: str) -> ImproperlyConfigured:
        return ImproperlyConfigured(f"{name} {why} .env.example explains it.")

    def text(self, name: str, *, default: str | None, example: str = "") -> str:
        return str(self._raw(name, default, example))

    def flag(self, name: str, *, default: bool) -> bool:
        value = str(self._raw(name, default, "")).lower()
        if value in {"1", "true", "on", "yes"}:
            return True
        if value in {"0", "false", "off", "no"}:
            return False
        raise self._malformed(name, f"is {value!r}; it must be on or off.")

    def switch_off(self, name: str, *, debug: bool) -> bool:
        """A guard that tests may switch off. Off is refused without DEBUG."""
        is_on = self.flag(name, default=True)
        if not is_on and not debug:
            raise self._malformed(name, "may be off only while DEBUG is on.")
        return is_on

    def number(self, name: str, *, default: int) -> int:
        value = self._raw(name, default, "")
        try:
            number = int(value)
        except ValueError:
            raise self._malformed(name, f"is {value!r}; it must be a whole number.") from None
        if number < 0:
            raise self._malformed(name, f"is {number}; it must be 0 or more.")
        return number

    def list(self, name: str, *, default: list[str] | None, example: str = "") -> list[str]:
        value = self._raw(name, default, example)
        if isinstance(value, list):
            return value
        parts = [part.strip() for part in value.split(",") if part.strip()]
        if not parts and default is None:
            raise self._malformed(name, "holds nothing but commas.")
        return parts

    def folder(self, name: str, *, default: Path, is_private: bool = False) -> Path:
        """A private one is made where it is missing, and only this user may look into it."""
        path = Path(self._raw(name, default, "")).resolve()
        if is_private:
            try:
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                why = os.strerror(error.errno or 5)
                raise self._malformed(name, f"cannot be made at {path}: {why}.") from None
        return path

    def secret(self, name: str, *, debug: bool) -> str:
        value = self.text(
            name,
            default=DEVELOPMENT_SECRET if debug else None,
            example="the output of: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'",
        )
        if not debug and (len(value) < 40 or value == DEVELOPMENT_SECRET):
            raise self._malformed(name, "is too short; use 40 random characters or more.")
        return value

    def site_url(self, name: str, *, default: str | None, debug: bool) -> str:
        """The site's address without a slash at the end; https, but for one's own machine."""
        value = self.text(name, default=default, example="https://www.example.org").rstrip("/")
        if not _is_origin(value, {"http", "https"} if debug else {"https"}):
            raise self._malformed(
                name, f"is {value!r}; it must be the site's address, like https://www.example.org."
            )
        return value

    def imap_url(self, name: str, *, debug: bool) -> str:
        """A mailbox to read, or "". Encrypted, but for one's own machine."""
        url = self.text(name, default="")
        parts = _split(url) if url else None
        schemes = {"imaps", "imap"} if debug else {"imaps"}
        if url and not (parts and parts.scheme in schemes and parts.hostname and parts.username):
            raise self._malformed(
                name, "must look like imaps://user:password@mail.example.org/INBOX."
            )
        return url

    def moment(self, name: str, *, debug: bool) -> dt.datetime | None:
        """A fixed moment for tests, as ISO 8601 with an offset. Refused without DEBUG."""
        value = self.text(name, default="")
        if not value:
            return None
        if not debug:
            raise self._malformed(name, "stops the site's clock; it may be set only with DEBUG on.")
        try:
            moment = dt.datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise self._malformed(
                name, f"is {value!r}; it must look like 2026-11-21T12:00:00-07:00."
            )
        return moment

    def database(self, name: str, *, default: str) -> dict[str, Any]:
        """SQLite or PostgreSQL. SQLite: WAL, IMMEDIATE, a busy timeout, every commit on disk."""
        url = self.text(name, default=default)
        try:
            config = dict(self._env.db_url_config(url)) if _split(url) else {}
        except Exception:
            config = {}
        engine = str(config.get("ENGINE", "")) if config.get("NAME") else ""
        if config.get("NAME") == ":memory:":
            raise self._malformed(name, "must name a file: memory is not shared with the worker.")
        if engine == "django.db.backends.sqlite3":
            config["OPTIONS"] = {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
            }
            # Tests use a file, so that WAL, locks and a second process are the real ones.
            config["TEST"] = {"NAME": f"{config['NAME']}.test"}
        elif engine == "django.db.backends.postgresql":
            config["CONN_MAX_AGE"] = 60
            config["CONN_HEALTH_CHECKS"] = True
        else:
            raise self._malformed(
                name,
                "must look like sqlite:////srv/site.sqlite3 or postgres://user:password@host/name.",
            )
        return config

    def cache(self, name: str, *, default: str) -> dict[str, Any]:
        url = self.text(name, default=default)
        if not url.startswith(("dbcache://", "redis://", "rediss://")) or not _split(url):
            raise self._malformed(
                name,
                "must be dbcache://table or redis://host:port/number: limits are shared by all "
                "processes, so memory of one process will not do.",
            )
        config = dict(self._env.cache_url_config(url))
        if url.startswith("redis"):
            config["BACKEND"] = "django.core.cache.backends.redis.RedisCache"
            # Every page asks it. A server that is gone without a word must not keep readers.
            config["OPTIONS"] = {"socket_connect_timeout": 1, "socket_timeout": 1}
        else:
            # Django drops a third of what is still valid beyond 300 entries: limits would reset.
            config["OPTIONS"] = {"MAX_ENTRIES": 100_000}
        return config

    def buckets(self) -> dict[str, dict[str, Any]]:
        """The storages "default" and "private" in S3; none where S3_ENDPOINT is empty."""
        endpoint = self.text("S3_ENDPOINT", default="").rstrip("/")
        if not endpoint:
            return {}
        if not _is_origin(endpoint, {"http", "https"}):
            raise self._malformed(
                "S3_ENDPOINT",
                "must be the address of the S3 server, like https://s3.us-west-2.amazonaws.com.",
            )
        public, private, region, access_key, secret_key = (
            self.text(name, default=None, example=example)
            for name, example in (
                ("S3_PUBLIC_BUCKET", "example-org-pictures"),
                ("S3_PRIVATE_BUCKET", "example-org-originals"),
                ("S3_REGION", "us-west-2"),
                ("S3_ACCESS_KEY", "AKIA…"),
                ("S3_SECRET_KEY", "the one that belongs to S3_ACCESS_KEY"),
            )
        )
        if public == private:
            raise self._malformed(
                "S3_PRIVATE_BUCKET",
                "is the same as S3_PUBLIC_BUCKET; what nobody may see must be in one of its own.",
            )
        options = {
            "endpoint_url": endpoint,
            "region_name": region,
            "access_key": access_key,
            "secret_key": secret_key,
        }
        return {
            alias: {
                "BACKEND": f"sistercities.shared.storage.{backend}",
                "OPTIONS": {"bucket_name": bucket, **options},
            }
            for alias, backend, bucket in (
                ("default", "PublicBucket", public),
                ("private", "PrivateBucket", private),
            )
        }

    def email(self, name: str, *, default: str | None) -> dict[str, Any]:
        """The way that mail leaves: a mail server, or a provider such as postmark://token."""
        url = self.text(name, default=default, example="smtp+tls://user:password@mail.example.org")
        config = self.email_from_url(url)
        if not config or (url.startswith("smtp") and not config["EMAIL_HOST"]):
            raise self._malformed(
                name,
                "must look like smtp+tls://user:password@mail.example.org:587 or "
                f"postmark://token; providers: {', '.join(PROVIDERS)}.",
            )
        if default is None and url.startswith(("memorymail", "dummymail")):
            raise self._malformed(name, "would lose every mail; that is only for DEBUG.")
        return config

    def email_from_url(self, url: str) -> dict[str, Any]:
        """Django's settings for such an address; none where it is malformed."""
        parts = _split(url)
        if parts and parts.scheme in PROVIDERS:
            return _provider(parts)
        try:
            config = dict(self._env.email_url_config(url))
        except Exception:
            return {}
        if url.startswith("filemail"):
            config["EMAIL_FILE_PATH"] = urlsplit(url).path
        return config


def _provider(parts: SplitResult) -> dict[str, Any]:
    """Settings of django-anymail; none where a key is missing. `?api_url=` moves the interface."""
    module, first, second = PROVIDERS[parts.scheme]
    keys, _at, rest = parts.netloc.rpartition("@")
    key, _colon, other = (keys or rest).partition(":")
    if not key or bool(second) != bool(other):
        return {}
    moved = parse_qs(parts.query).get("api_url")
    return {
        "EMAIL_BACKEND": f"anymail.backends.{module}.EmailBackend",
        "ANYMAIL": {
            first: key,
            **({second: other} if second else {}),
            **({f"{module.upper()}_API_URL": moved[0]} if moved else {}),
        },
    }


def _is_origin(url: str, schemes: set[str]) -> bool:
    """Whether it is scheme, host and port, and nothing else."""
    parts = _split(url)
    return (
        parts is not None
        and parts.scheme in schemes
        and bool(parts.hostname)
        and "@" not in parts.netloc
        and f"{parts.scheme}://{parts.netloc}" == url
    )


def _split(url: str) -> SplitResult | None:
    """The parts of an address; None where it is none, such as `https://[x`."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 (raises where the port is not a number)
    except ValueError:
        return None
    return parts


def queue_from_url(url: str) -> huey.Huey:
    """The task queue: sqlite:///path, redis://host, postgres://host/name, or `immediate:`."""
    parts = _split(url) or urlsplit("")
    name = "sistercities"
    if parts.scheme == "sqlite" and parts.path.strip("/"):
        return huey.SqliteHuey(name, filename=parts.path, immediate=False, fsync=True)
    if parts.scheme in {"redis", "rediss"}:
        prefix = parse_qs(parts.query).get("name", [name])[0]
        return huey.RedisHuey(prefix, url=url.split("?")[0], immediate=False)
    if parts.scheme in {"postgres", "postgresql"}:
        return huey.PostgresHuey(name, dsn=url, immediate=False)
    if parts.scheme == "immediate":
        return huey.MemoryHuey(name, immediate=True)
    raise ImproperlyConfigured(
        "TASKS_URL must look like sqlite:////srv/queue.sqlite3, "
        "redis://127.0.0.1:6379/1 or postgres://user@host/name. .env.example explains it."
    )
