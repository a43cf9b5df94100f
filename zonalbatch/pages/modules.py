"""Modules: those of JavaScript that import each other, as one script without imports.

Each becomes a function that is called once and gives what it exports, so that names which two of
them have do not meet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["script"]

ASSETS = Path(__file__).parent / "assets"
_IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)


def script(entry: str) -> str:
    """The module of a name and all that it imports."""
    order = dict.fromkeys(_needed(entry))
    return '"use strict";\n' + "".join(_called(name) for name in order)


def _needed(name: str) -> Iterator[str]:
    """Names of modules, each after those that it imports."""
    for _, other in _IMPORT.findall(_source(name)):
        yield from _needed(other)
    yield name


def _called(name: str) -> str:
    text = _IMPORT.sub(r"const { \1 } = module_\2;", _source(name))
    exported = ", ".join(_EXPORT.findall(text))
    body = _EXPORT.sub("", text)
    return f"const module_{name} = (() => {{\n{body}\nreturn {{ {exported} }};\n}})();\n"


def _source(name: str) -> str:
    return (ASSETS / f"{name}.js").read_text(encoding="utf-8")
