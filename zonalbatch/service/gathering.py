"""Gathering: questions that differ in one thing wait together and are answered by one call.

Most of what an area costs is what its raster, statistics and rules cost: hundreds of small steps
that serve many areas as well as one. Nothing waits for company: while a process is free, a question
goes to it at once; while none is, those that come meanwhile and are alike go together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from zonalbatch.service.refusals import Refusal, too_late
from zonalbatch.service.said import Said
from zonalbatch.service.workers import Workers

__all__ = ["Gathering"]

TOGETHER = 32
"""Questions that one call answers, at most."""


@dataclass(frozen=True, slots=True)
class _Waiter:
    """A question that waits."""

    about: Any
    """In what it differs."""
    said: asyncio.Future[Said]

    @property
    def is_there(self) -> bool:
        """False of one that has an answer, or whose time is over."""
        return not self.said.done()


class Gathering:
    """The questions that wait for a process."""

    def __init__(self, workers: Workers, turns: int) -> None:
        """Begin with none.

        Args:
            workers: who answers.
            turns: calls that are under way at once.
        """
        self._workers = workers
        self._turns = asyncio.Semaphore(turns)
        self._waiting: dict[Hashable, list[_Waiter]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def asked(self, function: Callable[..., Any], *alike: Hashable, about: Any) -> Any:
        """What a function says of one thing.

        Args:
            function: of a module; is given the process's `Desk`, what follows, and a list of what
                questions are about. It gives `Said` for each, or None for one that it leaves to a
                call of its own.
            alike: what questions that go together have in common.
            about: in what they differ.

        Raises:
            Refusal: there are too many questions, no answer in time, or the engine refused.
        """
        waiter = _Waiter(about, asyncio.get_running_loop().create_future())
        with self._workers.counted() as seconds:
            self._wait((function, alike), [waiter])
            try:
                async with asyncio.timeout(seconds):
                    said = await waiter.said
            except TimeoutError:
                raise too_late(seconds) from None
        return said.told()

    def _wait(self, kind: Hashable, waiters: Sequence[_Waiter]) -> None:
        """Join those of a kind; the first one sees to it that they are asked."""
        if kind not in self._waiting:
            self._waiting[kind] = []
            self._begin(self._next(kind))
        self._waiting[kind] += waiters

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _next(self, kind: Any) -> None:
        """Ask for those of a kind that wait once it is their turn; the rest wait for another."""
        async with self._turns:
            waiters = self._waiting.pop(kind)
            if waiters[TOGETHER:]:
                self._wait(kind, waiters[TOGETHER:])
            await self._ask(kind, waiters[:TOGETHER])

    async def _alone(self, kind: Any, waiter: _Waiter) -> None:
        async with self._turns:
            await self._ask(kind, [waiter])

    async def _ask(self, kind: Any, waiters: Sequence[_Waiter]) -> None:
        function, alike = kind
        waiters = [waiter for waiter in waiters if waiter.is_there]
        if not waiters:
            return
        try:
            abouts = [waiter.about for waiter in waiters]
            said = await self._workers.said(function, *alike, abouts)
            answers = said.answer or [said] * len(waiters)
        except Refusal as refusal:
            # One may have ended the process, or taken the time, of them all.
            own = Said(status=refusal.status, detail=refusal.detail)
            answers = [None if len(waiters) > 1 else own] * len(waiters)
        for waiter, answer in zip(waiters, answers, strict=True):
            if answer is None:
                self._begin(self._alone(kind, waiter))
            elif waiter.is_there:
                waiter.said.set_result(answer)
