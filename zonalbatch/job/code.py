"""Code: functions that a job names as ``module:function``.

A job file may come from anywhere, so its code is only imported where the user has said that it may
be; a module is looked for beside the job file first.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["load_function", "place_of"]


def load_function(place: str, folder: str | None) -> Callable[..., Any]:
    """The function that ``module:function`` names.

    Args:
        place: where it is.
        folder: where modules are looked for before all others.

    Raises:
        ValueError: there is no such module or function.
    """
    module_name, _, name = place.partition(":")
    try:
        with _looking_in(folder):
            module = importlib.import_module(module_name)
    except Exception as error:
        raise ValueError(f"module {module_name} cannot be imported ({error})") from error
    function = getattr(module, name, None)
    if not callable(function):
        raise ValueError(f"module {module_name} has no function {name!r}")
    _carry(module, folder)
    return function  # type: ignore[no-any-return]


def place_of(function: Callable[..., Any]) -> str | None:
    """``module:function``, if a function can be found there; else None."""
    module, name = function.__module__, getattr(function, "__qualname__", "")
    found = getattr(sys.modules.get(module), name, None)
    return f"{module}:{name}" if found is function and module != "__main__" else None


@contextmanager
def _looking_in(folder: str | None) -> Iterator[None]:
    before = list(sys.path)
    if folder is not None:
        sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path[:] = before


def _carry(module: Any, folder: str | None) -> None:
    """Have the code of a module beside the job travel to workers, which do not look there."""
    file = getattr(module, "__file__", None)
    if folder is not None and file and Path(file).is_relative_to(folder):
        import cloudpickle

        cloudpickle.register_pickle_by_value(module)
