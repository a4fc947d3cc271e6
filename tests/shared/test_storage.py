"""Files in S3, spoken to over HTTP: what the local folders promise, both buckets promise too."""

import io
import os

import pytest
from django.core.exceptions import SuspiciousOperation
from django.core.files.base import ContentFile, File
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import FileResponse

pytestmark = pytest.mark.usefixtures("s3_storages")
BOTH = pytest.mark.parametrize("alias", ["default", "private"])


def stored(alias: str, name: str):
    """What the server itself says of an object."""
    storage = storages[alias]
    return storage.connection.meta.client.head_object(Bucket=storage.bucket_name, Key=name)


def names(alias: str) -> list[str]:
    return sorted(found.key for found in storages[alias].bucket.objects.all())


@BOTH
def test_a_file_is_saved_under_its_name_and_read_back(alias):
    storage = storages[alias]
    assert storage.save("photos/ab/cd.webp", ContentFile(b"content")) == "photos/ab/cd.webp"
    assert storage.exists("photos/ab/cd.webp")
    assert storage.size("photos/ab/cd.webp") == 7
    with storage.open("photos/ab/cd.webp") as file:
        assert (file.read(3), file.read()) == (b"con", b"tent")
    assert names(alias) == ["photos/ab/cd.webp"]


@BOTH
def test_a_name_saved_again_is_overwritten(alias):
    for content in (b"first, and longer", b"second"):
        name = storages[alias].save("photos/ab/cd.webp", ContentFile(content))
        assert name == "photos/ab/cd.webp"
    with storages[alias].open("photos/ab/cd.webp") as file:
        assert file.read() == b"second"
    assert names(alias) == ["photos/ab/cd.webp"]


@BOTH
def test_a_deleted_file_is_gone_and_deleting_it_again_is_no_error(alias):
    storage = storages[alias]
    storage.save("photos/ab/cd.webp", ContentFile(b"content"))
    storage.delete("photos/ab/cd.webp")
    storage.delete("photos/ab/cd.webp")
    assert not storage.exists("photos/ab/cd.webp")
    assert names(alias) == []


@BOTH
def test_a_missing_file_is_missing_as_on_disk(alias):
    with pytest.raises(FileNotFoundError):
        storages[alias].open("photos/ab/cd.webp")
    with pytest.raises(FileNotFoundError):
        storages[alias].size("photos/ab/cd.webp")


@BOTH
def test_folders_are_listed_as_on_disk(alias):
    storage = storages[alias]
    for name in ("photos/ab/1.webp", "photos/ab/2.webp", "photos/cd/3.webp", "pictures/ef/4.webp"):
        storage.save(name, ContentFile(b"content"))
    assert storage.listdir("") == (["photos", "pictures"], [])
    assert storage.listdir("photos") == (["ab", "cd"], [])
    assert storage.listdir("photos/ab") == ([], ["1.webp", "2.webp"])
    assert storage.listdir("nothing") == ([], [])


@BOTH
def test_a_file_larger_than_one_part_arrives_whole(alias):
    """More than 8 MB go in parts, one after another."""
    content = os.urandom(1024 * 1024) * 20
    storages[alias].save("archives/large.zip", File(io.BytesIO(content)))
    assert storages[alias].size("archives/large.zip") == len(content)
    with storages[alias].open("archives/large.zip") as file:
        assert file.read() == content


@BOTH
def test_a_file_written_piece_by_piece_arrives_whole(alias):
    piece = os.urandom(1024 * 1024)
    with storages[alias].open("archives/made.zip", "wb") as file:
        for _ in range(12):
            file.write(piece)
    with storages[alias].open("archives/made.zip") as file:
        assert file.read() == piece * 12
    assert stored(alias, "archives/made.zip")["ContentType"] == "application/octet-stream"


def test_a_large_file_that_is_read_waits_on_disk_and_not_in_memory():
    storages["private"].save("originals/ab/cd.jpeg", ContentFile(bytes(6 * 1024 * 1024)))
    with storages["private"].open("originals/ab/cd.jpeg") as file:
        file.read(1)
        assert file.file._rolled


def test_a_private_file_becomes_a_public_one():
    """What happens when a photo is published: out of one bucket, into the other."""
    storages["private"].save("renditions/ab/cd.webp", ContentFile(b"content"))
    with storages["private"].open("renditions/ab/cd.webp") as file:
        storages["default"].save("photos/ab/cd.webp", file)
    assert (names("default"), names("private")) == (
        ["photos/ab/cd.webp"], ["renditions/ab/cd.webp"],
    )  # fmt: skip
    assert stored("default", "photos/ab/cd.webp")["ContentType"] == "image/webp"
    assert stored("default", "photos/ab/cd.webp")["ContentLength"] == 7


def test_a_private_file_is_handed_to_staff_as_from_disk(db):  # closing asks for its connection
    storages["private"].save("renditions/ab/cd.webp", ContentFile(b"content"))
    response = FileResponse(
        storages["private"].open("renditions/ab/cd.webp"), content_type="image/webp"
    )
    assert response["Content-Length"] == "7"
    assert b"".join(response) == b"content"
    response.close()


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("photos/ab/cd.webp", "image/webp"), ("photos/ab/cd.jpg", "image/jpeg"),
        ("photos/ab/cd.avif", "image/avif"), ("photos/ab/cd.png", "image/png"),
        ("photos/ab/cd.svg", "application/octet-stream"),
        ("photos/ab/cd.html", "application/octet-stream"),
        ("photos/ab/cd.webp.gz", "application/octet-stream"),
        ("photos/ab/cd", "application/octet-stream"),
    ],
)  # fmt: skip
def test_the_type_of_a_public_file_is_told_by_its_suffix(name, content_type):
    """Issue 3, Storage: fixed content types, whatever the upload says of itself."""
    storages["default"].save(name, SimpleUploadedFile("x.html", b"<p>", content_type="text/html"))
    found = stored("default", name)
    assert (found["ContentType"], found.get("ContentEncoding", "")) == (content_type, "")


@pytest.mark.parametrize("suffix", ["jpeg", "heic", "webp", "html", "zip", "svg.gz"])
def test_a_private_file_is_mere_bytes(suffix):
    name = f"originals/ab/cd.{suffix}"
    storages["private"].save(name, SimpleUploadedFile("x.html", b"<p>", content_type="text/html"))
    found = stored("private", name)
    assert found["ContentType"] == "application/octet-stream"
    assert found.get("ContentEncoding", "") == ""


def test_each_bucket_keeps_its_own():
    storages["private"].save("originals/ab/cd.webp", ContentFile(b"secret"))
    storages["default"].save("photos/ab/cd.webp", ContentFile(b"content"))
    assert names("private") == ["originals/ab/cd.webp"]
    assert names("default") == ["photos/ab/cd.webp"]
    assert not storages["default"].exists("originals/ab/cd.webp")


def test_nothing_is_opened_to_the_public_by_the_server():
    """No list of rights is sent with an object: both buckets may be closed to everybody else."""
    storages["default"].save("photos/ab/cd.webp", ContentFile(b"content"))
    client = storages["default"].connection.meta.client
    grants = client.get_object_acl(Bucket=storages["default"].bucket_name, Key="photos/ab/cd.webp")[
        "Grants"
    ]
    assert [grant["Grantee"]["Type"] for grant in grants] == ["CanonicalUser"]


def test_the_address_of_a_public_file_is_on_this_site():
    """Public pages ask no other host (ARCHITECTURE, 1)."""
    assert storages["default"].url("photos/ab/cd.webp") == "/media/photos/ab/cd.webp"


def test_a_private_file_has_no_address():
    with pytest.raises(ValueError, match="no address"):
        storages["private"].url("originals/ab/cd.webp")


@pytest.mark.parametrize("name", ["../{private}/secret.webp", "photos/../../{private}/secret.webp"])
def test_a_name_that_leads_out_stays_in_its_bucket(name):
    private = storages["private"].bucket_name
    storages["private"].save("secret.webp", ContentFile(b"secret"))
    with pytest.raises((FileNotFoundError, SuspiciousOperation)):
        storages["default"].open(name.format(private=private))
    with pytest.raises(SuspiciousOperation):
        storages["default"].save(name.format(private=private), ContentFile(b"content"))
    assert (names("default"), names("private")) == ([], ["secret.webp"])


def test_both_buckets_and_all_threads_share_one_client():
    """A client takes 13 MB: one a thread and bucket would eat a small server."""
    from concurrent.futures import ThreadPoolExecutor

    def client(alias: str) -> object:
        return storages[alias].connection.meta.client

    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(client, ["default", "private"] * 8))
    assert found == {client("default")}


def answers_of_health(client) -> tuple[int, list[str]]:
    response = client.get("/readyz/")
    return response.status_code, response.content.decode().splitlines()


@pytest.mark.django_db(transaction=True)
def test_ready_while_both_buckets_answer(client):
    assert answers_of_health(client) == (
        200, ["database: ok", "cache: ok", "pictures: ok", "private files: ok"],
    )  # fmt: skip
    assert names("default") == names("private") == []


@pytest.mark.django_db(transaction=True)
def test_not_ready_while_the_server_is_down(client, s3_down, caplog):
    """trust.md, operator faults: S3 down; health is red with the reason, and names no host."""
    assert answers_of_health(client) == (
        503,
        [
            "database: ok",
            "cache: ok",
            "pictures: Unavailable: Could not connect to the endpoint URL",
            "private files: Unavailable: Could not connect to the endpoint URL",
        ],
    )


@pytest.mark.django_db(transaction=True)
def test_not_ready_without_the_private_bucket(client, caplog):
    storages["private"].bucket.delete()
    try:
        status, lines = answers_of_health(client)
    finally:
        storages["private"].bucket.create()
    assert status == 503
    assert lines[2] == "pictures: ok"
    assert lines[3] == (
        "private files: Unavailable: "
        "An error occurred (NoSuchBucket) when calling the PutObject operation"
    )
