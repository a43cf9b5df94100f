"""Course: the order in which the parts of a run go, until each is settled.

    first        all that is to be done, as many at once as the window holds
    alone        parts that lost their workers twice, one after the other
    again        parts with reads that failed in a passing way, a second and a third time

What is too much for a worker is halved. While a host is down, one part at a time tries it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from zonalbatch.engine.desertion import Desertion
from zonalbatch.engine.done import Done
from zonalbatch.engine.limits import Limits
from zonalbatch.engine.losses import Losses
from zonalbatch.engine.observer import Observer
from zonalbatch.engine.outage import Outage
from zonalbatch.engine.window import Loss, Window
from zonalbatch.errors import PermanentReadError
from zonalbatch.planning.files import Part
from zonalbatch.receipts import Receipt
from zonalbatch.work.part import give_up

__all__ = ["Course"]

Settled = Iterator[tuple[Part, Receipt]]

TICK = 1.0
"""Seconds after which it is looked around, though no part has landed."""

AGAIN = (0.0, 30.0)
"""Seconds to wait before parts are done a second time, and before a third."""


class Course:
    """What is still to be done of a plan, and in which order."""

    def __init__(
        self,
        todo: Iterable[Part],
        done: Done,
        window: Window,
        written: Callable[[str], Receipt | None],
        limits: Limits,
        observer: Observer,
    ) -> None:
        self._todo, self._alone = deque(todo), deque[Part]()
        self._again: dict[str, tuple[Part, Receipt]] = {}
        """Parts that are to be done again, by their ids, with what they have come to so far."""
        self._tries: dict[str, int] = {}
        """Id of a part -> how often reads of it failed while its hosts were well."""
        self._done, self._window, self._written = done, window, written
        self._limits = limits
        self._losses = Losses()
        self._tell = partial(self._told, observer)
        self._outage = Outage(limits.outage, self._tell)
        self._desertion = Desertion(limits, self._tell)

    def settled(self) -> Settled:
        """Each part with its receipt, when nothing more is to be tried for it.

        Raises:
            ClusterError: the cluster was lost, or loses every worker.
            PassingReadError: a host is down for longer than `Limits.outage`.
            ZonalbatchError: a part raised it.
        """
        while self._submit():
            for part, outcome in self._window.landed(TICK):
                yield from self._settle(part, outcome)
            self._look_around()

    def drained(self, seconds: float) -> Settled:
        """What is under way lands, as far as it does so in time; all else is taken back.

        Raises:
            ZonalbatchError: as `settled`.
        """
        end = time.monotonic() + seconds
        self._window.take_back(seconds / 2)
        while len(self._window) and (left := end - time.monotonic()) > 0:
            for part, outcome in self._window.landed(left):
                if isinstance(outcome, Receipt) and not outcome.passing:
                    yield part, outcome

    # --- what goes next -------------------------------------------------------------------------

    def _submit(self) -> bool:
        """Submit what may be; False if all is settled."""
        if self._outage.host:
            return self._try_host()
        if not (self._todo or self._window):
            self._next_round()
        while self._todo and self._window.room:
            self._window.submit(self._todo.popleft())
        return len(self._window) > 0

    def _next_round(self) -> None:
        """What comes when all else has landed: a suspect by itself, or what is done again."""
        if self._alone:
            self._todo.append(self._alone.popleft())
        elif self._again:
            tries = [self._tries.get(name, 1) for name in self._again]
            time.sleep(AGAIN[max(1, *tries) - 1])
            self._todo.extend(part for part, _ in self._again.values())
            self._again.clear()

    def _try_host(self) -> bool:
        """While a host is down, submit one part when it is time to; False if none is left."""
        waiting = self._again or self._todo or self._alone
        if not self._window and waiting and not self._outage.seconds:
            self._outage.trying()
            self._window.submit(self._affected())
        return bool(waiting or self._window)

    def _affected(self) -> Part:
        """A part that needs the host, as far as one is known to."""
        if self._again:
            return self._again.pop(next(iter(self._again)))[0]
        return (self._todo or self._alone).popleft()

    # --- what has landed ------------------------------------------------------------------------

    def _settle(self, part: Part, outcome: Receipt | Loss) -> Settled:
        if outcome is Loss.WORKER and (receipt := self._written(part.id)):
            outcome = receipt  # it died after it had written
        if isinstance(outcome, Receipt):
            yield from self._received(part, outcome)
        elif outcome is Loss.MEMORY:
            yield from self._halve(part, outcome, self._todo)
        else:
            yield from self._lost(part)

    def _received(self, part: Part, receipt: Receipt) -> Settled:
        self._losses.survived()
        self._hear(receipt)
        if receipt.passing and not self._outage.host:
            self._tries[part.id] = self._tries.get(part.id, 0) + 1
        if receipt.passing and self._tries.get(part.id, 0) <= len(AGAIN):
            self._again[part.id] = part, receipt
        else:
            yield part, receipt

    def _hear(self, receipt: Receipt) -> None:
        """Judge hosts by a part's reads; what waits while one is down is taken back."""
        well = not self._outage.host
        self._outage.hear(receipt.reads)
        if well and self._outage.host:
            self._todo.extendleft(reversed(self._window.take_back()))

    def _lost(self, part: Part) -> Settled:
        fate = self._losses.add(part)
        if fate == "again":
            self._todo.append(part)
        elif fate == "alone":
            self._alone.append(part)
        else:
            yield from self._halve(part, Loss.WORKER, self._alone)

    def _halve(self, part: Part, loss: Loss, line: deque[Part]) -> Settled:
        """Put halves of a part in line, or give it up if it is a single zone of a single layer."""
        if part.pairs > 1:
            halves = self._done.halve(part)
            line.extend(halves)
            if loss is Loss.WORKER:
                self._losses.suspect(halves)
            self._tell(f"halved: part {part.id[:8]} ({_size(part)}), as {loss.value}")
            return
        cause = f"no worker can compute this row: {loss.value}; raise limits.memory and run afresh"
        if self._limits.strict:
            raise PermanentReadError(cause)
        yield part, give_up(str(self._done.plan.folder), part.id, cause)

    # --- what else happens ----------------------------------------------------------------------

    def _look_around(self) -> None:
        """See how many workers there are, and have their shares of requests follow."""
        if self._window.look():
            self._desertion.ended()
        else:
            self._desertion.goes_on(self._window.awaited)
        if self._window.outgrown:
            self._todo.extendleft(reversed(self._window.take_back()))

    def _told(self, observer: Observer, text: str) -> None:
        observer.told(text, len(self._done.plan.parts))


def _size(part: Part) -> str:
    return f"{part.stop - part.start:,} zones × {len(part.layers):,} layers"
