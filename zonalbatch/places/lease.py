"""Lease: a lock on a place in an object store, which a run that died does not leave behind.

It is an object that its holder writes again every few seconds, and that anybody may take over who
sees that it has grown old. Its age is told by the store's clock alone, so that no clock of a
machine matters; it is taken, renewed and taken over by writes that fail if another was first.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from zonalbatch.errors import BusyError, OutputError
from zonalbatch.places.objects import Object

__all__ = ["leased"]

RENEWED = 15.0
"""Seconds between two renewals."""
EXPIRES = 60.0
"""Seconds after which a lease that was not renewed is anybody's."""


@contextmanager
def leased(lock: Object, place: str) -> Iterator[Callable[[], None]]:
    """Hold the lease on a place while the block lasts; gives what checks that it is still held.

    Args:
        lock: the object.
        place: what it locks, for messages.

    Raises:
        BusyError: another run holds it.
        OutputError: it cannot be written.
    """
    lease = _Lease(lock, place)
    lease.take()
    ended = threading.Event()
    thread = threading.Thread(target=lease.keep, args=(ended,), name="lease", daemon=True)
    thread.start()
    try:
        yield lease.check
    finally:
        ended.set()
        thread.join(RENEWED)
        lease.release()


class _Lease:
    """The lease of one run."""

    def __init__(self, lock: Object, place: str) -> None:
        self._lock, self._place = lock, place
        self._run = str(uuid.uuid4())
        self._count = 0
        self._tag = ""
        self._renewed = 0.0
        """When it was last written, by this process's clock."""
        self._lost = False

    def take(self) -> None:
        """Take the lease if there is none, or one that has grown old.

        Raises:
            OutputError: another run holds it, or it cannot be written.
        """
        from obstore.exceptions import BaseError

        try:
            before = time.monotonic()
            tag = self._lock.create(self._text())
            if tag is None:
                tag = self._taken_over()
        except (BaseError, OSError) as error:
            said = str(error).split("\n", 1)[0].partition(": <?xml")[0]
            raise OutputError(f"cannot write to {self._place}: {said}") from None
        if tag is None:
            raise BusyError(
                f"another run is writing to {self._place}; wait for it to end, or stop it: a run "
                f"that died lets go after {EXPIRES:.0f} s"
            )
        self._tag, self._renewed = tag, before

    def _taken_over(self) -> str | None:
        """The tag of a lease that was another's, None if that one is still good."""
        with suppress(FileNotFoundError):  # it has just been let go
            _, tag, written = self._lock.head()
            probe = Object(self._lock.store, f"{self._lock.key}-{uuid.uuid4()}")
            probe.put(b"")
            now = probe.head()[2]
            probe.delete()
            old = (now - written).total_seconds() > EXPIRES
            return self._lock.swap(self._text(), tag) if old else None
        return self._lock.create(self._text())

    def keep(self, ended: threading.Event) -> None:
        """Renew it until the end, or until it is lost."""
        from obstore.exceptions import BaseError

        while not ended.wait(RENEWED) and not self._lost:
            before = time.monotonic()
            with suppress(BaseError, OSError):  # the next one may get through before it expires
                tag = self._lock.swap(self._text(), self._tag)
                if tag is None:
                    self._lost = not self._is_ours()
                else:
                    self._tag, self._renewed = tag, before

    def _is_ours(self) -> bool:
        """True if it was this run that wrote it last: a renewal may come through unanswered."""
        text, tag = self._lock.get()
        if json.loads(text)["run"] != self._run:
            return False
        self._tag = tag
        return True

    def check(self) -> None:
        """See that it is held.

        Raises:
            OutputError: another run has taken it over, or may have done so.
        """
        if self._lost or time.monotonic() - self._renewed > EXPIRES:
            raise OutputError(
                f"the lease on {self._place} could not be renewed for {EXPIRES:.0f} s, so that "
                "another run may have begun; run again to go on: what is done is kept"
            )

    def release(self) -> None:
        """Let go of it, if it is still ours."""
        from obstore.exceptions import BaseError

        with suppress(BaseError, OSError):
            if self._is_ours():
                self._lock.delete()

    def _text(self) -> bytes:
        """What tells the holder; never twice the same, as tags may be hashes of it."""
        self._count += 1
        holder = {"run": self._run, "host": socket.gethostname(), "process": os.getpid()}
        return json.dumps(holder | {"count": self._count}).encode()
