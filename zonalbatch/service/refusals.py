"""Refusals: what is answered in the place of numbers, with a status and one sentence."""

from __future__ import annotations

from zonalbatch.errors import (
    InputError,
    PassingReadError,
    ReadError,
    StatisticError,
    ZonalbatchError,
    ZonesError,
)

__all__ = ["Refusal", "refusal_of"]

BAD, ABSENT, NOT_YET, UNFIT, TOO_LARGE, NO_RASTER, TOO_MANY, FAULT, NO_SOURCE, BUSY, TOO_LATE = (
    400, 404, 409, 422, 413, 415, 429, 500, 502, 503, 504,
)  # fmt: skip


class Refusal(Exception):  # noqa: N818 (it is an answer, no fault)
    """No numbers; a status of HTTP and a sentence that says why and what to do."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(status, detail)
        self.status, self.detail = status, detail


def refusal_of(error: ZonalbatchError) -> Refusal:
    """What is answered where the engine raised an error."""
    return Refusal(_status(error), str(error))


def _status(error: ZonalbatchError) -> int:
    if isinstance(error, StatisticError):
        return UNFIT
    if isinstance(error, ReadError):
        return _status_of_read(error)
    return BAD if isinstance(error, InputError | ZonesError) else FAULT


def _status_of_read(error: ReadError) -> int:
    if error.reason == "format":
        return NO_RASTER
    if error.reason in ("missing", "refused"):
        return BAD
    return NO_SOURCE if isinstance(error, PassingReadError) else BAD
