"""Notebooks: run by a kernel in a folder of their own, and what came out of their cells."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

__all__ = ["FOLDER", "Ran", "ran"]

FOLDER = Path(__file__).resolve().parent.parent.parent / "notebooks"
PATIENCE = 200
"""Seconds that a cell may take."""

STRICT = """
import warnings
warnings.simplefilter("error")
# As in pyproject.toml, which says why.
warnings.filterwarnings("ignore", "Use `@` matmul", PendingDeprecationWarning)
warnings.filterwarnings("ignore", "Support for class-based `config`", DeprecationWarning)
"""
LAX = 'warnings.simplefilter("ignore")  # what comes is the end of the kernel, by its own code'


@dataclass(frozen=True, slots=True, eq=False)
class Ran:
    """A notebook that was run."""

    folder: Path
    """Where; it held nothing but the notebook."""
    cells: Sequence[nbformat.NotebookNode]
    """Its own, with their outputs."""
    facts: Mapping[str, str]
    """What expressions came to, once all was run, as text."""

    def streams(self, name: str) -> str:
        """All that was written to stdout or stderr."""
        return "".join(one.text for one in self._outputs if one.get("name") == name)

    def shown(self, kind: str) -> list[Any]:
        """What was displayed in a form, such as ``image/png``."""
        return [one.data[kind] for one in self._outputs if kind in one.get("data", {})]

    @property
    def _outputs(self) -> Iterator[nbformat.NotebookNode]:
        return (one for cell in self.cells for one in cell.get("outputs", ()))


def ran(name: str, folder: Path, facts: Mapping[str, str], *, first: str = "", **names: str) -> Ran:
    """Run a notebook in a folder; warnings are errors.

    Args:
        name: how its file's name begins.
        folder: which is empty.
        facts: name -> expression, told when all cells have run.
        first: code that runs before them.
        names: variables of the environment.
    """
    import_module("matplotlib.font_manager")  # the first to look for fonts says so on stderr
    (path,) = FOLDER.glob(f"{name}*.ipynb")
    shutil.copy(path, folder)
    book = nbformat.read(path, as_version=4)
    own = list(book.cells)
    book.cells = [_code(STRICT + first), *own, *(_code(f"print({one})") for one in facts.values())]
    book.cells.append(_code(LAX))
    with _environment(names):
        client = NotebookClient(
            book, timeout=PATIENCE, kernel_name="python3", resources={"metadata": {"path": folder}}
        )
        client.execute(stderr=subprocess.DEVNULL)  # what cells write there is among their outputs
    said = (cell.outputs[0].text.strip() for cell in book.cells[1 + len(own) : -1])
    return Ran(folder, own, dict(zip(facts, said, strict=True)))


def _code(source: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell(source)


@contextmanager
def _environment(names: Mapping[str, str]) -> Iterator[None]:
    """Variables that the kernel inherits, and this package on its path."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in names.items():
            patch.setenv(name, value)
        patch.setenv("PYTHONPATH", str(FOLDER.parent), prepend=os.pathsep)
        yield
