import gzip

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

ASKING = {"HTTP_ACCEPT_ENCODING": "gzip, br"}


def test_a_page_goes_out_compressed_to_who_can_read_it(client, site):
    plain = client.get("/privacy/nothing/").content
    page = client.get("/privacy/nothing/", **ASKING)
    assert (page["Content-Encoding"], "Accept-Encoding" in page["Vary"]) == ("gzip", True)
    assert int(page["Content-Length"]) == len(page.content) < len(plain) / 2
    assert gzip.decompress(page.content) == plain
    assert "Content-Encoding" not in client.get("/privacy/nothing/")


@pytest.mark.parametrize("path", ["/galleries/", "/sitemap.xml", "/robots.txt", "/news/feed/"])
def test_no_text_is_sent_longer_than_it_is(client, site, path):
    plain = client.get(path).content
    answer = client.get(path, **ASKING)
    assert len(answer.content) <= len(plain)


def test_a_picture_goes_out_as_it_is(client, site):
    name = f"photos/ab/{'ab' * 16}.webp"
    default_storage.save(name, ContentFile(bytes(5000)))
    answer = client.get(f"/media/{name}", **ASKING)
    assert ("Content-Encoding" in answer, answer["Content-Length"]) == (False, "5000")
    assert b"".join(answer.streaming_content) == bytes(5000)
