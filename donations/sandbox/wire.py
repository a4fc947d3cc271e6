"""What goes over HTTP: one request, one reply, and Stripe's nested form encoding."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from .errors import ApiError

Json = dict[str, Any]

FIELDS_AT_MOST = 1000
_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


@dataclass(frozen=True)
class Request:
    """One HTTP request; ``headers`` is read with lower-case names."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """One HTTP reply. ``dropped`` closes the connection instead of sending anything."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    dropped: bool = False


def json_reply(status: int, body: Json, headers: dict[str, str] | None = None) -> Reply:
    """A reply with a JSON body."""
    return Reply(
        status,
        json.dumps(body, indent=2).encode(),
        {"Content-Type": "application/json; charset=utf-8", **(headers or {})},
    )


def parse_form(text: str) -> Json:
    """Read ``line_items[0][price_data][unit_amount]=5000`` into nested dicts of strings.

    Lists stay dicts with the keys "0", "1", …: only the expected type can tell a list from a
    metadata hash with digits for names (see ``lint.coerce``). ``types[]=a&types[]=b`` is read too.
    Raises ApiError 400 for keys that contradict each other, broken UTF-8 and over 1,000 fields.
    """
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=FIELDS_AT_MOST
        )
    except ValueError as error:
        raise ApiError(400, f"Invalid form body: {error}", stored=False) from None
    root: Json = {}
    for key, value in pairs:
        match = _KEY.fullmatch(key)
        if match is None:
            raise ApiError(400, f"Invalid form key: {key}", param=key, stored=False)
        *parents, last = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
        node = root
        for part in parents:
            node = node.setdefault(part or str(len(node)), {})
            if not isinstance(node, dict):
                raise ApiError(400, f"Invalid object: {key}", param=key, stored=False)
        if isinstance(node.get(last), dict):
            raise ApiError(400, f"Invalid string: {key}", param=key, stored=False)
        node[last or str(len(node))] = value
    return root
