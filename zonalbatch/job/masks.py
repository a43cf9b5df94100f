"""Masks of a job: the keys that say which cells to leave out."""

from __future__ import annotations

import math
from typing import Annotated, Any, TypeAlias

from pydantic import (
    Discriminator,
    Field,
    PlainValidator,
    StrictBool,
    Tag,
    WithJsonSchema,
    model_validator,
)

from zonalbatch.arguments import plain_number
from zonalbatch.errors import InputError
from zonalbatch.job.group import Keys
from zonalbatch.job.values import Finite, Text
from zonalbatch.masks.arguments import bits_given, masks_given
from zonalbatch.masks.mask import Mask

__all__ = ["MaskKeys", "Masks"]


def _class_value(value: Any) -> int | float | str:
    """A raw value, or the name of a class."""
    if isinstance(value, str) and value:
        return value
    number = plain_number(value)
    if number is None or not math.isfinite(number):
        raise ValueError("write a number or the name of a class")
    return number


def _mask_bits(value: Any) -> Any:
    """Bits by name, seen to be understood."""
    try:
        list(bits_given(value))
    except InputError as error:
        raise ValueError(str(error)) from None
    return value


def _one_or_several(value: Any) -> str:
    """What a key holds that takes one group of keys, or a list of them."""
    return "several" if isinstance(value, list | tuple) else "one"


_TEXT = {"type": "string", "minLength": 1}
_ClassValue: TypeAlias = Annotated[
    int | float | str,
    PlainValidator(_class_value),
    WithJsonSchema({"anyOf": [{"type": "number"}, _TEXT]}),
]
_BIT_VALUES = {
    "type": "array", "minItems": 1,
    "items": {"anyOf": [{"type": "integer", "minimum": 0}, _TEXT]},
}  # fmt: skip
_MaskBits: TypeAlias = Annotated[
    Any,
    PlainValidator(_mask_bits),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": _TEXT, "minItems": 1},
                {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": {
                        "anyOf": [
                            {"type": "integer", "minimum": 0, "maximum": 63},
                            _BIT_VALUES,
                            {
                                "type": "object",
                                "properties": {
                                    "offset": {"type": "integer", "minimum": 0, "maximum": 63},
                                    "length": {"type": "integer", "minimum": 1, "maximum": 32},
                                    "exclude": _BIT_VALUES,
                                },
                                "additionalProperties": False,
                            },
                        ]
                    },
                },
            ]
        }
    ),
]


class MaskKeys(Keys):
    """Which cells to leave out, by the values of a band; where several keys say so, any does."""

    band: Text
    """The band whose values tell it."""
    exclude: Annotated[tuple[_ClassValue, ...], Field(min_length=1)] | None = None
    """Values that mask a cell, or names of classes that the item tells."""
    include: Annotated[tuple[_ClassValue, ...], Field(min_length=1)] | None = None
    """The only values that do not mask a cell, or names of classes."""
    bits: _MaskBits | None = None
    """Bits that mask a cell: names that the item tells, or name: number of the bit, or name:
    {offset, length, exclude}."""
    above: Finite | None = None
    """Cells with a larger value than this are masked, in physical units."""
    below: Finite | None = None
    """Cells with a smaller value than this are masked, in physical units."""
    nodata: StrictBool | None = None
    """Whether cells for which the band has no value are masked, which they are by default; true
    alone masks these only."""
    dilate: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Metres by which the mask grows."""

    @model_validator(mode="after")
    def _usable(self) -> MaskKeys:
        try:
            self.mask()
        except InputError as error:
            raise ValueError(str(error)) from None
        return self

    def mask(self) -> Mask:
        """The mask; names of classes and bits are not looked up yet."""
        (made,) = masks_given(dict(self))
        return made


_Several: TypeAlias = Annotated[tuple[MaskKeys, ...], Field(min_length=1)]
Masks: TypeAlias = Annotated[
    Annotated[MaskKeys, Tag("one")] | Annotated[_Several, Tag("several")],
    Discriminator(_one_or_several),
]
"""A mask, or a list of them."""
