"""Jobs: the routes by which a job is sent, watched, cancelled, and its results are fetched."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from prometheus_client import CollectorRegistry, Gauge
from pydantic import BaseModel, Field

from zonalbatch.errors import OutputError, ZonalbatchError
from zonalbatch.places.files import write_text
from zonalbatch.service.entry import OWNER
from zonalbatch.service.jobs.checks import CheckedJob, checked_job
from zonalbatch.service.jobs.events import LAST, events
from zonalbatch.service.jobs.files import PARQUET, result_files
from zonalbatch.service.jobs.runs import JobRuns
from zonalbatch.service.jobs.store import ENDED, JobStore, Ticket
from zonalbatch.service.jobs.views import PREFIX, JobBrief, JobView, Progress, brief, view
from zonalbatch.service.problems import PROBLEMS, Problem
from zonalbatch.service.refusals import (
    ABSENT,
    BAD,
    BUSY,
    NO_ROOM,
    NOT_YET,
    Refusal,
    refusal_of,
)
from zonalbatch.service.settings import Settings
from zonalbatch.service.telemetry import LOG
from zonalbatch.service.workers import Workers

__all__ = ["JobDesk", "Reach", "anywhere", "open_jobs", "router"]

Reach = Callable[[str], Awaitable[None]]
"""Raises a ZonalbatchError if a link of http or https leads to where nothing is read from."""


async def anywhere(url: str) -> None:
    """Let any link be read from."""


@dataclass(frozen=True, slots=True)
class JobDesk:
    """What jobs are sent to, and asked for."""

    store: JobStore
    runs: JobRuns
    workers: Workers
    reach: Reach
    progress: Progress = field(default_factory=Progress)

    async def taken(self, text: bytes, owner: str) -> Ticket:
        """A new job, which waits for its turn.

        Raises:
            Refusal: its document is not valid, or asks for what may not be.
        """
        self.runs.check_room()
        ticket = Ticket(id=secrets.token_hex(16), owner=owner, queued=time.time())
        folder = str(self.store.folder_of(ticket.id))
        checked = await self.workers.asked(checked_job, text, folder)
        await self._reached(checked.links)
        self.runs.check_room()  # again, as others came meanwhile
        try:
            await asyncio.to_thread(_write, Path(folder), checked)
        except (OSError, OutputError) as error:
            LOG.error("no room", extra={"told": {"cause": str(error)}})
            raise Refusal(NO_ROOM, "the job cannot be written down now; try later") from None
        self.runs.add(ticket)
        return ticket

    async def _reached(self, links: Iterable[str]) -> None:
        """See that links lead to where may be read from; those of s3 are judged on the way."""
        hosts = {urlsplit(link)[:2]: link for link in links if link.startswith("http")}
        try:
            for link in hosts.values():
                await self.reach(link)
        except ZonalbatchError as error:
            raise refusal_of(error, None) from None

    def of(self, job: str, owner: str) -> Ticket:
        """Somebody's job.

        Raises:
            Refusal: there is none of this id, or it is another's.
        """
        ticket = self.store.find(job)
        if ticket is None or ticket.owner != owner:
            raise Refusal(ABSENT, "there is no such job")
        return ticket

    def told(self, job: str, owner: str) -> JobView:
        """A job and how far it is.

        Raises:
            Refusal: as of `of`.
        """
        ticket = self.of(job, owner)
        return view(ticket, *self.progress.of(ticket, self.store.folder_of(job)))


def _write(folder: Path, checked: CheckedJob) -> None:
    """Make the folder of a job, which is for no other user of this machine; whole or not at all."""
    try:
        folder.mkdir(mode=0o700)
        for name, text in checked.files.items():
            write_text(folder / name, text)
    except (OSError, OutputError):
        shutil.rmtree(folder, ignore_errors=True)
        raise


@asynccontextmanager
async def open_jobs(
    settings: Settings,
    workers: Workers,
    way_out: str,
    registry: CollectorRegistry,
    reach: Reach = anywhere,
) -> AsyncIterator[JobDesk | None]:
    """The jobs of the settings' folder, run while the block lasts; None if they name none.

    Args:
        settings: what the service allows.
        workers: processes that check documents.
        way_out: `Egress.url`; empty lets runs reach any host.
        registry: what counts.
        reach: raises a ZonalbatchError for links of http that may not be read from.

    Raises:
        OutputError: the folder cannot be written to, or is another service's.
    """
    if settings.jobs is None:
        yield None
        return
    store = JobStore(settings.jobs)
    try:
        async with JobRuns(store, settings, way_out) as runs:
            running = Gauge("zonalbatch_jobs_running", "Run now.", registry=registry)
            running.set_function(lambda: runs.running)
            waiting = Gauge("zonalbatch_jobs_waiting", "Not begun yet.", registry=registry)
            waiting.set_function(lambda: runs.waiting)
            yield JobDesk(store, runs, workers, reach)
    finally:
        store.close()


class JobDocument(BaseModel, extra="allow"):
    """A job as in a job file. Cluster, output.path and the like are for the service to choose."""

    zones: Any = Field(
        description="Keys as in a job file; `features`, a GeoJSON FeatureCollection, may take the "
        "place of `path`. Files are links: http, https, s3 or file."
    )
    source: Any = Field(description="Keys as in a job file.")
    bands: Any = Field(description="Bands by name.")


class JobList(BaseModel):
    """Jobs, the latest first."""

    jobs: list[JobBrief]


class ResultFile(BaseModel):
    """A file of a result."""

    name: str
    bytes: int
    href: str


class ResultList(BaseModel):
    """The files of a result: GeoParquet in `results/` and beside it, all rows of it together."""

    files: list[ResultFile]


router = APIRouter(
    prefix=PREFIX, tags=["jobs"],
    responses={
        **{status: PROBLEMS[status] for status in (401, 429)},
        ABSENT: {"model": Problem, "description": "No such job, or this service runs none."},
    },
)  # fmt: skip
NOT_DONE: dict[int | str, dict[str, Any]] = {
    NOT_YET: {"model": Problem, "description": "The job has no results."}
}


def _desk(request: Request) -> JobDesk:
    """Where the service's jobs are.

    Raises:
        Refusal: it runs none.
    """
    desk: JobDesk | None = request.app.state.jobs
    if desk is None:
        raise Refusal(ABSENT, "this service runs no jobs; set ZONALBATCH_SERVICE_JOBS to a folder")
    return desk


def _owner(request: Request) -> str:
    return str(request.scope[OWNER])


Desk = Annotated[JobDesk, Depends(_desk)]
Owner = Annotated[str, Depends(_owner)]


@router.post(
    "", status_code=202,
    responses={status: PROBLEMS[status] for status in (BAD, 408, 413, 422, BUSY, 504)},
)  # fmt: skip
async def send(
    document: JobDocument, request: Request, response: Response, desk: Desk, owner: Owner
) -> JobBrief:
    """Have a job done. It waits for its turn, and goes on by itself after a restart."""
    # The text itself is checked, by another process: what was parsed of it is not looked at.
    told = brief(await desk.taken(await request.body(), owner))
    response.headers["Location"] = told.links.self
    return told


@router.get("")
def index(desk: Desk, owner: Owner, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> JobList:
    """The jobs that were sent with this key."""
    return JobList(jobs=[brief(ticket) for ticket in desk.store.of(owner, limit)])


@router.get("/{job}")
def state(job: str, desk: Desk, owner: Owner) -> JobView:
    """A job and how far it is."""
    return desk.told(job, owner)


@router.delete("/{job}", responses={202: {"model": JobView, "description": "It will end soon."}})
async def cancel(job: str, response: Response, desk: Desk, owner: Owner) -> JobView:
    """Have a job end. One that has ended stays as it is; results of done parts are kept."""
    if desk.of(job, owner).state not in ENDED:
        desk.runs.cancel(job)
    told = await asyncio.to_thread(desk.told, job, owner)
    response.status_code = 200 if told.state in ENDED else 202
    return told


@router.get(
    "/{job}/events", response_class=StreamingResponse,
    responses={
        200: {"content": {"text/event-stream": {}}, "description": "Each change of the job."},
        204: {"description": "The last event was sent already."},
    },
)  # fmt: skip
async def watch(job: str, request: Request, desk: Desk, owner: Owner) -> Response:
    """The job each time that it changes, as server-sent events, until it has ended."""
    ticket = desk.of(job, owner)
    if request.headers.get("Last-Event-ID") == LAST and ticket.state in ENDED:
        return Response(status_code=204)  # by which browsers know that nothing follows
    stream = events(lambda: desk.told(job, owner), lambda: desk.runs.leaving)
    return StreamingResponse(
        stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


@router.get("/{job}/results", responses=NOT_DONE)
def results(job: str, desk: Desk, owner: Owner) -> ResultList:
    """The files of a job's result."""
    ticket = desk.of(job, owner)
    found = result_files(ticket, desk.store.folder_of(job))
    own = brief(ticket).links.results
    return ResultList(
        files=[
            ResultFile(name=name, bytes=path.stat().st_size, href=f"{own}/{name}")
            for name, path in found.items()
        ]
    )


@router.head("/{job}/results/{name:path}", include_in_schema=False)
@router.get(
    "/{job}/results/{name:path}", response_class=FileResponse,
    responses={
        **NOT_DONE, 200: {"content": {PARQUET: {}}}, 206: {"description": "A range of it."}
    },
)  # fmt: skip
def result(job: str, name: str, desk: Desk, owner: Owner) -> FileResponse:
    """One file of a job's result, or a range of it."""
    found = result_files(desk.of(job, owner), desk.store.folder_of(job))
    # Names are looked up, never made to paths.
    if name not in found:
        raise Refusal(ABSENT, "the result has no such file; /results tells those that it has")
    return FileResponse(found[name], media_type=PARQUET, filename=name.rpartition("/")[2])
