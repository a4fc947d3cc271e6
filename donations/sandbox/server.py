"""The sandbox's HTTP server, on 127.0.0.1 only."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlsplit

from . import addresses, api, controls, due, hosted, recurring_pages, rendering
from .errors import ApiError
from .store import Store
from .webhooks import PAUSES, Deliverer
from .wire import Json, Reply, Request, json_reply

log = logging.getLogger("donations.sandbox")

HOST = "127.0.0.1"
BODY_AT_MOST = 1_000_000
CONTROLS = "/_sandbox/"
_PAGES = {
    addresses.PAY: hosted.answer,
    addresses.INVOICE: recurring_pages.answer_invoice,
    addresses.PORTAL: recurring_pages.answer_portal,
}


def refuse_unless_debug(debug: bool) -> None:
    """Raise RuntimeError unless ``debug``: the sandbox marks gifts as paid without any money."""
    if not debug:
        raise RuntimeError("The payment sandbox runs with DEBUG only; use the real Stripe instead.")


def _django_debug() -> bool:
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    try:
        return bool(settings.DEBUG)
    except ImproperlyConfigured:
        return False


class Sandbox:
    """A stand-in for Stripe's API and hosted payment page.

    ``port`` 0 takes any free one. ``webhook_secret`` may name several, separated by commas; every
    event is signed with each. ``webhook_url`` may be None and set later: events wait for it. With
    ``state_file`` nothing is lost when the process ends; without it the state is in memory only.
    ``debug`` None asks Django's settings. ``retry_pauses`` are the seconds before an event that
    was not answered with 2xx is sent again.

    Raises RuntimeError without DEBUG or for an unreadable state file, and ValueError for empty or
    live keys.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        secret_key: str,
        webhook_secret: str,
        webhook_url: str | None = None,
        state_file: Path | None = None,
        debug: bool | None = None,
        retry_pauses: Sequence[float] = PAUSES,
    ) -> None:
        refuse_unless_debug(_django_debug() if debug is None else debug)
        secrets = [secret.strip() for secret in webhook_secret.split(",") if secret.strip()]
        if not secret_key or not secrets:
            raise ValueError("The sandbox needs a secret key and a webhook secret.")
        if "_live_" in secret_key:
            raise ValueError("The sandbox does not take a live key.")
        _check_url(webhook_url)
        self._asked_port = port
        self._secret_key = secret_key
        self._store = Store(state_file)
        self._deliverer = Deliverer(
            self._store,
            secrets=secrets,
            url=webhook_url,
            pauses=retry_pauses,
            tick=due.catch_up,
        )
        self._server: _Server | None = None
        self._thread: Thread | None = None

    @property
    def port(self) -> int:
        """The port it serves on; RuntimeError before ``start``."""
        if self._server is None:
            raise RuntimeError("The sandbox has not been started.")
        return int(self._server.server_address[1])

    @property
    def base_url(self) -> str:
        """Such as ``http://127.0.0.1:8123``; RuntimeError before ``start``."""
        return f"http://{HOST}:{self.port}"

    @property
    def webhook_url(self) -> str | None:
        """Where events are sent; settable at any time."""
        return self._deliverer.url

    @webhook_url.setter
    def webhook_url(self, url: str | None) -> None:
        _check_url(url)
        self._deliverer.url = url

    def start(self) -> None:
        """Serve in a daemon thread; returns once requests are taken."""
        self._open()
        assert self._server is not None
        self._thread = Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="sandbox-http",
            daemon=True,
        )
        self._thread.start()

    def serve_forever(self) -> None:
        """Serve in this thread until ``stop`` or an interrupt."""
        self._open()
        assert self._server is not None
        try:
            self._server.serve_forever(poll_interval=0.2)
        finally:
            self._close()

    def stop(self) -> None:
        """End serving and sending, and close every connection. Doing it twice does no harm."""
        if self._server is not None:
            self._server.shutdown()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            self._close()

    def control(self, path: str, /, **body: Any) -> Json:
        """Carry out a test control without HTTP, such as ``control("payouts", amount=4860)``.

        ``path`` is what follows ``/_sandbox/``. Raises ApiError where HTTP would answer 400 or 404.
        """
        method = "GET" if path == "state" else "POST"
        return controls.run(self._store, self._deliverer, method, path, body)

    def wait_for_deliveries(self, timeout: float = 10.0) -> bool:
        """Wait until every event that is not held was sent; False if time ran out first."""
        return self._deliverer.wait(timeout)

    def _open(self) -> None:
        if self._server is not None:
            raise RuntimeError("The sandbox serves already.")
        self._server = _Server((HOST, self._asked_port), _Handler, self)
        addresses.move(self._store, self.base_url)
        self._deliverer.start()

    def _close(self) -> None:
        self._deliverer.stop()
        if self._server is not None:
            self._server.server_close()
            self._server.close_connections()
            self._server = None

    def handle(self, request: Request) -> Reply:
        """Answer one request to the API, the hosted pages or the controls."""
        _check_host(request, self.port)
        if request.path.startswith("/v1/"):
            return api.answer(self._store, request, secret_key=self._secret_key)
        for path, page in _PAGES.items():
            if request.path.startswith(path):
                return page(self._store, request)
        if request.path.startswith(CONTROLS):
            path = request.path.removeprefix(CONTROLS).rstrip("/")
            body = controls.read_body(request.body)
            return json_reply(
                200, controls.run(self._store, self._deliverer, request.method, path, body)
            )
        if request.path == rendering.STYLE:
            return rendering.style()
        if request.path == "/favicon.ico":
            return Reply(204)
        raise ApiError(404, f"Unrecognized request URL ({request.method}: {request.path}).")


def _check_url(url: str | None) -> None:
    if url is not None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError(f"{url!r} is not an address that events can be sent to.")


def _check_host(request: Request, port: int) -> None:
    """Keep other sites that a developer's browser has open away from the controls."""
    own = {f"{HOST}:{port}", f"localhost:{port}"}
    if request.headers.get("host", "") not in own:
        raise ApiError(421, "The sandbox answers to its own address only.")
    origin = request.headers.get("origin")
    if origin is not None and origin.removeprefix("http://") not in own:
        raise ApiError(403, "The sandbox takes no requests from other sites.")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], sandbox: Sandbox
    ) -> None:
        self.sandbox = sandbox
        self._open: set[socket.socket] = set()
        self._guard = Lock()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """End the connections that clients keep open; their threads would outlive the server."""
        with self._guard:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    log.debug("sandbox: a connection was closed already")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: in two, the second waits 40 ms for the first one's receipt.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)

    def _answer(self) -> None:
        try:
            length = int(self.headers.get("Content-Length") or 0)
            if not 0 <= length <= BODY_AT_MOST:
                raise ValueError
        except ValueError:
            self.close_connection = True
            self._send(json_reply(413, ApiError(413, "The body is too long.").envelope()))
            return
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=parts.query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
        )
        try:
            reply = self.server.sandbox.handle(request)
        except ApiError as error:
            reply = json_reply(error.status, error.envelope())
        except Exception:
            log.exception("sandbox: %s %s failed", request.method, request.path)
            bug = ApiError(500, "The sandbox has a bug; see its log.", type="api_error")
            reply = json_reply(500, bug.envelope())
        self._send(reply)

    def _send(self, reply: Reply) -> None:
        if reply.dropped:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        try:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            if reply.status != 204:
                self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
            self.wfile.flush()
        except ConnectionError:
            self.close_connection = True
