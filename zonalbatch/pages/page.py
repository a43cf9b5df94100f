"""Page: one HTML file that holds all that it shows."""

from __future__ import annotations

import html as markup
import os
from dataclasses import dataclass, field
from pathlib import Path

from zonalbatch.errors import InputError, OutputError
from zonalbatch.places.files import write_text

__all__ = ["Page"]

HEIGHT = 760
"""Pixels of a page within a notebook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page that asks no other place for anything."""

    html: str = field(repr=False)
    """The whole document."""
    title: str

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it to a file; where it is then.

        Raises:
            InputError: it is no name of a file of this machine.
            OutputError: the file cannot be written.
        """
        file = _file(path)
        try:
            write_text(file, self.html)
        except OSError as error:
            raise OutputError(f"cannot write {file}: {error.strerror or error}") from error
        return file

    def _repr_html_(self) -> str:
        """For Jupyter: a frame of its own, which scripts of the notebook and its cannot cross."""
        return (
            f'<iframe title="{markup.escape(self.title)}" srcdoc="{markup.escape(self.html)}" '
            f'sandbox="allow-scripts allow-downloads" width="100%" height="{HEIGHT}" '
            'style="border: 0; border-radius: 8px"></iframe>'
        )


def _file(path: object) -> Path:
    if not isinstance(path, str | os.PathLike) or not Path(path).name or "://" in str(path):
        raise InputError(f"{path!r} is no file of this machine; name one such as page.html")
    return Path(path)
