"""Quantities as Kubernetes writes them: "512Mi", "3Gi", "250m", "2"."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

_FACTORS: Final = {
    "m": Decimal("0.001"),
    "": Decimal(1),
    **{unit: Decimal(1000) ** power for power, unit in enumerate(("k", "M", "G", "T", "P", "E"), start=1)},
    **{
        unit: Decimal(1024) ** power
        for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), start=1)
    },
}
_FORM: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)([eE][+-]?\d+)?([A-Za-z]*)")
# Below this an amount of bytes lacks its unit.
_LEAST: Final = Decimal(1024)


def parse_quantity(text: str) -> Decimal:
    """Return what a quantity amounts to, in bytes or processors; raises `ValueError` with the nearest right spelling."""
    found = _FORM.fullmatch(text.strip())
    if not found:
        raise ValueError(
            f"{text!r} is no quantity of Kubernetes: write a number and a unit, such as 3Gi or 500m"
        )
    number, exponent, unit = found.groups()
    if unit not in _FACTORS or (exponent and unit):
        near = _near(unit)
        raise ValueError(
            f"{text!r} has a unit that Kubernetes does not know: "
            + (f"did you mean {number}{near}?" if near else f"there are {', '.join(filter(None, _FACTORS))}")
        )
    return Decimal(number + (exponent or "")) * _FACTORS[unit]


def parse_bytes(text: str) -> Decimal:
    """Return how many bytes a quantity is; raises `ValueError`, also where it is so little that its unit was forgotten."""
    size = parse_quantity(text)
    if size < _LEAST:
        raise ValueError(
            f"{text!r} is less than a kilobyte: did you mean {text.rstrip('m')}Gi or {text.rstrip('m')}Mi?"
        )
    return size


def _near(unit: str) -> str:
    """Return the unit that a wrong one stands for: "GB" and "g" are a G, "gib" and "GI" a Gi; "" where it is none."""
    plain = unit.lower().removesuffix("b").removesuffix("byte")
    # Not a thousandth: those who write MB mean millions.
    return next((known for known in _FACTORS if known not in {"", "m"} and known.lower() == plain), "")
