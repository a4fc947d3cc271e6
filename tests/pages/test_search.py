"""What is found, what is not, and what no question can break. Runs alike on both databases."""

import datetime as dt
import re

import pytest

from cities.models import City, Person, Place
from donations.models import Campaign
from exchanges.models import Event, Gallery, Photo, Visit
from sistercities.news.models import Article
from sistercities.newsletter.models import Issue
from sistercities.newsletter.rendering import impersonal_words
from sistercities.pages.models import Document, Page
from sistercities.pages.search import normalise, plain_piece, search

SHOWN = {"status": "published"}


@pytest.fixture
def jinzhou(make_city):
    return make_city(
        "Jinzhou", native_name="锦州", native_language="zh-Hans", other_names="Chinchow, 錦州",
        summary="A port, a tide and a night market.", region="Liaoning",
    )  # fmt: skip


@pytest.fixture
def kyzylorda(make_city):
    return make_city(
        "Kyzylorda", native_name="Қызылорда", native_language="kk", country="KZ",
        other_names="Qyzylorda, Kzyl-Orda, Кызылорда", summary="Steppe and the Syr Darya.",
        region="Kyzylorda Region", latitude="44.85", longitude="65.51", time_zone="Asia/Qyzylorda",
    )  # fmt: skip


@pytest.fixture
def everything(site, home_city, jinzhou, kyzylorda):
    visit = Visit.objects.create(
        title="The gardens of the exposition", slug="gardens", city=jinzhou, direction="outbound",
        stage="completed", starts_on=dt.date(2013, 9, 7), ends_on=dt.date(2013, 9, 11),
        summary="Five days.", story="<p>We saw a <strong>greenhouse</strong>.</p>", **SHOWN,
    )  # fmt: skip
    Gallery.objects.create(
        title="Album of 2013", slug="album", city=jinzhou, visit=visit, summary="Pictures.",
        taken_on=dt.date(2013, 9, 7), **SHOWN,
    )  # fmt: skip
    Event.objects.create(
        title="Nauryz supper", slug="nauryz", native_title="Наурыз", native_language="kk",
        summary="Eat with us.", body="<p>Bring bread.</p>", city=kyzylorda, place="Town hall",
        starts_on=dt.date(2027, 3, 21), **SHOWN,
    )  # fmt: skip
    article = Article.objects.create(
        headline="A bus is bought", slug="bus", lead="For the guests.",
        body='<p>At <a href="https://hidden.example/title">the station</a>. AT&amp;T gave.</p>',
        publish_at=dt.datetime(2026, 1, 2, tzinfo=dt.UTC), **SHOWN,
    )  # fmt: skip
    article.cities.add(kyzylorda)
    Page.objects.create(
        title="About us", slug="about", lede="Who we are.", body="<p>Volunteers.</p>", **SHOWN
    )


def found(text: str) -> dict[str, list[str]]:
    return {group.kind: [card.title for card in group.cards] for group in search(text).groups}


OF_JINZHOU = {
    "city": ["Jinzhou"],
    "visit": ["The gardens of the exposition"],
    "gallery": ["Album of 2013"],
}
OF_KYZYLORDA = {"city": ["Kyzylorda"], "event": ["Nauryz supper"], "article": ["A bus is bought"]}


@pytest.mark.parametrize(
    "text", ["锦州", "Jinzhou", "jinzhou", "JINZHOU", " Jinzhou ", "錦州", "Chinchow", "Jinz"]
)
def test_jinzhou_is_found_in_every_spelling(everything, text):
    assert found(text) == OF_JINZHOU


@pytest.mark.parametrize(
    "text",
    ["Қызылорда", "қызылорда", "ҚЫЗЫЛОРДА", "Qyzylorda", "qyzylorda", "Kyzylorda", "KYZYLORDA",
     "Kzyl-Orda", "Кызылорда", "кызылорда", "Ｋyzylorda"],
)  # fmt: skip
def test_kyzylorda_is_found_in_every_spelling(everything, text):
    assert found(text) == OF_KYZYLORDA


@pytest.mark.parametrize("text", ["Jinchang", "金昌", "jinchang gansu", "Jinzhouu", "Kyzyl Kum"])
def test_a_city_that_resembles_is_not_found(everything, text):
    assert found(text) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("night market", {"city": ["Jinzhou"]}),
        ("market night", {"city": ["Jinzhou"]}),
        ("night steppe", {}),
        ("liaoning", {"city": ["Jinzhou"]}),
        ("gardens jinzhou", {"visit": ["The gardens of the exposition"]}),
        ("greenhouse", {"visit": ["The gardens of the exposition"]}),
        ("наурыз", {"event": ["Nauryz supper"]}),
        ("town hall", {"event": ["Nauryz supper"]}),
        ("bread", {"event": ["Nauryz supper"]}),
        ("station", {"article": ["A bus is bought"]}),
        ("AT&T", {"article": ["A bus is bought"]}),
        ("volunteers", {"page": ["About us"]}),
        ("about", {"page": ["About us"]}),
    ],
)
def test_every_word_must_stand_somewhere(everything, text, expected):
    assert found(text) == expected


@pytest.mark.parametrize("text", ["strong", "href", "noopener", "blockquote"])
def test_the_markup_of_a_text_is_not_its_words(everything, text):
    assert found(text) == {}


def test_a_word_that_is_also_markup_is_found_in_the_text(everything):
    Page.objects.create(title="T", slug="t", body="<p>A strong and open title.</p>", **SHOWN)
    for word in ("strong", "open", "title"):
        assert found(word)["page"] == ["T"]


LATER = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize("state", [{"status": "draft"}, {"publish_at": LATER}])
def test_what_visitors_may_not_see_is_not_found(everything, state):
    for model in (Visit, Gallery, Event, Article, Page):
        model.objects.update(**state)
    assert found("Jinzhou") == {"city": ["Jinzhou"]}
    assert found("about") == {}


def test_the_exact_name_comes_first_and_the_newest_next(site, jinzhou):
    for number, (title, year) in enumerate(
        [("Harbor in winter", 2011), ("Old harbor", 2015), ("Harbor", 2001), ("A harbor", 2020)]
    ):
        Visit.objects.create(
            title=title, slug=f"v{number}", city=jinzhou, direction="inbound", stage="completed",
            starts_on=dt.date(year, 1, 1), summary="s", **SHOWN,
        )  # fmt: skip
    assert found("harbor") == {"visit": ["Harbor", "Harbor in winter", "A harbor", "Old harbor"]}


def test_at_most_twenty_of_a_kind_and_the_exact_name_is_among_them(site):
    for number in range(30):
        Page.objects.create(title=f"Bridge {number:02}", slug=f"b{number}", **SHOWN)
    Page.objects.create(title="bridge", slug="exact", order=99, **SHOWN)
    (group,) = search("Bridge").groups
    assert len(group.cards) == 20
    assert group.is_cut
    assert group.cards[0].slug == "exact"


def test_percent_and_underscore_are_signs_like_others(site):
    Page.objects.create(title="100% wool_silk", slug="wool", **SHOWN)
    Page.objects.create(title="Other", slug="other", **SHOWN)
    assert found("100%") == {"page": ["100% wool_silk"]}
    assert found("l_s") == {"page": ["100% wool_silk"]}
    assert found("\\") == {}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", ""),
        ("   \t\n ", ""),
        ("\x00", ""),
        ("a\x00b", "a b"),
        ("a\u200bb \u202eevil", "ab evil"),
        ("\ud800x", "x"),
        ("Ｊｉｎｚｈｏｕ", "Jinzhou"),
        ("１２３", "123"),
        ("e\u0301", "é"),
        (" a  b ", "a b"),
        ("a b c d e f g h i j", "a b c d e f g h"),
        ("x" * 10_000, "x" * 100),
        (" " * 10_000 + "x", "x"),
        ("ﷺ" * 10_000, ("صلى الله عليه وسلم" * 8)[:100].rstrip()),
    ],
)
def test_how_a_question_is_read(text, read):
    asked = normalise(text)
    if "ﷺ" in text:
        assert len(asked) <= 100 and len(asked.split()) <= 8
    else:
        assert asked == read


HOSTILE = [
    "x" * 10_000, "锦" * 10_000, "a " * 5_000, "Қ" * 100, "қ ә ғ ү ұ һ і ө", "'", '"', "''--", "\\",
    "%", "_", "%" * 100, "' OR 1=1 --", "a AND b", "a OR", "NOT", "NEAR(", "*", "a*", '"a', "(",
    "[", "{{ 7|add:7 }}", "{% now 'Y' %}", "<script>alert(1)</script>", "&lt;", "&amp;", "\x00",
    "a\x00b", "\x1b", "\ufffe", "\uffff", "😀", "\u202e", "e\u0301" * 100, ";", "$1", "?", ":a",
    "%s", "%(a)s", "\\%", "^[a-z", "(?i)x", "h3", "a b i p", "<", ">", "/", "../../etc",
]  # fmt: skip


def test_any_text_is_an_answer(client, everything):
    for text in HOSTILE:
        search(text)
    for text in (
        "<script>alert(1)</script>",
        "x" * 10_000,
        "\x00",
        "%(a)s {{ 7|add:7 }}",
        "' OR '",
    ):
        response = client.get("/search/", {"q": text})
        assert response.status_code == 200, text
        assert "<script>alert" not in response.content.decode()


def test_any_query_string_is_an_answer(client, everything):
    for query in ("q=%ff%fe", "q=%00", "q", "q=a&q=b", "other=1", "q[]=a", "%"):
        assert client.get(f"/search/?{query}").status_code == 200, query


@pytest.mark.parametrize(("text", "queries"), [("jinzhou", 4), ("jinchang", 4), ("tide", 3)])
def test_the_page_asks_the_same_questions_of_few_rows_and_many(
    client, everything, django_assert_num_queries, text, queries
):
    """Site, header and footer, all tables at once; then excerpts, or names to ask back."""
    for rows in (0, 40):
        Page.objects.bulk_create(
            [Page(title=f"Jinzhou {n}", slug=f"p{n}", **SHOWN) for n in range(rows)]
        )
        with django_assert_num_queries(queries):
            client.get("/search/", {"q": text})


def test_what_has_no_page_of_its_own_is_found_where_it_stands(everything, client):
    city = City.objects.get(slug="jinzhou")
    Place.objects.create(city=city, name="Bijiashan", native_name="笔架山", text="At low tide.")
    Person.objects.create(city=city, name="Zhang Zuolin", known_for="Rules the tide of the north.")
    gallery = Gallery.objects.get()
    Photo.objects.bulk_create(
        [Photo(pk=7, gallery=gallery, picture="a.webp", picture_alt="The tide", people="none"),
         Photo(pk=8, gallery=gallery, picture="b.webp", picture_alt="Tide, but secret", people="")]
    )  # fmt: skip
    Campaign.objects.create(
        title="Boots", slug="boots", summary="For the tide.", goal_cents=100, **SHOWN
    )
    Document.objects.create(title="Tide table", slug="tides", kind="report", year=2024, **SHOWN)
    Document.objects.create(title="Tide secret", slug="draft", kind="report", status="draft")
    then = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    sent = {"status": "sent", "began_at": then, "send_at": then, "people": 1}
    subject = "The tide, {{ name }}"
    Issue.objects.create(subject=subject, slug="tide", **sent)
    Issue.objects.create(subject="Tide to come", slug="later", status="draft")
    assert found("tide") == {
        "city": ["Jinzhou"], "place": ["Bijiashan"], "person": ["Zhang Zuolin"],
        "photo": ["The tide"], "campaign": ["Boots"], "issue": [impersonal_words(subject)],
        "document": ["Tide table"],
    }  # fmt: skip
    assert found("笔架山") == {"place": ["Bijiashan"]}
    page = client.get("/search/", {"q": "tide"}).text
    for address in (
        "/cities/jinzhou/#places", "/cities/jinzhou/#people", "/galleries/album/7/",
        "/donate/boots/", "/newsletter/issues/tide/", "/documents/tides.pdf",
    ):  # fmt: skip
        assert f'<a href="{address}">' in page, address
    City.objects.filter(slug="jinzhou").update(status="draft")
    assert "Bijiashan" not in client.get("/search/", {"q": "tide"}).text


def test_the_hit_is_marked_in_the_title_the_summary_or_an_excerpt(client, everything):
    filler = "<p>" + "Words and words. " * 60 + "</p>"
    Visit.objects.update(
        story=f"{filler}<p>A <strong>greenhouse</strong> by the A&amp;B dam, "
        f'<a href="https://x.example/">far</a> &lt;away&gt;.</p>{filler}'
    )
    page = client.get("/search/", {"q": "GREENHOUSE"}).text
    (excerpt,) = re.findall(r"<p>(….*?)</p>", page)
    assert "A <mark>greenhouse</mark> by the A&amp;B dam, far &lt;away&gt;." in excerpt
    assert len(excerpt) < 600
    page = client.get("/search/", {"q": "days gardens"}).text
    assert '<a href="/visits/gardens/">The <mark>gardens</mark> of the exposition</a>' in page
    assert "<p>Five <mark>days</mark>.</p>" in page
    Page.objects.create(title="<b>&", slug="b", lede="a<b>c", **SHOWN)
    page = client.get("/search/", {"q": "<b>"}).text
    assert '<a href="/b/"><mark>&lt;b&gt;</mark>&amp;</a>' in page
    assert "<p>a<mark>&lt;b&gt;</mark>c</p>" in page


@pytest.mark.parametrize(
    ("piece", "read"),
    [
        ("", ""), ("<p>One two</p>", "One two"), ('ef="x">One</p><p cla', "One"),
        ("a &lt;b&gt; &amp; c", "a <b> & c"), ("<p></p>" * 80, "…  …"),
    ],
)  # fmt: skip
def test_a_piece_of_rich_text_is_read_without_its_markup(piece, read):
    assert plain_piece(piece) == read


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Jinchang", ["Jinzhou"]), ("jinzhuo", ["Jinzhou"]), ("Qyzylorka", ["Kyzylorda"]),
        ("Қызылорка", ["Kyzylorda"]), ("Arvata", ["Arvada"]), ("zzzz", []), ("volunteer's", []),
        ("金昌", []), ("x" * 10_000, []),
    ],
)  # fmt: skip
def test_a_name_that_resembles_is_only_asked_back(client, everything, text, meant):
    assert (search(text).groups, search(text).meant) == ([], meant)
    page = client.get("/search/", {"q": text}).text
    assert ("Did you mean" in page) is bool(meant)
    for name in meant:
        assert f'<a href="?q={name}">{name}</a>' in page


def test_an_empty_question_costs_no_search(everything, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert search("  ").groups == []


def test_the_longest_question_fits_the_database(everything):
    assert found("қа әб ғв үг ұд һе іж өз") == {}


def test_the_page_shows_what_was_found(client, everything):
    page = client.get("/search/", {"q": "锦州"}).content.decode()
    assert 'value="锦州"' in page
    assert "3 pages have “锦州”." in page
    assert '<a href="/cities/jinzhou/">Jinzhou</a>' in page
    assert '<span class="native" lang="zh-Hans">锦州</span>' in page.split("<h2")[1]
    assert "September 7 to 11, 2013" in page
    assert '<meta name="robots" content="noindex">' in page
    assert 'rel="canonical"' not in page


def test_only_the_year_is_shown_where_only_the_year_is_on_file(client, everything):
    Visit.objects.update(precision="year", ends_on=None, starts_on=dt.date(2010, 1, 1))
    page = client.get("/search/", {"q": "gardens"}).content.decode()
    assert '<p class="years">2010</p>' in page
    assert "January" not in page.split("</main>")[0]


def test_nothing_found_says_so_and_offers_the_cities(client, everything):
    page = client.get("/search/", {"q": "<b>Jinchang</b>"}).content.decode().split("</main>")[0]
    assert "No page has “&lt;b&gt;Jinchang&lt;/b&gt;”." in page
    assert "Or begin with a city" in page
    assert '<a href="/cities/kyzylorda/">Kyzylorda</a>' in page


def test_before_a_question_there_is_a_form_and_the_cities(client, everything):
    page = client.get("/search/").content.decode().split("</main>")[0]
    assert '<form class="form gap-s" method="get" action="/search/" role="search">' in page
    assert "Begin with a city" in page
    assert "No page has" not in page
    assert "csrf" not in page


def test_a_site_with_nothing_yet_can_be_searched(client, db):
    page = client.get("/search/", {"q": "jinzhou"}).content.decode().split("</main>")[0]
    assert "No page has “jinzhou”." in page
    assert "begin with a city" not in page
