import os

import pytest
from django.test import Client


@pytest.fixture
def folder(settings):
    settings.MEDIA_ROOT.mkdir(parents=True)
    inner = settings.MEDIA_ROOT / "pictures" / "ab"
    inner.mkdir(parents=True)
    for name in ("a.webp", "a.html", "a.svg", "a.webp.html", "a.jpg", "a.png", "A.WEBP", ".webp"):
        (inner / name).write_bytes(b"bytes")
    (inner / "folder.webp").mkdir()
    (settings.MEDIA_ROOT.parent / "secret.webp").write_bytes(b"secret")
    return settings.MEDIA_ROOT


def body(response) -> bytes:
    """Read to its end, where the test client closes it."""
    return b"".join(response) if response.streaming else response.content


@pytest.mark.parametrize(
    ("name", "kind"), [("a.webp", "image/webp"), ("a.jpg", "image/jpeg"), ("a.png", "image/png")]
)
def test_a_picture_is_handed_out_for_good(client, folder, name, kind):
    """No `db` here: a question to the database would fail this test."""
    response = client.get(f"/media/pictures/ab/{name}")
    assert (response.status_code, body(response)) == (200, b"bytes")
    assert response["Content-Type"] == kind
    assert response["Content-Length"] == "5"
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert not response.cookies


def test_a_letter_read_in_a_browser_may_show_it(client, folder):
    response = client.get("/media/pictures/ab/a.webp")
    body(response)
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_asking_only_for_the_headers(client, folder):
    response = client.head("/media/pictures/ab/a.webp")
    assert (response.status_code, response["Content-Length"]) == (200, "5")
    assert body(response) == b""


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
        "%ff.webp",
    ],
)  # fmt: skip
def test_anything_else_is_not_there(client, folder, path):
    response = client.get(f"/media/{path}")
    assert (response.status_code, body(response)) == (404, b"Not found\n")
    assert "Cache-Control" not in response


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


def test_it_is_read_only(folder):
    assert Client().post("/media/pictures/ab/a.webp").status_code == 405
