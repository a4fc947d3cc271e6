"""What the law asks us to publish stands there as PDF, and nothing else does (giving.md D30)."""

import datetime as dt
import re

import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile

from sistercities.pages import filing
from sistercities.pages.models import Document
from sistercities.shared.models import DiscardedFile
from sistercities.shared.stored_files import PRIVATE

PDF = b"%PDF-1.7\n" + b"x" * 319_000 + b"\n%%EOF\n"
ADMIN = "/admin/pages/document/"
LATER = dt.datetime(2099, 1, 1, tzinfo=dt.UTC)


def upload(content: bytes = PDF) -> SimpleUploadedFile:
    return SimpleUploadedFile("scan of 990.PDF", content, "text/html")


def row(title: str, kind: str = "form_990", year: int | None = 2024, **fields) -> Document:
    slug = f"{title}-{year}".lower().replace(" ", "-")
    document = Document(
        **{"title": title, "kind": kind, "year": year, "slug": slug, "status": "published"} | fields
    )
    document.full_clean()
    filing.file(document=document, upload=upload())
    return document


def posted(**fields) -> dict:
    return {
        "kind": "form_990", "title": "Form 990", "year": "2024", "slug": "form-990-2024",
        "status": "published", "publish_at_0": "2026-01-01", "publish_at_1": "12:00:00",
        "change_note": "", **fields,
    }  # fmt: skip


def main_of(client) -> str:
    html = client.get("/documents/").content.decode()
    return " ".join(html.split("<main", 1)[1].split("</main>")[0].split())


def test_d30_documents_stand_by_kind_with_year_format_and_size(client, site):
    row("Bylaws", "policy", None)
    row("Form 990", year=2022)
    row("Form 990", year=2024)
    row("Form 990", year=2023, status="draft")
    row("Form 990", year=2025, publish_at=LATER)
    html = main_of(client)
    words = [
        ">Form 990</h2>", '<a href="/documents/form-990-2024.pdf">',
        "Form 990 for 2024, PDF, 312 KB", "Form 990 for 2022, PDF, 312 KB",
        "Bylaws and policies", "Bylaws, PDF, 312 KB",
    ]  # fmt: skip
    places = [html.index(part) for part in words]
    assert places == sorted(places)
    assert "2023" not in html
    assert "2025" not in html
    assert "/documents/" in client.get("/").content.decode().split("<footer")[1]
    assert "/documents/</loc>" in client.get("/sitemap.xml").content.decode()


def test_d30_page_asks_the_same_with_few_documents_and_many(
    client, site, django_assert_num_queries
):
    row("Form 990", year=2024)
    with django_assert_num_queries(3):
        client.get("/documents/")
    for year in range(2000, 2010):
        row("Form 990", year=year)
    with django_assert_num_queries(3):
        client.get("/documents/")


def test_empty_page_says_so(client, site):
    assert "No document is published yet." in main_of(client)


def test_document_is_saved_and_never_run(client, site):
    row("Form 990")
    answer = client.get("/documents/form-990-2024.pdf")
    assert b"".join(answer.streaming_content) == PDF
    assert {name: answer[name] for name in (
        "Content-Type", "Content-Disposition", "Content-Length", "Content-Security-Policy",
        "X-Content-Type-Options",
    )} == {
        "Content-Type": "application/pdf",
        "Content-Disposition": 'attachment; filename="form-990-2024.pdf"',
        "Content-Length": str(len(PDF)),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }  # fmt: skip
    head = client.head("/documents/form-990-2024.pdf")
    assert (head.status_code, head["Content-Length"]) == (200, str(len(PDF)))


@pytest.mark.parametrize("fields", [{"status": "draft"}, {"publish_at": LATER}])
def test_what_is_not_published_cannot_be_fetched(client, site, fields):
    row("Form 990", **fields)
    assert client.get("/documents/form-990-2024.pdf").status_code == 404


def test_file_that_is_lost_is_not_found(client, site):
    storages[PRIVATE].delete(row("Form 990").file)
    assert client.get("/documents/form-990-2024.pdf").status_code == 404


# --- staff ----------------------------------------------------------------------------------


def test_staff_uploads_publishes_and_replaces(admin_client, client, site):
    assert admin_client.post(f"{ADMIN}add/", posted(pdf=upload())).status_code == 302
    document = Document.objects.get()
    first = document.file
    assert first.startswith("documents/")
    assert "990" not in first.split("/")[-1][:8]
    assert client.get(f"{ADMIN}{document.pk}/pdf/").status_code == 302  # to the sign-in
    kept = admin_client.get(f"{ADMIN}{document.pk}/pdf/")
    assert b"".join(kept.streaming_content) == PDF
    assert kept["Cache-Control"] == "private, no-store"
    page = f"{ADMIN}{document.pk}/change/"
    assert admin_client.post(page, posted(title="Form 990, amended")).status_code == 302
    document.refresh_from_db()
    assert (str(document), document.file) == ("Form 990, amended for 2024", first)
    assert admin_client.post(page, posted(pdf=upload(PDF[:-7] + b"y\n%%EOF"))).status_code == 302
    document.refresh_from_db()
    assert document.file != first
    assert DiscardedFile.objects.get().name == first


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html>%PDF-1.7 %%EOF", "This is not a PDF."),
        (PDF[:-7], "This PDF is not whole."),
        (b"%PDF-" + b"x" * filing.LARGEST, "larger than 20 MB"),
        (None, "Please choose the PDF."),
    ],
)
def test_what_is_no_document_is_refused_in_words(admin_client, site, content, words):
    fields = posted(pdf=upload(content)) if content else posted()
    assert words in admin_client.post(f"{ADMIN}add/", fields).content.decode()
    assert Document.objects.count() == 0


def test_form_990_needs_its_year(admin_client, site):
    html = admin_client.post(f"{ADMIN}add/", posted(pdf=upload(), year="")).content.decode()
    assert "Which tax year is this Form 990 for?" in html


def test_d30_staff_see_which_of_the_last_three_is_missing(site, admin_user, client, time_machine):
    exemption = "the application for tax exemption with the letter of the IRS"
    row("Form 990", year=2024)
    row("Form 990", year=2023, status="draft")
    assert list(filing.missing(dt.date(2026, 11, 15))) == [
        "Form 990 for 2023", "Form 990 for 2022", exemption,
    ]  # fmt: skip
    assert list(filing.missing(dt.date(2026, 11, 16)))[0] == "Form 990 for 2025"
    time_machine.move_to(dt.datetime(2026, 11, 22, 18, tzinfo=dt.UTC))
    client.force_login(admin_user)
    html = client.get(ADMIN).content.decode()
    assert f"<strong>Form 990 for 2025, Form 990 for 2023, {exemption}</strong>" in html
    row("Form 990", year=2025)
    row("Form 1023", "exemption", None)
    Document.objects.update(status="published")
    assert "are published, as the law asks." in client.get(ADMIN).content.decode()


def test_document_that_is_deleted_takes_its_file_along(site, admin_client):
    name = row("Form 990").file
    Document.objects.get().delete()
    assert DiscardedFile.objects.get().name == name


# --- the words of a document ----------------------------------------------------------------


def words_of(*paragraphs: str) -> bytes:
    from sistercities.shared.pdf import render

    data = {"notice": "", "organization": "ASCI", "paragraphs": list(paragraphs)}
    made_at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return render("demo/example.typ", data, title="T", made_at=made_at)


def test_d30_words_of_a_pdf_are_found(client, admin_client, site, django_assert_num_queries):
    """Uploaded by staff, read by the job, found by the page's own search and by the site's."""
    from sistercities.pages.reading import read_waiting

    for year, text in ((2023, "The gardeners met in Jinzhou."), (2024, "A budget for 锦州.")):
        pdf = upload(words_of(text))
        fields = posted(kind="minutes", title="Minutes", year=str(year), slug=f"minutes-{year}")
        admin_client.post(f"{ADMIN}add/", {**fields, "pdf": pdf})
    row("Broken", "report", 2020)
    assert "being read" in admin_client.get(ADMIN).text
    assert read_waiting() == 3
    assert read_waiting() == 0
    listed = admin_client.get(ADMIN).text
    assert "damaged or too much work" in listed and "being read" not in listed
    for asked, years in (
        ("gardeners jinzhou", ["2023"]), ("锦州", ["2024"]), ("MINUTES", ["2024", "2023"]),
        ("gardeners budget", []), ("%", []), ("", ["2020", "2024", "2023"]),
    ):  # fmt: skip
        with django_assert_num_queries(3):
            page = client.get("/documents/", {"q": asked}).text
        assert re.findall(r'href="/documents/\w+-(\d+)\.pdf"', page) == years, asked
    found = client.get("/search/", {"q": "gardeners"}).text
    assert '<a href="/documents/minutes-2023.pdf">Minutes</a>' in found
    assert "2023" in found and "minutes-2024" not in found
    Document.objects.update(status="draft")
    assert "minutes-2023" not in client.get("/search/", {"q": "gardeners"}).text


@pytest.mark.parametrize("asked", ["x" * 5000, "\x00", "' OR 1=1 --", "(*&^%", "\ud800", "..."])
def test_any_question_to_the_documents_is_an_answer(client, site, asked):
    query = asked.encode("utf-8", "surrogatepass")
    assert client.get("/documents/", {"q": query}).status_code == 200


def test_a_new_file_is_read_anew(site):
    from sistercities.pages.reading import read_waiting

    document = Document(title="M", kind="minutes", slug="m", status="published")
    for text in ("First words", "Second words"):
        filing.file(document=document, upload=upload(words_of(text)))
        document.refresh_from_db()
        assert (document.read_at, document.text) == (None, "")
        read_waiting()
        document.refresh_from_db()
        assert text in document.text


def test_letters_may_lead_to_a_published_document(site):
    from sistercities.pages.letters import public

    row("Bylaws", "policy", None, slug="bylaws")
    row("Draft", "policy", None, slug="draft", status="draft")
    paths = {"/documents/bylaws.pdf", "/documents/draft.pdf", "/documents/none.pdf"}
    assert public(paths) == {"/documents/bylaws.pdf"}
