"""The documents of the demo: a page each that says that it is an example and nothing more."""

from django.core.files.base import ContentFile

from sistercities.pages import filing
from sistercities.pages.models import Document
from sistercities.shared import clock
from sistercities.shared.models import SiteSettings
from sistercities.shared.pdf import render

NOTICE = "Example document of the demo"


def add_paper(document: Document, paragraphs: list[str]) -> None:
    """Draws the PDF of a new document and saves both."""
    organization = SiteSettings.load().name
    data = {"notice": NOTICE, "organization": organization, "paragraphs": paragraphs}
    pdf = render("demo/example.typ", data, title=str(document), made_at=clock.now())
    filing.file(document=document, upload=ContentFile(pdf, "example.pdf"))
