"""Old addresses lead to pages of this site, and to nothing else."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from exchanges.models import Gallery, Visit
from sistercities.pages.models import Document, Page
from sistercities.shared.models import Redirect

SHOWN = {"status": "published"}


def add(old: str, new: str, **fields) -> Redirect:
    row = Redirect(old_path=old, new_path=new, **fields)
    row.full_clean()
    row.save()
    return row


def leads_to(client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 301, (path, response.status_code)
    return response["Location"]


def test_a_published_page_that_moves_leaves_its_address_behind(client, site, make_city):
    city = make_city("Jinzhou")
    page = Page.objects.create(title="About", slug="about", **SHOWN)
    visit = Visit.objects.create(
        title="V",
        slug="v1",
        city=city,
        direction="outbound",
        starts_on=dt.date(2013, 9, 7),
        **SHOWN,
    )
    document = Document.objects.create(title="D", slug="d1", kind="minutes", **SHOWN)
    draft = Page.objects.create(title="Draft", slug="draft")
    for row in (city, page, visit, document, draft):
        row = type(row).objects.get(pk=row.pk)
        row.slug = f"{row.slug}-new"
        row.save()
    assert leads_to(client, "/cities/jinzhou/") == "/cities/jinzhou-new/"
    assert leads_to(client, "/cities/jinzhou/calendar.ics") == "/cities/jinzhou-new/calendar.ics"
    assert leads_to(client, "/about/?a=1&b=%2F") == "/about-new/?a=1&b=%2F"
    assert leads_to(client, "/visits/v1/") == "/visits/v1-new/"
    assert leads_to(client, "/documents/d1.pdf") == "/documents/d1-new.pdf"
    assert client.get("/draft/").status_code == 404
    assert client.head("/about/").status_code == 301
    assert client.post("/about/").status_code == 405


def test_pages_that_move_on_and_back_leave_no_chain_and_no_circle(client, site):
    page = Page.objects.create(title="P", slug="one", **SHOWN)
    for slug in ("two", "three", "one", "two"):
        page = Page.objects.get(pk=page.pk)
        page.slug = slug
        page.save()
    page.slug = "four"  # once more, without reading it anew
    page.save()
    for old in ("one", "two", "three"):
        assert leads_to(client, f"/{old}/") == "/four/"
    Page.objects.create(title="Q", slug="one", **SHOWN)
    assert client.get("/one/").status_code == 200  # a page stands before an old address


def test_old_addresses_of_another_program(client, site):
    add("/index.php?option=com_content&id=12", "/about/")
    add("/index.php", "/news/")
    add("/gallery2/", "/galleries/", has_parts=True)
    add("/锦州/", "/cities/jinzhou/")
    assert leads_to(client, "/index.php?option=com_content&id=12") == "/about/"
    assert leads_to(client, "/index.php?id=13") == "/news/?id=13"
    assert leads_to(client, "/gallery2/a/b%20c/%3Fq") == "/galleries/a/b%20c/%3Fq"
    assert leads_to(client, "/%E9%94%A6%E5%B7%9E/") == "/cities/jinzhou/"
    assert client.get("/gallery2").status_code in (301, 404)
    assert client.get("/index.html").status_code == 404


@pytest.mark.parametrize(
    "new",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "evil", "", "javascript:x",
     "/a\r\nSet-Cookie: x", "/a b", "/old/"],
)  # fmt: skip
def test_an_old_address_leads_nowhere_else(db, new):
    with pytest.raises(ValidationError):
        add("/old/", new)


def test_circles_and_chains_are_refused(db):
    add("/a/", "/b/")
    add("/tree/", "/wood/", has_parts=True)
    for old, new, has_parts in (
        ("/b/", "/a/", False), ("/b/", "/c/", False), ("/c/", "/a/", False), ("/a/", "/x/", False),
        ("/x/", "/tree/leaf/", False), ("/y/", "/y/sub/", True), ("/y", "/z/", True),
    ):  # fmt: skip
        with pytest.raises(ValidationError):
            add(old, new, has_parts=has_parts)


def test_what_follows_an_old_address_cannot_lead_off_the_site(client, site):
    Redirect.objects.create(old_path="/old/", new_path="/", has_parts=True)  # past the form
    for path in ("/old//evil.example/", "/old/%5Cevil.example/", "/old/%2Fevil.example/"):
        response = client.get(path)
        assert response.status_code == 404 or not response["Location"].startswith(("//", "/\\"))
    assert client.get("/old/" + "x/" * 600).status_code in (301, 404)


def test_pages_that_are_there_ask_nothing_of_it(client, site, django_assert_num_queries):
    page = Page.objects.create(title="P", slug="one", **SHOWN)
    add("/one/", "/two/")
    with django_assert_num_queries(3):
        assert client.get("/one/").status_code == 200
    Page.objects.get(pk=page.pk).save()
    assert Redirect.objects.count() == 1


def test_a_list_is_taken_in_whole_or_not_at_all(tmp_path, db, client, site, capsys):
    file = tmp_path / "old.csv"
    file.write_text("/old.html,/about/\n/older.html,https://evil.example/\n/x\n")
    with pytest.raises(CommandError, match="2: /older.html(.|\n)*3: /x: two columns"):
        call_command("import_redirects", str(file))
    assert not Redirect.objects.exists()
    for target in ("/about/", "/news/"):  # the same list again, with a change
        file.write_text(f"\ufeff/old.html,{target}\n\n/older.html, /contact/\n")
        call_command("import_redirects", str(file))
        assert leads_to(client, "/old.html") == target
    assert Redirect.objects.count() == 2


def test_galleries_that_move_keep_the_addresses_of_their_photos(client, site, make_city):
    gallery = Gallery.objects.create(title="G", slug="g", city=make_city(), **SHOWN)
    gallery = Gallery.objects.get(pk=gallery.pk)
    gallery.slug = "album"
    gallery.save()
    assert leads_to(client, "/galleries/g/7/") == "/galleries/album/7/"
