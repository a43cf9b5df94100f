"""Job checks: a stranger's document, made into a job that this service may run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zonalbatch.asked import recipe_of
from zonalbatch.catalog.named import is_file
from zonalbatch.catalog.offered import is_data_set
from zonalbatch.errors import InputError
from zonalbatch.job import CogSource, ItemSource, Job
from zonalbatch.job.text import MAX_BYTES, read_document
from zonalbatch.searches.addresses import address_of, signed_by
from zonalbatch.service.desk import Desk
from zonalbatch.service.jobs.child import JOB, OUT
from zonalbatch.service.links import href_of, pattern_of
from zonalbatch.service.refusals import TOO_LARGE, UNFIT, Refusal
from zonalbatch.service.settings import Settings
from zonalbatch.sources.access import access_from

__all__ = ["CheckedJob", "checked_job"]

ZONES, ITEMS = "zones.geojson", "items.json"
"""Beside a job's document: what was sent within it."""
REQUESTS, OUTAGE = 64, 3600
"""Most of `limits.requests_in_flight`, and of `limits.outage`, seconds."""


@dataclass(frozen=True, slots=True)
class CheckedJob:
    """A job that may be run."""

    files: Mapping[str, str]
    """Name -> text of the files in its folder, its document among them."""
    links: tuple[str, ...]
    """What of the web it names itself."""


def checked_job(desk: Desk, text: bytes, folder: str) -> CheckedJob:
    """The job that a document asks for.

    Args:
        desk: knows the settings.
        text: the document, JSON.
        folder: where the job will lie.

    Raises:
        Refusal: the document is not valid, or asks for what is not done for strangers.
    """
    place, settings = Path(folder), desk.settings
    try:
        document = read_document(text.decode(), "the job", as_json=True)
        _refuse_given(document)
        files = _zones_apart(document, place)
        _fill(document, place, settings)
        job = Job(**document)
        recipe_of(job)
    except (InputError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(UNFIT, str(error)) from None
    _refuse_asked(job, settings)
    links = _Links(settings.root, frozenset(str(place / name) for name in files))
    job = _linked(job, links, place, files, settings)
    files[JOB] = json.dumps(job.model_dump(mode="json", exclude_none=True, by_alias=True))
    if len(files[JOB].encode()) > MAX_BYTES:
        raise Refusal(
            TOO_LARGE, f"the job without its zones and items is larger than {MAX_BYTES:,} bytes"
        )
    return CheckedJob(files, tuple(links.web))


def _refuse_given(document: Mapping[str, Any]) -> None:
    """Refuse keys that are the service's to set."""
    output = document.get("output")
    given = {
        "cluster": "cluster" in document,
        "output.path": isinstance(output, Mapping) and "path" in output,
    }
    for name in [name for name, is_given in given.items() if is_given]:
        raise Refusal(UNFIT, f"{name} is for the service to choose; leave it out")
    source = document.get("source")
    if isinstance(source, Mapping) and is_data_set(source) and is_file(str(source.get("name"))):
        raise Refusal(UNFIT, "source.name is a file; give the name of a data set")
    for place in (document, document.get("temporal")):
        _refuse_code(place)


def _refuse_code(keys: Any) -> None:
    """Refuse statistics that name functions; what is no group of keys is left to the validation."""
    statistics = keys.get("statistics") if isinstance(keys, Mapping) else None
    for name in statistics if isinstance(statistics, list) else ():
        if isinstance(name, str) and ":" in name:
            raise Refusal(
                UNFIT, f"statistics: {name[:60]!r} names code, which is not run here; leave it out"
            )


def _fill(document: dict[Any, Any], place: Path, settings: Settings) -> None:
    """Set what is the service's to set; what is no group of keys is left to the validation."""
    for name, keys in (
        ("output", {"path": str(place / OUT)}),
        ("limits", {"memory": settings.job_memory}),
    ):
        given = document.get(name) or {}
        document[name] = keys | given if isinstance(given, dict) else given
    document["cluster"] = settings.cluster.model_dump(mode="json", exclude_none=True)


def _zones_apart(document: dict[Any, Any], place: Path) -> dict[str, str]:
    """Have zones that are part of a document lie beside it; the files, by name."""
    zones = document.get("zones")
    if not isinstance(zones, dict) or "features" not in zones:
        return {}
    if "path" in zones:
        raise Refusal(UNFIT, "zones: path and features are both zones; give one of them")
    found = zones["features"]
    features = found.get("features") if isinstance(found, dict) else None
    if not features or not isinstance(features, list) or found.get("type") != "FeatureCollection":
        raise Refusal(UNFIT, "zones.features is no FeatureCollection with features; see RFC 7946")
    if "crs" in found:
        raise Refusal(
            UNFIT, "zones.features are longitudes and latitudes (RFC 7946); leave crs out"
        )
    rest = {key: value for key, value in zones.items() if key != "features"}
    document["zones"] = {**rest, "path": str(place / ZONES)}
    collection = {"type": "FeatureCollection", "features": features}
    try:
        return {ZONES: json.dumps(collection, allow_nan=False)}
    except ValueError:
        raise Refusal(UNFIT, "zones.features hold NaN or Infinity, which are no JSON") from None


def _refuse_asked(job: Job, settings: Settings) -> None:
    """Refuse what a valid job may ask for, and a stranger may not."""
    for name, sentence in _unasked(job, settings):
        raise Refusal(UNFIT, f"{name}: {sentence}")


def _unasked(job: Job, settings: Settings) -> Iterator[tuple[str, str]]:
    limits, reader = job.limits, job.reader
    for name, keys in (("zones", job.zones), ("source", job.source)):
        if getattr(keys, "trusted", False):
            yield f"{name}.trusted", "files are not trusted here; leave it out"
    if not _may_sign(getattr(job.source, "sign", None)):
        yield (
            "source.sign",
            "nothing is read in the name of this service; write planetary-computer, "
            "{kind: aws, anonymous: true}, or leave it out",
        )
    if reader is not None and reader.model_dump(exclude_none=True).keys() - {"kind"}:
        yield "reader", "its sizes are for the service to choose; give kind alone"
    if limits.memory > settings.job_memory:
        yield "limits.memory", f"at most {settings.job_memory:,} bytes may be taken; ask for less"
    if limits.requests_in_flight > REQUESTS:
        yield "limits.requests_in_flight", f"at most {REQUESTS} may be; ask for less"
    if limits.outage > OUTAGE:
        yield "limits.outage", f"at most {OUTAGE:,} s are waited; ask for less"


def _may_sign(sign: Any) -> bool:
    """True of what needs no secret of this machine, nor spends its money."""
    if sign is None:
        return True
    told = sign.document
    kinds: Mapping[str, Callable[[], bool]] = {
        "planetary-computer": lambda: True,
        "aws": lambda: bool(told.get("anonymous")),
    }
    return kinds.get(told.get("kind"), lambda: False)()


@dataclass(frozen=True, slots=True)
class _Links:
    """The one check that all links of a document go through."""

    root: Path | None
    own: frozenset[str]
    """Files that the service itself writes."""
    web: dict[str, None] = field(default_factory=dict)
    """What was seen of the web."""

    def __call__(self, url: str) -> str:
        """A link as the engine calls it.

        Raises:
            Refusal: it may not be asked for.
        """
        if url in self.own:
            return url
        found = href_of(url, self.root)
        if "://" in found:
            self.web[found] = None
        return found


def _linked(job: Job, links: _Links, place: Path, files: dict[str, str], settings: Settings) -> Job:
    """The job with its links as the engine calls them; items within it lie beside it then."""
    changed: dict[str, Any] = {
        "zones": job.zones.model_copy(update={"path": links(job.zones.path)}),
    }
    if job.weights is not None:
        path = links(job.weights.path)
        changed["weights"] = job.weights.model_copy(update={"path": path})
    source = job.source
    if isinstance(source, CogSource):
        found = _files(source, links)
    else:
        assert isinstance(source, ItemSource)  # an array is in no JSON
        found = _items(source, links, place, files)
    if source.sign is None and not _signed_by_api(source):
        found["sign"] = access_from(settings.sign or {"kind": "aws", "anonymous": True})
    return job.model_copy(update={**changed, "source": source.model_copy(update=found)})


def _signed_by_api(source: CogSource | ItemSource) -> bool:
    return (
        isinstance(source, ItemSource)
        and source.api is not None
        and signed_by(source.api) is not None
    )


def _files(source: CogSource, links: _Links) -> dict[str, Any]:
    if source.files is None:
        return {"pattern": pattern_of(source.pattern or "", links.root)}
    return {"files": tuple(map(links, source.files))}


def _items(source: ItemSource, links: _Links, place: Path, files: dict[str, str]) -> dict[str, Any]:
    """Where a source's items come from."""
    if source.api is not None:
        links(address_of(source.api))
    items: Any = source.items
    if items is None:
        return {}
    if source.in_memory:
        features = [_item(item, links) for item in items]
        files[ITEMS] = json.dumps({"type": "FeatureCollection", "features": features})
        return {"items": str(place / ITEMS)}
    paths = (items,) if isinstance(items, str) else items
    if any(path.startswith("file:") for path in paths):
        # Items of this machine may name any of its files.
        raise Refusal(
            UNFIT, "source.items: no items of this machine are read; give them in the document"
        )
    return {"items": tuple(map(links, paths))}


def _item(item: Any, links: _Links) -> dict[str, Any]:
    """An item whose files may be asked for, without what else it links to."""
    assets = item.get("assets")
    if not isinstance(assets, dict) or not all(isinstance(one, dict) for one in assets.values()):
        raise Refusal(UNFIT, f"source.items: {item.get('id')!r} has no assets; give STAC items")
    found = {key: {**one, "href": links(str(one.get("href", "")))} for key, one in assets.items()}
    return {**item, "assets": found, "links": []}
