"""The mail that the site sent on this machine, to read in the browser. Only with DEBUG."""

import email
import email.policy
import re
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

MESSAGES_SHOWN = 50
ADDRESS = re.compile(r"https?://[^\s<>\"]+")


def _messages() -> list[dict]:
    """What the file backend wrote, newest first; a file may hold several messages."""
    folder = Path(getattr(settings, "EMAIL_FILE_PATH", "") or "/nonexistent")
    files = sorted(folder.glob("*.log"), key=lambda f: f.stat().st_mtime, reverse=True)
    found = []
    for file in files[:MESSAGES_SHOWN]:
        for raw in reversed(re.split(rb"^-{79}\n", file.read_bytes(), flags=re.MULTILINE)):
            if not raw.strip():
                continue
            message = email.message_from_bytes(raw, policy=email.policy.default)
            body = message.get_body(preferencelist=("plain",))
            text = body.get_content() if body else ""
            found.append(
                {
                    "subject": message["subject"],
                    "to": message["to"],
                    "date": message["date"],
                    "parts": _with_links(text),
                }
            )
    return found[:MESSAGES_SHOWN]


def _with_links(text: str) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether it is an address."""
    pieces, end = [], 0
    for match in ADDRESS.finditer(text):
        pieces += [(text[end : match.start()], False), (match.group(), True)]
        end = match.end()
    return [*pieces, (text[end:], False)]


@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    if not settings.DEBUG:
        raise Http404
    return render(request, "demo/mailbox.html", {"messages_sent": _messages()})
