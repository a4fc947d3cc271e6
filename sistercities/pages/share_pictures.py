"""The picture of any public page, for other sites that show a link to it."""

from typing import Any

from django.core.files.storage import storages
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from cities.models import City
from donations.models import Campaign
from exchanges.models import Event, Gallery, Photo, Visit
from sistercities.news.models import Article
from sistercities.pages.models import Page
from sistercities.shared.cards import Card, gather
from sistercities.shared.headers import stored_briefly
from sistercities.shared.images import WIDEST, rendition_name
from sistercities.shared.share_pictures import SIZES, Label, drawn
from sistercities.shared.site import current_site
from sistercities.shared.stored_files import PUBLIC

CIVIC = "#1a4f4b"
SHARED: dict[str, Any] = {
    "city": City, "visit": Visit, "gallery": Gallery, "event": Event, "article": Article,
    "campaign": Campaign, "page": Page,
}  # fmt: skip
# How a city knows of such a row: its flag and colour stand in the picture.
OF_CITY = {
    "city": "pk", "visit": "visits", "gallery": "galleries", "event": "events",
    "article": "articles", "campaign": "visits__campaigns",
}  # fmt: skip


@require_safe
@stored_briefly
def share_picture(request: HttpRequest, shape: str, kind: str, slug: str) -> HttpResponse:
    """Three questions and a drawing; 404 for what visitors may not see."""
    if shape not in SIZES or kind not in SHARED:
        raise Http404
    cards = gather(SHARED[kind].objects.published().filter(slug=slug).cards())[kind]
    if not cards:
        raise Http404
    (card,) = cards
    city = _city(card)
    label = Label(
        title=card.title,
        native=card.native,
        site=current_site(request).short_name,
        country=str(city.country) if city else "",
        accent=city.accent if city else CIVIC,
    )
    return HttpResponse(drawn(shape, label, _photo(card)), content_type="image/jpeg")


def _city(card: Card) -> City | None:
    if card.kind not in OF_CITY:
        return None
    cities = City.objects.published().filter(**{OF_CITY[card.kind]: card.pk})
    return cities.order_by("name", "pk").first()


def _photo(card: Card) -> bytes | None:
    """Its picture, if the file is there. Of a gallery: what consent lets other sites show."""
    item: Card | Photo | None = card
    if card.kind == "gallery":
        photos = Photo.objects.shown().allowed_on_other_sites().filter(gallery=card.pk)
        item = photos.cover_first().first()
    if not item or not item.picture or not item.picture_width:
        return None
    name = rendition_name(str(item.picture), item.picture_width, WIDEST, ".jpg")
    try:
        with storages[PUBLIC].open(name) as file:
            return file.read()
    except FileNotFoundError:
        return None
