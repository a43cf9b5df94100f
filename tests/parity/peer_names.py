"""A peer's modules, stood in for by ours while its own tests run."""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping
from typing import Any

__all__ = ["stand_in"]


class Inner:
    """Something of the peer's own that we have not."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *_: Any, **__: Any) -> Any:
        """Say what was used."""
        raise NotImplementedError(f"{self._name} is an inner part of the peer")


class Named(types.ModuleType):
    """A module of the peer with what we have of it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Inner(f"{self.__name__}.{name}")


def stand_in(modules: Mapping[str, Mapping[str, Any]]) -> None:
    """Put modules with these names in place of a peer's."""
    for name, has in modules.items():
        module = Named(name)
        module.__path__ = []
        kept = {k: v for k, v in has.items() if not k.startswith("__") or k == "__version__"}
        vars(module).update(kept)
        sys.modules[name] = module
