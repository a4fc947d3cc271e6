"""Words under pictures of children that may name a child or its school."""

import pytest

from cities.models import Place
from exchanges import captions
from exchanges.models import Photo

KNOWN = ["Twin Pagodas", "Jinzhou", "锦州"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mary Murphy shows her drawing.", ["Mary Murphy"]),
        ("Her drawing, shown by Mary Murphy", ["Mary Murphy"]),
        ("Anna de Souza and Seán Ó Briain", ["Anna de Souza", "Seán Ó Briain"]),
        ("MARY MURPHY", ["MARY MURPHY"]),
        ("Mary O’Connor-Lee", ["Mary O’Connor-Lee"]),
        ("Mary M. waves", ["Mary M."]),
        ("Айгерим Серикова рисует", ["Айгерим Серикова"]),
        ("Әсел Қасымова", ["Әсел Қасымова"]),
        ("王小明同学在画画", ["王小明同学"]),
        ("这是小红小朋友", ["这是小红小朋友"]),
        ("Lunch at Ralston Elementary School", ["Ralston Elementary School", "School"]),
        ("in the kindergarten", ["kindergarten"]),
        ("Scoil Mhuire, Midleton", ["Scoil Mhuire", "Scoil"]),
        ("锦州小学的孩子们", ["小学"]),
        ("幼儿园", ["幼儿园"]),
        ("Қызылорда мектебі", ["мектебі"]),
        ("Дети у школы", ["школы"]),
        ("Der Lehrer in der Grundschule", ["Der Lehrer", "Grundschule"]),
    ],
)
def test_names_and_schools_are_noticed(text, expected):
    assert captions.suspicious(text, known=KNOWN) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Children in the garden",
        "Mary shows her drawing",
        "Tom and Ann sing. Bob dances.",
        "At the Twin Pagodas",
        "The Jinzhou children",
        "Two children at Jinzhou",
        "Monday Morning",
        "Lunch. Tom sings",
        "两个小朋友在玩",
        "锦州小朋友",
        "小朋友们",
        "孩子们在公园里",
        "Schooner in the harbor",
        "дети в саду",
    ],
)
def test_ordinary_words_are_not(text):
    assert captions.suspicious(text, known=KNOWN) == []


def test_long_words_are_looked_at_quickly():
    for text in ("A" * 250, "Aa " * 83, "A." * 125, "同学" * 125, "a-" * 125, "De " * 83):
        captions.suspicious(text, known=KNOWN)


@pytest.fixture
def gallery(home_city, make_gallery, jinzhou):
    Place.objects.create(city=jinzhou, name="Ancient Tower", text="Old.")
    Place.objects.create(city=home_city, name="Olde Town", native_name="", text="Old.")
    return make_gallery()


def test_the_names_of_both_cities_and_their_places_are_known(
    gallery, make_city, django_assert_num_queries
):
    make_city("Midleton")
    with django_assert_num_queries(2):
        known = captions.names_known_to(gallery)
    assert {"Jinzhou", "锦州", "Arvada", "Ancient Tower", "Olde Town", "Colorado"} <= set(known)
    assert "Midleton" not in known
    assert known == sorted(known, key=len, reverse=True)
    assert captions.suspicious("At Olde Town, Arvada and Ancient Tower", known=known) == []


def photo(**fields) -> Photo:
    return Photo(**{"people": "minors", "picture_caption": "Mary Murphy", **fields})


@pytest.mark.parametrize(
    ("people", "expected"), [("minors", ["Mary Murphy"]), ("adults", []), ("none", []), ("", [])]
)
def test_only_pictures_of_children_are_asked_about(people, expected):
    assert captions.doubts(photo(people=people), known=[]) == expected


def test_the_description_is_looked_at_too():
    assert captions.doubts(photo(picture_caption="", picture_alt="School"), known=[]) == ["School"]


def test_what_was_confirmed_is_not_asked_again_until_it_changes():
    """Captions of minors with a surname or school ask again (issue 3, Consent)."""
    asked = photo()
    captions.confirm(asked)
    assert captions.doubts(asked, known=[]) == []
    asked.picture_alt = "a girl"
    assert captions.doubts(asked, known=[]) == ["Mary Murphy"]
    captions.confirm(asked)
    asked.picture_caption = "Mary Murphy "
    assert captions.doubts(asked, known=[]) == ["Mary Murphy"]
