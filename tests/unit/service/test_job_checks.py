"""What of a stranger's document is run, and what is refused, by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import zonalbatch as zb
from zonalbatch.errors import JobError
from zonalbatch.service.desk import Desk
from zonalbatch.service.jobs.checks import CheckedJob, checked_job
from zonalbatch.service.jobs.child import JOB
from zonalbatch.service.links import pattern_of
from zonalbatch.service.refusals import Refusal
from zonalbatch.service.settings import Settings

JOB_FOLDER = "/jobs/abc"
GOOD: dict[str, Any] = {
    "zones": {"path": "https://example.org/zones.parquet", "id": "id"},
    "source": {"kind": "cog", "files": ["https://example.org/a.tif"]},
    "bands": {"red": 1},
}
COLLECTION = {
    "type": "FeatureCollection",
    "features": [{
        "type": "Feature", "properties": {"id": 1},
        "geometry": {"type": "Point", "coordinates": [0.0, 1.0]},
    }],
}  # fmt: skip


def item(href: object) -> dict[str, Any]:
    """A STAC item of one file."""
    return {"id": "one", "properties": {}, "links": [{"href": "/x"}], "assets": {
        "red": {"href": href, "title": "kept"}}}  # fmt: skip


def stac(**keys: Any) -> dict[str, Any]:
    """A source of STAC items."""
    return {"source": {"kind": "stac", **keys}, "bands": {"red": "red"}}


def weighted(weights: object) -> dict[str, Any]:
    """Weights, and a statistic that uses them."""
    return {"weights": weights, "statistics": ["weighted_mean"]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder that may be read, and a link that leads out of it."""
    folder = tmp_path / "root"
    (folder / "out").mkdir(parents=True)
    for name in ("z.parquet", "s_20240601_red.tif"):
        (folder / name).touch()
    (tmp_path / "s_20240701_red.tif").touch()
    (folder / "out" / "s_20240701_red.tif").symlink_to(tmp_path / "s_20240701_red.tif")
    return folder.resolve()


def checked(root: Path | None, **keys: Any) -> CheckedJob:
    """The good job with other keys, as it would be run."""
    desk = Desk(Settings(root=root, job_memory=2**30))
    return checked_job(desk, json.dumps(GOOD | keys).encode(), JOB_FOLDER)


def run_of(found: CheckedJob) -> dict[str, Any]:
    """The document that is run."""
    told: dict[str, Any] = json.loads(found.files[JOB])
    assert zb.Job(**told).model_dump(mode="json", exclude_none=True) == told
    return told


def test_what_the_service_sets() -> None:
    """Where results go, who works, how much memory there is, and in whose name is read."""
    found = checked(None, output={"layout": "long"})
    told = run_of(found)
    assert told["output"] == {"path": f"{JOB_FOLDER}/out", "layout": "long", "geometry": "auto"}
    assert told["cluster"] == {"kind": "local", "workers": 2, "threads": 1}
    assert told["limits"]["memory"] == 2**30
    assert told["source"]["sign"] == {"kind": "aws", "anonymous": True}
    assert found.links == ("https://example.org/zones.parquet", "https://example.org/a.tif")


def test_files_of_this_machine(root: Path) -> None:
    """Those below the root, by links; they are no links into the web."""
    found = checked(
        root, zones="file:///z.parquet", **weighted("file:///s_20240601_red.tif"),
        source={"kind": "cog", "pattern": "file:///s_{date:%Y%m%d}_{band}.tif"},
    )  # fmt: skip
    told = run_of(found)
    assert found.links == ()
    assert told["zones"]["path"] == str(root / "z.parquet")
    assert told["weights"]["path"] == str(root / "s_20240601_red.tif")
    assert told["source"]["pattern"] == str(root / "s_{date:%Y%m%d}_{band}.tif")


def test_zones_within() -> None:
    """They lie beside the job, as they were sent."""
    found = checked(None, zones={"features": COLLECTION, "id": "id", "buffer": 5})
    told = run_of(found)
    assert told["zones"]["path"] == f"{JOB_FOLDER}/zones.geojson"
    assert (told["zones"]["id"], told["zones"]["buffer"]) == ("id", 5)
    assert json.loads(found.files["zones.geojson"]) == COLLECTION


def test_items_within(root: Path) -> None:
    """They lie beside the job, with their files as they may be read, and no link to elsewhere."""
    hrefs = ["https://example.org/b.tif", "file:///s_20240601_red.tif"]
    found = checked(root, **stac(items=[item(href) for href in hrefs]))
    assert run_of(found)["source"]["items"] == f"{JOB_FOLDER}/items.json"
    features = json.loads(found.files["items.json"])["features"]
    assert [one["links"] for one in features] == [[], []]
    assert [one["assets"]["red"]["href"] for one in features] == [
        "https://example.org/b.tif", str(root / "s_20240601_red.tif"),
    ]  # fmt: skip
    assert "https://example.org/b.tif" in found.links


@pytest.mark.parametrize(
    ("keys", "link", "sign"),
    [
        (stac(items="https://example.org/i.json"), "https://example.org/i.json", "aws"),
        (stac(api="https://example.org/api", collections="a"), "https://example.org/api", "aws"),
        (stac(api="earth-search", collections="a"), "https://earth-search.aws", "aws"),
        (stac(api="planetary-computer", collections="a"), "https://planetarycomputer", None),
        (stac(items="https://example.org/i.json", sign="planetary-computer"),
         "https://example.org/i.json", "planetary-computer"),
        (weighted({"path": "s3://bucket/w.tif", "band": 2}), "s3://bucket/w.tif", "aws"),
    ],
)  # fmt: skip
def test_links_of_the_web(keys: dict[str, Any], link: str, sign: str | None) -> None:
    """Each that a document names is told, so that its host can be looked at."""
    found = checked(None, **keys)
    assert any(one.startswith(link) for one in found.links)
    assert run_of(found)["source"].get("sign", {}).get("kind") == sign


def cog(**keys: Any) -> dict[str, Any]:
    """A source of files."""
    return {"source": {"kind": "cog", **keys}}


WEB = ["https://example.org/a.tif"]
REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"cluster": {"kind": "local"}}, 422, "cluster"),
    ({"cluster": None}, 422, "cluster"),
    ({"output": {"path": "/tmp/out"}}, 422, "output.path"),
    ({"output": {"path": None}}, 422, "output.path"),
    ({"output": "/tmp/out"}, 422, "output"),
    ({"limits": {"memory": "2GiB"}}, 422, "limits.memory"),
    ({"limits": {"requests_in_flight": 1000}}, 422, "limits.requests_in_flight"),
    ({"limits": {"outage": "2h"}}, 422, "limits.outage"),
    ({"limits": 5}, 422, "limits"),
    ({"reader": {"kind": "async", "block_cache": "100GiB"}}, 422, "reader"),
    ({"statistics": ["mean", "os:getcwd"]}, 422, "names code"),
    ({"statistics": ["mena"]}, 422, "mena"),
    ({"statistics": "mean"}, 422, "statistics"),
    ({"temporal": {"every": "month", "statistics": ["os:getcwd"]}}, 422, "names code"),
    ({"zones": {"path": "https://example.org/z.gml", "trusted": True}}, 422, "zones.trusted"),
    (cog(files=WEB, trusted=True), 422, "source.trusted"),
    (cog(files=WEB, sign="aws"), 422, "source.sign"),
    (cog(files=WEB, sign={"kind": "aws", "profile": "boss"}), 422, "source.sign"),
    (cog(files=WEB, sign={"kind": "aws", "requester_pays": True}), 422, "source.sign"),
    (cog(files=WEB, sign={"kind": "headers", "headers": {"A": "${HOME}"}}), 422, "source.sign"),
    ({"zones": "/etc/passwd"}, 400, "links are"),
    ({"zones": "zones.parquet"}, 400, "links are"),
    ({"zones": "../zones.parquet"}, 400, "links are"),
    ({"zones": "file:///../s_20240701_red.tif"}, 400, "no such file"),
    ({"zones": "file:///out/s_20240701_red.tif"}, 400, "no such file"),
    ({"zones": f"file://{JOB_FOLDER}/zones.geojson"}, 400, "no such file"),
    ({"zones": "/vsizip/https://example.org/z.zip"}, 400, "links are"),
    ({"zones": "PG:dbname=x"}, 400, "links are"),
    ({"zones": "https://user:word@example.org/z.parquet"}, 400, "password"),
    ({"zones": {"path": "https://example.org/z", "features": COLLECTION}}, 422, "one of them"),
    ({"zones": {"features": {"type": "FeatureCollection", "features": []}}}, 422, "RFC 7946"),
    ({"zones": {"features": [1]}}, 422, "RFC 7946"),
    ({"zones": {"features": COLLECTION | {"crs": {"type": "link"}}}}, 422, "crs"),
    ({"zones": {"features": COLLECTION, "speed": 1}}, 422, "speed"),
    ({"zones": {"features": COLLECTION | {"features": [{"x": float("nan")}]}}}, 422, "NaN"),
    (cog(files="a.tif"), 400, "links are"),
    (cog(files=[*WEB, "file:///out/s_20240701_red.tif"]), 400, "no such file"),
    (cog(files="vrt:///etc/passwd"), 400, "links are"),
    (cog(pattern="/data/{band}.tif"), 400, "pattern"),
    (cog(pattern="file:///../s_{date:%Y%m%d}_{band}.tif"), 400, "no file"),
    (cog(pattern="file:///out/s_{date:%Y%m%d}_{band}.tif"), 400, "no file"),
    (cog(pattern="file:///{up}/s_{date:%Y%m%d}_{band}.tif"), 400, "no file"),
    (cog(pattern="file:///none_{band}.tif"), 400, "no file"),
    (cog(pattern="https://example.org/{band}.tif"), 400, "pattern"),
    (stac(items="file:///items.json"), 422, "source.items"),
    (stac(items="/items.json"), 400, "links are"),
    (stac(items=["https://example.org/i.json", "i.json"]), 400, "links are"),
    (stac(items=[item("/etc/passwd")]), 400, "links are"),
    (stac(items=[item("../a.tif")]), 400, "links are"),
    (stac(items=[item("file:///out/s_20240701_red.tif")]), 400, "no such file"),
    (stac(items=[item(["a"])]), 400, "links are"),
    (stac(items=[{"id": "one", "assets": {"red": "a.tif"}}]), 422, "no assets"),
    (stac(items=[{"id": "one", "assets": []}]), 422, "no assets"),
    (stac(api="file:///etc", collections="a"), 422, "api"),
    (weighted("/etc/passwd"), 400, "links are"),
    (weighted({"path": "w.tif", "band": 1}), 400, "links are"),
    ({"bands": {}}, 422, "bands"),
    ({"sources": 1}, 422, "sources"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "status", "word"), REFUSED)
def test_refused(root: Path, keys: dict[str, Any], status: int, word: str) -> None:
    """In one sentence, with the name of what may not be, and no place of this machine."""
    with pytest.raises(Refusal) as refused:
        checked(root, **keys)
    assert refused.value.status == status, refused.value.detail
    assert word in refused.value.detail
    assert str(root) not in refused.value.detail


def test_without_a_root() -> None:
    """No file of this machine is read."""
    for keys in ({"zones": "file:///z.parquet"}, cog(pattern="file:///{band}.tif")):
        with pytest.raises(Refusal, match="files of this machine"):
            checked(None, **keys)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (b"", "job"), (b"[]", "keys with values"), (b"{}", "is empty"), (b"\xff", "utf-8"),
        (b'{"zones": 1, "zones": 2}', "zones"), (b"[" * 100_000, "nested too deep"),
        (b'{"zones": {"features": ' + b"[" * 100_000, "nested too deep"),
    ],
)  # fmt: skip
def test_what_is_no_document(text: bytes, word: str) -> None:
    """It is refused, whatever it is."""
    with pytest.raises(Refusal, match=word) as refused:
        checked_job(Desk(Settings()), text, JOB_FOLDER)
    assert refused.value.status == 422


def test_the_words_of_validate() -> None:
    """A document that is not valid is told in the sentences of a job that is."""
    keys: dict[str, Any] = {"coverage": "half", "bands": {"a b": 1}, "mask": {"band": "x"}}
    with pytest.raises(JobError) as expected:
        zb.Job(**GOOD, **{k: v for k, v in keys.items() if k != "bands"} | {"output": {
            "path": "x"}})  # fmt: skip
    with pytest.raises(Refusal) as refused:
        checked(None, coverage="half", mask={"band": "x"})
    assert refused.value.detail == str(expected.value)


def test_a_document_too_large() -> None:
    """One that would be no job file is refused before it is kept."""
    files = [f"https://example.org/{'a' * 2000}/{n}.tif" for n in range(2200)]
    with pytest.raises(Refusal) as refused:
        checked(None, source={"kind": "cog", "files": files})
    assert refused.value.status == 413


def test_jobs_below_the_root(tmp_path: Path) -> None:
    """Results would be for everybody to read: such settings are refused."""
    with pytest.raises(ValueError, match="jobs lies below root"):
        Settings(root=tmp_path, jobs=tmp_path / "deep" / "jobs")


def test_patterns_within_the_root(root: Path) -> None:
    """A pattern that matches one file beyond the root is none."""
    assert pattern_of("file:///s_{d:%Y%m%d}_{b}.tif", root) == str(root / "s_{d:%Y%m%d}_{b}.tif")
    with pytest.raises(Refusal, match="no file"):
        pattern_of("file:///**/s_{d:%Y%m%d}_{b}.tif", root)
