"""A running sandbox, the real Stripe library pointed at it, and a receiver for its events."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
import stripe

from donations.sandbox import Sandbox

KEY = "sk_test_sandbox"
SECRET = "whsec_sandbox"


@dataclass
class Receiver:
    """Keeps what it is sent; answers with the statuses in ``answers``, then with 200.

    ``meanwhile`` is called before each answer.
    """

    url: str
    bodies: list[bytes] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"] for body in self.bodies]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            kept.signatures.append(self.headers["Stripe-Signature"])
            kept.meanwhile()
            self.send_response(kept.answers.pop(0) if kept.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept = Receiver(f"http://127.0.0.1:{server.server_address[1]}/webhooks/stripe/")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    sandbox = Sandbox(secret_key=KEY, webhook_secret=SECRET, debug=True, retry_pauses=(0.02, 0.05))
    sandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(running: Sandbox) -> Iterator[Sandbox]:
    """A sandbox that knows nothing yet."""
    yield running
    running.webhook_url = None
    running.control("deliver")  # waits for what is under way
    running.control("reset")


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def connect(http: requests.Session) -> Callable[..., stripe.StripeClient]:
    """A client of the real library for a sandbox."""

    def build(sandbox: Sandbox, key: str = KEY) -> stripe.StripeClient:
        return stripe.StripeClient(
            key,
            base_addresses={"api": sandbox.base_url},
            max_network_retries=0,
            http_client=stripe.RequestsClient(session=http),
        )

    return build


@pytest.fixture
def stripe_client(
    sandbox: Sandbox, connect: Callable[..., stripe.StripeClient]
) -> stripe.StripeClient:
    return connect(sandbox)


@pytest.fixture
def auth() -> dict[str, str]:
    """The header that lets a bare HTTP request in."""
    return {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def session_params() -> Callable[..., dict[str, Any]]:
    return _session_params


def _session_params(**changes: Any) -> dict[str, Any]:
    """What a giving site sends for one gift of $50.00; None leaves a parameter out."""
    params: dict[str, Any] = {
        "mode": "payment",
        "ui_mode": "hosted_page",
        "submit_type": "donate",
        "success_url": "http://127.0.0.1:9/thanks/?s={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://127.0.0.1:9/donate/",
        "client_reference_id": "gift-1",
        "customer_email": "ana@example.org",
        "expires_at": int(time.time()) + 31 * 60,
        "locale": "en",
        "metadata": {"gift": "1"},
        "line_items": [
            {
                "price_data": {
                    "currency": "usd",
                    "unit_amount": 5000,
                    "product_data": {"name": "Gift: the visit from Kyzylorda"},
                },
                "quantity": 1,
            }
        ],
        "payment_intent_data": {
            "metadata": {"gift": "1"},
            "description": "Gift",
            "statement_descriptor_suffix": "GIFT",
        },
        "adaptive_pricing": {"enabled": False},
        "allowed_payment_method_types": ["card", "link"],
    }
    params.update(changes)
    return {name: value for name, value in params.items() if value is not None}


@pytest.fixture
def open_session(stripe_client: stripe.StripeClient) -> Callable[..., Any]:
    """Create a session through the library; returns the library's object."""

    def create(options: Any = None, **changes: Any) -> Any:
        return stripe_client.v1.checkout.sessions.create(_session_params(**changes), options or {})

    return create


@pytest.fixture
def pay(sandbox: Sandbox, open_session: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    """A session of $50.00 completed by control; returns it as JSON."""

    def complete(**how: Any) -> dict[str, Any]:
        return sandbox.control(f"sessions/{open_session().id}/complete", **how)

    return complete


@pytest.fixture
def recurring_params(session_params: Callable[..., dict[str, Any]]) -> Callable[..., Any]:
    """What a giving site sends for a gift of $25.00 each month."""

    def build(**changes: Any) -> dict[str, Any]:
        price = {
            "currency": "usd",
            "unit_amount": 2500,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Monthly gift"},
        }
        params = {
            "mode": "subscription",
            "client_reference_id": "plan-1",
            "metadata": {"plan": "1"},
            "payment_intent_data": None,
            "line_items": [{"price_data": price, "quantity": 1}],
            "subscription_data": {"metadata": {"plan": "1"}, "description": "Monthly gift"},
        }
        return session_params(**{**params, **changes})

    return build


@pytest.fixture
def open_recurring(
    stripe_client: stripe.StripeClient, recurring_params: Callable[..., Any]
) -> Callable[..., Any]:
    """Create a session in subscription mode through the library."""

    def create(**changes: Any) -> Any:
        return stripe_client.v1.checkout.sessions.create(recurring_params(**changes))

    return create


@pytest.fixture
def subscribe(sandbox: Sandbox, open_recurring: Callable[..., Any]) -> Callable[..., Any]:
    """A subscription of $25.00 each month, its first payment made; the session as JSON."""

    def complete(**how: Any) -> dict[str, Any]:
        return sandbox.control(f"sessions/{open_recurring().id}/complete", **how)

    return complete
