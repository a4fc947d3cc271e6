"""What the demo tells: facts with sources, conflicts, visits, pictures, pages that open."""

import re
from decimal import Decimal
from pathlib import PurePath

import pytest
from django.apps import apps
from django.test import Client, override_settings

from cities.facts import disagreeing
from cities.models import City, Fact
from cities.units import CURRENCIES
from donations.models import Campaign
from exchanges.models import Event, Gallery, Photo, Visit
from sistercities.demo import loading
from sistercities.news.models import Article, FeedSource
from sistercities.newsletter import checking
from sistercities.newsletter.models import Delivery, Issue, Subscriber
from sistercities.pages.models import Document
from sistercities.shared import clock
from sistercities.shared.models import OutgoingMessage, SiteSettings
from sistercities.shared.pictures import Pictured

pytestmark = [pytest.mark.usefixtures("demo"), pytest.mark.xdist_group("demo")]


def test_nothing_changes_the_second_time(folders):
    from tests.demo.test_loading import every_row, files_in, run

    kept = (folders["MEDIA_ROOT"], folders["PRIVATE_MEDIA_ROOT"])
    with override_settings(**folders):
        rows, files = every_row(), files_in(*kept)

        assert run() == "The demo is here already; nothing was changed.\n"

        assert every_row() == rows
        assert files_in(*kept) == files
        rows = [row for model in pictured() for row in model._default_manager.exclude(picture="")]
        assert len(rows) > 60
        rows += Document.objects.all()
        assert sorted(file.name for file in files) == sorted(
            PurePath(name).name for row in rows for name in row.public_files() + row.private_files()
        )


def test_jinzhou_has_its_facts_with_sources():
    facts = list(City.objects.get(slug="jinzhou").facts.for_page())

    assert len(facts) >= 30
    assert all(fact.source.title for fact in facts)
    assert len({fact.source for fact in facts}) == 3


def test_no_source_and_no_measure_is_left_over():
    rows = [content for name in loading.FILES for content in loading.read(name).items()]
    named = str([content for content in rows if content[0] not in {"source", "measure"}])
    sources = [row["key"] for name, table in rows for row in table if name == "source"]
    measures = [row["name"] for name, table in rows for row in table if name == "measure"]

    assert [key for key in sources if f"'source': '{key}'" not in named] == []
    assert [name for name in measures if f"'measure': '{name}'" not in named] == []


def test_conflicts_of_the_sources_are_found():
    found = {
        city.slug: [str(row.facts[0].measure) for row in disagreeing(city.facts.for_page())]
        for city in City.objects.all()
    }

    assert found == {
        "arvada": ["Water tower"],
        "jinzhou": [
            "Population", "Coast on the Bohai", "Recorded history", "Berths in the port",
            "Districts",
        ],
        "kyzylorda": ["Population", "Dike"],
        "midleton": ["Market stalls"],
    }  # fmt: skip


def test_money_has_both_currencies_at_the_rate_of_the_source():
    money = list(Fact.objects.filter(unit__in=CURRENCIES))

    assert len(money) == 5
    for fact in money:
        implied = fact.value / fact.paired_value
        assert abs(implied - fact.exchange_rate) < Decimal("0.005"), fact


def test_visits_pair_and_the_next_one_is_coming():
    visits = {visit.slug: visit for visit in Visit.objects.all()}

    assert visits["arvada-2011"].answers == visits["jinzhou-2010"]
    assert [v.when for v in Visit.objects.published().made()] == ["2013", "2011", "2010"]
    assert list(Visit.objects.published().coming()) == [visits["kyzylorda-entrepreneurs"]]
    assert [day.title for day in visits["jinzhou-2013"].days.all()][2] == "The tide, then the port"


def test_each_visit_to_jinzhou_has_pictures_of_its_own():
    galleries = Gallery.objects.filter(visit__stage="completed").order_by("visit__starts_on")
    alts = [set(gallery.photos.values_list("picture_alt", flat=True)) for gallery in galleries]

    assert [len(a) for a in alts] == [10, 8, 20]
    assert not (alts[0] & alts[1] or alts[0] & alts[2] or alts[1] & alts[2])


def test_photos_keep_time_and_place_in_private():
    photo = Photo.objects.get(picture_caption="The causeway at low water.")

    assert photo.taken_at.isoformat() == "2013-09-09T02:42:00+00:00"  # 10:42 in Jinzhou
    assert (photo.latitude, photo.longitude) == (40.817, 121.075)
    assert not Photo.objects.filter(taken_at=None).exists()


def test_every_picture_has_words_and_is_called_an_illustration():
    for model in pictured():
        for row in model._default_manager.exclude(picture=""):
            assert row.picture_alt, row
            assert row.picture_credit == "Illustration", row
            assert row.picture_width and row.picture_colour, row


def test_something_is_coming_whenever_it_is_loaded():
    within_a_month = [
        event for event in Event.objects.published().upcoming()
        if (event.starts_on - clock.today()).days <= 36
    ]  # fmt: skip

    assert len(within_a_month) >= 2
    assert Event.objects.published().past().exists()
    assert any(event.is_all_day for event in Event.objects.all())
    assert any(event.ends_on for event in Event.objects.all())


def test_staff_see_a_draft_and_a_scheduled_page():
    assert str(Visit.objects.get(slug="jinzhou-comes-again").state) == "Draft"
    assert str(Article.objects.get(slug="seats-at-the-new-year-supper").state) == "Scheduled"


def test_costs_add_up_to_the_goal():
    goals = {}
    for campaign in Campaign.objects.all():
        goals[campaign.slug] = campaign.goal_cents
        assert sum(campaign.costs.values_list("amount_cents", flat=True)) == campaign.goal_cents
    assert goals == {"kyzylorda-entrepreneurs": 600_000, "gardens-at-city-hall": 120_000}


def test_outside_headlines_are_marked_as_samples():
    items = FeedSource.objects.get().items

    assert len(items) == 5
    assert all(item["title"].endswith("(sample)") for item in items)
    assert all(".example/" in item["url"] for item in items)


def test_the_organization_cannot_be_mistaken():
    site = SiteSettings.load()

    assert site.is_demo
    assert site.ein.startswith("07-")  # a prefix that the IRS does not use
    assert "invented" in site.nonprofit_line


def test_a_city_with_nearly_the_same_name_is_never_named():
    """A search for Jinchang, in Gansu, must not lead to Jinzhou."""
    texts = [path.read_text(encoding="utf-8") for path in loading.CONTENT.glob("*.toml")]

    assert not any("Jinchang" in text or "金昌" in text for text in texts)


def test_page_of_jinzhou_shows_name_flag_conflicts_and_visits():
    page = Client().get("/cities/jinzhou/").content.decode()

    assert "锦州" in page
    assert "cn.svg" in page
    assert page.count('class="fact"') == 9
    assert page.count("Sources differ") == 4
    figures = Client().get("/cities/jinzhou/figures/").text
    assert figures.count('class="fact"') >= 25 and figures.count("Sources differ") == 5
    assert "First call on Jinzhou" in page
    assert "Jinzhou returns the call" in page
    assert "The gardens of Jinzhou" in page


def test_links_in_texts_open():
    texts = [path.read_text(encoding="utf-8") for path in loading.CONTENT.glob("*.toml")]
    links = {link for text in texts for link in re.findall(r'(?:href=|link = )"(/[^"]*)"', text)}
    client = Client()

    assert "/donate/kyzylorda-entrepreneurs/" in links
    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def pictured():
    return [model for model in apps.get_models() if issubclass(model, Pictured)]


def test_the_demo_has_letters_that_were_sent_and_one_to_write(client, demo):
    draft, *sent = Issue.objects.all()
    assert [issue.status for issue in (draft, *sent)] == ["draft", "sent", "sent"]
    assert [problem for problem in checking.problems(draft) if problem.is_blocking] == []
    assert draft.blocks.filter(kind="events").exists()
    readers = Subscriber.objects.confirmed()
    assert {reader.email_key.rpartition("@")[2] for reader in readers} == {"readers.example"}
    assert Delivery.objects.filter(state="sent").count() == len(sent) * len(readers)
    assert not OutgoingMessage.objects.filter(to__endswith="@readers.example").exists()
    for issue in sent:
        assert client.get(issue.get_absolute_url()).status_code == 200
        for problem in checking.problems(issue):
            assert not problem.is_blocking, problem.text
