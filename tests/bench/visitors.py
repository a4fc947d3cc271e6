"""Who asks the site for something over HTTP while figures are taken."""

import contextlib
import http.client
import itertools
import json
import secrets
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.bench.places import HOST

PAUSE = 0.2


@dataclass
class Staff:
    """Somebody who is signed in and brings photos to one batch. One connection a thread."""

    port: int
    address: str
    cookies: dict[str, str]
    token: str
    _own: threading.local = field(default_factory=threading.local)

    @classmethod
    def of(cls, port: int, batch) -> "Staff":
        """Signed in as an account that is made for it."""
        from django.conf import settings
        from django.contrib.auth import (
            BACKEND_SESSION_KEY,
            HASH_SESSION_KEY,
            SESSION_KEY,
            get_user_model,
        )
        from django.contrib.sessions.backends.db import SessionStore
        from django.urls import reverse

        name, token = f"bench-{secrets.token_hex(4)}", secrets.token_hex(16)
        user = get_user_model()._default_manager.create_superuser(name, f"{name}@example.org", "")
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.create()
        cookies = {
            settings.SESSION_COOKIE_NAME: session.session_key,
            settings.CSRF_COOKIE_NAME: token,
        }
        return cls(port, reverse("admin:exchanges_batch_file", args=[batch.pk]), cookies, token)

    def bring(self, name: str, content: bytes) -> float:
        """Sends one photo as the drop zone does; the seconds until the whole answer was there."""
        body, content_type = _form(
            {"key": str(uuid.uuid4()), "size": str(len(content))}, name, content
        )
        headers = {
            "Accept": "application/json",
            "Content-Type": content_type,
            "Cookie": "; ".join(f"{key}={value}" for key, value in self.cookies.items()),
            "X-CSRFToken": self.token,
        }
        if not hasattr(self._own, "connection"):
            self._own.connection = http.client.HTTPConnection(HOST, self.port, timeout=60)
        begun = time.perf_counter()
        self._own.connection.request("POST", self.address, body, headers)
        answer = self._own.connection.getresponse()
        said = answer.read()
        seconds = time.perf_counter() - begun
        if answer.status != 200 or json.loads(said)["group"] != "done":
            raise RuntimeError(f"{name} was answered with {answer.status}: {said[:300]!r}")
        return seconds


def _form(fields: dict[str, str], name: str, content: bytes) -> tuple[bytes, str]:
    edge = secrets.token_hex(16)
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = (
        f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    whole = b"".join([*parts, head.encode(), content, f"\r\n--{edge}--\r\n".encode()])
    return whole, f"multipart/form-data; boundary={edge}"


@dataclass
class Readers:
    """What visitors waited for meanwhile: (moment, seconds, address) of each request."""

    waits: list[tuple[float, float, str]] = field(default_factory=list)

    def slowest(self, since: float, until: float) -> tuple[float, str]:
        return max((wait, path) for at, wait, path in self.waits if since <= at < until)


@contextlib.contextmanager
def readers(port: int, paths: Sequence[str]) -> Iterator[Readers]:
    """Asks for the addresses in turn, five a second, until the block ends."""
    seen, is_over = Readers(), threading.Event()
    reader = threading.Thread(target=_read, args=(port, paths, seen, is_over), daemon=True)
    reader.start()
    try:
        yield seen
    finally:
        is_over.set()
        reader.join()


def _read(port: int, paths: Sequence[str], seen: Readers, is_over: threading.Event) -> None:
    for path in itertools.cycle(paths):
        begun, at = time.perf_counter(), time.monotonic()
        connection = http.client.HTTPConnection(HOST, port, timeout=60)
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        seconds = time.perf_counter() - begun
        if answer.status != 200:
            seconds, path = 60.0, f"{path} ({answer.status})"
        seen.waits.append((at, seconds, path))
        if is_over.wait(PAUSE):
            return
