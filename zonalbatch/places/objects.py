"""Objects: one object of a store, or those below its key; all that we ask of obstore."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt

    from obstore.store import ObjectStore

__all__ = ["Object"]


@dataclass(frozen=True, slots=True)
class Object:
    """An object, or all below its key. Errors are obstore's, or FileNotFoundError."""

    store: ObjectStore
    key: str

    def head(self) -> tuple[int, str, dt.datetime]:
        """Its bytes, its tag, and when it was written by the store's clock."""
        told = self.store.head(self.key)
        return told["size"], told["e_tag"] or "", told["last_modified"]

    def get(self) -> tuple[bytes, str]:
        """All of it, and its tag."""
        found = self.store.get(self.key)
        return bytes(found.bytes()), found.meta["e_tag"] or ""

    def put(self, data: bytes | IO[bytes]) -> None:
        """Write it, in several requests if it is large; it is there when the last has ended."""
        self.store.put(self.key, data)

    def create(self, data: bytes) -> str | None:
        """Write it if it is not there; its tag, None if it was."""
        from obstore.exceptions import AlreadyExistsError

        try:
            return self.store.put(self.key, data, mode="create")["e_tag"] or ""
        except AlreadyExistsError:
            return None

    def swap(self, data: bytes, tag: str) -> str | None:
        """Write it if it still has a tag; the new tag, None if it is another one by now."""
        from obstore.exceptions import PreconditionError

        try:
            return self.store.put(self.key, data, mode={"e_tag": tag})["e_tag"] or ""
        except (PreconditionError, FileNotFoundError):
            return None

    def delete(self) -> None:
        """Remove it, if it is there."""
        try:
            self.store.delete(self.key)
        except FileNotFoundError:
            return

    def listed(self) -> tuple[dict[str, int], set[str]]:
        """Right below its key: bytes of objects by name, and names of what has some below it."""
        found = self.store.list_with_delimiter(self.key or None)
        objects = {one["path"].rpartition("/")[2]: one["size"] for one in found["objects"]}
        return objects, {one.rpartition("/")[2] for one in found["common_prefixes"]}

    def clear(self) -> None:
        """Remove all objects below its key."""
        for some in self.store.list(f"{self.key}/"):
            self.store.delete([one["path"] for one in some])

    def opened(self) -> io.RawIOBase:
        """It as a file that fetches what is read of it, and no more."""
        return _Reader(self.store, self.key, self.head()[0])


class _Reader(io.RawIOBase):
    """An object as a seekable file."""

    def __init__(self, store: ObjectStore, key: str, size: int) -> None:
        super().__init__()
        self._store, self._key, self._size, self._at = store, key, size, 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        """The byte that is read next."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fetch what fits into a buffer."""
        stop = min(self._at + len(buffer), self._size)
        if stop <= self._at:
            return 0
        found = self._store.get_range(self._key, start=self._at, end=stop)
        buffer[: stop - self._at] = memoryview(found)
        count, self._at = stop - self._at, stop
        return count
