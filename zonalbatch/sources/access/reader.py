"""Reader: by what remote files are read, and how much is asked for in one request."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from zonalbatch.errors import InputError
from zonalbatch.sizes import bytes_of

__all__ = ["VARIABLES", "Kind", "Reader", "reader_here"]

Kind = Literal["auto", "rioxarray", "async"]
"""By ranges where a file can be read so, else by GDAL (auto); always by GDAL; or never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How files are read; no number follows from it."""

    kind: Kind = "auto"
    open_bytes: int = 32 * 1024
    """First bytes of a file that are fetched when it is opened."""
    header_cache: int = 16 * 1024**2
    """Bytes of headers that a process keeps."""
    block_cache: int = 64 * 1024**2
    """Bytes of decoded blocks that a process keeps."""
    merge_gap: int = 8 * 1024
    """Bytes between two ranges up to which they are asked for as one."""
    run: str = ""
    """Who reads: what is kept of files is kept for one run, as another may find them changed."""


VARIABLES: Mapping[str, str] = {
    field.name: f"ZONALBATCH_{'READER' if field.name == 'kind' else field.name.upper()}"
    for field in fields(Reader)
    if field.name != "run"
}
"""Setting -> the environment variable that sets it where a job does not."""


def reader_here() -> Reader:
    """How files are read unless a job says otherwise: as this process's environment has it.

    Raises:
        InputError: a variable holds no such setting.
    """
    told = {name: os.environ.get(variable, "") for name, variable in VARIABLES.items()}
    return Reader(**{name: _setting(name, text) for name, text in told.items() if text})


def _setting(name: str, text: str) -> Any:
    if name == "kind":
        if text not in get_args(Kind):
            kinds = ", ".join(get_args(Kind))
            raise InputError(f"{VARIABLES[name]} is {text!r}; write one of {kinds}")
        return text
    try:
        return bytes_of(text)
    except ValueError as error:
        raise InputError(f"{VARIABLES[name]} is {text!r}; {error}") from None
