"""Account: what ran, with what, and what it cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from zonalbatch import __version__
from zonalbatch.progress import size_text
from zonalbatch.receipts import Receipt
from zonalbatch.sinks.output import Output
from zonalbatch.sources.secrets import shown

__all__ = ["Account", "account_of"]

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What is said of a run."""

    name: str
    """Of its folder."""
    ended: bool
    state: str
    """How far it has come, in a sentence."""
    facts: Pairs
    """What it is and what it cost: (what, how much)."""
    measured: Pairs
    """(measurement, its expression)."""
    settings: Pairs
    job: str
    """The document, without secrets; empty if it is gone."""


def account_of(output: Output) -> Account:
    """What the files of a run say of it.

    Raises:
        DamagedError: its manifest is not what was written.
    """
    manifest = output.manifest()
    sealed = manifest.get("sealed") or {}
    receipts = list(output.receipts(output.part_sizes()).values())
    parts = _parts(output, manifest)
    lost = 0 if parts is None or not sealed else parts - len(receipts)
    return Account(
        name=str(output.path).rstrip("/").rpartition("/")[2],
        ended=bool(sealed) and bool(sealed.get("complete")) and lost <= 0,
        state=_state(sealed, receipts, parts),
        facts=tuple(_facts(manifest, sealed, receipts, output)),
        measured=tuple(
            (name, str(expression))
            for name, expression in manifest.get("recipe", {}).get("measurements", {}).items()
        ),
        settings=tuple(_settings(manifest.get("recipe", {}), manifest)),
        job=_job(output),
    )  # fmt: skip


def _parts(output: Output, manifest: Mapping[str, Any]) -> int | None:
    """How many the plan has; None if that is not known."""
    plan = output.plans / manifest.get("fingerprint", "") / "parts.parquet"
    if "fingerprint" not in manifest or not plan.exists():
        return None
    return int(pq.read_metadata(plan.source()).num_rows)


def _state(sealed: Mapping[str, Any], receipts: list[Receipt], parts: int | None) -> str:
    if not sealed:
        done = f"{sum(not one.passing for one in receipts):,}"
        of = "" if parts is None else f" of {parts:,}"
        return f"The run has not ended: {done}{of} parts are done; run the job again to go on."
    if parts is not None and len(receipts) < parts:
        lost = parts - len(receipts)
        return f"{lost:,} of {parts:,} parts are gone: run the job again, which makes them anew."
    if not sealed["complete"]:
        return "Some files could not be read that may be another time; run the job again for them."
    return "The run has ended; all its parts are done."


def _facts(
    manifest: Mapping[str, Any],
    sealed: Mapping[str, Any],
    receipts: list[Receipt],
    output: Output,
) -> Iterable[tuple[str, str]]:
    if sealed:
        yield "zones", f"{sealed['zones']:,}"
        yield "layers", f"{sealed['layers']:,}"
    rows = sealed["rows"] if sealed else sum(one.rows for one in receipts)
    yield "rows", f"{rows:,}"
    failures = sealed["failures"] if sealed else sum(one.failures for one in receipts)
    yield "failures", f"{failures:,}"
    yield "parts", f"{len(receipts):,}"
    yield "results", size_text(sum(output.part_sizes().values()))
    yield "pixels decoded", size_text(sum(one.decoded for one in receipts))
    yield "time of workers", _duration(sum(one.seconds for one in receipts))
    yield "zonalbatch", sealed.get("version", __version__)
    yield "METHOD", str(manifest.get("method", "unknown"))


def _settings(recipe: Mapping[str, Any], manifest: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    if "statistics" in recipe:
        yield "statistics", ", ".join(map(str, recipe["statistics"]))
    if recipe.get("mask"):
        yield "mask", _plain(recipe["mask"])
    for key, value in recipe.items():
        if key not in ("measurements", "statistics", "mask") and value not in (None, False, {}):
            yield key, _plain(value)
    yield "group_by", _plain(manifest.get("group_by"))
    form = manifest.get("form", {})
    yield "layout", _plain(form.get("layout", "wide"))


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_plain(one)}" for key, one in value.items())
    if isinstance(value, list):
        return "[" + ", ".join(_plain(one) for one in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else shown(str(value))


def _job(output: Output) -> str:
    try:
        return shown((output.path / "job.yaml").read_text())
    except (OSError, UnicodeDecodeError):
        return ""


def _duration(seconds: float) -> str:
    """Seconds for people."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, hours = seconds / 60, seconds / 3600
    return f"{minutes:.0f} min" if minutes < 120 else f"{hours:,.1f} h"
