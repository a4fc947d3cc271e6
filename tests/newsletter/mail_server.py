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
    to the first try only.
    """

    def __init__(self, port: int) -> None:
        logging.getLogger("mail.log").setLevel(logging.WARNING)  # it tells of every line
        self.answers: dict[str, str] = {}
        self.got: list[Any] = []
        self.sessions = 0
        self.wait_for_sessions = 0  # no text is taken before so many have come
        self.closing = threading.Event()
        self.controller = Controller(self, hostname="127.0.0.1", port=port)

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        self.sessions += 1
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        said = self.answers.get(f"RCPT {address}")
        if said:
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_MAIL(self, server, session, envelope, address, options):
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_DATA(self, server, session, envelope):
        while self.sessions < self.wait_for_sessions and not self.closing.is_set():
            await asyncio.sleep(0.01)
        said = self.answers.get(envelope.rcpt_tos[0], "250 Taken as 1a2b")
        if said.startswith("once "):
            said = said.removeprefix("once ")
            del self.answers[envelope.rcpt_tos[0]]
        if said[0] not in "45":
            self.got.append(envelope)
        if said == "hang":
            while not self.closing.is_set():
                await asyncio.sleep(0.02)
        if said in {"hang", "drop"}:
            server.transport.abort()
            return "421 Gone"
        return said

    @property
    def reached(self) -> list[str]:
        return [envelope.rcpt_tos[0] for envelope in self.got]

    @property
    def messages(self) -> list[Any]:
        return [
            email.message_from_bytes(envelope.original_content, policy=email.policy.default)
            for envelope in self.got
        ]
