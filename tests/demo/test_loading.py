"""Loading into an empty database, into somebody's, and half way."""

import io
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from cities.models import City, Source
from sistercities.demo import loading
from sistercities.news.models import Article
from sistercities.shared.models import SiteSettings

OURS = {
    "pages",
    "comments",
    "news",
    "donations",
    "exchanges",
    "cities",
    "newsletter",
    "shared",
    "auth",
}

SMALL = {
    "site": '[[settings]]\nname = "Small"\n',
    "pictures": (
        "[jinzhou-causeway]\ncrop = [0, 0, 60, 40]\ntaken = 2013-09-09T10:42:00\n"
        'at = [40.8, 121.1]\nalt = "A road"\n'
    ),
    "jinzhou": (
        '[[city]]\nslug = "jinzhou"\nname = "Jinzhou"\ncountry = "CN"\nlatitude = "41.1"\n'
        'longitude = "121.1"\ntime_zone = "Asia/Shanghai"\nsummary = "A harbor."\n'
        'picture = "jinzhou-causeway"\n'
    ),
}


def run(**options) -> str:
    out = io.StringIO()
    call_command("demo", stdout=out, **options)
    return out.getvalue()


def every_row() -> dict[str, list[dict]]:
    models = [model for model in apps.get_models() if model._meta.app_label in OURS]
    return {m._meta.label: list(m._default_manager.order_by("pk").values()) for m in models}


def files_in(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def small_content(tmp_path, monkeypatch):
    """`small_content(visits="…")`: the content files are these and nothing else."""

    def write(**files: str) -> None:
        folder = tmp_path / "content"
        folder.mkdir()
        for name in (*loading.FILES, "pictures"):
            (folder / f"{name}.toml").write_text({**SMALL, **files}.get(name, ""))
        monkeypatch.setattr(loading, "CONTENT", folder)

    return write


@pytest.mark.django_db
@pytest.mark.parametrize("is_debug", [True, False])
def test_second_run_changes_nothing(small_content, settings, is_debug):
    settings.DEBUG = is_debug
    small_content()
    first = run()
    before = every_row()
    files = files_in(settings.MEDIA_ROOT, settings.PRIVATE_MEDIA_ROOT)

    second = run()

    assert "The demo is loaded: 1 city." in first
    assert second == "The demo is here already; nothing was changed.\n"
    assert every_row() == before
    assert len(files) == 3
    assert files_in(settings.MEDIA_ROOT, settings.PRIVATE_MEDIA_ROOT) == files


@pytest.mark.django_db
def test_account_is_made_with_debug(small_content, settings):
    settings.DEBUG = True
    small_content()

    said = run()

    user = get_user_model().objects.get()
    assert "as demo with the password sister-cities-demo" in said
    assert (user.username, user.is_superuser) == ("demo", True)
    assert user.check_password("sister-cities-demo")


@pytest.mark.django_db
def test_account_of_somebody_is_kept(small_content, settings):
    settings.DEBUG = True
    small_content()
    get_user_model().objects.create_user("demo", password="somebody's own")

    said = run()

    assert "An account named demo was there already: kept as is." in said
    assert get_user_model().objects.get().check_password("somebody's own")


@pytest.mark.django_db
def test_no_account_without_debug(small_content):
    small_content()

    said = run()

    assert "No account was made, because DEBUG is off." in said
    assert not get_user_model().objects.exists()


@pytest.mark.django_db
def test_city_of_somebody_is_refused(make_city):
    make_city("Jinzhou")
    before = every_row()

    with pytest.raises(CommandError) as refusal:
        run()

    assert "content that the demo did not make (1 city)" in str(refusal.value)
    assert "VAR_DIR=" in str(refusal.value)
    assert every_row() == before


@pytest.mark.django_db
@pytest.mark.parametrize(
    "write",
    [
        lambda: SiteSettings.objects.create(name="Somebody's"),
        lambda: Source.objects.create(title="Somebody's"),
        lambda: Article.objects.create(slug="ours", headline="Ours", lead="Ours"),
    ],
    ids=["settings", "source", "draft article"],
)
def test_anything_of_somebody_is_refused(write):
    write()
    before = every_row()

    with pytest.raises(CommandError):
        run()

    assert every_row() == before


@pytest.mark.django_db
def test_if_empty_says_nothing_where_there_is_content(make_city):
    make_city("Jinzhou")
    before = every_row()

    assert run(if_empty=True) == ""
    assert every_row() == before


@pytest.mark.django_db
def test_if_empty_says_nothing_the_second_time(small_content):
    small_content()

    assert "The demo is loaded" in run(if_empty=True)
    assert run(if_empty=True) == ""


@pytest.mark.django_db
def test_failed_load_leaves_neither_rows_nor_files(small_content, settings):
    small_content(
        visits='[[visit]]\nslug = "v"\ntitle = "V"\ncity = "jinzhou"\ndirection = "sideways"\n'
        'starts_on = 2010-01-01\nsummary = "V"\npicture = "jinzhou-causeway"\n'
    )
    before = every_row()

    with pytest.raises(ValidationError):
        run()

    assert every_row() == before
    assert files_in(settings.MEDIA_ROOT, settings.PRIVATE_MEDIA_ROOT) == []


@pytest.mark.django_db
def test_rows_are_checked_like_forms(small_content):
    small_content(
        jinzhou=SMALL["jinzhou"].replace('summary = "A harbor."', 'summary = "x"\naccent = "#fff"')
    )

    with pytest.raises(ValidationError):
        run()

    assert not City.objects.exists()
