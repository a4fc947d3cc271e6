"""A process that plays the site's processes: loads Django once, then forks one player a line.

It reads lines. `start JOB ARGUMENTS…` answers with the player's process id; the player runs the job
on the real database and real folders until it is done or killed. `end ID` answers, once it has
ended, with its exit code, negative for a signal.
"""

import json
import os
import random
import resource
import signal
import sys
import traceback
import uuid
from collections.abc import Callable
from pathlib import Path

import django

JOBS = {}


def job(function):
    JOBS[function.__name__] = function
    return function


@job
def intake(folder: str, answers: str) -> None:
    """A sender: each file in turn, the answer noted once it has come; again from the start."""
    from exchanges.intake import take_in
    from exchanges.models import Batch

    batch = Batch.objects.get()
    with open(answers, "a", buffering=1) as noted:  # noqa: PTH123 (line by line, as a sender would)
        for path in sorted(Path(folder).iterdir(), key=lambda path: random.random()):
            with path.open("rb") as file:
                key = uuid.uuid5(uuid.NAMESPACE_URL, path.name)
                take_in(batch=batch, file=file, size=path.stat().st_size, name=path.name, key=key)
            noted.write(f"{path.name}\n")


@job
def decide() -> None:
    """Staff go through what was here already: every other one is added, the rest left out."""
    from exchanges.intake import add_anyway, leave_out
    from exchanges.models import Upload

    for upload in Upload.objects.filter(state=Upload.State.DUPLICATE):
        (add_anyway if upload.pk % 2 else leave_out)(upload)


@job
def render() -> None:
    from sistercities.shared.rendering import render_waiting

    render_waiting()


@job
def compress() -> None:
    from sistercities.shared.compressing import try_waiting

    try_waiting()


@job
def build() -> None:
    """The gallery in one file."""
    from exchanges.downloading import build_waiting

    build_waiting()


@job
def clock() -> None:
    """What runs each minute."""
    from exchanges import releasing
    from sistercities.shared import stored_files

    stored_files.remove_discarded()
    releasing.settle()


@job
def answer() -> None:
    """Staff say of each photo who is in it, change their minds, and what may not stay goes."""
    from exchanges import releasing
    from exchanges.models import Photo

    for photo in Photo.objects.order_by("?")[:20]:
        people = random.choice([Photo.People.NONE, Photo.People.NONE, Photo.People.MINORS])
        Photo.objects.filter(pk=photo.pk).update(people=people, picture_alt="Words")
        releasing.withhold(Photo.objects.filter(pk=photo.pk))


@job
def allow() -> None:
    """Staff say of every photo that nobody is in it."""
    from exchanges.models import Photo

    Photo.objects.update(people=Photo.People.NONE, picture_alt="Words")


@job
def withdraw() -> None:
    """Every photo has to go."""
    from exchanges import releasing
    from exchanges.models import Photo

    Photo.objects.update(people=Photo.People.NOT_ASKED)
    releasing.settle()


@job
def publish_a_child() -> None:
    """A photo of a child whose mother agreed is on the site."""
    import io

    from django.core.files.base import ContentFile
    from PIL import Image

    from exchanges import releasing
    from exchanges.models import Gallery, GuardianConsent, Photo
    from sistercities.shared.rendering import render_waiting

    buffer = io.BytesIO()
    Image.new("RGB", (1000, 700), "#8a6b4d").save(buffer, "JPEG")
    photo = Photo.objects.create(
        gallery=Gallery.objects.get(), people="minors", picture_alt="Two children",
        picture=ContentFile(buffer.getvalue(), name="a.jpg"),
    )  # fmt: skip
    consent = GuardianConsent.objects.create(
        child="Mia", guardian="Ann", given_on="2026-05-03", for_web=True
    )
    photo.consents.set([consent])
    render_waiting()
    releasing.settle()


@job
def withdraw_consent_and_die() -> None:
    """She takes it back; the process is killed as it deletes the first file."""
    from django.contrib.auth.models import User
    from django.core.files.storage import FileSystemStorage

    from exchanges import consenting
    from exchanges.models import GuardianConsent

    FileSystemStorage.delete = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    consenting.withdraw(consent=GuardianConsent.objects.get(), by=User.objects.create_user("bob"))


@job
def with_room_for(most: str, name: str, *arguments: str) -> None:
    """Another job while no file can grow beyond so many bytes: as good as a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), int(most)))
    JOBS[name](*arguments)


@job
def replace(folder: str) -> None:
    """Staff give a page a new picture, time and again."""
    from django.core.files.base import ContentFile

    from sistercities.pages.models import Page
    from sistercities.shared.rendering import render_waiting

    for path in Path(folder).iterdir():
        page = Page.objects.get(slug="about")
        page.picture = ContentFile(path.read_bytes(), name="a.jpg")
        page.save()
        if random.random() < 0.5:
            render_waiting()


@job
def sweep() -> None:
    from sistercities.shared.sweeping import sweep

    sweep(mend=True)


@job
def prepare_database() -> None:
    from django.core.management import call_command

    from cities.models import City
    from exchanges.models import Batch, Gallery
    from sistercities.pages.models import Page

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    city = City.objects.create(
        name="Jinzhou", slug="jinzhou", country="CN", latitude="41.11", longitude="121.14",
        time_zone="Asia/Shanghai",
    )  # fmt: skip
    gallery = Gallery.objects.create(
        title="Album", slug="album", city=city, status="published", publish_at="2020-01-01T00:00Z"
    )
    Batch.objects.create(gallery=gallery, credit="Ann Lee")
    Page.objects.create(title="About", slug="about", picture_alt="Words")


@job
def sign_in(path: str) -> None:
    """A session of somebody who may add photos; its key is written down."""
    from importlib import import_module

    from django.conf import settings
    from django.contrib.auth import (
        BACKEND_SESSION_KEY,
        HASH_SESSION_KEY,
        SESSION_KEY,
        get_user_model,
    )

    user = get_user_model().objects.create_superuser("ann")
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    Path(path).write_text(session.session_key)


@job
def report(path: str) -> None:
    """All that the rows say, as JSON."""
    from django.apps import apps
    from django.db import connection

    from exchanges.models import GalleryArchive, Photo, Upload
    from sistercities.pages.models import Page
    from sistercities.shared.models import DiscardedFile, Rendering
    from sistercities.shared.rendering import AvifTrial
    from sistercities.shared.stored_files import KeepsFiles

    with connection.cursor() as cursor:
        integrity = cursor.execute("PRAGMA integrity_check").fetchall()
        foreign_keys = cursor.execute("PRAGMA foreign_key_check").fetchall()
    rows = [
        row
        for model in apps.get_models()
        if issubclass(model, KeepsFiles)
        for row in model._base_manager.all()
    ]
    publishable = Photo.objects.publishable()
    said = {
        "uploads": list(Upload.objects.values("name", "state", "photo", "reason")),
        "photos": list(Photo.objects.values("pk", "sha256", "picture_width", "upload")),
        "public": [name for row in rows for name in row.public_files()],
        "private": [name for row in rows for name in row.private_files()],
        "page": list(Page.objects.values_list("picture_width", "picture_problem")),
        "publishable": publishable.count(),
        "published": publishable.exclude(picture="").count(),
        "public_though_not_publishable": Photo.objects.exclude(picture="")
        .exclude(pk__in=publishable.values("pk"))
        .count(),
        "work": sum(work.objects.count() for work in (Rendering, AvifTrial, DiscardedFile)),
        "archives": list(GalleryArchive.objects.values_list("photo_count", flat=True)),
        "integrity": integrity,
        "foreign_keys": foreign_keys,
    }
    Path(path).write_text(json.dumps(said))


def play(name: str, arguments: list[str], at_work: int) -> None:
    from django.db import connection

    status = 1
    try:
        random.seed()
        connection.ensure_connection()
        os.close(at_work)
        JOBS[name](*arguments)
        connection.close()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def main(get_ready: Callable[[], None]) -> None:
    """`get_ready` runs once, before the forks: it loads what every player needs."""
    django.setup()
    from django.db import connections

    get_ready()
    print("ready", flush=True)
    for line in sys.stdin:
        verb, *words = line.split()
        if verb == "end":
            print(os.waitstatus_to_exitcode(os.waitpid(int(words[0]), 0)[1]), flush=True)
            continue
        connections.close_all()
        seen, at_work = os.pipe()
        player = os.fork()
        if player == 0:
            play(words[0], words[1:], at_work)
        os.close(at_work)
        os.read(seen, 1)  # until it has begun: it closes its end
        os.close(seen)
        print(player, flush=True)


def load() -> None:
    from exchanges import intake, releasing  # noqa: F401 (loaded once, before the forks)
    from sistercities.shared import sweeping  # noqa: F401
    from tests.faults import letter_jobs

    JOBS.update(letter_jobs.JOBS)


if __name__ == "__main__":
    main(load)
