"""Check a request against the parameter types of the installed Stripe library.

The library's TypedDicts (``stripe.params``) are generated from Stripe's own description of the
pinned API version, so a parameter that this version removed, such as ``payment_method_types`` of
a Checkout Session, is refused here as it would be there.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from types import UnionType
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints

from stripe._request_options import RequestOptions
from typing_extensions import is_typeddict

from .errors import ApiError, missing
from .wire import Json

# Options of the library's methods share the TypedDicts with the parameters but never go on the
# wire; one of their types is a class that the library imports for type checkers only.
_OPTIONS = frozenset(RequestOptions.__annotations__)
_NAMES_IN_OPTIONS = {"StripeContext": Any, "Mapping": Mapping}
_SCALARS = (str, int, bool, float, Decimal)


def coerce(params: Json, shape: Any, path: str = "") -> Json:
    """Return ``params`` (dicts of strings, from ``wire.parse_form``) with the types of ``shape``.

    Raises ApiError 400, at any depth, for an unknown name (``parameter_unknown``), a missing
    required one (``parameter_missing``), a value of the wrong type and a word outside an
    enumeration. Such a refusal is not remembered under an idempotency key.
    """
    hints = _hints(shape)
    for name in params:
        if name not in hints:
            raise _wrong("Received unknown parameter: ", _join(path, name), "parameter_unknown")
    for name, hint in hints.items():
        if name not in params and get_origin(hint) is not NotRequired:
            raise missing(_join(path, name), stored=False)
    return {name: _read(value, hints[name], _join(path, name)) for name, value in params.items()}


@cache
def _hints(shape: Any) -> dict[str, Any]:
    module = vars(sys.modules[shape.__module__])
    hints = get_type_hints(shape, module, _NAMES_IN_OPTIONS, include_extras=True)
    is_method = hints.keys() >= _OPTIONS
    return {name: hint for name, hint in hints.items() if not (is_method and name in _OPTIONS)}


def _read(value: Any, wanted: Any, path: str) -> Any:
    origin, args = get_origin(wanted), get_args(wanted)
    if origin is NotRequired:
        return _read(value, args[0], path)
    if origin in (Union, UnionType):
        return _read_union(value, args, path)
    if origin is Literal:
        return _read_union(value, (wanted,), path)
    if is_typeddict(wanted):
        return coerce(_mapping(value, path), wanted, path)
    if origin is dict:
        # Metadata: an empty value is the way to leave a key out, so it passes as it is.
        return {
            key: item if item == "" else _read(item, args[1], _join(path, key))
            for key, item in _mapping(value, path).items()
        }
    if origin is list:
        given = _mapping(value, path, "array")
        if given.keys() != {str(index) for index in range(len(given))}:
            raise _wrong("Invalid array: ", path)
        return [
            _read(given[str(index)], args[0], _join(path, str(index)))
            for index in range(len(given))
        ]
    return _read_scalar(value, wanted, path)


def _read_union(value: Any, members: tuple[Any, ...], path: str) -> Any:
    words = [
        word for member in members if get_origin(member) is Literal for word in get_args(member)
    ]
    if value in words:
        return value
    # The library adds `str` to every enumeration so that old code can read new words; a server
    # of one version knows only its own.
    is_closed = any(words)
    is_nested = isinstance(value, dict)
    fitting = [
        member
        for member in members
        if (not is_nested and member in _SCALARS and not (is_closed and member is str))
        or (is_nested and (is_typeddict(member) or get_origin(member) in (dict, list)))
    ]
    if fitting:
        return _read(value, fitting[0], path)
    if is_closed:
        allowed = ", ".join(word for word in words if word)
        raise _wrong(f"Invalid value, must be one of {allowed}: ", path)
    raise _wrong("Invalid string: " if is_nested else "Invalid object: ", path)


def _read_scalar(value: Any, wanted: Any, path: str) -> Any:
    if isinstance(value, dict):
        raise _wrong("Invalid string: ", path)
    if value == "":
        raise _wrong(
            "You passed an empty string, which asks to unset a value that cannot be unset: ",
            path,
            "parameter_invalid_empty",
        )
    if wanted is str:
        return value
    if wanted is bool:
        if value in ("true", "false"):
            return value == "true"
        raise _wrong("Invalid boolean: ", path)
    if wanted is int:
        if re.fullmatch(r"-?[0-9]{1,15}", value):
            return int(value)
        raise _wrong("Invalid integer: ", path, "parameter_invalid_integer")
    if wanted in (Decimal, float):
        try:
            return str(Decimal(value))
        except InvalidOperation:
            raise _wrong("Invalid decimal: ", path) from None
    raise TypeError(f"{path}: the linter does not know the type {wanted!r}")


def _mapping(value: Any, path: str, wanted: str = "object") -> Json:
    if not isinstance(value, dict):
        raise _wrong(f"Invalid {wanted}: ", path)
    return value


def _join(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


def _wrong(message: str, path: str, code: str | None = None) -> ApiError:
    return ApiError(400, message + path, code=code, param=path, stored=False)
