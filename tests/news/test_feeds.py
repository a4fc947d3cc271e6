"""Reading other people's feeds: against a real server that behaves in every bad way."""

import contextlib
import datetime as dt
import gzip
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sistercities.news import feeds, fetching
from sistercities.news.fetching import Unreachable, fetch, is_public
from sistercities.news.tasks import read_due_feeds
from tests.news.conftest import NOW

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>News</title><link>https://example.org/</link>
{items}
</channel></rss>"""
ITEM = "<item><title>{title}</title><link>{link}</link><pubDate>{date}</pubDate></item>"
DATE = "Fri, 20 Nov 2026 10:00:00 GMT"


def rss(*items: tuple[str, str, str]) -> bytes:
    lines = (ITEM.format(title=title, link=link, date=date) for title, link, date in items)
    return RSS.format(items="".join(lines)).encode()


GOOD = rss(
    ("Older", "https://example.org/1", "Mon, 02 Nov 2026 10:00:00 GMT"),
    ("Young artists&#8217; showcase", "https://example.org/2", DATE),
)
GOOD_ITEMS = [
    {"title": "Young artists’ showcase", "url": "https://example.org/2",
     "published": "2026-11-20"},
    {"title": "Older", "url": "https://example.org/1", "published": "2026-11-02"},
]  # fmt: skip
KEPT = [{"title": "Kept", "url": "https://example.org/0", "published": ""}]


# --- parsing ---------------------------------------------------------------------------------


def test_parse_gives_the_newest_first():
    assert feeds.parse(GOOD) == GOOD_ITEMS


def test_parse_reads_atom_and_takes_relative_addresses_from_the_base():
    atom = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title>
    <entry><title type="html">A &lt;b&gt;bold&lt;/b&gt; claim</title><link href="/a?b=c&amp;d=e"/>
    <updated>2026-11-20T10:00:00Z</updated></entry></feed>"""
    assert feeds.parse(atom, "https://example.org/feed") == [
        {"title": "A bold claim", "url": "https://example.org/a?b=c&d=e",
         "published": "2026-11-20"}
    ]  # fmt: skip


def test_parse_keeps_ten_and_cuts_long_titles():
    items = feeds.parse(rss(*[("锦州" * 150, f"https://example.org/{n}", "") for n in range(30)]))
    assert len(items) == 10
    assert {len(item["title"]) for item in items} == {200}
    assert items[0]["title"].endswith("…")


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("&lt;script&gt;alert(1)&lt;/script&gt;Safe", "Safe"),
        ("<![CDATA[<script>alert(1)</script>Safe]]>", "Safe"),
        ("<![CDATA[<img src=x onerror=alert(1)>Safe]]>", "Safe"),
        ("<![CDATA[<b>Bold</b> &amp; plain]]>", "Bold & plain"),
        ("Fish &amp;amp; chips", "Fish & chips"),
        ("\u202egnp.exe", "gnp.exe"),
        ("  two\n lines ", "two lines"),
    ],
)
def test_parse_makes_titles_plain(title, expected):
    (item,) = feeds.parse(rss((title, "https://example.org/", DATE)))
    assert item["title"] == expected


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "ftp://example.org/",
     "file:///etc/passwd", "", "//", "https://example.org/" + "x" * 1000],
)  # fmt: skip
def test_parse_drops_what_cannot_be_followed_safely(link):
    assert feeds.parse(rss(("Title", link, DATE))) == []


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\x00" * 1000, b"<html><body><h1>No feed</h1></body></html>", b"{}", b"<rss",
        b"/etc/passwd", b"\xff\xfe\x00", "<rss><channel><item>".encode("utf-16"),
    ],
)  # fmt: skip
def test_parse_finds_nothing_in_what_is_no_feed(content):
    assert feeds.parse(content) == []


def test_parse_never_takes_its_bytes_for_a_file(tmp_path):
    path = tmp_path / "feed.xml"
    path.write_bytes(GOOD)
    assert feeds.parse(str(path).encode()) == []


def test_parse_reads_no_entities_from_elsewhere(tmp_path):
    (tmp_path / "secret").write_text("SECRET")
    xml = f"""<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>
    <rss version="2.0"><channel><item><title>a&x;b</title><link>https://example.org/</link></item>
    </channel></rss>"""
    assert "SECRET" not in str(feeds.parse(xml.encode()))


def test_parse_is_quick_with_entities_that_grow():
    grown = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x" * 10}">' for n in range(10))
    xml = f"""<?xml version="1.0"?><!DOCTYPE rss [{grown}]><rss version="2.0"><channel>
    <item><title>&e9;</title><link>https://example.org/</link></item></channel></rss>"""
    assert all(len(item["title"]) <= 200 for item in feeds.parse(xml.encode()))


@pytest.mark.parametrize("date", ["", "not a date", "Mon, 99 Foo 9999 99:99:99 GMT", "0000-00-00"])
def test_parse_takes_any_date_for_none(date):
    (item,) = feeds.parse(rss(("Title", "https://example.org/", date)))
    assert item["published"] == ""


# --- fetching --------------------------------------------------------------------------------


class Server(BaseHTTPRequestHandler):
    """`/name` calls `answer_name`."""

    def do_GET(self):
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the reader had enough
            getattr(self, f"answer_{self.path.split('?')[0].strip('/')}")()

    def log_message(self, *args):
        pass

    def give(self, content: bytes, status: int = 200, **headers: str):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def answer_good(self):
        self.give(GOOD, Content_Type="application/rss+xml")

    def answer_packed(self):
        self.give(gzip.compress(GOOD), Content_Encoding="gzip")

    def answer_html(self):
        self.give(b"<html><body>Moved to a new home</body></html>", Content_Type="text/html")

    def answer_missing(self):
        self.give(b"no", status=404)

    def answer_broken(self):
        self.give(b"no", status=500)

    def answer_moved(self):
        self.give(b"", status=301, Location="/good")

    def answer_round(self):
        self.give(b"", status=302, Location="/round")

    def answer_elsewhere(self):
        self.give(b"", status=302, Location="file:///etc/passwd")

    def answer_huge(self):
        self.send_response(200)
        self.end_headers()
        for _n in range(64):
            self.wfile.write(b"x" * 65536)

    def answer_bomb(self):
        self.give(gzip.compress(b"x" * 50_000_000), Content_Encoding="gzip")

    def answer_short(self):
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(GOOD)

    def answer_silent(self):
        self.server.until.wait(20)

    def answer_drip(self):
        self.send_response(200)
        self.end_headers()
        while not self.server.until.wait(0.1):
            self.wfile.write(b" ")

    def answer_header(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not self.server.until.wait(0.1):
            self.wfile.write(b"x")


@pytest.fixture
def server(settings):
    """A server on this machine, which only DEBUG allows to be read."""
    settings.DEBUG = True
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    httpd.daemon_threads = True
    httpd.until = threading.Event()
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.until.set()
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.mark.parametrize("path", ["good", "packed", "moved", "good?ä=ö ü#part"])
def test_fetch_brings_the_body(server, path):
    content, address = fetch(f"{server}/{path}")
    assert content == GOOD
    assert address.startswith(server)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("missing", "The server answered 404."),
        ("broken", "The server answered 500."),
        ("round", "The address leads on and on to other addresses."),
        ("elsewhere", "This is not an address that begins with http or https."),
        ("huge", "The answer is larger than 2 MB."),
        ("bomb", "The answer is larger than 2 MB."),
        ("short", "The server did not answer, or broke off."),
    ],
)
def test_fetch_says_what_went_wrong(server, path, sentence):
    with pytest.raises(Unreachable) as problem:
        fetch(f"{server}/{path}")
    assert str(problem.value) == sentence


@pytest.mark.parametrize("path", ["silent", "drip", "header"])
def test_fetch_does_not_wait_for_who_is_slow(server, path, monkeypatch):
    monkeypatch.setattr(fetching, "SECONDS", 1)
    began = time.monotonic()
    with pytest.raises(Unreachable, match="No complete answer within 1 seconds"):
        fetch(f"{server}/{path}")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "url", ["ftp://example.org/", "file:///etc/passwd", "", "http://", "http://[", "gopher://x",
            "http://127.0.0.1:99999/", "http://" + "a" * 70 + ".example/"],
)  # fmt: skip
def test_fetch_refuses_what_is_no_web_address(url):
    with pytest.raises(Unreachable):
        fetch(url)


def test_fetch_of_a_closed_door_says_so(server, unused_port):
    with pytest.raises(Unreachable, match="did not answer"):
        fetch(f"http://127.0.0.1:{unused_port}/")


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f000001", "2130706433", "[::1]",
                                  "0.0.0.0", "169.254.169.254", "10.0.0.1"])  # fmt: skip
def test_fetch_stays_out_of_private_networks(server, settings, host):
    settings.DEBUG = False
    port = server.rpartition(":")[2]
    with pytest.raises(Unreachable, match="private network"):
        fetch(f"http://{host}:{port}/good")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1::1", True), ("127.0.0.1", False),
        ("10.1.2.3", False), ("172.16.0.1", False), ("192.168.0.1", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False),
        ("224.0.0.1", False), ("255.255.255.255", False), ("::1", False), ("::", False),
        ("fe80::1%eth0", False), ("fc00::1", False), ("ff02::1", False),
        ("::ffff:127.0.0.1", False), ("::ffff:93.184.216.34", True),
        ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False),
    ],
)  # fmt: skip
def test_public_addresses_are_told_from_private_ones(address, public):
    assert is_public(address) is public


# --- keeping ---------------------------------------------------------------------------------


def test_read_feed_keeps_what_it_read(server, make_source):
    source = make_source(f"{server}/good", last_error="Old trouble")
    assert feeds.read_feed(source) == ""
    source.refresh_from_db()
    assert source.items == GOOD_ITEMS
    assert (source.fetched_at, source.tried_at, source.last_error) == (NOW, NOW, "")


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("missing", "The server answered 404."),
        ("html", "No headlines could be read there. Is it the feed's address?"),
        ("huge", "The answer is larger than 2 MB."),
    ],
)
def test_read_feed_keeps_the_old_headlines_when_the_feed_dies(server, make_source, path, error):
    day_before = NOW - dt.timedelta(days=1)
    source = make_source(f"{server}/{path}", items=KEPT, fetched_at=day_before)
    assert feeds.read_feed(source) == error
    source.refresh_from_db()
    assert source.items == KEPT
    assert (source.fetched_at, source.tried_at, source.last_error) == (day_before, NOW, error)


def test_read_feed_leaves_what_staff_changed_meanwhile(server, make_source):
    source = make_source(f"{server}/good")
    type(source).objects.update(title="Renamed")
    feeds.read_feed(source)
    source.refresh_from_db()
    assert source.title == "Renamed"


@pytest.mark.parametrize(
    ("tried", "fetched", "error", "due"),
    [
        (None, None, "", True),
        (59, 59, "", True),
        (30, 30, "", False),
        (60, None, "Down.", True),
        (60, 90, "Down.", True),
        (60, 600, "Down.", False),
        (540, 1080, "Down.", True),
        (24 * 60, 90 * 24 * 60, "Down.", True),
        (23 * 60, 90 * 24 * 60, "Down.", False),
    ],
)
def test_feed_is_due_each_hour_and_later_the_longer_it_is_away(
    make_source, tried, fetched, error, due
):
    def ago(minutes):
        return minutes and NOW - dt.timedelta(minutes=minutes)

    source = make_source(tried_at=ago(tried), fetched_at=ago(fetched), last_error=error)
    assert feeds.is_due(source, NOW) is due


def test_hourly_job_reads_what_is_shown_and_due(server, make_source):
    just_now = NOW - dt.timedelta(minutes=10)
    good = make_source(f"{server}/good")
    bad = make_source(f"{server}/missing", items=KEPT)
    off = make_source(f"{server}/packed", is_active=False)
    read = make_source(f"{server}/moved", tried_at=just_now, fetched_at=just_now)
    assert read_due_feeds.func() == 1
    for source in (good, bad, off, read):
        source.refresh_from_db()
    assert good.items == GOOD_ITEMS
    assert bad.items == KEPT
    assert (off.tried_at, read.tried_at) == (None, just_now)


def test_feed_claimed_by_another_worker_is_left_alone(server, make_source, monkeypatch):
    source = make_source(f"{server}/good")

    def claimed_meanwhile(source, now):
        type(source).objects.update(tried_at=NOW - dt.timedelta(seconds=1))
        return True

    monkeypatch.setattr(feeds, "is_due", claimed_meanwhile)
    assert feeds.read_due_feeds() == 0
    source.refresh_from_db()
    assert source.items == []


def test_headlines_stand_on_pages_as_plain_words(client, site, make_source):
    make_source(items=[{"title": "<b>x</b>", "url": "https://example.org/?a=1&b=2",
                        "published": ""}])  # fmt: skip
    html = client.get("/news/").text
    assert '<a href="https://example.org/?a=1&amp;b=2">&lt;b&gt;x&lt;/b&gt;' in html
