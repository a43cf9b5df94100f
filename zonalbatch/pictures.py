"""Pictures: whether one can be made, and how it is written."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from zonalbatch.errors import InputError, OutputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["check_picture", "write_picture"]


def check_picture(path: Path) -> None:
    """Say whether a picture can be made, before anything is computed.

    Raises:
        InputError: matplotlib is missing, or the name does not end in ``.png``.
    """
    if find_spec("matplotlib") is None:
        raise InputError(
            "a picture needs matplotlib, which is not installed; "
            "install it with: pip install 'zonalbatch[plot]'"
        )
    if path.suffix.lower() != ".png":
        raise InputError(f"cannot draw {path}: use a name that ends in .png")


def write_picture(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG.

    Raises:
        OutputError: the file cannot be written.
    """
    try:
        figure.savefig(path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
