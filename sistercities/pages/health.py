"""Whether the site can do its work: asked by load balancers and by whoever watches."""

import asyncio
import os
import re
from dataclasses import dataclass
from typing import ClassVar

from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from health_check import checks
from health_check.base import HealthCheck
from health_check.exceptions import HealthCheckException, ServiceUnavailable
from health_check.views import HealthCheckView

NAMES = re.compile(r"""["'][^"']*["']|\b\d+(?:\.\d+){3}\b""")


def _reason(error: Exception) -> str:
    """What a server says before its first colon, without the names and hosts in it."""
    return NAMES.sub("…", str(error).split(":")[0])


@dataclass
class Database(checks.Database):
    def run(self) -> None:
        try:
            super().run()
        except ServiceUnavailable as error:
            raise ServiceUnavailable(_reason(error.__cause__ or error)) from error


@dataclass
class SharedCache(checks.Cache):
    """The cache may be a table: then a full disk or a missing table is its fault to name."""

    async def run(self) -> None:
        try:
            await super().run()
        except DatabaseError as error:
            raise ServiceUnavailable(_reason(error)) from error


@dataclass
class Storage(checks.Storage):
    """Names what disk or server say, such as "No space left on device", never where."""

    def run(self) -> None:
        try:
            super().run()
        except HealthCheckException:
            raise
        except OSError as error:
            raise ServiceUnavailable(os.strerror(error.errno or 5)) from error
        except Exception as error:  # what an S3 server's client raises has no parent but this
            raise ServiceUnavailable(_reason(error)) from error


class Ready(HealthCheckView):
    """One line a part, `ok` or the reason; 503 while any part is out of order.

    Says nothing about people, hosts or paths: anybody may ask.
    """

    parts: ClassVar[dict[str, HealthCheck]] = {
        "database": Database(),
        "cache": SharedCache(),
        "pictures": Storage(),
        "private files": Storage(alias="private"),
    }

    async def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        results = await asyncio.gather(*(check.get_result() for check in self.parts.values()))
        lines = [
            f"{name}: {result.error or 'ok'}\n"
            for name, result in zip(self.parts, results, strict=True)
        ]
        return HttpResponse(
            "".join(lines),
            content_type="text/plain; charset=utf-8",
            status=503 if any(result.error for result in results) else 200,
        )
