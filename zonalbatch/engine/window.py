"""Window: the parts that the cluster knows of, as futures.

A cluster that grows with its backlog sees one, and the client's memory does not grow with the
number of parts. Each future is let go when its receipt has come in.
"""

from __future__ import annotations

import time
import uuid
from asyncio import CancelledError
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import astuple
from enum import Enum
from pickle import dumps
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from zonalbatch.engine.limits import Limits
from zonalbatch.errors import ClusterError, ZonalbatchError
from zonalbatch.planning.files import Part
from zonalbatch.prospects import awaited
from zonalbatch.receipts import Receipt
from zonalbatch.work.task import Release, do_task

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Landed", "Loss", "Window"]

WINDOW = 2_000
"""The most parts that the scheduler knows of at once."""

LOOK = 10.0
"""Seconds between two looks at how many workers there are."""

ANSWER = 60.0
"""Seconds that a scheduler may take to answer; a busy one has been seen to take some."""

IS_THERE = "__import__('importlib.util').util.find_spec('zonalbatch') is not None"
"""What a worker is asked before it is sent what only this package can read: plain Python."""


class Loss(Enum):
    """Why a part has no receipt."""

    WORKER = "its worker was lost"
    MEMORY = "it asked for more memory than its worker has"


Landed = tuple[Part, Receipt | Loss]


class Window:
    """Parts under way on a cluster."""

    def __init__(self, plan: str, client: Client, limits: Limits) -> None:
        self._plan, self._client, self._limits = plan, client, limits
        self._release = astuple(Release.here())
        self._run = uuid.uuid4().hex[:8]  # keys of an earlier run may linger in a scheduler
        self._submitted = 0
        self._under_way: dict[str, tuple[Part, Any]] = {}
        """Key of a future -> its part, and itself."""
        self._landing: SimpleQueue[str] = SimpleQueue()
        self._slots = self._told = 0
        self._looked_at = 0.0
        self._known: set[str] = set()
        """Addresses of workers that have this package."""
        self.look()

    def __len__(self) -> int:
        """Number of parts under way."""
        return len(self._under_way)

    @property
    def room(self) -> int:
        """How many more parts may be submitted."""
        return WINDOW - len(self)

    @property
    def outgrown(self) -> bool:
        """True if parts that wait carry twice the share of requests that they should, or more."""
        return self._slots >= 2 * max(1, self._told) and len(self) > self._slots

    @property
    def awaited(self) -> str:
        """What is known of workers to come; empty if nothing is.

        Raises:
            ClusterError: none will.
        """
        return awaited(self._client)

    def look(self) -> int:
        """How many parts the workers that are there do at once; asked now and then.

        Raises:
            ClusterError: the scheduler does not answer.
        """
        if time.monotonic() - self._looked_at > LOOK or not self._looked_at:
            with self._connected():
                ask = self._client.scheduler.ncores
                threads = self._client.sync(ask, workers=None, callback_timeout=ANSWER)
                self._welcome(threads.keys() - self._known)
            self._slots, self._looked_at = sum(threads.values()), time.monotonic()
        return self._slots

    def _welcome(self, workers: Iterable[str]) -> None:
        """See that workers which are new have this package: without it one cannot even read what it
        is asked for, and is silent.

        Raises:
            ClusterError: one has not.
        """
        if not (new := sorted(workers)):
            return
        message = {"op": "run", "function": dumps(eval), "args": dumps((IS_THERE,))}
        ask = self._client.scheduler.broadcast
        told = self._client.sync(
            ask, msg=message, workers=new, on_error="return", callback_timeout=ANSWER
        )
        for worker, answer in told.items():
            if isinstance(answer, dict) and answer.get("status") == "OK" and not answer["result"]:
                raise ClusterError(
                    f"the worker at {worker} has no zonalbatch; give all the same image or "
                    "environment, then run again: what is done is kept"
                )
        self._known.update(new)

    def submit(self, part: Part) -> None:
        """Have a part done, under a key that is new.

        It carries its share of the requests that may be under way: workers do not know of each
        other.
        """
        self._submitted += 1
        self._told = self._slots
        share = max(1, self._limits.requests // max(1, self._slots))
        with self._connected():
            key = f"part-{part.id}-{self._run}{self._submitted}"
            future = self._client.submit(
                do_task, self._release, self._plan, part.id,
                self._limits.memory, share, self._limits.strict, key=key, pure=False,
            )  # fmt: skip
        self._under_way[key] = part, future
        future.add_done_callback(lambda _: self._landing.put(key))

    def landed(self, patience: float) -> Iterator[Landed]:
        """The parts that have landed meanwhile, or the first that does in so many seconds.

        Raises:
            ClusterError: the scheduler or the client was lost.
            ZonalbatchError: a part raised it.
        """
        keys = self._keys(patience)
        receipts = self._gathered(keys)
        for key in keys:
            part, future = self._under_way.pop(key)
            yield part, receipts.get(key) or self._outcome(future)
            future.release()

    def _keys(self, patience: float) -> list[str]:
        """Of what has landed; not of what was taken back."""
        found = []
        with suppress(Empty):
            found.append(self._landing.get(timeout=patience))
            while True:
                found.append(self._landing.get_nowait())
        return [key for key in dict.fromkeys(found) if key in self._under_way]

    def _gathered(self, keys: Iterable[str]) -> Mapping[str, Receipt]:
        """Receipts of parts that ended well, asked for together."""
        futures = {key: self._under_way[key][1] for key in keys}
        good = [key for key, future in futures.items() if future.status == "finished"]
        try:
            return dict(zip(good, self._client.gather([futures[k] for k in good]), strict=True))
        except (Exception, CancelledError):  # of one of them: each is asked for by itself
            return {}

    def _outcome(self, future: Any) -> Receipt | Loss:
        from distributed import CancelledError as Lost
        from distributed import KilledWorker

        # What a part raised is here already, and says nothing of the connection.
        raised = future.status == "error"
        try:
            with nullcontext() if raised else self._connected():
                receipt: Receipt = future.result()
        except KilledWorker:
            return Loss.WORKER
        except MemoryError:
            return Loss.MEMORY
        except (Lost, CancelledError) as error:
            raise _lost() from error
        return receipt

    def take_back(self, patience: float = ANSWER) -> list[Part]:
        """The parts that no worker works on yet, in their order; they are not under way any more.

        Raises:
            ClusterError: the scheduler does not answer in so many seconds.
        """
        with self._connected():
            ask = self._client.scheduler.processing
            busy = self._client.sync(ask, workers=None, callback_timeout=patience)
            working = {key for keys in busy.values() for key in keys}
            queued = [
                key
                for key, (_, future) in self._under_way.items()
                if key not in working and future.status == "pending"
            ]
            taken = [self._under_way.pop(key) for key in queued]
            self._client.cancel([future for _, future in taken], force=True)
        return [part for part, _ in taken]

    def cancel(self) -> None:
        """Let go of everything, as far as there is still somebody to tell."""
        futures = [future for _, future in self._under_way.values()]
        self._under_way.clear()
        if futures and self._client.status == "running":
            with suppress(Exception):
                self._client.cancel(futures, force=True)

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """Tell what breaks with the connection as the loss of the cluster."""
        try:
            yield
        except ZonalbatchError:
            raise
        except Exception as error:
            if self._client.status == "running" and not isinstance(error, OSError):
                raise
            raise _lost() from error


def _lost() -> ClusterError:
    return ClusterError("the cluster was lost; start it and run again: what is done is kept")
