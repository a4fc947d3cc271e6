"""Rules of the house that no single module can keep: each names what breaks it."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.core.management import call_command
from django.db import migrations
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model
from django.urls import reverse

from sistercities.pages import styleguide
from sistercities.shared.publishing import Publishable

ROOT = settings.BASE_DIR
TEMPLATES = ROOT / "templates"
STATIC = ROOT / "sistercities" / "static"
APPS = ("sistercities", "cities", "exchanges", "donations")

# Models that staff reach through another model's page, and which page that is.
INLINE_ONLY = {
    "shared.SiteLink": "footer lines stand in the site settings",
    "exchanges.Stop": "the program of a day",
    "exchanges.Host": "who received a visit",
    "donations.CampaignCost": "what a campaign pays for",
    "donations.CampaignUpdate": "what happened since a campaign began",
    "donations.LedgerPosting": "the two sides of a ledger entry",
    "donations.CheckoutAttempt": "the tries of one gift",
    "donations.OfflineGift": "the lines of a batch",
    "newsletter.Block": "the pieces of a letter",
    "donations.PlanChange": "what a donor changed of a monthly or yearly gift",
}
# Templates that Django or a package finds by their name.
FOUND_BY_NAME = {
    "404.html", "403.html", "500.html", "admin/base_site.html",
    "donations/documents/house.typ",  # the other documents import it
}  # fmt: skip
# Components with nothing to look at, or that need a city's picture, or stand on each page.
NOT_BY_ITSELF = {
    "first_picture", "footer", "guard", "picture", "plate", "proof_attrs", "social",
}  # fmt: skip
# Addresses that are names and are never fetched.
NEVER_FETCHED = (
    "http://www.w3.org/",
    "http://www.sitemaps.org/",
    "https://schema.org",
    "http://www.google.com/schemas/",
)


def own_models() -> list[type[Model]]:
    return [
        model
        for model in apps.get_models()
        if model.__module__.split(".")[0] in APPS and not model._meta.proxy
    ]


def own_files(*suffixes: str) -> Iterator[Path]:
    for name in APPS:
        for path in sorted((ROOT / name).rglob("*")):
            if path.suffix in suffixes and "__pycache__" not in path.parts:
                yield path


# --- templates ------------------------------------------------------------------------------


def test_no_template_is_unused():
    sources = [path.read_text() for path in own_files(".py")]
    sources += [path.read_text() for path in TEMPLATES.rglob("*") if path.is_file()]
    everything = "\n".join(sources)
    unused = []
    for path in sorted(TEMPLATES.rglob("*")):
        if not path.is_file():
            continue
        name = str(path.relative_to(TEMPLATES))
        # A mail is named without its three endings, as in `newsletter/emails/confirm`.
        mail = re.sub(r"(\.subject)?\.(txt|html)$", "", name) if "emails/" in name else name
        if name in FOUND_BY_NAME or f'"{name}"' in everything or f'"{mail}"' in everything:
            continue
        unused.append(name)
    assert unused == []


def test_every_mail_has_a_subject_a_text_and_a_page():
    for folder in TEMPLATES.rglob("emails"):
        names = {path.name for path in folder.iterdir()}
        mails = {name.removesuffix(".subject.txt") for name in names if "subject" in name}
        for mail in mails:
            assert {f"{mail}.txt", f"{mail}.html"} <= names, (folder, mail)


def test_every_component_says_what_it_takes():
    for path in sorted((TEMPLATES / "components").glob("*.html")):
        first = path.read_text().splitlines()[0]
        assert re.match(r"\{# .+ #\}", first), f"{path.name} begins without a comment"


@pytest.mark.django_db
def test_every_component_is_shown_in_the_style_guide():
    """Its page lists each file; here each has samples, but for what nobody sees by itself."""
    names = {path.stem for path in (TEMPLATES / "components").glob("*.html")}
    shown = styleguide.samples(None)
    assert set(shown) | NOT_BY_ITSELF == names
    assert {name for name, some in shown.items() if not some} <= NOT_BY_ITSELF


def test_components_see_only_what_they_are_given():
    loose = []
    for path in sorted(TEMPLATES.rglob("*.html")):
        for tag in re.findall(r"\{% include \"components/[^%]*%\}", path.read_text()):
            if not re.search(r"\bonly %\}$", tag):
                loose.append((path.name, tag))
    assert loose == []


def test_no_template_goes_around_the_strict_policy_or_the_filter():
    """No inline script or style, no handler, and `|safe` nowhere (trust.md, Headers)."""
    found = []
    for path in sorted(TEMPLATES.rglob("*.html")):
        if "emails" in path.parts:
            continue  # mail programs know no style sheets
        text = re.sub(r"\{#.*?#\}", "", path.read_text())
        for rule in (r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/(ld\+)?json\")", r"<style",
                     r"\sstyle=", r"\son\w+=", r"\|\s*safe\b", r"autoescape off"):  # fmt: skip
            if re.search(rule, text):
                found.append((str(path.relative_to(TEMPLATES)), rule))
    assert found == []


def test_no_page_asks_another_host_for_anything():
    """Readers in Jinzhou cannot load it, and it would tell others who reads."""
    loads = re.compile(
        r"""(?:src|srcset|action|poster|data)=["']?\s*(?:https?:)?//|url\(\s*["']?(?:https?:)?//"""
        r"""|@import\s+["'](?:https?:)?//|<link[^>]+href=["'](?:https?:)?//""",
        re.IGNORECASE,
    )
    files = [*TEMPLATES.rglob("*.html"), *STATIC.rglob("*.css"), *STATIC.rglob("*.svg")]
    assert len(files) > 50
    assert [path.name for path in files if loads.search(path.read_text())] == []


def test_templates_and_style_sheets_name_no_other_host():
    found = []
    for path in [*TEMPLATES.rglob("*"), *STATIC.glob("site/*.css"), *STATIC.glob("admin_site/*")]:
        if not path.is_file():
            continue
        for url in re.findall(r"https?://[^\s\"'<>)]*", path.read_text()):
            if not url.startswith(NEVER_FETCHED):
                found.append((path.name, url))
    assert found == []


# --- models and their admin -----------------------------------------------------------------


def test_every_model_is_in_the_admin_or_inside_a_page_of_it():
    registered = {model for model in own_models() if admin.site.is_registered(model)}
    missing = {model._meta.label for model in own_models() if model not in registered}
    assert missing == set(INLINE_ONLY)
    inlines = {
        inline.model._meta.label
        for model in registered
        for inline in admin.site.get_model_admin(model).inlines
    }
    assert set(INLINE_ONLY) <= inlines


def test_every_public_model_has_an_address_of_its_own():
    public = [model for model in own_models() if issubclass(model, Publishable)]
    assert len(public) >= 6
    without = [model.__name__ for model in public if "get_absolute_url" not in vars(model)]
    assert without == []


def test_every_list_of_the_staff_pages_is_set_up_on_purpose():
    wanted = ("list_display", "search_fields", "list_filter", "ordering", "list_select_related")
    missing = []
    for model in own_models():
        if not admin.site.is_registered(model):
            continue
        site_admin = admin.site.get_model_admin(model)
        ours = [
            base
            for base in type(site_admin).__mro__
            if base.__module__.split(".")[0] in APPS
        ]  # fmt: skip
        for name in wanted:
            if not any(name in vars(base) for base in ours):
                missing.append((model.__name__, name))
    assert missing == []


@pytest.fixture
def by_boss(rf, admin_user):
    """A request of somebody who may do everything that is possible at all."""
    request = rf.get("/admin/")
    request.user = admin_user
    return request


def test_every_foreign_key_in_the_admin_is_chosen_by_search(by_boss):
    plain = []
    for model in own_models():
        if not admin.site.is_registered(model):
            continue
        site_admin = admin.site.get_model_admin(model)
        if not site_admin.has_change_permission(by_boss):
            continue  # read only
        shown = {name for _, block in site_admin.fieldsets or () for name in block["fields"]}
        special = {*site_admin.autocomplete_fields, *site_admin.raw_id_fields}
        special |= {*site_admin.get_readonly_fields(by_boss), *site_admin.radio_fields}
        for field in (*model._meta.fields, *model._meta.many_to_many):
            is_chosen = field.is_relation and field.editable and (not shown or field.name in shown)
            if is_chosen and field.name not in special:
                plain.append(f"{model.__name__}.{field.name}")
    assert plain == []


def test_every_list_and_every_form_of_the_staff_pages_opens(admin_client, site, by_boss):
    broken = []
    for model in own_models():
        if not admin.site.is_registered(model):
            continue
        label = f"{model._meta.app_label}_{model._meta.model_name}"
        site_admin = admin.site.get_model_admin(model)
        may_add = 200 if site_admin.has_add_permission(by_boss) else 403
        for address, wanted in (
            (reverse(f"admin:{label}_changelist"), 200),
            (reverse(f"admin:{label}_changelist") + "?q=a", 200),
            (reverse(f"admin:{label}_add"), may_add),
        ):
            answer = admin_client.get(address).status_code
            if answer != wanted:
                broken.append((address, answer))
    assert broken == []


# --- migrations -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_no_migration_is_pending():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def own_operations() -> Iterator[tuple[str, migrations.operations.base.Operation]]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    for (app, name), migration in loader.disk_migrations.items():
        if type(migration).__module__.split(".")[0] in APPS:
            for operation in migration.operations:
                yield f"{app}.{name}", operation


def test_every_migration_can_be_taken_back():
    one_way = [where for where, operation in own_operations() if not operation.reversible]
    assert one_way == []


def test_the_operations_of_our_migrations_are_looked_at():
    assert len(list(own_operations())) > 20


# --- imports and words ----------------------------------------------------------------------


def test_imports_point_one_way():
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout


def test_no_app_listens_to_signals_of_another():
    """Calls can be read; a signal between our own apps cannot be found from its cause.

    Django's own `post_delete` has one listener: files go with their rows (decision 9).
    """
    listening = [
        path.name
        for path in own_files(".py")
        if re.search(r"models\.signals|m2m_changed|@receiver", path.read_text())
    ]
    assert listening == ["apps.py"]


def test_money_is_never_a_float():
    """No float field, no call of float, no division of cents that makes one."""
    found = []
    for path in own_files(".py"):
        if path.parts[len(ROOT.parts)] != "donations" or "sandbox" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            is_field = isinstance(node, ast.Attribute) and node.attr == "FloatField"
            is_call = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "float"
            is_division = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
            if is_division:
                names = {getattr(part, "id", getattr(part, "attr", "")) for part in ast.walk(node)}
                is_division = any(name.endswith("cents") for name in names)
            if is_field or is_call or is_division:
                found.append((path.name, node.lineno))
    assert found == []


def test_modules_are_named_after_what_they_do():
    vague = {"services", "utils", "helpers", "core", "common", "misc"}
    assert [path.name for path in own_files(".py") if path.stem in vague] == []
