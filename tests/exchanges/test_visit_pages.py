"""Visits as visitors read them."""

import datetime as dt
import re

import pytest
from django.urls import reverse

from donations.models import Campaign, CampaignCost, CampaignUpdate, Donation
from exchanges.models import Day, Event, Gallery, Host, Participant, Photo, Stop, Visit
from sistercities.news.models import Article
from tests.exchanges.conftest import LONG_AGO

SHANGHAI = dt.timezone(dt.timedelta(hours=8))
VISIT_QUERIES = 6  # site, chrome, visit, days and small lists, moments, photos shown
LIST_QUERIES = 6  # site, chrome, cities, first and last day, visits to come, visits behind


def text_of(response) -> str:
    """The page as words, blanks joined."""
    body = re.sub(r"<(script|style).*?</\1>", "", response.text, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def page(client, visit: Visit) -> str:
    response = client.get(visit.get_absolute_url())
    assert response.status_code == 200
    return response.text


def test_visit_page_tells_everything(
    client, site, home_city, make_visit, make_day, make_gallery, make_photo, make_event
):
    visit = make_visit(
        cooperation=["youth", "culture"],
        story="<p>A list of schools.</p>",
        picture="pictures/aa/hero.webp",
        picture_width=1600,
        picture_height=900,
        picture_alt="A painted gate",
        picture_caption="Everyone at the gate.",
        change_note="Names added.",
    )
    make_day(visit, 1)
    Participant.objects.create(
        visit=visit, name="Ann Lee", role="Head", organisation="ASCI", agreed_to_be_named=True
    )
    Participant.objects.create(visit=visit, name="Secret Person", role="Hidden role")
    Host.objects.create(visit=visit, name="City of Jinzhou", native_name="锦州市")
    gallery = make_gallery(visit=visit)
    make_photo(gallery, taken_at=dt.datetime(2013, 9, 7, 9, tzinfo=SHANGHAI))
    make_event("talk", visit=visit)
    Article.objects.create(
        slug="story", headline="A story of it", lead="Lead.", visit=visit, status="published",
        publish_at=LONG_AGO,
    )  # fmt: skip
    Campaign.objects.create(
        slug="appeal", title="Bring them here", visit=visit, status="published",
        publish_at=LONG_AGO, goal_cents=600000, summary="Beds and a bus.",
    )  # fmt: skip
    response = client.get(visit.get_absolute_url())
    words = text_of(response)
    for expected in (
        "The gardens visit", "Five days of gardens.", "September 7 to 11, 2013", "锦州",
        "Liaoning, China", "A delegation from Arvada", "Fields of work: Culture, Youth.",
        "Day 1, Saturday, September 7, 2013", "Title of day 1", "9:05 a.m. Stop of day 1",
        "What came of it", "A list of schools.", "Ann Lee", "Head, ASCI", "City of Jinzhou 锦州市",
        "The talk", "A story of it", "Bring them here", "$6,000", "Everyone at the gate.",
        "The album", "1 picture", "Jinzhou’s turn not yet on the calendar", "Names added.",
    ):  # fmt: skip
        assert expected in words, expected
    assert "Secret" not in response.text
    assert "Hidden role" not in response.text
    assert '<body data-city="jinzhou">' in response.text
    assert 'href="#day-1"' in response.text
    assert response.text.count('fetchpriority="high"') == 1
    assert not response.cookies
    assert "Cookie" not in response.get("Vary", "")


@pytest.mark.parametrize("rows", [2, 20, 200])
def test_visit_page_asks_the_same_number_of_questions_for_few_and_many_rows(
    client, site, home_city, make_visit, make_day, rows,
    django_assert_num_queries,
):  # fmt: skip
    visit = make_visit()
    make_visit("back", direction="inbound", answers=visit, starts_on="2014-01-01", ends_on=None)
    shown = {"visit": visit, "status": "published", "publish_at": LONG_AGO}
    numbers = range(1, rows + 1)
    days = Day.objects.bulk_create([Day(visit=visit, number=n, title=f"D{n}") for n in numbers])
    Stop.objects.bulk_create([Stop(day=day, title="S") for day in days])
    Participant.objects.bulk_create(
        [Participant(visit=visit, name=f"P{n}", agreed_to_be_named=True) for n in numbers]
    )
    Host.objects.bulk_create([Host(visit=visit, name=f"H{n}") for n in numbers])
    galleries = Gallery.objects.bulk_create(
        [Gallery(slug=f"g{n}", title="G", city=visit.city, **shown) for n in numbers]
    )
    Photo.objects.bulk_create(
        [Photo(gallery=g, picture="a/b.webp", picture_alt="A", people="none") for g in galleries]
    )
    Event.objects.bulk_create(
        [Event(slug=f"e{n}", title="E", starts_on=visit.starts_on, **shown) for n in numbers]
    )
    Article.objects.bulk_create([Article(slug=f"a{n}", headline="A", **shown) for n in numbers])
    campaigns = Campaign.objects.bulk_create(
        [Campaign(slug=f"c{n}", title="C", goal_cents=100, **shown) for n in numbers]
    )
    CampaignCost.objects.bulk_create(
        [CampaignCost(campaign=c, what="A bus", amount_cents=100) for c in campaigns]
    )
    CampaignUpdate.objects.bulk_create([CampaignUpdate(campaign=c, text="T") for c in campaigns])
    with django_assert_num_queries(VISIT_QUERIES):
        assert client.get(visit.get_absolute_url()).status_code == 200


def test_hidden_visit_is_nowhere(client, site, make_visit, make_gallery, make_event, hidden):
    visit = make_visit("secret", **hidden)
    shown = make_visit("open", direction="inbound", answers=visit)
    gallery = make_gallery(visit=visit)
    event = make_event(visit=visit)
    assert client.get(visit.get_absolute_url()).status_code == 404
    for address in (
        reverse("exchanges:visits"), "/visits/?city=jinzhou", shown.get_absolute_url(),
        gallery.get_absolute_url(), event.get_absolute_url(),
    ):  # fmt: skip
        response = client.get(address)
        assert response.status_code == 200
        assert "secret" not in response.text


def test_hidden_things_stay_off_their_visit(
    client, site, make_visit, make_gallery, make_photo, make_event, hidden
):
    visit = make_visit()
    make_photo(make_gallery("secret-album", visit=visit, **hidden), "Secret photo")
    make_photo(make_gallery("open", visit=visit), "Secret hidden photo", is_hidden=True)
    make_event("secret-event", visit=visit, **hidden)
    fields = {"publish_at": LONG_AGO, "status": "published", **hidden}
    Article.objects.create(slug="s", headline="Secret article", lead="x", visit=visit, **fields)
    Campaign.objects.create(
        slug="c", title="Secret appeal", summary="x", goal_cents=100, visit=visit, **fields
    )
    assert "ecret" not in page(client, visit)


def test_hidden_city_is_named_but_not_linked(client, site, make_visit, jinzhou):
    visit = make_visit()
    jinzhou.status = "draft"
    jinzhou.save()
    assert "/cities/jinzhou/" not in page(client, visit)


def test_photos_stand_with_the_day_of_the_visited_place(
    client, site, make_visit, make_day, make_gallery, make_photo
):
    """Nine in the evening in Arvada is the next day in Jinzhou."""
    visit = make_visit()
    make_day(visit, 1)
    make_day(visit, 2)
    gallery = make_gallery(visit=visit)
    denver = dt.timezone(dt.timedelta(hours=-6))
    make_photo(gallery, "Second day", taken_at=dt.datetime(2013, 9, 7, 21, tzinfo=denver))
    make_photo(gallery, "Another week", taken_at=dt.datetime(2013, 10, 7, 21, tzinfo=denver))
    make_photo(gallery, "No moment")
    html = page(client, visit)
    second, more = html.index('id="day-2"'), html.index('id="more"')
    assert second < html.index('alt="Second day"') < more
    assert more < html.index('alt="Another week"')
    assert more < html.index('alt="No moment"')


def test_photos_of_guests_stand_with_the_day_at_home(
    client, site, make_visit, make_day, make_gallery, make_photo
):
    visit = make_visit(direction="inbound")
    make_day(visit, 1)
    make_day(visit, 2)
    taken = dt.datetime(2013, 9, 7, 21, tzinfo=dt.timezone(dt.timedelta(hours=-6)))
    make_photo(make_gallery(visit=visit), "First day", taken_at=taken)
    html = page(client, visit)
    assert html.index('id="day-1"') < html.index('alt="First day"') < html.index('id="day-2"')


def rest_of(html: str) -> list[tuple[str, str]]:
    """Where the links under a day's pictures lead, and their words."""
    lines = re.findall(r'<p class="rest">(.*?)</p>', html)
    return [link for line in lines for link in re.findall(r'<a href="([^"]+)">([^<]+)</a>', line)]


def test_long_day_shows_twelve_photos_and_the_way_to_all(
    client, site, make_visit, make_day, make_gallery, make_photo
):
    visit = make_visit()
    gallery = make_gallery(visit=visit)
    for number, count in ((1, 12), (2, 14), (3, 3)):
        make_day(visit, number)
        for n in range(count):
            taken_at = dt.datetime(2013, 9, 6 + number, 9, n, tzinfo=SHANGHAI)
            make_photo(gallery, f"P{number}-{n}", taken_at=taken_at)
    html = page(client, visit)
    assert [html.count(f'alt="P{number}-') for number in (1, 2, 3)] == [12, 12, 3]
    assert rest_of(html) == [("/galleries/album/#day-2", "All 14 pictures of this day")]
    assert 'id="day-2"' in client.get("/galleries/album/").text


def test_long_day_in_two_galleries_leads_to_both(
    client, site, make_visit, make_day, make_gallery, make_photo
):
    """Each link leads to the piece of its gallery in which the day begins."""
    visit = make_visit()
    for number in (1, 2):
        make_day(visit, number)
    one, two = make_gallery("one", visit=visit), make_gallery("two", visit=visit)
    for n in range(24):
        make_photo(one, taken_at=dt.datetime(2013, 9, 7, 9, n, tzinfo=SHANGHAI))
    for n in range(9):
        make_photo(one, f"A{n}", taken_at=dt.datetime(2013, 9, 8, 9, n, tzinfo=SHANGHAI))
        make_photo(two, f"B{n}", taken_at=dt.datetime(2013, 9, 8, 8, n, tzinfo=SHANGHAI))
    html = page(client, visit)
    assert len(re.findall(r'alt="[AB]\d"', html)) == 12
    assert rest_of(html)[1:] == [
        ("/galleries/one/?page=2#day-2", "The one: 9 pictures of this day"),
        ("/galleries/two/#day-2", "The two: 9 pictures of this day"),
    ]


def test_visit_without_days_shows_twelve_photos_and_the_way_to_all(
    client, site, make_visit, make_gallery, make_photo
):
    visit = make_visit()
    gallery = make_gallery(visit=visit)
    for n in range(20):
        make_photo(gallery, f"P{n}", taken_at=dt.datetime(2013, 9, 8, 9, n, tzinfo=SHANGHAI))
    html = page(client, visit)
    assert html.count('<figure class="r') == 12
    assert rest_of(html) == [("/galleries/album/#on-2013-09-08", "All 20 pictures")]


def test_only_a_visit_with_pictures_loads_the_lightbox(
    client, site, make_visit, make_gallery, make_photo
):
    visit = make_visit()
    assert "gallery.js" not in page(client, visit)
    make_photo(make_gallery(visit=visit))
    html = page(client, visit)
    assert "gallery.js" in html
    assert 'data-album="The gardens visit"' in html


@pytest.mark.parametrize(
    ("precision", "shown", "note"),
    [("year", "2013", "only the year is on file"), ("month", "September 2013", "only the month")],
)
def test_visit_shows_no_more_of_its_days_than_is_on_file(
    client, site, make_visit, make_day, make_gallery, make_photo, precision, shown, note
):
    visit = make_visit(precision=precision, ends_on=None)
    make_day(visit, 1)
    gallery = make_gallery(visit=visit)
    make_photo(gallery, "That day", taken_at=dt.datetime(2013, 9, 7, 9, tzinfo=SHANGHAI))
    make_photo(gallery, "Another", taken_at=dt.datetime(2013, 9, 28, 9, tzinfo=SHANGHAI))
    words = text_of(client.get(visit.get_absolute_url()))
    assert f"When {shown} {note}" in words
    for address in (visit.get_absolute_url(), gallery.get_absolute_url(), "/visits/"):
        html = client.get(address).text
        assert "September 7" not in html
        assert "September 28" not in html
        assert "2013-09-" not in html


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Planned. It begins in 160 days."),
        ({"starts_on": "2026-11-22", "direction": "inbound"}, "Planned. It begins tomorrow."),
        ({"starts_on": "2026-11-22"}, "Under way: day 1 of 168."),
        ({"precision": "month"}, "Planned. The days are not settled yet."),
        ({"precision": "month", "stage": "under_way"}, "Under way."),
        ({"starts_on": "2026-11-19", "stage": "under_way", "ends_on": None}, "Under way: day 4."),
        ({"starts_on": "2026-11-19", "ends_on": "2026-11-27"}, "Under way: day 4 of 9."),
        ({"starts_on": "2026-11-10", "ends_on": "2026-11-21"}, "It is over. What came of it will"),
        ({"stage": "cancelled"}, "This visit was canceled."),
    ],
)
def test_visit_says_how_it_stands(client, site, make_visit, fields, words):
    """It is the morning of November 22 in Jinzhou, and still the day before in Arvada."""
    days = {"stage": "planned", "starts_on": "2027-05-01", "ends_on": "2027-05-08"}
    visit = make_visit(story="<p>Seven beds.</p>", **{**days, **fields})
    html = page(client, visit)
    assert words in text_of(client.get(visit.get_absolute_url()))
    assert "What it is for" in html
    assert "What came of it</h2>" not in html


def test_visit_under_way_leads_to_its_day_of_today(client, site, make_visit, make_day):
    """By the clock of the place: the guests in Arvada are one day behind those in Jinzhou."""
    for direction, number in (("outbound", 4), ("inbound", 3)):
        visit = make_visit(
            direction, direction=direction, stage="planned", starts_on=dt.date(2026, 11, 19),
            ends_on=dt.date(2026, 11, 27),
        )  # fmt: skip
        for each in range(1, 10):
            make_day(visit, each)
        html = page(client, visit)
        assert f"day {number} of 9" in html
        assert f'<a href="#day-{number}">Today: Title of day {number}</a>' in html
        today = html.split(f'id="day-{number}"')[1].split("</section>")[0]
        assert "<b>today</b>" in today
        assert html.count("<b>today</b>") == 1


def test_visit_tells_what_gifts_are_for_and_later_what_they_made_possible(client, site, make_visit):
    visit = make_visit()
    shown = {"visit": visit, "status": "published", "publish_at": LONG_AGO, "summary": "S."}
    asks = Campaign.objects.create(slug="asks", title="It asks", goal_cents=300000, **shown)
    asks.costs.create(what="Bus and driver", amount_cents=210000)
    asks.updates.create(text="The bus is booked.", published_on="2026-11-01")
    asks.updates.create(text="Later word.", published_on="2026-12-01")
    over = {**shown, "ends_on": "2014-01-01", "goal_cents": 10000}
    told = Campaign.objects.create(slug="told", title="It came true", **over)
    told.costs.create(what="Beds", amount_cents=9000)
    told.updates.create(text="Older word.", published_on="2014-01-01")
    told.updates.create(text="Eight guests slept well.", published_on="2014-02-03")
    Campaign.objects.create(slug="nothing", title="It got nothing", **over)
    Donation.objects.create(
        campaign=told, amount_cents=8000, state="paid", provider="offline", paid_at=LONG_AGO,
        given_on="2014-01-01",
    )  # fmt: skip
    html = page(client, visit)
    made = html.split('id="gifts"')[1].split("</section>")[0]
    appeal = html.split('class="appeal')[1]
    for words in ("It came true", "$80", "$100", "Beds", "$90", "Eight guests slept well."):
        assert words in made
    for words in ("It asks", "Bus and driver", "$2,100", "The bus is booked.", "/donate/asks/"):
        assert words in appeal
        assert words not in made
    for words in ("It got nothing", "Older word", "Later word"):
        assert words not in html


def test_visit_pairs_with_the_one_it_answers_and_the_one_that_answers_it(client, site, make_visit):
    first = make_visit("first", precision="year")
    second = make_visit("second", direction="inbound", answers=first, ends_on=None)
    assert f'href="{second.get_absolute_url()}"' in page(client, first)
    assert "the return visit" in page(client, first)
    assert f'href="{first.get_absolute_url()}"' in page(client, second)
    assert "2013, the visit that this one answers" in text_of(client.get(second.get_absolute_url()))


def test_visit_texts_are_never_markup(client, site, make_visit, make_day):
    bad = '"><script>alert(1)</script>'
    visit = make_visit(
        title=f"T{bad}", summary=f"S{bad}", story=f"<p>ok{bad}<img src=x onerror=alert(1)></p>"
    )
    make_day(visit, 1, title=f"D{bad}", text=f"<p onclick=alert(1)>{bad}</p>")
    Participant.objects.create(visit=visit, name=f"P{bad}", agreed_to_be_named=True)
    Host.objects.create(visit=visit, name=f"H{bad}", url="https://example.org/")
    html = page(client, visit)
    assert "<script>alert" not in html
    assert "onerror" not in html
    assert "onclick" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 5


@pytest.mark.parametrize(
    "title",
    [
        "锦州世界园林博览会" * 13,
        "Қызылорданың жас кәсіпкерлері Арвадаға көктемде келеді",
        "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 2,
    ],
)
def test_visit_takes_long_titles_in_any_script(client, site, make_visit, title):
    visit = make_visit(title=title[:120])
    assert f'<h1 class="mid">{title[:120]}</h1>' in page(client, visit)
    assert title[:120] in client.get("/visits/").text


def test_visit_list_runs_from_what_comes_to_what_was(client, site, home_city, make_visit):
    make_visit("old", starts_on="2010-01-01", ends_on=None, precision="year")
    make_visit("gone", stage="cancelled", starts_on="2020-04-03", ends_on="2020-04-09")
    make_visit("later", stage="planned", starts_on="2028-01-01", ends_on=None, precision="year")
    make_visit("soon", stage="planned", starts_on="2027-05-01", ends_on=None, direction="inbound")
    make_visit("now", stage="under_way", starts_on="2026-11-18", ends_on="2026-11-21")
    make_visit("middle", starts_on="2013-09-07")
    response = client.get("/visits/")
    slugs = re.findall(r'href="/visits/([a-z]+)/"', response.text)
    assert slugs == ["now", "soon", "later", "gone", "middle", "old"]
    line = response.text.split('class="pairs line"')[1].split("</ol>")[0]
    assert re.findall(r"<h2>([^<]+)</h2>", line) == [
        "Still to come", "2020", "2013", "2010",
    ]  # fmt: skip
    words = text_of(response)
    assert "Canceled." in words
    assert "Jinzhou to Arvada" in words
    assert "Arvada to Jinzhou" in words


def test_visit_list_keeps_one_city(client, site, make_visit, make_city):
    make_visit("gardens")
    midleton = make_city("Midleton", country="IE", time_zone="Europe/Dublin")
    make_visit("choir", city=midleton)
    html = client.get("/visits/?city=midleton").text
    assert "/visits/choir/" in html
    assert "/visits/gardens/" not in html
    assert '<body data-city="midleton">' in html


@pytest.mark.parametrize("city", ["nowhere", "Jinchang", "%00", "jinzhou%00", "'--", "x" * 5000])
def test_visit_list_of_an_unknown_city_says_so(client, site, make_visit, city):
    make_visit()
    response = client.get(f"/visits/?city={city}")
    assert response.status_code == 200
    assert "No visits like that are on file." in response.text
    assert "/visits/gardens/" not in response.text


def test_visit_list_without_visits_says_so(client, site):
    assert "No visits are on file yet." in client.get("/visits/").text


def listed(client, query: str = "") -> list[str]:
    return re.findall(r'<h3><a href="/visits/([\w-]+)/"', client.get(f"/visits/?{query}").text)


def test_the_line_is_kept_to_city_direction_and_decade(client, site, make_visit, make_city):
    midleton = make_city("Midleton", country="IE")
    days = {"starts_on": dt.date(1999, 12, 31), "ends_on": dt.date(2000, 1, 3)}
    make_visit("old", **days)
    make_visit("back", direction="inbound", city=midleton)
    make_visit("next", starts_on=dt.date(2027, 5, 1), ends_on=None, stage="planned")
    assert listed(client) == ["next", "back", "old"]
    assert listed(client, "direction=inbound") == ["back"]
    assert listed(client, "decade=1990") == ["old"]
    assert listed(client, "decade=2000") == []
    assert listed(client, "decade=2020&direction=outbound&city=jinzhou") == ["next"]
    assert listed(client, "decade=2010&city=jinzhou") == []
    text = client.get("/visits/?decade=1990").text
    assert 'href="/visits/?decade=1990" aria-current="true">1990s</a>' in text
    assert 'href="/visits/?decade=1990&amp;city=midleton">Midleton</a>' in text
    assert 'href="/visits/">All years</a>' in text


def test_a_line_of_many_cities_has_a_form(client, site, make_visit, make_city):
    for number in range(9):
        make_visit(f"v{number}", city=make_city(f"City {number}"))
    text = client.get("/visits/?direction=outbound&city=city-3").text
    assert '<option value="city-3" selected>City 3</option>' in text
    assert '<option value="outbound" selected>We travel there</option>' in text
    assert listed(client, "direction=outbound&city=city-3") == ["v3"]


@pytest.mark.parametrize(
    "query", ["direction=x", "decade=1", "decade=1995", "decade=%00", "decade=" + "9" * 5000,
              "city=%00", "city=" + "x" * 5000, "direction=inbound&decade=-10"],
)  # fmt: skip
def test_visits_that_fit_no_filter_say_so(client, site, make_visit, query):
    make_visit()
    response = client.get(f"/visits/?{query}")
    assert response.status_code == 200
    assert "No visits like that are on file." in response.text
    assert listed(client, query) == []


def test_the_line_turns_pages_with_its_filters(client, site, make_visit):
    for count in range(41):
        make_visit(f"v{count}")
    make_visit("next", starts_on=dt.date(2027, 5, 1), ends_on=None, stage="planned")
    first = client.get("/visits/?direction=outbound").text
    (query,) = re.findall(r'<a href="\?([^"]+)" rel="next"', first)
    assert listed(client, "direction=outbound")[:2] == ["next", "v40"]
    assert "direction=outbound&amp;after=2013-09-07~" in query
    assert listed(client, query.replace("&amp;", "&")) == ["v0"]


@pytest.mark.parametrize("count", [2, 20])
def test_visit_list_asks_the_same_number_of_questions(
    client, site, home_city, make_visit, make_city, count, django_assert_num_queries
):
    for number in range(count):
        make_visit(f"v{number}", city=make_city(f"City {number}"))
    with django_assert_num_queries(LIST_QUERIES):
        client.get("/visits/")


@pytest.mark.parametrize("address", ["/visits/", "/visits/gardens/"])
def test_visit_pages_refuse_to_be_written_to(client, site, make_visit, address):
    make_visit()
    assert client.post(address).status_code == 405


@pytest.mark.parametrize(
    ("fields", "coming"),
    [
        ({"starts_on": "2026-11-21", "ends_on": None}, True),
        ({"starts_on": "2026-11-20", "ends_on": None}, False),
        ({"starts_on": "2026-11-10", "ends_on": "2026-11-21"}, True),
        ({"starts_on": "2026-01-01", "ends_on": None, "precision": "year"}, True),
        ({"starts_on": "2025-01-01", "ends_on": None, "precision": "year"}, False),
        ({"starts_on": "2026-11-01", "ends_on": None, "precision": "month"}, True),
        ({"starts_on": "2026-10-01", "ends_on": None, "precision": "month"}, False),
        ({"starts_on": "2026-11-10", "ends_on": None, "stage": "under_way"}, True),
        ({"starts_on": "2027-11-10", "ends_on": None, "stage": "cancelled"}, False),
        ({"starts_on": "2027-11-10", "ends_on": None, "stage": "completed"}, False),
    ],
)
def test_visit_is_coming_until_all_that_is_on_file_is_past(make_visit, fields, coming):
    make_visit(**{"stage": "planned", **fields})
    assert Visit.objects.coming().exists() is coming
    assert Visit.objects.coming().exists() is coming
    assert Visit.objects.behind().exists() is not coming
