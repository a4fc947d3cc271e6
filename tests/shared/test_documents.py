"""Receipts and year-end statements as they leave the printer, from the data that their templates
document (giving.md D1 to D8, D19, D20, D26).
"""

import datetime as dt
import io
import re

import pytest
import segno
from django.conf import settings

from sistercities.shared.pdf import render

from .test_pdf import pages_of, squeezed

MADE_AT = dt.datetime(2026, 3, 4, 15, 30, tzinfo=dt.UTC)
FOLDER = settings.BASE_DIR / "templates" / "donations" / "documents"
RECEIPT, STATEMENT = "donations/documents/receipt.typ", "donations/documents/statement.typ"
NONE_GIVEN = "No goods or services were provided in exchange for this gift."
ORGANIZATION = {
    "organization": "Arvada Sister Cities International",
    "postal_address": "PO Box 1234\nArvada, Colorado 80001",
    "ein": "84-1234567",
    "nonprofit_line": "A nonprofit under section 501(c)(3) that controls how gifts are spent.",
    "website": "sistercities.example",
}
RECEIPT_LABELS = {
    "ein": "EIN",
    "receipt": "Receipt",
    "issued_on": "Issued",
    "thanks": "Thank you, {donor}.",
    "received_from": "Received from",
    "given_on": "Date of the gift",
    "amount": "Amount",
    "covered_fee": "Of this, for the card fee",
    "designation": "For",
    "method": "Paid by",
    "benefits": "You received",
    "benefit": "{what}, worth {value}",
    "deductible": "Deductible",
    "replaces": "This receipt replaces {number}, which is void.",
    "correction": "What changed",
    "keep": "Please keep this for your taxes.",
    "verify": "Check that this receipt is genuine:",
    "qr_alt": "QR code of the address beside it",
    "test": "TEST – not a receipt",
    "page": "Page {number} of {total}",
}
STATEMENT_LABELS = {
    "ein": "EIN",
    "title": "Giving statement",
    "issued_on": "Prepared",
    "given_on": "Date",
    "number": "Receipt",
    "designation": "For",
    "given": "Given",
    "returned": "Returned",
    "value": "Value received",
    "deductible": "Deductible",
    "total": "Total",
    "test": "TEST – not a statement",
    "page": "Page {number} of {total}",
}


LONG_TEXTS = pytest.mark.parametrize(
    "text",
    [
        pytest.param("word " * 2_000, id="words"),
        pytest.param("W" * 10_000, id="one word"),
        pytest.param("锦" * 10_000, id="Chinese"),
        pytest.param("#panic()] $\\" * 800, id="code"),
    ],
)


def receipt(**more) -> list[str]:
    """The pages of a receipt with the least that it may say, and what is given besides."""
    data = {
        "labels": RECEIPT_LABELS,
        "organization": ORGANIZATION["organization"],
        "ein": ORGANIZATION["ein"],
        "number": "2026-000013",
        "issued_on": "March 4, 2026",
        "donor": "Ann Lee",
        "amount": "$250.00",
        "given_on": "March 3, 2026",
        "designation": "Where it is needed most",
        "statement": NONE_GIVEN,
        **more,
    }
    return pages_of(render(RECEIPT, data, title="Receipt 2026-000013", made_at=MADE_AT))


def statement(rows: list[dict], **more) -> list[str]:
    data = {
        **ORGANIZATION,
        "labels": STATEMENT_LABELS,
        "donor": "Қанат Әбдіғаппаров",
        "donor_address": "7100 Ralston Road\nArvada, CO 80002",
        "period": "July 2025 – June 2026",
        "issued_on": "January 5, 2027",
        "rows": rows,
        "total_given": "$900.00",
        "total_returned": "$50.00",
        "total_value": "$80.00",
        "total_deductible": "$770.00",
        "statement": NONE_GIVEN,
        **more,
    }
    return pages_of(render(STATEMENT, data, title="Giving statement", made_at=MADE_AT))


def row(serial: int = 1, **more) -> dict:
    return {
        "given_on": "March 3, 2026",
        "number": f"2026-{serial:06d}",
        "designation": "Where it is needed most",
        "given": "$300.00",
        "returned": "",
        "value": "",
        "deductible": "$300.00",
        **more,
    }


def qr(url: str) -> str:
    file = io.BytesIO()
    segno.make(url).save(file, kind="svg", xmldecl=False)
    return file.getvalue().decode()


# --- receipts -------------------------------------------------------------------------------


def test_the_least_receipt_says_what_the_law_asks_for_and_no_empty_label():
    assert receipt(benefits=[], replaces="", method="", is_test=False) == [
        squeezed(
            "Arvada Sister Cities International EIN 84-1234567 Ann Lee Issued March 4, 2026 "
            "Receipt 2026-000013 Thank you, Ann Lee. Received from Ann Lee "
            "Date of the gift March 3, 2026 Amount $250.00 For Where it is needed most "
            f"{NONE_GIVEN} Please keep this for your taxes. "
            "Arvada Sister Cities International · Receipt 2026-000013"
        )
    ]


def test_a_full_receipt_with_a_benefit_fits_on_one_page():
    url = "https://sistercities.example/donate/receipts/9fK2hV7QxwPz3LmT/"
    pages = receipt(
        **ORGANIZATION,
        donor="欧阳锦州",
        donor_address="辽宁省锦州市古塔区\n121000 China",
        designation="Қызылорда ӘҒҚҢӨҰҮҺІ",
        covered_fee="$7.55",
        method="Card",
        benefits=[
            {"what": "Dinner for two", "value": "$80.00"},
            {"what": "A print", "value": "$15.00"},
        ],
        deductible="$155.00",
        statement="Their value is our good-faith estimate.",
        qr_svg=qr(url),
        verify_url=url,
    )
    assert pages == [
        squeezed(
            "Arvada Sister Cities International PO Box 1234 Arvada, Colorado 80001 EIN 84-1234567 "
            "sistercities.example 欧阳锦州 辽宁省锦州市古塔区 121000 China Issued March 4, 2026 "
            "Receipt 2026-000013 Thank you, 欧阳锦州. Received from 欧阳锦州 "
            "Date of the gift March 3, 2026 Amount $250.00 Of this, for the card fee $7.55 "
            "For Қызылорда ӘҒҚҢӨҰҮҺІ Paid by Card You received Dinner for two, worth $80.00 "
            "A print, worth $15.00 Deductible $155.00 Their value is our good-faith estimate. "
            "Please keep this for your taxes. Check that this receipt is genuine: "
            f"{url} {ORGANIZATION['nonprofit_line']} "
            "Arvada Sister Cities International · Receipt 2026-000013"
        )
    ]


def test_a_corrected_receipt_names_the_one_that_it_replaces():
    (page,) = receipt(replaces="2026-000012", correction="$50.00 was returned to you.")
    assert (
        squeezed("This receipt replaces 2026-000012, which is void. What changed: $50.00") in page
    )
    (page,) = receipt(replaces="2026-000012")
    assert squeezed("which is void. Thank you") in page


def test_a_receipt_of_the_sandbox_says_so_first_and_across_every_page():
    pages = receipt(is_test=True, designation="word " * 2_000)
    assert len(pages) > 1
    test = squeezed("TEST – not a receipt")
    assert [page.count(test) for page in pages] == [2] + [1] * (len(pages) - 1)
    assert test not in receipt(is_test=False)[0]


@pytest.mark.parametrize("field", ["designation", "donor", "statement"])
@LONG_TEXTS
def test_a_long_text_goes_on_over_numbered_pages_and_loses_nothing(text, field):
    pages = receipt(**{field: text})
    assert 2 < len(pages) < 40
    foot = "Arvada Sister Cities International · Receipt 2026-000013 Page {} of {}"
    body = ""
    for number, page in enumerate(pages, 1):
        end = squeezed(foot.format(number, len(pages)))
        assert page.endswith(end)
        body += page.removesuffix(end)
    assert squeezed(text) in body
    assert squeezed("Please keep this for your taxes.") in body


def test_a_receipt_is_the_same_file_again_and_small():
    data = {"labels": RECEIPT_LABELS, **ORGANIZATION, "number": "1", "issued_on": "today"}
    data |= {"donor": "锦州", "amount": "$1.00", "given_on": "today", "designation": "-"}
    data["statement"] = NONE_GIVEN
    once, again = (render(RECEIPT, data, title="Receipt", made_at=MADE_AT) for _ in range(2))
    assert once == again
    assert len(once) < 60_000
    for mark in (b"/MarkInfo<</Marked true", b"/StructTreeRoot", b"/Lang(en)", b"/S/H1"):
        assert mark in once


def test_the_code_to_scan_has_words_for_those_who_hear_it():
    data = {"labels": RECEIPT_LABELS, **ORGANIZATION, "number": "1", "issued_on": "today"}
    data |= {"donor": "Ann", "amount": "$1.00", "given_on": "today", "designation": "-"}
    data |= {"statement": NONE_GIVEN, "qr_svg": qr("https://sistercities.example/")}
    raw = render(RECEIPT, data, title="Receipt", made_at=MADE_AT)
    assert re.findall(rb"/S/Figure.*?/Alt\((.*?)\)", raw) == [b"QR code of the address beside it"]


# --- statements -----------------------------------------------------------------------------


def test_a_statement_of_one_gift_leaves_out_the_columns_that_nobody_needs():
    assert statement([row()]) == [
        squeezed(
            "Arvada Sister Cities International PO Box 1234 Arvada, Colorado 80001 EIN 84-1234567 "
            "sistercities.example Қанат Әбдіғаппаров 7100 Ralston Road Arvada, CO 80002 "
            "Prepared January 5, 2027 Giving statement July 2025 – June 2026 "
            "Given $900.00 Deductible $770.00 "
            "Date Receipt For Given Deductible "
            "March 3, 2026 2026-000001 Where it is needed most $300.00 $300.00 "
            f"Total $900.00 $770.00 {NONE_GIVEN} {ORGANIZATION['nonprofit_line']} "
            "Arvada Sister Cities International · Giving statement July 2025 – June 2026"
        )
    ]


def test_a_statement_shows_what_came_back_and_what_was_received():
    rows = [row(1, returned="$50.00"), row(2, value="$80.00"), row(3)]
    (page,) = statement(rows)
    assert squeezed("Date Receipt For Given Returned Value received Deductible") in page
    assert squeezed("2026-000001 Where it is needed most $300.00 $50.00 $300.00") in page
    assert squeezed("2026-000002 Where it is needed most $300.00 $80.00 $300.00") in page
    assert squeezed("Total $900.00 $50.00 $80.00 $770.00") in page


def test_three_hundred_gifts_are_all_there_under_a_head_on_every_page():
    pages = statement([row(serial) for serial in range(1, 301)], is_test=True)
    head = squeezed("Date Receipt For Given Deductible")
    assert [page.count(head) for page in pages] == ["2026-0" in page for page in pages]
    assert len(pages) in (8, 9)
    assert [page.count(squeezed("TEST –")) for page in pages] == [2] + [1] * (len(pages) - 1)
    numbers = [int(number) for page in pages for number in re.findall(r"2026-(\d{6})", page)]
    assert numbers == list(range(1, 301))
    assert squeezed("2026-000300 Where it is needed most $300.00 $300.00 Total $900.00") in "".join(
        pages
    )
    assert [re.search(r"Page(\d+)of(\d+)$", page).groups() for page in pages] == [
        (str(number), str(len(pages))) for number in range(1, len(pages) + 1)
    ]


@LONG_TEXTS
def test_a_long_designation_in_a_statement_loses_nothing(text):
    pages = statement([row(1, designation=text, value="$1.00"), row(2)])
    start = squeezed(text)[:4]
    shown = sum(page.count(start) for page in pages)
    assert shown >= squeezed(text).count(start) - len(pages)  # a page may end within one
    assert squeezed("Total $900.00") in pages[-1]


def test_a_statement_without_gifts_is_a_page():
    assert squeezed("Date Receipt For Given Deductible Total $900.00") in statement([])[0]


# --- templates ------------------------------------------------------------------------------


def test_templates_have_no_words_of_their_own():
    labels = dict.fromkeys(RECEIPT_LABELS | STATEMENT_LABELS, "0")
    plain = dict.fromkeys(ORGANIZATION, "1") | {"labels": labels, "is_test": True}
    pages = receipt(
        **plain, **dict.fromkeys(("number", "issued_on", "donor", "amount", "given_on"), "2"),
        **dict.fromkeys(("designation", "statement", "covered_fee", "method", "deductible"), "3"),
        **dict.fromkeys(("donor_address", "replaces", "correction", "verify_url"), "4"),
        benefits=[{"what": "5", "value": "6"}],
    )  # fmt: skip
    pages += statement(
        [dict.fromkeys(row(), "2")] * 50, **plain,
        **dict.fromkeys(("donor", "donor_address", "period", "issued_on", "statement"), "3"),
        **dict.fromkeys(("total_given", "total_returned", "total_value", "total_deductible"), "4"),
    )  # fmt: skip
    assert [letter for page in pages for letter in page if letter.isalpha()] == []


def test_templates_use_no_packages_from_the_network():
    templates = [path.read_text() for path in FOLDER.glob("*.typ")]
    assert len(templates) == 3
    assert [text for text in templates if "@" in text] == []
