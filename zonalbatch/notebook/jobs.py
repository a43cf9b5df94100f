"""Jobs in a notebook: what one measures, and of what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zonalbatch.notebook.markup import card, folded, table

if TYPE_CHECKING:
    from zonalbatch.job import Job

__all__ = ["job_html"]


def job_html(job: Job) -> str:
    """A job's gist, and all of it by a click; no link shows its secrets."""
    rows = [
        ("measurements", ", ".join(job.measurements or job.bands)),
        ("statistics", ", ".join(str(one) for one in job.statistics)),
        ("zones", _named(job.zones)),
        ("source", _named(job.source)),
        ("output", job.output.path),
    ]
    whole = [] if job.in_memory else [folded("as YAML", job.told)]
    return card("Job", "", [table(rows), *whole])


def _named(given: object) -> str:
    """Where zones or a source come from, in a few words."""
    from zonalbatch.sources.secrets import writable

    for name in ("path", "items", "pattern", "search", "name", "files"):
        value = getattr(given, name, None)
        if isinstance(value, str):
            return writable(value)
        if isinstance(value, list | tuple) and value:
            return f"{len(value):,} files"
    return getattr(given, "kind", None) or type(given).__name__
