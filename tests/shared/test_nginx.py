"""The sample configuration of docs/operating.md, run by the nginx of this machine."""

import http.client
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

import brotli
import pytest
from django.db import connections

from sistercities.shared import pagecache
from sistercities.wsgi import application
from tests.shared import nginx


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def proxy(site, home_city, transactional_db, tmp_path, unused_port_number, settings, monkeypatch):
    """`proxy(path, …)`: (what nginx says of its copy, status, headers, bytes)."""
    monkeypatch.setattr(pagecache, "store", pagecache.Store())
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
    server = make_server("127.0.0.1", 0, application, handler_class=Quiet)

    def serve():
        server.serve_forever(0.05)
        connections.close_all()

    (thread := threading.Thread(target=serve)).start()

    def ask(path, method="GET", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", unused_port_number, timeout=30)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers={"Accept-Encoding": "br", **sent})
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        content = answer.read()
        connection.close()
        return found.get("x-stored"), answer.status, found, content

    with nginx.nginx(tmp_path, site=server.server_port, port=unused_port_number):
        yield ask
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.skipif(not nginx.is_here(), reason="No nginx here: apt-get install nginx-light.")
def test_the_sample_gives_out_public_pages_and_no_others(proxy, tmp_path):
    first, again = proxy("/cities/"), proxy("/cities/")
    assert [first[0], again[0]] == ["MISS", "HIT"]
    assert again[1] == 200
    assert again[3] == first[3]
    assert b"<!doctype html>" in brotli.decompress(again[3])
    for name in ("etag", "cache-control", "content-security-policy", "content-encoding", "vary"):
        assert again[2][name] == first[2][name]
    known = proxy("/cities/", If_None_Match=again[2]["etag"])
    assert (known[0], known[1], known[3]) == ("HIT", 304, b"")
    assert proxy("/cities/", "HEAD")[:2] == ("HIT", 200)
    plain = proxy("/cities/", Accept_Encoding="identity")
    assert (plain[0], plain[3]) == ("MISS", brotli.decompress(first[3]))

    for cookie in ("sessionid=x", "a=b; csrftoken=x", "__Host-sessionid=x", "messages=x"):
        assert proxy("/cities/", Cookie=cookie)[0] == "BYPASS"
    assert proxy("/cities/", Authorization="Basic YTpi")[0] == "BYPASS"
    assert proxy("/cities/", Cookie="theme=dark")[0] == "HIT"

    assert [proxy("/cities/style.css?v=0123abcd")[0] for _again in range(2)] == ["MISS", "HIT"]
    copies = sum(path.is_file() for path in (tmp_path / "cache").rglob("*"))
    for noise in ("?utm_source=x", "?page=1&page=2", "?page=99999", "?page=1%26", "?q=x"):
        assert [proxy(f"/news/{noise}")[0] for _again in range(2)] == ["BYPASS"] * 2
    for path in ("/donate/", "/donate/my-gifts/", "/newsletter/challenge/", "/admin/login/",
                 "/newsletter/confirm/x/", "/nothing/here/", "/healthz/"):  # fmt: skip
        assert [proxy(path)[0] for _again in range(2)] == ["MISS"] * 2, path
    assert proxy("/media/photos/a.webp")[0] is None
    assert sum(path.is_file() for path in (tmp_path / "cache").rglob("*")) == copies
