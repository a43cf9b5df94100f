"""What a source of a job says that it takes to read its files."""

from __future__ import annotations

from typing import Any

import pytest

from zonalbatch.errors import JobError
from zonalbatch.job import Job

BASE: dict[str, Any] = {
    "zones": "z.parquet", "bands": {"red": 1}, "output": {"path": "out"},
}  # fmt: skip


def test_a_job_holds_no_signature() -> None:
    """Links are bare in the document that is kept with the result; it reads back as it was."""
    link = "https://account.blob.core.windows.net/box/a.tif"
    source = {"kind": "cog", "files": [f"{link}?se=x&sig=s3cr3t"], "sign": "planetary-computer"}
    job = Job(**BASE, source=source)
    assert job.source.files == (link,)  # type: ignore[union-attr]
    assert "s3cr3t" not in job.to_yaml()
    assert Job.from_yaml(job.to_yaml()) == job


def test_a_secret_in_a_job_is_refused_and_not_shown() -> None:
    """Its name in the environment belongs there."""
    sign = {"kind": "headers", "headers": {"Authorization": "Bearer s3cr3t"}}
    with pytest.raises(JobError, match=r"source\.sign: header Authorization") as caught:
        Job(**BASE, source={"kind": "stac", "items": "i.json", "sign": sign})
    assert "s3cr3t" not in str(caught.value)
