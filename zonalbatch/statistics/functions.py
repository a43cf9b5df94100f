"""Functions: statistics that are told by code of the user's, zone by zone.

A function is called once for each zone, as soon as all cells of the zone are there, as
``f(values, fractions)``: physical values of its valid cells and their shares, row by row from the
north-west; as ``f(values, fractions, weights)`` it is shown those that have a weight. It is known
by where it is defined and by its attribute ``version``; without a version no two runs can know that
it is the same, so it gets a mark that no other run has.
"""

from __future__ import annotations

import inspect
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from zonalbatch.cover.cells import UNREAD, VALID, Cells, Covered
from zonalbatch.errors import StatisticError
from zonalbatch.statistics.summary import Column
from zonalbatch.statistics.zone_cells import ZoneCells, joined, pieces_of

__all__ = ["Calls", "Function", "FunctionError", "OfCells", "naming"]


@runtime_checkable
class OfCells(Protocol):
    """A statistic that is told of the cells of a whole zone."""

    @property
    def name(self) -> str:
        """Its name as a statistic."""
        ...

    @property
    def weighted(self) -> bool:
        """True if it needs weights of the cells."""
        ...

    @property
    def document(self) -> Mapping[str, Any]:
        """What it is known by, in plain types."""
        ...

    def of(self, cells: ZoneCells) -> Any:
        """The result of one zone, which has at least one covered cell."""
        ...

    def column(self, results: Mapping[int, Any], n_zones: int) -> Column:
        """(zone,) results as a column."""
        ...


class FunctionError(StatisticError):
    """A function failed on a zone: made from what happened, the zone's index, and what follows."""

    def named(self, ids: Sequence[Any]) -> StatisticError:
        """The error as the user is told it."""
        text, zone, *rest = self.args
        return StatisticError(f"{text} on zone {ids[zone]!r}{''.join(rest)}")


@contextmanager
def naming(ids: Callable[[], Sequence[Any]]) -> Iterator[None]:
    """Say of an error of a function which zone it was.

    Args:
        ids: gives the (zone,) ids.
    """
    try:
        yield
    except FunctionError as error:
        raise error.named(ids()) from error.__cause__


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the user's as a statistic; its results are numbers."""

    call: Callable[..., Any]
    name: str
    version: str
    """What tells one state of its code from another."""
    weighted: bool = False
    """True if it takes weights."""
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Stands for the version where there is none."""

    @classmethod
    def of_call(cls, call: Callable[..., Any]) -> Function:
        """The statistic that a function is.

        Raises:
            StatisticError: it has no name, or does not take values and fractions.
        """
        name = getattr(call, "__name__", None)
        if not isinstance(name, str) or not name.isidentifier():
            raise StatisticError(
                f"the function {call!r} has no name to call a column by; write it as def name(...)"
            )
        count = _arguments(call)
        if count not in (2, 3):
            raise StatisticError(
                f"the function {name} does not take two arguments, or three; write it as "
                f"def {name}(values, fractions) or def {name}(values, fractions, weights)"
            )
        version = getattr(call, "version", None)
        return cls(call, name, "" if version is None else str(version), count == 3)

    @property
    def document(self) -> Mapping[str, Any]:
        """Where it is defined, and its version or the mark in its place."""
        place = f"{self.call.__module__}:{getattr(self.call, '__qualname__', self.name)}"
        known = {"version": self.version} if self.version else {"mark": self.mark}
        return {"function": place, "name": self.name} | known

    def of(self, cells: ZoneCells) -> float:
        """What the function returns of the valid cells; NaN for None, and where there are none."""
        valid = cells.valid
        if self.weighted:
            valid = valid.only(valid.unweighed == VALID)
        if not len(valid.raw):
            return np.nan
        given = [valid.physical, valid.share, valid.weight]
        result = self.call(*(one.copy() for one in given[: 2 + self.weighted]))
        if result is None:
            return np.nan
        if np.ndim(result) or not isinstance(result, int | float | np.number | np.bool_):
            raise TypeError(
                f"it returned a {type(result).__name__}, where a number or None is wanted"
            )
        return float(result)

    def column(self, results: Mapping[int, Any], n_zones: int) -> Column:
        """(zone,) numbers, NaN for none."""
        column = np.full(n_zones, np.nan)
        column[list(results)] = list(results.values())
        return column


def _arguments(call: Callable[..., Any]) -> int:
    """How many arguments a function must be given."""
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return 2  # one in C that does not tell; the call will
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in positional and p.default is inspect.Parameter.empty for p in parameters)


class Calls:
    """The results of functions, each called as soon as a zone is whole."""

    def __init__(
        self, covered: Covered, functions: Sequence[OfCells], scale: float, offset: float
    ) -> None:
        self._scale, self._offset = scale, offset
        self._n_zones = covered.coverage.n_zones
        self._left = covered.pieces_of_zone.copy()
        """(zone,) in how many tiles cells are still to come."""
        self._open: dict[int, list[ZoneCells]] = {}
        self._results: dict[str, tuple[OfCells, dict[int, Any]]] = {
            one.name: (one, {}) for one in functions
        }

    def add(self, cells: Cells) -> None:
        """Take in the cells of one tile, and call the functions of zones that are whole now."""
        for zone, piece in pieces_of(cells, self._scale, self._offset):
            self._left[zone] -= 1
            if self._left[zone]:
                self._open.setdefault(zone, []).append(piece.copied())
            else:
                self._call(zone, joined([*self._open.pop(zone, ()), piece]))

    def finish(self, scale: float, offset: float) -> None:
        """Nothing is left: functions were shown physical values."""

    def of(self, name: str) -> Column:
        """(zone,) results of one function."""
        function, results = self._results[name]
        return function.column(results, self._n_zones)

    def _call(self, zone: int, cells: ZoneCells) -> None:
        if (cells.reason == UNREAD).any():
            return  # it gets no number
        for name, (function, results) in self._results.items():
            if function.weighted and (cells.unweighed == UNREAD).any():
                continue
            try:
                results[zone] = function.of(cells)
            except Exception as error:
                text = f"the function {name} failed ({type(error).__name__}: {error})"
                raise FunctionError(text, zone) from error
