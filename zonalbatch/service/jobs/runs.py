"""Job runs: jobs that wait for their turn, and those that are run, until they end."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from zonalbatch.errors import ZonalbatchError
from zonalbatch.results import Status, status_of
from zonalbatch.service.egress.way_out import way_out
from zonalbatch.service.jobs.child import LOG_FILE, OUT, JobChild, end_left_behind, sentence_of
from zonalbatch.service.jobs.store import ENDED, JobStore, State, Ticket
from zonalbatch.service.refusals import BUSY, FAULT_TOLD, Refusal
from zonalbatch.service.settings import Settings
from zonalbatch.service.telemetry import LOG
from zonalbatch.sinks.output import Output

__all__ = ["JobRuns", "has_results", "run_environment", "status_told"]

INTERRUPTED = 130
OWN = "ZONALBATCH_SERVICE_"
ANONYMOUS: Mapping[str, str | None] = {
    "AWS_NO_SIGN_REQUEST": "YES", "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_CONFIG_FILE": os.devnull,
    "AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None, "AWS_SESSION_TOKEN": None,
    "AWS_PROFILE": None, "AWS_ROLE_ARN": None, "AWS_WEB_IDENTITY_TOKEN_FILE": None,
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": None, "AWS_CONTAINER_CREDENTIALS_FULL_URI": None,
}  # fmt: skip
"""So that what a stranger names is not read in the name of this machine."""


class JobRuns:
    """All jobs that have not ended, while the service runs."""

    def __init__(self, store: JobStore, settings: Settings, way: str = "") -> None:
        """Be ready for them.

        Args:
            store: the jobs.
            settings: what the service allows.
            way: `Egress.url`; empty lets runs reach any host.
        """
        self._store, self._settings = store, settings
        self._environment = run_environment(settings, way)
        self._turns = asyncio.Semaphore(settings.jobs_at_once)
        self._courses: dict[str, asyncio.Task[None]] = {}
        self._wishes: dict[str, asyncio.Event] = {}
        """Of jobs that are run: set where one is wished to end."""
        self.leaving = False
        """True once the service stops."""

    async def __aenter__(self) -> JobRuns:
        """Take up again what another service left."""
        for ticket in self._store.unended():
            if ticket.state != "queued":
                self._store.change(ticket.id, state="interrupted")
            self._begin(ticket.id)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Interrupt what is run; the next service takes it up again."""
        self.leaving = True
        courses = list(self._courses.values())
        for course in courses:
            course.cancel()
        await asyncio.gather(*courses, return_exceptions=True)

    @property
    def running(self) -> int:
        """Jobs that are run."""
        return len(self._wishes)

    @property
    def waiting(self) -> int:
        """Jobs that wait for their turn."""
        return len(self._courses) - len(self._wishes)

    def check_room(self) -> None:
        """See that another job may wait.

        Raises:
            Refusal: there are too many.
        """
        if self.waiting >= self._settings.jobs_waiting:
            raise Refusal(BUSY, "there are too many jobs waiting; send it again later")

    def add(self, ticket: Ticket) -> None:
        """Take a job."""
        self._store.add(ticket)
        self._begin(ticket.id)

    def cancel(self, job: str) -> Ticket:
        """Wish a job to end; one that is not run has ended then."""
        ticket = self._store.find(job)
        assert ticket is not None
        if ticket.state in ENDED:
            return ticket
        if job in self._wishes:
            ticket = self._store.change(job, cancelled=True)
            self._wishes[job].set()
            return ticket
        if (course := self._courses.get(job)) is not None:
            course.cancel()
        return self._store.change(job, cancelled=True, state="cancelled", ended=time.time())

    def _begin(self, job: str) -> None:
        course = asyncio.create_task(self._course(job), name=f"job {job}")
        self._courses[job] = course
        course.add_done_callback(lambda _: self._courses.pop(job, None))

    async def _course(self, job: str) -> None:
        """From the queue to the end of a job."""
        try:
            await end_left_behind(self._store.folder_of(job))
            async with self._turns:
                await self._run(job)
        except Exception as error:
            LOG.error("job %s", job, exc_info=error)
            self._ended(job, "failed", None, FAULT_TOLD)

    async def _run(self, job: str) -> None:
        folder, wish = self._store.folder_of(job), asyncio.Event()
        self._wishes[job] = wish
        try:
            ticket = self._store.find(job)
            assert ticket is not None
            if ticket.cancelled:
                self._ended(job, "cancelled", None)
                return
            self._store.change(job, state="running", began=ticket.began or time.time())
            child = await JobChild.started(folder, self._environment)
            code = await self._watched(job, child, wish)
            await self._conclude(job, code)
        finally:
            del self._wishes[job]

    async def _watched(self, job: str, child: JobChild, wish: asyncio.Event) -> int:
        """The exit code of a run, which ends by itself, by a wish, or with the service."""
        ended, wished = asyncio.create_task(child.ended()), asyncio.create_task(wish.wait())
        try:
            await asyncio.wait({ended, wished}, return_when=asyncio.FIRST_COMPLETED)
            return await (child.stop() if wish.is_set() and not ended.done() else ended)
        except asyncio.CancelledError:
            await child.stop()
            self._store.change(job, state="interrupted", code=INTERRUPTED)
            raise
        finally:
            for task in (ended, wished):
                task.cancel()

    async def _conclude(self, job: str, code: int) -> None:
        """Note how a run ended: the output says whether there are results."""
        folder = self._store.folder_of(job)
        status = await asyncio.to_thread(status_told, folder)
        ticket = self._store.find(job)
        assert ticket is not None
        if status is not None and await asyncio.to_thread(has_results, folder):
            self._ended(job, "failures" if status.failures else "done", code)
        elif ticket.cancelled:
            self._ended(job, "cancelled", code)
        elif code == INTERRUPTED:  # by whoever ends all processes of this machine
            self._store.change(job, state="interrupted", code=code)
        else:
            sentence = sentence_of(folder, code)
            LOG.error("job %s failed with %s; see %s", job, code, folder / LOG_FILE)
            self._ended(job, "failed", code, self._told(sentence, folder))

    def _ended(self, job: str, state: State, code: int | None, error: str = "") -> None:
        with suppress(KeyError):
            self._store.change(job, state=state, code=code, error=error, ended=time.time())

    def _told(self, sentence: str, folder: Path) -> str:
        """A sentence without the places of this machine."""
        sentence = sentence.replace(f"{folder}{os.sep}", "")
        root = self._settings.root
        return sentence if root is None else sentence.replace(f"{root}{os.sep}", "file:///")


def status_told(folder: Path) -> Status | None:
    """How far the run in the folder of a job has come; None as long as it cannot be said."""
    with suppress(ZonalbatchError, OSError):
        return status_of(folder / OUT)
    return None


def has_results(folder: Path) -> bool:
    """Whether the run in the folder of a job came to its end, though something may be missing."""
    output = Output.at(folder / OUT)
    with suppress(ZonalbatchError, OSError):
        sealed = output.sealed()
        return sealed is not None and sealed.fingerprint == output.manifest().get("fingerprint")
    return False


def run_environment(settings: Settings, way: str) -> dict[str, str]:
    """The variables of a run: the service's own without its settings, and the way out."""
    changed = {} if settings.sign else ANONYMOUS
    kept = {name: text for name, text in os.environ.items() if not name.startswith(OWN)}
    found = {name: text for name, text in {**kept, **changed}.items() if text is not None}
    return way_out(way, found) if way else found
