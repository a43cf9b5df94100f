"""Folder: a place on a disk, or in a file system that machines share."""

from __future__ import annotations

import errno
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from zonalbatch.errors import OutputError
from zonalbatch.places.files import locked, make_folder, replacing, write_text
from zonalbatch.places.place import Change

__all__ = ["Folder"]

_LEFT = re.compile(r"\..+\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\.(probe|draft)-[0-9a-f-]{36}")
"""Names that are temporary."""


FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})
"""What the system says where no more can be written, and never of what is read."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A file or a folder on a disk; see `Place`."""

    path: Path

    def __str__(self) -> str:
        """Its path."""
        return str(self.path)

    def __fspath__(self) -> str:
        """Its path."""
        return str(self.path)

    def __truediv__(self, name: str) -> Folder:
        """What lies in it under a name."""
        return Folder(self.path / name)

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.name

    @property
    def stem(self) -> str:
        """Its name without the ending."""
        return self.path.stem

    @property
    def parent(self) -> Folder:
        """The folder that it lies in."""
        return Folder(self.path.parent)

    def exists(self) -> bool:
        """True if there is such a file."""
        return self.path.is_file()

    def size(self) -> int:
        """Bytes of a file."""
        return self.path.stat().st_size

    def read_bytes(self) -> bytes:
        """All of a file."""
        return self.path.read_bytes()

    def read_text(self) -> str:
        """All of a file, as text."""
        return self.path.read_text()

    def source(self) -> str:
        """The path, by which pyarrow maps a file."""
        return str(self.path)

    @contextmanager
    def replacing(self) -> Iterator[IO[bytes]]:
        """A file to write to that takes this place when the block ends well."""
        with replacing(self.path) as file:
            yield file

    def write_text(self, text: str) -> None:
        """Write a small file, whole or not at all."""
        write_text(self.path, text)

    def change(self, change: Change) -> None:
        """Bring a small file to its next text; the lock keeps others from it."""
        with suppress(FileNotFoundError):
            self.write_text(change(self.read_text()))
            return
        self.write_text(change(None))

    def remove(self) -> None:
        """Remove a file, if it is there."""
        self.path.unlink(missing_ok=True)

    def files(self) -> dict[str, int]:
        """Bytes of each file that lies in it, by name."""
        found = {}
        with suppress(FileNotFoundError, NotADirectoryError):
            for entry in self.path.iterdir():
                with suppress(FileNotFoundError):  # another run's worker may be replacing it
                    if not entry.name.startswith(".") and entry.is_file():
                        found[entry.name] = entry.stat().st_size
        return found

    def folders(self) -> set[str]:
        """Names of the folders that lie in it."""
        if not self.path.is_dir():
            return set()
        return {e.name for e in self.path.iterdir() if e.is_dir() and not e.name.startswith(".")}

    def make(self) -> None:
        """See that files can be written into it."""
        make_folder(self.path)

    def clear(self) -> None:
        """Remove it with all that lies in it, as far as that can be done."""
        shutil.rmtree(self.path, ignore_errors=True)

    def sweep(self) -> None:
        """Remove what writers that were killed left in it under temporary names."""
        with suppress(OSError):
            for entry in self.path.iterdir():
                if _LEFT.fullmatch(entry.name):
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """A hidden folder in this one, which so is on the same disk."""
        self.make()
        draft = self.path / f".draft-{uuid.uuid4()}"
        draft.mkdir()
        try:
            yield draft
        except OSError as error:
            if error.errno not in FULL:
                raise
            raise OutputError(f"cannot write to {self}: {error.strerror or error}") from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def adopt(self, draft: Path, name: str, last: str) -> None:
        """Give a draft its name, in one step: its files are there together."""
        shutil.rmtree(self.path / name, ignore_errors=True)
        draft.rename(self.path / name)

    @contextmanager
    def held(self) -> Iterator[Callable[[], None]]:
        """Hold a lock that ends with the process, so that there is nothing to check."""
        make_folder(self.path)
        with locked(self.path / ".lock"):
            yield lambda: None
