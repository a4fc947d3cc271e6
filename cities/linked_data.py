"""What search engines and other programs read of a city: schema.org's words, as JSON-LD."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django_countries import countries

from cities.models import City
from sistercities.shared.addresses import absolute

CONTEXT = "https://schema.org"


def of_city(city: City) -> dict[str, Any]:
    """A `City` and the `BreadcrumbList` of its page. It tells no more than the page does."""
    cities = absolute(reverse("cities:list"))
    names = [city.native_name, *city.other_names.split(",")]
    thing = {
        "@type": "City",
        "name": city.name,
        "alternateName": [name.strip() for name in names if name.strip()],
        "geo": {
            "@type": "GeoCoordinates",
            "latitude": float(city.latitude),
            "longitude": float(city.longitude),
        },
        "containedInPlace": {"@type": "Country", "name": countries.name(str(city.country))},
    }
    trail = {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": 1, "name": _("Cities"), "item": cities},
            {"@type": "ListItem", "position": 2, "name": city.name},
        ],
    }
    told = {name: value for name, value in thing.items() if value not in ("", [])}
    return {"@context": CONTEXT, "@graph": [told, trail]}
