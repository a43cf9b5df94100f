"""Refusals: what is answered in the place of numbers, with a status and one sentence."""

from __future__ import annotations

from pathlib import Path

from zonalbatch.errors import (
    InputError,
    PassingReadError,
    ReadError,
    StatisticError,
    ZonalbatchError,
)

__all__ = ["Refusal", "refusal_of", "too_late"]

BAD, NO_KEY, ABSENT, TOO_SLOW, NOT_YET, TOO_LARGE, NO_RASTER, UNFIT, TOO_MANY = (
    400, 401, 404, 408, 409, 413, 415, 422, 429,
)  # fmt: skip
FAULT, NO_SOURCE, BUSY, TOO_LATE, NO_ROOM = 500, 502, 503, 504, 507
FAULT_TOLD = "a fault of the service; its log tells more"
"""What of it concerns others."""


class Refusal(Exception):  # noqa: N818 (it is an answer, no fault)
    """No numbers; a status of HTTP and a sentence that says why and what to do."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(status, detail)
        self.status, self.detail = status, detail


def too_late(seconds: float) -> Refusal:
    """What is answered where there was no answer in some seconds."""
    return Refusal(TOO_LATE, f"there was no answer in {seconds:g} s; ask for less, or approx_stats")


def refusal_of(error: ZonalbatchError, root: Path | None) -> Refusal:
    """What is answered where the engine raised an error.

    Args:
        error: of the engine.
        root: the folder below which files are read, whose place is nobody's business.
    """
    read = error.__cause__ if isinstance(error.__cause__, ReadError) else error
    if isinstance(read, ReadError):
        return _of_read(read, root)
    status = UNFIT if isinstance(error, StatisticError) else BAD
    return Refusal(status if isinstance(error, InputError) else FAULT, _told(error, root))


def _of_read(error: ReadError, root: Path | None) -> Refusal:
    if error.reason == "format":
        return Refusal(NO_RASTER, "the link leads to no GeoTIFF, and nothing else is read here")
    passing = isinstance(error, PassingReadError)
    return Refusal(NO_SOURCE if passing else BAD, _told(error, root))


def _told(error: ZonalbatchError, root: Path | None) -> str:
    return str(error) if root is None else str(error).replace(f"{root}/", "file:///")
