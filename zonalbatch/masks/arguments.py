"""Mask arguments: what ``mask`` may be given, in a call as in a job file."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from zonalbatch.arguments import plain_number
from zonalbatch.errors import InputError
from zonalbatch.masks.mask import Bits, Mask

__all__ = ["MASK_KEYS", "bits_given", "masks_given"]

MASK_KEYS = ("band", "exclude", "include", "bits", "above", "below", "nodata", "dilate")
BIT_KEYS = ("offset", "length", "exclude")

FORMS = (
    "{'band': name} with 'exclude': [...], 'include': [...], 'bits': [...], 'above': number, "
    "'below': number or 'nodata': True, or a list of such"
)
RULES = "give exclude, include, bits, above, below, or nodata: true"


def masks_given(given: Any) -> tuple[Mask, ...]:
    """The masks that a mapping, or a list of them, describes; names are not looked up yet.

    Raises:
        InputError: a key is unknown or its value cannot be, or nothing says what masks.
    """
    if given is None:
        return ()
    several = given if isinstance(given, list | tuple) else [given]
    if not several or not all(isinstance(one, Mapping) and "band" in one for one in several):
        raise InputError(f"mask {given!r} is not understood; give {FORMS}")
    return tuple(_mask(one) for one in several)


def _mask(given: Mapping[str, Any]) -> Mask:
    unknown = [key for key in given if key not in MASK_KEYS]
    if unknown:
        raise InputError(f"mask has no key {unknown[0]!r}; known are {', '.join(MASK_KEYS)}")
    keys = {key: value for key, value in given.items() if value is not None}
    nodata = keys.get("nodata", True)
    if not isinstance(nodata, bool):
        raise InputError(f"mask nodata={nodata!r}: give true or false")
    rules = set(keys) - {"band", "nodata", "dilate"}
    if not rules and not keys.get("nodata"):
        raise InputError(f"mask of band {keys['band']!r} does not say what it masks: {RULES}")
    if {"exclude", "include"} <= rules:
        raise InputError("give either exclude or include of a mask, not both")
    above, below = _number("above", keys.get("above")), _number("below", keys.get("below"))
    if above is not None and below is not None and above < below:
        raise InputError(
            f"a mask above {above:g} and below {below:g} takes every value; to keep what lies "
            "between two values, give the larger one as above"
        )
    listed = "include" if "include" in rules else "exclude"
    return Mask(
        band=keys["band"],
        values=_values(listed, keys[listed]) if listed in rules else (),
        keep=listed == "include",
        bits=tuple(bits_given(keys.get("bits", ()))),
        above=above,
        below=below,
        nodata=nodata,
        dilate=_metres(keys.get("dilate", 0.0)),
    )


def _values(key: str, values: Any) -> tuple[int | float | str, ...]:
    """Raw values, or names of classes or of numbers."""
    if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
        raise InputError(f"mask {key}={values!r}: give a list of numbers or names of classes")
    found = tuple(one if isinstance(one, str) else plain_number(one) for one in values)
    for one, value in zip(found, values, strict=True):
        if one is None or one == "" or (not isinstance(one, str) and not math.isfinite(one)):
            raise InputError(f"mask {key} holds {value!r}: give numbers or names of classes")
    if not found:
        raise InputError(f"mask {key} is empty; give at least one value")
    return tuple(one for one in found if one is not None)


def bits_given(given: Any) -> Iterator[Bits]:
    """Bits by name: a list of names, or what each of them is.

    Raises:
        InputError: they are not understood.
    """
    if isinstance(given, Mapping):
        yield from (_bits(name, told) for name, told in given.items())
        return
    names = [] if isinstance(given, str) else list(given) if isinstance(given, Sequence) else []
    if given != () and (not names or not all(isinstance(name, str) and name for name in names)):
        raise InputError(
            f"mask bits={given!r}: give names, such as [cloud, cloud_shadow], or numbers of bits, "
            "such as {cloud: 3, confidence: {offset: 8, length: 2, exclude: [2, 3]}}"
        )
    yield from map(Bits, names)


def _bits(name: Any, told: Any) -> Bits:
    """The bits of a name: their number, the values that mask, or keys."""
    if not isinstance(name, str) or not name:
        raise InputError(f"mask bits: {name!r} is no name; give a name for each field of bits")
    if told is None:
        return Bits(name)
    if isinstance(told, Mapping):
        return _bits_of_keys(name, told)
    if isinstance(told, list | tuple):
        return Bits(name, _excluded(name, told))
    return Bits(name, offset=_whole(name, "offset", told, 0, 63))


def _bits_of_keys(name: str, keys: Mapping[str, Any]) -> Bits:
    unknown = [key for key in keys if key not in BIT_KEYS]
    if unknown:
        raise InputError(
            f"mask bits.{name} has no key {unknown[0]!r}; known are offset, length, exclude"
        )
    offset, length = keys.get("offset"), keys.get("length", 1)
    if offset is None and length != 1:
        raise InputError(
            f"mask bits.{name} has a length, but no offset; give the lowest bit, from 0"
        )
    bits = Bits(
        name,
        () if keys.get("exclude") is None else _excluded(name, keys["exclude"]),
        None if offset is None else _whole(name, "offset", offset, 0, 63),
        _whole(name, "length", length, 1, 32),
    )
    if bits.length > 1 and not bits.exclude:
        raise InputError(
            f"mask bits.{name} has {length} bits; say which of their values mask: exclude"
        )
    return bits if offset is None else bits.checked()


def _excluded(name: str, values: Any) -> tuple[int | str, ...]:
    found = _values(f"bits.{name}", values)
    for one in found:
        if not isinstance(one, str) and (one != int(one) or one < 0):
            raise InputError(f"mask bits.{name} holds {one!r}: give whole numbers from 0")
    return tuple(one if isinstance(one, str) else int(one) for one in found)


def _whole(name: str, key: str, value: Any, least: int, most: int) -> int:
    number = plain_number(value)
    if not isinstance(number, int) or not least <= number <= most:
        raise InputError(
            f"mask bits.{name}: {key} is {value!r}; give a whole number from {least} to {most}"
        )
    return number


def _number(key: str, value: Any) -> float | None:
    """A threshold, physical."""
    if value is None:
        return None
    number = plain_number(value)
    if number is None or not math.isfinite(number):
        raise InputError(f"mask {key}={value!r}: give a number, in the band's physical units")
    return float(number)


def _metres(value: Any) -> float:
    number = plain_number(value)
    if number is None or not math.isfinite(number) or number < 0:
        raise InputError(f"mask dilate={value!r}: give metres, 0 or more")
    return float(number)
