import csv
import datetime as dt
import io
import os
from io import StringIO

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from sistercities.newsletter import exporting, importing, subscribing, suppressing
from sistercities.newsletter.importing import Unreadable, examine, take_in
from sistercities.newsletter.models import (
    Consent,
    ListImport,
    Subscriber,
    Suppression,
    Topic,
)
from tests.newsletter.at_once import at_once

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
BASIS = "Signed up on paper at the Harvest Festival, September 2025."
MAILCHIMP = (
    '"Email Address","First Name","Last Name","Address",MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,'
    "TAGS\n"
    'ann@example.org,Ann,Lee,"8101 Ralston Rd, Arvada",2,"2019-03-02 10:11:12",'
    '"2019-03-02 10:12:00","""board"""\n'
    "bob@example.org,Bob,,,2,,,\n"
)


def outcomes(data: bytes | str) -> list[tuple[int, str, str]]:
    data = data.encode() if isinstance(data, str) else data
    return [(row.number, row.email, row.outcome) for row in examine(data).rows]


def people() -> list[tuple[str, str]]:
    return list(Subscriber.objects.order_by("email_key").values_list("email", "status"))


def take(text: str) -> importing.Preview:
    return take_in(data=text.encode(), basis=BASIS, source="list.csv")


# --- what it reads --------------------------------------------------------------------------


def test_an_export_of_mailchimp_is_taken_in(site):
    with time_machine.travel(NOON, tick=False):
        done = take(MAILCHIMP)
    assert done.counts == {"new": 2, "known": 0, "refused": 0}
    ann = Subscriber.objects.get(email_key="ann@example.org")
    assert (ann.email, ann.name, ann.status, ann.confirmed_at) == (
        "ann@example.org", "Ann Lee", "confirmed", NOON,
    )  # fmt: skip
    proof = ann.consents.get()
    assert (proof.event, proof.how, proof.wording, proof.source, proof.at) == (
        "imported", "import", BASIS, "list.csv", NOON,
    )  # fmt: skip
    assert proof.chosen == {"topics": [], "asked": "2019-03-02 10:11:12"}


def test_names_in_two_columns_become_one_as_it_is_said(site):
    text = "Email,First Name,Last Name\na@e.org,伟,陈\nb@e.org,Айгүл,Оспанова\nc@e.org,Wei,陈\n"
    assert [row.name for row in examine(text.encode()).rows] == ["陈伟", "Айгүл Оспанова", "Wei 陈"]


def test_plain_lists_are_taken_in(site):
    for text in (
        "email\nann@example.org\n",
        "Name;E-Mail\r\nAnn Lee;ann@example.org\r\n",
        "ann@example.org\n",
        "Ann Lee\tann@example.org\n",
        "\n\nEMAIL,NAME\n\nann@example.org,Ann\n",
    ):
        assert [email for _, email, _ in outcomes(text)] == ["ann@example.org"], text


def test_topics_that_there_are_come_along(site):
    Topic.objects.create(slug="jinzhou", title="Jinzhou")
    take("email,topics\nann@example.org,jinzhou no-such\n")
    assert [topic.slug for topic in Subscriber.objects.get().topics.all()] == ["jinzhou"]
    assert Consent.objects.get().chosen["topics"] == ["jinzhou"]


@pytest.mark.parametrize(
    ("encoding", "words"),
    [("utf-8", ""), ("utf-8-sig", ""), ("cp1252", "Windows-1252"), ("utf-16", "UTF-16")],
)
def test_letters_of_every_encoding_are_read_and_said(site, encoding, words):
    preview = examine("email,name\nann@example.org,José Müller\n".encode(encoding))
    assert preview.rows[0].name == "José Müller"
    assert [words in note for note in preview.notes] == [True] * bool(words)


def test_letters_that_were_misread_before_are_pointed_out(site):
    (note,) = examine("email,name\nann@example.org,JosÃ©\n".encode()).notes
    assert "misread" in note


def test_lost_letters_refuse_their_row_only(site):
    text = "email,name\nann@example.org,Jos\ufffd\nbob@example.org,Bob\n"
    assert outcomes(text) == [(2, "ann@example.org", "refused"), (3, "bob@example.org", "new")]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "nobody in this file"),
        (b"email\n", "nobody in this file"),
        (b"name\nAnn\n", "No column of this file holds mail addresses"),
        (b"PK\x03\x04rest", "not a CSV file"),
        (b"email\nann\0@example.org\n", "zero bytes"),
        (b"email\n\x81\x8d@example.org\n", "neither UTF-8 nor Windows-1252"),
        (b'email\n"ann@example.org' + b"x" * 200_000, "is broken"),
        (b"x" * 10_000_001, "larger than 10 MB"),
    ],
)
def test_what_is_no_list_is_refused_in_plain_words(site, data, words):
    with pytest.raises(Unreadable, match=words):
        examine(data)


# --- whom it takes --------------------------------------------------------------------------


def test_e19_one_person_is_taken_once(site):
    Subscriber.objects.create(email="Known@example.org", status="confirmed", confirmed_at=NOON)
    text = "email\nann@example.org\n ANN@Example.org \nKNOWN@EXAMPLE.ORG\n"
    preview = take(text)
    assert [(row.number, row.outcome, row.reason) for row in preview.rows] == [
        (2, "new", ""),
        (3, "known", "Stands twice in this file."),
        (4, "known", "Gets the letter already."),
    ]
    assert people() == [("ann@example.org", "confirmed"), ("Known@example.org", "confirmed")]
    assert take(text).counts == {"new": 0, "known": 3, "refused": 0}


def test_e17_import_revives_nobody(client, confirmed, sign_up):
    left = confirmed("left@example.org")
    subscribing.unsubscribe(token=left.token, how=Consent.How.PAGE)
    erased = confirmed("erased@example.org")
    client.post(f"/newsletter/preferences/{erased.token}/", {"do": "erase"})
    for address, reason in (
        ("dead@example.org", Suppression.Reason.HARD_BOUNCE),
        ("angry@example.org", Suppression.Reason.COMPLAINT),
        ("full@example.org", Suppression.Reason.SOFT_BOUNCES),
    ):
        suppressing.suppress(address=address, reason=reason)
    sign_up("waiting@example.org")
    # A row that left before there were suppressions: its status alone must do.
    Subscriber.objects.create(
        email="old@example.org", status="unsubscribed", confirmed_at=NOON, unsubscribed_at=NOON
    )
    before = people()
    names = ("left", "erased", "dead", "angry", "full", "waiting", "old")
    preview = take("email\n" + "".join(f"{name.upper()}@example.org\n" for name in names))

    assert preview.counts == {"new": 0, "known": 0, "refused": 7}
    assert all(row.reason for row in preview.rows)
    assert people() == before
    assert not Consent.objects.filter(event="imported").exists()


def test_e17_who_left_the_other_list_is_kept_off_this_one(site):
    Subscriber.objects.create(email="since@example.org", status="confirmed", confirmed_at=NOON)
    preview = take(
        "Email Address,UNSUB_TIME,CLEAN_TIME\nann@example.org,2020-01-01,\n"
        "bob@example.org,,2020-01-01\nsince@example.org,2020-01-01,\ncarol@example.org,,\n"
    )
    assert preview.counts == {"new": 1, "known": 0, "refused": 3}
    assert suppressing.reason_for("ann@example.org") == Suppression.Reason.LEFT
    assert suppressing.reason_for("bob@example.org") == Suppression.Reason.HARD_BOUNCE
    assert not suppressing.is_suppressed("since@example.org")
    assert people() == [("carol@example.org", "confirmed"), ("since@example.org", "confirmed")]


def test_who_never_confirmed_there_is_refused_and_may_still_sign_up(site):
    (row,) = take("email,status\nann@example.org,pending\n").rows
    assert (row.outcome, row.reason) == ("refused", "That list says: pending.")
    assert not suppressing.is_suppressed("ann@example.org")


@pytest.mark.parametrize(
    "row",
    [
        "nonsense,Ann",
        ",Ann",
        "ann@example.org\r\nBcc: bob@example.org,Ann",
        '"ann@example.org\nBcc: x@example.org",Ann',
        'ann@example.org,"Ann\nBcc: x"',
        f"ann@example.org,{'x' * 121}",
        "ann@example.org,Ann,one too many",
    ],
)
def test_e22_a_row_that_cannot_be_is_refused_with_its_reason(site, row):
    refused = [r for r in examine(f"email,name\n{row}\n".encode()).rows if r.outcome == "refused"]
    assert refused
    assert all(r.reason for r in refused)


def test_e3_nobody_is_taken_in_without_a_basis(site):
    for basis in ("", "  yes  "):
        with pytest.raises(Unreadable, match="when and how"):
            take_in(data=b"email\nann@example.org\n", basis=basis, source="x")
    assert not Subscriber.objects.exists()


def test_nothing_is_half_imported(site, monkeypatch):
    """The proof of the last person cannot be written: nobody is on the list."""
    good = Consent.objects.bulk_create

    def fails_late(rows, **options):
        good(list(rows)[:1], **options)
        raise RuntimeError

    monkeypatch.setattr(Consent.objects, "bulk_create", fails_late)
    with pytest.raises(RuntimeError):
        take("email\nann@example.org\nbob@example.org\n")
    assert (Subscriber.objects.count(), Consent.objects.count()) == (0, 0)


def test_many_rows_cost_few_questions(site, django_assert_max_num_queries):
    """Each 500 rows a few statements, so ten thousand take about a second."""
    count = 10_000 if os.environ.get("CI") else 1_000
    text = "email,name\n" + "".join(f"p{n}@example.org,Person {n}\n" for n in range(count))
    with django_assert_max_num_queries(20 + count // 25):
        assert take(text).counts["new"] == count
    assert Subscriber.objects.confirmed().count() == count
    assert Consent.objects.filter(event="imported").count() == count


# --- the command ----------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("email\nann@example.org\nnonsense\n")
    return path


def run(*args: str) -> str:
    out = StringIO()
    call_command("subscribers", "import", *args, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_command_says_what_it_would_do_and_then_does_it(site, file):
    dry = run(str(file), "--basis", BASIS, "--dry-run")
    assert "row 3\trefused\tnonsense\tA mail address has an @ in it" in dry
    assert "new\t1\nknown\t0\nrefused\t1\nNothing was changed.\n" in dry
    assert not Subscriber.objects.exists()
    assert "new\t1" in run(str(file), "--basis", BASIS)
    assert people() == [("ann@example.org", "confirmed")]
    assert "new\t0\nknown\t1\nrefused\t1\n" in run(str(file), "--basis", BASIS)


def test_e3_command_wants_a_basis(site, file):
    with pytest.raises(CommandError):
        run(str(file))
    for more in ([], ["--dry-run"]):
        with pytest.raises(CommandError, match="when and how"):
            run(str(file), "--basis", "yes", *more)
    with pytest.raises(CommandError, match="cannot be read"):
        run(str(file.with_name("none.csv")), "--basis", BASIS)


# --- the staff pages ------------------------------------------------------------------------

ADD = "/admin/newsletter/listimport/add/"


def upload(client, text: bytes = b"email,name\nann@example.org,Ann\nnonsense,X\n", **fields):
    data = {"basis": BASIS, "file": SimpleUploadedFile("list.csv", text), **fields}
    return client.post(ADD, data)


def test_staff_look_first_and_then_take_in(admin_client, site):
    answer = upload(admin_client)
    chosen = ListImport.objects.get()
    look = f"/admin/newsletter/listimport/{chosen.pk}/preview/"
    assert (answer.status_code, answer["Location"]) == (302, look)

    page = admin_client.get(look).content.decode()
    assert "1 new person would get the letter." in page
    assert "Known already: 0. Not taken: 1." in page
    assert "A mail address has an @ in it" in page
    assert BASIS in page
    assert not Subscriber.objects.exists()

    for _press in range(2):
        admin_client.post(look)
    chosen.refresh_from_db()
    assert (chosen.new, chosen.known, chosen.refused, bytes(chosen.data)) == (1, 0, 1, b"")
    assert (chosen.by.username, chosen.imported_at is not None) == ("admin", True)
    assert people() == [("ann@example.org", "confirmed")]
    assert Consent.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_once_take_a_file_in_once(site):
    chosen = ListImport.objects.create(file_name="x", basis=BASIS, data=b"email\nann@example.org\n")

    def press() -> str:
        try:
            return f"{importing.take_in_once(chosen).new} new"
        except Unreadable as refused:
            return str(refused)

    assert sorted(at_once(3, press)) == ["1 new", *["This file was taken in before."] * 2]
    assert Consent.objects.count() == 1


def test_e3_staff_must_give_a_basis_and_a_readable_file(admin_client, site):
    assert "errorlist" in upload(admin_client, basis="").content.decode()
    assert "errorlist" in upload(admin_client, basis="yes").content.decode()
    page = upload(admin_client, b"PK\x03\x04").content.decode()
    assert "not a CSV file" in page
    assert not ListImport.objects.exists()


def test_only_who_may_take_people_in_does(client, site, django_user_model):
    client.force_login(django_user_model.objects.create_user("ann", is_staff=True))
    chosen = ListImport.objects.create(file_name="x", basis=BASIS, data=b"email\nann@example.org\n")
    look = f"/admin/newsletter/listimport/{chosen.pk}/preview/"
    answers = [client.get(ADD), upload(client), client.get(look), client.post(look)]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert not Subscriber.objects.exists()


def test_a_file_that_was_only_looked_at_is_forgotten(site):
    with time_machine.travel(NOON, tick=False):
        ListImport.objects.create(file_name="old", basis=BASIS, data=b"x")
        ListImport.objects.create(file_name="done", basis=BASIS, imported_at=NOON)
    with time_machine.travel(NOON + dt.timedelta(days=2, seconds=1), tick=False):
        ListImport.objects.create(file_name="young", basis=BASIS, data=b"x")
        assert importing.forget_unfinished() == 1
    assert {row.file_name for row in ListImport.objects.all()} == {"done", "young"}


# --- the way out ----------------------------------------------------------------------------


def test_export_runs_no_formula_and_can_be_read_again(admin_client, site):
    take('email,name\n"ann@example.org","=HYPERLINK(""x"")"\n+bob@example.org,-1+1\n')
    chosen = {
        "action": "export",
        "_selected_action": list(Subscriber.objects.values_list("pk", flat=True)),
    }
    answer = admin_client.post("/admin/newsletter/subscriber/", chosen)
    data = b"".join(answer.streaming_content)
    assert data.startswith(b"\xef\xbb\xbfEmail,")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert [(row["Email"], row["Name"]) for row in rows] == [
        ("ann@example.org", "'=HYPERLINK(\"x\")"), ("'+bob@example.org", "'-1+1"),
    ]  # fmt: skip
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())

    Subscriber.objects.all().delete()
    take_in(data=data, basis=BASIS, source="back.csv")
    assert set(Subscriber.objects.values_list("email", "name")) == {
        ("ann@example.org", '=HYPERLINK("x")'), ("+bob@example.org", "-1+1"),
    }  # fmt: skip


def test_e17_our_own_export_revives_nobody(site, confirmed):
    person = confirmed()
    subscribing.unsubscribe(token=person.token, how=Consent.How.PAGE)
    data = "".join(exporting.as_csv(Subscriber.objects.all())).encode()
    Suppression.objects.all().delete()
    Subscriber.objects.all().delete()
    assert take_in(data=data, basis=BASIS, source="x").counts["new"] == 0
    assert suppressing.is_suppressed("ann@example.org")
