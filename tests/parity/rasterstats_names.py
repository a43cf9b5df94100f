"""A pytest plugin that points the name ``rasterstats`` at our module, for the peer's own tests.

What the tests import of the peer's inner parts, and we have no counterpart of, stands for itself
and fails when it is used; which tests those are is told in ``test_rasterstats_suite.py``.
"""

from __future__ import annotations

import sys
import types
from typing import Any

from zonalbatch.compat import rasterstats
from zonalbatch.compat.rasterstats import features, names, query, zonal

OURS: dict[str, dict[str, Any]] = {
    "rasterstats": vars(rasterstats),
    "rasterstats.main": vars(zonal),
    "rasterstats.point": vars(query),
    "rasterstats.io": vars(features)
    | {
        "DEFAULT_CHUNK_SIZE": features.CHUNK_SIZE,
        "feature_generator": features.read_features,
    },
    "rasterstats.utils": vars(names),
    "rasterstats.cli": {},
}


class Inner:
    """Something of the peer's own that we have not."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *_: Any, **__: Any) -> Any:
        """Say what was used."""
        raise NotImplementedError(f"{self._name} is an inner part of rasterstats")


class Named(types.ModuleType):
    """A module of rasterstats with what we have of it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Inner(f"{self.__name__}.{name}")


for _name, _has in OURS.items():
    _module = Named(_name)
    _module.__path__ = []
    vars(_module).update({k: v for k, v in _has.items() if not k.startswith("__")})
    sys.modules[_name] = _module
