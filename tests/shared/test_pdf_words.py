"""The words of other people's PDFs, and what hostile ones can do: nothing."""

import zlib

import pytest

from sistercities.shared import pdf_words
from sistercities.shared.pdf_words import Locked, Unreadable, extract


def pdf(content: bytes, *, kids: str = "3 0 R", trailer: str = "", packed: bool = False) -> bytes:
    """A PDF of one page, drawn by `content`."""
    stream = zlib.compress(content) if packed else content
    packing = "/Filter/FlateDecode" if packed else ""
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count 1/Kids[{kids}]>>".encode(),
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R"
        b"/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>",
        f"<</Length {len(stream)}{packing}>>stream\n".encode() + stream + b"\nendstream",
    ]
    body, places = b"%PDF-1.7\n", []
    for number, each in enumerate(objects, start=1):
        places.append(len(body))
        body += f"{number} 0 obj".encode() + each + b"endobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    return (
        body
        + (
            f"xref\n0 5\n0000000000 65535 f \n{table}trailer<</Size 5/Root 1 0 R{trailer}>>\n"
            f"startxref\n{len(body)}\n%%EOF\n"
        ).encode()
    )


def test_words_come_out_whole_and_with_single_spaces():
    drawn = b"BT/F 9 Tf 9 50 Td(The dele-)Tj 0 -12 Td(gation  of)Tj 0 -12 Td(2013)Tj ET"
    assert extract(pdf(drawn)) == "The delegation of 2013"
    assert extract(pdf(b"")) == ""  # a scan


LOCKED = "/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<{0}>/U<{0}>>>/ID[<00><00>]".format("00" * 32)


@pytest.mark.parametrize(
    ("file", "refused"),
    [
        (b"", Unreadable),
        (b"%PDF-1.7\n" + b"x" * 10_000 + b"\n%%EOF\n", Unreadable),
        (pdf(b"", trailer=LOCKED), Locked),
    ],
)
def test_what_cannot_be_read_is_refused(file, refused):
    with pytest.raises(refused):
        extract(file)


def test_a_file_that_grows_or_never_ends_is_given_up():
    """100 MB of spaces in 100 KB, and a tree of pages that holds itself."""
    bomb = pdf(b"BT/F 9 Tf(word)Tj ET" + b" " * 100_000_000, packed=True)
    circle = pdf(b"BT ET", kids="2 0 R")
    for file in (bomb, circle):
        with pytest.raises(Unreadable):
            extract(file)


def test_the_reading_process_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr(pdf_words, "PATIENCE", 0.01)
    with pytest.raises(Unreadable):
        extract(pdf(b""))
