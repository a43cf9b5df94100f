"""Files that appear whole or not at all, on a local disk."""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from zonalbatch.errors import BusyError, OutputError

__all__ = ["locked", "make_folder", "replacing", "write_text"]


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to that takes the place of ``path`` when the block ends well.

    Until then it has a hidden temporary name; it is on the disk before it gets its own.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4()}")
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a small text file, whole or not at all."""
    with replacing(path) as file:
        file.write(text.encode())


def make_folder(path: Path) -> Path:
    """A folder that exists and can be written to.

    Raises:
        OutputError: it cannot be made, or nothing can be written into it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".probe-{uuid.uuid4()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(
            f"cannot write to folder {path}: {error.strerror or error}; choose another, or see "
            "that it is a folder you may write to"
        ) from error
    return path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that ends with the process.

    Raises:
        BusyError: another process holds it.
    """
    with open(path, "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BusyError(
                f"another run is writing to {path.parent}; wait for it to end, or stop it"
            ) from error
        yield


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
