"""Stripe's error envelope as an exception."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """A refusal that is answered with Stripe's envelope ``{"error": {...}}``.

    ``stored`` says whether an idempotency key remembers it. Stripe keeps the outcome of a request
    whose endpoint began to run and forgets one that was turned away before that: a wrong secret
    key, parameters of the wrong type, a second request under the same key, too many requests.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        decline_code: str | None = None,
        stored: bool = True,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.type = type
        self.code = code
        self.param = param
        self.decline_code = decline_code
        self.stored = stored

    def envelope(self) -> dict[str, Any]:
        """The reply's body; fields without a value are left out, as Stripe does."""
        fields = {
            "type": self.type,
            "code": self.code,
            "message": self.message,
            "param": self.param,
            "decline_code": self.decline_code,
        }
        return {"error": {name: value for name, value in fields.items() if value is not None}}


def no_such(kind: str, id: str, *, param: str = "id", status: int = 404) -> ApiError:
    """What Stripe says of an id it does not know: 404 in an address, 400 in a parameter."""
    return ApiError(status, f"No such {kind}: '{id}'", code="resource_missing", param=param)


def missing(param: str, *, stored: bool = True) -> ApiError:
    """What Stripe says of a required parameter that is not there."""
    message = f"Missing required param: {param}."
    return ApiError(400, message, code="parameter_missing", param=param, stored=stored)


def refused(message: str, *, param: str | None = None, code: str | None = None) -> ApiError:
    """A well-formed request that breaks one of Stripe's rules: 400."""
    return ApiError(400, message, param=param, code=code)


def not_spoken(what: str, *, param: str | None = None) -> ApiError:
    """The honest answer to a request that Stripe would understand and the sandbox does not."""
    return ApiError(400, f"The sandbox does not speak {what} yet.", param=param, stored=False)
