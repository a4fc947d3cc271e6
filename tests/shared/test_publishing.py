import datetime as dt

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from sistercities.pages.models import Page
from sistercities.shared.cards import gather

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)


@pytest.fixture
def make_page(db):
    def make(slug: str = "about", **fields) -> Page:
        return Page.objects.create(title=slug.title(), slug=slug, **fields)

    return make


def test_a_new_page_is_a_draft_and_nobody_sees_it(make_page):
    draft = make_page()
    assert (draft.status, draft.is_public, str(draft.state)) == ("draft", False, "Draft")
    assert not Page.objects.published().exists()


def test_a_published_page_is_seen_from_its_moment_on(make_page):
    later = make_page(status="published", publish_at=NOW)
    with time_machine.travel(NOW - dt.timedelta(seconds=1), tick=False) as clock:
        assert (later.is_public, str(later.state)) == (False, "Scheduled")
        assert list(Page.objects.published()) == []
        clock.shift(1)
        assert (later.is_public, str(later.state)) == (True, "Published")
        assert list(Page.objects.published()) == [later]


def test_the_moment_is_the_same_in_every_time_zone(make_page, settings):
    from zoneinfo import ZoneInfo

    settings.CLOCK = NOW
    shanghai = NOW.astimezone(ZoneInfo("Asia/Shanghai"))
    assert make_page(status="published", publish_at=shanghai).is_public
    assert not make_page(
        "b", status="published", publish_at=shanghai + dt.timedelta(hours=1)
    ).is_public


@pytest.mark.parametrize(
    ("status", "offset"),
    [("draft", -1), ("draft", 1), ("published", -1), ("published", 0), ("published", 1)],
)
def test_the_row_and_the_list_agree(make_page, settings, status, offset):
    settings.CLOCK = NOW
    row = make_page(status=status, publish_at=NOW + dt.timedelta(minutes=offset))
    assert row.is_public == Page.objects.published().filter(pk=row.pk).exists()


def test_two_pages_cannot_have_one_address(make_page):
    make_page()
    with pytest.raises(IntegrityError):
        make_page()


def test_an_address_is_plain_letters(make_page):
    with pytest.raises(ValidationError) as refused:
        Page(title="x", slug="a/b").full_clean()
    assert set(refused.value.message_dict) == {"slug"}


def test_saving_moves_the_date_of_the_last_change(make_page):
    with time_machine.travel(NOW, tick=False):
        row = make_page()
        assert row.updated_at == NOW
    with time_machine.travel(NOW + dt.timedelta(days=1), tick=False):
        row.save()
    row.refresh_from_db()
    assert row.updated_at == NOW + dt.timedelta(days=1)


def test_the_first_few_keep_the_order_that_was_asked_for(make_page):
    for number in range(5):
        make_page(f"p{number}", order=5 - number)
    few = Page.objects.order_by("order").first_few(2)
    assert {row.slug for row in few} == {"p4", "p3"}
    # A slice of its own could not be united with others.
    cards = gather(few.cards(), Page.objects.filter(slug="p0").cards())["page"]
    assert [card.slug for card in cards] == ["p4", "p3", "p0"]
