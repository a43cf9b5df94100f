"""Writing: whether a picture can be made, and how it becomes a file."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from zonalbatch.errors import InputError, OutputError

if TYPE_CHECKING:
    from matplotlib.figure import FigureBase

__all__ = ["check_matplotlib", "check_picture", "write_picture"]


def check_matplotlib() -> None:
    """Say that there can be no picture, before anything is computed.

    Raises:
        InputError: matplotlib is missing.
    """
    if find_spec("matplotlib") is None:
        raise InputError(
            "a picture needs matplotlib, which is not installed; "
            "install it with: pip install 'zonalbatch[plot]'"
        )


def check_picture(path: Path) -> None:
    """Say whether a picture can be written, before anything is computed.

    Raises:
        InputError: matplotlib is missing, or the name does not end in ``.png``.
    """
    check_matplotlib()
    if path.suffix.lower() != ".png":
        raise InputError(f"cannot draw {path}: use a name that ends in .png")


def write_picture(figure: FigureBase, path: Path) -> None:
    """Write a figure as a PNG.

    Raises:
        OutputError: the file cannot be written.
    """
    try:
        figure.savefig(path)  # type: ignore[attr-defined]
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
