"""Sums: the size of a file and a hash of its bytes, by which damage to it is found."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import IO, Any

from zonalbatch.errors import UnreachableError
from zonalbatch.places import Place
from zonalbatch.vouched import unvouched, vouched

__all__ = ["Sum", "Summing", "are_whole", "read_sums", "sum_of", "write_sums"]

SUMS = "sums.json"
"""What the files of a folder add up to."""

BLOCK = 2**20


@dataclass(frozen=True, slots=True)
class Sum:
    """What the bytes of a file add up to."""

    bytes: int
    hash: str
    """BLAKE2b-128, hexadecimal."""


class Summing:
    """A file that is written from its begin to its end, and summed up on the way."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.blake2b(digest_size=16)
        self._bytes = 0
        self.closed = False

    def write(self, data: Any) -> int:
        """Write some bytes."""
        self._hash.update(data)
        self._file.write(data)
        count = memoryview(data).nbytes
        self._bytes += count
        return count

    def tell(self) -> int:
        """How many bytes have been written."""
        return self._bytes

    def flush(self) -> None:
        """Hand on what has been written."""
        self._file.flush()

    def close(self) -> None:
        """Take no more; the file is its owner's to close."""
        self.closed = True

    @property
    def sum(self) -> Sum:
        """What has been written so far."""
        return Sum(self._bytes, self._hash.hexdigest())


def sum_of(place: Place) -> Sum:
    """What a file adds up to, read whole.

    Raises:
        OSError: it is not there, or cannot be read.
    """
    source = place.source()
    hash_, count = hashlib.blake2b(digest_size=16), 0
    with open(source, "rb") if isinstance(source, str) else source as file:
        while block := file.read(BLOCK):
            hash_.update(block)
            count += len(block)
    return Sum(count, hash_.hexdigest())


def read_sums(folder: Place) -> dict[str, Sum]:
    """What `write_sums` wrote in a folder; empty if that is gone or damaged.

    Raises:
        UnreachableError: it cannot be looked at, which says nothing of it.
    """
    try:
        document = unvouched((folder / SUMS).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    except UnreachableError:  # a store's, which names it
        raise
    except OSError as error:
        raise UnreachableError(f"{folder / SUMS} cannot be read: {error}") from error
    return {name: Sum(*one) for name, one in document.items()}


def write_sums(folder: Place | Path, sums: Mapping[str, Sum]) -> None:
    """Write what some files add up to, by their path in the folder."""
    document = {name: astuple(one) for name, one in sorted(sums.items())}
    (folder / SUMS).write_text(vouched(document, indent=0) + "\n")


def are_whole(folder: Place) -> bool:
    """True if the files of a folder are those that were summed up, byte for byte.

    Raises:
        UnreachableError: they cannot be looked at, which says nothing of them.
    """
    sums = read_sums(folder)
    try:
        return bool(sums) and all(sum_of(folder / name) == one for name, one in sums.items())
    except FileNotFoundError:
        return False
    except UnreachableError:  # a store's, which names it
        raise
    except OSError as error:
        raise UnreachableError(f"{folder} cannot be read: {error}") from error
