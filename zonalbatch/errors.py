"""Every error that zonalbatch raises on purpose.

    ZonalbatchError            1  a fault of ours
    ├── InputError             2  what was given cannot be used; nothing was computed
    │   ├── ZonesError            zones: no CRS, duplicate ids, unreadable file
    │   ├── SourceError           rasters or items: missing, unknown band, unusable grid
    │   │   └── ForbiddenAddress      a host that the service may not reach
    │   ├── ExpressionError       a measurement's expression
    │   ├── StatisticError        an unknown or ill-formed statistic
    │   ├── JobError              a job document: unknown key, bad value
    │   └── SchemaError           column names collide, or the output has another schema
    ├── ReadError              3  one file that could not be read; recorded, the run goes on
    │   ├── PermanentReadError    missing, corrupt, unsupported
    │   │   ├── RefusedReadError      forbidden: 401 and 403
    │   │   └── DoubtfulReadError     remote and broken, or cut short on its way
    │   └── PassingReadError      time-outs, resets, 429 and 5xx
    ├── OutputError            4  the result cannot be written
    │   ├── BusyError             another run writes there
    │   ├── DamagedError          what is there is not what was written; --verify mends it
    │   └── UnreachableError      a store or a folder cannot be looked into (an OSError, too)
    ├── ClusterError           5  no cluster, or it was lost
    └── GridMismatch              a file's grid is not what its item says; the plan mends it

The number is the exit code of the command line. Every error is picklable: it is made from
its message alone, so that one raised in a worker reaches the user as it was raised.

What is no error but should be known is a note of a job's report; where there is no report, it is
warned of as a `ZonalbatchWarning`, which the command line prints as a note.
"""

from __future__ import annotations

from typing import ClassVar, Literal

__all__ = [
    "BusyError",
    "ClusterError",
    "DamagedError",
    "DoubtfulReadError",
    "ExpressionError",
    "ForbiddenAddress",
    "GridMismatch",
    "InputError",
    "JobError",
    "OutputError",
    "PassingReadError",
    "PermanentReadError",
    "ReadError",
    "RefusedReadError",
    "SchemaError",
    "SourceError",
    "StatisticError",
    "UnreachableError",
    "ZonalbatchError",
    "ZonalbatchWarning",
    "ZonesError",
]


class ZonalbatchError(Exception):
    """Base of all errors raised on purpose; by itself, a fault of ours."""

    exit_code: ClassVar[int] = 1


class ZonalbatchWarning(UserWarning):
    """What was assumed, or what the numbers do not say by themselves."""


class InputError(ZonalbatchError):
    """What the user gave cannot be used; nothing was computed or written."""

    exit_code: ClassVar[int] = 2


class ZonesError(InputError):
    """The zones cannot be used: no CRS, duplicate ids, an unreadable file."""


class SourceError(InputError):
    """The rasters or items cannot be used: missing, an unknown band, a rotated grid."""


class ForbiddenAddress(SourceError):  # noqa: N818 (what it says is what is wrong)
    """What is asked for lies where the service may not reach; what lies there is not told."""


class ExpressionError(InputError):
    """A measurement's expression is not in the small language of expressions."""


class StatisticError(InputError):
    """A statistic is unknown or its parameter makes no sense."""


class JobError(InputError):
    """A job document is not valid."""


class SchemaError(InputError):
    """Result columns collide, or the output already holds another schema."""


class ReadError(ZonalbatchError):
    """One file could not be read; the run records it and goes on."""

    exit_code: ClassVar[int] = 3

    reason: Literal["missing", "refused", "format", ""] = ""
    """It is not there, not ours to read, or of no format that may be read; else the text says."""


class PermanentReadError(ReadError):
    """Reading again will not help: missing, forbidden, corrupt, unsupported."""


class RefusedReadError(PermanentReadError):
    """The server does not let us read: it wants a right that was not given, or has run out."""


class DoubtfulReadError(PermanentReadError):
    """What came of a remote file is nonsense: it is broken, or some of it was lost on its way."""


class PassingReadError(ReadError):
    """Reading again may help: time-outs, resets, 429 and 5xx answers."""

    after: float = 0.0
    """Seconds for which the server asks to be left alone."""


class OutputError(ZonalbatchError):
    """The result cannot be written."""

    exit_code: ClassVar[int] = 4


class BusyError(OutputError):
    """Another run is writing to the output."""


class DamagedError(OutputError):
    """A document of a result is not what was written."""


class UnreachableError(OutputError, OSError):
    """The place of a result cannot be looked into, so that nothing is known of what it holds."""


class ClusterError(ZonalbatchError):
    """There is no cluster to work on, or it was lost."""

    exit_code: ClassVar[int] = 5


class GridMismatch(ZonalbatchError):  # noqa: N818 (it is caught by the plan, not shown)
    """A file's grid is not what its item says; the layer must be planned by the file."""
