"""The walker over the library's parameter types."""

from __future__ import annotations

from typing import Any

import pytest
from stripe.params import (
    BalanceTransactionListParams,
    CustomerCreateParams,
    EventListParams,
    RefundCreateParams,
)
from stripe.params.checkout import SessionCreateParams

from donations.sandbox.errors import ApiError
from donations.sandbox.lint import coerce
from donations.sandbox.wire import parse_form


def read(form: str, shape: Any) -> dict[str, Any]:
    return coerce(parse_form(form), shape)


def test_parse_form_nests_by_brackets() -> None:
    assert parse_form("a[0][b][c]=1&a[0][b][d]=x%20y&types[]=p&types[]=q&e=") == {
        "a": {"0": {"b": {"c": "1", "d": "x y"}}},
        "types": {"0": "p", "1": "q"},
        "e": "",
    }


@pytest.mark.parametrize("form", ["a=1&a[b]=2", "a[b]=2&a=1", "a[b=1", "a%5B]]=1", "a=%ff"])
def test_parse_form_refuses_contradictions_and_broken_text(form: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse_form(form)
    assert caught.value.status == 400


def test_coerce_gives_every_value_its_type() -> None:
    form = (
        "mode=payment&line_items[0][price_data][currency]=usd"
        "&line_items[0][price_data][unit_amount]=5000"
        "&line_items[0][price_data][product_data][name]=7"
        "&adaptive_pricing[enabled]=false&allowed_payment_method_types[0]=card&metadata[0]=1"
    )
    assert read(form, SessionCreateParams) == {
        "mode": "payment",
        "line_items": [
            {
                "price_data": {
                    "currency": "usd",
                    "unit_amount": 5000,
                    "product_data": {"name": "7"},
                }
            }
        ],
        "adaptive_pricing": {"enabled": False},
        "allowed_payment_method_types": ["card"],
        "metadata": {"0": "1"},
    }


def test_coerce_reads_a_moment_or_a_range() -> None:
    assert read("created=5", BalanceTransactionListParams) == {"created": 5}
    assert read("created[gte]=5", BalanceTransactionListParams) == {"created": {"gte": 5}}


def test_coerce_takes_an_empty_text_only_where_it_unsets() -> None:
    assert read("address=&metadata[a]=", CustomerCreateParams) == {
        "address": "",
        "metadata": {"a": ""},
    }
    with pytest.raises(ApiError) as caught:
        read("name=", CustomerCreateParams)
    assert (caught.value.code, caught.value.param) == ("parameter_invalid_empty", "name")


@pytest.mark.parametrize(
    ("form", "shape", "code", "param"),
    [
        ("payment_method_types[0]=card", SessionCreateParams, "parameter_unknown",
         "payment_method_types"),
        ("line_items[0][price_data][unit_price]=1", SessionCreateParams, "parameter_unknown",
         "line_items[0][price_data][unit_price]"),
        ("line_items[0][price_data][unit_amount]=1", SessionCreateParams, "parameter_missing",
         "line_items[0][price_data][currency]"),
        ("expires_at=soon", SessionCreateParams, "parameter_invalid_integer", "expires_at"),
        ("amount=12.5", RefundCreateParams, "parameter_invalid_integer", "amount"),
        ("amount[a]=1", RefundCreateParams, None, "amount"),
        ("adaptive_pricing[enabled]=False", SessionCreateParams, None, "adaptive_pricing[enabled]"),
        ("adaptive_pricing=true", SessionCreateParams, None, "adaptive_pricing"),
        ("ui_mode=hosted", SessionCreateParams, None, "ui_mode"),
        ("reason=regret", RefundCreateParams, None, "reason"),
        ("metadata=text", RefundCreateParams, None, "metadata"),
        ("metadata[a][b]=text", RefundCreateParams, None, "metadata[a]"),
        ("types[1]=a", EventListParams, None, "types"),
        ("types=a", EventListParams, None, "types"),
        ("api_key=sk_test", RefundCreateParams, "parameter_unknown", "api_key"),
    ],
)  # fmt: skip
def test_coerce_refuses(form: str, shape: Any, code: str | None, param: str) -> None:
    with pytest.raises(ApiError) as caught:
        read(form, shape)
    error = caught.value
    assert (error.status, error.code, error.param, error.stored) == (400, code, param, False)
