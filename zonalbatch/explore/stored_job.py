"""Stored job: what a result was made by, as it lies beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zonalbatch.errors import InputError

if TYPE_CHECKING:
    from zonalbatch.job import Job
    from zonalbatch.sinks.output import Output

__all__ = ["stored_job"]

NUMBERS = (
    "pick", "temporal", "sketch", "classes", "bins", "edges", "min_clear", "cluster", "limits",
)  # fmt: skip
"""Keys of a job that say what becomes of its values; pixels are the same without them."""


def stored_job(output: Output, **changes: Any) -> Job:
    """The job of a result, to have its pixels read again; it computes the mean alone.

    Args:
        output: where the result lies.
        changes: keys to set; those that are None are left out.

    Raises:
        InputError: none lies there, as its zones or its source were objects in memory.
        JobError: it is no valid job, or its keys do not agree with the changes.
    """
    from zonalbatch.job import Job
    from zonalbatch.job.text import read_document, write_document

    place = output.path / "job.yaml"
    if not place.exists():
        raise InputError(
            f"{output.path} holds no job.yaml, by which its pixels are found again: the zones or "
            "rasters were objects in memory, or the run has not ended; explain takes them as they "
            "are"
        )
    document = read_document(place.read_text(), str(place), as_json=False)
    # Functions of the user's are not imported for a picture.
    changed = document | {"statistics": ["mean"]} | dict.fromkeys(NUMBERS) | changes
    told = {key: value for key, value in changed.items() if value is not None}
    return Job.from_yaml(write_document(told))
