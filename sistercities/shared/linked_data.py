"""What search engines and other programs read of a page: schema.org's words, for JSON-LD."""

from typing import Any

from django.conf import settings

from sistercities.shared.addresses import absolute
from sistercities.shared.sharing import share_picture

CONTEXT = "https://schema.org"


def of_page(row: Any, kind: str, name: str, description: str, **more: Any) -> dict[str, Any]:
    """The words that every public row has, and `more`; what is empty is left out."""
    return told(
        {
            "@context": CONTEXT,
            "@type": kind,
            "name": name,
            "description": description,
            "url": absolute(row.get_absolute_url()),
            "image": absolute(share_picture(row, "wide")),
            **more,
        }
    )


def us() -> dict[str, Any]:
    """The organisation, by the address at which the front page tells of it."""
    return {"@type": "NGO", "@id": f"{settings.SITE_URL}/#organization"}


def breadcrumbs(steps: list[tuple[Any, str]]) -> dict[str, Any]:
    """`steps` are names and paths from the front page on; the last one is this page, without."""
    items = [
        told(
            {
                "@type": "ListItem",
                "position": number,
                "name": str(name),
                "item": absolute(path) if path else "",
            }
        )
        for number, (name, path) in enumerate(steps, start=1)
    ]
    return {"@context": CONTEXT, "@type": "BreadcrumbList", "itemListElement": items}


def told(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value not in ("", None, [])}
