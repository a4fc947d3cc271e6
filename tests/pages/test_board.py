"""Who runs the organisation: people who agreed, in office, in order."""

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from sistercities.pages.models import BoardMember, Page


def add(name: str, order: int = 0, **fields) -> BoardMember:
    return BoardMember.objects.create(
        name=name, order=order, **{"agreed_to_be_named": True, **fields}
    )


@time_machine.travel("2026-11-22T12:00:00Z")
def test_the_board_shows_who_agreed_and_is_in_office(client, site, django_assert_num_queries):
    add("Zoe Hill", 1, role="President", since=2020, until=2026, about="I <like> maps.")
    add("Bob Ortega", 2, role="Treasurer", since=2024)
    add("Al Former", 3, until=2025)
    add("Cy Silent", 4, agreed_to_be_named=False)
    Page.objects.create(title="Our board", slug="board", lede="Elected.", status="published")
    page = client.get("/board/").text
    main = " ".join(page.split("<main", 1)[1].split("</main>")[0].split())
    assert "<h1>Our board</h1>" in main and "Elected." in main
    assert main.index("Zoe Hill") < main.index("Bob Ortega")
    assert "President, 2020 to 2026" in main and "Treasurer, since 2024" in main
    assert "I &lt;like&gt; maps." in main
    assert "Al Former" not in main and "Cy Silent" not in main
    for number in range(20):
        add(f"Person {number}")
    with django_assert_num_queries(4):  # as a page has three, and one
        client.get("/board/")


def test_a_picture_on_the_board_needs_its_own_yes(client, site, picture_file, finish_pictures):
    row = BoardMember(
        name="Zoe", picture=picture_file(), picture_alt="Zoe", agreed_to_be_named=True
    )
    with pytest.raises(ValidationError, match="agree to the picture"):
        row.full_clean()
    row.agreed_to_picture = True
    row.full_clean()
    row.save()
    finish_pictures()
    assert 'alt="Zoe"' in client.get("/board/").text
    with pytest.raises(IntegrityError), transaction.atomic():
        BoardMember.objects.update(agreed_to_picture=False)
