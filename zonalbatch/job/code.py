"""Code: functions that a job names as ``module:function``, and classes as ``module.Class``.

A job file may come from anywhere, so its code is only imported where the user has said that it may
be; a module is looked for beside the job file first.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["check_allowed", "load_class", "load_function", "place_of"]


def check_allowed(context: Mapping[str, Any]) -> None:
    """See that a document's reader was told that its code may be run.

    Raises:
        ValueError: nobody said so.
    """
    if not context.get("allow_code"):
        raise ValueError(
            "it names code, which is only run if you say so: --allow-code, or "
            "Job.from_file(..., allow_code=True)"
        )


def load_function(place: str, folder: str | None) -> Callable[..., Any]:
    """The function that ``module:function`` names.

    Args:
        place: where it is.
        folder: where modules are looked for before all others.

    Raises:
        ValueError: there is no such module or function.
    """
    module_name, _, name = place.partition(":")
    module = _module(module_name, folder)
    function = getattr(module, name, None)
    if not callable(function):
        raise ValueError(f"module {module_name} has no function {name!r}")
    _carry(module, folder)
    return function  # type: ignore[no-any-return]


def load_class(place: str, folder: str | None) -> type:
    """The class that ``module.Class`` names.

    Args:
        place: where it is.
        folder: where modules are looked for before all others.

    Raises:
        ValueError: there is no such module or class.
    """
    module_name, _, name = place.rpartition(".")
    found = getattr(_module(module_name, folder), name, None)
    if not isinstance(found, type):
        raise ValueError(f"module {module_name} has no class {name!r}")
    return found


def _module(name: str, folder: str | None) -> ModuleType:
    try:
        with _looking_in(folder):
            _forget_another(name, folder)
            return importlib.import_module(name)
    except Exception as error:
        raise ValueError(f"module {name} cannot be imported ({error})") from error


def place_of(function: Callable[..., Any]) -> str | None:
    """``module:function``, if a function can be found there; else None."""
    module, name = function.__module__, getattr(function, "__qualname__", "")
    held = getattr(sys.modules.get(module), name, None)
    # Another job may have a module of this name by now: what is beside the function counts.
    found = getattr(function, "__globals__", {}).get(name, held)
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


def _forget_another(module_name: str, folder: str | None) -> None:
    """Have a module beside the job read, where one of its name came from elsewhere before."""
    held = sys.modules.get(module_name)
    if folder is None or held is None:
        return
    path = Path(folder, *module_name.split("."))
    beside = [one for one in (path / "__init__.py", path.with_suffix(".py")) if one.is_file()]
    if beside and not _is_file(held, beside[0]):
        importlib.invalidate_caches()
        for name in [n for n in sys.modules if f"{n}.".startswith(f"{module_name}.")]:
            del sys.modules[name]


def _is_file(module: Any, path: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve() == path.resolve()


def _carry(module: Any, folder: str | None) -> None:
    """Have the code of a module beside the job travel to workers, which do not look there."""
    file = getattr(module, "__file__", None)
    if folder is not None and file and Path(file).is_relative_to(folder):
        import cloudpickle

        cloudpickle.register_pickle_by_value(module)
