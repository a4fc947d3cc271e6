"""How the site starts: by itself on a developer's machine, and only well equipped elsewhere."""

import os
import runpy
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from sistercities.shared.environment import PROVIDERS, Environment, queue_from_url

SECRET = secrets.token_urlsafe(50)
PRODUCTION = {
    "SECRET_KEY": SECRET,
    "ALLOWED_HOSTS": "www.example.org",
    "SITE_URL": "https://www.example.org",
    "EMAIL_URL": "smtp+tls://user:pass-word@mail.example.org:587",
    "DEFAULT_FROM_EMAIL": "Sister Cities <hello@example.org>",
    "STRIPE_SECRET_KEY": "sk_live_only_for_this_test",
    "STRIPE_WEBHOOK_SECRET": "whsec_only_for_this_test",
}
DEVELOPMENT = {"DEBUG": "on"}
S3 = {
    "S3_ENDPOINT": "https://s3.example.org",
    "S3_PUBLIC_BUCKET": "pictures",
    "S3_PRIVATE_BUCKET": "originals",
    "S3_REGION": "us-west-2",
    "S3_ACCESS_KEY": "key-of-this-test",
    "S3_SECRET_KEY": "secret-of-this-test",
}


def start(
    tmp_path: Path, environment: dict[str, str], *program: str
) -> subprocess.CompletedProcess[str]:
    """`manage.py check`, or a program, in a process that knows these variables and no others."""
    return subprocess.run(
        [sys.executable, *(program or ("manage.py", "check"))],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path), **environment},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture
def complaint(tmp_path, monkeypatch):
    """`complaint(environment)`: the sentence with which settings refuse these variables."""

    def read(environment: dict[str, str]) -> str:
        for name in list(os.environ):
            monkeypatch.delenv(name)
        for name, value in {"VAR_DIR": str(tmp_path), **environment}.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(ImproperlyConfigured) as refused:
            runpy.run_path(str(settings.BASE_DIR / "sistercities" / "settings.py"))
        return str(refused.value)

    return read


@pytest.fixture(scope="module", autouse=True)
def no_file_of_settings():
    """Without a .env in the checkout, or what it says would be tested."""
    if (settings.BASE_DIR / ".env").exists():
        pytest.skip("this checkout has a .env")


def test_a_complete_production_environment_starts(tmp_path):
    done = start(tmp_path, PRODUCTION)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_bare_machine_with_debug_starts(tmp_path):
    done = start(tmp_path, DEVELOPMENT)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_start_that_is_refused_ends_with_the_sentence(tmp_path):
    done = start(tmp_path, {})
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("django.core.exceptions.ImproperlyConfigured: SECRET_KEY is not set.")


@pytest.mark.parametrize("name", PRODUCTION)
def test_production_without_a_variable_says_which(complaint, name):
    environment = {key: value for key, value in PRODUCTION.items() if key != name}
    sentence = complaint(environment)
    assert f"{name} is not set." in sentence
    assert ".env.example explains it" in sentence


@pytest.mark.parametrize("name", PRODUCTION)
def test_a_variable_of_spaces_counts_as_unset(complaint, name):
    assert f"{name} is not set." in complaint({**PRODUCTION, name: "  "})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY is too short"),
        ({"ALLOWED_HOSTS": ","}, "ALLOWED_HOSTS holds nothing but commas"),
        ({"STRIPE_WEBHOOK_SECRET": ","}, "STRIPE_WEBHOOK_SECRET holds nothing but commas"),
        ({"SITE_URL": "www.example.org"}, "SITE_URL is 'www.example.org'; it must be"),
        ({"CLOCK": "2026-11-21T12:00:00-07:00"}, "CLOCK stops the site's clock"),
        ({"PROOF_OF_WORK": "off"}, "PROOF_OF_WORK may be off only while DEBUG is on"),
        ({"EMAIL_URL": "dummymail://"}, "EMAIL_URL would lose every mail"),
        ({"DATABASE_URL": "mysql://localhost/site"}, "DATABASE_URL must look like"),
        ({"CACHE_URL": "locmemcache://"}, "CACHE_URL must be"),
        ({"TASKS_URL": "amqp://localhost"}, "TASKS_URL must look like"),
        ({"TRUSTED_PROXIES": "many"}, "TRUSTED_PROXIES is 'many'; it must be a whole number"),
        (
            {"BOUNCE_IMAP_URL": "imap://a:b@mail.example.org"},
            "BOUNCE_IMAP_URL must look like imaps",
        ),
        ({"BOUNCE_IMAP_URL": "imaps://mail.example.org"}, "BOUNCE_IMAP_URL must look like imaps"),
        ({"MAIL_LINK_COUNTS": "some"}, "MAIL_LINK_COUNTS is 'some'; it must be on or off"),
        ({"HTTPS_REDIRECT": "maybe"}, "HTTPS_REDIRECT is 'maybe'; it must be on or off"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_production_with_a_bad_variable_says_what_to_write(complaint, change, sentence):
    assert sentence in complaint({**PRODUCTION, **change})


def test_production_with_s3_starts(tmp_path):
    done = start(tmp_path, {**PRODUCTION, **S3})
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "originals").exists()


@pytest.mark.parametrize("name", sorted(set(S3) - {"S3_ENDPOINT"}))
def test_s3_without_a_variable_says_which(complaint, name):
    environment = {key: value for key, value in {**PRODUCTION, **S3}.items() if key != name}
    sentence = complaint(environment)
    assert f"{name} is not set." in sentence
    assert ".env.example explains it" in sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"S3_PRIVATE_BUCKET": "pictures"}, "S3_PRIVATE_BUCKET is the same as S3_PUBLIC_BUCKET"),
        ({"S3_ENDPOINT": "s3.example.org"}, "S3_ENDPOINT must be the address of the S3 server"),
        ({"S3_ENDPOINT": "https://s3.example.org/pictures"}, "S3_ENDPOINT must be the address"),
        ({"S3_ENDPOINT": "https://me:pass-word@s3.example.org"}, "S3_ENDPOINT must be the address"),
        ({"S3_ENDPOINT": "https://[s3"}, "S3_ENDPOINT must be the address of the S3 server"),
    ],
)
def test_s3_with_a_bad_variable_says_what_to_write(complaint, change, sentence):
    found = complaint({**PRODUCTION, **S3, **change})
    assert sentence in found
    assert "pass-word" not in found


def test_without_s3_its_client_is_never_loaded(tmp_path):
    """On a small server the start costs no more than it did: boto3 takes 0.4 seconds and 25 MB."""
    program = (
        "import sys, django; django.setup();"
        "from django.core.files.storage import storages;"
        "from django.urls import resolve; resolve('/media/a.webp');"
        "storages['default'], storages['private'];"
        "print(sorted({'boto3', 'botocore', 'storages'} & set(sys.modules)))"
    )
    environment = {**PRODUCTION, "DJANGO_SETTINGS_MODULE": "sistercities.settings"}
    done = start(tmp_path, environment, "-c", program)
    assert (done.stderr, done.stdout) == ("", "[]\n")


def test_only_the_sites_own_user_may_look_into_the_private_folder(tmp_path):
    """Originals keep the place where they were taken (trust.md, Metadata)."""
    assert start(tmp_path, PRODUCTION).returncode == 0
    assert (tmp_path / "originals").stat().st_mode & 0o777 == 0o700


def test_a_private_folder_that_cannot_be_made_says_so(complaint, tmp_path):
    (tmp_path / "file").write_text("in the way")
    path = tmp_path / "file" / "originals"
    assert complaint({**PRODUCTION, "PRIVATE_MEDIA_ROOT": str(path)}).endswith(
        f"PRIVATE_MEDIA_ROOT cannot be made at {path}: Not a directory. .env.example explains it."
    )


@pytest.mark.parametrize("hosts", ["www.example.org", "*", "localhost,10.0.0.5"])
def test_debug_with_a_public_host_does_not_start(complaint, hosts):
    sentence = complaint({**DEVELOPMENT, "ALLOWED_HOSTS": hosts})
    assert "DEBUG is on while the site answers for" in sentence


@pytest.fixture
def env(monkeypatch):
    """`env(method, value, **options)`: what one variable becomes."""

    def read(method: str, value: str | None, **options):
        monkeypatch.delenv("VARIABLE", raising=False)
        if value is not None:
            monkeypatch.setenv("VARIABLE", value)
        return getattr(Environment(), method)("VARIABLE", **options)

    return read


@pytest.mark.parametrize("word", ["1", "on", "ON", "True", "yes"])
def test_words_for_on(env, word):
    assert env("flag", word, default=False) is True


@pytest.mark.parametrize("word", ["0", "off", "False", "NO"])
def test_words_for_off(env, word):
    assert env("flag", word, default=True) is False


@pytest.mark.parametrize(
    ("method", "value", "options"),
    [
        ("flag", "2", {"default": True}),
        ("number", "-1", {"default": 0}),
        ("number", "1.5", {"default": 0}),
        ("secret", "x" * 39, {"debug": False}),
        ("site_url", "https://", {"default": None, "debug": False}),
        ("site_url", "https://www.example.org/path", {"default": None, "debug": False}),
        ("site_url", "https://www.example.org?a=1", {"default": None, "debug": False}),
        ("site_url", "https://user@www.example.org", {"default": None, "debug": False}),
        ("site_url", "https://[www", {"default": None, "debug": False}),
        ("site_url", "http://www.example.org", {"default": None, "debug": False}),
        ("site_url", "ftp://www.example.org", {"default": None, "debug": False}),
        ("moment", "2026-11-21", {"debug": True}),
        ("moment", "2026-11-21T12:00:00", {"debug": True}),
        ("moment", "noon", {"debug": True}),
        ("database", "postgres", {"default": ""}),
        ("database", "postgres://host", {"default": ""}),
        ("database", "postgres://[host/name", {"default": ""}),
        ("database", "sqlite://:memory:", {"default": ""}),
        ("database", "site.sqlite3", {"default": ""}),
        ("cache", "memcache://127.0.0.1", {"default": ""}),
        ("cache", "redis://[host", {"default": ""}),
        ("email", "mail.example.org", {"default": None}),
        ("email", "smtp://", {"default": None}),
        ("email", "smtp://mail.example.org:lots", {"default": None}),
        ("email", "memorymail://", {"default": None}),
        ("email", "postmark://", {"default": None}),
        ("email", "mailjet://only-the-key", {"default": None}),
        ("email", "resend://key:too-much@", {"default": None}),
    ],
)
def test_a_malformed_value_is_refused_in_a_sentence(env, method, value, options):
    with pytest.raises(ImproperlyConfigured, match=r"^VARIABLE .*\. \.env\.example explains it\.$"):
        env(method, value, **options)


@pytest.mark.parametrize("method", ["database", "cache", "email"])
def test_a_refusal_does_not_print_a_password(env, method):
    with pytest.raises(ImproperlyConfigured) as refused:
        env(method, "nonsense://user:pass-word@host:port/x", default=None)
    assert "pass-word" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["", "redis", "amqp://user:pass-word@host", "sqlite:", "sqlite:///", "redis://[x"]
)
def test_a_queue_that_we_do_not_know_is_refused(url):
    with pytest.raises(ImproperlyConfigured, match="TASKS_URL must look like") as refused:
        queue_from_url(url)
    assert "pass-word" not in str(refused.value)


def test_the_address_of_the_site(env):
    options = {"default": None, "debug": False}
    assert env("site_url", "https://www.example.org/", **options) == "https://www.example.org"
    options = {"default": None, "debug": True}
    assert env("site_url", "http://192.0.2.7:8000", **options) == "http://192.0.2.7:8000"


def test_lists_are_split_at_commas(env):
    assert env("list", " a, b ,,c ", default=None) == ["a", "b", "c"]
    assert env("list", None, default=[]) == []


def test_the_database_of_a_server(env):
    config = env("database", "postgres://ann:pass%2Fword@db.example:5433/site", default="")
    assert (config["ENGINE"], config["NAME"]) == ("django.db.backends.postgresql", "site")
    assert (config["USER"], config["PASSWORD"]) == ("ann", "pass/word")
    assert (config["HOST"], config["PORT"]) == ("db.example", 5433)
    assert config["CONN_HEALTH_CHECKS"] is True


def test_a_moment_keeps_its_offset(env):
    assert env("moment", "2026-11-21T12:00:00-07:00", debug=True).isoformat() == (
        "2026-11-21T12:00:00-07:00"
    )


@pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite")
def test_sqlite_really_writes_every_commit_to_the_disk(db):
    """trust.md, SQLite: WAL, synchronous=FULL, a busy timeout; asked of the open connection."""
    found = {}
    with connection.cursor() as cursor:
        for name in ("journal_mode", "synchronous", "busy_timeout", "foreign_keys"):
            cursor.execute(f"PRAGMA {name}")
            found[name] = cursor.fetchone()[0]
    full = 2
    assert found == {
        "journal_mode": "wal", "synchronous": full, "busy_timeout": 20_000, "foreign_keys": 1,
    }  # fmt: skip


@pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite")
@pytest.mark.django_db(transaction=True)
def test_a_transaction_takes_the_write_lock_at_its_beginning():
    """Without IMMEDIATE a reader that turns writer fails with "database is locked"."""
    import sqlite3

    from django.db import transaction

    with transaction.atomic():
        connection.cursor().execute("SELECT 1")
        other = sqlite3.connect(connection.settings_dict["NAME"], timeout=0, isolation_level=None)
        try:
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
        finally:
            other.close()


@pytest.mark.parametrize(
    ("url", "backend", "keys"),
    [
        ("postmark://a-Token", "postmark", {"POSTMARK_SERVER_TOKEN": "a-Token"}),
        (
            "mailgun://a-Key:mg.example.org@?api_url=https://api.eu.mailgun.net/v3",
            "mailgun",
            {
                "MAILGUN_API_KEY": "a-Key",
                "MAILGUN_SENDER_DOMAIN": "mg.example.org",
                "MAILGUN_API_URL": "https://api.eu.mailgun.net/v3",
            },
        ),
    ],
)
def test_mail_goes_through_a_provider(monkeypatch, url, backend, keys):
    monkeypatch.setenv("EMAIL_URL", url)
    assert Environment().email("EMAIL_URL", default=None) == {
        "EMAIL_BACKEND": f"anymail.backends.{backend}.EmailBackend",
        "ANYMAIL": keys,
    }


def test_every_provider_has_a_way_in():
    """Each takes the keys that we give it."""
    from django.core.mail import get_connection
    from django.test import override_settings

    for scheme, (_module, _first, second) in PROVIDERS.items():
        config = Environment().email_from_url(f"{scheme}://key{':other@' if second else ''}")
        with override_settings(**config):
            get_connection()
