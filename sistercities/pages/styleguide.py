"""/styleguide/: every component with short and long, Chinese and Kazakh content, for staff."""

import re
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from cities.models import City
from sistercities.shared import clock
from sistercities.shared.cards import Card
from sistercities.shared.filtering import Choice
from sistercities.shared.headers import personal

FOLDER = settings.BASE_DIR / "templates" / "components"
LONG = "A still house, a choir and an invitation from the Donaudampfschifffahrtsgesellschaft"
CHINESE = "锦州世界园林博览会的花园"
KAZAKH = "Қызылорданың жас кәсіпкерлері Арвадаға көктемде келеді"
COLOURS = (
    "paper", "paper-2", "paper-3", "wash", "ink", "ink-2", "rule", "edge", "civic", "civic-2",
    "accent", "accent-2", "bad", "good", "focus",
)  # fmt: skip


def samples(city: City | None) -> dict[str, list[dict[str, Any]]]:
    """What each component is shown with. `city` lends its picture, if there is one."""
    today = clock.today()
    cities = [
        _card("city", 1, title="Jinzhou", native="锦州", language="zh-Hans", summary="A port."),
        _card("city", 2, title="Kyzylorda", native="Қызылорда", language="kk", summary=KAZAKH),
        _card("city", 3, title="Midleton", native="Mainistir na Corann", language="ga",
              summary=LONG),
    ]  # fmt: skip
    costs = [
        _card("cost", 1, title="A bus", more={"cents": 210_000}),
        _card("cost", 2, title=LONG, more={"cents": 123_456_789}),
        _card("cost", 3, title=KAZAKH, more={"cents": 1}),
    ]
    update = _card("update", 1, summary=f"{CHINESE}\n\n{LONG}.", on=today)
    tickets = [
        SimpleNamespace(title="Seat", price_cents=2500, split="$10 of it is a gift.", left=3),
        SimpleNamespace(title=LONG, price_cents=1_234_500, split=KAZAKH, left=0),
        SimpleNamespace(title=CHINESE, price_cents=500, split="All of it is a gift.", left=None),
    ]
    row = SimpleNamespace(updated_at=clock.now(), change_note="")
    address = f"{settings.SITE_URL}/styleguide/"
    return {
        "appeal": [
            {"campaign": _campaign(11, "A bus", "Seven seats.", raised=0)},
            {"campaign": _campaign(12, LONG, f"{LONG}. {LONG}.", raised=384_000),
             "costs": costs, "update": update},
            {"campaign": _campaign(13, KAZAKH, CHINESE, raised=600_000), "costs": costs[:1]},
        ],
        "city_links": [{"cities": cities[:1]}, {"cities": cities}],
        "costs": [{"costs": costs[:1]}, {"costs": costs}],
        "crumbs": [
            {"here": "News"},
            {"up": "Visits", "up_url": "/visits/", "up2": CHINESE, "up2_url": "/", "here": LONG},
        ],
        "field": [
            {"field": SampleForm(prefix="field")["name"]},
            {"field": SampleForm({"wrong-email": LONG}, prefix="wrong")["email"]},
        ],
        "filter": [
            {"name": "sample", "label": "City", "all": "All cities", "choices": [
                Choice("a", KAZAKH, False, 1), Choice("b", LONG, True, 1234),
            ]},
        ],
        "find": [{"text": KAZAKH}],
        "guard": [],
        "native": [
            {"text": "锦州", "language": "zh-Hans"}, {"text": KAZAKH, "language": "kk"},
            {"text": "Mainistir na Corann", "language": "ga"},
        ],
        "pager": [
            {"page": SimpleNamespace(previous="", next="after=20"), "first": "/news/"},
            {"page": SimpleNamespace(previous="before=21", next="after=40"),
             "kept": "city=jinzhou", "first": "/visits/"},
        ],
        "picture": [{"item": city, "sizes": "20rem", "upto": 480}] if city else [],
        "plate": [{"item": city, "sizes": "60rem"}] if city else [],
        "progress": [
            {"raised": 0, "goal": 600_000, "percent": 0},
            {"raised": 384_000, "goal": 600_000, "percent": 64, "promised": 72_000,
             "promised_percent": 76},
            {"raised": 123_456_789, "goal": 600_000, "percent": 100},
        ],
        "proof_attrs": [],
        "share": [{"title": f"{CHINESE} {LONG}", "address": address}],
        "signup": [{"source": "/styleguide/"}],
        "social": [],
        "tickets": [{"tickets": tickets, "slug": "supper"}],
        "updated": [
            {"item": row},
            {"item": SimpleNamespace(updated_at=clock.now(), change_note=f"{LONG}. {CHINESE}")},
        ],
    }  # fmt: skip


@dataclass(frozen=True)
class Component:
    """`takes` is its first line: what to hand it. `shown` are its samples, ready for the page."""

    name: str
    takes: str
    shown: list[SafeString]


class SampleForm(forms.Form):
    """Each kind of field once, with help and with errors."""

    name = forms.CharField(label="Name", help_text="As it should stand on the receipt.")
    email = forms.EmailField(label=f"Email, {KAZAKH}")
    city = forms.ChoiceField(label="City", choices=[("", "Choose"), ("j", CHINESE), ("k", LONG)])
    words = forms.CharField(label="Words", required=False, widget=forms.Textarea({"rows": 2}))
    often = forms.ChoiceField(
        label="How often", widget=forms.RadioSelect, choices=[("1", "Once"), ("2", LONG)]
    )
    agrees = forms.BooleanField(label="I agree", help_text="You can take it back at any time.")

    helper = FormHelper()
    helper.form_tag = False
    helper.disable_csrf = True


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """For staff alone: anybody else is led to the sign-in page."""
    if not admin.site.has_permission(request):
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    city = City.objects.published().exclude(picture="").order_by("name", "pk").first()
    shown = samples(city)
    components = [
        Component(
            path.stem,
            re.sub(r"^\{# (.*) #\}$", r"\1", path.read_text().splitlines()[0]),
            [
                render_to_string(f"components/{path.name}", sample, request)
                for sample in shown.get(path.stem, [])
            ],
        )
        for path in sorted(FOLDER.glob("*.html"))
    ]
    context = {
        "components": components,
        "colours": COLOURS,
        "form": SampleForm(prefix="empty"),
        "refused": SampleForm({"refused-email": "x"}, prefix="refused"),
        "long": LONG,
        "chinese": CHINESE,
        "kazakh": KAZAKH,
    }
    return personal(render(request, "pages/styleguide.html", context))


def _card(kind: str, pk: int, **fields: Any) -> Card:
    empty = dict.fromkeys(
        ("title", "native", "language", "summary", "picture", "picture_colour", "picture_alt"), ""
    )
    numbers = dict.fromkeys(("picture_width", "picture_height", "rank"), 0)
    none = {"on": None, "until": None, "picture_has_avif": False}
    values: dict[str, Any] = {"slug": f"sample-{pk}", **empty, **numbers, **none, **fields}
    return Card(kind=kind, pk=pk, **values)


def _campaign(pk: int, title: str, summary: str, *, raised: int) -> Card:
    goal = 600_000
    sums = {"raised": raised, "goal": goal, "percent": raised * 100 // goal}
    return _card("campaign", pk, title=title, summary=summary, more=sums)
