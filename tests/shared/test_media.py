import os
import uuid
from email.utils import parsedate_to_datetime

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client

FOR_GOOD = "public, max-age=31536000, immutable"
A_MINUTE = "public, max-age=60"
NAMES = ("a.webp", "a.html", "a.svg", "a.webp.html", "a.jpg", "a.png", "a.avif", "A.WEBP", ".webp")


@pytest.fixture
def folder(settings):
    settings.MEDIA_ROOT.mkdir(parents=True)
    inner = settings.MEDIA_ROOT / "pictures" / "ab"
    inner.mkdir(parents=True)
    for name in NAMES:
        (inner / name).write_bytes(b"bytes")
    (inner / "folder.webp").mkdir()
    (settings.MEDIA_ROOT.parent / "secret.webp").write_bytes(b"secret")
    return settings.MEDIA_ROOT


@pytest.fixture
def bucket(s3_storages):
    fill_buckets()


def fill_buckets():
    for name in NAMES:
        storages["default"].save(f"pictures/ab/{name}", ContentFile(b"bytes"))
    storages["default"].save("pictures/ab/folder.webp/a.txt", ContentFile(b"bytes"))
    storages["private"].save("secret.webp", ContentFile(b"secret"))
    storages["private"].save("pictures/ab/private.webp", ContentFile(b"secret"))


@pytest.fixture(params=["folder", "bucket"])
def kept(request):
    """Whatever visitors are promised holds wherever the files are."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def shelf():
    """A name for buckets, and whether they are there yet."""
    return {"name": uuid.uuid4().hex, "is_filled": False}


@pytest.fixture
def bucket_to_read(s3_at, s3_server, shelf):
    """Filled once, for many tests that only read."""
    s3_at(s3_server, shelf["name"])
    if not shelf["is_filled"]:
        for alias in ("default", "private"):
            storages[alias].bucket.create()
        fill_buckets()
        shelf["is_filled"] = True


@pytest.fixture(params=["folder", "bucket_to_read"], ids=["folder", "bucket"])
def kept_to_read(request):
    return request.getfixturevalue(request.param)


def body(response) -> bytes:
    """Read to its end, where the test client closes it."""
    return b"".join(response) if response.streaming else response.content


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.webp", "image/webp"), ("a.jpg", "image/jpeg"), ("a.png", "image/png"),
        ("a.avif", "image/avif"),
    ],
)  # fmt: skip
def test_a_picture_is_handed_out_for_good(client, kept, name, kind):
    """No `db` here: a question to the database would fail this test."""
    response = client.get(f"/media/pictures/ab/{name}")
    assert (response.status_code, body(response)) == (200, b"bytes")
    assert response["Content-Type"] == kind
    assert response["Content-Length"] == "5"
    assert response["Cache-Control"] == FOR_GOOD
    assert response["X-Content-Type-Options"] == "nosniff"
    assert not response.cookies


def test_a_picture_of_people_is_kept_for_a_minute_only(client, kept):
    """trust.md, Minors: whose consent is taken back is hidden in 60 seconds, in copies too."""
    storages["default"].save("photos/ab/a.webp", ContentFile(b"bytes"))
    response = client.get("/media/photos/ab/a.webp")
    assert (response.status_code, body(response)) == (200, b"bytes")
    assert response["Cache-Control"] == A_MINUTE
    storages["default"].delete("photos/ab/a.webp")
    kept_copy = {"If-None-Match": response["ETag"], "If-Modified-Since": response["Last-Modified"]}
    for headers in ({}, kept_copy):
        response = client.get("/media/photos/ab/a.webp", headers=headers)
        assert (response.status_code, response["Cache-Control"]) == (404, "no-store")


@pytest.mark.parametrize(
    ("folder_name", "cache_control"), [("pictures", FOR_GOOD), ("photos", A_MINUTE)]
)
def test_who_has_a_copy_is_not_sent_another(client, kept, folder_name, cache_control):
    address = f"/media/{folder_name}/ab/b.webp"
    storages["default"].save(f"{folder_name}/ab/b.webp", ContentFile(b"bytes"))
    first = client.get(address)
    body(first)
    for headers in (
        {"If-None-Match": first["ETag"]},
        {"If-None-Match": f'"other", W/{first["ETag"]}'},
        {"If-Modified-Since": first["Last-Modified"]},
    ):
        for ask in (client.get, client.head):
            again = ask(address, headers=headers)
            assert (again.status_code, body(again)) == (304, b"")
            for name in ("ETag", "Last-Modified", "Cross-Origin-Resource-Policy"):
                assert again[name] == first[name]
            assert again["Cache-Control"] == cache_control


def test_who_has_an_old_copy_is_sent_the_new_one(client, kept):
    headers = {"If-None-Match": '"other"', "If-Modified-Since": "Mon, 20 Nov 2000 10:00:00 GMT"}
    for name, value in headers.items():
        response = client.get("/media/pictures/ab/a.webp", headers={name: value})
        assert (response.status_code, body(response)) == (200, b"bytes")
        assert response["Content-Length"] == "5"


def test_another_content_has_another_tag(client, kept):
    before = client.get("/media/pictures/ab/a.webp")
    body(before)
    storages["default"].save("pictures/ab/a.webp", ContentFile(b"other"))
    after = client.get("/media/pictures/ab/a.webp", headers={"If-None-Match": before["ETag"]})
    assert (after.status_code, body(after)) == (200, b"other")
    assert after["ETag"] != before["ETag"]


def test_the_moment_of_a_file_is_told_in_greenwich_time(client, folder):
    os.utime(folder / "pictures" / "ab" / "a.webp", (1_000_000_000, 1_000_000_000))
    response = client.get("/media/pictures/ab/a.webp")
    body(response)
    assert response["Last-Modified"] == "Sun, 09 Sep 2001 01:46:40 GMT"


def test_the_moment_of_an_object_is_its_own(client, bucket):
    response = client.get("/media/pictures/ab/a.webp")
    body(response)
    told = parsedate_to_datetime(response["Last-Modified"])
    assert told == storages["default"].get_modified_time("pictures/ab/a.webp")


def test_a_letter_read_in_a_browser_may_show_it(client, kept):
    response = client.get("/media/pictures/ab/a.webp")
    body(response)
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_asking_only_for_the_headers(client, kept):
    full = client.get("/media/pictures/ab/a.webp")
    body(full)
    response = client.head("/media/pictures/ab/a.webp")
    assert (response.status_code, body(response)) == (200, b"")
    for name in ("Content-Length", "Content-Type", "Cache-Control", "ETag", "Last-Modified"):
        assert response[name] == full[name]
    assert client.head("/media/pictures/ab/missing.webp").status_code == 404


def test_a_large_picture_arrives_whole(client, kept):
    content = os.urandom(1_000_000)
    storages["default"].save("pictures/ab/large.webp", ContentFile(content))
    response = client.get("/media/pictures/ab/large.webp")
    assert response["Content-Length"] == "1000000"
    assert body(response) == content


@pytest.mark.parametrize(
    "path",
    [
        "pictures/ab/missing.webp", "pictures/ab/a.html", "pictures/ab/a.svg",
        "pictures/ab/a.webp.html", "pictures/ab/A.WEBP", "pictures/ab/.webp",
        "pictures/ab/folder.webp", "pictures/ab/", "pictures", "pictures/ab/a.webp/",
        "../secret.webp", "pictures/../../secret.webp", "..%2fsecret.webp",
        "%2e%2e/secret.webp", "pictures/ab/%2e%2e/%2e%2e/%2e%2e/secret.webp",
        "..\\secret.webp", "/etc/passwd", "//etc/passwd", "%2fetc%2fhostname.webp",
        "pictures/ab/a.webp%00", "a%00.webp", "x" * 300 + ".webp", "x/" * 3_000 + "a.webp",
        "pictures//ab/a.webp", "./pictures/ab/a.webp", "~root/a.webp", "C:/a.webp", "锦州.webp",
        "%ff.webp", "pictures/cd/../ab/a.webp", "photos/../pictures/ab/a.webp",
        "pictures/ab/a.webp%3fversion", "secret.webp",
    ],
)  # fmt: skip
def test_anything_else_is_not_there(client, kept_to_read, path):
    response = client.get(f"/media/{path}")
    assert (response.status_code, body(response)) == (404, b"Not found\n")
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("ask", ["get", "head"])
def test_nothing_of_the_private_bucket_is_handed_out(client, bucket, ask):
    private = storages["private"].bucket_name
    for path in (
        "pictures/ab/private.webp", "secret.webp", f"{private}/secret.webp",
        f"../{private}/secret.webp", f"%2e%2e/{private}/secret.webp",
        f"pictures/../../{private}/secret.webp", f"..%2f{private}%2fsecret.webp",
        f"/{private}/secret.webp", f"..\\{private}\\secret.webp",
        f"%252e%252e/{private}/secret.webp",
    ):  # fmt: skip
        response = getattr(client, ask)(f"/media/{path}")
        assert (response.status_code, b"secret" in body(response)) == (404, False)


def test_while_s3_is_down_a_picture_is_away_and_not_forgotten(client, s3_down, caplog):
    """trust.md, operator faults: nobody keeps the refusal, and the log says why."""
    response = client.get("/media/pictures/ab/a.webp")
    assert (response.status_code, response.content) == (503, b"Try again later\n")
    assert response["Cache-Control"] == "no-store"
    assert "Could not connect to the endpoint URL" in caplog.text


def test_an_absolute_path_is_not_there(client, folder, tmp_path):
    outside = tmp_path / "outside.webp"
    outside.write_bytes(b"secret")
    assert client.get(f"/media/{outside}").status_code == 404
    assert client.get(f"/media/{str(outside).replace('/', '%2f')}").status_code == 404


def test_a_link_that_leads_out_is_not_followed(client, folder, tmp_path):
    (folder / "link.webp").symlink_to(tmp_path / "secret.webp")
    (folder / "up").symlink_to(tmp_path)
    (folder / "loop.webp").symlink_to(folder / "loop.webp")
    for path in ("link.webp", "up/secret.webp", "loop.webp"):
        assert client.get(f"/media/{path}").status_code == 404


def test_what_is_no_regular_file_is_not_opened(client, folder):
    os.mkfifo(folder / "pipe.webp")
    assert client.get("/media/pipe.webp").status_code == 404


def test_a_site_without_pictures(client, settings):
    assert not settings.MEDIA_ROOT.exists()
    assert client.get("/media/a.webp").status_code == 404


def test_it_is_read_only(kept):
    assert Client().post("/media/pictures/ab/a.webp").status_code == 405
