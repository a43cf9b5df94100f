"""Jobs that are sent to the service, watched, cancelled, and whose results are fetched."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import zonalbatch as zb
from tests.made.rasters import BLOCKS, noise, spoil, write_tif
from tests.made.service import Served, serving
from tests.made.service_jobs import (
    JOBS,
    document,
    ended,
    features,
    many_files,
    settings_of,
    settled,
    under_way,
)  # fmt: skip
from zonalbatch.service.jobs.store import TICKET

if TYPE_CHECKING:
    from distributed import Client


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the service keeps its jobs."""
    return tmp_path_factory.mktemp("jobs")


@pytest.fixture(scope="module")
def served(root: Path, jobs: Path) -> Iterator[Served]:
    """A service that runs one job at a time, for those who have one of two keys."""
    settings = settings_of(root, jobs, keys="one,other")
    with serving(settings) as service:
        service.client.headers["X-API-Key"] = "one"
        yield service


def sent(service: Served, body: dict[str, Any]) -> str:
    """The id of a job that is taken."""
    told = service.ask(JOBS, body)
    assert told.status_code == 202, told.text
    assert told.headers["location"] == told.json()["links"]["self"] == f"{JOBS}/{told.json()['id']}"
    return str(told.json()["id"])


@pytest.fixture(scope="module")
def events(served: Served, root: Path) -> list[tuple[str, dict[str, Any]]]:
    """(name, data) of each event of a job, from the first to the last."""
    link = f"{JOBS}/{sent(served, document(root))}/events"
    with served.client.stream("GET", link, headers={"Last-Event-ID": "7"}) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        told = [line for line in stream.iter_lines() if line]
    names = [line.removeprefix("event: ") for line in told if line.startswith("event: ")]
    data = [json.loads(line[6:]) for line in told if line.startswith("data: ")]
    return list(zip(names, data, strict=True))


@pytest.fixture(scope="module")
def done(events: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """A job that is done, as the service tells it."""
    return events[-1][1]


def rows_of(service: Served, told: dict[str, Any]) -> pa.Table:
    """All rows of a job's result, fetched."""
    files = service.client.get(told["links"]["results"]).json()["files"]
    parts = [service.client.get(f["href"]) for f in files if f["name"].startswith("results/")]
    assert all(part.headers["content-type"] == "application/vnd.apache.parquet" for part in parts)
    return pa.concat_tables([pq.read_table(io.BytesIO(part.content)) for part in parts])


def plain(table: pa.Table) -> list[dict[str, Any]]:
    """Rows in an order of their own, without what is kept of areas and places."""
    rows = table.drop_columns(["geometry", "bbox"]).to_pylist()
    return sorted(rows, key=lambda row: (row["zone_id"], row["layer"]))


def run_here(client: Client, root: Path, out: Path, **keys: Any) -> zb.Results:
    """The result of the same job, run without a service."""
    told = json.dumps(document(root, **keys)).replace("file:///", f"{root}/")
    zb.run(json.loads(told) | {"output": {"path": str(out)}}, client)
    return zb.open_results(out)


def test_results_are_those_of_a_run(
    served: Served, done: dict[str, Any], root: Path, jobs: Path, tmp_path: Path, cluster: Client
) -> None:
    """Rows that are fetched, and the digest of the output, are those of `zb.run`."""
    assert done["state"] == "done", done
    assert done["parts"]["done"] == done["parts"]["of"]
    assert (done["failures"], done["error"], done["seconds_left"]) == (0, None, None)
    here = run_here(cluster, root, tmp_path / "out")
    assert done["rows"] == here.table.num_rows
    assert plain(rows_of(served, done)) == plain(here.table)
    assert zb.open_results(jobs / done["id"] / "out").digest == here.digest


def test_events_end_with_the_last_state(
    served: Served, events: list[tuple[str, dict[str, Any]]]
) -> None:
    """Each is the whole job; whoever comes again after the last is told that nothing follows."""
    names, data = zip(*events, strict=True)
    assert names == ("progress",) * (len(names) - 1) + ("ended",)
    assert len({one["id"] for one in data}) == 1
    link = data[-1]["links"]["self"]
    assert served.client.get(link).json() == data[-1]
    again = served.client.get(f"{link}/events", headers={"Last-Event-ID": "last"})
    assert (again.status_code, again.content) == (204, b"")


@pytest.mark.long
def test_zones_and_items_in_the_document(
    served: Served, root: Path, jobs: Path, tmp_path: Path, cluster: Client
) -> None:
    """Both lie beside the job then, and the numbers are those of the same zones in a file."""
    item = {
        "type": "Feature", "stac_version": "1.0.0", "id": "one", "bbox": [-180, -90, 180, 90],
        "geometry": None, "properties": {"datetime": "2024-06-01T00:00:00Z"},
        "links": [{"rel": "self", "href": "file:///etc/passwd"}],
        "assets": {"red": {"href": "file:///a_20240601.tif"}},
    }  # fmt: skip
    body = document(
        root, zones={"features": features(), "id": "id"}, bands={"red": "red"},
        source={"kind": "stac", "items": [item]},
    )  # fmt: skip
    told = ended(served.client, sent(served, body))
    assert told["state"] == "done", told
    (tmp_path / "zones.geojson").write_text(json.dumps(features()))
    keys = {"zones": {"path": str(tmp_path / "zones.geojson"), "id": "id"}}
    source = {"kind": "cog", "files": ["file:///a_20240601.tif"]}
    here = run_here(cluster, root, tmp_path / "out", **keys, source=source)
    means = [row["red_mean"] for row in plain(here.table)]
    assert [row["red_mean"] for row in plain(rows_of(served, told))] == means


@pytest.mark.long
def test_a_file_that_cannot_be_read(served: Served, root: Path) -> None:
    """Its job is done, with failures, which a file of the result tells."""
    spoil(write_tif(root / "bad.tif", noise(64, 64), **BLOCKS), (0, 0))
    body = document(root, source={"kind": "cog", "files": "file:///bad.tif"})
    told = ended(served.client, sent(served, body))
    assert (told["state"], told["failures"]) == ("failures", 1)
    found = served.client.get(f"{JOBS}/{told['id']}/results/failures.parquet")
    assert pq.read_table(io.BytesIO(found.content)).num_rows == 1


def test_a_job_that_fails(served: Served, root: Path, jobs: Path) -> None:
    """It tells in one sentence why, without the places of the machine, and has no results."""
    body = document(root, zones={"path": "file:///zones.parquet", "id": "nothing"})
    told = ended(served.client, sent(served, body))
    assert told["state"] == "failed"
    assert "nothing" in told["error"]
    for place in (root, jobs):
        assert str(place) not in told["error"]
    assert served.client.get(told["links"]["results"]).status_code == 409


@pytest.mark.long
def test_cancelled(served: Served, root: Path) -> None:
    """One that is run ends in a while, and one that waits at once; neither is begun again."""
    job, waiting = sent(served, many_files(root)), sent(served, document(root))
    under_way(served.client, job)
    assert served.client.get(f"{JOBS}/{waiting}").json()["state"] == "queued"
    told = served.client.delete(f"{JOBS}/{waiting}")
    assert (told.status_code, told.json()["state"]) == (200, "cancelled")
    told = served.client.delete(f"{JOBS}/{job}")
    assert (told.status_code, told.json()["cancelling"]) == (202, True)
    last = ended(served.client, job)
    assert (last["state"], last["cancelling"]) == ("cancelled", False)
    assert 0 < last["parts"]["done"] < last["parts"]["of"]
    assert served.client.get(f"{JOBS}/{job}/results").status_code == 409
    again = served.client.delete(f"{JOBS}/{job}")
    assert (again.status_code, again.json()) == (200, last)


def test_of_an_ended_job_nothing_is_removed(served: Served, done: dict[str, Any]) -> None:
    """Who cancels it is told how it is."""
    told = served.client.delete(done["links"]["self"])
    assert (told.status_code, told.json()) == (200, done)
    assert served.client.get(done["links"]["results"]).status_code == 200


def test_two_keys(served: Served, done: dict[str, Any]) -> None:
    """Of a job nobody knows but whose key it was sent with."""
    other = {"X-API-Key": "other"}
    links = done["links"]
    for path in (links["self"], links["events"], links["results"], f"{links['results']}/a"):
        told = served.client.get(path, headers=other)
        assert (told.status_code, told.json()) == (404, {"detail": "there is no such job"})
    assert served.client.delete(links["self"], headers=other).status_code == 404
    assert served.client.get(JOBS, headers=other).json() == {"jobs": []}
    assert served.client.get(JOBS, headers={"X-API-Key": "no"}).status_code == 401
    own = served.client.get(JOBS, params={"limit": 1000}).json()["jobs"]
    assert done["id"] in [one["id"] for one in own]
    times = [one["queued"] for one in own]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize(
    "name",
    [
        "../job.json", "..%2fjob.json", "%2e%2e/%2e%2e/jobs.sqlite", "results/../../job.json",
        "job.json", "job.yaml", "manifest.json", "log", f"../{TICKET}", "/etc/passwd",
        "%2fetc%2fpasswd", "results/..%00", "results", "results/", ".lock", "plan",
    ],
)  # fmt: skip
def test_names_that_lead_elsewhere(served: Served, done: dict[str, Any], name: str) -> None:
    """Files are known by their names alone: none of another place is answered."""
    url = httpx.URL(served.url).copy_with(
        raw_path=f"{done['links']['results']}/{name}".encode("ascii")
    )
    told = served.client.get(url)
    assert told.status_code == 404, told.text


def test_ranges(served: Served, done: dict[str, Any]) -> None:
    """A result can be read by ranges, as GDAL and DuckDB do, which ask for its size first."""
    files = served.client.get(done["links"]["results"]).json()["files"]
    (first, *_) = files
    head = served.client.head(first["href"])
    assert int(head.headers["content-length"]) == first["bytes"]
    assert head.headers["accept-ranges"] == "bytes"
    tail = served.client.get(first["href"], headers={"Range": "bytes=-4"})
    assert (tail.status_code, tail.content) == (206, b"PAR1")


def test_what_is_no_job(served: Served) -> None:
    """A document that is not valid is refused at once, in the words of `zonalbatch validate`."""
    told = served.ask(JOBS, {"zones": "https://example.org/z.parquet", "source": {}, "bands": {}})
    assert told.status_code == 422
    assert "source" in told.json()["detail"]
    assert served.ask(JOBS, [1]).status_code == 422
    assert served.client.get(f"{JOBS}/{'0' * 32}").status_code == 404


def test_links_into_the_own_network(served: Served, root: Path) -> None:
    """They are refused at once, wherever in the document; what is asked for later, on the way."""
    link = "http://127.0.0.1:9/a.json"
    for keys in ({"zones": link}, {"source": {"kind": "stac", "api": link, "collections": "a"}}):
        told = served.ask(JOBS, document(root, **keys))
        assert told.status_code == 400, told.text


def test_methods(served: Served) -> None:
    """Who asks in another way is told all that there are."""
    told = served.client.put(JOBS, json={})
    assert (told.status_code, told.headers["allow"]) == (405, "GET, POST")
    assert served.client.put(f"{JOBS}/a").headers["allow"] == "DELETE, GET"


def test_counts(served: Served, done: dict[str, Any]) -> None:
    """Metrics tell how many jobs are run and wait."""
    told = served.client.get("/metrics").text
    assert "zonalbatch_jobs_running" in told
    assert "zonalbatch_jobs_waiting" in told


def test_a_service_without_jobs(service: Served) -> None:
    """It says so, whatever is asked."""
    for told in (service.client.get(JOBS), service.client.delete(f"{JOBS}/a")):
        assert told.status_code == 404
        assert "ZONALBATCH_SERVICE_JOBS" in told.json()["detail"]


@pytest.mark.long
def test_how_many_may_wait(root: Path, tmp_path: Path) -> None:
    """More than are allowed are refused; what a service leaves undone the next one does."""
    settings = settings_of(root, tmp_path / "jobs", jobs_waiting=1)
    with serving(settings) as service:
        first = sent(service, many_files(root))
        settled(service.client, first, "running")
        second = sent(service, document(root))
        assert service.ask(JOBS, document(root)).status_code == 503
    with serving(settings) as service:
        assert settled(service.client, first, "interrupted", "running")
        assert service.client.delete(f"{JOBS}/{first}").status_code in (200, 202)
        assert ended(service.client, first)["state"] == "cancelled"
        assert ended(service.client, second)["state"] == "done"
