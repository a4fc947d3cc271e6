"""A mail server to hand letters to, which refuses, hangs and drops what the test wants it to."""

import asyncio
import email.policy
import logging
import threading
from typing import Any

from aiosmtpd.controller import Controller


class Sink:
    """A real mail server on this machine. `answers[address]` is what it says instead of taking a
    message: a line such as "550 No", or "hang" or "drop" once it has the text; "once 451 …" is said
    to the first try only. `answers["RCPT address"]` is said, or drops, before there is a text.
    """

    def __init__(self, port: int) -> None:
        logging.getLogger("mail.log").setLevel(logging.WARNING)  # it tells of every line
        self.answers: dict[str, str] = {}
        self.got: list[Any] = []
        self.sessions = 0
        self.wait_for_sessions = 0  # no text is taken before so many have come
        self.closing = threading.Event()
        self.controller = Controller(_Taker(self), hostname="127.0.0.1", port=port)

    @property
    def reached(self) -> list[str]:
        return [envelope.rcpt_tos[0] for envelope in self.got]

    @property
    def messages(self) -> list[Any]:
        return [
            email.message_from_bytes(envelope.original_content, policy=email.policy.default)
            for envelope in self.got
        ]


class _Taker:
    """What aiosmtpd asks. With each connection it looks at everything that is here, so it must not
    be the sink itself, which would read all its messages each time.
    """

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        self.sink.sessions += 1
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        said = self.sink.answers.get(f"RCPT {address}")
        if said == "drop":
            server.transport.abort()
        if said:
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_MAIL(self, server, session, envelope, address, options):
        envelope.mail_from = address
        return self.sink.answers.get("MAIL", "250 OK")

    async def handle_DATA(self, server, session, envelope):
        while self.sink.sessions < self.sink.wait_for_sessions and not self.sink.closing.is_set():
            await asyncio.sleep(0.01)
        said = self.sink.answers.get(envelope.rcpt_tos[0], "250 Taken as 1a2b")
        if said.startswith("once "):
            said = said.removeprefix("once ")
            del self.sink.answers[envelope.rcpt_tos[0]]
        if said[0] not in "45":
            self.sink.got.append(envelope)
        if said == "hang":
            while not self.sink.closing.is_set():
                await asyncio.sleep(0.02)
        if said in {"hang", "drop"}:
            server.transport.abort()
            return "421 Gone"
        return said
