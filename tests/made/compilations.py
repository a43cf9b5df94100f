"""Compilations: what numba compiles in a process and in all that it starts, one line each."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["UNCOMPILED", "compiled", "listening"]

LISTENER = '''
"""Python runs this when it starts; numba compiles nothing of ours before `kernels` is there."""

import os
import sys
from importlib.abc import MetaPathFinder


class Waiting(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "zonalbatch.kernels":
            sys.meta_path.remove(self)
            listen()
        return None


def listen():
    from numba.core import event

    class Told(event.Listener):
        def on_start(self, event):
            function = event.data["dispatcher"].py_func
            with open(os.environ["COMPILED"], "a") as told:
                told.write(f"{function.__module__}.{function.__name__} {event.data['args']}\\n")

        def on_end(self, event):
            pass

    event.register("numba:compile", Told())


sys.meta_path.insert(0, Waiting())
'''

UNCOMPILED = """
import importlib, pathlib
import zonalbatch
from zonalbatch.kernels import _OneAtATime

top = pathlib.Path(zonalbatch.__file__).parent
for file in sorted(top.rglob("*.py")):
    written = file.read_text().count("\\n@kernel(")
    if not written:
        continue
    name = ".".join(("zonalbatch", *file.relative_to(top).with_suffix("").parts))
    found = [
        one for one in vars(importlib.import_module(name)).values()
        if isinstance(getattr(one, "_cache", None), _OneAtATime)
        and one.py_func.__module__ == name
    ]
    if len(found) != written:
        print(name, "has kernels that are not found")
    for one in found:
        if not one._cache._cache_file._load_index():
            print(f"{name}.{one.py_func.__name__}")
"""
"""Python that prints the kernels of which the cache holds no code."""


def listening(folder: Path) -> Path:
    """Write what listens in a new folder, for PYTHONPATH; $COMPILED names a file for the lines."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(LISTENER)
    return folder


def compiled(file: Path) -> list[str]:
    """What was compiled: kernels with the types of their arguments."""
    return file.read_text().split(os.linesep)[:-1] if file.exists() else []
