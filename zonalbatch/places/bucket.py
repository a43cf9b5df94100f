"""Bucket: a place in an object store: S3, Google Cloud Storage, Azure; by obstore.

An object appears whole, by one put. Nothing is renamed and no folder is made. Credentials, region
and endpoint are the environment's (AWS_*, GOOGLE_*, AZURE_*), here as in workers.
"""

from __future__ import annotations

import functools
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from zonalbatch.errors import InputError, OutputError, UnreachableError
from zonalbatch.places.lease import leased
from zonalbatch.places.objects import Object
from zonalbatch.places.place import Change
from zonalbatch.sources.secrets import shown

if TYPE_CHECKING:
    from obstore.store import ObjectStore, RetryConfig

__all__ = ["Bucket", "bucket_at"]

IN_MEMORY = 2**24
"""Bytes of a new object beyond which it waits on disk until it is put."""
PATIENCE: RetryConfig = {"max_retries": 8, "retry_timeout": timedelta(seconds=120)}
"""How often, and for how long, a request that fails in passing is made again."""


@functools.cache
def _store(root: str) -> ObjectStore:
    from obstore.store import from_url

    return from_url(root, retry_config=PATIENCE)


def bucket_at(url: str) -> Bucket:
    """The place at a link.

    Raises:
        InputError: it names no bucket, or obstore knows no such store.
    """
    parts = urlsplit(url)
    if not parts.netloc:
        raise InputError(
            f"{shown(url)} names no bucket; write it as {parts.scheme}://bucket/folder"
        )
    if ":" in parts.netloc.rpartition("@")[0]:
        raise InputError(
            f"{shown(url)} holds a key and its secret; leave them out, and set them in the "
            "environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, say)"
        )
    root = f"{parts.scheme}://{parts.netloc}"
    with _as_input(url):
        _store(root)
    return Bucket(root, parts.path.strip("/"))


@contextmanager
def _as_input(url: str) -> Iterator[None]:
    from obstore.exceptions import BaseError

    try:
        yield
    except (BaseError, ValueError) as error:
        told = f"{shown(url)} is no place in an object store: {first_line(error)}"
        raise InputError(told) from None


@contextmanager
def _writing(place: Bucket) -> Iterator[None]:
    """Turn what obstore raises into an OutputError."""
    from obstore.exceptions import BaseError

    try:
        yield
    except (BaseError, OSError) as error:
        told = f"cannot write {place}: {first_line(error)}{_advice(error)}"
        raise OutputError(told) from None


@contextmanager
def _reading(place: Bucket) -> Iterator[None]:
    """Turn what obstore raises into an error of ours; what is not there is an OSError already."""
    from obstore.exceptions import BaseError

    try:
        yield
    except BaseError as error:
        raise UnreachableError(
            f"cannot read {place}: {first_line(error)}{_advice(error)}"
        ) from None


def _advice(error: BaseException) -> str:
    """What to do, as the end of a sentence."""
    told = str(error)
    if re.search("NoSuchBucket|ContainerNotFound|bucket does not exist", told):
        return "; make the bucket first, or mend its name"
    if re.search(r"169\.254\.169\.254|metadata\.google|Unauth|status code: 40[13]", told):
        return (
            "; give the right to it by the environment (AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_*)"
        )
    return "; see that the store can be reached, then run again: a job goes on from what is done"


def first_line(error: BaseException) -> str:
    """What an error of obstore says, without the source code that follows."""
    return shown(str(error).split("\n", 1)[0].partition(": <?xml")[0].rstrip(".: "))


@dataclass(frozen=True, slots=True)
class Bucket:
    """An object, or all objects below a key; see `Place`."""

    root: str
    """The bucket: s3://name."""
    key: str
    """Where it lies in the bucket, without slashes around it."""

    def __str__(self) -> str:
        """Its link."""
        return f"{self.root}/{self.key}".rstrip("/")

    def __truediv__(self, name: str) -> Bucket:
        """What lies below it under a name."""
        return Bucket(self.root, f"{self.key}/{name}".strip("/"))

    @property
    def name(self) -> str:
        """The last part of its key."""
        return PurePosixPath(self.key).name

    @property
    def stem(self) -> str:
        """Its name without the ending."""
        return PurePosixPath(self.key).stem

    @property
    def parent(self) -> Bucket:
        """What it lies below."""
        return Bucket(self.root, self.key.rpartition("/")[0])

    @property
    def _object(self) -> Object:
        return Object(_store(self.root), self.key)

    def exists(self) -> bool:
        """True if there is such an object."""
        try:
            with _reading(self):
                self._object.head()
        except FileNotFoundError:
            return False
        return True

    def size(self) -> int:
        """Bytes of an object."""
        with _reading(self):
            return self._object.head()[0]

    def read_bytes(self) -> bytes:
        """All of an object."""
        with _reading(self):
            return self._object.get()[0]

    def read_text(self) -> str:
        """All of an object, as text."""
        return self.read_bytes().decode()

    def source(self) -> Any:
        """An open file that fetches what is asked for."""
        with _reading(self):
            return self._object.opened()

    @contextmanager
    def replacing(self) -> Iterator[IO[bytes]]:
        """A file that is put in this place when the block ends well."""
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
            yield file  # type: ignore[misc]
            file.seek(0)
            with _writing(self):
                self._object.put(file)

    def write_text(self, text: str) -> None:
        """Write a small object."""
        with _writing(self):
            self._object.put(text.encode())

    def change(self, change: Change) -> None:
        """Bring a small object to its next text, unless another has changed it meanwhile."""
        with _writing(self):
            try:
                text, tag = self._object.get()
            except FileNotFoundError:
                put = self._object.create(change(None).encode())
            else:
                put = self._object.swap(change(text.decode()).encode(), tag)
        if put is None:
            raise OutputError(f"another run has changed {self}; see that only one is under way")

    def remove(self) -> None:
        """Remove an object, if it is there."""
        with _writing(self):
            self._object.delete()

    def files(self) -> dict[str, int]:
        """Bytes of each object right below it, by name."""
        with _reading(self):
            found = self._object.listed()[0]
        return {name: size for name, size in found.items() if not name.startswith(".")}

    def folders(self) -> set[str]:
        """Names of what has objects below it."""
        with _reading(self):
            return {name for name in self._object.listed()[1] if not name.startswith(".")}

    def make(self) -> None:
        """There are no folders to make."""

    def clear(self) -> None:
        """Remove all objects below it."""
        with _writing(self):
            self._object.clear()

    def sweep(self) -> None:
        """A put that was broken off leaves nothing under a name."""

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """A temporary folder of this machine."""
        with tempfile.TemporaryDirectory(prefix="zonalbatch-", ignore_cleanup_errors=True) as draft:
            yield Path(draft)

    def adopt(self, draft: Path, name: str, last: str) -> None:
        """Put the files of a draft, and in the end the one that is the sign of all."""
        (self / name / last).remove()
        for file in sorted(draft.iterdir(), key=lambda file: (file.name == last, file.name)):
            with (self / name / file.name).replacing() as target, open(file, "rb") as source:
                while block := source.read(2**20):
                    target.write(block)

    @contextmanager
    def held(self) -> Iterator[Callable[[], None]]:
        """Hold a lease, which ends a minute after it was last renewed."""
        with leased((self / ".lock")._object, str(self)) as check:
            yield check
