"""Words under pictures of children: do they seem to name a child or its school?

A person answers; this only knows when to ask (issue 3, Consent). It asks too often rather than
too seldom, and not again for words that were confirmed.
"""

import calendar
import hashlib
import re
from collections.abc import Collection
from typing import cast

from django.db.models import Q
from django_countries.fields import Country

from cities.models import City, Place
from exchanges.models import Gallery, Photo

# Words that begin a sentence with a capital letter and are no name; so are months and weekdays.
BEGINNINGS = """
a an the this that these those our their his her its my your some all both each every many
one two three four five six seven eight nine ten twelve at in on by for from with without
after before during near under over and or but as when while where here there who what how
children pupils students girls boys teenagers kids friends teacher teachers visitors guests
first second third last day morning noon evening night lunch dinner supper we they he she
mayor governor delegation city town street
"""
ORDINARY = {
    word.lower()
    for words in (BEGINNINGS.split(), calendar.month_name, calendar.day_name, calendar.day_abbr)
    for word in words
}
# What stands between a first name and a surname without a capital letter.
PARTICLES = (
    r"(?:de|da|do|dos|del|della|di|du|la|le|van|von|der|den|ten|al|el|bin|ibn|ben|ni|nic|ui)"
)
WORD = r"[^\W\d_](?:[^\W\d_]|[’'\-](?=[^\W\d_]))*"
RUN = re.compile(rf"{WORD}(?:\.?[ \t\u00a0]+{WORD})*")
SCHOOLS = re.compile(
    r"\b(?:pre|high|grade|elementary)?(?:schools?|academy|academies|colleges?|lyceums?"
    r"|kindergartens?|preschools?|nurser(?:y|ies)|montessori|crèches?"
    r"|scoil(?:eanna)?|gaelscoil(?:eanna)?|coláiste|naíonra"
    r"|schulen?|grundschule|kindergärten|collège|lycée|école|escuela|colegio)\b"
    r"|\b(?:школ|лице[йяею]|гимнази|детск\w+ сад|садик|училищ|мектеп|мектеб|балабақша)\w*"
    r"|学校|學校|小学|小學|中学|中學|高中|初中|学院|學院|幼儿园|幼兒園",
    re.IGNORECASE,
)
CHINESE_SIGN = re.compile(r"[一-鿿]")
# Two to four characters, then what a child is called; not “two friends”, “these classmates”.
CHINESE = re.compile(r"[一-鿿]{2,4}(?<![个個位名些群班的和与與多各全们們国國])(?:同学|同學|小朋友)")


def names_known_to(gallery: Gallery) -> list[str]:
    """Names of the gallery's city, of the home city and of their places. Two queries."""
    cities = City.objects.filter(
        Q(pk=gallery.city_id) | Q(relationship=City.Relationship.HOME)
    ).only("name", "native_name", "other_names", "region", "country")
    names = []
    for city in cities:
        others = city.other_names.split(",")
        country = cast(Country, city.country).name
        names += [city.name, city.native_name, city.region, country, *others]
    places = Place.objects.filter(city__in=[city.pk for city in cities])
    for row in places.values_list("name", "native_name"):
        names += row
    return sorted({name.strip() for name in names} - {""}, key=len, reverse=True)


def suspicious(text: str, *, known: Collection[str]) -> list[str]:
    """What in a text looks like the full name of a person or like a school, as it stands there.

    A full name is two capitalized words in a row, the first of a sentence counted only if it is
    no ordinary word, or two to four Chinese characters before 同学 or 小朋友. Words of `known`,
    the names of cities and places, the longest first, are not looked at.
    """
    schools = [found[0] for found in SCHOOLS.finditer(text)]
    for name in known:
        # Chinese puts no blanks between words.
        edge = "" if CHINESE_SIGN.match(name) else r"\b"
        text = re.sub(f"{edge}{re.escape(name)}{edge}", "\n", text, flags=re.IGNORECASE)
    chinese = [found[0] for found in CHINESE.finditer(text)]
    return [*dict.fromkeys([*_full_names(text), *chinese, *schools])]


def _full_names(text: str) -> list[str]:
    found = []
    for run in RUN.finditer(text):
        name: list[str] = []
        for word in [*run[0].split(), ""]:
            is_name = word[:1].isupper() and word.lower().rstrip(".") not in ORDINARY
            if is_name or (name and re.fullmatch(PARTICLES, word)):
                name.append(word)
                continue
            if sum(part[0].isupper() for part in name) > 1:
                found.append(" ".join(name))
            name = []
    return found


def doubts(photo: Photo, *, known: Collection[str]) -> list[str]:
    """What somebody must look at before these words may be saved with this photo of children.

    Empty for other photos, and for words that were confirmed as they are.
    """
    if photo.people != Photo.People.MINORS or photo.confirmed_caption == _print_of(photo):
        return []
    texts = (photo.picture_caption, photo.picture_alt)
    return [*dict.fromkeys(word for text in texts for word in suspicious(text, known=known))]


def confirm(photo: Photo) -> None:
    """Remembers that these very words name no child and no child's school; does not save."""
    photo.confirmed_caption = _print_of(photo)


def _print_of(photo: Photo) -> str:
    """A fingerprint: caption and description together are longer than the column."""
    words = f"{photo.picture_caption}\0{photo.picture_alt}"
    return hashlib.sha256(words.encode()).hexdigest()
