"""Quantities amount to what Kubernetes takes them for, and a slip of the pen is told with what was meant."""

from __future__ import annotations

from decimal import Decimal

import pytest

from support.core.quantities import parse_bytes, parse_quantity


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("512Mi", 512 * 2**20),
        ("1.5Gi", 3 * 2**29),
        ("3G", 3 * 10**9),
        ("250m", "0.25"),
        ("2", 2),
        ("1e9", 10**9),
    ],
)
def test_a_quantity_is_what_kubernetes_takes_it_for(text: str, amount: int | str) -> None:
    assert parse_quantity(text) == Decimal(amount)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("3GB", "did you mean 3G?"),
        ("3gib", "did you mean 3Gi?"),
        ("3gi", "did you mean 3Gi?"),
        ("512MB", "did you mean 512M?"),
        ("3x", "there are m, k, M"),
        ("much", "write a number and a unit"),
        ("-1Gi", "write a number and a unit"),
    ],
)
def test_a_slip_of_the_pen_is_told_with_what_was_meant(text: str, meant: str) -> None:
    with pytest.raises(ValueError, match=r"quantity|unit") as raised:
        parse_quantity(text)
    assert meant in str(raised.value)


@pytest.mark.parametrize("text", ["3", "512", "3m"])
def test_bytes_without_their_unit_are_not_taken(text: str) -> None:
    with pytest.raises(ValueError, match=r"did you mean .*Gi or .*Mi"):
        parse_bytes(text)
