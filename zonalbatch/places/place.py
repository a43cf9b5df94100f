"""Place: a file or a folder of an output, on a disk or in a bucket."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, Protocol

from zonalbatch.errors import InputError

__all__ = ["Change", "Place", "is_bucket", "place_of"]

_LINK = re.compile(r"[a-z][a-z0-9+.-]+:/", re.IGNORECASE)
"""How links begin, also where a path has folded the slashes."""

Change = Callable[[str | None], str]
"""The next text of a small file, from the one that is there; None if there is none."""


class Place(Protocol):
    """A file or a folder. Names that begin with a dot are not told of, and are no results.

    What cannot be written raises an OutputError, what is not there a FileNotFoundError, and what
    cannot be read another OSError.
    """

    @property
    def name(self) -> str:
        """The last part of where it lies."""
        ...

    @property
    def stem(self) -> str:
        """Its name without the ending."""
        ...

    @property
    def parent(self) -> Place:
        """The folder that it lies in."""
        ...

    def __truediv__(self, name: str) -> Place:
        """What lies in it under a name."""
        ...

    def __str__(self) -> str:
        """Where it lies, as `place_of` takes it: an absolute path or a link."""
        ...

    # Files.

    def exists(self) -> bool:
        """True if there is such a file."""
        ...

    def size(self) -> int:
        """Bytes of a file."""
        ...

    def read_bytes(self) -> bytes:
        """All of a file."""
        ...

    def read_text(self) -> str:
        """All of a file, as text."""
        ...

    def source(self) -> Any:
        """A file as pyarrow reads it: its path, or an open file that fetches what is asked for."""
        ...

    def replacing(self) -> AbstractContextManager[IO[bytes]]:
        """A file to write to that takes this place when the block ends well."""
        ...

    def write_text(self, text: str) -> None:
        """Write a small file, whole or not at all."""
        ...

    def change(self, change: Change) -> None:
        """Bring a small file from its text to the next; no change of another's is written over."""
        ...

    def remove(self) -> None:
        """Remove a file, if it is there."""
        ...

    # Folders.

    def files(self) -> dict[str, int]:
        """Bytes of each file that lies in it, by name."""
        ...

    def folders(self) -> set[str]:
        """Names of the folders that lie in it."""
        ...

    def make(self) -> None:
        """See that files can be written into it."""
        ...

    def clear(self) -> None:
        """Remove it with all that lies in it, as far as that can be done."""
        ...

    def sweep(self) -> None:
        """Remove what writers that were killed left in it under temporary names."""
        ...

    def draft(self) -> AbstractContextManager[Path]:
        """A folder of this machine for files that belong together, which goes with the block."""
        ...

    def adopt(self, draft: Path, name: str, last: str) -> None:
        """Take the files of a draft in, as a folder in which one of them is the sign of all."""
        ...

    def held(self) -> AbstractContextManager[Callable[[], None]]:
        """Keep other runs out of it while the block lasts; gives what checks that this is so."""
        ...


def is_bucket(url: str) -> bool:
    """True of a link into an object store."""
    return re.match(r"(s3|s3a|gs|az|azure|abfss?|adl)://", url) is not None


def place_of(url: str | os.PathLike[str]) -> Place:
    """The place at a path, or at a link into an object store (s3, gs, az).

    Raises:
        InputError: the link is of no object store, names no bucket, or its store cannot be talked
            to.
    """
    text = os.fspath(url)
    if is_bucket(text):
        from zonalbatch.places.bucket import bucket_at

        return bucket_at(text)
    if _LINK.match(text):
        from zonalbatch.sources.secrets import shown

        raise InputError(
            f"{shown(text)} is no link into an object store; give a folder, or a link that begins "
            "with s3://, gs:// or az://"
        )
    from zonalbatch.places.folder import Folder

    return Folder(Path(text).absolute())
