"""`manage.py demo --network`: a large office to look at."""

import pytest

from cities.models import City, DistrictLink
from exchanges.models import Visit
from sistercities.demo import network
from sistercities.shared.models import SiteSettings

pytestmark = pytest.mark.django_db


def test_network_makes_the_three_partners_of_the_demo_eighty_five(site, home_city):
    counts = network.load()
    assert (counts[City], counts[DistrictLink]) == (75, 7)
    assert 500 < counts[Visit] == Visit.objects.published().count() < 1000
    assert network.load() == {}
    partners = City.objects.published().exclude(pk=home_city.pk)
    texts = {*partners.values_list("summary", flat=True), *Visit.objects.values_list("summary")[0]}
    assert all(text.startswith("A sample entry") for text in texts)
    assert SiteSettings.load().tagline.startswith("A sample")
    answers = Visit.objects.exclude(answers=None).select_related("answers")
    assert len(answers) > 250
    assert all(
        visit.answers.city_id == visit.city_id
        and visit.answers.direction != visit.direction
        and visit.answers.ends_on < visit.starts_on
        for visit in answers
    )
    assert all(visit.starts_on >= visit.city.signed_on.replace(month=1, day=1)
               for visit in Visit.objects.select_related("city"))  # fmt: skip
    assert {visit.stage for visit in Visit.objects.all()} == {"completed", "planned"}
