"""What every test gets: a site on this machine only, and a network that ends here."""

import os
import shutil

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.template import Template

from tests import migrated

RENDER = Template._render  # before Django's test environment puts its own there
# Whoever uses none of these asks the same of each database: nothing.
DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "django_db_setup"}
# How pages look and answer a hand; what they ask is asked by quicker tests. The journeys of
# readers, donors and staff are walked on each database.
LOOKS = {"test_every_page", "test_gallery", "test_upload", "test_workbench", "test_composing"}


def pytest_collection_modifyitems(config, items):
    """A second run on another database takes what asks that database something. Tests without one,
    and those of processes on an SQLite file of their own, are run with `make test` alone.
    """
    if _is_sqlite():
        return
    again = [item for item in items if _asks_a_database(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(again)])
    items[:] = again


def _is_sqlite() -> bool:
    return os.environ.get("DATABASE_URL", "sqlite").startswith("sqlite")


def _asks_a_database(item) -> bool:
    if "stage" in item.fixturenames or item.path.stem in LOOKS:
        return False
    has_mark = item.get_closest_marker("django_db") is not None
    return has_mark or bool(DATABASE_FIXTURES & set(item.fixturenames))


@pytest.fixture(scope="session")
def kept_folder(request):
    """Stays from one run of the tests to the next."""
    return request.config.cache.mkdir("migrated")


@pytest.fixture(scope="session")
def django_db_keepdb():
    """An SQLite database is there before Django asks for it."""
    return _is_sqlite()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix, kept_folder):
    """The test database begins as a copy of a migrated one."""
    from django.conf import settings

    database = settings.DATABASES["default"]["TEST"]
    if _is_sqlite():
        shutil.copyfile(migrated.sqlite_file(kept_folder), database["NAME"])
    else:
        address = os.environ["DATABASE_URL"]
        database["TEMPLATE"] = migrated.postgresql_template(kept_folder, address)


@pytest.fixture(scope="session", autouse=True)
def here_only():
    """No test speaks to another machine."""
    from pytest_socket import socket_allow_hosts

    socket_allow_hosts(["127.0.0.1", "localhost", "::1"], allow_unix_socket=True)


@pytest.fixture(scope="session", autouse=True)
def quick_templates(django_test_environment):
    """Django's test environment tells of each template that is rendered, with a copy of all that it
    was given: a twelfth of what a page costs. Gives the way that tells, for `told_templates`.
    """
    tells = Template._render
    Template._render = RENDER
    yield tells
    Template._render = tells


@pytest.fixture
def told_templates(quick_templates):
    """For tests that look at `response.context`."""
    Template._render = quick_templates
    yield
    Template._render = RENDER


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """A password is made slow to guess on purpose: half a second for each account of a test."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def own_files(settings, tmp_path):
    """Each test writes pictures to a folder of its own."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PRIVATE_MEDIA_ROOT = tmp_path / "originals"
    settings.STORAGES = {
        **settings.STORAGES,
        "private": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {
                "location": tmp_path / "originals",
                "base_url": None,
                "allow_overwrite": True,
            },
        },
    }


@pytest.fixture(scope="session")
def kept_demo(django_db_setup, django_db_blocker, tmp_path_factory):
    """The demo, loaded once in this process, which takes 15 seconds, and kept for several tests.

    `rows` is a file for `loaddata`, `folders` are the settings that lead to the pictures.
    """
    from types import SimpleNamespace

    from django.conf import settings
    from django.core.management import call_command
    from django.db import transaction
    from django.test import override_settings

    from sistercities.demo import loading

    root = tmp_path_factory.mktemp("demo")
    private = {
        **settings.STORAGES["private"],
        "OPTIONS": {**settings.STORAGES["private"]["OPTIONS"], "location": root / "originals"},
    }
    folders = {
        "MEDIA_ROOT": root / "media",
        "PRIVATE_MEDIA_ROOT": root / "originals",
        "STORAGES": {**settings.STORAGES, "private": private},
    }
    apps = (
        "shared", "cities", "exchanges", "donations", "news", "comments", "pages", "newsletter",
    )  # fmt: skip
    with django_db_blocker.unblock(), transaction.atomic():
        with override_settings(**folders):
            loading.load()
        call_command("dumpdata", *apps, all=True, output=root / "rows.json", verbosity=0)
        transaction.set_rollback(True)
    return SimpleNamespace(rows=root / "rows.json", folders=folders)


@pytest.fixture(scope="session")
def s3_server():
    """The address of a real server on this machine that speaks S3."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_at(settings, monkeypatch):
    """`s3_at(address)`: from now on both storages are in buckets of this test's own there, or in
    those of this name: `s3_at(address, "name")`.
    """
    import uuid

    from sistercities.shared.environment import Environment

    def move(address: str, own: str = "") -> None:
        own = own or uuid.uuid4().hex
        for name, value in {
            "S3_ENDPOINT": address,
            "S3_PUBLIC_BUCKET": f"public-{own}",
            "S3_PRIVATE_BUCKET": f"private-{own}",
            "S3_REGION": "us-east-1",
            "S3_ACCESS_KEY": "key",
            "S3_SECRET_KEY": "secret",
        }.items():
            monkeypatch.setenv(name, value)
        settings.STORAGES = {**settings.STORAGES, **Environment().buckets()}

    return move


@pytest.fixture
def s3_storages(s3_at, s3_server):
    """Pictures are kept in S3 instead of folders; both buckets exist and are empty."""
    from django.core.files.storage import storages

    s3_at(s3_server)
    buckets = [storages[alias].bucket for alias in ("default", "private")]
    for bucket in buckets:
        bucket.create()
    yield
    for bucket in buckets:
        bucket.objects.delete()
        bucket.delete()


@pytest.fixture
def s3_down(s3_at, unused_port_number):
    """Pictures are kept in S3, and nobody answers there."""
    s3_at(f"http://127.0.0.1:{unused_port_number}")


@pytest.fixture(autouse=True)
def no_counts_left(request):
    """Limits start anew for each test. Cleared before it, while its database is at hand."""
    wanted = {"db", "transactional_db", "live_server"} & set(request.fixturenames)
    is_transactional = bool(wanted - {"db"}) or any(
        mark.kwargs.get("transaction") for mark in request.node.iter_markers("django_db")
    )
    if wanted or request.node.get_closest_marker("django_db"):
        request.getfixturevalue("transactional_db" if is_transactional else "db")
        cache.clear()


@pytest.fixture(autouse=True)
def worker_at_hand(monkeypatch):
    """With a real queue (CI: Redis) each job goes into it and is taken out and run at once."""
    from huey.contrib.djhuey import HUEY

    if HUEY.immediate:
        return
    # A worker closes its connection after each job; here that is the test's own.
    monkeypatch.setattr("huey.contrib.djhuey.close_old_connections", lambda: None)
    put = HUEY.enqueue

    def put_and_run(task):
        result = put(task)
        HUEY.execute(HUEY.dequeue())
        return result

    monkeypatch.setattr(HUEY, "enqueue", put_and_run)


@pytest.fixture
def solved():
    """`solved()`: the field `proof` as a browser would fill it."""

    import altcha

    from sistercities.shared.proof_of_work import new_challenge

    def solve() -> str:
        challenge = altcha.Challenge.from_dict(new_challenge())
        return altcha.Payload(challenge, altcha.solve_challenge(challenge)).to_base64()

    return solve


@pytest.fixture
def no_proof(settings):
    """As with PROOF_OF_WORK=off: every post counts as one with a solved puzzle."""
    settings.PROOF_OF_WORK = False


@pytest.fixture
def site(db):
    """A complete organisation, able to take gifts and send letters."""
    from sistercities.shared.models import SiteSettings

    return SiteSettings.objects.create(
        name="Arvada Sister Cities International",
        short_name="Arvada Sister Cities",
        tagline="Arvada, Colorado, and three cities abroad",
        headline="Three cities that write back",
        mission="We are neighbors in Arvada, Colorado.",
        ein="84-1234567",
        postal_address="8101 Ralston Road\nArvada, CO 80002",
        email="hello@example.org",
        nonprofit_line="A volunteer nonprofit under section 501(c)(3).",
        letter_line="Four times a year: who came, who went, what is next.",
    )


@pytest.fixture
def make_city(db):
    """`make_city("Jinzhou", …)`: a published city; keywords change its fields."""
    from django.utils.text import slugify

    from cities.models import City

    def make(name: str = "Jinzhou", **fields) -> City:
        values = {
            "name": name,
            "slug": slugify(name),
            "status": "published",
            "country": "CN",
            "region": "Liaoning",
            "latitude": "41.11",
            "longitude": "121.14",
            "time_zone": "Asia/Shanghai",
            "summary": f"{name} is a city.",
            **fields,
        }
        city = City(**values)
        city.full_clean()
        city.save()
        return city

    return make


@pytest.fixture
def home_city(make_city):
    return make_city(
        "Arvada", relationship="home", country="US", region="Colorado", latitude="39.80",
        longitude="-105.09", time_zone="America/Denver",
    )  # fmt: skip


@pytest.fixture
def picture_file():
    """`picture_file(width, height)`: a small JPEG upload."""
    import io

    from PIL import Image

    def make(width: int = 60, height: int = 40, name: str = "picture.jpg") -> ContentFile:
        buffer = io.BytesIO()
        Image.new("RGB", (width, height), "#8a6b4d").save(buffer, "JPEG")
        return ContentFile(buffer.getvalue(), name=name)

    return make


@pytest.fixture
def finish_pictures(db):
    """`finish_pictures()`: what the worker does: renditions for what waits, then public copies."""
    from exchanges import releasing
    from sistercities.shared.rendering import render_waiting

    def finish() -> None:
        render_waiting()
        releasing.settle()

    return finish


@pytest.fixture
def failing(db):
    """`with failing("donations_receipt", "INSERT"):` the database refuses such a statement, until
    the end of the block.
    """
    import contextlib

    from django.db import connection

    is_sqlite = connection.vendor == "sqlite"
    body = (
        "BEGIN SELECT RAISE(ABORT, 'the disk is on fire'); END"
        if is_sqlite
        else "EXECUTE FUNCTION on_fire()"
    )

    @contextlib.contextmanager
    def fail(table: str, statement: str):
        with connection.cursor() as cursor:
            if not is_sqlite:
                cursor.execute(
                    "CREATE OR REPLACE FUNCTION on_fire() RETURNS trigger LANGUAGE plpgsql AS "
                    "$$ BEGIN RAISE 'the disk is on fire'; END $$"
                )
            cursor.execute(f"CREATE TRIGGER fire BEFORE {statement} ON {table} FOR EACH ROW {body}")
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("DROP TRIGGER fire" + ("" if is_sqlite else f" ON {table}"))

    return fail


@pytest.fixture
def unused_port_number() -> int:
    """A port of this machine on which nobody answers."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
