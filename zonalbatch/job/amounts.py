"""Amounts: sizes, times and shares, as numbers or as text with a unit."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, TypeAlias

from pydantic import PlainValidator, WithJsonSchema

from zonalbatch.arguments import plain_number
from zonalbatch.sizes import bytes_of

__all__ = ["Bytes", "Most", "Seconds", "seconds_of"]

_TIMES = {"s": 1, "min": 60, "h": 3600}


def _bytes(value: Any) -> int:
    """Bytes of ``1610612736``, ``"1.5GiB"`` or ``"500 MB"``."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    if not isinstance(value, str):
        raise ValueError("write bytes, or a size such as 1.5GiB or 500MB")
    return bytes_of(value)


def seconds_of(value: Any) -> float:
    """Seconds of ``900``, ``"90s"``, ``"15min"`` or ``"1.5 h"``; 0 or more."""
    number = plain_number(value)
    if number is None:
        match = re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*(s|min|h)\s*", str(value))
        number = float(match[1]) * _TIMES[match[2]] if match else None
    if number is None or not 0 <= number < math.inf:
        raise ValueError("write seconds, or a time such as 90s, 15min or 1h; 0 waits for none")
    return float(number)


def _most(value: Any) -> int | float | None:
    """How many: a whole number; or what share: ``"2.5%"``, or a number below 1 such as 0.025."""
    if value is None:
        return None
    number = plain_number(value)
    match = re.fullmatch(r"\s*(\d{1,2}(?:\.\d{1,9})?)\s*%\s*", str(value))
    if match:
        return float(match[1]) / 100
    if isinstance(number, int) and number >= 0:
        return number
    if isinstance(number, float) and 0 < number < 1:
        return number
    raise ValueError("write a number of failures, or a share of all files such as 1% or 0.01")


Bytes: TypeAlias = Annotated[
    int,
    PlainValidator(_bytes),
    WithJsonSchema({"anyOf": [{"type": "integer", "exclusiveMinimum": 0}, {"type": "string"}]}),
]
Seconds: TypeAlias = Annotated[
    float,
    PlainValidator(seconds_of),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}]}),
]
Most: TypeAlias = Annotated[
    int | float | None,
    PlainValidator(_most),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
                {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*%\s*$"},
                {"type": "null"},
            ]
        }
    ),
]
